//! What each operation is worth here: the data behind docs/emulator-fidelity.md.

use crate::{pubsub, servicebus, sqs};

/// How one operation behaves, compared with the service's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerRow {
    /// The service, as in `--port SERVICE=N`.
    pub service: &'static str,
    /// The operation as its service calls it, or the attribute of one.
    pub operation: &'static str,
    /// How near it comes.
    pub fidelity: Fidelity,
    /// Where that is known from.
    pub source: Source,
}

/// How near an operation comes to the service's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    /// As the service does it.
    Faithful,
    /// Nearly; the text says what differs.
    Simplified(&'static str),
    /// Not there; the text says what a client gets instead.
    Absent(&'static str),
}

/// Where the behaviour of the service is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The vendor's documentation or API model.
    Doc,
    /// Answers recorded from the service.
    Recorded,
    /// The source of the vendor's SDKs.
    SdkSource,
    /// Others' reports only.
    Unverified,
}

/// Every row, service by service.
pub fn ledger() -> impl Iterator<Item = &'static LedgerRow> {
    sqs::LEDGER
        .iter()
        .chain(pubsub::LEDGER)
        .chain(servicebus::LEDGER)
}
