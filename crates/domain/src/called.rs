//! The host names by which the page may be called.
//!
//! Whoever owns a host name can make it resolve to this machine for a moment. Scripts that a browser loaded from that
//! name could then send requests to the page as if they came from the page itself. For this reason the page only
//! answers to names that are known to be its own. An IP address needs no such check, because nobody can redirect it.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::ids::Host;
use crate::problem::Problem;
use crate::text;

/// The maximum number of names of the page.
const MOST_NAMES: usize = 16;

/// Parses names of the page, separated by commas or blanks.
pub fn parse_names(input: &str) -> Result<Vec<Host>, Problem> {
    let mut all = Vec::new();
    for word in input.split([',', ' ']).filter(|w| !w.is_empty()) {
        let name = Host::parse(word)?;
        if !all.contains(&name) {
            all.push(name);
        }
    }
    if all.len() > MOST_NAMES {
        return Err(Problem::invalid("address", text!("problem-address-shape")));
    }
    Ok(all)
}

/// Whether the page may answer a request for `authority` (a host and perhaps a port, as in the `Host` header): it may
/// for an IP address, for `localhost`, for one of its `names`, and for the name of the `machine`. The port may differ,
/// because a tunnel has a port of its own.
pub fn answers_to(authority: &str, names: &[Host], machine: &str) -> bool {
    let Some(host) = host(authority) else { return false };
    host.parse::<Ipv4Addr>().is_ok()
        || host == "localhost"
        || host.ends_with(".localhost")
        || host.eq_ignore_ascii_case(machine)
        || names.iter().any(|name| matches!(name, Host::Name(name) if *name == host))
        || host.starts_with('[')
}

/// Returns the host in lower case, without the port and without a dot at the end; an IPv6 address keeps its brackets.
fn host(authority: &str) -> Option<String> {
    let port = |text: &str| text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (address, rest) = bracketed.split_once(']')?;
        let fine = rest.is_empty() || rest.strip_prefix(':').is_some_and(port);
        return (fine && address.parse::<Ipv6Addr>().is_ok()).then(|| format!("[{address}]"));
    }
    let name = match authority.split_once(':') {
        Some((name, digits)) => port(digits).then_some(name)?,
        None => authority,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    (!name.is_empty()).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_answers_to_its_own_names_and_to_addresses() {
        let names = parse_names("Cordee.lan, box.example").unwrap();
        for own in [
            "127.0.0.1:8600",
            "127.0.0.1",
            "10.1.2.3:80",
            "[::1]:8600",
            "[::ffff:127.0.0.1]",
            "localhost:9999",
            "LOCALHOST.",
            "page.localhost",
            "cordee.lan",
            "CORDEE.lan.:8600",
            "box.example:",
            "Machine:8600",
        ] {
            assert!(answers_to(own, &names, "machine"), "{own}");
        }
        for other in [
            "evil.example:8600",
            "evil.example",
            "lan",
            "a.cordee.lan",
            "cordee.lan.evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:80:80",
            "evil@127.0.0.1",
            "127.0.0.1@evil.example",
            "127.0.0.1:x",
            "[evil.example]",
            "[::1",
            "[evil.example",
            "[::1]x",
            "127.1",
            "0x7f000001",
            "",
            ":8600",
            ".",
        ] {
            assert!(!answers_to(other, &names, "machine"), "{other}");
        }
        assert!(!answers_to("cordee.lan", &[], ""), "nobody named it");
        assert!(!answers_to("", &[], ""), "a machine without a name");
    }

    #[test]
    fn names_are_read_and_what_is_none_is_refused() {
        assert_eq!(parse_names(" a.lan,B.lan  a.lan ").unwrap().len(), 2);
        assert!(parse_names("").unwrap().is_empty());
        for bad in ["a_b", "http://a", "a;b", "*.lan", "a:80"] {
            assert!(parse_names(bad).is_err(), "{bad}");
        }
        let many: Vec<String> = (0..17).map(|n| format!("n{n}.lan")).collect();
        assert!(parse_names(&many.join(",")).is_err());
    }
}
