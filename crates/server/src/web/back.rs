//! The way back: the page where somebody was before they signed in, or chose a language.

use std::fmt::Write as _;

use axum::http::{Method, Uri};

/// The longest address that is remembered, in bytes.
const LONGEST: usize = 512;

/// Returns `back` when it is an address of this page, else `/`: `//host` and `/\host` lead elsewhere.
pub fn own(back: &str) -> &str {
    let own = back.starts_with('/')
        && !back.starts_with("//")
        && back.len() < LONGEST
        && back.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if own { back } else { "/" }
}

/// Returns the sign-in page, with the way back to the requested page. Only a page can be returned to: a form is
/// not sent again, and a stream is no page.
pub fn sign_in(method: &Method, asked: &Uri) -> String {
    let path = asked.path_and_query().map_or("/", |p| p.as_str());
    let to = own(path);
    let page = method == Method::GET && to == path && !matches!(asked.path(), "/" | "/live");
    if page { login(to) } else { "/login".to_owned() }
}

/// Returns the sign-in page that leads to `to`, one of our own addresses.
pub fn login(to: &str) -> String {
    if to == "/" {
        return "/login".to_owned();
    }
    let mut address = String::from("/login?back=");
    for byte in to.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            address.push(char::from(byte));
        } else {
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comes_back_to_this_page_only() {
        assert_eq!(own("/journal?before=5"), "/journal?before=5");
        let long = format!("/{}", "a".repeat(LONGEST));
        for elsewhere in
            ["", "//evil", "/\\evil", "https://evil", "/a\nb", "javascript:1", "evil", "/a b", "/é", &long]
        {
            assert_eq!(own(elsewhere), "/", "{elsewhere}");
        }
    }

    #[test]
    fn a_page_is_come_back_to_and_a_form_or_a_stream_is_not() {
        let to = |method, asked: &'static str| sign_in(&method, &Uri::from_static(asked));
        assert_eq!(to(Method::GET, "/config/db"), "/login?back=/config/db");
        assert_eq!(
            to(Method::GET, "/visitors?address=a%26b&server=web1"),
            "/login?back=/visitors%3Faddress%3Da%2526b%26server%3Dweb1"
        );
        for (method, asked) in [
            (Method::GET, "/"),
            (Method::GET, "/live?after=3"),
            (Method::HEAD, "/live"),
            (Method::POST, "/pools/web/servers/web1/stop"),
            (Method::GET, "//evil/x"),
            (Method::GET, "/\\evil"),
        ] {
            assert_eq!(to(method, asked), "/login", "{asked}");
        }
    }
}
