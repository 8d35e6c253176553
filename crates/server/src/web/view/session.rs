//! The question before the place where visitors' sessions are kept is changed.

use cordee_domain::sessions::Mode;
use cordee_domain::snapshot::Snapshot;
use cordee_domain::text;
use cordee_domain::text::Text;

use super::question::Question;
use crate::words::Lang;

/// Returns the question: what each mode means, and what happens to visitors who are signed in now.
pub fn keeping(snapshot: &Snapshot, wish: Mode, lang: Lang) -> Question {
    let say = |text: Text| lang.say(&text);
    let (title, lead, more, back) = match wish {
        Mode::Database => (
            text!("ask-session-database"),
            text!("ask-session-database-lead"),
            text!("ask-session-database-more"),
            text!("ask-session-database-back"),
        ),
        Mode::Proxy => (
            text!("ask-session-proxy"),
            text!("ask-session-proxy-lead"),
            text!("ask-session-proxy-more"),
            text!("ask-session-proxy-back"),
        ),
    };
    Question {
        title: say(title.clone()),
        lead: say(lead),
        more: say(more),
        facts: vec![
            (say(text!("ask-before")), say(fact(snapshot.session))),
            (say(text!("ask-after")), say(fact(wish))),
            (say(text!("ask-back")), say(back)),
        ],
        button: say(title),
        icon: "user",
        action: format!("/pools/web/session/{}", wish.as_str()),
        danger: false,
        type_name: None,
        know: String::new(),
    }
}

fn fact(mode: Mode) -> Text {
    match mode {
        Mode::Proxy => text!("ask-session-proxy-fact"),
        Mode::Database => text!("ask-session-database-fact"),
    }
}
