//! Who goes on with an ordering key of which it has messages already.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mq_engine::EntityId;

type Taken = Mutex<BTreeSet<(EntityId, u64)>>;

/// The streams that there are, by the numbers under which the engine knows them.
#[derive(Debug, Default)]
pub(super) struct Holders(Arc<Taken>);

/// One stream's number, until it is dropped.
#[derive(Debug)]
pub(super) struct Holder {
    taken: Arc<Taken>,
    entry: (EntityId, u64),
}

impl Holders {
    /// A number that no other stream of the subscription has. A client that comes back after its
    /// stream has ended gets the same one, and with it the keys.
    pub(super) fn take(&self, subscription: &EntityId, client_id: &str) -> Holder {
        let mut all = lock(&self.0);
        let mut number = if client_id.is_empty() {
            uuid::Uuid::new_v4().as_u64_pair().0
        } else {
            // The same in each run, so that a log of what happened can be played again.
            BuildHasherDefault::<DefaultHasher>::default().hash_one(client_id)
        };
        while !all.insert((subscription.clone(), number)) {
            number = number.wrapping_add(1);
        }
        Holder {
            taken: Arc::clone(&self.0),
            entry: (subscription.clone(), number),
        }
    }
}

impl Holder {
    pub(super) fn number(&self) -> u64 {
        self.entry.1
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        lock(&self.taken).remove(&self.entry);
    }
}

fn lock(taken: &Taken) -> MutexGuard<'_, BTreeSet<(EntityId, u64)>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pubsub::names;

    #[test]
    fn a_client_that_comes_back_gets_its_number_and_two_at_a_time_do_not_share_one() {
        let holders = Holders::default();
        let orders = names::subscription("projects/p/subscriptions/orders").unwrap();
        let others = names::subscription("projects/p/subscriptions/others").unwrap();
        let first = holders.take(&orders, "a");
        let number = first.number();
        assert_ne!(holders.take(&orders, "a").number(), number);
        assert_ne!(holders.take(&orders, "b").number(), number);
        assert_eq!(holders.take(&others, "a").number(), number);
        drop(first);
        assert_eq!(holders.take(&orders, "a").number(), number);
        let unnamed = [holders.take(&orders, ""), holders.take(&orders, "")];
        assert_ne!(unnamed[0].number(), unnamed[1].number());
    }
}
