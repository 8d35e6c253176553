#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::cell::Cell;
use std::io;

use cordee_domain::desired::Addresses;
use cordee_domain::ids::ServerName;
use cordee_domain::observed::{Leader, ProcessSeen};
use cordee_node::net::{Listener, Listeners};
use cordee_node::ports::answer;

use super::*;

const PID: u32 = 700;
const OURS: u64 = 70;
const THEIRS: u64 = 90;
const STRANGER: u32 = 1_000;

/// A cluster whose `web1` runs, and what is known of its port.
struct Scene {
    desired: Desired,
    observed: Observed,
    busy: BTreeSet<Subject>,
    ports: Ports,
    web1: ProcessId,
    port: u16,
}

impl Scene {
    fn new(started_at: Option<Millis>) -> Self {
        let at = |port| ([127, 0, 0, 1], port).into();
        let addresses = Addresses {
            page: at(8600),
            names: Vec::new(),
            site: at(8080),
            db: at(3307),
            writer: at(3308),
            ports: (8610, 8699),
        };
        let desired = Desired::first(&addresses, |_| true).unwrap();
        let name = ServerName::parse("web1").unwrap();
        let port = desired.web.server(&name).unwrap().port;
        let web1 = ProcessId::Web(name);
        let mut observed = Observed::default();
        let leader = Leader { pid: PID, server: 3, generation: 0, frozen: false };
        let seen = observed.processes.entry(web1.clone()).or_default();
        (seen.leader, seen.started_at) = (Some(leader), started_at);
        Self { desired, observed, busy: BTreeSet::new(), ports: Ports::default(), web1, port }
    }

    fn questions(&self) -> Vec<Question> {
        self.ports.questions(&self.desired, &self.observed, &self.busy)
    }

    fn take(&mut self, found: Found) -> Port {
        self.ports.take(&self.desired, &mut self.observed, &self.busy, found.held);
        self.observed.process(&self.web1).port.clone()
    }

    /// A table in which this socket listens on `web1`'s port.
    #[expect(clippy::unnecessary_wraps, reason = "as the kernel answers")]
    fn table(&self, socket: Option<(u32, u64)>) -> io::Result<Listeners> {
        let address = ([127, 0, 0, 1], self.port).into();
        let all = socket.map(|(uid, inode)| Listener { address, uid, inode }).into_iter().collect();
        Ok(Listeners { all, cut: false })
    }

