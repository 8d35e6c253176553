//! What a page owes to those who use it, each sentence as a case: with keys alone, without script, without colour, in
//! both languages, and with a question before what cannot be taken back. The README says which case holds which
//! sentence.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

mod asked;
mod faults;
mod keys;
mod states;
mod walk;

use std::time::Duration;

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::suite::File;

use asked::{a_double_click_sends_one_request, every_question_says_what_it_does_to_whom};
use faults::the_connection_test_names_the_step_and_the_cause;
use keys::{
    a_database_is_removed_with_keys_alone, a_day_s_work_takes_keys_alone, every_stop_of_the_focus_is_seen,
    the_first_run_takes_keys_alone, what_is_pressed_and_goes_leaves_the_focus_nearby,
};
use states::{
    a_locked_sign_in_says_for_how_long, an_empty_cluster_says_what_to_do,
    what_nobody_tells_is_shown_as_unknown, whatever_is_wrong_is_told_without_colour,
};
use walk::{
    another_language_keeps_page_filter_and_place, every_answer_has_the_policy,
    every_page_is_of_one_language_and_whole_at_200_percent,
    without_script_a_person_signs_in_drains_and_reads,
};

const SHOWN: Duration = Duration::from_secs(10);
/// A server that was touched is well again, and one that was removed is gone, by then.
const SETTLED: Duration = Duration::from_secs(30);

/// Leaves the cluster to the next case as it was, whatever became of this one.
struct Tidy<'a>(&'a Cluster);

impl Drop for Tidy<'_> {
    fn drop(&mut self) {
        let api = self.0.api();
        if api.try_snapshot().is_ok_and(|s| s.find("keyed").is_some()) {
            let _ = api.call("DELETE", "/v1/pools/web/servers/keyed", None);
        }
        if api.try_snapshot().is_ok_and(|s| s.session.as_deref() != Some("proxy")) {
            let _ = self.0.cli(&["session", "proxy"]);
        }
        let _ = api.call("POST", "/v1/pools/web/servers/web2/ready", None);
    }
}

/// Its cases. The first one makes the account; the last ones leave a database and all web servers out, and lock this
/// machine's address out of the page for a minute.
pub fn file() -> File {
    File::new(
        "statements",
        &[],
        &[
            case!(the_first_run_takes_keys_alone),
            case!(a_day_s_work_takes_keys_alone),
            case!(what_is_pressed_and_goes_leaves_the_focus_nearby),
            case!(every_stop_of_the_focus_is_seen),
            case!(every_question_says_what_it_does_to_whom),
            case!(a_double_click_sends_one_request),
            case!(every_answer_has_the_policy),
            case!(every_page_is_of_one_language_and_whole_at_200_percent),
            case!(another_language_keeps_page_filter_and_place),
            case!(without_script_a_person_signs_in_drains_and_reads),
            case!(the_connection_test_names_the_step_and_the_cause),
            case!(whatever_is_wrong_is_told_without_colour),
            case!(what_nobody_tells_is_shown_as_unknown),
            case!(a_database_is_removed_with_keys_alone),
            case!(an_empty_cluster_says_what_to_do),
            case!(a_locked_sign_in_says_for_how_long),
        ],
    )
}
