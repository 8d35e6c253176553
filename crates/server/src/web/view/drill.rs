//! A failover drill in words: what was counted, what the page showed and when, and the drill's line in the
//! history.

use cordee_domain::drill::{Aim, Drill, Recovery, Report, Said, Tally};
use cordee_domain::text;
use cordee_domain::text::Text;
use serde::Serialize;

use super::{actor, day, severity, stamp};
use crate::jobs::{DrillUnderWay, Phase};
use crate::words::Lang;

/// One line of the table of figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its place in the table.
    pub key: &'static str,
    /// What was counted.
    pub name: String,
    /// The figure.
    pub says: String,
}

/// Something that the page showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SaidRow {
    /// When, as people write it.
    pub when: String,
    /// What it was about.
    pub about: String,
    /// The value of `data-st`.
    pub st: &'static str,
    /// The word.
    pub word: String,
}

/// A whole drill.
#[derive(Clone, Debug)]
pub struct DrillView {
    /// Its id.
    pub id: u64,
    /// When it began, for `<time datetime>`.
    pub iso: String,
    /// The same, as people write it.
    pub date: String,
    /// Who asked for it.
    pub actor: String,
    /// Which fault was made on which server.
    pub title: String,
    /// The traffic during the drill.
    pub traffic: String,
    /// How it ended.
    pub end: String,
    /// What was lost, in short.
    pub short: String,
    /// What was counted.
    pub findings: Vec<Finding>,
    /// What the page showed.
    pub said: Vec<SaidRow>,
}

/// Puts a drill into words.
pub fn drill(drill: &Drill, lang: Lang) -> DrillView {
    let requests = &drill.report.requests;
    let (lost, asked) = (requests.lost(), requests.asked);
    let short = match drill.order.aim {
        Aim::Colour => {
            text!("drill-short", lost = lost, asked = asked, sessions = drill.report.sessions_lost)
        }
        Aim::Page(_) => text!("drill-short-page", lost = lost, asked = asked),
    };
    DrillView {
        id: drill.id,
        iso: stamp(drill.begun).to_string(),
        date: day(drill.begun),
        actor: actor(&drill.actor, lang),
        title: lang.say(&drill.title()),
        traffic: lang.say(&traffic(drill)),
        end: lang.say(&drill.sentence()),
        short: lang.say(&short),
        findings: findings(drill, lang),
        said: drill.report.said.iter().map(|s| said(s, lang)).collect(),
    }
}

/// Returns the traffic, and the page where one was chosen.
fn traffic(drill: &Drill) -> Text {
    match drill.order.aim.page() {
        None => pace(drill),
        Some(page) => {
            let status = page.status.number().to_string();
            text!("drill-traffic-page", url = page.url.to_string(), status = status, pace = pace(drill))
        }
    }
}

fn pace(drill: &Drill) -> Text {
    let t = drill.order.traffic;
    let held = if drill.is_held() {
        text!("drill-traffic-held", seconds = t.held)
    } else {
        text!("drill-traffic-not-held")
    };
    text!(
        "drill-traffic",
        rate = t.rate,
        visitors = t.visitors,
        before = t.before,
        held = held,
        after = t.after
    )
}

/// Returns what was counted, one line each.
pub fn findings(drill: &Drill, lang: Lang) -> Vec<Finding> {
    let sessions = drill.order.aim == Aim::Colour;
    counted(&drill.report, sessions, lang)
}

fn counted(report: &Report, sessions: bool, lang: Lang) -> Vec<Finding> {
    let mut all = vec![
        ("requests", text!("drill-requests"), lost(&report.requests)),
        (
            "sessions",
            text!("drill-sessions"),
            match (sessions, report.sessions_lost) {
                (true, 0) => text!("drill-of", lost = 0, of = report.sessions),
                (true, lost) => text!("drill-sessions-of", lost = lost, of = report.sessions),
                (false, _) => text!("drill-sessions-not"),
            },
        ),
        ("recovery", text!("drill-recovery"), recovery(report.recovery())),
        ("longest", text!("drill-longest"), text!("drill-ms", ms = report.requests.longest_ms)),
    ];
    if let Some(writes) = &report.writes {
        let first = writes.first_ms.map_or_else(|| text!("drill-none"), |ms| text!("drill-ms", ms = ms));
        let vanished = match writes.vanished {
            Some(count) => text!("drill-of", lost = count, of = writes.tally.asked - writes.tally.lost()),
            None => text!("drill-not-read"),
        };
        all.push(("writes", text!("drill-writes"), lost(&writes.tally)));
        all.push(("first", text!("drill-first-write"), first));
        all.push(("vanished", text!("drill-vanished"), vanished));
    }
    if let Some(ms) = report.undone_ms {
        all.push(("undone", text!("drill-undone"), text!("drill-after-ms", ms = ms)));
    }
    let finding =
        |(key, name, says): (_, Text, Text)| Finding { key, name: lang.say(&name), says: lang.say(&says) };
    all.into_iter().map(finding).collect()
}

