//! How the service says no: one [`Status`], sent as gRPC trailers or as Google's JSON.
//!
//! Codes and their HTTP numbers are those of
//! <https://cloud.google.com/pubsub/docs/reference/error-codes>.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use mq_engine::{Denied, Refusal};
use serde_json::{Value, json};
use tonic::{Code, Status};

use super::exactly_once;

/// The longest part of a request that a message repeats: a status message travels in a header.
const SHOWN_CHARS_MAX: usize = 200;

/// What the engine refused, about the resource of this full name.
pub(super) fn refused(refusal: Refusal, resource: &str) -> Status {
    match refusal {
        Refusal::Exists(_) => already_exists(resource),
        Refusal::NotFound => not_found(resource),
        Refusal::Changed(_) => Status::aborted(
            "There were concurrent changes. Retry the whole read-modify-write with exponential backoff.",
        ),
        Refusal::Dangling(id) => not_found(&id.name),
    }
}

/// What the engine did not do, about the resource of this full name.
pub(super) fn denied(why: &Denied, resource: &str) -> Status {
    match why {
        Denied::NotFound | Denied::NoSnapshot => not_found(resource),
        Denied::MemoryFull { .. } | Denied::EntityFull { .. } => {
            Status::resource_exhausted(format!("mq's emulator keeps no more messages: {why}."))
        }
        Denied::SnapshotExists => already_exists(resource),
        Denied::ForeignSnapshot => Status::invalid_argument(
            "The snapshot is of another topic than the one that the subscription is attached to.",
        ),
        other => Status::internal(format!("The engine refused: {other}.")),
    }
}

/// The emulator stops. Clients come back with what they were doing.
pub(super) fn ending() -> Status {
    Status::unavailable("The server is shutting down.")
}

/// A resource of this name is there.
pub(super) fn already_exists(resource: &str) -> Status {
    Status::already_exists(format!(
        "Resource already exists in the project (resource={}).",
        shown(short(resource))
    ))
}

/// The resource of this name is not there.
pub(super) fn not_found(resource: &str) -> Status {
    Status::not_found(format!(
        "Resource not found (resource={}).",
        shown(short(resource))
    ))
}

/// A part of the service that the emulator does not have.
pub(super) fn unimplemented(what: &str) -> Status {
    Status::unimplemented(format!(
        "mq's Pub/Sub emulator does not implement {}.",
        shown(what)
    ))
}

/// As much of the caller's text as a message may repeat.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The status as Google's REST services send it.
pub(super) fn to_rest(status: &Status) -> Response {
    let number = http_number(status.code());
    let mut body = json!({
        "error": { "code": number.as_u16(), "message": status.message(), "status": name(status.code()) }
    });
    let details = exactly_once::details(status);
    if !details.is_empty() {
        body["error"]["details"] = Value::from(details);
    }
    respond(number, &body)
}

/// The status as gRPC trailers.
pub(super) fn to_grpc(status: Status) -> Response {
    status.into_http()
}

/// A JSON answer of the service.
pub(super) fn respond(number: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = number;
    let json = HeaderValue::from_static("application/json; charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn http_number(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => {
            StatusCode::BAD_REQUEST
        }
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        Code::Internal | Code::Unknown | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The service's messages name a resource by its last segment.
fn short(resource: &str) -> &str {
    resource.rsplit('/').next().unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let long = "é".repeat(SHOWN_CHARS_MAX + 1);
        assert_eq!(shown(&long).chars().count(), SHOWN_CHARS_MAX + 1);
        assert!(shown(&long).ends_with('…'));
        assert_eq!(
            shown(&"é".repeat(SHOWN_CHARS_MAX)),
            "é".repeat(SHOWN_CHARS_MAX)
        );
    }

    #[test]
    fn every_code_has_google_s_http_number() {
        for (code, number, word) in [
            (Code::InvalidArgument, 400, "INVALID_ARGUMENT"),
            (Code::FailedPrecondition, 400, "FAILED_PRECONDITION"),
            (Code::NotFound, 404, "NOT_FOUND"),
            (Code::AlreadyExists, 409, "ALREADY_EXISTS"),
            (Code::Aborted, 409, "ABORTED"),
            (Code::ResourceExhausted, 429, "RESOURCE_EXHAUSTED"),
            (Code::Cancelled, 499, "CANCELLED"),
            (Code::Internal, 500, "INTERNAL"),
            (Code::Unimplemented, 501, "UNIMPLEMENTED"),
            (Code::Unavailable, 503, "UNAVAILABLE"),
            (Code::DeadlineExceeded, 504, "DEADLINE_EXCEEDED"),
        ] {
            assert_eq!(http_number(code).as_u16(), number);
            assert_eq!(name(code), word);
        }
    }
}
