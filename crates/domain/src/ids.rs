//! Names and addresses. They are parsed once and valid from then on.
//!
//! A value that passes these parsers consists of letters, digits and a few marks that have no meaning in HAProxy's
//! configuration language, in SQL, in a path or in HTML. No other text that an operator typed is used any further.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// Why an input is malformed. The sentence for the operator is made where the input is refused (`problem`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// No pool has this name.
    #[error("no such pool")]
    Pool,
    /// The name is empty.
    #[error("a name is empty")]
    NameEmpty,
    /// The name contains characters that are not allowed, or is too long.
    #[error("a name is not of letters, digits, hyphens and underscores")]
    NameShape,
    /// The name is reserved for something else.
    #[error("the name {0} is reserved")]
    NameReserved(String),
    /// The address is empty.
    #[error("an address is empty")]
    AddressEmpty,
    /// No server may have this address.
    #[error("the address {0} belongs to no server")]
    AddressUnusable(String),
    /// Neither an IPv4 address nor a name.
    #[error("not an IPv4 address")]
    AddressIpv4,
    /// The part of an IPv4 address that is invalid.
    #[error("{0} is no part of an IPv4 address")]
    AddressIpv4Part(String),
    /// Neither an address nor a host name.
    #[error("not an address or host name")]
    AddressShape,
    /// Not a TCP port.
    #[error("not a TCP port")]
    Port,
    /// The value is not allowed in a cookie.
    #[error("not a cookie value")]
    Cookie,
}

/// One of the two pools, and also the HAProxy instance in front of it: each pool has exactly one proxy, with the same
/// name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolId {
    /// The web servers.
    Web,
    /// The databases.
    Db,
}

impl PoolId {
    /// Both pools, in the order in which a request passes them.
    pub const ALL: [Self; 2] = [Self::Web, Self::Db];

    /// Returns the word used in addresses, files and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Db => "db",
        }
    }

    /// Parses the word used in addresses, files and commands.
    pub fn parse(input: &str) -> Result<Self, Malformed> {
        match input {
            "web" => Ok(Self::Web),
            "db" => Ok(Self::Db),
            _ => Err(Malformed::Pool),
        }
    }
}

impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A server's name: `[A-Za-z][A-Za-z0-9_-]{0,62}`, not one of the reserved words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerName(String);

/// Words that are already used for an address of the page, a pool or a process of Cordée's own, or mean "all" or
/// "none".
const RESERVED: [&str; 14] = [
    "all",
    "any",
    "clean",
    "cordee",
    "db",
    "haproxy",
    "haproxy-db",
    "haproxy-web",
    "keeper",
    "localhost",
    "new",
    "none",
    "serve",
    "web",
];

impl ServerName {
    /// Parses a name that an operator typed.
    pub fn parse(input: &str) -> Result<Self, Malformed> {
        let bytes = input.as_bytes();
        if bytes.is_empty() {
            return Err(Malformed::NameEmpty);
        }
        let shaped = bytes.len() <= 63
            && bytes[0].is_ascii_alphabetic()
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if !shaped {
            return Err(Malformed::NameShape);
        }
        if RESERVED.contains(&input.to_ascii_lowercase().as_str()) {
            return Err(Malformed::NameReserved(input.to_owned()));
        }
        Ok(Self(input.to_owned()))
    }

    /// Returns the name as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether two names are the same, ignoring case: names become channel names and file names.
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ServerName {
    type Error = &'static str;
    fn try_from(value: String) -> Result<Self, Self::Error> {
        Self::parse(&value).map_err(|_| "not a server name")
    }
}

impl From<ServerName> for String {
    fn from(value: ServerName) -> Self {
        value.0
    }
}

/// The name of a process that Cordée starts. It is used in the process's mark, in the journal, and to order steps. It
/// does not say which kind of server it is. Only one server at a time has a name, and a name has one folder: if a name
/// is reused, the steps on the old server and on the new one run one after the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ProcessName {
    /// The HAProxy instance of that pool.
    Proxy(PoolId),
    /// A web server or a database.
    Server(ServerName),
}

