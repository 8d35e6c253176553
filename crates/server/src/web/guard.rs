//! What needs a second thought from the person, although the wish itself is valid.

use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::snapshot::{ServerView, Snapshot};
use cordee_domain::status::Light;

/// Whether visitors would be left without any web server if `name` went away now.
///
/// A server of which nothing is known may be the one that still answers, so it counts as such; for the
/// others not knowing is not enough.
pub fn last_healthy(snapshot: &Snapshot, pool: PoolId, name: &ServerName) -> bool {
    let healthy = |s: &ServerView| s.status.serves();
    let mut pool_mates = snapshot.servers.iter().filter(|s| s.pool == pool);
    pool == PoolId::Web
        && pool_mates
            .clone()
            .any(|s| s.name.same_as(name) && (healthy(s) || s.status.light == Light::Unknown))
        && !pool_mates.any(|s| !s.name.same_as(name) && healthy(s))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::fixture;

    fn name(text: &str) -> ServerName {
        ServerName::parse(text).unwrap()
    }

    /// `last_healthy` of web1, when web1 and web2 show these lights.
    fn last(first: Light, second: Light) -> bool {
        let mut snapshot = fixture::snapshot(&fixture::desired());
        snapshot.servers[0].status.light = first;
        snapshot.servers[1].status.light = second;
        last_healthy(&snapshot, PoolId::Web, &name("WEB1"))
    }

    #[test]
    fn the_last_one_that_serves_is_guarded() {
        assert!(last(Light::Good, Light::Critical));
        assert!(last(Light::Warning, Light::Maintenance));
        assert!(!last(Light::Good, Light::Good));
        assert!(!last(Light::Good, Light::Warning));
    }

    #[test]
    fn one_that_serves_nobody_may_always_go() {
        assert!(!last(Light::Critical, Light::Critical));
        assert!(!last(Light::Progress, Light::Good));
    }

    #[test]
    fn not_knowing_guards_too() {
        assert!(last(Light::Unknown, Light::Unknown));
        assert!(!last(Light::Unknown, Light::Good));
    }

    #[test]
    fn databases_and_unknown_names_are_not_its_business() {
        let snapshot = fixture::snapshot(&fixture::desired());
        assert!(!last_healthy(&snapshot, PoolId::Db, &name("db1")));
        assert!(!last_healthy(&snapshot, PoolId::Web, &name("web9")));
    }
}
