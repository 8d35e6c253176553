//! Before a database that exists already joins: it is asked everything that would stop it on the way, within seconds,
//! and nothing is written, neither there nor here.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use cordee_domain::db::freight::Freight;
use cordee_domain::db::newcomer::{Newcomer, Terms, judge};
use cordee_domain::db::verify::OddTables;
use cordee_domain::desired;
use cordee_domain::ids::Host;
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_node::data;
use cordee_node::vault::Login;
use cordee_node::{dump, newcomer};
use mysql_async::Conn;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::board::{Guest, JoinPlan};

use super::Engine;
use super::join::Ground;
use super::test::{connect, greeting, refusal, resolve};

/// Everything together: a refusal comes within five seconds.
const DEADLINE: Duration = Duration::from_millis(4_500);

/// For leaving it.
const GOOD_BYE: Duration = Duration::from_millis(200);

/// What the donor says.
struct Donor {
    ground: Ground,
    version: String,
}

impl Engine {
    /// Says how a database that exists already would get its data, or every reason why it would not.
    pub(super) fn invite(&mut self, guest: Guest, reply: oneshot::Sender<Result<JoinPlan, Vec<Problem>>>) {
        let donor = self.ground().map(|ground| {
            let seen = self.observed.databases.get(ground.donor()).and_then(|d| d.value());
            Donor { version: seen.map(|d| d.version.clone()).unwrap_or_default(), ground }
        });
        self.work.spawn(async move {
            let late = || vec![about("address", text!("test-fail-timeout", seconds = DEADLINE.as_secs()))];
            let found = match donor {
                Ok(donor) => timeout(DEADLINE, examine(&guest, donor)).await.unwrap_or_else(|_| Err(late())),
                Err(problem) => Err(vec![problem]),
            };
            let _ = reply.send(found);
        });
    }
}

fn about(field: &str, text: impl Into<Text>) -> Problem {
    Problem::conflict(field, text.into())
}

/// Both sides.
async fn examine(guest: &Guest, donor: Donor) -> Result<JoinPlan, Vec<Problem>> {
    let mut problems = Vec::new();
    if !dump::here() {
        problems.push(about("", text!("problem-newcomer-program")));
    }
    let Donor { ground, version } = donor;
    let database = &ground.database;
    let (found, names, tables, load, plan) = tokio::join!(
        ask(guest),
        database.name_case(),
        database.odd_tables(),
        database.load(ground.copies_writer()),
        ground.measured()
    );
    let mut plan = plan.map_err(|problem| vec![problem])?;
    match tables {
        // It carries the rows of those in memory.
        Ok(tables) => plan.tables = OddTables { memory: Vec::new(), ..tables },
        Err(why) => problems.push(about("", why)),
    }
    match load {
        Ok(load) => {
            let packet = found.as_ref().ok().and_then(|(_, newcomer)| newcomer.packet);
            plan.freight = Freight::of(load, packet);
            problems.extend(plan.freight.problems(plan.donor.as_str()));
        }
        Err(why) => problems.push(about("", why)),
    }
    match (found, names) {
        (Err(problem), _) => problems.insert(0, problem),
        (_, Err(why)) => problems.push(about("", why)),
        (Ok((at, found)), Ok(names)) => {
            plan.at = Some(at);
            let room = data::room_for(plan.bytes);
            let terms = Terms { id: plan.id, donor: version, names, room };
            let mut own = judge(&found, &terms);
            own.append(&mut problems);
            problems = own;
        }
    }
    if problems.is_empty() { Ok(plan) } else { Err(problems) }
}

/// From its name to what it says of itself; the first trouble ends it.
async fn ask(guest: &Guest) -> Result<(IpAddr, Newcomer), Problem> {
    let at = |field: &'static str| move |text: Text| about(field, text);
    let (address, _) = resolve(&guest.host, guest.port).await.map_err(at("address"))?;
    if !desired::here(&Host::Ip(address.ip())) {
        return Err(about("address", text!("problem-db-elsewhere")));
    }
    let (stream, _) = connect(address).await.map_err(at("port"))?;
    greeting(stream).await.map_err(at("port"))?;
    let mut conn = sign_in(address, &guest.login).await?;
    let found = newcomer::read(&mut conn).await;
    // The driver reads what is left of an answer before it says good-bye, and does so by itself when a connection is
    // dropped: of one that floods us that would have no end. Given up in the middle, it is closed as it is.
    let _ = timeout(GOOD_BYE, conn.disconnect()).await;
    Ok((address.ip(), found.map_err(|e| about("address", refusal(&e)))?))
}

/// The account or its password is at fault, or what listens there.
async fn sign_in(address: SocketAddr, login: &Login) -> Result<Conn, Problem> {
    newcomer::sign_in(address, login).await.map_err(|error| match &error {
        mysql_async::Error::Server(server) if matches!(server.code, 1045 | 1698) => {
            about("password", text!("problem-newcomer-password", code = server.code))
        }
        _ => about("address", refusal(&error)),
    })
}
