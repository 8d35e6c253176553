//! The command line as a client of the API: one or two requests, an answer for the reader, an exit code.

mod account;
mod http;
mod jobs;
mod rows;
mod show;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cordee_api::config::ConfigJson;
use cordee_api::local::{Dsn, SetupCode, StartJson};
use cordee_api::servers::{JoinJson, LogsJson, TestJson};
use cordee_api::tools::{CleanJson, HistoryJson};
use cordee_api::view::SnapshotJson;
use cordee_api::visitors::{RequestsJson, VisitorsJson};
use cordee_api::wishes::Done;
use cordee_api::wishes::{WishJson, WishState};
use cordee_api::words::{DiskWord, ProcessWord};
use cordee_domain::ids::PoolId;
use cordee_domain::started::Started;
use cordee_domain::state::Severity;
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_node::vault;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cli::{AddArgs, ClientCommand, DsnAccount, KeepArgs, Options, ServerArgs};
use crate::complain::complain;
use crate::words::Lang;

use http::{Door, segment};
pub use show::out;

/// Why a command failed.
#[derive(Debug)]
enum Failure {
    /// No Cordée answers.
    Unreachable(Text),
    /// The answer came too late, or this version cannot read it.
    Broken(Text),
    /// Cordée refused: field and sentence, already in the reader's language.
    Refused(Vec<(String, String)>),
    /// The command itself is wrong.
    Usage(Text),
    /// The order was accepted, but the change is not made yet.
    UnderWay(Text),
}

/// The text for stdout, and the exit code.
struct Said {
    text: String,
    code: u8,
}

impl Said {
    fn well(text: String) -> Self {
        Self { text, code: 0 }
    }

    /// Returns an answer about something that is well or not.
    fn of(text: String, well: bool) -> Self {
        Self { text, code: u8::from(!well) }
    }
}

/// The exit code of `status` if the site is served, but not all is well.
const AT_RISK: u8 = 5;
/// The exit code of `status` if the site or its database does not answer.
const DOWN: u8 = 6;
/// The exit code of `status` if it is not known whether visitors are served: with HAProxy frozen they are not.
const NOT_KNOWN: u8 = 7;

/// Returns the snapshot of the Cordée on `socket`, if it answers.
pub async fn picture(socket: &Path, lang: Lang) -> Option<SnapshotJson> {
    let value = Door::at(socket, lang).get("/api/v1/snapshot").await.ok()?;
    serde_json::from_value(value).ok()
}

/// Returns how far the start of the cluster on `socket` is, if its Cordée answers. An earlier version does not
/// report that: then the start counts as complete once all is well.
pub async fn start(socket: &Path, lang: Lang) -> Option<StartJson> {
    match Door::at(socket, lang).local("GET", "/local/start", None).await {
        Ok(value) => serde_json::from_value(value).ok(),
        Err(Failure::Refused(_)) => {
            let verdict = picture(socket, lang).await?.verdict;
            let started = if verdict.severity == Severity::Good { Started::Well } else { Started::Waits };
            Some(StartJson { started, verdict })
        }
        Err(_) => None,
    }
}

/// Returns why not all is well there, and what to do about it, in the words of `status`.
pub async fn causes(socket: &Path, lang: Lang) -> String {
    picture(socket, lang).await.map_or_else(String::new, |seen| show::causes(&seen.causes, lang))
}

/// Sends one request to the Cordée on `socket`, for Cordée's own use. `Err` holds the reason in words for the log.
pub async fn ask(socket: &Path, method: &str, to: &str, body: Option<&Value>) -> Result<Value, String> {
    let answer = Door::at(socket, Lang::En).local(method, to, body).await;
    answer.map_err(|failure| complaint(failure, |_| None, Lang::En).0.join("; "))
}

/// Runs a command and prints its result. Exit codes: 0 done, 1 refused or failed, 2 wrong use, 3 Cordée does not
/// answer, 4 accepted and still under way when `patience` was over; for `status` also 5 not all well, 6 down, 7 not
/// known. `said` is the waiting time that was given explicitly.
pub async fn run(
    command: ClientCommand,
    options: &Options,
    socket: &Path,
    patience: Duration,
    said: Option<Duration>,
    lang: Lang,
) -> ExitCode {
    let said = match Door::from_environment(socket, patience, said, lang) {
        Ok(door) => answer(command, &door).await,
        Err(failure) => Err(failure),
    };
    match said {
        Ok(Said { text, code }) => {
            show::out(&text);
            ExitCode::from(code)
        }
        Err(failure) => {
            let (sentences, code) = complaint(failure, |field| options.called(field), lang);
            complain(&sentences);
            ExitCode::from(code)
        }
    }
}

