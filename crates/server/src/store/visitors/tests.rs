//! The list of visitors, in a file of the test's own.

use cordee_domain::haproxy::log;

use super::*;

struct File(std::path::PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open() -> (File, Visitors) {
    let folder = std::env::temp_dir().join(format!("cordee-{}", cordee_node::random::token(8).unwrap()));
    std::fs::create_dir(&folder).unwrap();
    let visitors = Visitors::open(&folder.join("visitors.db")).unwrap();
    (File(folder), visitors)
}

fn tally(lines: &[(&str, u64, &str, u16, &str)]) -> Tally {
    let mut tally = Tally::default();
    for (address, at, server, status, change) in lines {
        let line = format!("cordee3 key 7 {at} {address} {status} {server} 3 76 474554 2F - {change} - - -");
        tally.take(&log::parse(line.as_bytes(), "key"), false);
    }
    tally
}

const BLUE: &str = "2D3E626C6575";

#[test]
fn a_visitor_is_listed_in_all_and_for_each_server() {
    let (_file, visitors) = open();
    assert_eq!(visitors.mark().unwrap(), None);
    let first = tally(&[("10.0.0.1", 100, "web1", 200, "-"), ("10.0.0.2", 150, "<NOSRV>", 503, "-")]);
    let mark = Mark { at: 1, worker: Some(7), lines: 2, counts: first.counts };
    visitors.keep(&first, mark).unwrap();
    let second = tally(&[("10.0.0.1", 200, "web2", 303, BLUE), ("10.0.0.1", 190, "web1", 404, "-")]);
    visitors.keep(&second, mark).unwrap();
    assert_eq!(visitors.mark().unwrap(), Some(mark));

    let all = visitors.list(&Which::default(), 10, 0).unwrap();
    let rows: Vec<_> =
        all.iter().map(|v| (v.address.as_str(), v.first, v.last, v.requests, v.errors)).collect();
    assert_eq!(rows, [("10.0.0.1", 100, 200, 3, 1), ("10.0.0.2", 150, 150, 1, 1)]);
    let shares: Vec<_> = all[0].servers.iter().map(|s| (s.server.as_str(), s.requests)).collect();
    assert_eq!(shares, [("web1", 2), ("web2", 1)]);
    assert_eq!(all[1].servers[0].server, NOBODY);

    let web2 = Which { server: ServerName::parse("web2").ok(), ..Which::default() };
    let of_web2 = visitors.list(&web2, 10, 0).unwrap();
    assert_eq!((of_web2.len(), of_web2[0].requests, visitors.count(&web2).unwrap()), (1, 1, 1));
    let filtered = Which { address: "0.2".to_owned(), server: None };
    assert_eq!(visitors.list(&filtered, 10, 0).unwrap().len(), 1);
    let changes = visitors.changes(&web2, 0, 10).unwrap();
    assert_eq!((changes[0].from.as_deref(), changes[0].to.as_str(), changes[0].at), (None, "bleu", 200));
    assert!(visitors.changes(&web2, changes[0].id, 10).unwrap().is_empty());
}

#[test]
fn by_address_nobody_is_left_out_who_comes_again_meanwhile() {
    let (_file, visitors) = open();
    let all = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"];
    for (at, address) in all.iter().enumerate() {
        let at = u64::try_from(at).unwrap();
        visitors.keep(&tally(&[(address, at, "web1", 200, "-")]), Mark::default()).unwrap();
    }
    let addresses = |rows: &[Visitor]| rows.iter().map(|v| v.address.clone()).collect::<Vec<_>>();
    let which = Which::default();
    let mut found = addresses(&visitors.by_address(&which, "", 2).unwrap());
    visitors.keep(&tally(&[("10.0.0.3", 900, "web1", 200, "-")]), Mark::default()).unwrap();
    found.extend(addresses(&visitors.by_address(&which, &found[1], 2).unwrap()));
    assert_eq!(found, all);
    let one = Which { address: "0.4".to_owned(), server: ServerName::parse("web1").ok() };
    assert_eq!(addresses(&visitors.by_address(&one, "", 9).unwrap()), ["10.0.0.4"]);
}

#[test]
fn who_did_not_come_again_is_forgotten() {
    let (_file, visitors) = open();
    let old = tally(&[("10.0.0.1", 100, "web1", 200, BLUE), ("10.0.0.2", 100, "web1", 200, "-")]);
    visitors.keep(&old, Mark::default()).unwrap();
    visitors.keep(&tally(&[("10.0.0.2", 900, "web1", 200, BLUE)]), Mark::default()).unwrap();
    visitors.note_gap(Gap { since: 10, until: 20, requests: Some(3) }).unwrap();
    assert!(!visitors.forget(500).unwrap());
    let left = visitors.list(&Which::default(), 10, 0).unwrap();
    assert_eq!((left.len(), left[0].address.as_str(), left[0].requests), (1, "10.0.0.2", 2));
    assert_eq!(visitors.changes(&Which::default(), 0, 10).unwrap().len(), 1);
    assert!(visitors.gaps(10).unwrap().is_empty());
}

#[test]
fn what_was_kept_whole_is_shortened_later() {
    let (_file, visitors) = open();
    let rows = [
        ("192.0.2.1", 1, "web1", 200, BLUE),
        ("192.0.2.9", 5, "web1", 500, "-"),
        ("2001:db8::1", 3, "web2", 200, "-"),
    ];
    visitors.keep(&tally(&rows), Mark::default()).unwrap();
    let mut after = String::new();
    while let Some(last) = visitors.shorten(&after).unwrap() {
        after = last;
    }
    let all = visitors.list(&Which::default(), 10, 0).unwrap();
    let short: Vec<_> = all.iter().map(|v| (v.address.as_str(), v.requests, v.first, v.last)).collect();
    assert_eq!(short, [("192.0.2.0/24", 2, 1, 5), ("2001:db8::/48", 1, 3, 3)]);
    assert_eq!(visitors.changes(&Which::default(), 0, 10).unwrap()[0].address, "192.0.2.0/24");
    assert_eq!(visitors.writer().addresses, 2);
}