    /// One look while this socket listens.
    fn look(&mut self, socket: Option<(u32, u64)>) -> Port {
        let found = answer(self.questions(), || self.table(socket), only_ours);
        assert!(found.looked.is_ok());
        self.take(found)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as the kernel answers")]
fn only_ours(pid: u32, inode: u64) -> io::Result<bool> {
    Ok(pid == PID && inode == OURS)
}

fn exhausted<T>() -> io::Result<T> {
    Err(io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error()))
}

/// A process that an earlier Cordée started has no known start, and one that takes long to listen was started long
/// ago: both are looked at like any other.
#[test]
fn whatever_its_age_a_process_is_seen_to_listen() {
    for started_at in [None, Some(now()), Some(now() - HASTE_FOR - 1), Some(now() - 3_600_000)] {
        let mut scene = Scene::new(started_at);
        assert_eq!(scene.look(None), Port::Free, "{started_at:?}");
        assert_eq!(scene.look(None), Port::Free, "{started_at:?}");
        assert_eq!(scene.look(Some((0, OURS))), Port::Ours, "{started_at:?}");
        // A process that loses its port later is seen, too.
        assert_eq!(scene.look(Some((STRANGER, THEIRS))), Port::Foreign("uid 1000".to_owned()));
        assert_eq!(scene.look(Some((0, OURS))), Port::Ours, "{started_at:?}");
    }
}

#[test]
fn what_could_not_be_looked_at_is_known_as_soon_as_it_can() {
    let mut scene = Scene::new(None);
    // No file descriptor is left for the table.
    let found = answer(scene.questions(), exhausted, only_ours);
    assert!(found.looked.is_err(), "it is told");
    assert_eq!(scene.take(found), Port::Unknown);
    assert_eq!(scene.look(Some((0, OURS))), Port::Ours);
    // No file descriptor is left for the process's folder: a socket that is known already needs no look there.
    let found = answer(scene.questions(), || scene.table(Some((0, OURS))), |_, _| exhausted());
    assert!(found.looked.is_ok());
    assert_eq!(scene.take(found), Port::Ours);
    let found = answer(scene.questions(), || scene.table(Some((0, OURS + 1))), |_, _| exhausted());
    assert!(found.looked.is_err());
    assert_eq!(scene.take(found), Port::Unknown);
    // A table of which only a part was read.
    let part = || Ok(Listeners { all: Vec::new(), cut: true });
    let found = answer(scene.questions(), part, only_ours);
    assert_eq!(scene.take(found), Port::Unknown);
    assert_eq!(scene.look(Some((0, OURS))), Port::Ours);
}

#[test]
fn somebody_else_is_proven_by_two_looks_and_a_process_that_just_ended_proves_nothing() {
    let mut scene = Scene::new(None);
    let looks = Cell::new(0);
    let table = || {
        looks.set(looks.get() + 1);
        scene.table(if looks.get() == 1 { Some((STRANGER, THEIRS)) } else { None })
    };
    let found = answer(scene.questions(), table, only_ours);
    assert_eq!((looks.get(), scene.take(found)), (2, Port::Unknown));
    let table = || scene.table(Some((0, OURS)));
    let found = answer(scene.questions(), table, |_, _| Err(io::ErrorKind::NotFound.into()));
    assert!(found.looked.is_ok(), "an end is no trouble");
    assert_eq!(scene.take(found), Port::Unknown);
}

/// A database had the name and still holds the port while it ends: it is not another program, and nothing is
/// reported as such.
#[test]
fn what_still_ends_by_the_name_and_is_of_the_other_kind_is_no_stranger() {
    let mut scene = Scene::new(None);
    let asked = |scene: &Scene| scene.questions().iter().any(|question| question.id == scene.web1);
    assert!(asked(&scene));
    let web1 = scene.observed.processes.remove(&scene.web1).unwrap();
    let old = ProcessId::Database(scene.web1.server().unwrap().clone());
    scene.observed.processes.insert(old.clone(), web1.clone());
    assert!(!asked(&scene));
    let left = ProcessSeen { leader: None, orphans: vec![7], ..web1 };
    scene.observed.processes.insert(old.clone(), left);
    assert!(!asked(&scene));
    scene.observed.processes.insert(old, ProcessSeen { ended_at: Some(now()), ..ProcessSeen::default() });
    assert_eq!(scene.look(Some((STRANGER, THEIRS))), Port::Foreign("uid 1000".to_owned()), "once it is over");
}

#[test]
fn what_was_asked_before_a_process_came_or_went_says_nothing() {
    let changes: [fn(&mut Scene); 5] = [
        |scene| scene.busy = BTreeSet::from([Subject::Process(scene.web1.name())]),
        |scene| scene.observed.processes.get_mut(&scene.web1).unwrap().leader = None,
        |scene| scene.observed.processes.get_mut(&scene.web1).unwrap().leader.as_mut().unwrap().pid += 1,
        // The process was started and ended.
        |scene| scene.observed.processes.get_mut(&scene.web1).unwrap().ended_at = Some(now()),
        |scene| scene.desired.web.servers.iter_mut().for_each(|s| s.port += 40),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut scene = Scene::new(None);
        let found = answer(scene.questions(), || scene.table(Some((STRANGER, THEIRS))), only_ours);
        change(&mut scene);
        assert_eq!(scene.take(found), Port::Unknown, "{number}");
    }
    // What was found of a process does not count for its successor.
    let mut scene = Scene::new(None);
    assert_eq!(scene.look(Some((0, OURS))), Port::Ours);
    scene.observed.processes.get_mut(&scene.web1).unwrap().leader.as_mut().unwrap().pid += 1;
    assert_eq!(scene.look(Some((0, OURS))), Port::Foreign("uid 0".to_owned()));
}

/// The user is told at once, the program's name when it is found.
#[test]
fn a_name_is_looked_for_once_in_a_while() {
    let mut scene = Scene::new(None);
    let begun = Instant::now();
    assert_eq!(scene.ports.next_unnamed(begun), None);
    assert_eq!(scene.look(Some((STRANGER, THEIRS))), Port::Foreign("uid 1000".to_owned()));
    assert_eq!(scene.ports.next_unnamed(begun), Some((scene.web1.clone(), THEIRS)));
    assert_eq!(scene.ports.next_unnamed(begun), None, "it is being looked for");
    // Another socket each time is no reason to search more often.
    scene.look(Some((STRANGER, THEIRS + 1)));
    assert_eq!(scene.ports.next_unnamed(begun), None);
    let id = scene.web1.clone();
    let nc = Holder::Process { pid: 7, name: "nc".to_owned() };
    scene.ports.named(&mut scene.observed, &id, THEIRS, &nc);
    assert_eq!(
        scene.observed.process(&id).port,
        Port::Foreign("uid 1000".to_owned()),
        "it has another one by now"
    );
    assert_eq!(scene.ports.next_unnamed(begun + NAME_PAUSE), Some((id.clone(), THEIRS + 1)));
    scene.ports.named(&mut scene.observed, &id, THEIRS + 1, &nc);
    assert_eq!(scene.observed.process(&id).port, Port::Foreign("nc (pid 7)".to_owned()));
    assert_eq!(scene.look(Some((STRANGER, THEIRS + 1))), Port::Foreign("nc (pid 7)".to_owned()));
    assert_eq!(scene.ports.next_unnamed(begun + NAME_PAUSE * 3), None, "it is known");
    // A name that comes after the port is free again names nobody.
    scene.look(None);
    scene.ports.named(&mut scene.observed, &id, THEIRS + 1, &nc);
    assert_eq!(scene.observed.process(&id).port, Port::Free);
}

/// One look covers all servers: one that does not answer is not asked for ever, and no name waits for another.
#[test]
fn one_look_is_for_all_servers_of_ours() {
    let scene = Scene::new(None);
    let asked: Vec<String> = scene.questions().iter().map(|q| q.id.to_string()).collect();
    assert_eq!(asked, ["web1", "web2", "db1", "db2"]);
    let tables = Cell::new(0);
    let table = || {
        tables.set(tables.get() + 1);
        scene.table(None)
    };
    answer(scene.questions(), table, only_ours);
    assert_eq!(tables.get(), 1);
}
