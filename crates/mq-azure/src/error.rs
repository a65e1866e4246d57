//! From what Service Bus answers to one [`Error`]: one table over the HTTP status and the sub code.
//!
//! Sources: <https://learn.microsoft.com/azure/service-bus-messaging/service-bus-resource-manager-exceptions>
//! and <https://learn.microsoft.com/azure/service-bus-messaging/service-bus-throttling>. No text
//! is ever looked at but the sub code's own place at the start of the detail.

use std::ops::RangeInclusive;
use std::time::Duration;

use mq_core::error::ErrorKind::{
    AlreadyExists, Conflict, NotFound, PermissionDenied, QuotaExceeded, RateLimited, SpecInvalid,
    TimedOut, Unauthenticated, Unavailable, Unexpected,
};
use mq_core::error::{Effect, Error, ErrorKind, Retry};

use crate::atom;

/// What the service asks for when it says "wait 2 seconds and try again" without a header.
const THROTTLED_WAIT: Duration = Duration::from_secs(2);
/// The context that every answered call has.
const STATUS: &str = "status";
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

/// One row of the table; the first that fits counts.
struct Row {
    status: RangeInclusive<u16>,
    /// `None` is any, and also none.
    sub_code: Option<u32>,
    /// `None` is any.
    operation: Option<Operation>,
    kind: ErrorKind,
    retry: Retry,
    /// Whether a write may have been made all the same.
    perhaps_done: bool,
    what: &'static str,
}

impl Row {
    /// A row for a status and a sub code; trying again never helps, and nothing was done.
    const fn new(status: u16, sub_code: u32, kind: ErrorKind, what: &'static str) -> Row {
        Row {
            sub_code: Some(sub_code),
            ..Row::any(status, status, kind, what)
        }
    }

    /// A row for a range of statuses, whatever the sub code.
    const fn any(first: u16, last: u16, kind: ErrorKind, what: &'static str) -> Row {
        Row {
            status: first..=last,
            sub_code: None,
            operation: None,
            kind,
            retry: Retry::Never,
            perhaps_done: false,
            what,
        }
    }

    const fn after(mut self, least: Option<Duration>) -> Row {
        self.retry = Retry::After(least);
        self
    }

    const fn perhaps_done(mut self) -> Row {
        self.perhaps_done = true;
        self
    }

    const fn only(mut self, operation: Operation) -> Row {
        self.operation = Some(operation);
        self
    }

    fn fits(&self, operation: Operation, status: u16, sub_code: u32) -> bool {
        self.status.contains(&status)
            && self.sub_code.is_none_or(|code| code == sub_code)
            && self.operation.is_none_or(|only| only == operation)
    }
}

const BUSY: &str = "another operation on the queue is in progress";
const THROTTLED: &str = "the namespace is being throttled";
const OUT_OF_ORDER: &str = "the service is out of order";
const ODD: &str = "the service answers what it never should";

/// The table.
static TABLE: &[Row] = &[
    // "The auto forwarding destination entity does not exist."
    Row::new(400, 40400, NotFound, "the queue to forward to is not there"),
    // "Bad Request": a value out of range, or another value for what is fixed at creation.
    Row::any(
        400,
        400,
        SpecInvalid,
        "the service refuses the description of the queue",
    ),
    Row::any(
        401,
        401,
        Unauthenticated,
        "the service does not accept the credentials for administration",
    ),
    // "Quota exceeded": the namespace holds no more queues.
    Row::new(
        403,
        40300,
        QuotaExceeded,
        "the namespace's quota is reached",
    ),
    // "Invalid operation": not possible in the entity's state.
    Row::new(
        403,
        40301,
        Conflict,
        "the queue's state does not allow this",
    ),
    Row::any(
        403,
        403,
        PermissionDenied,
        "the credentials lack the right to administer the namespace",
    ),
    Row::any(404, 404, NotFound, "it is not there"),
    Row::any(408, 408, TimedOut, "the service ran out of time")
        .after(None)
        .perhaps_done(),
    // "Another conflicting operation is in progress."
    Row::new(409, 40901, Conflict, BUSY).after(None),
    // "Conflict": for a plain PUT there is an entity of that name; for the others, which name one
    // that is there, it is the state of the moment.
    Row::any(
        409,
        409,
        AlreadyExists,
        "a queue or topic of that name is there already",
    )
    .only(Operation::CreateQueue),
    Row::any(409, 409, Conflict, BUSY).after(None),
    Row::any(410, 410, NotFound, "it is not there"),
    Row::new(429, 40900, Conflict, BUSY).after(None),
    Row::new(429, 40901, Conflict, BUSY).after(None),
    // "The request was terminated because the namespace is being throttled. Wait 2 seconds."
    Row::any(429, 429, RateLimited, THROTTLED).after(Some(THROTTLED_WAIT)),
    Row::new(503, 50004, RateLimited, THROTTLED).after(Some(THROTTLED_WAIT)),
    Row::new(503, 50009, RateLimited, THROTTLED).after(Some(THROTTLED_WAIT)),
    // "Internal error": a deletion has been seen to work all the same.
    Row::any(500, 500, Unavailable, OUT_OF_ORDER)
        .after(None)
        .perhaps_done(),
    Row::any(502, 504, Unavailable, OUT_OF_ORDER)
        .after(None)
        .perhaps_done(),
    Row::any(
        300,
        399,
        Unexpected,
        "the service answers with a redirection, which is not followed",
    ),
    Row::any(500, u16::MAX, Unexpected, ODD).perhaps_done(),
];

/// What is in no row.
static OTHER: Row = Row::any(0, u16::MAX, Unexpected, ODD);

/// The error for an answer that is not a success.
pub(crate) fn from_answer(refused: &Refused<'_>) -> Error {
    let detail = atom::error_detail(refused.body).map(|text| Detail::parse(&text));
    let sub_code = detail.as_ref().map_or(0, |detail| detail.sub_code);
    let row = TABLE
        .iter()
        .find(|row| row.fits(refused.operation, refused.status, sub_code))
        .unwrap_or(&OTHER);
    let (kind, what) = (row.kind, row.what);
    let effect = if row.perhaps_done {
        refused.operation.lost_effect()
    } else {
        Effect::None
    };
    let retry = match (row.retry, refused.retry_after) {
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
        .with_context(STATUS, status);
    match detail.and_then(|detail| detail.tracking_id) {
        Some(id) => error.with_context("tracking id", id),
        None => error,
    }
}

/// Whether the service itself said that a queue is not there; a host that nobody knows says
/// nothing of its queues.
pub(crate) fn says_absent(error: &Error) -> bool {
    let answered = error.context().iter().any(|(key, _)| *key == STATUS);
    error.kind() == NotFound && answered
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
