//! Compares the three versions of a HAProxy instance's configuration: the wished one, the file on disk, and the
//! running process.

use std::collections::BTreeMap;

use crate::desired::Desired;
use crate::ids::{Millis, PoolId, ProcessId, ServerName};
use crate::observed::{ProxySeen, STALE};
use crate::plan::{bounded, places, unproven};
use crate::scene::Scene;
use crate::text;
use crate::text::Text;

use super::config::{self, Rendered, ServerLine};
use super::line::{Line, masked};
use super::setting::Setting;
use super::stats::{Listens, Running, RunningServer};

/// A line that only one of two texts has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// Whether the second text has the line; otherwise only the first one has it.
    pub added: bool,
    /// The line, with secrets masked.
    pub text: String,
}

/// The file on disk, compared with the wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disk {
    /// The file is missing, or is not text.
    Missing,
    /// The file is as wished.
    Same,
    /// Cordée wrote the file for an earlier wish; the lines that the present wish adds and removes.
    Older(Vec<Odd>),
    /// Somebody changed the file, or it was cut; the lines that were added and removed.
    ByHand(Vec<Odd>),
}

/// The process, compared with the wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Process {
    /// The process is not observed now, and why.
    Unseen(Text),
    /// What differs; empty if nothing does.
    Seen(Vec<Text>),
}

/// A file that somebody changed and Cordée replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overwritten {
    /// When it was replaced.
    pub at: Millis,
    /// Where the copy is kept, relative to `CORDEE_HOME`.
    pub file: String,
    /// How it differs from the present wish.
    pub difference: Vec<Odd>,
}

/// The comparison of all three.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileView {
    /// The proxy.
    pub proxy: PoolId,
    /// The wished file, line by line.
    pub lines: Vec<Line>,
    /// The file on disk.
    pub disk: Disk,
    /// The running process.
    pub process: Process,
    /// When the process was last observed successfully.
    pub seen_at: Option<Millis>,
    /// The file that somebody wrote last, as long as a copy is kept.
    pub overwritten: Option<Overwritten>,
}

/// Compares what is known. `kept` is the last file that was replaced: when, where it is kept, and its text.
pub fn view(
    scene: Scene<'_>,
    setting: &Setting,
    proxy: PoolId,
    kept: Option<(Millis, String, String)>,
) -> FileView {
    let Scene { desired, observed, .. } = scene;
    let seen = observed.proxy(proxy);
    let places = places(scene, proxy);
    let want = config::render(desired, proxy, setting, &places);
    let key = &setting.secrets();
    let overwritten =
        kept.map(|(at, file, text)| Overwritten { at, file, difference: difference(&want.text, &text, key) });
    FileView {
        proxy,
        disk: disk(seen, &want, key),
        process: process(scene, proxy, &want, &places),
        seen_at: seen.running.last(),
        lines: want.lines.clone(),
        overwritten,
    }
}

fn disk(seen: &ProxySeen, want: &Rendered, key: &[&str]) -> Disk {
    match seen.file.as_deref() {
        None => Disk::Missing,
        Some(text) if text == want.text => Disk::Same,
        Some(text) if config::untouched(text) => Disk::Older(difference(text, &want.text, key)),
        Some(text) => Disk::ByHand(difference(&want.text, text, key)),
    }
}

fn process(
    scene: Scene<'_>,
    proxy: PoolId,
    want: &Rendered,
    places: &BTreeMap<ServerName, ServerLine>,
) -> Process {
    let Scene { desired, observed, now } = scene;
    let seen = observed.proxy(proxy);
    if observed.process(&ProcessId::Proxy(proxy)).leader.is_none() {
        return Process::Unseen(text!("config-process-none"));
    }
    let Some(running) = seen.running.fresh(now, STALE) else {
        return Process::Unseen(text!("config-process-silent"));
    };
    let mut differs = Vec::new();
    if running.shape.as_ref() != Some(&want.shape) {
        differs.push(text!("config-differs-shape"));
    }
    if proxy == PoolId::Web && running.mode.is_some_and(|mode| mode != desired.session) {
        differs.push(text!("config-differs-session"));
    }
    if unproven(seen, proxy, running) {
        differs.push(text!("config-differs-unproven"));
    }
    if bounded(running) {
        differs.push(text!("config-differs-bounded"));
    }
    differs.extend(closed(proxy, running));
    for server in &desired.pool(proxy).servers {
        let name = server.name.as_str();
        match (places.get(&server.name), running.servers.get(&server.name)) {
            (Some(_), None) => differs.push(text!("config-differs-absent", name = name)),
            (Some(place), Some(now)) if now.id == server.id => {
                let wish = config::wish(desired, server, *place);
                differs.extend(server_differs((proxy, name), now, wish, (*place, server.port)));
            }
            _ => {}
        }
    }
    differs.extend(strangers(desired, proxy, running));
    Process::Seen(differs)
}

