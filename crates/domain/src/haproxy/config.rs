//! Renders the configuration file from the wish.
//!
//! The file contains no free text: every value comes from a type that was parsed. File and running process may only
//! differ in what the runtime API can change. Everything that it cannot change is summed up in a *shape*, which the
//! file carries as its description and the process repeats in `show info`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::line::{Line, Part, clock, part, spoken};
pub use super::sections::NO_SERVER;
use super::sections::{self, Section};
use super::setting::{Setting, WRITER_BACKEND};
use crate::desired::{Admin, CookieChoice, Desired, Either, FULL_WEIGHT, Kind, Server};
use crate::figures;
use crate::ids::{Cookie, Millis, PoolId, ServerName};
use crate::text::Text;
use crate::{text, why};

/// What is known about a server when the file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that is known of a server")]
pub struct ServerLine {
    /// Its IP address. Names are resolved earlier.
    pub ip: IpAddr,
    /// Whether a check has succeeded since it was added. Until then its weight is 0, so that a server that
    /// never answers gets no visitor, not even after a reload.
    pub proven: bool,
    /// The server is about to be stopped and started again, or is a database that is not open yet: it gets no traffic
    /// meanwhile.
    pub held: bool,
    /// The server was asked to leave, and stays in service: because no other server serves yet (web), or while its
    /// open connections get time to finish (db).
    pub stays: bool,
    /// The server's process is proven not to listen on its port: any listener there is another program.
    pub gone: bool,
}

/// Milliseconds between two checks of a healthy web server.
pub const WEB_CHECK_INTERVAL: u64 = figures::WEB_CHECK;

/// A rendered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Its lines, each with the reason for it.
    pub lines: Vec<Line>,
    /// The whole text.
    pub text: String,
    /// The sum of everything that the runtime API cannot change.
    pub shape: String,
}

/// The input from which a file was rendered.
struct Source {
    desired: Desired,
    setting: Setting,
    places: BTreeMap<ServerName, ServerLine>,
}

thread_local! {
    /// The last file of each proxy. A file is needed some eighty times a second, for every plan and every snapshot,
    /// but changes only a few times a day. Rendering it each time took most of Cordée's processor time.
    static LAST: RefCell<BTreeMap<PoolId, (Source, Arc<Rendered>)>> = const { RefCell::new(BTreeMap::new()) };
}

/// Renders the file of one proxy. `places` has an entry for every server whose address is known.
pub fn render(
    desired: &Desired,
    proxy: PoolId,
    setting: &Setting,
    places: &BTreeMap<ServerName, ServerLine>,
) -> Arc<Rendered> {
    LAST.with_borrow_mut(|last| {
        if let Some((source, rendered)) = last.get(&proxy)
            && (&source.desired, &source.setting, &source.places) == (desired, setting, places)
        {
            return Arc::clone(rendered);
        }
        let rendered = Arc::new(fresh(desired, proxy, setting, places));
        let source = Source { desired: desired.clone(), setting: setting.clone(), places: places.clone() };
        last.insert(proxy, (source, Arc::clone(&rendered)));
        rendered
    })
}

fn fresh(
    desired: &Desired,
    proxy: PoolId,
    setting: &Setting,
    places: &BTreeMap<ServerName, ServerLine>,
) -> Rendered {
    let sections = sections::of(desired, proxy, setting);
    let shape = shape(desired, proxy, setting, places, &sections);
    let mut lines = vec![sections::mark()];
    lines.extend(sections::global(desired, proxy, setting, &shape));
    for section in sections {
        lines.extend(section.lines);
        if let Some(backend) = section.backend {
            for server in &desired.pool(proxy).servers {
                if let Some(place) = places.get(&server.name) {
                    lines.push(server_line(desired, backend, proxy, server, *place));
                }
            }
        }
    }
    // HAProxy accepts a file that was cut at the end of a line: this last line proves that the file is complete.
    let end = Line::head(format!("{END}{}", sum(&joined(&lines))), why!("line-end"));
    lines.push(end);
    Rendered { text: joined(&lines), lines, shape }
}

