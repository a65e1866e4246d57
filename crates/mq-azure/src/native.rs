//! Elements of a queue's description that no attribute of the file covers, for `overrides`.

use mq_core::backend::{SettingInfo, SettingKind};
use mq_core::queue::{Ordering, Origin};
use mq_core::resource::NativeAttribute;
use mq_core::units;
use mq_core::value::Value;
use mq_core::verdict::{Hold, Verdict};
use serde_json::Value as Json;

use crate::elements::{self, AUTO_DELETE_ON_IDLE, ENABLE_PARTITIONING, FORWARD_TO, MAX_SIZE};
use crate::facts::{self, Tier};

const STATUSES: &[&str] = &["Active", "Disabled", "SendDisabled", "ReceiveDisabled"];
const ENABLE_EXPRESS: &str = "EnableExpress";

const fn setting(name: &'static str, kind: SettingKind, doc: &'static str) -> SettingInfo {
    SettingInfo { name, kind, doc }
}

/// What `overrides.azure.native` takes.
pub(crate) const NATIVE: &[SettingInfo] = &[
    setting(
        "EnableBatchedOperations",
        SettingKind::Bool,
        "Whether the service writes several operations to its store at once. Default true.",
    ),
    setting(
        MAX_SIZE,
        SettingKind::Integer,
        "How much the queue may hold, dead letters included, in MiB: 1024, 2048, 3072, 4096 or 5120; on Premium any multiple of 1024 up to 81920. Sending fails when it is full.",
    ),
    setting(
        AUTO_DELETE_ON_IDLE,
        SettingKind::Duration,
        "The queue removes itself, with its messages, after this long without use; at least 5m. Default never. Not on Basic.",
    ),
    setting(
        "DeadLetteringOnMessageExpiration",
        SettingKind::Bool,
        "Whether a message whose retention has ended becomes a dead letter instead of being dropped. Default false.",
    ),
    setting(
        ENABLE_PARTITIONING,
        SettingKind::Bool,
        "Whether the queue is spread over several brokers. Fixed at creation. A Premium namespace decides it for all its queues. Default false.",
    ),
    setting(
        ENABLE_EXPRESS,
        SettingKind::Bool,
        "Whether messages are kept in memory for a while before they are stored. Standard only. Default false.",
    ),
    setting(
        FORWARD_TO,
        SettingKind::Text,
        "The queue or topic of the namespace that every message is passed on to; it must be there. Not on Basic, and not with `ordering: per-key`.",
    ),
    setting(
        "Status",
        SettingKind::OneOf(STATUSES),
        "Whether messages may be sent and received: Active, Disabled, SendDisabled or ReceiveDisabled. Default Active.",
    ),
];

/// A native attribute as it is written, and how the tier holds it.
pub(crate) struct Native {
    /// Left out where the tier has nothing like it.
    pub(crate) attribute: Option<NativeAttribute>,
    pub(crate) verdict: Verdict,
}

/// Reads one native key. The error says what is wrong with it.
pub(crate) fn read(
    name: &str,
    json: &Json,
    tier: Tier,
    ordering: Ordering,
) -> Result<Native, String> {
    let info = NATIVE
        .iter()
        .find(|info| info.name == name)
        .ok_or_else(|| match covered_by(name) {
            Some(attribute) => format!("say it with `{attribute}`, which works on every cloud"),
            None => "a queue has no such element".to_owned(),
        })?;
    let value = value(info, json)?;
    let (hold, source) = judge(name, &value, tier, ordering);
    let fits = hold == Hold::Exact;
    let path = format!("native.{name}");
    let attribute = NativeAttribute::new(name, value.clone()).holding(path.clone());
    let attribute = if name == ENABLE_PARTITIONING {
        attribute.immutable()
    } else {
        attribute
    };
    Ok(Native {
        attribute: fits.then_some(attribute),
        verdict: Verdict::new(path, value.to_string(), Origin::File, hold).with_source(source),
    })
}

/// The file's attribute for an element that has one.
fn covered_by(name: &str) -> Option<&'static str> {
    Some(match name {
        elements::LOCK_DURATION => "visibility_timeout",
        elements::TIME_TO_LIVE => "retention",
        elements::MAX_DELIVERY_COUNT => "dead_letter.max_deliveries",
        elements::REQUIRES_SESSION => "ordering",
        elements::REQUIRES_DUPLICATE_DETECTION | elements::DUPLICATE_WINDOW => "deduplication",
        elements::FORWARD_DEAD_LETTERS_TO => "dead_letter.queue",
        elements::MAX_MESSAGE_SIZE => "max_message_size",
        elements::USER_METADATA => "labels",
        _ => return None,
    })
}

fn value(info: &SettingInfo, json: &Json) -> Result<Value, String> {
    match (info.kind, json) {
        (SettingKind::Bool, Json::Bool(flag)) => Ok(Value::Bool(*flag)),
        (SettingKind::Bool, _) => Err("write true or false".to_owned()),
        (SettingKind::Integer, json) => json
            .as_i64()
            .map(Value::Integer)
            .ok_or_else(|| "write a whole number".to_owned()),
        (SettingKind::Duration, Json::String(text)) => units::parse_duration(text)
            .map(Value::Duration)
            .map_err(|error| error.to_string()),
        (SettingKind::Duration, _) => Err("write a duration, as in `1h`".to_owned()),
        (SettingKind::OneOf(words), Json::String(text)) if words.contains(&text.as_str()) => {
            Ok(Value::text(text))
        }
        (SettingKind::OneOf(words), _) => Err(format!("write one of {}", words.join(", "))),
        (SettingKind::Text | SettingKind::Digits, Json::String(text)) => {
            Ok(Value::Text(elements::entity_path(text)))
        }
        (SettingKind::Text | SettingKind::Digits, _) => Err("write a name".to_owned()),
    }
}

fn judge(name: &str, value: &Value, tier: Tier, ordering: Ordering) -> (Hold, &'static str) {
    let unsupported = |why: String| Hold::Unsupported { why };
    match (name, value) {
        (MAX_SIZE, Value::Integer(size)) => {
            let most = if tier == Tier::Premium { 81_920 } else { 5120 };
            let fits = (1024..=most).contains(size) && size % 1024 == 0;
            let hold = if fits {
                Hold::Exact
            } else {
                unsupported(format!(
                    "the {} tier takes multiples of 1024 up to {most}",
                    tier.name()
                ))
            };
            (hold, facts::QUOTAS)
        }
        (AUTO_DELETE_ON_IDLE, Value::Duration(idle)) if *idle < facts::IDLE_MIN => (
            unsupported("the service takes 5m or longer".to_owned()),
            facts::EXPIRATION,
        ),
        (AUTO_DELETE_ON_IDLE | FORWARD_TO | ENABLE_EXPRESS, _) if tier == Tier::Basic => (
            unsupported("the Basic tier has nothing like it".to_owned()),
            facts::TIERS,
        ),
        (ENABLE_EXPRESS, Value::Bool(true)) if tier == Tier::Premium => (
            unsupported("the Premium tier has nothing like it".to_owned()),
            facts::TIERS,
        ),
        (ENABLE_PARTITIONING, _) if tier == Tier::Premium => (
            unsupported("a Premium namespace decides it for all its queues".to_owned()),
            facts::PARTITIONS,
        ),
        (FORWARD_TO, _) if ordering == Ordering::PerKey => (
            unsupported("a queue with sessions cannot pass its messages on".to_owned()),
            facts::FORWARDING,
        ),
        (FORWARD_TO, _) => (Hold::Exact, facts::FORWARDING),
        _ => (Hold::Exact, facts::QUOTAS),
    }
}
