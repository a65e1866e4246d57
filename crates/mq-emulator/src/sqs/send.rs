//! Sending messages, one or a batch.

use std::time::Duration;

use bytes::Bytes;
use mq_engine::{EntityId, NewMessage, Operation, Outcome, Sent, Start};
use sha2::{Digest, Sha256};

use super::attributes;
use super::batch;
use super::call::Call;
use super::envelope::Envelope;
use super::error::{Code, SqsError};
use super::params::{Member, Output, Params};
use super::receipt::sequence_number;
use super::typed::{self, TypedMap};

/// Bytes of one message, and of all messages of a batch.
const BYTES_MAX: usize = 1_048_576;
const DELAY_SECONDS_MAX: i64 = 900;
/// Characters of a group's or a deduplication id.
const ID_CHARACTERS_MAX: usize = 128;

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
pub(super) fn one(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let queue = Queue::find(call, params)?;
    let draft = Draft::new(&queue, params)?;
    let operation = Operation::Send {
        to: queue.id.clone(),
        messages: vec![draft.message(params)?],
        whole: true,
    };
    match call.shared.perform(operation)? {
        Outcome::Sent(sent) => match sent.into_iter().next() {
            Some(sent) => Ok(Output::Members(draft.result(call, &queue, sent?))),
            None => Err(SqsError::unexpected()),
        },
        _ => Err(SqsError::unexpected()),
    }
}

/// Each message has its own answer; only what concerns the batch as a whole refuses it whole.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>
pub(super) fn batch(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let queue = Queue::find(call, params)?;
    let entries = batch::entries(params, "SendMessageBatchRequestEntry")?;
    let bytes: usize = entries.iter().map(weight).sum();
    if bytes > BYTES_MAX {
        return Err(SqsError::new(
            Code::BatchRequestTooLong,
            format!(
                "Batch requests cannot be longer than {BYTES_MAX} bytes. You have sent {bytes} bytes."
            ),
        ));
    }
    let drafts: Vec<_> = entries
        .iter()
        .map(|entry| {
            let draft = Draft::new(&queue, entry)?;
            let message = draft.message(entry)?;
            Ok((draft, message))
        })
        .collect();
    let messages = drafts.iter().filter_map(|draft| draft.as_ref().ok());
    let operation = Operation::Send {
        to: queue.id.clone(),
        messages: messages.map(|(_, message)| message.clone()).collect(),
        whole: false,
    };
    let Outcome::Sent(sent) = call.shared.perform(operation)? else {
        return Err(SqsError::unexpected());
    };
    let mut sent = sent.into_iter();
    let outcomes = entries.iter().zip(drafts).map(|(entry, draft)| {
        let outcome = draft.and_then(|(draft, _)| {
            let sent = sent.next().ok_or_else(SqsError::unexpected)?;
            Ok(draft.result(call, &queue, sent?))
        });
        (entry, outcome)
    });
    Ok(batch::output("SendMessageBatchResultEntry", outcomes))
}

/// What a sender must know of a queue.
struct Queue {
    id: EntityId,
    fifo: bool,
    content_based: bool,
    bytes_max: usize,
}

impl Queue {
    fn find(call: &Call<'_>, params: &Params) -> Result<Self, SqsError> {
        let engine = call.shared.engine();
        let entity = call.find(&engine, params.text("QueueUrl"))?;
        let bytes_max = attributes::number_of(entity, "MaximumMessageSize")
            .and_then(|bytes| usize::try_from(bytes).ok());
        Ok(Queue {
            id: entity.id.clone(),
            fifo: entity.settings.ordered,
            content_based: attributes::of(entity, "ContentBasedDeduplication") == Some("true"),
            bytes_max: bytes_max.unwrap_or(BYTES_MAX),
        })
    }
}

/// A message that passed the checks.
struct Draft {
    envelope: Envelope,
    body_md5: String,
    attributes_md5: Option<String>,
    system_md5: Option<String>,
    start: Start,
    duplicate_id: Option<String>,
}

