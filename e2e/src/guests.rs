//! Visitors with a session of their own: each chose a colour on the site, and looks whether it is still there.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::http::{Answer, Client};

/// The colours that the site offers.
pub const COLOURS: [&str; 8] = ["rouge", "orange", "jaune", "vert", "turquoise", "bleu", "violet", "rose"];

/// How many visit at the same time.
const AT_ONCE: usize = 8;
/// No round begins later, whatever became of the test.
const MOST: Duration = Duration::from_secs(120);

/// One visitor, with the cookies that a browser would have by now.
#[derive(Debug)]
pub struct Guest {
    /// The browser.
    pub client: Client,
    /// The colours that the session may hold: the one that was acknowledged last, and those whose fate the visitor was
    /// not told. Empty: none was chosen.
    pub may_hold: Vec<&'static str>,
    /// How many colours this visitor chose.
    chosen: usize,
    number: usize,
}

/// One request of a guest.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Just before it was sent.
    pub sent: Instant,
    /// Its answer was read, or it broke.
    pub ended: Instant,
    /// What came back.
    pub answer: Result<Answer, String>,
}

/// What a visitor makes of one request.
#[derive(Clone, Debug)]
pub struct Told {
    /// When its answer was there.
    pub ended: Instant,
    /// How long that took.
    pub took: Duration,
    /// `None`: it succeeded. `Some(Ok)`: the site asked to come back. Else what came instead.
    pub away: Option<Result<(), String>>,
    /// What the session lacks.
    pub lost: Option<String>,
}

impl Visit {
    /// The status; 0 when there was no answer.
    pub fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, |a| a.status)
    }

    /// Who answered.
    pub fn server(&self) -> &str {
        self.answer.as_ref().map_or("", Answer::server)
    }

    /// The colour that the page shows as chosen.
    pub fn colour(&self) -> Option<&'static str> {
        let text = self.answer.as_ref().ok()?.text();
        COLOURS.into_iter().find(|c| text.contains(&format!("value=\"{c}\" required checked")))
    }

    /// Status and reason, for a message.
    pub fn brief(&self) -> String {
        match &self.answer {
            Ok(answer) => format!("{} by {}", answer.status, answer.server()),
            Err(why) => why.clone(),
        }
    }
}

impl Guest {
    /// A visitor without a cookie.
    pub fn new(site: SocketAddr, number: usize) -> Self {
        Self { client: Client::with_jar(site), may_hold: Vec::new(), chosen: 0, number }
    }

    /// Opens the colour page.
    pub fn look(&mut self) -> Visit {
        self.visit(|client| client.get("/couleur"))
    }

    /// Chooses another colour than the last time.
    pub fn choose(&mut self) -> Visit {
        let colour = COLOURS[(self.number + self.chosen) % COLOURS.len()];
        self.chosen += 1;
        let visit = self.visit(|client| client.post_form("/couleur", &[("couleur", colour)]));
        if visit.status() == 303 {
            self.may_hold.clear();
        }
        self.may_hold.push(colour);
        visit
    }

    /// Chooses a colour, which must be acknowledged, and finds it.
    #[track_caller]
    pub fn settle(&mut self) -> Visit {
        let chosen = self.choose();
        assert_eq!(chosen.status(), 303, "guest {}: {}", self.number, chosen.brief());
        let found = self.look();
        self.assert_found(&found);
        found
    }

    /// The page must show a colour that this visitor chose.
    #[track_caller]
    pub fn assert_found(&self, visit: &Visit) {
        assert_eq!(visit.status(), 200, "guest {}: {}", self.number, visit.brief());
        let colour = visit.colour();
        assert!(
            colour.is_some_and(|c| self.may_hold.contains(&c)),
            "guest {} chose {:?} and finds {colour:?} on {}",
            self.number,
            self.may_hold,
            visit.server()
        );
    }

    /// Takes note of an answer: a page that shows a colour settles which one the session holds.
    pub fn told(&mut self, visit: &Visit) -> Told {
        let away = match visit.status() {
            200 | 303 => None,
            503 if visit.answer.as_ref().is_ok_and(|a| a.header("retry-after").is_some()) => Some(Ok(())),
            _ => Some(Err(visit.brief())),
        };
        let mut lost = None;
        if visit.status() == 200 {
            let found = visit.colour();
            if !found.is_some_and(|c| self.may_hold.contains(&c)) {
                lost = Some(format!("guest {}: {:?} became {found:?}", self.number, self.may_hold));
            }
            self.may_hold = found.into_iter().collect();
        }
        Told { ended: visit.ended, took: visit.ended - visit.sent, away, lost }
    }

    fn visit(&mut self, ask: impl FnOnce(&mut Client) -> std::io::Result<Answer>) -> Visit {
        let sent = Instant::now();
        let answer = ask(&mut self.client).map_err(|e| e.to_string());
        Visit { sent, ended: Instant::now(), answer }
    }
}

/// Visitors who first came to that server, and how many others came until there were enough.
#[track_caller]
pub fn arrive_on(cluster: &Cluster, server: &str, count: usize) -> (Vec<Guest>, Vec<Guest>) {
    let (mut here, mut elsewhere) = (Vec::new(), Vec::new());
    for number in 0..count * 4 {
        let mut guest = Guest::new(cluster.site(), number);
        let visit = guest.look();
        assert_eq!(visit.status(), 200, "{}", visit.brief());
        // A connection less for each of those who wait.
        guest.client = rested(guest.client, cluster.site());
        if visit.server() == server { &mut here } else { &mut elsewhere }.push(guest);
        if here.len() == count {
            return (here, elsewhere);
        }
    }
    panic!("{server} got {} of {} visitors", here.len(), count * 4);
}

/// Lets every guest do the same, several at a time, each over a connection that ends with it.
#[track_caller]
pub fn each<T: Send>(guests: &mut [Guest], site: SocketAddr, act: impl Fn(&mut Guest) -> T + Sync) -> Vec<T> {
    rounds(guests, site, act, &AtomicBool::new(true))
}

/// Lets every guest do the same again and again, several at a time, until `stop`; and then once more.
#[track_caller]
pub fn rounds<T: Send>(
    guests: &mut [Guest],
    site: SocketAddr,
    act: impl Fn(&mut Guest) -> T + Sync,
    stop: &AtomicBool,
) -> Vec<T> {
    let begun = Instant::now();
    let chunk = guests.len().div_ceil(AT_ONCE).max(1);
    std::thread::scope(|scope| {
        let all: Vec<_> = guests
            .chunks_mut(chunk)
            .map(|some| {
                let act = &act;
                scope.spawn(move || {
                    let mut done = Vec::new();
                    loop {
                        let last = stop.load(Ordering::Relaxed) || begun.elapsed() > MOST;
                        for guest in some.iter_mut() {
                            done.push(act(guest));
                            let client = std::mem::replace(&mut guest.client, Client::with_jar(site));
                            guest.client = rested(client, site);
                        }
                        if last {
                            return done;
                        }
                    }
                })
            })
            .collect();
        all.into_iter().flat_map(|thread| thread.join().expect("a guest's thread")).collect()
    })
}

/// The same browser after a pause: its connection was closed, its cookies are there.
fn rested(client: Client, site: SocketAddr) -> Client {
    let mut next = Client::with_jar(site);
    (next.cookies, next.headers) = (client.cookies, client.headers);
    next
}
