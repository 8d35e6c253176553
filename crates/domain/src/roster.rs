//! Recognises the processes of the cluster. What a process says about itself proves nothing, because anybody can make
//! a process say anything. What counts is a record that was stored before the process was started.
//!
//! A record is stored before the fork, together with a random word that nobody else knows. The process carries the
//! word, and the record is then bound to it by process id, start time and boot. From then on the word alone proves
//! nothing.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::ids::{PoolId, ProcessId, ProcessName, ServerName};

/// The record of one start of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The name in the process's mark.
    pub name: String,
    /// The program, by the path that the kernel shows.
    pub program: String,
    /// The user it runs as.
    pub uid: u32,
    /// Whether it leads a process group of its own. The members of that group then belong to the cluster too.
    pub leads: bool,
    /// The process; absent between storing the record and the fork.
    pub bound: Option<Bound>,
}

impl Record {
    /// Returns what the processes of this start are, or `None` for Cordée's own. `lies` tells what the folder with a
    /// server's name belongs to.
    ///
    /// Neither the mark nor the name in the record says what kind of server it is. The wish does not either, because
    /// the name may belong to a server of the other kind by now. The program tells the kind. Every Cordée that has a
    /// roster stores the program's path before the start. This is the program that was *started*: since then an
    /// upgrade may have replaced or removed its file, its link in `/proc` may be unreadable for Cordée, and the
    /// orphans of a dead leader may run another program. If the program's path leads to a file with another name, the
    /// folder tells the kind: it stays with the process until the process has ended. If the folder is gone too, the
    /// process is taken for a database: it runs all the same, holds the name, and gets a database's time to end.
    pub fn who(&self, lies: impl FnOnce(&ServerName) -> Option<PoolId>) -> Option<ProcessId> {
        Some(match ProcessName::parse(&self.name)? {
            ProcessName::Proxy(pool) => ProcessId::Proxy(pool),
            ProcessName::Server(name) => {
                let pool = serves(&self.program).or_else(|| lies(&name)).unwrap_or(PoolId::Db);
                ProcessId::of(pool, name)
            }
        })
    }
}

/// Returns the pool that a program serves, by its file name.
fn serves(program: &str) -> Option<PoolId> {
    match Path::new(program).file_name()?.to_str()? {
        "apache2" => Some(PoolId::Web),
        "mariadbd" => Some(PoolId::Db),
        _ => None,
    }
}

/// The identity of one process. No two processes ever have the same three values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The process id.
    pub pid: u32,
    /// When it was started, in the kernel's ticks since the boot.
    pub started: u64,
    /// The kernel's id of this boot.
    pub boot: String,
}

/// A process that carries the cluster's mark, as the kernel shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The process id.
    pub pid: u32,
    /// The process group.
    pub group: u32,
    /// When it was started.
    pub started: u64,
    /// The user it runs as; absent if its real, effective and saved user differ.
    pub uid: Option<u32>,
    /// The program that it runs. A program whose file was replaced since still counts as the same one.
    pub program: String,
    /// The name in its mark.
    pub name: String,
    /// The word in its mark; empty in a mark of a version that had none.
    pub word: String,
}

/// The result of looking at all processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The ids of the cluster's processes, each with the word of its record.
    pub ours: BTreeMap<u32, String>,
    /// The words whose record has to be bound now: the process was started, and the Cordée that started it ended
    /// before it bound the record.
    pub bind: BTreeMap<String, Bound>,
    /// The words for which no process is left.
    pub spent: Vec<String>,
}

