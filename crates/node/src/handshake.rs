//! What a server sends first on a database's port. Nothing is sent to it, and of what it sends only a version or an
//! error number is passed on.

use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What listens on a database's port, by its first octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// MariaDB, with its version.
    MariaDb(String),
    /// MySQL or another server that speaks its protocol, with its version.
    Other(String),
    /// A database that refuses with an error number.
    Refuses(u32),
    /// The server speaks HTTP.
    Http,
    /// The server sends something else.
    Garbage,
    /// The server closes the connection without sending anything.
    Closes,
    /// The server sends nothing.
    Silent,
}

/// The first packet of a database is well below this size; no more than about this much is read.
const LONGEST: usize = 1_024;
/// The longest version that is passed on, in characters.
const VERSION: usize = 40;

/// Waits for the greeting.
pub async fn listen(stream: &mut TcpStream, patience: Duration) -> Greeting {
    let mut bytes = Vec::new();
    let read = timeout(patience, read_packet(stream, &mut bytes)).await;
    match read {
        Err(_) if bytes.is_empty() => Greeting::Silent,
        _ if bytes.is_empty() => Greeting::Closes,
        _ => understand(&bytes),
    }
}

/// Reads until a packet is complete, the other side closes, or the octets cannot be a packet.
async fn read_packet(stream: &mut TcpStream, bytes: &mut Vec<u8>) {
    let mut piece = [0; LONGEST];
    while bytes.len() < LONGEST {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
        if bytes.len() >= 4 && (!could_be(bytes) || bytes.len() >= 4 + length(bytes)) {
            return;
        }
    }
}

fn length(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) | usize::from(bytes[1]) << 8 | usize::from(bytes[2]) << 16
}

/// Reports whether this can be the header of a first packet: short, and with number 0.
fn could_be(bytes: &[u8]) -> bool {
    bytes.len() >= 4 && length(bytes) < LONGEST && bytes[3] == 0
}

/// Interprets those octets.
fn understand(bytes: &[u8]) -> Greeting {
    if bytes.starts_with(b"HTTP/") {
        return Greeting::Http;
    }
    let whole = could_be(bytes) && bytes.len() >= 4 + length(bytes);
    let body = if whole { &bytes[4..4 + length(bytes)] } else { &[] };
    match body {
        [0xFF, low, high, ..] => Greeting::Refuses(u32::from(*low) | u32::from(*high) << 8),
        [10, rest @ ..] => {
            let Some(end) = rest.iter().position(|b| *b == 0) else { return Greeting::Garbage };
            let plain =
                |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+' | b'~' | b':');
            if end == 0 || !rest[..end].iter().all(plain) || rest.len() < end + 14 {
                return Greeting::Garbage;
            }
            let version: String = rest[..end].iter().take(VERSION).map(|b| char::from(*b)).collect();
            if version.to_ascii_lowercase().contains("mariadb") {
                // MariaDB before 11 puts a MySQL version in front of its own.
                Greeting::MariaDb(version.strip_prefix("5.5.5-").unwrap_or(&version).to_owned())
            } else {
                Greeting::Other(version)
            }
        }
        _ => Greeting::Garbage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![u8::try_from(body.len()).unwrap(), 0, 0, 0];
        bytes.extend_from_slice(body);
        bytes
    }

    fn hello(version: &str) -> Vec<u8> {
        let mut body = vec![10];
        body.extend_from_slice(version.as_bytes());
        body.extend_from_slice(&[0; 40]);
        packet(&body)
    }

    #[test]
    fn a_database_is_known_by_its_first_words() {
        let maria = Greeting::MariaDb("10.11.6-MariaDB-log".to_owned());
        assert_eq!(understand(&hello("5.5.5-10.11.6-MariaDB-log")), maria);
        assert_eq!(understand(&hello("11.4.2-MariaDB")), Greeting::MariaDb("11.4.2-MariaDB".to_owned()));
        assert_eq!(understand(&hello("8.0.36")), Greeting::Other("8.0.36".to_owned()));
        assert_eq!(understand(&packet(b"\xFF\x10\x04Too many connections")), Greeting::Refuses(1040));
    }

    #[test]
    fn anything_else_is_no_database() {
        assert_eq!(understand(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Greeting::Http);
        for bytes in
            [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"\0", b"\0\0\0\0", b"\x05\0\0\0\x0A<b>\0", &[0xFF; 200]]
        {
            assert_eq!(understand(bytes), Greeting::Garbage, "{bytes:?}");
        }
        assert_eq!(understand(&hello("<script>")), Greeting::Garbage);
        assert_eq!(understand(&hello("")), Greeting::Garbage);
        assert_eq!(understand(&hello("9.9")[..20]), Greeting::Garbage, "cut off");
    }
}
