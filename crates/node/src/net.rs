//! Ports: whether one is free, and which process holds one that is not.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};

mod diag;

/// Reports whether an address can be bound. `SO_REUSEPORT` is not set: with it, a second HAProxy instance would
/// share the port without an error. `SO_REUSEADDR` only disregards connections that have ended.
pub fn free(address: SocketAddr) -> bool {
    try_free(address).unwrap_or(false)
}

/// Does the same; fails if it cannot be tried, which says nothing about the port.
pub fn try_free(address: SocketAddr) -> std::io::Result<bool> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    // Close-on-exec: a program that is started at this very moment would otherwise hold the port as long as it
    // runs.
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let _ = rustix::net::sockopt::set_socket_reuseaddr(&socket, true);
    Ok(bind(&socket, &address).is_ok() && rustix::net::listen(&socket, 1).is_ok())
}

/// What holds a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A process.
    Process {
        /// The process's id.
        pid: u32,
        /// Its command's name.
        name: String,
    },
    /// Only the socket's user is known.
    User(u32),
    /// Nothing is known.
    Unknown,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Process { pid, name } => write!(f, "{name} (pid {pid})"),
            Self::User(uid) => write!(f, "uid {uid}"),
            Self::Unknown => f.write_str("?"),
        }
    }
}

/// Returns the holder of a TCP port, from the kernel's tables and the open files of each process. It reads many of
/// them, so it is for callers for which waiting does no harm.
pub fn holder(port: u16) -> Holder {
    let Ok(listeners) = listeners(&BTreeSet::from([port])) else { return Holder::Unknown };
    let here = listeners.on_loopback(port).ok().flatten();
    match here.or_else(|| listeners.all.first().copied()) {
        Some(listener) => process_with(listener.inode).unwrap_or(Holder::User(listener.uid)),
        None => Holder::Unknown,
    }
}

/// How much is read to find a process. Any user of the machine may have as many processes and open files as the
/// machine allows.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    processes: usize,
    /// Per process: one process alone must not use up the limit of all.
    files: usize,
    time: Duration,
}

const BOUNDS: Bounds = Bounds { processes: 16_384, files: 8_192, time: Duration::from_millis(500) };

/// Returns the process that holds a socket; `None` if it was not found within bounds.
pub fn process_with(inode: u64) -> Option<Holder> {
    process_within(inode, BOUNDS)
}

fn process_within(inode: u64, bounds: Bounds) -> Option<Holder> {
    let begun = Instant::now();
    let wanted = format!("socket:[{inode}]");
    let pids = std::fs::read_dir("/proc").ok()?.flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    for pid in pids.take(bounds.processes) {
        for file in std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().take(bounds.files) {
            if begun.elapsed() >= bounds.time {
                return None;
            }
            let to = file.and_then(|file| std::fs::read_link(file.path()));
            if to.is_ok_and(|to| to.to_str() == Some(wanted.as_str())) {
                let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
                return Some(Holder::Process { pid, name: name.trim().to_owned() });
            }
        }
    }
    None
}

/// A listening socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The address on which it listens.
    pub address: SocketAddr,
    /// The socket's user.
    pub uid: u32,
    /// The socket's inode.
    pub inode: u64,
}

/// The listening sockets on some ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listeners {
    /// The sockets that were read.
    pub all: Vec<Listener>,
    /// Whether there were more sockets than are read.
    pub cut: bool,
}

/// The answer is unknown: there may be a socket that was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unread;

/// How many listening sockets of the machine are read from each table: that takes some tens of milliseconds. Any
/// user of the machine may have as many as the machine allows.
const MOST: usize = 65_536;

/// Returns the TCP sockets of this machine that listen on these ports. If netlink fails, the kernel's tables are
/// read.
pub fn listeners(ports: &BTreeSet<u16>) -> io::Result<Listeners> {
    diag::listeners(ports, MOST).or_else(|_| from_tables(ports))
}

