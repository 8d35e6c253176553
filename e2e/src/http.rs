//! A small HTTP/1.1 client that never tries twice: what a visitor would see is what a test sees.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long a request may take when nothing else is said.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Answers longer than this are a fault of the server.
const MOST: u64 = 64 << 20;

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers, names in lower case, in the order of the answer.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// From the first octet sent to the last one read, connecting included.
    pub took: Duration,
}

impl Answer {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The web server that says it answered.
    pub fn server(&self) -> &str {
        self.header("x-server").unwrap_or("")
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One visitor: at most one connection, kept for the next request, and the cookies it was given.
#[derive(Debug)]
pub struct Client {
    to: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
    timeout: Duration,
    keeps_cookies: bool,
    /// Cookies sent with each request.
    pub cookies: BTreeMap<String, String>,
    /// Headers sent with each request.
    pub headers: Vec<(String, String)>,
    /// What the page's script would add to each form.
    proof: Option<String>,
}

impl Client {
    /// A visitor that forgets cookies.
    pub fn new(to: SocketAddr) -> Self {
        Self {
            to,
            stream: None,
            timeout: TIMEOUT,
            keeps_cookies: false,
            cookies: BTreeMap::new(),
            headers: Vec::new(),
            proof: None,
        }
    }

    /// A visitor that keeps the cookies it is given, as a browser does.
    pub fn with_jar(to: SocketAddr) -> Self {
        Self { keeps_cookies: true, ..Self::new(to) }
    }

    /// With one cookie from the start.
    #[must_use]
    pub fn cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With one header on every request.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With the secret that the page's script would keep.
    #[must_use]
    pub fn proof(mut self, secret: &str) -> Self {
        self.proof = Some(secret.to_owned());
        self
    }

    /// With another limit for each request, from a new connection on.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self.stream = None;
        self
    }

    /// Fetches a page.
    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.request("GET", path, &[], b"")
    }

    /// Sends a form.
    pub fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> io::Result<Answer> {
        let proof = self.proof.as_deref().map(|secret| ("proof", secret));
        let all: Vec<(&str, &str)> = fields.iter().copied().chain(proof).collect();
        let body = encode_form(&all);
        self.request("POST", path, &[("Content-Type", "application/x-www-form-urlencoded")], body.as_bytes())
    }

    /// Sends one request on the kept connection, or on a new one when there is none. An error drops the connection.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let started = Instant::now();
        let head = self.head(method, path, headers, body.len());
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.to, self.timeout)?,
        };
        send(stream.get_mut(), head.as_bytes(), body)?;
        let deadline = started + self.timeout;
        let (status, headers) = read_head(&mut stream, deadline)?;
        let body = read_body(&mut stream, method, status, &headers)?;
        let answer = Answer { status, headers, body, took: started.elapsed() };
        // Without a length the body ended with the connection.
        let framed = answer.header("content-length").is_some()
            || answer.header("transfer-encoding").is_some()
            || bodiless(method, status);
        let closes = answer.header("connection").is_some_and(|v| v.eq_ignore_ascii_case("close"));
        self.stream = (framed && !closes).then_some(stream);
        if self.keeps_cookies {
            self.keep(&answer);
        }
        Ok(answer)
    }

    fn head(&self, method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> String {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.to);
        let own = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        for (name, value) in own.chain(headers.iter().copied()) {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            let _ = write!(head, "Cookie: {}\r\n", pairs.join("; "));
        }
        if length > 0 || method == "POST" {
            let _ = write!(head, "Content-Length: {length}\r\n");
        }
        head.push_str("\r\n");
        head
    }

    fn keep(&mut self, answer: &Answer) {
        for (_, value) in answer.headers.iter().filter(|(n, _)| n == "set-cookie") {
            let pair = value.split(';').next().unwrap_or("");
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}

/// One request on a connection of its own.
pub fn get(to: SocketAddr, path: &str) -> io::Result<Answer> {
    Client::new(to).request("GET", path, &[("Connection", "close")], b"")
}

/// The address of a page's stream, which says what the script that follows it came with.
#[track_caller]
pub fn stream(page: SocketAddr) -> String {
    let text = get(page, "/login").expect("the page").text();
    let version = text.split("/assets/").nth(1).and_then(|rest| rest.split('/').next()).expect("a version");
    format!("/live?v={version}")
}

fn connect(to: SocketAddr, timeout: Duration) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&to, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

fn send(stream: &mut TcpStream, head: &[u8], body: &[u8]) -> io::Result<()> {
    // In one piece, so that a small form is one segment like a browser's.
    let mut all = Vec::with_capacity(head.len() + body.len());
    all.extend_from_slice(head);
    all.extend_from_slice(body);
    match stream.write_all(&all) {
        // A server that refuses a body early closes while we still write: its answer is there to be read.
        Err(error) if body.len() > 65_536 && error.kind() != io::ErrorKind::TimedOut => Ok(()),
        result => result,
    }
}

type Head = (u16, Vec<(String, String)>);

fn read_head(stream: &mut BufReader<TcpStream>, deadline: Instant) -> io::Result<Head> {
    loop {
        let status = status_line(&line(stream)?)?;
        let headers = header_lines(stream)?;
        if Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        // 1xx answers come before the real one.
        if status >= 200 {
            return Ok((status, headers));
        }
    }
}

fn status_line(line: &str) -> io::Result<u16> {
    line.split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| wrong(&format!("status line {line:?}")))
}

