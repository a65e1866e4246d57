//! FIFO queues: order within a group, and duplicates.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn fifo(client: &Client, more: &Value) -> String {
    let mut attributes = json!({ "FifoQueue": "true" });
    for (name, value) in more.as_object().unwrap() {
        attributes[name] = value.clone();
    }
    client.create("q.fifo", &attributes)
}

fn send(client: &Client, url: &str, group: &str, body: &str, id: Option<&str>) -> Value {
    client.ok(
        "SendMessage",
        &json!({
            "QueueUrl": url,
            "MessageBody": body,
            "MessageGroupId": group,
            "MessageDeduplicationId": id,
        }),
    )
}

#[test]
fn a_group_waits_for_what_is_out_of_it() {
    let client = Client::new();
    let url = fifo(&client, &json!({ "ContentBasedDeduplication": "true" }));
    for (group, body) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a3")] {
        send(&client, &url, group, body, None);
    }
    let first = client.take(&url, 1, &json!({}));
    assert_eq!(first[0]["Body"], "a1");
    assert_eq!(client.bodies(&url), ["b1"]);
    client.delete(&url, &first[0]);
    // As many of one group as there are.
    assert_eq!(client.bodies(&url), ["a2", "a3"]);
    client.pass(Duration::from_secs(30));
    assert_eq!(
        client.take(&url, 1, &json!({}))[0]["Attributes"]["MessageGroupId"],
        "b"
    );
    assert_eq!(client.bodies(&url), ["a2", "a3"]);
}

#[test]
fn sequence_numbers_have_twenty_digits_and_grow() {
    let client = Client::new();
    let url = fifo(&client, &json!({}));
    let numbers: Vec<String> = ["1", "2", "3"]
        .iter()
        .map(|id| text(&send(&client, &url, "g", "x", Some(id))["SequenceNumber"]))
        .collect();
    assert!(
        numbers.is_sorted() && numbers[0] != numbers[1],
        "{numbers:?}"
    );
    let digits = |number: &String| number.len() == 20 && number.parse::<u128>().is_ok();
    assert!(numbers.iter().all(digits), "{numbers:?}");
    let taken = client.take(&url, 10, &json!({}));
    let shown: Vec<_> = taken
        .iter()
        .map(|it| text(&it["Attributes"]["SequenceNumber"]))
        .collect();
    assert_eq!(shown, numbers);
    assert_eq!(taken[0]["Attributes"]["MessageDeduplicationId"], "1");
}

#[test]
fn a_duplicate_is_answered_as_the_first_for_five_minutes() {
    let client = Client::new();
    let url = fifo(&client, &json!({ "ContentBasedDeduplication": "true" }));
    let first = send(&client, &url, "a", "x", None);
    let taken = client.take(&url, 1, &json!({}));
    client.delete(&url, &taken[0]);
    client.pass(Duration::from_millis(299_999));
    // By content, in any group, though the first is gone.
    assert_eq!(send(&client, &url, "b", "x", None), first);
    assert_eq!(client.counts(&url), [0, 0, 0]);
    // An id of its own says otherwise, and counts too.
    let own = send(&client, &url, "b", "x", Some("own"));
    assert_ne!(own["MessageId"], first["MessageId"]);
    assert_eq!(
        send(&client, &url, "b", "y", Some("own"))["MessageId"],
        own["MessageId"]
    );
    client.pass(Duration::from_millis(1));
    assert_ne!(
        send(&client, &url, "a", "x", None)["MessageId"],
        first["MessageId"]
    );
}

#[test]
fn duplicates_are_told_apart_by_group_where_the_queue_says_so() {
    let client = Client::new();
    let url = fifo(
        &client,
        &json!({ "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId" }),
    );
    let first = send(&client, &url, "a", "x", Some("1"));
    assert_eq!(
        send(&client, &url, "a", "y", Some("1"))["MessageId"],
        first["MessageId"]
    );
    assert_ne!(
        send(&client, &url, "b", "x", Some("1"))["MessageId"],
        first["MessageId"]
    );
}

