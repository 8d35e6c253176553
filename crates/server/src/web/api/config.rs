//! HAProxy's files, explained.

use axum::Json;
use axum::extract::State;
use cordee_api::config::{ConfigJson, LineJson, OddJson, OverwrittenJson, WordJson};
use cordee_api::words::PoolWord;
use cordee_domain::haproxy::drift::{Disk, FileView, Odd, Process};

use super::answers::Asks;
use super::input::ProxyPath;
use super::question;
use crate::board::Ask;
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::session::{Caller, Language};
use crate::words::Lang;

#[utoipa::path(get, path = "/api/v1/proxies/{proxy}/config", tag = "state", operation_id = "get_proxy_config",
    summary = "An HAProxy's file, each line explained",
    description = "Sentences follow `Accept-Language`. Secrets are masked.",
    params(("proxy" = PoolWord, Path, description = "`web` or `db`")),
    responses(
        (status = 200, description = "The file, and how it and the process differ from the wish.", body = ConfigJson),
        Asks
    ))]
pub(super) async fn show(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
    ProxyPath(proxy): ProxyPath,
) -> Result<Json<ConfigJson>, Refusal> {
    let view = question(&app, lang, |reply| Ask::Config { proxy, reply }).await?;
    Ok(Json(config(&view, lang)))
}

fn config(view: &FileView, lang: Lang) -> ConfigJson {
    let difference = match &view.disk {
        Disk::Same | Disk::Missing => Vec::new(),
        Disk::Older(odd) | Disk::ByHand(odd) => odds(odd),
    };
    let process_says = match &view.process {
        Process::Unseen(why) => vec![lang.say(why)],
        Process::Seen(differs) => differs.iter().map(|d| lang.say(d)).collect(),
    };
    ConfigJson {
        proxy: view.proxy,
        lines: lines(view, lang),
        disk: (&view.disk).into(),
        difference,
        process: (&view.process).into(),
        process_says,
        seen_at: view.seen_at,
        overwritten: view.overwritten.as_ref().map(|o| OverwrittenJson {
            at: o.at,
            file: o.file.clone(),
            difference: odds(&o.difference),
        }),
    }
}

fn lines(view: &FileView, lang: Lang) -> Vec<LineJson> {
    let word = |part: &cordee_domain::haproxy::line::Part| WordJson {
        text: part.words.clone(),
        explanation: lang.say(&part.does),
    };
    view.lines
        .iter()
        .map(|line| LineJson {
            text: line.shown(),
            explanation: line.why.as_ref().map(|w| lang.say(&w.does)),
            without: line.why.as_ref().map(|w| lang.say(&w.without)),
            words: line.parts.iter().map(word).collect(),
        })
        .collect()
}

fn odds(all: &[Odd]) -> Vec<OddJson> {
    all.iter().map(|odd| OddJson { added: odd.added, text: odd.text.clone() }).collect()
}