/// Recognises the cluster's processes. `records` are listed by their word. A record that was taken over from a version
/// without words has a word that no mark carries, see [`taken_over`].
pub fn recognise(records: &BTreeMap<String, Record>, seen: &[Marked], boot: &str) -> Known {
    let mut known = Known::default();
    for (word, record) in records {
        let fits: Vec<&Marked> =
            seen.iter().filter(|p| carries(p, word, record) && p.uid == Some(record.uid)).collect();
        let bound = match &record.bound {
            Some(bound) => Some(bound.clone()),
            None => first(&fits, record, boot),
        };
        let Some(bound) = bound.filter(|b| b.boot == boot) else {
            known.spent.push(word.clone());
            continue;
        };
        let ours: Vec<u32> =
            fits.iter().filter(|p| belongs(p, record, &bound, seen)).map(|p| p.pid).collect();
        if ours.is_empty() {
            known.spent.push(word.clone());
        } else if record.bound.is_none() {
            known.bind.insert(word.clone(), bound);
        }
        known.ours.extend(ours.into_iter().map(|pid| (pid, word.clone())));
    }
    known
}

/// Returns the word of a record that was taken over. It has a form that no random word has, so no mark can carry it.
pub fn taken_over(pid: u32) -> String {
    format!("{TAKEN_OVER}{pid}")
}

const TAKEN_OVER: &str = "without-";

fn carries(process: &Marked, word: &str, record: &Record) -> bool {
    let said = if word.starts_with(TAKEN_OVER) { "" } else { word };
    process.word == said && process.name == record.name
}

/// Returns the process for which an unbound record was made: the first one that carries the word, because whoever
/// copies the word comes later. If the leader of a group is already gone, the identity is that of the leader.
fn first(fits: &[&Marked], record: &Record, boot: &str) -> Option<Bound> {
    let oldest = fits.iter().filter(|p| p.program == record.program).min_by_key(|p| (p.started, p.pid))?;
    let pid = if record.leads { oldest.group } else { oldest.pid };
    Some(Bound { pid, started: oldest.started, boot: boot.to_owned() })
}

