//! The page of a cluster that is not there: the product's own page and stream, with a picture of as many web servers as
//! wished, and as many changes. What serves it is a program of the product's unit tests (`pages/tests/stage.rs`):
//! thousands of real servers would measure the machine.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::Value;

use crate::person::Person;

/// The test that is none: it serves until its standard input ends.
const PROGRAM: &str = "web::pages::tests::stage::serves_a_page_with_many_servers";
/// Until it serves, on a machine that does something else meanwhile.
const START: Duration = Duration::from_secs(30);

/// It is there until it is dropped.
#[derive(Debug)]
pub struct Stage {
    child: Child,
    wishes: Option<ChildStdin>,
    page: SocketAddr,
    session: (String, String),
    proof: String,
}

impl Stage {
    /// A cluster with so many web servers. Nothing changes yet.
    #[track_caller]
    pub fn open(servers: usize) -> Self {
        let mut child = Command::new(binary())
            .args([PROGRAM, "--exact", "--nocapture"])
            .env("CORDEE_STAGE", servers.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", binary().display()));
        let wishes = child.stdin.take();
        let said = match first_word(&mut child).recv_timeout(START) {
            Ok(said) => said,
            Err(why) => {
                let _ = child.kill();
                let _ = child.wait();
                let why = if why == RecvTimeoutError::Timeout { "says nothing" } else { "has ended" };
                panic!("what serves the page {why}: {}", binary().display());
            }
        };
        let text = |name: &str| said[name].as_str().unwrap_or_else(|| panic!("{said}")).to_owned();
        let page = text("page").parse().expect("an address");
        Self { child, wishes, page, session: (text("cookie"), text("secret")), proof: text("proof") }
    }

    /// From now on so many of the servers change in a second.
    #[track_caller]
    pub fn change(&mut self, each_second: usize) {
        self.wish(&each_second.to_string());
    }

    /// A third of the servers falls at once, or comes back.
    #[track_caller]
    pub fn turn(&mut self, falls: bool) {
        self.wish(if falls { "fall" } else { "rise" });
    }

    fn wish(&mut self, word: &str) {
        let wishes = self.wishes.as_mut().expect("it runs");
        writeln!(wishes, "{word}").and_then(|()| wishes.flush()).expect("what serves the page listens");
    }

    /// Somebody who is signed in to it, with a browser, at no page of it yet.
    #[track_caller]
    pub fn person(&self) -> Person {
        Person::with(self.page, &self.session, &self.proof)
    }

    /// Where it is.
    pub fn page(&self) -> SocketAddr {
        self.page
    }

    /// The session's cookie: name and value.
    pub fn session(&self) -> &(String, String) {
        &self.session
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // It ends with its input; whoever does not is ended.
        drop(self.wishes.take());
        let ended = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            matches!(self.child.try_wait(), Ok(Some(_)))
        });
        if !ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The one line of JSON that it says, once it serves. What else it says is read and dropped, so that it never waits for
/// us.
fn first_word(child: &mut Child) -> Receiver<Value> {
    let stdout = child.stdout.take().expect("piped");
    let (found, words) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(said) =
                line.split_once("stage ").and_then(|(_, json)| serde_json::from_str(json).ok())
            {
                let _ = found.send(said);
            }
        }
    });
    words
}

/// The unit tests of the product as a program, built as this program was; or another one named by `CORDEE_STAGE_BIN`.
fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("CORDEE_STAGE_BIN").map_or_else(built, PathBuf::from)).clone()
}

fn built() -> PathBuf {
    let profile: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };
    let said = Command::new(env!("CARGO"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(["test", "--locked", "--quiet", "--no-run", "-p", "cordee", "--message-format=json"])
        .args(profile)
        .stderr(Stdio::inherit())
        .output()
        .unwrap_or_else(|e| panic!("cargo: {e}"));
    let lines = String::from_utf8_lossy(&said.stdout);
    let built = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = |one: Value| Some(PathBuf::from(one["executable"].as_str()?));
    let own = |one: &Value| one["target"]["kind"][0] == "bin" && one["profile"]["test"] == true;
    built.filter(own).find_map(program).expect("the unit tests of the product could not be built")
}
