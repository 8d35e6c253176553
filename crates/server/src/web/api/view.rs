//! The snapshot as JSON: the same facts as on the page, in the reader's language.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cordee_api::view::{
    AttachedJson, CauseJson, CheckJson, ComparisonJson, EventJson, GapJson, HandoverJson, LeftOutJson,
    LinkJson, PoolJson, ProxyJson, RemedyJson, ServerJson, SnapshotJson, StatusJson,
};
use cordee_api::words::StandingWord;
use cordee_domain::causes::{About, Cause, Remedy};
use cordee_domain::desired::{Desired, Runtime};
use cordee_domain::haproxy::setting::Setting;
use cordee_domain::ids::{Millis, PoolId, ServerName};
use cordee_domain::observed::Observed;
use cordee_domain::scene::Scene;
use cordee_domain::snapshot::{ChannelView, ProxyView, ServerView, Snapshot};
use cordee_domain::state::{Remark, Severity, State, Status};
use cordee_node::clock::now;

use crate::board::Event;
use crate::web::view::causes::says;
use crate::web::view::{present, verdict};
use crate::words::Lang;

/// Returns a snapshot in a language; ages are counted up to `now`.
pub fn snapshot(seen: &Snapshot, lang: Lang, now: Millis) -> SnapshotJson {
    let seen = &*present(seen, now);
    let servers: Vec<ServerJson> = seen.servers.iter().map(|s| server(s, lang, now)).collect();
    let pools = PoolId::ALL
        .map(|name| PoolJson { name, servers: servers.iter().filter(|s| s.pool == name).cloned().collect() })
        .into();
    SnapshotJson {
        revision: seen.revision,
        at: seen.at,
        verdict: remark(&verdict(seen), lang),
        causes: seen.causes.iter().map(|c| cause(c, lang)).collect(),
        routing: seen.routing,
        session: seen.session,
        epoch: seen.epoch,
        handover: seen.handover.as_ref().map(|h| HandoverJson {
            to: h.to.to_string(),
            age_ms: now.saturating_sub(h.at),
            accept_loss: h.accept_loss,
        }),
        gap: seen.gap.map(|g| GapJson { epoch: g.epoch, ms: g.ms, age_ms: now.saturating_sub(g.at) }),
        proxies: seen.proxies.iter().map(|p| proxy(p, lang, now)).collect(),
        pools,
        servers,
    }
}

/// Returns a status in a language.
pub fn status(seen: &Status, lang: Lang) -> StatusJson {
    remark(&seen.remark(), lang)
}

/// Returns a remark in a language.
pub fn remark(seen: &Remark, lang: Lang) -> StatusJson {
    StatusJson {
        severity: seen.severity,
        word: lang.say(&seen.word),
        reason: seen.reason.as_ref().map(|r| lang.say(&r.sentence())),
    }
}

fn cause(seen: &Cause, lang: Lang) -> CauseJson {
    let (about, servers) = match &seen.about {
        About::Cordee => ("cordee".to_owned(), Vec::new()),
        About::Proxy(proxy) => (format!("haproxy-{proxy}"), Vec::new()),
        About::Servers(_, names) => ("servers".to_owned(), names.iter().map(ToString::to_string).collect()),
    };
    CauseJson {
        about,
        servers,
        status: remark(&seen.status, lang),
        by: seen.asked.as_ref().map(|a| a.by.clone()),
        at: seen.asked.as_ref().map(|a| a.at),
        explains: seen.explains.iter().map(ToString::to_string).collect(),
        remedies: seen.remedies.iter().map(|r| remedy(r, lang)).collect(),
    }
}

fn remedy(seen: &Remedy, lang: Lang) -> RemedyJson {
    let (action, server) = match seen {
        Remedy::Ask { name, action, .. } => (action.as_str(), Some(name.to_string())),
        Remedy::Page { name } => ("page", Some(name.to_string())),
        Remedy::Reload { .. } => ("reload", None),
        Remedy::Add => ("add", None),
        Remedy::Config { .. } => ("config", None),
        Remedy::Journal => ("journal", None),
        Remedy::Hand { .. } => ("hand", None),
        Remedy::Itself => ("wait", None),
    };
    RemedyJson { action: action.to_owned(), server, says: says(seen, lang) }
}

