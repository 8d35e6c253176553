//! Commands of HAProxy's runtime API (management guide 2.6, section 9.3), and how to read their answers.
//!
//! `;` and a newline separate commands, so only parsed values are ever formatted into a command.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use crate::ids::{PoolId, ServerName};
use crate::sessions::{KEY, Mode};

use super::config::{backends, parameters};
use super::setting::WRITER_BACKEND;

/// A command, and the answer that means success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The line to send.
    pub line: String,
    /// The answer that means success.
    pub expect: Expect,
}

/// How to recognise success. HAProxy's answers are text, and a success is often empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The answer is empty.
    Empty,
    /// The answer contains this text.
    Contains(&'static str),
    /// The answer is empty, or one of the phrases with which `set server addr` reports what it changed.
    AddressReport,
}

impl Command {
    fn empty(line: String) -> Self {
        Self { line, expect: Expect::Empty }
    }

    /// Checks whether `answer` means success; otherwise returns the refusal in HAProxy's words.
    pub fn accepts(&self, answer: &str) -> bool {
        let answer = answer.trim();
        match self.expect {
            Expect::Empty => answer.is_empty(),
            Expect::Contains(text) => answer.contains(text),
            Expect::AddressReport => {
                answer.is_empty() || answer.contains("changed from") || answer.contains("no need to change")
            }
        }
    }
}

fn each(proxy: PoolId, line: impl Fn(&str) -> Command) -> Vec<Command> {
    backends(proxy).iter().map(|b| line(b)).collect()
}

/// Adds a server that gets no visitor yet.
///
/// With the placeholder address, HAProxy 2.6 computes the automatic cookie when the real address is set (if a server
/// is added with its real address, 2.6 sends an empty cookie). Weight 0 keeps visitors away until a check succeeds.
/// The server is added in maintenance, and stays there if it is to be `out`, because an older cookie may lead to its
/// address.
pub fn add(proxy: PoolId, name: &ServerName, id: u32, to: SocketAddr, out: bool) -> Vec<Command> {
    let mut all = Vec::new();
    for backend in backends(proxy) {
        let placeholder = match to.ip() {
            IpAddr::V4(_) => "127.0.0.9:1",
            IpAddr::V6(_) => "[::9]:1",
        };
        all.push(Command {
            line: format!("add server {backend}/{name} {placeholder} id {id} weight 0 {}", parameters(proxy)),
            expect: Expect::Contains("New server registered"),
        });
    }
    all.extend(set_address(proxy, name, to));
    all.extend(each(proxy, |b| Command::empty(format!("enable health {b}/{name}"))));
    if !out {
        all.extend(each(proxy, |b| Command::empty(format!("enable server {b}/{name}"))));
    }
    all
}

/// Makes HAProxy tell the web servers another session mode, from the next request on.
pub fn set_session(map: &Path, mode: Mode) -> Vec<Command> {
    vec![Command::empty(format!("set map {} {KEY} {}", map.display(), mode.as_str()))]
}

/// Changes a server's address and port.
pub fn set_address(proxy: PoolId, name: &ServerName, to: SocketAddr) -> Vec<Command> {
    each(proxy, |b| Command {
        line: format!("set server {b}/{name} addr {} port {}", to.ip(), to.port()),
        expect: Expect::AddressReport,
    })
}

/// The administrative states of a server in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In service.
    Ready,
    /// In service only for those who hold its cookie.
    Drain,
    /// Out of service, not checked.
    Maintenance,
}

/// Changes a server's administrative state. `writer` is the state in the backend that leads to the one writer.
pub fn set_state(proxy: PoolId, name: &ServerName, state: State, writer: State) -> Vec<Command> {
    let mut all = Vec::new();
    for backend in backends(proxy) {
        let state = if *backend == WRITER_BACKEND { writer } else { state };
        let word = match state {
            State::Ready => "ready",
            State::Drain => "drain",
            State::Maintenance => "maint",
        };
        if state != State::Maintenance {
            // If Cordée crashed after `add server`, the server's checks were never enabled. Enabling them twice is
            // harmless.
            all.push(Command::empty(format!("enable health {backend}/{name}")));
        }
        all.push(Command::empty(format!("set server {backend}/{name} state {word}")));
    }
    all
}