#[test]
fn a_fifo_queue_asks_for_a_group_and_an_id_and_takes_no_delay() {
    let client = Client::new();
    let url = fifo(&client, &json!({ "DelaySeconds": "1" }));
    for (more, name) in [
        (
            json!({ "MessageDeduplicationId": "a" }),
            "MissingRequiredParameterException",
        ),
        (
            json!({ "MessageGroupId": "g" }),
            "InvalidParameterValueException",
        ),
        (
            json!({ "MessageGroupId": "g", "MessageDeduplicationId": "a", "DelaySeconds": 1 }),
            "InvalidParameterValueException",
        ),
        (
            json!({ "MessageGroupId": "", "MessageDeduplicationId": "a" }),
            "InvalidParameterValueException",
        ),
        (
            json!({ "MessageGroupId": "x".repeat(129), "MessageDeduplicationId": "a" }),
            "InvalidParameterValueException",
        ),
    ] {
        let mut request = more.clone();
        request["QueueUrl"] = json!(url);
        request["MessageBody"] = json!("x");
        assert_eq!(client.fails("SendMessage", &request).0, name, "{more}");
    }
    client.ok("SendMessage", &json!({
        "QueueUrl": url, "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "a", "DelaySeconds": 0,
    }));
    assert_eq!(
        client.counts(&url),
        [0, 1, 0],
        "the queue's own delay holds"
    );
}

#[test]
fn a_handle_whose_time_is_over_is_refused() {
    let client = Client::new();
    let url = fifo(
        &client,
        &json!({ "ContentBasedDeduplication": "true", "VisibilityTimeout": "1" }),
    );
    send(&client, &url, "g", "x", None);
    let taken = client.take(&url, 1, &json!({}));
    client.pass(Duration::from_secs(1));
    let request = json!({ "QueueUrl": url, "ReceiptHandle": taken[0]["ReceiptHandle"] });
    let (name, message) = client.fails("DeleteMessage", &request);
    assert_eq!(name, "InvalidParameterValueException");
    assert!(message.contains("expired"), "{message}");
    let again = client.take(&url, 1, &json!({}));
    client.delete(&url, &again[0]);
    // What is deleted already is deleted.
    client.delete(&url, &again[0]);
}

#[test]
fn a_receive_that_is_made_again_gives_the_same() {
    let client = Client::new();
    let url = fifo(&client, &json!({ "ContentBasedDeduplication": "true" }));
    for body in ["x", "y"] {
        send(&client, &url, "g", body, None);
    }
    let attempt = json!({ "ReceiveRequestAttemptId": "one" });
    let first = client.take(&url, 1, &attempt);
    let again = client.take(&url, 1, &attempt);
    assert_eq!(first[0]["MessageId"], again[0]["MessageId"]);
    assert!(client.bodies(&url).is_empty());
    client.delete(&url, &again[0]);
    assert_eq!(client.take(&url, 1, &attempt)[0]["Body"], "y");
}

#[test]
fn a_dead_letter_queue_of_a_fifo_queue_is_one_too() {
    let client = Client::new();
    let dead = client.create("dlq.fifo", &json!({ "FifoQueue": "true" }));
    let policy = json!({ "deadLetterTargetArn": arn("dlq.fifo"), "maxReceiveCount": 1 });
    let url = fifo(&client, &json!({ "RedrivePolicy": policy.to_string() }));
    send(&client, &url, "g", "x", Some("1"));
    client.take(&url, 1, &json!({ "VisibilityTimeout": 0 }));
    client.pass(Duration::from_secs(1));
    assert!(client.bodies(&url).is_empty());
    let letters = client.take(&dead, 1, &json!({}));
    assert_eq!(letters[0]["Attributes"]["MessageGroupId"], "g");
    // Its age begins again.
    assert_eq!(letters[0]["Attributes"]["SentTimestamp"], "1700000001000");
}

