//! Settings from the environment, read once.

use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;

use cordee_domain::called::parse_names;
use cordee_domain::desired::Addresses;
use cordee_domain::ids::Host;

/// Everything that the environment may set.
#[derive(Clone, Debug)]
pub struct Config {
    /// `CORDEE_HOME`; root: `/var/lib/cordee`, else `$XDG_STATE_HOME/cordee`.
    pub home: PathBuf,
    /// `CORDEE_PAGE`, default `127.0.0.1:8600`.
    pub page: Option<SocketAddr>,
    /// `CORDEE_PAGE_NAMES`: the host names by which the page may be requested, besides addresses, `localhost` and
    /// the machine's own name.
    pub names: Option<Vec<Host>>,
    /// `CORDEE_SITE`, default `127.0.0.1:8080`.
    pub site: Option<SocketAddr>,
    /// `CORDEE_DB`, default `127.0.0.1:3307`.
    pub db: Option<SocketAddr>,
    /// `CORDEE_DB_WRITER`, default `127.0.0.1:3308`.
    pub writer: Option<SocketAddr>,
    /// `CORDEE_SERVER_PORTS`, default `8610-8699`.
    pub ports: Option<(u16, u16)>,
    /// `CORDEE_TRIAL`, set by Cordée itself: on this cluster sessions are compared, and it has the probe page.
    pub trial: bool,
}

/// A variable that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{name}={value}: expected {expected}")]
pub struct ConfigError {
    name: &'static str,
    value: String,
    expected: &'static str,
}

impl Config {
    /// Reads the environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            home: home()?,
            page: address("CORDEE_PAGE")?,
            names: names()?,
            site: address("CORDEE_SITE")?,
            db: address("CORDEE_DB")?,
            writer: address("CORDEE_DB_WRITER")?,
            ports: ports()?,
            trial: env::var_os("CORDEE_TRIAL").is_some_and(|v| !v.is_empty()),
        })
    }

    /// Returns where to listen: what the environment says, else `known` (from the store), else the defaults.
    pub fn addresses(&self, known: Option<&Addresses>) -> Addresses {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let or = |set: Option<SocketAddr>, known: Option<SocketAddr>, port| {
            set.or(known).unwrap_or_else(|| local(port))
        };
        Addresses {
            page: or(self.page, known.map(|k| k.page), 8600),
            names: self.names.clone().or(known.map(|k| k.names.clone())).unwrap_or_default(),
            site: or(self.site, known.map(|k| k.site), 8080),
            db: or(self.db, known.map(|k| k.db), 3307),
            writer: or(self.writer, known.map(|k| k.writer), 3308),
            ports: self.ports.or(known.map(|k| k.ports)).unwrap_or((8610, 8699)),
        }
    }
}

fn home() -> Result<PathBuf, ConfigError> {
    if let Some(home) = env::var_os("CORDEE_HOME").filter(|h| !h.is_empty()) {
        return Ok(PathBuf::from(home));
    }
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/cordee"));
    }
    // A command called from another folder must find the same cluster (XDG Base Directory: a relative path is
    // ignored).
    let folder = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
    state.map(|state| state.join("cordee")).ok_or_else(|| ConfigError {
        name: "HOME",
        value: env::var("HOME").unwrap_or_default(),
        expected: "an absolute path; or set CORDEE_HOME",
    })
}

fn address(name: &'static str) -> Result<Option<SocketAddr>, ConfigError> {
    let expected = "an address and a port such as 127.0.0.1:8600";
    match env::var(name) {
        Ok(value) if !value.is_empty() => match value.parse::<SocketAddr>() {
            Ok(address) if address.port() > 0 => Ok(Some(address)),
            _ => Err(ConfigError { name, value, expected }),
        },
        _ => Ok(None),
    }
}

fn names() -> Result<Option<Vec<Host>>, ConfigError> {
    let (name, expected) = ("CORDEE_PAGE_NAMES", "at most 16 host names with commas such as cordee.lan");
    let Some(value) = env::var(name).ok().filter(|v| !v.is_empty()) else { return Ok(None) };
    match parse_names(&value) {
        Ok(names) => Ok(Some(names)),
        Err(_) => Err(ConfigError { name, value, expected }),
    }
}

fn ports() -> Result<Option<(u16, u16)>, ConfigError> {
    let (name, expected) = ("CORDEE_SERVER_PORTS", "a range of at least five ports such as 8610-8699");
    let Some(value) = env::var(name).ok().filter(|v| !v.is_empty()) else { return Ok(None) };
    let range = value
        .split_once('-')
        .and_then(|(first, last)| Some((first.parse::<u16>().ok()?, last.parse::<u16>().ok()?)));
    match range {
        Some((first, last)) if first > 0 && last >= first.saturating_add(4) => Ok(Some((first, last))),
        _ => Err(ConfigError { name, value, expected }),
    }
}
