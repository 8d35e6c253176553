//! A former writer comes back, whatever its log, its position and its tables say. The judge knows what its tables
//! hold, which the planner does not.

use std::collections::BTreeSet;

use super::{Scene, cluster, former, name, steps};
use crate::db::verify::{Checked, Difference, Kind, Report, TableName, TableResult};
use crate::db::{DatabaseSeen, Position, Thread};
use crate::decision::Decision;
use crate::desired::{Membership, Saved};
use crate::observed::Comparison;
use crate::plan::tests::basis;
use crate::state::{Severity, State};
use crate::status::database;
use crate::step::{RowsStep, SqlStep, Step};

/// The last acknowledged transaction of db1's, which db2 holds: db2 took over.
const LIMIT: u64 = 10;
/// The number of rounds within which everything settles.
const ROUNDS: usize = 40;

/// What db1 really has, whatever it reports.
#[derive(Clone, Debug)]
struct World {
    /// The last of its own transactions in its log.
    log: u64,
    /// What its position says about its own domain.
    position: u64,
    /// Its own transactions that are in its tables.
    tables: BTreeSet<u64>,
    /// Whether it sends ACKs: only then does MariaDB send it its own transactions.
    acks: bool,
    /// db2's log begins after this transaction.
    purged: u64,
    receiving: bool,
    error: u32,
    /// The last transaction that its channel has received.
    received: u64,
}

impl World {
    fn new(log: u64, position: u64, tables: u64, acks: bool, purged: u64) -> Self {
        let (receiving, error, received) = (false, 0, 0);
        let tables = (1..=tables).collect();
        Self { log, position, tables, acks, purged, receiving, error, received }
    }

    /// Records what Cordée sees of it.
    fn look(&self, seen: &mut DatabaseSeen) {
        let at = |number| Position([(1, number)].into());
        (seen.read_only, seen.acks, seen.semi_sync) = (true, self.acks, false);
        (seen.written, seen.applied) = (at(self.log), at(self.position));
        for channel in seen.channels.values_mut() {
            channel.receiving = if self.receiving { Thread::Running } else { Thread::Stopped };
            (channel.applying, channel.error, channel.received) =
                (self.receiving, self.error, at(self.received));
        }
    }

    /// As MariaDB 10.11 was seen to do it: what the position claims is not sent; of its own transactions it accepts
    /// those that its log does not have, if it sends ACKs, and skips the rest.
    fn replicate(&mut self) {
        if !self.receiving {
            return;
        }
        if self.position < self.purged {
            (self.receiving, self.error) = (false, 1236);
            return;
        }
        for number in self.position + 1..=LIMIT {
            self.received = number;
            if self.acks && number > self.log {
                if !self.tables.insert(number) {
                    (self.receiving, self.error) = (false, 1062);
                    return;
                }
                self.log = number;
            }
            self.position = number;
        }
        self.received = self.received.max(self.position);
    }

    fn whole(&self) -> bool {
        (1..=LIMIT).all(|number| self.tables.contains(&number))
    }

    fn act(&mut self, scene: &mut Scene, step: &Step) {
        match step {
            Step::Sql(SqlStep::SetChannel { on, .. } | SqlStep::StartChannel { on, .. })
                if on.as_str() == "db1" =>
            {
                (self.receiving, self.error) = (true, 0);
            }
            Step::Sql(SqlStep::StopChannel { on, .. }) if on.as_str() == "db1" => self.receiving = false,
            Step::Sql(SqlStep::SetAcks { name, on }) if name.as_str() == "db1" => self.acks = *on,
            Step::Sql(SqlStep::SetBack { name, .. }) if name.as_str() == "db1" => {
                assert!(!self.receiving, "MariaDB refuses it while a link runs");
                self.position = self.log;
            }
            Step::Wish(change) => scene.desired = scene.desired.apply(change).expect("a decision"),
            Step::Rows(RowsStep::Compare { name, .. }) if name.as_str() == "db1" => {
                let of = |scene: &Scene| scene.desired.db.servers[0].id;
                let report = self.compared(scene);
                let (id, last) = (of(scene), Some((of(scene), report)));
                scene.seen.comparisons.insert(name.clone(), Comparison { id, last, ..Comparison::default() });
            }
            _ => {}
        }
    }

    fn compared(&self, scene: &Scene) -> Report {
        let row = Difference { on: name("db1"), kind: Kind::Lacking, key: Vec::new() };
        let verdict = if self.whole() {
            TableResult::Equal { rows: LIMIT }
        } else {
            TableResult::Differs { rows: vec![row], more: false }
        };
        let table = TableName { schema: "site".to_owned(), table: "note".to_owned() };
        Report {
            at_start: scene.now,
            at_end: scene.now,
            reference: name("db2"),
            others: vec![name("db1")],
            tables: vec![Checked { table, verdict }],
            rows: LIMIT,
            chunks: 1,
            bytes: 1,
        }
    }
}

