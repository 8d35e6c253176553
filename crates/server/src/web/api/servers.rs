//! One server: add, take away, act, test, logs.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cordee_api::servers::{
    Added, JoinJson, LogJson, LogsJson, NewServerJson, RepairJson, TestJson, TestStepJson,
};
use cordee_api::wishes::Done;
use cordee_api::words::{ActWord, PoolWord};
use cordee_api::words::{Name, WaitText};
use cordee_domain::actions::untimely;
use cordee_domain::change::{NewServer, RawServer, Request};
use cordee_domain::db::verify::{Side, TableName};
use cordee_domain::desired::{Admin, Desired, Power, Server, another};
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_node::clock::now;
use cordee_node::vault::Login;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::answers::{Asks, Contradicts, Wished};
use super::input::{
    ActionWord, Asked, Body, Members, Target, TargetDatabase, TargetPool, one_word, refuse, refused,
};
use super::view::{fresh_server, server};
use super::wishes::Wait;
use super::{commit, wishes};
use crate::board::{Ask, JoinPlan, LogFile, TestReport};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::guard::{idle, last_one, last_standby};
use crate::web::guest::{at, guest};
use crate::web::packing::Unpacked;
use crate::web::session::{Caller, Language};
use crate::words::Lang;

/// The engine answers a question within this time, or the caller is told that it does not.
const ENGINE_DEADLINE: Duration = Duration::from_secs(20);

/// Says what was added; at once, or when it serves and `wait` is not over before.
async fn added(
    app: &App,
    change: &Request,
    desired: &Desired,
    Wait(wait): Wait,
    lang: Lang,
) -> Result<(StatusCode, Json<Added>), Refusal> {
    let Request::AddServer { server: NewServer { name, .. }, .. } = change else {
        return Err(Refusal::unavailable(lang));
    };
    let revision = desired.revision;
    let (state, why) = match wait {
        None => (None, None),
        Some(wait) => {
            let (state, why) =
                wishes::say(&wishes::settle(app, &change.clone().into(), revision, wait).await, lang);
            (Some(state), why)
        }
    };
    let snapshot = app.board.snapshot();
    let seen = snapshot.servers.iter().find(|s| s.name == *name).filter(|_| wait.is_some());
    let server = match seen {
        Some(seen) => server(seen, lang, now()),
        None => fresh_server(desired, name, lang).ok_or_else(|| Refusal::unavailable(lang))?,
    };
    Ok((StatusCode::CREATED, Json(Added { revision, server, state, why })))
}

#[utoipa::path(post, path = "/api/v1/pools/{pool}/servers", tag = "servers", operation_id = "add_server",
    summary = "Add a server",
    params(("pool" = PoolWord, Path, description = "`web` or `db`"),
        ("wait" = Option<WaitText>, Query, description = "answer when it is real, at most so long: `30s`")),
    request_body = NewServerJson,
    responses((status = 201, description = "Added, and on its way into service.", body = Added), Asks))]
pub(super) async fn add(
    caller: Caller,
    Language(lang): Language,
    State(app): State<App>,
    TargetPool(pool): TargetPool,
    wait: Wait,
    Body(members): Body,
) -> Result<(StatusCode, Json<Added>), Refusal> {
    let (raw, login) = raw_server(members).map_err(|problems| refused(problems, lang))?;
    if pool == PoolId::Db && !raw.start {
        let (new, plan, login) = examined(&app, &raw, login, lang).await?;
        let change = Request::AddServer { pool, server: new.clone() };
        let desired = app.admit(new, plan.id, login, caller.0).await.map_err(|e| Refusal::commit(e, lang))?;
        return added(&app, &change, &desired, wait, lang).await;
    }
    if login.0.is_some() || login.1.is_some() {
        return Err(Refusal::problem(Problem::invalid("user", text!("problem-login-nobody")), lang));
    }
    if pool == PoolId::Db {
        may_join(&app, lang).await?;
    }
    let store = app.store.clone();
    let server = app.blocking(move || store.new_server(&raw)).await.map_err(|e| Refusal::commit(e, lang))?;
    let change = Request::AddServer { pool, server };
    let desired = app.commit(change.clone(), caller.0).await.map_err(|e| Refusal::commit(e, lang))?;
    added(&app, &change, &desired, wait, lang).await
}

