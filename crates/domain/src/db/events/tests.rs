use proptest::prelude::*;

use super::*;

fn event(name: &str) -> TableName {
    TableName { schema: "site".to_owned(), table: name.to_owned() }
}

fn made(state: State) -> Event {
    let words = ("latin1".to_owned(), "latin1_swedish_ci".to_owned());
    Event { state, definer: "site_owner@127.0.0.1".to_owned(), words }
}

#[test]
fn an_event_keeps_the_one_with_whose_rights_it_runs() {
    let name = TableName { schema: "s`1".to_owned(), table: "e".to_owned() };
    let event = Event { definer: "o@wner@127.0.0.1".to_owned(), ..made(State::On) };
    assert_eq!(statement(&name, &event), "ALTER DEFINER=`o@wner`@`127.0.0.1` EVENT `s``1`.`e` ENABLE");
    let other = Event { state: State::Elsewhere, ..event };
    assert!(statement(&name, &other).ends_with(" DISABLE ON SLAVE"));
    let said = "SET SESSION character_set_client=latin1, collation_connection=latin1_swedish_ci";
    assert_eq!(before(&other).as_deref(), Some(said));
    let words = ("latin1".to_owned(), "x, read_only=0".to_owned());
    assert_eq!(before(&Event { words, ..other }), None);
}

/// What people and MariaDB do.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Somebody creates or alters an event on a database that takes writes: on or off.
    Alter { on: usize, name: usize, enabled: bool },
    /// Somebody drops an event.
    Drop { on: usize, name: usize },
    /// An event that was due once has run: no log says that it is off.
    Ran { name: usize },
    /// Cordée looks at a database and does what follows from it.
    Follow(usize),
    /// Another database becomes the writer.
    Promote(usize),
    /// All databases write, or only one.
    Share(bool),
}

const NAMES: [&str; 2] = ["a", "b"];

/// Three databases, and the last wish for each event.
#[derive(Debug, Default)]
struct World {
    databases: [Events; 3],
    writer: usize,
    all_write: bool,
    wished: BTreeMap<TableName, bool>,
}

impl World {
    fn put(&mut self, at: usize, name: &TableName, state: State) {
        self.databases[at].all.insert(name.clone(), made(state));
    }

    /// As MariaDB 10.11 does it: whether on or off, a channel delivers an event as one that runs elsewhere.
    fn alter(&mut self, on: usize, name: &TableName, enabled: bool) {
        self.put(on, name, if enabled { State::On } else { State::Off });
        for other in (0..3).filter(|n| *n != on) {
            self.put(other, name, State::Elsewhere);
        }
        self.wished.insert(name.clone(), enabled);
    }

    fn drop(&mut self, name: &TableName) {
        for database in &mut self.databases {
            database.all.remove(name);
        }
        self.wished.remove(name);
    }

    fn follow(&mut self, at: usize) -> usize {
        let runs = at == self.writer;
        let writes = |n: usize| self.all_write || n == self.writer;
        let role = match () {
            () if runs => Role::Runs,
            () if writes(at) => Role::Writes,
            () => Role::Follows,
        };
        let asked = |n: &usize| *n != at && writes(*n) && (runs || *n == self.writer);
        let others = (0..3).filter(asked).map(|n| &self.databases[n]);
        let turns = turns(&self.databases[at], role, &states(others));
        for turn in &turns {
            match turn {
                Turn::Set(name, event) => self.put(at, name, event.state),
                // The notes are a table that is replicated like any other.
                Turn::Note(name) => {
                    assert!(runs, "a standby writes nothing");
                    self.databases.iter_mut().for_each(|d| _ = d.off.insert(name.clone()));
                }
                Turn::Strike(name) => {
                    assert!(runs, "a standby writes nothing");
                    self.databases.iter_mut().for_each(|d| _ = d.off.remove(name));
                }
            }
        }
        turns.len()
    }

    fn settle(&mut self) {
        for _ in 0..20 {
            if (0..3).map(|n| self.follow(n)).sum::<usize>() == 0 {
                return;
            }
        }
        panic!("it never ends: {self:?}");
    }
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_usize..3, 0_usize..2, any::<bool>()).prop_map(|(on, name, enabled)| Act::Alter { on, name, enabled }),
        1 => (0_usize..3, 0_usize..2).prop_map(|(on, name)| Act::Drop { on, name }),
        1 => (0_usize..2).prop_map(|name| Act::Ran { name }),
        3 => (0_usize..3).prop_map(Act::Follow),
        2 => (0_usize..3).prop_map(Act::Promote),
        1 => any::<bool>().prop_map(Act::Share),
    ]
}

proptest! {
    /// Whatever is done on whichever database, and whichever becomes the writer: events that people switched on run
    /// on the writer and nowhere else, and events that they switched off run nowhere.
    #[test]
    fn events_run_on_the_writer_and_nowhere_else(acts in proptest::collection::vec(act(), 0..40)) {
        let mut world = World::default();
        for act in acts {
            let writer = world.writer;
            let takes = |at: usize| world.all_write || at == writer;
            match act {
                Act::Alter { on, name, enabled } if takes(on) => world.alter(on, &event(NAMES[name]), enabled),
                Act::Drop { on, name } if takes(on) => world.drop(&event(NAMES[name])),
                Act::Ran { name } => {
                    let name = event(NAMES[name]);
                    if world.databases[writer].all.get(&name).is_some_and(|e| e.state == State::On) {
                        world.put(writer, &name, State::Off);
                        world.wished.insert(name, false);
                    }
                }
                Act::Follow(at) => { world.follow(at); }
                // There is a look every second, so earlier changes have been noted by then.
                Act::Promote(to) => { world.settle(); world.writer = to; }
                Act::Share(all) => { world.settle(); world.all_write = all; }
                Act::Alter { .. } | Act::Drop { .. } => {}
            }
        }
        world.settle();
        for (name, enabled) in &world.wished {
            for (at, database) in world.databases.iter().enumerate() {
                let on = database.all.get(name).map(|e| e.state) == Some(State::On);
                // On another database that takes writes, the state says what was last asked there; its scheduler is
                // off.
                if at == world.writer || !world.all_write {
                    prop_assert_eq!(on, *enabled && at == world.writer, "{} on {}: {:?}", name, at, &world);
                }
            }
        }
    }
}
