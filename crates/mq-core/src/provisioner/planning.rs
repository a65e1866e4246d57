//! Plans: lowered, observed, compared.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures::{TryStreamExt, stream};

use crate::backend::{ControlPlane, Scope};
use crate::error::{ErrorKind, Result};
use crate::plan::{
    Action, Change, Plan, PlanOptions, Refusal, cascade_replacements, diff, guard_messages, removal,
};
use crate::queue::{Owner, ResolvedQueue};
use crate::resource::{Lifecycle, Lowered, Observed, OwnedResource, Resource, ResourceId};

/// Which queues, where, and whose.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The target's key under `clouds`.
    pub target: &'a str,
    /// Its backend.
    pub backend: &'a str,
    /// What `identify` found.
    pub scope: &'a Scope,
    /// Whose resources.
    pub owner: &'a Owner,
    /// The queues; all of the file's, or those that were chosen.
    pub queues: &'a [ResolvedQueue],
    /// Whether `queues` are all of the file's: only then can anything be missing from it.
    pub whole_file: bool,
}

/// What provision would do.
///
/// # Errors
/// Of the first read that fails.
pub async fn plan(
    control: &dyn ControlPlane,
    request: &Request<'_>,
    options: &PlanOptions,
) -> Result<Plan> {
    let lowered: Vec<Lowered> = request
        .queues
        .iter()
        .map(|queue| control.lower(queue, request.scope))
        .collect();
    let mut plan = empty(request, &lowered);
    let protected: BTreeMap<&str, bool> = request
        .queues
        .iter()
        .map(|queue| (queue.logical.as_str(), queue.protect))
        .collect();
    let resources: Vec<Resource> = unique(lowered);
    let observed = observe(control, &resources).await?;
    plan.changes = resources
        .into_iter()
        .zip(observed)
        .map(|(resource, observed)| {
            let protect = protected
                .get(resource.queue.as_str())
                .copied()
                .unwrap_or(false);
            diff(resource, observed, request.owner, protect, options)
        })
        .collect();
    cascade_replacements(&mut plan.changes);
    if options.prune && request.whole_file {
        let wanted: HashSet<ResourceId> = plan
            .changes
            .iter()
            .map(|change| change.resource.id.clone())
            .collect();
        let orphans = control.list_owned(Some(request.owner)).await?;
        plan.changes.extend(
            ordered(orphans)
                .into_iter()
                .filter(|owned| !wanted.contains(&owned.resource.id))
                .map(|owned| removal(owned, request.owner, false)),
        );
    }
    count_messages(control, &mut plan.changes, options).await?;
    Ok(plan)
}

