//! A project on a subject, and the backend pointed at it.

use std::sync::Arc;

use mq_core::layers::{Layered, RetryPolicy, Surroundings, WaitListener};
use mq_core::provisioner::{self, ApplyOptions, Outcome, Request, Silent};
use mq_core::resource::Present;
use mq_core::timing::{Jitter, SkippingClock};
use mq_core::{
    Access, ControlPlane, Plan, PlanOptions, QueueBackend, ResolvedQueue, Scope, Target,
};
use mq_emulator::Emulator;
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use crate::specs::owner;

/// A project of its own on a subject.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) project: String,
    /// Whether the subject keeps access policies and knows project numbers.
    pub(crate) policies: bool,
}

impl Place {
    pub(crate) fn own(emulator: &Emulator, case: &str) -> Self {
        Place {
            host: emulator.addresses().pubsub.to_string(),
            project: project(case),
            policies: true,
        }
    }

    pub(crate) fn google(host: &str, case: &str) -> Self {
        Place {
            host: host.to_owned(),
            project: project(case),
            policies: false,
        }
    }

    /// The backend with everything around it, on a clock on which waiting takes no time.
    pub(crate) async fn session(&self) -> Session {
        let grants = if self.policies { "manage" } else { "skip" };
        self.session_with(json!({"grants": grants})).await
    }

    pub(crate) async fn session_with(&self, settings: Json) -> Session {
        let backend = self.backend(settings);
        let control = Layered::new(
            backend,
            "gcp",
            Surroundings {
                retry: RetryPolicy::default(),
                clock: Arc::new(SkippingClock::default()),
                jitter: Arc::new(Jitter::seeded(1)),
                cancel: CancellationToken::new(),
                deadline: None,
                listener: Arc::new(Quiet),
            },
        );
        let scope = control.identify().await.unwrap();
        Session { control, scope }
    }

    /// The backend alone.
    pub(crate) fn backend(&self, settings: Json) -> Arc<dyn QueueBackend> {
        let Json::Object(mut settings) = settings else {
            panic!("settings are an object");
        };
        settings.insert("project".to_owned(), json!(self.project));
        let target = Target {
            settings,
            ..Target::implied("gcp")
        };
        // As an application is pointed at an emulator: the file's settings count, unlike with
        // `--emulator`.
        let access = Access::vendor([("PUBSUB_EMULATOR_HOST".to_owned(), self.host.clone())]);
        mq_gcp::factory().create(&target, &access).unwrap()
    }

    /// A call past the backend, as another tool would make it.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Json>) -> Json {
        let url = format!("http://{}/v1/projects/{}/{path}", self.host, self.project);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(method.parse().unwrap(), url);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }
}

/// Project ids have no `_`, and at most 30 characters.
fn project(case: &str) -> String {
    let mut id = case.replace('_', "-");
    id.truncate(30);
    id.trim_end_matches('-').to_owned()
}

#[derive(Debug)]
struct Quiet;

impl WaitListener for Quiet {
    fn waiting(&self, _: &str, _: &str, _: std::time::Duration) {}
}

/// What commands do, on one project.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) control: Layered,
    pub(crate) scope: Scope,
}

impl Session {
    fn request<'a>(
        &'a self,
        owner: &'a mq_core::Owner,
        queues: &'a [ResolvedQueue],
    ) -> Request<'a> {
        Request {
            target: "gcp",
            backend: "gcp",
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
            .unwrap()
    }

    pub(crate) async fn apply(&self, plan: &Plan) -> Outcome {
        let options = ApplyOptions {
            parallelism: 10,
            cancel: CancellationToken::new(),
            clock: Arc::new(SkippingClock::default()),
        };
        provisioner::apply(&self.control, plan, &options, &Silent).await
    }

    /// Plans and applies; everything must be made and read back as it was written.
    pub(crate) async fn provision(
        &self,
        queues: &[ResolvedQueue],
        options: &PlanOptions,
    ) -> Outcome {
        let plan = self.plan(queues, options).await;
        let refused: Vec<_> = plan.refusals().collect();
        assert!(refused.is_empty(), "{refused:?}");
        let outcome = self.apply(&plan).await;
        let failed: Vec<_> = outcome.failures().collect();
        assert!(failed.is_empty(), "{failed:?}");
        assert!(outcome.findings.is_empty(), "{:?}", outcome.findings);
        assert!(outcome.unproved.is_none(), "{:?}", outcome.unproved);
        outcome
    }

    /// Plans again: nothing must be left to do.
    pub(crate) async fn settled(&self, queues: &[ResolvedQueue]) {
        let plan = self.plan(queues, &PlanOptions::default()).await;
        let pending: Vec<_> = plan
            .changes
            .iter()
            .filter(|change| change.writes() || change.refusal.is_some())
            .collect();
        assert!(pending.is_empty(), "{pending:#?}");
    }

    pub(crate) async fn destroy(&self, queues: &[ResolvedQueue]) -> Outcome {
        let owner = owner();
        let options = PlanOptions {
            drop_messages: true,
            ..PlanOptions::default()
        };
        let request = self.request(&owner, queues);
        let (plan, unlisted) = provisioner::plan_destroy(&self.control, &request, &options)
            .await
            .unwrap();
        assert!(!unlisted);
        self.apply(&plan).await
    }

    /// What is in place of one resource of these queues.
    pub(crate) async fn present(&self, queue: &ResolvedQueue, name: &str) -> Option<Present> {
        let lowered = self.control.lower(queue, &self.scope);
        let resource = lowered
            .resources
            .iter()
            .find(|resource| resource.id.name == name)
            .unwrap_or_else(|| panic!("no resource {name}"));
        let observed = self.control.observe(&[resource]).await.unwrap();
        observed.into_iter().next().unwrap().present
    }
}
