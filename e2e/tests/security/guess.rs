//! Who guesses has to wait, and keeps nobody out who was here before.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use cordee_e2e::cluster::{ACCOUNT, Cluster, PASSWORD};
use cordee_e2e::http::{Answer, Client};
use cordee_e2e::person::Person;
use cordee_e2e::wait;
use serde_json::{Value, json};

use super::cookie::{SHOWN, other_port};
use super::login;

/// Nothing said, half a head, a head without its body: nobody waits for an answer on any of them.
pub fn whoever_only_holds_connections_keeps_nobody_out(cluster: &Cluster) {
    let _ = cluster.session();
    let words: [&[u8]; 3] = [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
    ];
    let mut held = Vec::new();
    let begun = Instant::now();
    for n in 0..1_000 {
        let mut stream = from(Ipv4Addr::LOCALHOST, cluster.page());
        // One that was closed already hears nothing more.
        let _ = stream.write_all(words[n % words.len()]);
        held.push(stream);
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "nobody was let in for {:?}", begun.elapsed());
    for _ in 0..10 {
        let begun = Instant::now();
        let answer = cluster.signed_in().timeout(Duration::from_secs(3)).get("/").expect("the page answers");
        assert_eq!(answer.status, 200);
        assert!(begun.elapsed() < Duration::from_secs(3), "the page took {:?}", begun.elapsed());
    }
    drop(held);
}

