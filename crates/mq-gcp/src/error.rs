//! One table from what Google answers to [`Error`]: by code, never by the text of a message.

use std::time::Duration;

use google_cloud_auth::errors::CredentialsError;
use google_cloud_gax::error::Error as SdkError;
use google_cloud_gax::error::rpc::{Code, Status, StatusDetails};
use mq_core::error::{Effect, Error, ErrorKind, Retry};

/// What a call was, for the words of its failure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The service's name for it: `CreateTopic`.
    pub(crate) operation: &'static str,
    /// The permission that it needs: `pubsub.topics.create`.
    pub(crate) permission: &'static str,
    /// The full name of what it was made on.
    pub(crate) on: &'a str,
}

const AGAIN: Retry = Retry::After(None);

/// Kind, retry and effect of each status code.
///
/// A code that the service also gives when it broke down in the middle of a call leaves open
/// whether the call was made. All of this backend's calls may be made twice.
fn table(code: Code) -> (ErrorKind, Retry, Effect) {
    match code {
        Code::NotFound => (ErrorKind::NotFound, Retry::Never, Effect::None),
        Code::AlreadyExists => (ErrorKind::AlreadyExists, Retry::Never, Effect::None),
        Code::InvalidArgument | Code::OutOfRange => {
            (ErrorKind::SpecInvalid, Retry::Never, Effect::None)
        }
        // A detached subscription, a key that is gone, a region that a policy forbids.
        Code::FailedPrecondition => (ErrorKind::Conflict, Retry::Never, Effect::None),
        Code::Aborted => (ErrorKind::Conflict, AGAIN, Effect::None),
        Code::Unauthenticated => (ErrorKind::Unauthenticated, Retry::Never, Effect::None),
        Code::PermissionDenied => (ErrorKind::PermissionDenied, Retry::Never, Effect::None),
        Code::ResourceExhausted => (ErrorKind::RateLimited, AGAIN, Effect::None),
        Code::Unimplemented => (ErrorKind::Unsupported, Retry::Never, Effect::None),
        Code::Unavailable | Code::Internal | Code::Unknown | Code::Cancelled => {
            (ErrorKind::Unavailable, AGAIN, Effect::Unknown)
        }
        Code::DeadlineExceeded => (ErrorKind::TimedOut, AGAIN, Effect::Unknown),
        _ => (ErrorKind::Unexpected, Retry::Never, Effect::Unknown),
    }
}

/// The same for an answer that has an HTTP code and none of Google's error documents: a proxy's,
/// or a front door's. A 404 of that sort says nothing of the resource.
fn table_http(code: u16) -> (ErrorKind, Retry, Effect) {
    match code {
        401 => (ErrorKind::Unauthenticated, Retry::Never, Effect::None),
        403 => (ErrorKind::PermissionDenied, Retry::Never, Effect::None),
        429 => (ErrorKind::RateLimited, AGAIN, Effect::None),
        500 | 502 | 503 | 504 => (ErrorKind::Unavailable, AGAIN, Effect::Unknown),
        _ => (ErrorKind::Unexpected, Retry::Never, Effect::Unknown),
    }
}

/// A failure of a call through the SDK.
pub(crate) fn from_sdk(error: SdkError, call: Call<'_>) -> Error {
    let translated = if let Some(status) = error.status() {
        from_status(status, call).with_retry_after(retry_after(error.http_headers()))
    } else if let Some(code) = error.http_status_code() {
        from_http(code, call).with_retry_after(retry_after(error.http_headers()))
    } else {
        from_transport(&error, call)
    };
    translated.with_source(error)
}

/// A failure that Google's error document describes.
pub(crate) fn from_status(status: &Status, call: Call<'_>) -> Error {
    let (kind, retry, effect) = table(status.code);
    let reason = Reason::of(status);
    let message = match kind {
        ErrorKind::NotFound => format!("`{}` is not there", call.on),
        ErrorKind::AlreadyExists => format!("`{}` is there already", call.on),
        ErrorKind::PermissionDenied => return denied(&reason, call),
        ErrorKind::Unauthenticated => return unauthenticated(call),
        _ => format!("{}{}", opening(kind), said(&status.message)),
    };
    let error = named(kind, message, call)
        .with_retry(retry)
        .with_effect(effect);
    error.with_retry_after(reason.retry_delay)
}

fn from_http(code: u16, call: Call<'_>) -> Error {
    let (kind, retry, effect) = table_http(code);
    match kind {
        ErrorKind::PermissionDenied => denied(&Reason::default(), call),
        ErrorKind::Unauthenticated => unauthenticated(call),
        _ => named(
            kind,
            format!(
                "{}HTTP status {code} without an error document of Google's",
                opening(kind)
            ),
            call,
        )
        .with_retry(retry)
        .with_effect(effect),
    }
}

