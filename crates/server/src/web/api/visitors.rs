//! Visitors: the list, the settings, the last requests of a server.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use cordee_api::visitors::{ColourChange, Visitor};
use cordee_api::visitors::{KeepingChange, KeepingJson, LogCounts, RequestsJson, UnheardJson, VisitorsJson};
use cordee_api::wishes::Done;
use cordee_api::words::{Name, StatusText, WaitText};
use cordee_api::words::{PoolWord, TableWord};
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_domain::visitors::{Keeping, StatusFilter, parse_days, parse_part, parse_trusted};

use super::act_on;
use super::answers::{Contradicts, Wished};
use super::input::{Body, QueryFields, ServerPath, refused};
use super::wishes::Wait;
use crate::control::act::{Act, Consent};
use crate::recent_requests::Wanted;
use crate::store::StoreError;
use crate::store::visitors::{Gap, Mark, Visitors, Which};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::packing::Unpacked;
use crate::web::session::{Caller, Language};
use crate::web::view::visitors::{CSV_CHANGES, CSV_VISITORS, csv_changes, csv_line, csv_visitors};

/// Most changes and gaps in one answer.
const CHANGES: u32 = 200;
const GAPS: u32 = 20;
/// How many rows are read at once for a table.
const PAGE: u32 = 1_000;
/// Most requests in one answer.
const REQUESTS: u16 = 200;

fn which(asked: &QueryFields) -> Result<Which, Problem> {
    let address = parse_part(asked.text("address").unwrap_or(""))?;
    let server = match asked.text("server") {
        None | Some("") => None,
        Some(name) => {
            Some(ServerName::parse(name).map_err(|p| Problem { field: "server".to_owned(), ..p.into() })?)
        }
    };
    Ok(Which { address, server })
}

/// Everything that a page or a program asks about visitors at once.
pub struct Read {
    /// The visitors asked for.
    pub visitors: Vec<Visitor>,
    /// How many visitors match.
    pub total: u64,
    /// Changes of colour.
    pub changes: Vec<ColourChange>,
    /// The position in the log.
    pub mark: Mark,
    /// Periods without a list.
    pub gaps: Vec<Gap>,
}

/// Reads all of it.
pub fn read(visitors: &Visitors, which: &Which, limit: u32, skip: u32) -> Result<Read, StoreError> {
    Ok(Read {
        visitors: visitors.list(which, limit, skip)?,
        total: visitors.count(which)?,
        changes: visitors.changes(which, 0, CHANGES)?,
        mark: visitors.mark()?.unwrap_or_default(),
        gaps: visitors.gaps(GAPS)?,
    })
}

#[utoipa::path(get, path = "/api/v1/visitors", tag = "visitors", operation_id = "list_visitors",
    summary = "Who visited, the last one first",
    params(("address" = Option<String>, Query, description = "only addresses that hold this"),
        ("server" = Option<String>, Query, description = "only what this server answered"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "1 to 1000; 100 when absent"),
        ("skip" = Option<u32>, Query, maximum = 1_000_000, description = "how many to leave out")),
    responses((status = 200, description = "The visitors.", body = VisitorsJson)))]
pub(super) async fn list(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
    asked: QueryFields,
) -> Result<Json<VisitorsJson>, Refusal> {
    let which = which(&asked).map_err(|p| Refusal::problem(p, lang))?;
    let limit = asked.number("limit", 1..=1_000_u32).map_err(|p| Refusal::problem(p, lang))?.unwrap_or(100);
    let skip = asked.number("skip", 0..=1_000_000_u32).map_err(|p| Refusal::problem(p, lang))?.unwrap_or(0);
    let visitors = app.store.visitors();
    let found = app
        .blocking(move || read(&visitors, &which, limit, skip))
        .await
        .map_err(|e| Refusal::store(&e, lang))?;
    let log = LogCounts { heard: !app.recent_requests.is_deaf(), ..LogCounts::from(found.mark.counts) };
    let gaps =
        found.gaps.iter().map(|g| UnheardJson { since: g.since, until: g.until, requests: g.requests });
    Ok(Json(VisitorsJson {
        visitors: found.visitors,
        total: found.total,
        changes: found.changes,
        log,
        gaps: gaps.collect(),
        keeping: KeepingJson::from(&app.board.desired().visitors),
    }))
}

#[utoipa::path(get, path = "/api/v1/visitors.csv", tag = "visitors", operation_id = "get_visitor_table",
    summary = "The same as a table, by address",
    params(("address" = Option<String>, Query, description = "only addresses that hold this"),
        ("server" = Option<String>, Query, description = "only what this server answered"),
        ("of" = Option<TableWord>, Query, description = "`visitors` (when absent) or `changes`")),
    responses((status = 200, description = "The table.", content_type = "text/csv", body = String)))]
pub(super) async fn table(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
    asked: QueryFields,
) -> Result<Response, Refusal> {
    let which = which(&asked).map_err(|p| Refusal::problem(p, lang))?;
    let changes = match asked.text("of") {
        None | Some("visitors") => false,
        Some("changes") => true,
        Some(_) => return Err(Refusal::problem(Problem::invalid("of", text!("problem-table")), lang)),
    };
    let visitors = app.store.visitors();
    let made = move || {
        if changes { table_of_changes(&visitors, &which) } else { table_of_visitors(&visitors, &which) }
    };
    let table = app.blocking(made).await.map_err(|e| Refusal::store(&e, lang))?;
    let name = if changes { "cordee-changes.csv" } else { "cordee-visitors.csv" };
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((StatusCode::OK, headers, table).into_response())
}