impl Draft {
    fn new(queue: &Queue, params: &Params) -> Result<Self, SqsError> {
        let body = params.text("MessageBody");
        if body.is_empty() {
            return Err(SqsError::missing("MessageBody"));
        }
        typed::check_characters(body)?;
        let empty = TypedMap::new();
        let attributes = params.typed("MessageAttributes").unwrap_or(&empty);
        let system = params.typed("MessageSystemAttributes").unwrap_or(&empty);
        typed::check(attributes)?;
        typed::check_system(system)?;
        if weight(params) > queue.bytes_max {
            return Err(SqsError::new(
                Code::InvalidParameterValue,
                format!(
                    "One or more parameters are invalid. Reason: Message must be shorter than {} bytes.",
                    queue.bytes_max
                ),
            ));
        }
        let start = start(queue, params)?;
        let duplicate_id = ids(queue, params, body)?;
        let digest = |of: &TypedMap| (!of.is_empty()).then(|| typed::md5_of_attributes(of));
        Ok(Draft {
            body_md5: typed::md5_of(body.as_bytes()),
            attributes_md5: digest(attributes),
            system_md5: digest(system),
            envelope: Envelope::new(attributes.clone(), system),
            start,
            duplicate_id,
        })
    }

    fn message(&self, params: &Params) -> Result<NewMessage, SqsError> {
        Ok(NewMessage {
            body: Bytes::copy_from_slice(params.text("MessageBody").as_bytes()),
            properties: self.envelope.to_bytes()?,
            group: params.optional_text("MessageGroupId").map(str::to_owned),
            duplicate_id: self.duplicate_id.clone(),
            start: self.start,
            ttl: None,
        })
    }

    fn result(self, call: &Call<'_>, queue: &Queue, sent: Sent) -> Vec<Member> {
        let optional = [
            ("MD5OfMessageAttributes", self.attributes_md5),
            ("MD5OfMessageSystemAttributes", self.system_md5),
            (
                "SequenceNumber",
                queue.fifo.then(|| sequence_number(sent.sequence)),
            ),
        ];
        let mut members = vec![
            Member::text("MessageId", call.secret.message_id(sent.id)),
            Member::text("MD5OfMessageBody", self.body_md5),
        ];
        members.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some(Member::text(name, value?))),
        );
        members
    }
}

/// The bytes that count: the body, and the attributes with their names and types. Those that the
/// system gives a meaning do not.
fn weight(params: &Params) -> usize {
    let attributes = params.typed("MessageAttributes").map_or(0, typed::weight);
    params.text("MessageBody").len() + attributes
}

fn start(queue: &Queue, params: &Params) -> Result<Start, SqsError> {
    let Some(seconds) = params.integer("DelaySeconds") else {
        return Ok(Start::Usual);
    };
    let bad = |reason: &str| SqsError::parameter("DelaySeconds", &seconds.to_string(), reason);
    if !(0..=DELAY_SECONDS_MAX).contains(&seconds) {
        return Err(bad(&format!(
            "DelaySeconds must be >= 0 and <= {DELAY_SECONDS_MAX}."
        )));
    }
    if !queue.fifo {
        let delay = Duration::from_secs(seconds.unsigned_abs());
        return Ok(Start::After(delay));
    }
    if seconds == 0 {
        return Ok(Start::Usual);
    }
    Err(bad(
        "The request include parameter that is not valid for this queue type.",
    ))
}

/// Checks the group, and says by what a duplicate is recognised. On a standard queue a group is
/// for fairness between tenants: it is kept, and decides nothing.
fn ids(queue: &Queue, params: &Params, body: &str) -> Result<Option<String>, SqsError> {
    for name in ["MessageGroupId", "MessageDeduplicationId"] {
        if let Some(id) = params.optional_text(name) {
            check_id(name, id)?;
        }
    }
    let duplicate_id = params.optional_text("MessageDeduplicationId");
    if !queue.fifo {
        return match duplicate_id {
            None => Ok(None),
            Some(id) => Err(SqsError::parameter(
                "MessageDeduplicationId",
                id,
                "The request includes a parameter that is not valid for this queue type.",
            )),
        };
    }
    if params.optional_text("MessageGroupId").is_none() {
        return Err(SqsError::missing("MessageGroupId"));
    }
    match duplicate_id {
        Some(id) => Ok(Some(id.to_owned())),
        None if queue.content_based => Ok(Some(typed::hex(&Sha256::digest(body)))),
        None => Err(SqsError::new(
            Code::InvalidParameterValue,
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        )),
    }
}

/// Letters, digits and punctuation of ASCII: also the form of a receive's attempt id.
pub(super) fn check_id(name: &str, id: &str) -> Result<(), SqsError> {
    let fits = !id.is_empty()
        && id.len() <= ID_CHARACTERS_MAX
        && id.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        return Ok(());
    }
    Err(SqsError::parameter(
        name,
        id,
        &format!(
            "{name} can only include alphanumeric and punctuation characters. 1 to {ID_CHARACTERS_MAX} in length."
        ),
    ))
}
