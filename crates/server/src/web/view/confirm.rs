//! The question before a server is restarted, stopped, removed, promoted or copied again: what happens to visitors
//! comes first.

use cordee_domain::attached::Held;
use cordee_domain::desired::{Admin, Membership, Power, Runtime};
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::plan::leaving::Leave;
use cordee_domain::sessions::Mode;
use cordee_domain::snapshot::{Role, ServerView, Snapshot};
use cordee_domain::text;
use cordee_domain::text::{Arg, Text};

use super::question::Question;
use super::{databases, healthy, joining};
use crate::control::act::Risk;
use crate::control::guard::insists;
use crate::words::Lang;

/// Returns the question about `server`.
pub fn question(snapshot: &Snapshot, server: &ServerView, risk: Risk, lang: Lang) -> Question {
    let say = |text: Text| lang.say(&text);
    let name = server.name.as_str();
    let (title, icon, word) = match risk {
        Risk::Promote => return databases::promotion(snapshot, server, lang),
        Risk::Recopy => return joining::recopy(snapshot, server, lang),
        Risk::Remove if server.pool == PoolId::Db => return joining::removal(snapshot, server, lang),
        Risk::Restart => (say(text!("ask-restart", name = name)), "restart", "restart"),
        Risk::Stop => (say(text!("ask-stop", name = name)), "stop", "stop"),
        Risk::Remove => (say(text!("ask-remove", name = name)), "trash", "remove"),
        Risk::Drain => (say(text!("ask-drain", name = name)), "drain", "drain"),
        Risk::Maintenance => (say(text!("ask-maintenance", name = name)), "maint", "maintenance"),
        Risk::Anyway => (say(text!("ask-anyway", name = name)), "stop", "anyway"),
    };
    let insists = insists(snapshot, server, risk);
    let (lead, more) = match server.pool {
        PoolId::Web => web(snapshot, server, risk),
        PoolId::Db => {
            let (lead, more) = database(snapshot, server);
            (lead, vec![more])
        }
    };
    Question {
        button: title.clone(),
        title,
        lead: say(lead),
        more: more.into_iter().map(say).collect::<Vec<_>>().join(" "),
        facts: facts(snapshot, server, risk).into_iter().map(|(a, b)| (say(a), say(b))).collect(),
        icon,
        action: format!("/pools/{}/servers/{name}/{word}", server.pool),
        danger: true,
        type_name: insists.then(|| name.to_owned()),
        know: if insists { say(text!("ask-know")) } else { String::new() },
    }
}

fn others<'a>(snapshot: &'a Snapshot, server: &ServerView) -> Vec<&'a ServerName> {
    healthy(snapshot).into_iter().map(|s| &s.name).filter(|name| **name != server.name).collect()
}

/// Returns the act that is carried out when somebody insists.
fn despite(server: &ServerView, risk: Risk) -> Risk {
    match (risk, server.leave) {
        (Risk::Anyway, Some(Leave::Remove)) => Risk::Remove,
        (Risk::Anyway, Some(Leave::Stop)) => Risk::Stop,
        (Risk::Anyway, Some(Leave::Restart)) => Risk::Restart,
        _ => risk,
    }
}

fn web(snapshot: &Snapshot, server: &ServerView, risk: Risk) -> (Text, Vec<Text>) {
    let name = server.name.as_str();
    let rest = others(snapshot, server);
    let is_up = healthy(snapshot).iter().any(|s| s.name == server.name);
    let lead = match (is_up, rest.len()) {
        (false, _) => text!("ask-web-idle", name = name, visitors = visitors(snapshot, server)),
        (true, 0) if risk == Risk::Drain && snapshot.session == Mode::Proxy => {
            text!("ask-web-last-drain", name = name, visitors = visitors(snapshot, server))
        }
        (true, 0) => text!("ask-web-last", name = name, visitors = visitors(snapshot, server)),
        (true, _) => {
            text!("ask-web-move", visitors = visitors(snapshot, server), names = Arg::few(rest))
        }
    };
    let risk = despite(server, risk);
    let sessions = match (risk, snapshot.session) {
        (Risk::Drain, Mode::Proxy) => text!("ask-web-drain", name = name),
        (_, Mode::Database) => text!("ask-web-keep", name = name),
        (_, Mode::Proxy) => text!("ask-web-lose", name = name),
    };
    let gone = match (risk, server.runtime) {
        (Risk::Remove, Runtime::External) => Some(text!("ask-remove-external", name = name)),
        (Risk::Remove, Runtime::Process) => Some(text!("ask-remove-process", name = name)),
        _ => None,
    };
    // Where no visitor is sent any more, nothing is lost when the server goes.
    let idle = server.power == Power::Off || server.in_proxy == Some(Admin::Maintenance);
    let sessions = Some(sessions).filter(|_| gone.is_none() || !idle);
    (lead, sessions.into_iter().chain(gone).collect())
}

/// Returns how many visitors come back to that web server because of its cookie.
fn visitors(snapshot: &Snapshot, server: &ServerView) -> Text {
    let name = server.name.as_str();
    match server.attached {
        _ if snapshot.session == Mode::Database => text!("visitors-free", name = name),
        Some(Held { visitors, minutes }) => {
            text!("visitors-attached", name = name, count = visitors, minutes = minutes.max(1))
        }
        None => text!("visitors-uncounted", name = name),
    }
}

fn database(snapshot: &Snapshot, server: &ServerView) -> (Text, Text) {
    let name = server.name.as_str();
    let writer = databases::writer(snapshot).map_or("–", |w| w.name.as_str());
    if matches!(server.membership, Some(Membership::Leaving | Membership::Released)) {
        return (text!("ask-db-leaving", writer = writer), text!("ask-db-leaving-more", name = name));
    }
    let lead = if server.role == Some(Role::Writer) {
        text!("ask-db-writer", name = name, sessions = server.sessions)
    } else if databases::takes_writes(server, snapshot.routing) {
        text!("ask-db-also", name = name, sessions = server.sessions, writer = writer)
    } else {
        text!("ask-db-standby", name = name, writer = writer)
    };
    (lead, text!("ask-db-catch-up", name = name))
}

fn facts(snapshot: &Snapshot, server: &ServerView, risk: Risk) -> Vec<(Text, Text)> {
    let name = server.name.as_str();
    let mut facts = Vec::new();
    if server.pool == PoolId::Web {
        let now: Vec<&ServerName> = healthy(snapshot).into_iter().map(|s| &s.name).collect();
        for (when, who) in [(text!("ask-before"), now), (text!("ask-after"), others(snapshot, server))] {
            facts.push((when, text!("ask-serving", count = who.len(), names = Arg::few(who))));
        }
    }
    let back = match (despite(server, risk), server.pool) {
        // Promote and Recopy have facts of their own.
        (Risk::Promote | Risk::Recopy, _) => return facts,
        (Risk::Stop, _) if server.membership == Some(Membership::Leaving) => {
            text!("ask-back-remove-db", name = name)
        }
        (Risk::Drain | Risk::Maintenance | Risk::Anyway, _) => text!("ask-back-ready", name = name),
        (Risk::Restart, PoolId::Web) => text!("ask-back-restart", name = name),
        (Risk::Restart, PoolId::Db) => text!("ask-back-restart-db", name = name),
        (Risk::Stop, _) => text!("ask-back-stop", name = name),
        (Risk::Remove, _) if server.runtime == Runtime::External => {
            text!("ask-back-remove-external", name = name)
        }
        (Risk::Remove, _) => text!("ask-back-remove", name = name),
    };
    facts.push((text!("ask-back"), back));
    facts
}
