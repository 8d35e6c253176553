//! Before what cannot be taken back a person is asked: who is touched and how many they are, by whom it is done, and
//! what takes it back. Nothing is sent until the button with the verb and the name was pressed, and then once.

use std::time::Duration;

use cordee_e2e::cluster::Cluster;
use cordee_e2e::http::Client;
use cordee_e2e::pair::Pair;
use cordee_e2e::person::Person;
use cordee_e2e::wait;
use serde_json::{Value, json};

use super::SHOWN;

/// Visitors who come back to web1 by its cookie.
const ATTACHED: usize = 4;

/// A question: who opens it, the act on its button, and what it says of visitors or applications.
struct Question {
    /// The server and the act from its row; or what is pressed.
    opener: Opener,
    title: String,
    whom: String,
}

enum Opener {
    Row { pool: &'static str, server: String, act: &'static str },
    Link(&'static str),
}

fn questions(standby: &str, writer: &str) -> Vec<Question> {
    let row = |pool, server: &str, act, verb: &str, whom: String| Question {
        opener: Opener::Row { pool, server: server.to_owned(), act },
        title: format!("{verb} {server}"),
        whom,
    };
    let web = format!("{ATTACHED} visitors are attached to web1");
    let stays = format!("The site stays up with {writer}");
    let link = |css, title: &str, whom: &str| Question {
        opener: Opener::Link(css),
        title: title.to_owned(),
        whom: whom.to_owned(),
    };
    vec![
        row("web", "web1", "stop", "Stop", web.clone()),
        row("web", "web1", "restart", "Restart", web.clone()),
        row("web", "web1", "remove", "Remove", web),
        row("db", standby, "stop", "Stop", stays.clone()),
        row("db", standby, "restart", "Restart", stays.clone()),
        row("db", standby, "remove", "Remove", stays),
        row("db", standby, "promote", "Promote", "Writes wait or fail while the writer changes".to_owned()),
        link("a[data-keeping=database]", "Keep sessions in the database", "Everybody who is signed in now"),
        link(
            "a[data-routing=all-writers]",
            "Let all databases write",
            "When two visitors change the same row",
        ),
    ]
}

/// What stands in front, and what has the focus there.
const DIALOG: &str = "const d = document.querySelector('dialog[open]'), f = document.activeElement;
    return d && { title: d.querySelector('h2').innerText.trim(), text: d.innerText.replace(/\\s+/g, ' '),
        button: d.querySelector('button.main').innerText.trim(), focus: f.innerText.trim(),
        way_out: f.matches('dialog[open] [data-shut]') };";

fn attach(cluster: &Cluster) {
    let mut visitors: Vec<Client> =
        (0..ATTACHED).map(|_| Client::with_jar(cluster.site()).cookie("SERVEUR", "S1")).collect();
    for _ in 0..2 {
        for visitor in &mut visitors {
            assert_eq!(visitor.get("/couleur").expect("a visit").status, 200);
        }
    }
    wait::until("they are counted", SHOWN, || {
        let all = cluster.api().get("/v1/snapshot");
        let web1 = all["servers"].as_array().into_iter().flatten().find(|s| s["name"] == json!("web1"));
        let counted = web1.map(|s| s["attached"]["visitors"].clone());
        if counted == Some(json!(ATTACHED)) { Ok(()) } else { Err(counted) }
    });
}

pub fn every_question_says_what_it_does_to_whom(cluster: &Cluster) {
    cluster.settle();
    let pair = Pair::wait(cluster);
    attach(cluster);
    let person = Person::sign_in(cluster);
    let (browser, api) = (&person.browser, cluster.api());
    browser.wait_for("#live[data-st=good]", SHOWN);
    let (before, events) = (api.snapshot().wish(), api.last_event());
    let all = questions(&pair.standby.name, &pair.writer.name);
    for question in &all {
        let back = match &question.opener {
            Opener::Row { pool, server, act } => {
                person.ask(pool, server, act);
                format!("[popovertarget=m-{server}]")
            }
            Opener::Link(css) => {
                browser.click(css);
                (*css).to_owned()
            }
        };
        browser.wait_for("dialog[open] button.main", SHOWN);
        let shown = browser.script(DIALOG, &[]);
        let says = |key: &str| shown[key].as_str().unwrap_or_default().to_owned();
        println!("#   {}", says("text"));
        assert_eq!(
            (says("title"), says("button")),
            (question.title.clone(), question.title.clone()),
            "{shown}"
        );
        assert!(says("text").contains(&question.whom), "{:?} is missing: {shown}", question.whom);
        assert!(says("text").contains("To undo"), "{shown}");
        assert_eq!((shown["way_out"].clone(), says("focus")), (json!(true), "Cancel".to_owned()), "{shown}");
        browser.press("\u{e00c}");
        wait::until_true("it is gone", SHOWN, || !browser.sees("dialog[open]"));
        let focus = browser.script("return document.activeElement.matches(arguments[0])", &[json!(back)]);
        assert_eq!(focus, json!(true), "the focus does not come back to {back}");
    }
    assert_eq!(api.snapshot().wish(), before, "Esc sends nothing");
    let told: Vec<String> = api.events_after(events).into_iter().map(|e| e.text).collect();
    assert_eq!(told, Vec::<String>::new());
    // The same questions as pages, for a browser without script.
    for question in &all {
        let Opener::Row { pool, server, act } = &question.opener else { continue };
        person.go(&format!("/pools/{pool}/servers/{server}/{act}"));
        let text = browser.text("main").unwrap_or_default();
        assert!(text.contains(&question.whom), "{text}");
        assert_eq!(browser.text("main button.main").as_deref().map(str::trim), Some(question.title.as_str()));
        let focus = browser.script("return document.activeElement.innerText", &[]);
        assert_eq!(focus, json!("Cancel"), "{text}");
    }
}

pub fn a_double_click_sends_one_request(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    let (browser, api) = (&person.browser, cluster.api());
    browser.wait_for("#live[data-st=good]", SHOWN);
    let before = api.snapshot().revision;
    person.ask("web", "web2", "restart");
    browser.wait_for("dialog[open] button.main", SHOWN);
    browser.double_click("dialog[open] button.main");
    wait::until("web2 restarts", SHOWN, || match api.snapshot().revision {
        now if now > before => Ok(()),
        now => Err(now),
    });
    // The question and its answer.
    let sent = "return performance.getEntriesByType('resource')
        .filter(e => new URL(e.name).pathname.endsWith('/restart')).length";
    wait::until("both requests are over", SHOWN, || match browser.script(sent, &[]) {
        Value::Number(n) if n.as_u64() >= Some(2) => Ok(()),
        other => Err(other),
    });
    cluster.settle();
    wait::always("it was one wish", Duration::from_secs(1), || match api.snapshot().revision {
        now if now == before + 1 => Ok(()),
        now => Err(now),
    });
    assert_eq!(browser.script(sent, &[]), json!(2), "one question, one answer");
}
