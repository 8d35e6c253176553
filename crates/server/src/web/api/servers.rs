//! One server: add, remove, act, test, logs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cordee_api::servers::{
    Added, JoinJson, LogJson, LogsJson, NewServerJson, RepairJson, TestJson, TestStepJson,
};
use cordee_api::wishes::Done;
use cordee_api::words::{ActWord, PoolWord};
use cordee_api::words::{Name, WaitText};
use cordee_domain::change::RawServer;
use cordee_domain::db::verify::{Side, TableName};
use cordee_domain::desired::{Desired, Server};
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_node::clock::now;

use super::answers::{Asks, Contradicts, Wished};
use super::input::{
    ActionWord, Body, DatabasePath, Members, PoolPath, QueryFields, ServerPath, one_word, refuse, refused,
};
use super::view::{fresh_server, server};
use super::wishes::{self, Wait};
use super::{act_on, carry_out, question};
use crate::board::{Ask, JoinPlan, LogFile, TestReport};
use crate::control::act::{Account, Act, Consent, Newcomer, ServerAct, rows_of_web};
use crate::control::{self, Effect};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::packing::Unpacked;
use crate::web::session::{Caller, Language};
use crate::words::Lang;

/// Returns what was added; with its present state where it was waited for.
fn added(app: &App, done: control::Done, lang: Lang) -> Result<(StatusCode, Json<Added>), Refusal> {
    let Effect::Added { name, desired, real, .. } = done.effect else {
        return Err(Refusal::unanswered(lang));
    };
    let (state, why) = real.as_ref().map(|found| wishes::say(found, lang)).unzip();
    let snapshot = app.board.snapshot();
    let seen = snapshot.servers.iter().find(|s| s.name == name).filter(|_| real.is_some());
    let server = match seen {
        Some(seen) => server(seen, lang, now()),
        None => fresh_server(&desired, &name, lang).ok_or_else(|| Refusal::unavailable(lang))?,
    };
    let why = why.flatten();
    Ok((StatusCode::CREATED, Json(Added { revision: done.revision, server, state, why })))
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
    PoolPath(pool): PoolPath,
    wait: Wait,
    Body(members): Body,
) -> Result<(StatusCode, Json<Added>), Refusal> {
    let (raw, login) = raw_server(members).map_err(|problems| refused(problems, lang))?;
    let act = Act::Add(Newcomer::Typed { pool, raw, login });
    added(&app, carry_out(&app, act, &Consent::NONE, caller, wait, lang).await?, lang)
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
    let plan = app.control().join_plan().await.map_err(|d| Refusal::declined(d, lang))?;
    Ok(Json(join_json(&plan, lang)))
}

/// How many tables of one kind an answer lists.
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
    let found = app.control().examine(&raw, login).await.map_err(|d| Refusal::declined(d, lang))?;
    Ok(Json(join_json(&found.plan, lang)))
}

#[utoipa::path(post, path = "/api/v1/pools/db/servers/{name}/verify", tag = "servers", operation_id = "verify_database",
    summary = "Compare a database's rows with the writer's",
    description = "Answers when it is noted; the result comes into the journal and the snapshot.",
    params(("name" = Name, Path, description = "The server")),
    responses((status = 202, description = "It is noted.", body = Done), Asks))]
pub(super) async fn verify(
    caller: Caller,
    Language(lang): Language,
    State(app): State<App>,
    DatabasePath(name): DatabasePath,
) -> Result<(StatusCode, Json<Done>), Refusal> {
    act_on(&app, Act::Verify(name), &Consent::NONE, caller, Wait::NOT, lang).await
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
    DatabasePath(name): DatabasePath,
    Body(members): Body,
) -> Result<(StatusCode, Json<Done>), Refusal> {
    let side = one_word(members, "take", Side::parse, lang)?;
    act_on(&app, Act::Repair(name, side), &Consent::NONE, caller, Wait::NOT, lang).await
}

