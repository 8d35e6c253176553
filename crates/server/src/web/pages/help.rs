//! `GET /aide`: answers to the questions that people ask about such a page.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cordee_domain::text;

use crate::web::App;
use crate::web::page::{Member, NavItem, Page, show};

#[derive(Template)]
#[template(path = "help.html")]
struct Help {
    p: Page,
    severities: Vec<Row>,
    actions: Vec<Row>,
    tools: Vec<Row>,
    fields: Vec<Row>,
}

/// A word and its meaning.
struct Row {
    icon: &'static str,
    name: String,
    means: String,
}

/// Shows the help.
pub(super) async fn page(Member(visit): Member, State(app): State<App>) -> Response {
    let say = |rows: Vec<(&'static str, cordee_domain::text::Text, cordee_domain::text::Text)>| {
        rows.into_iter()
            .map(|(icon, name, means)| Row {
                icon,
                name: visit.lang.say(&name),
                means: visit.lang.say(&means),
            })
            .collect()
    };
    let help = Help {
        p: visit.page(&app, NavItem::Help),
        severities: say(vec![
            ("good", text!("light-good"), text!("help-light-good")),
            ("warn", text!("light-warning"), text!("help-light-warning")),
            ("crit", text!("light-critical"), text!("help-light-critical")),
            ("busy", text!("light-progress"), text!("help-light-progress")),
            ("maint", text!("light-maintenance"), text!("help-light-maintenance")),
            ("unknown", text!("light-unknown"), text!("help-light-unknown")),
        ]),
        actions: say(vec![
            ("logs", text!("act-logs"), text!("help-act-logs")),
            ("test", text!("act-test"), text!("help-act-test")),
            ("drain", text!("act-drain"), text!("help-act-drain")),
            ("maint", text!("act-maintenance"), text!("help-act-maintenance")),
            ("undo", text!("act-ready"), text!("help-act-ready")),
            ("undo", text!("help-act-withdraw-name"), text!("help-act-withdraw")),
            ("restart", text!("act-restart"), text!("help-act-restart")),
            ("stop", text!("act-stop"), text!("help-act-stop")),
            ("start", text!("act-start"), text!("help-act-start")),
            ("trash", text!("act-remove"), text!("help-act-remove")),
            ("promote", text!("act-promote"), text!("help-act-promote")),
            ("compare", text!("act-verify"), text!("help-act-verify")),
            ("copy", text!("act-recopy"), text!("help-act-recopy")),
        ]),
        tools: say(vec![
            ("refresh", text!("tool-refresh"), text!("help-tool-refresh")),
            ("reload", text!("tool-reload"), text!("help-tool-reload")),
            ("broom", text!("tool-clean"), text!("help-tool-clean")),
        ]),
        fields: say(vec![
            ("server", text!("field-name"), text!("help-field-name")),
            ("server", text!("field-address"), text!("help-field-address")),
            ("server", text!("field-port"), text!("help-field-port")),
            ("server", text!("field-cookie"), text!("help-field-cookie")),
        ]),
    };
    show(StatusCode::OK, &help)
}
