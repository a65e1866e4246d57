//! Sending, receiving and settling on standard queues.

use super::*;

#[test]
fn a_message_is_hidden_while_it_is_out_and_gone_when_deleted() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let sent = client.post(&url, "hello");
    assert_eq!(client.counts(&url), [1, 0, 0]);
    let [first] = &client.take(&url, 10, &json!({}))[..] else {
        panic!("not one message");
    };
    assert_eq!(first["MessageId"], sent["MessageId"]);
    assert_eq!(client.counts(&url), [0, 0, 1]);
    assert!(client.take(&url, 10, &json!({})).is_empty());

    client.pass(Duration::from_secs(30));
    let [second] = &client.take(&url, 10, &json!({}))[..] else {
        panic!("it did not come back");
    };
    assert_eq!(second["MessageId"], first["MessageId"]);
    assert_ne!(second["ReceiptHandle"], first["ReceiptHandle"]);
    let shown = &second["Attributes"];
    assert_eq!(shown["ApproximateReceiveCount"], "2");
    assert_eq!(shown["ApproximateFirstReceiveTimestamp"], "1700000000000");
    // An old handle is no error, and does nothing.
    client.delete(&url, first);
    assert_eq!(client.counts(&url), [0, 0, 1]);
    client.delete(&url, second);
    assert_eq!(client.counts(&url), [0, 0, 0]);
    client.delete(&url, second);
}

#[test]
fn a_message_that_came_back_can_be_deleted_until_it_is_received_again() {
    let client = Client::new();
    let url = client.create("q", &json!({ "VisibilityTimeout": "1" }));
    client.post(&url, "hello");
    let taken = client.take(&url, 1, &json!({}));
    client.pass(Duration::from_secs(1));
    assert_eq!(client.counts(&url), [1, 0, 0]);
    client.delete(&url, &taken[0]);
    assert_eq!(client.counts(&url), [0, 0, 0]);
}

#[test]
fn delays_are_the_queue_s_or_the_message_s_own() {
    let client = Client::new();
    let url = client.create("q", &json!({ "DelaySeconds": "10" }));
    client.post(&url, "usual");
    for (body, seconds) in [("at once", 0), ("late", 20)] {
        client.ok(
            "SendMessage",
            &json!({ "QueueUrl": url, "MessageBody": body, "DelaySeconds": seconds }),
        );
    }
    assert_eq!(client.counts(&url), [1, 2, 0]);
    assert_eq!(client.bodies(&url), ["at once"]);
    client.pass(Duration::from_millis(9_999));
    assert!(client.bodies(&url).is_empty());
    client.pass(Duration::from_millis(1));
    assert_eq!(client.bodies(&url), ["usual"]);
    client.pass(Duration::from_secs(10));
    assert_eq!(client.bodies(&url), ["late"]);
}

#[test]
fn the_time_that_a_message_is_hidden_can_be_changed() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    client.post(&url, "hello");
    let taken = client.take(&url, 1, &json!({ "VisibilityTimeout": 5 }));
    let change = |seconds: i64| {
        let request = json!({
            "QueueUrl": url,
            "ReceiptHandle": taken[0]["ReceiptHandle"],
            "VisibilityTimeout": seconds,
        });
        let reply = client.json("ChangeMessageVisibility", &request);
        match reply.status {
            200 => String::new(),
            _ => client.fails("ChangeMessageVisibility", &request).1,
        }
    };
    client.pass(Duration::from_secs(4));
    assert_eq!(change(10), "");
    client.pass(Duration::from_secs(9));
    assert_eq!(client.counts(&url), [0, 0, 1]);
    for seconds in [-1, 43_201] {
        assert!(change(seconds).contains("VisibilityTimeout"), "{seconds}");
    }
    // Twelve hours from the receive, 13 seconds ago.
    assert_eq!(change(43_200 - 13), "");
    assert!(change(43_200 - 12).contains("beyond the limit"));
    assert_eq!(change(0), "");
    assert_eq!(client.bodies(&url), ["hello"]);
}

