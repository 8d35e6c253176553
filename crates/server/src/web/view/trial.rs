//! A run of the comparison of sessions, in words: the table, the bars, and the run's line in the history.

use cordee_domain::text;
use cordee_domain::trial::{self, Cell, Experiment, Measure, MeasureResult, Run, Way};
use serde::Serialize;

use super::{actor, clock_time, stamp};
use crate::jobs::{Doing, UnderWay};
use crate::words::Lang;

/// One measured cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CellRow {
    /// `WAY/EXPERIMENT`: its place in the table.
    pub key: String,
    /// The value of `data-st`; empty for a figure.
    pub st: &'static str,
    /// The icon.
    pub icon: &'static str,
    /// Yes or no; empty for a figure.
    pub word: String,
    /// What was counted.
    pub says: String,
    /// The result differs from what is expected of this way.
    pub surprise: bool,
    /// When it was measured, as people write it.
    pub time: String,
}

/// Returns the key of a cell.
pub fn key(way: Way, experiment: Experiment) -> String {
    format!("{}/{}", way.as_str(), experiment.as_str())
}

/// Puts a cell into words.
pub fn cell(cell: &Cell, lang: Lang) -> CellRow {
    let verdict = cell.measure.verdict();
    let (st, icon) = match verdict {
        MeasureResult::Right => ("good", "good"),
        MeasureResult::Wrong => ("crit", "crit"),
        MeasureResult::Unknown => ("unknown", "unknown"),
        MeasureResult::Figure => ("", "info"),
    };
    let foreseen = trial::expected(cell.way, cell.experiment);
    CellRow {
        key: key(cell.way, cell.experiment),
        st,
        icon,
        word: if verdict == MeasureResult::Figure { String::new() } else { lang.say(&verdict.word()) },
        says: lang.say(&cell.measure.sentence()),
        surprise: foreseen.is_some_and(|f| f != verdict),
        time: clock_time(cell.at),
    }
}

/// A column's head.
#[derive(Clone, Debug)]
pub struct Column {
    /// The way's name.
    pub name: String,
    /// A remark beside the name; may be empty.
    pub tag: String,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// The experiment.
    pub name: String,
    /// How it is measured.
    pub how: String,
    /// One place for each column.
    pub places: Vec<TableCell>,
}

/// One place of the table.
#[derive(Clone, Debug)]
pub struct TableCell {
    /// Its key.
    pub key: String,
    /// Whether there is anything to measure.
    pub applies: bool,
    /// What was measured.
    pub cell: Option<CellRow>,
}

/// A bar of a graph.
#[derive(Clone, Debug)]
pub struct Bar {
    /// The way.
    pub name: String,
    /// What was measured.
    pub says: String,
    /// Its length, of 100.
    pub length: u64,
    /// The length of the lighter part beyond it, up to the time within which 99 of 100 requests were answered.
    pub beyond: u64,
}

/// A whole run.
#[derive(Clone, Debug)]
pub struct RunView {
    /// Its id.
    pub id: u64,
    /// When it began, for `<time datetime>`.
    pub iso: String,
    /// The same, as people write it.
    pub date: String,
    /// Who asked for it.
    pub actor: String,
    /// How it ended.
    pub end: String,
    /// How long it took, in seconds; `None` when it has not ended.
    pub seconds: Option<u64>,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
    /// Time per request.
    pub times: Vec<Bar>,
    /// Requests per second.
    pub rates: Vec<Bar>,
}

/// Puts a run into words.
pub fn run(run: &Run, lang: Lang) -> RunView {
    RunView {
        id: run.id,
        iso: stamp(run.begun).to_string(),
        date: super::day(run.begun),
        actor: actor(&run.actor, lang),
        end: lang.say(&run.end.sentence()),
        seconds: run.ended.map(|end| end.saturating_sub(run.begun) / 1_000),
        columns: Way::ALL.into_iter().map(|way| column(way, lang)).collect(),
        rows: Experiment::ALL.into_iter().map(|e| row(run, e, lang)).collect(),
        times: times(run, lang),
        rates: rates(run, lang),
    }
}

fn column(way: Way, lang: Lang) -> Column {
    let tag = match way {
        Way::Locked => lang.tr("trial-advised"),
        _ if way.is_control() => lang.tr("trial-control"),
        _ => String::new(),
    };
    Column { name: lang.say(&way.name()), tag }
}

fn row(run: &Run, experiment: Experiment, lang: Lang) -> Row {
    let place = |way: Way| TableCell {
        key: key(way, experiment),
        applies: experiment.applies(way),
        cell: run.cell(way, experiment).map(|c| cell(c, lang)),
    };
    Row {
        name: lang.say(&experiment.name()),
        how: lang.say(&experiment.how()),
        places: Way::ALL.into_iter().map(place).collect(),
    }
}

