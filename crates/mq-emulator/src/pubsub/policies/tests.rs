//! Policies with their etags, masks and conditions.

use std::sync::Arc;

use googleapis_tonic_google_iam_v1::google::iam::v1::{AuditConfig, GetPolicyOptions};
use googleapis_tonic_google_iam_v1::google::r#type::Expr;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    DeleteTopicRequest, Subscription, Topic, UpdateTopicRequest,
};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::*;
use crate::clock::ClockMode;
use crate::quirks::Quirks;
use crate::shared::Shared;

const TOPIC: &str = "projects/p/topics/orders-dlq";
const SUBSCRIPTION: &str = "projects/p/subscriptions/orders-sub";
const AGENT: &str = "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com";

fn service(quirks: Quirks) -> PubSub {
    service_of(Shared::new(quirks, 1))
}

fn service_of(shared: Shared) -> PubSub {
    let pubsub = PubSub::new(
        Arc::new(shared),
        Scope {
            project_number: 4711,
        },
        CancellationToken::new(),
    );
    make_topic(&pubsub);
    let subscription = Subscription {
        name: SUBSCRIPTION.to_owned(),
        topic: TOPIC.to_owned(),
        ..Subscription::default()
    };
    pubsub.create_subscription(subscription).unwrap();
    pubsub
}

fn make_topic(pubsub: &PubSub) {
    pubsub
        .create_topic(Topic {
            name: TOPIC.to_owned(),
            ..Topic::default()
        })
        .unwrap();
}

fn get(pubsub: &PubSub, resource: &str, requested_policy_version: i32) -> Policy {
    let options = Some(GetPolicyOptions {
        requested_policy_version,
    });
    let request = GetIamPolicyRequest {
        resource: resource.to_owned(),
        options,
    };
    pubsub.get_iam_policy(request).unwrap()
}

fn set(pubsub: &PubSub, resource: &str, policy: Policy) -> Result<Policy, Status> {
    pubsub.set_iam_policy(SetIamPolicyRequest {
        resource: resource.to_owned(),
        policy: Some(policy),
        update_mask: None,
    })
}

fn binding(role: &str, members: &[&str]) -> Binding {
    let members = members.iter().map(|member| (*member).to_owned()).collect();
    Binding {
        role: role.to_owned(),
        members,
        condition: None,
    }
}

fn policy(bindings: Vec<Binding>) -> Policy {
    Policy {
        bindings,
        ..Policy::default()
    }
}

#[test]
fn a_policy_starts_empty_and_is_kept_by_topics_and_subscriptions_apart() {
    let pubsub = service(Quirks::default());
    assert!(get(&pubsub, TOPIC, 0).bindings.is_empty());
    let publisher = vec![binding("roles/pubsub.publisher", &[AGENT])];
    let answer = set(&pubsub, TOPIC, policy(publisher.clone())).unwrap();
    assert_eq!((&answer.bindings, answer.version), (&publisher, 1));
    assert_eq!(get(&pubsub, TOPIC, 0), answer);
    assert!(get(&pubsub, SUBSCRIPTION, 0).bindings.is_empty());
}

#[test]
fn a_stale_etag_aborts_and_no_etag_overwrites() {
    let pubsub = service(Quirks::default());
    let first = get(&pubsub, TOPIC, 0);
    assert!(!first.etag.is_empty());
    let mine = Policy {
        etag: first.etag.clone(),
        ..policy(vec![binding(
            "roles/pubsub.viewer",
            &["user:me@example.com"],
        )])
    };
    let second = set(&pubsub, TOPIC, mine.clone()).unwrap();
    assert_ne!(second.etag, first.etag);
    assert_eq!(set(&pubsub, TOPIC, mine).unwrap_err().code(), Code::Aborted);
    assert_eq!(get(&pubsub, TOPIC, 0), second);
    let third = set(&pubsub, TOPIC, Policy::default()).unwrap();
    assert!(third.bindings.is_empty());
    assert_ne!(third.etag, second.etag);
}