/// Does the same from the kernel's tables. They list listening sockets first, so the connections, of which there
/// may be thousands, are not read.
fn from_tables(ports: &BTreeSet<u16>) -> io::Result<Listeners> {
    let mut found = Listeners::default();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        match File::open(table) {
            Ok(file) => found.read(BufReader::new(file), ports, MOST)?,
            // The kernel has no IPv6.
            Err(error) if error.kind() == io::ErrorKind::NotFound && table.ends_with('6') => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

impl Listeners {
    /// Adds the sockets of one of the kernel's tables.
    fn read(&mut self, table: impl BufRead, ports: &BTreeSet<u16>, most: usize) -> io::Result<()> {
        for (count, line) in table.lines().skip(1).enumerate() {
            let line = line?;
            let mut fields = line.split_ascii_whitespace().skip(1);
            let address = fields.next();
            if fields.nth(1) != Some(LISTEN) {
                break;
            }
            if count >= most {
                self.cut = true;
                break;
            }
            let mut read = || {
                let address = socket_address(address?)?;
                // Skips the queues, the timer and the retransmissions.
                let uid = fields.nth(3)?.parse().ok()?;
                Some(Listener { address, uid, inode: fields.nth(1)?.parse().ok()? })
            };
            let listener = read().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
            if ports.contains(&listener.address.port()) {
                self.all.push(listener);
            }
        }
        Ok(())
    }

    /// Returns the socket that receives connections to that port of 127.0.0.1: the most specific address wins.
    pub fn on_loopback(&self, port: u16) -> Result<Option<Listener>, Unread> {
        let order = |ip: IpAddr| match ip {
            IpAddr::V4(Ipv4Addr::LOCALHOST) => Some(EXACT),
            IpAddr::V6(ip) if ip.to_ipv4_mapped() == Some(Ipv4Addr::LOCALHOST) => Some(EXACT),
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Some(1),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Some(2),
            _ => None,
        };
        let here = self.all.iter().filter(|l| l.address.port() == port);
        match here.filter_map(|l| Some((order(l.address.ip())?, *l))).min_by_key(|(order, _)| *order) {
            Some((EXACT, listener)) => Ok(Some(listener)),
            _ if self.cut => Err(Unread),
            found => Ok(found.map(|(_, listener)| listener)),
        }
    }
}

/// The order of an address that no other address precedes.
const EXACT: u8 = 0;

/// `TCP_LISTEN` in the kernel's tables (proc(5)).
const LISTEN: &str = "0A";

/// Parses `0100007F:21A2`: the words of the address in the machine's byte order, then the port.
fn socket_address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words: Option<Vec<[u8; 4]>> = (0..ip.len() / 8)
        .map(|n| u32::from_str_radix(ip.get(n * 8..n * 8 + 8)?, 16).ok().map(u32::to_ne_bytes))
        .collect();
    let ip = match words?.concat().as_slice() {
        bytes @ [_, _, _, _] => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        bytes => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
    };
    Some(SocketAddr::new(ip, port))
}

/// Reports whether a process holds that socket.
pub fn holds(pid: u32, inode: u64) -> io::Result<bool> {
    let wanted = format!("socket:[{inode}]");
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd"))? {
        match std::fs::read_link(entry?.path()) {
            Ok(to) if to.to_str() == Some(wanted.as_str()) => return Ok(true),
            Ok(_) => {}
            // The file was closed meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const HEAD: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    /// Returns a line as the kernel writes it.
    fn line(address: &str, state: &str, uid: u32, inode: u64) -> String {
        format!(
            "   0: {address} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  {uid}        0 {inode} 1 0\n"
        )
    }

    fn read(text: &str, port: u16, most: usize) -> Listeners {
        let mut found = Listeners::default();
        found.read(text.as_bytes(), &BTreeSet::from([port]), most).expect("a table");
        found
    }

    #[test]
    fn who_listens_is_seen_and_whose_socket_it_is() {
        let ours = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = ours.local_addr().unwrap().port();
        let look = || listeners(&BTreeSet::from([port])).unwrap().on_loopback(port).expect("all was read");
        let found = look().expect("it listens");
        assert_eq!(found.address, ours.local_addr().unwrap());
        assert_eq!(found.uid, rustix::process::geteuid().as_raw());
        assert!(holds(std::process::id(), found.inode).unwrap());
        assert!(!holds(std::process::id(), found.inode + 1_000_000).unwrap());
        assert!(holds(u32::MAX, found.inode).is_err(), "one that is not there holds nothing that is known");
        let pid = std::process::id();
        assert!(matches!(holder(port), Holder::Process { pid: p, .. } if p == pid), "{}", holder(port));
        drop(ours);
        assert_eq!(look(), None);
        assert_eq!(holder(port), Holder::Unknown);
    }

    #[test]
    fn the_most_exact_address_gets_what_is_sent() {
        let at = |address: &str, inode| Listener { address: address.parse().unwrap(), uid: 0, inode };
        let all = [at("[::]:80", 3), at("0.0.0.0:80", 2), at("127.0.0.1:80", 1), at("10.0.0.1:80", 4)];
        let found = |all: &[Listener], cut| {
            Listeners { all: all.to_vec(), cut }.on_loopback(80).map(|l| l.map(|l| l.inode))
        };
        assert_eq!(found(&all, false), Ok(Some(1)));
        assert_eq!(found(&all[..2], false), Ok(Some(2)));
        assert_eq!(found(&all[..1], false), Ok(Some(3)));
        assert_eq!(found(&all[3..], false), Ok(None));
        // If not all sockets were read, only an exact address gives a certain answer.
        assert_eq!(found(&all, true), Ok(Some(1)));
        assert_eq!(found(&all[..2], true), Err(Unread));
        assert_eq!(found(&[], true), Err(Unread));
        assert_eq!(socket_address("0100007F:21A2"), Some("127.0.0.1:8610".parse().unwrap()));
        assert_eq!(socket_address("00000000000000000000000000000000:0050"), Some("[::]:80".parse().unwrap()));
    }

    /// A user with more sockets than are read hides no other socket: a port is not taken for free if not all was
    /// read.
    #[test]
    fn of_a_table_without_end_a_part_is_read_and_no_port_is_taken_for_free() {
        let ours = line("0100007F:21A2", LISTEN, 33, 7);
        let others: String = (0..5).map(|n| line("0200007F:21A3", LISTEN, 1000, 100 + n)).collect();
        let connections = line("0100007F:21A4", "01", 0, 9);
        let all = format!("{HEAD}{others}{ours}{connections}");
        assert_eq!(
            read(&all, 8610, 6).on_loopback(8610),
            Ok(Some(Listener { address: "127.0.0.1:8610".parse().unwrap(), uid: 33, inode: 7 }))
        );
        assert_eq!(read(&all, 8612, 6).on_loopback(8612), Ok(None), "a connection is no listener");
        assert_eq!(read(&all, 8610, 5).on_loopback(8610), Err(Unread));
        assert_eq!(read(&all, 8610, 5).all, [], "only what was asked for is kept");
    }

    #[test]
    fn a_name_is_looked_for_within_bounds() {
        let ours = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = ours.local_addr().unwrap().port();
        let inode = listeners(&BTreeSet::from([port])).unwrap().all[0].inode;
        assert!(process_within(inode, BOUNDS).is_some());
        for bounds in [
            Bounds { time: Duration::ZERO, ..BOUNDS },
            Bounds { processes: 0, ..BOUNDS },
            Bounds { files: 0, ..BOUNDS },
        ] {
            assert_eq!(process_within(inode, bounds), None, "{bounds:?}");
        }
    }
}
