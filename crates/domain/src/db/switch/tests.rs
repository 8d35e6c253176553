use proptest::prelude::*;

use crate::change::Request;
use crate::db::failover::tests::scene::{NOW, Scene, cluster, listed, name};
use crate::ids::ServerName;
use crate::seen::Seen;

use super::*;

/// A cluster over time, and what the engine does with the measurement.
struct Tale {
    scene: Scene,
    now: Millis,
    switch: Option<Switch>,
    told: Option<Gap>,
    /// When the writer stopped, after it was last seen to write.
    stopped: Option<Millis>,
}

impl Tale {
    fn new() -> Self {
        Self { scene: cluster(1), now: NOW, switch: None, told: None, stopped: None }
    }

    fn passes(&mut self, ms: u64) {
        self.now += ms;
        self.round();
    }

    /// Runs one round as the engine does.
    fn round(&mut self) {
        let Some(switch) = self.switch else { return };
        match switch.course(crate::scene::Scene::new(&self.scene.desired, &self.scene.seen, self.now)) {
            Course::UnderWay => {}
            Course::Nothing => self.switch = None,
            Course::Over(gap) => (self.switch, self.told) = (None, Some(gap)),
        }
    }

    fn writer(&self) -> ServerName {
        self.scene.desired.writer.clone().expect("a writer")
    }

    fn begins(&mut self, end: Stop) {
        let Scene { desired, seen, .. } = &self.scene;
        self.switch = Some(Switch::begins(self.switch, self.now, end, desired, seen));
        let last = desired.writer.as_ref().and_then(|w| seen.databases.get(w)).and_then(Seen::last);
        self.stopped.get_or_insert(last.unwrap_or(self.now));
    }

    /// The writer's process ends.
    fn lost(&mut self) {
        let writer = self.writer();
        self.begins(Stop::Lost);
        self.scene.seen.databases.remove(&writer);
    }

    /// The writer is closed for a planned change.
    fn closed(&mut self) {
        let writer = self.writer();
        let asked = self.candidate();
        let (at, accept_loss) = (self.now, false);
        let wish = Request::Promote { name: asked, at, accept_loss };
        if let Ok(next) = self.scene.desired.apply(&wish) {
            self.scene.desired = next;
            self.answers();
            self.begins(Stop::Closed);
            self.see(&writer, false);
        }
    }

    /// Reports whether the epoch of the change has come: another database is the writer.
    fn changed(&self) -> bool {
        self.switch.is_some_and(|s| s.epoch == self.scene.desired.epoch)
    }

    fn gone(&self) -> bool {
        self.switch.is_some_and(|s| s.epoch == self.scene.desired.epoch + 1)
    }

    fn candidate(&self) -> ServerName {
        let writer = self.writer();
        let other = self.scene.desired.db.servers.iter().find(|s| s.name != writer);
        other.expect("another one").name.clone()
    }

    /// The writer has answered as before, just now.
    fn answers(&mut self) {
        let writer = self.writer();
        if let Some(Seen::At(at, _)) = self.scene.seen.databases.get_mut(&writer) {
            *at = self.now;
        }
    }

    /// The planned change is given up.
    fn abandoned(&mut self) {
        self.scene.desired.handover = None;
    }

    /// Another database is the writer, and not open yet.
    fn elected(&mut self) {
        let candidate = self.candidate();
        self.see(&candidate, false);
        let desired = &mut self.scene.desired;
        (desired.writer, desired.handover) = (Some(candidate), None);
        desired.epoch += 1;
    }

    fn see(&mut self, server: &ServerName, open: bool) {
        let mut seen = cluster(1).seen.databases[&name("db1")].value().expect("seen").clone();
        seen.read_only = !open;
        self.scene.seen.databases.insert(server.clone(), Seen::At(self.now, seen));
    }

    /// The new writer is open; HAProxy sends nobody to it yet.
    fn opened(&mut self) {
        let writer = self.writer();
        self.see(&writer, true);
        self.round();
    }

    /// The writer is looked at and found open; HAProxy sends connections to it.
    fn writes(&mut self) {
        let writer = self.writer();
        self.see(&writer, true);
        let servers = self.scene.desired.db.servers.clone();
        let at = self.now;
        let proxy = self.scene.seen.proxies.get_mut(&PoolId::Db).expect("a proxy");
        let Seen::At(looked, running) = &mut proxy.running else { panic!("not looked at") };
        *looked = at;
        running.servers = servers.iter().map(|s| (s.name.clone(), listed(s.id, s.name != writer))).collect();
        self.round();
        if self.scene.desired.handover.is_none() {
            self.stopped = None;
        }
    }
}

/// What was once measured wrongly: the writer was killed, was started again where its data are, and wrote for 38 s;
/// then it handed over.
#[test]
fn a_writer_that_came_back_begins_no_gap_of_a_later_promotion() {
    let mut tale = Tale::new();
    tale.lost();
    tale.passes(900);
    tale.writes();
    tale.passes(37_900);
    tale.closed();
    tale.passes(20);
    tale.elected();
    tale.passes(20);
    tale.writes();
    assert_eq!(tale.told.map(|g| (g.epoch, g.ms)), Some((tale.scene.desired.epoch, 40 + NEXT_TRY)));
}

