//! Asks the kernel by netlink which sockets listen (`sock_diag(7)`). Netlink returns the listening sockets alone.
//! For `/proc/net/tcp`, the kernel walks its table of all connections twice, which takes forty times as long even
//! on a machine with hardly any connections.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

use super::{Listener, Listeners};

/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST`, `NLM_F_DUMP`.
const DUMP: u16 = 0x301;
/// `NLM_F_DUMP_INTR`: the table was changed while it was read.
const CHANGED: u16 = 0x10;
/// `NLMSG_ERROR` and `NLMSG_DONE`.
const ERROR: u16 = 2;
const DONE: u16 = 3;
const TCP: u8 = 6;
/// The requested states: `TCP_LISTEN`.
const LISTENING: u32 = 1 << 10;
/// The length of a message's header.
const HEAD: usize = 16;
/// The kernel's answers come in pieces of at most this size.
const PIECE: usize = 32 << 10;
/// How long the kernel may take to answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(500);

/// Returns all sockets of both families that listen on these ports; at most `most` of each family are read.
pub(super) fn listeners(ports: &BTreeSet<u16>, most: usize) -> io::Result<Listeners> {
    let mut found = Listeners::default();
    for family in [AddressFamily::INET, AddressFamily::INET6] {
        ask(family, &mut |listener, count| {
            if count >= most {
                found.cut = true;
            } else if ports.contains(&listener.address.port()) {
                found.all.push(listener);
            }
            !found.cut
        })?;
    }
    Ok(found)
}

fn ask(family: AddressFamily, take: &mut impl FnMut(Listener, usize) -> bool) -> io::Result<()> {
    let socket =
        socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(SOCK_DIAG))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    sendto(&socket, &question(family), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let (mut buffer, mut count) = (vec![0; PIECE], 0);
    loop {
        let (length, _) = recv(&socket, &mut buffer[..], RecvFlags::empty())?;
        let mut rest = buffer.get(..length).unwrap_or_default();
        if rest.is_empty() {
            return Err(damaged());
        }
        while !rest.is_empty() {
            match message(&mut rest)? {
                Some(body) => {
                    if !take(listener(body).ok_or_else(damaged)?, count) {
                        return Ok(());
                    }
                    count += 1;
                }
                None => return Ok(()),
            }
        }
    }
}

fn damaged() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// Returns a request for the listening sockets of a family: the header, then `inet_diag_req_v2` for no particular
/// socket.
fn question(family: AddressFamily) -> Vec<u8> {
    let family = u8::try_from(family.as_raw()).unwrap_or_default();
    let mut text = Vec::new();
    text.extend(72_u32.to_ne_bytes());
    text.extend(BY_FAMILY.to_ne_bytes());
    text.extend(DUMP.to_ne_bytes());
    text.extend([0; 8]);
    text.extend([family, TCP, 0, 0]);
    text.extend(LISTENING.to_ne_bytes());
    text.extend([0; 48]);
    text
}

fn at<const N: usize>(from: &[u8], place: usize) -> Option<[u8; N]> {
    from.get(place..place + N)?.try_into().ok()
}

/// Returns the body of the next message, and advances past it; `None` at the end of the dump.
fn message<'a>(rest: &mut &'a [u8]) -> io::Result<Option<&'a [u8]>> {
    let head = (at(rest, 0).map(u32::from_ne_bytes), at(rest, 4).map(u16::from_ne_bytes), at(rest, 6));
    let (Some(length), Some(kind), Some(flags)) = head else { return Err(damaged()) };
    let length = usize::try_from(length).map_err(|_| damaged())?;
    let body = rest.get(HEAD..length).ok_or_else(damaged)?;
    *rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    if u16::from_ne_bytes(flags) & CHANGED != 0 {
        return Err(io::ErrorKind::Interrupted.into());
    }
    match kind {
        // A dump that the kernel could not make ends in the same way, with its error: then the answer is no answer.
        DONE => match at(body, 0).map(i32::from_ne_bytes) {
            Some(code) if code < 0 => Err(io::Error::from_raw_os_error(code.saturating_neg())),
            Some(_) => Ok(None),
            None => Err(damaged()),
        },
        BY_FAMILY => Ok(Some(body)),
        ERROR => {
            let code = at(body, 0).map(i32::from_ne_bytes).unwrap_or_default();
            Err(io::Error::from_raw_os_error(code.saturating_neg()))
        }
        _ => Err(damaged()),
    }
}

/// Parses `inet_diag_msg`: family, state, two more octets; port and address in network byte order; … user, inode.
fn listener(body: &[u8]) -> Option<Listener> {
    let port = u16::from_be_bytes(at(body, 4)?);
    let family = AddressFamily::from_raw(u16::from(*body.first()?));
    let ip = match family {
        AddressFamily::INET => IpAddr::V4(Ipv4Addr::from(at::<4>(body, 8)?)),
        AddressFamily::INET6 => IpAddr::V6(Ipv6Addr::from(at::<16>(body, 8)?)),
        _ => return None,
    };
    let uid = u32::from_ne_bytes(at(body, 64)?);
    let inode = u64::from(u32::from_ne_bytes(at(body, 68)?));
    Some(Listener { address: SocketAddr::new(ip, port), uid, inode })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_kernel_says_the_same_both_ways() {
        let ours: Vec<TcpListener> = ["127.0.0.1:0", "127.0.0.2:0", "0.0.0.0:0", "[::1]:0"]
            .iter()
            .filter_map(|address| TcpListener::bind(address).ok())
            .collect();
        let ports: BTreeSet<u16> = ours.iter().map(|l| l.local_addr().unwrap().port()).collect();
        let sorted = |found: Listeners| {
            let mut all = found.all;
            all.sort_by_key(|l| l.inode);
            (all, found.cut)
        };
        let asked = listeners(&ports, 65_536);
        let read = super::super::from_tables(&ports).unwrap();
        assert_eq!(sorted(asked.unwrap()), sorted(read));
        assert!(listeners(&ports, 0).unwrap().cut, "no more is read than is wanted");
    }

    #[test]
    fn what_is_damaged_is_no_answer() {
        let whole = [&[20, 0, 0, 0, 3, 0][..], &[0; 14]].concat();
        assert!(matches!(message(&mut &whole[..]), Ok(None)));
        for length in 0..20 {
            assert!(message(&mut &whole[..length]).is_err(), "{length}");
        }
        // Without `tcp_diag` the kernel ends the list at once with the error. That does not mean that nothing
        // listens.
        let failed = [&[20, 0, 0, 0, 3, 0][..], &[0; 10], &(-2_i32).to_ne_bytes()].concat();
        assert_eq!(message(&mut &failed[..]).unwrap_err().kind(), io::ErrorKind::NotFound);
        let refused = [&[20, 0, 0, 0, 2, 0, 0, 0][..], &[0; 8], &(-2_i32).to_ne_bytes()].concat();
        assert_eq!(message(&mut &refused[..]).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(listener(&[2; 71]), None);
    }
}
