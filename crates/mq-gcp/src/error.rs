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

pub(crate) fn unauthenticated(call: Call<'_>) -> Error {
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
