//! Parses HAProxy's statistics: `show info`, `show stat` (CSV, read by its header, because each version adds columns)
//! and `show servers state`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::ids::{PoolId, ServerName};
use crate::sessions::Mode;

use super::config::{backends, frontends};
use super::setting::{NOBODY, NOBODY_AT};

/// What a HAProxy instance reports about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The worker's process id.
    pub pid: u32,
    /// The shape of the file from which it was started (see `config::Rendered`); absent if the file is not Cordée's.
    pub shape: Option<String>,
    /// Its version.
    pub version: String,
    /// Seconds since the worker started.
    pub uptime_s: u64,
    /// Requests (web) or connections (db) in the last second.
    pub rate: u64,
    /// Clients connected now.
    pub sessions: u64,
    /// The session mode that it tells the web servers (HAProxy `web`); absent if its file has no mode.
    pub mode: Option<Mode>,
    /// HTTP requests since the worker was started, without those that HAProxy was unable to parse (web). A connection
    /// that ends without a request counts as one of the latter.
    #[serde(default)]
    pub requests: u64,
    /// Log lines that it was unable to send since then.
    #[serde(default)]
    pub unsent: u64,
    /// Its listeners, by name.
    #[serde(default)]
    pub frontends: BTreeMap<String, Frontend>,
    /// The limits of the process as a whole.
    #[serde(default)]
    pub limits: Limits,
    /// Whether connections wait while no database is in service (db). HAProxy `web` has no such server.
    #[serde(default)]
    pub waits: bool,
    /// Its servers, by name.
    pub servers: BTreeMap<ServerName, RunningServer>,
}

/// A listener of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frontend {
    /// Whether it accepts connections.
    pub listens: Listens,
    /// Its connection limit.
    pub most: u64,
}

/// Whether a listener accepts connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Listens {
    /// It does; all its places may be taken now.
    Open,
    /// Not now, because of a command; another command opens it again.
    Paused,
    /// Never again in this process.
    Shut,
}

/// The limits of a HAProxy instance as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The connection limit.
    pub most: u64,
    /// The connection limit at the start of the process.
    pub most_at_start: u64,
    /// The sum of the limits of connections, sessions and TLS sessions per second; 0 means no limit.
    pub rates: u64,
}

/// A server of the process.
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of HAProxy's")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningServer {
    /// HAProxy's id.
    pub id: u32,
    /// Address.
    pub ip: Option<IpAddr>,
    /// Port.
    pub port: u16,
    /// In maintenance, by command or by file.
    pub maintenance: bool,
    /// For a database: in maintenance behind the address of the one writer. For a web server: the same as
    /// `maintenance`.
    pub writer_maintenance: bool,
    /// In drain, by command.
    pub drain: bool,
    /// Weight, 0 to 256.
    pub weight: u32,
    /// The connection limit; 0 means none.
    #[serde(default)]
    pub most: u64,
    /// Whether its checks are enabled.
    #[serde(default)]
    pub checked: bool,
    /// Whether its checks go to another address or port than its own.
    #[serde(default)]
    pub checked_elsewhere: bool,
    /// The verdict of the checks.
    pub verdict: CheckState,
    /// Requests or connections on it now.
    pub sessions: u64,
    /// All requests or connections so far.
    pub total: u64,
    /// The value of its stickiness cookie.
    pub cookie: String,
    /// Seconds since its state changed.
    pub since_s: u64,
    /// The last check.
    pub check: Check,
    /// Whether it is in every backend where it belongs, with the same values in each.
    pub uniform: bool,
}

/// HAProxy's verdict on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// It takes traffic.
    Up,
    /// It takes traffic; some checks have failed.
    Failing,
    /// It takes no traffic; some checks have succeeded.
    Recovering,
    /// It takes no traffic.
    Down,
    /// It is not checked.
    Unchecked,
}

/// The last finished check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// HAProxy's code (`L7OK`, `L4CON`, `L7TOUT`…); empty before the first check has finished.
    pub code: String,
    /// HTTP status or error number.
    pub status: Option<u16>,
    /// How long it took.
    pub duration_ms: Option<u64>,
    /// Further words of HAProxy's (`Connection refused`).
    pub detail: String,
    /// The number of consecutive results so far.
    pub health: u32,
    /// The number of consecutive results that changes the verdict.
    pub goal: u32,
}