fn header_lines(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = line(stream)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line.split_once(':').ok_or_else(|| wrong(&format!("header {line:?}")))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut raw = Vec::new();
    stream.by_ref().take(65_536).read_until(b'\n', &mut raw)?;
    if raw.pop() != Some(b'\n') {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed before a whole answer"));
    }
    if raw.last() == Some(&b'\r') {
        raw.pop();
    }
    Ok(String::from_utf8_lossy(&raw).into_owned())
}

fn bodiless(method: &str, status: u16) -> bool {
    method == "HEAD" || status == 204 || status == 304
}

fn read_body(
    stream: &mut BufReader<TcpStream>,
    method: &str,
    status: u16,
    headers: &[(String, String)],
) -> io::Result<Vec<u8>> {
    let header = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    if bodiless(method, status) {
        return Ok(Vec::new());
    }
    if header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
        return read_chunks(stream);
    }
    let mut body = Vec::new();
    let Some(length) = header("content-length") else {
        stream.take(MOST).read_to_end(&mut body)?;
        return Ok(body);
    };
    let length: u64 = length.parse().ok().filter(|n| *n <= MOST).ok_or_else(|| wrong("content-length"))?;
    stream.take(length).read_to_end(&mut body)?;
    if u64::try_from(body.len()) != Ok(length) {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the body was cut"));
    }
    Ok(body)
}

fn read_chunks(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(stream)?;
        let size = size.split(';').next().unwrap_or("").trim();
        let size =
            u64::from_str_radix(size, 16).ok().filter(|n| *n <= MOST).ok_or_else(|| wrong("chunk size"))?;
        if size == 0 {
            header_lines(stream)?;
            return Ok(body);
        }
        let before = body.len();
        stream.take(size).read_to_end(&mut body)?;
        if u64::try_from(body.len() - before) != Ok(size) || !line(stream)?.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a chunk was cut"));
        }
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not HTTP: {what}"))
}

/// Form fields as a browser encodes them.
pub fn encode_form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields.iter().map(|(n, v)| format!("{}={}", percent(n), percent(v))).collect();
    pairs.join("&")
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._*".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// Answers each connection's first request with the next of `answers`, then closes.
    fn serve(answers: &'static [&'static str]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        to
    }

    #[test]
    fn a_chunked_body_is_put_together() {
        let to = serve(&[
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nCord\r\n2\r\n\u{e9}\r\n1\r\ne\r\n0\r\n\r\n",
        ]);
        assert_eq!(get(to, "/").unwrap().text(), "Cord\u{e9}e");
    }

    #[test]
    fn a_body_cut_short_is_an_error() {
        let to = serve(&["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"]);
        assert!(get(to, "/").is_err());
    }

    #[test]
    fn an_empty_answer_is_an_error_and_is_not_tried_again() {
        let to = serve(&["", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]);
        assert!(Client::new(to).get("/").is_err());
    }

    #[test]
    fn forms_are_encoded() {
        assert_eq!(encode_form(&[("a b", "\u{e9};&")]), "a%20b=%C3%A9%3B%26");
    }
}
