//! Plans: lowered, observed, compared.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::collection::collectable;
use super::removal::{count_messages, keep_together};
use crate::backend::{ControlPlane, Scope};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{
    Change, Plan, PlanOptions, cascade_replacements, diff, ends_need, guard_use, removal,
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

impl Request<'_> {
    fn lower(&self, control: &dyn ControlPlane) -> Vec<Lowered> {
        let lower = |queue| control.lower(queue, self.scope);
        self.queues.iter().map(lower).collect()
    }

    fn empty_plan(&self, lowered: &[Lowered]) -> Plan {
        Plan {
            target: self.target.to_owned(),
            backend: self.backend.to_owned(),
            scope: self.scope.clone(),
            owner: self.owner.clone(),
            verdicts: lowered
                .iter()
                .map(|lowered| (lowered.queue.clone(), lowered.verdicts.clone()))
                .collect(),
            changes: Vec::new(),
        }
    }

    /// The keys of the queues that the file protects.
    fn protected(&self) -> BTreeSet<&str> {
        let queues = self.queues.iter().filter(|queue| queue.protect);
        queues.map(|queue| queue.logical.as_str()).collect()
    }

    /// The keys of the queues that are someone else's.
    fn unmanaged(&self) -> BTreeSet<&str> {
        let queues = self.queues.iter().filter(|queue| !queue.managed);
        queues.map(|queue| queue.logical.as_str()).collect()
    }

    /// What carries the file's marker and is nowhere in the file. A queue that became someone
    /// else's (`manage: false`) may still carry it, and is none of these.
    fn orphans(
        &self,
        owned: Vec<OwnedResource>,
        named: &HashSet<ResourceId>,
    ) -> Vec<OwnedResource> {
        let unmanaged = self.unmanaged();
        let mut orphans: Vec<OwnedResource> = owned
            .into_iter()
            .filter(|part| {
                !named.contains(&part.resource.id)
                    && !unmanaged.contains(part.resource.queue.as_str())
            })
            .collect();
        sort(&mut orphans);
        orphans
    }
}

