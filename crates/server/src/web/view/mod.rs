//! From a snapshot to finished words: what the templates print is what the live stream sends.
//!
//! Pure functions: a snapshot, a language and the time go in, rows of strings come out. Ages are kept out of the
//! rows, so that the passing of time alone changes no row.

pub mod causes;
pub mod config;
mod confirm;
mod databases;
pub mod detail;
pub mod drill;
pub mod facts;
#[cfg(test)]
pub(crate) mod fixture;
mod joining;
mod question;
mod rope;
mod rows;
mod says;
mod session;
pub mod trial;
pub mod visitors;
pub mod window;

use std::borrow::Cow;
use std::collections::BTreeMap;

use cordee_domain::causes::{About, Cause, Remedy};
use cordee_domain::ids::{Millis, PoolId};
use cordee_domain::snapshot::{ServerView, Snapshot};
use cordee_domain::state::{Remark, Severity, State, Status};
use cordee_domain::text;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use serde::Serialize;

use crate::board::Event;
use crate::words::Lang;

pub use causes::CauseRow;
pub use confirm::question;
pub use databases::{GAP_AGE, Writing, sharing, verdict};
pub use joining::{Joining, joining, repairing};
pub use question::Question;
pub use rope::{Crowd, Rope};
pub use rows::{ChannelRow, ProxyRow, ServerRow};
pub use says::{Here, Says};
pub use session::keeping;

/// A snapshot older than this is shown as unknown, whatever it says.
pub const OLD_MS: u64 = cordee_domain::figures::PAGE_LATE;

/// A severity, its word and its reason, in the reader's language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StatusRow {
    /// The value of `data-st`, which is also the name of the icon.
    pub st: &'static str,
    /// One or two words.
    pub word: String,
    /// The reason; empty when the word says it all.
    pub reason: String,
}

/// The verdict about the whole cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VerdictRow {
    /// `data-st`.
    pub st: &'static str,
    /// A title.
    pub word: String,
    /// The reason; empty when the title says it all.
    pub reason: Says,
}

/// Everything that the dashboard shows, except ages and events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// The verdict about the whole cluster.
    pub verdict: VerdictRow,
    /// The causes of the verdict, and what solves them.
    pub causes: Vec<CauseRow>,
    /// The two HAProxy instances.
    pub proxies: Vec<ProxyRow>,
    /// The servers.
    pub servers: Vec<ServerRow>,
    /// The drawing that connects them.
    pub rope: Rope,
    /// Which databases take writes.
    pub writing: Writing,
    /// Where the visitors' sessions are kept, by the word in the address.
    pub session: &'static str,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventRow {
    /// Its id.
    pub id: u64,
    /// When, for `<time datetime>`.
    pub iso: String,
    /// The day, in the page's time zone.
    pub date: String,
    /// The time, in the page's time zone.
    pub time: String,
    /// `data-st`, or empty.
    pub st: &'static str,
    /// The icon.
    pub icon: &'static str,
    /// The sentence.
    pub text: Says,
    /// Who did it.
    pub actor: String,
}

/// Milliseconds since each thing was read, by its name (`proxy web`, `proxy db`, or the server’s), and since the
/// last change of writer ([`GAP_AGE`]): no server’s name has a space.
pub type Ages = BTreeMap<String, u64>;

/// Puts a snapshot into words.
pub fn picture(snapshot: &Snapshot, lang: Lang, now: Millis) -> Picture {
    let snapshot = &*present(snapshot, now);
    let here = Here::shown(snapshot);
    let said = verdict(snapshot);
    let word = lang.say(&said.word);
    let reason = said.reason.map(|reason| Says::of(&reason.sentence(), &here, lang)).unwrap_or_default();
    Picture {
        verdict: VerdictRow { st: severity(said.severity), word, reason },
        causes: causes::rows(snapshot, &here, lang),
        proxies: snapshot.proxies.iter().map(|p| rows::proxy(p, lang)).collect(),
        servers: snapshot.servers.iter().map(|s| rows::server(s, snapshot, lang)).collect(),
        rope: rope::rope(snapshot, lang),
        writing: databases::writing(snapshot, lang),
        session: snapshot.session.as_str(),
    }
}

/// Returns what a snapshot says of the present: one that is too old says nothing.
pub fn present(snapshot: &Snapshot, now: Millis) -> Cow<'_, Snapshot> {
    if now.saturating_sub(snapshot.at) > OLD_MS {
        Cow::Owned(blind(snapshot, now))
    } else {
        Cow::Borrowed(snapshot)
    }
}

/// Returns the same snapshot without anything that could be taken for the present state.
fn blind(snapshot: &Snapshot, now: Millis) -> Snapshot {
    let seconds = now.saturating_sub(snapshot.at) / 1_000;
    let stale = || text!("reason-stale", seconds = seconds);
    let unknown = || Status::new(Severity::Unknown, State::Unknown, stale());
    let mut old = snapshot.clone();
    old.verdict = Remark::new(Severity::Unknown, text!("verdict-blind"), stale());
    old.causes = vec![Cause {
        about: About::Cordee,
        status: old.verdict.clone(),
        asked: None,
        explains: Vec::new(),
        remedies: vec![Remedy::Itself],
    }];
    for proxy in &mut old.proxies {
        proxy.status = unknown();
    }
    for server in &mut old.servers {
        server.status = unknown();
        server.channels.clear();
    }
    old
}

