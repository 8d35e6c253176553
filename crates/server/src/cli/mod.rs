//! The command line, as declared to clap. What each command does is in [`client`](crate::client), or in `main` for
//! those that run the cluster; what `--help` shows is in `help.rs`, in both languages.

mod arguments;
mod help;

use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::words::Lang;

pub use arguments::{AddArgs, DrillArgs, DsnAccount, KeepArgs, LeaveArgs, ServerArgs, UpArgs};

/// Runs a cluster of web servers and databases behind two HAProxys.
#[derive(Debug, Parser)]
#[command(name = "cordee", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// Folder of the cluster's state
    #[arg(long, global = true, env = "CORDEE_HOME", value_name = "FOLDER")]
    pub home: Option<PathBuf>,
    /// Wait no longer than this until what was asked is so; 60s if not given
    #[arg(long, global = true, value_name = "TIME", value_parser = time, conflicts_with = "no_wait")]
    pub wait: Option<Duration>,
    /// Return as soon as what was asked is written down
    #[arg(long, global = true)]
    pub no_wait: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How long a command that changes something waits until the change is made, if no time is given.
const WAIT: Duration = Duration::from_millis(cordee_domain::figures::COMMAND_WAIT);
/// The longest time that may be given, in milliseconds.
const LONGEST_WAIT: u64 = 86_400_000;

impl Cli {
    /// Returns how long to wait until the change is made.
    pub fn patience(&self) -> Duration {
        if self.no_wait { Duration::ZERO } else { self.wait.unwrap_or(WAIT) }
    }
}

/// Parses `90s`, `500ms`, `5m`, or `90` (seconds).
fn time(typed: &str) -> Result<Duration, &'static str> {
    let (number, unit) = match (typed.strip_suffix("ms"), typed.strip_suffix('s'), typed.strip_suffix('m')) {
        (Some(number), _, _) => (number, 1),
        (_, Some(number), _) => (number, 1_000),
        (_, _, Some(number)) => (number, 60_000),
        _ => (typed, 1_000),
    };
    let ms = number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    ms.filter(|ms| *ms <= LONGEST_WAIT).map(Duration::from_millis).ok_or("30s, 500ms, 5m")
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run Cordée in the foreground: the page, the API and the engine
    #[command(after_help = "  cordee serve")]
    Serve,
    /// Start the cluster, or find it running; `./up` builds Cordée first
    #[command(after_help = "  cordee up --detach")]
    Up(UpArgs),
    /// Stop everything that `up` started; what is stored stays
    #[command(after_help = "  cordee down")]
    Down,
    /// Look at everything that the cluster needs on this machine; exit code 1 when something needs a person
    #[command(after_help = "  cordee doctor")]
    Doctor,
    /// Brings `serve` back when it dies.
    #[command(hide = true)]
    Keeper,
    /// One that asks a running Cordée.
    #[command(flatten)]
    Client(ClientCommand),
}

