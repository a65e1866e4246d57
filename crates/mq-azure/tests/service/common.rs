//! What the tests of this crate share: a queue of a file, and the way from it to the cloud.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mq_core::backend::{Access, ControlPlane, QueueBackend, Scope};
use mq_core::layers::{Layered, RetryPolicy, Surroundings, WaitListener};
use mq_core::plan::{Plan, PlanOptions};
use mq_core::provisioner::{self, ApplyOptions, Outcome, Request, Silent};
use mq_core::queue::{
    Attributes, DeadLetter, DeadLetterTarget, Names, Ordering, Owner, ResolvedQueue, Stated,
};
use mq_core::spec::Target;
use mq_core::timing::{Jitter, SkippingClock};
use tokio_util::sync::CancellationToken;

/// Who owns what the tests make.
pub(crate) fn owner() -> Owner {
    Owner {
        stack: "shop".to_owned(),
        stage: None,
        origin: None,
    }
}

/// A queue with what is written on create when the file says nothing.
pub(crate) fn queue(name: &str) -> ResolvedQueue {
    ResolvedQueue {
        logical: name.to_owned(),
        base_name: name.to_owned(),
        names: Names::default(),
        owner: owner(),
        expires_at: None,
        managed: true,
        protect: false,
        attributes: Attributes {
            visibility_timeout: Some(Stated::create_default(Duration::from_secs(30))),
            retention: Some(Stated::create_default(Duration::from_secs(4 * 86_400))),
            receive_wait: Some(Stated::create_default(Duration::from_secs(20))),
            delivery_delay: None,
            max_message_size: None,
            ordering: Stated::create_default(Ordering::None),
            deduplication: None,
            dead_letter: None,
            encryption: None,
            labels: BTreeMap::new(),
            native: BTreeMap::new(),
        },
        accept: Vec::new(),
        dead_letter_for: Vec::new(),
    }
}

/// The same with dead letters after five deliveries.
pub(crate) fn with_dead_letter(name: &str, retention: Option<Duration>) -> ResolvedQueue {
    let mut queue = queue(name);
    queue.attributes.dead_letter = Some(Stated::file(DeadLetter {
        max_deliveries: 5,
        retention,
        target: DeadLetterTarget::Own,
    }));
    queue
}

/// A backend of this crate with what the command line puts around it, on a clock that skips.
#[derive(Debug)]
pub(crate) struct Cloud {
    pub(crate) control: Layered,
    pub(crate) scope: Scope,
}

#[derive(Debug)]
struct Nobody;

impl WaitListener for Nobody {
    fn waiting(&self, _: &str, _: &str, _: Duration) {}
}

/// A backend without anything around it.
pub(crate) fn bare(target: &Target, access: &Access) -> Arc<dyn QueueBackend> {
    mq_azure::factory()
        .create(target, access)
        .expect("valid settings")
}

/// A backend with retries, on a clock on which waiting takes no time.
pub(crate) fn layered(backend: Arc<dyn QueueBackend>, attempts_max: u32) -> Layered {
    let around = Surroundings {
        retry: RetryPolicy {
            attempts_max,
            ..RetryPolicy::default()
        },
        clock: Arc::new(SkippingClock::default()),
        jitter: Arc::new(Jitter::seeded(7)),
        cancel: CancellationToken::new(),
        deadline: None,
        listener: Arc::new(Nobody),
    };
    Layered::new(backend, "azure", around)
}

impl Cloud {
    /// The first call of every command.
    pub(crate) async fn reach(target: &Target, access: &Access) -> Cloud {
        let control = layered(bare(target, access), 30);
        let scope = control.identify().await.expect("the namespace is there");
        Cloud { control, scope }
    }

    fn request<'a>(&'a self, owner: &'a Owner, queues: &'a [ResolvedQueue]) -> Request<'a> {
        Request {
            target: "azure",
            backend: "azure",
            scope: &self.scope,
            owner,
            queues,
            whole_file: true,
        }
    }

    pub(crate) async fn plan(&self, queues: &[ResolvedQueue], options: &PlanOptions) -> Plan {
        let owner = owner();
        let request = self.request(&owner, queues);
        provisioner::plan(&self.control, &request, options)
            .await
            .expect("a plan")
    }

    pub(crate) async fn destroy(&self, queues: &[ResolvedQueue]) -> Plan {
        let owner = owner();
        let request = self.request(&owner, queues);
        let options = PlanOptions::default();
        provisioner::plan_destroy(&self.control, &request, &options)
            .await
            .expect("a plan")
            .0
    }

    pub(crate) async fn apply(&self, plan: &Plan) -> Outcome {
        let options = ApplyOptions {
            parallelism: 10,
            cancel: CancellationToken::new(),
            clock: Arc::new(SkippingClock::default()),
        };
        provisioner::apply(&self.control, plan, &options, &Silent).await
    }

    /// Plans and applies; everything must have worked, and have been read back as asked.
    pub(crate) async fn provision(&self, queues: &[ResolvedQueue]) -> Outcome {
        let plan = self.plan(queues, &PlanOptions::default()).await;
        self.apply_whole(&plan).await
    }

    pub(crate) async fn apply_whole(&self, plan: &Plan) -> Outcome {
        let outcome = self.apply(plan).await;
        let failures: Vec<_> = outcome
            .failures()
            .map(|(_, error)| format!("{error:?}"))
            .collect();
        assert!(failures.is_empty(), "{failures:#?}");
        assert!(outcome.unproved.is_none(), "{:?}", outcome.unproved);
        assert!(outcome.findings.is_empty(), "{:#?}", outcome.findings);
        outcome
    }

    /// A second run has nothing to do.
    pub(crate) async fn assert_settled(&self, queues: &[ResolvedQueue]) {
        let plan = self.plan(queues, &PlanOptions::default()).await;
        let pending: Vec<_> = plan
            .changes
            .iter()
            .filter(|change| change.writes())
            .collect();
        assert!(pending.is_empty() && !plan.pending(), "{pending:#?}");
    }
}