fn from_transport(error: &SdkError, call: Call<'_>) -> Error {
    if error.is_authentication() {
        let transient = std::error::Error::source(error)
            .and_then(|source| source.downcast_ref::<CredentialsError>())
            .is_some_and(CredentialsError::is_transient);
        return without_token(transient, call);
    }
    if error.is_connect() {
        return named(ErrorKind::Unavailable, "no connection could be made", call)
            .with_retry(AGAIN);
    }
    if error.is_timeout() {
        return named(ErrorKind::TimedOut, "no answer came in time", call)
            .with_retry(AGAIN)
            .with_effect(Effect::Unknown);
    }
    if error.is_io() {
        return named(
            ErrorKind::Unavailable,
            "the connection broke before the whole answer came",
            call,
        )
        .with_retry(AGAIN)
        .with_effect(Effect::Unknown);
    }
    if error.is_binding() || error.is_serialization() {
        return named(
            ErrorKind::SpecInvalid,
            format!("`{}` is no name that the API can be asked for", call.on),
            call,
        );
    }
    named(
        ErrorKind::Unexpected,
        "the answer is not one that the API is documented to give",
        call,
    )
    .with_effect(Effect::Unknown)
}

/// A failure to get a token for a call.
pub(crate) fn from_credentials(error: CredentialsError, call: Call<'_>) -> Error {
    without_token(error.is_transient(), call).with_source(error)
}

fn without_token(transient: bool, call: Call<'_>) -> Error {
    if transient {
        named(
            ErrorKind::Unavailable,
            "no token could be fetched: the token service cannot be reached",
            call,
        )
        .with_retry(AGAIN)
    } else {
        unauthenticated(call)
    }
}

/// Whether a call failed for nothing but a permission that these credentials lack: they are
/// known, and the API is switched on.
pub(crate) fn lacks_permission(error: &SdkError) -> bool {
    error.status().is_some_and(|status| {
        status.code == Code::PermissionDenied && !Reason::of(status).service_disabled
    })
}

/// A failure of a call through our own HTTP client.
pub(crate) fn from_reqwest(error: reqwest::Error, call: Call<'_>) -> Error {
    let translated = if error.is_connect() {
        named(ErrorKind::Unavailable, "no connection could be made", call).with_retry(AGAIN)
    } else if error.is_timeout() {
        named(ErrorKind::TimedOut, "no answer came in time", call).with_retry(AGAIN)
    } else if error.is_decode() {
        garbage(call)
    } else {
        named(
            ErrorKind::Unavailable,
            "the connection broke before the whole answer came",
            call,
        )
        .with_retry(AGAIN)
    };
    // The address may hold nothing secret, but is said already.
    translated.with_source(error.without_url())
}

/// An answer to our own HTTP client that is no success.
pub(crate) fn from_answer(code: u16, body: &bytes::Bytes, call: Call<'_>) -> Error {
    match Status::try_from(body) {
        Ok(status) => from_status(&status, call),
        Err(_) => from_http(code, call),
    }
}

/// An answer that cannot be read.
pub(crate) fn garbage(call: Call<'_>) -> Error {
    named(
        ErrorKind::Unexpected,
        "the answer is not one that the API is documented to give",
        call,
    )
}

fn unauthenticated(call: Call<'_>) -> Error {
    named(
        ErrorKind::Unauthenticated,
        "there are no Google credentials, or Google does not accept them",
        call,
    )
    .with_hint(
        "run `gcloud auth application-default login`, or point GOOGLE_APPLICATION_CREDENTIALS at a credentials file",
    )
}

fn denied(reason: &Reason, call: Call<'_>) -> Error {
    if reason.service_disabled {
        let project = project_of(call.on);
        return named(
            ErrorKind::PermissionDenied,
            format!("the API is not enabled in the project `{project}`"),
            call,
        )
        .with_hint(format!(
            "run `gcloud services enable pubsub.googleapis.com cloudresourcemanager.googleapis.com --project={project}`"
        ));
    }
    let permission = reason.permission.as_deref().unwrap_or(call.permission);
    let error = named(
        ErrorKind::PermissionDenied,
        format!("these credentials lack `{permission}` on `{}`", call.on),
        call,
    );
    match role_with(permission) {
        Some(role) => error.with_hint(format!(
            "grant a role that has it, such as `{role}`: docs/permissions.md has the least that each command needs"
        )),
        None => error,
    }
}