#[test]
fn a_change_that_was_given_up_begins_no_gap_of_a_later_one() {
    let mut tale = Tale::new();
    tale.closed();
    tale.passes(10_000);
    tale.abandoned();
    tale.passes(50);
    tale.writes();
    tale.passes(30_000);
    tale.answers();
    tale.passes(200);
    tale.lost();
    tale.passes(10);
    tale.elected();
    tale.passes(20);
    tale.writes();
    assert_eq!(tale.told.map(|g| g.ms), Some(200 + 30 + NEXT_TRY));
}

/// At the last look HAProxy still sent connections to the candidate, and the candidate is open, because all
/// databases write. That look was made before the change.
#[test]
fn what_was_seen_before_ends_nothing() {
    let mut tale = Tale::new();
    let candidate = tale.candidate();
    tale.see(&candidate, true);
    tale.answers();
    tale.passes(5);
    tale.lost();
    tale.passes(5);
    let desired = &mut tale.scene.desired;
    (desired.writer, desired.epoch) = (Some(candidate), desired.epoch + 1);
    tale.passes(700);
    assert_eq!(tale.told, None);
    tale.writes();
    assert_eq!(tale.told.map(|g| g.ms), Some(5 + 705 + NEXT_TRY));
}

/// Whether or not the new writer was open already: HAProxy did not send connections to it yet.
#[test]
fn a_new_writer_that_is_lost_before_it_writes_ends_nothing() {
    for open in [false, true] {
        let mut tale = Tale::new();
        tale.answers();
        tale.lost();
        tale.passes(40);
        tale.elected();
        tale.passes(40);
        if open {
            tale.opened();
        }
        tale.lost();
        tale.passes(40);
        tale.elected();
        tale.passes(40);
        tale.writes();
        let wanted = (tale.scene.desired.epoch, 160 + NEXT_TRY);
        assert_eq!(tale.told.map(|g| (g.epoch, g.ms)), Some(wanted), "open: {open}");
    }
}

/// An external writer died: nobody sees its process end. It is silent for seconds before a person decides; 24 and 62
/// ms were reported then, of which clients had noticed six seconds.
#[test]
fn the_silence_before_a_person_decided_counts() {
    let mut tale = Tale::new();
    tale.answers();
    let writer = tale.writer();
    let last = Some(tale.now);
    tale.passes(900);
    let why = crate::fault::Fault::Refused(String::new());
    tale.scene.seen.databases.insert(writer, Seen::Failed { last, why });
    tale.passes(5_100);
    let (name, at) = (tale.candidate(), tale.now);
    let wish = Request::Promote { name, at, accept_loss: true };
    tale.scene.desired = tale.scene.desired.apply(&wish).expect("promoted");
    tale.begins(Stop::Closed);
    tale.passes(30);
    tale.elected();
    tale.passes(20);
    tale.writes();
    assert_eq!(tale.told.map(|g| g.ms), Some(6_050 + NEXT_TRY));
}

/// There is a look every 0.3 s: a writer that answers is well until the moment at which it is closed.
#[test]
fn a_writer_that_answers_is_well_until_it_is_closed() {
    for (ago, since) in [(0, 0), (WELL, 0), (WELL + 1, WELL + 1)] {
        let mut tale = Tale::new();
        tale.answers();
        tale.passes(ago);
        let Scene { desired, seen, .. } = &tale.scene;
        let begun = Switch::begins(None, tale.now, Stop::Closed, desired, seen);
        assert_eq!(tale.now - begun.since, since, "{ago} ms before");
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Passes(u64),
    Lost,
    Closed,
    Abandoned,
    Elected,
    Opened,
    Writes,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (1_u64..70_000).prop_map(Act::Passes),
        2 => Just(Act::Lost),
        2 => Just(Act::Closed),
        1 => Just(Act::Abandoned),
        3 => Just(Act::Elected),
        1 => Just(Act::Opened),
        4 => Just(Act::Writes),
    ]
}

proptest! {
    /// Whatever was lost, closed, given up and started again before: the reported gap is the time since the writer
    /// was last seen to write and stopped.
    #[test]
    fn a_gap_counts_from_its_own_loss(acts in proptest::collection::vec(act(), 0..40)) {
        let mut tale = Tale::new();
        for act in acts {
            // A look takes a moment, and so does what follows from it.
            tale.passes(1);
            let stopped = tale.stopped;
            match act {
                Act::Passes(ms) => tale.passes(ms),
                Act::Lost => tale.lost(),
                Act::Closed => tale.closed(),
                Act::Abandoned => tale.abandoned(),
                // No other database is elected before the writer was closed or lost.
                Act::Elected if tale.gone() => tale.elected(),
                // A writer that is closed for a change is not opened.
                Act::Writes if tale.scene.desired.handover.is_none() => tale.writes(),
                Act::Opened if tale.changed() => tale.opened(),
                Act::Elected | Act::Opened | Act::Writes => {}
            }
            if let Some(gap) = tale.told.take() {
                let stopped = stopped.expect("nothing had stopped");
                prop_assert_eq!(gap.at + NEXT_TRY - gap.ms, stopped, "{:?}", gap);
                prop_assert_eq!(gap.epoch, tale.scene.desired.epoch);
            }
        }
    }
}
