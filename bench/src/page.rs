//! (h) The dashboard in a browser: what its first load costs with thirty web servers and with a thousand, against the
//! same page without its script; what it does at rest, and while a hundred of a thousand servers change each second.

use std::time::Duration;

use cordee_e2e::cluster::Cluster;
use cordee_e2e::crowd::Crowd;
use cordee_e2e::http::Client;
use cordee_e2e::person::Person;
use cordee_e2e::stage::Stage;
use cordee_e2e::weight::{
    self, CHANGES, GROWS, Loaded, NODES, OCTETS, SERVERS, STYLES, TASK_MS, TOLD, USABLE_MS, Work,
};

use crate::figures::Figures;
use crate::report::Report;
use crate::still::Still;

/// Loads of each page, in turns.
const LOADS: usize = 9;
/// For so long an open page is looked at.
const LOOKED: Duration = Duration::from_secs(30);

/// Thirty servers of a real cluster, then the stage with a thousand.
pub fn measure(cluster: &Cluster) -> Report {
    let mut report = Report::new("8. The page in a browser");
    at_rest(cluster, &mut report);
    thirty(cluster, &mut report);
    thousand(&mut report);
    report
}

/// What the titles of a page's rows are.
struct Titles {
    elements: &'static str,
    octets: &'static str,
    usable: &'static str,
    live: &'static str,
    task: &'static str,
    frame: &'static str,
    still: &'static str,
    still_frame: &'static str,
    ratio: &'static str,
    same: &'static str,
}

const THIRTY: Titles = Titles {
    elements: "Elements, 30 web servers",
    octets: "… octets of the first load (page and files, greeting of the stream)",
    usable: "… usable after",
    live: "… follows the cluster after",
    task: "… longest task of each load",
    frame: "… longest frame of each load (style and layout, and waiting for them)",
    still: "… the same page without its script (reference), usable after",
    still_frame: "… … longest frame",
    ratio: "… ratio of usable, page / page without script",
    same: "… … without script / without script (A/A)",
};

const THOUSAND: Titles = Titles { elements: "Elements, 1,000 web servers", ..THIRTY };

fn thirty(cluster: &Cluster, report: &mut Report) {
    let crowd = Crowd::gather(cluster);
    let person = Person::sign_in(cluster);
    weight::prepare(&person.browser);
    let stream = weight::greeting(cluster.page(), &cluster.session());
    let still = Still::of(&mut cluster.signed_in());
    loads(&person, &still, stream, &THIRTY, report);
    rest(&person, "… at rest, styles looked up", "… … laid out; work for it", report);
    drop(crowd);
}

fn at_rest(cluster: &Cluster, report: &mut Report) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    weight::prepare(&person.browser);
    weight::load(&person.browser, &person.address("/"));
    rest(&person, "At rest, 2 web servers: styles looked up", "… laid out; work for it", report);
}

fn rest(person: &Person, styles: &'static str, layouts: &'static str, report: &mut Report) {
    let work = weight::watch(&person.browser, LOOKED);
    report.judge(
        styles,
        format!(
            "{:.2} a second over {} s, ages written {:.2} times a second",
            work.styles,
            LOOKED.as_secs(),
            work.ages
        ),
        &format!("< {STYLES} a second"),
        work.styles < STYLES,
    );
    report.note(layouts, format!("{:.2} a second; {:.1} % of a core", work.layouts, 100.0 * work.busy));
}

fn thousand(report: &mut Report) {
    let mut stage = Stage::open(SERVERS);
    let person = stage.person();
    weight::prepare(&person.browser);
    let (name, value) = stage.session();
    let mut client = Client::with_jar(stage.page()).cookie(name, value).cookie("cordee_lang", "en");
    let still = Still::of(&mut client);
    let stream = weight::greeting(stage.page(), stage.session());
    loads(&person, &still, stream, &THOUSAND, report);

    weight::load(&person.browser, &person.address("/"));
    let before = weight::heap(&person.browser);
    stage.change(CHANGES);
    let work = weight::watch(&person.browser, LOOKED);
    let grown = weight::heap(&person.browser) - before;
    changes(&work, grown, before, report);
    stage.change(0);
    let known = weight::read(&person.browser).long.len();
    stage.turn(true);
    weight::wait_for_third(&person.browser, true);
    std::thread::sleep(Duration::from_secs(5));
    let fell = weight::longest(&weight::read(&person.browser).long[known..]);
    report.judge(
        "… longest task while a third of them falls at once",
        most(fell),
        &task_bound(),
        fell <= TASK_MS,
    );
}

