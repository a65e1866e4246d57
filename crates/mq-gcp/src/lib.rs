//! The Google Pub/Sub backend: one queue is a topic and one pull subscription.
//!
//! Everything goes through Google's own crates; the page docs/backends/gcp.md says what is
//! created, which verdicts are given and which permissions are needed.
//!
//! - `config`: the `clouds` entry and the environment, before any call.
//! - `capability`: every number once, with the vendor page it was read from.
//! - `native`: the service's own words.
//! - `lower`: a queue becomes topics, subscriptions and grants. Pure.
//! - `credentials`: where tokens come from.
//! - `client`: the SDK's clients, and who the project is.
//! - `observe`: what is there.
//! - `apply`: one change.
//! - `error`: one table from what Google answers.

mod apply;
mod capability;
mod client;
mod config;
mod credentials;
mod error;
mod lower;
mod native;
mod observe;

use std::sync::Arc;

use async_trait::async_trait;
use mq_core::backend::{Access, BackendFactory, BackendInfo, ControlPlane, QueueBackend, Scope};
use mq_core::capability::{Capability, fact};
use mq_core::error::Result;
use mq_core::plan::Change;
use mq_core::queue::{Owner, ResolvedQueue};
use mq_core::resource::{Counts, Endpoint, Lowered, Observed, OwnedResource, Resource};
use mq_core::spec::Target;
use tokio::sync::OnceCell;

use crate::client::Clients;
use crate::config::Config;

static INFO: BackendInfo = BackendInfo {
    id: "gcp",
    service: "Google Pub/Sub",
    settings: config::SETTINGS,
    native: native::NATIVE,
    names: &["topic", "subscription", "dead_letter"],
    identity: None,
    // Only the bytes of messages are charged, and the suite's own requests carry none.
    request_price: fact(0, "https://cloud.google.com/pubsub/pricing"),
};

/// What makes Pub/Sub backends: the registry's entry.
#[must_use]
pub fn factory() -> &'static dyn BackendFactory {
    &Factory
}

#[derive(Debug)]
struct Factory;

impl BackendFactory for Factory {
    fn info(&self) -> &'static BackendInfo {
        &INFO
    }

    fn create(&self, target: &Target, access: &Access) -> Result<Arc<dyn QueueBackend>> {
        Ok(Arc::new(PubSub {
            config: Config::new(target, access)?,
            clients: OnceCell::new(),
        }))
    }
}

/// One project.
#[derive(Debug)]
struct PubSub {
    config: Config,
    /// Built at the first call, since building them loads credentials.
    clients: OnceCell<Clients>,
}

impl PubSub {
    async fn clients(&self) -> Result<&Clients> {
        self.clients
            .get_or_try_init(|| Clients::new(&self.config))
            .await
    }
}

impl QueueBackend for PubSub {
    fn info(&self) -> &'static BackendInfo {
        &INFO
    }

    fn capability(&self, _scope: &Scope) -> Capability {
        capability::capability()
    }

    fn offline_scopes(&self) -> Vec<Scope> {
        vec![self.config.scope(None)]
    }

    fn control(&self) -> &dyn ControlPlane {
        self
    }
}

#[async_trait]
impl ControlPlane for PubSub {
    async fn identify(&self) -> Result<Scope> {
        self.config.project()?;
        self.clients().await?.identify(&self.config).await
    }

    fn lower(&self, queue: &ResolvedQueue, scope: &Scope) -> Lowered {
        lower::lower(queue, scope, self.config.grants)
    }

    async fn observe(&self, resources: &[&Resource]) -> Result<Vec<Observed>> {
        let project = self.config.project()?;
        observe::observe(self.clients().await?, project, resources).await
    }

    async fn list_owned(&self, owner: Option<&Owner>) -> Result<Vec<OwnedResource>> {
        let project = self.config.project()?;
        observe::list_owned(self.clients().await?, project, owner).await
    }

    async fn counts(&self, observed: &Observed) -> Result<Counts> {
        Ok(observe::counts(observed))
    }

    async fn apply(&self, change: &Change) -> Result<()> {
        let project = self.config.project()?;
        apply::apply(self.clients().await?, project, change).await
    }

    fn endpoints(&self, queue: &str, parts: &[(&Resource, &Observed)]) -> Vec<Endpoint> {
        observe::endpoints(queue, parts)
    }
}
