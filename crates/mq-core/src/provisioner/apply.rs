//! A plan, executed: in order of dependency, bounded in number, to be resumed by running again.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::line::{Edges, Line, backward_edges, forward_edges};
use super::read_back::{Finding, read_back};
use super::step::perform;
use crate::backend::ControlPlane;
use crate::error::Error;
use crate::plan::{Action, Change, Plan, recreate};
use crate::resource::{Endpoint, Observed, Resource, ResourceId};
use crate::timing::Clock;

/// How a plan is executed.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// How many changes are made at a time.
    pub parallelism: usize,
    /// Cancelled, no further change is begun; those under way are finished.
    pub cancel: CancellationToken,
    /// What waits are measured on.
    pub clock: Arc<dyn Clock>,
}

/// Told of what happens, from several tasks at once.
pub trait Progress: Send + Sync {
    /// A change is begun.
    fn started(&self, change: &Change);
    /// A change is done, or is not.
    fn finished(&self, change: &Change, state: &ChangeState);
    /// So many resources do not show what was written yet.
    fn reading_back(&self, pending: usize, remaining: Duration);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn started(&self, _: &Change) {}
    fn finished(&self, _: &Change, _: &ChangeState) {}
    fn reading_back(&self, _: usize, _: Duration) {}
}

/// What became of a change.
#[derive(Debug)]
pub enum ChangeState {
    /// It was made.
    Applied,
    /// It failed; whether it may have happened all the same, the error says.
    Failed(Error),
    /// It was not begun, and why.
    NotAttempted(String),
}

/// What became of one change of the plan.
#[derive(Debug)]
pub struct ChangeResult {
    /// Of which resource.
    pub resource: ResourceId,
    /// The key of its queue.
    pub queue: String,
    /// What was to happen.
    pub action: Action,
    /// What became of it.
    pub state: ChangeState,
}

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Outcome {
    /// One entry for each change that writes, in the plan's order.
    pub results: Vec<ChangeResult>,
    /// What does not read as it was written.
    pub findings: Vec<Finding>,
    /// Why nothing could be read back, when it could not.
    pub unproved: Option<Error>,
    /// The endpoints of every queue that is there whole.
    pub endpoints: Vec<Endpoint>,
    /// Whether it was interrupted before its end.
    pub interrupted: bool,
}

impl Outcome {
    /// The failures.
    pub fn failures(&self) -> impl Iterator<Item = (&ChangeResult, &Error)> {
        self.results
            .iter()
            .filter_map(|result| match &result.state {
                ChangeState::Failed(error) => Some((result, error)),
                ChangeState::Applied | ChangeState::NotAttempted(_) => None,
            })
    }

    /// How many changes were made.
    #[must_use]
    pub fn applied(&self) -> usize {
        self.results
            .iter()
            .filter(|result| matches!(result.state, ChangeState::Applied))
            .count()
    }

    /// Whether some changes were not made.
    #[must_use]
    pub fn partial(&self) -> bool {
        self.results
            .iter()
            .any(|result| !matches!(result.state, ChangeState::Applied))
    }
}

/// Makes the plan's changes, reads back what was written, and finds the endpoints.
///
/// Changes that the plan refuses are not made, and neither is what depends on them. A failed
/// change does not stop those that do not depend on it. Nothing is removed unless everything else
/// was made, since what is to be removed may still be referred to.
pub async fn apply(
    control: &dyn ControlPlane,
    plan: &Plan,
    options: &ApplyOptions,
    progress: &dyn Progress,
) -> Outcome {
    let mut run = Run {
        control,
        plan,
        options,
        progress,
        states: HashMap::new(),
    };
    let indices = 0..plan.changes.len();
    let (refused, unrefused): (Vec<usize>, Vec<usize>) =
        indices.partition(|&index| plan.changes[index].refusal.is_some());
    let writing: Vec<usize> = unrefused
        .into_iter()
        .filter(|&index| plan.changes[index].writes())
        .collect();
    let (removals, others): (Vec<usize>, Vec<usize>) = writing
        .iter()
        .partition(|&&index| plan.changes[index].action == Action::Delete);
    run.execute(&others, &forward_edges(plan, &others, &refused))
        .await;
    let refused_others = refused
        .iter()
        .any(|&index| plan.changes[index].action != Action::Delete);
    if refused_others || !run.all_made() {
        run.skip(
            &removals,
            "not every other change was made, and what is removed may still be referred to",
        );
    } else {
        run.execute(&removals, &backward_edges(plan, &removals))
            .await;
    }
    run.finish(&writing).await
}

struct Run<'a> {
    control: &'a dyn ControlPlane,
    plan: &'a Plan,
    options: &'a ApplyOptions,
    progress: &'a dyn Progress,
    states: HashMap<usize, ChangeState>,
}