/// Whether a process is the one of the record, or a member of the group that it leads or led.
fn belongs(process: &Marked, record: &Record, bound: &Bound, seen: &[Marked]) -> bool {
    let is_it = |p: &Marked| p.pid == bound.pid && p.started == bound.started;
    if process.pid == bound.pid {
        return is_it(process) && process.program == record.program;
    }
    let replaced = seen.iter().any(|p| p.pid == bound.pid && !is_it(p));
    record.leads && process.group == bound.pid && process.started >= bound.started && !replaced
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOOT: &str = "boot";
    const MYSQL: u32 = 105;
    const NOBODY: u32 = 65_534;

    fn record(bound: Option<(u32, u64)>) -> Record {
        Record {
            name: "db1".to_owned(),
            program: "/usr/sbin/mariadbd".to_owned(),
            uid: MYSQL,
            leads: true,
            bound: bound.map(|(pid, started)| Bound { pid, started, boot: BOOT.to_owned() }),
        }
    }

    fn process(pid: u32, started: u64) -> Marked {
        Marked {
            pid,
            group: pid,
            started,
            uid: Some(MYSQL),
            program: "/usr/sbin/mariadbd".to_owned(),
            name: "db1".to_owned(),
            word: "word".to_owned(),
        }
    }

    impl Known {
        fn pids(&self) -> Vec<u32> {
            self.ours.keys().copied().collect()
        }
    }

    fn known(record: Record, seen: &[Marked]) -> Known {
        recognise(&BTreeMap::from([("word".to_owned(), record)]), seen, BOOT)
    }

    #[test]
    fn what_a_forged_mark_lacks_gives_it_away() {
        let real = process(7, 100);
        for (what, forged) in [
            ("another user", Marked { uid: Some(NOBODY), ..process(8, 50) }),
            ("two users in one", Marked { uid: None, ..process(8, 50) }),
            ("another program", Marked { program: "/usr/bin/sleep".to_owned(), ..process(8, 50) }),
            ("no word", Marked { word: String::new(), ..process(8, 50) }),
            ("a guessed word", Marked { word: "guess".to_owned(), ..process(8, 50) }),
            ("another name", Marked { name: "haproxy-web".to_owned(), ..process(8, 50) }),
            ("the very word, copied", process(8, 200)),
        ] {
            for bound in [Some((7, 100)), None] {
                let seen = known(record(bound), &[forged.clone(), real.clone()]);
                assert_eq!(seen.pids(), [7], "{what}, bound: {bound:?}");
            }
        }
    }

    #[test]
    fn a_number_that_somebody_else_has_by_now_is_not_it() {
        let seen = known(record(Some((7, 100))), &[process(7, 900)]);
        assert_eq!((seen.pids(), seen.spent.len()), (vec![], 1));
        let member = Marked { group: 7, ..process(8, 901) };
        assert_eq!(known(record(Some((7, 100))), &[process(7, 900), member]).pids(), [0; 0]);
        let mut before = record(Some((7, 100)));
        before.bound.as_mut().unwrap().boot = "the boot before".to_owned();
        assert_eq!(known(before, &[process(7, 100)]).pids(), [0; 0]);
    }

    #[test]
    fn a_crash_between_fork_and_record_is_made_good_once() {
        let seen = known(record(None), &[process(7, 100)]);
        let bound = Bound { pid: 7, started: 100, boot: BOOT.to_owned() };
        assert_eq!((seen.pids().as_slice(), seen.bind.get("word")), ([7].as_slice(), Some(&bound)));
        let later = Record { bound: Some(bound), ..record(None) };
        assert_eq!(known(later, &[process(8, 101)]).pids(), [0; 0], "never again");
    }

    #[test]
    fn what_a_dead_leader_left_is_known_by_its_group() {
        let left = |bound| known(bound, &[Marked { group: 7, ..process(9, 120) }]);
        assert_eq!(left(record(Some((7, 100)))).pids(), [9]);
        let unbound = left(record(None));
        assert_eq!((unbound.pids(), unbound.bind["word"].pid), (vec![9], 7));
        // A program that the process has run is ended with it.
        let child = Marked { group: 7, program: "/usr/bin/sleep".to_owned(), ..process(9, 120) };
        assert_eq!(known(record(Some((7, 100))), &[child]).pids(), [9]);
        let elsewhere = Marked { group: 9, ..process(9, 120) };
        assert_eq!(known(record(Some((7, 100))), &[elsewhere]).pids(), [0; 0]);
    }

    #[test]
    fn one_without_a_group_of_its_own_has_no_members() {
        let serve = Record { leads: false, ..record(Some((7, 100))) };
        let seen = [Marked { group: 3, ..process(7, 100) }, Marked { group: 7, ..process(8, 120) }];
        assert_eq!(known(serve, &seen).pids(), [7]);
    }

    #[test]
    fn a_process_of_a_version_without_words_is_known_by_its_number() {
        let records = BTreeMap::from([(taken_over(7), record(Some((7, 100))))]);
        let old = |pid, started| Marked { word: String::new(), ..process(pid, started) };
        let seen = recognise(&records, &[old(7, 100), old(8, 120), process(7, 100)], BOOT);
        assert_eq!(seen.pids(), [7]);
        let named = Marked { word: taken_over(7), ..process(8, 90) };
        assert_eq!(recognise(&records, &[named], BOOT).pids(), [0; 0]);
    }

    /// Records as version 0.1.0 wrote them.
    fn older(name: &str, program: &str) -> Record {
        let bound = r#"{"pid":7,"started":100,"boot":"boot"}"#;
        let start = format!(r#""name":"{name}","program":"{program}","uid":105,"leads":true"#);
        serde_json::from_str(&format!(r#"{{{start},"bound":{bound}}}"#)).unwrap()
    }

    #[test]
    fn what_a_process_is_says_the_program_that_was_started_and_not_its_name() {
        let never = |_: &ServerName| -> Option<PoolId> { panic!("the program says it") };
        let name = |name| ServerName::parse(name).unwrap();
        for server in ["web1", "db1", "x"] {
            let web = older(server, "/usr/sbin/apache2").who(never);
            assert_eq!(web, Some(ProcessId::Web(name(server))));
            let database = older(server, "/usr/sbin/mariadbd").who(never);
            assert_eq!(database, Some(ProcessId::Database(name(server))));
        }
        // Only a HAProxy instance can have this name.
        let proxy = older("haproxy-db", "/usr/sbin/haproxy").who(never);
        assert_eq!(proxy, Some(ProcessId::Proxy(PoolId::Db)));
        for own in ["keeper", "serve"] {
            assert_eq!(older(own, "/usr/bin/cordee").who(never), None);
        }
    }

    #[test]
    fn of_a_program_by_another_name_the_folder_says_it_and_one_without_is_still_there() {
        let x = ServerName::parse("x").unwrap();
        let odd = older("x", "/opt/httpd-2.4/bin/httpd");
        assert_eq!(odd.who(|_| Some(PoolId::Web)), Some(ProcessId::Web(x.clone())));
        assert_eq!(odd.who(|_| Some(PoolId::Db)), Some(ProcessId::Database(x.clone())));
        assert_eq!(odd.who(|_| None), Some(ProcessId::Database(x)));
    }

    /// A name was reused: both starts are recorded, and each process is recognised by its own record.
    #[test]
    fn two_bearers_of_one_name_are_each_what_they_were_started_as() {
        let web = Record { uid: 33, ..older("x", "/usr/sbin/apache2") };
        let bound = Some(Bound { pid: 8, started: 120, boot: BOOT.to_owned() });
        let database = Record { bound, ..older("x", "/usr/sbin/mariadbd") };
        let records = BTreeMap::from([("first".to_owned(), web), ("second".to_owned(), database)]);
        let of =
            |process: Marked, word: &str| Marked { name: "x".to_owned(), word: word.to_owned(), ..process };
        let apache = Marked { program: "/usr/sbin/apache2".to_owned(), uid: Some(33), ..process(7, 100) };
        let seen = [of(apache, "first"), of(process(8, 120), "second")];
        let known = recognise(&records, &seen, BOOT);
        let who = |pid: u32| records[&known.ours[&pid]].who(|_| None);
        let x = || ServerName::parse("x").unwrap();
        assert_eq!((who(7), who(8)), (Some(ProcessId::Web(x())), Some(ProcessId::Database(x()))));
    }

    fn any_process() -> impl Strategy<Value = Marked> {
        let word = prop_oneof![Just(""), Just("word"), Just("other")];
        let (pid, group) = (1_u32..6, 1_u32..6);
        let uid = prop_oneof![Just(None), Just(Some(MYSQL)), Just(Some(NOBODY))];
        (pid, group, 0_u64..4, uid, any::<bool>(), word).prop_map(
            |(pid, group, started, uid, right, word)| {
                let program = if right { "/usr/sbin/mariadbd" } else { "/usr/bin/sleep" };
                let (program, word) = (program.to_owned(), word.to_owned());
                Marked { group, uid, program, word, ..process(pid, started) }
            },
        )
    }

    proptest! {
        /// No process of another user, without the word, or older than the start is ever recognised, and no other
        /// leader once the record is bound.
        #[test]
        fn nothing_foreign_is_ever_taken_in(
            seen in proptest::collection::vec(any_process(), 0..8),
            bound in proptest::option::of((1_u32..6, 0_u64..4)),
        ) {
            let mut seen = seen;
            seen.sort_by_key(|p| p.pid);
            seen.dedup_by_key(|p| p.pid);
            let said = known(record(bound), &seen);
            for process in seen.iter().filter(|p| said.ours.contains_key(&p.pid)) {
                prop_assert_eq!(process.uid, Some(MYSQL));
                prop_assert_eq!(process.word.as_str(), "word");
                if let Some((pid, started)) = bound {
                    prop_assert!(process.started >= started);
                    prop_assert!(process.pid == pid || process.group == pid);
                    prop_assert!(process.pid != pid || process.started == started);
                }
            }
            // A process that is bound now is recognised again, and as the same one.
            if let Some(now) = said.bind.get("word") {
                let again = known(Record { bound: Some(now.clone()), ..record(None) }, &seen);
                prop_assert_eq!(again.ours, said.ours);
            }
        }
    }
}
