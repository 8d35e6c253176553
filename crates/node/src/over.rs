//! What ends a run: a thread or task that the run needs has ended, or a lock was poisoned in the middle of a
//! change. The state in memory cannot be trusted then, so the process ends with a reason in its log, and the keeper
//! starts it again.

use std::sync::{Mutex, MutexGuard, OnceLock};

use tokio::sync::Notify;

static WHY: OnceLock<&'static str> = OnceLock::new();
static SAID: Notify = Notify::const_new();

/// Makes the run end soon.
pub fn end(why: &'static str) {
    tracing::error!(why, "the run ends");
    let _ = WHY.set(why);
    SAID.notify_one();
}

/// Waits for a reason to end the run.
pub async fn ended() -> &'static str {
    loop {
        if let Some(why) = WHY.get() {
            return why;
        }
        SAID.notified().await;
    }
}

/// Takes a lock. A poisoned lock ends the run.
pub fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(|left| {
        end("somebody panicked while holding a lock");
        left.into_inner()
    })
}

/// Ends the run when it is dropped. A thread that the run needs holds it as long as it works.
#[derive(Debug)]
pub struct Needed {
    name: &'static str,
    done: bool,
}

impl Needed {
    /// Declares that the run needs its holder.
    pub const fn new(name: &'static str) -> Self {
        Self { name, done: false }
    }

    /// Declares that the holder ends because the run ends.
    pub fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Needed {
    fn drop(&mut self) {
        if !self.done {
            end(self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    /// A single test, because the reason is global in a process.
    #[tokio::test]
    async fn a_lock_left_in_a_panic_and_a_thread_that_dies_end_the_run() {
        Needed::new("a thread that has done its work").done();
        drop(hold(&Mutex::new(0)));
        assert_eq!(WHY.get(), None, "so far nothing happened");
        let lock = Arc::new(Mutex::new(0));
        let theirs = lock.clone();
        let thread = std::thread::spawn(move || {
            let _needed = Needed::new("the thread of the test has ended");
            let _held = theirs.lock();
            panic!("in the middle of a change");
        });
        assert!(thread.join().is_err());
        drop(hold(&lock));
        let why = tokio::time::timeout(Duration::from_secs(5), ended()).await;
        assert_eq!(why, Ok("the thread of the test has ended"), "the first reason is the one that is told");
    }
}
