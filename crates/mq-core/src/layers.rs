//! What surrounds every backend: retries, time limits, and the words that say where it failed.
//!
//! There is one retry policy. The SDKs' own retries are switched off, so that the budget below
//! is the whole of it.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::backend::{ControlPlane, QueueBackend, Scope};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::plan::{Action, Change};
use crate::queue::{Owner, ResolvedQueue};
use crate::resource::{Counts, Endpoint, Lowered, Observed, OwnedResource, Resource};
use crate::timing::{Clock, Jitter};

/// How often and how long a call is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a call is made in all.
    pub attempts_max: u32,
    /// The most that the first wait takes; each further one may take twice as long.
    pub backoff: Duration,
    /// The most that any wait takes.
    pub backoff_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            attempts_max: 6,
            backoff: Duration::from_millis(200),
            backoff_max: Duration::from_secs(10),
        }
    }
}

/// How often a read of many resources is made as a whole before it is halved.
const BATCH_ATTEMPTS_MAX: u32 = 2;

/// Told while a call waits for a reason that has an end.
pub trait WaitListener: Send + Sync + Debug {
    /// `what` is waited for, for at most `remaining`.
    fn waiting(&self, what: &str, why: &str, remaining: Duration);
}

/// What a [`Layered`] backend needs beside the backend.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// How often a call is tried again.
    pub retry: RetryPolicy,
    /// What waits are measured on.
    pub clock: Arc<dyn Clock>,
    /// What spreads the waits.
    pub jitter: Arc<Jitter>,
    /// Ends every wait.
    pub cancel: CancellationToken,
    /// When the whole command must be done, on `clock`.
    pub deadline: Option<Duration>,
    /// Told of waits.
    pub listener: Arc<dyn WaitListener>,
}

/// A backend's control plane with everything around it. Implements the same trait, method by
/// method, so that nothing can be forgotten.
#[derive(Debug, Clone)]
pub struct Layered {
    backend: Arc<dyn QueueBackend>,
    target: String,
    around: Surroundings,
}

impl Layered {
    /// The backend of this target, with these surroundings.
    #[must_use]
    pub fn new(
        backend: Arc<dyn QueueBackend>,
        target: impl Into<String>,
        around: Surroundings,
    ) -> Self {
        Layered {
            backend,
            target: target.into(),
            around,
        }
    }

    /// The backend itself.
    #[must_use]
    pub fn backend(&self) -> &Arc<dyn QueueBackend> {
        &self.backend
    }

    fn control(&self) -> &dyn ControlPlane {
        self.backend.control()
    }