fn changes(work: &Work, grown: f64, before: f64, report: &mut Report) {
    let longest = weight::longest(&work.long);
    report.judge(
        "… 100 of them changing each second for 30 s: longest task",
        most(longest),
        &task_bound(),
        longest <= TASK_MS,
    );
    report.judge(
        "… … the verdict says something else",
        format!("{:.1} times a second", work.told),
        &format!("≥ {TOLD} times a second"),
        work.told >= TOLD,
    );
    report.note(
        "… … styles looked up, laid out; work for it",
        format!("{:.1} and {:.1} a second; {:.0} % of a core", work.styles, work.layouts, 100.0 * work.busy),
    );
    report.judge(
        "… … heap of the script, grown",
        format!("{:.2} MB, from {:.1} MB", grown / 1e6, before / 1e6),
        &format!("< {} MB", GROWS / 1e6),
        grown < GROWS,
    );
}

fn loads(person: &Person, still: &Still, stream: usize, titles: &Titles, report: &mut Report) {
    let (mut page, mut same, mut again) = (Vec::new(), Vec::new(), Vec::new());
    // The first load of a browser also compiles the script and starts processes: it is one of those that count.
    for _ in 0..LOADS {
        page.push(weight::load(&person.browser, &person.address("/")));
        same.push(weight::load_still(&person.browser, &still.address()));
        again.push(weight::load_still(&person.browser, &still.address()));
    }
    let nodes = page.iter().map(|p| p.nodes).max().expect("a load");
    report.judge(titles.elements, nodes.to_string(), &format!("≤ {}", grouped(NODES)), nodes <= NODES);
    let octets = page.iter().map(|p| p.octets).max().expect("a load");
    let all = octets + u64::try_from(stream).expect("few");
    report.judge(
        titles.octets,
        format!("{all} ({octets}, {stream})"),
        &format!("≤ {}", grouped(OCTETS)),
        all <= OCTETS,
    );
    let usable = of(&page, |p| number(p.usable));
    report.judge(
        titles.usable,
        format!("{} ms", usable.spread(0)),
        &format!("all ≤ {} ms", grouped(USABLE_MS)),
        usable.quantile(1.0) <= number(USABLE_MS),
    );
    report.note(titles.live, format!("{} ms", of(&page, |p| number(p.live.expect("it follows"))).spread(0)));
    let tasks = of(&page, |p| number(p.longest()));
    report.judge(
        titles.task,
        format!("{} ms (50: none above)", tasks.spread(0)),
        &format!("all {}", task_bound()),
        tasks.quantile(1.0) <= number(TASK_MS),
    );
    report.note(titles.frame, format!("{} ms (50: none above)", of(&page, frame).spread(0)));
    let bare = of(&same, |p| number(p.usable));
    report.note(titles.still, format!("{} ms", bare.spread(0)));
    report.note(titles.still_frame, format!("{} ms", of(&same, frame).spread(0)));
    let ratio = |a: &[Loaded], b: &[Loaded]| {
        let each = a.iter().zip(b).map(|(a, b)| number(a.usable) / number(b.usable));
        Figures::new(each.collect()).spread(2)
    };
    report.note(titles.ratio, ratio(&page, &same));
    report.note(titles.same, ratio(&same, &again));
}

fn frame(page: &Loaded) -> f64 {
    number(weight::longest(&page.frames))
}

fn of(pages: &[Loaded], what: impl Fn(&Loaded) -> f64) -> Figures {
    Figures::new(pages.iter().map(what).collect())
}

fn number(milliseconds: u64) -> f64 {
    f64::from(u32::try_from(milliseconds).unwrap_or(u32::MAX))
}

fn task_bound() -> String {
    format!("≤ {TASK_MS} ms")
}

/// A bound of up to six digits, as people read it.
fn grouped(bound: u64) -> String {
    format!("{},{:03}", bound / 1_000, bound % 1_000)
}

fn most(longest: u64) -> String {
    if longest <= TASK_MS { format!("none above {TASK_MS} ms") } else { format!("{longest} ms") }
}
