//! What SQS answers when it does not do what was asked.

use http::StatusCode;
use mq_engine::Denied;

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SqsError {
    pub(super) code: Code,
    pub(super) message: String,
}

impl SqsError {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        SqsError {
            code,
            message: message.into(),
        }
    }

    /// The queue is not there, or is another's.
    pub(super) fn no_queue() -> Self {
        SqsError::new(
            Code::QueueDoesNotExist,
            "The specified queue does not exist.",
        )
    }

    /// The engine answered what it cannot have meant.
    pub(super) fn unexpected() -> Self {
        SqsError::new(
            Code::InternalFailure,
            "The queue gave an unexpected answer.",
        )
    }

    /// A parameter is not there that must be.
    pub(super) fn missing(name: &str) -> Self {
        SqsError::new(
            Code::MissingParameter,
            format!("The request must contain the parameter {name}."),
        )
    }

    /// A parameter's value cannot be, as the service words it.
    pub(super) fn parameter(name: &str, value: &str, reason: &str) -> Self {
        SqsError::new(
            Code::InvalidParameterValue,
            format!("Value {value} for parameter {name} is invalid. Reason: {reason}"),
        )
    }
}

impl From<Denied> for SqsError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NotFound => SqsError::no_queue(),
            Denied::GroupMissing => SqsError::missing("MessageGroupId"),
            Denied::MemoryFull { .. } | Denied::EntityFull { .. } => {
                SqsError::new(Code::ServiceUnavailable, format!("{denied}."))
            }
            // What no request of this service leads to, or is worded where it does.
            _ => SqsError::new(Code::InternalFailure, format!("{denied}.")),
        }
    }
}

/// The errors that this front-end answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    BatchEntryIdsNotDistinct,
    BatchRequestTooLong,
    EmptyBatchRequest,
    IncompleteSignature,
    InternalFailure,
    InvalidAction,
    InvalidAddress,
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidBatchEntryId,
    InvalidMessageContents,
    InvalidParameterValue,
    MalformedInput,
    MessageNotInflight,
    MethodNotAllowed,
    MissingAction,
    MissingParameter,
    OverLimit,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueDoesNotExist,
    QueueNameExists,
    ReceiptHandleIsInvalid,
    ResourceNotFound,
    ServiceUnavailable,
    TooManyEntriesInBatchRequest,
    UnknownOperation,
    UnsupportedOperation,
}

/// One error in the words of both protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    /// The namespace and name of the JSON protocol's `__type`.
    pub(super) json_type: &'static str,
    /// The code of the Query protocol, which the JSON protocol repeats in a header.
    pub(super) query_code: &'static str,
    /// The status of the Query protocol, and of the JSON protocol in query mode.
    pub(super) status: StatusCode,
}

impl Code {
    /// The error in both protocols: the `awsQueryError` traits of the service's model, and
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>.
    pub(super) fn words(self) -> Words {
        let (query_code, status) = self.query();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        Words {
            json_type: self.json_type(),
            query_code,
            status,
        }
    }

