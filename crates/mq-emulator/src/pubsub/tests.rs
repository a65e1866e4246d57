//! Both wire forms through the router, as bytes.

mod fuzz;
mod garbage;
mod grpc;
mod messages;
mod rest;

use std::sync::Arc;

use axum::Router;
use axum::body::{self, Body};
use http::{Method, Request, StatusCode};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tower::ServiceExt;

use super::{Scope, router};
use crate::quirks::Quirks;
use crate::shared::Shared;

const ANSWER_BYTES_MAX: usize = 1024 * 1024;

fn service() -> Router {
    router(
        Arc::new(Shared::new(Quirks::default(), 1)),
        Scope {
            project_number: 4711,
        },
        CancellationToken::new(),
    )
}

async fn send(
    router: &Router,
    method: &str,
    uri: &str,
    body: impl Into<Body>,
) -> (StatusCode, Value) {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .body(body.into())
        .unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    assert_eq!(
        answer.headers()["content-type"],
        "application/json; charset=UTF-8"
    );
    let status = answer.status();
    let bytes = body::to_bytes(answer.into_body(), ANSWER_BYTES_MAX)
        .await
        .unwrap();
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    if !status.is_success() {
        assert_eq!(value["error"]["code"], status.as_u16(), "{value}");
        assert!(value["error"]["message"].is_string(), "{value}");
    }
    (status, value)
}

async fn call(router: &Router, method: &str, uri: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() {
        Body::empty()
    } else {
        Body::from(body.to_string())
    };
    let (status, value) = send(router, method, uri, body).await;
    (status.as_u16(), value)
}

/// One gRPC call of these bytes: the answer's message, or the status.
async fn unary(router: &Router, path: &str, message: &[u8]) -> Result<Vec<u8>, Status> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let frame = [&[0][..], &length, message].concat();
    let request = Request::post(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::from(frame))
        .unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "application/grpc");
    if let Some(status) = Status::from_header_map(answer.headers()) {
        return Err(status);
    }
    let collected = http_body_util::BodyExt::collect(answer.into_body())
        .await
        .unwrap();
    let status = collected
        .trailers()
        .and_then(Status::from_header_map)
        .unwrap();
    match status.code() {
        Code::Ok => Ok(collected.to_bytes()[5..].to_vec()),
        _ => Err(status),
    }
}
