//! The console's port: whether the emulator lives, whether it is ready, how much it was asked, and
//! what only the holder of its token may do.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::clock::{AdvanceError, date};
use crate::metrics;
use crate::probe::Probes;
use crate::server::Token;
use crate::shared::Shared;

/// What the console tells about, and what it can do.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) shared: Arc<Shared>,
    pub(crate) probes: Probes,
    pub(crate) token: Token,
    pub(crate) stop_requested: CancellationToken,
}

/// `GET /health`, `GET /ready`, `GET /metrics` and, with the token, `POST /advance` and
/// `POST /shutdown`.
pub(crate) fn router(state: State) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(counters))
        .route("/advance", post(advance))
        .route("/shutdown", post(shutdown))
        .with_state(state)
}

/// That the process lives; nothing is tried.
async fn health() -> Response {
    json_response(
        StatusCode::OK,
        &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }),
    )
}

/// The result of one real round trip per protocol, made now.
async fn ready(extract::State(state): extract::State<State>) -> Response {
    let reports = state.probes.run().await;
    let ready = reports.iter().all(|report| report.outcome.is_ok());
    let protocols: Map<String, Value> = reports
        .into_iter()
        .map(|report| {
            let outcome = match report.outcome {
                Ok(()) => json!({ "ready": true }),
                Err(why) => json!({ "ready": false, "why": why }),
            };
            (report.protocol.to_owned(), outcome)
        })
        .collect();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    json_response(status, &json!({ "ready": ready, "protocols": protocols }))
}

async fn counters(extract::State(state): extract::State<State>) -> Response {
    let form = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, form)], metrics::text(&state.shared)).into_response()
}

/// Asks the emulator to stop, if the caller has the token of this run.
async fn shutdown(extract::State(state): extract::State<State>, headers: HeaderMap) -> Response {
    if !state.admits(&headers) {
        return without_token();
    }
    state.stop_requested.cancel();
    json_response(StatusCode::ACCEPTED, &json!({ "status": "stopping" }))
}

/// How far the clock shall go.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    milliseconds: u64,
}

/// Moves a manual clock on, if the caller has the token of this run, and says what time it is then.
async fn advance(
    extract::State(state): extract::State<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !state.admits(&headers) {
        return without_token();
    }
    let Ok(asked) = serde_json::from_slice::<Advance>(&body) else {
        let why =
            "the body must be {\"milliseconds\": N}, with a whole number that is not negative";
        return failure(StatusCode::BAD_REQUEST, why);
    };
    match state
        .shared
        .advance(Duration::from_millis(asked.milliseconds))
    {
        Ok(now) => json_response(StatusCode::OK, &json!({ "now": date(now).to_string() })),
        Err(error @ AdvanceError::NotManual) => failure(StatusCode::CONFLICT, &error.to_string()),
        Err(error @ AdvanceError::TooFar) => failure(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

impl State {
    fn admits(&self, headers: &HeaderMap) -> bool {
        headers
            .get(Token::HEADER)
            .is_some_and(|shown| self.token.is(shown.as_bytes()))
    }
}

fn without_token() -> Response {
    let why = format!("the header {} must carry this run's token", Token::HEADER);
    failure(StatusCode::FORBIDDEN, &why)
}

fn failure(status: StatusCode, why: &str) -> Response {
    json_response(status, &json!({ "error": why }))
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        format!("{body}\n"),
    )
        .into_response()
}
