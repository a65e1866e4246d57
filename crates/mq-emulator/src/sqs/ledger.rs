//! What each operation of SQS is worth here.

use crate::ledger::{Fidelity, LedgerRow, Source};

const NOT_YET: Fidelity = Fidelity::Absent(
    "`AWS.SimpleQueueService.UnsupportedOperation`, 400, with a message that names the operation",
);

const fn row(operation: &'static str, fidelity: Fidelity, source: Source) -> LedgerRow {
    LedgerRow {
        service: "sqs",
        operation,
        fidelity,
        source,
    }
}

const fn absent(operation: &'static str) -> LedgerRow {
    row(operation, NOT_YET, Source::Doc)
}

/// Every operation, and what an attribute has of its own.
pub(crate) static LEDGER: &[LedgerRow] = &[
    row(
        "AddPermission",
        Fidelity::Simplified("account ids are checked for their form only"),
        Source::Doc,
    ),
    absent("CancelMessageMoveTask"),
    absent("ChangeMessageVisibility"),
    absent("ChangeMessageVisibilityBatch"),
    row(
        "CreateQueue",
        Fidelity::Simplified(
            "a queue can be used at once; it can be created again right after its deletion unless the quirk `sqs-deleted-recently` is on",
        ),
        Source::Doc,
    ),
    absent("DeleteMessage"),
    absent("DeleteMessageBatch"),
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
    absent("ListMessageMoveTasks"),
    row("ListQueueTags", Fidelity::Faithful, Source::Doc),
    row(
        "ListQueues",
        Fidelity::Simplified("changes are listed at once"),
        Source::Doc,
    ),
    row(
        "PurgeQueue",
        Fidelity::Simplified("there are no messages yet; the rule of 60 seconds holds"),
        Source::Doc,
    ),
    absent("ReceiveMessage"),
    row("RemovePermission", Fidelity::Faithful, Source::Doc),
    absent("SendMessage"),
    absent("SendMessageBatch"),
    row(
        "SetQueueAttributes",
        Fidelity::Simplified(
            "policies are checked for JSON, size and number of statements; keys of KMS are not looked up",
        ),
        Source::Doc,
    ),
    absent("StartMessageMoveTask"),
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

    /// Each of the 23 operations has one row, which says `Absent` exactly where nobody serves it.
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
            assert_eq!(absent, operation.run.is_none(), "{}", operation.name);
        }
        assert_eq!(LEDGER.len(), OPERATIONS.len() + 1, "a row of no operation");
    }
}
