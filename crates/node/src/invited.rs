//! Questions to a database that existed already, from resolving its name on. They only read.

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

/// How long saying good-bye to it may take.
const GOOD_BYE: Duration = Duration::from_millis(200);

fn about(field: &str, text: impl Into<Text>) -> Problem {
    Problem::conflict(field, text.into())
}

/// Resolves the name, connects, signs in and reads what the database reports about itself. The first problem ends
/// it.
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
    // Before it disconnects, the driver reads what is left of an answer; it does the same when a connection is
    // dropped. A server that floods us could prolong that forever. With the time limit, the connection is closed as
    // it is.
    let _ = timeout(GOOD_BYE, conn.disconnect()).await;
    Ok((address.ip(), found.map_err(|e| about("address", refusal(&e)))?))
}

/// Signs in. Tells whether the problem is the account or its password, or what listens there.
async fn signed_in(address: SocketAddr, login: &Login) -> Result<Conn, Problem> {
    sign_in(address, login).await.map_err(|error| match &error {
        mysql_async::Error::Server(server) if matches!(server.code, 1045 | 1698) => {
            about("password", text!("problem-newcomer-password", code = server.code))
        }
        _ => about("address", refusal(&error)),
    })
}
