//! Failover drills, stored as a whole with all that was counted.

use cordee_domain::drill::{Drill, Order, Report, Target};
use cordee_domain::trial::End;
use cordee_node::clock::now;

use super::runs::DRILLS;
use super::{Store, StoreError};

impl Store {
    /// Stores a new drill: from now on a Cordée that finds it running repairs what the drill may have left.
    pub fn begin_drill(&self, actor: &str, order: Order, target: Target) -> Result<Drill, StoreError> {
        self.begin_run(DRILLS, |id| {
            let (actor, report) = (actor.to_owned(), Report::default());
            Drill { id, actor, begun: now(), ended: None, end: End::Running, order, target, report }
        })
    }

    /// Stores the present state of a drill.
    pub fn keep_drill(&self, drill: &Drill) -> Result<(), StoreError> {
        self.keep_run(DRILLS, drill.id, drill)
    }

    /// Returns all drills, newest first.
    pub fn drills(&self) -> Result<Vec<Drill>, StoreError> {
        self.runs(DRILLS)
    }

    /// Returns one drill.
    pub fn drill(&self, id: u64) -> Result<Option<Drill>, StoreError> {
        self.one_run(DRILLS, id)
    }
}

#[cfg(test)]
mod tests {
    use cordee_domain::drill::{RawOrder, Said};
    use cordee_domain::ids::{PoolId, ProcessName};
    use cordee_domain::state::Severity;
    use cordee_domain::text;

    use super::*;
    use crate::web::fixture;

    #[test]
    fn a_drill_is_read_back_as_it_was_counted() {
        let (app, _asks, _folder) = fixture::app();
        let store = app.store;
        let [target, how, confirm] = ["haproxy-web", "kill", "web"].map(str::to_owned);
        let order = RawOrder { target, how, confirm, ..RawOrder::usual() }.parse().unwrap();
        let target = Target::Process(ProcessName::Proxy(PoolId::Web));
        let mut drill = store.begin_drill("ada", order, target).unwrap();
        assert_eq!(store.drill(drill.id).unwrap(), Some(drill.clone()));
        drill.report.sessions = 7;
        let (about, word) = (String::new(), text!("verdict-critical"));
        drill.report.said.push(Said { ms: Some(12), about, severity: Severity::Critical, word });
        drill.end = End::Failed { why: text!("problem-store") };
        store.keep_drill(&drill).unwrap();
        assert_eq!(store.drills().unwrap(), vec![drill]);
        assert_eq!(store.drill(99).unwrap(), None);
    }

    #[test]
    fn a_drill_that_was_stored_before_a_page_could_be_chosen_is_of_the_demonstration() {
        let [target, how, confirm, url, status] = ["web1", "kill", "web", "/shop", "302"].map(str::to_owned);
        let raw = RawOrder { target, how, confirm, url, status, ..RawOrder::usual() };
        let chosen = raw.parse().unwrap();
        let mut stored = serde_json::to_value(&chosen).unwrap();
        assert_eq!(serde_json::from_value::<Order>(stored.clone()).unwrap(), chosen);
        stored.as_object_mut().unwrap().remove("aim");
        let before = RawOrder { url: String::new(), status: String::new(), ..raw };
        assert_eq!(serde_json::from_value::<Order>(stored).unwrap(), before.parse().unwrap());
    }
}