/// What provision would do.
///
/// # Errors
/// Of the first read that fails; `SpecInvalid` where two queues come to one resource.
pub async fn plan(
    control: &dyn ControlPlane,
    request: &Request<'_>,
    options: &PlanOptions,
) -> Result<Plan> {
    let lowered = request.lower(control);
    let mut plan = request.empty_plan(&lowered);
    let protected = request.protected();
    let protects = |resource: &Resource| protected.contains(resource.queue.as_str());
    let Unique {
        resources,
        collision,
    } = unique(lowered);
    if let Some(collision) = collision {
        return Err(collision);
    }
    let observed = observe(control, &resources).await?;
    plan.changes = resources
        .into_iter()
        .zip(observed)
        .map(|(resource, observed)| {
            let protect = protects(&resource);
            diff(resource, observed, request.owner, protect, options)
        })
        .collect();
    if options.prune && request.whole_file {
        let named = ids(plan.changes.iter().map(|change| &change.resource));
        let owned = control.list_owned(Some(request.owner)).await?;
        let in_use = still_needed(&plan.changes, &owned);
        let orphans = request.orphans(owned, &named);
        plan.changes.extend(orphans.into_iter().map(|orphan| {
            let protect = protects(&orphan.resource);
            let mut removal = removal(orphan, request.owner, protect);
            if let Some(sender) = in_use.get(&removal.resource.id) {
                guard_use(&mut removal, sender);
            }
            removal
        }));
    }
    count_messages(control, &mut plan.changes, options).await?;
    keep_together(&mut plan.changes, |_| None);
    cascade_replacements(&mut plan.changes);
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
    let lowered = request.lower(control);
    let mut plan = request.empty_plan(&lowered);
    let protected = request.protected();
    let unmanaged = request.unmanaged();
    // Two queues of one name are no reason to leave them there.
    let Unique { resources, .. } = unique(lowered);
    let named = ids(&resources);
    // What someone else owns is in question only where its queue was chosen, to be told so; never
    // where it merely takes the dead letters of a queue of ours.
    let in_question = |resource: &Resource| {
        resource.lifecycle != Lifecycle::External
            || (!request.whole_file && unmanaged.contains(resource.queue.as_str()))
    };
    let resources: Vec<Resource> = resources.into_iter().filter(in_question).collect();
    let observed = observe(control, &resources).await?;
    let mut found: Vec<OwnedResource> = resources
        .into_iter()
        .zip(observed)
        .map(|(resource, observed)| OwnedResource { resource, observed })
        .collect();
    let mut unlisted = false;
    if request.whole_file {
        match control.list_owned(Some(request.owner)).await {
            Ok(owned) => {
                add_needs(&mut found, &owned);
                found.extend(request.orphans(owned, &named));
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
    keep_together(&mut plan.changes, |_| None);
    Ok((plan, unlisted))
}

/// What gc would do: remove the queues of this stack, on any stage, whose every part carries an
/// `mq-expires` at or before `now`, in seconds since 1970, and that no other queue still needs. It
/// believes nothing else. An owner without a stack (there is no file) is every owner.
///
/// # Errors
/// Of the listing, or of a count.
pub async fn plan_collection(
    control: &dyn ControlPlane,
    request: &Request<'_>,
    now: u64,
    options: &PlanOptions,
) -> Result<Plan> {
    let mut expired = collectable(control.list_owned(None).await?, request.owner, now);
    sort(&mut expired);
    let mut plan = request.empty_plan(&[]);
    plan.changes = expired
        .into_iter()
        .map(|owned| {
            let owner = marked_by(&owned.observed).unwrap_or(request.owner).clone();
            removal(owned, &owner, false)
        })
        .collect();
    count_messages(control, &mut plan.changes, options).await?;
    // Two stages have a queue of one key each.
    keep_together(&mut plan.changes, |change: &Change| {
        marked_by(&change.observed)
    });
    Ok(plan)
}

/// A queue may still need what the file no longer gives it: a dead-letter queue that was taken out
/// of the file and not yet of the cloud. It goes after the queue, and stays with it.
fn add_needs(named: &mut [OwnedResource], owned: &[OwnedResource]) {
    let needs: HashMap<&ResourceId, &[ResourceId]> = owned
        .iter()
        .map(|part| (&part.resource.id, part.resource.depends_on.as_slice()))
        .collect();
    for resource in named.iter_mut().map(|part| &mut part.resource) {
        for needed in needs.get(&resource.id).copied().unwrap_or_default() {
            if !resource.depends_on.contains(needed) {
                resource.depends_on.push(needed.clone());
            }
        }
    }
}

/// What the queues of the file go on needing in the cloud though the file no longer says so (a
/// link that nobody took away), each with the key of such a queue.
fn still_needed(changes: &[Change], owned: &[OwnedResource]) -> HashMap<ResourceId, String> {
    let staying: HashMap<&ResourceId, &Change> = changes
        .iter()
        .map(|change| (&change.resource.id, change))
        .collect();
    owned
        .iter()
        .filter_map(|part| Some((part, staying.get(&part.resource.id)?)))
        .flat_map(|(part, change)| {
            let needed = part.resource.depends_on.iter();
            needed
                .filter(|id| !ends_need(change, id))
                .map(|id| (id.clone(), change.resource.queue.clone()))
        })
        .collect()
}

fn marked_by(observed: &Observed) -> Option<&Owner> {
    let present = observed.present.as_ref()?;
    present.marker.as_ref().map(|marker| &marker.owner)
}

struct Unique {
    resources: Vec<Resource>,
    /// Two queues that `mq` would make under one name.
    collision: Option<Error>,
}

/// The resources of all queues. One that several queues refer to (a topic of someone else's that
/// takes the dead letters of two queues, a right that two queues need) is looked at once, and a
/// managed mention wins.
fn unique(lowered: Vec<Lowered>) -> Unique {
    let mut index: HashMap<ResourceId, usize> = HashMap::new();
    let mut resources: Vec<Resource> = Vec::new();
    let mut collision = None;
    for resource in lowered.into_iter().flat_map(|lowered| lowered.resources) {
        let Some(&at) = index.get(&resource.id) else {
            index.insert(resource.id.clone(), resources.len());
            resources.push(resource);
            continue;
        };
        match (resources[at].lifecycle, resource.lifecycle) {
            (Lifecycle::External, _) => resources[at] = resource,
            (Lifecycle::Managed, Lifecycle::Managed) => {
                collision.get_or_insert_with(|| colliding(&resources[at], &resource));
            }
            _ => {}
        }
    }
    Unique {
        resources,
        collision,
    }
}

fn colliding(one: &Resource, two: &Resource) -> Error {
    Error::new(
        ErrorKind::SpecInvalid,
        format!(
            "the queues `{}` and `{}` both come to {}",
            one.queue, two.queue, one.id
        ),
    )
    .with_hint("rename one of the two queues, or give it another name under `names`")
}

fn ids<'a>(resources: impl IntoIterator<Item = &'a Resource>) -> HashSet<ResourceId> {
    let ids = resources.into_iter().map(|resource| resource.id.clone());
    ids.collect()
}

/// By queue and name, so that a plan reads the same each time.
fn sort(owned: &mut [OwnedResource]) {
    let key = |part: &OwnedResource| (part.resource.queue.clone(), part.resource.id.clone());
    owned.sort_by_cached_key(key);
}

async fn observe(control: &dyn ControlPlane, resources: &[Resource]) -> Result<Vec<Observed>> {
    if resources.is_empty() {
        return Ok(Vec::new());
    }
    let references: Vec<&Resource> = resources.iter().collect();
    control.observe(&references).await
}
