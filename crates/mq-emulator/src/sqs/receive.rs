//! Receiving messages: what is handed out, what is shown of it, and how long a request waits.

use std::time::Duration;

use mq_engine::{Delivery, Operation, Place, Reason, Receive, Settle};
use tokio_util::sync::CancellationToken;

use super::attributes;
use super::call::Call;
use super::envelope::Envelope;
use super::error::{Code, SqsError};
use super::params::{Given, Member, Output, Params};
use super::receipt::{Handle, Seal, sequence_number};
use super::send::check_id;
use super::settle::TIMEOUT_SECONDS_MAX;
use super::typed::{self, TRACE_HEADER, TypedMap};

/// Messages of one answer.
const MESSAGES_MAX: i64 = 10;
const WAIT_SECONDS_MAX: i64 = 20;
/// Messages of one queue that are out at a time.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
const IN_FLIGHT_MAX: u64 = 120_000;

/// What the system says of a message, for those who ask.
const SYSTEM_ATTRIBUTES: [&str; 9] = [
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    TRACE_HEADER,
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
];

/// One receive, checked.
struct Request {
    place: Place,
    seal: Seal,
    fifo: bool,
    max: usize,
    lease: Option<Duration>,
    wait: Duration,
    attempt: Option<String>,
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>
pub(super) async fn receive(
    call: &Call<'_>,
    params: &Params,
    stopping: &CancellationToken,
) -> Result<Output, SqsError> {
    let request = Request::new(call, params)?;
    let shown = Shown::new(params)?;
    let deliveries = request.deliveries(call, stopping).await?;
    if deliveries.is_empty() {
        return Ok(Output::Members(Vec::new()));
    }
    // The engine is free again: digests of ten messages take their time.
    let messages: Result<_, _> = deliveries
        .into_iter()
        .map(|delivery| shown.message(call, &request, delivery))
        .collect();
    Ok(Output::Members(vec![Member::entries(
        "Messages", "Message", messages?,
    )]))
}

impl Request {
    fn new(call: &Call<'_>, params: &Params) -> Result<Self, SqsError> {
        let engine = call.shared.engine();
        let queue = call.find(&engine, params.text("QueueUrl"))?;
        let fifo = queue.settings.ordered;
        let max = within(params, "MaxNumberOfMessages", 1, MESSAGES_MAX)?.unwrap_or(1);
        let lease = within(params, "VisibilityTimeout", 0, TIMEOUT_SECONDS_MAX)?;
        let wait = within(params, "WaitTimeSeconds", 0, WAIT_SECONDS_MAX)?
            .or_else(|| attributes::number_of(queue, "ReceiveMessageWaitTimeSeconds"));
        let attempt = params.optional_text("ReceiveRequestAttemptId");
        if let Some(id) = attempt {
            check_id("ReceiveRequestAttemptId", id)?;
            if !fifo {
                return Err(SqsError::parameter(
                    "ReceiveRequestAttemptId",
                    id,
                    "The request includes a parameter that is not valid for this queue type.",
                ));
            }
        }
        Ok(Request {
            place: queue.id.clone().into(),
            seal: Seal::of(queue, call.secret),
            fifo,
            max: usize::try_from(max).unwrap_or(1),
            lease: lease.map(Duration::from_secs),
            wait: Duration::from_secs(wait.unwrap_or(0)),
            attempt: attempt.map(str::to_owned),
        })
    }

    async fn deliveries(
        &self,
        call: &Call<'_>,
        stopping: &CancellationToken,
    ) -> Result<Vec<Delivery>, SqsError> {
        let shared = call.shared;
        if self.wait.is_zero() {
            // FIFO queues say nothing, and hand out nothing.
            if !self.fifo && self.room(call) == 0 {
                return Err(SqsError::new(
                    Code::OverLimit,
                    format!("There are {IN_FLIGHT_MAX} messages of this queue in flight already."),
                ));
            }
            if shared.chance(shared.quirks.sqs_short_poll_misses) {
                return Ok(Vec::new());
            }
        }
        let until = shared.now().after(self.wait);
        let receiving = shared.receive_until(&self.place, until, || self.operation(call));
        let mut deliveries = match stopping.run_until_cancelled(receiving).await {
            Some(received) => received?,
            // The emulator stops: as if nothing had come.
            None => Vec::new(),
        };
        self.deliver_again(call, &deliveries)?;
        if !self.fifo && shared.chance(shared.quirks.sqs_reordering) {
            deliveries.reverse();
        }
        Ok(deliveries)
    }

    fn operation(&self, call: &Call<'_>) -> Operation {
        let room = usize::try_from(self.room(call)).unwrap_or(usize::MAX);
        Operation::Receive {
            from: self.place.clone(),
            how: Receive {
                max: self.max.min(room),
                lease: self.lease,
                attempt: self.attempt.clone(),
                ..Receive::default()
            },
        }
    }

    /// How many more messages of the queue may be out.
    fn room(&self, call: &Call<'_>) -> u64 {
        let counts = call.shared.engine().counts(&self.place.id);
        IN_FLIGHT_MAX.saturating_sub(counts.unwrap_or_default().leased)
    }