/// Returns the sum of everything that the runtime API cannot change.
fn shape(
    desired: &Desired,
    proxy: PoolId,
    setting: &Setting,
    places: &BTreeMap<ServerName, ServerLine>,
    sections: &[Section],
) -> String {
    let mut source = joined(&sections::global(desired, proxy, setting, ""));
    for section in sections {
        source.push_str(&joined(&section.lines));
    }
    // Before HAProxy 3.0 a chosen cookie cannot be set at run time, so it is part of the shape.
    for server in desired.pool(proxy).servers.iter().filter(|s| places.contains_key(&s.name)) {
        if let Some(cookie) = chosen(server) {
            let _ = writeln!(source, "{} {}", server.id, cookie.as_str());
        }
    }
    hex(&Sha256::digest(source.as_bytes()), 8)
}

/// Returns the cookie that an operator chose for that server. Otherwise HAProxy derives the cookie of a web server
/// itself.
fn chosen(server: &Server) -> Option<&Cookie> {
    match &server.as_web()?.cookie {
        CookieChoice::Chosen(cookie) => Some(cookie),
        CookieChoice::Automatic => None,
    }
}

/// Joins the lines into a file.
fn joined(lines: &[Line]) -> String {
    lines.iter().fold(String::new(), |text, line| text + line.text() + "\n")
}

/// The words before the sum in the last line.
const END: &str = "# end ";

fn sum(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()), 16)
}

/// Whether a file is exactly as Cordée wrote it for some wish: its last line holds the sum of the other lines.
pub fn untouched(text: &str) -> bool {
    let Some(at) = text.rfind(END) else { return false };
    text[at..].strip_prefix(END).and_then(|s| s.strip_suffix('\n')) == Some(sum(&text[..at]).as_str())
}

/// Returns the `server` line. The words after the address in it are also given to `add server`.
fn server_line(desired: &Desired, backend: &str, proxy: PoolId, server: &Server, place: ServerLine) -> Line {
    let wish = wish(desired, server, place);
    let out = if backend == WRITER_BACKEND { wish.writer_maintenance } else { wish.maintenance };
    let address = SocketAddr::new(place.ip, server.port).to_string();
    let name = server.name.as_str();
    let mut parts = vec![
        part(
            format!("server {name} {address}"),
            text!("part-server", name = name, address = address.as_str()),
        ),
        part(format!("id {}", server.id), text!("part-id")),
    ];
    if let Some(cookie) = chosen(server) {
        parts.push(part(format!("cookie {}", cookie.as_str()), text!("part-cookie", name = name)));
    }
    parts.push(part(format!("weight {}", wish.weight), weight(wish)));
    if out {
        let does = match server.kind {
            Kind::Web(_) => text!("part-disabled"),
            Kind::Database(_) => text!("part-disabled-database"),
        };
        parts.push(part("disabled", does));
    }
    parts.extend(parameter_parts(proxy));
    let why = match (&server.kind, out) {
        (Kind::Web(_), false) if wish.weight > 0 => why!("line-server", name = name),
        (Kind::Web(_), false) => why!("line-server-weightless", name = name),
        (Kind::Web(_), true) => why!("line-server-out", name = name),
        (Kind::Database(_), false) => why!("line-database", name = name),
        (Kind::Database(_), true) => why!("line-database-out", name = name),
    };
    Line::of_parts(parts, why)
}

fn weight(wish: RuntimeWish) -> Text {
    match wish.weight {
        0 if wish.drain => text!("part-weight-drain"),
        0 => text!("part-weight-none"),
        weight => text!("part-weight", weight = weight),
    }
}

/// Returns the part of a `server` line that is the same for all servers of a pool. The file and `add server` both use
/// it, because HAProxy ignores `default-server` for servers added at run time (2.6 management guide, "add server").
pub fn parameters(proxy: PoolId) -> String {
    let parts = parameter_parts(proxy);
    parts.iter().map(|p| p.words.as_str()).collect::<Vec<_>>().join(" ")
}