#[test]
fn the_etag_is_the_policy_s_alone_and_the_policy_goes_with_its_resource() {
    let pubsub = service(Quirks::default());
    let before = set(
        &pubsub,
        TOPIC,
        policy(vec![binding("roles/pubsub.viewer", &["allUsers"])]),
    )
    .unwrap();
    let topic = Topic {
        name: TOPIC.to_owned(),
        labels: [("team".to_owned(), "a".to_owned())].into(),
        ..Topic::default()
    };
    let update_mask = Some(FieldMask {
        paths: vec!["labels".to_owned()],
    });
    pubsub
        .update_topic(UpdateTopicRequest {
            topic: Some(topic),
            update_mask,
        })
        .unwrap();
    assert_eq!(get(&pubsub, TOPIC, 0), before);

    pubsub
        .delete_topic(DeleteTopicRequest {
            topic: TOPIC.to_owned(),
        })
        .unwrap();
    make_topic(&pubsub);
    assert!(get(&pubsub, TOPIC, 0).bindings.is_empty());
}

#[test]
fn the_etag_of_an_earlier_resource_is_stale_also_where_time_stands_still() {
    let shared = Shared::new(Quirks::default(), 1).with_clock(ClockMode::Manual);
    let pubsub = service_of(shared);
    let before = get(&pubsub, TOPIC, 0);
    pubsub
        .delete_topic(DeleteTopicRequest {
            topic: TOPIC.to_owned(),
        })
        .unwrap();
    make_topic(&pubsub);
    let refused = set(&pubsub, TOPIC, before).unwrap_err();
    assert_eq!(refused.code(), Code::Aborted);
}

#[test]
fn bindings_of_one_role_become_one() {
    let pubsub = service(Quirks::default());
    let given = policy(vec![
        binding("roles/pubsub.viewer", &["user:b@x", "user:a@x"]),
        binding("roles/pubsub.editor", &["user:c@x"]),
        binding("roles/pubsub.viewer", &["user:a@x"]),
    ]);
    let kept = set(&pubsub, TOPIC, given).unwrap();
    let merged = vec![
        binding("roles/pubsub.viewer", &["user:a@x", "user:b@x"]),
        binding("roles/pubsub.editor", &["user:c@x"]),
    ];
    assert_eq!(kept.bindings, merged);
}