/// Whether a database could join now; nothing is done.
pub(super) async fn may_join(app: &App, lang: Lang) -> Result<JoinPlan, Refusal> {
    ask(app, lang, Ask::Join).await?.map_err(|problems| refused(problems, lang))
}

#[utoipa::path(get, path = "/api/v1/pools/db/join", tag = "servers", operation_id = "plan_join",
    summary = "How a new database would join",
    description = "Looks at everything that would stop it, and writes nothing.",
    responses((status = 200, description = "It can; nothing was done.", body = JoinJson), Contradicts, Asks))]
pub(super) async fn join(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
) -> Result<Json<JoinJson>, Refusal> {
    Ok(Json(join_json(&may_join(&app, lang).await?, lang)))
}

/// Tables of one kind that an answer names.
const NAMED: usize = 20;

fn join_json(plan: &JoinPlan, lang: Lang) -> JoinJson {
    let JoinPlan { donor, from_writer, bytes, tables, freight, slot, id, at: _ } = plan;
    let names = |all: &[TableName]| all.iter().take(NAMED).map(ToString::to_string).collect();
    let words = tables.keyless_words().into_iter().chain(tables.memory_words()).chain(freight.words());
    JoinJson {
        donor: donor.to_string(),
        from_writer: *from_writer,
        bytes: *bytes,
        tables: tables.all,
        keyless: names(&tables.keyless),
        memory: names(&tables.memory),
        broken_views: names(&freight.unsound),
        apart: names(&freight.apart),
        events: names(&freight.events),
        warnings: words.map(|text| lang.say(&text)).collect(),
        slot: *slot,
        id: *id,
    }
}

#[utoipa::path(post, path = "/api/v1/pools/db/join", tag = "servers", operation_id = "plan_existing",
    summary = "How a database that exists already would join",
    description = "Asks it everything that would stop it, within five seconds, and writes nothing, \
        neither there nor here.",
    request_body = NewServerJson,
    responses((status = 200, description = "It can; nothing was done.", body = JoinJson), Asks))]
pub(super) async fn join_existing(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
    Body(members): Body,
) -> Result<Json<JoinJson>, Refusal> {
    let (raw, login) = raw_server(members).map_err(|problems| refused(problems, lang))?;
    let (_, plan, _) = examined(&app, &raw, login, lang).await?;
    Ok(Json(join_json(&plan, lang)))
}

/// A database that exists already, after it was asked; at the address that it has now.
async fn examined(
    app: &App,
    raw: &RawServer,
    (user, password): Said,
    lang: Lang,
) -> Result<(NewServer, JoinPlan, Login), Refusal> {
    let login = (user.unwrap_or_default(), password.unwrap_or_default());
    let guest = guest(raw, &login).map_err(|problems| refused(problems, lang))?;
    let (new, login) = (guest.0, guest.1.login.clone());
    let found = app.invite(guest.1).await.ok_or_else(|| Refusal::unavailable(lang))?;
    let plan = found.map_err(|problems| refused(problems, lang))?;
    Ok((at(new, &plan), plan, login))
}

#[utoipa::path(post, path = "/api/v1/pools/db/servers/{name}/verify", tag = "servers", operation_id = "verify_database",
    summary = "Compare a database's rows with the writer's",
    description = "Answers when it is noted; the result comes into the journal and the snapshot.",
    params(("name" = Name, Path, description = "The server")),
    responses((status = 202, description = "It is noted.", body = Done), Asks))]
pub(super) async fn verify(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
    TargetDatabase(name): TargetDatabase,
) -> Result<(StatusCode, Json<Done>), Refusal> {
    let (revision, name, id) = follower(&app, name, lang)?;
    let message = lang.say(&text!("verify-asked", name = name.as_str()));
    if !ask(&app, lang, |reply| Ask::Compare { name: name.clone(), id, reply }).await? {
        return Err(Refusal::problem(another(&name), lang));
    }
    Ok((StatusCode::ACCEPTED, Json(Done::at(revision, message))))
}

#[utoipa::path(post, path = "/api/v1/pools/db/servers/{name}/repair", tag = "servers", operation_id = "repair_database",
    summary = "Put right what differs from the writer",
    description = "Lets a database past the conflict at which its link stopped (1062, 1032), then writes one \
        side's rows on the other wherever they differ. Both versions are saved in a file under lost/ first.",
    params(("name" = Name, Path, description = "The server")), request_body = RepairJson,
    responses((status = 202, description = "It is noted.", body = Done), Asks))]
