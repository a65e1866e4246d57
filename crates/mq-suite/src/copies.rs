//! Copies of the file's queues, to be proved in place of the queues themselves.

use mq_core::ResolvedQueue;
use mq_core::queue::{DeadLetterTarget, Names, QueueRef};

use crate::trial::Place;

/// A queue of the file and, where its dead letters go to another queue of the file, that one too:
/// the same in every value, on the trial's stage and under names of their own.
///
/// What only the real queue may touch is left out: someone else's dead-letter queue becomes one of
/// the copy's own, and protection would keep the copy from being removed.
pub(crate) fn copy(queues: &[ResolvedQueue], logical: &str, place: &Place) -> Vec<ResolvedQueue> {
    let Some(queue) = queues.iter().find(|queue| queue.logical == logical) else {
        return Vec::new();
    };
    let shared = match &queue.attributes.dead_letter {
        Some(stated) => match &stated.value.target {
            DeadLetterTarget::Shared(shared) => Some(shared.logical.as_str()),
            DeadLetterTarget::Own | DeadLetterTarget::External(_) => None,
        },
        None => None,
    };
    let mut copies: Vec<ResolvedQueue> = queues
        .iter()
        .filter(|queue| queue.logical == logical || Some(queue.logical.as_str()) == shared)
        .map(|queue| moved(queue, place))
        .collect();
    let kept: Vec<String> = copies.iter().map(|copy| copy.logical.clone()).collect();
    for copy in &mut copies {
        copy.dead_letter_for
            .retain(|source| kept.contains(&source.logical));
        detach_unless_kept(copy, &kept);
    }
    copies
}

fn moved(queue: &ResolvedQueue, place: &Place) -> ResolvedQueue {
    let mut copy = queue.clone();
    copy.owner = place.owner.clone();
    copy.base_name = place.base_name(&queue.logical);
    copy.names = Names::default();
    copy.expires_at = Some(place.expires_at);
    copy.managed = true;
    copy.protect = false;
    for source in &mut copy.dead_letter_for {
        move_reference(source, place);
    }
    if let Some(stated) = &mut copy.attributes.dead_letter {
        match &mut stated.value.target {
            DeadLetterTarget::Shared(shared) => move_reference(shared, place),
            DeadLetterTarget::External(_) => stated.value.target = DeadLetterTarget::Own,
            DeadLetterTarget::Own => {}
        }
    }
    copy
}

fn move_reference(reference: &mut QueueRef, place: &Place) {
    reference.base_name = place.base_name(&reference.logical);
    reference.names = Names::default();
}

/// The queue that takes another's dead letters may send its own to a third, which is not copied.
fn detach_unless_kept(copy: &mut ResolvedQueue, kept: &[String]) {
    if let Some(stated) = &mut copy.attributes.dead_letter
        && let DeadLetterTarget::Shared(shared) = &stated.value.target
        && !kept.contains(&shared.logical)
    {
        stated.value.target = DeadLetterTarget::Own;
    }
}
