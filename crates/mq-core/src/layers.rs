//! What surrounds every backend: retries, time limits, and the words that say where it failed.
//!
//! There is one retry policy. The SDKs' own retries are switched off, so that the budget below
//! is the whole of it.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::backend::{ControlPlane, QueueBackend, Scope};
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::plan::{Action, Change};
use crate::queue::{Owner, ResolvedQueue};
use crate::resource::{Counts, Endpoint, Lowered, Observed, OwnedResource, Resource};
use crate::timing::{Clock, Jitter};

/// How often and how long a call is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a call is made in all. Waits for a known end ([`Retry::Poll`]) do not count.
    pub attempts_max: u32,
    /// The most that the first wait takes; each further one may take twice as long.
    pub backoff: Duration,
    /// The most that any wait of our own choosing takes.
    pub backoff_max: Duration,
    /// The longest wait that a service may ask for; asked for more, the call is given up.
    pub asked_max: Duration,
    /// The budget of a target: after so many failures in a row, of whatever calls, the service is
    /// taken to be down, and until one succeeds nothing is tried again.
    pub failures_max: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            attempts_max: 6,
            backoff: Duration::from_millis(200),
            backoff_max: Duration::from_secs(10),
            asked_max: Duration::from_secs(60),
            failures_max: 100,
        }
    }
}

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
    /// How many calls have failed since the last one that succeeded.
    failures: Arc<AtomicU32>,
}

