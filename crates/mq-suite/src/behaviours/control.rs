//! Creating, reading, changing and removing queues.

mod attributes;
mod creation;
mod dead_letter;
mod ownership;
mod pair;
mod reading;
mod removal;

use std::time::Duration;

use mq_core::ResolvedQueue;
use mq_core::spec::{QueuePatch, Setting};

use crate::behaviour::{Applies, Behaviour, Check, Group, Need, Stop};
use crate::probe::{PROBES, Probe};
use crate::trial::{Trial, done};

/// What most of these take on a real service at the most: some twenty calls, and one wait for a
/// change to show.
const LIMIT: Duration = Duration::from_secs(180);
/// The same where a name must be free again after a deletion, which takes SQS a minute.
const LIMIT_OF_RECREATION: Duration = Duration::from_secs(300);

/// The group, in the order of the reports.
pub(super) fn all() -> Vec<Behaviour> {
    let mut all = creation::all();
    all.extend(attributes::all());
    all.extend(ownership::all());
    all.extend(dead_letter::all());
    all.extend(removal::all());
    all
}

/// A behaviour of this group that is proved with the suite's own queue.
fn behaviour(
    name: &'static str,
    promise: &'static str,
    requests_max: u32,
    check: Check,
) -> Behaviour {
    Behaviour {
        name,
        group: Group::Control,
        promise,
        needs: &[],
        applies: Applies::Sample,
        probe: None,
        limit: LIMIT,
        requests_max,
        check,
    }
}

/// The same for copies of the file's queues too.
fn of_every_queue(
    name: &'static str,
    promise: &'static str,
    requests_max: u32,
    check: Check,
) -> Behaviour {
    Behaviour {
        applies: Applies::EveryQueue,
        ..behaviour(name, promise, requests_max, check)
    }
}

/// A queue that tells itself from another by its lease.
fn lasting(seconds: u64) -> impl FnOnce(&mut QueuePatch) {
    move |patch| patch.visibility_timeout = Setting::Value(Duration::from_secs(seconds))
}

/// Makes the queue as someone without `mq` would: the same resources, and no marker on them.
async fn make_unmarked(trial: &Trial, queue: &ResolvedQueue) -> Result<(), Stop> {
    let queues = std::slice::from_ref(queue);
    trial.remember(queues);
    let mut plan = trial.plan(queues).await?;
    for change in &mut plan.changes {
        change.resource.marker = None;
    }
    done(trial.apply(&plan).await?).map(|_| ())
}

impl Behaviour {
    fn needing(self, needs: &'static [Need]) -> Self {
        Behaviour { needs, ..self }
    }

    fn that_recreates(self) -> Self {
        Behaviour {
            limit: LIMIT_OF_RECREATION,
            ..self
        }
    }

    /// One behaviour for each attribute of the file that `wanted` takes.
    fn for_each(self, wanted: fn(&Probe) -> bool) -> impl Iterator<Item = Behaviour> {
        PROBES
            .iter()
            .filter(move |probe| wanted(probe))
            .map(move |probe| Behaviour {
                probe: Some(probe),
                ..self.clone()
            })
    }
}
