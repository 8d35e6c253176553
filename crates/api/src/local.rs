//! Answers that only the machine's owner gets, over the unix socket.

use cordee_domain::started::Started;
use serde::{Deserialize, Serialize};

use crate::view::StatusJson;

/// The connection parameters that a client library needs.
#[derive(Clone, Serialize, Deserialize)]
pub struct Dsn {
    /// Address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Account.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Schema.
    pub schema: String,
    /// All of it as one URL.
    pub url: String,
    /// The address that leads to the one writer; absent if the parameters of a single database were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer_host: Option<String>,
    /// Its port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer_port: Option<u16>,
    /// The writer's parameters as one URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer_url: Option<String>,
}

/// The setup code, until it is used.
#[derive(Clone, Serialize, Deserialize)]
pub struct SetupCode {
    /// `null` once an account exists.
    pub code: Option<String>,
}

/// A token that has just been made. It is shown only this once.
#[derive(Clone, Serialize, Deserialize)]
pub struct Token {
    /// Its name, which appears in the journal.
    pub name: String,
    /// The secret.
    pub token: String,
}

/// The password was changed.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewPassword {
    /// Whose password was changed, in a sentence.
    pub message: String,
}

/// How far `cordee up` has come, with the verdict to show meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartJson {
    /// How far the start has come.
    pub started: Started,
    /// The verdict about the whole cluster.
    pub verdict: StatusJson,
}
