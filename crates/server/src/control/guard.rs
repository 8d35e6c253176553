//! What the operator has to confirm, although the wish itself is valid. Pure functions: they decide on the snapshot
//! with the newest wish applied.

use cordee_domain::desired::{Membership, Power, Routing};
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::problem::Problem;
use cordee_domain::snapshot::{Role, ServerView, Snapshot};
use cordee_domain::state::{Severity, State};
use cordee_domain::text;
use cordee_domain::text::Text;

use super::act::{Consent, Given, Risk, ServerAct};

/// What an act on a server puts at stake, and so what the operator has to confirm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stake {
    /// The page asks the operator to type the server's name.
    pub name: bool,
    /// The page asks, in addition, to tick a box with the consequence.
    pub tick: bool,
    /// A program confirms with `force`; this is what it is told without it.
    pub force: Option<Text>,
    /// Neither the server nor its data are missed: the act needs no question.
    pub idle: bool,
}

/// Returns what `act` puts at stake.
pub fn stake(snapshot: &Snapshot, pool: PoolId, name: &ServerName, act: ServerAct) -> Stake {
    let Some(risk) = act.risk().filter(|risk| risk.fits(pool)) else { return Stake::default() };
    let seen = snapshot.servers.iter().find(|s| s.pool == pool && s.name.same_as(name));
    let Some(server) = seen else { return Stake::default() };
    let last = last_one(snapshot, pool, name);
    let name = server.name.as_str();
    // The data are at stake, not the service: a database that serves nobody may be the last one that has the data.
    let data = pool == PoolId::Db && matches!(risk, Risk::Remove | Risk::Recopy);
    let force = match (pool, risk) {
        (PoolId::Db, Risk::Remove | Risk::Recopy) => {
            last_standby(snapshot, &server.name).then(|| text!("problem-last-standby", name = name))
        }
        // Promote, Anyway and Recopy have a confirmation of their own.
        (_, Risk::Promote | Risk::Anyway | Risk::Recopy) => None,
        (PoolId::Web, _) => last.then(|| text!("problem-last-healthy", name = name)),
        (PoolId::Db, _) => last.then(|| text!("problem-last-database-stops", name = name)),
    };
    Stake {
        name: insists(snapshot, server, risk),
        tick: ticks(snapshot, server, risk),
        force,
        idle: !data && idle(snapshot, pool, &server.name),
    }
}

impl Stake {
    /// Returns what is confirmed once the operator gave everything that the act takes.
    pub const fn said(&self) -> Given {
        Given { force: self.name || self.idle, accept_loss: self.name }
    }

    /// Returns what was confirmed, or what is still to be confirmed.
    pub fn accept(
        &self,
        name: &ServerName,
        act: ServerAct,
        consent: &Consent,
    ) -> Result<Given, Vec<Problem>> {
        match consent {
            Consent::Flags { force, accept_loss } => match &self.force {
                Some(text) if !force => Err(vec![Problem::conflict("force", text.clone())]),
                _ => Ok(Given { force: *force || self.idle, accept_loss: *accept_loss }),
            },
            Consent::Answered { name: typed, know, .. } => {
                let mut problems = Vec::new();
                if self.name && typed.trim() != name.as_str() {
                    let text = text!("problem-confirm-name", name = name.as_str());
                    problems.push(Problem::invalid("confirm", text));
                }
                if self.tick && !know {
                    let text = match act {
                        ServerAct::Promote => text!("problem-confirm-loss"),
                        _ => text!("problem-confirm-tick"),
                    };
                    problems.push(Problem::invalid("know", text));
                }
                if problems.is_empty() { Ok(self.said()) } else { Err(problems) }
            }
        }
    }
}

/// Reports whether the act takes the server's name, typed: it would remove the last web server that serves, leave
/// out what only a lost writer holds, or give up a database's data.
pub fn insists(snapshot: &Snapshot, server: &ServerView, risk: Risk) -> bool {
    let gives_up = match risk {
        Risk::Recopy => true,
        Risk::Remove => server.pool == PoolId::Db && server.membership != Some(Membership::Joining),
        Risk::Restart | Risk::Stop | Risk::Promote | Risk::Drain | Risk::Maintenance | Risk::Anyway => false,
    };
    gives_up || ticks(snapshot, server, risk)
}

