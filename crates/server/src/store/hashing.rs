//! Passwords as argon2id hashes, computed in memory that is allocated once.
//!
//! Each comparison fills 19 MiB. Allocated and freed for each comparison, that memory would be spread over the
//! allocator's arenas: gigabytes after some hundred guesses, which anybody can make. So there are a few pieces of
//! that size, for as many comparisons at once; they are allocated when they are first needed, and kept.

use std::sync::{Condvar, Mutex};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use cordee_node::over;
use cordee_node::random;

use super::StoreError;

/// Length of a hash in bytes.
const LENGTH: usize = 32;
/// How many pieces of memory there are: as many as comparisons run at once, and one for passwords that are set.
const PIECES: usize = 4;

/// The pieces that are not in use, and how many exist.
struct Pool {
    free: Vec<Vec<Block>>,
    made: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { free: Vec::new(), made: 0 });
static BACK: Condvar = Condvar::new();

/// A piece of memory, returned to the pool when it is dropped.
struct Piece(Vec<Block>);

impl Piece {
    /// Waits for a free piece. To be called on threads that may block.
    fn take(blocks: usize) -> Self {
        let mut pool = over::hold(&POOL);
        loop {
            if let Some(mut piece) = pool.free.pop() {
                piece.resize(blocks, Block::new());
                return Self(piece);
            }
            if pool.made < PIECES {
                pool.made += 1;
                drop(pool);
                return Self(vec![Block::new(); blocks]);
            }
            pool = BACK.wait(pool).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        // No trace of a password stays in memory.
        self.0.fill(Block::new());
        over::hold(&POOL).free.push(std::mem::take(&mut self.0));
        BACK.notify_one();
    }
}

/// Argon2id with OWASP's first recommendation but for memory: 19 MiB, 2 passes, 1 lane.
fn ours() -> Result<Params, StoreError> {
    Params::new(19 * 1024, 2, 1, None).map_err(|_| StoreError::Hash)
}

fn fill(password: &str, salt: &[u8], params: &Params) -> Result<[u8; LENGTH], StoreError> {
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let (mut out, mut piece) = ([0; LENGTH], Piece::take(params.block_count()));
    hasher
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut out, piece.0.as_mut_slice())
        .map_err(|_| StoreError::Hash)?;
    Ok(out)
}

/// Returns the hash of a new password.
pub(super) fn hash_password(password: &str) -> Result<String, StoreError> {
    let mut salt = [0; 16];
    random::fill(&mut salt).ok_or(StoreError::Random)?;
    let params = ours()?;
    let out = fill(password, &salt, &params)?;
    let failed = |_| StoreError::Hash;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(|_| StoreError::Hash)?,
        salt: Some(Salt::new(&salt).map_err(failed)?),
        hash: Some(Output::new(&out).map_err(failed)?),
    };
    Ok(hash.to_string())
}

/// Reports whether the password belongs to the hash. The time of the comparison does not tell how much of it is
/// right.
pub(super) fn matches(password: &str, hash: &str) -> Result<bool, StoreError> {
    let hash = PasswordHash::new(hash).map_err(|_| StoreError::Hash)?;
    let version = hash.version.map(Version::try_from).transpose().map_err(|_| StoreError::Hash)?;
    let known = hash.algorithm == Algorithm::Argon2id.ident() && version == Some(Version::V0x13);
    let (Some(salt), Some(expected), true) = (&hash.salt, &hash.hash, known) else {
        return Err(StoreError::Hash);
    };
    let params = Params::try_from(&hash).map_err(|_| StoreError::Hash)?;
    let out = fill(password, salt, &params)?;
    Ok(Output::new(&out).is_ok_and(|out| out == *expected))
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

    use super::*;

    #[test]
    fn what_is_hashed_here_is_what_the_library_hashes() {
        let library = Argon2::new(Algorithm::Argon2id, Version::V0x13, ours().unwrap());
        // The memory is the piece that the previous hash used.
        for password in ["long enough", "another one", ""] {
            let made = hash_password(password).unwrap();
            library.verify_password(password.as_bytes(), &PasswordHash::new(&made).unwrap()).unwrap();
            let theirs = library.hash_password_with_salt(password.as_bytes(), b"sixteen letters.").unwrap();
            assert!(matches(password, &theirs.to_string()).unwrap());
            assert!(!matches("no", &theirs.to_string()).unwrap());
        }
        assert!(matches("x", "$argon2i$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlzLg$bm9ib2R5").is_err());
    }

    #[test]
    fn however_many_are_compared_memory_stays_what_a_few_take() {
        let hash = hash_password("long enough").unwrap();
        // New threads, as in the runtime: each may use another arena.
        for _ in 0..6 {
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| assert!(!matches("guess", &hash).unwrap()));
                }
            });
        }
        for _ in 0..20 {
            std::thread::scope(|scope| drop(scope.spawn(|| matches("guess", &hash).unwrap())));
        }
        let pool = over::hold(&POOL);
        let blocks: usize = pool.free.iter().map(Vec::capacity).sum();
        let most = PIECES * ours().unwrap().block_count();
        assert!(pool.made <= PIECES && blocks <= most, "{} pieces, {blocks} blocks", pool.made);
    }
}
