//! What keeps a removal from being made: the messages in it, and what else would stay.

use std::collections::HashMap;

use futures::{TryStreamExt, stream};

use crate::backend::ControlPlane;
use crate::error::Result;
use crate::plan::{Action, Change, PlanOptions, Refusal, RefusalKind, guard_messages};
use crate::queue::Owner;
use crate::resource::ResourceId;

/// How many counts are read at a time.
const COUNTS_AT_ONCE: usize = 8;

/// Counts the messages in everything that would be removed, and refuses what would lose some.
pub(super) async fn count_messages(
    control: &dyn ControlPlane,
    changes: &mut [Change],
    options: &PlanOptions,
) -> Result<()> {
    let at_risk = changes.iter_mut().filter(|change| {
        change.removes() && change.refusal.is_none() && change.resource.holds_messages
    });
    stream::iter(at_risk.map(Ok))
        .try_for_each_concurrent(COUNTS_AT_ONCE, |change| async move {
            let counts = control.counts(&change.observed).await?;
            guard_messages(change, counts, options);
            Ok(())
        })
        .await
}

/// Refuses further removals until what stays is whole: a queue goes with all its parts or not at
/// all, and nothing goes that a queue which stays still needs (the dead-letter queue that it
/// shares with others).
///
/// `whose` tells queues of one key apart where the plan is about several owners.
pub(super) fn keep_together(
    changes: &mut [Change],
    whose: impl for<'c> Fn(&'c Change) -> Option<&'c Owner>,
) {
    let mut staying: Vec<Staying> = Vec::new();
    let mut graph = Removals::of(changes, whose);
    for index in graph.all.clone() {
        if let Some(refusal) = &changes[index].refusal {
            staying.push(Staying {
                index,
                root: refusal.clone(),
            });
        }
    }
    while let Some(Staying { index, root }) = staying.pop() {
        let queue = changes[index].resource.queue.clone();
        let mut refuse = |other: usize, why: String| {
            let change = &mut changes[other];
            if change.refusal.is_none() {
                let refusal = Refusal {
                    why: format!("{why}: {}", root.why),
                    ..root.clone()
                };
                change.refusal = Some(refusal);
                let root = root.clone();
                staying.push(Staying { index: other, root });
            }
        };
        for part in graph.parts_of(index) {
            refuse(part, format!("another part of the queue `{queue}` stays"));
        }
        for needed in graph.needed_by(index, &root) {
            refuse(
                needed,
                format!("the queue `{queue}` stays and sends its dead letters there"),
            );
        }
    }
}

/// A removal that is refused, and the reason that everything which follows from it is given.
struct Staying {
    index: usize,
    root: Refusal,
}

/// The removals of a plan and how they hang together, as indices into its changes.
struct Removals {
    all: Vec<usize>,
    /// Each removal's queue, as an index into `queues`.
    queue_of: HashMap<usize, usize>,
    /// The removals of each queue; taken out once the queue is known to stay.
    queues: Vec<Vec<usize>>,
    /// The removals of other queues' resources that each one needs.
    needs: HashMap<usize, Vec<usize>>,
}

impl Removals {
    fn of(changes: &[Change], whose: impl for<'c> Fn(&'c Change) -> Option<&'c Owner>) -> Self {
        let all: Vec<usize> = (0..changes.len())
            .filter(|&index| changes[index].action == Action::Delete)
            .collect();
        let at: HashMap<&ResourceId, usize> = all
            .iter()
            .map(|&index| (&changes[index].resource.id, index))
            .collect();
        let mut keys: HashMap<(Option<&Owner>, &str), usize> = HashMap::new();
        let mut queue_of = HashMap::new();
        let mut queues: Vec<Vec<usize>> = Vec::new();
        for &index in &all {
            let change = &changes[index];
            let key = (whose(change), change.resource.queue.as_str());
            let queue = *keys.entry(key).or_insert_with(|| {
                queues.push(Vec::new());
                queues.len() - 1
            });
            queues[queue].push(index);
            queue_of.insert(index, queue);
        }
        let needs = all
            .iter()
            .map(|&index| {
                let depends_on = changes[index].resource.depends_on.iter();
                (
                    index,
                    depends_on.filter_map(|id| at.get(id).copied()).collect(),
                )
            })
            .collect();
        Removals {
            all,
            queue_of,
            queues,
            needs,
        }
    }

    fn parts_of(&mut self, index: usize) -> Vec<usize> {
        let queue = self.queue_of.get(&index).copied();
        queue.map_or_else(Vec::new, |queue| std::mem::take(&mut self.queues[queue]))
    }

    fn needed_by(&mut self, index: usize, root: &Refusal) -> Vec<usize> {
        // Someone else's queue stays whatever happens, and its needs are its owner's to see to.
        if root.kind == RefusalKind::Unmanaged {
            return Vec::new();
        }
        self.needs.remove(&index).unwrap_or_default()
    }
}