/// What became of one call's attempts so far.
#[derive(Debug, Default)]
struct Attempts {
    /// Those that count against the policy.
    failed: u32,
    /// When it first failed for a reason that has an end.
    polling_since: Option<Duration>,
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
            failures: Arc::default(),
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
        let mut attempts = Attempts::default();
        loop {
            match self.once(call()).await {
                Ok(value) => return Ok(value),
                Err(error) => self.before_next(&mut attempts, error, what).await?,
            }
        }
    }

    /// Reads all of these. A read of very many is many calls, one of which may well fail: then
    /// each half is read again on its own, so that no failure costs the whole.
    async fn read(&self, resources: &[&Resource]) -> Result<Vec<Observed>> {
        let mut seen = Vec::with_capacity(resources.len());
        let mut unread = vec![resources];
        let mut attempts = Attempts::default();
        while let Some(part) = unread.pop() {
            match self.once(self.control().observe(part)).await {
                Ok(observed) if observed.len() == part.len() => {
                    seen.extend(observed);
                    attempts = Attempts::default();
                }
                Ok(observed) => return Err(self.said_where(miscounted(&observed, part))),
                Err(error) => {
                    self.before_next(&mut attempts, error, "reading").await?;
                    if part.len() > 1 {
                        let (first, second) = part.split_at(part.len() / 2);
                        unread.extend([second, first]);
                        attempts = Attempts::default();
                    } else {
                        unread.push(part);
                    }
                }
            }
        }
        Ok(seen)
    }

    /// Makes one attempt, within the time of the command.
    async fn once<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let result = match self.around.deadline {
            None => call.await,
            Some(deadline) => {
                let left = deadline.saturating_sub(self.around.clock.elapsed());
                if left.is_zero() {
                    return Err(out_of_time(TIME_IS_OUT));
                }
                tokio::select! {
                    // What has been answered counts, however late.
                    biased;
                    result = call => result,
                    () = self.around.clock.sleep(left) => {
                        return Err(out_of_time(TIME_IS_OUT).with_effect(Effect::Unknown));
                    }
                }
            }
        };
        match &result {
            Ok(_) => self.failures.store(0, Relaxed),
            Err(error) if matches!(error.retry(), Retry::After(_)) => {
                self.failures.fetch_add(1, Relaxed);
            }
            Err(_) => {}
        }
        result
    }

    /// Waits until the call may be made again; the error is the end of it where it may not.
    async fn before_next(&self, attempts: &mut Attempts, error: Error, what: &str) -> Result<()> {
        let Some(wait) = self.wait_after(&error, attempts) else {
            return Err(self.said_where(match error.retry() {
                Retry::Never => error,
                Retry::After(_) | Retry::Poll { .. } | Retry::Exhausted => {
                    error.with_retry(Retry::Exhausted)
                }
            }));
        };
        let now = self.around.clock.elapsed();
        let deadline = self.around.deadline;
        if deadline.is_some_and(|deadline| now + wait >= deadline) {
            let why =
                format!("the time set with `--timeout` ends before it can be tried again: {error}");
            let ended = out_of_time(why).with_effect(error.effect());
            return Err(self.said_where(ended));
        }
        if let (Retry::Poll { within, .. }, Some(since)) = (error.retry(), attempts.polling_since) {
            let remaining = (since + within).saturating_sub(now);
            let listener = &self.around.listener;
            listener.waiting(what, error.message(), remaining);
        }
        tracing::debug!(what, ?attempts, wait_ms = wait.as_millis(), %error, "trying again");
        tokio::select! {
            biased;
            () = self.around.cancel.cancelled() => {
                let why = format!("interrupted while waiting to try again: {error}");
                let ended = Error::new(ErrorKind::Cancelled, why).with_effect(error.effect());
                Err(self.said_where(ended))
            }
            () = self.around.clock.sleep(wait) => Ok(()),
        }
    }

    /// How long to wait before the next attempt; `None` to give up.
    fn wait_after(&self, error: &Error, attempts: &mut Attempts) -> Option<Duration> {
        let policy = &self.around.retry;
        match error.retry() {
            Retry::Never | Retry::Exhausted => None,
            Retry::Poll { every, within } => {
                let now = self.around.clock.elapsed();
                let since = *attempts.polling_since.get_or_insert(now);
                let remaining = (since + within).saturating_sub(now);
                // Never at once, whatever the table says: a wait of nothing would have no end.
                let wait = every.max(POLL_MIN).min(remaining);
                (!wait.is_zero()).then_some(wait)
            }
            Retry::After(asked) => {
                attempts.failed += 1;
                let asked = asked.unwrap_or_default();
                let spent = attempts.failed >= policy.attempts_max
                    || self.failures.load(Relaxed) >= policy.failures_max
                    || asked > policy.asked_max;
                if spent {
                    return None;
                }
                let doublings = (attempts.failed - 1).min(16);
                let most = policy.backoff.saturating_mul(1 << doublings);
                let own = self.around.jitter.up_to(most.min(policy.backoff_max));
                Some(own.max(asked))
            }
        }
    }

    fn said_where(&self, error: Error) -> Error {
        error.with_context("on", self.target.clone())
    }
}

const TIME_IS_OUT: &str = "the time set with `--timeout` ran out";
/// The shortest wait for something that has a known end.
const POLL_MIN: Duration = Duration::from_millis(100);

fn out_of_time(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::TimedOut, why)
        .with_hint("run the same command again: it goes on from what is there")
}

fn miscounted(observed: &[Observed], asked: &[&Resource]) -> Error {
    Error::new(
        ErrorKind::Unexpected,
        format!(
            "{} resources were asked for, and {} told of",
            asked.len(),
            observed.len()
        ),
    )
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
        self.read(resources).await
    }

    async fn list_owned(&self, owner: Option<&Owner>) -> Result<Vec<OwnedResource>> {
        self.call("listing", || self.control().list_owned(owner))
            .await
    }

    async fn counts(&self, observed: &Observed) -> Result<Counts> {
        self.call(&observed.id.to_string(), || self.control().counts(observed))
            .await
    }

    /// Tried again even where an attempt may have been made: an update sets values, removing what
    /// is gone succeeds, and creating what is there is `AlreadyExists`, which
    /// [`crate::provisioner::apply`] looks into.
    async fn apply(&self, change: &Change) -> Result<()> {
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
