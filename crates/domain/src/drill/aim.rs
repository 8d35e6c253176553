//! What the visitors of a drill request: the demonstration's own page, which shows whether a session is still there,
//! or a page of any other site together with its expected status.
//!
//! All requests go to the site's own address, through HAProxy `web`, and nowhere else: the host name in a URL only
//! appears in the `Host` header, for sites with several names.

use serde::{Deserialize, Serialize};

use crate::ids::{Host, parse_port};
use crate::problem::Problem;
use crate::text;

/// What is requested.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aim {
    /// The demonstration's colour page, with a session for each visitor.
    #[default]
    Colour,
    /// A page of the site.
    Page(Page),
}

/// A page of the site, and its expected status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Its URL.
    pub url: SiteUrl,
    /// The expected status of the answer.
    pub status: Status,
}

/// `/path` or `http://name/path`. It consists of visible ASCII only, so that it can be put into a request unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SiteUrl {
    host: Option<String>,
    path: String,
}

/// The maximum length of a URL.
const LONGEST: usize = 1_000;

impl SiteUrl {
    /// Parses a URL that an operator typed.
    pub fn parse(input: &str) -> Result<Self, Problem> {
        let wrong = || Problem::invalid("url", text!("problem-drill-url"));
        // Browsers do not send what follows `#`, and some programs treat a backslash as a slash.
        let plain = |b: u8| b.is_ascii_graphic() && !b"#\\<>\"^`{|}".contains(&b);
        if input.len() > LONGEST || !input.bytes().all(plain) {
            return Err(wrong());
        }
        let (host, path) = match input.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                let (authority, path) = rest.split_at(end);
                (Some(host(authority).ok_or_else(wrong)?), path)
            }
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                return Err(Problem::invalid("url", text!("problem-drill-https")));
            }
            _ => (None, input),
        };
        let path = match path {
            "" if host.is_some() => "/".to_owned(),
            query if host.is_some() && query.starts_with('?') => format!("/{query}"),
            path if path.starts_with('/') && !path.starts_with("//") => path.to_owned(),
            _ => return Err(wrong()),
        };
        Ok(Self { host, path })
    }

    /// Returns the value for `Host`, if the URL has one.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// Returns the path and the query.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// Parses a host name or address with an optional port, in the form of `Host`. User information is refused.
fn host(authority: &str) -> Option<String> {
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(parse_port(port).ok()?)),
        _ => (authority, None),
    };
    // In an IPv6 address without brackets a port could not be told from the address.
    let host = Host::parse(name).ok().filter(|_| name.starts_with('[') || !name.contains(':'))?;
    Some(match (&host, port) {
        (_, Some(port)) => host.with_port(port),
        (Host::Ip(ip @ std::net::IpAddr::V6(_)), None) => format!("[{ip}]"),
        (_, None) => host.to_string(),
    })
}

impl std::fmt::Display for SiteUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.host {
            Some(host) => write!(f, "http://{host}{}", self.path),
            None => f.write_str(&self.path),
        }
    }
}

impl TryFrom<String> for SiteUrl {
    type Error = &'static str;
    fn try_from(value: String) -> Result<Self, Self::Error> {
        Self::parse(&value).map_err(|_| "not a page of the site")
    }
}

impl From<SiteUrl> for String {
    fn from(value: SiteUrl) -> Self {
        value.to_string()
    }
}

/// The status of a final response, 200 to 599: a status below 200 is not final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Status(u16);

impl Status {
    /// Parses a status that an operator typed; an empty text means 200.
    pub fn parse(input: &str) -> Result<Self, Problem> {
        let read = match input {
            "" => Some(200),
            typed if typed.len() == 3 && typed.bytes().all(|b| b.is_ascii_digit()) => typed.parse().ok(),
            _ => None,
        };
        let number = |status: u16| Self::try_from(status).ok();
        read.and_then(number)
            .ok_or_else(|| Problem::invalid("status", text!("problem-number", first = 200, last = 599)))
    }

    /// Returns the number.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for Status {
    type Error = &'static str;
    fn try_from(value: u16) -> Result<Self, Self::Error> {
        if (200..=599).contains(&value) { Ok(Self(value)) } else { Err("not the status of an answer") }
    }
}

