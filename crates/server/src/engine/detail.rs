//! One database in detail, for whoever looks at its page.

use cordee_domain::db::DatabaseSeen;
use cordee_domain::db::detail::{Answers, Detail};
use cordee_domain::ids::ServerName;
use cordee_domain::text::Text;
use tokio::sync::oneshot;

use crate::clock::now;
use crate::hands::detail;
use crate::hands::mysql::Database;

use super::Engine;

impl Engine {
    /// Asks the database and the others, away from the engine's own work.
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
        let comparisons = self.observed.comparisons.clone();
        let file = self.parts.home.server(name).join("my.cnf");
        self.work.spawn(async move {
            let before = own.look().await;
            let others =
                peers.iter().map(|(name, database)| async move { (name.clone(), database.look().await) });
            let (peers, answers) = match &before {
                Ok(_) => tokio::join!(futures_util::future::join_all(others), detail::read(&own)),
                // One that does not answer is not asked any further.
                Err(why) => (futures_util::future::join_all(others).await, Err(why.clone())),
            };
            let starts_closed = tokio::fs::read_to_string(&file).await.ok().map(|text| closed_by(&text));
            let own = complete(before, answers, own.look().await);
            let peers = peers.into_iter().collect();
            let detail = Detail { at: now(), own, peers, comparisons, starts_closed };
            // A reader who has gone needs nothing.
            let _ = reply.send(Box::new(detail));
        });
    }
}

/// The answers between two looks; the first trouble is the one that is said.
fn complete(
    before: Result<DatabaseSeen, Text>,
    answers: Result<Answers, Text>,
    after: Result<DatabaseSeen, Text>,
) -> Result<Answers, Text> {
    let before = before?;
    let answers = answers?;
    Ok(Answers { before, after: after?, ..answers })
}

/// Whether a database with that file starts closed. The last line counts.
fn closed_by(file: &str) -> bool {
    let mut values = file.lines().filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim().replace('-', "_") == "read_only").then(|| value.trim().to_ascii_uppercase())
    });
    values.next_back().is_some_and(|value| matches!(value.as_str(), "1" | "ON" | "TRUE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_the_file_says_whether_it_starts_closed() {
        assert!(closed_by("[mariadbd]\nread_only=1\n"));
        assert!(closed_by("read-only = ON\n"));
        assert!(!closed_by("read_only=1\nread_only=0\n"));
        assert!(!closed_by("#read_only=1\n"));
        assert!(!closed_by(""));
    }
}
