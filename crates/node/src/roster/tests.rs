//! Processes that are recognised by their records, and processes that are not.

use std::process::{Child, Command};

use cordee_domain::ids::ServerName;

use super::*;

const SLEEP: &str = "/usr/bin/sleep";

/// Returns a roster of the test's own.
fn roster(name: &str) -> Roster {
    let folder = PathBuf::from(env!("OUT_DIR")).join(format!("roster-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let servers = folder.with_extension("servers");
    let _ = std::fs::remove_dir_all(&servers);
    Roster { folder, servers, cluster: format!("{name}{}", std::process::id()) }
}

fn enlisted(roster: &Roster) -> Start {
    let us = rustix::process::geteuid().as_raw();
    roster.enlist("web1", Serial { server: 3, generation: 2 }, Path::new(SLEEP), us, true).unwrap()
}

struct Sleeper(Child);

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sleeper(mark: &str) -> Sleeper {
    use std::os::unix::process::CommandExt as _;
    Sleeper(Command::new("/usr/bin/sleep").arg("60").env(MARK, mark).process_group(0).spawn().unwrap())
}

fn pids(roster: &Roster) -> Vec<u32> {
    roster.find().unwrap().iter().map(|p| p.pid).collect()
}

#[test]
fn a_process_is_ours_by_what_was_written_down() {
    let roster = roster("known");
    let start = enlisted(&roster);
    let mark = start.mark.clone();
    let real = sleeper(&mark);
    roster.bind(start, real.0.id()).unwrap();
    let _copy = sleeper(&mark);
    let _invented = sleeper(&format!("{}/web1/3.2/{}", roster.cluster, "0".repeat(32)));
    let _old = sleeper(&format!("{}/web1/3.2", roster.cluster));
    let found = roster.find().unwrap();
    assert_eq!(found.iter().map(|p| p.pid).collect::<Vec<_>>(), [real.0.id()]);
    assert_eq!((found[0].serial, found[0].group), (Serial { server: 3, generation: 2 }, real.0.id()));
    drop(real);
    assert_eq!(pids(&roster), [0; 0], "the copy does not take its place");
    // Records of starts that are over are removed when the name is started again.
    let _ = enlisted(&roster);
    assert_eq!(roster.records().unwrap().len(), 1);
}

#[test]
fn a_run_is_known_until_everything_was_stopped() {
    let roster = roster("run");
    assert_eq!(roster.run().expect("read"), None, "begun by a version without words");
    let word = roster.begin_run().expect("begun");
    assert_eq!(roster.run().expect("read").as_deref(), Some(word.as_str()));
    let start = enlisted(&roster);
    roster.strike(&start);
    assert_eq!(roster.run().expect("read").as_ref(), Some(&word), "whatever ends meanwhile");
    roster.clear().expect("cleared");
    assert_eq!(roster.run().expect("read"), None);
    assert_ne!(roster.begin_run().expect("begun again"), word, "another run has another word");
    roster.clear().expect("cleared");
}

#[test]
fn one_that_nobody_could_bind_is_found_once() {
    let roster = roster("crash");
    let start = enlisted(&roster);
    let first = sleeper(&start.mark);
    let _later = sleeper(&start.mark);
    assert_eq!(pids(&roster), [first.0.id()]);
    drop(first);
    assert_eq!(pids(&roster), [0; 0]);
}

/// Stands for a Cordée of an older version in the next test: the test's own program, which sleeps when it is asked
/// to.
#[test]
fn sleeps_when_asked() {
    if std::env::var_os("CORDEE_TEST_SLEEPS").is_some() {
        std::thread::sleep(std::time::Duration::from_secs(60));
    }
}

#[test]
fn what_an_older_version_left_is_taken_over_once() {
    let root = roster("older").folder;
    let id = Home::open(&root).unwrap().id;
    let file = root.join("cluster.json");
    let text = std::fs::read_to_string(&file).unwrap().replace("\"schema\": 2", "\"schema\": 1");
    std::fs::write(&file, text).unwrap();
    let older = |name: &str| {
        let mut command = Command::new(process::own_binary());
        command.args(["--exact", "roster::tests::sleeps_when_asked"]).env("CORDEE_TEST_SLEEPS", "1");
        command.stdout(std::process::Stdio::null()).env(MARK, format!("{id}/{name}/0.0"));
        Sleeper(command.spawn().unwrap())
    };
    let keeper = older("keeper");
    let _no_cordee = sleeper(&format!("{id}/keeper/0.0"));
    let _no_apache = sleeper(&format!("{id}/web1/1.0"));
    let users = Users { haproxy: None, apache: None, mariadb: None };
    let roster = Roster::open(&Home::open(&root).unwrap(), &users).unwrap();
    assert_eq!(pids(&roster), [keeper.0.id()]);
    let _too_late = older("serve");
    let again = Roster::open(&Home::open(&root).unwrap(), &users).unwrap();
    assert_eq!(pids(&again), [keeper.0.id()], "never again");
    Home::open(&root).unwrap().leave_nothing().unwrap();
}

/// A copy of this test's own program under another name, in a folder of its own.
struct Program(PathBuf);

impl Program {
    fn named(name: &str, of: &Roster) -> Self {
        let folder = of.folder.with_extension("programs");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        let _ = std::fs::remove_file(&path);
        std::fs::hard_link(process::own_binary(), &path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    /// Starts it as version 0.1.0 did: with that version's record file, and the matching mark.
    fn start(&self, of: &Roster, name: &str, word: &str) -> Sleeper {
        use std::os::unix::process::CommandExt as _;
        let us = rustix::process::geteuid().as_raw();
        let record = format!(
            r#"{{"name":"{name}","program":"{}","uid":{us},"leads":true,"bound":null}}"#,
            self.0.display()
        );
        std::fs::write(of.folder.join(word), record).unwrap();
        let mut command = Command::new(&self.0);
        command.args(["--exact", "roster::tests::sleeps_when_asked"]).env("CORDEE_TEST_SLEEPS", "1");
        command.stdout(std::process::Stdio::null()).process_group(0);
        Sleeper(command.env(MARK, format!("{}/{name}/3.2/{word}", of.cluster)).spawn().unwrap())
    }
}

fn ids(roster: &Roster) -> BTreeMap<u32, Option<ProcessId>> {
    roster.find().unwrap().into_iter().map(|p| (p.pid, p.id)).collect()
}

fn x() -> ServerName {
    ServerName::parse("x").unwrap()
}

#[test]
fn what_an_older_version_started_is_of_the_kind_of_its_program() {
    let roster = roster("kinds");
    // A name is reused: the old process is still ending, and the folder belongs to the other kind of server
    // already.
    let [mariadb, apache] = ["mariadbd", "apache2"].map(|name| Program::named(name, &roster));
    let database = mariadb.start(&roster, "x", "first");
    let web = apache.start(&roster, "x", "second");
    std::fs::create_dir_all(roster.servers.join("x/site")).unwrap();
    let [database, web] = [&database, &web].map(|sleeper| sleeper.0.id());
    let found =
        BTreeMap::from([(database, Some(ProcessId::Database(x()))), (web, Some(ProcessId::Web(x())))]);
    assert_eq!(ids(&roster), found);
    assert_eq!(roster.groups(&ProcessId::Database(x())).unwrap(), [database]);
    assert_eq!(roster.groups(&ProcessId::Web(x())).unwrap(), [web]);
    // An upgrade of the package removes the files or replaces them.
    std::fs::remove_file(&mariadb.0).unwrap();
    std::fs::remove_file(&apache.0).unwrap();
    std::fs::write(&apache.0, "another version").unwrap();
    let link = std::fs::read_link(format!("/proc/{database}/exe")).unwrap();
    assert!(link.to_string_lossy().ends_with("/mariadbd (deleted)"), "{link:?}");
    assert_eq!(ids(&roster), found);
}

#[test]
fn of_a_program_by_another_name_the_folder_says_what_it_is() {
    let roster = roster("odd");
    let odd = Program::named("odd", &roster).start(&roster, "x", "first");
    let seen = || ids(&roster).remove(&odd.0.id()).flatten();
    assert_eq!(seen(), Some(ProcessId::Database(x())), "it runs all the same");
    std::fs::create_dir_all(roster.servers.join("x/site")).unwrap();
    assert_eq!(seen(), Some(ProcessId::Web(x())));
    std::fs::write(roster.servers.join("x/my.cnf"), "").unwrap();
    assert_eq!(seen(), Some(ProcessId::Database(x())));
}

#[test]
fn what_cannot_be_read_is_not_nothing() {
    let roster = roster("unreadable");
    drop(enlisted(&roster));
    std::fs::write(roster.folder.join("abc"), "no record").unwrap();
    assert!(roster.find().is_err());
    assert_eq!(living::<()>(Err(io::Error::from(io::ErrorKind::NotFound))).unwrap(), None);
    for errno in [rustix::io::Errno::MFILE, rustix::io::Errno::ACCESS, rustix::io::Errno::NOMEM] {
        assert!(living::<()>(Err(errno.into())).is_err(), "{errno}");
    }
}

#[test]
fn a_user_is_one_or_none() {
    assert_eq!(one_user("Name:\tx\nUid:\t33\t33\t33\t33\nGid:\t1\t1\t1\t1\n"), Some(33));
    // The ids of a set-user-id program.
    assert_eq!(one_user("Uid:\t65534\t0\t0\t0\n"), None);
    assert_eq!(one_user(""), None);
}

#[test]
fn a_mark_is_read_word_by_word() {
    let read = |value: &str| mark(format!("A=b\0{MARK}={value}\0").as_bytes(), "cafe");
    let serial = Serial { server: 1, generation: 0 };
    assert_eq!(read("cafe/db1/1.0/word"), Some(("db1".to_owned(), serial, "word".to_owned())));
    assert_eq!(read("cafe/db1/1.0"), Some(("db1".to_owned(), serial, String::new())));
    for other in ["cafe2/db1/1.0/w", "cafe/db1", "cafe/db1/1/w", "cafe/db1/1.0/w/w", "caf/db1/1.0"] {
        assert_eq!(read(other), None, "{other}");
    }
}
