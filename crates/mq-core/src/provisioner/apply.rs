//! A plan, executed: in order of dependency, bounded in number, to be resumed by running again.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::read_back::{Finding, read_back};
use crate::backend::ControlPlane;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{Action, Change, Plan, PlanOptions, diff, recreate};
use crate::queue::Owner;
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
/// Changes that the plan refuses are not made. A failed change does not stop those that do not
/// depend on it. Nothing is removed after a failure, since what is to be removed may still be
/// referred to.
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
    let writing: Vec<usize> = (0..plan.changes.len())
        .filter(|&index| plan.changes[index].writes())
        .collect();
    let (removals, others): (Vec<usize>, Vec<usize>) = writing
        .iter()
        .partition(|&&index| plan.changes[index].action == Action::Delete);
    run.execute(&others, &forward_edges(plan, &others)).await;
    if run
        .states
        .values()
        .any(|state| matches!(state, ChangeState::Failed(_)))
    {
        run.skip(
            &removals,
            "an earlier change failed, and what is removed may still be referred to",
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

/// For each change, those that must be made before it.
type Edges = HashMap<usize, Vec<usize>>;

fn positions<'a>(plan: &'a Plan, among: &[usize]) -> HashMap<&'a ResourceId, usize> {
    among
        .iter()
        .map(|&index| (&plan.changes[index].resource.id, index))
        .collect()
}

fn forward_edges(plan: &Plan, among: &[usize]) -> Edges {
    let at = positions(plan, among);
    let before = |index: usize| {
        plan.changes[index]
            .resource
            .depends_on
            .iter()
            .filter_map(|id| at.get(id).copied())
    };
    among
        .iter()
        .map(|&index| (index, before(index).collect()))
        .collect()
}

fn backward_edges(plan: &Plan, among: &[usize]) -> Edges {
    let mut edges: Edges = among.iter().map(|&index| (index, Vec::new())).collect();
    for (index, needed) in forward_edges(plan, among) {
        for target in needed {
            edges.entry(target).or_default().push(index);
        }
    }
    edges
}

impl Run<'_> {
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
                let made = perform(self.control, change, &self.plan.owner);
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
        let cancelled = self.options.cancel.is_cancelled();
        let why = if cancelled {
            "interrupted"
        } else {
            "something it depends on failed"
        };
        let left: Vec<usize> = among
            .iter()
            .copied()
            .filter(|index| !self.states.contains_key(index))
            .collect();
        self.skip(&left, why);
    }

    fn skip(&mut self, indices: &[usize], why: &str) {
        for &index in indices {
            let state = ChangeState::NotAttempted(why.to_owned());
            self.progress.finished(&self.plan.changes[index], &state);
            self.states.insert(index, state);
        }
    }

    async fn finish(mut self, writing: &[usize]) -> Outcome {
        let applied: Vec<&Change> = writing
            .iter()
            .filter(|index| matches!(self.states.get(index), Some(ChangeState::Applied)))
            .map(|&index| &self.plan.changes[index])
            .collect();
        let mut outcome = Outcome::default();
        let waiting = |pending, remaining| self.progress.reading_back(pending, remaining);
        let proof = read_back(
            self.control,
            &applied,
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
        outcome.endpoints = endpoints(self.control, self.plan, &seen);
        outcome
    }
}

/// Which changes can be begun, as others get done.
struct Line<'a> {
    plan: &'a Plan,
    /// How many changes each one still waits for.
    blockers: HashMap<usize, usize>,
    /// Which changes wait for each one.
    unblocks: HashMap<usize, Vec<usize>>,
    ready: VecDeque<usize>,
    /// Serial keys of changes under way.
    busy: HashSet<&'a str>,
}

impl<'a> Line<'a> {
    fn new(plan: &'a Plan, among: &[usize], edges: &Edges) -> Self {
        let blockers: HashMap<usize, usize> = edges
            .iter()
            .map(|(&index, before)| (index, before.len()))
            .collect();
        let mut unblocks: HashMap<usize, Vec<usize>> = HashMap::new();
        for (&index, before) in edges {
            for &blocker in before {
                unblocks.entry(blocker).or_default().push(index);
            }
        }
        let mut ready: Vec<usize> = among
            .iter()
            .copied()
            .filter(|index| blockers[index] == 0)
            .collect();
        // A replacement may have to wait for a name to become free: everything else goes first.
        ready.sort_by_key(|&index| plan.changes[index].action == Action::Replace);
        Line {
            plan,
            blockers,
            unblocks,
            ready: ready.into(),
            busy: HashSet::new(),
        }
    }

    fn serial(&self, index: usize) -> Option<&'a str> {
        self.plan.changes[index].resource.serial.as_deref()
    }

    /// The first change in line whose serial key is not in use.
    fn take(&mut self) -> Option<usize> {
        let free = |index: &usize| {
            self.serial(*index)
                .is_none_or(|key| !self.busy.contains(key))
        };
        let position = self.ready.iter().position(free)?;
        let index = self.ready.remove(position)?;
        self.busy.extend(self.serial(index));
        Some(index)
    }

    fn done(&mut self, index: usize, applied: bool) {
        if let Some(serial) = self.serial(index) {
            self.busy.remove(serial);
        }
        if !applied {
            return;
        }
        for next in self.unblocks.remove(&index).unwrap_or_default() {
            let left = self.blockers.entry(next).or_default();
            *left -= 1;
            if *left == 0 {
                self.ready.push_back(next);
            }
        }
    }
}

/// Makes one change. What turns out to be there already is ours to go on with if it carries our
/// marker: the answer to an earlier attempt may have been lost, or two runs go at once.
async fn perform(control: &dyn ControlPlane, change: &Change, owner: &Owner) -> Result<()> {
    match change.action {
        Action::NoOp => Ok(()),
        Action::Update | Action::Adopt | Action::Delete => control.apply(change).await.map(drop),
        Action::Create => create(control, change, owner).await,
        Action::Replace => {
            let removal = Change {
                action: Action::Delete,
                ..change.clone()
            };
            control.apply(&removal).await?;
            create(control, &recreate(change), owner).await
        }
    }
}

async fn create(control: &dyn ControlPlane, change: &Change, owner: &Owner) -> Result<()> {
    let error = match control.apply(change).await {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => error,
        Err(error) => return Err(error),
    };
    let observed = control.observe(&[&change.resource]).await?.pop();
    let Some(observed) = observed.filter(|observed| observed.present.is_some()) else {
        return Err(error);
    };
    let now = diff(
        change.resource.clone(),
        observed,
        owner,
        false,
        &PlanOptions::default(),
    );
    if let Some(refusal) = now.refusal {
        return Err(Error::new(
            ErrorKind::Refused,
            format!("it came to be there meanwhile, and {}", refusal.why),
        )
        .with_hint(refusal.hint));
    }
    match now.action {
        Action::Update => control.apply(&now).await.map(drop),
        _ => Ok(()),
    }
}

/// The endpoints of every queue that is there whole, from the newest reading of each part.
fn endpoints(
    control: &dyn ControlPlane,
    plan: &Plan,
    seen: &HashMap<ResourceId, Observed>,
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
        .filter(|(_, parts)| parts.iter().all(|(_, observed)| observed.present.is_some()))
        .flat_map(|(queue, parts)| control.endpoints(queue, &parts))
        .collect()
}
