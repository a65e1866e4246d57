//! What a topic or subscription may be, and what it becomes where it leaves something open.
//!
//! Bounds and defaults are those told at the fields of
//! <https://cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1>.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    DeadLetterPolicy, ExpirationPolicy, PushConfig, RetryPolicy, Subscription, Topic,
};
use mq_engine::Settings;
use tonic::Status;

use super::json::format_duration;
use super::names;
use super::status::{shown, unimplemented};

const DAY: Duration = Duration::from_hours(24);
const RETENTION: RangeInclusive<Duration> = Duration::from_mins(10)..=DAY.saturating_mul(31);
const RETENTION_DEFAULT: Duration = DAY.saturating_mul(7);
/// The longest is the longest that the type holds, ten thousand years.
const EXPIRATION: RangeInclusive<Duration> = DAY..=Duration::from_secs(315_576_000_000);
const EXPIRATION_DEFAULT: Duration = DAY.saturating_mul(31);
const BACKOFF: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_mins(10);
const BACKOFF_MIN_DEFAULT: Duration = Duration::from_secs(10);
const BACKOFF_MAX_DEFAULT: Duration = Duration::from_mins(10);
const ACK_DEADLINE_SECONDS: RangeInclusive<i32> = 10..=600;
const ACK_DEADLINE_SECONDS_DEFAULT: i32 = 10;
const DELIVERY_ATTEMPTS: RangeInclusive<i32> = 5..=100;
const DELIVERY_ATTEMPTS_DEFAULT: i32 = 5;
const FILTER_BYTES_MAX: usize = 256;
const LABELS_MAX: usize = 64;
const LABEL_CHARS_MAX: usize = 63;

/// A topic as the service keeps it, or why it cannot be.
pub(super) fn topic(topic: Topic) -> Result<(Topic, Settings), Status> {
    topic_features(&topic)?;
    check_labels(&topic.labels)?;
    check_key(&topic.kms_key_name)?;
    if topic
        .message_storage_policy
        .as_ref()
        .is_some_and(|policy| policy.allowed_persistence_regions.is_empty())
    {
        return Err(Status::invalid_argument(
            "message_storage_policy.allowed_persistence_regions must name at least one region",
        ));
    }
    let retention = topic
        .message_retention_duration
        .as_ref()
        .map(|given| duration("message_retention_duration", given, RETENTION))
        .transpose()?;
    // What the service alone sets is ignored in requests.
    let kept = Topic {
        state: 0,
        satisfies_pzs: false,
        message_retention_duration: retention.map(proto),
        ..topic
    };
    Ok((
        kept,
        Settings {
            retention,
            ..Settings::default()
        },
    ))
}

/// A subscription as the service keeps it, or why it cannot be. Whether the topics that it names
/// are there is for the caller to see.
pub(super) fn subscription(subscription: Subscription) -> Result<(Subscription, Settings), Status> {
    subscription_features(&subscription)?;
    check_labels(&subscription.labels)?;
    let topic = names::topic(&subscription.topic)?;
    let lease_seconds = ack_deadline(subscription.ack_deadline_seconds)?;
    let retention = match &subscription.message_retention_duration {
        Some(given) => duration("message_retention_duration", given, RETENTION)?,
        None => RETENTION_DEFAULT,
    };
    if subscription.filter.len() > FILTER_BYTES_MAX {
        return Err(Status::invalid_argument(format!(
            "filter must not be longer than {FILTER_BYTES_MAX} bytes"
        )));
    }
    let dead_letter = subscription
        .dead_letter_policy
        .as_ref()
        .map(dead_letter_policy)
        .transpose()?;
    let dead_letter_topic = match &dead_letter {
        Some(policy) => Some(names::topic(&policy.dead_letter_topic)?),
        None => None,
    };
    if dead_letter_topic.as_ref() == Some(&topic) {
        return Err(Status::invalid_argument(
            "dead_letter_policy.dead_letter_topic must not be the topic of the subscription itself",
        ));
    }
    let settings = Settings {
        lease: Duration::from_secs(lease_seconds.unsigned_abs().into()),
        retention: Some(retention),
        max_deliveries: dead_letter
            .as_ref()
            .map(|policy| policy.max_delivery_attempts.unsigned_abs()),
        dead_letter: dead_letter_topic,
        ordered: subscription.enable_message_ordering,
        topic: Some(topic),
        ..Settings::default()
    };
    let kept = Subscription {
        push_config: Some(PushConfig::default()),
        ack_deadline_seconds: lease_seconds,
        message_retention_duration: Some(proto(retention)),
        expiration_policy: Some(expiration_policy(subscription.expiration_policy.as_ref())?),
        dead_letter_policy: dead_letter,
        retry_policy: subscription
            .retry_policy
            .as_ref()
            .map(retry_policy)
            .transpose()?,
        state: 0,
        topic_message_retention_duration: None,
        analytics_hub_subscription_info: None,
        ..subscription
    };
    Ok((kept, settings))
}

