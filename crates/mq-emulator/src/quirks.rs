//! What the clouds do and tests ought to meet, switched on by name.

use std::time::Duration;

/// A quirk's name and what it does, for `--help`, the docs and the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuirkInfo {
    /// As in `--quirk NAME`.
    pub name: &'static str,
    /// Whether it takes `=VALUE`, and which.
    pub value: Option<&'static str>,
    /// What happens when it is on.
    pub what: &'static str,
}

/// Every quirk there is.
pub const QUIRKS: &[QuirkInfo] = &[
    QuirkInfo { name: "sqs-deleted-recently", value: Some("duration, 60s"), what: "creating a queue within that time of its deletion fails with QueueDeletedRecently" },
    QuirkInfo { name: "sqs-attribute-lag", value: Some("duration, 5s"), what: "GetQueueAttributes shows a change only after that time" },
    QuirkInfo { name: "servicebus-40901", value: Some("rate, 0.2"), what: "that part of the writes is answered 409 SubCode=40901, another operation is in progress" },
    QuirkInfo { name: "servicebus-basic-tier", value: None, what: "the namespace is of the Basic tier" },
    QuirkInfo { name: "servicebus-premium-tier", value: None, what: "the namespace is of the Premium tier" },
    QuirkInfo { name: "pubsub-iam-required", value: None, what: "creating a subscription succeeds without the dead-letter grants, as in the cloud, and IAM policies start empty; reads of the policy need no grant" },
    QuirkInfo { name: "pubsub-not-found-after-create", value: Some("count, 2"), what: "the first that many reads after a create answer NOT_FOUND" },
    QuirkInfo { name: "error-rate", value: Some("rate, 0.1"), what: "that part of all requests is answered with the service's own 500, half of them after the work was done" },
    QuirkInfo { name: "latency", value: Some("duration, 50ms"), what: "every answer waits that long" },
];

/// Which quirks are on. The default is none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quirks {
    /// `sqs-deleted-recently`
    pub sqs_deleted_recently: Option<Duration>,
    /// `sqs-attribute-lag`
    pub sqs_attribute_lag: Option<Duration>,
    /// `servicebus-40901`
    pub servicebus_40901: f64,
    /// `servicebus-basic-tier`
    pub servicebus_basic_tier: bool,
    /// `servicebus-premium-tier`
    pub servicebus_premium_tier: bool,
    /// `pubsub-iam-required`
    pub pubsub_iam_required: bool,
    /// `pubsub-not-found-after-create`
    pub pubsub_not_found_after_create: u32,
    /// `error-rate`
    pub error_rate: f64,
    /// `latency`
    pub latency: Duration,
}

/// A `--quirk` that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QuirkError(pub(crate) String);
