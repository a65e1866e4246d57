//! Bounds, defaults and refusals of topics and subscriptions.

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
    let filter = |length: usize| Subscription {
        filter: format!("attributes:{}", "x".repeat(length - 11)),
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
