//! A queue's attributes: which there are, what they may hold, what they are when nobody says.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>

use std::collections::BTreeMap;
use std::time::Duration;

use mq_engine::{Entity, Settings, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{Code, SqsError};
use super::redrive;

/// Attributes by name, each in the form in which it is read back.
pub(super) type Attributes = BTreeMap<String, String>;

/// FIFO queues recognise a duplicate for this long, always.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(300);

/// The longest identifier of a key
/// (<https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html>).
const TEXT_BYTES_MAX: usize = 2048;

/// The longest policy, in bytes
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html>).
const POLICY_BYTES_MAX: usize = 8192;
/// Statements of one policy (the same page).
const POLICY_STATEMENTS_MAX: usize = 20;

/// Attributes that are read and never set.
pub(super) const READ_ONLY: [&str; 6] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
];

/// What an attribute may hold.
enum Rule {
    /// A whole number in this range, both ends included.
    Number(u64, u64),
    Switch,
    OneOf(&'static [&'static str]),
    /// Any text; an empty one removes it.
    Text,
    Policy,
    RedrivePolicy,
    RedriveAllowPolicy,
}

struct Attribute {
    name: &'static str,
    rule: Rule,
    /// What a new queue has; `None` is nothing.
    default: Option<&'static str>,
    fifo_only: bool,
}

const fn any_queue(name: &'static str, rule: Rule, default: Option<&'static str>) -> Attribute {
    Attribute {
        name,
        rule,
        default,
        fifo_only: false,
    }
}

const fn fifo_only(name: &'static str, rule: Rule, default: &'static str) -> Attribute {
    Attribute {
        name,
        rule,
        default: Some(default),
        fifo_only: true,
    }
}

static SETTABLE: [Attribute; 15] = [
    any_queue("DelaySeconds", Rule::Number(0, 900), Some("0")),
    any_queue(
        "KmsDataKeyReusePeriodSeconds",
        Rule::Number(60, 86_400),
        Some("300"),
    ),
    any_queue("KmsMasterKeyId", Rule::Text, None),
    any_queue(
        "MaximumMessageSize",
        Rule::Number(1024, 1_048_576),
        Some("1048576"),
    ),
    any_queue(
        "MessageRetentionPeriod",
        Rule::Number(60, 1_209_600),
        Some("345600"),
    ),
    any_queue("Policy", Rule::Policy, None),
    any_queue(
        "ReceiveMessageWaitTimeSeconds",
        Rule::Number(0, 20),
        Some("0"),
    ),
    any_queue("RedriveAllowPolicy", Rule::RedriveAllowPolicy, None),
    any_queue("RedrivePolicy", Rule::RedrivePolicy, None),
    any_queue("SqsManagedSseEnabled", Rule::Switch, Some("true")),
    any_queue("VisibilityTimeout", Rule::Number(0, 43_200), Some("30")),
    fifo_only("ContentBasedDeduplication", Rule::Switch, "false"),
    fifo_only(
        "DeduplicationScope",
        Rule::OneOf(&["queue", "messageGroup"]),
        "queue",
    ),
    fifo_only("FifoQueue", Rule::Switch, "true"),
    fifo_only(
        "FifoThroughputLimit",
        Rule::OneOf(&["perQueue", "perMessageGroupId"]),
        "perQueue",
    ),
];

/// What the front-end keeps of a queue beside its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) attributes: Attributes,
    pub(super) tags: BTreeMap<String, String>,
    /// When an attribute was last set.
    pub(super) modified: Timestamp,
    /// When the queue was last purged.
    pub(super) purged: Option<Timestamp>,
    /// What readers saw before the last change, for the quirk `sqs-attribute-lag`.
    pub(super) before: Option<Attributes>,
}

impl Document {
    pub(super) fn of(entity: &Entity) -> Result<Self, SqsError> {
        Document::deserialize(&entity.document).map_err(|error| internal(&error))
    }