fn lost(tally: &Tally) -> Text {
    match (tally.lost(), tally.lost_before) {
        (0, _) => text!("drill-of", lost = 0, of = tally.asked),
        (lost, 0) => text!(
            "drill-lost",
            lost = lost,
            of = tally.asked,
            refused = tally.refused,
            unanswered = tally.unanswered
        ),
        (lost, before) => text!("drill-lost-before", lost = lost, of = tally.asked, before = before),
    }
}

fn recovery(recovery: Recovery) -> Text {
    match recovery {
        Recovery::NothingLost => text!("drill-nothing-lost"),
        Recovery::After(ms) => text!("drill-ms", ms = ms),
        Recovery::NotYet => text!("drill-not-yet"),
    }
}

fn said(said: &Said, lang: Lang) -> SaidRow {
    let when = said.ms.map_or_else(|| text!("drill-before-blow"), |ms| text!("drill-after-ms", ms = ms));
    SaidRow {
        when: lang.say(&when),
        about: if said.about.is_empty() { lang.tr("drill-whole") } else { said.about.clone() },
        st: severity(said.severity),
        word: lang.say(&said.word),
    }
}

/// The progress of a drill, for an open page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Its id.
    pub id: u64,
    /// Which fault is made on which server.
    pub title: String,
    /// What the drill is doing.
    pub doing: String,
    /// Tenths of a second since its start.
    pub done: u64,
    /// Its length in tenths of a second.
    pub of: u64,
    /// What was counted so far.
    pub findings: Vec<Finding>,
}

/// Puts a drill under way into words.
pub fn progress(under_way: &DrillUnderWay, lang: Lang) -> Progress {
    let drill = &under_way.drill;
    let doing = match under_way.phase {
        Phase::Gathering => text!("drill-doing-gather"),
        Phase::Before => text!("drill-doing-before"),
        Phase::Down => text!("drill-doing-down"),
        Phase::After => text!("drill-doing-after"),
        Phase::Closing => text!("drill-doing-close"),
    };
    let gathering = under_way.phase == Phase::Gathering;
    let of = drill.length() / 100;
    Progress {
        id: drill.id,
        title: lang.say(&text!("drill-now", title = drill.title())),
        doing: lang.say(&doing),
        done: if gathering { 0 } else { (under_way.ms / 100).min(of) },
        of,
        findings: findings(drill, lang),
    }
}

#[cfg(test)]
mod tests {
    use cordee_domain::drill::{Fate, Try, Writes};

    use super::*;

    fn says(report: &Report, key: &str) -> Option<String> {
        counted(report, true, Lang::En).into_iter().find(|f| f.key == key).map(|f| f.says)
    }

    #[test]
    fn each_figure_is_in_the_table_and_writes_only_where_there_were_some() {
        let mut report = Report { sessions: 10, sessions_lost: 1, ..Report::default() };
        assert_eq!(says(&report, "recovery").unwrap(), "no request was lost");
        for (fate, ended) in [(Fate::Answered, None), (Fate::Refused, Some(120)), (Fate::Answered, Some(130))]
        {
            report.requests.note(Try { fate, ended, took: 7 });
        }
        assert_eq!(
            says(&report, "requests").unwrap(),
            "1 of 3 (1 answered with an error, 0 without an answer)"
        );
        assert_eq!(says(&report, "sessions").unwrap(), "1 of 10 (a visitor who loses one begins another)");
        assert_eq!(says(&report, "recovery").unwrap(), "120 ms");
        assert_eq!(says(&report, "longest").unwrap(), "7 ms");
        assert_eq!(says(&report, "vanished"), None);
        let elsewhere = counted(&report, false, Lang::En);
        assert_eq!(elsewhere[1].says, "not looked at: only the demonstration’s page tells");
        report.writes = Some(Writes { first_ms: Some(340), vanished: Some(0), ..Writes::default() });
        assert_eq!(says(&report, "first").unwrap(), "340 ms");
        assert_eq!(says(&report, "vanished").unwrap(), "0 of 0");
        report.requests.note(Try { fate: Fate::Unanswered, ended: Some(500), took: 7 });
        assert_eq!(says(&report, "recovery").unwrap(), "not by the end of the drill");
    }
}
