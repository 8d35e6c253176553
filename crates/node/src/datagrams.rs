//! The socket to which HAProxy sends one line for each request.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use rustix::net::sockopt;

/// The receive buffer of the socket: about 0.2 s of lines at 20,000 lines a second can wait while Cordée does
/// something else.
const BUFFER: usize = 8 << 20;
/// How long a read waits for a line. It bounds the time that an end takes; each timeout wakes a thread for nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// A socket that receives from this machine only. A sender never waits: the kernel drops a datagram that finds no
/// room, and counts it.
#[derive(Debug)]
pub struct LogSocket {
    socket: UdpSocket,
    port: u16,
    inode: String,
}

impl LogSocket {
    /// Binds a port of 127.0.0.1; with 0 the system chooses a free port.
    pub fn bind(port: u16) -> std::io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))?;
        // Only root may exceed the system's own limit.
        if sockopt::set_socket_recv_buffer_size_force(&socket, BUFFER).is_err() {
            sockopt::set_socket_recv_buffer_size(&socket, BUFFER)?;
        }
        socket.set_read_timeout(Some(PATIENCE))?;
        let port = socket.local_addr()?.port();
        let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd()))?;
        let link = link.to_string_lossy();
        let inode = link.trim_start_matches("socket:[").trim_end_matches(']').to_owned();
        Ok(Self { socket, port, inode })
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns how many octets may wait, as the kernel counts them (twice the requested size, for its own
    /// bookkeeping).
    pub fn room(&self) -> usize {
        sockopt::socket_recv_buffer_size(&self.socket).unwrap_or(0)
    }

    /// Returns the next datagram, cut to the buffer; `None` if none came within `PATIENCE`.
    pub fn read<'a>(&self, buffer: &'a mut [u8]) -> std::io::Result<Option<&'a [u8]>> {
        match self.socket.recv(buffer) {
            Ok(length) => Ok(buffer.get(..length)),
            Err(e)
                if matches!(
                    e.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns how many datagrams the kernel dropped because there was no room.
    pub fn dropped(&self) -> Option<u64> {
        let table = std::fs::read_to_string("/proc/net/udp").ok()?;
        table.lines().skip(1).find_map(|line| drops(line, &self.inode))
    }
}

/// Reads one line of `/proc/net/udp` (proc(5)): the tenth word is the inode, the last one the drops.
fn drops(line: &str, inode: &str) -> Option<u64> {
    let mut words = line.split_whitespace();
    (words.nth(9)? == inode).then(|| words.last()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted() {
        let socket = LogSocket::bind(0).unwrap();
        assert!(socket.room() >= 4 << 20 || !rustix::process::geteuid().is_root(), "{}", socket.room());
        assert_eq!(socket.dropped(), Some(0));
        let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (mut sent, mut read) = (0, 0);
        while sent < 100_000 && socket.dropped() == Some(0) {
            for _ in 0..1_000 {
                sender.send_to(&[b'x'; 600], (Ipv4Addr::LOCALHOST, socket.port())).unwrap();
                sent += 1;
            }
        }
        let mut buffer = [0; 2_048];
        while socket.read(&mut buffer).unwrap().is_some() {
            read += 1;
        }
        let dropped = socket.dropped().unwrap();
        assert!(dropped > 0);
        assert_eq!(read + dropped, sent);
    }

    #[test]
    fn a_line_of_proc_is_read() {
        let line = "  77: 0100007F:21FC 00000000:0000 07 00000000:00000000 00:00000000 00000000   0   0 4711 2 0000 12";
        assert_eq!((drops(line, "4711"), drops(line, "12"), drops("", "1")), (Some(12), None, None));
    }
}
