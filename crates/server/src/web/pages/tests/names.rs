//! Names in the journal, in causes and in the verdict are links to their pages; what somebody typed is text.

use cordee_domain::causes::{About, Cause, Remedy};
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::state::{Remark, Severity, State};
use cordee_domain::text;
use cordee_domain::text::{Arg, Text, Thing};

use super::{Site, follow, read_until, site};
use crate::web::view::fixture;

fn name(text: &str) -> ServerName {
    ServerName::parse(text).expect("a name")
}

impl Site {
    fn note(&self, subject: &str, text: &Text) {
        self.app.store.note("ana", subject, None, text).expect("a line");
    }
}

const WEB1: &str = r#"<a data-server="web1" href="/pools/web/servers/web1">web1</a>"#;
const DB2: &str = r#"<a data-server="db2" href="/pools/db/servers/db2">db2</a>"#;

#[tokio::test]
async fn what_a_line_names_leads_to_its_page_while_it_is_there() {
    let site = site().await;
    let behind = text!("reason-link-broken", from = &name("db2"));
    let turn = text!("event-turn-reason", name = &name("db1"), word = "Behind", reason = behind);
    site.note("db1", &turn);
    site.note("gone", &text!("event-removed", name = &name("gone")));
    site.note("haproxy-db", &text!("event-reload", proxy = Thing::Proxy(PoolId::Db)));
    let run =
        |thing| text!("name-alone", name = Arg::Called { thing, says: Box::new(text!("event-trial-begun")) });
    let kept = site.app.store.begin_trial("ana").expect("a run").id;
    site.note("sessions", &run(Thing::Comparison(kept)));
    site.note("drill", &run(Thing::Drill(7)));
    for page in ["/journal", "/"] {
        let page = site.get(page).await.replace("<span data-e=\"text\">", "<span>");
        for piece in [
            &format!("(no longer receives what {DB2} writes)"),
            r#"<a data-server="gone">gone</a> removed"#,
            r#"Reload of <a href="/config/db">HAProxy db</a> requested"#,
            &format!(r#"<a href="/sessions/compare/{kept}">Comparison of sessions begun</a>"#),
            "<span>Comparison of sessions begun</span>",
        ] {
            assert!(page.contains(piece), "{piece} in {page}");
        }
    }
}

#[tokio::test]
async fn what_somebody_typed_leads_nowhere_and_is_no_markup() {
    let site = site().await;
    site.note("cluster", &text!("event-token", name = "web1"));
    site.note("cluster", &text!("event-token", name = "<a href=/x>web2</a>"));
    let page = site.get("/journal").await;
    assert!(page.contains("Token web1 created"), "{page}");
    assert!(page.contains("Token &#60;a href=/x&#62;web2&#60;/a&#62; created"), "{page}");
    assert!(!page.contains("<a href=/x"), "{page}");
}

#[tokio::test]
async fn causes_and_the_verdict_name_what_they_are_about() {
    let site = site().await;
    let mut shown = fixture::snapshot();
    let reason = text!("verdict-risk-reason", names = Arg::servers([&name("web1")]), count = 1, web = 1);
    shown.verdict = Remark::new(Severity::Warning, text!("verdict-risk"), reason);
    let why = text!("reason-link-broken", from = &name("db2"));
    shown.causes = vec![Cause {
        about: About::Servers(PoolId::Web, vec![name("web1"), name("gone")]),
        status: Remark::new(Severity::Warning, State::Alone.sentence(), why),
        asked: None,
        explains: vec![name("db2")],
        remedies: vec![Remedy::Journal],
    }];
    site.app.board.set_snapshot(shown);
    let page = site.get("/").await;
    for piece in [
        &format!(r#"<p data-f="status.reason">{WEB1} needs attention."#),
        &format!(r#"<b data-c="title">{WEB1}, <a data-server="gone">gone</a></b>"#),
        &format!(r#"<span data-c="reason">no longer receives what {DB2} writes</span>"#),
        &format!(r#"<span data-c="explains">Also affects {DB2}.</span>"#),
    ] {
        assert!(page.contains(piece), "{piece} in {page}");
    }
    // In the bar of another page, the whole sentence is one link.
    let page = site.get("/journal").await;
    assert!(page.contains("data-f=\"status.reason\">web1 needs attention."), "{page}");
}

#[tokio::test]
async fn the_stream_sends_a_sentence_in_the_pieces_of_the_page() {
    let site = site().await;
    let mut stream = follow(&site, "; cordee_lang=en").await;
    read_until(&mut stream, "event: beat").await;
    site.note("web1", &text!("event-turn", name = &name("web1"), word = "<i>"));
    let told = read_until(&mut stream, "event: event").await;
    let told = if told.contains("<i>") { told } else { told + &read_until(&mut stream, "<i>").await };
    let pieces = r#""text":[{"says":"web1","server":"web1","to":"/pools/web/servers/web1"},": <i>"]"#;
    assert!(told.contains(pieces), "{told}");
}
