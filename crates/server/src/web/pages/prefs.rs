//! `POST /lang` and `POST /theme`: set a cookie, and return to the page where the form was.

use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::web::back::own;
use crate::web::read::Form;
use crate::words::Lang;

/// The fields of the two forms.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Preference {
    lang: String,
    theme: String,
    back: String,
}

/// Stores the language.
pub(super) async fn lang(Form(wish): Form<Preference>) -> Response {
    let lang = Lang::parse(&wish.lang).unwrap_or(Lang::En);
    keep("cordee_lang", lang.tag(), &wish.back)
}

/// Stores the theme.
pub(super) async fn theme(Form(wish): Form<Preference>) -> Response {
    let theme = match wish.theme.as_str() {
        "light" => "light",
        "dark" => "dark",
        _ => "auto",
    };
    keep("cordee_theme", theme, &wish.back)
}

fn keep(name: &str, value: &str, back: &str) -> Response {
    let cookie = format!("{name}={value}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict");
    ([(header::SET_COOKIE, cookie)], Redirect::to(own(back))).into_response()
}
