use super::*;

#[test]
fn one_loss_is_wrong_and_nothing_asked_proves_nothing() {
    let verdict = |m: Measure| m.verdict();
    assert_eq!(verdict(Measure::Kept { kept: 100, of: 100 }), MeasureResult::Right);
    assert_eq!(verdict(Measure::Kept { kept: 99, of: 100 }), MeasureResult::Wrong);
    assert_eq!(verdict(Measure::Kept { kept: 0, of: 0 }), MeasureResult::Unknown);
    assert_eq!(verdict(Measure::Updates { acknowledged: 40, counted: 39 }), MeasureResult::Wrong);
    // More than was acknowledged: an addition was done twice.
    assert_eq!(verdict(Measure::Updates { acknowledged: 40, counted: 41 }), MeasureResult::Wrong);
    assert_eq!(verdict(Measure::Updates { acknowledged: 0, counted: 0 }), MeasureResult::Unknown);
    assert_eq!(verdict(Measure::Returned { returned: 0, of: 5 }), MeasureResult::Right);
    assert_eq!(verdict(Measure::Stale { stale: 1, of: 100 }), MeasureResult::Wrong);
    assert_eq!(verdict(Measure::Copies { running: false, different: 0 }), MeasureResult::Wrong);
    assert_eq!(verdict(Measure::Copies { running: true, different: 0 }), MeasureResult::Right);
    let survived = |failed| Measure::Survived { kept: 50, of: 50, failed, longest_ms: 12 };
    assert_eq!(verdict(survived(0)), MeasureResult::Right);
    assert_eq!(verdict(survived(1)), MeasureResult::Wrong);
}

#[test]
fn figures_are_compared_not_judged() {
    let rate = Measure::Rate { requests: 1_500, millis: 3_000 };
    assert_eq!((rate.verdict(), rate.per_second()), (MeasureResult::Figure, Some(500)));
    assert_eq!([1_234, 45, 2_000].map(hundredths), ["23", "04", "00"]);
}

#[test]
fn each_cell_is_measured_once_and_the_controls_are_expected_to_fail() {
    let all: Vec<_> = cells().collect();
    let mut once = all.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), all.len());
    assert_eq!(all.len(), 45 - 2 - 1);
    for (way, experiment) in all {
        let foreseen = expected(way, experiment);
        let figure = matches!(experiment, Experiment::Latency | Experiment::Throughput);
        assert_eq!(foreseen.is_none(), figure, "{way:?} {experiment:?}");
        if way.is_control() && !figure {
            assert_eq!(foreseen, Some(MeasureResult::Wrong), "{way:?} {experiment:?}");
        }
    }
}

#[test]
fn a_cell_is_found_by_its_column_and_row() {
    let measure = Measure::Updates { acknowledged: 40, counted: 40 };
    let cell = Cell { way: Way::Locked, experiment: Experiment::LostUpdates, at: 12, measure };
    let run =
        Run { id: 3, actor: "ada".to_owned(), begun: 10, ended: None, end: End::Running, cells: vec![cell] };
    assert!(run.cell(Way::Locked, Experiment::LostUpdates).is_some());
    assert!(run.cell(Way::Unlocked, Experiment::LostUpdates).is_none());
}