/// Commands that ask a running Cordée.
#[derive(Clone, Debug, Subcommand)]
pub enum ClientCommand {
    /// Show the cluster: proxies, servers, severities in words; exit code 0 all good, 5 not all well, 6 down
    #[command(after_help = "  cordee status\n  cordee status --json | jq .verdict")]
    Status {
        /// The whole snapshot, as the API gives it
        #[arg(long)]
        json: bool,
    },
    /// Show the code with which the first account is made on the page
    #[command(after_help = "  cordee setup-code")]
    SetupCode,
    /// Tokens for programs that use the API
    #[command(subcommand)]
    Token(TokenCommand),
    /// Change the password of the page's account; both are read from standard input, one a line
    #[command(after_help = "  cordee password\n  cordee password --forgotten")]
    Password {
        /// Do not ask for the present one
        #[arg(long)]
        forgotten: bool,
    },
    /// Add a server: one that exists, or with --start a new one on this machine
    #[command(after_help = "  cordee add web web3 --start\n\
            \x20 cordee add web web4 --address 10.0.0.5 --port 80 --cookie S4\n\
            \x20 cordee add db db3 --start")]
    Add(AddArgs),
    /// Take a server away; one that Cordée started is stopped and its files are removed
    #[command(after_help = "  cordee remove web web3\n  cordee remove db db3")]
    Remove(LeaveArgs),
    /// Give a server no new visitors; those who hold its cookie still reach it
    #[command(after_help = "  cordee drain web1")]
    Drain(LeaveArgs),
    /// Put a server back in service
    #[command(after_help = "  cordee ready web1")]
    Ready(ServerArgs),
    /// Give a server no visitors at all, and check it no more
    #[command(after_help = "  cordee maintenance web1")]
    Maintenance(LeaveArgs),
    /// Stop a server that Cordée started, and start it again
    #[command(after_help = "  cordee restart db2")]
    Restart(LeaveArgs),
    /// Have a web server that waits for another one leave at once, although nobody else serves
    #[command(after_help = "  cordee anyway web2")]
    Anyway(ServerArgs),
    /// Have a web server that waits for another one stay in service after all
    #[command(after_help = "  cordee withdraw web2")]
    Withdraw(ServerArgs),
    /// Stop a server that Cordée started; it stays stopped until `start`
    #[command(after_help = "  cordee stop web2")]
    Stop(LeaveArgs),
    /// Start a server that was stopped
    #[command(after_help = "  cordee start web2")]
    Start(ServerArgs),
    /// Make a standby the writer; the present writer hands over first
    #[command(after_help = "  cordee promote db2\n  cordee promote db2 --accept-loss")]
    Promote {
        #[command(flatten)]
        server: ServerArgs,
        /// Even if the writer is lost and holds writes that no other database received
        #[arg(long)]
        accept_loss: bool,
    },
    /// Show how a new database would join; nothing is done
    #[command(after_help = "  cordee plan db")]
    Plan {
        /// `db`
        pool: String,
    },
    /// Compare a database's rows with the writer's; exit code 1 when they are not proven equal
    #[command(after_help = "  cordee verify db2")]
    Verify(ServerArgs),
    /// Put right the rows in which a database differs from the writer
    #[command(after_help = "  cordee repair db2 --take writer\n  cordee repair db2 --take this")]
    Repair {
        #[command(flatten)]
        server: ServerArgs,
        /// `writer` or `this`: whose rows are right
        #[arg(long, value_name = "SIDE")]
        take: String,
    },
    /// Throw a database's data away and give it a fresh copy
    #[command(after_help = "  cordee recopy db2")]
    Recopy(LeaveArgs),
    /// Choose which databases take writes
    #[command(after_help = "  cordee routing db one-writer\n  cordee routing db all-writers")]
    Routing {
        /// `db`
        pool: String,
        /// `one-writer` or `all-writers`
        routing: String,
    },
    /// Choose where the visitors' sessions are kept
    #[command(after_help = "  cordee session proxy\n  cordee session database")]
    Session {
        /// `proxy` or `database`
        mode: String,
    },
    /// Try the connection to a server, step by step; exit code 1 when a step fails
    #[command(after_help = "  cordee test db1")]
    Test(ServerArgs),
    /// Show the last lines of a server's logs
    #[command(after_help = "  cordee logs web1 --lines 50\n  cordee logs web1 --checks")]
    Logs {
        #[command(flatten)]
        server: ServerArgs,
        /// Lines of each file, 1 to 1000
        #[arg(long, value_name = "N", default_value = "200", hide_default_value = true)]
        lines: String,
        /// With the lines of health checks and of Cordée's own questions
        #[arg(long)]
        checks: bool,
    },
    /// Show who visited, the last one first
    #[command(after_help = "  cordee visitors --server web1\n  cordee visitors --changes\n\
            \x20 cordee visitors --csv > visitors.csv")]
    Visitors {
        /// Only what this server answered
        #[arg(long, value_name = "NAME")]
        server: Option<String>,
        /// Only addresses that hold this
        #[arg(long, value_name = "PART")]
        address: Option<String>,
        /// Who changed the colour on the session test page
        #[arg(long)]
        changes: bool,
        /// As a table for other programs
        #[arg(long)]
        csv: bool,
        /// Lines, 1 to 1000, the newest ones
        #[arg(long, value_name = "N", default_value = "100", hide_default_value = true)]
        limit: String,
    },
    /// Choose how visitors are remembered; what is not given stays
    #[command(
        after_help = "  cordee keep-visitors --days 90 --shorten true\n  cordee keep-visitors --trusted 10.0.0.0/8"
    )]
    KeepVisitors(KeepArgs),
    /// Show the last requests that a web server answered
    #[command(after_help = "  cordee requests web1 --status 5xx")]
    Requests {
        #[command(flatten)]
        server: ServerArgs,
        /// `404`, or `5xx`
        #[arg(long)]
        status: Option<String>,
        /// Only paths that hold this
        #[arg(long)]
        path: Option<String>,
        /// Only addresses that hold this
        #[arg(long, value_name = "PART")]
        address: Option<String>,
        /// Lines, 1 to 1000, the newest ones
        #[arg(long, value_name = "N", default_value = "200", hide_default_value = true)]
        limit: String,
    },
    /// Show an HAProxy's file, each line with what it does and what would break without it; exit code 1 when file or
    /// process differ
    #[command(after_help = "  cordee config web\n  cordee config db --json | jq .lines")]
    Config {
        /// `web` or `db`
        proxy: String,
        /// As the API gives it
        #[arg(long)]
        json: bool,
    },
    /// Start an HAProxy's worker anew from its file, without a lost connection
    #[command(after_help = "  cordee reload web")]
    Reload {
        /// `web` or `db`
        proxy: String,
    },
    /// List what no wish explains (left-over files and processes); with --apply remove it
    #[command(after_help = "  cordee clean\n  cordee clean --apply")]
    Clean {
        /// Remove what the list shows
        #[arg(long)]
        apply: bool,
    },
    /// Look at everything now, and return when that is done
    #[command(after_help = "  cordee refresh")]
    Refresh,
    /// Show the journal: who did what, and what happened
    #[command(after_help = "  cordee history --limit 20")]
    History {
        /// Lines, 1 to 500, the newest ones
        #[arg(long, value_name = "N", default_value = "50", hide_default_value = true)]
        limit: String,
    },
    /// Compare ways to keep sessions, on a cluster of its own
    #[command(subcommand)]
    Compare(CompareCommand),
    /// Failover drills: have something fall on purpose, and count what visitors lose
    #[command(subcommand)]
    Drill(DrillCommand),
    /// Show how your own application reaches the databases (with the password)
    #[command(
        after_help = "  cordee dsn\n  cordee dsn --json --account owner\n  cordee dsn --account monitor --server db1"
    )]
    Dsn {
        /// As JSON: host, port, user, password, schema, url, and the same of the writer
        #[arg(long)]
        json: bool,
        /// `app` reads and writes data, `owner` alters tables too, `monitor` watches the databases
        #[arg(
            long,
            value_enum,
            default_value_t = DsnAccount::App,
            hide_default_value = true,
            hide_possible_values = true
        )]
        account: DsnAccount,
        /// One database itself, instead of the HAProxy in front of them
        #[arg(long, value_name = "NAME")]
        server: Option<String>,
    },
}

