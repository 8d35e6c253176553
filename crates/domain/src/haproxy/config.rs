//! The configuration file, rendered from the wish.
//!
//! There is no free text in it: every value comes from a type that was parsed. The file differs from the
//! running process in nothing but what the runtime API can change, and the part that it cannot change is
//! summed up in a *shape*, which the file carries as its description and the process repeats in `show info`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use crate::desired::{Admin, CookieChoice, Desired, FULL_WEIGHT, Power, Server};
use crate::haproxy::log;
use crate::ids::{PoolId, ServerName};
use crate::sessions::{HEADER, KEY};

/// What the file needs that is not a wish: decided once, when the cluster is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Runtime socket of HAProxy `web`.
    pub web_socket: PathBuf,
    /// Runtime socket of HAProxy `db`.
    pub db_socket: PathBuf,
    /// The map file that holds the session mode.
    pub session_map: PathBuf,
    /// Secret from which automatic cookies are derived (manual 2.6, `dynamic-cookie-key`).
    pub cookie_key: String,
}

/// What is known about a server when the file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its address: names are resolved before they get here.
    pub ip: IpAddr,
    /// Whether a check has succeeded since it was added. Until then its weight is 0, so that a server that
    /// never answers gets no visitor, not even after a reload.
    pub proven: bool,
    /// About to be stopped and started again, or a database that is not open yet: nobody is sent there meanwhile.
    pub held: bool,
}

/// The name of HAProxy's stickiness cookie.
pub const COOKIE: &str = "SERVEUR";

/// The backend that always leads to the one writer.
pub const WRITER_BACKEND: &str = "db_writer";

/// Check settings of a web server. Written once here, used in the file and in `add server`: HAProxy ignores
/// `default-server` for servers added at run time (2.6 management guide, "add server").
///
/// `maxconn` stays below Apache's 64 workers so that a kept connection never starves a check.
pub const WEB_PARAMETERS: &str = "check inter 1s fastinter 200ms downinter 250ms rise 1 fall 2 \
     observe layer4 error-limit 1 on-error mark-down maxconn 48";

/// Milliseconds between two checks of a web server that is well.
pub const WEB_CHECK_INTERVAL: u64 = 1_000;

const DB_PARAMETERS: &str = "check inter 500ms fastinter 200ms downinter 250ms rise 1 fall 2 \
     on-marked-down shutdown-sessions";

/// A rendered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The whole text.
    pub text: String,
    /// Sums up all that the runtime API cannot change.
    pub shape: String,
}

/// Renders the file of one proxy. `places` has an entry for each server whose address is known.
pub fn render(
    desired: &Desired,
    proxy: PoolId,
    setting: &Setting,
    places: &BTreeMap<ServerName, Place>,
) -> Rendered {
    let body = match proxy {
        PoolId::Web => web(desired, setting),
        PoolId::Db => db(desired),
    };
    let mut shape_source = String::new();
    shape_source.push_str(&global(desired, proxy, setting, ""));
    for section in &body {
        shape_source.push_str(&section.head);
    }
    // A chosen cookie cannot be set at run time before HAProxy 3.0: it belongs to the shape.
    for server in &desired.pool(proxy).servers {
        if let (CookieChoice::Chosen(cookie), true) = (&server.cookie, places.contains_key(&server.name)) {
            let _ = writeln!(shape_source, "{} {}", server.id, cookie.as_str());
        }
    }
    let shape = hex(&Sha256::digest(shape_source.as_bytes()), 8);

    let mut text =
        String::from("# Written by Cordée, which overwrites changes made here by hand within a second.\n");
    text.push_str(&global(desired, proxy, setting, &shape));
    for section in &body {
        text.push_str(&section.head);
        if !section.backend.is_empty() {
            for server in &desired.pool(proxy).servers {
                if let Some(place) = places.get(&server.name) {
                    text.push_str(&server_line(desired, section.backend, proxy, server, *place));
                }
            }
        }
    }
    // HAProxy accepts a file cut at a line's end: the last line proves that nothing is missing.
    let sum = hex(&Sha256::digest(text.as_bytes()), 16);
    let _ = writeln!(text, "# end {sum}");
    Rendered { text, shape }
}