impl From<Status> for u16 {
    fn from(value: Status) -> Self {
        value.0
    }
}

impl Aim {
    /// Parses both fields. A status without a page is refused.
    pub(super) fn parse(url: &str, status: &str) -> Result<Self, Vec<Problem>> {
        if url.is_empty() && status.is_empty() {
            return Ok(Self::Colour);
        }
        match (SiteUrl::parse(url), Status::parse(status)) {
            (Ok(url), Ok(status)) => Ok(Self::Page(Page { url, status })),
            (url, status) => Err(url.err().into_iter().chain(status.err()).collect()),
        }
    }

    /// Returns the page, unless it is the demonstration's.
    pub const fn page(&self) -> Option<&Page> {
        match self {
            Self::Colour => None,
            Self::Page(page) => Some(page),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_is_a_path_or_a_url_of_the_site() {
        for (typed, host, path) in [
            ("/", None, "/"),
            ("/shop/cart?id=3&x=%20", None, "/shop/cart?id=3&x=%20"),
            ("/a://b", None, "/a://b"),
            ("http://shop.lan", Some("shop.lan"), "/"),
            ("HTTP://Shop.LAN:8080/cart", Some("shop.lan:8080"), "/cart"),
            ("http://shop.lan?id=3", Some("shop.lan"), "/?id=3"),
            ("http://[::1]:80/", Some("[::1]:80"), "/"),
            ("http://[2001:db8::5]/", Some("[2001:db8::5]"), "/"),
        ] {
            let url = SiteUrl::parse(typed).expect(typed);
            assert_eq!((url.host(), url.path()), (host, path), "{typed}");
        }
        let long = format!("/{}", "a".repeat(LONGEST));
        for bad in [
            "",
            "shop",
            "shop.lan/cart",
            "//shop.lan/",
            "http://",
            "http:///x",
            "http://ana@shop.lan/",
            "http://ana:word@shop.lan/",
            "http://shop.lan:0/",
            "http://shop.lan:80:80/",
            "http://::1/",
            "http://a_b/",
            "http://169.254.169.254/latest",
            "http://[fe80::1]/",
            "https://shop.lan/",
            "ftp://shop.lan/",
            "file:///etc/passwd",
            "gopher://127.0.0.1:3306/",
            "/a b",
            "/a#b",
            "/a\\b",
            "/a\r\nHost: evil",
            "/\u{e9}",
            "/a\u{0}",
            &long,
        ] {
            assert!(SiteUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_status_is_that_of_an_answer() {
        let of = |typed| Status::parse(typed).map(Status::number).ok();
        assert_eq!(["", "200", "302", "404", "599"].map(of), [200, 200, 302, 404, 599].map(Some));
        for bad in ["0", "100", "199", "600", "20", "2000", "+20", "2 0", "ok", "-1"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_status_alone_is_of_nothing() {
        assert_eq!(Aim::parse("", ""), Ok(Aim::Colour));
        let fields = |url, status| -> Vec<String> {
            Aim::parse(url, status).err().unwrap_or_default().into_iter().map(|p| p.field).collect()
        };
        assert_eq!(fields("", "200"), ["url"]);
        assert_eq!(fields("x", "x"), ["url", "status"]);
        assert!(fields("/", "").is_empty());
    }

    proptest! {
        /// A URL that is accepted can neither end a line of a request nor become another request, and its stored form
        /// can be read again.
        #[test]
        fn what_is_taken_can_stand_in_a_request(typed in "(http://|HTTP://|/)?[ -~\\r\\n\u{e9}]{0,40}") {
            if let Ok(url) = SiteUrl::parse(&typed) {
                let all = format!("{}{}", url.path(), url.host().unwrap_or_default());
                prop_assert!(all.bytes().all(|b| b.is_ascii_graphic()), "{:?}", url);
                prop_assert!(url.path().starts_with('/') && !url.path().starts_with("//"), "{:?}", url);
                prop_assert_eq!(SiteUrl::try_from(String::from(url.clone())), Ok(url));
            }
        }
    }
}