impl Run<'_> {
    fn all_made(&self) -> bool {
        let made = |state| matches!(state, &ChangeState::Applied);
        self.states.values().all(made)
    }

    /// Makes these changes, each after those that `edges` names, at most `parallelism` at a time
    /// and never two of the same serial key.
    async fn execute(&mut self, among: &[usize], edges: &Edges) {
        let mut line = Line::new(self.plan, among, edges);
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < self.options.parallelism.max(1)
                && !self.options.cancel.is_cancelled()
            {
                let Some(index) = line.take() else { break };
                let change = &self.plan.changes[index];
                self.progress.started(change);
                let made = perform(self.control, change, &self.plan.owner, self.options);
                under_way.push(async move { (index, made.await) });
            }
            let Some((index, result)) = under_way.next().await else {
                break;
            };
            line.done(index, result.is_ok());
            let state = match result {
                Ok(()) => ChangeState::Applied,
                Err(error) => ChangeState::Failed(error),
            };
            self.progress.finished(&self.plan.changes[index], &state);
            self.states.insert(index, state);
        }
        drop(under_way);
        let left: Vec<usize> = among
            .iter()
            .copied()
            .filter(|index| !self.states.contains_key(index))
            .collect();
        self.skip(&left, "something it depends on was not made");
    }

    fn skip(&mut self, indices: &[usize], why: &str) {
        let why = if self.options.cancel.is_cancelled() {
            "interrupted"
        } else {
            why
        };
        for &index in indices {
            let state = ChangeState::NotAttempted(why.to_owned());
            self.progress.finished(&self.plan.changes[index], &state);
            self.states.insert(index, state);
        }
    }

    async fn finish(mut self, writing: &[usize]) -> Outcome {
        let written: Vec<Cow<'_, Change>> = writing
            .iter()
            .filter(|index| matches!(self.states.get(index), Some(ChangeState::Applied)))
            .map(|&index| written(&self.plan.changes[index]))
            .collect();
        let mut outcome = Outcome::default();
        let waiting = |pending, remaining| self.progress.reading_back(pending, remaining);
        let proof = read_back(
            self.control,
            &written,
            &*self.options.clock,
            &self.options.cancel,
            &waiting,
        )
        .await;
        let mut seen = HashMap::new();
        match proof {
            Ok((observed, findings)) => {
                seen = observed;
                outcome.findings = findings;
            }
            Err(error) => outcome.unproved = Some(error),
        }
        outcome.results = writing
            .iter()
            .filter_map(|index| {
                let change = &self.plan.changes[*index];
                Some(ChangeResult {
                    resource: change.resource.id.clone(),
                    queue: change.resource.queue.clone(),
                    action: change.action,
                    state: self.states.remove(index)?,
                })
            })
            .collect();
        outcome.interrupted = self.options.cancel.is_cancelled()
            && outcome
                .results
                .iter()
                .any(|result| !matches!(result.state, ChangeState::Applied));
        let lost = half_replaced(&outcome.results);
        outcome.endpoints = endpoints(self.control, self.plan, &seen, &lost);
        outcome
    }
}

/// What a change wrote: the whole resource where it was made anew.
fn written(change: &Change) -> Cow<'_, Change> {
    if change.action == Action::Replace {
        Cow::Owned(recreate(change))
    } else {
        Cow::Borrowed(change)
    }
}

/// Resources that may have been removed to be made anew, and were not.
fn half_replaced(results: &[ChangeResult]) -> HashSet<ResourceId> {
    let lost = results.iter().filter(|result| {
        result.action == Action::Replace && matches!(result.state, ChangeState::Failed(_))
    });
    lost.map(|result| result.resource.clone()).collect()
}

/// The endpoints of every queue that is there whole, from the newest reading of each part.
fn endpoints(
    control: &dyn ControlPlane,
    plan: &Plan,
    seen: &HashMap<ResourceId, Observed>,
    lost: &HashSet<ResourceId>,
) -> Vec<Endpoint> {
    let mut queues: BTreeMap<&str, Vec<(&Resource, &Observed)>> = BTreeMap::new();
    for change in plan
        .changes
        .iter()
        .filter(|change| change.action != Action::Delete)
    {
        let observed = seen.get(&change.resource.id).unwrap_or(&change.observed);
        queues
            .entry(&change.resource.queue)
            .or_default()
            .push((&change.resource, observed));
    }
    queues
        .into_iter()
        .filter(|(_, parts)| {
            parts
                .iter()
                .all(|(_, observed)| observed.present.is_some() && !lost.contains(&observed.id))
        })
        .flat_map(|(queue, parts)| control.endpoints(queue, &parts))
        .collect()
}