impl ProcessName {
    /// Parses the name from a mark. Returns `None` for Cordée's own processes, whose names no server may have.
    pub fn parse(input: &str) -> Option<Self> {
        match input {
            "haproxy-web" => Some(Self::Proxy(PoolId::Web)),
            "haproxy-db" => Some(Self::Proxy(PoolId::Db)),
            name => ServerName::parse(name).ok().map(Self::Server),
        }
    }
}

impl fmt::Display for ProcessName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proxy(pool) => write!(f, "haproxy-{pool}"),
            Self::Server(name) => name.fmt(f),
        }
    }
}

/// A process that Cordée starts, with its kind. It is never stored: stored data names a process by [`ProcessName`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProcessId {
    /// The HAProxy instance of that pool.
    Proxy(PoolId),
    /// A web server.
    Web(ServerName),
    /// A database.
    Database(ServerName),
}

impl ProcessId {
    /// Returns the process of a server of that pool.
    pub const fn of(pool: PoolId, name: ServerName) -> Self {
        match pool {
            PoolId::Web => Self::Web(name),
            PoolId::Db => Self::Database(name),
        }
    }

    /// Returns the server's name; a HAProxy instance has none.
    pub const fn server(&self) -> Option<&ServerName> {
        match self {
            Self::Proxy(_) => None,
            Self::Web(name) | Self::Database(name) => Some(name),
        }
    }

    /// Returns the process's name, which does not say its kind.
    pub fn name(&self) -> ProcessName {
        match self {
            Self::Proxy(pool) => ProcessName::Proxy(*pool),
            Self::Web(name) | Self::Database(name) => ProcessName::Server(name.clone()),
        }
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proxy(pool) => write!(f, "haproxy-{pool}"),
            Self::Web(name) | Self::Database(name) => name.fmt(f),
        }
    }
}

/// The host of a server: an IP address, or an RFC 1123 host name that Cordée resolves itself. HAProxy's file only
/// contains addresses, because a name that does not resolve would keep HAProxy from starting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Host {
    /// An IP address.
    Ip(IpAddr),
    /// A host name, in lower case.
    Name(String),
}

impl Host {
    /// Parses an address or a host name, and refuses those that no server may have.
    pub fn parse(input: &str) -> Result<Self, Malformed> {
        match Self::read(input)? {
            Self::Ip(ip) if !usable(ip) => Err(Malformed::AddressUnusable(input.to_owned())),
            // A resolver takes such a name for an address in another notation: `0xa9fea9fe`, `169.0xfe.1`.
            Self::Name(name) if ends_in_a_number(&name) => Err(Malformed::AddressIpv4),
            host => Ok(host),
        }
    }

    /// Reads a stored value: a value that was accepted once must not keep Cordée from starting.
    fn read(input: &str) -> Result<Self, Malformed> {
        if input.is_empty() {
            return Err(Malformed::AddressEmpty);
        }
        if let Ok(ip) = input.parse::<IpAddr>() {
            return Ok(Self::Ip(ip));
        }
        // The notation used in URLs, where a port follows.
        if let Some(inner) = input.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'))
            && let Ok(ip) = inner.parse::<Ipv6Addr>()
        {
            return Ok(Self::Ip(IpAddr::V6(ip)));
        }
        // All digits and dots, yet not an address: name the wrong part rather than look up a host name.
        if input.len() <= 64 && input.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            let wrong = input.split('.').find(|part| part.parse::<u8>().is_err());
            return Err(match wrong {
                Some(part) if !part.is_empty() => Malformed::AddressIpv4Part(part.to_owned()),
                _ => Malformed::AddressIpv4,
            });
        }
        if host_name(input) {
            Ok(Self::Name(input.to_ascii_lowercase()))
        } else {
            Err(Malformed::AddressShape)
        }
    }
}

/// Returns the canonical form of an address: an IPv4 address mapped into IPv6 becomes that IPv4 address, and `::1`
/// becomes `127.0.0.1`.
pub fn plain(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) if v6.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        other => other,
    }
}

