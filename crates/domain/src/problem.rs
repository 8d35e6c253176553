//! A refusal, in words for the person who asked.

use serde::{Deserialize, Serialize};

use crate::ids::Malformed;
use crate::text;
use crate::text::Text;

/// Why a wish was refused, and at which field of the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The input that caused it: `name`, `address`, `port`, `cookie`; empty when no single one did.
    pub field: String,
    /// One sentence.
    pub text: Text,
    /// What kind of refusal, for the HTTP status.
    pub kind: Kind,
}

/// The kinds of refusal that a caller must tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The input itself is wrong (HTTP 422).
    Invalid,
    /// Nothing of that name is here (HTTP 404).
    Unknown,
    /// Right in itself, but not with what is here already (HTTP 409).
    Conflict,
}

impl Problem {
    /// The input at `field` is wrong.
    pub fn invalid(field: &str, text: Text) -> Self {
        Self { field: field.to_owned(), text, kind: Kind::Invalid }
    }

    /// What was named is not here.
    pub fn unknown(field: &str, text: Text) -> Self {
        Self { field: field.to_owned(), text, kind: Kind::Unknown }
    }

    /// It contradicts what is here.
    pub fn conflict(field: &str, text: Text) -> Self {
        Self { field: field.to_owned(), text, kind: Kind::Conflict }
    }
}

impl From<Malformed> for Problem {
    fn from(why: Malformed) -> Self {
        let name = |text| Self::invalid("name", text);
        let address = |text| Self::invalid("address", text);
        match why {
            Malformed::Pool => Self::unknown("pool", text!("problem-pool-unknown")),
            Malformed::NameEmpty => name(text!("problem-name-empty")),
            Malformed::NameShape => name(text!("problem-name-shape")),
            Malformed::NameReserved(input) => name(text!("problem-name-reserved", name = input)),
            Malformed::AddressEmpty => address(text!("problem-address-empty")),
            Malformed::AddressUnusable(input) => address(text!("problem-address-unusable", address = input)),
            Malformed::AddressIpv4 => address(text!("problem-address-ipv4")),
            Malformed::AddressIpv4Part(part) => address(text!("problem-address-ipv4-part", part = part)),
            Malformed::AddressShape => address(text!("problem-address-shape")),
            Malformed::Port => Self::invalid("port", text!("problem-port")),
            Malformed::Cookie => Self::invalid("cookie", text!("problem-cookie")),
        }
    }
}
