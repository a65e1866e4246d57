//! A file, the toy, and the commands between them.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mq_core::layers::{Layered, RetryPolicy, Surroundings, WaitListener};
use mq_core::plan::{Plan, PlanOptions, RefusalKind};
use mq_core::provisioner::{self, ApplyOptions, ChangeState, Outcome, Request, Silent};
use mq_core::queue::{Marker, Ordering, Owner, ResolvedQueue};
use mq_core::spec::{
    DeadLetterPatch, DeadLetterQueue, QueuePatch, QueueSpec, Selection, Setting, Stage,
};
use mq_core::timing::{Jitter, SkippingClock};
use mq_core::{ControlPlane, Result, Scope, Spec, Target};
use tokio_util::sync::CancellationToken;

use crate::toy::Toy;

/// Runs a test to its end, on one thread, so that the same test takes the same turns.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without I/O")
        .block_on(test)
}

/// A file of the stack `shop`.
pub(crate) fn file<'a>(queues: impl IntoIterator<Item = (&'a str, QueueSpec)>) -> Spec {
    let queues = queues.into_iter();
    Spec {
        stack: "shop".to_owned(),
        queues: queues.map(|(key, queue)| (key.to_owned(), queue)).collect(),
        ..Spec::default()
    }
}

/// A queue of which the file says nothing.
pub(crate) fn plain() -> QueueSpec {
    QueueSpec::default()
}

/// A queue with a dead-letter queue of its own.
pub(crate) fn dead_lettered() -> QueueSpec {
    patched(|patch| patch.dead_letter = Setting::Value(DeadLetterPatch::default()))
}

/// A queue whose dead letters go to another of the file.
pub(crate) fn sharing(other: &str) -> QueueSpec {
    let to = DeadLetterQueue::InFile(other.to_owned());
    dead_lettering_to(to)
}

/// A queue whose dead letters go to someone else's.
pub(crate) fn dead_lettered_outside(name: &str) -> QueueSpec {
    let names = BTreeMap::from([("toy".to_owned(), name.to_owned())]);
    dead_lettering_to(DeadLetterQueue::External(names))
}

fn dead_lettering_to(queue: DeadLetterQueue) -> QueueSpec {
    patched(|patch| {
        patch.dead_letter = Setting::Value(DeadLetterPatch {
            queue: Setting::Value(queue),
            ..DeadLetterPatch::default()
        });
    })
}

/// A queue of which the file says this.
pub(crate) fn patched(say: impl FnOnce(&mut QueuePatch)) -> QueueSpec {
    let mut queue = QueueSpec::default();
    say(&mut queue.patch);
    queue
}

/// The same queue, ordered: another one, as far as the toy is concerned.
pub(crate) fn ordered(mut queue: QueueSpec) -> QueueSpec {
    queue.patch.ordering = Setting::Value(Ordering::PerKey);
    queue
}

/// The same queue, protected.
pub(crate) fn protected(mut queue: QueueSpec) -> QueueSpec {
    queue.patch.protect = Setting::Value(true);
    queue
}

/// The same queue, someone else's.
pub(crate) fn unmanaged(mut queue: QueueSpec) -> QueueSpec {
    queue.unmanaged = true;
    queue
}

/// The file with a stage `ci` that expires an hour after it is made.
pub(crate) fn expiring(mut spec: Spec) -> Spec {
    let stage = Stage {
        name: "{stage}-{name}".to_owned(),
        expires: Some(Duration::from_secs(3_600)),
        ..Stage::default()
    };
    spec.stages = Some(BTreeMap::from([("ci".to_owned(), stage)]));
    spec
}

/// A marker of a stack, for a queue.
pub(crate) fn marker(stack: &str, queue: &str) -> Marker {
    Marker {
        owner: Owner {
            stack: stack.to_owned(),
            stage: None,
            origin: None,
        },
        queue: queue.to_owned(),
        expires_at: None,
    }
}

/// Everything is allowed.
pub(crate) fn anything() -> PlanOptions {
    PlanOptions {
        adopt: true,
        replace: ["a", "b", "c", "d", "orders", "failures"]
            .map(str::to_owned)
            .into(),
        prune: true,
        drop_messages: true,
    }
}

/// Messages may go, and nothing else is allowed.
pub(crate) fn drop_messages() -> PlanOptions {
    PlanOptions {
        drop_messages: true,
        ..PlanOptions::default()
    }
}

pub(crate) fn pruning() -> PlanOptions {
    PlanOptions {
        prune: true,
        ..PlanOptions::default()
    }
}

/// Remembers what it was told while a call waited.
#[derive(Debug, Default)]
pub(crate) struct Heard(pub(crate) Mutex<Vec<(String, Duration)>>);

impl WaitListener for Heard {
    fn waiting(&self, what: &str, _: &str, remaining: Duration) {
        let mut heard = self.0.lock().expect("no panic under the lock");
        heard.push((what.to_owned(), remaining));
    }
}