impl Check {
    /// Whether the last finished check succeeded.
    pub fn passed(&self) -> bool {
        matches!(self.code.as_str(), "L4OK" | "L6OK" | "L7OK" | "L7OKC")
    }
}

/// Parses the answers to `show info`, `show stat` and `show servers state`. `Err` names what cannot be parsed: a wrong
/// answer must never look like an empty cluster.
pub fn parse(proxy: PoolId, info: &str, stat: &str, state: &str) -> Result<Running, &'static str> {
    let field =
        |name: &str| info.lines().find_map(|l| l.strip_prefix(name).and_then(|r| r.strip_prefix(": ")));
    let pid = field("Pid").and_then(|v| v.trim().parse().ok()).ok_or("no Pid in show info")?;
    let uptime_s =
        field("Uptime_sec").and_then(|v| v.trim().parse().ok()).ok_or("no Uptime_sec in show info")?;
    let shape = field("description")
        .and_then(|d| d.strip_prefix("cordee "))
        .and_then(|d| d.strip_prefix(proxy.as_str()))
        .map(|d| d.trim().to_owned());
    let (admin, waiting) = admin_states(state)?;

    let mut running = Running {
        pid,
        shape,
        version: field("Version").unwrap_or("?").trim().to_owned(),
        uptime_s,
        rate: 0,
        sessions: 0,
        mode: None,
        requests: 0,
        unsent: field("DroppedLogs").and_then(|v| v.trim().parse().ok()).unwrap_or(0),
        frontends: BTreeMap::new(),
        limits: limits(field)?,
        waits: proxy == PoolId::Web || backends(proxy).iter().all(|backend| waiting.contains(*backend)),
        servers: BTreeMap::new(),
    };
    let text = stat.trim_start().strip_prefix("# ").ok_or("show stat has no header")?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| "show stat has no header")?.clone();
    let columns = Columns::of(&header)?;
    let mut backends_seen = 0;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|_| "show stat is cut")? {
        let get = |i: usize| record.get(i).unwrap_or("");
        match get(columns.sv) {
            "FRONTEND" => add_frontend(&mut running, proxy, &columns, &record),
            "BACKEND" => {
                backends_seen += usize::from(backends(proxy).contains(&get(columns.px)));
            }
            name => {
                // A server whose name is not valid in Cordée is drift. It is not recorded here; the comparison of the
                // file shows it.
                let Ok(name) = ServerName::parse(name) else { continue };
                let Some(state) = admin.get(&(get(columns.px), name.as_str())) else {
                    return Err("show stat and show servers state disagree");
                };
                let server = server(&columns, &record, state);
                match running.servers.get_mut(&name) {
                    None => {
                        running.servers.insert(name, server);
                    }
                    Some(first) => merge(first, &server),
                }
            }
        }
    }
    if backends_seen != backends(proxy).len() {
        if running.shape.is_none() || backends_seen == 0 {
            return Err("show stat lacks a backend");
        }
        // Somebody else's file that contains Cordée's mark: a reload corrects it.
        running.shape = Some(String::new());
    }
    for name in frontends(proxy) {
        let shut = Frontend { listens: Listens::Shut, most: running.limits.most_at_start };
        running.frontends.entry((*name).to_owned()).or_insert(shut);
    }
    Ok(running)
}

/// Parses the limits of the whole process from `show info`.
fn limits<'a>(field: impl Fn(&str) -> Option<&'a str>) -> Result<Limits, &'static str> {
    let number = |name: &'static str| field(name).and_then(|v| v.trim().parse::<u64>().ok()).ok_or(name);
    Ok(Limits {
        most: number("Maxconn")?,
        most_at_start: number("Hard_maxconn")?,
        rates: number("ConnRateLimit")? + number("SessRateLimit")? + number("SslRateLimit")?,
    })
}

