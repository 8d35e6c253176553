//! The sections of the two configuration files, line by line. CONTRIBUTING.md, "A new line of a file", says how to add
//! a line.

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

/// Returns the first line.
pub(super) fn mark() -> Line {
    Line::head(
        "# Written by Cordée, which overwrites changes made here by hand within a second.",
        why!("line-mark"),
    )
}

/// Returns the settings of the program itself. `shape` is empty while the shape is being computed.
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

/// Returns all sections except the first.
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

/// The beginning of HAProxy's own answer when no server takes a request.
pub const NO_SERVER: &str = "<!doctype html><!-- 503 -->";

/// Returns the lines of HAProxy's own error page, which a visitor gets if no server answers. It is in the language of
/// the visitor's browser, or in both languages. It is part of the file, so that it is available whatever else has
/// failed. It reveals nothing about what is behind the site.
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

/// Returns that page, as a HAProxy log format within single quotes.
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
        // The server may have processed what the visitor sent.
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

/// Removes the headers that only a proxy in front of HAProxy may set, unless a trusted proxy sends them. These lines
/// come before `set-src`, which replaces the sender's address with the visitor's. `_` is matched as well as `-`,
/// because programs that read headers as variables do not distinguish the two.
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

/// Returns the networks of the trusted proxies in HAProxy's form; `None` if there are none.
fn trusted(desired: &Desired) -> Option<String> {
    let all: Vec<String> = desired.visitors.trusted.iter().map(ToString::to_string).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// How many of the page's cookies are removed one by one. A browser sends one cookie of each cluster to every port of
/// the machine, and two on the path of the sign-in page.
const OUR_COOKIES: usize = 8;

/// Removes the page's cookies, and nothing else, from the requests to the site. `replace-header` processes every
/// header line but removes one cookie at a time; `regsub` removes any number but keeps only the last header line.
/// Therefore the first handles what browsers send, and the second what somebody crafted to get past the first.
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

/// The cookies of PHP sessions by which visitors are distinguished: PHP's own, and that of the session test page.
const SESSIONS: [&str; 2] = ["PHPSESSID", "couleur_sid"];

/// Returns the frontend's lines about visitors: where and in which format requests are logged, and which proxies are
/// trusted to report the visitor's address. The change of colour that the site reports is for Cordée only.
fn visitors(desired: &Desired, setting: &Setting) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(port) = desired.visitors.port {
        let log = format!("log 127.0.0.1:{port} len {} format raw local0 info", log::MOST_BYTES);
        lines.push(Line::set(log, why!("line-access-log", port = port.to_string())));
        let format = format!("log-format \"{}\"", log::format(&setting.log_key));
        lines.push(Line::holding(format, &setting.log_key, why!("line-log-format")));
        // A connection without a request is not a visit: browsers open some in advance.
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
        // In total a second and a half. The checks of the web servers request a page and wait two seconds for it, so a
        // page that can be made without a database must be ready in time. Cordée's own probe of these addresses waits
        // 1.8 s.
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

/// The account with which the check begins a login: an application's account, which every database has.
const ASKED_AS: &str = "site_app";

/// Reads the greeting, begins a login, and closes the connection once MariaDB has asked for the password by its own
/// method. A connection that is closed before it has named an account would cause a line in MariaDB's log, four per
/// second (`option mysql-check`); so would a refused login.
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

/// Returns the first packet of a login (protocol 4.1) in hexadecimal, with an authentication method that no account
/// uses and without a password.
fn sign_in(account: &str) -> String {
    // CLIENT_LONG_PASSWORD, CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION, CLIENT_PLUGIN_AUTH.
    const ABLE: u32 = 1 | 1 << 9 | 1 << 15 | 1 << 19;
    const LONGEST: u32 = 1 << 24;
    const UTF8: u8 = 45;
    let mut packet = [&ABLE.to_le_bytes()[..], &LONGEST.to_le_bytes(), &[UTF8], &[0; 23]].concat();
    packet.extend(account.bytes());
    // The end of the account's name, and an empty response to the greeting.
    packet.extend([0, 0]);
    packet.extend(b"check\0");
    // Three octets of length and one of sequence number: the greeting had number 0.
    let length = u32::try_from(packet.len()).unwrap_or_default() | 1 << 24;
    let all = [&length.to_le_bytes()[..], &packet].concat();
    all.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02X}");
        hex
    })
}

/// Sets the destination port for the server `nobody`, which is the only one without a port of its own. No process can
/// listen on port 0, whatever its privileges: the kernel assigns another port to a process that asks for it. Therefore
/// every connection there is refused.
fn to_no_port() -> Line {
    Line::set("tcp-request connection set-dst-port int(0)", why!("line-no-port"))
}

/// Returns a server that never accepts a connection, and that is used while no other server is in service. If a
/// backend has no server HAProxy closes a connection at once; if the server refuses, HAProxy tries again.
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