struct Section {
    head: String,
    /// The backend's name, when servers follow.
    backend: &'static str,
}

fn global(desired: &Desired, proxy: PoolId, setting: &Setting, shape: &str) -> String {
    let socket = match proxy {
        PoolId::Web => &setting.web_socket,
        PoolId::Db => &setting.db_socket,
    };
    let stop = match proxy {
        PoolId::Web => "    hard-stop-after 30s\n",
        // Sessions of a former worker would outlive a change of writer.
        PoolId::Db => "    hard-stop-after 10s\n",
    };
    format!(
        "global\n    description cordee {proxy} {shape}\n    log stdout format raw local0 notice\n    \
         stats socket {} mode 600 level admin\n    stats timeout 10s\n    stats maxconn 16\n{stop}\n\
         # generation {}\n",
        socket.display(),
        desired.pool(proxy).generation
    )
}

/// The frontend's lines about who visits: where requests are logged and in which words, and whom to believe about the
/// visitor's address. The change of colour that the site names is for us alone.
fn visitors(desired: &Desired) -> String {
    let mut lines = String::new();
    if let Some(port) = desired.visitors.port {
        let _ = writeln!(lines, "    log 127.0.0.1:{port} len {} format raw local0 info", log::MOST_BYTES);
        let _ = writeln!(lines, "    log-format \"{}\"", log::format());
        // A connection that asks for nothing is no visit: browsers open some in advance.
        lines.push_str("    option dontlognull\n");
    }
    if !desired.visitors.trusted.is_empty() {
        let trusted: Vec<String> = desired.visitors.trusted.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            lines,
            "    http-request set-src req.hdr_ip(X-Forwarded-For,-1) if {{ src {} }}",
            trusted.join(" ")
        );
    }
    lines.push_str(
        "    http-request set-var(txn.method) method\n    http-request set-var(txn.path) path\n    \
         http-request set-var(txn.agent) req.hdr(User-Agent)\n    \
         http-response set-var(txn.change) res.hdr(X-Cordee-Change)\n    \
         http-response del-header X-Cordee-Change\n",
    );
    lines
}

fn web(desired: &Desired, setting: &Setting) -> Vec<Section> {
    let listen = bind(desired.web.listen);
    let visitors = visitors(desired);
    let key = &setting.cookie_key;
    let map = setting.session_map.display();
    vec![
        Section {
            head: format!(
                "defaults\n    mode http\n    log global\n    option idle-close-on-response\n    option redispatch 1\n    \
                 retries 3\n    retry-on conn-failure empty-response\n    timeout connect 500ms\n    timeout client 30s\n    \
                 timeout server 30s\n    timeout queue 5s\n    timeout http-request 10s\n    timeout http-keep-alive 10s\n    \
                 timeout check 2s\n\nfrontend web\n    bind {listen}\n{visitors}    option forwardfor\n    \
                 http-request del-header X-Forwarded-For\n    \
                 http-request set-var(txn.session) str({KEY}),map({map},proxy)\n    \
                 http-request set-header {HEADER} %[var(txn.session)]\n    \
                 http-request replace-header Cookie (^|;\\s*)cordee_[^=;]*=[^;]*(.*) \\1\\2\n    \
                 default_backend web\n\n"
            ),
            backend: "",
        },
        Section {
            head: format!(
                "backend web\n    balance roundrobin\n    cookie {COOKIE} insert indirect nocache httponly attr SameSite=Lax dynamic\n    \
                 dynamic-cookie-key {key}\n    ignore-persist if {{ path / }}\n    \
                 ignore-persist if {{ var(txn.session) -m str database }}\n    \
                 http-request disable-l7-retry unless METH_GET\n    option httpchk\n    \
                 http-check send meth GET uri / ver HTTP/1.1 hdr Host cordee-check hdr Connection close\n    \
                 http-check expect rstatus ^[23]\n"
            ),
            backend: "web",
        },
    ]
}

