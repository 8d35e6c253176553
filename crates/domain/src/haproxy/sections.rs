//! The sections of the two files, line by line. How to add a line: CONTRIBUTING.md, "A new line of a file".

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::line::{Line, clock, part, spoken};
use super::log;
use super::setting::{COOKIE, NOBODY, NOBODY_AT, NOBODY_ID, Setting, WRITER_BACKEND};
use crate::desired::Desired;
use crate::figures;
use crate::ids::PoolId;
use crate::sessions::{HEADER, KEY};
use crate::{text, why};

/// Lines that the runtime API cannot change, and the backend whose servers follow them.
pub(super) struct Section {
    pub(super) lines: Vec<Line>,
    pub(super) backend: Option<&'static str>,
}

/// The first line.
pub(super) fn mark() -> Line {
    Line::head(
        "# Written by Cordée, which overwrites changes made here by hand within a second.",
        why!("line-mark"),
    )
}

/// Settings of the program itself. `shape` is empty while the shape is being summed up.
pub(super) fn global(desired: &Desired, proxy: PoolId, setting: &Setting, shape: &str) -> Vec<Line> {
    let socket = match proxy {
        PoolId::Web => setting.web_socket.display(),
        PoolId::Db => setting.db_socket.display(),
    };
    let stop = match proxy {
        PoolId::Web => {
            let time = clock(figures::WEB_HARD_STOP);
            Line::set(format!("hard-stop-after {time}"), why!("line-hard-stop", time = spoken(&time)))
        }
        // Sessions of a former worker would outlive a change of writer.
        PoolId::Db => {
            let time = clock(figures::DATABASE_HARD_STOP);
            Line::set(
                format!("hard-stop-after {time}"),
                why!("line-hard-stop-database", time = spoken(&time)),
            )
        }
    };
    vec![
        Line::head("global", why!("line-global")),
        Line::set(format!("description cordee {proxy} {shape}"), why!("line-description")),
        Line::set("log stdout format raw local0 notice", why!("line-log")),
        Line::set(format!("stats socket {socket} mode 600 level admin"), why!("line-socket")),
        Line::set("stats timeout 10s", why!("line-socket-timeout", time = spoken("10s"))),
        Line::set("stats maxconn 16", why!("line-socket-most", count = 16_u32)),
        stop,
        Line::empty(),
        Line::head(format!("# generation {}", desired.pool(proxy).generation), why!("line-generation")),
    ]
}

/// All sections but the first.
pub(super) fn of(desired: &Desired, proxy: PoolId, setting: &Setting) -> Vec<Section> {
    match proxy {
        PoolId::Web => vec![
            Section { lines: [web_defaults(), web_frontend(desired, setting)].concat(), backend: None },
            Section { lines: web_backend(setting), backend: Some("web") },
        ],
        PoolId::Db => vec![
            Section { lines: [db_defaults(), db_frontends(desired)].concat(), backend: None },
            Section { lines: db_backend(), backend: Some("db") },
            Section { lines: db_writer_backend(), backend: Some(WRITER_BACKEND) },
        ],
    }
}

fn web_defaults() -> Vec<Line> {
    vec![
        Line::head("defaults", why!("line-defaults")),
        Line::set("mode http", why!("line-mode-http")),
        Line::set("log global", why!("line-log-global")),
        Line::set("option idle-close-on-response", why!("line-idle-close")),
        Line::set("option redispatch 1", why!("line-redispatch")),
        Line::set("retries 3", why!("line-retries", count = 3_u32)),
        Line::set("retry-on conn-failure empty-response", why!("line-retry-on")),
        timeout("connect", "500ms", |time| why!("line-timeout-connect", time = time)),
        timeout("client", &clock(figures::TRAFFIC_SILENT), |time| why!("line-timeout-client", time = time)),
        timeout("server", &clock(figures::TRAFFIC_SILENT), |time| why!("line-timeout-server", time = time)),
        timeout("queue", &clock(figures::QUEUE), |time| why!("line-timeout-queue", time = time)),
        timeout("http-request", &clock(figures::REQUEST_HEAD), |time| {
            why!("line-timeout-request", time = time)
        }),
        timeout("http-keep-alive", "10s", |time| why!("line-timeout-keep-alive", time = time)),
        timeout("check", &clock(figures::WEB_CHECK_ANSWER), |time| why!("line-timeout-check", time = time)),
        Line::empty(),
    ]
}

