//! The list of recent requests: the last requests, and what is new about visitors. The page and the log receiver
//! meet here, as the page and the engine meet at the [board](crate::board).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use cordee_api::visitors::Request;
use cordee_domain::haproxy::log::Record;
use cordee_domain::ids::ServerName;
use cordee_domain::visitors::{Network, StatusFilter};
use cordee_node::over;
use tokio::sync::watch;

/// How many requests are kept for display: some 2 MiB at most.
const KEPT: usize = 4_000;

/// Which requests are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Answered with a status of this kind.
    pub status: Option<StatusFilter>,
    /// With this text in the path.
    pub path: String,
    /// From an address that contains this text.
    pub address: String,
    /// With an id greater than this.
    pub after: u64,
}

#[derive(Debug)]
struct Kept {
    id: u64,
    address: Network,
    record: Box<Record>,
}

#[derive(Debug, Default)]
struct Recent {
    last: u64,
    requests: VecDeque<Kept>,
}

/// The list itself. Shared by `Arc`.
#[derive(Debug)]
pub struct RecentRequests {
    recent: Mutex<Recent>,
    /// The news as JSON; empty until there are some.
    news: watch::Sender<Arc<str>>,
    /// There is no socket on which HAProxy's log could be received.
    deaf: bool,
}

impl RecentRequests {
    /// Creates an empty list; `deaf` when there is no socket on which HAProxy's log could be received.
    pub fn new(deaf: bool) -> Arc<Self> {
        let news = watch::Sender::new(Arc::from(""));
        Arc::new(Self { recent: Mutex::default(), news, deaf })
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        over::hold(&self.recent)
    }

    /// Reports whether HAProxy's log cannot be received at all.
    pub fn is_deaf(&self) -> bool {
        self.deaf
    }

    /// Notes a request (only the log receiver does).
    pub fn note(&self, address: Network, record: Box<Record>) {
        let mut recent = self.recent();
        recent.last += 1;
        if recent.requests.len() >= KEPT {
            recent.requests.pop_front();
        }
        let id = recent.last;
        recent.requests.push_back(Kept { id, address, record });
    }

    /// Returns the id of the newest request.
    pub fn last(&self) -> u64 {
        self.recent().last
    }

    /// Returns the last requests that a server answered, oldest first, at most `limit`.
    pub fn requests(&self, server: &ServerName, wanted: &Wanted, limit: usize) -> Vec<Request> {
        self.requests_until(self.last(), server, wanted, limit)
    }

    /// Returns the same, up to the request `last`: a reader that continues from there gets each request once.
    pub fn requests_until(
        &self,
        last: u64,
        server: &ServerName,
        wanted: &Wanted,
        limit: usize,
    ) -> Vec<Request> {
        let recent = self.recent();
        let known = recent.requests.iter().rev().skip_while(|k| k.id > last);
        let newest = known.take_while(|k| k.id > wanted.after);
        let mut found: Vec<Request> = newest
            .filter(|k| k.record.server.as_ref() == Some(server))
            .map(shown)
            .filter(|r| wanted.fits(r))
            .take(limit)
            .collect();
        found.reverse();
        found
    }

    /// Follows the news: JSON, made once for all readers.
    pub fn watch(&self) -> watch::Receiver<Arc<str>> {
        self.news.subscribe()
    }

    /// Publishes the news (only the log receiver does).
    pub fn tell(&self, news: String) {
        self.news.send_replace(Arc::from(news));
    }
}

fn shown(kept: &Kept) -> Request {
    let Record { at, status, took_ms, bytes, asked, .. } = kept.record.as_ref();
    Request {
        id: kept.id,
        at: *at,
        address: kept.address.to_string(),
        status: *status,
        method: asked.method.clone(),
        path: asked.path.clone(),
        took_ms: *took_ms,
        bytes: *bytes,
        agent: asked.agent.clone(),
    }
}

impl Wanted {
    fn fits(&self, request: &Request) -> bool {
        self.status.is_none_or(|wanted| wanted.fits(request.status))
            && request.path.contains(&self.path)
            && request.address.contains(&self.address)
    }
}

#[cfg(test)]
mod tests {
    use cordee_domain::haproxy::log::{Line, parse};
    use cordee_domain::visitors::kept;

    use super::*;

    fn note(book: &RecentRequests, n: usize, server: &str, status: u16) {
        let line =
            format!("cordee3 key 7 {n} 10.0.0.{} {status} {server} 3 76 474554 2F61 - - - - -", n % 250);
        if let Line::Request(record) = parse(line.as_bytes(), "key") {
            book.note(kept(record.address, false), record);
        }
    }

    #[test]
    fn the_last_requests_of_a_server_are_found() {
        let book = RecentRequests::new(false);
        for n in 0..KEPT + 100 {
            note(&book, n, if n % 2 == 0 { "web1" } else { "web2" }, if n % 10 == 0 { 404 } else { 200 });
        }
        let web1 = ServerName::parse("web1").unwrap();
        assert_eq!(book.recent().requests.len(), KEPT);
        let found = book.requests(&web1, &Wanted::default(), 3);
        let ids: Vec<u64> = found.iter().map(|r| r.id).collect();
        assert_eq!(ids, [4_095, 4_097, 4_099]);
        let wanted =
            Wanted { status: StatusFilter::parse("4xx").unwrap(), after: 4_000, ..Wanted::default() };
        assert!(book.requests(&web1, &wanted, 100).iter().all(|r| r.status == Some(404) && r.id > 4_000));
        assert_eq!(book.requests(&web1, &wanted, 100).len(), 10);
        let before = book.requests_until(4_097, &web1, &Wanted { after: 4_095, ..Wanted::default() }, 100);
        assert_eq!(before.iter().map(|r| r.id).collect::<Vec<_>>(), [4_097], "what came since is for later");
        let nowhere = Wanted { path: "/b".to_owned(), ..Wanted::default() };
        assert!(book.requests(&web1, &nowhere, 100).is_empty());
    }
}