    async fn call<T, F>(&self, what: &str, call: impl Fn() -> F + Send + Sync) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        self.call_up_to(self.around.retry.attempts_max, what, call)
            .await
    }

    async fn call_up_to<T, F>(
        &self,
        attempts_max: u32,
        what: &str,
        call: impl Fn() -> F + Send + Sync,
    ) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        let result = self.attempts(attempts_max, what, call).await;
        result.map_err(|error| error.with_context("on", self.target.clone()))
    }

    async fn attempts<T, F>(
        &self,
        attempts_max: u32,
        what: &str,
        call: impl Fn() -> F + Send + Sync,
    ) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        let start = self.around.clock.elapsed();
        for attempt in 1_u32.. {
            let error = match self.in_time(call()).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let Some(wait) = self.wait_after(&error, attempt, attempts_max, start, what) else {
                return Err(match error.retry() {
                    Retry::Never => error,
                    Retry::After(_) | Retry::Poll { .. } | Retry::Exhausted => {
                        error.with_retry(Retry::Exhausted)
                    }
                });
            };
            tracing::debug!(what, attempt, wait_ms = wait.as_millis(), %error, "trying again");
            tokio::select! {
                () = self.around.clock.sleep(wait) => {}
                () = self.around.cancel.cancelled() => {
                    return Err(Error::new(ErrorKind::Cancelled, format!("interrupted while waiting to try again: {error}"))
                        .with_effect(error.effect()));
                }
            }
        }
        unreachable!("a call is tried again a bounded number of times")
    }

    /// How long to wait before the next attempt; `None` to give up.
    fn wait_after(
        &self,
        error: &Error,
        attempt: u32,
        attempts_max: u32,
        start: Duration,
        what: &str,
    ) -> Option<Duration> {
        let policy = &self.around.retry;
        let now = self.around.clock.elapsed();
        let wait = match error.retry() {
            Retry::Never | Retry::Exhausted => return None,
            Retry::Poll { every, within } => {
                let remaining = (start + within)
                    .checked_sub(now)
                    .filter(|left| !left.is_zero())?;
                self.around
                    .listener
                    .waiting(what, error.message(), remaining);
                every.min(remaining)
            }
            Retry::After(least) => {
                if attempt >= attempts_max {
                    return None;
                }
                let most = policy
                    .backoff
                    .saturating_mul(1 << (attempt - 1).min(16))
                    .min(policy.backoff_max);
                self.around
                    .jitter
                    .up_to(most)
                    .max(least.unwrap_or_default())
            }
        };
        let in_time = self
            .around
            .deadline
            .is_none_or(|deadline| now + wait < deadline);
        in_time.then_some(wait)
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let Some(deadline) = self.around.deadline else {
            return call.await;
        };
        let left = deadline.saturating_sub(self.around.clock.elapsed());
        tokio::select! {
            result = call => result,
            () = self.around.clock.sleep(left) => Err(Error::new(ErrorKind::TimedOut, "the time set with `--timeout` ran out")
                .with_effect(crate::error::Effect::Unknown)
                .with_hint("run the same command again: it goes on from what is there")),
        }
    }
}

#[async_trait]
impl ControlPlane for Layered {
    async fn identify(&self) -> Result<Scope> {
        self.call("credentials", || self.control().identify()).await
    }

    fn lower(&self, queue: &ResolvedQueue, scope: &Scope) -> Lowered {
        self.control().lower(queue, scope)
    }

    async fn observe(&self, resources: &[&Resource]) -> Result<Vec<Observed>> {
        let attempts_max = if resources.len() > 1 {
            BATCH_ATTEMPTS_MAX
        } else {
            self.around.retry.attempts_max
        };
        let read = self
            .call_up_to(attempts_max, "reading", || {
                self.control().observe(resources)
            })
            .await;
        match read {
            // One read of many failed, as some do under load: the halves have better chances, and
            // what fails in the end is one resource.
            Err(error) if resources.len() > 1 && error.retry() == Retry::Exhausted => {
                let (one, other) = resources.split_at(resources.len() / 2);
                let mut seen = self.observe(one).await?;
                seen.extend(self.observe(other).await?);
                Ok(seen)
            }
            read => read,
        }
    }

    async fn list_owned(&self, owner: Option<&Owner>) -> Result<Vec<OwnedResource>> {
        self.call("listing", || self.control().list_owned(owner))
            .await
    }

    async fn counts(&self, observed: &Observed) -> Result<Counts> {
        self.call(&observed.id.to_string(), || self.control().counts(observed))
            .await
    }

    async fn apply(&self, change: &Change) -> Result<Option<Observed>> {
        let what = change.resource.id.to_string();
        let result = self.call(&what, || self.control().apply(change)).await;
        let verb = match change.action {
            Action::Create => "create",
            Action::Update => "update",
            Action::Adopt => "adopt",
            Action::Delete | Action::Replace => "delete",
            Action::NoOp => "leave",
        };
        result.map_err(|error| error.with_context("to", format!("{verb} {what}")))
    }

    fn endpoints(&self, queue: &str, parts: &[(&Resource, &Observed)]) -> Vec<Endpoint> {
        self.control().endpoints(queue, parts)
    }
}
