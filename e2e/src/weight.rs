//! What a page weighs: its elements, its octets, the tasks during which it answers nobody, and what the browser does
//! for it while nothing happens.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::browser::Browser;
use crate::http::{self, TIMEOUT};
use crate::wait;

/// Servers of a large cluster, and how many of them change in a second.
pub const SERVERS: usize = 1_000;
/// See [`SERVERS`].
pub const CHANGES: usize = 100;
/// Elements of a page, at most.
pub const NODES: u64 = 3_000;
/// Octets of the first load, at most: page, files and what the stream brings at once.
pub const OCTETS: u64 = 100_000;
/// Milliseconds until a page can be used, at most.
pub const USABLE_MS: u64 = 1_500;
/// Milliseconds of a task, at most: meanwhile the page answers nobody.
pub const TASK_MS: u64 = 50;
/// Styles looked up in a second at rest: below.
pub const STYLES: f64 = 2.0;
/// Octets by which the script's heap may grow while servers change: below.
pub const GROWS: f64 = 5e6;
/// While servers change, the verdict says something else so often in a second, at the least; it is told four times.
pub const TOLD: f64 = 2.0;

/// How long a page may take until it is live. Far above the bound, which is measured.
const SHOWN: Duration = Duration::from_secs(30);
/// What a page does late, it does within this time.
const LATE: Duration = Duration::from_secs(2);
/// Between two messages of a stream, at the least.
const PAUSE: Duration = Duration::from_millis(150);

/// Notes from before the first script of a page which tasks took longer than 50 ms, and when the page became live.
const SCALE: &str = "
    const seen = { long: [], frames: [], live: null, ages: 0, told: 0 };
    window.weighed = seen;
    const note = (type, kept) => new PerformanceObserver((list) => {
        for (const one of list.getEntries()) kept.push([Math.round(one.startTime), Math.round(one.duration)]);
    }).observe({ type, buffered: true });
    note('longtask', seen.long);
    note('long-animation-frame', seen.frames);
    new MutationObserver(() => {
        const live = seen.live === null && document.querySelector('#live[data-st=good]');
        if (live) seen.live = Math.round(performance.now());
    }).observe(document, { subtree: true, attributes: true, attributeFilter: ['data-st'] });";

/// What was noted, and what came over the wire but for the stream, which is still open.
const READ: &str = "
    const all = [...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')];
    const [page] = performance.getEntriesByType('navigation');
    return {
        ...window.weighed,
        nodes: document.querySelectorAll('*').length,
        octets: all.reduce((sum, one) => sum + one.transferSize, 0),
        page: page.transferSize,
        usable: Math.round(page.domContentLoadedEventEnd),
    };";

/// What is written in one go is seen in one go.
const BEGIN: &str = "
    weighed.ages = weighed.told = 0;
    weighed.watch?.disconnect();
    const within = (css) => ({ target }) => (target.closest ? target : target.parentElement)?.closest(css);
    const [age, verdict] = [within('[data-age], [data-live-age]'), within('#verdict')];
    weighed.watch = new MutationObserver((all) => {
        weighed.ages += all.some(age) ? 1 : 0;
        weighed.told += all.some(verdict) ? 1 : 0;
    });
    weighed.watch.observe(document, { subtree: true, childList: true, characterData: true });
    return [weighed.long.length, weighed.frames.length];";

/// A page after it was loaded, with nothing of it in the browser's cache.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Elements.
    pub nodes: u64,
    /// Octets of the page and all its files, as they came over the wire; its stream is not among them.
    pub octets: u64,
    /// Octets of the page itself among them.
    pub page: u64,
    /// Milliseconds until it could be used.
    pub usable: u64,
    /// Milliseconds until it followed the cluster, if it does.
    pub live: Option<u64>,
    /// Tasks above 50 ms: when they began, and how long they took, in milliseconds.
    pub long: Vec<(u64, u64)>,
    /// Frames that were above 50 ms on their way to the screen, likewise: with style, layout and whatever else ran
    /// meanwhile.
    pub frames: Vec<(u64, u64)>,
    /// Octets of the script's heap.
    pub heap: f64,
}

impl Loaded {
    /// The longest task; 50 when none was longer.
    pub fn longest(&self) -> u64 {
        longest(&self.long)
    }
}

/// The longest of them; 50 when none was longer.
pub fn longest(tasks: &[(u64, u64)]) -> u64 {
    tasks.iter().map(|(_, took)| *took).max().unwrap_or(50)
}

/// Has a browser note what the pages weigh that it opens from now on.
#[track_caller]
pub fn prepare(browser: &Browser) {
    browser.before_each_page(SCALE);
}

/// Opens an address as if it had never been seen before, and weighs the page.
#[track_caller]
pub fn load(browser: &Browser, address: &str) -> Loaded {
    browser.forget_files();
    browser.open(address);
    browser.wait_for("#live[data-st=good]", SHOWN);
    std::thread::sleep(LATE);
    read(browser)
}