/// What destroy would do: remove what the file names and, when it is the whole file, whatever else
/// carries its marker.
///
/// # Errors
/// Of the first read that fails. A listing that is not permitted is no error: then only what the
/// file names is removed, and the returned flag is `true`.
pub async fn plan_destroy(
    control: &dyn ControlPlane,
    request: &Request<'_>,
    options: &PlanOptions,
) -> Result<(Plan, bool)> {
    let lowered: Vec<Lowered> = request
        .queues
        .iter()
        .map(|queue| control.lower(queue, request.scope))
        .collect();
    let mut plan = empty(request, &lowered);
    let protected: BTreeSet<&str> = request
        .queues
        .iter()
        .filter(|queue| queue.protect)
        .map(|queue| queue.logical.as_str())
        .collect();
    let resources = unique(lowered);
    let observed = observe(control, &resources).await?;
    let mut found: Vec<OwnedResource> = resources
        .into_iter()
        .zip(observed)
        // What someone else owns is not in question unless it was named.
        .filter(|(resource, _)| !(request.whole_file && resource.lifecycle == Lifecycle::External))
        .map(|(resource, observed)| OwnedResource { resource, observed })
        .collect();
    let mut unlisted = false;
    if request.whole_file {
        match control.list_owned(Some(request.owner)).await {
            Ok(owned) => {
                let named: HashSet<ResourceId> =
                    found.iter().map(|part| part.resource.id.clone()).collect();
                found.extend(
                    owned
                        .into_iter()
                        .filter(|part| !named.contains(&part.resource.id)),
                );
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => unlisted = true,
            Err(error) => return Err(error),
        }
    }
    plan.changes = found
        .into_iter()
        .map(|owned| {
            let protect = protected.contains(owned.resource.queue.as_str());
            removal(owned, request.owner, protect)
        })
        .collect();
    count_messages(control, &mut plan.changes, options).await?;
    Ok((plan, unlisted))
}

/// What gc would do: remove what carries any marker whose `mq-expires` is at or before `now`, in
/// seconds since 1970. It believes nothing else.
///
/// # Errors
/// Of the listing, or of a count.
pub async fn plan_collection(
    control: &dyn ControlPlane,
    request: &Request<'_>,
    now: u64,
    options: &PlanOptions,
) -> Result<Plan> {
    let expired = control.list_owned(None).await?.into_iter().filter(|owned| {
        let marker = owned
            .observed
            .present
            .as_ref()
            .and_then(|present| present.marker.as_ref());
        marker
            .and_then(|marker| marker.expires_at)
            .is_some_and(|expires| expires <= now)
    });
    let mut plan = empty(request, &[]);
    plan.changes = ordered(expired.collect())
        .into_iter()
        .map(|owned| {
            let owner = owned
                .observed
                .present
                .as_ref()
                .and_then(|present| present.marker.as_ref())
                .map_or_else(|| request.owner.clone(), |marker| marker.owner.clone());
            removal(owned, &owner, false)
        })
        .collect();
    count_messages(control, &mut plan.changes, options).await?;
    Ok(plan)
}

fn empty(request: &Request<'_>, lowered: &[Lowered]) -> Plan {
    Plan {
        target: request.target.to_owned(),
        backend: request.backend.to_owned(),
        scope: request.scope.clone(),
        owner: request.owner.clone(),
        verdicts: lowered
            .iter()
            .map(|lowered| (lowered.queue.clone(), lowered.verdicts.clone()))
            .collect(),
        changes: Vec::new(),
    }
}

/// The resources of all queues. One that several queues refer to (a topic of someone else's that
/// takes the dead letters of two queues) is looked at once, and a managed mention wins.
fn unique(lowered: Vec<Lowered>) -> Vec<Resource> {
    let mut index: HashMap<ResourceId, usize> = HashMap::new();
    let mut resources: Vec<Resource> = Vec::new();
    for resource in lowered.into_iter().flat_map(|lowered| lowered.resources) {
        match index.get(&resource.id) {
            None => {
                index.insert(resource.id.clone(), resources.len());
                resources.push(resource);
            }
            Some(&at) if resources[at].lifecycle == Lifecycle::External => resources[at] = resource,
            Some(_) => {}
        }
    }
    resources
}

fn ordered(mut owned: Vec<OwnedResource>) -> Vec<OwnedResource> {
    owned.sort_by(|one, two| {
        (&one.resource.queue, &one.resource.id).cmp(&(&two.resource.queue, &two.resource.id))
    });
    owned
}

async fn observe(control: &dyn ControlPlane, resources: &[Resource]) -> Result<Vec<Observed>> {
    if resources.is_empty() {
        return Ok(Vec::new());
    }
    let references: Vec<&Resource> = resources.iter().collect();
    control.observe(&references).await
}

/// How many counts are read at a time.
const COUNTS_AT_ONCE: usize = 8;

async fn count_messages(
    control: &dyn ControlPlane,
    changes: &mut [Change],
    options: &PlanOptions,
) -> Result<()> {
    let at_risk = changes.iter_mut().filter(|change| {
        change.removes() && change.refusal.is_none() && change.resource.holds_messages
    });
    stream::iter(at_risk.map(Ok))
        .try_for_each_concurrent(COUNTS_AT_ONCE, |change| async move {
            debug_assert!(matches!(change.action, Action::Delete | Action::Replace));
            let counts = control.counts(&change.observed).await?;
            guard_messages(change, counts, options);
            Ok(())
        })
        .await?;
    refuse_parts_together(changes);
    Ok(())
}

/// A queue is removed whole or not at all: a topic does not go while its subscription stays.
fn refuse_parts_together(changes: &mut [Change]) {
    let refused: BTreeMap<String, Refusal> = changes
        .iter()
        .filter(|change| change.action == Action::Delete)
        .filter_map(|change| Some((change.resource.queue.clone(), change.refusal.clone()?)))
        .collect();
    for change in changes.iter_mut() {
        if change.action != Action::Delete || change.refusal.is_some() {
            continue;
        }
        if let Some(refusal) = refused.get(&change.resource.queue) {
            change.refusal = Some(Refusal {
                why: format!(
                    "another part of the queue `{}` stays: {}",
                    change.resource.queue, refusal.why
                ),
                ..refusal.clone()
            });
        }
    }
}
