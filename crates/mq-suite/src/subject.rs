//! One cloud under test.

use std::sync::Arc;
use std::time::Duration;

use mq_core::layers::{Layered, RetryPolicy, WaitListener};
use mq_core::timing::{Clock, Jitter, SystemClock};
use mq_core::{
    Access, BackendFactory, ControlPlane, QueueBackend, ResolvedQueue, Result, Scope, Target,
};
use tokio_util::sync::CancellationToken;

/// What surrounds the backends of a run.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// How often a call is tried again.
    pub retry: RetryPolicy,
    /// What waits are measured on.
    pub clock: Arc<dyn Clock>,
    /// What spreads the waits.
    pub jitter: Arc<Jitter>,
}

impl Default for Surroundings {
    fn default() -> Self {
        Surroundings {
            retry: RetryPolicy::default(),
            clock: Arc::new(SystemClock::default()),
            jitter: Arc::new(Jitter::seeded(1)),
        }
    }
}

/// One cloud under test: a target that has proved its credentials.
#[derive(Debug, Clone)]
pub struct Subject {
    pub(crate) factory: &'static dyn BackendFactory,
    pub(crate) access: Access,
    pub(crate) target: Target,
    pub(crate) backend: Arc<dyn QueueBackend>,
    pub(crate) scope: Scope,
    pub(crate) surroundings: Surroundings,
    /// The queues of the user's file, as they are on this cloud; copies of them are proved first.
    pub(crate) queues: Vec<ResolvedQueue>,
}

impl Subject {
    /// Makes the backend of this target and proves its credentials.
    ///
    /// # Errors
    /// Of [`BackendFactory::create`] and [`ControlPlane::identify`].
    pub async fn open(
        factory: &'static dyn BackendFactory,
        target: &Target,
        access: &Access,
        surroundings: Surroundings,
    ) -> Result<Subject> {
        let mut subject = Subject {
            factory,
            access: access.clone(),
            target: target.clone(),
            backend: factory.create(target, access)?,
            scope: Scope::default(),
            surroundings,
            queues: Vec::new(),
        };
        let control = subject.control(CancellationToken::new());
        subject.scope = control.identify().await?;
        Ok(subject)
    }

    /// Takes the queues of a file, resolved on this target.
    #[must_use]
    pub fn with_queues(mut self, queues: Vec<ResolvedQueue>) -> Self {
        self.queues = queues;
        self
    }

    /// The target's key under `clouds`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.target.name
    }

    /// Its backend, with nothing around it.
    #[must_use]
    pub fn backend(&self) -> &dyn QueueBackend {
        &*self.backend
    }

    /// Which account, project or namespace it is.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The backend's control plane with everything around it, until `cancel`.
    pub(crate) fn control(&self, cancel: CancellationToken) -> Layered {
        self.control_of(Arc::clone(&self.backend), cancel)
    }

    /// The same around another backend of this cloud.
    pub(crate) fn control_of(
        &self,
        backend: Arc<dyn QueueBackend>,
        cancel: CancellationToken,
    ) -> Layered {
        let around = mq_core::layers::Surroundings {
            retry: self.surroundings.retry,
            clock: Arc::clone(&self.surroundings.clock),
            jitter: Arc::clone(&self.surroundings.jitter),
            cancel,
            deadline: None,
            listener: Arc::new(Unheard),
        };
        Layered::new(backend, self.target.name.clone(), around)
    }
}

/// A run shows its cases, not their waits.
#[derive(Debug)]
struct Unheard;

impl WaitListener for Unheard {
    fn waiting(&self, _: &str, _: &str, _: Duration) {}
}
