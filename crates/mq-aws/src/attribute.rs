//! The attributes of an SQS queue: their names, and how the service spells their values.
//!
//! On the wire every value is a text. Here each has a type, so that two spellings of one meaning
//! are one value.

use std::time::Duration;

use mq_core::Value;
use mq_core::backend::{SettingInfo, SettingKind};
use serde_json::Value as Json;

use crate::limits::KEY_REUSE_SECONDS;
use crate::policy;

/// The service's names for the attributes that this backend knows.
pub(crate) mod key {
    pub(crate) const VISIBILITY_TIMEOUT: &str = "VisibilityTimeout";
    pub(crate) const RETENTION: &str = "MessageRetentionPeriod";
    pub(crate) const RECEIVE_WAIT: &str = "ReceiveMessageWaitTimeSeconds";
    pub(crate) const DELAY: &str = "DelaySeconds";
    pub(crate) const MESSAGE_SIZE: &str = "MaximumMessageSize";
    pub(crate) const FIFO_QUEUE: &str = "FifoQueue";
    pub(crate) const CONTENT_BASED: &str = "ContentBasedDeduplication";
    pub(crate) const DEDUPLICATION_SCOPE: &str = "DeduplicationScope";
    pub(crate) const THROUGHPUT_LIMIT: &str = "FifoThroughputLimit";
    pub(crate) const KMS_KEY: &str = "KmsMasterKeyId";
    pub(crate) const KMS_REUSE: &str = "KmsDataKeyReusePeriodSeconds";
    pub(crate) const MANAGED_SSE: &str = "SqsManagedSseEnabled";
    pub(crate) const POLICY: &str = "Policy";
    pub(crate) const REDRIVE_POLICY: &str = "RedrivePolicy";
    /// A part of `RedrivePolicy`, compared on its own.
    pub(crate) const REDRIVE_TARGET: &str = "RedrivePolicy.deadLetterTargetArn";
    /// A part of `RedrivePolicy`, compared on its own.
    pub(crate) const REDRIVE_COUNT: &str = "RedrivePolicy.maxReceiveCount";
    pub(crate) const REDRIVE_ALLOW: &str = "RedriveAllowPolicy";
    /// Not an attribute of the service but its tags, ours apart.
    pub(crate) const TAGS: &str = "Tags";
    pub(crate) const ARN: &str = "QueueArn";
}

/// Native attributes that `overrides` may state.
pub(crate) const NATIVE: &[SettingInfo] = &[
    SettingInfo {
        name: key::CONTENT_BASED,
        kind: SettingKind::Bool,
        doc: "FIFO only: the SHA-256 of the body is the deduplication id of a message that comes \
              without one. `deduplication.by: content` states it for all clouds.",
    },
    SettingInfo {
        name: key::DEDUPLICATION_SCOPE,
        kind: SettingKind::OneOf(&["messageGroup", "queue"]),
        doc: "FIFO only: whether duplicates are told within a message group or the whole queue. \
              The service's default is `queue`.",
    },
    SettingInfo {
        name: key::THROUGHPUT_LIMIT,
        kind: SettingKind::OneOf(&["perQueue", "perMessageGroupId"]),
        doc: "FIFO only: what the throughput quota counts. `perMessageGroupId` is the high \
              throughput mode and needs `DeduplicationScope: messageGroup`.",
    },
    SettingInfo {
        name: key::KMS_REUSE,
        kind: SettingKind::Integer,
        doc: "For how many seconds, 60 to 86400, a data key is used before KMS is asked again. \
              Means something only with `encryption.key`; the service's default is 300.",
    },
    SettingInfo {
        name: key::MANAGED_SSE,
        kind: SettingKind::Bool,
        doc: "Encryption with keys that SQS itself holds. `encryption` without a key states it \
              for all clouds; `false` turns encryption off.",
    },
    SettingInfo {
        name: key::POLICY,
        kind: SettingKind::Text,
        doc: "The queue's access policy as JSON. Compared by meaning: order, one element against \
              a list of one, and an account against its root ARN make no difference.",
    },
    SettingInfo {
        name: key::REDRIVE_ALLOW,
        kind: SettingKind::Text,
        doc: "Which queues may use this one for their dead letters, as JSON. `mq` writes it for \
              the dead-letter queues of the file.",
    },
];

/// Attributes that only a FIFO queue has.
pub(crate) const FIFO_ONLY: &[&str] = &[
    key::CONTENT_BASED,
    key::DEDUPLICATION_SCOPE,
    key::THROUGHPUT_LIMIT,
];

/// The key of the file that states a native attribute, for those that the file has a key for.
pub(crate) fn portable(native: &str) -> Option<&'static str> {
    Some(match native {
        key::VISIBILITY_TIMEOUT => "visibility_timeout",
        key::RETENTION => "retention",
        key::RECEIVE_WAIT => "receive_wait",
        key::DELAY => "delivery_delay",
        key::MESSAGE_SIZE => "max_message_size",
        key::FIFO_QUEUE => "ordering",
        key::KMS_KEY => "encryption.key",
        key::REDRIVE_POLICY => "dead_letter",
        _ => return None,
    })
}

