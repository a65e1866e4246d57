//! The two documents that wire a queue to its dead-letter queue: `RedrivePolicy` on the source,
//! `RedriveAllowPolicy` on the dead-letter queue.

use std::collections::BTreeMap;

use mq_core::{Change, Value};
use serde_json::Value as Json;

use crate::attribute::key;
use crate::limits::SOURCES_MAX;

/// How an allowed source is shown.
const ALLOWED: &str = "allowed";
/// Stands for every source.
const EVERY: &str = "*";

/// The parts of a `RedrivePolicy`: the target's ARN, and the count, which the service tells as a
/// number or as a text.
pub(crate) fn read_policy(text: &str) -> (Option<Value>, Option<Value>) {
    let Ok(document) = serde_json::from_str::<Json>(text) else {
        return (None, None);
    };
    let target = document.get("deadLetterTargetArn").and_then(Json::as_str);
    let count = document.get("maxReceiveCount").and_then(|count| {
        count
            .as_i64()
            .or_else(|| count.as_str().and_then(|text| text.parse().ok()))
    });
    (
        target.filter(|arn| !arn.is_empty()).map(Value::text),
        count.map(Value::Integer),
    )
}

/// The whole `RedrivePolicy` after a change that touches a part of it; `None` when it touches
/// none. The part that does not change is what is wanted, or else what is there.
pub(crate) fn policy_after(change: &Change) -> Option<String> {
    let changed = |name: &str| {
        let found = change.attributes.iter().find(|part| part.name == name);
        found.map(|part| &part.to)
    };
    changed(key::REDRIVE_TARGET).or_else(|| changed(key::REDRIVE_COUNT))?;
    let part = |name: &str| {
        let wanted = change
            .resource
            .attributes
            .iter()
            .find(|part| part.name == name);
        let present = change.observed.present.as_ref();
        changed(name)
            .or_else(|| wanted.map(|part| &part.value))
            .or_else(|| present.and_then(|present| present.attributes.get(name)))
    };
    let Some(Value::Text(target)) = part(key::REDRIVE_TARGET) else {
        return Some(String::new());
    };
    let mut document = serde_json::json!({ "deadLetterTargetArn": target });
    if let Some(Value::Integer(count)) = part(key::REDRIVE_COUNT) {
        // The service takes it as a number and as a text, and tells it as a number.
        document["maxReceiveCount"] = (*count).into();
    }
    Some(document.to_string())
}

/// The wish that these sources may use a queue for their dead letters. More than ten cannot be
/// named one by one: then every queue of the account may.
pub(crate) fn allow(sources: impl IntoIterator<Item = String>) -> Value {
    let named: BTreeMap<String, String> = sources
        .into_iter()
        .map(|arn| (arn, ALLOWED.to_owned()))
        .collect();
    Value::Map(if named.len() > SOURCES_MAX {
        BTreeMap::from([(EVERY.to_owned(), ALLOWED.to_owned())])
    } else {
        named
    })
}

/// A `RedriveAllowPolicy` that the file states in the service's own words.
pub(crate) fn allow_document(document: &Json) -> Value {
    let mut document = document.clone();
    if let Some(sources) = document
        .get_mut("sourceQueueArns")
        .and_then(Json::as_array_mut)
    {
        sources.sort_by(|one, two| one.as_str().cmp(&two.as_str()));
        sources.dedup();
    }
    Value::json(&document)
}

/// What a `RedriveAllowPolicy` says, in the form of the wish. Without one, the service lets every
/// queue in.
pub(crate) fn read_allow(text: Option<&str>, wish: Option<&Value>) -> Option<Value> {
    let document = text.and_then(|text| serde_json::from_str::<Json>(text).ok());
    let Some(Value::Map(wanted)) = wish else {
        return document.as_ref().map(allow_document);
    };
    let sources = document.as_ref().and_then(named_sources);
    let permission = document
        .as_ref()
        .and_then(|document| document.get("redrivePermission"))
        .and_then(Json::as_str);
    Some(Value::Map(match (permission, sources) {
        (Some("denyAll"), _) => BTreeMap::new(),
        (Some("byQueue"), sources) => sources.unwrap_or_default(),
        // `allowAll`, or nothing said: every one is allowed, those that are asked for among them.
        _ => {
            let mut every = wanted.clone();
            every.insert(EVERY.to_owned(), ALLOWED.to_owned());
            every
        }
    }))
}

