//! Whatever surrounds the first start: it serves, or says within two seconds why it does not. Masks, limits, languages,
//! relative paths, folders that no file can name, copies; logs that are moved away; nothing left in /tmp. As root only:
//! it becomes another user.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cordee_e2e::case;
use cordee_e2e::cluster::{self, Cluster, Said};
use cordee_e2e::http;
use cordee_e2e::load::{Ask, Load};
use cordee_e2e::pair::Pair;
use cordee_e2e::procs::Process;
use cordee_e2e::suite::{self, File};
use cordee_e2e::wait;
use rustix::process::{Pid, Signal};

/// A refusal is said within this time.
const REFUSED: Duration = Duration::from_secs(2);
/// A start, on a machine that does other things too.
const STARTED: Duration = Duration::from_secs(120);
/// Logs are looked at every 20 s.
const REOPENED: Duration = Duration::from_secs(45);
const NOBODY: u32 = 65_534;

/// Its cases.
pub fn file() -> File {
    File::new(
        "surround",
        &[],
        &[
            case!(logs_that_were_moved_away_are_opened_anew),
            case!(a_folder_that_no_file_can_name_is_refused_at_once),
            case!(a_folder_that_the_programs_cannot_enter_is_refused_at_once),
            case!(a_copy_of_the_folder_is_refused_and_leaves_the_original_alone),
            case!(a_clone_with_a_blank_and_a_relative_home_under_a_narrow_mask_and_few_files),
            case!(a_first_start_under_any_mask_serves_and_keeps_its_secrets),
            case!(ctrl_c_leaves_no_half_a_cluster_and_no_other_s),
            case!(an_up_that_stayed_ends_with_its_run_and_stops_no_other),
            case!(what_runs_is_left_alone_by_one_that_cannot_replace_it),
            case!(nothing_is_deleted_unasked),
            case!(down_leaves_nothing_in_tmp),
        ],
    )
    .needs(suite::root)
}

// ---- commands

/// A command as a shell runs it after some of its own.
fn after(first: &str, command: &Command) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(format!("{first}; exec \"$0\" \"$@\""));
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

/// Runs what must be refused at once, in words that hold all of these.
#[track_caller]
fn refused(command: &mut Command, words: &[&str]) -> Said {
    let begun = Instant::now();
    let said = cluster::run(command, STARTED);
    let took = begun.elapsed();
    assert!(said.code > 0 && words.iter().all(|w| said.err.contains(w)), "{words:?}: {said:#?}");
    assert!(took <= REFUSED, "refused after {took:?}: {said:#?}");
    said
}

// ---- folders

fn a_folder_that_no_file_can_name_is_refused_at_once(_: &Cluster) {
    let cluster = Cluster::prepare("letters", &[]);
    for name in ["my home", "a#b", "a:b", "a%c", "a\"b", "~", "a;b", "a\tb", "a\u{301}"] {
        let home = cluster.home().join(name);
        let mut command = cluster.command(&["up", "--detach"]);
        refused(command.env("CORDEE_HOME", &home), &["CORDEE_HOME", "Nothing was started"]);
        // A relative one, from where one stands; and in French.
        command.current_dir(cluster.home()).env("CORDEE_HOME", name).env("LANG", "fr_FR.UTF-8");
        refused(&mut command, &["CORDEE_HOME", "Rien n’a été démarré"]);
        assert!(!home.exists(), "{name:?} was made");
    }
    let mut serve = cluster.command(&["serve"]);
    refused(serve.env("CORDEE_HOME", cluster.home().join("my home")), &["my home"]);
}

fn a_folder_that_the_programs_cannot_enter_is_refused_at_once(_: &Cluster) {
    let cluster = Cluster::prepare("closed", &[]);
    fs::set_permissions(cluster.home(), fs::Permissions::from_mode(0o700)).unwrap();
    let home = cluster.home().join("home");
    let mut command = cluster.command(&["up", "--detach"]);
    let said = refused(command.env("CORDEE_HOME", &home), &["cannot enter", "Nothing was started"]);
    assert!(said.err.contains(&cluster.home().display().to_string()), "{said:?}");
    assert!(cluster.processes().is_empty());
    fs::remove_dir_all(&home).unwrap();
}

/// A folder with everything in it, owners and modes too.
fn copy(from: &Path, to: &Path) {
    fs::remove_dir(to).unwrap();
    // A live cluster's temporary files may go while they are read.
    let _ = Command::new("/bin/cp").arg("-a").args([from, to]).output().expect("cp");
}