#[test]
fn handles_that_do_nothing_are_told_apart() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let other = client.create("other", &json!({}));
    client.post(&url, "hello");
    let old = client.take(&url, 1, &json!({ "VisibilityTimeout": 1 }));
    let fails = |url: &str, handle: &Value| {
        let request = json!({ "QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": 1 });
        client.fails("ChangeMessageVisibility", &request).0
    };
    let handle = &old[0]["ReceiptHandle"];
    client.pass(Duration::from_secs(1));
    assert_eq!(fails(&url, handle), "MessageNotInflight");
    let new = client.take(&url, 1, &json!({}));
    assert_eq!(fails(&url, handle), "MessageNotInflight");
    client.delete(&url, &new[0]);
    assert_eq!(fails(&url, handle), "InvalidParameterValueException");

    let mut forged = text(handle);
    let last = if forged.ends_with("A==") {
        "Q=="
    } else {
        "A=="
    };
    forged.replace_range(forged.len() - 3.., last);
    for garbage in [
        json!(forged),
        json!(""),
        json!("x"),
        json!("A".repeat(100_000)),
        json!("é"),
    ] {
        assert_eq!(fails(&url, &garbage), "ReceiptHandleIsInvalid");
        let request = json!({ "QueueUrl": url, "ReceiptHandle": garbage });
        assert_eq!(
            client.fails("DeleteMessage", &request).0,
            "ReceiptHandleIsInvalid"
        );
    }
    assert_eq!(fails(&other, handle), "ReceiptHandleIsInvalid");
    client.ok("DeleteQueue", &json!({ "QueueUrl": url }));
    client.pass(Duration::from_secs(1));
    client.create("q", &json!({}));
    assert_eq!(fails(&url, handle), "ReceiptHandleIsInvalid");
}