/// Returns each sentence, and the exit code. `called` returns the option that stands for a field of the API.
fn complaint(failure: Failure, called: impl Fn(&str) -> Option<String>, lang: Lang) -> (Vec<String>, u8) {
    match failure {
        Failure::Refused(reasons) => {
            let say = |(field, text): (String, String)| at_field(&called(&field).unwrap_or_default(), text);
            (reasons.into_iter().map(say).collect(), 1)
        }
        Failure::Broken(text) => (vec![lang.say(&text)], 1),
        Failure::Usage(text) => (vec![lang.say(&text)], 2),
        Failure::Unreachable(text) => (vec![lang.say(&text)], 3),
        Failure::UnderWay(text) => (vec![lang.say(&text)], 4),
    }
}

fn at_field(field: &str, text: String) -> String {
    if field.is_empty() { text } else { format!("{field}: {text}") }
}

async fn answer(command: ClientCommand, door: &Door) -> Result<Said, Failure> {
    match command {
        ClientCommand::Status { json } => status(door, json).await,
        ClientCommand::SetupCode => setup_code(door).await,
        ClientCommand::Token(command) => account::token(door, command).await,
        ClientCommand::Password { forgotten } => account::password(door, forgotten).await,
        ClientCommand::Add(add) => add_server(door, &add).await,
        ClientCommand::Remove(leave) => remove(door, &leave.server, leave.force).await,
        ClientCommand::Drain(leave) => act(door, &leave.server, "drain", leave.force).await,
        ClientCommand::Ready(server) => act(door, &server, "ready", false).await,
        ClientCommand::Maintenance(leave) => act(door, &leave.server, "maintenance", leave.force).await,
        ClientCommand::Restart(leave) => act(door, &leave.server, "restart", leave.force).await,
        ClientCommand::Stop(leave) => act(door, &leave.server, "stop", leave.force).await,
        ClientCommand::Anyway(server) => act(door, &server, "anyway", false).await,
        ClientCommand::Withdraw(server) => act(door, &server, "withdraw", false).await,
        ClientCommand::Start(server) => act(door, &server, "start", false).await,
        ClientCommand::Promote { server, accept_loss } => promote(door, &server, accept_loss).await,
        ClientCommand::Plan { pool } => plan(door, &pool).await,
        ClientCommand::Verify(server) => {
            let to = format!("{}/verify", address(door, &server).await?);
            rows::verify(door, &to, server.name()).await
        }
        ClientCommand::Repair { server, take } => {
            let to = format!("{}/repair", address(door, &server).await?);
            rows::repair(door, &to, server.name(), &take).await
        }
        ClientCommand::Recopy(leave) => act(door, &leave.server, "recopy", leave.force).await,
        ClientCommand::Routing { pool, routing } => share(door, &pool, &routing).await,
        ClientCommand::Session { mode } => {
            wished(door, door.put("/api/v1/pools/web/session", &json!({ "mode": mode })).await?).await
        }
        ClientCommand::Test(server) => test(door, &server).await,
        ClientCommand::Logs { server, lines, checks } => logs(door, &server, &lines, checks).await,
        ClientCommand::Config { proxy, json } => config(door, &proxy, json).await,
        ClientCommand::Reload { proxy } => reload(door, &proxy).await,
        ClientCommand::Clean { apply } => clean(door, apply).await,
        ClientCommand::Visitors { server, address, changes, csv, limit } => {
            let asked = query(&[("server", server), ("address", address), ("limit", Some(limit))]);
            let found = read(door.get(&format!("/api/v1/visitors?{asked}")).await?)?;
            Ok(Said::well(visitors(&found, changes, csv, door.lang)))
        }
        ClientCommand::KeepVisitors(keep) => keep_visitors(door, &keep).await,
        ClientCommand::Requests { server, status, path, address: from, limit } => {
            let to = address(door, &server).await?;
            let limits = [("status", status), ("path", path), ("address", from), ("limit", Some(limit))];
            let found: RequestsJson = read(door.get(&format!("{to}/requests?{}", query(&limits))).await?)?;
            Ok(Said::well(show::requests(&found)))
        }
        ClientCommand::Compare(command) => jobs::compare(door, command).await,
        ClientCommand::Drill(command) => jobs::drill(door, command).await,
        ClientCommand::Refresh => done(door.post("/api/v1/refresh", None).await?),
        ClientCommand::History { limit } => history(door, &limit).await,
        ClientCommand::Dsn { json, account, server } => dsn(door, json, account, server.as_deref()).await,
    }
}

