//! A database that exists already is asked who it is, from its name on: by reading only.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use cordee_domain::db::newcomer::Newcomer;
use cordee_domain::desired;
use cordee_domain::ids::Host;
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_domain::text::Text;
use mysql_async::Conn;
use tokio::time::timeout;

use crate::attempt::{connect, greeting, refusal, resolve};
use crate::newcomer::{read, sign_in};
use crate::vault::Login;

/// For leaving it.
const GOOD_BYE: Duration = Duration::from_millis(200);

fn about(field: &str, text: impl Into<Text>) -> Problem {
    Problem::conflict(field, text.into())
}

/// From its name to what it says of itself; the first trouble ends it.
pub async fn ask(host: &Host, port: u16, login: &Login) -> Result<(IpAddr, Newcomer), Problem> {
    let at = |field: &'static str| move |text: Text| about(field, text);
    let (address, _) = resolve(host, port).await.map_err(at("address"))?;
    if !desired::here(&Host::Ip(address.ip())) {
        return Err(about("address", text!("problem-db-elsewhere")));
    }
    let (stream, _) = connect(address).await.map_err(at("port"))?;
    greeting(stream).await.map_err(at("port"))?;
    let mut conn = signed_in(address, login).await?;
    let found = read(&mut conn).await;
    // The driver reads what is left of an answer before it says good-bye, and does so by itself when a connection is
    // dropped: of one that floods us that would have no end. Given up in the middle, it is closed as it is.
    let _ = timeout(GOOD_BYE, conn.disconnect()).await;
    Ok((address.ip(), found.map_err(|e| about("address", refusal(&e)))?))
}

/// The account or its password is at fault, or what listens there.
async fn signed_in(address: SocketAddr, login: &Login) -> Result<Conn, Problem> {
    sign_in(address, login).await.map_err(|error| match &error {
        mysql_async::Error::Server(server) if matches!(server.code, 1045 | 1698) => {
            about("password", text!("problem-newcomer-password", code = server.code))
        }
        _ => about("address", refusal(&error)),
    })
}
