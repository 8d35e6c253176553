//! The copy without Cordée: `mariabackup` into `mbstream`, and `--prepare`.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cordee_e2e::cluster::Cluster;

use crate::pace::Window;

const MARIABACKUP: &str = "/usr/bin/mariabackup";

/// How long a copy took, and when.
#[derive(Clone, Copy, Debug)]
pub struct Bare {
    /// Reading and writing.
    pub copy: Duration,
    /// Making it startable.
    pub prepare: Duration,
    /// Both.
    pub window: Window,
}

impl Bare {
    /// Both.
    pub fn total(&self) -> Duration {
        self.copy + self.prepare
    }
}

/// Copies a running database into an empty folder, which is gone afterwards.
pub fn copy(cluster: &Cluster, donor: &str) -> Bare {
    let folder = cluster.home().join("bench-copy");
    let (into, temporary) = (folder.join("data"), folder.join("tmp"));
    for each in [&into, &temporary] {
        std::fs::create_dir_all(each).expect("folder");
    }
    let options = folder.join("copy.cnf");
    let text = format!(
        "[mariabackup]\nuser=root\nsocket={}\ndatadir={}\n",
        cluster.home().join("run").join(donor).join("mariadb.sock").display(),
        cluster.home().join("servers").join(donor).join("data").display()
    );
    let mut file = std::fs::OpenOptions::new();
    let mut file = file.write(true).create_new(true).mode(0o600).open(&options).expect("options");
    file.write_all(text.as_bytes()).expect("options");

    let from = Instant::now();
    stream(&options, &into, &temporary, &folder.join("copy.log"));
    let copy = from.elapsed();
    let prepared = command(MARIABACKUP, &folder.join("copy.log"))
        .args(["--no-defaults", "--prepare"])
        .arg(format!("--target-dir={}", into.display()))
        .stdout(Stdio::null())
        .status()
        .expect(MARIABACKUP);
    assert!(prepared.success(), "--prepare: {prepared}, see {}", folder.display());
    let window = Window { from, to: Instant::now() };
    std::fs::remove_dir_all(&folder).expect("the copy is removed");
    Bare { copy, prepare: (window.to - from).saturating_sub(copy), window }
}

fn stream(options: &Path, into: &Path, temporary: &Path, log: &Path) {
    let mut reader = command(MARIABACKUP, log)
        // The first argument, or it is refused.
        .arg(format!("--defaults-file={}", options.display()))
        .args(["--backup", "--stream=xbstream"])
        .arg(format!("--target-dir={}", temporary.display()))
        .stdout(Stdio::piped())
        .spawn()
        .expect(MARIABACKUP);
    let pipe = reader.stdout.take().expect("a pipe");
    let written = command("/usr/bin/mbstream", log)
        .arg("-x")
        .arg("-C")
        .arg(into)
        .stdin(pipe)
        .status()
        .expect("/usr/bin/mbstream");
    let read = reader.wait().expect(MARIABACKUP);
    assert!(read.success() && written.success(), "{read}, {written}, see {}", log.display());
}

fn command(program: &str, log: &Path) -> Command {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("log");
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("TZ", "UTC").current_dir("/");
    command.stdin(Stdio::null()).stderr(log);
    command
}
