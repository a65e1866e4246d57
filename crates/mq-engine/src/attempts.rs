//! Receives that have a name, so that one whose answer was lost can be made again.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::entity::Timestamp;
use crate::message::Receipt;

/// How long a receive is remembered.
const WINDOW: Duration = Duration::from_mins(5);
/// How many receives of one place are remembered; the oldest are forgotten before their time.
const ATTEMPTS_MAX: usize = 10_000;

/// The receives that are remembered.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    by_name: BTreeMap<String, (Timestamp, Vec<Receipt>)>,
    /// In the order in which they were made.
    order: VecDeque<(Timestamp, String)>,
}

impl Attempts {
    /// Remembers what a receive got.
    pub(crate) fn note(&mut self, name: String, receipts: Vec<Receipt>, now: Timestamp) {
        self.order.push_back((now, name.clone()));
        self.by_name.insert(name, (now, receipts));
        if self.order.len() > ATTEMPTS_MAX {
            self.forget_oldest();
        }
    }

    /// What the receive of this name got.
    pub(crate) fn get(&self, name: &str, now: Timestamp) -> Option<Vec<Receipt>> {
        let (made, receipts) = self.by_name.get(name)?;
        (made.after(WINDOW) > now).then(|| receipts.clone())
    }

    /// When the oldest is forgotten.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.order.front().map(|(made, _)| made.after(WINDOW))
    }

    /// Forgets what is too old.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        while self.next_due().is_some_and(|due| due <= now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((made, name)) = self.order.pop_front()
            && self.by_name.get(&name).is_some_and(|(at, _)| *at == made)
        {
            self.by_name.remove(&name);
        }
    }
}