/// Merges the same server of a second backend: adds up the counts, and notes whether the other values agree.
fn merge(first: &mut RunningServer, second: &RunningServer) {
    first.sessions += second.sessions;
    first.total += second.total;
    first.writer_maintenance = second.maintenance;
    first.uniform = first.ip == second.ip && first.port == second.port && first.weight == second.weight;
    first.checked &= second.checked;
    first.checked_elsewhere |= second.checked_elsewhere;
    // The limit that differs from the wish, if one does: databases have none.
    first.most = first.most.max(second.most);
    // The time and the check belong to the verdict: those of the other backend would be a wrong reason.
    if second.verdict == CheckState::Down && first.verdict != CheckState::Down {
        (first.verdict, first.since_s, first.check) =
            (CheckState::Down, second.since_s, second.check.clone());
    }
}

struct Columns {
    px: usize,
    sv: usize,
    status: usize,
    scur: usize,
    slim: usize,
    stot: usize,
    rate: usize,
    req_rate: usize,
    req_tot: usize,
    ereq: usize,
    lastchg: usize,
    check_status: usize,
    check_code: usize,
    check_duration: usize,
    last_chk: usize,
    check_rise: usize,
    check_fall: usize,
    check_health: usize,
    cookie: usize,
}

impl Columns {
    /// Returns the position of each column. `Err` names a column that is missing.
    fn of(header: &csv::StringRecord) -> Result<Self, &'static str> {
        let column = |name: &'static str| header.iter().position(|h| h == name).ok_or(name);
        Ok(Self {
            px: column("pxname")?,
            sv: column("svname")?,
            status: column("status")?,
            scur: column("scur")?,
            slim: column("slim")?,
            stot: column("stot")?,
            rate: column("rate")?,
            req_rate: column("req_rate")?,
            req_tot: column("req_tot")?,
            ereq: column("ereq")?,
            lastchg: column("lastchg")?,
            check_status: column("check_status")?,
            check_code: column("check_code")?,
            check_duration: column("check_duration")?,
            last_chk: column("last_chk")?,
            check_rise: column("check_rise")?,
            check_fall: column("check_fall")?,
            check_health: column("check_health")?,
            cookie: column("cookie")?,
        })
    }
}

/// Adds the counts of one frontend, and whether it listens.
fn add_frontend(running: &mut Running, proxy: PoolId, columns: &Columns, record: &csv::StringRecord) {
    let get = |i: usize| record.get(i).unwrap_or("");
    let number = |i: usize| get(i).parse::<u64>().unwrap_or(0);
    running.sessions += number(columns.scur);
    let rate = if proxy == PoolId::Web { columns.req_rate } else { columns.rate };
    running.rate += number(rate);
    running.requests += number(columns.req_tot).saturating_sub(number(columns.ereq));
    let listens = match get(columns.status) {
        "PAUSED" => Listens::Paused,
        "STOP" => Listens::Shut,
        _ => Listens::Open,
    };
    let frontend = Frontend { listens, most: number(columns.slim) };
    running.frontends.insert(get(columns.px).to_owned(), frontend);
}

fn server(columns: &Columns, record: &csv::StringRecord, state: &AdminState) -> RunningServer {
    let get = |i: usize| record.get(i).unwrap_or("");
    let number = |i: usize| get(i).parse::<u64>().unwrap_or(0);
    // Possible values: "UP", "UP 1/2", "DOWN 1/2", "DOWN (agent)", "MAINT", "MAINT (via x/y)", "DRAIN", "NOLB", "no
    // check".
    let status = get(columns.status);
    let partial = status.contains('/') && !status.contains("via");
    let verdict = if status.starts_with("DOWN") {
        if partial { CheckState::Recovering } else { CheckState::Down }
    } else if status.starts_with("no check") || status.starts_with("MAINT") {
        CheckState::Unchecked
    } else if partial {
        CheckState::Failing
    } else {
        CheckState::Up
    };
    // The code is "* L7OK" while the next check is under way.
    let code = get(columns.check_status).trim_start_matches("* ");
    let rise = u32::try_from(number(columns.check_rise)).unwrap_or(0);
    let fall = u32::try_from(number(columns.check_fall)).unwrap_or(0);
    let health = u32::try_from(number(columns.check_health)).unwrap_or(0);
    let (health, goal) = match verdict {
        CheckState::Recovering | CheckState::Down => (health, rise),
        _ => ((rise + fall).saturating_sub(1).saturating_sub(health), fall),
    };
    RunningServer {
        id: state.id,
        ip: state.ip,
        port: state.port,
        maintenance: state.maintenance,
        writer_maintenance: state.maintenance,
        drain: state.drain,
        weight: state.weight,
        most: number(columns.slim),
        checked: state.checked,
        checked_elsewhere: state.checked_elsewhere,
        verdict,
        sessions: number(columns.scur),
        total: number(columns.stot),
        cookie: get(columns.cookie).to_owned(),
        since_s: number(columns.lastchg),
        check: Check {
            code: if matches!(code, "INI" | "UNK") { String::new() } else { code.to_owned() },
            status: get(columns.check_code).parse().ok().filter(|s| *s > 0),
            duration_ms: get(columns.check_duration).parse().ok(),
            detail: get(columns.last_chk).to_owned(),
            health,
            goal,
        },
        uniform: true,
    }
}