/// Refuses the features that the emulator does not have, whatever else is in the topic.
pub(super) fn topic_features(topic: &Topic) -> Result<(), Status> {
    refuse(&[
        (
            topic.schema_settings.is_some(),
            "topic schemas (schema_settings)",
        ),
        (
            topic.ingestion_data_source_settings.is_some(),
            "ingestion (ingestion_data_source_settings)",
        ),
        (
            !topic.message_transforms.is_empty(),
            "message transforms (message_transforms)",
        ),
        (!topic.tags.is_empty(), "Resource Manager tags (tags)"),
    ])
}

/// Refuses the features that the emulator does not have, whatever else is in the subscription.
pub(super) fn subscription_features(subscription: &Subscription) -> Result<(), Status> {
    let pushes = subscription
        .push_config
        .as_ref()
        .is_some_and(|config| *config != PushConfig::default());
    refuse(&[
        (pushes, "push subscriptions (push_config)"),
        (
            subscription.bigquery_config.is_some(),
            "BigQuery subscriptions (bigquery_config)",
        ),
        (
            subscription.cloud_storage_config.is_some(),
            "Cloud Storage subscriptions (cloud_storage_config)",
        ),
        (
            subscription.bigtable_config.is_some(),
            "Bigtable subscriptions (bigtable_config)",
        ),
        (
            !subscription.message_transforms.is_empty(),
            "message transforms (message_transforms)",
        ),
        (
            !subscription.tags.is_empty(),
            "Resource Manager tags (tags)",
        ),
    ])
}

/// A duration as protobuf carries it.
pub(super) fn proto(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
    }
}

fn refuse(features: &[(bool, &str)]) -> Result<(), Status> {
    match features.iter().find(|(asked, _)| *asked) {
        Some((_, feature)) => Err(unimplemented(feature)),
        None => Ok(()),
    }
}

fn ack_deadline(seconds: i32) -> Result<i32, Status> {
    in_range(
        "ack_deadline_seconds",
        seconds,
        ACK_DEADLINE_SECONDS,
        ACK_DEADLINE_SECONDS_DEFAULT,
    )
}

fn dead_letter_policy(policy: &DeadLetterPolicy) -> Result<DeadLetterPolicy, Status> {
    let max_delivery_attempts = in_range(
        "dead_letter_policy.max_delivery_attempts",
        policy.max_delivery_attempts,
        DELIVERY_ATTEMPTS,
        DELIVERY_ATTEMPTS_DEFAULT,
    )?;
    Ok(DeadLetterPolicy {
        max_delivery_attempts,
        ..policy.clone()
    })
}