pub(super) async fn repair(
    caller: Caller,
    Language(lang): Language,
    State(app): State<App>,
    TargetDatabase(name): TargetDatabase,
    Body(members): Body,
) -> Result<(StatusCode, Json<Done>), Refusal> {
    let side = one_word(members, "take", Side::parse, lang)?;
    let (revision, name, id) = follower(&app, name, lang)?;
    let message = lang.say(&text!("repair-asked", name = name.as_str()));
    let taken = app.repair(caller.0, (name, id), side).await.map_err(|e| Refusal::commit(e, lang))?;
    if !taken {
        return Err(Refusal::unanswered(lang));
    }
    Ok((StatusCode::ACCEPTED, Json(Done::at(revision, message))))
}

/// A database that follows the writer, as it is written, and its id; with the wish's revision.
fn follower(app: &App, name: ServerName, lang: Lang) -> Result<(u64, ServerName, u32), Refusal> {
    let desired = app.board.desired();
    let server = find(&desired, &Target { pool: PoolId::Db, name }, lang)?;
    let (name, id) = (server.name.clone(), server.id);
    if desired.is_writer(&name) {
        let text = text!("problem-verify-writer", name = name.as_str());
        return Err(Refusal::problem(Problem::conflict("name", text), lang));
    }
    Ok((desired.revision, name, id))
}

/// The account and the password of a database that exists already, as they are said.
type Said = (Option<String>, Option<String>);

/// A server as it is said, and that account.
fn raw_server(mut members: Members) -> Result<(RawServer, Said), Vec<Problem>> {
    let raw = RawServer {
        name: members.text("name").unwrap_or_default(),
        address: members.text("address"),
        port: members.text_or_number("port"),
        cookie: members.text("cookie"),
        start: members.flag("start").unwrap_or_default(),
        maintenance: members.flag("maintenance").unwrap_or_default(),
    };
    let login = (members.text("user"), members.text("password"));
    members.finish().map(|()| (raw, login))
}

#[utoipa::path(delete, path = "/api/v1/pools/{pool}/servers/{name}", tag = "servers", operation_id = "remove_server",
    summary = "Take a server away",
    description = "A server that Cordée started is stopped and its files are removed.",
    params(("pool" = PoolWord, Path, description = "`web` or `db`"), ("name" = Name, Path, description = "The server"),
        ("force" = Option<bool>, Query, description = "needed for the last web server that serves, \
            and for the last database that could take over"),
        ("wait" = Option<WaitText>, Query, description = "answer when it is real, at most so long: `30s`")),
    responses(Wished))]
pub(super) async fn remove(
    caller: Caller,
    Language(lang): Language,
    State(app): State<App>,
    target: Target,
    asked: Asked,
    wait: Wait,
) -> Result<(StatusCode, Json<Done>), Refusal> {
    let force = forced(&app, &target, "remove", &asked, lang)?;
    commit(&app, Request::RemoveServer { pool: target.pool, name: target.name, force }, caller, wait, lang)
        .await
}

#[utoipa::path(post, path = "/api/v1/pools/{pool}/servers/{name}/{action}", tag = "servers",
    operation_id = "act_on_server",
    summary = "Act on a server",
    params(("pool" = PoolWord, Path, description = "`web` or `db`"), ("name" = Name, Path, description = "The server"),
        ("action" = ActWord, Path, description = "`drain`, `maintenance`, `ready`, `restart`, `stop`, `start`, \
            `promote` or `recopy`; \
            for a web server that waits for another one to serve: `anyway` or `withdraw`"),
        ("force" = Option<bool>, Query, description = "needed to drain, put into maintenance, \
            restart or stop the last one that serves, and to copy the last database again that could take over"),
        ("accept_loss" = Option<bool>, Query, description = "`promote` even if the writer is lost and holds writes \
            that no other database received"),
        ("wait" = Option<WaitText>, Query, description = "answer when it is real, at most so long: `30s`")),
    responses(Wished))]
