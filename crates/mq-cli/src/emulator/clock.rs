//! An emulator's time as the clock of its clients.

use std::time::Duration;

use async_trait::async_trait;
use mq_core::timing::Clock;
use mq_emulator::{ClockMode, Emulator, EmulatorTime};

/// A client's clock that is an emulator's: whoever waits on it moves the emulator's time by as
/// much, so that a window of a minute there is over at once.
#[derive(Debug)]
pub struct EmulatorClock(EmulatorTime);

impl EmulatorClock {
    /// The clock of this emulator, if it is manual.
    #[must_use]
    pub fn of(emulator: &Emulator) -> Option<Self> {
        let time = emulator.time();
        (time.mode() == ClockMode::Manual).then_some(EmulatorClock(time))
    }
}

#[async_trait]
impl Clock for EmulatorClock {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        if self.0.advance(duration).is_err() {
            // That time does not come in this emulator.
            std::future::pending::<()>().await;
        }
        // Others get their turn, as they would while a real clock runs.
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use mq_emulator::{Config, Ports};

    use super::*;

    async fn started(clock: ClockMode) -> Emulator {
        let config = Config {
            ports: Ports::free(),
            clock,
            ..Config::default()
        };
        Emulator::start(config).await.expect("the emulator starts")
    }

    #[tokio::test]
    async fn who_sleeps_moves_the_emulator_by_as_much() {
        let emulator = started(ClockMode::Manual).await;
        let clock = EmulatorClock::of(&emulator).expect("a manual clock");
        assert_eq!(clock.elapsed(), Duration::ZERO);
        clock.sleep(Duration::from_secs(60)).await;
        assert_eq!(emulator.time().elapsed(), Duration::from_secs(60));
        emulator.advance(Duration::from_secs(1)).expect("it moves");
        assert_eq!(clock.elapsed(), Duration::from_secs(61));
        let for_ever = clock.sleep(Duration::MAX);
        let ended = tokio::time::timeout(Duration::ZERO, for_ever).await;
        assert!(ended.is_err(), "the end of time came");
        assert_eq!(clock.elapsed(), Duration::from_secs(61));
        emulator.stop().await;
    }

    #[tokio::test]
    async fn the_machine_s_clock_is_no_such_clock() {
        let emulator = started(ClockMode::System).await;
        assert!(EmulatorClock::of(&emulator).is_none());
        emulator.stop().await;
    }
}
