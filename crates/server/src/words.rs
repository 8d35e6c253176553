//! Sentences in the reader's language (Fluent). The build fails when a language lacks a key (`build.rs`).

use cordee_domain::text::{Arg, Text, Thing};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::sync::OnceLock;

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lang {
    /// French.
    Fr,
    /// English.
    En,
}

impl Lang {
    /// Both languages.
    pub const ALL: [Self; 2] = [Self::Fr, Self::En];

    /// Returns its tag, as in `<html lang>`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }

    /// Returns the other language.
    pub const fn other(self) -> Self {
        match self {
            Self::Fr => Self::En,
            Self::En => Self::Fr,
        }
    }

    /// Parses a tag.
    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.tag() == tag)
    }

    /// Returns French when the browser prefers it to English (RFC 9110 section 12.5.4), else English.
    pub fn accepted(header: &str) -> Self {
        let quality = |lang: Self| {
            header
                .split(',')
                .filter_map(|part| {
                    let mut pieces = part.split(';').map(str::trim);
                    let tag = pieces.next()?.to_ascii_lowercase();
                    let primary = tag.split('-').next()?;
                    let q = pieces
                        .find_map(|p| p.strip_prefix("q="))
                        .map_or(Some(1.0), |q| q.parse::<f32>().ok())?;
                    (primary == lang.tag()).then_some(q)
                })
                .fold(0.0_f32, f32::max)
        };
        if quality(Self::Fr) > quality(Self::En) { Self::Fr } else { Self::En }
    }

    /// Returns a message in this language.
    pub fn say(self, text: &Text) -> String {
        self.fill(text, &mut |_, says| says)
    }

    /// Returns a message in pieces: the things that the sentence names are separate from the words around them.
    pub fn pieces(self, text: &Text) -> Vec<Piece> {
        let mut found = Vec::new();
        let whole = self.fill(text, &mut |thing, says| {
            found.push(Piece { says, thing: Some(thing.clone()) });
            format!("{OPEN}{}{CLOSE}", found.len() - 1)
        });
        let mut pieces = Vec::new();
        for (place, part) in whole.split(OPEN).enumerate() {
            let (number, plain) = match part.split_once(CLOSE) {
                Some((number, plain)) if place > 0 => (number, plain),
                _ => ("", part),
            };
            let thing = number.parse::<usize>().ok().and_then(|number| found.get(number));
            pieces.extend(thing.cloned());
            if !plain.is_empty() {
                pieces.push(Piece { says: plain.to_owned(), thing: None });
            }
        }
        pieces
    }

    /// Puts the arguments into a message; `name` decides how a thing is written.
    fn fill(self, text: &Text, name: &mut dyn FnMut(&Thing, String) -> String) -> String {
        let mut args = FluentArgs::new();
        for (key, value) in &text.args {
            let value = match value {
                Arg::Number(n) => FluentValue::from(*n),
                Arg::Text(s) => FluentValue::from(unmarked(&cordee_domain::text::seen(s))),
                Arg::Message(inner) => FluentValue::from(self.fill(inner, name)),
                Arg::Called { thing, says } => FluentValue::from(name(thing, self.say(says))),
                Arg::Thing(thing) => FluentValue::from(name(thing, called(thing))),
                Arg::Things(things) => {
                    let all: Vec<String> = things.iter().map(|thing| name(thing, called(thing))).collect();
                    FluentValue::from(all.join(", "))
                }
            };
            args.set(key.clone().into_owned(), value);
        }
        self.format(&text.key, &args)
    }

    /// Returns a message without arguments. Templates use it; the build checks the keys that they use.
    pub fn tr(self, key: &str) -> String {
        self.format(key, &FluentArgs::new())
    }

    fn format(self, key: &str, args: &FluentArgs<'_>) -> String {
        let bundle = bundle(self);
        let Some(pattern) = bundle.get_message(key).and_then(|m| m.value()) else {
            // Only a journal line of another version can have an unknown key.
            return key.to_owned();
        };
        let mut errors = Vec::new();
        bundle.format_pattern(pattern, Some(args), &mut errors).into_owned()
    }
}

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The words of the piece.
    pub says: String,
    /// The thing that the words name, if it has a page.
    pub thing: Option<Thing>,
}

