//! From what Service Bus answers to one [`Error`]: one table over the HTTP status and the sub code.
//!
//! Sources: <https://learn.microsoft.com/azure/service-bus-messaging/service-bus-resource-manager-exceptions>
//! and <https://learn.microsoft.com/azure/service-bus-messaging/service-bus-throttling>. No text
//! is ever looked at but the sub code's own place at the start of the detail.

use std::time::Duration;

use mq_core::error::{Effect, Error, ErrorKind, Retry};

use crate::atom;

/// What the service asks for when it says "wait 2 seconds and try again" without a header.
const THROTTLED_WAIT: Duration = Duration::from_secs(2);
/// The longest text of the service that is shown.
const DETAIL_CHARS_MAX: usize = 300;

/// A call of the administration API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    GetNamespace,
    GetQueue,
    ListQueues,
    CreateQueue,
    UpdateQueue,
    DeleteQueue,
}

impl Operation {
    /// Its name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::GetNamespace => "GetNamespaceInfo",
            Operation::GetQueue => "GetQueue",
            Operation::ListQueues => "ListQueues",
            Operation::CreateQueue => "CreateQueue",
            Operation::UpdateQueue => "UpdateQueue",
            Operation::DeleteQueue => "DeleteQueue",
        }
    }

    /// Whether it changes anything.
    pub(crate) fn writes(self) -> bool {
        match self {
            Operation::GetNamespace | Operation::GetQueue | Operation::ListQueues => false,
            Operation::CreateQueue | Operation::UpdateQueue | Operation::DeleteQueue => true,
        }
    }

    /// What is not known after an answer was lost.
    pub(crate) fn lost_effect(self) -> Effect {
        if self.writes() {
            Effect::Unknown
        } else {
            Effect::None
        }
    }
}

/// An answer that is not a success.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused<'a> {
    pub(crate) operation: Operation,
    pub(crate) status: u16,
    /// The `Retry-After` header.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: &'a [u8],
}

