//! A refusal, with a sentence for the operator who asked.

use serde::{Deserialize, Serialize};

use crate::ids::Malformed;
use crate::text;
use crate::text::Text;

/// Why a request was refused, and which field of the form caused it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The input that caused it: `name`, `address`, `port`, `cookie`, and so on; empty if no single field did.
    pub field: String,
    /// One sentence.
    pub text: Text,
    /// The kind of the refusal, which determines the HTTP status.
    pub kind: Kind,
}

/// The kinds of refusal that a caller must tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The input itself is wrong (HTTP 422).
    Invalid,
    /// Nothing with that name exists (HTTP 404).
    Unknown,
    /// Valid in itself, but in conflict with the present state (HTTP 409).
    Conflict,
}

impl Problem {
    /// Makes the problem of an invalid input in `field`.
    pub fn invalid(field: &str, text: Text) -> Self {
        Self { field: field.to_owned(), text, kind: Kind::Invalid }
    }

    /// Makes the problem of a name that does not exist.
    pub fn unknown(field: &str, text: Text) -> Self {
        Self { field: field.to_owned(), text, kind: Kind::Unknown }
    }

    /// Makes the problem of a conflict with the present state.
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
