//! What is looked at, and what is told when something is wrong.

use crate::tests::model::{Fate, Item, Spot};
use crate::{Delivery, Holdings};

/// What found that something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tests) enum Check {
    /// What came is what is there or has left in a known way.
    Conservation,
    /// No message is out twice.
    OneLease,
    /// No message is seen before its time.
    NotEarly,
    /// No message is seen that has expired, or was acked, purged, cancelled or moved.
    NotGone,
    /// Nobody gets a message of a group that another one has.
    OneHolder,
    /// Messages come in their order.
    Order,
    /// Delivery counts are right.
    DeliveryCount,
    /// What should be handed out is.
    Delivery,
    /// A receipt does what it may and no more.
    Receipt,
    /// A duplicate is one exactly within its window.
    Duplicates,
    /// Sessions are locked, and keep their state.
    Sessions,
    /// All that waits is where it should be, and waits for what it should.
    Peek,
    /// What is counted is there.
    Counts,
    /// The account of memory is right.
    Memory,
    /// Move tasks move what they say.
    Moves,
    /// Other answers.
    Answer,
    /// Who waits is woken, and time is asked for when it is needed.
    Wake,
}

/// Where the engine and the model disagree.
#[derive(Debug)]
pub(in crate::tests) struct Failure {
    pub(in crate::tests) check: Check,
    pub(in crate::tests) what: String,
}

pub(in crate::tests) type Checked = Result<(), Failure>;

/// Whether the engine and the model say the same.
pub(in crate::tests) fn same<T: PartialEq + std::fmt::Debug>(
    check: Check,
    what: &str,
    found: &T,
    wanted: &T,
) -> Checked {
    if found == wanted {
        return Ok(());
    }
    Err(Failure {
        check,
        what: format!("{what}:\n  engine {found:?}\n  model  {wanted:?}"),
    })
}

pub(in crate::tests) fn conserved(holdings: &Holdings) -> Checked {
    let h = holdings;
    let there = h.visible + h.leased + h.delayed + h.scheduled + h.deferred;
    let gone = h.acked + h.expired + h.purged + h.left;
    same(
        Check::Conservation,
        "what came, and what is there or gone",
        &h.arrived,
        &(there + gone),
    )
}

/// What is wrong with a receive, as exactly as can be told.
pub(in crate::tests) fn explain(
    spot: Spot,
    before: &[Item],
    found: &[Delivery],
    wanted: &[Delivery],
) -> Failure {
    let what = format!("received from {spot:?}:\n  engine {found:?}\n  model  {wanted:?}");
    let fail = |check| Failure {
        check,
        what: what.clone(),
    };
    let sequences = |all: &[Delivery]| -> Vec<u64> {
        all.iter()
            .map(|delivery| delivery.receipt.sequence)
            .collect()
    };
    let (got, should) = (sequences(found), sequences(wanted));
    for (index, sequence) in got.iter().enumerate() {
        if got[..index].contains(sequence) {
            return fail(Check::OneLease);
        }
        if should.contains(sequence) {
            continue;
        }
        let item = before
            .iter()
            .find(|item| item.spot == spot && item.sequence == *sequence);
        let check = match item.map(|item| item.fate) {
            None => Check::NotGone,
            Some(Fate::Retained | Fate::Settled) => Check::NotGone,
            Some(Fate::Leased(_)) => Check::OneLease,
            Some(Fate::Delayed(_) | Fate::Scheduled(_)) => Check::NotEarly,
            Some(Fate::Deferred) => Check::Delivery,
            Some(Fate::Ready(_)) => Check::OneHolder,
        };
        return fail(check);
    }
    let mut sorted = (got.clone(), should.clone());
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    if got != should && sorted.0 == sorted.1 {
        return fail(Check::Order);
    }
    let counts = |all: &[Delivery]| -> Vec<u32> {
        all.iter().map(|delivery| delivery.delivery_count).collect()
    };
    if got == should && counts(found) != counts(wanted) {
        return fail(Check::DeliveryCount);
    }
    fail(Check::Delivery)
}
