//! When Cordée cannot look, cannot write down, or stands still: it says so, decides nothing that it could not keep, and
//! is right again by itself. A folder that is not whole is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::looks;
use cordee_e2e::pair::{Pair, server_id};
use cordee_e2e::person::Person;
use cordee_e2e::procs::{Frozen, Process};
use cordee_e2e::scarce::{Disk, Immutable, NoFiles};
use cordee_e2e::suite::{File, root};
use cordee_e2e::tables::Tables;
use cordee_e2e::turns::{servers, turns};
use cordee_e2e::wait;
use cordee_e2e::writers::{Running, Writers};
use rustix::process::Signal;

/// Acceptance: until the page says unknown, or the cause.
const SAID: Duration = Duration::from_secs(3);
/// Acceptance: until page and verdict are right after the cause is gone.
const RIGHT: Duration = Duration::from_secs(5);
/// Acceptance: until the databases are.
const WELL: Duration = Duration::from_secs(60);
/// Acceptance: how long the disk is full.
const FULL: Duration = Duration::from_secs(30);
/// Acceptance: until the command line says that nobody answers.
const ANSWERED: Duration = Duration::from_secs(10);
/// The keeper waits 10 s; then `serve` is back within a second or two.
const REPLACED: Duration = Duration::from_secs(16);
/// Two databases with their redo logs, and room to be nearly full of.
const DISK_MIB: u32 = 1_100;
const CLIENTS: u32 = 4;

/// Its cases.
pub fn file() -> File {
    File::new(
        "blind",
        &[],
        &[
            case!(the_doctor_finds_nothing_and_alters_nothing),
            case!(no_more_files_can_be_opened_while_the_writer_dies),
            case!(the_state_cannot_be_written_while_the_writer_dies),
            case!(the_disk_is_full_while_the_writer_dies),
            case!(a_frozen_serve_is_replaced_while_the_writer_dies),
            case!(what_stands_still_with_its_keeper_is_left_alone),
            case!(sockets_that_vanished_are_named_with_a_way_back),
            case!(what_is_lost_while_it_is_served_is_said),
            case!(what_lies_beside_the_servers_stops_nothing),
            case!(a_folder_that_is_not_whole_is_refused),
        ],
    )
    .needs(root)
}

/// A load on a pair, whose writer will die.
struct Trial<'a> {
    cluster: &'a Cluster,
    tables: Tables,
    load: Running,
    before: Pair,
    writer_id: u32,
}

impl<'a> Trial<'a> {
    #[track_caller]
    fn begin(cluster: &'a Cluster, case: &str) -> Self {
        cluster.settle();
        let before = Pair::wait(cluster);
        let tables = Tables::make(cluster, case, CLIENTS);
        let application = Db::new(cluster, &["--account", "app"]);
        let load = Writers::new(cluster.db(), application.dsn(), &tables).pace(50, 50).start();
        load.wait_for_more(50, Duration::from_secs(10));
        let writer_id = server_id(cluster, &before.writer.name);
        Self { cluster, tables, load, before, writer_id }
    }

    /// Kills the writer, and gives the instant just before.
    #[track_caller]
    fn kill_the_writer(&self) -> Instant {
        self.cluster.signal_group(self.before.writer.pid.expect("it runs"), Signal::KILL)
    }

    /// Everything that was acknowledged is on both, and who wrote did so one after the other.
    #[track_caller]
    fn end(self) {
        self.load.wait_for_more(50, WELL);
        let pair = Pair::wait(self.cluster);
        let report = self.load.stop();
        println!("#   {report}; epoch {} -> {}", self.before.epoch, pair.epoch);
        let wrote = servers(&turns(report.writes.iter()));
        let known = [self.writer_id, server_id(self.cluster, &self.before.standby.name)];
        assert!(wrote.len() <= 2 && wrote.first() == Some(&known[0]), "{wrote:?} of {known:?}");
        self.tables.verify(self.cluster, &report);
    }
}