/// Reports whether the act takes, in addition, a tick at the consequence: visitors are left without a site, or
/// data may be missing.
pub fn ticks(snapshot: &Snapshot, server: &ServerView, risk: Risk) -> bool {
    let last = || last_one(snapshot, server.pool, &server.name);
    match risk {
        Risk::Promote => out_of_reach(snapshot),
        Risk::Stop | Risk::Restart | Risk::Drain | Risk::Maintenance => last(),
        Risk::Remove => server.pool == PoolId::Web && last(),
        Risk::Anyway => true,
        Risk::Recopy => false,
    }
}

/// Reports whether the writer cannot be asked to close and hand over: what only it holds would then be missing. A
/// writer that answers can be asked, whatever else is wrong with it.
pub fn out_of_reach(snapshot: &Snapshot) -> bool {
    let away = |state| {
        matches!(state, State::Down | State::Frozen | State::Unreachable | State::Unknown | State::Stopped)
    };
    let writer = snapshot.servers.iter().find(|s| s.role == Some(Role::Writer));
    writer.is_some_and(|w| w.power == Power::Off || away(w.status.state))
}

/// Reports whether no server of the pool would serve if `name` went away now, and none is on the way: then the act
/// takes an explicit confirmation. While another server is on the way, `name` waits for it by itself.
///
/// A server of which nothing is known may be the one that still answers, so `name` counts as serving; for the
/// other servers an unknown state is not enough.
pub fn last_one(snapshot: &Snapshot, pool: PoolId, name: &ServerName) -> bool {
    let mut pool_mates = snapshot.servers.iter().filter(|s| s.pool == pool);
    let serves = |s: &ServerView| s.status.serves() || s.status.severity == Severity::Unknown;
    pool_mates.clone().any(|s| s.name.same_as(name) && serves(s))
        && !pool_mates.any(|s| !s.name.same_as(name) && stays_or_comes(s))
}

/// Reports whether no other database could take over if `name`, which can, lost its data: that takes an explicit
/// confirmation. A database that differs or has fallen out is no candidate, and copying it again gives nothing up.
pub fn last_standby(snapshot: &Snapshot, name: &ServerName) -> bool {
    let standby = |s: &&ServerView| {
        s.pool == PoolId::Db && s.role == Some(Role::Standby) && s.membership == Some(Membership::Member)
    };
    let mut all = snapshot.servers.iter().filter(standby);
    let could = |s: &ServerView| s.status.serves() || s.status.severity == Severity::Unknown;
    all.clone().any(|s| s.name.same_as(name) && could(s))
        && !all.any(|s| !s.name.same_as(name) && stays_or_comes(s))
}

/// Checks whether all databases may take writes now. The error names what would give the same numbers on each of
/// them, as seen on the writer.
pub fn may_share(snapshot: &Snapshot, routing: Routing) -> Result<Routing, Problem> {
    match snapshot.sequences.as_ref().filter(|_| routing == Routing::AllWriters) {
        Some(why) => Err(Problem::conflict("routing", text!("problem-routing-sequences", why = why.clone()))),
        None => Ok(routing),
    }
}

/// Reports whether `name` serves nobody, and no other server is wished to serve: then whatever is done with it
/// takes nothing from visitors, and needs no confirmation. An unknown state is no proof.
pub fn idle(snapshot: &Snapshot, pool: PoolId, name: &ServerName) -> bool {
    let mut pool_mates = snapshot.servers.iter().filter(|s| s.pool == pool);
    let serves = |s: &ServerView| s.status.serves() || s.status.severity == Severity::Unknown;
    pool_mates.clone().any(|s| s.name.same_as(name) && !serves(s))
        && !pool_mates.any(|s| !s.name.same_as(name) && s.wanted)
}

/// Reports whether the server is wished to serve, and does or is on its way. That includes a server that the
/// snapshot shows as taken out and that was called back since.
fn stays_or_comes(server: &ServerView) -> bool {
    let may = [Severity::Good, Severity::Warning, Severity::Progress, Severity::Maintenance];
    server.wanted && may.contains(&server.status.severity)
}

#[cfg(test)]
mod tests {
    use cordee_domain::change::Request;
    use cordee_domain::desired::{Admin, Power};
    use cordee_domain::state::{State, Status};

    use super::*;
    use crate::web::fixture;

    fn name(text: &str) -> ServerName {
        ServerName::parse(text).unwrap()
    }

