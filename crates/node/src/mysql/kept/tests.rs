use std::io;

use mysql_async::{DriverError, IoError, ServerError};

use super::*;

const YOUNG: Duration = Duration::from_millis(300);
const HERE: Way = Way::Socket(Some((1, 2, 3, 4)));

fn said(code: u16) -> Error {
    Error::Server(ServerError { code, message: String::new(), state: String::new() })
}

#[test]
fn a_kept_connection_serves_until_a_login_is_due() {
    for question in [Question::Look, Question::Ask] {
        assert!(serves(question, YOUNG, HERE, HERE));
        assert!(!serves(question, OLDEST, HERE, HERE), "a login is due");
    }
}

#[test]
fn a_socket_that_is_gone_or_another_one_ends_what_was_kept_through_it() {
    for now in [None, Some((1, 9, 3, 4)), Some((1, 2, 3, 5)), Some((9, 2, 3, 4))] {
        assert!(!serves(Question::Ask, YOUNG, HERE, Way::Socket(now)), "{now:?}");
    }
    assert!(
        !serves(Question::Ask, YOUNG, Way::Socket(None), Way::Socket(None)),
        "it was not seen when it was made"
    );
    assert!(!serves(Question::Ask, YOUNG, HERE, Way::Address));
}

#[test]
fn over_an_address_each_full_look_signs_in() {
    assert!(!serves(Question::Look, Duration::ZERO, Way::Address, Way::Address));
    assert!(serves(Question::Ask, YOUNG, Way::Address, Way::Address));
}

#[test]
fn what_was_ended_is_asked_again_and_what_was_refused_is_not() {
    let gone = || Error::Io(IoError::Io(io::Error::from(io::ErrorKind::UnexpectedEof)));
    for error in [gone(), Error::Driver(DriverError::ConnectionClosed), said(1927), said(1053)] {
        assert!(ended(&error), "{error:?}");
    }
    for error in
        [said(1040), said(1045), said(1317), said(1969), Error::Other("an answer without end".into())]
    {
        assert!(!ended(&error), "{error:?}");
    }
}

#[test]
fn a_socket_made_anew_has_another_place() {
    let folder = std::env::temp_dir().join(format!("cordee-kept-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("s");
    let _ = std::fs::remove_file(&path);
    assert_eq!(place(&path), None);
    let first = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let before = place(&path);
    assert!(before.is_some() && before == place(&path));
    std::fs::remove_file(&path).unwrap();
    // The kernel's file timestamps have the resolution of a tick.
    std::thread::sleep(Duration::from_millis(20));
    let second = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert_ne!(place(&path), before);
    drop((first, second));
    std::fs::remove_dir_all(&folder).unwrap();
}
