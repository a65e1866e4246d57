//! The 23 operations: what each takes, under which names, and who does it.

use super::call::Call;
use super::error::SqsError;
use super::params::{Output, Param, Params};
use super::{listing, moves, permissions, queues, send, settle, tags};

type Run = fn(&Call<'_>, &Params) -> Result<Output, SqsError>;

/// Who does an operation.
#[derive(Clone, Copy)]
pub(super) enum Work {
    /// This, at once.
    AtOnce(Run),
    /// `receive.rs`: the one operation that may wait.
    Receive,
}

/// One operation of the service.
pub(super) struct Operation {
    /// As in `X-Amz-Target: AmazonSQS.NAME` and `Action=NAME`.
    pub(super) name: &'static str,
    pub(super) members: &'static [Member],
    /// Whether a queue's own address may be the endpoint (Query protocol).
    pub(super) at_queue: bool,
    pub(super) work: Work,
}

/// One member of a request.
pub(super) struct Member {
    pub(super) json: &'static str,
    /// Its name in the Query protocol, or that of one entry.
    pub(super) query: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
}

/// What a member holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Integer,
    /// `NAME.1`, `NAME.2`, … in the Query protocol.
    List,
    /// `NAME.1.KEY`, `NAME.1.VALUE`, … in the Query protocol.
    Map {
        key: &'static str,
        value: &'static str,
    },
    /// Attributes of a message: `NAME.1.Name`, `NAME.1.Value.DataType`, … in the Query protocol.
    Typed,
    /// Structures of these members: `NAME.1.MEMBER`, … in the Query protocol.
    Entries(&'static [Member]),
}

impl Operation {
    pub(super) fn named(name: &str) -> Option<&'static Operation> {
        OPERATIONS.iter().find(|operation| operation.name == name)
    }

    /// That every member is there which must be, in entries too.
    pub(super) fn require(&self, params: &Params) -> Result<(), SqsError> {
        require(self.members, params, "")
    }
}

fn require(members: &[Member], params: &Params, prefix: &str) -> Result<(), SqsError> {
    for member in members {
        let found = params.get(member.json);
        if member.required && found.is_none_or(Param::is_empty) {
            let name = match member.kind {
                Kind::Map { key, .. } => format!("{}.{key}", member.query),
                _ => member.query.to_owned(),
            };
            return Err(SqsError::missing(&format!("{prefix}{name}")));
        }
        if let (Kind::Entries(members), Some(Param::Entries(entries))) = (member.kind, found) {
            for (index, entry) in entries.iter().enumerate() {
                let prefix = format!("{}.{}.", member.query, index + 1);
                require(members, entry, &prefix)?;
            }
        }
    }
    Ok(())
}

const fn required(json: &'static str, query: &'static str, kind: Kind) -> Member {
    Member {
        json,
        query,
        kind,
        required: true,
    }
}

const fn optional(json: &'static str, query: &'static str, kind: Kind) -> Member {
    Member {
        json,
        query,
        kind,
        required: false,
    }
}

const ATTRIBUTES: Kind = Kind::Map {
    key: "Name",
    value: "Value",
};
const TAGS: Kind = Kind::Map {
    key: "Key",
    value: "Value",
};
const QUEUE_URL: Member = required("QueueUrl", "QueueUrl", Kind::Text);
const NEXT_TOKEN: Member = optional("NextToken", "NextToken", Kind::Text);
const MAX_RESULTS: Member = optional("MaxResults", "MaxResults", Kind::Integer);

const DELAY: Member = optional("DelaySeconds", "DelaySeconds", Kind::Integer);
const TIMEOUT: Member = optional("VisibilityTimeout", "VisibilityTimeout", Kind::Integer);
const HANDLE: Member = required("ReceiptHandle", "ReceiptHandle", Kind::Text);
const ENTRY_ID: Member = required("Id", "Id", Kind::Text);
const BODY: Member = required("MessageBody", "MessageBody", Kind::Text);
const GROUP: Member = optional("MessageGroupId", "MessageGroupId", Kind::Text);
const MESSAGE_ATTRIBUTES: Member = optional("MessageAttributes", "MessageAttribute", Kind::Typed);
const SYSTEM_ATTRIBUTES: Member = optional(
    "MessageSystemAttributes",
    "MessageSystemAttribute",
    Kind::Typed,
);
const DEDUPLICATION: Member = optional(
    "MessageDeduplicationId",
    "MessageDeduplicationId",
    Kind::Text,
);

/// The entries of a batch. A batch without any is refused by another error than that of a
/// missing parameter.
const fn entries(query: &'static str, of: &'static [Member]) -> Member {
    optional("Entries", query, Kind::Entries(of))
}

const fn served(name: &'static str, members: &'static [Member], run: Run) -> Operation {
    Operation {
        name,
        members,
        at_queue: true,
        work: Work::AtOnce(run),
    }
}

const fn account_wide(name: &'static str, members: &'static [Member], run: Run) -> Operation {
    Operation {
        name,
        members,
        at_queue: false,
        work: Work::AtOnce(run),
    }
}

