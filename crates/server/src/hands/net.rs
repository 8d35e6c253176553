//! Ports: whether one is free, and who holds one that is not.

use std::net::SocketAddr;

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
