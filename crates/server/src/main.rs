//! `cordee`: runs a cluster of web servers and databases behind two HAProxys, from one page.

mod board;
mod cli;
mod client;
mod clock;
mod config;
mod desk;
mod drills;
mod engine;
mod guestbook;
mod hands;
mod intake;
mod lab;
mod listen;
mod paths;
mod random;
mod run;
mod secrets;
mod store;
mod up;
mod vault;
mod web;
mod words;

use std::process::ExitCode;

use cli::Command;
use config::Config;

fn main() -> ExitCode {
    // Of this thread, so of all that come of it: nothing that is started gets more rights than it is given.
    match rustix::thread::set_no_new_privs(true) {
        Ok(()) => begin(),
        Err(error) => fail(&std::io::Error::from(error)),
    }
}

#[tokio::main]
async fn begin() -> ExitCode {
    let cli = cli::parse();
    log();
    let lang = cli::language();
    let mut config = match Config::from_env() {
        Ok(config) => config,
        Err(error) => return fail(&error),
    };
    if let Some(home) = cli.home {
        config.home = home;
    }
    match cli.command {
        Command::Serve => match run::serve(&config).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        },
        Command::Up(args) => {
            let wish = up::Wish { detach: args.detach, reset: args.reset, yes: args.yes };
            up::up(&config, wish, lang).await
        }
        Command::Down => up::down(&config, lang).await,
        Command::Keeper => up::keeper(&config).await,
        Command::Client(command) => {
            let socket = paths::socket_of(&config.home);
            client::run(command, &socket, lang).await
        }
    }
}

/// Warnings and notices on standard error; `CORDEE_LOG` says more or less of them.
fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CORDEE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr).init();
}

/// Says an error with its causes, once.
fn fail(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    client::complain(&[client::with_causes(error)]);
    ExitCode::FAILURE
}
