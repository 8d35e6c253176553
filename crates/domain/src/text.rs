//! A sentence before it has a language: the key of a message and its arguments.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One argument of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Arg {
    /// A number, pluralised and written by the language.
    Number(i64),
    /// Text shown as it is.
    Text(String),
    /// Another message, put into the reader's language first.
    Message(Box<Text>),
}

impl From<Text> for Arg {
    fn from(value: Text) -> Self {
        Self::Message(Box::new(value))
    }
}

/// A message that every language has under the same key. Written with [`text!`](crate::text!), so that
/// the build can find each key in the sources and refuse one that a language lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Key in `locales/*/*.ftl`.
    pub key: Cow<'static, str>,
    /// Arguments by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<Cow<'static, str>, Arg>,
}

impl Text {
    /// A message without arguments; use `text!`, which the build checks.
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
