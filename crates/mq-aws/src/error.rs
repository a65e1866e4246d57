//! What a failed call means for a run: one table from the service's codes, never from its texts.

use std::error::Error as StdError;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::RequestId;
use mq_core::{Effect, Error, ErrorKind, Retry};

use crate::config::Clients;

/// What one code means.
struct Row {
    /// The code in its spellings: of the JSON protocol, of the query protocol (which the service
    /// sends along), and of its common errors.
    codes: &'static [&'static str],
    kind: ErrorKind,
    retry: Retry,
    effect: Effect,
}

const fn row(codes: &'static [&'static str], kind: ErrorKind) -> Row {
    Row {
        codes,
        kind,
        retry: Retry::Never,
        effect: Effect::None,
    }
}

const fn again(codes: &'static [&'static str], kind: ErrorKind, effect: Effect) -> Row {
    Row {
        codes,
        kind,
        retry: Retry::After(None),
        effect,
    }
}

impl Row {
    /// With the wait that the answer asks for.
    fn retry(&self, raw: &HttpResponse) -> Retry {
        match self.retry {
            Retry::After(_) => Retry::After(asked_wait(raw)),
            other => other,
        }
    }
}

/// How often a name that the service still keeps is tried. It keeps one for 60 seconds, and a
/// little more.
const NAME_KEPT: Retry = Retry::Poll {
    every: Duration::from_secs(5),
    within: Duration::from_secs(75),
};

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html> and
/// the pages of the actions. Prefixes (`AWS.SimpleQueueService.`, `com.amazonaws.sqs#`) are gone
/// when a code comes here.
static TABLE: &[Row] = &[
    row(
        &["NonExistentQueue", "QueueDoesNotExist", "InvalidAddress"],
        ErrorKind::NotFound,
    ),
    row(
        &["QueueAlreadyExists", "QueueNameExists"],
        ErrorKind::AlreadyExists,
    ),
    Row {
        codes: &["QueueDeletedRecently"],
        kind: ErrorKind::Conflict,
        retry: NAME_KEPT,
        effect: Effect::None,
    },
    row(
        &[
            "InvalidAttributeName",
            "InvalidAttributeValue",
            "InvalidParameterValue",
            "InvalidParameterValueException",
            "InvalidParameterCombination",
            "MissingParameter",
            "MissingRequiredParameterException",
            "ValidationError",
            "ValidationException",
            "KmsDisabled",
            "KmsInvalidKeyUsage",
            "KmsInvalidState",
            "KmsNotFound",
        ],
        ErrorKind::SpecInvalid,
    ),
    row(
        &[
            "UnsupportedOperation",
            "InvalidAction",
            "UnknownOperationException",
        ],
        ErrorKind::Unsupported,
    ),
    row(&["InvalidSecurity"], ErrorKind::ConfigInvalid),
    row(
        &[
            "AccessDenied",
            "AccessDeniedException",
            "KmsAccessDenied",
            "KmsOptInRequired",
            "OptInRequired",
            "NotAuthorized",
        ],
        ErrorKind::PermissionDenied,
    ),
    row(
        &[
            "AuthFailure",
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignature",
            "IncompleteSignatureException",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "RequestExpired",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ],
        ErrorKind::Unauthenticated,
    ),
    again(
        &[
            "KmsThrottled",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "SlowDown",
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "TooManyRequestsException",
        ],
        ErrorKind::RateLimited,
        Effect::None,
    ),
    row(&["OverLimit"], ErrorKind::QuotaExceeded),
    again(
        &[
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "ServiceUnavailable",
            "ServiceUnavailableException",
        ],
        ErrorKind::Unavailable,
        Effect::Unknown,
    ),
];

/// For an answer whose code is not in the table: its HTTP status decides.
fn by_status(status: u16) -> Row {
    match status {
        401 => row(&[], ErrorKind::Unauthenticated),
        403 => row(&[], ErrorKind::PermissionDenied),
        429 => again(&[], ErrorKind::RateLimited, Effect::None),
        500.. => again(&[], ErrorKind::Unavailable, Effect::Unknown),
        400..500 => row(&[], ErrorKind::Unexpected),
        _ => Row {
            effect: Effect::Unknown,
            ..row(&[], ErrorKind::Unexpected)
        },
    }
}

