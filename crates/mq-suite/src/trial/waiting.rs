//! Waiting for a change to show.

use std::time::Duration;

use mq_core::timing::Clock;

use super::Trial;

/// How long a change may take to show: what SQS documents, and a little more.
const SHOWN_WITHIN: Duration = Duration::from_secs(70);
impl Trial {
    /// For as long as a service may take to show what was written.
    pub(crate) fn wait_for_a_change(&self) -> Wait<'_> {
        let clock = &*self.subject.surroundings.clock;
        Wait {
            clock,
            end: clock.elapsed() + SHOWN_WITHIN,
            pause: Duration::from_millis(500),
        }
    }
}

/// Looks further and further apart.
pub(crate) struct Wait<'a> {
    clock: &'a dyn Clock,
    end: Duration,
    pause: Duration,
}

impl Wait<'_> {
    /// Waits for the next look; `false` when there is to be none.
    pub(crate) async fn again(&mut self) -> bool {
        let left = self.end.saturating_sub(self.clock.elapsed());
        if left.is_zero() {
            return false;
        }
        self.clock.sleep(self.pause.min(left)).await;
        self.pause = (self.pause * 2).min(Duration::from_secs(8));
        true
    }
}