/// db2 writes; db1 has come back as `world` says, and `count` transactions of its log were saved before it was
/// started.
fn scene(world: &World, count: u64) -> Scene {
    let mut scene = former(count);
    let saved = Some(Saved { count, file: "lost/x.sql".to_owned() });
    scene.desired.db.servers[0].stands(Membership::Returning { limit: LIMIT, saved });
    let scene = scene.database("db2", |d| (d.read_only, d.semi_sync) = (false, true)).holding("db2", LIMIT);
    scene.database("db1", |d| world.look(d))
}

/// Lets Cordée do all that it plans, and judges each moment. Returns how it ended.
fn settle(mut world: World, count: u64, title: &str) -> &'static str {
    let mut scene = scene(&world, count);
    let mut shown = Severity::Unknown;
    for _ in 0..ROUNDS {
        scene.now += 100;
        scene = scene.database("db1", |d| world.look(d)).looked("db1", 0).looked("db2", 0);
        let server = scene.desired.db.servers[0].clone();
        match server.base().membership {
            Membership::Joining => return "copied again",
            Membership::Member => assert!(world.log >= LIMIT, "{title}: a member whose log lacks {world:?}"),
            _ => {}
        }
        let status = database(scene.scene(), server.base());
        let good = status.severity == Severity::Good || status.state == State::InSync;
        assert!(!good || world.whole(), "{title}: shown as {:?}, and lacks rows: {world:?}", status.state);
        if good {
            return "in sync";
        }
        shown = status.severity;
        for step in steps(&scene) {
            world.act(&mut scene, &step);
        }
        world.replicate();
    }
    assert_eq!(shown, Severity::Critical, "{title}: it hangs: {:?} {world:?}", scene.desired.db.servers[0]);
    "critical"
}

#[test]
fn whoever_comes_back_is_in_sync_with_every_acknowledged_row_or_not_in_sync() {
    let mut ends = std::collections::BTreeMap::new();
    for log in 5..=12 {
        for position in 0..=13 {
            for tables in 4..=log.max(LIMIT) + 1 {
                for acks in [true, false] {
                    for purged in [0, 8] {
                        for count in [0, 2] {
                            let world = World::new(log, position, tables, acks, purged);
                            let title = format!("log {log}, position {position}, tables {tables}, {acks}");
                            *ends.entry(settle(world, count, &title)).or_insert(0) += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(ends.keys().copied().eq(["copied again", "critical", "in sync"]), "{ends:?}");
}

/// As it was seen once in 54 kills: the log ends two transactions before what the position claims and the new writer
/// holds.
#[test]
fn what_a_crash_took_back_and_the_position_claims_is_fetched_again() {
    let world = World::new(LIMIT - 2, LIMIT, LIMIT - 2, true, 0);
    let scene = scene(&world, 2);
    let set_back = Step::Sql(SqlStep::SetBack { name: name("db1"), id: scene.desired.db.servers[0].id });
    assert_eq!(super::steps(&scene).into_iter().filter(|s| *s == set_back).count(), 1);
    assert_eq!(settle(world, 2, "as seen"), "in sync");
    // Its tables hold what its log lost: MariaDB does not produce that state, and Cordée does not repair it.
    let world = World::new(LIMIT - 2, LIMIT, LIMIT, true, 0);
    assert_eq!(settle(world, 2, "log lost"), "copied again");
}

/// The others may be away when the writer is started again where its data are.
#[test]
fn a_writer_whose_log_lacks_what_its_position_claims_is_not_opened() {
    let opens = |written: u64, claims: u64| {
        let at = |number| Position([(1, number)].into());
        let scene = cluster(1).closed(written).database("db1", |d| d.applied = at(claims));
        steps(&scene.unanswered("db2")).iter().any(|s| matches!(s, Step::Sql(SqlStep::OpenDatabase { .. })))
    };
    assert!(opens(10, 10) && opens(10, 0));
    assert!(!opens(10, 11));
}

#[test]
fn a_doubt_ends_with_a_comparison_that_began_later() {
    let mut scene = former(0);
    let readmit = Decision::Readmit { of: basis(&scene.desired, "db1"), at: scene.now };
    scene.desired = scene.desired.apply(&readmit).expect("readmitted");
    let shown = |scene: &Scene| database(scene.scene(), scene.desired.db.servers[0].base()).state;
    let world = World::new(LIMIT, LIMIT, LIMIT, true, 0);
    let mut world = World { receiving: true, ..world };
    scene = scene.database("db1", |d| world.look(d));
    let mut older = scene.clone();
    older.now -= 1;
    let compare = Step::Rows(RowsStep::Compare {
        name: name("db1"),
        id: scene.desired.db.servers[0].id,
        with: name("db2"),
    });
    world.act(&mut older, &compare);
    scene.seen.comparisons = older.seen.comparisons;
    assert_eq!(shown(&scene), State::Comparing);
    world.act(&mut scene, &compare);
    assert_eq!(shown(&scene), State::InSync);
}
