//! What each stream has out, so that it stops where its client wants it to.
//!
//! Messages of a stream may be settled on another one or by request, and none of that passes
//! through the stream; so leases are registered here, under the numbers that no two leases of an
//! engine share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mq_engine::{Delivery, Receipt, Settle, Settled, Timestamp};
use tokio::sync::Notify;

use super::envelope;

/// A window with fewer leases is not looked through for those that have ended.
const SWEEP_MIN: usize = 1_024;

/// All streams' windows, by the leases in them.
#[derive(Debug, Default)]
pub(super) struct Windows(Mutex<HashMap<u64, Arc<Window>>>);

/// How much one stream's client wants to have at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) messages: usize,
    pub(super) bytes: u64,
}

impl Limits {
    /// As a client gives them: zero and less is without limit.
    pub(super) fn new(messages: i64, bytes: i64) -> Self {
        Limits {
            messages: usize::try_from(messages)
                .ok()
                .filter(|it| *it > 0)
                .unwrap_or(usize::MAX),
            bytes: u64::try_from(bytes)
                .ok()
                .filter(|it| *it > 0)
                .unwrap_or(u64::MAX),
        }
    }

    fn is_none(self) -> bool {
        self.messages == usize::MAX && self.bytes == u64::MAX
    }
}

/// What one stream has out.
#[derive(Debug)]
pub(super) struct Window {
    limits: Limits,
    out: Mutex<Out>,
    /// Notified when there is more room.
    freed: Notify,
}

#[derive(Debug, Default)]
struct Out {
    by_lease: HashMap<u64, Held>,
    bytes: u64,
    /// When there are so many, it is time to forget those that came back by themselves.
    sweep_at: usize,
}

#[derive(Debug)]
struct Held {
    bytes: u64,
    until: Timestamp,
}

impl Out {
    fn is_due(&self) -> bool {
        self.by_lease.len() >= self.sweep_at
    }

    fn let_go(&mut self, lease: u64) {
        if let Some(held) = self.by_lease.remove(&lease) {
            self.bytes = self.bytes.saturating_sub(held.bytes);
        }
    }
}

impl Window {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Window {
            limits,
            out: Mutex::default(),
            freed: Notify::new(),
        })
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much more may go out; `None` when it is full.
    pub(super) fn room(&self) -> Option<Limits> {
        let out = self.out();
        let messages = self.limits.messages.saturating_sub(out.by_lease.len());
        let bytes = self.limits.bytes.saturating_sub(out.bytes);
        (messages > 0 && bytes > 0).then_some(Limits { messages, bytes })
    }

    /// Returns when there may be more room. To be asked for before the room is looked at.
    pub(super) fn freed(&self) -> tokio::sync::futures::Notified<'_> {
        self.freed.notified()
    }

    /// When the next of what is out comes back by itself.
    pub(super) fn next_expiry(&self) -> Option<Timestamp> {
        self.out().by_lease.values().map(|held| held.until).min()
    }
}

impl Windows {
    fn all(&self) -> MutexGuard<'_, HashMap<u64, Arc<Window>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that these go out on the window's stream.
    pub(super) fn hand_out(&self, window: &Arc<Window>, deliveries: &[Delivery], now: Timestamp) {
        if window.limits.is_none() {
            return;
        }
        if window.out().is_due() {
            self.expire(window, now);
            let mut out = window.out();
            out.sweep_at = (out.by_lease.len() * 2).max(SWEEP_MIN);
        }
        let mut all = self.all();
        let mut out = window.out();
        for delivery in deliveries {
            let lease = delivery.receipt.lease;
            let bytes = envelope::size(delivery);
            let until = delivery.leased_until;
            all.insert(lease, Arc::clone(window));
            out.by_lease.insert(lease, Held { bytes, until });
            out.bytes = out.bytes.saturating_add(bytes);
        }
    }

    /// Notes what became of these.
    pub(super) fn settled(&self, receipts: &[Receipt], settled: &[Settled], how: &Settle) {
        let mut all = self.all();
        if all.is_empty() {
            return;
        }
        for (receipt, settled) in receipts.iter().zip(settled) {
            let Some(window) = all.get(&receipt.lease).map(Arc::clone) else {
                continue;
            };
            if let (Settle::Extend { .. }, Settled::Done(until)) = (how, settled) {
                if let Some(held) = window.out().by_lease.get_mut(&receipt.lease) {
                    held.until = *until;
                }
                continue;
            }
            all.remove(&receipt.lease);
            window.out().let_go(receipt.lease);
            window.freed.notify_one();
        }
    }

    /// Forgets what came back by itself.
    pub(super) fn expire(&self, window: &Window, now: Timestamp) {
        self.forget(window, |held| held.until <= now);
    }

    /// Forgets all of a stream that has ended. Its messages come back when their leases end.
    pub(super) fn close(&self, window: &Window) {
        self.forget(window, |_| true);
    }

    fn forget(&self, window: &Window, gone: impl Fn(&Held) -> bool) {
        let mut all = self.all();
        let mut out = window.out();
        let gone = |(lease, held): (&u64, &Held)| gone(held).then_some(*lease);
        let leases: Vec<u64> = out.by_lease.iter().filter_map(gone).collect();
        for lease in leases {
            all.remove(&lease);
            out.let_go(lease);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mq_engine::Timestamp;

    use super::*;

    /// One that is leased until 10.
    fn delivery(lease: u64) -> Delivery {
        Delivery {
            receipt: Receipt { sequence: 1, lease },
            id: 1,
            body: Bytes::from_static(b"abc"),
            properties: Bytes::new(),
            group: None,
            duplicate_id: None,
            sent: Timestamp(0),
            first_received: Timestamp(0),
            delivery_count: 1,
            leased_until: Timestamp(10),
            expires: Timestamp(100),
            origin: None,
        }
    }

    #[test]
    fn room_is_taken_by_what_goes_out_and_given_back_by_what_comes_of_it() {
        let windows = Windows::default();
        let window = Window::new(Limits::new(3, 7));
        let deliveries = [delivery(1), delivery(2)];
        windows.hand_out(&window, &deliveries, Timestamp(0));
        let left = Limits::new(1, 1);
        assert_eq!(window.room(), Some(left));
        windows.hand_out(&window, &[delivery(3)], Timestamp(0));
        assert_eq!(window.room(), None);
        let receipts = [deliveries[0].receipt];
        let extend = Settle::Extend { lease: None };
        let until = Settled::Done(Timestamp(20));
        windows.settled(&receipts, &[until], &extend);
        assert_eq!(window.room(), None);
        windows.expire(&window, Timestamp(10));
        assert_eq!(window.room(), Some(Limits::new(2, 4)));
        assert_eq!(window.next_expiry(), Some(Timestamp(20)));
        windows.settled(&receipts, &[until], &Settle::Ack);
        windows.settled(&receipts, &[until], &Settle::Ack);
        assert_eq!(window.room(), Some(Limits::new(3, 7)));
        assert!(windows.all().is_empty());
    }

    /// A client that settles nothing must not make the emulator remember every lease there was.
    #[test]
    fn leases_that_have_ended_are_forgotten_without_being_settled() {
        let windows = Windows::default();
        let window = Window::new(Limits::new(i64::MAX, 1_000_000));
        for lease in 0..10_000 {
            let now = Timestamp(if lease < 100 { 0 } else { 10 });
            windows.hand_out(&window, &[delivery(lease)], now);
        }
        assert!(windows.all().len() <= SWEEP_MIN + 1);
        windows.close(&window);
        assert!(windows.all().is_empty());
    }
}
