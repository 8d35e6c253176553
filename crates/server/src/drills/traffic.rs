//! The traffic of a drill: Cordée's own visitors of the site's colour page, through the site's own address. Each
//! has a session, and checks in every answer that the session is still there. On a page of another site they check
//! only the status. A visitor who waits for an answer sends no other request.

use std::net::SocketAddr;
use std::time::Duration;

use cordee_domain::drill::{Aim, Fate, Order, Page, Traffic};
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_node::visitor::{Answer, VisitError, Visitor};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hyper::header::HeaderValue;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// A request without an answer within this time is lost.
pub(super) const PATIENCE: Duration = Duration::from_millis(cordee_domain::figures::DRILL_ANSWER);
/// The page on which the session is checked.
const PAGE: &str = "/couleur";
/// How many visitors begin their sessions at the same time.
const AT_ONCE: usize = 8;

/// The colours that visitors choose, in turn: the field of the form, and what the page shows afterwards.
const COLOURS: [(&str, &str); 8] = [
    ("couleur=rouge", "value=\"rouge\" required checked"),
    ("couleur=orange", "value=\"orange\" required checked"),
    ("couleur=jaune", "value=\"jaune\" required checked"),
    ("couleur=vert", "value=\"vert\" required checked"),
    ("couleur=turquoise", "value=\"turquoise\" required checked"),
    ("couleur=bleu", "value=\"bleu\" required checked"),
    ("couleur=violet", "value=\"violet\" required checked"),
    ("couleur=rose", "value=\"rose\" required checked"),
];

/// One event of the traffic.
#[derive(Clone, Copy, Debug)]
pub(super) enum Note {
    /// A request ended.
    Request(Over),
    /// A session began.
    Begun,
    /// A session was lost.
    Lost,
    /// A write ended.
    Write(Over),
}

/// A request or a write that ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Over {
    pub(super) fate: Fate,
    pub(super) begun: Instant,
    pub(super) ended: Instant,
}

impl Over {
    pub(super) fn new(fate: Fate, begun: Instant) -> Self {
        Self { fate, begun, ended: Instant::now() }
    }
}

/// One visitor, with the chosen colour.
#[derive(Debug)]
struct TestVisitor {
    visitor: Visitor,
    colour: (&'static str, &'static str),
    /// A page of another site, on which nothing is chosen.
    page: Option<Page>,
    /// Whether the site acknowledged the choice, or the other page answered as it should.
    known: bool,
    notes: mpsc::Sender<Note>,
}

impl TestVisitor {
    /// Sends one request: for the page, or for a new session if there is none.
    async fn ask(&mut self) {
        match self.page.clone() {
            Some(page) => self.look(&page).await,
            None => self.come_back().await,
        }
    }

    /// Requests a page of another site, whose sessions are unknown.
    async fn look(&mut self, page: &Page) {
        let begun = Instant::now();
        let fate = fate(&self.visitor.get(page.url.path()).await, page.status.number());
        self.known |= fate == Fate::Answered;
        let _ = self.notes.send(Note::Request(Over::new(fate, begun))).await;
    }

    async fn come_back(&mut self) {
        let begun = Instant::now();
        let answer = if self.known {
            self.visitor.get(PAGE).await
        } else {
            self.visitor.form(PAGE, self.colour.0).await
        };
        let expected = if self.known { 200 } else { 303 };
        let fate = fate(&answer, expected);
        let _ = self.notes.send(Note::Request(Over::new(fate, begun))).await;
        let Ok(answer) = answer else { return };
        if fate != Fate::Answered {
            return;
        }
        let change = match self.known {
            false => Some(Note::Begun),
            true if shows(&answer, self.colour.1) => None,
            true => Some(Note::Lost),
        };
        if let Some(change) = change {
            self.known = !self.known;
            let _ = self.notes.send(change).await;
        }
    }
}

fn fate(answer: &Result<Answer, VisitError>, expected: u16) -> Fate {
    match answer {
        Ok(answer) if answer.status == expected => Fate::Answered,
        Ok(_) => Fate::Refused,
        Err(_) => Fate::Unanswered,
    }
}

fn shows(answer: &Answer, choice: &str) -> bool {
    String::from_utf8_lossy(&answer.body).contains(choice)
}

/// The visitors, each with a session.
#[derive(Debug)]
pub(super) struct Guests(Vec<TestVisitor>);

impl Guests {
    /// Lets every visitor begin a session; fails if the site has no page for it.
    pub(super) async fn gather(
        site: SocketAddr,
        drill: u64,
        order: &Order,
        notes: mpsc::Sender<Note>,
    ) -> Result<Self, Text> {
        let absent = || match &order.aim {
            Aim::Colour => text!("drill-no-page"),
            Aim::Page(page) => {
                let status = page.status.number();
                text!("drill-no-answer", url = page.url.to_string(), status = status.to_string())
            }
        };
        let agent = HeaderValue::try_from(format!("Cordee-Drill/{drill}")).map_err(|_| absent())?;
        let name = order.aim.page().and_then(|page| page.url.host());
        let host = name.map(HeaderValue::from_str).transpose().map_err(|_| absent())?;
        let guest = |n: u16| TestVisitor {
            visitor: Visitor::new(site, "").called(agent.clone(), PATIENCE).by_name(host.clone()),
            page: order.aim.page().cloned(),
            colour: COLOURS[usize::from(n) % COLOURS.len()],
            known: false,
            notes: notes.clone(),
        };
        let begin = |mut guest: TestVisitor| async move {
            guest.ask().await;
            if guest.known { Ok(guest) } else { Err(absent()) }
        };
        let all = stream::iter((0..order.traffic.visitors).map(guest)).map(begin).buffered(AT_ONCE);
        all.try_collect().await.map(Self)
    }

    /// Lets the visitors send requests at their rate until `stop`; each one first waits for its pending answer.
    pub(super) fn start(self, traffic: Traffic, work: &mut JoinSet<()>, stop: &watch::Receiver<bool>) {
        let between = Duration::from_secs(1) / u32::from(traffic.rate);
        let first = Instant::now();
        for (n, mut guest) in (0_u32..).zip(self.0) {
            let mut stop = stop.clone();
            let mut pace = interval_at(first + between * n, between * u32::from(traffic.visitors));
            pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
            work.spawn(async move {
                loop {
                    tokio::select! {
                        _ = stop.wait_for(|stop| *stop) => return,
                        _ = pace.tick() => {}
                    }
                    guest.ask().await;
                }
            });
        }
    }
}
