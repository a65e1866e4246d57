//! Amazon SQS over HTTP, in both of its protocols, and the one STS call that SDKs make with it.
//!
//! AWS JSON 1.0 and the older Query protocol come to the same port and are told apart by their
//! headers. Both are decoded to [`params::Params`] by the table in `operation.rs`, so that an
//! operation is written once. Wire facts:
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html>.

mod attributes;
mod batch;
mod call;
mod envelope;
mod error;
mod json;
mod ledger;
mod listing;
mod moves;
mod operation;
mod params;
mod permissions;
mod query;
mod queues;
mod receipt;
mod receive;
mod redrive;
mod send;
mod settle;
mod sts;
mod tags;
mod typed;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, header};
use tokio_util::sync::CancellationToken;

use self::call::{Call, Credential};
use self::error::{Code, SqsError};
use self::operation::{Operation, Work};
use self::params::{Output, Params};
use self::receipt::Secret;
use crate::shared::Shared;

pub(crate) use self::ledger::LEDGER;

/// Where the queues of an emulator are, for requests that do not say it.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// The account, 12 digits.
    pub(crate) account: String,
    /// The region of requests that are not signed for one.
    pub(crate) region: String,
}

struct Front {
    shared: Arc<Shared>,
    scope: Scope,
    secret: Secret,
    /// Ends the requests that wait for messages.
    stopping: CancellationToken,
}

/// Every path, since a queue's own address is an endpoint too. Requests that wait for messages
/// are answered at once when `stopping` is cancelled.
pub(crate) fn router(shared: Arc<Shared>, scope: Scope, stopping: CancellationToken) -> Router {
    let front = Front {
        shared,
        scope,
        secret: Secret::random(),
        stopping,
    };
    Router::new()
        .fallback(handle)
        // The guard has read the body already, within the limit of this front-end.
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::new(front))
}

/// SQS's own answer when it fails.
pub(crate) fn internal_error(head: &Parts) -> Response {
    let error = SqsError::new(
        Code::InternalFailure,
        "The request processing has failed because of an unknown error, exception or failure.",
    );
    let protocol = Protocol::of(&head.method, &head.headers);
    protocol.render(None, Err(error), &request_id())
}

async fn handle(State(front): State<Arc<Front>>, head: Parts, body: Bytes) -> Response {
    front.answer(&head, &body).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// `query_mode` is whether the client asks for the Query protocol's status codes.
    Json {
        query_mode: bool,
    },
    Query,
}

impl Protocol {
    fn of(method: &Method, headers: &HeaderMap) -> Self {
        let is_json = headers.contains_key("x-amz-target")
            || headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
                kind.as_bytes()
                    .to_ascii_lowercase()
                    .starts_with(b"application/x-amz-json")
            });
        if is_json && method == Method::POST {
            let query_mode = headers
                .get("x-amzn-query-mode")
                .is_some_and(|mode| mode == "true");
            Protocol::Json { query_mode }
        } else {
            Protocol::Query
        }
    }

    fn render(
        self,
        operation: Option<&Operation>,
        outcome: Result<Output, SqsError>,
        request_id: &str,
    ) -> Response {
        match (self, outcome) {
            (Protocol::Json { .. }, Ok(output)) => json::success(&output, request_id),
            (Protocol::Json { query_mode }, Err(error)) => {
                json::failure(&error, query_mode, request_id)
            }
            (Protocol::Query, Ok(output)) => query::success(
                operation.map_or("", |operation| operation.name),
                &output,
                request_id,
            ),
            (Protocol::Query, Err(error)) => query::failure(&error, request_id),
        }
    }
}

impl Front {
    async fn answer(&self, head: &Parts, body: &[u8]) -> Response {
        let request_id = request_id();
        let protocol = Protocol::of(&head.method, &head.headers);
        if protocol == Protocol::Query {
            return self.answer_query(head, body, &request_id).await;
        }
        let (operation, outcome) = match json::operation(&head.headers) {
            Err(error) => (None, Err(error)),
            Ok(operation) => {
                let params = json::params(operation, body);
                let outcome = self.perform(operation, head, None, params).await;
                (Some(operation), outcome)
            }
        };
        protocol.render(operation, outcome, &request_id)
    }

    async fn answer_query(&self, head: &Parts, body: &[u8], request_id: &str) -> Response {
        let form = match query::form(head, body) {
            Ok(form) => form,
            Err(error) => return query::failure(&error, request_id),
        };
        let presigned = form.get("X-Amz-Credential").map(String::as_str);
        if sts::is_meant(&form) {
            return sts::answer(&self.scope.account, &form, request_id);
        }
        let (operation, outcome) = match query::operation(&form, head.uri.path()) {
            Err(error) => (None, Err(error)),
            Ok(operation) => {
                let params = query::params(operation, &form, head.uri.path());
                let outcome = self.perform(operation, head, presigned, params).await;
                (Some(operation), outcome)
            }
        };
        Protocol::Query.render(operation, outcome, request_id)
    }

    async fn perform(
        &self,
        operation: &Operation,
        head: &Parts,
        presigned: Option<&str>,
        params: Result<Params, SqsError>,
    ) -> Result<Output, SqsError> {
        let params = params?;
        let credential = Credential::of(&head.headers, presigned)?;
        let region = credential.map_or_else(|| self.scope.region.clone(), |signed| signed.region);
        let call = Call {
            shared: &self.shared,
            account: &self.scope.account,
            region,
            base_url: base_url(head),
            now: self.shared.now(),
            secret: &self.secret,
        };
        operation.require(&params)?;
        match operation.work {
            Work::AtOnce(run) => run(&call, &params),
            Work::Receive => receive::receive(&call, &params, &self.stopping).await,
        }
    }
}

/// The address that the client used, so that the queue URLs which it gets lead back here.
fn base_url(head: &Parts) -> String {
    let header = head
        .headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = header.or_else(|| head.uri.authority().map(http::uri::Authority::as_str));
    format!("http://{}", host.unwrap_or("localhost"))
}

fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

#[cfg(test)]
mod tests;
