//! The password of the page's account, and the tokens of programs.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Stdin, Write as _};

use cordee_domain::text;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::json;

use super::http::segment;
use super::{Door, Failure, Said, read, show};
use crate::cli::TokenCommand;
use crate::web::api::tokens::{RevokedJson, TokensJson};
use crate::web::local::{NewPassword, Token};

/// Makes a token, lists them, takes one back.
pub(super) async fn token(door: &Door, command: TokenCommand) -> Result<Said, Failure> {
    match command {
        TokenCommand::Create { name, days } => {
            let body = json!({ "name": name, "days": days });
            let Token { token, .. } = read(door.local("POST", "/local/tokens", Some(&body)).await?)?;
            // Alone on its line, so that a script can take it as it is.
            Ok(Said::well(format!("{token}\n")))
        }
        TokenCommand::List => {
            let all: TokensJson = read(door.get("/api/v1/tokens").await?)?;
            Ok(Said::well(show::tokens(&all, door.lang)))
        }
        TokenCommand::Revoke { name } => {
            let to = format!("/api/v1/tokens/{}", segment(&name));
            let gone: RevokedJson = read(door.delete(&to).await?)?;
            Ok(Said::well(format!("{}\n", show::plain(&gone.message))))
        }
    }
}

/// Changes the password of the page's account. Both come from standard input, one a line: never from the command line, which
/// everybody may read.
pub(super) async fn password(door: &Door, forgotten: bool) -> Result<Said, Failure> {
    let present = if forgotten { None } else { Some(secret(&door.say(&text!("cli-password-present")))?) };
    let new = secret(&door.say(&text!("cli-password-new")))?;
    let body = json!({ "present": present, "new": new, "forgotten": forgotten });
    let NewPassword { message } = read(door.local("POST", "/local/password", Some(&body)).await?)?;
    Ok(Said::well(format!("{}\n", show::plain(&message))))
}

/// The longest line that is read.
const LONGEST: u64 = 4_096;

fn line(input: &Stdin) -> std::io::Result<String> {
    let mut text = String::new();
    input.lock().take(LONGEST).read_line(&mut text)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// One line of standard input. A person at a terminal is asked, and what they type is not shown.
fn secret(asks: &str) -> Result<String, Failure> {
    let unread = |_| Failure::Usage(text!("cli-password-unread"));
    let input = std::io::stdin();
    if !input.is_terminal() {
        return line(&input).map_err(unread);
    }
    let mut out = std::io::stderr().lock();
    let _ = write!(out, "{} ", asks.trim_end());
    let _ = out.flush();
    let usual = tcgetattr(&input).map_err(|e| unread(e.into()))?;
    let mut silent = usual.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&input, OptionalActions::Flush, &silent).map_err(|e| unread(e.into()))?;
    let typed = line(&input);
    let _ = tcsetattr(&input, OptionalActions::Flush, &usual);
    let _ = writeln!(out);
    typed.map_err(unread)
}