    /// The quirk `sqs-duplicate-delivery`: what is handed out can be received by the next one too.
    fn deliver_again(&self, call: &Call<'_>, deliveries: &[Delivery]) -> Result<(), SqsError> {
        let rate = call.shared.quirks.sqs_duplicate_delivery;
        let again = deliveries
            .iter()
            .filter(|_| !self.fifo && call.shared.chance(rate))
            .map(|delivery| delivery.receipt)
            .collect::<Vec<_>>();
        if !again.is_empty() {
            call.shared.perform(Operation::Settle {
                at: self.place.clone(),
                receipts: again,
                how: Settle::Extend {
                    lease: Some(Duration::ZERO),
                },
            })?;
        }
        Ok(())
    }
}

fn within(
    params: &Params,
    name: &'static str,
    least: i64,
    most: i64,
) -> Result<Option<u64>, SqsError> {
    let Some(number) = params.integer(name) else {
        return Ok(None);
    };
    if (least..=most).contains(&number) {
        return Ok(Some(number.unsigned_abs()));
    }
    Err(SqsError::parameter(
        name,
        &number.to_string(),
        &format!("Must be >= {least} and <= {most}, if provided."),
    ))
}

/// Which attributes the receiver wants to see.
struct Shown {
    system: Vec<&'static str>,
    /// Names, and prefixes that end with a dot.
    names: Vec<String>,
    all: bool,
}

impl Shown {
    fn new(params: &Params) -> Result<Self, SqsError> {
        let mut system = Vec::new();
        let asked = ["AttributeNames", "MessageSystemAttributeNames"].map(|name| params.list(name));
        for name in asked.concat() {
            match SYSTEM_ATTRIBUTES.iter().find(|known| **known == name) {
                _ if name == "All" => system.extend(SYSTEM_ATTRIBUTES),
                Some(known) => system.push(known),
                // The older list takes the names of the queue's attributes too, and shows none.
                None if attributes::is_known(&name) => {}
                None => return Err(attributes::unknown(&name)),
            }
        }
        let names = params.list("MessageAttributeNames");
        let prefix = |name: &String| match name.strip_suffix(".*") {
            Some(prefix) => format!("{prefix}."),
            None => name.clone(),
        };
        Ok(Shown {
            system,
            all: names.iter().any(|name| name == "All" || name == ".*"),
            names: names.iter().map(prefix).collect(),
        })
    }

    fn message(
        &self,
        call: &Call<'_>,
        request: &Request,
        delivery: Delivery,
    ) -> Result<Vec<Member>, SqsError> {
        let envelope = Envelope::read(&delivery.properties)?;
        let handle = Handle {
            receipt: delivery.receipt,
            received: call.shared.now(),
        };
        let mut members = vec![
            Member::text("MessageId", call.secret.message_id(delivery.id)),
            Member::text("ReceiptHandle", handle.write(&request.seal)),
            Member::text("MD5OfBody", typed::md5_of(&delivery.body)),
            Member::text("Body", String::from_utf8_lossy(&delivery.body).into_owned()),
        ];
        let system =
            self.system_attributes(call, request.fifo, &delivery, envelope.trace.as_deref());
        if !system.is_empty() {
            members.push(Member {
                json: "Attributes",
                xml: "Attribute",
                value: Given::Map {
                    entries: system.into_iter().collect(),
                    key: "Name",
                    value: "Value",
                },
            });
        }
        let attributes: TypedMap = envelope
            .attributes
            .into_iter()
            .filter(|(name, _)| self.wants(name))
            .collect();
        if !attributes.is_empty() {
            members.push(Member::text(
                "MD5OfMessageAttributes",
                typed::md5_of_attributes(&attributes),
            ));
            members.push(Member {
                json: "MessageAttributes",
                xml: "MessageAttribute",
                value: Given::Typed(attributes),
            });
        }
        Ok(members)
    }

    fn wants(&self, name: &str) -> bool {
        let fits = |wanted: &String| {
            wanted == name || (wanted.ends_with('.') && name.starts_with(wanted.as_str()))
        };
        self.all || self.names.iter().any(fits)
    }

    fn system_attributes(
        &self,
        call: &Call<'_>,
        fifo: bool,
        delivery: &Delivery,
        trace: Option<&str>,
    ) -> Vec<(String, String)> {
        let source = delivery
            .origin
            .as_ref()
            .filter(|origin| origin.reason == Reason::MaxDeliveries);
        let value = |name: &str| match name {
            "ApproximateFirstReceiveTimestamp" => Some(delivery.first_received.0.to_string()),
            "ApproximateReceiveCount" => Some(delivery.delivery_count.to_string()),
            "DeadLetterQueueSourceArn" => source.map(|origin| call.arn(&origin.source.id.name)),
            "MessageDeduplicationId" if fifo => delivery.duplicate_id.as_deref().map(str::to_owned),
            "MessageGroupId" => delivery.group.as_deref().map(str::to_owned),
            "SenderId" => Some(call.account.to_owned()),
            "SentTimestamp" => Some(delivery.sent.0.to_string()),
            "SequenceNumber" if fifo => Some(sequence_number(delivery.receipt.sequence)),
            TRACE_HEADER => trace.map(str::to_owned),
            _ => None,
        };
        let shown = |name: &&str| Some(((*name).to_owned(), value(name)?));
        self.system.iter().filter_map(shown).collect()
    }
}
