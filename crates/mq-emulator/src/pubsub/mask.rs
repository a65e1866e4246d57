//! Update masks: which fields may change, and how a change is laid over what is kept.

use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{Snapshot, Subscription, Topic};
use prost_types::FieldMask;
use serde_json::{Map, Value};
use tonic::Status;

use super::json::{self, Enums, Message, camel_case};
use super::status::shown;

/// A message of which parts can be updated.
pub(super) trait Masked: Message {
    /// The fields that may change, each with the fields inside it that a mask may name alone.
    const MUTABLE: &'static [(&'static str, &'static [&'static str])];
    /// The fields that are set at creation or by the service.
    const FIXED: &'static [&'static str];
}

impl Masked for Topic {
    const MUTABLE: &'static [(&'static str, &'static [&'static str])] = &[
        ("labels", &[]),
        (
            "message_storage_policy",
            &["allowed_persistence_regions", "enforce_in_transit"],
        ),
        ("kms_key_name", &[]),
        ("schema_settings", &[]),
        ("message_retention_duration", &[]),
        ("ingestion_data_source_settings", &[]),
        ("message_transforms", &[]),
    ];
    const FIXED: &'static [&'static str] = &["name", "tags", "state", "satisfies_pzs"];
}

impl Masked for Subscription {
    const MUTABLE: &'static [(&'static str, &'static [&'static str])] = &[
        ("push_config", &[]),
        ("bigquery_config", &[]),
        ("cloud_storage_config", &[]),
        ("bigtable_config", &[]),
        ("ack_deadline_seconds", &[]),
        ("retain_acked_messages", &[]),
        ("message_retention_duration", &[]),
        ("labels", &[]),
        ("expiration_policy", &["ttl"]),
        (
            "dead_letter_policy",
            &["dead_letter_topic", "max_delivery_attempts"],
        ),
        ("retry_policy", &["minimum_backoff", "maximum_backoff"]),
        ("enable_exactly_once_delivery", &[]),
        ("message_transforms", &[]),
    ];
    const FIXED: &'static [&'static str] = &[
        "name",
        "topic",
        "filter",
        "enable_message_ordering",
        "tags",
        "detached",
        "state",
        "topic_message_retention_duration",
        "analytics_hub_subscription_info",
    ];
}

impl Masked for Snapshot {
    const MUTABLE: &'static [(&'static str, &'static [&'static str])] =
        &[("labels", &[]), ("expire_time", &[])];
    const FIXED: &'static [&'static str] = &["name", "topic"];
}

/// The mask's paths, when it has some and all can be updated.
pub(super) fn check<M: Masked>(mask: Option<FieldMask>) -> Result<Vec<String>, Status> {
    let paths = mask.unwrap_or_default().paths;
    if paths.is_empty() {
        return Err(Status::invalid_argument(
            "The update_mask must be specified and name at least one field.",
        ));
    }
    for path in &paths {
        let (field, inner) = path
            .split_once('.')
            .map_or((path.as_str(), None), |(field, inner)| (field, Some(inner)));
        let known = M::MUTABLE.iter().find(|(name, _)| *name == field);
        if known.is_some_and(|(_, parts)| inner.is_none_or(|inner| parts.contains(&inner))) {
            continue;
        }
        let why = if M::FIXED.contains(&field) {
            "which cannot be updated"
        } else {
            "which is not a known field"
        };
        return Err(Status::invalid_argument(format!(
            "Invalid update_mask: it names \"{}\", {why}.",
            shown(path)
        )));
    }
    Ok(paths)
}

/// Lays the masked fields of `change` over what is kept. A masked field that the change leaves
/// out goes back to its default.
pub(super) fn merge<M: Masked>(kept: &M, change: &M, paths: &[String]) -> Result<M, Status> {
    // In the JSON form a default is a missing field, and a path is a way through objects.
    let mut kept = kept.write_to(Enums::Names);
    let change = change.write_to(Enums::Names);
    for path in paths {
        match path.split_once('.') {
            None => copy(&change, &mut kept, &camel_case(path)),
            Some((field, inner)) => {
                let nothing = Map::new();
                let from = change
                    .get(&camel_case(field))
                    .and_then(Value::as_object)
                    .unwrap_or(&nothing);
                let to = kept
                    .entry(camel_case(field))
                    .or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(to) = to {
                    copy(from, to, &camel_case(inner));
                }
            }
        }
    }
    json::read(Value::Object(kept), "")
}