impl Host {
    /// Returns the address, if it is certain without a lookup: `localhost` is this machine (RFC 6761).
    pub fn plain(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(plain(*ip)),
            Self::Name(name) if name == "localhost" || name.ends_with(".localhost") => {
                Some(IpAddr::V4(Ipv4Addr::LOCALHOST))
            }
            Self::Name(_) => None,
        }
    }

    /// Returns the host with a port appended; an IPv6 address is put in brackets.
    pub fn with_port(&self, port: u16) -> String {
        match self {
            Self::Ip(ip) => SocketAddr::new(*ip, port).to_string(),
            Self::Name(name) => format!("{name}:{port}"),
        }
    }

    /// Whether both certainly mean the same machine.
    pub fn same_as(&self, other: &Self) -> bool {
        self == other || self.plain().is_some_and(|ip| other.plain() == Some(ip))
    }
}

/// Checks RFC 1123, section 2.1: labels of letters, digits and inner hyphens, up to 63 octets each and 253 in all.
fn host_name(input: &str) -> bool {
    input.len() <= 253
        && input.split('.').all(|label| {
            let b = label.as_bytes();
            !b.is_empty()
                && b.len() <= 63
                && b.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'-')
                && b[0] != b'-'
                && b[b.len() - 1] != b'-'
        })
}

/// Whether the last label is a number. No host name ends like that (RFC 3696, 2), and resolvers read it as an address.
fn ends_in_a_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let hex = last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    hex || last.bytes().all(|b| b.is_ascii_digit())
}

/// The IPv6 address of a cloud's metadata service. Its IPv4 address is link-local.
const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Whether a server may have that address. Unspecified, broadcast, multicast and link-local addresses and the metadata
/// service's are refused, in any notation (the last two would let "add a server" query a cloud's metadata service).
pub fn usable(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            !(v4.is_unspecified() || v4.is_broadcast() || v4.is_multicast() || v4.is_link_local())
        }
        IpAddr::V6(v6) => {
            let never = v6.is_unspecified() || v6.is_multicast() || v6.is_unicast_link_local();
            !never && v6 != METADATA && within(v6).is_none_or(|v4| usable(IpAddr::V4(v4)))
        }
    }
}

/// Returns the IPv4 address that an IPv6 address stands for, or is translated or tunnelled to: mapped and compatible
/// (RFC 4291), NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056).
fn within(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low]
        | [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl TryFrom<String> for Host {
    type Error = &'static str;
    fn try_from(value: String) -> Result<Self, Self::Error> {
        Self::read(&value).map_err(|_| "not an address or host name")
    }
}

impl From<Host> for String {
    fn from(value: Host) -> Self {
        value.to_string()
    }
}

/// Parses a TCP port, 1 to 65535.
pub fn parse_port(input: &str) -> Result<u16, Malformed> {
    if input.is_empty() || input.len() > 5 || !input.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Malformed::Port);
    }
    input.parse::<u16>().ok().filter(|p| *p > 0).ok_or(Malformed::Port)
}

/// The value of a stickiness cookie: an RFC 6265 value of token characters (RFC 9110 section 5.6.2), at most 64.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cookie(String);

impl Cookie {
    /// Parses a value that an operator typed.
    pub fn parse(input: &str) -> Result<Self, Malformed> {
        // '#', '$', '\'', '`' and '\\' are token characters too, but have a meaning in HAProxy's file.
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!%&*+-.^_|~".contains(&b);
        if input.is_empty() || input.len() > 64 || !input.bytes().all(token) {
            return Err(Malformed::Cookie);
        }
        Ok(Self(input.to_owned()))
    }

    /// Returns the value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Cookie {
    type Error = &'static str;
    fn try_from(value: String) -> Result<Self, Self::Error> {
        Self::parse(&value).map_err(|_| "not a cookie value")
    }
}

impl From<Cookie> for String {
    fn from(value: Cookie) -> Self {
        value.0
    }
}

/// A point in time: milliseconds since 1970 UTC. It never goes backwards within one run.
pub type Millis = u64;

#[cfg(test)]
mod tests;
