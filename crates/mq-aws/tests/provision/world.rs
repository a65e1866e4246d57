//! What a case works with: a backend on a server, and a file of its own.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_http_client::Builder;
use libtest_mimic::Failed;
use mq_core::plan::RefusalKind;
use mq_core::provisioner::{self, ApplyOptions, Outcome, Request, Silent};
use mq_core::queue::Owner;
use mq_core::resource::Present;
use mq_core::spec::{QueuePatch, QueueSpec, Selection};
use mq_core::timing::SystemClock;
use mq_core::{
    Action, ControlPlane, Plan, PlanOptions, QueueBackend, ResolvedQueue, Scope, Spec, Target,
};
use tokio_util::sync::CancellationToken;

use crate::subject::{Server, Subject};

/// A case, which fails by panicking.
pub(crate) type Case = for<'a> fn(&'a World<'a>) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

pub(crate) struct World<'a> {
    pub(crate) server: &'a Server,
    pub(crate) backend: Arc<dyn QueueBackend>,
    /// Different in every case, and the stack of its file.
    pub(crate) stack: String,
}

impl<'a> World<'a> {
    pub(crate) fn new(subject: &'a Subject, case: &str) -> Result<Self, Failed> {
        let server = subject.server()?;
        let backend = mq_aws::factory()
            .create(&Target::implied("aws"), &server.access())
            .map_err(|error| error.to_string())?;
        Ok(World {
            server,
            backend,
            stack: case.replace('_', "-").chars().take(30).collect(),
        })
    }

    pub(crate) fn run(&self, case: Case) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(case(self));
    }

    pub(crate) fn control(&self) -> &dyn ControlPlane {
        self.backend.control()
    }

    pub(crate) async fn scope(&self) -> Scope {
        self.control().identify().await.expect("credentials")
    }

    /// The service's name of a queue of this case.
    pub(crate) fn name(&self, queue: &str) -> String {
        format!("{}-{queue}", self.stack)
    }

    /// A file with these queues.
    pub(crate) fn file(&self, queues: &[(&str, QueuePatch)]) -> Spec {
        let queues = queues.iter().map(|(name, patch)| {
            let queue = QueueSpec {
                patch: patch.clone(),
                ..QueueSpec::default()
            };
            (self.name(name), queue)
        });
        Spec {
            stack: self.stack.clone(),
            queues: queues.collect(),
            ..Spec::default()
        }
    }

    pub(crate) fn queues(&self, file: &Spec) -> Vec<ResolvedQueue> {
        file.resolve(&Selection::default(), &Target::implied("aws"))
    }

    pub(crate) async fn plan(&self, file: &Spec, options: &PlanOptions) -> Plan {
        let (scope, owner) = (self.scope().await, file.owner(None));
        let queues = self.queues(file);
        let request = request(&scope, &owner, &queues);
        let plan = provisioner::plan(self.control(), &request, options).await;
        plan.expect("a plan")
    }

    pub(crate) async fn destruction(&self, file: &Spec, options: &PlanOptions) -> Plan {
        let (scope, owner) = (self.scope().await, file.owner(None));
        let queues = self.queues(file);
        let request = request(&scope, &owner, &queues);
        let plan = provisioner::plan_destroy(self.control(), &request, options).await;
        plan.expect("a plan").0
    }

    pub(crate) async fn apply(&self, plan: &Plan) -> Outcome {
        let options = ApplyOptions {
            parallelism: 4,
            cancel: CancellationToken::new(),
            clock: Arc::new(SystemClock::default()),
        };
        let outcome = provisioner::apply(self.control(), plan, &options, &Silent).await;
        let failed: Vec<_> = outcome.failures().collect();
        assert!(failed.is_empty(), "{failed:?}");
        assert!(!outcome.partial());
        assert_eq!(outcome.findings, [], "read back");
        assert!(outcome.unproved.is_none(), "{:?}", outcome.unproved);
        outcome
    }

    /// Provisions and proves that a second run would write nothing.
    pub(crate) async fn provision(&self, file: &Spec, options: &PlanOptions) -> (Plan, Outcome) {
        let plan = self.plan(file, options).await;
        let outcome = self.apply(&plan).await;
        let again = self.plan(file, options).await;
        assert!(!again.pending(), "{:#?}", again.changes);
        (plan, outcome)
    }

    /// What is there under this name of the service.
    pub(crate) async fn present(&self, name: &str) -> Option<Present> {
        let owner = Owner {
            stack: self.stack.clone(),
            stage: None,
            origin: None,
        };
        let owned = self.control().list_owned(Some(&owner)).await;
        let owned = owned.expect("a listing").into_iter();
        let found = owned.map(|owned| owned.observed);
        found
            .filter(|observed| observed.id.name == name)
            .find_map(|observed| observed.present)
    }

    /// The vendor's client by itself, for what `mq` does not do.
    pub(crate) fn raw(&self) -> aws_sdk_sqs::Client {
        let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
        let (id, secret) = (self.server.variable(id), self.server.variable(secret));
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(Builder::new().build_http())
            .endpoint_url(self.server.variable("AWS_ENDPOINT_URL_SQS"))
            .region(Region::new(self.server.variable("AWS_REGION").to_owned()))
            .credentials_provider(Credentials::new(id, secret, None, None, "test"));
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    /// A queue that `mq` did not make.
    pub(crate) async fn made_by_someone(&self, name: &str, attributes: &[(&str, &str)]) -> String {
        let mut call = self.raw().create_queue().queue_name(name);
        for (name, value) in attributes {
            call = call.attributes(QueueAttributeName::from(*name), *value);
        }
        let answer = call.tags("made-by", "someone").send().await;
        let url = answer.expect("a queue").queue_url;
        url.expect("a URL")
    }
}

fn request<'a>(scope: &'a Scope, owner: &'a Owner, queues: &'a [ResolvedQueue]) -> Request<'a> {
    Request {
        target: "aws",
        backend: "aws",
        scope,
        owner,
        queues,
        whole_file: true,
    }
}

/// What a plan does, resource by resource.
pub(crate) fn actions(plan: &Plan) -> Vec<(&str, Action)> {
    let changes = plan.changes.iter();
    changes
        .map(|change| (change.resource.id.name.as_str(), change.action))
        .collect()
}

/// What a plan refuses, and why.
pub(crate) fn refusals(plan: &Plan) -> Vec<(&str, RefusalKind)> {
    plan.refusals()
        .map(|(resource, refusal)| (resource.id.name.as_str(), refusal.kind))
        .collect()
}