/// Absent means the default; present without a `ttl` means never.
fn expiration_policy(policy: Option<&ExpirationPolicy>) -> Result<ExpirationPolicy, Status> {
    let ttl = match policy {
        None => Some(EXPIRATION_DEFAULT),
        Some(ExpirationPolicy { ttl: None }) => None,
        Some(ExpirationPolicy { ttl: Some(ttl) }) => {
            Some(duration("expiration_policy.ttl", ttl, EXPIRATION)?)
        }
    };
    Ok(ExpirationPolicy {
        ttl: ttl.map(proto),
    })
}

fn retry_policy(policy: &RetryPolicy) -> Result<RetryPolicy, Status> {
    let bound = |field, given: &Option<prost_types::Duration>, default| match given {
        Some(given) => duration(field, given, BACKOFF),
        None => Ok(default),
    };
    let minimum = bound(
        "retry_policy.minimum_backoff",
        &policy.minimum_backoff,
        BACKOFF_MIN_DEFAULT,
    )?;
    let maximum = bound(
        "retry_policy.maximum_backoff",
        &policy.maximum_backoff,
        BACKOFF_MAX_DEFAULT,
    )?;
    if minimum > maximum {
        return Err(Status::invalid_argument(format!(
            "retry_policy.minimum_backoff ({}) must not be longer than retry_policy.maximum_backoff ({})",
            format_duration(&proto(minimum)),
            format_duration(&proto(maximum)),
        )));
    }
    Ok(RetryPolicy {
        minimum_backoff: Some(proto(minimum)),
        maximum_backoff: Some(proto(maximum)),
    })
}

/// A number where 0, protobuf's "not given", means the default.
fn in_range(
    field: &str,
    number: i32,
    range: RangeInclusive<i32>,
    default: i32,
) -> Result<i32, Status> {
    match number {
        0 => Ok(default),
        number if range.contains(&number) => Ok(number),
        number => Err(Status::invalid_argument(format!(
            "{field} must be from {} to {}, or 0 for {default}; it is {number}",
            range.start(),
            range.end()
        ))),
    }
}

fn duration(
    field: &str,
    given: &prost_types::Duration,
    range: RangeInclusive<Duration>,
) -> Result<Duration, Status> {
    let duration = u64::try_from(given.seconds)
        .ok()
        .zip(
            u32::try_from(given.nanos)
                .ok()
                .filter(|nanos| *nanos < 1_000_000_000),
        )
        .map(|(seconds, nanos)| Duration::new(seconds, nanos));
    duration
        .filter(|duration| range.contains(duration))
        .ok_or_else(|| {
            Status::invalid_argument(format!(
                "{field} must be from {}s to {}s; it is {}",
                range.start().as_secs(),
                range.end().as_secs(),
                format_duration(given)
            ))
        })
}

/// Rules: <https://cloud.google.com/pubsub/docs/labels>.
fn check_labels(labels: &HashMap<String, String>) -> Result<(), Status> {
    if labels.len() > LABELS_MAX {
        return Err(Status::invalid_argument(format!(
            "labels must not be more than {LABELS_MAX}; they are {}",
            labels.len()
        )));
    }
    // In order, so that the same request is always refused for the same label.
    let mut labels: Vec<_> = labels.iter().collect();
    labels.sort();
    for (key, value) in labels {
        let fault = |why| Status::invalid_argument(format!("label \"{}\": {why}", shown(key)));
        if !key.starts_with(|first: char| first.is_ascii_lowercase() || international(first)) {
            return Err(fault("a key must start with a lower-case letter"));
        }
        if key.starts_with("goog") {
            return Err(fault("keys that start with \"goog\" are reserved"));
        }
        if !key.chars().chain(value.chars()).all(label_character) {
            return Err(fault(
                "keys and values may hold lower-case letters, digits, '_' and '-' only",
            ));
        }
        if key.chars().count() > LABEL_CHARS_MAX || value.chars().count() > LABEL_CHARS_MAX {
            return Err(fault(
                "keys and values must not be longer than 63 characters",
            ));
        }
    }
    Ok(())
}

fn label_character(letter: char) -> bool {
    letter.is_ascii_lowercase()
        || letter.is_ascii_digit()
        || letter == '_'
        || letter == '-'
        || international(letter)
}