/// Parses a server, and the account of a database that exists already.
fn raw_server(mut members: Members) -> Result<(RawServer, Account), Vec<Problem>> {
    let raw = RawServer {
        name: members.text("name").unwrap_or_default(),
        address: members.text("address"),
        port: members.text_or_number("port"),
        cookie: members.text("cookie"),
        start: members.flag("start").unwrap_or_default(),
        maintenance: members.flag("maintenance").unwrap_or_default(),
    };
    let login = Account { user: members.text("user"), password: members.text("password") };
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
    target: ServerPath,
    asked: QueryFields,
    wait: Wait,
) -> Result<(StatusCode, Json<Done>), Refusal> {
    let consent = flags(&asked, lang)?;
    act_on(&app, target.asks(ServerAct::Remove), &consent, caller, wait, lang).await
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
    target: ServerPath,
    ActionWord(action): ActionWord,
    asked: QueryFields,
    wait: Wait,
) -> Result<(StatusCode, Json<Done>), Refusal> {
    // Removing has a method of its own.
    let Some(act) = ServerAct::parse(&action).filter(|act| *act != ServerAct::Remove) else {
        return Err(unknown(&app, &target, &action, lang));
    };
    let consent = flags(&asked, lang)?;
    act_on(&app, target.asks(act), &consent, caller, wait, lang).await
}

/// Returns the refusal of a word that is no act; a word for databases only is refused differently for a web
/// server.
fn unknown(app: &App, target: &ServerPath, action: &str, lang: Lang) -> Refusal {
    if target.pool != PoolId::Web || !["verify", "repair"].contains(&action) {
        return refuse(StatusCode::NOT_FOUND, "action", text!("problem-action-unknown"), lang);
    }
    match find(&app.board.desired(), target, lang) {
        Ok(server) => Refusal::problem(Problem::conflict("pool", rows_of_web(&server.name)), lang),
        Err(refusal) => refusal,
    }
}

/// Returns what a program confirms beforehand; the page asks for the name to be typed instead.
fn flags(asked: &QueryFields, lang: Lang) -> Result<Consent, Refusal> {
    let flag = |name| asked.flag(name).map_err(|p| Refusal::problem(p, lang));
    let accept_loss = flag("accept_loss")?;
    Ok(Consent::Flags { force: flag("force")?, accept_loss })
}

#[utoipa::path(post, path = "/api/v1/pools/{pool}/servers/{name}/test", tag = "servers", operation_id = "test_server",
    summary = "Test the connection",
    params(("pool" = PoolWord, Path, description = "`web` or `db`"), ("name" = Name, Path, description = "The server")),
    responses((status = 200, description = "What each step found.", body = TestJson), Asks))]
pub(super) async fn test(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
    target: ServerPath,
) -> Result<Json<TestJson>, Refusal> {
    let (pool, name) = (target.pool, find(&app.board.desired(), &target, lang)?.name.clone());
    let report = question(&app, lang, |reply| Ask::Test { pool, name, reply }).await?;
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
    target: ServerPath,
    asked: QueryFields,
) -> Result<(Unpacked, Json<LogsJson>), Refusal> {
    let lines = asked.number("lines", 1..=1_000_u16).map_err(|p| Refusal::problem(p, lang))?;
    let lines = usize::from(lines.unwrap_or(200));
    let checks = asked.flag("checks").map_err(|p| Refusal::problem(p, lang))?;
    let name = with_logs(&app.board.desired(), &target, lang)?;
    let files = question(&app, lang, |reply| Ask::Logs { name, lines, checks, reply }).await?;
    let json = |f: LogFile| {
        let unread = f.unread.map(|why| lang.say(&why));
        LogJson { name: f.name, lines: f.lines, hidden: f.hidden, unread }
    };
    // Visitors of the site write into these logs.
    Ok((Unpacked, Json(LogsJson { files: files.into_iter().map(json).collect() })))
}

/// Returns the server's name. Only a server that Cordée started has logs on this machine.
fn with_logs(desired: &Desired, target: &ServerPath, lang: Lang) -> Result<ServerName, Refusal> {
    let server = find(desired, target, lang)?;
    if server.is_ours() {
        return Ok(server.name.clone());
    }
    let text = text!("problem-no-logs", name = server.name.as_str());
    Err(Refusal::problem(Problem::conflict("name", text), lang))
}

fn find<'a>(desired: &'a Desired, target: &ServerPath, lang: Lang) -> Result<&'a Server, Refusal> {
    desired.pool(target.pool).server(&target.name).ok_or_else(|| {
        let text = text!("problem-server-unknown", name = target.name.as_str());
        Refusal::problem(Problem::unknown("name", text), lang)
    })
}