/// What a consumer may do next.
#[derive(Debug, Clone)]
enum Act {
    Send(u8),
    Receive(u8),
    Delete(usize),
    Release(usize),
    Extend(usize),
    Pass(u16),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..4_u8).prop_map(Act::Send),
        (1..=10_u8).prop_map(Act::Receive),
        (0..16_usize).prop_map(Act::Delete),
        (0..16_usize).prop_map(Act::Release),
        (0..16_usize).prop_map(Act::Extend),
        (0..2_000_u16).prop_map(Act::Pass),
    ]
}

fn extend(client: &Client, url: &str, handle: &Value, seconds: u32) {
    client.ok(
        "ChangeMessageVisibility",
        &json!({ "QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": seconds }),
    );
}

/// What is known of one group: its bodies that are not deleted, in order.
type Groups = BTreeMap<String, Vec<String>>;

proptest! {
    /// Whatever consumers do, each receive of a group begins with the oldest message of it that
    /// is not deleted, goes on without a gap, and finds nothing while any of the group is out.
    #[test]
    fn groups_keep_their_order(acts in proptest::collection::vec(act(), 1..80)) {
        let client = Client::new();
        let url = fifo(&client, &json!({ "ContentBasedDeduplication": "true", "VisibilityTimeout": "1" }));
        let mut groups = Groups::new();
        // Group, body, handle, and until when it is out.
        let mut out: Vec<(String, String, Value, Timestamp)> = Vec::new();
        for (number, act) in acts.into_iter().enumerate() {
            let now = client.front.shared.now();
            out.retain(|(.., until)| *until > now);
            match act {
                Act::Send(group) => {
                    let (group, body) = (format!("g{group}"), format!("m{number}"));
                    send(&client, &url, &group, &body, None);
                    groups.entry(group).or_default().push(body);
                }
                Act::Receive(max) => {
                    let mut seen = Groups::new();
                    for message in client.take(&url, max.into(), &json!({})) {
                        let group = text(&message["Attributes"]["MessageGroupId"]);
                        let before = out.iter().any(|(other, ..)| *other == group);
                        prop_assert!(!before || seen.contains_key(&group), "{} is out", group);
                        let body = text(&message["Body"]);
                        let place = seen.entry(group.clone()).or_default();
                        prop_assert_eq!(&groups[&group][place.len()], &body);
                        place.push(body.clone());
                        let until = now.after(Duration::from_secs(1));
                        out.push((group, body, message["ReceiptHandle"].clone(), until));
                    }
                }
                Act::Delete(index) if index < out.len() => {
                    let (group, body, handle, _) = out.remove(index);
                    client.ok("DeleteMessage", &json!({ "QueueUrl": url, "ReceiptHandle": handle }));
                    groups.entry(group).or_default().retain(|other| *other != body);
                }
                Act::Release(index) if index < out.len() => {
                    let (_, _, handle, _) = out.remove(index);
                    extend(&client, &url, &handle, 0);
                }
                Act::Extend(index) if index < out.len() => {
                    let (_, _, handle, until) = &mut out[index];
                    extend(&client, &url, handle, 3);
                    *until = now.after(Duration::from_secs(3));
                }
                Act::Delete(_) | Act::Release(_) | Act::Extend(_) => {}
                Act::Pass(millis) => client.pass(Duration::from_millis(millis.into())),
            }
        }
        // Everything that is left comes in the end, in order.
        client.pass(Duration::from_secs(3));
        let mut left: Groups = groups.into_iter().filter(|(_, bodies)| !bodies.is_empty()).collect();
        while !left.is_empty() {
            let messages = client.take(&url, 10, &json!({}));
            prop_assert!(!messages.is_empty(), "{left:?} never came");
            for message in messages {
                let group = text(&message["Attributes"]["MessageGroupId"]);
                let bodies = left.get_mut(&group).unwrap();
                prop_assert_eq!(bodies.remove(0), text(&message["Body"]));
                if bodies.is_empty() {
                    left.remove(&group);
                }
                client.delete(&url, &message);
            }
        }
    }
}