/// Returns the listeners that do not accept connections as they should.
fn closed(proxy: PoolId, running: &Running) -> Vec<Text> {
    let wrong = |name: &&str| {
        running
            .frontends
            .get(*name)
            .is_some_and(|f| f.listens != Listens::Open || f.most != running.limits.most_at_start)
    };
    let names = config::frontends(proxy).iter().copied();
    names.filter(|name| wrong(name)).map(|name| text!("config-differs-frontend", name = name)).collect()
}

/// Returns the servers that HAProxy has and the wish does not contain.
fn strangers(desired: &Desired, proxy: PoolId, running: &Running) -> Vec<Text> {
    let all = desired.pool(proxy).by_name();
    let wished = |name: &ServerName, id| all.get(name).is_some_and(|s| s.id == id);
    let unknown = running.servers.iter().filter(|(name, server)| !wished(name, server.id));
    unknown.map(|(name, _)| text!("config-differs-stranger", name = name.as_str())).collect()
}

fn server_differs(
    (proxy, name): (PoolId, &str),
    now: &RunningServer,
    wish: config::RuntimeWish,
    (place, port): (ServerLine, u16),
) -> Option<Text> {
    if now.ip != Some(place.ip) || now.port != port {
        return Some(text!("config-differs-address", name = name));
    }
    let states = (now.maintenance, now.writer_maintenance) == (wish.maintenance, wish.writer_maintenance);
    if !states || !now.uniform || (!wish.maintenance && now.drain != wish.drain) {
        return Some(text!("config-differs-state", name = name));
    }
    if now.most != config::most(proxy) || (!wish.maintenance && !now.checked) {
        return Some(text!("config-differs-checks", name = name));
    }
    // In maintenance and drain the weight has no effect.
    let weight = wish.maintenance || wish.drain || now.weight == wish.weight;
    (!weight).then(|| text!("config-differs-weight", name = name, now = now.weight, wish = wish.weight))
}

/// Above this number of pairs of lines, a difference is reported as a complete replacement.
const MOST_PAIRS: usize = 1_000_000;