/// Letters outside ASCII are allowed unless they are upper case.
fn international(letter: char) -> bool {
    !letter.is_ascii() && letter.is_alphabetic() && !letter.is_uppercase()
}

fn check_key(key: &str) -> Result<(), Status> {
    let parts: Vec<&str> = key.split('/').collect();
    let words = ["projects", "locations", "keyRings", "cryptoKeys"];
    let well_formed = parts.len() == 8
        && parts
            .chunks(2)
            .zip(words)
            .all(|(pair, word)| pair[0] == word && !pair[1].is_empty());
    if key.is_empty() || well_formed {
        return Ok(());
    }
    Err(Status::invalid_argument(format!(
        "kms_key_name must read projects/*/locations/*/keyRings/*/cryptoKeys/*; it is {}",
        shown(key)
    )))
}

#[cfg(test)]
mod tests {
    use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
        BigQueryConfig, IngestionDataSourceSettings, MessageStoragePolicy, MessageTransform,
        SchemaSettings,
    };
    use tonic::Code;

    use super::*;

    const TOPIC: &str = "projects/p/topics/orders";
    const DEAD: &str = "projects/p/topics/orders-dlq";

    fn seconds(seconds: i64) -> Option<prost_types::Duration> {
        Some(prost_types::Duration { seconds, nanos: 0 })
    }

    fn plain() -> Subscription {
        Subscription {
            topic: TOPIC.to_owned(),
            ..Subscription::default()
        }
    }

    fn dead_letter(topic: &str, max_delivery_attempts: i32) -> Subscription {
        let policy = DeadLetterPolicy {
            dead_letter_topic: topic.to_owned(),
            max_delivery_attempts,
        };
        Subscription {
            dead_letter_policy: Some(policy),
            ..plain()
        }
    }

    fn retry(
        minimum_backoff: Option<prost_types::Duration>,
        maximum_backoff: Option<prost_types::Duration>,
    ) -> Subscription {
        Subscription {
            retry_policy: Some(RetryPolicy {
                minimum_backoff,
                maximum_backoff,
            }),
            ..plain()
        }
    }

    fn label(key: &str, value: &str) -> Topic {
        Topic {
            labels: HashMap::from([(key.to_owned(), value.to_owned())]),
            ..Topic::default()
        }
    }

    #[test]
    fn what_is_left_out_gets_the_documented_default() {
        let (kept, settings) = subscription(plain()).unwrap();
        assert_eq!(kept.ack_deadline_seconds, 10);
        assert_eq!(kept.message_retention_duration, seconds(604_800));
        assert_eq!(
            kept.expiration_policy,
            Some(ExpirationPolicy {
                ttl: seconds(2_678_400)
            })
        );
        assert_eq!(kept.push_config, Some(PushConfig::default()));
        assert_eq!((kept.dead_letter_policy, kept.retry_policy), (None, None));
        assert_eq!(settings.lease, Duration::from_secs(10));
        assert_eq!(settings.retention, Some(Duration::from_secs(604_800)));
        assert_eq!(
            (settings.max_deliveries, settings.dead_letter),
            (None, None)
        );

        let (kept, settings) = subscription(dead_letter(DEAD, 0)).unwrap();
        assert_eq!(kept.dead_letter_policy.unwrap().max_delivery_attempts, 5);
        assert_eq!(settings.max_deliveries, Some(5));
        assert_eq!(settings.dead_letter, Some(names::topic(DEAD).unwrap()));

        let (kept, _) = subscription(retry(None, None)).unwrap();
        assert_eq!(
            kept.retry_policy,
            Some(RetryPolicy {
                minimum_backoff: seconds(10),
                maximum_backoff: seconds(600)
            })
        );

        let never = Subscription {
            expiration_policy: Some(ExpirationPolicy { ttl: None }),
            ..plain()
        };
        assert_eq!(
            subscription(never).unwrap().0.expiration_policy,
            Some(ExpirationPolicy { ttl: None })
        );
        assert_eq!(
            topic(Topic::default())
                .unwrap()
                .0
                .message_retention_duration,
            None
        );
    }

    #[test]
    fn the_bounds_of_a_subscription_are_inside_and_one_beyond_is_refused() {
        let ack = |ack_deadline_seconds| Subscription {
            ack_deadline_seconds,
            ..plain()
        };
        let keep = |s| Subscription {
            message_retention_duration: seconds(s),
            ..plain()
        };
        let expire = |s| Subscription {
            expiration_policy: Some(ExpirationPolicy { ttl: seconds(s) }),
            ..plain()
        };
        let filter = |length| Subscription {
            filter: "x".repeat(length),
            ..plain()
        };
        for good in [
            ack(10),
            ack(600),
            keep(600),
            keep(2_678_400),
            expire(86_400),
            expire(315_576_000_000),
            filter(256),
            dead_letter(DEAD, 5),
            dead_letter(DEAD, 100),
            retry(seconds(0), seconds(0)),
            retry(seconds(600), seconds(600)),
        ] {
            subscription(good.clone()).unwrap_or_else(|status| panic!("{good:?}: {status}"));
        }
        for (bad, field) in [
            (ack(9), "ack_deadline_seconds"),
            (ack(601), "ack_deadline_seconds"),
            (ack(-1), "ack_deadline_seconds"),
            (ack(i32::MIN), "ack_deadline_seconds"),
            (keep(599), "message_retention_duration"),
            (keep(2_678_401), "message_retention_duration"),
            (keep(-600), "message_retention_duration"),
            (keep(i64::MAX), "message_retention_duration"),
            (expire(86_399), "expiration_policy.ttl"),
            (expire(0), "expiration_policy.ttl"),
            (filter(257), "filter"),
            (dead_letter(DEAD, 4), "max_delivery_attempts"),
            (dead_letter(DEAD, 101), "max_delivery_attempts"),
            (
                dead_letter(TOPIC, 5),
                "must not be the topic of the subscription itself",
            ),
            (dead_letter("", 5), "Invalid resource name"),
            (retry(seconds(-1), None), "minimum_backoff"),
            (retry(None, seconds(601)), "maximum_backoff"),
            (retry(seconds(20), seconds(10)), "must not be longer than"),
            (retry(None, seconds(5)), "must not be longer than"),
            (
                Subscription {
                    topic: String::new(),
                    ..plain()
                },
                "Invalid resource name",
            ),
        ] {
            let status = subscription(bad.clone()).unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{bad:?}");
            assert!(status.message().contains(field), "{}", status.message());
        }
    }

    #[test]
    fn a_duration_with_impossible_nanoseconds_is_refused() {
        for nanos in [-1, 1_000_000_000, i32::MAX, i32::MIN] {
            let given = Some(prost_types::Duration {
                seconds: 1_000,
                nanos,
            });
            let bad = Topic {
                message_retention_duration: given,
                ..Topic::default()
            };
            assert_eq!(
                topic(bad).unwrap_err().code(),
                Code::InvalidArgument,
                "{nanos}"
            );
        }
        let half = Some(prost_types::Duration {
            seconds: 1_000,
            nanos: 500_000_000,
        });
        let (kept, settings) = topic(Topic {
            message_retention_duration: half,
            ..Topic::default()
        })
        .unwrap();
        assert_eq!(kept.message_retention_duration, half);
        assert_eq!(settings.retention, Some(Duration::from_millis(1_000_500)));
    }

    #[test]
    fn labels_follow_their_rules() {
        let longest = "k".repeat(63);
        for good in [
            label("team", "inference-2_x"),
            label("mq-stack", ""),
            label(&longest, &longest),
            label("équipe", "ü"),
        ] {
            assert!(topic(good.clone()).is_ok(), "{:?}", good.labels);
        }
        let too_long = "k".repeat(64);
        for bad in [
            label("", "x"),
            label("Team", "x"),
            label("team", "X"),
            label("1team", "x"),
            label("-team", "x"),
            label("team.name", "x"),
            label("team", "a b"),
            label("team", "a/b"),
            label("googteam", "x"),
            label(&too_long, "x"),
            label("team", &too_long),
            label("É", "x"),
            label("team", "🦀"),
        ] {
            assert_eq!(
                topic(bad.clone()).unwrap_err().code(),
                Code::InvalidArgument,
                "{:?}",
                bad.labels
            );
        }
        let many = |count: usize| Topic {
            labels: (0..count)
                .map(|index| (format!("l{index}"), String::new()))
                .collect(),
            ..Topic::default()
        };
        assert!(topic(many(64)).is_ok());
        assert!(topic(many(65)).unwrap_err().message().contains("64"));
    }

    #[test]
    fn a_topic_s_key_and_regions_are_checked() {
        let key = |name: &str| Topic {
            kms_key_name: name.to_owned(),
            ..Topic::default()
        };
        assert!(
            topic(key(
                "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"
            ))
            .is_ok()
        );
        for name in [
            "k",
            "projects/p/locations/l/keyRings/r/cryptoKeys/",
            "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
            "/////////",
        ] {
            assert!(
                topic(key(name))
                    .unwrap_err()
                    .message()
                    .contains("kms_key_name"),
                "{name}"
            );
        }
        let nowhere = Topic {
            message_storage_policy: Some(MessageStoragePolicy::default()),
            ..Topic::default()
        };
        assert!(
            topic(nowhere)
                .unwrap_err()
                .message()
                .contains("at least one region")
        );
    }

    #[test]
    fn features_that_are_not_there_are_unimplemented_by_name() {
        let tags = HashMap::from([("1/env".to_owned(), "prod".to_owned())]);
        for (bad, name) in [
            (
                Topic {
                    schema_settings: Some(SchemaSettings::default()),
                    ..Topic::default()
                },
                "schema_settings",
            ),
            (
                Topic {
                    ingestion_data_source_settings: Some(IngestionDataSourceSettings::default()),
                    ..Topic::default()
                },
                "ingestion_data_source_settings",
            ),
            (
                Topic {
                    message_transforms: vec![MessageTransform::default()],
                    ..Topic::default()
                },
                "message_transforms",
            ),
            (
                Topic {
                    tags: tags.clone(),
                    ..Topic::default()
                },
                "tags",
            ),
        ] {
            let status = topic(bad).unwrap_err();
            assert_eq!(status.code(), Code::Unimplemented);
            assert!(status.message().contains(name), "{}", status.message());
        }
        let push = PushConfig {
            push_endpoint: "https://example.com".to_owned(),
            ..PushConfig::default()
        };
        for (bad, name) in [
            (
                Subscription {
                    push_config: Some(push),
                    ..plain()
                },
                "push_config",
            ),
            (
                Subscription {
                    bigquery_config: Some(BigQueryConfig::default()),
                    ..plain()
                },
                "bigquery_config",
            ),
            (Subscription { tags, ..plain() }, "tags"),
        ] {
            let status = subscription(bad).unwrap_err();
            assert_eq!(status.code(), Code::Unimplemented);
            assert!(status.message().contains(name), "{}", status.message());
        }
    }

    #[test]
    fn what_only_the_service_sets_is_ignored() {
        let given = Subscription {
            state: 2,
            topic_message_retention_duration: seconds(1),
            ..plain()
        };
        let (kept, _) = subscription(given).unwrap();
        assert_eq!(
            (kept.state, kept.topic_message_retention_duration),
            (0, None)
        );
        let (kept, _) = topic(Topic {
            state: 2,
            satisfies_pzs: true,
            ..Topic::default()
        })
        .unwrap();
        assert_eq!((kept.state, kept.satisfies_pzs), (0, false));
    }
}