#[test]
fn a_condition_needs_version_3_to_be_set_and_to_be_seen() {
    let pubsub = service(Quirks::default());
    let condition = Some(Expr {
        expression: "request.time < x".to_owned(),
        ..Expr::default()
    });
    let conditional = Binding {
        condition,
        ..binding("roles/pubsub.viewer", &["user:a@x"])
    };
    let given = policy(vec![
        binding("roles/pubsub.viewer", &["user:a@x"]),
        conditional,
    ]);
    let refused = set(&pubsub, TOPIC, given.clone()).unwrap_err();
    assert!(
        refused.message().contains("version 3"),
        "{}",
        refused.message()
    );
    set(
        &pubsub,
        TOPIC,
        Policy {
            version: 3,
            ..given.clone()
        },
    )
    .unwrap();

    let whole = get(&pubsub, TOPIC, 3);
    assert_eq!((&whole.bindings, whole.version), (&given.bindings, 3));
    let reduced = get(&pubsub, TOPIC, 1);
    assert_eq!(reduced.version, 1);
    assert_eq!(reduced.bindings[0], given.bindings[0]);
    assert!(
        reduced.bindings[1]
            .role
            .starts_with("roles/pubsub.viewer_withcond_")
    );
    assert_eq!(reduced.bindings[1].condition, None);
    // Writing back what was read without its condition would lose it.
    assert_eq!(
        set(&pubsub, TOPIC, reduced).unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[test]
fn a_mask_must_name_the_bindings_and_nothing_unknown() {
    let pubsub = service(Quirks::default());
    let masked = |paths: &[&str]| {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        pubsub.set_iam_policy(SetIamPolicyRequest {
            resource: TOPIC.to_owned(),
            policy: Some(Policy::default()),
            update_mask: Some(FieldMask { paths }),
        })
    };
    for good in [
        &[][..],
        &["bindings"],
        &["bindings", "etag"],
        &["bindings", "version"],
    ] {
        assert!(masked(good).is_ok(), "{good:?}");
    }
    for bad in [&["etag"][..], &["bindings", "audit_configs"], &["*"]] {
        assert_eq!(
            masked(bad).unwrap_err().code(),
            Code::InvalidArgument,
            "{bad:?}"
        );
    }
}

#[test]
fn what_is_no_policy_is_refused() {
    let pubsub = service(Quirks::default());
    let viewer = "roles/pubsub.viewer";
    let crowd: Vec<String> = (0..=MEMBERS_MAX).map(|n| format!("user:{n}@x")).collect();
    let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
    for bad in [
        policy(vec![binding("pubsub.viewer", &["user:a@x"])]),
        policy(vec![binding("", &["user:a@x"])]),
        policy(vec![binding(viewer, &[])]),
        policy(vec![binding(viewer, &["a@x"])]),
        policy(vec![binding(viewer, &["user:"])]),
        policy(vec![binding(viewer, &["everyone"])]),
        policy(vec![binding(viewer, &crowd)]),
        Policy {
            version: 2,
            ..Policy::default()
        },
    ] {
        let status = set(&pubsub, TOPIC, bad).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{}", status.message());
    }
    let audited = Policy {
        audit_configs: vec![AuditConfig::default()],
        ..Policy::default()
    };
    assert_eq!(
        set(&pubsub, TOPIC, audited).unwrap_err().code(),
        Code::Unimplemented
    );
    for (resource, code) in [
        ("projects/p/topics/missing", Code::NotFound),
        ("projects/p/subscriptions/missing", Code::NotFound),
        ("projects/p/snapshots/any", Code::Unimplemented),
        ("projects/p/schemas/any", Code::Unimplemented),
        ("projects/p", Code::InvalidArgument),
        ("", Code::InvalidArgument),
    ] {
        let refused = set(&pubsub, resource, Policy::default()).unwrap_err();
        assert_eq!(refused.code(), code, "{resource}");
    }
    assert!(get(&pubsub, TOPIC, 0).bindings.is_empty());
}

#[test]
fn under_the_quirk_a_grant_to_another_project_s_agent_is_refused() {
    let other = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com";
    let grant = |member| policy(vec![binding("roles/pubsub.publisher", &[member])]);
    set(&service(Quirks::default()), TOPIC, grant(other)).unwrap();

    let strict = service(Quirks {
        pubsub_iam_required: true,
        ..Quirks::default()
    });
    let refused = set(&strict, TOPIC, grant(other)).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(
        refused.message().contains("service-4711@"),
        "{}",
        refused.message()
    );
    set(&strict, TOPIC, grant(AGENT)).unwrap();
    set(
        &strict,
        TOPIC,
        grant("serviceAccount:app@p.iam.gserviceaccount.com"),
    )
    .unwrap();
}

#[test]
fn permissions_are_held_on_what_is_there() {
    let pubsub = service(Quirks::default());
    let test = |resource: &str, permission: &str| {
        pubsub.test_iam_permissions(TestIamPermissionsRequest {
            resource: resource.to_owned(),
            permissions: vec![permission.to_owned()],
        })
    };
    let publish = "pubsub.topics.publish";
    assert_eq!(test(TOPIC, publish).unwrap().permissions, [publish]);
    assert!(
        test("projects/p/topics/missing", publish)
            .unwrap()
            .permissions
            .is_empty()
    );
    for bad in ["pubsub.*", "pubsub.topics.*", "publish", ""] {
        assert_eq!(
            test(TOPIC, bad).unwrap_err().code(),
            Code::InvalidArgument,
            "{bad}"
        );
    }
}
