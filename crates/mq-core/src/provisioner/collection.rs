//! Which queues gc may remove.

use std::collections::{HashMap, HashSet};

use crate::queue::{Marker, Owner};
use crate::resource::{OwnedResource, ResourceId};

/// A queue among those of every owner.
type QueueKey = (Owner, String);

/// Of everything that is marked, the parts of the queues that may go: of this stack, expired in
/// every part, and needed by no queue that lasts.
pub(super) fn collectable(
    marked: Vec<OwnedResource>,
    owner: &Owner,
    now: u64,
) -> Vec<OwnedResource> {
    let lasting = lasting(&marked, now);
    marked
        .into_iter()
        .filter(|part| {
            marker(part).is_some_and(|marker| {
                is_of_stack(&marker.owner, owner) && !lasting.contains(&key(marker))
            })
        })
        .collect()
}

/// Whether `marked` is of the same file as `owner`, on whatever stage.
fn is_of_stack(marked: &Owner, owner: &Owner) -> bool {
    owner.stack.is_empty() || (marked.stack == owner.stack && marked.origin == owner.origin)
}

/// The queues with a part that has not expired, and those that they need.
fn lasting(marked: &[OwnedResource], now: u64) -> HashSet<QueueKey> {
    let mut queue_of: HashMap<&ResourceId, QueueKey> = HashMap::new();
    let mut needs: HashMap<QueueKey, Vec<&ResourceId>> = HashMap::new();
    let mut lasting: HashSet<QueueKey> = HashSet::new();
    for part in marked {
        let Some(marker) = marker(part) else { continue };
        queue_of.insert(&part.resource.id, key(marker));
        let needed = needs.entry(key(marker)).or_default();
        needed.extend(&part.resource.depends_on);
        if marker.expires_at.is_none_or(|expires| expires > now) {
            lasting.insert(key(marker));
        }
    }
    let mut unexplored: Vec<QueueKey> = lasting.iter().cloned().collect();
    while let Some(queue) = unexplored.pop() {
        for needed in needs.remove(&queue).unwrap_or_default() {
            if let Some(needed) = queue_of.get(needed)
                && lasting.insert(needed.clone())
            {
                unexplored.push(needed.clone());
            }
        }
    }
    lasting
}

fn key(marker: &Marker) -> QueueKey {
    (marker.owner.clone(), marker.queue.clone())
}

fn marker(part: &OwnedResource) -> Option<&Marker> {
    part.observed.present.as_ref()?.marker.as_ref()
}
