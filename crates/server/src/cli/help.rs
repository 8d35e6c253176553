//! What `--help` shows, in the reader's language. The declaration holds the names, this file the sentences.

use std::process;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory as _};
use cordee_domain::text;
use cordee_domain::text::Text;

use super::Cli;
use crate::words::Lang;

/// Returns what each command does. Hidden commands are for `./up`.
fn about(parent: &str, command: &str) -> Option<Text> {
    Some(match command {
        "drill" => text!("cli-help-drill"),
        "begin" if parent == "drill" => text!("cli-help-drill-begin"),
        "show" if parent == "drill" => text!("cli-help-drill-show"),
        "cancel" if parent == "drill" => text!("cli-help-drill-cancel"),
        "cordee" => text!("cli-help-cordee"),
        "serve" => text!("cli-help-serve"),
        "status" => text!("cli-help-status"),
        "doctor" => text!("cli-help-doctor"),
        "setup-code" => text!("cli-help-setup-code"),
        "token" => text!("cli-help-token"),
        "create" => text!("cli-help-token-create"),
        "list" => text!("cli-help-token-list"),
        "revoke" => text!("cli-help-token-revoke"),
        "password" => text!("cli-help-password"),
        "up" => text!("cli-help-up"),
        "down" => text!("cli-help-down"),
        "add" => text!("cli-help-add"),
        "remove" => text!("cli-help-remove"),
        "drain" => text!("cli-help-drain"),
        "ready" => text!("cli-help-ready"),
        "maintenance" => text!("cli-help-maintenance"),
        "restart" => text!("cli-help-restart"),
        "anyway" => text!("cli-help-anyway"),
        "withdraw" => text!("cli-help-withdraw"),
        "stop" => text!("cli-help-stop"),
        "start" => text!("cli-help-start"),
        "promote" => text!("cli-help-promote"),
        "plan" => text!("cli-help-plan"),
        "verify" => text!("cli-help-verify"),
        "repair" => text!("cli-help-repair"),
        "recopy" => text!("cli-help-recopy"),
        "routing" => text!("cli-help-routing"),
        "session" => text!("cli-help-session"),
        "test" => text!("cli-help-test"),
        "logs" => text!("cli-help-logs"),
        "visitors" => text!("cli-help-visitors"),
        "keep-visitors" => text!("cli-help-keep-visitors"),
        "requests" => text!("cli-help-requests"),
        "config" => text!("cli-help-config"),
        "reload" => text!("cli-help-reload"),
        "clean" => text!("cli-help-clean"),
        "refresh" => text!("cli-help-refresh"),
        "history" => text!("cli-help-history"),
        "dsn" => text!("cli-help-dsn"),
        "compare" => text!("cli-help-compare"),
        "begin" => text!("cli-help-compare-begin"),
        "show" => text!("cli-help-compare-show"),
        "cancel" => text!("cli-help-compare-cancel"),
        _ => return None,
    })
}

/// Returns what an argument means; most arguments mean the same for every command that has them.
fn meaning(command: &str, argument: &str) -> Option<Text> {
    Some(match (command, argument) {
        ("status", "json") => text!("cli-help-status-json"),
        ("show", "json") => text!("cli-help-drill-json"),
        ("begin", "target") => text!("cli-help-drill-target"),
        ("begin", "how") => text!("cli-help-drill-how"),
        ("begin", "rate") => text!("cli-help-drill-rate"),
        ("begin", "visitors") => text!("cli-help-drill-visitors"),
        ("begin", "before") => text!("cli-help-drill-before"),
        ("begin", "held") => text!("cli-help-drill-held"),
        ("begin", "after") => text!("cli-help-drill-after"),
        ("begin", "url") => text!("cli-help-drill-url"),
        ("begin", "status") => text!("cli-help-drill-status"),
        ("begin", "confirm") => text!("cli-help-drill-confirm"),
        ("config", "json") => text!("cli-help-config-json"),
        ("dsn", "json") => text!("cli-help-dsn-json"),
        ("dsn", "server") => text!("cli-help-dsn-server"),
        ("visitors", "server") => text!("cli-help-visitors-server"),
        ("visitors" | "requests", "address") => text!("cli-help-visitors-address"),
        ("visitors" | "requests", "limit") => text!("cli-help-visitors-limit"),
        (_, "changes") => text!("cli-help-visitors-changes"),
        (_, "csv") => text!("cli-help-visitors-csv"),
        ("create", "days") => text!("cli-help-token-days"),
        (_, "days") => text!("cli-help-days"),
        (_, "shorten") => text!("cli-help-shorten"),
        (_, "trusted") => text!("cli-help-trusted"),
        (_, "status") => text!("cli-help-requests-status"),
        (_, "path") => text!("cli-help-requests-path"),
        ("create", "name") => text!("cli-help-token-name"),
        ("revoke", "name") => text!("cli-help-token-which"),
        (_, "forgotten") => text!("cli-help-forgotten"),
        (_, "detach") => text!("cli-help-detach"),
        (_, "reset") => text!("cli-help-reset"),
        (_, "yes") => text!("cli-help-yes"),
        ("add", "start") => text!("cli-help-add-start"),
        ("add", "maintenance") => text!("cli-help-add-out"),
        ("add", "user") => text!("cli-help-add-user"),
        ("add", "password_file") => text!("cli-help-password-file"),
        ("add", "plan") => text!("cli-help-add-plan"),
        ("routing" | "plan", "pool") => text!("cli-help-routing-pool"),
        (_, "routing") => text!("cli-help-routing-word"),
        (_, "mode") => text!("cli-help-session-mode"),
        (_, "accept_loss") => text!("cli-help-accept-loss"),
        (_, "home") => text!("cli-help-home"),
        (_, "wait") => text!("cli-help-wait"),
        (_, "no_wait") => text!("cli-help-no-wait"),
        (_, "pool") => text!("cli-help-pool"),
        (_, "name") => text!("cli-help-name"),
        (_, "address") => text!("cli-help-address"),
        (_, "port") => text!("cli-help-port"),
        (_, "cookie") => text!("cli-help-cookie"),
        (_, "words") => text!("cli-help-server"),
        (_, "take") => text!("cli-help-take"),
        (_, "force") => text!("cli-help-force"),
        (_, "lines") => text!("cli-help-lines"),
        (_, "checks") => text!("cli-help-checks"),
        (_, "proxy") => text!("cli-help-proxy"),
        (_, "apply") => text!("cli-help-apply"),
        (_, "limit") => text!("cli-help-limit"),
        (_, "account") => text!("cli-help-account"),
        _ => return None,
    })
}

