//! An HAProxy of the benchmark's own, from a file, for the comparisons.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cordee_e2e::http::get;
use cordee_e2e::ports::local;
use cordee_e2e::wait;

const HAPROXY: &str = "/usr/sbin/haproxy";

/// It runs until it is dropped.
#[derive(Debug)]
pub struct OwnProxy {
    child: Child,
    socket: PathBuf,
    at: SocketAddr,
}

impl OwnProxy {
    /// Starts it, and waits until it answers on `port`. The text must bind that port and the socket of [`socket_in`].
    pub fn start(folder: &Path, name: &str, port: u16, text: &str) -> Self {
        let file = folder.join(format!("{name}.cfg"));
        std::fs::write(&file, text).expect("configuration");
        let log = std::fs::File::create(folder.join(format!("{name}.log"))).expect("log");
        let child = Command::new(HAPROXY)
            .args(["-db", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("log"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("{HAPROXY}: {e}"));
        let proxy = Self { child, socket: socket_in(folder, name), at: local(port) };
        wait::until(&format!("HAProxy {name} answers"), Duration::from_secs(10), || get(proxy.at, "/"));
        proxy
    }

    /// Where it answers.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// One command to the runtime socket, and its answer.
    pub fn ask(&self, command: &str) -> String {
        let mut stream = UnixStream::connect(&self.socket).expect("runtime socket");
        stream.write_all(format!("{command}\n").as_bytes()).expect(command);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect(command);
        answer.trim().to_owned()
    }
}

impl Drop for OwnProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the runtime socket of a proxy named so is.
pub fn socket_in(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.sock"))
}

/// A configuration that Cordée rendered, with another address, socket and no servers of its own.
pub fn rendered_elsewhere(text: &str, port: u16, socket: &Path) -> String {
    text.lines()
        .map(|line| match line.trim_start() {
            l if l.starts_with("bind ") => format!("    bind 127.0.0.1:{port}"),
            l if l.starts_with("stats socket ") => {
                format!("    stats socket {} mode 600 level admin", socket.display())
            }
            _ => line.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("\n")
        + "\n"
}