/// A code without the name of its service: `AWS.SimpleQueueService.NonExistentQueue`,
/// `com.amazonaws.sqs#QueueDoesNotExist`.
fn bare(code: &str) -> &str {
    let code = code.rsplit('#').next().unwrap_or(code);
    code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code)
}

/// A call that was made, for the words of its failure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    operation: &'static str,
    queue: Option<&'a str>,
    region: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// A call on the queue of this name.
    pub(crate) fn on_queue(operation: &'static str, queue: &'a str, clients: &'a Clients) -> Self {
        Call {
            operation,
            queue: Some(queue),
            region: clients.region.as_deref(),
        }
    }

    /// A call on no queue in particular.
    pub(crate) fn on_account(operation: &'static str, clients: &'a Clients) -> Self {
        Call {
            operation,
            queue: None,
            region: clients.region.as_deref(),
        }
    }

    /// What its failure means.
    pub(crate) fn failed<E>(self, error: SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let request_id = error.request_id().map(str::to_owned);
        let failure = match &error {
            SdkError::ServiceError(answer) => self.answered(answer.err(), answer.raw()),
            SdkError::ResponseError(answer) => garbled(answer.raw()),
            SdkError::TimeoutError(_) => no_answer(),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                unreachable_or(&error, no_answer)
            }
            SdkError::DispatchFailure(_) => undelivered(&error),
            // Before anything was sent; or a kind of failure that the SDK did not have so far.
            _ => find::<CredentialsError>(&error).map_or_else(
                || {
                    Error::new(
                        ErrorKind::Unexpected,
                        format!("the call cannot be made: {}", innermost(&error)),
                    )
                },
                without_credentials,
            ),
        };
        let mut failure = failure.with_operation(self.operation);
        if let Some(queue) = self.queue {
            failure = failure.with_context("queue", queue);
        }
        if let Some(region) = self.region {
            failure = failure.with_context("region", region);
        }
        if let Some(id) = request_id {
            failure = failure.with_context("request", id);
        }
        failure
    }

    fn answered(self, answer: &impl ProvideErrorMetadata, raw: &HttpResponse) -> Error {
        let status = raw.status().as_u16();
        let Some(code) = answer.code().map(bare).filter(|code| !code.is_empty()) else {
            return garbled(raw);
        };
        let fallback = by_status(status);
        let row = TABLE
            .iter()
            .find(|row| row.codes.contains(&code))
            .unwrap_or(&fallback);
        let error = Error::new(row.kind, self.message(row.kind, code, answer.message()))
            .with_retry(row.retry(raw))
            .with_effect(row.effect);
        match self.hint(row.kind, code) {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    fn message(self, kind: ErrorKind, code: &str, said: Option<&str>) -> String {
        match kind {
            // The service repeats the signed headers here, a session token among them.
            ErrorKind::Unauthenticated => {
                format!("the service does not take the credentials ({code})")
            }
            ErrorKind::NotFound => format!(
                "the queue does not exist in this region, or the credentials may not see it ({code})"
            ),
            ErrorKind::Conflict => {
                "AWS keeps the name of a deleted queue for 60 seconds".to_owned()
            }
            _ => match said {
                Some(said) if !said.trim().is_empty() => format!("{code}: {}", excerpt(said)),
                _ => code.to_owned(),
            },
        }
    }

    fn hint(self, kind: ErrorKind, code: &str) -> Option<String> {
        match (kind, code) {
            (ErrorKind::PermissionDenied, "KmsAccessDenied") => Some(
                "allow the credentials kms:GenerateDataKey and kms:Decrypt on the queue's key"
                    .to_owned(),
            ),
            (ErrorKind::PermissionDenied, _) => Some(self.permission()),
            (
                ErrorKind::Unauthenticated,
                "ExpiredToken" | "ExpiredTokenException" | "RequestExpired",
            ) => Some(
                "sign in again (`aws sso login`), or renew the session's credentials".to_owned(),
            ),
            (ErrorKind::Unauthenticated, _) => Some(CHAIN.to_owned()),
            (ErrorKind::Conflict, _) => Some(
                "wait, or give the queue another name under `names` or in the stage's template"
                    .to_owned(),
            ),
            (
                ErrorKind::SpecInvalid,
                "KmsNotFound" | "KmsDisabled" | "KmsInvalidKeyUsage" | "KmsInvalidState",
            ) => Some(
                "state a symmetric, enabled KMS key of this region as `encryption.key`".to_owned(),
            ),
            _ => None,
        }
    }

    /// The action that the credentials lack.
    fn permission(self) -> String {
        let also = match self.operation {
            // Tags at creation are a right of their own.
            "CreateQueue" => " and sqs:TagQueue",
            _ => "",
        };
        let service = match self.operation {
            "GetCallerIdentity" => "sts",
            _ => "sqs",
        };
        let on = self
            .queue
            .map(|queue| format!(" on the queue \"{queue}\""))
            .unwrap_or_default();
        format!(
            "allow the credentials {service}:{}{also}{on}; docs/backends/aws.md has a whole policy",
            self.operation
        )
    }
}

/// Where the vendor's SDK looks for credentials.
const CHAIN: &str = "sign in (`aws sso login`), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and \
                     AWS_SECRET_ACCESS_KEY; the AWS SDK looks in the environment, the shared \
                     config and credentials files (SSO and roles included), a web identity \
                     token, and the container's and the instance's role, in this order";

/// An answer that is none of the service's: a proxy's page, or another server's.
fn garbled(raw: &HttpResponse) -> Error {
    let status = raw.status().as_u16();
    let row = by_status(status);
    Error::new(
        row.kind,
        format!("the answer (HTTP {status}) is not one of this service; is the endpoint right?"),
    )
    .with_retry(row.retry(raw))
    .with_effect(row.effect)
}

fn no_answer() -> Error {
    Error::new(ErrorKind::Unavailable, "the service did not answer in time")
        .with_retry(Retry::After(None))
        .with_effect(Effect::Unknown)
}

/// A call that got no answer: it may not have been sent at all.
fn undelivered(error: &(dyn StdError + 'static)) -> Error {
    if let Some(cause) = find::<CredentialsError>(error) {
        return without_credentials(cause);
    }
    unreachable_or(error, || {
        Error::new(
            ErrorKind::Unavailable,
            format!("the connection was lost: {}", innermost(error)),
        )
        .with_retry(Retry::After(None))
        .with_effect(Effect::Unknown)
    })
}

/// A failure to connect, and so without effect; or else this.
fn unreachable_or(error: &(dyn StdError + 'static), otherwise: impl Fn() -> Error) -> Error {
    let connecting = find::<hyper_util::client::legacy::Error>(error)
        .is_some_and(hyper_util::client::legacy::Error::is_connect);
    if !connecting {
        return otherwise();
    }
    Error::new(
        ErrorKind::Unavailable,
        format!("the service cannot be reached: {}", innermost(error)),
    )
    .with_retry(Retry::After(None))
}

fn without_credentials(cause: &CredentialsError) -> Error {
    let message = match cause {
        CredentialsError::CredentialsNotLoaded(_) => "no AWS credentials were found".to_owned(),
        CredentialsError::ProviderTimedOut(_) => {
            "the source of the AWS credentials did not answer in time".to_owned()
        }
        other => format!("the AWS credentials cannot be loaded: {}", innermost(other)),
    };
    Error::new(ErrorKind::Unauthenticated, message).with_hint(CHAIN)
}

/// The least wait that the service asks for, where it does.
fn asked_wait(raw: &HttpResponse) -> Option<Duration> {
    let seconds = raw.headers().get("retry-after")?.parse().ok()?;
    /// More than any retry budget.
    const WAIT_MAX: u64 = 300;
    Some(Duration::from_secs(u64::min(seconds, WAIT_MAX)))
}

fn sources<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error: &&'a (dyn StdError + 'static)| {
        error.source()
    })
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    sources(error).find_map(|error| error.downcast_ref())
}

/// The cause of all causes, which says what the ones above it only wrap.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    sources(error)
        .last()
        .map(|cause| excerpt(&cause.to_string()))
        .unwrap_or_default()
}

/// The start of a text that was not written here.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 400;
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
