//! One question at the site's own addresses, as a visitor and as an application would ask it, over a connection of
//! its own.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use cordee_domain::door::Answer;
use cordee_domain::fault::Fault;
use cordee_domain::haproxy::config::NO_SERVER;
use hyper::http::HeaderValue;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use rustix::io::Errno;
use tokio::time::timeout;

use super::mysql::{WAIT, account, at};
use super::trouble;
use super::visitor::{VisitError, Visitor};

/// Asks for the first page. `Err` means that the question could not be asked, because Cordée itself lacks a
/// resource.
pub async fn as_visitor(to: SocketAddr, agent: HeaderValue, patience: Duration) -> Result<Answer, Fault> {
    match Visitor::new(to, "").called(agent, patience).get("/").await {
        Ok(answer) => Ok(match answer.status {
            200..=399 => Answer::Page,
            503 if answer.body.starts_with(NO_SERVER.as_bytes()) => Answer::Nobody,
            status => Answer::Error(status),
        }),
        Err(VisitError::Connect(error)) => refused(&error),
        Err(VisitError::Late) => Ok(Answer::Silent),
        Err(VisitError::Http(_) | VisitError::Request(_) | VisitError::Body) => Ok(Answer::Broken),
    }
}

/// Asks at an address as an application would: over a connection of its own, with the application's account. `Err`
/// means that the question could not be asked, because Cordée itself lacks a resource.
pub async fn as_application(to: SocketAddr, password: &str, patience: Duration) -> Result<Answer, Fault> {
    let options = at(to).wait_timeout(Some(WAIT)).user(Some(account::APP)).pass(Some(password));
    let talk = async {
        let mut conn = Conn::new(options).await?;
        let row: Option<(u8, u32, bool)> = conn.query_first("SELECT 1, @@server_id, @@read_only").await?;
        // A connection that is dropped without a good-bye leaves a line in the database's log.
        let _ = conn.disconnect().await;
        Ok(row)
    };
    match timeout(patience, talk).await {
        Err(_) => Ok(Answer::Silent),
        Ok(Ok(Some((1, server_id, read_only)))) => Ok(Answer::Landed { server_id, read_only }),
        Ok(Ok(_)) => Ok(Answer::Broken),
        Ok(Err(error)) => no_answer(&error),
    }
}

/// Error numbers of a database whose connections are used up: all of them, those of one account, those of one
/// account in an hour.
const FULL: [u16; 3] = [1040, 1203, 1226];

fn no_answer(error: &mysql_async::Error) -> Result<Answer, Fault> {
    match error {
        mysql_async::Error::Server(error) if FULL.contains(&error.code) => Ok(Answer::Full),
        mysql_async::Error::Server(error) => Ok(Answer::Denied(error.code)),
        mysql_async::Error::Io(mysql_async::IoError::Io(error)) => match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                Ok(Answer::Broken)
            }
            _ => refused(error),
        },
        _ => Ok(Answer::Broken),
    }
}

/// Interprets a connection that failed. If Cordée itself lacks descriptors, memory or ports, nothing is known about
/// the site.
pub fn refused(error: &io::Error) -> Result<Answer, Fault> {
    let own = match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::ADDRNOTAVAIL) => Some(Fault::NoPort),
        Some(Errno::NOBUFS) => trouble::own(&Errno::NOMEM.into()),
        _ => trouble::own(error),
    };
    own.map_or(Ok(Answer::Refused), |why| Err(Fault::Unasked(Box::new(why))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cordee_lacks_itself_says_nothing_about_the_site() {
        for own in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::ADDRNOTAVAIL] {
            assert!(refused(&own.into()).is_err(), "{own:?}");
        }
        for site in [Errno::CONNREFUSED, Errno::CONNRESET, Errno::HOSTUNREACH] {
            assert_eq!(refused(&site.into()), Ok(Answer::Refused), "{site:?}");
        }
    }
}