/// Returns how old each reading is.
pub fn ages(snapshot: &Snapshot, now: Millis) -> Ages {
    let proxies = snapshot.proxies.iter().map(|p| (format!("proxy {}", p.name), p.seen_at));
    let servers = snapshot.servers.iter().map(|s| (s.name.to_string(), s.last_check.at));
    let gap = (GAP_AGE.to_owned(), snapshot.gap.map(|gap| gap.at));
    let all = proxies.chain(servers).chain([gap]);
    all.filter_map(|(name, at)| Some((name, now.saturating_sub(at?)))).collect()
}

/// Returns day and time in the page's time zone, and the moment for `<time datetime>`.
pub fn day_and_time(at: Millis) -> (String, String) {
    (local(at).strftime("%Y-%m-%d %H:%M:%S").to_string(), stamp(at).to_string())
}

/// Returns the day and the minute, in the page's time zone.
fn day(at: Millis) -> String {
    local(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Returns the time of day in the page's time zone.
pub fn clock_time(at: Millis) -> String {
    local(at).strftime("%H:%M:%S").to_string()
}

fn local(at: Millis) -> ZonedDateTime {
    stamp(at).to_zoned_datetime(zone())
}

/// The page has one time zone, the machine's: its times are compared with the logs there. A zone without a name
/// could not be named on the page, so UTC is used then.
fn zone() -> TimeZone {
    let own = TimeZone::system();
    if own.is_unknown() || own.iana_name().is_none() { TimeZone::UTC } else { own }
}

/// Returns the name of that time zone.
pub fn zone_name() -> String {
    zone().iana_name().unwrap_or("UTC").to_owned()
}

fn stamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(i64::try_from(at).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX)
}

/// Puts a journal line into words.
pub fn event(event: &Event, here: &Here, lang: Lang) -> EventRow {
    let st = event.severity.map_or("", severity);
    EventRow {
        id: event.id,
        iso: stamp(event.at).to_string(),
        date: local(event.at).strftime("%Y-%m-%d").to_string(),
        time: clock_time(event.at),
        st,
        icon: if st.is_empty() { "info" } else { st },
        text: Says::of(&event.text, here, lang),
        actor: actor(&event.actor, lang),
    }
}

fn actor(name: &str, lang: Lang) -> String {
    match name.split_once(':') {
        Some(("token", token)) => lang.say(&text!("actor-token", name = token)),
        _ if name == "cordee" => lang.say(&text!("actor-cordee")),
        _ if name == "cli" => lang.say(&text!("actor-cli")),
        _ => name.to_owned(),
    }
}

/// Puts a status into words.
pub fn status(status: &Status, lang: Lang) -> StatusRow {
    remark(&status.remark(), lang)
}

/// Puts a remark into words.
pub fn remark(remark: &Remark, lang: Lang) -> StatusRow {
    StatusRow {
        st: severity(remark.severity),
        word: lang.say(&remark.word),
        reason: remark.reason.as_ref().map(|r| lang.say(&r.sentence())).unwrap_or_default(),
    }
}

/// Returns the name of a severity in the style sheet and among the icons.
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Good => "good",
        Severity::Warning => "warn",
        Severity::Critical => "crit",
        Severity::Progress => "busy",
        Severity::Maintenance => "maint",
        Severity::Unknown => "unknown",
    }
}

/// Returns a delay: in milliseconds below a second, then as an age.
fn delay(ms: u64, lang: Lang) -> String {
    if ms < 1_000 { format!("{ms}\u{a0}ms") } else { age(ms, lang) }
}

/// Returns an age as people write it: tenths below ten seconds, then seconds, then minutes.
pub fn age(ms: u64, lang: Lang) -> String {
    let point = if lang == Lang::Fr { ',' } else { '.' };
    match ms {
        0..10_000 => format!("{}{point}{}\u{a0}s", ms / 1_000, ms % 1_000 / 100),
        10_000..120_000 => format!("{}\u{a0}s", ms / 1_000),
        _ => format!("{}\u{a0}min", ms / 60_000),
    }
}

/// Returns a large number with its digits grouped.
pub fn grouped(number: u64, lang: Lang) -> String {
    let digits = number.to_string();
    let between = if lang == Lang::Fr { '\u{202f}' } else { ',' };
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(between);
        }
        text.push(digit);
    }
    text
}

/// Returns the web servers that visitors can be sent to now.
pub fn healthy(snapshot: &Snapshot) -> Vec<&ServerView> {
    snapshot.servers.iter().filter(|s| s.pool == PoolId::Web && s.status.serves()).collect()
}

#[cfg(test)]
mod tests;
