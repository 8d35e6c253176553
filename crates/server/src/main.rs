//! `cordee`: runs a cluster of web servers and databases behind two HAProxy instances, from one page.

mod before;
mod begun;
mod board;
mod cli;
mod client;
mod complain;
mod config;
mod control;
mod doctor;
mod drills;
mod engine;
mod jobs;
mod lab;
mod listen;
mod log_receiver;
mod recent_requests;
mod run;
mod store;
mod up;
mod web;
mod words;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use cli::Command;
use config::Config;
use cordee_node::{paths, surroundings};

fn main() -> ExitCode {
    surroundings::usual_mask();
    surroundings::pass_no_files_on();
    // Set on this thread, and inherited by all that it starts: no process that is started gets more rights than it
    // is given.
    match rustix::thread::set_no_new_privs(true) {
        Ok(()) => begin(),
        Err(error) => fail(&std::io::Error::from(error)),
    }
}

#[tokio::main]
async fn begin() -> ExitCode {
    let (cli, options) = cli::parse();
    log();
    let lang = cli::language();
    let patience = cli.patience();
    let mut config = match Config::from_env() {
        Ok(config) => config,
        Err(error) => return fail(&error),
    };
    // From here on the working directory does not matter: the keeper's is the root of the disk.
    match surroundings::absolute(
        cli.home.as_ref().filter(|home| !home.as_os_str().is_empty()).unwrap_or(&config.home),
    ) {
        Ok(home) => config.home = home,
        Err(error) => return fail(&error),
    }
    match cli.command {
        Command::Serve => match run::serve(&config).await {
            Ok(()) => ExitCode::SUCCESS,
            // Exit at once: threads that hang must not delay the restart.
            Err(error) => {
                fail(&error);
                std::process::exit(1)
            }
        },
        Command::Up(args) => {
            let wish = up::UpOptions { detach: args.detach, reset: args.reset, yes: args.yes };
            up::up(&config, wish, lang).await
        }
        Command::Down => up::down(&config, lang).await,
        Command::Doctor => doctor::doctor(&config, lang).await,
        Command::Keeper => up::keeper(&config).await,
        Command::Client(command) => {
            let socket = paths::socket_of(&config.home);
            client::run(command, &options, &socket, patience, cli.wait, lang).await
        }
    }
}

/// Logs warnings and notices to standard error; `CORDEE_LOG` changes the level.
fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CORDEE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(|| Log).init();
}

/// Standard error, as far as it can be written: on a full disk a line of the log is lost, but the process that
/// writes it goes on.
struct Log;

/// Lines that were lost since the last line that was written.
static LOST: AtomicU64 = AtomicU64::new(0);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let lost = LOST.swap(0, Ordering::Relaxed);
        let mut text = Vec::with_capacity(line.len());
        if lost > 0 {
            text.extend_from_slice(format!("({lost} lines could not be written here)\n").as_bytes());
        }
        text.extend_from_slice(line);
        if io::stderr().write_all(&text).is_err() {
            LOST.fetch_add(lost + 1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Prints an error with its causes, once.
fn fail(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    complain::complain(&[complain::with_causes(error)]);
    ExitCode::FAILURE
}
