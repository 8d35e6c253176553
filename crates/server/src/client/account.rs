//! The password of the page's account, and the tokens of other programs.

use std::io::{BufRead, IsTerminal as _, Stdin, Write as _};

use cordee_api::local::{NewPassword, Token};
use cordee_api::tokens::{RevokedJson, TokensJson};
use cordee_domain::text;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
use serde_json::json;

use super::http::segment;
use super::{Door, Failure, Said, read, show};
use crate::cli::TokenCommand;

/// Creates a token, lists the tokens, or revokes one.
pub(super) async fn token(door: &Door, command: TokenCommand) -> Result<Said, Failure> {
    match command {
        TokenCommand::Create { name, days } => {
            let body = json!({ "name": name, "days": days });
            let Token { token, .. } = read(door.local("POST", "/local/tokens", Some(&body)).await?)?;
            // The token is alone on its line, so that a script can use it unchanged.
            Ok(Said::well(format!("{token}\n")))
        }
        TokenCommand::List => {
            let all: TokensJson = read(door.get("/api/v1/tokens").await?)?;
            Ok(Said::well(show::tokens(&all, door.lang)))
        }
        TokenCommand::Revoke { name } => {
            let to = format!("/api/v1/tokens/{}", segment(&name));
            let gone: RevokedJson = read(door.delete(&to).await?)?;
            Ok(Said::well(format!("{}\n", crate::complain::plain(&gone.message))))
        }
    }
}

/// Changes the password of the page's account. Both passwords come from standard input, one on each line: never
/// from the command line, which every user may read. A password that is typed without echo is asked for twice.
pub(super) async fn password(door: &Door, forgotten: bool) -> Result<Said, Failure> {
    let present = if forgotten { None } else { Some(secret(&door.say(&text!("cli-password-present")))?) };
    let new = secret(&door.say(&text!("cli-password-new")))?;
    if std::io::stdin().is_terminal() && secret(&door.say(&text!("cli-password-again")))? != new {
        return Err(Failure::Refused(vec![(String::new(), door.say(&text!("problem-password-again")))]));
    }
    let body = json!({ "present": present, "new": new, "forgotten": forgotten });
    let NewPassword { message } = read(door.local("POST", "/local/password", Some(&body)).await?)?;
    Ok(Said::well(format!("{}\n", crate::complain::plain(&message))))
}

/// The longest line that is read, in bytes.
const LONGEST: usize = 4_096;

/// Returns one line without its end; `None` if it contains one of the bytes in `given_up`.
fn line(input: impl BufRead, given_up: &[u8]) -> std::io::Result<Option<String>> {
    let mut typed = Vec::new();
    for byte in input.bytes().take(LONGEST) {
        match byte? {
            b'\n' => break,
            byte if given_up.contains(&byte) => return Ok(None),
            byte => typed.push(byte),
        }
    }
    let text = String::from_utf8(typed).map_err(|_| std::io::ErrorKind::InvalidData)?;
    Ok(Some(text.trim_end_matches('\r').to_owned()))
}

/// Reads one line of standard input. On a terminal it prompts, and the typed text is not shown.
fn secret(asks: &str) -> Result<String, Failure> {
    let input = std::io::stdin();
    let typed = if input.is_terminal() { unseen(&input, asks) } else { line(input.lock(), &[]) };
    match typed {
        Ok(Some(typed)) => Ok(typed),
        Ok(None) => Err(Failure::Usage(text!("cli-password-left"))),
        Err(_) => Err(Failure::Usage(text!("cli-password-unread"))),
    }
}

/// Reads a line from a terminal without echo. If the operator presses an interrupt key, that key ends the line and
/// not this program, so that the terminal's settings are restored.
fn unseen(input: &Stdin, asks: &str) -> std::io::Result<Option<String>> {
    let mut out = std::io::stderr().lock();
    let _ = write!(out, "{} ", asks.trim_end());
    let _ = out.flush();
    let usual = tcgetattr(input)?;
    let [interrupt, quit, suspend] =
        [SpecialCodeIndex::VINTR, SpecialCodeIndex::VQUIT, SpecialCodeIndex::VSUSP]
            .map(|key| usual.special_codes[key]);
    let mut silent = usual.clone();
    silent.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
    silent.special_codes[SpecialCodeIndex::VEOL] = interrupt;
    silent.special_codes[SpecialCodeIndex::VEOL2] = quit;
    tcsetattr(input, OptionalActions::Flush, &silent)?;
    let typed = line(input.lock(), &[interrupt, quit, suspend]);
    let _ = tcsetattr(input, OptionalActions::Flush, &usual);
    let _ = writeln!(out);
    typed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_where_it_ends_or_is_given_up() {
        let read = |typed: &[u8]| line(typed, &[3, 28, 26]).ok();
        let is = |text: &str| Some(Some(text.to_owned()));
        assert_eq!(read(b"long enough\r\nanother one\n"), is("long enough"));
        assert_eq!(read("ö ß".as_bytes()), is("ö ß"));
        assert_eq!(read(b""), is(""));
        assert_eq!(read(b"long\x03"), Some(None));
        assert_eq!(read(b"lo\x1ang\n"), Some(None));
        assert_eq!(read(b"\xff\n"), None, "no text");
        assert_eq!(line(&b"a\x03b\n"[..], &[]).ok(), is("a\u{3}b"), "not of a terminal");
    }
}