/// Enclose the number of a thing while a sentence is put together. Both are Unicode noncharacters, and no text
/// that is put in contains them (`unmarked`), so that nothing that a user typed can pass for a thing.
const OPEN: char = '\u{fdd0}';
const CLOSE: char = '\u{fdd1}';

fn unmarked(text: &str) -> String {
    text.replace([OPEN, CLOSE], "\u{fffd}")
}

/// Returns the name of a thing.
fn called(thing: &Thing) -> String {
    match thing {
        Thing::Server(name) => name.to_string(),
        Thing::Proxy(proxy) => format!("HAProxy {proxy}"),
        Thing::Drill(id) | Thing::Comparison(id) => format!("#{id}"),
    }
}

fn bundle(lang: Lang) -> &'static FluentBundle<FluentResource> {
    static FR: OnceLock<FluentBundle<FluentResource>> = OnceLock::new();
    static EN: OnceLock<FluentBundle<FluentResource>> = OnceLock::new();
    match lang {
        Lang::Fr => FR.get_or_init(|| load(lang, include_str!(concat!(env!("OUT_DIR"), "/fr.ftl")))),
        Lang::En => EN.get_or_init(|| load(lang, include_str!(concat!(env!("OUT_DIR"), "/en.ftl")))),
    }
}

fn load(lang: Lang, source: &str) -> FluentBundle<FluentResource> {
    let tag = match lang {
        Lang::Fr => unic_langid::LanguageIdentifier::from_bytes(b"fr"),
        Lang::En => unic_langid::LanguageIdentifier::from_bytes(b"en"),
    };
    let mut bundle = FluentBundle::new_concurrent(tag.into_iter().collect());
    // Bidirectional isolation marks would show up in copied text.
    bundle.set_use_isolating(false);
    // The build has parsed this very text, and fails if anything is wrong with it.
    if let Ok(resource) = FluentResource::try_new(source.to_owned()) {
        let _ = bundle.add_resource(resource);
    }
    bundle
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Limits that are never one, and units that have no plural.
    const BOUNDS: [&str; 12] = [
        "line-socket-most",
        "line-retries",
        "line-retries-database",
        "part-maxconn",
        "problem-slots",
        "problem-login-user",
        "problem-login-password",
        "problem-password-long",
        "problem-password-short",
        "problem-trusted-many",
        "repair-many",
        "visitors-most",
    ];

    /// A number that is followed by the thing that it counts stands in a plural selector: "1 ligne", "2 lignes".
    #[test]
    fn whatever_is_counted_has_a_plural() {
        let counted =
            ["ligne", "table", "connexion", "serveur", "visiteur", "requête", "session", "transaction"];
        let things = ["row", "table", "connection", "server", "visitor", "request", "session", "transaction"];
        let sources = [
            (include_str!(concat!(env!("OUT_DIR"), "/fr.ftl")), counted),
            (include_str!(concat!(env!("OUT_DIR"), "/en.ftl")), things),
        ];
        for (source, words) in sources {
            for line in source.lines() {
                // The lines of a selector are indented.
                let Some((key, says)) = line.split_once(" = ").filter(|(key, _)| !key.starts_with(' '))
                else {
                    continue;
                };
                let bare = words.iter().any(|word| {
                    says.contains(&format!(" }} {word}s")) || says.contains(&format!(" }}\u{a0}{word}s"))
                });
                assert!(!bare || BOUNDS.contains(&key) || says.starts_with("{ $names }"), "{line}");
            }
        }
    }

    #[test]
    fn lines_and_tables_are_counted_apart() {
        let text = |rows: u64, tables: u64| {
            cordee_domain::text!("truth-equal-why", rows = rows, tables = tables, with = "db1")
        };
        assert_eq!(Lang::Fr.say(&text(0, 2)), "0 ligne de 2 tables, comparaison avec db1");
        assert_eq!(Lang::Fr.say(&text(2, 1)), "2 lignes de 1 table, comparaison avec db1");
        assert_eq!(Lang::En.say(&text(1, 2)), "1 row of 2 tables, compared with db1");
        let open = |count: u64| cordee_domain::text!("crowd-open", count = count);
        assert_eq!([1, 2].map(|n| Lang::Fr.say(&open(n))), ["1 ouverte", "2 ouvertes"]);
    }

    fn piece(says: &str, thing: Option<Thing>) -> Piece {
        Piece { says: says.to_owned(), thing }
    }

    #[test]
    fn what_a_sentence_names_stands_apart_wherever_the_language_puts_it() {
        use cordee_domain::ids::{PoolId, ServerName};
        let [db1, db2] = ["db1", "db2"].map(|name| ServerName::parse(name).expect("a name"));
        let reason = cordee_domain::text!("reason-not-copied", name = &db2, code = 1236);
        let text = cordee_domain::text!("event-turn-reason", name = &db1, word = "Up", reason = reason);
        for lang in Lang::ALL {
            let pieces = lang.pieces(&text);
            let whole: String = pieces.iter().map(|p| p.says.as_str()).collect();
            assert_eq!(whole, lang.say(&text));
            let things: Vec<_> = pieces.iter().filter_map(|p| p.thing.clone()).collect();
            assert_eq!(things, [Thing::Server(db1.clone()), Thing::Server(db2.clone())]);
        }
        let both = cordee_domain::text!("name-alone", name = Arg::servers([&db1, &db2]));
        let [one, two] = [db1, db2].map(Thing::Server);
        let wanted = [piece("db1", Some(one)), piece(", ", None), piece("db2", Some(two))];
        assert_eq!(Lang::En.pieces(&both), wanted);
        let proxy = Thing::Proxy(PoolId::Web);
        let text = cordee_domain::text!("name-alone", name = proxy.clone());
        assert_eq!(Lang::Fr.pieces(&text), [piece("HAProxy web", Some(proxy))]);
        let says = Box::new(cordee_domain::text!("status-up"));
        let run = cordee_domain::text!("name-alone", name = Arg::Called { thing: Thing::Drill(3), says });
        assert_eq!(Lang::En.pieces(&run), [piece("Up", Some(Thing::Drill(3)))]);
    }

    #[test]
    fn what_a_sentence_names_is_written_down_and_read_back_as_what_it_is() {
        use cordee_domain::ids::{PoolId, ServerName};
        use cordee_domain::text;
        let web1 = ServerName::parse("web1").expect("a name");
        let all = text!(
            "event-turn",
            number = 7,
            typed = "web1",
            message = text!("status-up"),
            server = &web1,
            several = Arg::servers([&web1]),
            nobody = Arg::servers([]),
            proxy = Thing::Proxy(PoolId::Db),
            run = Arg::Called { thing: Thing::Drill(3), says: Box::new(text!("status-up")) },
            other = Thing::Comparison(4),
        );
        let written = serde_json::to_string(&all).expect("written");
        assert_eq!(serde_json::from_str::<Text>(&written).expect("read"), all, "{written}");
    }

    #[test]
    fn a_sentence_of_an_older_cordee_names_its_proxy_by_a_word() {
        use cordee_domain::ids::PoolId;
        use cordee_domain::text;
        let read = |written: &str| serde_json::from_str::<Text>(written).expect("read");
        let why = r#"{"key":"event-reload","args":{"proxy":"db"}}"#;
        let written = format!(r#"{{"key":"event-turn","args":{{"name":"web1","why":{why}}}}}"#);
        let reload = text!("event-reload", proxy = Thing::Proxy(PoolId::Db));
        assert_eq!(read(&written), text!("event-turn", name = "web1", why = reload));
        let typed = r#"{"key":"event-reload","args":{"proxy":"<b>"}}"#;
        assert_eq!(read(typed), text!("event-reload", proxy = "<b>"));
    }

    /// What was stored and answered before states and faults were typed values has the same keys and arguments.
    #[test]
    fn states_reasons_and_faults_are_written_down_as_the_sentences_of_before() {
        use cordee_domain::fault::{Fault, Lack};
        use cordee_domain::ids::ServerName;
        use cordee_domain::reason::{Reason, Still};
        use cordee_domain::state::State;
        use cordee_domain::text;
        let (said, holder) = ("no such server".to_owned(), "nc (pid 7)".to_owned());
        let taken = || Fault::PortTaken { port: 8081, holder: holder.clone() };
        let gone = || Fault::SocketGone { path: "/s".to_owned(), pid: 9, noticed: Box::new(Fault::Silent) };
        let web1 = ServerName::parse("web1").expect("a name");
        let turn = text!("event-turn-reason", name = &web1, word = State::Waits.sentence(), reason = taken());
        for (text, written) in [
            (
                turn,
                concat!(
                    r#"{"key":"event-turn-reason","args":{"name":{"server":"web1"},"#,
                    r#""reason":{"key":"reason-port-taken","args":{"holder":"nc (pid 7)","port":"8081"}},"#,
                    r#""word":{"key":"status-waits"}}}"#,
                ),
            ),
            (
                Reason::Still(Still::Processes(vec![7, 8])).sentence(),
                r#"{"key":"reason-frozen","args":{"count":2,"pids":"7 8"}}"#,
            ),
            (
                Reason::Ended { why: Fault::Signal(9), wait: 2 }.sentence(),
                r#"{"key":"reason-process-signal","args":{"signal":9,"wait":2}}"#,
            ),
            (
                Reason::Ended { why: Fault::Exit(1), wait: 0 }.sentence(),
                r#"{"key":"reason-process-exit","args":{"code":1}}"#,
            ),
            (
                Fault::ExitSaying { code: 1, said: "no".to_owned() }.sentence(),
                r#"{"key":"reason-process-exit-said","args":{"code":1,"said":"no"}}"#,
            ),
            (gone().sentence(), r#"{"key":"reason-socket-gone","args":{"path":"/s","pid":9}}"#),
            (
                Fault::Refused(said.clone()).sentence(),
                r#"{"key":"haproxy-refused","args":{"said":"no such server"}}"#,
            ),
            (
                Fault::Unasked(Box::new(Fault::Own(Lack::Memory, None))).sentence(),
                r#"{"key":"door-cannot-ask","args":{"why":{"key":"own-memory"}}}"#,
            ),
            (Fault::Database(1146).sentence(), r#"{"key":"db-error","args":{"code":1146}}"#),
            (Fault::TooMany.sentence(), r#"{"key":"db-too-many"}"#),
        ] {
            assert_eq!(serde_json::to_string(&text).expect("written"), written);
            for lang in Lang::ALL {
                let says = lang.say(&text);
                assert!(says != text.key && !says.contains('{'), "{says}");
            }
        }
    }

    #[test]
    fn nothing_that_was_typed_is_taken_for_a_name() {
        let typed = format!("web1 {OPEN}0{CLOSE} <a href=x>");
        let web1 = cordee_domain::ids::ServerName::parse("web1").expect("a name");
        let text = cordee_domain::text!("event-turn", name = &web1, word = typed.as_str());
        let pieces = Lang::En.pieces(&text);
        let wanted =
            [piece("web1", Some(Thing::Server(web1))), piece(": web1 \u{fffd}0\u{fffd} <a href=x>", None)];
        assert_eq!(pieces, wanted);
    }

    #[test]
    fn the_browser_s_preference_is_followed() {
        assert_eq!(Lang::accepted("fr-CH, fr;q=0.9, en;q=0.8"), Lang::Fr);
        assert_eq!(Lang::accepted("en-US,en;q=0.9,fr;q=0.1"), Lang::En);
        assert_eq!(Lang::accepted("de"), Lang::En);
        assert_eq!(Lang::accepted(""), Lang::En);
    }

    #[test]
    fn french_counts_zero_as_one() {
        let text = cordee_domain::text!("reason-drain", count = 0_u64);
        assert_eq!(Lang::Fr.say(&text), "0 visiteur encore attaché");
        assert_eq!(Lang::En.say(&text), "0 visitors still attached");
    }
}
