//! The list under the verdict: each cause, and what the reader can do about it.

use cordee_domain::actions::Action;
use cordee_domain::causes::{About, Cause, Remedy};
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::reason::Reason;
use cordee_domain::snapshot::Snapshot;
use cordee_domain::text;
use cordee_domain::text::{Arg, Text, Thing};
use serde::Serialize;

use super::{Here, Says, clock_time, severity, stamp};
use crate::words::Lang;

/// One cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CauseRow {
    /// The same key for the same cause in the next snapshot.
    pub key: String,
    /// How many servers the cause is about; one, where it is about something else.
    pub count: usize,
    /// `data-st`.
    pub st: &'static str,
    /// What it is about.
    pub title: Says,
    /// One or two words.
    pub word: String,
    /// The reason; empty when the word says it all.
    pub reason: Says,
    /// Who asked for it; empty when nobody did, or when that is not known.
    pub by: String,
    /// When, for `<time datetime>`.
    pub iso: String,
    /// When, in the page's time zone.
    pub time: String,
    /// What else is in its state because of this cause; may be empty.
    pub explains: Says,
    /// What solves it.
    pub remedies: Vec<RemedyRow>,
}

/// One remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RemedyRow {
    /// `post`: a form's button; `ask`: a question first; `link`: a page; `text`: words only.
    pub kind: &'static str,
    /// Its words. On a control, names in them do not link anywhere else.
    pub says: Says,
    /// The target; empty for words only.
    pub url: String,
    /// Its icon.
    pub icon: &'static str,
}

/// The largest number of buttons of one entry: servers that share a cause have their buttons in the table below.
const MOST: usize = 4;

pub(super) fn rows(snapshot: &Snapshot, here: &Here, lang: Lang) -> Vec<CauseRow> {
    snapshot.causes.iter().map(|cause| row(cause, here, lang)).collect()
}

fn row(cause: &Cause, here: &Here, lang: Lang) -> CauseRow {
    let say = |text: &Text| Says::of(text, here, lang);
    let (title, about) = match &cause.about {
        About::Cordee => (Says::plain("Cordée".to_owned()), "cordee".to_owned()),
        About::Proxy(proxy) => {
            (say(&text!("name-alone", name = Thing::Proxy(*proxy))), format!("proxy-{proxy}"))
        }
        About::Servers(PoolId::Web, names) if names.is_empty() => {
            (Says::plain(lang.tr("web-title")), "web".to_owned())
        }
        About::Servers(pool, names) => (
            say(&text!("name-alone", name = Arg::few(names))),
            format!("{pool}-{}", names.first().map_or("", ServerName::as_str)),
        ),
    };
    let (asked, reason) = (cause.asked.as_ref(), cause.status.reason.as_ref());
    let explains = match cause.explains.len() {
        0 => Says::default(),
        _ => say(&text!("cause-explains", names = Arg::few(&cause.explains))),
    };
    let mut remedies: Vec<RemedyRow> =
        cause.remedies.iter().take(MOST).map(|r| remedy(r, here, lang)).collect();
    if let (About::Servers(pool, _), true) = (&cause.about, cause.remedies.len() > MOST) {
        remedies.push(RemedyRow {
            kind: "link",
            says: Says::plain(lang.say(&text!("remedy-more", count = cause.remedies.len() - MOST))),
            url: format!("#{pool}"),
            icon: "more",
        });
    }
    let count = match &cause.about {
        About::Servers(_, names) => names.len().max(1),
        About::Cordee | About::Proxy(_) => 1,
    };
    CauseRow {
        count,
        key: format!("{about}-{}", cause.status.word.key),
        st: severity(cause.status.severity),
        title,
        word: lang.say(&cause.status.word),
        // Who asked for it is shown beside the reason, with the time.
        reason: reason
            .filter(|r| !matches!(r, Reason::StoppedBy(_)))
            .map(|r| say(&r.sentence()))
            .unwrap_or_default(),
        by: asked.map(|a| lang.say(&text!("cause-by", who = a.who()))).unwrap_or_default(),
        iso: asked.map(|a| stamp(a.at).to_string()).unwrap_or_default(),
        time: asked.map(|a| clock_time(a.at)).unwrap_or_default(),
        explains,
        remedies,
    }
}

/// Returns the words of a remedy, for the page and the API.
pub fn says(remedy: &Remedy, lang: Lang) -> String {
    lang.say(&words(remedy))
}

fn words(remedy: &Remedy) -> Text {
    match remedy {
        Remedy::Ask { name, action, .. } => ask(*action, name.as_str()),
        Remedy::Reload { proxy } => text!("remedy-reload", proxy = Thing::Proxy(*proxy)),
        Remedy::Add => text!("add-open"),
        Remedy::Page { name } => text!("remedy-page", name = name.as_str()),
        Remedy::Config { proxy } => text!("remedy-config", proxy = Thing::Proxy(*proxy)),
        Remedy::Journal => text!("events-all"),
        Remedy::Hand { says } => says.clone(),
        Remedy::Itself => text!("remedy-itself"),
    }
}

fn ask(action: Action, name: &str) -> Text {
    match action {
        Action::Ready => text!("remedy-ready", name = name),
        Action::Start => text!("remedy-start", name = name),
        Action::Restart => text!("remedy-restart", name = name),
        Action::Withdraw => text!("remedy-withdraw", name = name),
        Action::Anyway => text!("remedy-anyway", name = name),
        Action::Promote => text!("remedy-promote", name = name),
        Action::Recopy => text!("remedy-recopy", name = name),
        Action::Remove => text!("remedy-remove", name = name),
        Action::Logs => text!("remedy-logs", name = name),
        Action::Test => text!("remedy-test", name = name),
        // None of these is a remedy: `causes` never offers them.
        Action::Drain | Action::Maintenance | Action::Stop | Action::Verify | Action::Repair => {
            text!("remedy-page", name = name)
        }
    }
}

