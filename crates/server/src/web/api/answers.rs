//! Answers that several operations of the API share, as its description lists them.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::response::Response;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};

type Answers = BTreeMap<String, RefOr<Response>>;

/// The answers to a change.
pub(super) struct Wished;

impl IntoResponses for Wished {
    fn responses() -> Answers {
        let done = |says: &str| {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Done"))).build();
            ResponseBuilder::new().description(says).content("application/json", content).build().into()
        };
        [
            ("200", done("It is so: one who asked to wait is told.")),
            ("202", done("It is written down, and on its way.")),
        ]
        .map(|(status, answer)| (status.to_owned(), answer))
        .into()
    }
}

/// The further answers of an operation that asks the engine or a job queue.
pub(super) struct Asks;

impl IntoResponses for Asks {
    fn responses() -> Answers {
        [503, 504].map(refusal).into()
    }
}

/// The further answer of an operation that may contradict the present state.
pub(super) struct Contradicts;

impl IntoResponses for Contradicts {
    fn responses() -> Answers {
        [refusal(409)].into()
    }
}

fn refusal(status: u16) -> (String, RefOr<Response>) {
    (status.to_string(), Ref::from_response_name(status.to_string()).into())
}