/// A connection from one address of this machine.
pub fn from(address: Ipv4Addr, to: SocketAddr) -> TcpStream {
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(&socket, &SocketAddr::from((address, 0))).expect("an address of this machine");
    connect(&socket, &to).expect("a connection");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// Guesses from these addresses, all at the same moment: how many were evaluated, how many have to wait.
fn guesses(cluster: &Cluster, name: &'static str, addresses: Vec<Ipv4Addr>) -> (usize, usize) {
    let page = cluster.page();
    let start = Arc::new(Barrier::new(addresses.len()));
    let threads: Vec<_> = addresses
        .into_iter()
        .map(|address| {
            let start = start.clone();
            std::thread::spawn(move || {
                let mut stream = from(address, page);
                let body = format!("name={name}&password=guess");
                let request = format!(
                    "POST /login HTTP/1.1\r\nHost: {page}\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n\
                     Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                start.wait();
                stream.write_all(request.as_bytes()).expect("sent");
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).expect("an answer");
                String::from_utf8_lossy(&answer).split(' ').nth(1).map(str::to_owned).expect("a status")
            })
        })
        .collect();
    let all: Vec<String> = threads.into_iter().map(|t| t.join().expect("a guess")).collect();
    let of = |status: &str| all.iter().filter(|s| *s == status).count();
    println!("#   {} evaluated, {} refused", of("422"), of("429"));
    assert_eq!(of("422") + of("429"), all.len(), "{all:?}");
    (of("422"), of("429"))
}

pub fn sixty_guesses_at_once_are_five(cluster: &Cluster) {
    let _ = cluster.session();
    assert_eq!(enter(cluster, MARK).status, 303);
    let address = Ipv4Addr::new(127, 0, 2, 1);
    assert_eq!(guesses(cluster, "somebody", vec![address; 60]), (5, 55));
}

pub fn one_name_from_forty_addresses_is_five(cluster: &Cluster) {
    let _ = cluster.session();
    let addresses = (1..=40).map(|n| Ipv4Addr::new(127, 0, 3, n)).collect();
    assert_eq!(guesses(cluster, "somebody-else", addresses), (5, 35));
}

/// Guesses in a row and at once, each at another name: memory stays what a few comparisons take at once.
pub fn guesses_take_no_memory_that_stays(cluster: &Cluster) {
    let _ = cluster.session();
    let serve = cluster.serve().expect("it runs").pid;
    let resident = || {
        let text = std::fs::read_to_string(format!("/proc/{serve}/status")).expect("it runs");
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") >> 10
    };
    let before = resident();
    let names = ["ada", "ben", "cat", "dan", "eve", "fay", "gus", "hal", "ida", "jan", "kim", "leo"];
    let mut evaluated = 0;
    for (net, name) in (50..).zip(names) {
        evaluated += guesses(cluster, name, (1..=5).map(|n| Ipv4Addr::new(127, 0, net, n)).collect()).0;
    }
    for n in 1..=20 {
        let name = names[usize::from(n) % names.len()];
        guesses(cluster, name, vec![Ipv4Addr::new(127, 0, 80, n)]);
    }
    assert!(evaluated >= 50, "{evaluated} were compared");
    let grown = resident().saturating_sub(before);
    println!("#   {evaluated} and some compared: {before} MiB before, {grown} more");
    assert!(grown < 100, "{grown} MiB more after {evaluated} comparisons");
}

/// From here on the account is under attack from everywhere, and its owner signs in all the same.
pub fn who_was_here_before_gets_in_while_others_guess(cluster: &Cluster) {
    let _ = cluster.session();
    let addresses = (1..=40).map(|n| Ipv4Addr::new(127, 0, 4, n)).collect();
    let (evaluated, _) = guesses(cluster, ACCOUNT, addresses);
    assert!(evaluated <= 5, "{evaluated} evaluated");
    assert_eq!(login(cluster, PASSWORD).status, 429, "a browser that was never here waits with the others");
    let answer = enter(cluster, MARK);
    assert_eq!(answer.status, 303, "{}", answer.text());
}

/// What a browser keeps that signed in before anybody guessed.
const MARK: &str = "b0a7000000000000000000000000000000000000000000000000000000000b0a";

/// Signs in as that browser.
fn enter(cluster: &Cluster, mark: &str) -> Answer {
    let fields = [("name", ACCOUNT), ("password", PASSWORD), ("browser", mark)];
    Client::new(cluster.page())
        .header("Sec-Fetch-Site", "same-origin")
        .header("Connection", "close")
        .post_form("/login", &fields)
        .unwrap()
}

/// The browser itself: what its page keeps brings it in, and none of what it sends to another port does.
pub fn a_browser_is_known_by_what_no_other_port_gets(cluster: &Cluster) {
    let _ = cluster.session();
    let person = Person::stranger(cluster);
    let guessed = |net: u8| {
        let addresses = (1..=40).map(|n| Ipv4Addr::new(127, 0, net, n)).collect();
        guesses(cluster, ACCOUNT, addresses)
    };
    let sign_in = || {
        person.go("/login");
        person.fill_in(&[("name", ACCOUNT), ("password", PASSWORD)]);
        person.submit();
        wait::until("the dashboard is shown", SHOWN, || person.row("web1").ok_or("not yet"));
    };
    // It signed in before anybody guessed.
    assert_eq!(enter(cluster, MARK).status, 303);
    person.go("/login");
    person.browser.set_cookie("cordee_lang", "en");
    person.browser.script("localStorage.setItem('cordee-browser', arguments[0])", &[json!(MARK)]);
    guessed(5);
    sign_in();

    let heard = other_port(&person, "/login");
    assert!(!heard.contains(MARK), "{heard}");
    let sent = heard.lines().find_map(|line| line.strip_prefix("Cookie: ")).expect("cookies");
    let ours: Vec<&str> = sent
        .split("; ")
        .filter(|pair| pair.starts_with("cordee_") && !pair.starts_with("cordee_lang="))
        .collect();
    assert_eq!(ours.len(), 1, "the session's and no other: {ours:?}");

    // Whoever heard that sends all of it, guesses like everybody, and waits like everybody.
    guessed(6);
    let mut thief = Client::new(cluster.page()).header("Sec-Fetch-Site", "same-origin");
    thief = thief.header("Connection", "close").header("Cookie", sent);
    let secret = ours[0].split_once('=').expect("a cookie").1;
    for mark in ["", secret] {
        let fields = [("name", ACCOUNT), ("password", PASSWORD), ("browser", mark)];
        assert_eq!(thief.post_form("/login", &fields).unwrap().status, 429);
    }
    // What the page keeps outlasts the session, and the tries of the browser's own are still there.
    person.go("/");
    person.browser.click("[popovertarget=\"self\"]");
    person.browser.click("#self form[action=\"/logout\"] button");
    wait::until_true("the sign-in page is shown", SHOWN, || person.browser.path() == "/login");
    person.fill_in(&[("name", ACCOUNT), ("password", "not it")]);
    person.submit();
    person.browser.wait_for("#login-e", SHOWN);
    sign_in();
}

/// It makes this address wait for a minute.
pub fn the_sixth_wrong_password_has_to_wait(cluster: &Cluster) {
    let _ = cluster.session();
    for n in 1..=5 {
        let answer = login(cluster, &format!("wrong {n}"));
        assert!(answer.status == 401 || answer.status == 422, "try {n}: {}", answer.status);
        assert!(answer.header("set-cookie").is_none_or(|c| !c.starts_with("cordee_")));
    }
    let answer = login(cluster, "wrong 6");
    assert_eq!(answer.status, 429, "{}", answer.text());
    let seconds: u64 = answer.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(
        answer.text().contains(&seconds.to_string()) || answer.text().contains("second"),
        "{}",
        answer.text()
    );
    assert_eq!(login(cluster, PASSWORD).status, 429, "also the right one waits");
    // Who is signed in, programs and the site are not touched.
    assert_eq!(cluster.signed_in().get("/").unwrap().status, 200);
    assert_ne!(cluster.api().get("/v1/snapshot"), Value::Null);
}
