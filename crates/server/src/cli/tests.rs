//! The command line as declared.

use super::*;

fn read(words: &[&str]) -> Command {
    Cli::try_parse_from(std::iter::once(&"cordee").chain(words)).unwrap().command
}

#[test]
fn a_field_of_the_api_is_called_as_the_option_that_gives_it() {
    let called = |words: &str, field: &str| {
        let matches = Cli::command().try_get_matches_from(std::iter::once("cordee").chain(words.split(' ')));
        super::read(&matches.unwrap()).unwrap().1.called(field)
    };
    for (words, field, option) in [
        ("add web web3", "cookie", Some("--cookie")),
        ("add web web3", "password", Some("--password-file")),
        ("add web web3", "name", Some("name")),
        ("drain web1", "name", None),
        ("token create --name x", "name", Some("--name")),
        ("drill begin web1 kill", "held", Some("--held")),
        ("promote db2", "accept_loss", Some("--accept-loss")),
        ("drain web1", "force", Some("--force")),
        ("drain web1", "cookie", None),
        ("status", "", None),
    ] {
        assert_eq!(called(words, field).as_deref(), option, "{words}: {field}");
    }
}

#[test]
fn a_time_to_wait_and_none_exclude_each_other_wherever_they_stand() {
    let both = |words: &[&str]| {
        let cli = Cli::try_parse_from(std::iter::once(&"cordee").chain(words));
        cli.and_then(one_patience).map_err(|e| e.kind()).err()
    };
    for words in [
        &["--wait", "1s", "--no-wait", "drain", "web1"][..],
        &["drain", "web1", "--wait", "1s", "--no-wait"],
        &["--wait", "1s", "drain", "web1", "--no-wait"],
        &["--no-wait", "drain", "web1", "--wait", "1s"],
    ] {
        assert_eq!(both(words), Some(ErrorKind::ArgumentConflict), "{words:?}");
    }
    assert_eq!(both(&["drain", "web1", "--no-wait"]), None);
}

#[test]
fn a_pool_may_stand_before_a_name() {
    let Command::Client(ClientCommand::Drain(LeaveArgs { server: short, .. })) = read(&["drain", "web1"])
    else {
        panic!()
    };
    assert_eq!((short.pool(), short.name()), (None, "web1"));
    let Command::Client(ClientCommand::Drain(LeaveArgs { server: long, .. })) =
        read(&["drain", "web", "web1"])
    else {
        panic!()
    };
    assert_eq!((long.pool(), long.name()), (Some("web"), "web1"));
    assert!(Cli::try_parse_from(["cordee", "drain"]).is_err());
    assert!(Cli::try_parse_from(["cordee", "drain", "a", "b", "c"]).is_err());
}

#[test]
fn a_loss_is_accepted_only_in_so_many_words() {
    let Command::Client(ClientCommand::Promote { server, accept_loss }) = read(&["promote", "db2"]) else {
        panic!()
    };
    assert_eq!((server.name(), accept_loss), ("db2", false));
    let long = read(&["promote", "db", "db2", "--accept-loss"]);
    let Command::Client(ClientCommand::Promote { server, accept_loss }) = long else { panic!() };
    assert_eq!((server.pool(), accept_loss), (Some("db"), true));
    assert!(Cli::try_parse_from(["cordee", "routing", "db"]).is_err());
}

#[test]
fn one_waits_a_minute_or_as_long_as_said() {
    let waits = |words: &[&str]| {
        let cli = Cli::try_parse_from(std::iter::once(&"cordee").chain(words));
        cli.map(|c| c.patience().as_millis()).ok()
    };
    assert_eq!(waits(&["drain", "web1"]), Some(60_000));
    assert_eq!(waits(&["drain", "web1", "--wait", "90"]), Some(90_000));
    assert_eq!(waits(&["--wait", "5m", "drain", "web1"]), Some(300_000));
    assert_eq!(waits(&["drain", "web1", "--no-wait"]), Some(0));
    assert_eq!(waits(&["drain", "web1", "--no-wait", "--wait", "5s"]), None);
    assert_eq!(waits(&["drain", "web1", "--wait", "soon"]), None);
}

#[test]
fn a_bad_value_is_left_to_the_api() {
    let Command::Client(ClientCommand::Add(add)) = read(&["add", "web", "a;b", "--port", "70000"]) else {
        panic!()
    };
    assert_eq!((add.name.as_str(), add.port.as_deref()), ("a;b", Some("70000")));
}