/// Returns the word in the address, the kind of control, and the icon.
const fn control(action: Action) -> (&'static str, &'static str, &'static str) {
    match action {
        Action::Ready => ("ready", "post", "undo"),
        Action::Start => ("start", "post", "start"),
        Action::Withdraw => ("withdraw", "post", "undo"),
        Action::Restart => ("restart", "ask", "restart"),
        Action::Anyway => ("anyway", "ask", "stop"),
        Action::Promote => ("promote", "ask", "promote"),
        Action::Recopy => ("recopy", "ask", "copy"),
        Action::Remove => ("remove", "ask", "trash"),
        Action::Logs => ("logs", "link", "logs"),
        Action::Test
        | Action::Drain
        | Action::Maintenance
        | Action::Stop
        | Action::Verify
        | Action::Repair => ("test", "link", "test"),
    }
}

fn remedy(remedy: &Remedy, here: &Here, lang: Lang) -> RemedyRow {
    let (kind, url, icon) = match remedy {
        Remedy::Ask { pool, name, action } => {
            let (word, kind, icon) = control(*action);
            (kind, format!("/pools/{pool}/servers/{name}/{word}"), icon)
        }
        Remedy::Reload { proxy } => ("post", format!("/proxies/{proxy}/reload"), "reload"),
        Remedy::Add => ("link", "/pools/web/servers/new".to_owned(), "plus"),
        Remedy::Page { name } => ("link", format!("/pools/db/servers/{name}"), "database"),
        Remedy::Config { proxy } => ("link", format!("/config/{proxy}"), "settings"),
        Remedy::Journal => ("link", "/journal".to_owned(), "clock"),
        Remedy::Hand { .. } | Remedy::Itself => ("text", String::new(), "info"),
    };
    let says = match kind {
        "text" => Says::of(&words(remedy), here, lang),
        "ask" => Says::plain(says(remedy, lang) + "…"),
        _ => Says::plain(says(remedy, lang)),
    };
    RemedyRow { kind, says, url, icon }
}

#[cfg(test)]
mod tests {
    use cordee_domain::desired::Asked;
    use cordee_domain::state::{Remark, Severity, State};

    use super::super::fixture::{name, snapshot};
    use super::super::picture;
    use super::*;

    fn aside(count: usize) -> Snapshot {
        let names: Vec<ServerName> = (1..=count).map(|n| name(&format!("web{n}"))).collect();
        let ready =
            |name: &ServerName| Remedy::Ask { pool: PoolId::Web, name: name.clone(), action: Action::Ready };
        let mut all = snapshot();
        all.causes = vec![Cause {
            status: Remark::bare(Severity::Maintenance, State::Maintenance.sentence()),
            asked: Some(Asked { by: "token:deploy".to_owned(), at: 1_000 }),
            explains: Vec::new(),
            remedies: names.iter().map(ready).collect(),
            about: About::Servers(PoolId::Web, names),
        }];
        all
    }

    #[test]
    fn an_entry_names_who_asked_and_leads_to_what_puts_it_right() {
        let row = picture(&aside(1), Lang::Fr, cordee_node::clock::now()).causes.remove(0);
        assert_eq!((row.st, row.word.as_str()), ("maint", "En maintenance"));
        assert_eq!(row.title.to_string(), "web1");
        assert_eq!((row.by.as_str(), row.iso.as_str()), ("par le jeton deploy à", "1970-01-01T00:00:01Z"));
        let RemedyRow { kind, says, url, .. } = &row.remedies[0];
        assert_eq!(
            (*kind, says.to_string().as_str(), url.as_str()),
            ("post", "Remettre web1 en service", "/pools/web/servers/web1/ready")
        );
    }

    #[test]
    fn an_entry_about_many_servers_stays_short() {
        let row = picture(&aside(30), Lang::En, cordee_node::clock::now()).causes.remove(0);
        assert_eq!(row.count, 30, "as the verdict counts");
        assert_eq!(row.title.to_string(), "web1, web2, web3 and 27 more");
        let names = row.title.words().iter().filter_map(|word| word.name.as_ref());
        let leads: Vec<_> = names.map(|name| (name.server.as_str(), name.to.as_str())).collect();
        let page = "/pools/web/servers/web1";
        assert_eq!(
            leads,
            [("web1", page), ("web2", "/pools/web/servers/web2"), ("web3", "")],
            "as they are there"
        );
        assert_eq!(row.remedies.len(), MOST + 1);
        assert_eq!((row.remedies[MOST].url.as_str(), row.remedies[MOST].kind), ("#web", "link"));
    }

    #[test]
    fn every_remedy_has_words_without_an_open_argument_and_a_control_of_its_own() {
        let all = [Action::Ready, Action::Start, Action::Withdraw, Action::Restart, Action::Anyway];
        let more = [Action::Promote, Action::Recopy, Action::Remove, Action::Logs, Action::Test];
        let mut urls = std::collections::BTreeSet::new();
        for action in all.into_iter().chain(more) {
            let ask = Remedy::Ask { pool: PoolId::Web, name: name("web1"), action };
            for lang in Lang::ALL {
                let row = remedy(&ask, &Here::default(), lang);
                let says = row.says.to_string();
                assert!(says.contains("web1") && !says.contains('{'), "{row:?}");
                assert_eq!(says.ends_with('…'), row.kind == "ask", "{row:?}");
                urls.insert(row.url);
            }
        }
        assert_eq!(urls.len(), 10);
    }
}