#[test]
fn a_batch_answers_for_each_entry() {
    let client = Client::new();
    let url = client.create("q", &json!({ "MaximumMessageSize": "1024" }));
    let sent = client.ok(
        "SendMessageBatch",
        &json!({ "QueueUrl": url, "Entries": [
            { "Id": "a", "MessageBody": "one" },
            { "Id": "b", "MessageBody": "\u{2}" },
            { "Id": "c", "MessageBody": "x".repeat(1025) },
            { "Id": "d", "MessageBody": "" },
            { "Id": "e", "MessageBody": "two", "DelaySeconds": 901 },
            { "Id": "f", "MessageBody": "three" },
        ] }),
    );
    let ids = |of: &Value| -> Vec<String> {
        of.as_array()
            .unwrap()
            .iter()
            .map(|it| text(&it["Id"]))
            .collect()
    };
    assert_eq!(ids(&sent["Successful"]), ["a", "f"]);
    assert_eq!(ids(&sent["Failed"]), ["b", "c", "d", "e"]);
    let codes: Vec<_> = sent["Failed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| text(&it["Code"]))
        .collect();
    assert_eq!(
        codes,
        [
            "InvalidMessageContents",
            "InvalidParameterValue",
            "MissingParameter",
            "InvalidParameterValue"
        ]
    );
    assert_eq!(sent["Failed"][0]["SenderFault"], true);

    let taken = client.take(&url, 10, &json!({}));
    assert_eq!(taken.len(), 2);
    let entry = |id: &str, handle: &Value| json!({ "Id": id, "ReceiptHandle": handle, "VisibilityTimeout": 0 });
    let entries = json!([
        entry("a", &taken[0]["ReceiptHandle"]),
        entry("b", &json!("x"))
    ]);
    let request = json!({ "QueueUrl": url, "Entries": entries });
    let changed = client.ok("ChangeMessageVisibilityBatch", &request);
    assert_eq!(changed["Successful"], json!([{ "Id": "a" }]));
    assert_eq!(changed["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
    assert_eq!(client.counts(&url), [1, 0, 1]);
    let again = client.take(&url, 10, &json!({}));
    let entries = json!([
        entry("a", &again[0]["ReceiptHandle"]),
        entry("b", &taken[1]["ReceiptHandle"])
    ]);
    let deleted = client.ok(
        "DeleteMessageBatch",
        &json!({ "QueueUrl": url, "Entries": entries }),
    );
    assert_eq!(
        deleted,
        json!({ "Successful": [{ "Id": "a" }, { "Id": "b" }] })
    );
    assert_eq!(client.counts(&url), [0, 0, 0]);
}

#[test]
fn a_batch_as_a_whole_has_rules() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let entry = |id: String| json!({ "Id": id, "MessageBody": "x", "ReceiptHandle": "x", "VisibilityTimeout": 1 });
    let many = |count: usize| {
        (0..count)
            .map(|index| entry(format!("i{index}")))
            .collect::<Value>()
    };
    for operation in [
        "SendMessageBatch",
        "DeleteMessageBatch",
        "ChangeMessageVisibilityBatch",
    ] {
        let name = |entries: Value| {
            client
                .fails(operation, &json!({ "QueueUrl": url, "Entries": entries }))
                .0
        };
        assert_eq!(name(json!([])), "EmptyBatchRequest");
        assert_eq!(name(Value::Null), "EmptyBatchRequest");
        assert_eq!(name(many(11)), "TooManyEntriesInBatchRequest");
        assert_eq!(
            name(json!([entry("a".into()), entry("a".into())])),
            "BatchEntryIdsNotDistinct"
        );
        for id in ["", "a b", "é", &"x".repeat(81)] {
            assert_eq!(name(json!([entry(id.to_owned())])), "InvalidBatchEntryId");
        }
        assert_eq!(name(json!([{}])), "MissingRequiredParameterException");
        let gone = json!({ "QueueUrl": format!("{url}-gone"), "Entries": many(1) });
        assert_eq!(client.fails(operation, &gone).0, "QueueDoesNotExist");
    }
    assert_eq!(client.counts(&url), [0, 0, 0]);
}

#[test]
fn sizes_count_bodies_and_attributes() {
    const MAX: usize = 1_048_576;
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let request = |body: usize, value: usize| {
        json!({
            "QueueUrl": url,
            "MessageBody": "x".repeat(body),
            "MessageAttributes": { "ab": { "DataType": "String", "StringValue": "y".repeat(value) } },
            "MessageSystemAttributes": { "AWSTraceHeader": { "DataType": "String", "StringValue": "free" } },
        })
    };
    client.ok("SendMessage", &request(MAX - 8 - 100, 100));
    let (name, message) = client.fails("SendMessage", &request(MAX - 8 - 99, 100));
    assert_eq!(name, "InvalidParameterValueException");
    assert!(message.contains("shorter than 1048576 bytes"), "{message}");
    let entries = |last: usize| {
        json!({ "QueueUrl": url, "Entries": [
        { "Id": "a", "MessageBody": "x".repeat(MAX - 10) },
        { "Id": "b", "MessageBody": "x".repeat(last) },
    ] })
    };
    client.ok("SendMessageBatch", &entries(10));
    let (name, message) = client.fails("SendMessageBatch", &entries(11));
    assert_eq!(name, "BatchRequestTooLong");
    assert!(message.contains("1048577"), "{message}");
}

/// Each of these calls, on a queue of its own, fails with the error of this name.
fn refused(calls: &[(&str, Value, &str)]) {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    for (operation, more, name) in calls {
        let mut request = more.clone();
        request["QueueUrl"] = json!(url);
        let found = client.fails(operation, &request).0;
        assert_eq!(found, *name, "{operation} {more}");
    }
    assert_eq!(client.counts(&url), [0, 0, 0]);
}

#[test]
fn messages_that_cannot_be_are_refused_by_name() {
    let missing = "MissingRequiredParameterException";
    let invalid = "InvalidParameterValueException";
    let with = |name: &str, value: Value| json!({ "MessageBody": "x", name: value });
    let attribute = |value: Value| with("MessageAttributes", json!({ "a": value }));
    let list = json!({ "DataType": "String", "StringListValues": ["x"] });
    let text = json!({ "DataType": "Binary", "BinaryValue": "?" });
    let string = json!({ "DataType": "String", "StringValue": "x" });
    let send = "SendMessage";
    refused(&[
        (send, json!({}), missing),
        (send, json!({ "MessageBody": "" }), missing),
        (
            send,
            json!({ "MessageBody": "\u{ffff}" }),
            "InvalidMessageContents",
        ),
        (send, with("DelaySeconds", json!(-1)), invalid),
        (
            send,
            with("DelaySeconds", json!("1")),
            "SerializationException",
        ),
        (send, with("MessageGroupId", json!("a b")), invalid),
        (send, with("MessageDeduplicationId", json!("a")), invalid),
        (send, attribute(list), "UnsupportedOperation"),
        (send, attribute(text), "SerializationException"),
        (
            send,
            with("MessageSystemAttributes", json!({ "a": string })),
            invalid,
        ),
    ]);
}

#[test]
fn receives_and_receipts_that_cannot_be_are_refused_by_name() {
    let missing = "MissingRequiredParameterException";
    let invalid = "InvalidParameterValueException";
    let receive = "ReceiveMessage";
    refused(&[
        (receive, json!({ "MaxNumberOfMessages": 0 }), invalid),
        (receive, json!({ "MaxNumberOfMessages": 11 }), invalid),
        (receive, json!({ "WaitTimeSeconds": 21 }), invalid),
        (receive, json!({ "VisibilityTimeout": 43_201 }), invalid),
        (receive, json!({ "ReceiveRequestAttemptId": "a" }), invalid),
        (
            receive,
            json!({ "AttributeNames": ["Nothing"] }),
            "InvalidAttributeName",
        ),
        ("DeleteMessage", json!({}), missing),
        (
            "ChangeMessageVisibility",
            json!({ "ReceiptHandle": "x" }),
            missing,
        ),
    ]);
}

#[test]
fn attributes_are_shown_to_those_who_ask_for_them() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let attribute = |value: &str| json!({ "DataType": "String", "StringValue": value });
    client.ok("SendMessage", &json!({
        "QueueUrl": url,
        "MessageBody": "x",
        "MessageAttributes": { "a.x": attribute("1"), "a.y": attribute("2"), "ab": attribute("3") },
        "MessageGroupId": "tenant",
    }));
    for (names, shown) in [
        (json!([]), &[][..]),
        (json!(["All"]), &["a.x", "a.y", "ab"][..]),
        (json!([".*"]), &["a.x", "a.y", "ab"]),
        (json!(["a.*"]), &["a.x", "a.y"]),
        (json!(["ab", "none", "a.x"]), &["a.x", "ab"]),
        (json!(["a"]), &[]),
    ] {
        let more = json!({ "MessageAttributeNames": names, "VisibilityTimeout": 0 });
        let taken = client.take(&url, 1, &more);
        let found: Vec<_> = taken[0]["MessageAttributes"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(found, shown, "{names}");
        assert_eq!(
            taken[0].get("MD5OfMessageAttributes").is_some(),
            !shown.is_empty()
        );
        // A group of a standard queue is kept, and orders nothing.
        assert_eq!(taken[0]["Attributes"]["MessageGroupId"], "tenant");
    }
    let bare = client.take(
        &url,
        1,
        &json!({ "MessageSystemAttributeNames": [], "VisibilityTimeout": 0 }),
    );
    assert!(bare[0].get("Attributes").is_none());
    let old =
        json!({ "MessageSystemAttributeNames": [], "AttributeNames": ["SentTimestamp", "Policy"] });
    let taken = client.take(&url, 1, &old);
    assert_eq!(
        taken[0]["Attributes"],
        json!({ "SentTimestamp": "1700000000000" })
    );
}

#[test]
fn groups_of_a_standard_queue_hold_nobody_up() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    for body in ["a", "b"] {
        client.ok(
            "SendMessage",
            &json!({ "QueueUrl": url, "MessageBody": body, "MessageGroupId": "one" }),
        );
    }
    assert_eq!(client.take(&url, 1, &json!({})).len(), 1);
    assert_eq!(client.take(&url, 1, &json!({})).len(), 1);
}

#[test]
fn a_purge_takes_everything() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    for body in ["a", "b"] {
        client.post(&url, body);
    }
    client.ok(
        "SendMessage",
        &json!({ "QueueUrl": url, "MessageBody": "c", "DelaySeconds": 1 }),
    );
    client.take(&url, 1, &json!({}));
    assert_eq!(client.counts(&url), [1, 1, 1]);
    client.ok("PurgeQueue", &json!({ "QueueUrl": url }));
    assert_eq!(client.counts(&url), [0, 0, 0]);
    client.post(&url, "d");
    assert_eq!(
        client.fails("PurgeQueue", &json!({ "QueueUrl": url })).0,
        "PurgeQueueInProgress"
    );
    assert_eq!(client.counts(&url), [1, 0, 0]);
}

