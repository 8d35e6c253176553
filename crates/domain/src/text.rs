//! Sentences before they are put into a language: the key of a message and its arguments.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::ids::{PoolId, ProcessId, ProcessName, ServerName};

/// Whether a character is a control character, or an invisible mark that reverses or hides other characters.
pub fn is_unseen(c: char) -> bool {
    let marks =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    marks || c.is_control()
}

/// Appends a character in visible form: ESC as `\x1B`, the mark that reverses the direction of writing as `\u{202E}`.
pub fn push_seen(text: &mut String, c: char) {
    // Writing to a string cannot fail.
    let _ = match c {
        c if c.is_ascii_control() => write!(text, "\\x{:02X}", u32::from(c)),
        c if is_unseen(c) => write!(text, "\\u{{{:04X}}}", u32::from(c)),
        c => text.write_char(c),
    };
}

/// Returns words of a program or a stranger in a form that a page and a terminal show as plain text. Line breaks and
/// tabs stay.
pub fn seen(words: &str) -> Cow<'_, str> {
    let odd = |c: char| is_unseen(c) && !matches!(c, '\n' | '\t');
    if !words.contains(odd) {
        return Cow::Borrowed(words);
    }
    let mut text = String::with_capacity(words.len());
    for c in words.chars() {
        if odd(c) { push_seen(&mut text, c) } else { text.push(c) }
    }
    Cow::Owned(text)
}

/// Something that has a page of its own, as a sentence names it. In the journal, in causes and in the verdict the name
/// is a link to that page as long as something with that name exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thing {
    /// A web server or a database.
    Server(ServerName),
    /// The HAProxy instance of a pool.
    Proxy(PoolId),
    /// A failover drill, by its number.
    Drill(u64),
    /// A comparison of sessions, by its number.
    Comparison(u64),
}

/// One argument of a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Arg {
    /// A number. The language decides its plural form and how it is written.
    Number(i64),
    /// Text that is shown as it is. Words typed by an operator or a visitor only ever appear in this form.
    Text(String),
    /// Another message, which is put into the reader's language first.
    Message(Box<Text>),
    /// A thing that the sentence calls by these words.
    Called {
        /// The thing.
        thing: Thing,
        /// The words.
        says: Box<Text>,
    },
    /// Several things, one after the other.
    Things(Vec<Thing>),
    /// A thing that the sentence calls by its name.
    Thing(Thing),
}

impl From<Text> for Arg {
    fn from(value: Text) -> Self {
        Self::Message(Box::new(value))
    }
}

impl From<&ServerName> for Thing {
    fn from(name: &ServerName) -> Self {
        Self::Server(name.clone())
    }
}

impl From<&ProcessId> for Thing {
    fn from(id: &ProcessId) -> Self {
        match id {
            ProcessId::Proxy(proxy) => Self::Proxy(*proxy),
            ProcessId::Web(name) | ProcessId::Database(name) => name.into(),
        }
    }
}

impl From<&ProcessName> for Thing {
    fn from(name: &ProcessName) -> Self {
        match name {
            ProcessName::Proxy(proxy) => Self::Proxy(*proxy),
            ProcessName::Server(name) => name.into(),
        }
    }
}

impl From<Thing> for Arg {
    fn from(thing: Thing) -> Self {
        Self::Thing(thing)
    }
}

impl From<&ServerName> for Arg {
    fn from(name: &ServerName) -> Self {
        Self::Thing(name.into())
    }
}

impl From<&ProcessName> for Arg {
    fn from(name: &ProcessName) -> Self {
        Self::Thing(name.into())
    }
}

impl From<&ProcessId> for Arg {
    fn from(id: &ProcessId) -> Self {
        Self::Thing(id.into())
    }
}

impl Arg {
    /// Makes an argument of servers, by their names.
    pub fn servers<'a>(names: impl IntoIterator<Item = &'a ServerName>) -> Self {
        Self::Things(names.into_iter().map(Thing::from).collect())
    }

    /// The maximum number of names in a title or a sentence.
    pub(crate) const MOST_NAMES: usize = 3;

    /// Makes an argument of the first servers by their names, and the number of the others.
    pub fn few<'a>(names: impl IntoIterator<Item = &'a ServerName>) -> Self {
        let mut names = names.into_iter();
        let first = Self::servers(names.by_ref().take(Self::MOST_NAMES));
        match names.count() {
            0 => first,
            more => crate::text!("names-and-more", names = first, count = more).into(),
        }
    }
}

/// A message that every language has under the same key. It is written with [`text!`](crate::text!), so that the build
/// can find each key in the sources and refuse a key that a language lacks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Text {
    /// The key in `locales/*/*.ftl`.
    pub key: Cow<'static, str>,
    /// The arguments, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<Cow<'static, str>, Arg>,
}

/// A message as it is stored.
#[derive(Deserialize)]
struct Stored {
    key: Cow<'static, str>,
    #[serde(default)]
    args: BTreeMap<Cow<'static, str>, Arg>,
}

impl From<Stored> for Text {
    /// An older Cordée stored a proxy as the word of its pool.
    fn from(Stored { key, mut args }: Stored) -> Self {
        let proxy = match args.get("proxy") {
            Some(Arg::Text(word)) => PoolId::parse(word).ok(),
            _ => None,
        };
        args.extend(proxy.map(|proxy| (Cow::Borrowed("proxy"), Thing::Proxy(proxy).into())));
        Self { key, args }
    }
}

impl Text {
    /// Makes a message without arguments. Use `text!` instead, which the build checks.
    #[must_use]
    pub const fn of(key: &'static str) -> Self {
        Self { key: Cow::Borrowed(key), args: BTreeMap::new() }
    }

    /// Adds one argument.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Arg>) -> Self {
        self.args.insert(Cow::Borrowed(name), value.into());
        self
    }

    /// Names of the numbers that identify the fault. All other numbers are measurements, and differ from server to
    /// server and from one observation to the next.
    const TELLING: [&str; 3] = ["code", "signal", "status"];

    /// Whether two sentences say the same about the same things, whatever the measured numbers are.
    pub fn is_like(&self, other: &Self) -> bool {
        let mut names = self.args.keys().chain(other.args.keys());
        self.key == other.key
            && names.all(|name| match (self.args.get(name), other.args.get(name)) {
                // A number that one of the two sentences lacks, such as the seconds until the next attempt, counts as
                // a measurement too.
                (None | Some(Arg::Number(_)), None | Some(Arg::Number(_)))
                    if !Self::TELLING.contains(&&**name) =>
                {
                    true
                }
                (Some(Arg::Message(one)), Some(Arg::Message(other))) => one.is_like(other),
                (one, other) => one == other,
            })
    }
}

impl From<String> for Arg {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for Arg {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

macro_rules! numbers {
    ($($t:ty),*) => {$(
        impl From<$t> for Arg {
            fn from(value: $t) -> Self {
                Self::Number(i64::try_from(value).unwrap_or(i64::MAX))
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, usize, i32, i64);

/// `text!("key")` or `text!("key", name = value)`: a [`Text`] whose key the build checks
/// against every language.
#[macro_export]
macro_rules! text {
    ($key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::text::Text::of($key)$(.with(stringify!($name), $value))*
    };
}