    pub(super) fn to_value(&self) -> Result<Value, SqsError> {
        serde_json::to_value(self).map_err(|error| internal(&error))
    }

    /// The attributes as a reader sees them who is `lag` behind.
    pub(super) fn shown(&self, now: Timestamp, lag: Option<Duration>) -> &Attributes {
        match (&self.before, lag) {
            (Some(before), Some(lag)) if now.since(self.modified) < lag => before,
            _ => &self.attributes,
        }
    }
}

/// One attribute of a queue, without reading all of them.
pub(super) fn of<'e>(entity: &'e Entity, name: &str) -> Option<&'e str> {
    entity.document.get("attributes")?.get(name)?.as_str()
}

/// The same, as a number.
pub(super) fn number_of(entity: &Entity, name: &str) -> Option<u64> {
    of(entity, name).and_then(parse_number)
}

fn internal(error: &serde_json::Error) -> SqsError {
    SqsError::new(
        Code::InternalFailure,
        format!("The queue's state cannot be read: {error}."),
    )
}

/// Whether the service knows an attribute of this name.
pub(super) fn is_known(name: &str) -> bool {
    name == "All"
        || READ_ONLY.contains(&name)
        || SETTABLE.iter().any(|attribute| attribute.name == name)
}

/// A new queue's attributes.
pub(super) fn defaults(fifo: bool) -> Attributes {
    SETTABLE
        .iter()
        .filter(|attribute| fifo || !attribute.fifo_only)
        .filter_map(|attribute| Some((attribute.name.to_owned(), attribute.default?.to_owned())))
        .collect()
}

/// The attributes after a change, or why that change cannot be. An empty value removes a text or
/// a policy.
pub(super) fn changed(
    current: &Attributes,
    changes: &Attributes,
    fifo: bool,
) -> Result<Attributes, SqsError> {
    let mut next = current.clone();
    for (name, value) in changes {
        match canonical(name, value, fifo)? {
            Some(value) => next.insert(name.clone(), value),
            None => next.remove(name),
        };
    }
    check_encryption(changes, &mut next)?;
    let per_group = next
        .get("FifoThroughputLimit")
        .is_some_and(|limit| limit == "perMessageGroupId");
    if per_group
        && next
            .get("DeduplicationScope")
            .is_none_or(|scope| scope != "messageGroup")
    {
        return Err(SqsError::new(
            Code::InvalidAttributeValue,
            "Invalid value for the parameter FifoThroughputLimit. Reason: To set FifoThroughputLimit to perMessageGroupId, the DeduplicationScope must be messageGroup.",
        ));
    }
    Ok(next)
}

/// A queue has one kind of encryption at a time; setting one ends the other.
fn check_encryption(changes: &Attributes, next: &mut Attributes) -> Result<(), SqsError> {
    let sets_key = changes
        .get("KmsMasterKeyId")
        .is_some_and(|key| !key.is_empty());
    let sets_managed = changes
        .get("SqsManagedSseEnabled")
        .is_some_and(|on| on == "true");
    if sets_key && sets_managed {
        return Err(SqsError::new(
            Code::InvalidAttributeValue,
            "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
        ));
    }
    if sets_key {
        next.insert("SqsManagedSseEnabled".to_owned(), "false".to_owned());
    }
    if sets_managed {
        next.remove("KmsMasterKeyId");
    }
    Ok(())
}