fn named_sources(document: &Json) -> Option<BTreeMap<String, String>> {
    let sources = document.get("sourceQueueArns")?.as_array()?;
    Some(
        sources
            .iter()
            .filter_map(Json::as_str)
            .map(|arn| (arn.to_owned(), ALLOWED.to_owned()))
            .collect(),
    )
}

/// The `RedriveAllowPolicy` that lets in what is wanted, and whatever was let in before.
pub(crate) fn written_allow(wanted: &Value, seen: Option<&Value>) -> String {
    let Value::Map(wanted) = wanted else {
        return crate::attribute::written(wanted);
    };
    let mut sources = wanted.clone();
    if let Some(Value::Map(seen)) = seen {
        sources.extend(seen.clone());
    }
    let document = if sources.contains_key(EVERY) || sources.len() > SOURCES_MAX {
        serde_json::json!({ "redrivePermission": "allowAll" })
    } else {
        let arns: Vec<&String> = sources.keys().collect();
        serde_json::json!({ "redrivePermission": "byQueue", "sourceQueueArns": arns })
    };
    document.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "arn:aws:sqs:eu-west-1:111122223333:orders";
    const OTHER: &str = "arn:aws:sqs:eu-west-1:111122223333:other";

    fn seen(text: Option<&str>) -> Value {
        read_allow(text, Some(&allow([SOURCE.to_owned()]))).expect("asked for")
    }

    #[test]
    fn a_count_is_a_number_or_a_text() {
        for text in [
            r#"{"deadLetterTargetArn":"a","maxReceiveCount":5}"#,
            r#"{"maxReceiveCount":"5","deadLetterTargetArn":"a"}"#,
        ] {
            assert_eq!(
                read_policy(text),
                (Some(Value::text("a")), Some(Value::Integer(5)))
            );
        }
        for text in [
            "",
            "{}",
            "[",
            r#"{"deadLetterTargetArn":"","maxReceiveCount":"x"}"#,
        ] {
            assert_eq!(read_policy(text), (None, None), "{text}");
        }
    }

    #[test]
    fn the_sources_are_allowed_by_name_by_all_and_by_silence() {
        let wish = allow([SOURCE.to_owned()]);
        let by_name = format!(
            r#"{{"redrivePermission":"byQueue","sourceQueueArns":["{SOURCE}","{OTHER}"]}}"#
        );
        for allowed in [
            None,
            Some(r#"{"redrivePermission":"allowAll","sourceQueueArns":null}"#),
            Some(by_name.as_str()),
        ] {
            assert!(wish.holds_in(Some(&seen(allowed))), "{allowed:?}");
        }
        let other = format!(r#"{{"redrivePermission":"byQueue","sourceQueueArns":["{OTHER}"]}}"#);
        for refused in [r#"{"redrivePermission":"denyAll"}"#, other.as_str()] {
            assert!(!wish.holds_in(Some(&seen(Some(refused)))), "{refused}");
        }
    }

    #[test]
    fn letting_a_source_in_keeps_those_that_were() {
        let other = format!(r#"{{"redrivePermission":"byQueue","sourceQueueArns":["{OTHER}"]}}"#);
        let wish = allow([SOURCE.to_owned()]);
        assert_eq!(
            written_allow(&wish, Some(&seen(Some(&other)))),
            format!(
                r#"{{"redrivePermission":"byQueue","sourceQueueArns":["{SOURCE}","{OTHER}"]}}"#
            )
        );
        let ten: Vec<String> = (0..10).map(|index| format!("{SOURCE}{index}")).collect();
        assert!(written_allow(&allow(ten.clone()), None).contains("byQueue"));
        assert!(written_allow(&allow(ten.clone()), Some(&wish)).contains("allowAll"));
        let eleven = ten.into_iter().chain([SOURCE.to_owned()]);
        assert!(written_allow(&allow(eleven), None).contains("allowAll"));
    }

    #[test]
    fn a_policy_in_the_services_words_is_compared_without_order_and_nulls() {
        let one = format!(
            r#"{{"redrivePermission":"byQueue","sourceQueueArns":["{OTHER}","{SOURCE}"]}}"#
        );
        let two = format!(
            r#"{{"sourceQueueArns":["{SOURCE}","{OTHER}"],"redrivePermission":"byQueue","x":null}}"#
        );
        let read = |text: &str| read_allow(Some(text), None);
        assert_eq!(read(&one), read(&two));
        assert_eq!(read_allow(None, None), None);
    }
}