/// A predefined role that holds a permission. `roles/pubsub.editor` sets no policies.
fn role_with(permission: &str) -> Option<&'static str> {
    if permission.ends_with("IamPolicy") {
        Some("roles/pubsub.admin")
    } else if permission.starts_with("pubsub.") {
        Some("roles/pubsub.editor")
    } else if permission == "resourcemanager.projects.get" {
        Some("roles/browser")
    } else {
        None
    }
}

fn named(kind: ErrorKind, message: impl Into<String>, call: Call<'_>) -> Error {
    let error = Error::new(kind, message).with_operation(call.operation);
    let says_where = matches!(
        kind,
        ErrorKind::NotFound | ErrorKind::AlreadyExists | ErrorKind::PermissionDenied
    );
    if says_where || call.on.is_empty() {
        error
    } else {
        error.with_context("resource", call.on)
    }
}

fn project_of(name: &str) -> &str {
    name.strip_prefix("projects/")
        .and_then(|rest| rest.split('/').next())
        .unwrap_or(name)
}

fn opening(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::SpecInvalid => "the service refuses the request: ",
        ErrorKind::Conflict => "the resource's state forbids it: ",
        ErrorKind::RateLimited => "a quota is used up: ",
        ErrorKind::Unsupported => "not implemented there: ",
        ErrorKind::Unavailable => "the service is out of order: ",
        ErrorKind::TimedOut => "the service took too long: ",
        _ => "not an answer that is documented: ",
    }
}

/// The service's own words, bounded and on one line.
fn said(message: &str) -> String {
    const LONGEST: usize = 300;
    let line: String = message
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(LONGEST)
        .collect();
    if line.trim().is_empty() {
        "it gives no reason".to_owned()
    } else {
        line.trim().to_owned()
    }
}

/// What the details of an error document add to its code.
#[derive(Debug, Default)]
struct Reason {
    permission: Option<String>,
    service_disabled: bool,
    retry_delay: Option<Duration>,
}

impl Reason {
    fn of(status: &Status) -> Self {
        let mut reason = Reason::default();
        for detail in &status.details {
            match detail {
                StatusDetails::ErrorInfo(info) => {
                    reason.service_disabled |= info.reason == "SERVICE_DISABLED";
                    if let Some(permission) = info.metadata.get("permission") {
                        reason.permission = Some(permission.clone());
                    }
                }
                StatusDetails::RetryInfo(info) => {
                    reason.retry_delay = info
                        .retry_delay
                        .and_then(|delay| Duration::try_from(delay).ok());
                }
                _ => {}
            }
        }
        reason
    }
}

