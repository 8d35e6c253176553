//! The page answers only to its own host names: a protection against foreign names that resolve to this machine
//! for a moment (DNS rebinding).

use axum::extract::{Request, State};
use axum::http::{StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cordee_domain::called::answers_to;
use cordee_domain::problem::Problem;
use cordee_domain::text;

use super::App;
use super::error::Refusal;
use super::session::{Peer, language};

/// How much of a foreign name the answer repeats, in characters.
const SHOWN: usize = 100;

/// Refuses network requests for a foreign host name. A browser always sends the name that it connected by; an
/// HTTP/1.0 program that sends none was not led here by a browser.
pub async fn known(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.extensions().get::<Peer>().is_none() {
        return next.run(request).await;
    }
    // RFC 9112, 3.2: a request of HTTP/1.1 without a host name is invalid. Older programs had none to send.
    if request.version() == Version::HTTP_11 && !request.headers().contains_key(header::HOST) {
        let lang = language(request.headers());
        let says = text!("problem-no-host");
        if request.uri().path().starts_with("/api/") {
            let problems = vec![Problem::invalid("", says)];
            return Refusal { status: StatusCode::BAD_REQUEST, problems, lang }.into_response();
        }
        return (StatusCode::BAD_REQUEST, lang.say(&says) + "\n").into_response();
    }
    let desired = app.board.desired();
    let machine = rustix::system::uname();
    let machine = machine.nodename().to_str().unwrap_or_default();
    let said = request.headers().get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
    // Where the request's address names a host too, it takes precedence over the header (RFC 9112, 3.2.2).
    let asked = request.uri().authority().map(axum::http::uri::Authority::as_str);
    let other = said.chain(asked).find(|host| !answers_to(host, &desired.names, machine));
    let Some(other) = other.map(|host| host.chars().take(SHOWN).collect::<String>()) else {
        return next.run(request).await;
    };
    let lang = language(request.headers());
    let mut at = desired.page;
    if at.ip().is_unspecified() {
        at.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let says = text!("problem-page-name", name = other, address = format!("http://{at}"));
    let status = StatusCode::MISDIRECTED_REQUEST;
    if request.uri().path().starts_with("/api/") {
        return Refusal { status, problems: vec![Problem::invalid("", says)], lang }.into_response();
    }
    // Not an HTML page: its styles and scripts would be refused under that name as well.
    (status, lang.say(&says) + "\n").into_response()
}
