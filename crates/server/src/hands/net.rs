//! Ports: whether one is free, and who holds one that is not.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};

/// Whether an address can be bound. Plainly, without `SO_REUSEPORT`: with it a second HAProxy would share the
/// port in silence. `SO_REUSEADDR` only looks past connections that have ended.
pub fn free(address: SocketAddr) -> bool {
    try_free(address).unwrap_or(false)
}

/// The same; fails when it cannot be tried, which says nothing of the port.
pub fn try_free(address: SocketAddr) -> std::io::Result<bool> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    // Closed on exec: a program that is started at this very moment would hold the port for as long as it lives.
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let _ = rustix::net::sockopt::set_socket_reuseaddr(&socket, true);
    Ok(bind(&socket, &address).is_ok() && rustix::net::listen(&socket, 1).is_ok())
}

/// Who listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A process.
    Process {
        /// Its id.
        pid: u32,
        /// Its command's name.
        name: String,
    },
    /// The kernel shows only whose socket it is.
    User(u32),
    /// Nobody can be named.
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

/// Names the holder of a TCP port, from `/proc/net/tcp` and the open files of each process.
pub fn holder(port: u16) -> Holder {
    let mut found = None;
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = std::fs::read_to_string(table).unwrap_or_default();
        found = found.or_else(|| text.lines().skip(1).find_map(|line| listening(line, port)));
    }
    let Some((uid, inode)) = found else { return Holder::Unknown };
    let wanted = format!("socket:[{inode}]");
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let files = std::fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten();
        let holds = |fd: std::fs::DirEntry| {
            std::fs::read_link(fd.path()).is_ok_and(|to| to.to_str() == Some(wanted.as_str()))
        };
        if files.into_iter().any(holds) {
            let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            return Holder::Process { pid, name: name.trim().to_owned() };
        }
    }
    Holder::User(uid)
}

/// A socket that listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where.
    pub address: SocketAddr,
    /// Its number.
    pub inode: u64,
}

/// Every TCP socket that listens on this machine. The kernel names those first, so that the connections, of which there
/// may be thousands, are not read.
pub fn listeners() -> io::Result<Vec<Listener>> {
    let mut all = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let file = match File::open(table) {
            Ok(file) => file,
            // A kernel without IPv6.
            Err(error) if error.kind() == io::ErrorKind::NotFound && table.ends_with('6') => continue,
            Err(error) => return Err(error),
        };
        for line in BufReader::new(file).lines().skip(1) {
            let line = line?;
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields.get(3) != Some(&LISTEN) {
                break;
            }
            let read = || {
                let address = socket_address(fields.get(1)?)?;
                Some(Listener { address, inode: fields.get(9)?.parse().ok()? })
            };
            all.push(read().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?);
        }
    }
    Ok(all)
}

/// `TCP_LISTEN` in the kernel's tables (proc(5)).
const LISTEN: &str = "0A";

/// Reads `0100007F:21A2`: words of the address in the machine's order, then the port.
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

/// The socket that gets what is sent to that port of 127.0.0.1: the most exact address wins.
pub fn on_loopback(listeners: &[Listener], port: u16) -> Option<Listener> {
    let order = |ip: IpAddr| match ip {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => Some(0),
        IpAddr::V6(ip) if ip.to_ipv4_mapped() == Some(Ipv4Addr::LOCALHOST) => Some(0),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Some(1),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Some(2),
        _ => None,
    };
    let here = listeners.iter().filter(|l| l.address.port() == port);
    here.filter_map(|l| Some((order(l.address.ip())?, *l))).min_by_key(|(order, _)| *order).map(|(_, l)| l)
}

/// Whether a process holds that socket.
pub fn holds(pid: u32, inode: u64) -> io::Result<bool> {
    let wanted = format!("socket:[{inode}]");
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd"))? {
        match std::fs::read_link(entry?.path()) {
            Ok(to) if to.to_str() == Some(wanted.as_str()) => return Ok(true),
            Ok(_) => {}
            // Closed meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Reads one line of `/proc/net/tcp` (proc(5)): local address, state 0A = LISTEN, uid, inode.
fn listening(line: &str, port: u16) -> Option<(u32, u64)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let local = fields.get(1)?.rsplit(':').next()?;
    let listens = *fields.get(3)? == "0A" && u16::from_str_radix(local, 16).ok()? == port;
    if !listens {
        return None;
    }
    Some((fields.get(7)?.parse().ok()?, fields.get(9)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn who_listens_is_seen_and_whose_socket_it_is() {
        let ours = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = ours.local_addr().unwrap().port();
        let found = on_loopback(&listeners().unwrap(), port).expect("it listens");
        assert_eq!(found.address, ours.local_addr().unwrap());
        assert!(holds(std::process::id(), found.inode).unwrap());
        assert!(!holds(std::process::id(), found.inode + 1_000_000).unwrap());
        assert!(holds(u32::MAX, found.inode).is_err(), "one that is not there holds nothing that is known");
        drop(ours);
        assert_eq!(on_loopback(&listeners().unwrap(), port), None);
    }

    #[test]
    fn the_most_exact_address_gets_what_is_sent() {
        let at = |address: &str, inode| Listener { address: address.parse().unwrap(), inode };
        let all = [at("[::]:80", 3), at("0.0.0.0:80", 2), at("127.0.0.1:80", 1), at("10.0.0.1:80", 4)];
        assert_eq!(on_loopback(&all, 80).map(|l| l.inode), Some(1));
        assert_eq!(on_loopback(&all[..2], 80).map(|l| l.inode), Some(2));
        assert_eq!(on_loopback(&all[..1], 80).map(|l| l.inode), Some(3));
        assert_eq!(on_loopback(&all[3..], 80), None);
        assert_eq!(socket_address("0100007F:21A2"), Some("127.0.0.1:8610".parse().unwrap()));
        assert_eq!(socket_address("00000000000000000000000000000000:0050"), Some("[::]:80".parse().unwrap()));
    }
}
