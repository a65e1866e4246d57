//! What the front-ends share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mq_engine::{Engine, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::quirks::Quirks;

/// One emulator's state, behind an `Arc` that every connection holds.
pub(crate) struct Shared {
    engine: Mutex<Engine>,
    dice: Mutex<StdRng>,
    /// What was switched on by name.
    pub(crate) quirks: Quirks,
    requests: AtomicU64,
    last_request: AtomicU64,
}

impl Shared {
    pub(crate) fn new(quirks: Quirks, seed: u64) -> Self {
        Shared {
            engine: Mutex::new(Engine::new()),
            dice: Mutex::new(StdRng::seed_from_u64(seed)),
            quirks,
            requests: AtomicU64::new(0),
            last_request: AtomicU64::new(now().0),
        }
    }

    /// The engine, for the length of one request's work. Never held across an await.
    pub(crate) fn engine(&self) -> MutexGuard<'_, Engine> {
        // A panic in one request must not take the emulator down: the engine changes nothing
        // before it has decided, so its state is whole.
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something that happens in one of `1 / rate` cases happens now. Reproducible from
    /// the seed for the same order of requests.
    pub(crate) fn chance(&self, rate: f64) -> bool {
        rate > 0.0 && self.dice.lock().unwrap_or_else(PoisonError::into_inner).random_bool(rate.min(1.0))
    }

    /// Notes that a request came in: for the idle exit and the counters.
    pub(crate) fn touch(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.last_request.store(now().0, Ordering::Relaxed);
    }

    /// How many requests came in so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// How long no request has come.
    pub(crate) fn idle(&self) -> Duration {
        now().since(Timestamp(self.last_request.load(Ordering::Relaxed)))
    }
}

/// The time that requests are stamped with.
pub(crate) fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Timestamp(u64::try_from(millis).unwrap_or(u64::MAX))
}
