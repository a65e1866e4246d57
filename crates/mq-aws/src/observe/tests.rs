use mq_core::queue::DeadLetterTarget;
use mq_core::queue::Ordering;

use super::*;
use crate::lower::lower;
use crate::samples::{dead_letter, queue, reference, scope};

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders";
const ARN: &str = "arn:aws:sqs:eu-west-1:111122223333:orders";

fn as_told(pairs: &[(&str, &str)], tags: &[(&str, &str)]) -> Present {
    let attributes = pairs
        .iter()
        .map(|(name, text)| (QueueAttributeName::from(*name), (*text).to_owned()))
        .collect();
    let tags = tags
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    told(URL.to_owned(), &attributes, tags, None)
}

fn found(resource: &Resource, name: &str) -> Observed {
    Observed {
        id: resource.id.clone(),
        present: Some(Present {
            address: BTreeMap::from([
                ("url".to_owned(), URL.replace("orders", name)),
                ("arn".to_owned(), ARN.replace("orders", name)),
            ]),
            ..Present::default()
        }),
    }
}

#[test]
fn what_is_told_is_read_by_meaning_and_noise_is_left_out() {
    let present = as_told(
        &[
            ("QueueArn", ARN),
            ("VisibilityTimeout", "30"),
            ("CreatedTimestamp", "1700000000"),
            ("ApproximateNumberOfMessages", "3"),
            ("Policy", ""),
            (
                "RedrivePolicy",
                r#"{"deadLetterTargetArn":"a","maxReceiveCount":"5"}"#,
            ),
        ],
        &[("mq-stack", "shop"), ("mq-queue", "orders"), ("team", "a")],
    );
    let names: Vec<&str> = present.attributes.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "RedrivePolicy.deadLetterTargetArn",
            "RedrivePolicy.maxReceiveCount",
            "Tags",
            "VisibilityTimeout"
        ]
    );
    assert_eq!(
        present.attributes["RedrivePolicy.maxReceiveCount"],
        Value::Integer(5)
    );
    assert_eq!(
        present.marker.map(|marker| marker.queue),
        Some("orders".to_owned())
    );
    assert_eq!(present.address["arn"], ARN);
    assert_eq!(present.address["url"], URL);
}

#[test]
fn an_own_dead_letter_queue_has_an_endpoint_of_its_own() {
    let mut source = queue("orders");
    source.attributes.dead_letter = Some(dead_letter(5, DeadLetterTarget::Own));
    let resources = lower(&source, &scope()).resources;
    let observed = [
        found(&resources[0], "orders-dlq"),
        found(&resources[1], "orders"),
    ];
    let parts: Vec<_> = resources.iter().zip(&observed).collect();
    let endpoints = endpoints("orders", &parts);
    assert_eq!(endpoints.len(), 2);
    assert_eq!(
        (endpoints[0].role, endpoints[0].address.as_str()),
        (Role::Queue, URL)
    );
    assert_eq!(endpoints[1].role, Role::DeadLetter);
    assert_eq!(endpoints[1].address, URL.replace("orders", "orders-dlq"));
    assert_eq!(endpoints[0].details["region"], "eu-west-1");
    assert_eq!(endpoints[0].details["account"], "111122223333");
}

#[test]
fn a_shared_dead_letter_queue_is_beside_its_source() {
    let mut source = queue("orders");
    let shared = DeadLetterTarget::Shared(reference("failures", Ordering::None));
    source.attributes.dead_letter = Some(dead_letter(5, shared));
    let resources = lower(&source, &scope()).resources;
    let observed = found(&resources[0], "orders");
    let with = endpoints("orders", &[(&resources[0], &observed)]);
    assert_eq!(with.len(), 2);
    assert_eq!(with[1].address, URL.replace("orders", "failures"));

    let alone = lower(&queue("orders"), &scope()).resources;
    assert_eq!(endpoints("orders", &[(&alone[0], &observed)]).len(), 1);
    let absent = Observed::absent(alone[0].id.clone());
    assert_eq!(endpoints("orders", &[(&alone[0], &absent)]), []);
}
