//! Histories that `every_history_ends_as_wished` found, step by step.

use super::*;

struct Tale {
    desired: Desired,
    world: World,
    memory: Observed,
}

impl Tale {
    fn steps(&mut self, limits: &[usize]) {
        for limit in limits {
            round(&mut self.desired, &mut self.world, &mut self.memory, *limit);
        }
    }

    fn wish(&mut self, change: &Request) {
        self.desired = self.desired.apply(change).expect("a change");
    }

    fn end(mut self) {
        settle(&mut self.desired, &mut self.world, &mut self.memory);
        let writer = self.desired.writer.clone().expect("a writer");
        assert_eq!(self.world.missing(&writer), 0, "acknowledged writes are gone: {:?}", self.desired);
    }
}

fn once() -> Tale {
    Tale { desired: first(), world: World::at(1_000_000), memory: Observed::default() }
}

fn power(server: &str, power: Power) -> Request {
    Request::SetPower { pool: PoolId::Db, name: name(server), power, force: true }
}

/// db2 sends an ACK for a write that it has not applied; both are stopped; only db2 is started again, without what
/// it had received. In that history it was elected without the write.
#[test]

fn the_standby_is_restarted_while_the_writer_is_stopped() {
    let mut tale = once();
    tale.steps(&[2, 3, 3, 2, 2, 1, 1, 1]);
    tale.wish(&power("db2", Power::Off));
    tale.wish(&power("db1", Power::Off));
    tale.wish(&Request::Restart { pool: PoolId::Db, name: name("db2"), force: true });
    tale.end();
}

/// Both are open when one writer is wanted again: they stay open until the next step on them. The test counts that
/// as two writers after any other step that comes first.
#[test]

fn one_writer_is_wished_while_both_are_open() {
    let mut tale = once();
    tale.wish(&Request::SetRouting { routing: Routing::AllWriters });
    tale.steps(&[3, 2, 1, 2, 2, 2, 2]);
    tale.wish(&Request::SetRouting { routing: Routing::OneWriter });
    let first = tale.world.alive().first().cloned().expect("a process");
    tale.world.die(&first);
    settle(&mut tale.desired, &mut tale.world, &mut tale.memory);
}

/// The standby lags by one row, and the writer has ended its connections: their last writes have numbers that the
/// standby would assign too.
#[test]
fn all_are_to_write_while_the_standby_lags() {
    let mut tale = once();
    settle(&mut tale.desired, &mut tale.world, &mut tale.memory);
    tale.wish(&Request::SetRouting { routing: Routing::AllWriters });
    tale.steps(&[9, 9, 9]);
    assert_eq!(tale.world.open().len(), 1, "the last row has not come");
    settle(&mut tale.desired, &mut tale.world, &mut tale.memory);
    assert_eq!(tale.world.open().len(), 2);
}