    /// `last_one` of web1, when web1 and web2 show these severities.
    fn last(first: Severity, second: Severity) -> bool {
        let mut snapshot = fixture::snapshot(&fixture::desired());
        snapshot.servers[0].status.severity = first;
        snapshot.servers[1].status.severity = second;
        last_one(&snapshot, PoolId::Web, &name("WEB1"))
    }

    #[test]
    fn a_sequence_with_a_step_of_its_own_keeps_all_from_writing() {
        let mut snapshot = fixture::snapshot(&fixture::desired());
        for routing in [Routing::OneWriter, Routing::AllWriters] {
            assert_eq!(may_share(&snapshot, routing), Ok(routing));
        }
        snapshot.sequences = Some(text!("db-broken"));
        assert_eq!(may_share(&snapshot, Routing::OneWriter), Ok(Routing::OneWriter), "the way back is free");
        let Err(problem) = may_share(&snapshot, Routing::AllWriters) else { panic!("it is let through") };
        assert_eq!(problem.text.key, "problem-routing-sequences");
    }

    #[test]
    fn the_last_one_that_serves_is_guarded() {
        assert!(last(Severity::Good, Severity::Critical));
        assert!(last(Severity::Warning, Severity::Unknown));
        assert!(!last(Severity::Good, Severity::Good));
        assert!(!last(Severity::Good, Severity::Warning));
    }

    #[test]
    fn one_that_serves_nobody_may_always_go() {
        assert!(!last(Severity::Critical, Severity::Critical));
        assert!(!last(Severity::Progress, Severity::Good));
    }

    #[test]
    fn the_only_one_that_is_wished_may_be_mended_while_it_serves_nobody() {
        let mut snapshot = fixture::snapshot(&fixture::desired());
        let idle_when = |snapshot: &mut Snapshot, severity, other| {
            snapshot.servers[0].status = Status::bare(severity, State::Down);
            snapshot.servers[1].wanted = other;
            idle(snapshot, PoolId::Web, &name("web1"))
        };
        assert!(idle_when(&mut snapshot, Severity::Critical, false));
        assert!(idle_when(&mut snapshot, Severity::Progress, false));
        assert!(
            !idle_when(&mut snapshot, Severity::Critical, true),
            "the other one is wished: nothing is refused"
        );
        assert!(!idle_when(&mut snapshot, Severity::Unknown, false));
        assert!(!idle_when(&mut snapshot, Severity::Good, false));
    }

    #[test]
    fn force_comes_of_what_is_at_stake_and_of_what_was_said() {
        let mut snapshot = fixture::snapshot(&fixture::desired());
        for (server, severity) in snapshot.servers.iter_mut().zip([
            Severity::Good,
            Severity::Critical,
            Severity::Good,
            Severity::Good,
        ]) {
            server.status.severity = severity;
        }
        let says = |act, consent: &Consent| {
            let said = stake(&snapshot, PoolId::Web, &name("web1"), act);
            let fields =
                |problems: Vec<Problem>| problems.into_iter().map(|p| p.field).collect::<Vec<_>>().join(" ");
            said.accept(&name("web1"), act, consent).map(|given| given.force).map_err(fields)
        };
        let answered = |name: &str, know| Consent::Answered { name: name.to_owned(), know, about: None };
        let forced = Consent::Flags { force: true, accept_loss: false };
        for act in
            ServerAct::ALL.into_iter().filter(|act| act.misplaced(PoolId::Web, &name("web1")).is_none())
        {
            let leaves = act.risk().is_some_and(|risk| risk != Risk::Anyway);
            let refused = |fields: &str| Err(fields.to_owned());
            assert_eq!(
                says(act, &Consent::NONE),
                if leaves { refused("force") } else { Ok(false) },
                "{act:?}"
            );
            assert_eq!(says(act, &forced), Ok(true), "{act:?}");
            let asks = act.risk().is_some();
            let at_all = |fields| if asks { refused(fields) } else { Ok(false) };
            assert_eq!(says(act, &answered("", false)), at_all("confirm know"), "{act:?}");
            assert_eq!(says(act, &answered("web2", true)), at_all("confirm"), "{act:?}");
            assert_eq!(says(act, &answered(" web1 ", false)), at_all("know"), "{act:?}");
            assert_eq!(says(act, &answered("web1", true)), Ok(asks), "{act:?}");
        }
    }

    #[test]
    fn not_knowing_guards_too() {
        assert!(last(Severity::Unknown, Severity::Unknown));
        assert!(!last(Severity::Unknown, Severity::Good));
    }