/// The same for a page that follows nothing.
#[track_caller]
pub fn load_still(browser: &Browser, address: &str) -> Loaded {
    browser.forget_files();
    browser.open(address);
    std::thread::sleep(LATE);
    read(browser)
}

/// What the page that is open weighs now.
#[track_caller]
pub fn read(browser: &Browser) -> Loaded {
    let heap = browser.metrics()["JSHeapUsedSize"];
    let seen = browser.script(READ, &[]);
    let number = |name: &str| seen[name].as_u64().unwrap_or_else(|| panic!("no {name} in {seen}"));
    Loaded {
        nodes: number("nodes"),
        octets: number("octets"),
        page: number("page"),
        usable: number("usable"),
        live: seen["live"].as_u64(),
        long: tasks(&seen["long"]),
        frames: tasks(&seen["frames"]),
        heap,
    }
}

/// The script's heap, in octets, without what nobody needs any more.
#[track_caller]
pub fn heap(browser: &Browser) -> f64 {
    browser.collect_garbage();
    read(browser).heap
}

/// Waits until a third of [`SERVERS`] is shown as fallen, or all of them as up.
#[track_caller]
pub fn wait_for_third(browser: &Browser, fallen: bool) {
    let says = if fallen { "334 need attention" } else { "1000 up" };
    wait::until(says, SHOWN, || {
        let bead = browser.text("#beads-web").unwrap_or_default();
        if bead.contains(says) { Ok(()) } else { Err(bead) }
    });
}

fn tasks(noted: &Value) -> Vec<(u64, u64)> {
    let pair = |task: &Value| Some((task[0].as_u64()?, task[1].as_u64()?));
    noted.as_array().into_iter().flatten().filter_map(pair).collect()
}

/// What a browser did for an open page in some time.
#[derive(Clone, Debug)]
pub struct Work {
    /// How often it looked up styles, in a second.
    pub styles: f64,
    /// How often it laid the page out, in a second.
    pub layouts: f64,
    /// How often other ages were written, in a second.
    pub ages: f64,
    /// How often the verdict said something else, in a second.
    pub told: f64,
    /// The share of a processor that its tasks took.
    pub busy: f64,
    /// Tasks above 50 ms, as in [`Loaded`].
    pub long: Vec<(u64, u64)>,
    /// Frames above 50 ms, likewise.
    pub frames: Vec<(u64, u64)>,
}

/// Looks at an open page for some time, and leaves it alone meanwhile.
#[track_caller]
pub fn watch(browser: &Browser, time: Duration) -> Work {
    let known = browser.script(BEGIN, &[]);
    let before = browser.metrics();
    let begun = Instant::now();
    std::thread::sleep(time);
    let after = browser.metrics();
    let seconds = begun.elapsed().as_secs_f64();
    let rate = |name: &str| (after[name] - before[name]) / seconds;
    let seen = browser.script("return weighed", &[]);
    let since = |name: &str, known: &Value| {
        let known = known.as_u64().and_then(|count| usize::try_from(count).ok()).expect("a count");
        tasks(&seen[name]).split_off(known)
    };
    Work {
        styles: rate("RecalcStyleCount"),
        layouts: rate("LayoutCount"),
        ages: seen["ages"].as_f64().expect("a count") / seconds,
        told: seen["told"].as_f64().expect("a count") / seconds,
        busy: rate("TaskDuration"),
        long: since("long", &known[0]),
        frames: since("frames", &known[1]),
    }
}

/// Octets that the stream brings at once: the whole picture, as it comes over the wire to a browser.
#[track_caller]
pub fn greeting(page: SocketAddr, (name, value): &(String, String)) -> usize {
    let mut stream = TcpStream::connect(page).expect("a connection");
    let live = http::stream(page);
    let request = format!(
        "GET {live} HTTP/1.1\r\nHost: {page}\r\nCookie: {name}={value}; cordee_lang=en\r\nAccept-Encoding: gzip\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    stream.set_read_timeout(Some(TIMEOUT)).expect("a limit");
    let (mut octets, mut buffer) = (0, vec![0; 1 << 16]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => panic!("the stream ended after {octets} octets"),
            Ok(more) => octets += more,
            Err(e) if octets > 0 && matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return octets;
            }
            Err(e) => panic!("the stream: {e}"),
        }
        // What comes in one go comes without a pause.
        stream.set_read_timeout(Some(PAUSE)).expect("a limit");
    }
}

#[cfg(test)]
mod tests {
    use super::{longest, tasks};
    use serde_json::json;

    #[test]
    fn tasks_are_read_as_they_were_noted() {
        assert_eq!(tasks(&json!([[12, 61], [900, 75]])), [(12, 61), (900, 75)]);
        assert_eq!(longest(&tasks(&json!([[12, 61], [900, 75]]))), 75);
        assert_eq!(longest(&tasks(&json!([]))), 50);
    }
}
