use mq_core::plan::{PlanOptions, diff};
use mq_core::queue::{DeadLetterTarget, Stated};
use mq_core::resource::{Part, Present};
use mq_core::{Observed, ResolvedQueue, Resource};

use super::*;
use crate::lower::lower;
use crate::samples::{dead_letter, queue, scope};

fn resource(queue: &ResolvedQueue, part: Part) -> Resource {
    let resources = lower(queue, &scope()).resources;
    let found = resources.into_iter().find(|resource| resource.part == part);
    found.expect("a resource of that part")
}

/// The change of a queue that has these attributes.
fn change_from(queue: &ResolvedQueue, part: Part, seen: &[(&str, Value)]) -> Change {
    let resource = resource(queue, part);
    let present = Present {
        attributes: seen
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        marker: resource.marker.clone(),
        ..Present::default()
    };
    let observed = Observed {
        id: resource.id.clone(),
        present: Some(present),
    };
    diff(
        resource,
        observed,
        &queue.owner,
        false,
        &PlanOptions::default(),
    )
}

fn written(change: &Change) -> BTreeMap<String, String> {
    attributes(change)
        .into_iter()
        .map(|(name, text)| (name.as_str().to_owned(), text))
        .collect()
}

fn with_dead_letter(max_deliveries: u32) -> ResolvedQueue {
    let mut queue = queue("orders");
    queue.attributes.dead_letter = Some(dead_letter(max_deliveries, DeadLetterTarget::Own));
    queue
}

const OWN: &str = "arn:aws:sqs:eu-west-1:111122223333:orders-dlq";

#[test]
fn a_new_queue_is_made_with_everything_at_once() {
    let queue = with_dead_letter(5);
    let create = |part| {
        let resource = resource(&queue, part);
        let absent = Observed::absent(resource.id.clone());
        let options = PlanOptions::default();
        written(&diff(resource, absent, &queue.owner, false, &options))
    };
    insta::assert_debug_snapshot!(create(Part::Queue), @r#"
    {
        "MessageRetentionPeriod": "345600",
        "ReceiveMessageWaitTimeSeconds": "20",
        "RedrivePolicy": "{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-west-1:111122223333:orders-dlq\",\"maxReceiveCount\":5}",
        "VisibilityTimeout": "30",
    }
    "#);
    insta::assert_debug_snapshot!(create(Part::DeadLetter), @r#"
    {
        "MessageRetentionPeriod": "1209600",
        "RedriveAllowPolicy": "{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[\"arn:aws:sqs:eu-west-1:111122223333:orders\"]}",
    }
    "#);
}

#[test]
fn one_part_of_a_redrive_policy_changes_and_the_other_stays() {
    let change = change_from(
        &with_dead_letter(7),
        Part::Queue,
        &[
            (key::REDRIVE_TARGET, Value::text(OWN)),
            (key::REDRIVE_COUNT, Value::Integer(5)),
        ],
    );
    assert_eq!(change.action, Action::Update);
    let expected = format!(r#"{{"deadLetterTargetArn":"{OWN}","maxReceiveCount":7}}"#);
    assert_eq!(
        written(&change),
        BTreeMap::from([("RedrivePolicy".to_owned(), expected)])
    );
}

#[test]
fn a_link_that_mq_made_is_taken_away_and_another_is_not() {
    let unlinked = |target: &str| {
        let seen = [
            (key::REDRIVE_TARGET, Value::text(target)),
            (key::REDRIVE_COUNT, Value::Integer(5)),
        ];
        written(&change_from(&queue("orders"), Part::Queue, &seen))
    };
    assert_eq!(
        unlinked(OWN),
        BTreeMap::from([("RedrivePolicy".to_owned(), String::new())])
    );
    assert_eq!(
        unlinked("arn:aws:sqs:eu-west-1:111122223333:theirs"),
        BTreeMap::new()
    );
}

#[test]
fn a_kms_key_goes_in_as_the_services_own_goes_out() {
    let mut queue = queue("orders");
    queue.attributes.encryption = Some(Stated::file(Some("alias/a".to_owned())));
    let own = [(key::MANAGED_SSE, Value::Bool(true))];
    let to_kms = change_from(&queue, Part::Queue, &own);
    insta::assert_debug_snapshot!(written(&to_kms), @r#"
    {
        "KmsMasterKeyId": "alias/a",
        "SqsManagedSseEnabled": "false",
    }
    "#);

    queue.attributes.encryption = Some(Stated::file(None));
    let kms = [
        (key::MANAGED_SSE, Value::Bool(false)),
        (key::KMS_KEY, Value::text("alias/a")),
    ];
    insta::assert_debug_snapshot!(written(&change_from(&queue, Part::Queue, &kms)), @r#"
    {
        "KmsMasterKeyId": "",
        "SqsManagedSseEnabled": "true",
    }
    "#);
}

#[test]
fn an_expiry_of_before_is_left_over_when_ours_has_none() {
    let queue = queue("orders");
    let mut change = change_from(&queue, Part::Queue, &[]);
    assert!(!expiry_is_left_over(&change));
    let present = change.observed.present.as_mut().expect("present");
    let marker = present.marker.as_mut().expect("marker");
    marker.expires_at = Some(1_800_000_000);
    assert!(expiry_is_left_over(&change));
    let ours = change.resource.marker.as_mut().expect("marker");
    ours.expires_at = Some(1_900_000_000);
    assert!(!expiry_is_left_over(&change));
}
