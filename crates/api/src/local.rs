//! What only the machine's owner is told, over the unix socket.

use cordee_domain::started::Started;
use serde::{Deserialize, Serialize};

use crate::view::StatusJson;

/// What a client library asks for.
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
    /// All of it as one address.
    pub url: String,
    /// The address that leads to the one writer; absent where one database itself was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer_host: Option<String>,
    /// Its port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer_port: Option<u16>,
    /// All of that as one address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer_url: Option<String>,
}

/// The setup code, until it is used.
#[derive(Clone, Serialize, Deserialize)]
pub struct SetupCode {
    /// `null` once an account exists.
    pub code: Option<String>,
}

/// A token just made: this is the only time that it is shown.
#[derive(Clone, Serialize, Deserialize)]
pub struct Token {
    /// Its name, which stands in the journal.
    pub name: String,
    /// The secret.
    pub token: String,
}

/// The password was changed.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewPassword {
    /// Whose, in a sentence.
    pub message: String,
}

/// How far `cordee up` is, with the verdict to show meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartJson {
    /// How far.
    pub started: Started,
    /// The sentence about all of it.
    pub verdict: StatusJson,
}