    /// The service's own errors are of its model's namespace, those of every AWS service are not.
    fn json_type(self) -> &'static str {
        match self {
            Code::BatchEntryIdsNotDistinct => "com.amazonaws.sqs#BatchEntryIdsNotDistinct",
            Code::BatchRequestTooLong => "com.amazonaws.sqs#BatchRequestTooLong",
            Code::EmptyBatchRequest => "com.amazonaws.sqs#EmptyBatchRequest",
            Code::IncompleteSignature => "com.amazon.coral.service#IncompleteSignatureException",
            Code::InternalFailure => "com.amazon.coral.service#InternalFailure",
            Code::InvalidAction => "com.amazon.coral.service#InvalidActionException",
            Code::InvalidAddress => "com.amazonaws.sqs#InvalidAddress",
            Code::InvalidAttributeName => "com.amazonaws.sqs#InvalidAttributeName",
            Code::InvalidAttributeValue => "com.amazonaws.sqs#InvalidAttributeValue",
            Code::InvalidBatchEntryId => "com.amazonaws.sqs#InvalidBatchEntryId",
            Code::InvalidMessageContents => "com.amazonaws.sqs#InvalidMessageContents",
            Code::InvalidParameterValue => {
                "com.amazon.coral.service#InvalidParameterValueException"
            }
            Code::MalformedInput => "com.amazon.coral.service#SerializationException",
            Code::MessageNotInflight => "com.amazonaws.sqs#MessageNotInflight",
            Code::MethodNotAllowed => "com.amazon.coral.service#MethodNotAllowedException",
            Code::MissingAction => "com.amazon.coral.service#MissingActionException",
            Code::MissingParameter => "com.amazon.coral.service#MissingRequiredParameterException",
            Code::OverLimit => "com.amazonaws.sqs#OverLimit",
            Code::PurgeQueueInProgress => "com.amazonaws.sqs#PurgeQueueInProgress",
            Code::QueueDeletedRecently => "com.amazonaws.sqs#QueueDeletedRecently",
            Code::QueueDoesNotExist => "com.amazonaws.sqs#QueueDoesNotExist",
            Code::QueueNameExists => "com.amazonaws.sqs#QueueNameExists",
            Code::ReceiptHandleIsInvalid => "com.amazonaws.sqs#ReceiptHandleIsInvalid",
            Code::ResourceNotFound => "com.amazonaws.sqs#ResourceNotFoundException",
            Code::ServiceUnavailable => "com.amazon.coral.service#ServiceUnavailableException",
            Code::TooManyEntriesInBatchRequest => "com.amazonaws.sqs#TooManyEntriesInBatchRequest",
            Code::UnknownOperation => "com.amazon.coral.service#UnknownOperationException",
            Code::UnsupportedOperation => "com.amazonaws.sqs#UnsupportedOperation",
        }
    }

    fn query(self) -> (&'static str, u16) {
        match self {
            Code::BatchEntryIdsNotDistinct => {
                ("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400)
            }
            Code::BatchRequestTooLong => ("AWS.SimpleQueueService.BatchRequestTooLong", 400),
            Code::EmptyBatchRequest => ("AWS.SimpleQueueService.EmptyBatchRequest", 400),
            Code::IncompleteSignature => ("IncompleteSignature", 400),
            Code::InternalFailure => ("InternalFailure", 500),
            Code::InvalidAction | Code::UnknownOperation => ("InvalidAction", 400),
            Code::InvalidAddress => ("InvalidAddress", 400),
            Code::InvalidAttributeName => ("InvalidAttributeName", 400),
            Code::InvalidAttributeValue => ("InvalidAttributeValue", 400),
            Code::InvalidBatchEntryId => ("AWS.SimpleQueueService.InvalidBatchEntryId", 400),
            Code::InvalidMessageContents => ("InvalidMessageContents", 400),
            Code::InvalidParameterValue => ("InvalidParameterValue", 400),
            Code::MalformedInput => ("MalformedInput", 400),
            Code::MessageNotInflight => ("AWS.SimpleQueueService.MessageNotInflight", 400),
            Code::MethodNotAllowed => ("MethodNotAllowed", 405),
            Code::MissingAction => ("MissingAction", 400),
            Code::MissingParameter => ("MissingParameter", 400),
            Code::OverLimit => ("OverLimit", 403),
            Code::PurgeQueueInProgress => ("AWS.SimpleQueueService.PurgeQueueInProgress", 403),
            Code::QueueDeletedRecently => ("AWS.SimpleQueueService.QueueDeletedRecently", 400),
            Code::QueueDoesNotExist => ("AWS.SimpleQueueService.NonExistentQueue", 400),
            Code::QueueNameExists => ("QueueAlreadyExists", 400),
            Code::ReceiptHandleIsInvalid => ("ReceiptHandleIsInvalid", 400),
            Code::ResourceNotFound => ("ResourceNotFoundException", 404),
            Code::ServiceUnavailable => ("ServiceUnavailable", 503),
            Code::TooManyEntriesInBatchRequest => {
                ("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400)
            }
            Code::UnsupportedOperation => ("AWS.SimpleQueueService.UnsupportedOperation", 400),
        }
    }
}

impl Words {
    /// Whose fault it is, as the protocols say it.
    pub(super) fn fault(self) -> &'static str {
        if self.status.is_server_error() {
            "Receiver"
        } else {
            "Sender"
        }
    }
}
