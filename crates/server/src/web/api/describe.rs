//! The API's own description (OpenAPI 3.1).

use axum::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{config, drills, events, servers, tools, trials, view, visitors, wishes};

/// The description.
#[derive(OpenApi)]
#[openapi(
    info(title = "Cordée", description = "Runs a cluster of web servers and databases behind two HAProxys. \
        Make a token with `cordee token create --name NAME`. Sentences follow `Accept-Language` (fr, en); \
        refusals are RFC 9457 problems with one entry per wrong field in `errors`. A request that changes something \
        answers when it is written down; with `?wait=30s` it answers when it is so (200, `state` `real`), or when the \
        time is over (202, `state` `under_way`, and `why`). How far it is can be asked at any time: \
        `GET /api/v1/wishes/{id}`."),
    paths(
        super::snapshot, events::stream, tools::history, wishes::show,
        servers::add, servers::join, servers::join_existing, servers::verify, servers::repair, servers::remove, servers::act, servers::test, servers::logs,
        config::show,
        tools::reload, tools::routing, tools::session, tools::refresh, tools::clean,
        trials::list, trials::one, trials::begin, trials::cancel,
        drills::list, drills::one, drills::begin, drills::cancel,
        visitors::list, visitors::table, visitors::keep, visitors::requests,
    ),
    components(schemas(view::EventJson)),
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

/// The description as a value.
pub(super) fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// Anybody may read it: it holds no state.
pub(super) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(description())
}