/// Parses an answer into the structure from which the API made it.
fn read<T: DeserializeOwned>(answer: Value) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|_| Failure::Broken(text!("cli-bad-answer")))
}

fn pretty(answer: &Value) -> String {
    format!("{answer:#}\n")
}

async fn snapshot(door: &Door) -> Result<SnapshotJson, Failure> {
    read(door.get("/api/v1/snapshot").await?)
}

async fn status(door: &Door, json: bool) -> Result<Said, Failure> {
    let answer = door.get("/api/v1/snapshot").await?;
    if json {
        return Ok(Said { text: pretty(&answer), code: code(severity(&answer)) });
    }
    let seen: SnapshotJson = read(answer)?;
    Ok(Said { text: show::status(&seen, door.lang), code: code(seen.verdict.severity) })
}

/// Returns the severity, which is all that the exit code needs: with `--json` the snapshot is passed on unparsed,
/// even from a newer Cordée.
fn severity(answer: &Value) -> Severity {
    serde_json::from_value(answer["verdict"]["light"].clone()).unwrap_or(Severity::Unknown)
}

/// Returns the exit code, which tells a monitoring program the severity.
const fn code(severity: Severity) -> u8 {
    match severity {
        Severity::Good => 0,
        Severity::Warning | Severity::Progress | Severity::Maintenance => AT_RISK,
        Severity::Critical => DOWN,
        Severity::Unknown => NOT_KNOWN,
    }
}

async fn setup_code(door: &Door) -> Result<Said, Failure> {
    let SetupCode { code } = read(door.local("GET", "/local/setup-code", None).await?)?;
    match code {
        Some(code) => Ok(Said::well(format!("{code}\n"))),
        None => Ok(Said::of(door.say(&text!("cli-setup-used")), false)),
    }
}

async fn add_server(door: &Door, add: &AddArgs) -> Result<Said, Failure> {
    let given = [("address", &add.address), ("port", &add.port), ("cookie", &add.cookie)];
    let mut members: BTreeMap<&str, Value> =
        given.into_iter().filter_map(|(name, value)| Some((name, json!(value.as_ref()?)))).collect();
    members.insert("name", json!(add.name));
    members.insert("start", json!(add.start));
    if add.maintenance {
        members.insert("maintenance", json!(true));
    }
    if let Some(user) = &add.user {
        members.insert("user", json!(user));
        members.insert("password", json!(password(add.password_file.as_deref())?));
    }
    if add.plan {
        let to = format!("/api/v1/pools/{}/join", segment(&add.pool));
        let plan: JoinJson = read(door.post(&to, Some(&json!(members))).await?)?;
        return Ok(Said::well(show::plan(&plan, door.lang)));
    }
    let to = format!("/api/v1/pools/{}/servers", segment(&add.pool));
    let mut answer = door.post(&to, Some(&json!(members))).await;
    if let Err(Failure::Refused(reasons)) = &mut answer
        && !add.start
        && add.address.is_none()
    {
        let hint = text!("cli-add-start", pool = add.pool.as_str(), name = add.name.as_str());
        reasons.push((String::new(), door.lang.say(&hint)));
    }
    let answer = answer?;
    let server = read(answer["server"].clone())?;
    let revision = answer["revision"].as_u64().unwrap_or_default();
    made_real(door, show::added(&server, add.maintenance, door.lang), revision).await
}

/// Reads the password from a file or from standard input: never from the command line, which every user may read.
fn password(file: Option<&std::path::Path>) -> Result<String, Failure> {
    let read = match file {
        Some(path) if path.as_os_str() != "-" => vault::read_password(path),
        _ => vault::first_line(std::io::stdin().lock()),
    };
    read.map_err(|_| Failure::Usage(text!("cli-password-file")))
}

