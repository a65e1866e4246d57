//! The SDK's clients, and the one call to Resource Manager that no client of ours covers.

use std::time::Duration;

use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_pubsub::client::{SchemaService, SubscriptionAdmin, TopicAdmin};
use mq_core::backend::Scope;
use mq_core::error::{Error, ErrorKind, Result};
use serde::Deserialize;

use crate::config::{Config, Service};
use crate::credentials::Source;
use crate::error::{Call, from_answer, from_reqwest, from_sdk, garbage, lacks_permission};

const RESOURCE_MANAGER: &str = "https://cloudresourcemanager.googleapis.com";

/// The longest that one call waits for its answer. Administration answers within seconds.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Everything that calls are made with.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    pub(crate) topics: TopicAdmin,
    pub(crate) subscriptions: SubscriptionAdmin,
    /// Access policies of topics and subscriptions: of the SDK's clients only this one reads them
    /// in the way that Pub/Sub binds the call.
    pub(crate) policies: SchemaService,
    source: Source,
    http: reqwest::Client,
    resource_manager: String,
}

impl Clients {
    /// Loads the credentials and builds the clients; reaches no network.
    ///
    /// # Errors
    /// `Unauthenticated` when a credentials file is named that cannot be read.
    pub(crate) async fn new(config: &Config) -> Result<Self> {
        install_tls();
        let source = Source::load(&config.service)?;
        let credentials = &source.credentials;
        // The SDK's own retries are off: there is one retry policy, around this backend.
        let mut topics = TopicAdmin::builder()
            .with_credentials(credentials.clone())
            .with_retry_policy(NeverRetry)
            .with_attempt_timeout(CALL_TIMEOUT);
        let mut subscriptions = SubscriptionAdmin::builder()
            .with_credentials(credentials.clone())
            .with_retry_policy(NeverRetry)
            .with_attempt_timeout(CALL_TIMEOUT);
        let mut policies = SchemaService::builder()
            .with_credentials(credentials.clone())
            .with_retry_policy(NeverRetry)
            .with_attempt_timeout(CALL_TIMEOUT);
        let endpoint = match &config.service {
            Service::Google(endpoint) => endpoint.as_deref(),
            Service::Emulator(origin) => Some(origin.as_str()),
        };
        if let Some(endpoint) = endpoint {
            topics = topics.with_endpoint(endpoint);
            subscriptions = subscriptions.with_endpoint(endpoint);
            policies = policies.with_endpoint(endpoint);
        }
        let (resource_manager, http) = match &config.service {
            Service::Google(_) => (RESOURCE_MANAGER.to_owned(), reqwest::Client::builder()),
            Service::Emulator(origin) => (origin.clone(), reqwest::Client::builder().no_proxy()),
        };
        Ok(Clients {
            topics: topics.build().await.map_err(unbuilt)?,
            subscriptions: subscriptions.build().await.map_err(unbuilt)?,
            policies: policies.build().await.map_err(unbuilt)?,
            source,
            http: http.build().map_err(|error| unbuilt(error.without_url()))?,
            resource_manager,
        })
    }

    /// Proves the credentials and the project, and reads its number where that is needed.
    pub(crate) async fn identify(&self, config: &Config) -> Result<Scope> {
        let project = config.project()?;
        if config.needs_number() {
            let number = self.project_number(project).await.map_err(|error| {
                match (&config.service, error.kind()) {
                    (Service::Emulator(_), ErrorKind::Unexpected) => error.with_hint(
                        "Google's own emulator has neither Resource Manager nor access policies: say `grants: skip`",
                    ),
                    _ => error,
                }
            })?;
            return Ok(config.scope(Some(&number)));
        }
        self.probe(project).await?;
        Ok(config.scope(None))
    }

    /// The number of a project, from Resource Manager.
    async fn project_number(&self, project: &str) -> Result<String> {
        let on = format!("projects/{project}");
        let call = Call {
            operation: "GetProject",
            permission: "resourcemanager.projects.get",
            on: &on,
        };
        let headers = self.source.headers(call).await?;
        let answer = self
            .http
            .get(format!("{}/v3/{on}", self.resource_manager))
            .headers(headers)
            .send()
            .await
            .map_err(|error| from_reqwest(error, call))?;
        let code = answer.status();
        let body = answer
            .bytes()
            .await
            .map_err(|error| from_reqwest(error, call))?;
        if !code.is_success() {
            return Err(no_project(from_answer(code.as_u16(), &body, call), project));
        }
        let found: Project = serde_json::from_slice(&body).map_err(|_| garbage(call))?;
        if found.state.as_deref() == Some("DELETE_REQUESTED") {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("the project `{project}` is being deleted"),
            )
            .with_operation(call.operation));
        }
        found
            .name
            .strip_prefix("projects/")
            .filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
            .map(str::to_owned)
            .ok_or_else(|| garbage(call))
    }

    /// One small read: are the credentials known, and is the project there?
    async fn probe(&self, project: &str) -> Result<()> {
        let on = format!("projects/{project}");
        let call = Call {
            operation: "ListTopics",
            permission: "pubsub.topics.list",
            on: &on,
        };
        self.source.headers(call).await?;
        let answer = self
            .topics
            .list_topics()
            .set_project(&on)
            .set_page_size(1)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            // The credentials are known all the same, and only pruning needs the right to list.
            Err(error) if lacks_permission(&error) => Ok(()),
            Err(error) => {
                let error = from_sdk(error, call);
                Err(match error.kind() {
                    ErrorKind::NotFound => missing_project(project, call.operation),
                    _ => error,
                })
            }
        }
    }
}

#[derive(Debug, Deserialize)]
struct Project {
    #[serde(default)]
    name: String,
    state: Option<String>,
}

fn no_project(error: Error, project: &str) -> Error {
    match error.kind() {
        ErrorKind::NotFound => missing_project(project, "GetProject"),
        ErrorKind::PermissionDenied => Error::new(
            ErrorKind::PermissionDenied,
            format!(
                "the project `{project}` is not there, or these credentials lack `resourcemanager.projects.get` on it"
            ),
        )
        .with_operation("GetProject")
        .with_hint(
            "say `project_number:` under the file's `clouds` entry: then Resource Manager is not asked; or say `grants: skip`",
        )
        .with_source(error),
        _ => error,
    }
}

fn missing_project(project: &str, operation: &'static str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("the project `{project}` is not there, or these credentials may not see it"),
    )
    .with_operation(operation)
    .with_hint(
        "`gcloud projects list` prints the ids of those that they may; an id is not a display name",
    )
}

/// `rustls` wants to be told which cryptography to use, once in a process; whoever came first has
/// decided.
fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn unbuilt(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(
        ErrorKind::ConfigInvalid,
        "the Pub/Sub client cannot be set up with these settings",
    )
    .with_hint("check the endpoint, the proxy variables and GOOGLE_CLOUD_UNIVERSE_DOMAIN")
    .with_source(error)
}
