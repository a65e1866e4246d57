//! Which time an emulator lives in: the machine's, or one that stands still until it is moved.
//!
//! Every time that a service shows or decides by is the emulator's. The machine's own time stays
//! where a client's clock is on the other side: certificates, the expiry of access tokens, HTTP's
//! `Date`, and how long a socket or an idle emulator is waited for. A client signs its tokens by
//! the machine's clock, so that an emulator a day ahead would refuse every one of them.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mq_engine::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::shared::Shared;

/// How time passes in an emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockMode {
    /// As on this machine.
    #[default]
    System,
    /// Not at all: it is the time of the start until [`Emulator::advance`](crate::Emulator::advance),
    /// or a caller of the console with the token, moves it.
    Manual,
}

/// As in `--clock MODE`.
impl fmt::Display for ClockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ClockMode::System => "system",
            ClockMode::Manual => "manual",
        })
    }
}

/// Why a clock was not moved. It shows what it showed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdvanceError {
    /// It is the machine's.
    #[error("the emulator's clock is not manual: it follows the machine's")]
    NotManual,
    /// The services' formats hold no such time.
    #[error("the emulator's clock cannot go beyond the year 9999")]
    TooFar,
}

/// An emulator's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Timestamp,
    /// Milliseconds since 1970, where they pass by hand.
    manual: Option<AtomicU64>,
    /// Notified when they do.
    moved: Notify,
}

impl Clock {
    /// One that starts now.
    pub(crate) fn start(mode: ClockMode) -> Self {
        Clock::start_at(mode, machine_now())
    }

    /// One that starts at this time, if it is manual.
    pub(crate) fn start_at(mode: ClockMode, start: Timestamp) -> Self {
        let manual = match mode {
            ClockMode::System => None,
            ClockMode::Manual => Some(AtomicU64::new(start.0)),
        };
        Clock {
            start,
            manual,
            moved: Notify::new(),
        }
    }

    pub(crate) fn mode(&self) -> ClockMode {
        match self.manual {
            None => ClockMode::System,
            Some(_) => ClockMode::Manual,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        match &self.manual {
            None => machine_now(),
            Some(millis) => Timestamp(millis.load(Ordering::Acquire)),
        }
    }

    /// Moves on by whole milliseconds, the last one begun counted, and says what time it is then.
    pub(crate) fn advance(&self, by: Duration) -> Result<Timestamp, AdvanceError> {
        let manual = self.manual.as_ref().ok_or(AdvanceError::NotManual)?;
        let by = by.as_nanos().div_ceil(1_000_000);
        let by = u64::try_from(by).map_err(|_| AdvanceError::TooFar)?;
        let later = |millis: u64| {
            millis
                .checked_add(by)
                .filter(|later| *later <= last_millis())
        };
        let before = manual
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, later)
            .map_err(|_| AdvanceError::TooFar)?;
        self.moved.notify_waiters();
        Ok(Timestamp(before + by))
    }

    /// Returns once it is this time.
    pub(crate) async fn sleep_until(&self, time: Timestamp) {
        loop {
            let mut moved = pin!(self.moved.notified());
            moved.as_mut().enable();
            let left = time.since(self.now());
            if left.is_zero() {
                return;
            }
            match self.manual {
                None => tokio::time::sleep(left).await,
                Some(_) => moved.await,
            }
        }
    }
}

/// An emulator's time, to be held beside the emulator and after its end.
#[derive(Clone)]
pub struct EmulatorTime(Arc<Shared>);

impl EmulatorTime {
    pub(crate) fn of(shared: &Arc<Shared>) -> Self {
        EmulatorTime(Arc::clone(shared))
    }

    /// How time passes.
    #[must_use]
    pub fn mode(&self) -> ClockMode {
        self.0.clock.mode()
    }

    /// How much time has passed since the emulator's start, by its own clock, in milliseconds.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        let clock = &self.0.clock;
        clock.now().since(clock.start)
    }

    /// Moves a manual clock on, by whole milliseconds: a fraction counts as one.
    ///
    /// # Errors
    /// An [`AdvanceError`], and then it has not moved.
    pub fn advance(&self, by: Duration) -> Result<(), AdvanceError> {
        self.0.advance(by).map(|_| ())
    }
}

impl fmt::Debug for EmulatorTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatorTime")
            .field("mode", &self.mode())
            .field("elapsed", &self.elapsed())
            .finish()
    }
}

/// The machine's time.
pub(crate) fn machine_now() -> Timestamp {
    let millis = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    Timestamp(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// The time as a date. What is beyond the calendar's end is its end.
pub(crate) fn date(time: Timestamp) -> jiff::Timestamp {
    i64::try_from(time.0)
        .ok()
        .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
        .unwrap_or(jiff::Timestamp::MAX)
}

/// The calendar's last millisecond.
fn last_millis() -> u64 {
    u64::try_from(jiff::Timestamp::MAX.as_millisecond()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_700_000_000_000);

    #[test]
    fn a_manual_clock_moves_by_what_it_is_told_and_by_nothing_else() {
        let clock = Clock::start_at(ClockMode::Manual, START);
        assert_eq!(clock.now(), START);
        let minute = Duration::from_secs(60);
        assert_eq!(clock.advance(minute), Ok(Timestamp(START.0 + 60_000)));
        assert_eq!(clock.now(), Timestamp(START.0 + 60_000));
        assert_eq!(clock.advance(Duration::ZERO), Ok(clock.now()));
        assert_eq!(clock.now(), Timestamp(START.0 + 60_000));
    }

    /// Otherwise whoever waits for less than a millisecond would wait for ever.
    #[test]
    fn a_fraction_of_a_millisecond_counts_as_one() {
        let clock = Clock::start_at(ClockMode::Manual, START);
        for (nanos, millis) in [(1, 1), (999_999, 2), (1_000_000, 3), (1_000_001, 5)] {
            clock.advance(Duration::from_nanos(nanos)).unwrap();
            assert_eq!(clock.now(), Timestamp(START.0 + millis), "{nanos}");
        }
    }

    #[test]
    fn the_calendar_s_end_is_reached_and_not_passed() {
        let clock = Clock::start_at(ClockMode::Manual, START);
        let left = Duration::from_millis(last_millis() - START.0);
        for more in [left + Duration::from_nanos(1), Duration::MAX] {
            assert_eq!(clock.advance(more), Err(AdvanceError::TooFar));
            assert_eq!(clock.now(), START);
        }
        clock.advance(left).unwrap();
        assert_eq!(clock.now(), Timestamp(last_millis()));
        assert_eq!(
            clock.advance(Duration::from_millis(1)),
            Err(AdvanceError::TooFar)
        );
    }

    #[test]
    fn the_machine_s_clock_is_not_moved() {
        let clock = Clock::start(ClockMode::System);
        let hour = Duration::from_secs(3600);
        assert_eq!(clock.advance(hour), Err(AdvanceError::NotManual));
        assert!(clock.now().since(clock.start) < hour);
    }

    #[test]
    fn advances_from_many_threads_add_up() {
        let clock = Clock::start_at(ClockMode::Manual, START);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        clock.advance(Duration::from_millis(1)).unwrap();
                    }
                });
            }
        });
        assert_eq!(clock.now(), Timestamp(START.0 + 4000));
    }
}