fn web_frontend(desired: &Desired, setting: &Setting) -> Vec<Line> {
    let map = setting.session_map.display();
    let mut head = vec![Line::head("frontend web", why!("line-frontend")), bind(desired.web.listen)];
    head.extend(apologies());
    let rest = vec![
        Line::set("option forwardfor", why!("line-forwardfor")),
        Line::set("http-request del-header ^x[-_]forwarded[-_]for$ -m reg", why!("line-forwarded")),
        Line::set(
            format!("http-request set-var(txn.session) str({KEY}),map({map},proxy)"),
            why!("line-session-mode"),
        ),
        Line::set(
            format!("http-request set-header {HEADER} %[var(txn.session)]"),
            why!("line-session-header", name = HEADER),
        ),
    ];
    [
        head,
        told_by_strangers(desired),
        visitors(desired, setting),
        rest,
        our_cookies(),
        vec![leads_to("web"), Line::empty()],
    ]
    .concat()
}

/// How HAProxy's own answer begins when no server takes a request.
pub const NO_SERVER: &str = "<!doctype html><!-- 503 -->";

/// What a visitor reads whom no server answers: HAProxy's own page, in the language that their browser asks for, or
/// in both. It is part of the file, so that it is there whatever else is not. It says nothing of what stands behind
/// the site.
fn apologies() -> Vec<Line> {
    let language = "http-request set-var(txn.lang) req.fhdr(Accept-Language),\
        language(fr;fr-FR;fr-BE;fr-CA;fr-CH;en;en-US;en-GB;en-CA;en-AU,en),field(1,-)";
    let page = |status: u16| {
        let words = format!(
            "http-error status {status} content-type \"text/html; charset=utf-8\" lf-string '{}' \
             hdr Retry-After 5 hdr Cache-Control no-store",
            apology(status)
        );
        Line::set(words, why!("line-apology", status = u32::from(status)))
    };
    [vec![Line::set(language, why!("line-apology-language"))], [502, 503, 504].map(page).to_vec()].concat()
}

/// That page: a HAProxy log format within single quotes.
fn apology(status: u16) -> String {
    let [fr, en] = match status {
        503 => ["Le site est indisponible", "The site is unavailable"],
        _ => ["Le site n’a pas répondu", "The site did not answer"],
    };
    let again = match status {
        503 => [
            "Il revient bientôt\u{a0}: réessayez dans un instant.",
            "It will be back soon: try again in a moment.",
        ],
        // What was sent may have been done.
        _ => [
            "Si vous avez envoyé un formulaire, vérifiez avant de le renvoyer.",
            "If you sent a form, check before you send it again.",
        ],
    };
    format!(
        "<!doctype html><!-- {status} --><html lang=\"%[var(txn.lang)]\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{fr} · {en}</title><style>\
         :root{{color-scheme:light dark}}body{{margin:0;min-height:90vh;display:grid;place-content:center;\
         font:1.1rem/1.5 system-ui,sans-serif}}main{{margin:1.5rem;padding-left:1.25rem;max-width:32rem;\
         border-left:3px solid #971d80}}h1{{margin:0;font-size:1.5rem;line-height:1.2}}p{{margin:.75rem 0 0}}\
         section+section{{margin-top:1.5rem}}.fr [lang=en],.en [lang=fr]{{display:none}}</style>\
         <body class=\"%[var(txn.lang)]\"><main><section lang=\"fr\"><h1>{fr}</h1><p>{}</p></section>\
         <section lang=\"en\"><h1>{en}</h1><p>{}</p></section></main>",
        again[0], again[1],
    )
}