    #[test]
    fn one_that_is_on_its_way_is_waited_for_and_one_that_goes_is_not() {
        assert!(!last(Severity::Good, Severity::Progress), "web2 joins: web1 waits for it");
        assert!(!last(Severity::Good, Severity::Maintenance), "web2 was called back a moment ago");
        for change in [
            Request::SetAdmin { pool: PoolId::Web, name: name("web2"), admin: Admin::Drain, force: false },
            Request::SetPower { pool: PoolId::Web, name: name("web2"), power: Power::Off, force: false },
            Request::RemoveServer { pool: PoolId::Web, name: name("web2"), force: false },
        ] {
            // The snapshot is older than the wish.
            let before = fixture::desired();
            let mut snapshot = fixture::snapshot(&before);
            for server in &mut snapshot.servers {
                server.status.severity = Severity::Good;
            }
            assert!(!last_one(&snapshot, PoolId::Web, &name("web1")));
            let snapshot = snapshot.as_wished(&before.apply(&change).unwrap());
            assert!(last_one(&snapshot, PoolId::Web, &name("web1")), "{change:?}");
        }
    }

    #[test]
    fn the_last_database_is_guarded_and_an_unknown_name_is_nobody() {
        let mut snapshot = fixture::snapshot(&fixture::desired());
        let mut show = |server: &str, severity| {
            let shown = snapshot.servers.iter_mut().find(|s| s.name.as_str() == server);
            shown.unwrap().status.severity = severity;
            (last_one(&snapshot, PoolId::Db, &name("db2")), last_one(&snapshot, PoolId::Web, &name("web9")))
        };
        show("db2", Severity::Good);
        assert_eq!(show("db1", Severity::Good), (false, false));
        assert_eq!(show("db1", Severity::Critical), (true, false));
    }

    /// Both databases are stopped: db2 serves nobody, and its data are the only ones besides the writer's.
    #[test]
    fn data_that_are_the_last_are_not_given_up_because_nobody_is_served() {
        let mut snapshot = fixture::snapshot(&fixture::desired());
        for server in snapshot.servers.iter_mut().filter(|s| s.pool == PoolId::Db) {
            server.status = Status::bare(Severity::Maintenance, State::Stopped);
            server.wanted = false;
        }
        assert!(idle(&snapshot, PoolId::Db, &name("db2")));
        for act in [ServerAct::Remove, ServerAct::Recopy] {
            let given =
                stake(&snapshot, PoolId::Db, &name("db2"), act).accept(&name("db2"), act, &Consent::NONE);
            assert_eq!(
                given,
                Ok(Given::default()),
                "the wishes decide, and nothing was said yes to: {act:?}"
            );
        }
        let given = stake(&snapshot, PoolId::Db, &name("db2"), ServerAct::Restart).accept(
            &name("db2"),
            ServerAct::Restart,
            &Consent::NONE,
        );
        assert_eq!(
            given,
            Ok(Given { force: true, accept_loss: false }),
            "its restart takes nothing from anybody"
        );
    }

    #[test]
    fn the_last_database_that_could_take_over_is_guarded() {
        let mut snapshot = fixture::snapshot(&fixture::desired());
        let mut more = snapshot.servers.iter().find(|s| s.name.as_str() == "db2").unwrap().clone();
        more.name = name("db3");
        snapshot.servers.push(more);
        for server in snapshot.servers.iter_mut().filter(|s| s.pool == PoolId::Db) {
            (server.status.severity, server.membership, server.wanted) =
                (Severity::Good, Some(Membership::Member), true);
        }
        let standbys = |s: &Snapshot| ["db1", "db2", "db3"].map(|n| last_standby(s, &name(n)));
        assert_eq!(standbys(&snapshot), [false, false, false], "each has the other, and db1 writes");
        let alter = |change: fn(&mut ServerView)| {
            let mut snapshot = snapshot.clone();
            change(snapshot.servers.last_mut().unwrap());
            standbys(&snapshot)
        };
        assert_eq!(alter(|db3| db3.status.severity = Severity::Critical), [false, true, false]);
        assert_eq!(alter(|db3| db3.status.severity = Severity::Unknown), [false, true, false], "no proof");
        assert_eq!(alter(|db3| db3.wanted = false), [false, true, false], "it was stopped a moment ago");
        assert_eq!(alter(|db3| db3.membership = Some(Membership::Joining)), [false, true, false]);
    }
}