/// The value as it is read back; `None` where it removes the attribute.
pub(super) fn canonical(name: &str, value: &str, fifo: bool) -> Result<Option<String>, SqsError> {
    let attribute = SETTABLE
        .iter()
        .find(|attribute| attribute.name == name)
        .ok_or_else(|| unknown(name))?;
    if attribute.fifo_only && !fifo {
        return Err(match name {
            "DeduplicationScope" | "FifoThroughputLimit" => SqsError::new(
                Code::InvalidAttributeName,
                format!("You can specify the {name} only when FifoQueue is set to true."),
            ),
            _ => unknown(name),
        });
    }
    if name == "FifoQueue" && value != "true" {
        return Err(invalid(
            name,
            "Reason: Modifying queue type is not supported.",
        ));
    }
    match attribute.rule {
        Rule::Number(least, most) => match parse_number(value) {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number.to_string())),
            _ => Err(invalid(name, "")),
        },
        Rule::Switch if ["true", "false"].contains(&value) => Ok(Some(value.to_owned())),
        Rule::OneOf(values) if values.contains(&value) => Ok(Some(value.to_owned())),
        Rule::Switch | Rule::OneOf(_) => Err(invalid(name, "")),
        Rule::Text | Rule::Policy | Rule::RedrivePolicy | Rule::RedriveAllowPolicy
            if value.is_empty() =>
        {
            Ok(None)
        }
        Rule::Text if value.len() <= TEXT_BYTES_MAX => Ok(Some(value.to_owned())),
        Rule::Text => Err(invalid(name, "")),
        Rule::Policy => check_policy(value).map(|()| Some(value.to_owned())),
        Rule::RedrivePolicy => redrive::Policy::parse(value).map(|policy| Some(policy.to_string())),
        Rule::RedriveAllowPolicy => {
            redrive::AllowPolicy::parse(value).map(|policy| Some(policy.to_string()))
        }
    }
}

/// Digits only: the service takes no sign and no space.
fn parse_number(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// Whether two values of an attribute mean the same: policies are compared as JSON.
pub(super) fn same(name: &str, left: Option<&String>, right: Option<&String>) -> bool {
    let json = |text: &String| serde_json::from_str::<Value>(text).ok();
    match (left, right) {
        (Some(left), Some(right)) if name.ends_with("Policy") => {
            left == right || json(left).is_some_and(|value| Some(value) == json(right))
        }
        _ => left == right,
    }
}

pub(super) fn check_policy(text: &str) -> Result<(), SqsError> {
    let Ok(Value::Object(policy)) = serde_json::from_str(text) else {
        return Err(invalid("Policy", ""));
    };
    if text.len() > POLICY_BYTES_MAX {
        return Err(invalid(
            "Policy",
            &format!("Reason: Policy length must be at most {POLICY_BYTES_MAX} bytes."),
        ));
    }
    let statements = policy
        .get("Statement")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    if statements > POLICY_STATEMENTS_MAX {
        return Err(SqsError::new(
            Code::OverLimit,
            format!(
                "{statements} statements were found in the submitted policy, max allowed is {POLICY_STATEMENTS_MAX}"
            ),
        ));
    }
    Ok(())
}

pub(super) fn unknown(name: &str) -> SqsError {
    SqsError::new(
        Code::InvalidAttributeName,
        format!("Unknown Attribute {name}."),
    )
}

fn invalid(name: &str, reason: &str) -> SqsError {
    let text = format!("Invalid value for the parameter {name}. {reason}");
    SqsError::new(Code::InvalidAttributeValue, text.trim_end())
}

/// What the attributes mean for the engine. The dead-letter queue is filled in by who knows it.
pub(super) fn settings(attributes: &Attributes) -> Settings {
    let seconds = |name: &str| {
        Duration::from_secs(
            attributes
                .get(name)
                .and_then(|text| parse_number(text))
                .unwrap_or(0),
        )
    };
    let fifo = attributes.contains_key("FifoQueue");
    Settings {
        lease: seconds("VisibilityTimeout"),
        retention: Some(seconds("MessageRetentionPeriod")),
        delay: seconds("DelaySeconds"),
        ordered: fifo,
        duplicate_window: fifo.then_some(DUPLICATE_WINDOW),
        duplicates_per_group: attributes
            .get("DeduplicationScope")
            .is_some_and(|scope| scope == "messageGroup"),
        ..Settings::default()
    }
}