/// Takes out what only a proxy in front may say of a visitor, unless one that is trusted says it. It stands before
/// `set-src`, which makes the sender's address the visitor's. Programs that read headers as variables take `_` for `-`.
fn told_by_strangers(desired: &Desired) -> Vec<Line> {
    let trusted = trusted(desired);
    let unless = trusted.map(|networks| format!(" unless {{ src {networks} }}")).unwrap_or_default();
    let out = |names: &str, why| Line::set(format!("http-request del-header {names} -m reg{unless}"), why);
    vec![
        out("^(x[-_])?forwarded([-_].*)?$", why!("line-stranger-forwarded")),
        out(
            "^(.+[-_])?(client|connecting|originating|real|remote)[-_](addr|ip)$",
            why!("line-stranger-address"),
        ),
        out(
            "^(front[-_]end[-_]https|x[-_](host|scheme|url[-_]scheme|original[-_].+|rewrite[-_].+))$",
            why!("line-stranger-asked"),
        ),
        Line::set("http-request del-header ^x[-_]cordee[-_] -m reg", why!("line-stranger-cordee")),
    ]
}

/// The networks of the proxies in front that are trusted, as HAProxy reads them; nothing when there are none.
fn trusted(desired: &Desired) -> Option<String> {
    let all: Vec<String> = desired.visitors.trusted.iter().map(ToString::to_string).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// How many of the page's cookies are taken out one by one: a browser sends one of each cluster to every port of the
/// machine, and two on the path of the sign-in page.
const OUR_COOKIES: usize = 8;

/// Takes the page's cookies out of what goes to the site, and nothing else. `replace-header` works on each header line
/// by itself but takes one cookie at a time; `regsub` takes any number but keeps the last header line only. So the
/// first does what browsers send, and the second what somebody made up to get past it.
fn our_cookies() -> Vec<Line> {
    let one = |why| {
        Line::set(r"http-request replace-header Cookie ^(.*;)?\s*cordee_[^=;]*=[^;]*;?\s*(.*)$ \1\2", why)
    };
    let mut lines = vec![one(why!("line-our-cookie"))];
    lines.extend((1..OUR_COOKIES).map(|_| one(why!("line-our-cookie-again"))));
    lines.push(Line::set(
        concat!(
            r#"http-request set-header Cookie '%[req.fhdr(Cookie),"#,
            r#"regsub("(^|;)[[:space:]]*cordee_[^=;]*=[^;]*","",g),regsub("^;[[:space:]]*","")]' "#,
            "if { req.fhdr(Cookie) -m reg (^|;)[[:space:]]*cordee_[^=;]*= }",
        ),
        why!("line-our-cookies-beyond", count = OUR_COOKIES),
    ));
    lines.push(Line::set(
        "http-request del-header Cookie unless { req.fhdr(Cookie) -m reg [^;[:space:]] }",
        why!("line-no-cookie-left"),
    ));
    lines
}

/// The cookies of PHP sessions by which visitors are told apart: PHP's own, and the session test page's.
const SESSIONS: [&str; 2] = ["PHPSESSID", "couleur_sid"];

/// The frontend's lines about who visits: where requests are logged and in which words, and whom to believe about the
/// visitor's address. The change of colour that the site names is for us alone.
fn visitors(desired: &Desired, setting: &Setting) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(port) = desired.visitors.port {
        let log = format!("log 127.0.0.1:{port} len {} format raw local0 info", log::MOST_BYTES);
        lines.push(Line::set(log, why!("line-access-log", port = port.to_string())));
        let format = format!("log-format \"{}\"", log::format(&setting.log_key));
        lines.push(Line::holding(format, &setting.log_key, why!("line-log-format")));
        // A connection that asks for nothing is no visit: browsers open some in advance.
        lines.push(Line::set("option dontlognull", why!("line-log-nothing")));
    }
    if let Some(trusted) = trusted(desired) {
        let rule = format!("http-request set-src req.hdr_ip(X-Forwarded-For,-1) if {{ src {trusted} }}");
        lines.push(Line::set(rule, why!("line-trusted", trusted = trusted)));
    }
    let session = |way: &str, var: &str, name: &str, why| {
        let found = format!("{}.cook({name})", &way[..3]);
        let rule = format!("http-{way} set-var(txn.{var}) {found},sha2(256) if {{ {found} -m found }}");
        Line::set(rule, why)
    };
    lines.extend([
        Line::set("http-request set-var(txn.method) method", why!("line-log-method")),
        Line::set("http-request set-var(txn.path) path", why!("line-log-path")),
        Line::set("http-request set-var(txn.agent) req.hdr(User-Agent)", why!("line-log-agent")),
        Line::set(
            format!("http-request set-var(txn.holds) req.cook({COOKIE})"),
            why!("line-log-holds", name = COOKIE),
        ),
        Line::set("http-response set-var(txn.change) res.hdr(X-Cordee-Change)", why!("line-log-change")),
        Line::set("http-response del-header X-Cordee-Change", why!("line-change-hidden")),
    ]);
    for name in SESSIONS {
        lines.push(session("request", "php", name, why!("line-log-session", name = name)));
        lines.push(session("response", "php_next", name, why!("line-log-session-next", name = name)));
    }
    lines
}