fn proxy(seen: &ProxyView, lang: Lang, now: Millis) -> ProxyJson {
    ProxyJson {
        name: seen.name,
        listen: seen.listen.clone(),
        status: status(&seen.status, lang),
        pid: seen.pid,
        worker_pid: seen.worker_pid,
        rate: seen.rate,
        sessions: seen.sessions,
        version: seen.version.clone(),
        settled: seen.settled,
        age_ms: seen.seen_at.map(|at| now.saturating_sub(at)),
    }
}

/// Returns one server in a language.
pub fn server(seen: &ServerView, lang: Lang, now: Millis) -> ServerJson {
    ServerJson {
        name: seen.name.to_string(),
        pool: seen.pool,
        address: seen.address.clone(),
        port: seen.port,
        cookie: seen.cookie.clone(),
        cookie_chosen: seen.cookie_chosen,
        role: seen.role,
        runtime: seen.runtime,
        power: seen.power,
        status: status(&seen.status, lang),
        sessions: seen.sessions,
        total: seen.total,
        last_check: CheckJson {
            age_ms: seen.last_check.at.map(|at| now.saturating_sub(at)),
            result: seen.last_check.result.as_ref().map(|r| lang.say(r)),
            duration_ms: seen.last_check.duration_ms,
        },
        pid: seen.pid,
        version: seen.version.clone(),
        channels: channels(&seen.channels),
        membership: seen.membership.as_ref().map(StandingWord::from),
        semi_sync: seen.semi_sync,
        progress: seen.progress,
        comparison: seen.comparison.as_ref().map(|c| ComparisonJson {
            wanted: c.wanted,
            repairing: c.repair,
            failed: c.failed.as_ref().map(|(_, why)| lang.say(why)),
            failed_age_ms: c.failed.as_ref().map(|(at, _)| now.saturating_sub(*at)),
            running: c.running,
            age_ms: c.at.map(|at| now.saturating_sub(at)),
            tables: c.tables,
            rows: c.rows,
            different: c.different,
            unproven: c.unproven,
            left_out: c
                .left_out
                .iter()
                .map(|t| LeftOutJson { table: t.table.clone(), why: lang.say(&t.why) })
                .collect(),
        }),
        attached: seen.attached.map(|held| AttachedJson { visitors: held.visitors, minutes: held.minutes }),
        waits_for: seen.waits.clone(),
        actions: seen.actions.clone(),
    }
}

fn channels<K: ToString>(seen: &BTreeMap<K, ChannelView>) -> Vec<LinkJson> {
    seen.iter()
        .map(|(from, l)| LinkJson {
            from: from.to_string(),
            severity: l.severity,
            delay_ms: l.delay_ms,
            error: l.error,
        })
        .collect()
}

/// Returns one line of the journal in a language.
pub fn event(seen: &Event, lang: Lang) -> EventJson {
    EventJson {
        id: seen.id,
        at: seen.at,
        actor: seen.actor.clone(),
        subject: seen.subject.clone(),
        severity: seen.severity,
        text: lang.say(&seen.text),
    }
}

/// Returns a server that was added a moment ago, before the engine has looked at it, as on its way.
pub fn fresh_server(desired: &Desired, name: &ServerName, lang: Lang) -> Option<ServerJson> {
    let nowhere = Setting {
        web_socket: PathBuf::new(),
        db_socket: PathBuf::new(),
        session_map: PathBuf::new(),
        cookie_key: String::new(),
        log_key: String::new(),
    };
    let seen = cordee_domain::snapshot::snapshot(Scene::new(desired, &Observed::default(), now()), &nowhere);
    let mut view = seen.servers.into_iter().find(|s| s.name == *name)?;
    if view.runtime == Runtime::External && view.wanted {
        view.status = Status::bare(Severity::Progress, State::Joining);
    }
    Some(server(&view, lang, now()))
}