fn db(desired: &Desired) -> Vec<Section> {
    let head = format!(
        "defaults\n    mode tcp\n    log global\n    option clitcpka\n    option srvtcpka\n    retries 2\n    \
         timeout connect 1s\n    timeout client 1h\n    timeout server 1h\n    timeout queue 5s\n    timeout check 1s\n\n\
         frontend db\n    bind {}\n    default_backend db\n\nfrontend db_writer\n    bind {}\n    \
         default_backend db_writer\n\n",
        bind(desired.db.listen),
        bind(desired.writer_listen)
    );
    vec![
        Section { head, backend: "" },
        Section { head: "backend db\n    option mysql-check\n".to_owned(), backend: "db" },
        Section {
            head: format!("\nbackend {WRITER_BACKEND}\n    option mysql-check\n"),
            backend: WRITER_BACKEND,
        },
    ]
}

fn bind(address: SocketAddr) -> String {
    format!("{}:{}", address.ip(), address.port())
}

/// The `server` line. What follows the address in it is also what `add server` is given.
fn server_line(desired: &Desired, backend: &str, proxy: PoolId, server: &Server, place: Place) -> String {
    let wish = wish(desired, proxy, server, place);
    let out = if backend == WRITER_BACKEND { wish.writer_maintenance } else { wish.maintenance };
    let cookie = match &server.cookie {
        CookieChoice::Chosen(cookie) if proxy == PoolId::Web => format!(" cookie {}", cookie.as_str()),
        _ => String::new(),
    };
    let disabled = if out { " disabled" } else { "" };
    format!(
        "    server {} {} id {}{cookie} weight {}{disabled} {}\n",
        server.name,
        SocketAddr::new(place.ip, server.port),
        server.id,
        wish.weight,
        parameters(proxy)
    )
}

/// The part of a `server` line that is the same for all servers of a pool.
pub const fn parameters(proxy: PoolId) -> &'static str {
    match proxy {
        PoolId::Web => WEB_PARAMETERS,
        PoolId::Db => DB_PARAMETERS,
    }
}

/// What the running HAProxy should hold for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Weight, 0 to 100.
    pub weight: u32,
    /// Gets nothing and is not checked.
    pub maintenance: bool,
    /// A database: the same behind the address of the one writer; a web server: the same as `maintenance`.
    pub writer_maintenance: bool,
    /// Gets only those who hold its cookie.
    pub drain: bool,
}

/// What the running HAProxy should hold for `server`. A standby database is in maintenance in HAProxy's
/// file as well as in the process: a HAProxy started from its file alone must not send writes to it.
pub fn wish(desired: &Desired, proxy: PoolId, server: &Server, place: Place) -> Wish {
    match proxy {
        PoolId::Db => {
            // A writer that a person stopped stays where it is: with no other to take over, nobody else is in service.
            let writer = desired.is_writer(&server.name) && desired.handover.is_none();
            let open = desired.takes_writes(server) && desired.handover.is_none() && !place.held;
            Wish {
                weight: FULL_WEIGHT,
                maintenance: !(writer || open),
                writer_maintenance: !writer,
                drain: false,
            }
        }
        PoolId::Web => {
            let full = if place.proven { FULL_WEIGHT } else { 0 };
            let stopped = server.power == Power::Off || place.held;
            let maintenance = server.admin == Admin::Maintenance || stopped;
            Wish {
                weight: if server.admin == Admin::Drain { 0 } else { full },
                maintenance,
                writer_maintenance: maintenance,
                drain: server.admin == Admin::Drain && !stopped,
            }
        }
    }
}

/// The names of the backends that hold a pool's servers.
pub const fn backends(proxy: PoolId) -> &'static [&'static str] {
    match proxy {
        PoolId::Web => &["web"],
        PoolId::Db => &["db", WRITER_BACKEND],
    }
}

/// The first `bytes` bytes in hexadecimal.
pub fn hex(bytes: &[u8], count: usize) -> String {
    bytes.iter().take(count).fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Names of the servers that have a weight in a file: they had proven themselves when it was written.
pub fn proven_in(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("server "))
        .filter(|rest| !rest.contains(" weight 0 "))
        .filter_map(|rest| rest.split(' ').next())
        .map(str::to_owned)
        .collect()
}