fn web_backend(setting: &Setting) -> Vec<Line> {
    vec![
        Line::head("backend web", why!("line-backend")),
        Line::set("balance roundrobin", why!("line-balance")),
        Line::set(
            format!("cookie {COOKIE} insert indirect nocache httponly attr SameSite=Lax dynamic"),
            why!("line-cookie", name = COOKIE),
        ),
        Line::secret("dynamic-cookie-key", &setting.cookie_key, why!("line-cookie-key")),
        Line::set("ignore-persist if { path / }", why!("line-not-sticky")),
        Line::set("ignore-persist if { var(txn.session) -m str database }", why!("line-session-anywhere")),
        Line::set("http-request disable-l7-retry unless METH_GET", why!("line-no-retry")),
        Line::set("option httpchk", why!("line-httpchk")),
        Line::set(
            "http-check send meth GET uri / ver HTTP/1.1 hdr Host cordee-check hdr Connection close",
            why!("line-check-send"),
        ),
        Line::set("http-check expect rstatus ^[23]", why!("line-check-expect")),
    ]
}

fn db_defaults() -> Vec<Line> {
    vec![
        Line::head("defaults", why!("line-defaults")),
        Line::set("mode tcp", why!("line-mode-tcp")),
        Line::set("log global", why!("line-log-global")),
        Line::set("option clitcpka", why!("line-client-alive")),
        Line::set("option srvtcpka", why!("line-server-alive")),
        Line::set("option redispatch 1", why!("line-redispatch-database")),
        // Together a second and a half. The checks of the web servers ask for a page, and wait two seconds for it: one
        // that can be made without a database must come in time. Our own question at these addresses waits 1.8 s.
        Line::set("retries 15", why!("line-retries-database", count = 15_u32)),
        timeout("connect", &clock(figures::DATABASE_TRY), |time| {
            why!("line-timeout-connect-database", time = time)
        }),
        timeout("client", &clock(figures::DATABASE_TRAFFIC_SILENT), |time| {
            why!("line-timeout-client-database", time = time)
        }),
        timeout("server", &clock(figures::DATABASE_TRAFFIC_SILENT), |time| {
            why!("line-timeout-server-database", time = time)
        }),
        timeout("queue", &clock(figures::QUEUE), |time| why!("line-timeout-queue", time = time)),
        timeout("check", "1s", |time| why!("line-timeout-check", time = time)),
        Line::empty(),
    ]
}

fn db_frontends(desired: &Desired) -> Vec<Line> {
    vec![
        Line::head("frontend db", why!("line-frontend-database")),
        bind(desired.db.listen),
        to_no_port(),
        leads_to("db"),
        Line::empty(),
        Line::head("frontend db_writer", why!("line-frontend-writer")),
        bind(desired.writer_listen),
        to_no_port(),
        leads_to(WRITER_BACKEND),
        Line::empty(),
    ]
}

fn db_backend() -> Vec<Line> {
    [vec![Line::head("backend db", why!("line-backend-database"))], database_check(), vec![nobody()]].concat()
}

fn db_writer_backend() -> Vec<Line> {
    let head = Line::head(format!("backend {WRITER_BACKEND}"), why!("line-backend-writer"));
    [vec![Line::empty(), head], database_check(), vec![nobody()]].concat()
}

/// The account whose sign-in a check begins: an application's, which each database has.
const ASKED_AS: &str = "site_app";