#[test]
fn a_queue_that_is_made_again_is_empty() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    client.post(&url, "old");
    client.take(&url, 1, &json!({}));
    client.post(&url, "older");
    client.ok("DeleteQueue", &json!({ "QueueUrl": url }));
    client.create("q", &json!({}));
    assert_eq!(client.counts(&url), [0, 0, 0]);
    client.pass(Duration::from_secs(30));
    assert!(client.bodies(&url).is_empty());
}

#[test]
fn messages_end_with_their_retention() {
    let client = Client::new();
    let url = client.create("q", &json!({ "MessageRetentionPeriod": "60" }));
    client.post(&url, "old");
    client.pass(Duration::from_millis(59_999));
    client.post(&url, "new");
    client.pass(Duration::from_millis(1));
    assert_eq!(client.bodies(&url), ["new"]);
}

#[test]
fn quirks_miss_and_repeat() {
    let mut quirks = Quirks::default();
    quirks.parse("sqs-short-poll-misses=1").unwrap();
    let client = Client::with(quirks);
    let url = client.create("q", &json!({}));
    client.post(&url, "hello");
    assert!(client.bodies(&url).is_empty());
    assert_eq!(
        client.take(&url, 1, &json!({ "WaitTimeSeconds": 1 })).len(),
        1
    );

    let mut quirks = Quirks::default();
    quirks.parse("sqs-duplicate-delivery=1").unwrap();
    let client = Client::with(quirks);
    let url = client.create("q", &json!({}));
    let fifo = client.create(
        "q.fifo",
        &json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" }),
    );
    client.post(&url, "hello");
    assert_eq!(client.bodies(&url), ["hello"]);
    assert_eq!(client.bodies(&url), ["hello"]);
    client.ok(
        "SendMessage",
        &json!({ "QueueUrl": fifo, "MessageBody": "x", "MessageGroupId": "g" }),
    );
    assert_eq!(client.bodies(&fifo), ["x"]);
    assert!(client.bodies(&fifo).is_empty());
}