/// Commands about the comparison of sessions.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum CompareCommand {
    /// Begin a run; it takes some minutes
    #[command(after_help = "  cordee compare begin")]
    Begin,
    /// Show the newest run
    #[command(after_help = "  cordee compare show")]
    Show,
    /// Give the run up
    #[command(after_help = "  cordee compare cancel")]
    Cancel,
}

/// Commands about failover drills.
#[derive(Clone, Debug, Subcommand)]
pub enum DrillCommand {
    /// Begin a drill
    #[command(after_help = "  cordee drill begin web1 kill --confirm web\n\
            \x20 cordee drill begin writer freeze --rate 50 --visitors 20 --confirm db\n\
            \x20 cordee drill begin link stop --held 10 --confirm db\n\
            \x20 cordee drill begin web1 kill --url http://shop.lan/cart --status 302 --confirm web")]
    Begin(Box<DrillArgs>),
    /// Show the newest drill
    #[command(after_help = "  cordee drill show\n  cordee drill show --json")]
    Show {
        /// As the API gives it
        #[arg(long)]
        json: bool,
    },
    /// Give the drill up; what fell is put right
    #[command(after_help = "  cordee drill cancel")]
    Cancel,
}

/// Commands about tokens.
#[derive(Clone, Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it, this once
    #[command(after_help = "  CORDEE_TOKEN=$(cordee token create --name backup)")]
    Create {
        /// Stands in the journal as `token:NAME`
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Days for which it is good, 1 to 3650; without an end if not given
        #[arg(long, value_name = "N", allow_hyphen_values = true)]
        days: Option<String>,
    },
    /// List the tokens: made, last used, valid until
    #[command(after_help = "  cordee token list")]
    List,
    /// Take a token back; whoever holds it is refused at once
    #[command(after_help = "  cordee token revoke backup")]
    Revoke {
        /// Its name
        name: String,
    },
}