/// One row's outcome.
struct Row(ErrorKind, Retry, Effect, &'static str);

/// The table. The sub code is 0 where the service gives none.
fn row(operation: Operation, status: u16, sub_code: u32) -> Row {
    use ErrorKind::{
        AlreadyExists, Conflict, NotFound, PermissionDenied, QuotaExceeded, RateLimited,
        SpecInvalid, TimedOut, Unauthenticated, Unavailable, Unexpected,
    };
    const LATER: Retry = Retry::After(None);
    let lost = operation.lost_effect();
    match (status, sub_code) {
        // "The auto forwarding destination entity does not exist."
        (400, 40400) => Row(
            NotFound,
            Retry::Never,
            Effect::None,
            "the queue to forward to is not there",
        ),
        // "Bad Request": a value out of range, or another value for what is fixed at creation.
        (400, _) => Row(
            SpecInvalid,
            Retry::Never,
            Effect::None,
            "the service refuses the description of the queue",
        ),
        (401, _) => Row(
            Unauthenticated,
            Retry::Never,
            Effect::None,
            "the service does not accept the credentials for administration",
        ),
        // "Quota exceeded": the namespace holds no more queues.
        (403, 40300) => Row(
            QuotaExceeded,
            Retry::Never,
            Effect::None,
            "the namespace's quota is reached",
        ),
        // "Invalid operation": not possible in the entity's state.
        (403, 40301) => Row(
            Conflict,
            Retry::Never,
            Effect::None,
            "the queue's state does not allow this",
        ),
        (403, _) => Row(
            PermissionDenied,
            Retry::Never,
            Effect::None,
            "the credentials lack the right to administer the namespace",
        ),
        (404 | 410, _) => Row(NotFound, Retry::Never, Effect::None, "it is not there"),
        (408, _) => Row(TimedOut, LATER, lost, "the service ran out of time"),
        // "Another conflicting operation is in progress."
        (409, 40901) => Row(
            Conflict,
            LATER,
            Effect::None,
            "another operation on the queue is in progress",
        ),
        // "Conflict": for a plain PUT there is an entity of that name; for the others, which name
        // one that is there, it is the state of the moment.
        (409, _) if operation == Operation::CreateQueue => Row(
            AlreadyExists,
            Retry::Never,
            Effect::None,
            "a queue or topic of that name is there already",
        ),
        (409, _) => Row(
            Conflict,
            LATER,
            Effect::None,
            "another operation on the queue is in progress",
        ),
        (429, 40900 | 40901) => Row(
            Conflict,
            LATER,
            Effect::None,
            "another operation on the queue is in progress",
        ),
        // "The request was terminated because the namespace is being throttled."
        (429 | 503, 50004 | 50009) | (429, _) => Row(
            RateLimited,
            Retry::After(Some(THROTTLED_WAIT)),
            Effect::None,
            "the namespace is being throttled",
        ),
        // "Internal error": a deletion has been seen to work all the same.
        (500 | 502..=504, _) => Row(Unavailable, LATER, lost, "the service is out of order"),
        (300..=399, _) => Row(
            Unexpected,
            Retry::Never,
            Effect::None,
            "the service answers with a redirection, which is not followed",
        ),
        (500.., _) => Row(
            Unexpected,
            Retry::Never,
            lost,
            "the service answers what it never should",
        ),
        _ => Row(
            Unexpected,
            Retry::Never,
            Effect::None,
            "the service answers what it never should",
        ),
    }
}

/// The error for an answer that is not a success.
pub(crate) fn from_answer(refused: &Refused<'_>) -> Error {
    let detail = atom::error_detail(refused.body).map(|text| Detail::parse(&text));
    let sub_code = detail.as_ref().map_or(0, |detail| detail.sub_code);
    let Row(kind, retry, effect, what) = row(refused.operation, refused.status, sub_code);
    let retry = match (retry, refused.retry_after) {
        (Retry::After(least), Some(asked)) => {
            Retry::After(Some(least.unwrap_or_default().max(asked)))
        }
        (retry, _) => retry,
    };
    // Answers about credentials are never quoted: they could echo some.
    let credentials = matches!(
        kind,
        ErrorKind::Unauthenticated | ErrorKind::PermissionDenied
    );
    let message = match &detail {
        Some(detail) if !credentials && !detail.text.is_empty() => {
            format!("{what}: {}", detail.text)
        }
        _ => what.to_owned(),
    };
    let status = match sub_code {
        0 => refused.status.to_string(),
        sub_code => format!("{}/{sub_code}", refused.status),
    };
    let error = Error::new(kind, message)
        .with_operation(refused.operation.name())
        .with_retry(retry)
        .with_effect(effect)
        .with_context("status", status);
    match detail.and_then(|detail| detail.tracking_id) {
        Some(id) => error.with_context("tracking id", id),
        None => error,
    }
}

/// A call whose answer never came, or not whole.
pub(crate) fn from_transport(operation: Operation, error: reqwest::Error) -> Error {
    let (kind, effect, what) = if error.is_connect() {
        (
            ErrorKind::Unavailable,
            Effect::None,
            "the service cannot be reached",
        )
    } else if error.is_timeout() {
        (
            ErrorKind::TimedOut,
            operation.lost_effect(),
            "the service did not answer in time",
        )
    } else {
        (
            ErrorKind::Unavailable,
            operation.lost_effect(),
            "the connection broke before the answer was whole",
        )
    };
    Error::new(kind, what)
        .with_operation(operation.name())
        .with_retry(Retry::After(None))
        .with_effect(effect)
        .with_source(error.without_url())
}

/// A success whose body cannot be read: the call was done.
pub(crate) fn from_garbage(operation: Operation, what: &str) -> Error {
    Error::new(
        ErrorKind::Unexpected,
        format!("the answer is not one of Service Bus: {what}"),
    )
    .with_operation(operation.name())
    .with_effect(operation.lost_effect())
    .with_hint("look for a proxy or another server that answers in its place")
}

/// The `Detail` of an error document: `SubCode=40900. Conflict. … TrackingId:…, …`.
#[derive(Debug, PartialEq, Eq)]
struct Detail {
    sub_code: u32,
    text: String,
    tracking_id: Option<String>,
}

impl Detail {
    fn parse(detail: &str) -> Detail {
        let detail = detail.trim();
        let (sub_code, rest) = split_sub_code(detail).unwrap_or((0, detail));
        let (text, tail) = match rest.find("TrackingId:") {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let tracking_id = tail
            .strip_prefix("TrackingId:")
            .and_then(|tail| tail.split([',', ' ', '\n']).next())
            .filter(|id| !id.is_empty())
            .map(printable);
        Detail {
            sub_code,
            text: printable(text.trim().trim_end_matches('.')),
            tracking_id,
        }
    }
}

/// `SubCode=40900. rest` or `40103: rest`.
fn split_sub_code(detail: &str) -> Option<(u32, &str)> {
    let (start, mark) = match detail.strip_prefix("SubCode=") {
        Some(start) => (start, '.'),
        None => (detail, ':'),
    };
    let (digits, rest) = start.split_once(mark)?;
    let five = digits.len() == 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((five.then(|| digits.parse().ok()).flatten()?, rest))
}

/// On one line, of bounded length, without control characters.
fn printable(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(DETAIL_CHARS_MAX)
        .collect();
    clean.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(operation: Operation, status: u16, detail: &str) -> Error {
        let body = format!("<Error><Code>{status}</Code><Detail>{detail}</Detail></Error>");
        from_answer(&Refused {
            operation,
            status,
            retry_after: None,
            body: body.as_bytes(),
        })
    }

    #[test]
    fn the_table() {
        use ErrorKind::*;
        use Operation::*;
        const NEVER: Retry = Retry::Never;
        const LATER: Retry = Retry::After(None);
        const SOON: Retry = Retry::After(Some(THROTTLED_WAIT));
        let unknown = Effect::Unknown;
        let none = Effect::None;
        for (operation, status, sub_code, kind, retry, effect) in [
            (CreateQueue, 400, 40000, SpecInvalid, NEVER, none),
            (CreateQueue, 400, 40400, NotFound, NEVER, none),
            (GetNamespace, 401, 0, Unauthenticated, NEVER, none),
            (CreateQueue, 403, 40300, QuotaExceeded, NEVER, none),
            (UpdateQueue, 403, 40301, Conflict, NEVER, none),
            (GetNamespace, 403, 0, PermissionDenied, NEVER, none),
            (GetQueue, 404, 40400, NotFound, NEVER, none),
            (UpdateQueue, 410, 41000, NotFound, NEVER, none),
            (GetQueue, 408, 0, TimedOut, LATER, none),
            (DeleteQueue, 408, 0, TimedOut, LATER, unknown),
            (CreateQueue, 409, 40900, AlreadyExists, NEVER, none),
            (CreateQueue, 409, 0, AlreadyExists, NEVER, none),
            (CreateQueue, 409, 40901, Conflict, LATER, none),
            (UpdateQueue, 409, 40900, Conflict, LATER, none),
            (DeleteQueue, 409, 40900, Conflict, LATER, none),
            (CreateQueue, 429, 40900, Conflict, LATER, none),
            (CreateQueue, 429, 40901, Conflict, LATER, none),
            (CreateQueue, 429, 50004, RateLimited, SOON, none),
            (CreateQueue, 429, 0, RateLimited, SOON, none),
            (GetQueue, 503, 50004, RateLimited, SOON, none),
            (DeleteQueue, 503, 50009, RateLimited, SOON, none),
            (GetQueue, 500, 50000, Unavailable, LATER, none),
            (DeleteQueue, 500, 50000, Unavailable, LATER, unknown),
            (CreateQueue, 502, 0, Unavailable, LATER, unknown),
            (UpdateQueue, 504, 0, Unavailable, LATER, unknown),
            (CreateQueue, 501, 50100, Unexpected, NEVER, unknown),
            (GetQueue, 302, 0, Unexpected, NEVER, none),
            (GetQueue, 418, 0, Unexpected, NEVER, none),
        ] {
            let detail = match sub_code {
                0 => "words".to_owned(),
                sub_code => format!("SubCode={sub_code}. words"),
            };
            let error = answer(operation, status, &detail);
            let seen = (error.kind(), error.retry(), error.effect());
            assert_eq!(
                seen,
                (kind, retry, effect),
                "{operation:?} {status}/{sub_code}"
            );
        }
    }

    #[test]
    fn the_sub_code_counts_in_its_own_place_only() {
        let detail = "The name 'SubCode=40901.' is taken. SubCode=40901. TrackingId:1";
        let error = answer(Operation::CreateQueue, 409, detail);
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(Detail::parse("40103: Invalid token.").sub_code, 40103);
        assert_eq!(Detail::parse("SubCode=4x103. Hm").sub_code, 0);
        assert_eq!(Detail::parse("SubCode=").sub_code, 0);
    }

    #[test]
    fn the_message_has_the_words_and_the_tracking_id() {
        let error = answer(
            Operation::CreateQueue,
            400,
            "SubCode=40000. The value is out\nof range. TrackingId:ab-12_G1, SystemTracker:x, Timestamp:y",
        );
        assert_eq!(
            error.to_string(),
            "CreateQueue: the service refuses the description of the queue: The value is out of range (status 400/40000, tracking id ab-12_G1)"
        );
    }

    #[test]
    fn answers_about_credentials_are_not_quoted() {
        for status in [401, 403] {
            let detail = "40103: Invalid token SharedAccessSignature sig=s3cr3t. TrackingId:t1, x";
            let error = answer(Operation::GetNamespace, status, detail);
            assert!(
                !format!("{error} {error:?}").contains("s3cr3t"),
                "{error:?}"
            );
            assert!(error.to_string().contains("t1"), "{error}");
        }
    }

    #[test]
    fn garbage_and_a_hint_of_the_server_to_wait() {
        let error = from_answer(&Refused {
            operation: Operation::GetQueue,
            status: 503,
            retry_after: Some(Duration::from_secs(7)),
            body: b"<html>\xff</html>",
        });
        assert_eq!(error.retry(), Retry::After(Some(Duration::from_secs(7))));
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
}