/// The verdict that the open page shows: severity and words.
fn shown(person: &Person) -> Result<(String, String), String> {
    let severity = person.browser.try_script("return document.getElementById('verdict').dataset.st", &[])?;
    let words = person.browser.text("#verdict").ok_or("no verdict")?;
    Ok((severity.as_str().unwrap_or("").to_owned(), words))
}

/// Waits until the page says unknown, or one of these words.
#[track_caller]
fn said(person: &Person, words: &[&str]) {
    let ((severity, says), took) = wait::until("the page says unknown, or the cause", SAID, || {
        let (severity, says) = shown(person)?;
        let told = severity == "unknown" || words.iter().any(|w| says.contains(w));
        if severity != "good" && told { Ok((severity, says)) } else { Err(format!("{severity}: {says}")) }
    });
    println!("#   the page after {} ms: {severity}, {says}", took.as_millis());
}

/// Waits until nothing of it is said any more, on the page and by the API.
#[track_caller]
fn right_again(cluster: &Cluster, person: &Person, words: &[&str]) {
    let gone = |says: &str| !words.iter().any(|w| says.contains(w));
    let (says, took) = wait::until("page and API know again", RIGHT, || {
        let verdict = cluster.api().try_snapshot()?.verdict;
        let (severity, says) = shown(person)?;
        let fine = severity != "unknown" && verdict.severity != "unknown";
        let reason = verdict.reason.unwrap_or_default();
        if fine && gone(&says) && gone(&reason) { Ok(says) } else { Err(format!("{says}; {reason}")) }
    });
    println!("#   right after {} ms: {says}", took.as_millis());
}

#[track_caller]
fn all_is_well(cluster: &Cluster, since: Instant) {
    let rest = WELL.saturating_sub(since.elapsed());
    wait::until("everything is well", rest, || cluster.api().try_snapshot()?.settled());
    println!("#   all is well after {:.1} s", since.elapsed().as_secs_f64());
}

fn the_doctor_finds_nothing_and_alters_nothing(cluster: &Cluster) {
    cluster.settle();
    let listing = || -> Vec<PathBuf> {
        let mut all: Vec<_> = std::fs::read_dir(cluster.home()).unwrap().map(|e| e.unwrap().path()).collect();
        all.sort();
        all
    };
    let before = listing();
    let said = cluster.cli(&["doctor"]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.out.lines().count() > 10 && !said.out.contains('✗'), "{}", said.out);
    assert_eq!(listing(), before);
}

fn no_more_files_can_be_opened_while_the_writer_dies(cluster: &Cluster) {
    let person = Person::sign_in(cluster);
    let trial = Trial::begin(cluster, "files");
    let serve = cluster.serve().expect("serve");
    let words = ["limit of open files"];
    let none = NoFiles::of(serve.pid);
    trial.kill_the_writer();
    said(&person, &words);
    wait::always("it stays said, and serve lives", Duration::from_secs(8), || {
        let (severity, says) = shown(&person)?;
        if severity == "unknown" && serve.lives() { Ok(()) } else { Err(format!("{severity}: {says}")) }
    });
    drop(none);
    let since = Instant::now();
    right_again(cluster, &person, &words);
    all_is_well(cluster, since);
    assert!(serve.lives(), "nothing had to be started anew");
    trial.end();
}