/// Returns the server's path in the API. If the pool was not given, the cluster knows it; an unknown name goes to
/// the web pool, whose refusal is the usual one.
async fn address(door: &Door, server: &ServerArgs) -> Result<String, Failure> {
    let (said, name) = (server.pool(), server.name());
    let at = |pool: &str| Ok(format!("/api/v1/pools/{}/servers/{}", segment(pool), segment(name)));
    if let Some(pool) = said.filter(|word| PoolId::parse(word).is_ok()) {
        return at(pool);
    }
    let seen = snapshot(door).await?.servers;
    let known = |name: &str| seen.iter().find(|s| s.name.eq_ignore_ascii_case(name));
    match (said, PoolId::parse(name)) {
        (Some(first), _) if known(first).is_some() => {
            Err(Failure::Usage(text!("cli-one-server", first = first, second = name)))
        }
        (Some(pool), _) => at(pool),
        (None, Ok(pool)) => {
            let example =
                seen.iter().find(|s| s.pool == pool).map_or_else(|| format!("{pool}1"), |s| s.name.clone());
            Err(Failure::Usage(text!("cli-pool-alone", pool = pool.as_str(), name = example)))
        }
        (None, Err(_)) => at(known(name).map_or("web", |s| s.pool.as_str())),
    }
}

fn forced(force: bool) -> &'static str {
    if force { "?force=true" } else { "" }
}

async fn remove(door: &Door, server: &ServerArgs, force: bool) -> Result<Said, Failure> {
    let to = format!("{}{}", address(door, server).await?, forced(force));
    wished(door, door.delete(&to).await?).await
}

async fn act(door: &Door, server: &ServerArgs, action: &str, force: bool) -> Result<Said, Failure> {
    let to = format!("{}/{action}{}", address(door, server).await?, forced(force));
    wished(door, door.post(&to, None).await?).await
}

async fn promote(door: &Door, server: &ServerArgs, accept_loss: bool) -> Result<Said, Failure> {
    let to = format!("{}/promote?accept_loss={accept_loss}", address(door, server).await?);
    wished(door, door.post(&to, None).await?).await
}

async fn plan(door: &Door, pool: &str) -> Result<Said, Failure> {
    let plan: JoinJson = read(door.get(&format!("/api/v1/pools/{}/join", segment(pool))).await?)?;
    Ok(Said::well(show::plan(&plan, door.lang)))
}

async fn share(door: &Door, pool: &str, routing: &str) -> Result<Said, Failure> {
    let to = format!("/api/v1/pools/{}/routing", segment(pool));
    wished(door, door.put(&to, &json!({ "routing": routing })).await?).await
}

async fn config(door: &Door, proxy: &str, json: bool) -> Result<Said, Failure> {
    let answer = door.get(&format!("/api/v1/proxies/{}/config", segment(proxy))).await?;
    if json {
        return Ok(Said::well(pretty(&answer)));
    }
    let config: ConfigJson = read(answer)?;
    let well = config.disk == DiskWord::Same && config.process == ProcessWord::Same;
    Ok(Said::of(show::config(&config, door.lang), well))
}

async fn reload(door: &Door, proxy: &str) -> Result<Said, Failure> {
    let to = format!("/api/v1/proxies/{}/reload", segment(proxy));
    wished(door, door.post(&to, None).await?).await
}

fn query(all: &[(&str, Option<String>)]) -> String {
    let given = all.iter().filter_map(|(name, value)| Some(format!("{name}={}", segment(value.as_ref()?))));
    given.collect::<Vec<_>>().join("&")
}

fn visitors(found: &VisitorsJson, changes: bool, csv: bool, lang: Lang) -> String {
    match (changes, csv) {
        (false, false) => show::visitors(found, lang),
        (true, false) => show::colour_changes(found, lang),
        (false, true) => show::csv_visitors(found),
        (true, true) => show::csv_changes(found),
    }
}

async fn keep_visitors(door: &Door, keep: &KeepArgs) -> Result<Said, Failure> {
    let given = [
        ("days", keep.days.as_ref().map(|v| json!(v))),
        ("shorten", keep.shorten.map(|v| json!(v))),
        ("trusted", keep.trusted.as_ref().map(|v| json!(v))),
    ];
    let members: BTreeMap<&str, Value> = given.into_iter().filter_map(|(n, v)| Some((n, v?))).collect();
    wished(door, door.put("/api/v1/visitors/keeping", &json!(members)).await?).await
}

