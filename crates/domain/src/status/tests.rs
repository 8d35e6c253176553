use super::*;
use crate::db::failover::tests::scene::{Scene, cluster, name};

fn word(scene: &Scene, server: &str) -> (Light, Text) {
    let server = scene.desired.db.server(&name(server)).expect("a server");
    let status = database(&scene.desired, &scene.seen, server, scene.now);
    (status.light, status.word)
}

#[test]
fn one_whose_writes_are_not_copied_is_not_shown_as_well() {
    let scene = cluster(1);
    assert_eq!(word(&scene, "db1"), (Light::Good, text!("status-in-sync")));
    let scene = scene.broken("db2");
    assert_eq!(word(&scene, "db2"), (Light::Critical, text!("status-replication-stopped")));
    assert_eq!(word(&scene, "db1"), (Light::Warning, text!("status-not-copied")));
    let scene = cluster(1).idle("db2");
    assert_eq!(word(&scene, "db1").0, Light::Good, "it is about to be started again");
}