/// Every operation of the API version 2012-11-05.
pub(super) static OPERATIONS: [Operation; 23] = [
    served(
        "AddPermission",
        &[
            QUEUE_URL,
            required("Label", "Label", Kind::Text),
            required("AWSAccountIds", "AWSAccountId", Kind::List),
            required("Actions", "ActionName", Kind::List),
        ],
        permissions::add,
    ),
    account_wide(
        "CancelMessageMoveTask",
        &[required("TaskHandle", "TaskHandle", Kind::Text)],
        moves::cancel,
    ),
    served(
        "ChangeMessageVisibility",
        &[
            QUEUE_URL,
            HANDLE,
            required("VisibilityTimeout", "VisibilityTimeout", Kind::Integer),
        ],
        settle::extend,
    ),
    served(
        "ChangeMessageVisibilityBatch",
        &[
            QUEUE_URL,
            entries(
                "ChangeMessageVisibilityBatchRequestEntry",
                &[ENTRY_ID, HANDLE, TIMEOUT],
            ),
        ],
        settle::extend_batch,
    ),
    account_wide(
        "CreateQueue",
        &[
            required("QueueName", "QueueName", Kind::Text),
            optional("Attributes", "Attribute", ATTRIBUTES),
            optional("tags", "Tag", TAGS),
        ],
        queues::create,
    ),
    served("DeleteMessage", &[QUEUE_URL, HANDLE], settle::delete),
    served(
        "DeleteMessageBatch",
        &[
            QUEUE_URL,
            entries("DeleteMessageBatchRequestEntry", &[ENTRY_ID, HANDLE]),
        ],
        settle::delete_batch,
    ),
    served("DeleteQueue", &[QUEUE_URL], queues::delete),
    served(
        "GetQueueAttributes",
        &[
            QUEUE_URL,
            optional("AttributeNames", "AttributeName", Kind::List),
        ],
        queues::attributes,
    ),
    account_wide(
        "GetQueueUrl",
        &[
            required("QueueName", "QueueName", Kind::Text),
            optional(
                "QueueOwnerAWSAccountId",
                "QueueOwnerAWSAccountId",
                Kind::Text,
            ),
        ],
        queues::url,
    ),
    served(
        "ListDeadLetterSourceQueues",
        &[QUEUE_URL, NEXT_TOKEN, MAX_RESULTS],
        listing::dead_letter_sources,
    ),
    account_wide(
        "ListMessageMoveTasks",
        &[required("SourceArn", "SourceArn", Kind::Text), MAX_RESULTS],
        moves::list,
    ),
    served("ListQueueTags", &[QUEUE_URL], tags::list),
    account_wide(
        "ListQueues",
        &[
            optional("QueueNamePrefix", "QueueNamePrefix", Kind::Text),
            NEXT_TOKEN,
            MAX_RESULTS,
        ],
        listing::queues,
    ),
    served("PurgeQueue", &[QUEUE_URL], queues::purge),
    Operation {
        name: "ReceiveMessage",
        members: &[
            QUEUE_URL,
            optional("AttributeNames", "AttributeName", Kind::List),
            optional(
                "MessageSystemAttributeNames",
                "MessageSystemAttributeName",
                Kind::List,
            ),
            optional("MessageAttributeNames", "MessageAttributeName", Kind::List),
            optional("MaxNumberOfMessages", "MaxNumberOfMessages", Kind::Integer),
            TIMEOUT,
            optional("WaitTimeSeconds", "WaitTimeSeconds", Kind::Integer),
            optional(
                "ReceiveRequestAttemptId",
                "ReceiveRequestAttemptId",
                Kind::Text,
            ),
        ],
        at_queue: true,
        work: Work::Receive,
    },
    served(
        "RemovePermission",
        &[QUEUE_URL, required("Label", "Label", Kind::Text)],
        permissions::remove,
    ),
    served(
        "SendMessage",
        &[
            QUEUE_URL,
            BODY,
            DELAY,
            MESSAGE_ATTRIBUTES,
            SYSTEM_ATTRIBUTES,
            DEDUPLICATION,
            GROUP,
        ],
        send::one,
    ),
    served(
        "SendMessageBatch",
        &[
            QUEUE_URL,
            entries(
                "SendMessageBatchRequestEntry",
                &[
                    ENTRY_ID,
                    BODY,
                    DELAY,
                    MESSAGE_ATTRIBUTES,
                    SYSTEM_ATTRIBUTES,
                    DEDUPLICATION,
                    GROUP,
                ],
            ),
        ],
        send::batch,
    ),
    served(
        "SetQueueAttributes",
        &[QUEUE_URL, required("Attributes", "Attribute", ATTRIBUTES)],
        queues::set_attributes,
    ),
    account_wide(
        "StartMessageMoveTask",
        &[
            required("SourceArn", "SourceArn", Kind::Text),
            optional("DestinationArn", "DestinationArn", Kind::Text),
            optional(
                "MaxNumberOfMessagesPerSecond",
                "MaxNumberOfMessagesPerSecond",
                Kind::Integer,
            ),
        ],
        moves::start,
    ),
    served(
        "TagQueue",
        &[QUEUE_URL, required("Tags", "Tag", TAGS)],
        tags::add,
    ),
    served(
        "UntagQueue",
        &[QUEUE_URL, required("TagKeys", "TagKey", Kind::List)],
        tags::remove,
    ),
];
