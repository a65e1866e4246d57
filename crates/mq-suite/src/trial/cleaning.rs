//! What a proof may have made, and its removal.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use mq_core::plan::removal;
use mq_core::provisioner::{self, ApplyOptions, Silent};
use mq_core::resource::{Lifecycle, OwnedResource};
use mq_core::{ControlPlane, Error, ErrorKind, Observed, Plan, ResolvedQueue, Resource};
use tokio_util::sync::CancellationToken;

use super::{PARALLELISM, Trial};

impl Trial {
    /// Makes sure that these queues, and whatever else they come to, are removed at the end.
    pub fn remember(&self, queues: &[ResolvedQueue]) {
        let resources = queues.iter().flat_map(|queue| self.lower(queue).resources);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.extend(
            resources
                .filter(|resource| resource.lifecycle == Lifecycle::Managed)
                .map(|resource| (resource.id.to_string(), resource)),
        );
    }

    /// Removes whatever the trial may have made, whoever it seems to belong to: the names are the
    /// run's own. Says what it could not remove.
    pub(crate) async fn clean_up(&self) -> Vec<(String, Error)> {
        // Not ended by the interrupt that may have brought us here.
        let control = self.subject.control(CancellationToken::new());
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        let resources: Vec<Resource> = made.into_values().collect();
        if resources.is_empty() {
            return Vec::new();
        }
        let references: Vec<&Resource> = resources.iter().collect();
        let observed = match control.observe(&references).await {
            Ok(observed) => observed,
            Err(error) => return vec![(self.place.base_name("*"), error)],
        };
        let plan = self.removal_of(resources, observed);
        let options = ApplyOptions {
            parallelism: PARALLELISM,
            cancel: CancellationToken::new(),
            clock: Arc::clone(&self.subject.surroundings.clock),
        };
        let outcome = provisioner::apply(&control, &plan, &options, &Silent).await;
        outcome
            .results
            .into_iter()
            .filter_map(|result| match result.state {
                provisioner::ChangeState::Applied => None,
                provisioner::ChangeState::Failed(error) => {
                    Some((result.resource.to_string(), error))
                }
                provisioner::ChangeState::NotAttempted(why) => Some((
                    result.resource.to_string(),
                    Error::new(ErrorKind::Unexpected, why),
                )),
            })
            .collect()
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