/// The toy and the machine around it.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Arc<SkippingClock>,
    pub(crate) toy: Arc<Toy>,
    pub(crate) heard: Arc<Heard>,
    pub(crate) cancel: CancellationToken,
    pub(crate) parallelism: usize,
    /// When the command must be done, on the clock.
    pub(crate) deadline: Option<Duration>,
    pub(crate) retry: RetryPolicy,
    /// Whether retries and time limits surround the toy.
    pub(crate) layered: bool,
    pub(crate) stage: Option<String>,
    /// The queues that are chosen; all where there are none.
    pub(crate) chosen: Vec<String>,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(SkippingClock::default());
        World {
            toy: Arc::new(Toy::new(Arc::clone(&clock))),
            clock,
            heard: Arc::default(),
            cancel: CancellationToken::new(),
            parallelism: 10,
            deadline: None,
            retry: RetryPolicy::default(),
            layered: false,
            stage: None,
            chosen: Vec::new(),
        }
    }

    /// The toy, as commands reach it.
    pub(crate) fn control(&self) -> Box<dyn ControlPlane> {
        let retry = if self.layered {
            self.retry
        } else {
            RetryPolicy {
                attempts_max: 1,
                ..self.retry
            }
        };
        let around = Surroundings {
            retry,
            clock: Arc::clone(&self.clock) as _,
            jitter: Arc::new(Jitter::seeded(1)),
            cancel: self.cancel.clone(),
            deadline: self.deadline,
            listener: Arc::clone(&self.heard) as _,
        };
        Box::new(Layered::new(Arc::clone(&self.toy) as _, "toy", around))
    }

    pub(crate) fn resolve(&self, spec: &Spec) -> Vec<ResolvedQueue> {
        let selection = Selection {
            stage: self.stage.clone(),
            now: 1_000,
        };
        let mut queues = spec.resolve(&selection, &Target::implied("toy"));
        if !self.chosen.is_empty() {
            queues.retain(|queue| self.chosen.contains(&queue.logical));
        }
        queues
    }

    pub(crate) async fn plan(&self, spec: &Spec, options: &PlanOptions) -> Result<Plan> {
        let queues = self.resolve(spec);
        let owner = spec.owner(self.stage.as_deref());
        provisioner::plan(&*self.control(), &self.request(&queues, &owner), options).await
    }

    pub(crate) async fn plan_destroy(
        &self,
        spec: &Spec,
        options: &PlanOptions,
    ) -> Result<(Plan, bool)> {
        let queues = self.resolve(spec);
        let owner = spec.owner(self.stage.as_deref());
        provisioner::plan_destroy(&*self.control(), &self.request(&queues, &owner), options).await
    }

    pub(crate) async fn plan_collection(
        &self,
        spec: &Spec,
        now: u64,
        options: &PlanOptions,
    ) -> Result<Plan> {
        let owner = spec.owner(None);
        provisioner::plan_collection(&*self.control(), &self.request(&[], &owner), now, options)
            .await
    }

    fn request<'a>(&self, queues: &'a [ResolvedQueue], owner: &'a Owner) -> Request<'a> {
        static NOWHERE: Scope = Scope {
            label: String::new(),
            facts: BTreeMap::new(),
        };
        Request {
            target: "toy",
            backend: "toy",
            scope: &NOWHERE,
            owner,
            queues,
            whole_file: self.chosen.is_empty(),
        }
    }

    pub(crate) async fn apply(&self, plan: &Plan) -> Outcome {
        let options = ApplyOptions {
            parallelism: self.parallelism,
            cancel: self.cancel.clone(),
            clock: Arc::clone(&self.clock) as _,
        };
        provisioner::apply(&*self.control(), plan, &options, &Silent).await
    }

    /// Plans and applies, whatever the plan refuses.
    pub(crate) async fn provision(&self, spec: &Spec, options: &PlanOptions) -> Result<Outcome> {
        let plan = self.plan(spec, options).await?;
        Ok(self.apply(&plan).await)
    }

    pub(crate) async fn destroy(&self, spec: &Spec, options: &PlanOptions) -> Result<Outcome> {
        let (plan, _) = self.plan_destroy(spec, options).await?;
        Ok(self.apply(&plan).await)
    }

    /// Provisions, and insists that all went well.
    pub(crate) async fn provisioned(&self, spec: &Spec) {
        done(&self.provision(spec, &PlanOptions::default()).await);
    }
}

/// Insists that everything was made and read back.
#[track_caller]
pub(crate) fn done(outcome: &Result<Outcome>) {
    let outcome = outcome.as_ref().expect("planned");
    let whole = !outcome.partial() && outcome.findings.is_empty() && outcome.unproved.is_none();
    assert!(whole, "{outcome:#?}");
}

/// The refusals of a plan, by the names of what they are about.
pub(crate) fn refusals(plan: &Plan) -> Vec<(&str, RefusalKind)> {
    let refused = plan.changes.iter().filter_map(|change| {
        let refusal = change.refusal.as_ref()?;
        Some((change.resource.id.name.as_str(), refusal.kind))
    });
    refused.collect()
}

/// The states of an outcome, by name, as text.
pub(crate) fn states(outcome: &Outcome) -> Vec<(String, String)> {
    let text = |state: &ChangeState| match state {
        ChangeState::Applied => "applied".to_owned(),
        ChangeState::Failed(error) => format!("failed: {error}"),
        ChangeState::NotAttempted(why) => format!("not attempted: {why}"),
    };
    let results = outcome.results.iter();
    results
        .map(|result| (result.resource.name.clone(), text(&result.state)))
        .collect()
}