/// A value as the service tells it; `None` for what is empty or not known here. `RedrivePolicy`,
/// `RedriveAllowPolicy` and tags are read elsewhere.
pub(crate) fn read(name: &str, text: &str) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    // What does not read as it should stays a text: it differs from any wish, and is shown.
    let other = || Value::text(text);
    let whole = |value: fn(u64) -> Value| text.parse().map_or_else(|_| other(), value);
    Some(match name {
        key::VISIBILITY_TIMEOUT
        | key::RETENTION
        | key::RECEIVE_WAIT
        | key::DELAY
        | key::KMS_REUSE => whole(|seconds| Value::Duration(Duration::from_secs(seconds))),
        key::MESSAGE_SIZE => whole(Value::Bytes),
        key::FIFO_QUEUE | key::CONTENT_BASED | key::MANAGED_SSE => text
            .to_ascii_lowercase()
            .parse()
            .map_or_else(|_| other(), Value::Bool),
        key::DEDUPLICATION_SCOPE | key::THROUGHPUT_LIMIT | key::KMS_KEY => other(),
        key::POLICY => {
            serde_json::from_str(text).map_or_else(|_| other(), |document| policy::value(&document))
        }
        _ => return None,
    })
}

/// A value as the service takes it. The empty text takes an attribute away.
pub(crate) fn written(value: &Value) -> String {
    match value {
        Value::Absent | Value::Never => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Duration(duration) => duration.as_secs().to_string(),
        Value::Bytes(bytes) => bytes.to_string(),
        Value::Text(text) => text.clone(),
        Value::Json(document) => document.to_string(),
        // Only tags and allowed sources are maps, and both are written elsewhere.
        Value::Map(entries) => serde_json::json!(entries).to_string(),
    }
}

/// A native attribute's value as the file states it.
///
/// # Errors
/// What the attribute takes instead, as a sentence's end.
pub(crate) fn native(info: &SettingInfo, stated: &Json) -> Result<Value, String> {
    match (info.name, info.kind, stated) {
        (key::POLICY, _, _) => Ok(policy::value(&document(stated)?)),
        (key::REDRIVE_ALLOW, _, _) => Ok(crate::redrive::allow_document(&document(stated)?)),
        (key::KMS_REUSE, _, _) => stated
            .as_u64()
            .filter(|seconds| KEY_REUSE_SECONDS.contains(seconds))
            .map(|seconds| Value::Duration(Duration::from_secs(seconds)))
            .ok_or_else(|| "it takes whole seconds, 60 to 86400".to_owned()),
        (_, SettingKind::Bool, Json::Bool(flag)) => Ok(Value::Bool(*flag)),
        (_, SettingKind::Bool, _) => Err("it takes `true` or `false`".to_owned()),
        (_, SettingKind::OneOf(words), _) => stated
            .as_str()
            .filter(|word| words.contains(word))
            .map(Value::text)
            .ok_or_else(|| format!("it takes `{}`", words.join("` or `"))),
        (_, _, Json::String(text)) => Ok(Value::text(text)),
        _ => Err("it takes a text".to_owned()),
    }
}

/// A JSON object, as YAML has it or as a text.
fn document(stated: &Json) -> Result<Json, String> {
    let parsed = match stated {
        Json::String(text) => serde_json::from_str(text).ok(),
        other => Some(other.clone()),
    };
    parsed
        .filter(Json::is_object)
        .ok_or_else(|| "it takes a JSON object, as a text or as a mapping".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_reads_as_the_same_value() {
        for (name, value, text) in [
            (
                key::RETENTION,
                Value::Duration(Duration::from_secs(60)),
                "60",
            ),
            (key::MESSAGE_SIZE, Value::Bytes(1_024), "1024"),
            (key::FIFO_QUEUE, Value::Bool(true), "true"),
            (key::THROUGHPUT_LIMIT, Value::text("perQueue"), "perQueue"),
            (key::KMS_KEY, Value::text("alias/a"), "alias/a"),
        ] {
            assert_eq!(written(&value), text);
            assert_eq!(read(name, text), Some(value), "{name}");
        }
        assert_eq!(written(&Value::Absent), "");
        assert_eq!(read(key::POLICY, ""), None);
        assert_eq!(read("SomethingNew", "1"), None);
        assert_eq!(read(key::RETENTION, "soon"), Some(Value::text("soon")));
    }

    #[test]
    fn a_native_value_has_its_type() {
        let take = |name: &str, stated: Json| {
            let info = NATIVE.iter().find(|info| info.name == name).expect(name);
            native(info, &stated)
        };
        assert_eq!(take(key::MANAGED_SSE, json!(false)), Ok(Value::Bool(false)));
        assert!(take(key::MANAGED_SSE, json!("false")).is_err());
        assert!(take(key::DEDUPLICATION_SCOPE, json!("group")).is_err());
        assert!(take(key::KMS_REUSE, json!(59)).is_err());
        assert!(take(key::KMS_REUSE, json!("300")).is_err());
        assert!(take(key::POLICY, json!("{")).is_err());
        assert!(take(key::POLICY, json!([])).is_err());
        assert_eq!(
            take(key::POLICY, json!({"Version": "2012-10-17"})),
            take(key::POLICY, json!("{\"Version\":\"2012-10-17\"}"))
        );
    }

    #[test]
    fn no_native_attribute_is_one_that_the_file_has_a_key_for() {
        for info in NATIVE {
            assert_eq!(portable(info.name), None, "{}", info.name);
        }
    }
}
