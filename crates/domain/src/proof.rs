//! What a browser that is signed in shows before it changes anything.
//!
//! Cookies go to every port of a host: whoever listens at another one has the session's cookie of a person who opens
//! that port too, and reads with it whatever the page tells. So the cookie alone changes nothing. The page's script
//! sends a secret that it made itself and keeps where another port cannot look; the session knows it because it came
//! together with the password, once. Without it the password is asked for.

use std::fmt;

use crate::ids::Millis;

/// For so many milliseconds after the password was given together with a secret, grave acts need it no second time.
pub const FRESH_MS: Millis = crate::figures::PASSWORD_FRESH;

/// Hexadecimal digits of a secret: 256 bits.
const DIGITS: usize = 64;

/// What the page's script makes and keeps.
#[derive(Clone, PartialEq, Eq)]
struct Made(String);

impl Made {
    /// Reads what was sent; what no script of ours makes is none.
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

/// The secret of a page's script, which a session knows. It goes when one signs out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof(Made);

impl Proof {
    /// Reads what was sent.
    pub fn parse(sent: &str) -> Option<Self> {
        Made::parse(sent).map(Self)
    }

    /// The secret itself, to be hashed.
    pub fn secret(&self) -> &str {
        &self.0.0
    }
}

/// Another secret of that script, by which a browser is known at the sign-in: it has tries of its own there. It opens
/// nothing, and stays when one signs out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserMark(Made);

impl BrowserMark {
    /// Reads what was sent.
    pub fn parse(sent: &str) -> Option<Self> {
        Made::parse(sent).map(Self)
    }

    /// The secret itself, to be hashed.
    pub fn secret(&self) -> &str {
        &self.0.0
    }
}

/// What a request that changes something shows besides the session's cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nothing that this session knows.
    Nothing,
    /// A secret that it knows.
    Secret {
        /// When the password was given together with it for the last time, in milliseconds since 1970.
        confirmed: Millis,
    },
    /// The password, compared just now.
    Password,
}

/// Why the password is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// It might be the cookie alone.
    Unproven,
    /// It is a grave act, and the password was given too long ago.
    Grave,
}

/// Where the password is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// At a field, by the page's script.
    Field,
    /// On a page of its own.
    Page,
    /// On the sign-in page: it is a script that sends no secret, one of before there were any. It knows no such field,
    /// but wherever it is led, it goes to sign in.
    SignIn,
}

/// Where the password is asked for, of whom a script asks or a person without one, with a secret or without any.
pub fn way(script: bool, with_secret: bool) -> Way {
    match (script, with_secret) {
        (false, _) => Way::Page,
        (true, true) => Way::Field,
        (true, false) => Way::SignIn,
    }
}

/// Whether the password is asked for before that request is carried out, and why.
pub fn asks(shown: Shown, grave: bool, now: Millis) -> Option<Asks> {
    match shown {
        Shown::Password => None,
        Shown::Nothing => Some(Asks::Unproven),
        // A clock that was put back makes nothing recent.
        Shown::Secret { confirmed } => {
            let recent = now.checked_sub(confirmed).is_some_and(|age| age < FRESH_MS);
            (grave && !recent).then_some(Asks::Grave)
        }
    }
}

/// Pages whose form carries a password or a code of its own, and what is harmless: to sign out, and to choose a
/// language or a theme, which are cookies.
const FREE: [&str; 7] =
    ["/login", "/setup", "/logout", "/lang", "/theme", "/account/password", "/account/tokens"];

/// Whether a form may be sent there with the cookie alone.
pub fn is_free(path: &str) -> bool {
    FREE.contains(&path)
}

/// Whether an act of the page is grave: a server is removed, rows are put right by one side's, a token is taken back,
/// what was removed is deleted for good, or a name has to be typed (nobody would serve, data may be missing or are
/// given up, something is made to fall).
pub fn is_grave(path: &str, typed_name: &str) -> bool {
    // No address of the page needs an escape: whoever writes one might hide a word with it.
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