/// Makes the table. It is read page by page, so that other readers get their turn.
fn table_of_visitors(visitors: &Visitors, which: &Which) -> Result<String, StoreError> {
    let mut out = String::new();
    csv_line(&mut out, &CSV_VISITORS);
    let mut after = String::new();
    loop {
        let mut page = visitors.by_address(which, &after, PAGE)?;
        let full = page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
        if let Some(server) = &which.server {
            for visitor in &mut page {
                visitor.servers.retain(|s| s.server == server.as_str());
            }
        }
        csv_visitors(&mut out, &page);
        match page.pop() {
            Some(last) if full => after = last.address,
            _ => return Ok(out),
        }
    }
}

fn table_of_changes(visitors: &Visitors, which: &Which) -> Result<String, StoreError> {
    let mut out = String::new();
    csv_line(&mut out, &CSV_CHANGES);
    csv_changes(&mut out, &visitors.changes(which, 0, u32::MAX)?);
    Ok(out)
}

#[utoipa::path(put, path = "/api/v1/visitors/keeping", tag = "visitors", operation_id = "set_keeping",
    summary = "How visitors are remembered; what is absent stays",
    params(("wait" = Option<WaitText>, Query, description = "answer when it is real, at most so long: `30s`")),
    request_body = KeepingChange,
    responses(Wished))]
pub(super) async fn keep(
    caller: Caller,
    Language(lang): Language,
    State(app): State<App>,
    wait: Wait,
    Body(mut members): Body,
) -> Result<(StatusCode, Json<Done>), Refusal> {
    let (days, shorten) = (members.text_or_number("days"), members.flag("shorten"));
    let trusted = members.words("trusted");
    members.finish().map_err(|p| refused(p, lang))?;
    let now = app.board.desired().visitors.clone();
    let change = keeping(
        &days.unwrap_or_else(|| now.days.to_string()),
        shorten.unwrap_or(now.shorten),
        &trusted.unwrap_or_else(|| words(&now)),
    );
    let act = change.map_err(|p| refused(p, lang))?;
    act_on(&app, act, &Consent::NONE, caller, wait, lang).await
}

/// Returns the trusted proxies as a person types them.
pub fn words(keeping: &Keeping) -> String {
    keeping.trusted.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Parses the settings, and returns all errors at once.
pub fn keeping(days: &str, shorten: bool, trusted: &str) -> Result<Act, Vec<Problem>> {
    match (parse_days(days.trim()), parse_trusted(trusted)) {
        (Ok(days), Ok(trusted)) => Ok(Act::SetKeeping { days, shorten, trusted }),
        (days, trusted) => Err(days.err().into_iter().chain(trusted.err()).collect()),
    }
}

/// Parses which requests are asked for.
pub fn wanted(status: &str, path: &str, address: &str, after: u64) -> Result<Wanted, Vec<Problem>> {
    let path: String = path.chars().take(256).collect();
    match (StatusFilter::parse(status), parse_part(address)) {
        (Ok(status), Ok(address)) => Ok(Wanted { status, path, address, after }),
        (status, address) => Err(status.err().into_iter().chain(address.err()).collect()),
    }
}

#[utoipa::path(get, path = "/api/v1/pools/{pool}/servers/{name}/requests", tag = "visitors",
    operation_id = "list_requests",
    summary = "The last requests that a web server answered, oldest first",
    params(("pool" = PoolWord, Path, description = "`web`"), ("name" = Name, Path, description = "The server"),
        ("status" = Option<StatusText>, Query, description = "`404`, `5xx`"),
        ("path" = Option<String>, Query, description = "only paths that hold this"),
        ("address" = Option<String>, Query, description = "only addresses that hold this"),
        ("after" = Option<u64>, Query, maximum = 9_007_199_254_740_992_u64,
            description = "only those with a greater id"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 1000, description = "1 to 1000; 200 when absent")),
    responses((status = 200, description = "The requests.", body = RequestsJson), Contradicts))]
pub(super) async fn requests(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
    target: ServerPath,
    asked: QueryFields,
) -> Result<(Unpacked, Json<RequestsJson>), Refusal> {
    let name = target.name.as_str();
    let problem = match app.board.desired().pool(target.pool).server(&target.name) {
        None => Some(Problem::unknown("name", text!("problem-server-unknown", name = name))),
        Some(_) if target.pool == PoolId::Db => {
            Some(Problem::conflict("pool", text!("problem-requests-db", name = name)))
        }
        Some(_) => None,
    };
    if let Some(problem) = problem {
        return Err(Refusal::problem(problem, lang));
    }
    let after = asked.number("after", 0..=super::input::LAST_ID).map_err(|p| Refusal::problem(p, lang))?;
    let limit = asked.number("limit", 1..=1_000_u16).map_err(|p| Refusal::problem(p, lang))?;
    let text = |name| asked.text(name).unwrap_or("");
    let wanted = wanted(text("status"), text("path"), text("address"), after.unwrap_or(0));
    let wanted = wanted.map_err(|p| refused(p, lang))?;
    let limit = usize::from(limit.unwrap_or(REQUESTS));
    // What one visitor requested stands beside what others did.
    Ok((
        Unpacked,
        Json(RequestsJson { requests: app.recent_requests.requests(&target.name, &wanted, limit) }),
    ))
}
