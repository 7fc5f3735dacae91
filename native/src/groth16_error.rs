//! What can go wrong with keys, witnesses and proofs, and how long work is watched and stopped.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;

#[derive(Debug)]
pub enum Error {
    /// The caller asked to stop.
    Cancelled,
    /// A file could not be read or written; the text names it.
    Io(String, std::io::Error),
    /// A key file or verification key is malformed or dangerous.
    Key(String),
    /// A powers-of-tau file is malformed, or not what it must be.
    Powers(String),
    /// A proof or public input is malformed: not a matter of true or false.
    Proof(String),
    /// The witness does not belong to the system, or does not satisfy it.
    Witness(String),
    /// The constraint system contradicts itself or does not belong to the key.
    System(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => write!(f, "cancelled"),
            Self::Io(what, error) => write!(f, "{what}: {error}"),
            Self::Key(text) => write!(f, "key: {text}"),
            Self::Powers(text) => write!(f, "powers of tau: {text}"),
            Self::Proof(text) => write!(f, "proof: {text}"),
            Self::Witness(text) => write!(f, "witness: {text}"),
            Self::System(text) => write!(f, "constraint system: {text}"),
        }
    }
}

impl std::error::Error for Error {}

pub type Result<T> = std::result::Result<T, Error>;

/// Shared between the thread that works and the one that waits: progress goes one way, the wish to stop the other.
#[derive(Debug, Default)]
pub struct Control {
    cancelled: AtomicBool,
    progress: Mutex<(&'static str, f64)>,
}

impl Control {
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub fn check(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    /// Says that `phase` is done to `fraction` (0 to 1), and stops here if the caller wants that.
    pub fn report(&self, phase: &'static str, fraction: f64) -> Result<()> {
        if let Ok(mut progress) = self.progress.lock() {
            *progress = (phase, fraction);
        }
        self.check()
    }

    pub fn progress(&self) -> (&'static str, f64) {
        self.progress.lock().map_or(("", 0.0), |progress| *progress)
    }
}

/// Seconds per phase, in order.
#[derive(Clone, Debug, Default)]
pub struct Timings(pub Vec<(&'static str, f64)>);

impl Timings {
    pub fn measure<T>(&mut self, phase: &'static str, work: impl FnOnce() -> T) -> T {
        let start = std::time::Instant::now();
        let result = work();
        self.0.push((phase, start.elapsed().as_secs_f64()));
        result
    }
}
