//! What SQS answers when it does not do what was asked.

use http::StatusCode;

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SqsError {
    pub(super) code: Code,
    pub(super) message: String,
}

impl SqsError {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        SqsError { code, message: message.into() }
    }

    /// The queue is not there, or is another's.
    pub(super) fn no_queue() -> Self {
        SqsError::new(Code::QueueDoesNotExist, "The specified queue does not exist.")
    }

    /// A parameter's value cannot be, as the service words it.
    pub(super) fn parameter(name: &str, value: &str, reason: &str) -> Self {
        SqsError::new(
            Code::InvalidParameterValue,
            format!("Value {value} for parameter {name} is invalid. Reason: {reason}"),
        )
    }
}

/// The errors that this front-end answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    IncompleteSignature,
    InternalFailure,
    InvalidAction,
    InvalidAddress,
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidParameterValue,
    MalformedInput,
    MethodNotAllowed,
    MissingAction,
    MissingParameter,
    OverLimit,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueDoesNotExist,
    QueueNameExists,
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
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>
    /// and the `awsQueryError` traits of the service's model.
    pub(super) fn words(self) -> Words {
        let (json_type, query_code, status) = match self {
            Code::IncompleteSignature => {
                ("com.amazon.coral.service#IncompleteSignatureException", "IncompleteSignature", 400)
            }
            Code::InternalFailure => ("com.amazon.coral.service#InternalFailure", "InternalFailure", 500),
            Code::InvalidAction => ("com.amazon.coral.service#InvalidActionException", "InvalidAction", 400),
            Code::InvalidAddress => ("com.amazonaws.sqs#InvalidAddress", "InvalidAddress", 400),
            Code::InvalidAttributeName => {
                ("com.amazonaws.sqs#InvalidAttributeName", "InvalidAttributeName", 400)
            }
            Code::InvalidAttributeValue => {
                ("com.amazonaws.sqs#InvalidAttributeValue", "InvalidAttributeValue", 400)
            }
            Code::InvalidParameterValue => {
                ("com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue", 400)
            }
            Code::MalformedInput => {
                ("com.amazon.coral.service#SerializationException", "MalformedInput", 400)
            }
            Code::MethodNotAllowed => {
                ("com.amazon.coral.service#MethodNotAllowedException", "MethodNotAllowed", 405)
            }
            Code::MissingAction => ("com.amazon.coral.service#MissingActionException", "MissingAction", 400),
            Code::MissingParameter => {
                ("com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter", 400)
            }
            Code::OverLimit => ("com.amazonaws.sqs#OverLimit", "OverLimit", 403),
            Code::PurgeQueueInProgress => (
                "com.amazonaws.sqs#PurgeQueueInProgress",
                "AWS.SimpleQueueService.PurgeQueueInProgress",
                403,
            ),
            Code::QueueDeletedRecently => (
                "com.amazonaws.sqs#QueueDeletedRecently",
                "AWS.SimpleQueueService.QueueDeletedRecently",
                400,
            ),
            Code::QueueDoesNotExist => {
                ("com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400)
            }
            Code::QueueNameExists => ("com.amazonaws.sqs#QueueNameExists", "QueueAlreadyExists", 400),
            Code::UnknownOperation => {
                ("com.amazon.coral.service#UnknownOperationException", "InvalidAction", 400)
            }
            Code::UnsupportedOperation => (
                "com.amazonaws.sqs#UnsupportedOperation",
                "AWS.SimpleQueueService.UnsupportedOperation",
                400,
            ),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        Words { json_type, query_code, status }
    }
}

impl Words {
    /// Whose fault it is, as the protocols say it.
    pub(super) fn fault(self) -> &'static str {
        if self.status.is_server_error() { "Receiver" } else { "Sender" }
    }
}
