//! Secrets: bytes from the system, written in letters and digits that need no quoting anywhere.

/// Fills a buffer with random bytes.
pub fn fill(buffer: &mut [u8]) -> Option<()> {
    getrandom::fill(buffer).ok()
}

/// Returns a secret of `bytes` random bytes in hexadecimal; `None` if the system gives no random bytes.
pub fn token(bytes: usize) -> Option<String> {
    let mut buffer = vec![0; bytes];
    fill(&mut buffer)?;
    Some(cordee_domain::haproxy::config::hex(&buffer, bytes))
}
