//! Who owns what: the programs' users try with everything that they may, and nothing of anybody else's changes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use cordee_e2e::case;
use cordee_e2e::cluster::{self, Cluster};
use cordee_e2e::http::Client;
use cordee_e2e::suite::{File, root};
use cordee_e2e::wait;
use rustix::process::Signal;

/// Logs are looked at every 20 s.
const BOUNDED: Duration = Duration::from_secs(45);
/// A log is cut above this.
const LOG_MOST: usize = 8 << 20;
/// Acceptance: Cordée comes back after `kill -9`.
const BACK: Duration = Duration::from_secs(10);
const SECRET: &str = "CANARY-e4f1c07b9d";

/// Its cases.
pub fn file() -> File {
    File::new(
        "owners",
        &[],
        &[
            case!(each_user_may_write_what_is_its_own_and_nothing_else),
            case!(no_program_can_get_more_rights),
            case!(a_folder_that_somebody_else_may_write_is_no_home),
            case!(a_log_that_is_replaced_by_a_link_is_neither_followed_nor_shown),
            case!(logs_of_an_earlier_version_are_taken_over_while_they_are_written),
            case!(nothing_that_was_uploaded_is_executed),
            case!(traps_in_a_database_lead_no_copy_and_no_cleaning_astray),
            case!(traps_beside_a_socket_and_in_a_removed_server_lead_nowhere),
        ],
    )
    .needs(root)
}

// ---- users and canaries