fn the_state_cannot_be_written_while_the_writer_dies(cluster: &Cluster) {
    let person = Person::sign_in(cluster);
    let trial = Trial::begin(cluster, "state");
    let epoch = trial.before.epoch;
    let words = ["cannot write its state"];
    let files = ["state.db", "state.db-wal"].map(|name| cluster.home().join(name));
    let locked = Immutable::make(&files);
    trial.kill_the_writer();
    said(&person, &words);
    let refused = cluster.cli(&["drain", "web1"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(refused.err.contains("state file cannot be written"), "{}", refused.err);
    wait::always("nobody is elected", Duration::from_secs(8), || {
        let now = Pair::try_read(cluster)?;
        if now.epoch == epoch { Ok(()) } else { Err(format!("{now:?}")) }
    });
    let mut found = looks::findings(&person.browser, "the state cannot be written");
    person.go("/pools/web/servers/new");
    person.browser.click("main form [name=\"start\"][value=\"off\"]");
    person.fill_in(&[("name", "late"), ("address", "127.0.0.1"), ("port", "9")]);
    person.submit();
    // The page of the form has a heading too: what is waited for is the answer's page.
    wait::until("the answer is no form", SAID, || {
        if person.browser.sees("main form [name=\"name\"]") {
            Err(person.browser.text("main"))
        } else {
            Ok(())
        }
    });
    person.browser.wait_for("main h1", SAID);
    found.extend(looks::findings(&person.browser, "a form that cannot be kept"));
    looks::none(&found);
    person.go("/");
    let before = cluster.api().last_event();
    drop(locked);
    let since = Instant::now();
    right_again(cluster, &person, &words);
    all_is_well(cluster, since);
    let told = cluster.api().events_after(before);
    let died = told
        .iter()
        .find(|e| e.subject == trial.before.writer.name && e.severity.as_deref() == Some("critical"));
    assert!(died.is_some(), "what could not be written down then is written down now: {told:#?}");
    trial.end();
}

fn the_disk_is_full_while_the_writer_dies(_: &Cluster) {
    let cluster = Cluster::prepare("full", &[]);
    let disk = Disk::mount(cluster.home(), DISK_MIB);
    // Taken down before its disk is.
    let cluster = cluster;
    cluster.cli_ok(&["up", "--detach"]);
    let person = Person::sign_in(&cluster);
    let trial = Trial::begin(&cluster, "disk");
    let words = ["disk is full"];
    let filler = disk.fill();
    let full = Instant::now();
    said(&person, &words);
    trial.kill_the_writer();
    wait::always("it stays said", FULL.saturating_sub(full.elapsed()), || {
        let (severity, says) = shown(&person)?;
        if severity != "good" && says.contains(words[0]) {
            Ok(())
        } else {
            Err(format!("{severity}: {says}"))
        }
    });
    drop(filler);
    let since = Instant::now();
    right_again(&cluster, &person, &words);
    all_is_well(&cluster, since);
    trial.end();
    let mut cluster = cluster;
    let left = cluster.down();
    assert!(left.is_ok(), "{left:?}");
    drop((cluster, disk));
}

fn keeper_of(cluster: &Cluster, serve: &Process) -> Process {
    cluster.processes().into_iter().find(|p| p.pid == serve.parent).expect("serve's parent keeps it")
}

fn a_frozen_serve_is_replaced_while_the_writer_dies(cluster: &Cluster) {
    let trial = Trial::begin(cluster, "frozen");
    let serve = cluster.serve().expect("serve");
    let before = cluster.api().last_event();
    let frozen = Frozen::one(cluster.home(), serve.pid);
    trial.kill_the_writer();
    let asked = Instant::now();
    let said = cluster.cli(&["status"]);
    let took = asked.elapsed();
    println!("#   the command line after {:.1} s: {}", took.as_secs_f64(), said.err.trim());
    assert!(took <= ANSWERED, "{took:?}");
    assert_eq!(said.code, 3, "{said:#?}");
    assert!(said.err.contains("cordee serve does not answer"), "{}", said.err);
    let (now, _) = wait::until("the keeper starts another one", REPLACED, || match cluster.serve() {
        Some(now) if now.pid != serve.pid => Ok(now),
        other => Err(format!("{other:?}")),
    });
    let lived = frozen.at().elapsed();
    println!("#   another one after {:.1} s", lived.as_secs_f64());
    assert!(lived >= Duration::from_secs(9), "not before its time: {lived:?}");
    assert_eq!(now.parent, serve.parent);
    all_is_well(cluster, frozen.at() + Duration::from_secs(10));
    let told = cluster.api().events_after(before);
    assert!(told.iter().any(|e| e.text.contains("no sign of life")), "{told:#?}");
    trial.end();
}

fn what_stands_still_with_its_keeper_is_left_alone(cluster: &Cluster) {
    cluster.settle();
    let serve = cluster.serve().expect("serve");
    let keeper = keeper_of(cluster, &serve);
    let alone = Frozen::one(cluster.home(), keeper.pid);
    wait::always("serve goes on without it", Duration::from_secs(12), || {
        if serve.lives() { cluster.api().try_snapshot().map(drop) } else { Err("it was ended".to_owned()) }
    });
    let both = Frozen::one(cluster.home(), serve.pid);
    wait::always("both stand still", Duration::from_secs(12), || {
        if serve.lives() { Ok(()) } else { Err("it was ended") }
    });
    drop((both, alone));
    wait::always("neither is replaced", Duration::from_secs(4), || {
        if serve.lives() && keeper.lives() { Ok(()) } else { Err("one was replaced") }
    });
    cluster.settle();
}

fn sockets_that_vanished_are_named_with_a_way_back(cluster: &Cluster) {
    cluster.settle();
    let api = cluster.api();
    let before = api.last_event();
    std::fs::remove_dir_all(cluster.home().join("run")).expect("run");
    wait::until("the command line reaches Cordée again", RIGHT, || {
        let said = cluster.cli(&["status"]);
        // Not all is well, and something may not be known yet.
        if [0, 5, 7].contains(&said.code) { Ok(()) } else { Err(format!("{}: {}", said.code, said.err)) }
    });
    let lost = || -> Vec<u32> {
        let snapshot = api.snapshot();
        let proxies = snapshot.proxies.iter().map(|p| (p.pid, &p.status));
        let bases = snapshot.servers.iter().filter(|s| s.pool == "db").map(|s| (s.pid, &s.status));
        let gone = |reason: &Option<String>| reason.as_ref().is_some_and(|r| r.contains("kill "));
        proxies.chain(bases).filter(|(_, status)| gone(&status.reason)).filter_map(|(pid, _)| pid).collect()
    };
    let (pids, _) = wait::until("all four are named with a way back", Duration::from_secs(15), || {
        let pids = lost();
        if pids.len() == 4 { Ok(pids) } else { Err(pids) }
    });
    let status = cluster.cli(&["status"]);
    assert_eq!(status.code, 7, "what cannot be asked is not known: {status:#?}");
    let doctor = cluster.cli(&["doctor"]);
    assert_eq!(doctor.code, 1, "{doctor:#?}");
    for pid in &pids {
        assert!(doctor.out.contains(&format!("kill {pid}")), "{pid}: {}", doctor.out);
    }
    assert!(api.events_after(before).iter().any(|e| e.text.contains("was made anew")));
    for pid in pids {
        cluster.signal(pid, Signal::TERM);
    }
    all_is_well(cluster, Instant::now());
    assert_eq!(cluster.cli(&["doctor"]).code, 0);
}

/// What the next start would be refused for is said before there is one.
fn what_is_lost_while_it_is_served_is_said(cluster: &Cluster) {
    cluster.settle();
    let api = cluster.api();
    for name in ["secrets.json", "cluster.json", "logins.key"] {
        let (file, kept) = (cluster.home().join(name), cluster.home().join(format!("{name}.aside")));
        std::fs::rename(&file, &kept).expect("aside");
        let said = wait::until("it is said", Duration::from_secs(10), || {
            let said = cluster.cli(&["status"]);
            if said.out.contains(name) && said.out.contains("at risk") { Ok(said) } else { Err(said.out) }
        });
        assert!(said.0.out.contains("cordee doctor"), "{:#?}", said.0);
        assert!(!file.exists(), "{name} was made anew");
        std::fs::rename(&kept, &file).expect("back");
        all_is_well(cluster, Instant::now());
    }
    let before = api.last_event();
    let conf = cluster.home().join("conf");
    std::fs::rename(&conf, cluster.home().join("conf.aside")).expect("aside");
    wait::until("the folder and its files are there again", Duration::from_secs(20), || {
        let there = ["web.cfg", "db.cfg"].iter().all(|name| conf.join(name).exists());
        if there { Ok(()) } else { Err(std::fs::read_dir(&conf).map(Iterator::count)) }
    });
    assert!(api.events_after(before).iter().any(|e| e.text.contains("was made anew")));
    std::fs::remove_dir_all(cluster.home().join("conf.aside")).expect("gone");
    cluster.settle();
}

/// A file, a pipe or a channel beside the servers' folders is nobody's, at a start and afterwards.
fn what_lies_beside_the_servers_stops_nothing(cluster: &Cluster) {
    cluster.settle();
    let servers = cluster.home().join("servers");
    std::fs::write(servers.join("notes.txt"), "").expect("a file");
    std::fs::write(servers.join("web7"), "").expect("a file with a server's name");
    std::os::unix::fs::symlink("/etc", servers.join("web8")).expect("a link");
    std::os::unix::fs::symlink("/etc/passwd", servers.join("passwd")).expect("a link");
    let made = std::process::Command::new("/usr/bin/mkfifo").arg(servers.join("pipe")).status();
    assert!(made.is_ok_and(|made| made.success()));
    let _socket = std::os::unix::net::UnixListener::bind(servers.join("sock")).expect("a socket");
    cluster.settle();
    cluster.kill_cordee();
    cluster.cli_ok(&["up", "--detach"]);
    cluster.settle();
    assert_eq!(cluster.cli(&["doctor"]).code, 0);
    let log = std::fs::read_to_string(cluster.home().join("log/cordee.log")).unwrap_or_default();
    assert!(!log.contains("servers/etc/log") && !log.contains("servers/web8/log"), "a link is no server");
    let clean = cluster.cli_ok(&["clean"]);
    for name in ["notes.txt", "web7", "web8", "passwd", "pipe", "sock"] {
        assert!(clean.contains(&format!("servers/{name}")), "{clean}");
        std::fs::remove_file(servers.join(name)).expect("it was left alone");
    }
}

fn a_folder_that_is_not_whole_is_refused(cluster: &Cluster) {
    cluster.settle();
    let aside = |name: &str| (cluster.home().join(name), cluster.home().join(format!("{name}.aside")));
    cluster.kill_cordee();
    for name in ["secrets.json", "state.db", "logins.key", "cluster.json"] {
        let (file, kept) = aside(name);
        std::fs::rename(&file, &kept).expect("aside");
        for command in [&["up", "--detach"][..], &["serve"]] {
            let said = cluster.cli(command);
            assert_ne!(said.code, 0, "{name}: {said:#?}");
            assert!(said.err.contains(name), "{name}: {said:#?}");
        }
        let doctor = cluster.cli(&["doctor"]);
        assert!(doctor.code == 1 && doctor.out.contains(name), "{name}: {doctor:#?}");
        assert!(!file.exists(), "{name} was made anew");
        std::fs::rename(&kept, &file).expect("back");
    }
    for (name, text) in [("state.db", "garbage"), ("state.db", ""), ("secrets.json", "{")] {
        let (file, kept) = aside(name);
        std::fs::rename(&file, &kept).expect("aside");
        std::fs::write(&file, text).expect("damaged");
        let said = cluster.cli(&["up", "--detach"]);
        assert!(said.code != 0 && said.err.contains("is damaged"), "{name} {text:?}: {said:#?}");
        let french = cluster.cli_in("fr_FR.UTF-8", &["up", "--detach"]);
        assert!(french.err.contains("est endommagé"), "{french:#?}");
        std::fs::rename(&kept, &file).expect("back");
    }
    cluster.cli_ok(&["up", "--detach"]);
    cluster.settle();
}
