//! One database in detail, for the page that shows it.

use std::collections::BTreeMap;

use cordee_domain::db::DatabaseSeen;
use cordee_domain::db::conflict::{self, Shown};
use cordee_domain::db::detail::{Answers, Detail, Threads};
use cordee_domain::fault::Fault;
use cordee_domain::ids::ServerName;
use cordee_domain::text;
use cordee_node::clock::now;
use cordee_node::mysql::Database;
use cordee_node::paths::Home;
use cordee_node::users::User;
use cordee_node::verify::{self, Node};
use cordee_node::{binlog, data, detail};
use tokio::sync::oneshot;

use super::Engine;

impl Engine {
    /// Queries the database and its peers in a task of its own, so that the engine does not wait.
    pub(super) fn detail(&mut self, name: &ServerName, reply: oneshot::Sender<Box<Detail>>) {
        let desired = self.parts.board.desired();
        let own = self.database(name);
        let peers: Vec<(ServerName, Database)> = desired
            .db
            .servers
            .iter()
            .filter(|s| s.name != *name)
            .map(|s| (s.name.clone(), self.database(&s.name)))
            .collect();
        let this = Node { name: name.clone(), database: own.clone() };
        let node = |(name, database): &(ServerName, Database)| Node {
            name: name.clone(),
            database: database.clone(),
        };
        let others_by_name: Vec<Node> = peers.iter().map(node).collect();
        let (home, user) = (self.parts.machine.home.clone(), self.parts.machine.users.mariadb);
        let comparisons = self.observed.comparisons.clone();
        let folder = self.parts.machine.home.server(name);
        self.work.spawn(async move {
            let before = own.look().await;
            let others =
                peers.iter().map(|(name, database)| async move { (name.clone(), database.look().await) });
            let (peers, answers) = match &before {
                Ok(_) => tokio::join!(futures_util::future::join_all(others), detail::read(&own)),
                // A database that does not answer the first look is not queried further.
                Err(why) => (futures_util::future::join_all(others).await, Err(why.clone())),
            };
            let starts_closed = data::starts_closed(&folder).await;
            let conflicts = match &answers {
                Ok(answers) => conflicts((&home, user), &this, &others_by_name, answers).await,
                Err(_) => BTreeMap::new(),
            };
            let own = complete(before, answers, own.look().await);
            let peers = peers.into_iter().collect();
            let detail = Detail { at: now(), own, peers, comparisons, conflicts, starts_closed };
            // The reader may be gone; that is no error.
            let _ = reply.send(Box::new(detail));
        });
    }
}

/// Returns the rows at which the channels of `this` stopped, as they are on both sides.
async fn conflicts(
    home: (&Home, Option<User>),
    this: &Node,
    others: &[Node],
    answers: &Answers,
) -> BTreeMap<ServerName, Shown> {
    let mut all = BTreeMap::new();
    for (from, channel) in &answers.threads {
        let Some(peer) = others.iter().find(|n| n.name == *from) else { continue };
        if matches!(channel.apply_error, conflict::DUPLICATE | conflict::NOT_FOUND) {
            all.insert(from.clone(), one_conflict(home, this, peer, channel).await);
        }
    }
    all
}

async fn one_conflict(
    (home, user): (&Home, Option<User>),
    this: &Node,
    peer: &Node,
    channel: &Threads,
) -> Shown {
    let found = conflict::parse(&channel.apply_words);
    let table = found.as_ref().map(|c| c.table.clone()).or_else(|| conflict::table(&channel.apply_words));
    let versions = match &found {
        Some(conflict) => verify::versions(peer, this, conflict).await,
        None => Err(text!("conflict-no-row")),
    };
    let columns = match &table {
        Some(table) => verify::columns(this, table).await.ok().flatten().unwrap_or_default(),
        None => Vec::new(),
    };
    let statement = match conflict::place(&channel.apply_words) {
        Some((file, end)) if file == channel.at.0 => {
            let log = home.server(&peer.name).join("binlog").join(file);
            let read = tokio::task::spawn_blocking({
                let start = channel.at.1;
                move || binlog::between(&log, start, end, user)
            });
            let text = read.await.ok().and_then(Result::ok).unwrap_or_default();
            conflict::event(&text, &columns, LINES)
        }
        _ => String::new(),
    };
    let at =
        table.map(|table| (table, found.map_or_else(String::new, |c| format!("{} = {}", c.key, c.entry))));
    Shown { at, versions, statement }
}

/// How many lines of a statement are shown.
const LINES: usize = 60;

/// Puts the answers together with the looks before and after them; the first error wins.
fn complete(
    before: Result<DatabaseSeen, Fault>,
    answers: Result<Answers, Fault>,
    after: Result<DatabaseSeen, Fault>,
) -> Result<Answers, Fault> {
    let before = before?;
    let answers = answers?;
    Ok(Answers { before, after: after?, ..answers })
}
