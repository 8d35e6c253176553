//! The API's own description (OpenAPI 3.1).
//!
//! The answer of an operation that succeeds is declared at its handler. The refusals follow from what the handlers
//! take, and are added here for all of them, so that none is forgotten.

use std::sync::LazyLock;

use axum::Json;
use cordee_api::problem::ProblemBody;
use cordee_api::view::EventJson;
use cordee_api::wishes::{Done, WishState};
use cordee_api::words;
use serde_json::{Map, Value, json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::input::LAST_ID;
use super::{config, drills, events, servers, tokens, tools, trials, visitors, wishes};

/// The description.
#[derive(OpenApi)]
#[openapi(
    info(title = "Cordée", description = "Runs a cluster of web servers and databases behind two HAProxys. \
        Make a token with `cordee token create --name NAME`, or on the page, behind your name. Sentences follow \
        `Accept-Language` (fr, en); refusals are RFC 9457 problems with one entry per wrong field in `errors`. \
        A request that changes something answers when it is written down; \
        with `?wait=30s` it answers when it is so (200, `state` `real`), or when the time is over (202, `state` \
        `under_way`, and `why`). How far it is can be asked at any time: `GET /api/v1/wishes/{id}`. Whatever is at no \
        address of this description is answered with 404, another method with 405, both as problems."),
    paths(
        super::snapshot, events::stream, tools::history, wishes::show,
        servers::add, servers::join, servers::join_existing, servers::verify, servers::repair, servers::remove,
        servers::act, servers::test, servers::logs,
        config::show,
        tools::reload, tools::routing, tools::session, tools::refresh, tools::clean,
        trials::list, trials::one, trials::begin, trials::cancel,
        drills::list, drills::one, drills::begin, drills::cancel,
        visitors::list, visitors::table, visitors::keep, visitors::requests,
        tokens::list, tokens::revoke,
    ),
    components(schemas(
        EventJson, Done, WishState, ProblemBody, words::Name, words::TokenNameText, words::PoolWord,
        words::WaitText, words::StatusText, words::ActWord, words::TableWord,
    )),
    tags(
        (name = "state", description = "What is so"),
        (name = "servers", description = "The servers of both pools"),
        (name = "tools", description = "What a person does from time to time"),
        (name = "visitors", description = "Who visits the site"),
        (name = "sessions", description = "The comparison of ways to keep sessions"),
        (name = "drills", description = "Failover drills"),
        (name = "tokens", description = "The tokens of programs"),
    ),
    servers((url = "/", description = "The page's own address")),
    modifiers(&Bearer),
    security(("token" = [])),
)]
struct Description;

/// The token of `Authorization: Bearer`.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        openapi.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// Each refusal, and when it is given.
const REFUSALS: [(u16, &str); 13] = [
    (400, "The query or the body cannot be read."),
    (401, "No token, none that is known, one that was revoked or is out of date; nor a session of the page."),
    (
        403,
        "A page of another site sent it; or the page's session alone asks for a change: that takes a token, \
         or the secret of the page's script in `Cordee-Proof` within ten minutes of the password.",
    ),
    (404, "Nothing of that name is here."),
    (408, "The body did not come in time."),
    (409, "It contradicts how things are; `errors` says what does."),
    (413, "The body is too large."),
    (415, "The body is no JSON."),
    (421, "It was sent to a name that is none of the page's own."),
    (422, "A value is none that is taken; `errors` names each."),
    (429, "Too many tries with tokens that are none."),
    (500, "Cordée's own state could not be read or written."),
    (503, "Cordée is stopping."),
];
/// The refusal when Cordée does not answer in time.
const SLOW: (u16, &str) =
    (504, "Cordée did not answer in time; `errors` says whether it may have been done.");

/// Adds to each operation the refusals that it may give.
fn refuse(document: &mut Value) {
    for (status, says) in REFUSALS.into_iter().chain([SLOW]) {
        document["components"]["responses"][status.to_string()] = json!({
            "description": says,
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/ProblemBody" } } },
        });
    }
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (path, methods) in paths {
        let Some(methods) = methods.as_object_mut() else { continue };
        for (method, operation) in methods {
            let mut may = vec![401, 421, 429, 500];
            if path.contains('{') {
                may.push(404);
            }
            if method != "get" {
                may.extend([403, 409]);
            }
            let takes = operation["parameters"].as_array();
            if takes.is_some_and(|all| all.iter().any(|p| p["in"] != "path")) {
                may.extend([400, 422]);
            }
            if operation["requestBody"].is_object() {
                may.extend([400, 404, 408, 413, 415, 422]);
            }
            for status in may {
                let answer = json!({ "$ref": format!("#/components/responses/{status}") });
                operation["responses"][status.to_string()] = answer;
            }
        }
    }
}

/// Gives each whole number the bounds of its type, where it declares none of its own.
fn bound(value: &mut Value) {
    if let Value::Object(schema) = value {
        bound_one(schema);
    }
    match value {
        Value::Object(members) => members.values_mut().for_each(bound),
        Value::Array(all) => all.iter_mut().for_each(bound),
        _ => {}
    }
}

fn bound_one(schema: &mut Map<String, Value>) {
    let whole = match schema.get("type") {
        Some(Value::String(kind)) => kind == "integer",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "integer"),
        _ => false,
    };
    if !whole {
        return;
    }
    let most = match schema.get("format").and_then(Value::as_str) {
        Some("uint8") => u64::from(u8::MAX),
        Some("uint16") => u64::from(u16::MAX),
        Some("uint32") => u64::from(u32::MAX),
        // Up to here every JSON parser keeps whole numbers exact.
        _ => LAST_ID,
    };
    schema.entry("minimum").or_insert(json!(0));
    schema.entry("maximum").or_insert(json!(most));
}

/// Returns the description as a value, made once.
pub(super) fn description() -> &'static Value {
    static MADE: LazyLock<Value> = LazyLock::new(|| {
        let mut made = serde_json::to_value(Description::openapi()).unwrap_or_default();
        refuse(&mut made);
        bound(&mut made);
        made
    });
    &MADE
}

/// Anybody may read it: it contains no state.
pub(super) async fn openapi() -> Json<&'static Value> {
    Json(description())
}