/// One of the programs' users.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    pub(crate) fn find(name: &str) -> Self {
        let table = fs::read_to_string("/etc/passwd").unwrap();
        let line = table.lines().find(|l| l.starts_with(&format!("{name}:"))).expect(name);
        let fields: Vec<&str> = line.split(':').collect();
        Self { uid: fields[2].parse().unwrap(), gid: fields[3].parse().unwrap() }
    }

    /// Runs a program as this user, as one that was taken over would; whether it succeeded, and what it said.
    fn run(self, program: &str, arguments: &[&str], input: Stdio) -> (bool, String) {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .uid(self.uid)
            .gid(self.gid)
            .current_dir("/")
            .stdin(input)
            .stderr(Stdio::null());
        let output = command.output().expect(program);
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    pub(crate) fn tries(self, program: &str, arguments: &[&str]) -> bool {
        self.run(program, arguments, Stdio::null()).0
    }

    /// Puts a link there, by force.
    fn links(self, to: &Path, at: &Path) -> bool {
        self.tries("/bin/ln", &["-sfn", text(to), text(at)])
    }

    /// Files and folders under a folder that it may write.
    fn writable(self, under: &Path) -> Vec<PathBuf> {
        let tests = [text(under), "-writable", "!", "-type", "l"];
        let (_, said) = self.run("/usr/bin/find", &tests, Stdio::null());
        said.lines().map(|l| Path::new(l).strip_prefix(under).unwrap().to_owned()).collect()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Files of root's outside every program's folders, and the cluster's own secrets: what they were must stay.
pub(crate) struct Canaries {
    folder: PathBuf,
    all: Vec<PathBuf>,
    before: Vec<(u32, u32, u32, u64, Vec<u8>)>,
}

impl Canaries {
    pub(crate) fn new(cluster: &Cluster) -> Self {
        let folder = cluster.home().with_extension("canaries");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("inner")).unwrap();
        // In the place of a log, of a position and of a folder of data.
        let names = ["canary", "inner/error.log", "inner/error.log.1", "inner/xtrabackup_binlog_info"];
        for name in names {
            fs::write(folder.join(name), format!("{SECRET} {SECRET} {SECRET}\n").repeat(300)).unwrap();
            fs::set_permissions(folder.join(name), Permissions::from_mode(0o600)).unwrap();
        }
        let mut all: Vec<PathBuf> = names.iter().map(|n| folder.join(n)).collect();
        all.extend([folder.clone(), folder.join("inner")]);
        all.extend(["secrets.json", "cluster.json"].map(|n| cluster.home().join(n)));
        let before = all.iter().map(|p| seen(p)).collect();
        Self { folder, all, before }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn file(&self) -> PathBuf {
        self.folder.join("canary")
    }

    fn inner(&self) -> PathBuf {
        self.folder.join("inner")
    }

    #[track_caller]
    pub(crate) fn unchanged(&self) {
        for (path, before) in self.all.iter().zip(&self.before) {
            assert!(seen(path) == *before, "{} was changed", path.display());
        }
    }
}

impl Drop for Canaries {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn seen(path: &Path) -> (u32, u32, u32, u64, Vec<u8>) {
    let meta = fs::symlink_metadata(path).unwrap();
    let bytes = if meta.is_dir() { Vec::new() } else { fs::read(path).unwrap() };
    (meta.mode(), meta.uid(), meta.gid(), if meta.is_dir() { 0 } else { meta.nlink() }, bytes)
}

fn server(cluster: &Cluster, name: &str) -> PathBuf {
    cluster.home().join("servers").join(name)
}

/// Everything that can be asked of a server's logs.
fn shown(cluster: &Cluster, pool: &str, name: &str) -> String {
    let answer = cluster.api().get(&format!("/v1/pools/{pool}/servers/{name}/logs?lines=1000"));
    let page = cluster.signed_in().get(&format!("/pools/{pool}/servers/{name}/logs")).unwrap().text();
    format!("{answer}{page}")
}

#[track_caller]
fn no_secret(cluster: &Cluster, said: &str) {
    let secrets = fs::read_to_string(cluster.home().join("secrets.json")).unwrap();
    let words = secrets.split('"').filter(|w| w.len() > 30);
    for word in words.chain([SECRET]) {
        assert!(!said.contains(word), "a secret was shown");
    }
}

/// What a user may write, relative to `CORDEE_HOME`: SECURITY.md says the same. A file of its own has a draft for a
/// moment.
pub(crate) fn may_write(user: &str, path: &Path) -> bool {
    let parts: Vec<String> = path.iter().map(|p| p.to_string_lossy().into_owned()).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (user, parts.as_slice()) {
        // The database's socket asks for a password.
        (_, ["run", _, "mariadb.sock"]) | ("haproxy", ["conf", _]) => true,
        ("www-data", ["servers", web, rest @ ..]) if web.starts_with("web") => {
            let own = ["access.log", "error.log", "php.log"];
            matches!(rest, ["run" | "tmp" | "sessions", ..] | ["site.ini" | "site.new"])
                || matches!(rest, ["log", log] if own.contains(log))
        }
        ("mysql", ["servers", db, rest @ ..]) if db.starts_with("db") => {
            matches!(rest, ["data" | "tmp" | "binlog" | "relay", ..] | ["log", "mariadb.log"])
        }
        ("mysql", ["run", db, ..]) => db.starts_with("db"),
        ("haproxy", ["run", proxy, ..]) => proxy.starts_with("haproxy-"),
        _ => false,
    }
}

// ---- cases

fn each_user_may_write_what_is_its_own_and_nothing_else(cluster: &Cluster) {
    let run = cluster.home().join("run");
    assert!(run.is_dir(), "the folders of sockets are looked at too");
    for (user, least) in [("www-data", 8), ("mysql", 8), ("haproxy", 4), ("nobody", 0)] {
        let all = User::find(user).writable(cluster.home());
        let wrong: Vec<&PathBuf> = all.iter().filter(|path| !may_write(user, path)).collect();
        assert!(wrong.is_empty(), "{user} may write {wrong:?}");
        assert!(all.len() >= least, "{user}: {all:?}");
    }
}

fn no_program_can_get_more_rights(cluster: &Cluster) {
    let all = cluster.processes();
    assert!(all.len() > 8, "{all:?}");
    for process in all {
        let status = fs::read_to_string(format!("/proc/{}/status", process.pid)).unwrap_or_default();
        if !process.lives() {
            continue;
        }
        assert!(status.contains("NoNewPrivs:\t1\n"), "{} could get more", process.title());
        let root = status.contains("Uid:\t0\t");
        assert_eq!(root, process.program.starts_with("cordee"), "{}", process.title());
    }
}

fn a_folder_that_somebody_else_may_write_is_no_home(cluster: &Cluster) {
    let nobody = User::find("nobody");
    let above = cluster.home().with_extension("above");
    let home = above.join("home");
    fs::create_dir_all(&home).unwrap();
    let refused = |why: &str| {
        let said = cluster::run(cluster.command(&["serve"]).env("CORDEE_HOME", &home), BACK);
        assert!(said.code != 0 && said.err.contains("belongs to another user"), "{why}: {said:?}");
        assert_eq!(fs::read_dir(&home).unwrap().count(), 0, "{why}: something was written there");
    };
    let modes = |own: u32, up: u32| {
        fs::set_permissions(&home, Permissions::from_mode(own)).unwrap();
        fs::set_permissions(&above, Permissions::from_mode(up)).unwrap();
    };
    modes(0o777, 0o755);
    refused("everybody may write there");
    modes(0o755, 0o777);
    refused("everybody may put another one there");
    modes(0o755, 0o755);
    for folder in [&home, &above] {
        chown(folder, Some(nobody.uid), None).unwrap();
        refused("nobody's");
        chown(folder, Some(0), None).unwrap();
    }
    fs::remove_dir_all(above).unwrap();
}

/// As whoever took a web server over: every file in its logs' place by a link, a hard link or a folder.
fn traps(user: User, log: &Path, canaries: &Canaries) {
    for name in ["error.log.1", "access.log.1", "php.log", "evil.log", "error.log"] {
        user.links(&canaries.file(), &log.join(name));
        user.tries("/bin/ln", &["-f", text(&canaries.file()), text(&log.join(name))]);
    }
    user.links(&canaries.inner(), log);
    user.tries("/bin/mv", &["-T", text(log), text(&log.with_extension("old"))]);
    user.links(&canaries.inner(), log);
    user.tries("/usr/bin/mkfifo", &[text(&log.join("fifo.log"))]);
}

fn a_log_that_is_replaced_by_a_link_is_neither_followed_nor_shown(cluster: &Cluster) {
    let canaries = Canaries::new(cluster);
    let apache = User::find("www-data");
    let log = server(cluster, "web2").join("log");
    apache.links(&canaries.file(), &log.join("error.log.1"));
    // It may let its log grow.
    let big = canaries.folder.join("big");
    fs::write(&big, vec![b'x'; LOG_MOST + 4_096]).unwrap();
    let grown = apache.run(
        "/usr/bin/tee",
        &["-a", text(&log.join("error.log"))],
        fs::File::open(&big).unwrap().into(),
    );
    assert!(grown.0, "its log is its own");
    let size = |name: &str| fs::symlink_metadata(log.join(name)).map_or(0, |m| m.len());
    wait::until_true("the log is cut", BOUNDED, || size("error.log") < 4_096);
    canaries.unchanged();
    assert!(size("error.log.1") > 4 << 20, "its older half is kept");
    for target in [cluster.home().join("secrets.json"), canaries.file()] {
        apache.links(&target, &log.join("error.log"));
        apache.links(&target, &log.join("other.log"));
        no_secret(cluster, &shown(cluster, "web", "web2"));
    }
    traps(apache, &log, &canaries);
    no_secret(cluster, &shown(cluster, "web", "web2"));
    let api = cluster.api();
    api.act("/v1/clean?apply=true");
    api.act("/v1/pools/web/servers/web2/restart");
    cluster.settle();
    no_secret(cluster, &shown(cluster, "web", "web2"));
    canaries.unchanged();
}

fn logs_of_an_earlier_version_are_taken_over_while_they_are_written(cluster: &Cluster) {
    let canaries = Canaries::new(cluster);
    for (name, user) in [("web1", "www-data"), ("db2", "mysql")] {
        let user = User::find(user);
        let log = server(cluster, name).join("log");
        // As the version before had it, and as one would use it who waits for the upgrade.
        chown(&log, Some(user.uid), Some(user.gid)).unwrap();
        traps(user, &log, &canaries);
        assert!(user.links(&canaries.file(), &log.join("evil.log")));
    }
    let serve = cluster.serve().expect("serve");
    cluster.signal(serve.pid, Signal::KILL);
    wait::until_true("Cordée is back", BACK, || {
        cluster.serve().is_some_and(|s| s.pid != serve.pid) && cluster.api().try_snapshot().is_ok()
    });
    for name in ["web1", "db2"] {
        let log = server(cluster, name).join("log");
        let meta = fs::symlink_metadata(&log).unwrap();
        assert_eq!((meta.uid(), meta.mode() & 0o777), (0, 0o750), "{}", log.display());
        for entry in fs::read_dir(&log).unwrap().flatten() {
            let meta = entry.metadata().unwrap();
            assert!(meta.is_file() && meta.nlink() == 1, "{}", entry.path().display());
        }
    }
    let apache = User::find("www-data");
    assert!(apache.tries("/usr/bin/tee", &["-a", text(&server(cluster, "web1").join("log/php.log"))]));
    no_secret(cluster, &shown(cluster, "web", "web1"));
    no_secret(cluster, &shown(cluster, "db", "db2"));
    cluster.settle();
    canaries.unchanged();
    // What came back writes where it is read.
    let path = "/there-is-no-such-page-e2e";
    let _ = Client::new(cluster.site()).get(path).unwrap();
    wait::until_true("the request is logged", BACK, || {
        ["web1", "web2"].iter().any(|w| shown(cluster, "web", w).contains(path))
    });
}

fn nothing_that_was_uploaded_is_executed(cluster: &Cluster) {
    let apache = User::find("www-data");
    let home = server(cluster, "web1");
    assert_eq!(
        apache.writable(&home.join("site")),
        Vec::<PathBuf>::new(),
        "the site is not its server's to write"
    );
    let proof = home.join("tmp/executed");
    let code = format!("<?php file_put_contents('{}', 'x'); echo 'ran-', 6 * 7;", text(&proof));
    let source = home.with_extension("php");
    fs::write(&source, code).unwrap();
    fs::set_permissions(&source, Permissions::from_mode(0o644)).unwrap();
    let mut folders: Vec<PathBuf> =
        apache.writable(&home).into_iter().map(|p| home.join(p)).filter(|p| p.is_dir()).collect();
    assert!(folders.len() >= 3, "{folders:?}");
    folders.extend(["", "site", "site/public", "log"].map(|f| home.join(f)));
    let mut put = 0;
    for folder in &folders {
        for name in ["x.php", "index.php", "x.php.jpg", ".user.ini", ".htaccess", "sess_x.php"] {
            put += usize::from(apache.tries("/bin/cp", &[text(&source), text(&folder.join(name))]));
        }
        apache.links(&folder.join("x.php"), &home.join("site/public/x.php"));
    }
    assert!(put >= 18, "{put} files");
    for folder in [
        "",
        "tmp/",
        "sessions/",
        "run/",
        "../tmp/",
        "..%2ftmp/",
        "%2e%2e/tmp/",
        "site/../../tmp/",
        "index.php/../../tmp/",
    ] {
        for name in ["x.php", "x.php.jpg", "sess_x.php", "x.php/index.php"] {
            let port = cluster.api().snapshot().server("web1").port;
            for to in [cluster.site(), ([127, 0, 0, 1], port).into()] {
                let said =
                    Client::new(to).get(&format!("/{folder}{name}")).map(|a| a.text()).unwrap_or_default();
                assert!(!said.contains("ran-42") && !said.contains("<?php"), "/{folder}{name}: {said}");
            }
        }
    }
    assert!(!proof.exists(), "it was executed");
    fs::remove_file(source).unwrap();
}

fn traps_in_a_database_lead_no_copy_and_no_cleaning_astray(cluster: &Cluster) {
    let canaries = Canaries::new(cluster);
    let mysql = User::find("mysql");
    let api = cluster.api();
    let standby =
        api.snapshot().servers.iter().find(|s| s.pool == "db" && s.name != "db1").unwrap().name.clone();
    let home = server(cluster, &standby);
    for own in ["data", "tmp", "relay"] {
        mysql.links(&canaries.inner(), &home.join(own).join("out"));
        mysql.links(&canaries.file(), &home.join(own).join("ib_logfile9"));
        mysql.links(
            &canaries.inner().join("xtrabackup_binlog_info"),
            &home.join(own).join("xtrabackup_binlog_info"),
        );
        mysql.tries("/usr/bin/mkfifo", &[text(&home.join(own).join("fifo"))]);
    }
    for own in ["data", "data.new", "log", "position", "id", "my.cnf", "accounts.sql"] {
        assert!(!mysql.links(&canaries.file(), &home.join(own).with_extension("old")), "{own}");
        mysql.links(&canaries.inner(), &home.join(own));
        mysql.tries("/bin/mv", &[text(&home.join(own)), text(&home.join("moved"))]);
    }
    // Deeper than a program has descriptors.
    assert!(
        mysql.tries("/bin/mkdir", &["-p", &format!("{}{}", text(&home.join("tmp")), "/d".repeat(1_900))])
    );
    api.act(&format!("/v1/pools/db/servers/{standby}/recopy?force=true"));
    cluster.settle();
    canaries.unchanged();
    no_secret(cluster, &shown(cluster, "db", &standby));
    let position = fs::read_to_string(home.join("position")).unwrap_or_default();
    assert!(!position.contains(SECRET), "{position}");
    assert!(
        api.act("/v1/clean")["items"].as_array().is_some_and(|i| !i.is_empty()),
        "the folder lies in the trash"
    );
    api.act("/v1/clean?apply=true");
    assert_eq!(api.act("/v1/clean")["items"], serde_json::json!([]));
    canaries.unchanged();
}

fn traps_beside_a_socket_and_in_a_removed_server_lead_nowhere(cluster: &Cluster) {
    let canaries = Canaries::new(cluster);
    let (haproxy, apache) = (User::find("haproxy"), User::find("www-data"));
    let api = cluster.api();
    let run = cluster.home().join("run");
    for proxy in ["haproxy-web", "haproxy-db"] {
        let own = run.join(proxy);
        assert!(haproxy.links(&canaries.file(), &own.join("old.sock")));
        assert!(haproxy.links(&canaries.inner(), &own.join("folder")));
        haproxy.tries("/usr/bin/mkfifo", &[text(&own.join("fifo"))]);
        haproxy.tries("/bin/mv", &["-T", text(&own), text(&run.join("moved"))]);
        haproxy.links(&canaries.inner(), &own);
        haproxy.links(&canaries.file(), &cluster.home().join("conf/web.cfg"));
        haproxy.links(&canaries.file(), &cluster.home().join("conf/web.new"));
    }
    assert!(api.post("/v1/pools/web/servers", &serde_json::json!({ "name": "canary", "start": true })).ok());
    cluster.settle();
    let home = server(cluster, "canary");
    for own in ["tmp", "sessions", "run"] {
        assert!(apache.links(&canaries.inner(), &home.join(own).join("out")));
        assert!(apache.links(&canaries.file(), &home.join(own).join("sess_file")));
        apache.tries("/bin/mv", &["-T", text(&home.join(own)), text(&home.join("moved"))]);
        apache.links(&canaries.inner(), &home.join(own));
        apache.links(&canaries.inner(), &home.join("moved"));
    }
    // A folder in the place of a file that is removed at each start.
    apache.tries("/bin/rm", &["-f", text(&home.join("run/apache.pid"))]);
    assert!(apache.tries("/bin/mkdir", &["-p", text(&home.join("run/apache.pid/full"))]));
    api.act("/v1/pools/web/servers/canary/restart");
    cluster.settle();
    traps(apache, &home.join("log"), &canaries);
    api.delete("/v1/pools/web/servers/canary");
    api.wait_until_gone("canary", Duration::from_secs(20));
    wait::until_true("its folder is in the trash", BACK, || !home.exists());
    api.act("/v1/clean?apply=true");
    assert_eq!(api.act("/v1/clean")["items"], serde_json::json!([]));
    symlink(canaries.inner(), cluster.home().join("trash/link")).unwrap();
    api.act("/v1/clean?apply=true");
    assert!(fs::symlink_metadata(cluster.home().join("trash/link")).is_err());
    cluster.settle();
    canaries.unchanged();
}
