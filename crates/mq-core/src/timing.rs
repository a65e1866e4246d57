//! Time and chance, passed in so that waiting can be tested by the million.

use std::fmt::Debug;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_trait::async_trait;

/// A clock that can be waited on.
#[async_trait]
pub trait Clock: Send + Sync + Debug {
    /// How long this clock has run.
    fn elapsed(&self) -> Duration;

    /// Returns once this much time has passed on this clock.
    async fn sleep(&self, duration: Duration);
}

/// The machine's own clock.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock(Instant::now())
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A clock on which sleeping takes no time: each sleep moves it forward by its length.
#[derive(Debug, Default)]
pub struct SkippingClock(Mutex<Duration>);

#[async_trait]
impl Clock for SkippingClock {
    fn elapsed(&self) -> Duration {
        *self.lock()
    }

    async fn sleep(&self, duration: Duration) {
        *self.lock() += duration;
        tokio::task::yield_now().await;
    }
}

impl SkippingClock {
    fn lock(&self) -> std::sync::MutexGuard<'_, Duration> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A small source of jitter (xorshift64*): spreads retries, decides nothing else.
#[derive(Debug)]
pub struct Jitter(Mutex<u64>);

impl Jitter {
    /// Jitter that is the same for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Jitter(Mutex::new(seed | 1))
    }

    /// A duration between zero and `most`, evenly spread.
    pub fn up_to(&self, most: Duration) -> Duration {
        let mut state = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        let part = state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40;
        most.mul_f64(part as f64 / f64::from(1u32 << 24))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_in_range_and_repeats_for_its_seed() {
        let most = Duration::from_secs(10);
        let draw = |seed| -> Vec<Duration> {
            let jitter = Jitter::seeded(seed);
            (0..1000).map(|_| jitter.up_to(most)).collect()
        };
        let drawn = draw(7);
        assert_eq!(drawn, draw(7));
        assert!(drawn.iter().all(|value| *value <= most));
        let mean = drawn.iter().sum::<Duration>() / 1000;
        assert!(
            mean > Duration::from_secs(4) && mean < Duration::from_secs(6),
            "{mean:?}"
        );
    }
}
