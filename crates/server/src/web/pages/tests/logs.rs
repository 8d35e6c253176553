//! The page of a server's logs.

use tokio::sync::mpsc;

use super::{Site, site};
use crate::board::{Ask, LogFile};

/// A site whose engine returns this log: with the checks when they are asked for.
async fn showing(name: &'static str, lines: &'static [&'static str], hidden: usize) -> Site {
    let mut site = site().await;
    let mut asks = std::mem::replace(&mut site.asks, mpsc::channel(1).1);
    tokio::spawn(async move {
        while let Some(ask) = asks.recv().await {
            if let Ask::Logs { reply, checks, .. } = ask {
                let lines = lines.iter().map(|l| (*l).to_owned()).collect();
                let hidden = if checks { 0 } else { hidden };
                drop(reply.send(vec![LogFile { name: name.to_owned(), lines, hidden, unread: None }]));
            }
        }
    });
    site
}

#[tokio::test]
async fn the_newest_entry_of_a_log_is_on_top_and_stays_in_one_piece() {
    let lines = &["[1] PHP Fatal error: first", "Stack trace:", "#0 {main}", "[2] PHP Warning: second"];
    let site = showing("php.log", lines, 0).await;
    let page = site.get("/pools/web/servers/web1/logs").await;
    let at = |line: &str| page.find(line).unwrap_or_else(|| panic!("{line}: {page}"));
    let order = [lines[3], lines[0], lines[1], lines[2]].map(at);
    assert!(order.is_sorted(), "{order:?}");
    assert!(!page.contains("name=\"checks\""), "there are no checks in it");
}

#[tokio::test]
async fn checks_are_hidden_and_counted_until_they_are_asked_for() {
    let site = showing("access.log", &["2026 GET /a", "2026 GET /b"], 24).await;
    let page = site.get("/pools/web/servers/web1/logs?status=404&path=%22%3E%3Cb%3E").await;
    assert!(
        page.contains("name=\"checks\" value=\"shown\" data-hidden>Show 24 health checks</button>"),
        "{page}"
    );
    assert!(page.contains("<input type=\"hidden\" name=\"status\" value=\"404\">"), "the filter is kept");
    assert!(!page.contains("\"><b>"), "what was typed is text");
    let all = site.get("/pools/web/servers/web1/logs?checks=shown").await;
    assert!(all.contains("Hide the health checks") && !all.contains("data-hidden"), "{all}");
    let odd = site.get("/pools/web/servers/web1/logs?checks=1").await;
    assert!(odd.contains("Show 24 health checks"));
}

#[tokio::test]
async fn a_log_without_checks_has_no_switch_in_sight() {
    let site = showing("access.log", &["2026 GET /a"], 0).await;
    let page = site.get("/pools/web/servers/web1/logs").await;
    assert!(page.contains(" hidden data-checks>"), "it is there for the script, and hidden: {page}");
}
