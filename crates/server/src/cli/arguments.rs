//! The arguments of the commands: their options, and the servers that they name.

use clap::{Args, ValueEnum};

/// Flags of `up`.
#[derive(Clone, Debug, Args)]
pub struct UpArgs {
    /// Return once all that it starts serves
    #[arg(long)]
    pub detach: bool,
    /// Forget the state first
    #[arg(long)]
    pub reset: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// A drill to begin. Values are sent as typed.
#[derive(Clone, Debug, Args)]
pub struct DrillArgs {
    /// A web server's name, `writer`, `link`, `haproxy-web` or `haproxy-db`
    pub target: String,
    /// `kill`, `freeze`, `stop` or `drain`
    pub how: String,
    /// Requests a second, 1 to 200
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub rate: Option<String>,
    /// Visitors, 1 to 50
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub visitors: Option<String>,
    /// Seconds before it falls, 1 to 30
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub before: Option<String>,
    /// Seconds for which it is held down, 1 to 30
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub held: Option<String>,
    /// Seconds afterwards, 1 to 60
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub after: Option<String>,
    /// A page of the site, `/path` or `http://name/path`; the demonstration's if not given
    #[arg(long, value_name = "URL", allow_hyphen_values = true)]
    pub url: Option<String>,
    /// The status that the page should answer, 200 to 599; 200 if not given
    #[arg(long, value_name = "N", allow_hyphen_values = true, requires = "url")]
    pub status: Option<String>,
    /// The name of its pool: it falls on the running cluster
    #[arg(long, value_name = "POOL")]
    pub confirm: Option<String>,
}

/// How visitors are remembered.
#[derive(Clone, Debug, Args)]
pub struct KeepArgs {
    /// Days after which one who did not come again is forgotten
    #[arg(long, allow_hyphen_values = true)]
    pub days: Option<String>,
    /// Keep networks instead of addresses
    #[arg(long, value_name = "true|false")]
    pub shorten: Option<bool>,
    /// Proxies in front whose X-Forwarded-For is believed, with commas; empty for none
    #[arg(long, value_name = "LIST")]
    pub trusted: Option<String>,
}

/// The accounts of `dsn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DsnAccount {
    /// Data.
    App,
    /// Tables too.
    Owner,
    /// Watching.
    Monitor,
}

impl DsnAccount {
    /// Returns the word that the API uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Owner => "owner",
            Self::Monitor => "monitor",
        }
    }
}

/// A server that is there: `web1`, or `web web1`.
#[derive(Clone, Debug, Args)]
pub struct ServerArgs {
    /// Its name; its pool may stand before it
    #[arg(value_name = "NAME", num_args = 1..=2, required = true)]
    words: Vec<String>,
}

/// A server that is to leave.
#[derive(Clone, Debug, Args)]
pub struct LeaveArgs {
    /// Which.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Even if no other server serves, or no other database could take over
    #[arg(long)]
    pub force: bool,
}

impl ServerArgs {
    /// Returns the pool, if it was given. No server can have the name of a pool, so the words cannot be confused.
    pub fn pool(&self) -> Option<&str> {
        self.words.first().filter(|_| self.words.len() == 2).map(String::as_str)
    }

    /// Returns the server's name.
    pub fn name(&self) -> &str {
        self.words.last().map_or("", String::as_str)
    }
}

/// A server to add. Values are sent as typed: the API reads them, as it does for everybody.
#[derive(Clone, Debug, Args)]
pub struct AddArgs {
    /// `web` or `db`
    pub pool: String,
    /// Letters, digits, `-` and `_`, starting with a letter
    pub name: String,
    /// IP address or host name of a server that exists
    #[arg(long, allow_hyphen_values = true)]
    pub address: Option<String>,
    /// TCP port; 80 if not given, or with --start a free one
    #[arg(long, allow_hyphen_values = true)]
    pub port: Option<String>,
    /// Value of the stickiness cookie; automatic if not given
    #[arg(long, allow_hyphen_values = true)]
    pub cookie: Option<String>,
    /// Start a new server on this machine
    #[arg(long)]
    pub start: bool,
    /// A web server: no visitors before `cordee ready`
    #[arg(long)]
    pub maintenance: bool,
    /// A database that exists already: the account by which Cordée runs it
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Its password: a file that only you may read, or `-` for standard input
    #[arg(long, value_name = "FILE", requires = "user")]
    pub password_file: Option<std::path::PathBuf>,
    /// Only ask that database and say what would happen; nothing is written
    #[arg(long, requires = "user")]
    pub plan: bool,
}