fn retry_after(headers: Option<&reqwest::header::HeaderMap>) -> Option<Duration> {
    let value = headers?.get(reqwest::header::RETRY_AFTER)?;
    value.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

trait RetryAfter {
    fn with_retry_after(self, least: Option<Duration>) -> Self;
}

impl RetryAfter for Error {
    /// Honours the service's wish where the call is tried again at all.
    fn with_retry_after(self, least: Option<Duration>) -> Self {
        match (self.retry(), least) {
            (Retry::After(known), Some(_)) => self.with_retry(Retry::After(known.max(least))),
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use google_cloud_gax::error::rpc::Status;
    use serde_json::json;

    use super::*;

    const CALL: Call<'static> = Call {
        operation: "CreateTopic",
        permission: "pubsub.topics.create",
        on: "projects/acme/topics/orders",
    };

    fn document(code: u16, status: &str, details: serde_json::Value) -> bytes::Bytes {
        let document = json!({"error": {
            "code": code, "status": status, "message": "it said\nthis", "details": details,
        }});
        document.to_string().into()
    }

    fn answered(code: u16, status: &str, details: serde_json::Value) -> Error {
        from_answer(code, &document(code, status, details), CALL)
    }

    #[test]
    fn each_code_has_its_kind_retry_and_effect() {
        use {Effect as E, ErrorKind as K, Retry as R};
        for (code, status, kind, retry, effect) in [
            (400, "INVALID_ARGUMENT", K::SpecInvalid, R::Never, E::None),
            (400, "FAILED_PRECONDITION", K::Conflict, R::Never, E::None),
            (400, "OUT_OF_RANGE", K::SpecInvalid, R::Never, E::None),
            (
                401,
                "UNAUTHENTICATED",
                K::Unauthenticated,
                R::Never,
                E::None,
            ),
            (
                403,
                "PERMISSION_DENIED",
                K::PermissionDenied,
                R::Never,
                E::None,
            ),
            (404, "NOT_FOUND", K::NotFound, R::Never, E::None),
            (409, "ALREADY_EXISTS", K::AlreadyExists, R::Never, E::None),
            (409, "ABORTED", K::Conflict, AGAIN, E::None),
            (429, "RESOURCE_EXHAUSTED", K::RateLimited, AGAIN, E::None),
            (499, "CANCELLED", K::Unavailable, AGAIN, E::Unknown),
            (500, "INTERNAL", K::Unavailable, AGAIN, E::Unknown),
            (500, "UNKNOWN", K::Unavailable, AGAIN, E::Unknown),
            (500, "DATA_LOSS", K::Unexpected, R::Never, E::Unknown),
            (501, "UNIMPLEMENTED", K::Unsupported, R::Never, E::None),
            (503, "UNAVAILABLE", K::Unavailable, AGAIN, E::Unknown),
            (504, "DEADLINE_EXCEEDED", K::TimedOut, AGAIN, E::Unknown),
        ] {
            let error = answered(code, status, json!([]));
            assert_eq!(error.kind(), kind, "{status}");
            assert_eq!(error.retry(), retry, "{status}");
            assert_eq!(error.effect(), effect, "{status}");
            assert_eq!(error.operation(), "CreateTopic", "{status}");
            let line = error.to_string();
            assert!(!line.contains('\n') && line.contains("acme"), "{line}");
        }
    }

    #[test]
    fn an_answer_that_is_not_googles_says_nothing_of_the_resource() {
        use {Effect as E, ErrorKind as K, Retry as R};
        for (code, kind, retry, effect) in [
            (401, K::Unauthenticated, R::Never, E::None),
            (403, K::PermissionDenied, R::Never, E::None),
            (404, K::Unexpected, R::Never, E::Unknown),
            (418, K::Unexpected, R::Never, E::Unknown),
            (429, K::RateLimited, AGAIN, E::None),
            (500, K::Unavailable, AGAIN, E::Unknown),
            (502, K::Unavailable, AGAIN, E::Unknown),
            (503, K::Unavailable, AGAIN, E::Unknown),
            (504, K::Unavailable, AGAIN, E::Unknown),
        ] {
            let error = from_answer(code, &"<html>no</html>".into(), CALL);
            assert_eq!(error.kind(), kind, "{code}");
            assert_eq!(error.retry(), retry, "{code}");
            assert_eq!(error.effect(), effect, "{code}");
        }
    }

    #[test]
    fn a_denial_names_the_permission_and_a_role_that_has_it() {
        let plain = answered(403, "PERMISSION_DENIED", json!([]));
        assert!(
            plain.message().contains("`pubsub.topics.create`"),
            "{plain}"
        );
        assert!(
            plain
                .hint()
                .expect("a hint")
                .contains("roles/pubsub.editor")
        );
        let named = answered(
            403,
            "PERMISSION_DENIED",
            json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "IAM_PERMISSION_DENIED",
                "domain": "googleapis.com",
                "metadata": {"permission": "pubsub.topics.setIamPolicy"},
            }]),
        );
        assert!(
            named.message().contains("`pubsub.topics.setIamPolicy`"),
            "{named}"
        );
        assert!(named.hint().expect("a hint").contains("roles/pubsub.admin"));
    }

    #[test]
    fn an_api_that_is_off_is_told_from_a_missing_right() {
        let details = json!([{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "SERVICE_DISABLED",
            "domain": "googleapis.com",
            "metadata": {"service": "pubsub.googleapis.com"},
        }]);
        let off = answered(403, "PERMISSION_DENIED", details.clone());
        assert!(
            off.hint()
                .expect("a hint")
                .contains("gcloud services enable"),
            "{off:?}"
        );
        let sdk = |details| {
            let body = document(403, "PERMISSION_DENIED", details);
            SdkError::service(Status::try_from(&body).expect("a document"))
        };
        assert!(!lacks_permission(&sdk(details)));
        assert!(lacks_permission(&sdk(json!([]))));
    }

    #[test]
    fn the_services_wish_to_wait_is_honoured() {
        let error = answered(
            429,
            "RESOURCE_EXHAUSTED",
            json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}]),
        );
        assert_eq!(error.retry(), Retry::After(Some(Duration::from_secs(7))));
        let never = answered(
            404,
            "NOT_FOUND",
            json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}]),
        );
        assert_eq!(never.retry(), Retry::Never);
    }

    #[test]
    fn a_long_message_is_cut() {
        assert_eq!(said(&"x".repeat(10_000)).len(), 300);
        assert_eq!(said(" \u{7} "), "it gives no reason");
    }
}
