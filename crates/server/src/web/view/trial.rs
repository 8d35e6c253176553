//! A run of the comparison of sessions, in words: the table, the bars, the line of a run in the history.

use cordee_domain::text;
use cordee_domain::trial::{self, Cell, Experiment, Measure, MeasureResult, Run, Way};
use serde::Serialize;

use super::{actor, clock_time, stamp};
use crate::jobs::{Doing, UnderWay};
use crate::words::Lang;

/// One measured cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CellRow {
    /// `WAY/EXPERIMENT`: where it stands in the table.
    pub key: String,
    /// The value of `data-st`; a figure has none.
    pub st: &'static str,
    /// The shape.
    pub icon: &'static str,
    /// Yes or no, or nothing for a figure.
    pub word: String,
    /// What was counted.
    pub says: String,
    /// Not what is foreseen for this way.
    pub surprise: bool,
    /// When it was measured, for a person.
    pub time: String,
}

/// The place of a cell.
pub fn key(way: Way, experiment: Experiment) -> String {
    format!("{}/{}", way.as_str(), experiment.as_str())
}

/// A cell in words.
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
    /// A remark beside it, or nothing.
    pub tag: String,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// The experiment.
    pub name: String,
    /// How it is measured.
    pub how: String,
    /// A place in each column.
    pub places: Vec<TableCell>,
}

/// One place of the table.
#[derive(Clone, Debug)]
pub struct TableCell {
    /// Where it is.
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
    /// The length of the lighter part beyond it: 99 of 100.
    pub beyond: u64,
}

/// A whole run.
#[derive(Clone, Debug)]
pub struct RunView {
    /// Its id.
    pub id: u64,
    /// When it began, for `<time datetime>` and for a person.
    pub iso: String,
    /// The same for a person.
    pub date: String,
    /// Who asked.
    pub actor: String,
    /// How it ended.
    pub end: String,
    /// How long it took, in seconds; nothing when it has not ended well.
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

/// A run in words.
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

/// How far a run is, for the page that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Its id.
    pub id: u64,
    /// What is being done.
    pub doing: String,
    /// Cells measured.
    pub done: usize,
    /// Cells in all.
    pub of: usize,
    /// Those that are measured.
    pub cells: Vec<CellRow>,
}

/// A run under way, in words.
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