/// The relay logs of a cluster that its databases have listed.
fn relay_logs(home: &Path) -> BTreeSet<PathBuf> {
    let lists =
        ["db1", "db2"].iter().flat_map(|db| fs::read_dir(home.join("servers").join(db).join("relay")));
    let lists = lists.flatten().flatten().map(|entry| entry.path());
    lists
        .filter(|path| path.extension().is_some_and(|e| e == "index"))
        .flat_map(|list| fs::read_to_string(list).unwrap().lines().map(PathBuf::from).collect::<Vec<_>>())
        .collect()
}

fn a_copy_of_the_folder_is_refused_and_leaves_the_original_alone(original: &Cluster) {
    Pair::wait(original);
    // Ports of its own: nothing but the folder stands in its way.
    let other = Cluster::prepare("copied", &[]);
    copy(original.home(), other.home());
    let identity = || fs::read_to_string(other.home().join("cluster.json")).unwrap();
    let before = identity();
    let made = original.home().display().to_string();
    let leaders = original.leaders();
    for command in ["up", "serve", "keeper"] {
        let mut command = other.command(&[command]);
        let words: &[&str] = if command.get_args().any(|a| a == "keeper") { &[] } else { &[&made] };
        refused(&mut command, words);
    }
    let looked = other.cli(&["doctor"]);
    assert!(looked.code == 1 && looked.out.contains(&made), "{looked:#?}");
    // What is said to the copy is not said to the original.
    let asked = other.cli(&["stop", "db2", "--no-wait"]);
    assert_eq!(asked.code, 3, "{asked:#?}");
    let down = other.cli(&["down"]);
    assert_eq!(down.code, 0, "{down:#?}");
    assert_eq!(identity(), before, "a look took it over");
    refused(&mut other.command(&["up", "--detach"]), &[&made]);
    assert_eq!(original.leaders(), leaders, "the original's processes");
    let gone: Vec<PathBuf> = relay_logs(original.home()).into_iter().filter(|log| !log.exists()).collect();
    assert!(gone.is_empty(), "{gone:?}");
    original.settle();
}

// ---- first starts

/// The permission bits of what must be closed to everybody else, and what they are of, below a folder.
fn secrets(home: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        ["state.db", "state.db-wal", "visitors.db", "secrets.json", "logins.key", "setup-code", "roster"]
            .iter()
            .chain(&[
                "conf/web.cfg",
                "conf/db.cfg",
                "trash",
                "servers/web1/site.ini",
                "servers/web2/site.ini",
            ])
            .chain(&[
                "servers/db1/data",
                "servers/db2/data",
                "servers/web1/sessions",
                "servers/db1/log",
                "log",
            ])
            .map(|name| home.join(name))
            .collect();
    all.retain(|path| path.exists());
    all
}

#[track_caller]
fn closed(home: &Path, mask: &str) {
    let all = secrets(home);
    assert!(all.len() >= 14, "umask {mask}: {all:?}");
    for path in all {
        let meta = fs::metadata(&path).unwrap();
        // Folders of logs and sessions let their programs' group pass.
        let others = if meta.is_dir() { 0o007 } else { 0o077 };
        assert_eq!(meta.mode() & others, 0, "umask {mask}: {} is {:o}", path.display(), meta.mode());
    }
    let mut left = vec![home.to_owned()];
    while let Some(path) = left.pop() {
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        // What lies below one that nobody else enters is closed, whatever its mode.
        if meta.is_dir() && meta.mode() & 0o077 != 0 {
            left.extend(fs::read_dir(&path).unwrap().flatten().map(|entry| entry.path()));
        }
        let plain = meta.is_dir() || meta.is_file();
        assert!(!plain || meta.mode() & 0o022 == 0, "umask {mask}: {} is {:o}", path.display(), meta.mode());
    }
}

/// What `./up` needs of a clone, in a folder with a blank. Its `cargo` has the binary already.
struct Clone(PathBuf);

