//! Sentences in which a name is a link to the page of the thing that it names, as long as that page exists.
//!
//! The sentence itself marks what it names (`Thing`): its text is never searched, so that what a person or a
//! visitor typed stays text. The page prints the pieces (`says` in `macros.html`), and the script puts the same
//! pieces into the page (`web/says.js`).

use std::collections::BTreeMap;
use std::fmt;

use cordee_domain::desired::Desired;
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::snapshot::Snapshot;
use cordee_domain::text::{Text, Thing};
use serde::{Serialize, Serializer};

use crate::store::KeptRuns;
use crate::words::{Lang, Piece};

/// The things that exist now.
#[derive(Clone, Debug, Default)]
pub struct Here {
    servers: BTreeMap<ServerName, PoolId>,
    /// `None`: every run that is mentioned exists, because it is recent.
    runs: Option<KeptRuns>,
}

impl Here {
    /// Returns the wished servers.
    pub fn wished(desired: &Desired) -> Self {
        let servers = desired.servers().map(|server| (server.name.clone(), server.pool()));
        Self { servers: servers.collect(), runs: None }
    }

    /// Returns the servers that a snapshot shows.
    pub fn shown(snapshot: &Snapshot) -> Self {
        let servers = snapshot.servers.iter().map(|server| (server.name.clone(), server.pool));
        Self { servers: servers.collect(), runs: None }
    }

    /// Adds the runs that are kept.
    #[must_use]
    pub fn with(self, runs: KeptRuns) -> Self {
        Self { runs: Some(runs), ..self }
    }

    /// Returns the address of a thing's page; `None` when the thing no longer exists.
    fn page(&self, thing: &Thing) -> Option<String> {
        let runs = self.runs.as_ref();
        match thing {
            Thing::Server(name) => self.servers.get(name).map(|pool| format!("/pools/{pool}/servers/{name}")),
            Thing::Proxy(proxy) => Some(format!("/config/{proxy}")),
            Thing::Drill(id) => {
                runs.is_none_or(|runs| runs.drills.contains(id)).then(|| format!("/drills/{id}"))
            }
            Thing::Comparison(id) => runs
                .is_none_or(|runs| runs.comparisons.contains(id))
                .then(|| format!("/sessions/compare/{id}")),
        }
    }
}

/// A sentence in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Says(Vec<Word>);

/// A piece of a sentence. The script receives plain words as a string, and a name as an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// The words.
    pub says: String,
    /// The thing that they name.
    pub name: Option<Name>,
}

/// What a name refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The server; empty for any other thing. Servers come and go while a page is open.
    pub server: String,
    /// The link's target; empty when that server no longer exists.
    pub to: String,
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Named<'a> {
            says: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            server: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            to: &'a str,
        }
        match &self.name {
            None => serializer.serialize_str(&self.says),
            Some(Name { server, to }) => Named { says: &self.says, server, to }.serialize(serializer),
        }
    }
}

impl Says {
    /// Puts a message into the reader's language.
    pub fn of(text: &Text, here: &Here, lang: Lang) -> Self {
        let name = |thing: &Thing| match (thing, here.page(thing)) {
            (Thing::Server(name), to) => Some(Name { server: name.to_string(), to: to.unwrap_or_default() }),
            (_, to) => to.map(|to| Name { server: String::new(), to }),
        };
        let word = |piece: Piece| Word { name: piece.thing.as_ref().and_then(name), says: piece.says };
        Self(lang.pieces(text).into_iter().map(word).collect())
    }

    /// Makes a sentence of words that name nothing.
    pub fn plain(says: String) -> Self {
        Self(if says.is_empty() { Vec::new() } else { vec![Word { says, name: None }] })
    }

    /// Returns the pieces, in order.
    pub fn words(&self) -> &[Word] {
        &self.0
    }
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| f.write_str(&word.says))
    }
}

#[cfg(test)]
mod tests {
    use cordee_domain::text;
    use cordee_domain::text::Arg;
    use serde_json::json;

    use super::super::fixture::{name, snapshot};
    use super::*;

    fn said(text: &Text, here: &Here) -> serde_json::Value {
        serde_json::to_value(Says::of(text, here, Lang::En)).expect("JSON")
    }

    #[test]
    fn a_name_leads_to_its_page_while_there_is_one() {
        let here = Here::shown(&snapshot());
        let named = |server: &str| said(&text!("name-alone", name = &name(server)), &here);
        let web1 = json!([{ "says": "web1", "server": "web1", "to": "/pools/web/servers/web1" }]);
        assert_eq!(named("web1"), web1);
        let db1 = json!([{ "says": "db1", "server": "db1", "to": "/pools/db/servers/db1" }]);
        assert_eq!(named("db1"), db1);
        assert_eq!(named("gone"), json!([{ "says": "gone", "server": "gone" }]), "it may come again");
        let proxy = text!("event-reload", proxy = Thing::Proxy(PoolId::Db));
        let wanted = json!(["Reload of ", { "says": "HAProxy db", "to": "/config/db" }, " requested"]);
        assert_eq!(said(&proxy, &here), wanted);
    }

    #[test]
    fn a_run_leads_to_its_page_while_it_is_kept() {
        let run = |thing| {
            let says = Box::new(text!("event-trial-begun"));
            text!("name-alone", name = Arg::Called { thing, says })
        };
        let kept = KeptRuns { drills: [3].into(), comparisons: [4].into() };
        let here = Here::default().with(kept);
        let to = |thing, here: &Here| said(&run(thing), here)[0]["to"].clone();
        assert_eq!(to(Thing::Drill(3), &here), json!("/drills/3"));
        assert_eq!(to(Thing::Comparison(4), &here), json!("/sessions/compare/4"));
        for gone in [Thing::Drill(4), Thing::Comparison(3)] {
            assert_eq!(to(gone, &here), json!(null));
        }
        assert_eq!(to(Thing::Drill(9), &Here::default()), json!("/drills/9"), "a line of this moment");
    }

    #[test]
    fn what_was_typed_is_text() {
        let typed = "web1 <a href=\"/x\">x</a>";
        let text = text!("event-turn", name = "web1", word = typed);
        let here = Here::shown(&snapshot());
        assert_eq!(said(&text, &here), json!([format!("web1: {typed}")]));
        assert_eq!(Says::of(&text, &here, Lang::En).to_string(), Lang::En.say(&text));
        assert_eq!(Says::plain(String::new()), Says::default());
    }
}
