//! What a signed-in browser must present before it changes anything.
//!
//! A browser sends cookies to every port of a host. A program that listens on another port therefore gets the session
//! cookie of an operator who opens that port, and can read with it whatever the page shows. For this reason the cookie
//! alone changes nothing. The page's script also sends a secret, which it generated itself and keeps where another
//! port cannot read it. The session knows the secret because it was sent once together with the password. Without the
//! secret, Cordée asks for the password.

use std::fmt;

use crate::ids::Millis;

/// Milliseconds after the password was given together with a secret, during which a grave action does not ask for it
/// again.
pub const FRESH_MS: Millis = crate::figures::PASSWORD_FRESH;

/// Hexadecimal digits of a secret: 256 bits.
const DIGITS: usize = 64;

/// A secret that the page's script generates and keeps.
#[derive(Clone, PartialEq, Eq)]
struct Made(String);

impl Made {
    /// Parses what was sent. Anything that the page's script would not generate is refused.
    fn parse(sent: &str) -> Option<Self> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (sent.len() == DIGITS && sent.bytes().all(digit)).then(|| Self(sent.to_owned()))
    }
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The secret of a page's script that a session knows. It is dropped at sign-out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof(Made);

impl Proof {
    /// Parses what was sent.
    pub fn parse(sent: &str) -> Option<Self> {
        Made::parse(sent).map(Self)
    }

    /// Returns the secret itself, to be hashed.
    pub fn secret(&self) -> &str {
        &self.0.0
    }
}

/// Another secret of the page's script, which identifies a browser at the sign-in: the browser has its own allowance
/// of attempts there. It grants no access, and is kept at sign-out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserMark(Made);

impl BrowserMark {
    /// Parses what was sent.
    pub fn parse(sent: &str) -> Option<Self> {
        Made::parse(sent).map(Self)
    }

    /// Returns the secret itself, to be hashed.
    pub fn secret(&self) -> &str {
        &self.0.0
    }
}

/// What a request that changes something presents besides the session cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nothing that this session knows.
    Nothing,
    /// A secret that the session knows.
    Secret {
        /// When the password was last given together with the secret, in milliseconds since 1970.
        confirmed: Millis,
    },
    /// The password, which was verified just now.
    Password,
}

/// Why the password is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// The request may come from somebody who has only the cookie.
    Unproven,
    /// The action is grave, and the password was given too long ago.
    Grave,
}

/// Where the password is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In a field that the page's script shows.
    Field,
    /// On a page of its own.
    Page,
    /// On the sign-in page: the request comes from an older script that sends no secret. It knows no such field, but
    /// follows a redirection to the sign-in.
    SignIn,
}

/// Returns where the password is asked for. This depends on whether the page's script or a plain form sends the
/// request, and on whether it carries a secret.
pub fn way(script: bool, with_secret: bool) -> Way {
    match (script, with_secret) {
        (false, _) => Way::Page,
        (true, true) => Way::Field,
        (true, false) => Way::SignIn,
    }
}

/// Returns why the password must be given before the request is carried out, or `None`.
pub fn asks(shown: Shown, grave: bool, now: Millis) -> Option<Asks> {
    match shown {
        Shown::Password => None,
        Shown::Nothing => Some(Asks::Unproven),
        // If the clock was put back, the password does not count as recently given.
        Shown::Secret { confirmed } => {
            let recent = now.checked_sub(confirmed).is_some_and(|age| age < FRESH_MS);
            (grave && !recent).then_some(Asks::Grave)
        }
    }
}

/// Pages whose form carries a password or a code itself, and harmless ones: sign-out, and the choice of a language or
/// a theme, which are cookies.
const FREE: [&str; 7] =
    ["/login", "/setup", "/logout", "/lang", "/theme", "/account/password", "/account/tokens"];

/// Whether a form may be sent there with the cookie alone.
pub fn is_free(path: &str) -> bool {
    FREE.contains(&path)
}

/// Whether an action of the page is grave: removing a server, correcting rows by those of one side, revoking a token,
/// deleting removed data for good, and every action for which a name has to be typed (nobody would serve, data may be
/// missing or are given up, a fault is caused on purpose).
pub fn is_grave(path: &str, typed_name: &str) -> bool {
    // No address of the page needs an escape sequence, which could hide a word.
    if path.contains('%') || !typed_name.trim().is_empty() {
        return true;
    }
    let words: Vec<&str> = path.split('/').skip(1).collect();
    matches!(
        words.as_slice(),
        ["pools", _, "servers", _, "remove"]
            | ["pools", "db", "servers", _, "repair", _]
            | ["account", "tokens", _, "revoke"]
            | ["clean"]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    #[test]
    fn only_what_a_script_of_ours_makes_is_a_secret_and_it_is_never_printed() {
        let proof = Proof::parse(SECRET).unwrap();
        assert_eq!(proof.secret(), SECRET);
        assert_eq!(format!("{proof:?}"), "Proof(…)");
        let mark = BrowserMark::parse(SECRET).unwrap();
        assert_eq!((mark.secret(), format!("{mark:?}").as_str()), (SECRET, "BrowserMark(…)"));
        for wrong in
            ["", "00", &SECRET[1..], &format!("{SECRET}0"), &SECRET.to_uppercase(), &SECRET.replace('f', "g")]
        {
            assert_eq!(Proof::parse(wrong), None, "{wrong}");
            assert_eq!(BrowserMark::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Proof::parse(&format!("{}\u{e9}", &SECRET[2..])), None);
    }

    #[test]
    fn the_cookie_alone_changes_nothing_and_a_grave_act_takes_a_recent_password() {
        let secret = |confirmed| Shown::Secret { confirmed };
        for (shown, grave, expected) in [
            (Shown::Nothing, false, Some(Asks::Unproven)),
            (Shown::Nothing, true, Some(Asks::Unproven)),
            (Shown::Password, true, None),
            (secret(0), false, None),
            (secret(1_000_000), true, None),
            (secret(1_000_001 - FRESH_MS), true, None),
            (secret(1_000_000 - FRESH_MS), true, Some(Asks::Grave)),
            (secret(1_000_001), true, Some(Asks::Grave)),
            (secret(1_000_001), false, None),
        ] {
            assert_eq!(asks(shown, grave, 1_000_000), expected, "{shown:?} {grave}");
        }
    }

    #[test]
    fn whoever_cannot_show_a_field_is_led_to_a_page() {
        assert_eq!([false, true].map(|secret| way(false, secret)), [Way::Page, Way::Page]);
        assert_eq!(way(true, true), Way::Field);
        assert_eq!(way(true, false), Way::SignIn, "a tab that was open over an upgrade");
    }

    #[test]
    fn grave_is_what_takes_away_and_what_takes_a_typed_name() {
        for path in [
            "/pools/web/servers/web1/remove",
            "/pools/db/servers/db2/remove",
            "/pools/db/servers/db2/repair/writer",
            "/account/tokens/backup/revoke",
            "/clean",
            "/pools/web/servers/web1/%72emove",
        ] {
            assert!(is_grave(path, ""), "{path}");
        }
        for path in
            ["/pools/web/servers/web1/drain", "/pools/db/servers", "/refresh", "/account/sessions/end"]
        {
            assert!(!is_grave(path, " "), "{path}");
            assert!(is_grave(path, "web1"), "{path}");
        }
        assert!(
            is_free("/logout")
                && !is_free("/logout/")
                && !is_free("/")
                && !is_free("/account/tokens/x/revoke")
        );
    }
}