pub(super) async fn act(
    caller: Caller,
    Language(lang): Language,
    State(app): State<App>,
    target: Target,
    ActionWord(action): ActionWord,
    asked: Asked,
    wait: Wait,
) -> Result<(StatusCode, Json<Done>), Refusal> {
    let unknown = || refuse(StatusCode::NOT_FOUND, "action", text!("problem-action-unknown"), lang);
    if let Some(elsewhere) = misplaced(&action, &target) {
        find(&app.board.desired(), &target, lang)?;
        return Err(Refusal::problem(Problem::conflict("pool", elsewhere), lang));
    }
    let id = app.board.desired().pool(target.pool).server(&target.name).map_or(0, |s| s.id);
    let accept_loss = asked.flag("accept_loss").map_err(|p| Refusal::problem(p, lang))?;
    let force = forced(&app, &target, &action, &asked, lang)?;
    let change = change(&action, target, id, (force, accept_loss)).ok_or_else(unknown)?;
    timely(&app, &change).await.map_err(|p| Refusal::problem(p, lang))?;
    commit(&app, change, caller, wait, lang).await
}

/// What is said of an act that servers of the other pool know.
fn misplaced(action: &str, Target { pool, name }: &Target) -> Option<Text> {
    match (pool, action) {
        (PoolId::Web, "promote") => Some(text!("problem-promote-web", name = name.as_str())),
        (PoolId::Web, "verify" | "repair" | "recopy") => {
            Some(text!("problem-rows-web", name = name.as_str()))
        }
        (PoolId::Db, "anyway" | "withdraw") => Some(text!("problem-waits-db", name = name.as_str())),
        _ => None,
    }
}

fn change(
    action: &str,
    Target { pool, name }: Target,
    id: u32,
    (force, accept_loss): (bool, bool),
) -> Option<Request> {
    let admin = |name, admin| Some(Request::SetAdmin { pool, name, admin, force });
    let power = |name, power| Some(Request::SetPower { pool, name, power, force });
    match action {
        "anyway" if pool == PoolId::Web => Some(Request::Insist { name }),
        "withdraw" if pool == PoolId::Web => Some(Request::Withdraw { name }),
        "drain" => admin(name, Admin::Drain),
        "maintenance" => admin(name, Admin::Maintenance),
        "ready" => admin(name, Admin::Ready),
        "start" => power(name, Power::On),
        "stop" => power(name, Power::Off),
        "restart" => Some(Request::Restart { pool, name, force }),
        "recopy" if pool == PoolId::Db => Some(Request::Recopy { name, id }),
        "promote" if pool == PoolId::Db => Some(Request::Promote { name, at: now(), accept_loss }),
        _ => None,
    }
}

/// Whether `force=true` was given, without which the last one that serves does not go, nor the data of the last one
/// that could take over. The page asks for its name to be typed.
fn forced(app: &App, target: &Target, action: &str, asked: &Asked, lang: Lang) -> Result<bool, Refusal> {
    let force = asked.flag("force").map_err(|p| Refusal::problem(p, lang))?;
    let leaves = match target.pool {
        PoolId::Web => ["drain", "maintenance", "restart", "stop", "remove"].contains(&action),
        PoolId::Db => ["restart", "stop", "remove", "recopy"].contains(&action),
    };
    if force || !leaves {
        return Ok(force);
    }
    let picture = app.board.snapshot_as_wished();
    if target.pool == PoolId::Db && ["remove", "recopy"].contains(&action) {
        if !last_standby(&picture, &target.name) {
            return Ok(false);
        }
        let text = text!("problem-last-standby", name = target.name.as_str());
        return Err(Refusal::problem(Problem::conflict("force", text), lang));
    }
    if !last_one(&picture, target.pool, &target.name) {
        return Ok(idle(&picture, target.pool, &target.name));
    }
    let text = match target.pool {
        PoolId::Web => text!("problem-last-healthy", name = target.name.as_str()),
        PoolId::Db => text!("problem-last-database-stops", name = target.name.as_str()),
    };
    Err(Refusal::problem(Problem::conflict("force", text), lang))
}

/// How long a wish that was just written down may take to be in the picture.
const SEEN: Duration = Duration::from_secs(2);

/// Refuses what only the picture tells against. One that is older than the wish does not say.
pub(in crate::web) async fn timely(app: &App, change: &Request) -> Result<(), Problem> {
    if !matches!(change, Request::Insist { .. } | Request::Withdraw { .. } | Request::Recopy { .. }) {
        return Ok(());
    }
    let desired = app.board.desired();
    let mut pictures = app.board.watch_snapshot();
    let newest = pictures.wait_for(|picture| picture.revision >= desired.revision);
    // Without a newer one the last is as good as any.
    let picture = match timeout(SEEN, newest).await {
        Ok(Ok(picture)) => picture.clone(),
        _ => app.board.snapshot(),
    };
    untimely(change, &app.board.desired(), &picture).map_or(Ok(()), Err)
}