fn copy(from: &Map<String, Value>, to: &mut Map<String, Value>, field: &str) {
    match from.get(field) {
        Some(value) => {
            to.insert(field.to_owned(), value.clone());
        }
        None => {
            to.shift_remove(field);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
        DeadLetterPolicy, ExpirationPolicy,
    };
    use prost_types::Duration;

    use super::*;

    fn mask(paths: &[&str]) -> Option<FieldMask> {
        Some(FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        })
    }

    #[test]
    fn a_mask_names_fields_that_can_change() {
        assert_eq!(
            check::<Topic>(mask(&["labels", "kms_key_name"])).unwrap(),
            ["labels", "kms_key_name"]
        );
        assert!(check::<Subscription>(mask(&["expiration_policy.ttl"])).is_ok());
        for (paths, why) in [
            (&[][..], "must be specified"),
            (&["filter"], "\"filter\", which cannot be updated"),
            (&["enable_message_ordering"], "cannot be updated"),
            (&["topic"], "cannot be updated"),
            (&["name"], "cannot be updated"),
            (
                &["labels", "detached"],
                "\"detached\", which cannot be updated",
            ),
            (&["labls"], "\"labls\", which is not a known field"),
            (&["labels.team"], "not a known field"),
            (&["expiration_policy.ttl.seconds"], "not a known field"),
            (&["*"], "not a known field"),
            (&[""], "not a known field"),
            (&["."], "not a known field"),
        ] {
            let status = check::<Subscription>(mask(paths)).unwrap_err();
            assert_eq!(status.code(), tonic::Code::InvalidArgument);
            assert!(
                status.message().contains(why),
                "{paths:?}: {}",
                status.message()
            );
        }
        assert!(check::<Topic>(None).is_err());
    }

    #[test]
    fn every_field_of_the_message_is_either_mutable_or_fixed() {
        fn fields<M: Masked>() -> BTreeSet<&'static str> {
            let all: Vec<&str> = M::MUTABLE
                .iter()
                .map(|(field, _)| *field)
                .chain(M::FIXED.iter().copied())
                .collect();
            let unique: BTreeSet<&str> = all.iter().copied().collect();
            assert_eq!(unique.len(), all.len());
            unique
        }
        // As many as the messages have in the API.
        assert_eq!(fields::<Topic>().len(), 11);
        assert_eq!(fields::<Subscription>().len(), 22);
    }

    fn kept() -> Subscription {
        let day = Duration {
            seconds: 86_400,
            nanos: 0,
        };
        Subscription {
            name: "projects/p/subscriptions/sub".to_owned(),
            ack_deadline_seconds: 30,
            retain_acked_messages: true,
            labels: HashMap::from([("team".to_owned(), "a".to_owned())]),
            dead_letter_policy: Some(dead_letter("t", 5)),
            expiration_policy: Some(ExpirationPolicy { ttl: Some(day) }),
            ..Subscription::default()
        }
    }

    fn dead_letter(topic: &str, max_delivery_attempts: i32) -> DeadLetterPolicy {
        DeadLetterPolicy {
            dead_letter_topic: topic.to_owned(),
            max_delivery_attempts,
        }
    }

    fn merged(change: &Subscription, path: &str) -> Subscription {
        merge(
            &kept(),
            change,
            &check::<Subscription>(mask(&[path])).unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn a_masked_field_is_taken_over_whole_and_the_rest_stays() {
        let change = Subscription {
            ack_deadline_seconds: 60,
            labels: HashMap::from([("tier".to_owned(), "gold".to_owned())]),
            ..Subscription::default()
        };
        let longer = Subscription {
            ack_deadline_seconds: 60,
            ..kept()
        };
        assert_eq!(merged(&change, "ack_deadline_seconds"), longer);
        let relabelled = Subscription {
            labels: change.labels.clone(),
            ..kept()
        };
        assert_eq!(merged(&change, "labels"), relabelled);
        // What the change leaves out goes to its default.
        let dropping = Subscription {
            retain_acked_messages: false,
            ..kept()
        };
        assert_eq!(merged(&change, "retain_acked_messages"), dropping);
        let by_default = Subscription {
            expiration_policy: None,
            ..kept()
        };
        assert_eq!(merged(&change, "expiration_policy"), by_default);
    }

    #[test]
    fn a_path_inside_a_field_leaves_the_rest_of_the_field() {
        let change = Subscription {
            dead_letter_policy: Some(dead_letter("", 9)),
            ..Subscription::default()
        };
        let patient = Subscription {
            dead_letter_policy: Some(dead_letter("t", 9)),
            ..kept()
        };
        assert_eq!(
            merged(&change, "dead_letter_policy.max_delivery_attempts"),
            patient
        );
        let never = Some(ExpirationPolicy { ttl: None });
        let never = Subscription {
            expiration_policy: never,
            ..kept()
        };
        assert_eq!(merged(&change, "expiration_policy.ttl"), never);
    }
}
