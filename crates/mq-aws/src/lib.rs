//! The Amazon SQS backend: what a portable queue becomes there, and how it is read, made, changed
//! and removed.
//!
//! ```text
//! lower    a queue of the file → SQS queues and verdicts   (pure)
//! observe  GetQueueUrl, GetQueueAttributes, ListQueueTags → what is there
//! apply    one change → CreateQueue, SetQueueAttributes, TagQueue or DeleteQueue
//! error    a code of the service → what it means for a run
//! ```
//!
//! Every call goes through the vendor's SDK, with its own retries switched off: retrying is
//! [`mq_core::layers`]'s.

mod apply;
mod attribute;
mod config;
mod error;
mod identity;
mod limits;
mod lower;
mod name;
mod observe;
mod policy;
mod redrive;

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod samples;

use std::sync::Arc;

use async_trait::async_trait;
use mq_core::capability::fact;
use mq_core::resource::{Counts, Endpoint};
use mq_core::{
    Access, BackendFactory, BackendInfo, Capability, Change, ControlPlane, Lowered, Observed,
    Owner, QueueBackend, ResolvedQueue, Resource, Result, Scope, Target,
};
use tokio::sync::OnceCell;

use crate::config::{Clients, Settings, TimeLimits};

/// The factory of this backend, for the registry.
#[must_use]
pub fn factory() -> &'static dyn BackendFactory {
    &SqsFactory
}

static INFO: BackendInfo = BackendInfo {
    id: "aws",
    service: "Amazon SQS",
    settings: config::SETTINGS,
    native: attribute::NATIVE,
    names: &["queue", "dead_letter"],
    identity: Some("account"),
    // What a request to a FIFO queue costs, $0.50 a million; others cost less.
    request_price: fact(500, "https://aws.amazon.com/sqs/pricing/"),
};

#[derive(Debug)]
struct SqsFactory;

impl BackendFactory for SqsFactory {
    fn info(&self) -> &'static BackendInfo {
        &INFO
    }

    fn create(&self, target: &Target, access: &Access) -> Result<Arc<dyn QueueBackend>> {
        let settings = Settings::read(target, access)?;
        Ok(Arc::new(SqsBackend::new(settings, TimeLimits::default())))
    }
}

/// One account and region of Amazon SQS.
#[derive(Debug)]
struct SqsBackend {
    settings: Settings,
    time_limits: TimeLimits,
    /// Made by the first call: making them reads the vendor's files.
    clients: OnceCell<Clients>,
}

impl SqsBackend {
    fn new(settings: Settings, time_limits: TimeLimits) -> Self {
        SqsBackend {
            settings,
            time_limits,
            clients: OnceCell::new(),
        }
    }

    async fn clients(&self) -> &Clients {
        self.clients
            .get_or_init(|| Clients::load(&self.settings, self.time_limits))
            .await
    }
}

impl QueueBackend for SqsBackend {
    fn info(&self) -> &'static BackendInfo {
        &INFO
    }

    fn capability(&self, _: &Scope) -> Capability {
        limits::capability()
    }

    fn offline_scopes(&self) -> Vec<Scope> {
        vec![identity::offline_scope(&self.settings)]
    }

    fn control(&self) -> &dyn ControlPlane {
        self
    }
}

#[async_trait]
impl ControlPlane for SqsBackend {
    async fn identify(&self) -> Result<Scope> {
        identity::identify(self.clients().await, &self.settings).await
    }

    fn lower(&self, queue: &ResolvedQueue, scope: &Scope) -> Lowered {
        lower::lower(queue, scope)
    }

    async fn observe(&self, resources: &[&Resource]) -> Result<Vec<Observed>> {
        observe::observe(self.clients().await, resources).await
    }

    async fn list_owned(
        &self,
        owner: Option<&Owner>,
    ) -> Result<Vec<mq_core::resource::OwnedResource>> {
        observe::list_owned(self.clients().await, owner).await
    }

    async fn counts(&self, observed: &Observed) -> Result<Counts> {
        observe::counts(self.clients().await, observed).await
    }

    async fn apply(&self, change: &Change) -> Result<()> {
        apply::apply(self.clients().await, change).await
    }

    fn endpoints(&self, queue: &str, parts: &[(&Resource, &Observed)]) -> Vec<Endpoint> {
        observe::endpoints(queue, parts)
    }
}