#[utoipa::path(post, path = "/api/v1/pools/{pool}/servers/{name}/test", tag = "servers", operation_id = "test_server",
    summary = "Test the connection",
    params(("pool" = PoolWord, Path, description = "`web` or `db`"), ("name" = Name, Path, description = "The server")),
    responses((status = 200, description = "What each step found.", body = TestJson), Asks))]
pub(super) async fn test(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
    target: Target,
) -> Result<Json<TestJson>, Refusal> {
    let (pool, name) = (target.pool, find(&app.board.desired(), &target, lang)?.name.clone());
    let report = ask(&app, lang, |reply| Ask::Test { pool, name, reply }).await?;
    Ok(Json(say_test(&report, lang)))
}

fn say_test(report: &TestReport, lang: Lang) -> TestJson {
    let steps = report.steps.iter();
    TestJson {
        passed: report.passed(),
        steps: steps
            .map(|s| TestStepJson { name: lang.say(&s.name), ok: s.ok, ms: s.ms, says: lang.say(&s.says) })
            .collect(),
    }
}

#[utoipa::path(get, path = "/api/v1/pools/{pool}/servers/{name}/logs", tag = "servers",
    operation_id = "get_server_logs",
    summary = "The last lines of a server's logs",
    params(("pool" = PoolWord, Path, description = "`web` or `db`"), ("name" = Name, Path, description = "The server"),
        ("lines" = Option<u16>, Query, minimum = 1, maximum = 1000,
            description = "of each file, 1 to 1000; 200 when absent"),
        ("checks" = Option<bool>, Query, description = "with the lines of health checks and of Cordée's own questions \
            in `access.log`; `false` when absent")),
    responses((status = 200, description = "The lines.", body = LogsJson), Contradicts, Asks))]
pub(super) async fn logs(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
    target: Target,
    asked: Asked,
) -> Result<(Unpacked, Json<LogsJson>), Refusal> {
    let lines = asked.number("lines", 1..=1_000_u16).map_err(|p| Refusal::problem(p, lang))?;
    let lines = usize::from(lines.unwrap_or(200));
    let checks = asked.flag("checks").map_err(|p| Refusal::problem(p, lang))?;
    let name = with_logs(&app.board.desired(), &target, lang)?;
    let files = ask(&app, lang, |reply| Ask::Logs { name, lines, checks, reply }).await?;
    let json = |f: LogFile| {
        let unread = f.unread.map(|why| lang.say(&why));
        LogJson { name: f.name, lines: f.lines, hidden: f.hidden, unread }
    };
    // Whoever visits the site writes into them.
    Ok((Unpacked, Json(LogsJson { files: files.into_iter().map(json).collect() })))
}

/// Only a server that Cordée started has logs on this machine.
fn with_logs(desired: &Desired, target: &Target, lang: Lang) -> Result<ServerName, Refusal> {
    let server = find(desired, target, lang)?;
    if server.is_ours() {
        return Ok(server.name.clone());
    }
    let text = text!("problem-no-logs", name = server.name.as_str());
    Err(Refusal::problem(Problem::conflict("name", text), lang))
}

fn find<'a>(desired: &'a Desired, target: &Target, lang: Lang) -> Result<&'a Server, Refusal> {
    desired.pool(target.pool).server(&target.name).ok_or_else(|| {
        let text = text!("problem-server-unknown", name = target.name.as_str());
        Refusal::problem(Problem::unknown("name", text), lang)
    })
}

/// Puts a question to the engine, and waits no longer than a client does.
pub(super) async fn ask<T>(
    app: &App,
    lang: Lang,
    question: impl FnOnce(oneshot::Sender<T>) -> Ask,
) -> Result<T, Refusal> {
    match tokio::time::timeout(ENGINE_DEADLINE, app.board.ask(question)).await {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(Refusal::unavailable(lang)),
        Err(_) => {
            let text = text!("problem-engine-slow", seconds = ENGINE_DEADLINE.as_secs());
            Err(refuse(StatusCode::GATEWAY_TIMEOUT, "", text, lang))
        }
    }
}
