//! Five ways to keep sessions, compared from the page: a person begins the run, sees the cells fill in, and finds the
//! picture that is foreseen. The site's visitors notice nothing, and nothing is left behind.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cordee_e2e::axe;
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::http::Client;
use cordee_e2e::person::Person;
use cordee_e2e::procs::{self, Process};
use cordee_e2e::suite::File;
use cordee_e2e::wait;
use serde_json::Value;

const SHOWN: Duration = Duration::from_secs(10);
/// The acceptance's own bound for a whole run.
const DONE: Duration = Duration::from_secs(300);
/// For taking a given-up run's cluster away.
const GONE: Duration = Duration::from_secs(60);
const CELLS: usize = 42;

/// Its cases.
pub fn file() -> File {
    File::new(
        "compare",
        &[],
        &[
            case!(a_run_begun_on_the_page_gives_the_picture_that_is_foreseen),
            case!(a_run_is_given_up_on_the_page_and_leaves_nothing_behind),
            case!(a_run_that_cordee_did_not_survive_is_broken_off_and_cleared_away),
            case!(a_run_under_way_goes_with_the_cluster),
        ],
    )
}

/// Asks for the site's first page until it is told to stop, and counts what failed.
fn visitors(cluster: &Cluster, stop: &Arc<AtomicBool>) -> std::thread::JoinHandle<(u32, u32)> {
    let (site, stop) = (cluster.site(), Arc::clone(stop));
    std::thread::spawn(move || {
        let (mut asked, mut failed) = (0, 0);
        let end = Instant::now() + DONE;
        while !stop.load(Ordering::Relaxed) && Instant::now() < end {
            let answer = Client::new(site).get("/");
            asked += 1;
            failed += u32::from(!answer.is_ok_and(|a| a.status == 200));
            std::thread::sleep(Duration::from_millis(50));
        }
        (asked, failed)
    })
}

fn runs(cluster: &Cluster) -> Vec<Value> {
    cluster.api().get("/v1/trials").as_array().expect("a list").clone()
}

fn newest(cluster: &Cluster) -> Value {
    runs(cluster).into_iter().next().expect("a run")
}

/// The processes of the run's own cluster, once it has some.
fn own_processes(cluster: &Cluster) -> Vec<Process> {
    let folder = cluster.home().join("sandbox");
    wait::until("the run's own cluster is there", Duration::from_secs(60), || {
        let found = procs::of_home(&folder);
        if found.len() > 6 { Ok(found) } else { Err(found.len()) }
    })
    .0
}

#[track_caller]
fn assert_nothing_left(cluster: &Cluster, own: &[Process]) {
    wait::until("nothing of the run is left", GONE, || {
        let left: Vec<String> = own.iter().filter(|p| p.lives()).map(Process::title).collect();
        if cluster.home().join("sandbox").exists() || !left.is_empty() { Err(left) } else { Ok(()) }
    });
}

fn pids(cluster: &Cluster) -> Vec<Option<u32>> {
    let seen = cluster.api().snapshot();
    let proxies = seen.proxies.iter().map(|p| p.worker_pid);
    proxies.chain(seen.servers.iter().map(|s| s.pid)).collect()
}

fn begin(person: &Person) {
    person.go("/sessions/compare");
    person.browser.click("form[action=\"/sessions/compare\"] button");
    person.browser.wait_for("[data-trial-bar]", SHOWN);
}

fn a_run_begun_on_the_page_gives_the_picture_that_is_foreseen(cluster: &Cluster) {
    let person = Person::sign_in(cluster);
    let before = pids(cluster);
    let stop = Arc::new(AtomicBool::new(false));
    let asking = visitors(cluster, &stop);
    let begun = Instant::now();
    begin(&person);
    let own = own_processes(cluster);
    person.mark();
    wait::until("cells fill in without a new page", DONE, || {
        let run = newest(cluster);
        assert!(
            ["running", "done"].contains(&run["state"].as_str().unwrap_or("")),
            "it ended early: {run:#}"
        );
        let done = person.browser.text("[data-trial-done]").unwrap_or_default();
        if done.parse::<usize>().unwrap_or(0) >= 3 { Ok(()) } else { Err(done) }
    });
    person.assert_not_reloaded();
    let first = "[data-cell=\"files-anywhere/login-across\"] [data-light]";
    let st = person.browser.script("return document.querySelector(arguments[0]).dataset.st", &[first.into()]);
    assert_eq!(st, "crit", "the first control fails visibly");
    assert_eq!(cluster.api().post("/v1/trials", &Value::Null).status, 409, "there is only one run at a time");
    let run = wait::until("the run is done", DONE, || {
        let run = newest(cluster);
        assert!(
            ["running", "done"].contains(&run["state"].as_str().unwrap_or("")),
            "it ended early: {run:#}"
        );
        if run["state"] == "done" { Ok(run) } else { Err(run["says"].clone()) }
    })
    .0;
    println!("#   done after {:.0} s", begun.elapsed().as_secs_f64());
    stop.store(true, Ordering::Relaxed);
    let (asked, failed) = asking.join().unwrap();
    println!("#   visitors of the site meanwhile: {asked} requests, {failed} failed");
    judge(&run);
    assert_eq!(failed, 0, "visitors noticed the comparison");
    assert!(asked > 100, "{asked} requests prove nothing");
    assert_nothing_left(cluster, &own);
    assert_eq!(pids(cluster), before, "the cluster's own servers run as they did");
    shown_in_both_languages(cluster, &person, &run);
}