#[expect(clippy::struct_excessive_bools, reason = "each is one flag of HAProxy's")]
struct AdminState {
    id: u32,
    ip: Option<IpAddr>,
    port: u16,
    maintenance: bool,
    drain: bool,
    weight: u32,
    checked: bool,
    checked_elsewhere: bool,
}

/// The bit of `srv_check_state` that means that checks are enabled (same chapter).
const CHECKED: u32 = 0x04;

/// Bits of `srv_admin_state` (management guide 2.6, "show servers state"): 1, 2 and 32 are kinds of maintenance, 8 and
/// 16 kinds of drain. Bit 4 only records that the file said `disabled`; it stays set when the server is put back in
/// service.
const MAINTENANCE: u32 = 0x01 | 0x02 | 0x20;
const DRAIN: u32 = 0x08 | 0x10;

/// The states, by backend and name.
type States<'a> = BTreeMap<(&'a str, &'a str), AdminState>;

/// Parses the states of the cluster's servers, and the backends in which connections wait while none of those is in
/// service.
fn admin_states(text: &str) -> Result<(States<'_>, BTreeSet<&str>), &'static str> {
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    if lines.next() != Some("1") {
        return Err("show servers state is not version 1");
    }
    let header: Vec<&str> =
        lines.next().ok_or("show servers state has no header")?.split_whitespace().skip(1).collect();
    let column = |name: &'static str| header.iter().position(|h| *h == name).ok_or(name);
    let (be, name, id, ip, port) = (
        column("be_name")?,
        column("srv_name")?,
        column("srv_id")?,
        column("srv_addr")?,
        column("srv_port")?,
    );
    let (admin, weight) = (column("srv_admin_state")?, column("srv_uweight")?);
    let (check, check_port, check_addr) =
        (column("srv_check_state")?, column("srv_check_port")?, column("srv_check_addr")?);
    let (mut all, mut waiting) = (States::new(), BTreeSet::new());
    let mut words: Vec<&str> = Vec::new();
    for line in lines {
        words.clear();
        words.extend(line.split(' '));
        let get = |i: usize| words.get(i).copied().ok_or("show servers state is cut");
        let bits = get(admin)?.parse::<u32>().map_err(|_| "srv_admin_state is no number")?;
        if get(name)? == NOBODY {
            let there = get(ip)?.parse() == Ok(NOBODY_AT) && get(port)? == "0";
            if there && bits & (MAINTENANCE | DRAIN) == 0 && get(weight)? != "0" {
                waiting.insert(get(be)?);
            }
            continue;
        }
        let checks = get(check)?.parse::<u32>().map_err(|_| "srv_check_state is no number")?;
        all.insert(
            (get(be)?, get(name)?),
            AdminState {
                id: get(id)?.parse().map_err(|_| "srv_id is no number")?,
                ip: get(ip)?.parse().ok(),
                port: get(port)?.parse().map_err(|_| "srv_port is no number")?,
                maintenance: bits & MAINTENANCE != 0,
                drain: bits & DRAIN != 0,
                weight: get(weight)?.parse().map_err(|_| "srv_uweight is no number")?,
                checked: checks & CHECKED != 0,
                checked_elsewhere: get(check_port)? != "0" || get(check_addr)? != "-",
            },
        );
    }
    Ok((all, waiting))
}

mod like;
#[cfg(test)]
mod tests;