/// Parses the command line; a wrong one is explained on stderr, with exit code 2.
pub fn parse() -> (Cli, Options) {
    let lang = language();
    let matches = help::command(lang).try_get_matches();
    matches.and_then(|matches| read(&matches)).unwrap_or_else(|error| help::refuse(&error, lang))
}

/// Does the same for the words of a test.
#[cfg(test)]
pub fn read_from<'a>(words: impl Iterator<Item = &'a str>) -> Result<(Cli, Options), clap::Error> {
    read(&Cli::command().try_get_matches_from(words)?)
}

fn read(matches: &ArgMatches) -> Result<(Cli, Options), clap::Error> {
    Ok((one_patience(Cli::from_arg_matches(matches)?)?, Options::of(matches)))
}

/// The options of the command that was given.
pub struct Options(clap::Command);

impl Options {
    fn of(matches: &ArgMatches) -> Self {
        let (mut command, mut at) = (Cli::command(), matches);
        while let Some((name, inner)) = at.subcommand() {
            let Some(found) = command.find_subcommand(name).cloned() else { break };
            (command, at) = (found, inner);
        }
        Self(command)
    }

    /// Returns the name of an API field in this command, if the command has it: for example `--cookie`, or `name`
    /// for `add`. Most commands take a server as one word or two, and the error sentence itself names it.
    pub fn called(&self, field: &str) -> Option<String> {
        let file = format!("{field}_file");
        let mut all = self.0.get_arguments().filter(|a| *a.get_id() == field || *a.get_id() == file.as_str());
        all.next().map(|found| found.get_long().map_or_else(|| field.to_owned(), |long| format!("--{long}")))
    }
}

/// Refuses `--wait` together with `--no-wait`. clap only compares options in the same place: before the command, or
/// after it.
fn one_patience(cli: Cli) -> Result<Cli, clap::Error> {
    if cli.wait.is_some() && cli.no_wait {
        let mut conflict = clap::Error::new(ErrorKind::ArgumentConflict).with_cmd(&Cli::command());
        for (kind, what) in [(ContextKind::InvalidArg, "--wait"), (ContextKind::PriorArg, "--no-wait")] {
            conflict.insert(kind, ContextValue::String(what.to_owned()));
        }
        return Err(conflict);
    }
    Ok(cli)
}

/// Returns the reader's language, from `LC_ALL`, `LC_MESSAGES` or `LANG` in this order, as other programs do.
pub fn language() -> Lang {
    let chosen = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    if chosen.is_some_and(|v| v.to_ascii_lowercase().starts_with("fr")) { Lang::Fr } else { Lang::En }
}

#[cfg(test)]
mod tests;