#[test]
fn a_quirk_turns_the_order_around() {
    let mut quirks = Quirks::default();
    quirks.parse("sqs-reordering=1").unwrap();
    let client = Client::with(quirks);
    let url = client.create("q", &json!({}));
    for body in ["a", "b", "c"] {
        client.post(&url, body);
    }
    assert_eq!(client.bodies(&url), ["c", "b", "a"]);
}

/// Filled through the engine, since 120,000 requests would take long.
#[test]
fn a_queue_has_a_limit_of_messages_in_flight() {
    use mq_engine::{NewMessage, Operation, Receive};
    let client = Client::new();
    for (name, attributes) in [("q", json!({})), ("q.fifo", json!({ "FifoQueue": "true" }))] {
        let url = client.create(name, &attributes);
        let id = mq_engine::EntityId {
            service: mq_engine::Service::Sqs,
            kind: mq_engine::EntityKind::Queue,
            scope: "000000000000/us-east-1".to_owned(),
            name: name.to_owned(),
        };
        let messages = (0..120_001).map(|number| NewMessage {
            body: Bytes::from_static(b"x"),
            group: Some(format!("g{number}")),
            ..NewMessage::default()
        });
        let send = Operation::Send {
            to: id.clone(),
            messages: messages.collect(),
            whole: false,
        };
        client.front.shared.perform(send).unwrap();
        let how = Receive {
            max: 119_999,
            ..Receive::default()
        };
        client
            .front
            .shared
            .perform(Operation::Receive {
                from: id.into(),
                how,
            })
            .unwrap();
        assert_eq!(client.take(&url, 10, &json!({})).len(), 1, "one fits");
        let request = json!({ "QueueUrl": url });
        if name == "q" {
            let reply = client.json("ReceiveMessage", &request);
            assert_eq!(reply.status, 403, "{}", reply.body);
            assert_eq!(client.fails("ReceiveMessage", &request).0, "OverLimit");
        } else {
            assert_eq!(client.take(&url, 10, &json!({})), Vec::<Value>::new());
        }
    }
}