impl Clone {
    fn make(home: &Path) -> Self {
        let clone = home.with_extension("my clone");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        fs::create_dir_all(clone.join("target/release")).unwrap();
        for name in ["up", "packages.sh"] {
            fs::copy(root.join(name), clone.join(name)).unwrap();
        }
        let (built, here) = (cluster::binary(), "target/release/cordee");
        let cargo = format!("#!/bin/sh\n[ -e {here} ] || cp '{}' {here}\n", built.display());
        fs::write(clone.join("cargo"), cargo).unwrap();
        fs::set_permissions(clone.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
        Self(clone)
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Serves, with its secrets closed, after a start under that mask.
#[track_caller]
fn serves(cluster: &Cluster, said: &Said, mask: &str) {
    assert_eq!(said.code, 0, "umask {mask}: {said:#?}");
    cluster.settle();
    assert_eq!(http::get(cluster.site(), "/").unwrap().status, 200);
    closed(cluster.home(), mask);
}

fn a_clone_with_a_blank_and_a_relative_home_under_a_narrow_mask_and_few_files(_: &Cluster) {
    let mut cluster = Cluster::prepare("étroit", &[]);
    let clone = Clone::make(cluster.home());
    let above = cluster.home().parent().unwrap();
    let mut up = Command::new(Path::new(".").join(clone.0.file_name().unwrap()).join("up"));
    let given = cluster.command(&[]);
    let path = format!("{}:{}", clone.0.display(), std::env::var("PATH").unwrap());
    up.envs(given.get_envs().filter_map(|(name, value)| Some((name, value?))));
    up.envs([("PATH", path.as_str()), ("LANG", "C"), ("LC_ALL", "C")]).env_remove("CARGO_TARGET_DIR");
    up.env("CORDEE_HOME", cluster.home().file_name().unwrap()).arg("--detach");
    // The hard limit too: where root may raise it again, and where it may not.
    let few = "umask 077; ulimit -n 256";
    let raised =
        Command::new("/bin/sh").args(["-c", "ulimit -n 256; ulimit -n 4096"]).stderr(Stdio::null()).status();
    let first = if raised.unwrap().success() {
        few
    } else {
        refused(after(few, &up).current_dir(above), &["256", "1024", "Nothing was started"]);
        "umask 077; ulimit -n 1024"
    };
    let begun = Instant::now();
    let said = cluster::run(after(first, &up).current_dir(above), STARTED);
    println!("#   {first}: up after {:.1} s", begun.elapsed().as_secs_f64());
    serves(&cluster, &said, "077");
    // What was built is gone, as after `cargo clean`; what it started is not.
    fs::remove_file(clone.0.join("target/release/cordee")).unwrap();
    let mut down = after("umask 077", &up);
    let said = cluster::run(down.arg("--down").current_dir(above), STARTED);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(cluster.processes().is_empty(), "{:?}", cluster.processes());
    cluster.down().unwrap();
}

fn a_first_start_under_any_mask_serves_and_keeps_its_secrets(_: &Cluster) {
    for mask in ["027", "000"] {
        let mut cluster = Cluster::prepare(&format!("mask-{mask}"), &[]);
        // What whoever starts it has open is nobody else's: a descriptor of it goes to no program.
        let kept = cluster.home().with_extension("open");
        let first = format!("umask {mask}; exec 9>'{}' 3<&9", kept.display());
        let mut up = after(&first, &cluster.command(&["up", "--detach"]));
        let said = cluster::run(&mut up, STARTED);
        let holders: Vec<String> = cluster
            .processes()
            .iter()
            .filter(|p| open_files(p).contains(&kept))
            .map(Process::title)
            .collect();
        fs::remove_file(&kept).unwrap();
        assert!(holders.is_empty(), "{holders:#?}");
        serves(&cluster, &said, mask);
        cluster.down().unwrap();
    }
}

/// That neither signal is ignored.
const HEARD: &str = "--default-signal=INT,HUP";

/// `cordee up`, in the foreground; ended when dropped.
struct Foreground(Child);

impl Foreground {
    /// Whoever runs the tests may have signals ignored, as `nohup` does, and what is started inherits that.
    fn begin(cluster: &Cluster, signals: &str) -> Self {
        let first = format!("exec env {signals} \"$0\" \"$@\"");
        let mut up = after(&first, &cluster.command(&["up"]));
        Self(up.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("cordee"))
    }

    fn send(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).expect("a pid");
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Ctrl-C, or another signal. Gives the exit code and what it had said to whoever still reads.
    #[track_caller]
    fn interrupt(mut self, signal: Signal) -> (Option<i32>, String) {
        self.send(signal);
        let ended = || self.0.try_wait().map_err(|e| e.to_string())?.ok_or_else(|| "it runs".to_owned());
        let (status, _) = wait::until("`cordee up` has ended", STARTED, ended);
        let mut said = String::new();
        if let Some(mut pipe) = self.0.stdout.take() {
            pipe.read_to_string(&mut said).unwrap();
        }
        (status.code(), said)
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ctrl_c_leaves_no_half_a_cluster_and_no_other_s(running: &Cluster) {
    let cluster = Cluster::prepare("interrupted", &[]);
    for signal in [Signal::INT, Signal::HUP] {
        let mut up = Foreground::begin(&cluster, HEARD);
        if signal == Signal::HUP {
            // With the terminal goes whoever reads.
            drop(up.0.stdout.take());
        }
        wait::until("something runs", STARTED, || match cluster.processes().len() {
            0 | 1 => Err("not yet".to_owned()),
            _ => Ok(()),
        });
        let (code, said) = up.interrupt(signal);
        // It does not serve, for whoever waits for that.
        assert!(code == Some(1) && (said.contains("Stopped.") || signal == Signal::HUP), "{code:?}: {said}");
        assert!(cluster.processes().is_empty(), "{:?}", cluster.processes());
    }
    let idle = cluster.cli_ok(&["down"]);
    assert!(idle.contains("Nothing was running"), "{idle}");
    // What somebody had started before is theirs.
    running.settle();
    let before = running.leaders();
    let mut up = Foreground::begin(running, "--default-signal=INT --ignore-signal=HUP");
    let mut said = String::new();
    let mut lines = BufReader::new(up.0.stdout.take().expect("a pipe"));
    while !said.contains("ran before") {
        assert_ne!(lines.read_line(&mut said).unwrap(), 0, "{said}");
    }
    up.0.stdout = Some(lines.into_inner());
    up.send(Signal::HUP);
    wait::always("what ignores it goes on", Duration::from_secs(1), || match up.0.try_wait() {
        Ok(None) => Ok(()),
        ended => Err(format!("{ended:?}")),
    });
    let (code, said) = up.interrupt(Signal::INT);
    assert!(code == Some(0) && said.contains("runs on"), "{code:?}: {said}");
    assert_eq!(running.leaders(), before);
    running.settle();
}

/// Two terminals: what one began the other stops, and starts anew.
fn an_up_that_stayed_ends_with_its_run_and_stops_no_other(_: &Cluster) {
    let mut cluster = Cluster::prepare("two-terminals", &[]);
    for asleep in [false, true] {
        let mut up = Foreground::begin(&cluster, HEARD);
        let mut said = String::new();
        let mut lines = BufReader::new(up.0.stdout.take().expect("a pipe"));
        while !said.contains("Ctrl-C stops the cluster") {
            assert_ne!(lines.read_line(&mut said).unwrap(), 0, "{said}");
        }
        up.0.stdout = Some(lines.into_inner());
        if asleep {
            up.send(Signal::STOP);
        }
        cluster.cli_ok(&["down"]);
        if asleep {
            // It hears of the other run's Ctrl-C before it sees that its own is over.
            cluster.cli_ok(&["up", "--detach"]);
            let before = cluster.leaders();
            up.send(Signal::INT);
            let (code, said) = up.interrupt(Signal::CONT);
            assert!(code == Some(0) && said.contains("stopped by another command"), "{code:?}: {said}");
            assert_eq!(cluster.leaders(), before);
        } else {
            let ended = || up.0.try_wait().map_err(|e| e.to_string())?.ok_or_else(|| "it stays".to_owned());
            let (status, took) = wait::until("it ends with its run", Duration::from_secs(10), ended);
            println!("#   it ended {took:?} after the cluster");
            assert_eq!(status.code(), Some(0));
        }
    }
    cluster.down().unwrap();
}

/// A Cordée that is replaced on disk by one that cannot go on, or is told to listen where somebody else does.
fn what_runs_is_left_alone_by_one_that_cannot_replace_it(running: &Cluster) {
    running.settle();
    running.kill_cordee();
    let place = Cluster::prepare("replaced", &[]);
    let binary = place.home().join("cordee");
    fs::copy(cluster::binary(), &binary).unwrap();
    let mut earlier = running.command(&["up", "--detach"]);
    let mut up = Command::new(&binary);
    up.args(["up", "--detach"]).envs(earlier.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let said = cluster::run(&mut up, STARTED);
    assert_eq!(said.code, 0, "{said:#?}");
    fs::remove_file(&binary).unwrap();
    let before = running.leaders();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    refused(earlier.env("CORDEE_PAGE", taken.to_string()), &[&taken.to_string(), "taken"]);
    refused(earlier.env("CORDEE_PAGE", running.site().to_string()), &["are the same"]);
    assert_eq!(running.leaders(), before, "it was looked at first");
    drop(holder);
    let said = running.cli_ok(&["up", "--detach"]);
    assert!(said.contains("page is restarted"), "{said}");
    running.settle();
}

fn nothing_is_deleted_unasked(running: &Cluster) {
    let before = running.leaders();
    refused(&mut running.command(&["up", "--detach", "--reset"]), &["Nothing was changed", "--yes"]);
    assert_eq!(running.leaders(), before);
    assert!(running.home().join("state.db").exists());
}

/// What lies in /tmp and /run under a name of ours.
fn elsewhere() -> BTreeSet<PathBuf> {
    let all = ["/tmp", "/run"].iter().flat_map(fs::read_dir).flatten().flatten();
    let ours = all.filter(|entry| entry.file_name().to_string_lossy().starts_with("cordee-"));
    let nobodys = ours.filter(|entry| entry.metadata().is_ok_and(|m| m.uid() == NOBODY));
    nobodys.map(|entry| entry.path()).collect()
}

fn down_leaves_nothing_in_tmp(_: &Cluster) {
    let cluster = Cluster::prepare("a-folder-whose-path-is-too-long-for-any-socket-of-nobodys", &[]);
    chown(cluster.home(), Some(NOBODY), Some(NOBODY)).unwrap();
    // Where that user can read it.
    let binary = cluster.home().with_extension("bin");
    fs::copy(cluster::binary(), &binary).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let before = elsewhere();
    let nobody = |arguments: &[&str]| {
        let command = cluster.command(arguments);
        let mut theirs = Command::new(&binary);
        theirs.args(arguments).current_dir("/").uid(NOBODY).gid(NOBODY);
        theirs.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        cluster::run(&mut theirs, STARTED)
    };
    let up = nobody(&["up", "--detach"]);
    let made = elsewhere();
    let down = nobody(&["down"]);
    let looked = [nobody(&["down"]), nobody(&["status"]), nobody(&["doctor"])];
    let left = elsewhere();
    let processes = cluster.processes();
    let log = fs::read_to_string(cluster.home().join("log/cordee.log")).unwrap_or_default();
    fs::remove_file(&binary).unwrap();
    fs::remove_dir_all(cluster.home()).unwrap();
    assert_eq!((up.code, down.code), (0, 0), "{up:#?} {down:#?} {log}");
    assert_ne!(made, before, "its sockets lie in /tmp");
    assert!(processes.is_empty(), "{processes:?}");
    assert_eq!(left, before, "{looked:#?}");
}

// ---- logs

/// What a process holds open, by the names that it has now.
fn open_files(process: &Process) -> BTreeSet<PathBuf> {
    let all = fs::read_dir(format!("/proc/{}/fd", process.pid)).into_iter().flatten().flatten();
    all.filter_map(|entry| fs::read_link(entry.path()).ok()).collect()
}

fn logs_that_were_moved_away_are_opened_anew(cluster: &Cluster) {
    let pair = Pair::wait(cluster);
    let servers = cluster.home().join("servers");
    let (web, db) = (servers.join("web1/log"), servers.join(&pair.standby.name).join("log"));
    let own = cluster.home().join("log/cordee.log");
    let visitors = Load::new(cluster.site(), 4, Ask::Get("/")).think(5..20).start();
    let before = cluster.processes();
    let moved = [web.join("access.log"), web.join("error.log"), db.join("mariadb.log"), own];
    for log in &moved {
        fs::rename(log, log.with_extension("old")).unwrap();
    }
    // As if by a rotation that makes a new one: nobody's program writes to it.
    fs::write(web.join("error.log"), "").unwrap();
    fs::remove_file(web.join("php.log")).unwrap();
    let leaders = |program: &str| {
        let all = before.iter().filter(move |p| p.program == program && p.pid == p.group);
        all.cloned().collect::<Vec<_>>()
    };
    let serve = cluster.serve().expect("serve");
    let keeper = before.iter().find(|p| p.pid == serve.parent).expect("its keeper").clone();
    let writers = [
        (leaders("apache2"), &moved[0], 1),
        (leaders("apache2"), &moved[1], 1),
        (leaders("mariadbd"), &moved[2], 1),
        (vec![keeper, serve], &moved[3], 2),
    ];
    wait::until("all logs are open where they belong", REOPENED, || {
        for (processes, log, wanted) in &writers {
            let open = processes.iter().filter(|p| open_files(p).contains(*log)).count();
            if open != *wanted {
                return Err(format!("{} is open in {open} of {wanted}", log.display()));
            }
        }
        let lines = fs::read_to_string(&moved[0]).unwrap_or_default().lines().count();
        if lines > 10 { Ok(()) } else { Err(format!("{lines} lines")) }
    });
    assert!(web.join("php.log").exists());
    // Nobody of them had to be started anew, and no visitor noticed.
    for process in leaders("apache2").iter().chain(&leaders("mariadbd")) {
        assert!(process.lives(), "{}", process.title());
    }
    visitors.stop().assert_no_failure(100);
    let said = cluster.cli_ok(&["logs", "web1"]);
    assert!(said.contains("access.log"), "{said}");
    cluster.settle();
}