/// Every cell is measured, dated, says how, and is as foreseen.
fn judge(run: &Value) {
    let cells = run["cells"].as_array().unwrap();
    let mut wrong = Vec::new();
    for cell in cells {
        let text = |key: &str| cell[key].as_str().unwrap_or_default().to_owned();
        println!("#   {:28} {:34} {:8} {}", text("way"), text("experiment"), text("verdict"), text("says"));
        assert!(cell["at"].as_u64().unwrap() > 0 && !text("how").is_empty());
        let as_foreseen = match &cell["expected"] {
            Value::Null => cell["verdict"] == "figure",
            expected => cell["verdict"] == *expected,
        };
        if !as_foreseen {
            wrong.push(cell.clone());
        }
    }
    assert_eq!(cells.len(), CELLS);
    assert!(wrong.is_empty(), "not as foreseen: {wrong:#?}");
}

fn shown_in_both_languages(cluster: &Cluster, person: &Person, run: &Value) {
    for (language, word) in [("fr", "Oui"), ("en", "Yes")] {
        person.browser.set_cookie("cordee_lang", language);
        person.go(&format!("/sessions/compare/{}", run["id"]));
        let shown = person.browser.text("[data-cell=\"locked/lost-updates\"]").unwrap_or_default();
        assert!(shown.contains(word), "{language}: {shown}");
        assert!(person.browser.sees("#times rect") && person.browser.sees("#rates rect"), "the graphs");
        assert_eq!(axe::violations(&person.browser), Vec::<String>::new(), "{language}");
        assert_eq!(person.browser.complaints(), Vec::<String>::new(), "{language}");
        for width in [360, 1280] {
            person.browser.width(width);
            let wide = person.browser.script("return document.documentElement.scrollWidth - innerWidth", &[]);
            assert!(wide.as_i64().unwrap() <= 0, "{language}: wider than {width}");
        }
    }
    let answer = cluster.signed_in().get(&format!("/api/v1/trials/{}", run["id"])).unwrap();
    let exported: Value = serde_json::from_slice(&answer.body).expect("the export is JSON");
    assert_eq!(exported["cells"].as_array().unwrap().len(), CELLS);
}

fn a_run_is_given_up_on_the_page_and_leaves_nothing_behind(cluster: &Cluster) {
    let person = Person::sign_in(cluster);
    begin(&person);
    let own = own_processes(cluster);
    person.browser.click("form[action=\"/sessions/compare/cancel\"] button");
    assert_nothing_left(cluster, &own);
    wait::until("the run is shown as given up", SHOWN, || {
        let run = newest(cluster);
        if run["state"] == "cancelled" { Ok(()) } else { Err(run["state"].clone()) }
    });
    assert_eq!(runs(cluster).len(), 2, "both runs are kept");
    let said = cluster.cli(&["compare", "cancel"]);
    assert_eq!(said.code, 1, "there is nothing to give up: {said:?}");
}

fn a_run_that_cordee_did_not_survive_is_broken_off_and_cleared_away(cluster: &Cluster) {
    let serve = cluster.serve().expect("it serves");
    cluster.cli_ok(&["compare", "begin"]);
    let own = own_processes(cluster);
    cluster.signal(serve.pid, rustix::process::Signal::KILL);
    assert_nothing_left(cluster, &own);
    wait::until("the run is shown as broken off", SHOWN, || {
        let reply = cluster.api().call("GET", "/v1/trials", None).map_err(|e| e.to_string())?;
        let state = reply.body[0]["state"].clone();
        if state == "broken-off" { Ok(()) } else { Err(state.to_string()) }
    });
    cluster.settle();
}

/// What follows is the end of the cluster, which leaves nothing behind: the last case, so that it meets a run.
fn a_run_under_way_goes_with_the_cluster(cluster: &Cluster) {
    cluster.cli_ok(&["compare", "begin"]);
    assert!(!own_processes(cluster).is_empty(), "nothing runs yet: the end would prove nothing");
}
