//! Many servers on one page: the page stays small, and plain links and forms reach every row.

use cordee_domain::snapshot::Snapshot;
use cordee_domain::state::{Severity, State, Status};
use cordee_domain::text;

use super::{Site, site_of, status};
use crate::web::view::fixture::{self, snapshot, web};

fn many(count: usize) -> Snapshot {
    let mut all = snapshot();
    all.servers.retain(|server| !server.name.as_str().starts_with("web"));
    all.servers.extend((1..=count).map(|n| web(&format!("web{n}"))));
    for server in all.servers.iter_mut().filter(|server| ["web7", "web29"].contains(&server.name.as_str())) {
        server.status = Status::new(Severity::Critical, State::Down, text!("reason-refused"));
    }
    all
}

async fn site(count: usize) -> Site {
    let site = site_of(fixture::snapshot()).await;
    site.app.board.set_snapshot(many(count));
    site
}

/// The names in the table of web servers, in order.
fn rows(page: &str) -> Vec<String> {
    let table = page.split("id=\"rows-web\"").nth(1).and_then(|rest| rest.split("</tbody>").next());
    let rows = table.unwrap_or_default().split("<tr role=\"row\" id=\"s-").skip(1);
    rows.map(|row| row.split('"').next().unwrap_or_default().to_owned()).collect()
}

/// Counts the elements of the page as a browser builds them: the content of a template is not part of it.
fn elements(page: &str) -> usize {
    let open = |part: &str| {
        part.match_indices('<')
            .filter(|(at, _)| part[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic()))
            .count()
    };
    page.split("<template")
        .enumerate()
        .map(|(n, part)| {
            let outside =
                if n == 0 { part } else { part.split_once("</template>").map_or("", |(_, rest)| rest) };
            open(outside)
        })
        .sum()
}

#[tokio::test]
async fn a_page_with_a_thousand_servers_is_a_small_one() {
    let page = site(1_000).await.get("/").await;
    let (elements, bytes) = (elements(&page), page.len());
    assert_eq!(rows(&page).len(), 12);
    assert!(elements < 2_500, "{elements} elements");
    assert!(bytes < 200_000, "{bytes} bytes before they are packed");
    assert!(page.contains("1000 web servers") && page.contains("998 up · 2 need attention"), "one bead");
    assert!(!page.contains("href=\"#s-web1\""), "no bead of its own");
}

#[tokio::test]
async fn few_servers_have_their_beads_and_no_search() {
    let page = site(6).await.get("/").await;
    assert!(page.contains("href=\"#s-web6\"") && !page.contains("data-crowd data-light data-st=\"good\""));
    assert!(page.contains("data-sift=\"web\" hidden"), "what is seen at a glance is not looked for");
    let page = site(7).await.get("/").await;
    assert!(page.contains("7 web servers") && !page.contains("data-sift=\"web\" hidden"));
}

#[tokio::test]
async fn links_and_forms_reach_every_row() {
    let site = site(30).await;
    let mut seen = Vec::new();
    for part in 1..=3 {
        seen.extend(rows(&site.get(&format!("/?web-page={part}")).await));
    }
    assert_eq!(seen, (1..=30).map(|n| format!("web{n}")).collect::<Vec<_>>());
    let page = site.get("/?web-sort=status&db-q=db2").await;
    assert_eq!(rows(&page)[..3], ["web7", "web29", "web1"]);
    for link in ["/?web-sort=status&amp;web-page=2&amp;db-q=db2#web", "/?web-sort=-status&amp;db-q=db2#web"] {
        assert!(page.contains(link) || page.contains(&link.replace("&amp;", "&#38;")), "{link}");
    }
    assert!(page.contains("aria-sort=\"ascending\"") && page.contains("name=\"db-q\" value=\"db2\""));
    let page = site.get("/?web-q=web2&web-sort=-name").await;
    assert_eq!(rows(&page)[..2], ["web29", "web28"]);
    let page = site.get("/?web-q=nobody").await;
    assert!(rows(&page).is_empty() && page.contains("No server matches."));
}

#[tokio::test]
async fn whatever_an_address_asks_for_a_page_answers() {
    let site = site(30).await;
    for odd in
        ["web-page=99999999999999999999", "web-page=-1", "web-sort=--name", "web-q=%00%22%27", "db-page=7"]
    {
        assert_eq!(status(&site.get(&format!("/?{odd}")).await), "200", "{odd}");
    }
    let page = site.get("/?web-q=%3Cscript%3Ealert(1)%3C%2Fscript%3E&web-sort=name").await;
    assert!(page.contains("&#60;script&#62;") && !page.contains("<script>alert"));
    assert!(page.contains("web-q=%3Cscript%3Ealert%281%29%3C%2Fscript%3E"), "in links it is written safely");
    let long = "a".repeat(5_000);
    assert!(site.get(&format!("/?web-q={long}")).await.len() < 200_000);
}

#[tokio::test]
async fn the_page_names_its_one_clock() {
    let page = site(2).await.get("/").await;
    let zone = crate::web::view::zone_name();
    assert!(
        page.contains(&format!("All times: {zone}, 24 h")) && page.contains(&format!("data-zone=\"{zone}\""))
    );
}