/// Reads the greeting, begins to sign in, and is gone once MariaDB has asked for the password in its own way. A
/// connection that is closed before it has named an account is a line in MariaDB's log, four a second
/// (`option mysql-check`); so is a refused one.
fn database_check() -> Vec<Line> {
    vec![
        Line::set("option tcp-check", why!("line-database-check")),
        Line::set("tcp-check expect rbinary ^.{6}000A", why!("line-check-greeting")),
        Line::set(
            format!("tcp-check send-binary {}", sign_in(ASKED_AS)),
            why!("line-check-begin", name = ASKED_AS),
        ),
        Line::set("tcp-check expect rbinary ^.{6}02FE", why!("line-check-asked")),
    ]
}

/// The first packet of a sign-in (protocol 4.1), in a way that no account uses and without a password, in hexadecimal.
fn sign_in(account: &str) -> String {
    // CLIENT_LONG_PASSWORD, CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION, CLIENT_PLUGIN_AUTH.
    const ABLE: u32 = 1 | 1 << 9 | 1 << 15 | 1 << 19;
    const LONGEST: u32 = 1 << 24;
    const UTF8: u8 = 45;
    let mut packet = [&ABLE.to_le_bytes()[..], &LONGEST.to_le_bytes(), &[UTF8], &[0; 23]].concat();
    packet.extend(account.bytes());
    // Its end, and an empty answer to the greeting.
    packet.extend([0, 0]);
    packet.extend(b"check\0");
    // Three octets of length, one of number: the greeting was 0.
    let length = u32::try_from(packet.len()).unwrap_or_default() | 1 << 24;
    let all = [&length.to_le_bytes()[..], &packet].concat();
    all.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02X}");
        hex
    })
}

/// Only `nobody` has no port of its own, and takes this one. Nobody can hold port 0, whatever their rights: the kernel
/// gives another one to whoever asks for it. So each connection there is refused.
fn to_no_port() -> Line {
    Line::set("tcp-request connection set-dst-port int(0)", why!("line-no-port"))
}

/// A server that never takes a connection, and is asked while no other one is in service: HAProxy closes a connection
/// at once when a backend has no server, and tries again when the server refuses.
fn nobody() -> Line {
    let parts = vec![
        part(format!("server {NOBODY} {NOBODY_AT}"), text!("part-nobody", address = NOBODY_AT.to_string())),
        part(format!("id {NOBODY_ID}"), text!("part-nobody-id")),
        part("backup", text!("part-nobody-backup")),
    ];
    Line::of_parts(parts, why!("line-nobody"))
}

fn timeout(of: &str, time: &str, why: fn(String) -> super::line::Why) -> Line {
    Line::set(format!("timeout {of} {time}"), why(spoken(time)))
}

fn bind(address: SocketAddr) -> Line {
    let (ip, port) = (address.ip(), address.port());
    Line::set(format!("bind {address}"), why!("line-bind", address = ip.to_string(), port = port.to_string()))
}

fn leads_to(backend: &str) -> Line {
    Line::set(format!("default_backend {backend}"), why!("line-default-backend", backend = backend))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_begun_as_the_protocol_has_it() {
        let hex = sign_in("ab");
        assert_eq!(&hex[..8], "2A000001", "42 octets, the second packet");
        assert_eq!(&hex[8..26], "01820800000000012D", "abilities, longest packet, character set");
        assert_eq!(&hex[26..72], "0".repeat(46), "nothing");
        assert_eq!(
            &hex[72..],
            "616200".to_owned() + "00" + "636865636B00",
            "account, no password, a way of its own"
        );
        assert_eq!(hex.len(), 2 * (4 + 0x2A));
    }

    #[test]
    fn a_page_without_a_server_fits_a_line_and_has_no_mark_of_its_own_language() {
        for line in apologies() {
            assert!(line.text().len() < 2_000, "HAProxy reads lines of 2,048 octets: {}", line.text().len());
            assert_eq!(line.text().matches('\'').count() % 2, 0, "{}", line.text());
        }
        for status in [502, 503, 504] {
            let page = apology(status);
            assert!(!page.contains(['\'', '\n', '\\']), "{page}");
            assert_eq!(page.matches('%').count(), page.matches("%[var(txn.lang)]").count(), "{page}");
        }
        assert!(apology(503).starts_with(NO_SERVER) && !apology(502).starts_with(NO_SERVER));
    }
}