/// Prints the answer, and waits until the change is made.
async fn wished(door: &Door, answer: Value) -> Result<Said, Failure> {
    let Done { revision, message, .. } = read(answer)?;
    made_real(door, format!("{}\n", crate::complain::plain(&message)), revision).await
}

/// The interval between two questions about the progress of a wish, so that the reader sees what it waits for.
const GLANCE: Duration = Duration::from_secs(2);

/// The pause between two tries while Cordée does not answer.
const PAUSE: Duration = Duration::from_millis(500);

/// Prints `text` at once, then on stderr what the wish waits for. Interrupting this does not cancel the wish.
async fn made_real(door: &Door, text: String, revision: u64) -> Result<Said, Failure> {
    if door.patience.is_zero() {
        return Ok(Said::well(text));
    }
    show::out(&text);
    let (until, mut told) = (Instant::now() + door.patience, None);
    loop {
        let wait = until.saturating_duration_since(Instant::now()).min(GLANCE).as_millis();
        let answer = match door.get(&format!("/api/v1/wishes/{revision}?wait={wait}ms")).await {
            // Cordée may be restarting; the wish is stored all the same.
            Err(Failure::Unreachable(_) | Failure::Broken(_)) if Instant::now() < until => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Err(Failure::Unreachable(why) | Failure::Broken(why)) => {
                return Err(Failure::UnderWay(text!("cli-under-way", why = why)));
            }
            answer => answer?,
        };
        let wish: WishJson = read(answer)?;
        match wish.state {
            WishState::Real => {
                let end = wish.end.map(|end| format!("{}\n", crate::complain::plain(&end)));
                return Ok(Said::well(end.unwrap_or_default()));
            }
            WishState::Failed => {
                return Err(Failure::Refused(vec![(String::new(), wish.why.unwrap_or_default())]));
            }
            WishState::UnderWay if Instant::now() >= until => {
                let why = wish.why.unwrap_or_default();
                return Err(Failure::UnderWay(text!("cli-under-way", why = why)));
            }
            WishState::UnderWay if told != wish.why => {
                told = wish.why;
                complain(told.as_slice());
            }
            WishState::UnderWay => {}
        }
    }
}

fn done(answer: Value) -> Result<Said, Failure> {
    let Done { message, .. } = read(answer)?;
    Ok(Said::well(format!("{}\n", crate::complain::plain(&message))))
}

async fn test(door: &Door, server: &ServerArgs) -> Result<Said, Failure> {
    let to = format!("{}/test", address(door, server).await?);
    let report: TestJson = read(door.post(&to, None).await?)?;
    Ok(Said::of(show::test(&report, door.lang), report.passed))
}

async fn logs(door: &Door, server: &ServerArgs, lines: &str, checks: bool) -> Result<Said, Failure> {
    let to = format!("{}/logs?lines={}&checks={checks}", address(door, server).await?, segment(lines));
    let logs: LogsJson = read(door.get(&to).await?)?;
    Ok(Said::well(show::logs(&logs, door.lang)))
}

async fn clean(door: &Door, apply: bool) -> Result<Said, Failure> {
    let answer: CleanJson = read(door.post(&format!("/api/v1/clean?apply={apply}"), None).await?)?;
    Ok(Said::well(show::clean(&answer, door.lang)))
}

async fn history(door: &Door, limit: &str) -> Result<Said, Failure> {
    let answer: HistoryJson = read(door.get(&format!("/api/v1/history?limit={}", segment(limit))).await?)?;
    Ok(Said::well(show::history(&answer)))
}

async fn dsn(door: &Door, json: bool, account: DsnAccount, server: Option<&str>) -> Result<Said, Failure> {
    let server = server.map(|s| format!("&server={}", segment(s))).unwrap_or_default();
    let to = format!("/local/dsn?account={}{server}", account.as_str());
    let answer = door.local("GET", &to, None).await?;
    if json {
        return Ok(Said::well(pretty(&answer)));
    }
    let dsn: Dsn = read(answer)?;
    Ok(Said::well(show::dsn(&dsn, door.lang)))
}
