//! A state file that another Cordée serves.

use super::*;
use crate::web::fixture;

#[test]
fn what_another_cordee_serves_is_looked_at_before_that_one_is_stopped() {
    let folder = fixture::Folder::new();
    let home = Home::open(&folder.0.join("home")).unwrap();
    let desired = fixture::desired();
    drop(Store::open(&home.state(), || Some(desired.clone())).unwrap());
    let config = |site| Config {
        home: home.root.clone(),
        page: None,
        names: None,
        site,
        db: None,
        writer: None,
        ports: None,
        trial: false,
    };
    let could = |site| could_serve(&home, &config(site));
    could(None).unwrap();
    assert!(matches!(could(Some(desired.page)), Err(RunError::Addresses)), "the page's own");
    let file = rusqlite::Connection::open(home.state()).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    let newer = could(None);
    assert!(matches!(newer, Err(RunError::Store(StoreError::Newer { found: 99, .. }))), "{newer:?}");
    file.pragma_update(None, "user_version", 1).unwrap();
    could(None).unwrap();
    drop(file);
    std::fs::write(home.state(), [0; 4_096]).unwrap();
    assert!(matches!(could(None), Err(RunError::Home(HomeError::Damaged { .. }))));
}
