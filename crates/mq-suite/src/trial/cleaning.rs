//! What a proof may have made, and its removal.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use mq_core::layers::Layered;
use mq_core::plan::removal;
use mq_core::provisioner::{self, ApplyOptions, ChangeState, Silent};
use mq_core::resource::{Lifecycle, OwnedResource};
use mq_core::{
    Change, ControlPlane, Error, ErrorKind, Observed, Plan, ResolvedQueue, Resource, ResourceId,
};
use tokio_util::sync::CancellationToken;

use super::{PARALLELISM, Trial, fail};
use crate::behaviour::Stop;

/// How long the removal of what one case made may take, a name that rests and a service that is
/// slow included.
const CLEANED_WITHIN: Duration = Duration::from_secs(120);

impl Trial {
    /// Makes sure that these queues, and whatever else they come to, are removed at the end.
    pub fn remember(&self, queues: &[ResolvedQueue]) {
        let resources = queues.iter().flat_map(|queue| self.lower(queue).resources);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.extend(
            resources
                .filter(|resource| resource.lifecycle != Lifecycle::External)
                .map(|resource| (resource.id.clone(), resource)),
        );
    }

    /// Insists that a change is about something that this trial may have made: nothing else is
    /// ever written to, whatever a plan says.
    pub(super) fn is_own(&self, change: &Change) -> Result<(), Stop> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.contains_key(&change.resource.id) {
            return Ok(());
        }
        fail(format!(
            "the plan would {:?} {}, which the suite did not make; nothing was written",
            change.action, change.resource.id
        ))
    }

    /// Removes whatever the trial may have made, whoever it seems to belong to: the names are the
    /// run's own. Says what it could not remove.
    pub(crate) async fn clean_up(&self) -> Vec<(ResourceId, Error)> {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        let managed = made
            .into_values()
            .filter(|resource| resource.lifecycle == Lifecycle::Managed);
        let resources: Vec<Resource> = managed.collect();
        if resources.is_empty() {
            return Vec::new();
        }
        let ids: Vec<ResourceId> = resources.iter().map(|it| it.id.clone()).collect();
        match tokio::time::timeout(CLEANED_WITHIN, self.remove(resources)).await {
            Ok(left) => left,
            Err(_) => ids.into_iter().map(|id| (id, out_of_time())).collect(),
        }
    }

    async fn remove(&self, resources: Vec<Resource>) -> Vec<(ResourceId, Error)> {
        // Not ended by the interrupt that may have brought us here.
        let control = self.subject.control(CancellationToken::new());
        let (resources, observed, mut left) = look(&control, resources).await;
        let plan = self.removal_of(resources, observed);
        let options = ApplyOptions {
            parallelism: PARALLELISM,
            cancel: CancellationToken::new(),
            clock: Arc::clone(&self.subject.surroundings.clock),
        };
        let outcome = provisioner::apply(&control, &plan, &options, &Silent).await;
        left.extend(outcome.results.into_iter().filter_map(|result| {
            let why = match result.state {
                ChangeState::Applied => return None,
                ChangeState::Failed(error) => error,
                ChangeState::NotAttempted(why) => Error::new(ErrorKind::Unexpected, why),
            };
            Some((result.resource, why))
        }));
        left
    }

    fn removal_of(&self, resources: Vec<Resource>, observed: Vec<Observed>) -> Plan {
        let changes = resources
            .into_iter()
            .zip(observed)
            .map(|(resource, observed)| {
                let owned = OwnedResource { resource, observed };
                let mut change = removal(owned, &self.place.owner, false);
                change.refusal = None;
                change
            })
            .collect();
        Plan {
            target: self.subject.target.name.clone(),
            backend: self.subject.target.backend.clone(),
            scope: self.subject.scope.clone(),
            owner: self.place.owner.clone(),
            verdicts: BTreeMap::new(),
            changes,
        }
    }
}

/// What is there of these, and which of them cannot be read: one by one where they cannot be read
/// together, so that one that fails keeps none of the others.
async fn look(
    control: &Layered,
    resources: Vec<Resource>,
) -> (Vec<Resource>, Vec<Observed>, Vec<(ResourceId, Error)>) {
    let references: Vec<&Resource> = resources.iter().collect();
    if let Ok(observed) = control.observe(&references).await {
        return (resources, observed, Vec::new());
    }
    let (mut readable, mut seen, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    for resource in resources {
        match control.observe(&[&resource]).await {
            Ok(observed) => {
                readable.push(resource);
                seen.extend(observed);
            }
            Err(error) => unread.push((resource.id, error)),
        }
    }
    (readable, seen, unread)
}

fn out_of_time() -> Error {
    let within = mq_core::units::duration(CLEANED_WITHIN);
    let why = format!("its removal had not come to an end after {within}");
    Error::new(ErrorKind::TimedOut, why)
}