/// Changes a server's weight.
pub fn set_weight(proxy: PoolId, name: &ServerName, weight: u32) -> Vec<Command> {
    each(proxy, |b| Command::empty(format!("set server {b}/{name} weight {weight}")))
}

/// Changes a server's connection limit; 0 means no limit.
pub fn set_most(proxy: PoolId, name: &ServerName, most: u64) -> Vec<Command> {
    each(proxy, |b| Command::empty(format!("set maxconn server {b}/{name} {most}")))
}

/// Makes a listener accept connections, at most that many at once.
pub fn open_frontend(name: &str, most: u64, paused: bool) -> Vec<Command> {
    let mut all = vec![Command::empty(format!("set maxconn frontend {name} {most}"))];
    if paused {
        // HAProxy refuses this for a listener that is open.
        all.push(Command::empty(format!("enable frontend {name}")));
    }
    all
}

/// Removes the limits of the whole process that its file does not set.
pub fn lift_limits() -> Vec<Command> {
    let rates = ["connections", "sessions", "ssl-sessions"].map(|of| format!("set rate-limit {of} global 0"));
    // 0 restores the limit of the start (management guide 2.6, "set maxconn global").
    let most = std::iter::once("set maxconn global 0".to_owned());
    most.chain(rates).map(Command::empty).collect()
}

/// Deletes a server that is in maintenance and has no request left.
///
/// HAProxy 2.6 refuses for about 15 s while idle connections to it are pooled; going through `drain` back to
/// `maint` purges them at once.
pub fn delete(proxy: PoolId, name: &ServerName) -> Vec<Command> {
    let mut all = set_state(proxy, name, State::Drain, State::Drain);
    all.extend(set_state(proxy, name, State::Maintenance, State::Maintenance));
    all.extend(each(proxy, |b| Command {
        line: format!("del server {b}/{name}"),
        expect: Expect::Contains("Server deleted"),
    }));
    all
}

/// A worker as the master lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Process id.
    pub pid: u32,
    /// Whether it was replaced by a newer worker, and is finishing its last sessions.
    pub old: bool,
}

/// Parses the answer of the master's `show proc`: its failed reloads, and its workers.
pub fn parse_proc(answer: &str) -> Option<(u32, Vec<Worker>)> {
    let mut failed = None;
    let mut workers = Vec::new();
    let mut old = false;
    for line in answer.lines() {
        if line.starts_with("# old workers") {
            old = true;
        } else if line.starts_with("# programs") || line.starts_with("# workers") {
            old = false;
        }
        let mut words = line.split_whitespace();
        let Some(pid) = words.next().and_then(|w| w.parse::<u32>().ok()) else { continue };
        match words.next() {
            Some("master") => {
                failed = line
                    .split("[failed: ")
                    .nth(1)
                    .and_then(|rest| rest.split(']').next())
                    .and_then(|n| n.trim().parse().ok());
            }
            Some("worker") => workers.push(Worker { pid, old }),
            _ => {}
        }
    }
    failed.map(|f| (f, workers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_master_s_list() {
        let answer = "#<PID>          <type>          <reloads>       <uptime>        <version>\n\
            13404           master          3 [failed: 1]   0d00h00m02s     2.6.12-1+deb12u4\n\
            # workers\n13407           worker          0               0d00h00m02s     2.6.12-1+deb12u4\n\
            # old workers\n13400           worker          1               0d00h00m09s     2.6.12-1+deb12u4\n\
            # programs\n";
        let (failed, workers) = parse_proc(answer).expect("a list");
        assert_eq!(failed, 1);
        assert_eq!(workers, [Worker { pid: 13407, old: false }, Worker { pid: 13400, old: true }]);
        assert_eq!(parse_proc("Unknown command"), None);
    }

    #[test]
    fn an_unknown_answer_is_a_refusal() {
        let name = ServerName::parse("web3").expect("a name");
        let add = &add(PoolId::Web, &name, 7, "10.0.0.1:80".parse().expect("an address"), false)[0];
        assert!(add.accepts("New server registered.\n"));
        for refusal in [
            "'cookie' option is not accepted for dynamic server",
            "Already exists a server with the same name in backend 'web'.",
            "Backend must use a dynamic load balancing to support dynamic servers.",
            "",
        ] {
            assert!(!add.accepts(refusal), "{refusal}");
        }
    }
}