/// Returns the lines that only one of two texts has, in order, with Cordée's secrets and all others masked.
pub fn difference(before: &str, after: &str, key: &[&str]) -> Vec<Odd> {
    let before: Vec<&str> = before.lines().collect();
    let after: Vec<&str> = after.lines().collect();
    let start = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let (before, after) = (&before[start..], &after[start..]);
    let end = before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count();
    let (before, after) = (&before[..before.len() - end], &after[..after.len() - end]);
    let odd = |added, line: &str| Odd { added, text: masked(line, key) };
    if before.len().saturating_mul(after.len()) > MOST_PAIRS {
        let gone = before.iter().map(|line| odd(false, line));
        return gone.chain(after.iter().map(|line| odd(true, line))).collect();
    }
    let common = common(before, after);
    let (mut i, mut j) = (0, 0);
    let mut all = Vec::new();
    while i < before.len() || j < after.len() {
        if i < before.len() && j < after.len() && before[i] == after[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == after.len() || (i < before.len() && common[i + 1][j] >= common[i][j + 1]) {
            all.push(odd(false, before[i]));
            i += 1;
        } else {
            all.push(odd(true, after[j]));
            j += 1;
        }
    }
    all
}

/// `common[i][j]` is the length of the longest common subsequence of the rest of `before` from `i` and of `after` from
/// `j`.
fn common(before: &[&str], after: &[&str]) -> Vec<Vec<usize>> {
    let mut common = vec![vec![0; after.len() + 1]; before.len() + 1];
    for i in (0..before.len()).rev() {
        for j in (0..after.len()).rev() {
            common[i][j] = if before[i] == after[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use crate::observed::Observed;
    use crate::seen::Seen;
    use proptest::prelude::*;

    use super::*;
    use crate::plan::tests::{first, setting};
    use crate::sim::World;

    fn told(before: &str, after: &str) -> Vec<String> {
        let odd = difference(before, after, &[]);
        odd.into_iter().map(|o| format!("{}{}", if o.added { '+' } else { '-' }, o.text)).collect()
    }

    #[test]
    fn a_difference_holds_only_what_differs() {
        assert_eq!(told("a\nb\nc\n", "a\nb\nc\n"), Vec::<String>::new());
        assert_eq!(told("a\nb\nc\n", "a\nx\nc\n"), ["-b", "+x"]);
        assert_eq!(told("", "a\n"), ["+a"]);
        assert_eq!(told("a\nb\nc\nd\n", "b\nd\ne\n"), ["-a", "-c", "+e"]);
    }

    proptest! {
        /// Applying a difference to the first text gives the second one.
        #[test]
        fn a_difference_is_whole(before in "([abc]\n){0,9}", after in "([abc]\n){0,9}") {
            let odd = difference(&before, &after, &[]);
            let count = |added| odd.iter().filter(|o| o.added == added).count();
            let (b, a) = (before.lines().count(), after.lines().count());
            prop_assert_eq!(b - count(false), a - count(true));
            for line in ["a", "b", "c"] {
                let of = |text: &str| text.lines().filter(|l| *l == line).count();
                let told = |added| odd.iter().filter(|o| o.added == added && o.text == line).count();
                prop_assert_eq!(of(&before) + told(true), of(&after) + told(false));
            }
        }
    }

    /// A settled cluster, as it was last observed.
    fn settled() -> (Desired, Observed, Millis) {
        let mut desired = first();
        let mut world = World::at(1_000_000);
        let mut memory = Observed::default();
        crate::plan::tests::settle(&mut desired, &mut world, &mut memory);
        world.look(&mut memory, &desired);
        (desired, memory, world.now)
    }

    #[test]
    fn what_is_settled_does_not_differ() {
        let (desired, observed, now) = settled();
        for proxy in PoolId::ALL {
            let view = view(Scene::new(&desired, &observed, now), &setting(), proxy, None);
            assert_eq!(view.disk, Disk::Same);
            assert_eq!(view.process, Process::Seen(Vec::new()));
        }
    }

    #[test]
    fn a_hand_s_line_is_shown_and_a_cut_file_is_no_older_one() {
        let (desired, mut observed, now) = settled();
        let seen = observed.proxies.get_mut(&PoolId::Web).expect("seen");
        let file = seen.file.clone().expect("a file");
        let by_hand = file.replace("timeout client 30s", "timeout client 9s");
        seen.file = Some(by_hand.clone());
        let shown = view(
            Scene::new(&desired, &observed, now),
            &setting(),
            PoolId::Web,
            Some((5, "x".to_owned(), by_hand)),
        );
        let Disk::ByHand(odd) = shown.disk else { panic!("{:?}", shown.disk) };
        let told: Vec<_> = odd.iter().map(|o| (o.added, o.text.trim())).collect();
        assert_eq!(told, [(false, "timeout client 30s"), (true, "timeout client 9s")]);
        assert_eq!(shown.overwritten.map(|o| o.difference), Some(odd));
        let seen = observed.proxies.get_mut(&PoolId::Web).expect("seen");
        seen.file = Some(file.lines().take(20).fold(String::new(), |all, line| all + line + "\n"));
        let cut = view(Scene::new(&desired, &observed, now), &setting(), PoolId::Web, None);
        assert!(matches!(cut.disk, Disk::ByHand(_)), "{:?}", cut.disk);
    }

    #[test]
    fn an_earlier_wish_s_file_and_a_process_that_lags_are_told_apart() {
        let (mut desired, mut observed, now) = settled();
        desired.web.generation += 1;
        desired.web.servers[0].told(crate::desired::Admin::Maintenance, false);
        let shown = view(Scene::new(&desired, &observed, now), &setting(), PoolId::Web, None);
        assert!(matches!(shown.disk, Disk::Older(_)), "{:?}", shown.disk);
        let name = desired.web.servers[0].name.as_str();
        let differs = vec![text!("config-differs-shape"), text!("config-differs-state", name = name)];
        assert_eq!(shown.process, Process::Seen(differs));
        observed.proxies.get_mut(&PoolId::Web).expect("seen").running = Seen::Never;
        let silent = view(Scene::new(&desired, &observed, now), &setting(), PoolId::Web, None);
        assert_eq!(silent.process, Process::Unseen(text!("config-process-silent")));
    }
}
