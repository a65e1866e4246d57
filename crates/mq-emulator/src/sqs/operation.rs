//! The 23 operations: what each takes, under which names, and who does it.

use super::call::Call;
use super::error::{Code, SqsError};
use super::params::{Output, Param, Params};
use super::{listing, permissions, queues, tags};

type Run = fn(&Call<'_>, &Params) -> Result<Output, SqsError>;

/// One operation of the service.
pub(super) struct Operation {
    /// As in `X-Amz-Target: AmazonSQS.NAME` and `Action=NAME`.
    pub(super) name: &'static str,
    pub(super) members: &'static [Member],
    /// Whether a queue's own address may be the endpoint (Query protocol).
    pub(super) at_queue: bool,
    /// `None` where the emulator has only the answer that it has not got it.
    pub(super) run: Option<Run>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

impl Operation {
    pub(super) fn named(name: &str) -> Option<&'static Operation> {
        OPERATIONS.iter().find(|operation| operation.name == name)
    }

    /// That every member is there which must be.
    pub(super) fn require(&self, params: &Params) -> Result<(), SqsError> {
        let missing = self
            .members
            .iter()
            .filter(|member| member.required)
            .find(|member| match params.get(member.json) {
                None => true,
                Some(Param::List(entries)) => entries.is_empty(),
                Some(Param::Map(entries)) => entries.is_empty(),
                Some(Param::Text(_) | Param::Integer(_)) => false,
            });
        let Some(member) = missing else { return Ok(()) };
        let name = match member.kind {
            Kind::Map { key, .. } => format!("{}.{key}", member.query),
            Kind::Text | Kind::Integer | Kind::List => member.query.to_owned(),
        };
        Err(SqsError::new(
            Code::MissingParameter,
            format!("The request must contain the parameter {name}."),
        ))
    }
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

const fn served(name: &'static str, members: &'static [Member], run: Run) -> Operation {
    Operation {
        name,
        members,
        at_queue: true,
        run: Some(run),
    }
}

const fn account_wide(name: &'static str, members: &'static [Member], run: Run) -> Operation {
    Operation {
        name,
        members,
        at_queue: false,
        run: Some(run),
    }
}

const fn absent(name: &'static str) -> Operation {
    Operation {
        name,
        members: &[],
        at_queue: true,
        run: None,
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
    absent("CancelMessageMoveTask"),
    absent("ChangeMessageVisibility"),
    absent("ChangeMessageVisibilityBatch"),
    account_wide(
        "CreateQueue",
        &[
            required("QueueName", "QueueName", Kind::Text),
            optional("Attributes", "Attribute", ATTRIBUTES),
            optional("tags", "Tag", TAGS),
        ],
        queues::create,
    ),
    absent("DeleteMessage"),
    absent("DeleteMessageBatch"),
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
    absent("ListMessageMoveTasks"),
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
    absent("ReceiveMessage"),
    served(
        "RemovePermission",
        &[QUEUE_URL, required("Label", "Label", Kind::Text)],
        permissions::remove,
    ),
    absent("SendMessage"),
    absent("SendMessageBatch"),
    served(
        "SetQueueAttributes",
        &[QUEUE_URL, required("Attributes", "Attribute", ATTRIBUTES)],
        queues::set_attributes,
    ),
    absent("StartMessageMoveTask"),
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