/// Returns the declaration with every sentence in `lang`.
pub(super) fn command(lang: Lang) -> Command {
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    say("", Cli::command(), lang)
        .disable_version_flag(true)
        .arg(version.help(lang.say(&text!("cli-help-version"))))
        .after_help(lang.say(&text!("cli-help-environment")))
}

fn say(parent: &str, command: Command, lang: Lang) -> Command {
    let name = command.get_name().to_owned();
    let examples = command.get_after_help().map(StyledStr::to_string);
    let mut command = command
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .subcommand_help_heading(lang.say(&text!("cli-help-commands")))
        .help_template(template(lang))
        .mut_args(|argument| match meaning(&name, argument.get_id().as_str()) {
            Some(text) => argument.help(lang.say(&text)),
            None => argument,
        })
        .mut_subcommands(|inner| say(&name, inner, lang))
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .action(ArgAction::Help)
                .help(lang.say(&text!("cli-help-help"))),
        );
    if let Some(text) = about(parent, &name) {
        command = command.about(lang.say(&text));
    }
    if let Some(examples) = examples {
        command = command.after_help(format!("{}\n{examples}", lang.say(&text!("cli-help-examples"))));
    }
    command
}

fn template(lang: Lang) -> String {
    format!("{{about}}\n\n{} {{usage}}\n\n{{all-args}}{{after-help}}\n", lang.say(&text!("cli-help-usage")))
}

/// Ends the process: with the requested help, or with the error.
pub(super) fn refuse(error: &clap::Error, lang: Lang) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
    } else {
        crate::complain::complain(&[lang.say(&wrong(error))]);
    }
    process::exit(2)
}

fn wrong(error: &clap::Error) -> Text {
    let context = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let what = context(ContextKind::InvalidArg);
            // A word after the last argument of the command may well be a server's name.
            if what.starts_with('-') {
                text!("cli-usage-unknown", what = what)
            } else {
                text!("cli-usage-many", what = what)
            }
        }
        ErrorKind::TooManyValues => text!("cli-usage-many", what = context(ContextKind::InvalidValue)),
        ErrorKind::InvalidSubcommand => {
            text!("cli-usage-unknown", what = context(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingRequiredArgument => {
            text!("cli-usage-missing", what = context(ContextKind::InvalidArg))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::TooFewValues => {
            text!("cli-usage-value", what = context(ContextKind::InvalidArg))
        }
        ErrorKind::ArgumentConflict => text!(
            "cli-usage-conflict",
            what = context(ContextKind::InvalidArg),
            other = context(ContextKind::PriorArg)
        ),
        _ => text!("cli-usage"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every<'a>(command: &'a Command, all: &mut Vec<&'a Command>) {
        all.push(command);
        for inner in command.get_subcommands().filter(|c| !c.is_hide_set()) {
            every(inner, all);
        }
    }

    #[test]
    fn the_declaration_is_sound() {
        for lang in Lang::ALL {
            command(lang).debug_assert();
        }
    }

    #[test]
    fn every_command_and_argument_says_what_it_is_for() {
        let whole = command(Lang::Fr);
        let mut all = Vec::new();
        every(&whole, &mut all);
        for command in all {
            let name = command.get_name();
            assert!(about("", name).is_some(), "{name}");
            for argument in
                command.get_arguments().filter(|a| !matches!(a.get_id().as_str(), "help" | "version"))
            {
                assert!(meaning(name, argument.get_id().as_str()).is_some(), "{name} {argument}");
            }
        }
    }

    #[test]
    fn every_command_has_an_example_in_the_reader_s_language() {
        let mut whole = command(Lang::Fr);
        whole.build();
        let mut all = Vec::new();
        every(&whole, &mut all);
        for command in all.into_iter().filter(|c| !c.has_subcommands()) {
            let help = command.clone().render_help().to_string();
            assert!(
                help.contains("Utilisation") && help.contains("Exemples") && !help.contains("Print"),
                "{help}"
            );
        }
    }

    #[test]
    fn wrong_use_is_explained() {
        let read = |words: &[&str]| wrong(&command(Lang::En).try_get_matches_from(words).unwrap_err());
        assert_eq!(read(&["cordee", "fly"]), text!("cli-usage-unknown", what = "fly"));
        assert_eq!(read(&["cordee", "status", "--x"]), text!("cli-usage-unknown", what = "--x"));
        assert_eq!(read(&["cordee", "status", "web1"]), text!("cli-usage-many", what = "web1"));
        let three = ["cordee", "drain", "web1", "web2", "web3"];
        assert_eq!(read(&three), text!("cli-usage-many", what = "web3"));
        assert_eq!(read(&["cordee", "dsn", "--account", "x"]).key, "cli-usage-value");
        assert_eq!(read(&["cordee", "drain"]).key, "cli-usage-missing");
    }
}
