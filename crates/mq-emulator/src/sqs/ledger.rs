//! What each operation of SQS is worth here.

use crate::ledger::{Fidelity, LedgerRow, Source};

const fn row(operation: &'static str, fidelity: Fidelity, source: Source) -> LedgerRow {
    LedgerRow {
        service: "sqs",
        operation,
        fidelity,
        source,
    }
}

/// Every operation, and what an attribute has of its own.
pub(crate) static LEDGER: &[LedgerRow] = &[
    row(
        "AddPermission",
        Fidelity::Simplified("account ids are checked for their form only"),
        Source::Doc,
    ),
    row(
        "CancelMessageMoveTask",
        Fidelity::Simplified("a task is cancelled at once, so that `CANCELLING` is never seen"),
        Source::Doc,
    ),
    row(
        "ChangeMessageVisibility",
        Fidelity::Simplified(
            "a message whose time ran out answers `MessageNotInflight`, as documented; the service was also seen to answer 200 and do nothing",
        ),
        Source::Doc,
    ),
    row(
        "ChangeMessageVisibilityBatch",
        Fidelity::Simplified("as ChangeMessageVisibility"),
        Source::Doc,
    ),
    row(
        "CreateQueue",
        Fidelity::Simplified(
            "a queue can be used at once; it can be created again right after its deletion unless the quirk `sqs-deleted-recently` is on",
        ),
        Source::Doc,
    ),
    row(
        "DeleteMessage",
        Fidelity::Simplified(
            "a delete always holds; the service documents that a standard queue may rarely hand the message out once more",
        ),
        Source::Doc,
    ),
    row(
        "DeleteMessageBatch",
        Fidelity::Simplified("as DeleteMessage"),
        Source::Doc,
    ),
    row(
        "DeleteQueue",
        Fidelity::Simplified("the queue is gone at once"),
        Source::Doc,
    ),
    row(
        "GetQueueAttributes",
        Fidelity::Simplified(
            "a change is visible at once unless the quirk `sqs-attribute-lag` is on; a policy is echoed as it was given",
        ),
        Source::Doc,
    ),
    row(
        "GetQueueUrl",
        Fidelity::Simplified("there is one account: the queues of every other do not exist"),
        Source::Doc,
    ),
    row(
        "ListDeadLetterSourceQueues",
        Fidelity::Faithful,
        Source::Doc,
    ),
    row("ListMessageMoveTasks", Fidelity::Faithful, Source::Doc),
    row("ListQueueTags", Fidelity::Faithful, Source::Doc),
    row(
        "ListQueues",
        Fidelity::Simplified("changes are listed at once"),
        Source::Doc,
    ),
    row(
        "PurgeQueue",
        Fidelity::Simplified("the messages are gone at once; the rule of 60 seconds holds"),
        Source::Doc,
    ),
    row(
        "ReceiveMessage",
        Fidelity::Simplified(
            "a receive that does not wait sees the whole queue unless the quirk `sqs-short-poll-misses` is on; standard queues hand out in the order of arrival, twice only with the quirk `sqs-duplicate-delivery` and in another order only with `sqs-reordering`; groups of a standard queue are kept and shown, and change nothing in who comes first; every sender is the one account",
        ),
        Source::Doc,
    ),
    row("RemovePermission", Fidelity::Faithful, Source::Doc),
    row(
        "SendMessage",
        Fidelity::Simplified(
            "no rate is limited, whatever `FifoThroughputLimit` says; a full memory answers `ServiceUnavailable`",
        ),
        Source::Doc,
    ),
    row(
        "SendMessageBatch",
        Fidelity::Simplified("as SendMessage"),
        Source::Doc,
    ),
    row(
        "SetQueueAttributes",
        Fidelity::Simplified(
            "policies are checked for JSON, size and number of statements; keys of KMS are not looked up; a new `DelaySeconds` holds for what is sent from then on, in FIFO queues too",
        ),
        Source::Doc,
    ),
    row(
        "StartMessageMoveTask",
        Fidelity::Simplified("a task without a rate moves up to 1,000 messages each second"),
        Source::Doc,
    ),
    row("TagQueue", Fidelity::Faithful, Source::Doc),
    row("UntagQueue", Fidelity::Faithful, Source::Doc),
    row(
        "sts:GetCallerIdentity",
        Fidelity::Simplified(
            "every caller is the root of the one account; signatures are not verified",
        ),
        Source::Doc,
    ),
];

#[cfg(test)]
mod tests {
    use super::super::operation::OPERATIONS;
    use super::*;

    /// Each of the 23 operations has one row, and none of them is absent.
    #[test]
    fn the_rows_are_the_operations() {
        for operation in &OPERATIONS {
            let rows: Vec<_> = LEDGER
                .iter()
                .filter(|row| row.operation == operation.name)
                .collect();
            let [row] = rows.as_slice() else {
                panic!("{} has {} rows", operation.name, rows.len());
            };
            let absent = matches!(row.fidelity, Fidelity::Absent(_));
            assert!(!absent, "{} is served", operation.name);
        }
        assert_eq!(LEDGER.len(), OPERATIONS.len() + 1, "a row of no operation");
    }
}
