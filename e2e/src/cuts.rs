//! A network of the test's own, in which single directions can be cut.
//!
//! The whole cluster lives in one network namespace, on its loopback. A packet filter there knows a connection by who
//! opened it and to which port: MariaDB to a database's port is a channel, HAProxy to one is the way of the
//! applications. Cordée itself reaches its own databases through unix sockets, which no filter cuts, and those that are
//! not its own over TCP as root.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::cluster::Cluster;

const UNSHARE: &str = "/usr/bin/unshare";
const IP: &str = "/usr/sbin/ip";
const NFT: &str = "/usr/sbin/nft";
/// Says that this process is in its own namespace already.
const INSIDE: &str = "E2E_OWN_NETWORK";

/// Goes on in a network namespace of its own, which ends with the last process in it.
pub fn enter() -> Result<(), &'static str> {
    if std::env::var_os(INSIDE).is_some() {
        let up = Command::new(IP).args(["link", "set", "lo", "up"]).status().expect(IP);
        assert!(up.success(), "the loopback of the namespace");
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() {
        return Err("only root can make a network of its own");
    }
    let program = std::env::current_exe().expect("this program");
    let failed = Command::new(UNSHARE)
        .args(["--net", "--"])
        .arg(program)
        .args(std::env::args_os().skip(1))
        .env(INSIDE, "1")
        .exec();
    panic!("{UNSHARE}: {failed}");
}

/// A direction of packets between two processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// What the first database says to the second, over the channels of both.
    Forth,
    /// What the second database says to the first.
    Back,
    /// What HAProxy and the first database say to each other.
    Proxy,
    /// What Cordée and the first database say to each other over TCP: only one that is not ours is reached so.
    Cordee,
}

/// The filter of one cluster. Dropped, it lets everything through.
#[derive(Debug)]
pub struct Network {
    ports: [u16; 2],
}

impl Network {
    /// Marks the connections between the databases on these ports, and of HAProxy's to the first; cuts nothing yet.
    #[track_caller]
    pub fn new(cluster: &Cluster, first: &str, second: &str) -> Self {
        let snapshot = cluster.api().snapshot();
        let port = |name: &str| snapshot.find(name).expect("a database").port;
        let network = Self { ports: [port(first), port(second)] };
        network.cut(&[]);
        network
    }

    /// Cuts these ways, and no others.
    #[track_caller]
    pub fn cut(&self, ways: &[Way]) {
        let [first, second] = self.ports;
        // Mark 1: anybody copies the first. Mark 2: anybody copies the second. Mark 3: HAProxy to the first. Mark 4:
        // Cordée (and the test itself) to the first.
        let mut rules = format!(
            "meta skuid mysql tcp dport {first} ct mark set 1\nmeta skuid mysql tcp dport {second} ct mark set 2\n\
             meta skuid haproxy tcp dport {first} ct mark set 3\n\
             meta skuid root tcp dport {first} ct mark set 4\n"
        );
        for way in ways {
            rules.push_str(match way {
                Way::Forth => "ct mark 1 ct direction reply drop\nct mark 2 ct direction original drop\n",
                Way::Back => "ct mark 1 ct direction original drop\nct mark 2 ct direction reply drop\n",
                Way::Proxy => "ct mark 3 drop\n",
                Way::Cordee => "ct mark 4 drop\n",
            });
        }
        // One transaction: no packet meets half of it.
        filter(&format!(
            "table inet e2e\ndelete table inet e2e\ntable inet e2e {{\nchain out {{\n\
             type filter hook output priority 0; policy accept;\n{rules}}}\n}}\n"
        ));
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        filter("table inet e2e\ndelete table inet e2e\n");
    }
}

fn filter(text: &str) {
    let mut child = Command::new(NFT)
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{NFT}: {e}; Debian's package is nftables"));
    child.stdin.take().expect("stdin").write_all(text.as_bytes()).expect(NFT);
    assert!(child.wait().expect(NFT).success(), "{NFT} refused: {text}");
}

/// Numbers that look random and are the same again for the same seed (xorshift).
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// By the seed that `E2E_SEED` names, or by the clock; it is printed.
    pub fn new() -> Self {
        let named = std::env::var("E2E_SEED").ok().and_then(|s| s.parse().ok());
        let clock = || std::time::UNIX_EPOCH.elapsed().map_or(1, |t| u64::from(t.subsec_nanos()) | 1);
        let seed = named.unwrap_or_else(clock);
        println!("#   seed: E2E_SEED={seed}");
        Self(seed.max(1))
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

impl Default for Dice {
    fn default() -> Self {
        Self::new()
    }
}
