//! An attribute's value, typed so that comparison is by meaning and not by spelling.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units;

/// What a native attribute is, or should be. Two spellings of one meaning (`"5"` and `5`,
/// `3.500s` and `3.5s`, a policy with its keys in another order) are one value: the backend that
/// reads them says so by building the same variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "kebab-case")]
pub enum Value {
    /// Not set: as a wish, "there must be none".
    Absent,
    /// No end: retention or expiry that never comes.
    Never,
    /// A flag.
    Bool(bool),
    /// A count.
    Integer(i64),
    /// A length of time.
    Duration(#[serde(with = "duration_text")] Duration),
    /// A size in bytes.
    Bytes(u64),
    /// A name or any other text.
    Text(String),
    /// Labels. As a wish, these entries and whatever others are there.
    Map(BTreeMap<String, String>),
    /// A document whose order of keys means nothing (an access policy). Build it through
    /// [`Value::json`], which also drops nulls.
    Json(Box<serde_json::Value>),
}

impl Value {
    /// A document, canonical: object keys sorted, entries that are null dropped.
    #[must_use]
    pub fn json(document: &serde_json::Value) -> Self {
        Value::Json(Box::new(canonical(document)))
    }

    /// A text value.
    pub fn text(text: impl Into<String>) -> Self {
        Value::Text(text.into())
    }

    /// Whether a resource that has `observed` already is as this wish says.
    #[must_use]
    pub fn holds_in(&self, observed: Option<&Value>) -> bool {
        match (self, observed) {
            (Value::Absent, None | Some(Value::Absent)) => true,
            (Value::Map(wanted), Some(Value::Map(seen))) => wanted
                .iter()
                .all(|(key, value)| seen.get(key) == Some(value)),
            (Value::Map(wanted), None) => wanted.is_empty(),
            (wanted, Some(seen)) => wanted == seen,
            (_, None) => false,
        }
    }
}

fn canonical(document: &serde_json::Value) -> serde_json::Value {
    match document {
        serde_json::Value::Object(entries) => {
            let sorted: BTreeMap<_, _> = entries
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), canonical(value)))
                .collect();
            serde_json::Value::Object(sorted.into_iter().collect())
        }
        serde_json::Value::Array(items) => {
            serde_json::Value::Array(items.iter().map(canonical).collect())
        }
        other => other.clone(),
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Absent => f.write_str("none"),
            Value::Never => f.write_str("never"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Integer(value) => write!(f, "{value}"),
            Value::Duration(value) => f.write_str(&units::duration(*value)),
            Value::Bytes(value) => f.write_str(&units::size(*value)),
            Value::Text(value) => write!(f, "{value:?}"),
            Value::Map(entries) => {
                f.write_str("{")?;
                for (index, (key, value)) in entries.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{key}: {value:?}")?;
                }
                f.write_str("}")
            }
            Value::Json(document) => write!(f, "{document}"),
        }
    }
}

/// Durations in machine-read output: the file's own form, to the millisecond.
mod duration_text {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        value: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&crate::units::duration(*value))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        crate::units::parse_duration(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_equal_whatever_the_order_of_its_keys_and_its_nulls() {
        let one: serde_json::Value =
            serde_json::from_str(r#"{"b":1,"a":{"y":null,"x":2}}"#).expect("json");
        let two: serde_json::Value = serde_json::from_str(r#"{"a":{"x":2},"b":1}"#).expect("json");
        assert_eq!(Value::json(&one), Value::json(&two));
    }

    #[test]
    fn labels_hold_when_they_are_among_others() {
        let map = |pairs: &[(&str, &str)]| {
            Value::Map(
                pairs
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                    .collect(),
            )
        };
        let seen = map(&[("team", "a"), ("other", "b")]);
        assert!(map(&[("team", "a")]).holds_in(Some(&seen)));
        assert!(!map(&[("team", "b")]).holds_in(Some(&seen)));
        assert!(map(&[]).holds_in(None));
        assert!(Value::Absent.holds_in(None));
        assert!(!Value::Never.holds_in(None));
    }
}
