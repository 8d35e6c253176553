//! Answers as plain text: aligned columns, severities in words, no control characters for the terminal.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use cordee_api::config::ConfigJson;
use cordee_api::drills::DrillJson;
use cordee_api::local::Dsn;
use cordee_api::servers::{JoinJson, LogsJson, TestJson};
use cordee_api::tokens::TokensJson;
use cordee_api::tools::{CleanJson, HistoryJson, LeftoverJson};
use cordee_api::trials::TrialJson;
use cordee_api::view::{CauseJson, RemedyJson, ServerJson, SnapshotJson, StatusJson};
use cordee_api::visitors::{RequestsJson, VisitorsJson};
use cordee_api::words::{DiskWord, ProcessWord, StandingWord};
use cordee_domain::desired::{MOST_DATABASES, Power, Routing};
use cordee_domain::ids::Host;
use cordee_domain::snapshot::Role;
use cordee_domain::state::Severity;
use cordee_domain::text;

use crate::complain::plain;
use crate::web::view::visitors as tables;
use crate::words::Lang;

/// Writes to stdout. A reader that has gone (`| head`) is no failure.
pub fn out(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Aligns rows in columns, two blanks apart. The last column is not padded.
fn table(rows: &[Vec<String>]) -> String {
    let mut widths = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.iter().map(|cell| plain(cell)).collect()
}

/// Shows the whole cluster.
pub(super) fn status(seen: &SnapshotJson, lang: Lang) -> String {
    let mut text = format!("{}\n", sentence(&seen.verdict));
    if seen.routing == Routing::AllWriters {
        let _ = writeln!(text, "{}", lang.say(&text!("cli-all-writers")));
    }
    text.push_str(&causes(&seen.causes, lang));
    text.push('\n');
    let mut proxies = vec![row([
        &lang.say(&text!("cli-col-proxy")),
        &lang.say(&text!("cli-col-status")),
        &lang.say(&text!("cli-col-listen")),
        &lang.say(&text!("cli-col-sessions")),
        &lang.say(&text!("cli-col-last")),
        &lang.say(&text!("cli-col-reason")),
    ])];
    proxies.extend(seen.proxies.iter().map(|p| {
        let (sessions, age) = (p.sessions.to_string(), age(p.age_ms, lang));
        let reason = p.status.reason.as_deref().unwrap_or("");
        row([&format!("haproxy-{}", p.name), &word(&p.status), &p.listen, &sessions, &age, reason])
    }));
    text.push_str(&table(&proxies));
    text.push('\n');
    text.push_str(&servers(&seen.servers, seen.routing, lang));
    text
}

/// Shows why the verdict is not good, and what to do first about each cause.
pub(super) fn causes(all: &[CauseJson], lang: Lang) -> String {
    let mut text = String::new();
    if !all.is_empty() {
        let _ = writeln!(text, "\n{}", lang.say(&text!("cli-causes")));
    }
    for cause in all {
        let about = if cause.servers.is_empty() { cause.about.clone() } else { cause.servers.join(", ") };
        let first = cause.remedies.first();
        let to_do = first.map_or("", |r| r.says.as_str());
        let _ = write!(text, "  {} {} → {}", plain(&about), sentence(&cause.status), plain(to_do));
        let _ = match first.and_then(|remedy| here(&cause.about, remedy, lang)) {
            Some(command) => writeln!(text, " ({})", plain(&command)),
            None => writeln!(text),
        };
    }
    text
}

/// Returns the command for a remedy, whose words are the page's.
fn here(about: &str, remedy: &RemedyJson, lang: Lang) -> Option<String> {
    let proxy = || about.strip_prefix("haproxy-");
    match (remedy.action.as_str(), remedy.server.as_deref()) {
        ("page", _) => Some(lang.say(&text!("cli-on-page"))),
        ("journal", _) => Some("cordee history".to_owned()),
        (action @ ("reload" | "config"), _) => Some(format!("cordee {action} {}", proxy()?)),
        // The remedy's sentence says what to do.
        ("add" | "hand" | "wait", _) | (_, None) => None,
        (action, Some(server)) => Some(format!("cordee {action} {server}")),
    }
}

fn servers(all: &[ServerJson], routing: Routing, lang: Lang) -> String {
    let mut rows = vec![row([
        &lang.say(&text!("cli-col-server")),
        &lang.say(&text!("cli-col-pool")),
        &lang.say(&text!("cli-col-status")),
        &lang.say(&text!("cli-col-address")),
        &lang.say(&text!("cli-col-cookie")),
        &lang.say(&text!("cli-col-sessions")),
        &lang.say(&text!("cli-col-last")),
        &lang.say(&text!("cli-col-reason")),
    ])];
    rows.extend(all.iter().map(|s| {
        row([
            &s.name,
            &pool(s, routing, lang),
            &word(&s.status),
            &with_port(&s.address, s.port),
            s.cookie.as_deref().unwrap_or("-"),
            &s.sessions.to_string(),
            &age(s.last_check.age_ms, lang),
            s.status.reason.as_deref().unwrap_or(""),
        ])
    }));
    table(&rows)
}

/// Returns the pool, with a database's role in it. A database that stays out has no role.
fn pool(server: &ServerJson, routing: Routing, lang: Lang) -> String {
    let place = match (server.role, server.membership) {
        (None, _) => return server.pool.to_string(),
        (Some(Role::Writer), _) => text!("cli-writer"),
        (_, Some(StandingWord::Joining)) => text!("cli-joining"),
        (_, Some(StandingWord::Leaving)) => text!("cli-leaving"),
        (_, Some(StandingWord::Returning)) => text!("cli-returning"),
        (_, Some(StandingWord::Diverged)) => text!("cli-diverged"),
        _ if routing == Routing::AllWriters && server.power == Power::On => text!("cli-also"),
        _ => text!("cli-standby"),
    };
    format!("{} ({})", server.pool, lang.say(&place))
}

/// Returns a shape and a word: the shape shows the severity, because the word alone does not tell whether it is
/// bad.
fn word(status: &StatusJson) -> String {
    let shape = match status.severity {
        Severity::Good => '✓',
        Severity::Maintenance => '‖',
        Severity::Progress => '…',
        Severity::Unknown => '?',
        Severity::Warning => '!',
        Severity::Critical => '✗',
    };
    format!("{shape} {}", status.word)
}

fn sentence(status: &StatusJson) -> String {
    let reason = status.reason.as_ref().map(|r| format!(" — {}", plain(r))).unwrap_or_default();
    format!("{}{reason}", plain(&word(status)))
}

/// Returns an age in a convenient unit.
fn age(ms: Option<u64>, lang: Lang) -> String {
    lang.say(&match ms {
        None => text!("cli-never"),
        Some(ms @ ..1_000) => text!("cli-age-ms", ms = ms),
        Some(ms) => text!("cli-age-s", seconds = ms / 1_000),
    })
}

/// Returns an address with its port.
fn with_port(address: &str, port: u16) -> String {
    Host::try_from(address.to_owned())
        .map_or_else(|_| format!("{address}:{port}"), |host| host.with_port(port))
}

/// Shows a server that was just added; with `out`, it is in maintenance.
pub(super) fn added(server: &ServerJson, out: bool, lang: Lang) -> String {
    let address = with_port(&server.address, server.port);
    let (name, address) = (plain(&server.name), plain(&address));
    let text = if server.role.is_some() {
        text!("cli-added-db", name = name, address = address)
    } else if out {
        text!("cli-added-out", name = name, address = address)
    } else {
        text!("cli-added", name = name, address = address)
    };
    format!("{}\n", lang.say(&text))
}

/// Shows how a new database would join.
pub(super) fn plan(plan: &JoinJson, lang: Lang) -> String {
    let donor = plain(&plan.donor);
    let from = if plan.from_writer {
        text!("join-from-writer", name = donor.as_str())
    } else {
        text!("join-from-standby", name = donor.as_str())
    };
    let size = text!("join-size", mib = plan.bytes.div_ceil(1 << 20), tables = plan.tables);
    let place = text!("join-place", slot = plan.slot, slots = MOST_DATABASES, id = plan.id);
    let mut facts = vec![
        row([&lang.say(&text!("join-from")), &lang.say(&from)]),
        row([&lang.say(&text!("join-much")), &lang.say(&size)]),
        row([&lang.say(&text!("join-where")), &lang.say(&place)]),
    ];
    facts.extend(plan.warnings.iter().map(|said| row([&lang.say(&text!("join-besides")), said])));
    let facts = table(&facts);
    format!("{facts}{}\n", lang.say(&text!("join-nothing-yet")))
}

/// Shows a connection test.
pub(super) fn test(report: &TestJson, lang: Lang) -> String {
    let mut rows = Vec::new();
    for step in &report.steps {
        let mark = if step.ok { text!("cli-step-ok") } else { text!("cli-step-failed") };
        rows.push(row([&lang.say(&mark), &step.name, &format!("{} ms", step.ms), &step.says]));
    }
    table(&rows)
}

/// Shows the ends of log files, each under its name if there are several. As in the file, the newest line comes
/// last.
pub(super) fn logs(logs: &LogsJson, lang: Lang) -> String {
    let mut text = String::new();
    for file in &logs.files {
        if logs.files.len() > 1 {
            let _ = writeln!(text, "==> {} <==", plain(&file.name));
        }
        for line in file.lines.iter().chain(&file.unread) {
            let _ = writeln!(text, "{}", plain(line));
        }
        if file.hidden > 0 {
            let _ = writeln!(text, "{}", lang.say(&text!("cli-logs-hidden", count = file.hidden)));
        }
    }
    text
}

/// Shows what "clean" found, and what became of it.
pub(super) fn clean(answer: &CleanJson, lang: Lang) -> String {
    let rows = |items: &[LeftoverJson]| {
        let bytes = |item: &LeftoverJson| lang.say(&text!("cli-bytes", count = item.bytes));
        table(&items.iter().map(|item| row([&item.path, &bytes(item), &item.why])).collect::<Vec<_>>())
    };
    let foreign = match answer.foreign.as_slice() {
        [] => String::new(),
        foreign => format!("\n{}\n{}", lang.say(&text!("clean-foreign-title")), rows(foreign)),
    };
    if answer.items.is_empty() {
        return format!("{}\n{foreign}", lang.say(&text!("cli-clean-nothing")));
    }
    let count = answer.items.len();
    let last = if answer.applied {
        text!("cli-clean-done", count = count)
    } else {
        text!("cli-clean-would", count = count)
    };
    format!("{}{}\n{foreign}", rows(&answer.items), lang.say(&last))
}

/// Shows a HAProxy configuration file: below each line what it does, and what would break without it.
pub(super) fn config(config: &ConfigJson, lang: Lang) -> String {
    let mut text = String::new();
    let without = lang.say(&text!("config-without"));
    for line in &config.lines {
        let _ = writeln!(text, "{}", plain(&line.text));
        let indent = if line.text.starts_with(' ') { "        " } else { "    " };
        for word in &line.words {
            let _ = writeln!(text, "{indent}{}: {}", plain(&word.text), plain(&word.explanation));
        }
        if let (Some(does), Some(breaks)) = (&line.explanation, &line.without) {
            let _ = writeln!(text, "{indent}{}\n{indent}{without} {}", plain(does), plain(breaks));
        }
    }
    for odd in &config.difference {
        let _ = writeln!(text, "{} {}", if odd.added { '+' } else { '-' }, plain(&odd.text));
    }
    let disk = match config.disk {
        DiskWord::Same => text!("config-disk-same"),
        DiskWord::Older => text!("config-disk-older"),
        DiskWord::Missing => text!("config-disk-missing"),
        DiskWord::ByHand => text!("config-disk-by-hand"),
    };
    let process = match config.process {
        ProcessWord::Same => lang.say(&text!("config-process-same")),
        ProcessWord::Differs | ProcessWord::Unknown => config.process_says.join(" "),
    };
    let (disk_name, process_name) = (lang.say(&text!("config-disk")), lang.say(&text!("config-process")));
    text + &table(&[row([&disk_name, &lang.say(&disk)]), row([&process_name, &process])])
}

/// Shows a comparison of sessions, one line for each cell.
pub(super) fn trial(run: &TrialJson, lang: Lang) -> String {
    let head = text!("cli-trial", id = run.id, done = run.done, of = run.of, says = run.says.as_str());
    let rows: Vec<_> = run
        .cells
        .iter()
        .map(|c| row([&c.way_name, &c.experiment_name, &lang.say(&c.verdict.word()), &c.says]))
        .collect();
    format!("{}\n{}", plain(&lang.say(&head)), table(&rows))
}

/// Shows a failover drill: what was counted, and what the page displayed when.
pub(super) fn drill(drill: &DrillJson, lang: Lang) -> String {
    let head = text!("cli-drill", id = drill.id, title = drill.title.as_str(), says = drill.says.as_str());
    let findings: Vec<_> = drill.findings.iter().map(|f| row([&f.name, &f.says])).collect();
    let said: Vec<_> = drill
        .said
        .iter()
        .map(|s| {
            let when = s.ms.map_or_else(|| text!("drill-before-blow"), |ms| text!("drill-after-ms", ms = ms));
            let whole = lang.tr("drill-whole");
            row([&lang.say(&when), if s.about.is_empty() { &whole } else { &s.about }, &s.word])
        })
        .collect();
    format!("{}\n{}{}", plain(&lang.say(&head)), table(&findings), table(&said))
}

/// Shows the journal, oldest entry first, so that the newest line is at the bottom, next to the prompt.
pub(super) fn history(answer: &HistoryJson) -> String {
    let rows: Vec<_> = answer
        .events
        .iter()
        .rev()
        .map(|event| row([&moment(event.at), &event.actor, &event.subject, &event.text]))
        .collect();
    table(&rows)
}

/// Shows the visitors, the most recent first, and what is not in the list.
pub(super) fn visitors(found: &VisitorsJson, lang: Lang) -> String {
    let mut rows = vec![row([
        &lang.say(&text!("visitors-address")),
        &lang.say(&text!("visitors-first")),
        &lang.say(&text!("visitors-last")),
        &lang.say(&text!("visitors-requests")),
        &lang.say(&text!("visitors-errors")),
        &lang.say(&text!("visitors-shares")),
    ])];
    rows.extend(found.visitors.iter().map(|v| {
        let shares = tables::visitor(v, lang).shares;
        let (requests, errors) = (v.requests.to_string(), v.errors.to_string());
        row([&v.address, &moment(v.first), &moment(v.last), &requests, &errors, &shares])
    }));
    let log = &found.log;
    let sum = text!("cli-visitors-sum", stored = log.stored, dropped = log.dropped, total = found.total);
    format!("{}{}\n", table(&rows), lang.say(&sum))
}

/// Shows who changed the colour on the session test page.
pub(super) fn colour_changes(found: &VisitorsJson, lang: Lang) -> String {
    let mut rows = vec![row([
        &lang.say(&text!("visitors-when")),
        &lang.say(&text!("visitors-address")),
        &lang.say(&text!("visitors-server")),
        &lang.say(&text!("visitors-from")),
        &lang.say(&text!("visitors-to")),
    ])];
    rows.extend(
        found
            .changes
            .iter()
            .map(|c| (c, c.from.as_ref().map_or_else(|| "-".to_owned(), |from| tables::colour(from, lang))))
            .map(|(c, from)| {
                row([&moment(c.at), &c.address, &c.server, &from, &tables::colour(&c.to, lang)])
            }),
    );
    table(&rows)
}

/// Returns visitors as CSV.
pub(super) fn csv_visitors(found: &VisitorsJson) -> String {
    let mut out = String::new();
    tables::csv_line(&mut out, &tables::CSV_VISITORS);
    tables::csv_visitors(&mut out, &found.visitors);
    out
}

/// Returns colour changes as CSV.
pub(super) fn csv_changes(found: &VisitorsJson) -> String {
    let mut out = String::new();
    tables::csv_line(&mut out, &tables::CSV_CHANGES);
    tables::csv_changes(&mut out, &found.changes);
    out
}

/// Shows the last requests of a server, oldest first, so that the newest line is at the bottom, next to the prompt.
pub(super) fn requests(found: &RequestsJson) -> String {
    let dash = || "-".to_owned();
    let rows: Vec<_> = found
        .requests
        .iter()
        .map(|r| {
            let status = r.status.map_or_else(dash, |s| s.to_string());
            let took = r.took_ms.map_or_else(dash, |ms| format!("{ms} ms"));
            let asked = format!("{} {}", r.method, r.path);
            row([&moment(r.at), &r.address, &status, &took, &asked, &r.agent])
        })
        .collect();
    table(&rows)
}

/// Returns a time in UTC, which means the same everywhere.
fn moment(ms: u64) -> String {
    let stamp = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    stamp.map_or_else(String::new, |t| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Shows how an application reaches the databases.
pub(super) fn dsn(dsn: &Dsn, lang: Lang) -> String {
    let mut rows = vec![
        row([&lang.say(&text!("cli-dsn-host")), &dsn.host]),
        row([&lang.say(&text!("cli-dsn-port")), &dsn.port.to_string()]),
    ];
    if let (Some(host), Some(port)) = (&dsn.writer_host, dsn.writer_port) {
        if *host != dsn.host {
            rows.push(row([&lang.say(&text!("cli-dsn-writer-host")), host]));
        }
        rows.push(row([&lang.say(&text!("cli-dsn-writer-port")), &port.to_string()]));
    }
    rows.push(row([&lang.say(&text!("cli-dsn-user")), &dsn.user]));
    rows.push(row([&lang.say(&text!("cli-dsn-password")), &dsn.password]));
    if !dsn.schema.is_empty() {
        rows.push(row([&lang.say(&text!("cli-dsn-schema")), &dsn.schema]));
    }
    rows.push(row([&lang.say(&text!("cli-dsn-url")), &dsn.url]));
    if let Some(url) = &dsn.writer_url {
        rows.push(row([&lang.say(&text!("cli-dsn-writer-url")), url]));
    }
    table(&rows)
}

/// Shows the tokens of other programs.
pub(super) fn tokens(found: &TokensJson, lang: Lang) -> String {
    if found.tokens.is_empty() {
        return format!("{}\n", lang.say(&text!("tokens-none")));
    }
    let mut rows = vec![row([
        &lang.say(&text!("token-name")),
        &lang.say(&text!("token-made")),
        &lang.say(&text!("token-used")),
        &lang.say(&text!("token-expires")),
    ])];
    rows.extend(found.tokens.iter().map(|t| {
        let used = t.used.map_or_else(|| lang.say(&text!("token-never-used")), moment);
        let mut until = t.expires.map_or_else(|| lang.say(&text!("token-no-end")), moment);
        if t.expired {
            until = format!("{until} ({})", lang.say(&text!("token-expired")));
        }
        row([&t.name, &moment(t.created), &used, &until])
    }));
    table(&rows)
}