fn parameter_parts(proxy: PoolId) -> Vec<Part> {
    let (fast, down) = (clock(figures::CHECK_IN_DOUBT), clock(figures::CHECK_DOWN));
    let check = |inter: Millis| {
        let inter = clock(inter);
        let does = text!("part-check", inter = spoken(&inter), fast = spoken(&fast), down = spoken(&down));
        part(format!("check inter {inter} fastinter {fast} downinter {down}"), does)
    };
    let rise = part("rise 1 fall 2", text!("part-rise", rise = 1_u32, fall = 2_u32));
    match proxy {
        PoolId::Web => vec![
            check(figures::WEB_CHECK),
            rise,
            part("observe layer4 error-limit 1 on-error mark-down", text!("part-observe")),
            part(format!("maxconn {}", most(proxy)), text!("part-maxconn", count = most(proxy))),
        ],
        PoolId::Db => {
            vec![check(500), rise, part("on-marked-down shutdown-sessions", text!("part-shutdown"))]
        }
    }
}

/// The state that the running HAProxy instance should have for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuntimeWish {
    /// Weight, 0 to 100.
    pub weight: u32,
    /// The server gets no traffic and is not checked.
    pub maintenance: bool,
    /// For a database: the same behind the address of the one writer. For a web server: the same as `maintenance`.
    pub writer_maintenance: bool,
    /// The server only gets those who hold its cookie (web), or no new connection (db).
    pub drain: bool,
}

/// Returns the state that the running HAProxy instance should have for `server`. A standby database is in maintenance
/// in HAProxy's file as well as in the process: an instance that is started from its file alone must not send writes
/// to a standby.
pub fn wish(desired: &Desired, server: &Server, place: ServerLine) -> RuntimeWish {
    match server.either() {
        Either::Database(server) => {
            let writer = desired.is_writer(&server.name) && desired.handover.is_none() && !place.gone;
            let takes = desired.takes_writes(server) && desired.handover.is_none();
            let open = takes && !place.held && !place.gone;
            let stays = place.stays && !place.gone;
            RuntimeWish {
                weight: FULL_WEIGHT,
                maintenance: !(writer || open || stays),
                writer_maintenance: !writer,
                drain: stays,
            }
        }
        Either::Web(server) => {
            let full = if place.proven { FULL_WEIGHT } else { 0 };
            let leaves = server.stopped() || server.leaving || place.held;
            let stopped = (leaves && !place.stays) || place.gone;
            let admin = if place.stays { Admin::Ready } else { server.admin };
            let maintenance = admin == Admin::Maintenance || stopped;
            RuntimeWish {
                weight: if admin == Admin::Drain { 0 } else { full },
                maintenance,
                writer_maintenance: maintenance,
                drain: admin == Admin::Drain && !stopped,
            }
        }
    }
}

/// Returns the names of the backends that hold a pool's servers.
pub const fn backends(proxy: PoolId) -> &'static [&'static str] {
    match proxy {
        PoolId::Web => &["web"],
        PoolId::Db => &["db", WRITER_BACKEND],
    }
}

/// Returns the names of a proxy's listeners.
pub const fn frontends(proxy: PoolId) -> &'static [&'static str] {
    match proxy {
        PoolId::Web => &["web"],
        PoolId::Db => &["db", "db_writer"],
    }
}

/// Returns the maximum number of connections that HAProxy opens to one server of a pool at once; 0 means no limit.
pub const fn most(proxy: PoolId) -> u64 {
    match proxy {
        // Below Apache's 64 workers, so that kept connections can never starve a check.
        PoolId::Web => figures::WEB_AT_ONCE,
        PoolId::Db => 0,
    }
}

/// Returns the first `count` bytes in hexadecimal.
pub fn hex(bytes: &[u8], count: usize) -> String {
    bytes.iter().take(count).fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Returns the names of the servers that a file does not put into maintenance, whatever their weight.
pub fn enabled_in(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("server "))
        .filter(|rest| !rest.contains(" disabled "))
        .filter_map(|rest| rest.split(' ').next())
        .collect()
}

/// Returns the names of the servers that have a weight in a file: they had passed a check when the file was written.
pub fn proven_in(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("server "))
        .filter(|rest| !rest.contains(" weight 0 "))
        .filter_map(|rest| rest.split(' ').next())
        .collect()
}