fn times(run: &Run, lang: Lang) -> Vec<Bar> {
    let measured = |way: Way| match run.cell(way, Experiment::Latency)?.measure {
        Measure::Times { median, high, .. } => Some((way, median, high)),
        _ => None,
    };
    let all: Vec<_> = Way::ALL.into_iter().filter_map(measured).collect();
    let most = all.iter().map(|(_, _, high)| *high).max().unwrap_or(0).max(1);
    all.into_iter()
        .map(|(way, median, high)| Bar {
            name: lang.say(&way.name()),
            says: says(run, way, Experiment::Latency, lang),
            length: median * 100 / most,
            beyond: high.saturating_sub(median) * 100 / most,
        })
        .collect()
}

fn rates(run: &Run, lang: Lang) -> Vec<Bar> {
    let measured = |way: Way| Some((way, run.cell(way, Experiment::Throughput)?.measure.per_second()?));
    let all: Vec<_> = Way::ALL.into_iter().filter_map(measured).collect();
    let most = all.iter().map(|(_, rate)| *rate).max().unwrap_or(0).max(1);
    all.into_iter()
        .map(|(way, rate)| Bar {
            name: lang.say(&way.name()),
            says: says(run, way, Experiment::Throughput, lang),
            length: rate * 100 / most,
            beyond: 0,
        })
        .collect()
}

fn says(run: &Run, way: Way, experiment: Experiment, lang: Lang) -> String {
    run.cell(way, experiment).map(|c| lang.say(&c.measure.sentence())).unwrap_or_default()
}

/// The progress of a run, for an open page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Its id.
    pub id: u64,
    /// What the run is doing.
    pub doing: String,
    /// How many cells are measured.
    pub done: usize,
    /// How many cells there are.
    pub of: usize,
    /// The cells that are measured.
    pub cells: Vec<CellRow>,
}

/// Puts a run under way into words.
pub fn progress(under_way: &UnderWay, lang: Lang) -> Progress {
    let doing = match under_way.doing {
        Doing::Starting => text!("trial-doing-start"),
        Doing::Clearing => text!("trial-doing-clear"),
        Doing::Measuring(way, experiment) => {
            text!("trial-doing", way = way.name(), experiment = experiment.name())
        }
    };
    let run = &under_way.run;
    Progress {
        id: run.id,
        doing: lang.say(&doing),
        done: run.cells.len(),
        of: trial::cells().count(),
        cells: run.cells.iter().map(|c| cell(c, lang)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use cordee_domain::trial::End;

    use super::*;

    fn cells(all: &[(Way, Experiment, Measure)]) -> Vec<Cell> {
        let cell = |(way, experiment, measure): &(Way, Experiment, Measure)| Cell {
            way: *way,
            experiment: *experiment,
            at: 1_000,
            measure: measure.clone(),
        };
        all.iter().map(cell).collect()
    }

    #[test]
    fn what_is_not_foreseen_is_marked_and_bars_are_shares_of_the_longest() {
        let cells = cells(&[
            (Way::Locked, Experiment::LostUpdates, Measure::Updates { acknowledged: 40, counted: 40 }),
            (Way::Unlocked, Experiment::LostUpdates, Measure::Updates { acknowledged: 40, counted: 40 }),
            (Way::FilesSticky, Experiment::Throughput, Measure::Rate { requests: 2_000, millis: 1_000 }),
            (Way::Locked, Experiment::Throughput, Measure::Rate { requests: 500, millis: 1_000 }),
            (Way::Locked, Experiment::Latency, Measure::Times { median: 1_000, high: 4_000, without: 500 }),
        ]);
        let (actor, end) = ("ada".to_owned(), End::Done);
        let view = run(&Run { id: 1, actor, begun: 0, ended: Some(90_000), end, cells }, Lang::En);
        let lost = view.rows.iter().flat_map(|r| &r.places).filter_map(|p| p.cell.as_ref());
        let surprises: Vec<_> = lost.filter(|c| c.surprise).map(|c| c.key.as_str()).collect();
        assert_eq!(surprises, ["unlocked/lost-updates"]);
        assert_eq!(view.rates.iter().map(|b| b.length).collect::<Vec<_>>(), [100, 25]);
        assert_eq!(view.times.iter().map(|b| (b.length, b.beyond)).collect::<Vec<_>>(), [(25, 75)]);
        assert_eq!(view.seconds, Some(90));
    }
}
