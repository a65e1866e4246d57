//! What attributes may hold, and what they hold then.

use super::*;

#[test]
fn numbers_are_bounded_on_both_sides() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    for (name, least, most) in [
        ("DelaySeconds", 0, 900),
        ("MaximumMessageSize", 1024, 1_048_576),
        ("MessageRetentionPeriod", 60, 1_209_600),
        ("ReceiveMessageWaitTimeSeconds", 0, 20),
        ("VisibilityTimeout", 0, 43_200),
    ] {
        for good in [least, most] {
            client.set(&url, &json!({ name: good.to_string() }));
            assert_eq!(client.attribute(&url, name).unwrap(), good.to_string());
        }
        for bad in [
            (least - 1).to_string(),
            (most + 1).to_string(),
            "x".into(),
            "+60".into(),
            "60 ".into(),
            String::new(),
        ] {
            let error = client.fails(
                "SetQueueAttributes",
                &json!({ "QueueUrl": url, "Attributes": { name: bad } }),
            );
            let expected = format!("Invalid value for the parameter {name}.");
            assert_eq!(
                error,
                ("InvalidAttributeValue".to_owned(), expected),
                "{bad:?}"
            );
            assert_eq!(
                client.attribute(&url, name).unwrap(),
                most.to_string(),
                "a refused value was kept"
            );
        }
    }
}

#[test]
fn a_new_queue_shows_the_services_defaults() {
    let client = Client::new();
    let all = |url: String| {
        let shown = client.ok(
            "GetQueueAttributes",
            &json!({ "QueueUrl": url, "AttributeNames": ["All"] }),
        );
        shown["Attributes"].clone()
    };
    let mut expected = json!({
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "CreatedTimestamp": "1700000000",
        "DelaySeconds": "0",
        "LastModifiedTimestamp": "1700000000",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "QueueArn": arn("q"),
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "30",
    });
    assert_eq!(all(client.create("q", &json!({}))), expected);
    expected["QueueArn"] = json!(arn("q.fifo"));
    for (name, value) in [
        ("ContentBasedDeduplication", "false"),
        ("DeduplicationScope", "queue"),
        ("FifoQueue", "true"),
        ("FifoThroughputLimit", "perQueue"),
    ] {
        expected[name] = json!(value);
    }
    assert_eq!(
        all(client.create("q.fifo", &json!({ "FifoQueue": "true" }))),
        expected
    );
}

#[test]
fn names_that_are_no_attributes_are_refused() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    for (name, value) in [
        ("Colour", "red"),
        ("QueueArn", "arn:x"),
        ("ApproximateNumberOfMessages", "1"),
        ("FifoQueue", "true"),
        ("ContentBasedDeduplication", "true"),
    ] {
        let error = client.fails(
            "SetQueueAttributes",
            &json!({ "QueueUrl": url, "Attributes": { name: value } }),
        );
        assert_eq!(
            error,
            (
                "InvalidAttributeName".to_owned(),
                format!("Unknown Attribute {name}.")
            )
        );
    }
    for name in ["DeduplicationScope", "FifoThroughputLimit"] {
        let (code, message) = client.fails(
            "CreateQueue",
            &json!({ "QueueName": "r", "Attributes": { name: "queue" } }),
        );
        assert_eq!(code, "InvalidAttributeName");
        assert_eq!(
            message,
            format!("You can specify the {name} only when FifoQueue is set to true.")
        );
    }
    let read = client.fails(
        "GetQueueAttributes",
        &json!({ "QueueUrl": url, "AttributeNames": ["All", "Colour"] }),
    );
    assert_eq!(read.0, "InvalidAttributeName");
}

#[test]
fn fifo_is_in_the_name_and_for_ever() {
    let client = Client::new();
    for (name, attributes, code) in [
        (
            "q",
            json!({ "FifoQueue": "true" }),
            "InvalidParameterValueException",
        ),
        ("q.fifo", json!({}), "InvalidParameterValueException"),
        (
            "q.fifo",
            json!({ "FifoQueue": "false" }),
            "InvalidParameterValueException",
        ),
        (
            ".fifo",
            json!({ "FifoQueue": "true" }),
            "InvalidParameterValueException",
        ),
        ("q", json!({ "FifoQueue": "false" }), "InvalidAttributeName"),
        (
            "q.fifo",
            json!({ "FifoQueue": "true", "DeduplicationScope": "galaxy" }),
            "InvalidAttributeValue",
        ),
        (
            "q.fifo",
            json!({ "FifoQueue": "true", "FifoThroughputLimit": "perMessageGroupId" }),
            "InvalidAttributeValue",
        ),
    ] {
        let error = client.fails(
            "CreateQueue",
            &json!({ "QueueName": name, "Attributes": attributes }),
        );
        assert_eq!(error.0, code, "{name} {attributes}");
    }
    let url = client.create(
        "q.fifo",
        &json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" }),
    );
    client.set(&url, &json!({ "FifoQueue": "true" }));
    let error = client.fails(
        "SetQueueAttributes",
        &json!({ "QueueUrl": url, "Attributes": { "FifoQueue": "false" } }),
    );
    assert!(
        error.1.contains("Modifying queue type is not supported"),
        "{}",
        error.1
    );
    client.set(&url, &json!({ "FifoThroughputLimit": "perMessageGroupId", "DeduplicationScope": "messageGroup" }));
    let error = client.fails(
        "SetQueueAttributes",
        &json!({ "QueueUrl": url, "Attributes": { "DeduplicationScope": "queue" } }),
    );
    assert!(
        error.1.contains("DeduplicationScope must be messageGroup"),
        "{}",
        error.1
    );
}

#[test]
fn names_are_of_80_plain_characters() {
    let client = Client::new();
    client.create(&"a".repeat(80), &json!({}));
    client.create(
        &format!("{}.fifo", "a".repeat(75)),
        &json!({ "FifoQueue": "true" }),
    );
    client.create("A-b_9", &json!({}));
    let fifo = json!({ "FifoQueue": "true" });
    for (name, attributes) in [
        (String::new(), json!({})),
        ("a".repeat(81), json!({})),
        ("a b".into(), json!({})),
        ("é".into(), json!({})),
        ("a/b".into(), json!({})),
        (format!("{}.fifo", "a".repeat(76)), fifo),
    ] {
        let error = client.fails(
            "CreateQueue",
            &json!({ "QueueName": name, "Attributes": attributes }),
        );
        assert_eq!(error.0, "InvalidParameterValueException", "{name}");
    }
}

#[test]
fn a_redrive_policy_is_read_leniently_and_stored_strictly() {
    let client = Client::new();
    client.create("dlq", &json!({}));
    let url = client.create("q", &json!({}));
    let target = arn("dlq");
    for count in [json!(5), json!("5")] {
        let policy = json!({ "maxReceiveCount": count, "deadLetterTargetArn": target });
        client.set(&url, &json!({ "RedrivePolicy": policy.to_string() }));
        assert_eq!(
            client.attribute(&url, "RedrivePolicy").unwrap(),
            format!(r#"{{"deadLetterTargetArn":"{target}","maxReceiveCount":5}}"#)
        );
    }
    client.set(&url, &json!({ "RedrivePolicy": "" }));
    assert_eq!(client.attribute(&url, "RedrivePolicy"), None);
}

#[test]
fn a_redrive_policy_that_cannot_be_names_its_reason() {
    let client = Client::new();
    client.create("dlq", &json!({}));
    client.create("dlq.fifo", &json!({ "FifoQueue": "true" }));
    let url = client.create("q", &json!({}));
    for (policy, reason) in [
        ("no json".to_owned(), "not a valid JSON map"),
        ("[]".into(), "not a valid JSON map"),
        (json!({ "maxReceiveCount": 3 }).to_string(), "mandatory attribute: deadLetterTargetArn"),
        (json!({ "deadLetterTargetArn": arn("dlq") }).to_string(), "mandatory attribute: maxReceiveCount"),
        (
            json!({ "deadLetterTargetArn": arn("dlq"), "maxReceiveCount": 3, "x": 1 }).to_string(),
            "Only following attributes are supported",
        ),
        (json!({ "deadLetterTargetArn": arn("dlq"), "maxReceiveCount": 0 }).to_string(), "from 1 to 1000"),
        (json!({ "deadLetterTargetArn": arn("dlq"), "maxReceiveCount": "1001" }).to_string(), "from 1 to 1000"),
        (json!({ "deadLetterTargetArn": arn("dlq"), "maxReceiveCount": 1.5 }).to_string(), "from 1 to 1000"),
        (json!({ "deadLetterTargetArn": 7, "maxReceiveCount": 3 }).to_string(), "deadLetterTargetArn"),
        (json!({ "deadLetterTargetArn": arn("gone"), "maxReceiveCount": 3 }).to_string(), "does not exist"),
        (
            json!({ "deadLetterTargetArn": "arn:aws:sqs:eu-west-1:000000000000:dlq", "maxReceiveCount": 3 }).to_string(),
            "does not exist",
        ),
        (json!({ "deadLetterTargetArn": arn("dlq.fifo"), "maxReceiveCount": 3 }).to_string(), "must be same type"),
    ] {
        let (code, message) =
            client.fails("SetQueueAttributes", &json!({ "QueueUrl": url, "Attributes": { "RedrivePolicy": policy } }));
        assert_eq!(code, "InvalidParameterValueException", "{policy}");
        assert!(message.contains(reason), "{policy}: {message}");
    }
    assert_eq!(client.attribute(&url, "RedrivePolicy"), None);
    client.create("fine", &json!({ "RedrivePolicy": json!({ "deadLetterTargetArn": arn("dlq"), "maxReceiveCount": 1000 }).to_string() }));
}

#[test]
fn a_dead_letter_queue_decides_who_may_use_it() {
    let client = Client::new();
    let dlq = client.create("dlq", &json!({}));
    let policy = json!({ "deadLetterTargetArn": arn("dlq"), "maxReceiveCount": 3 }).to_string();
    let allow =
        |policy: Value| client.set(&dlq, &json!({ "RedriveAllowPolicy": policy.to_string() }));
    let create = |name: &str| {
        client
            .json(
                "CreateQueue",
                &json!({ "QueueName": name, "Attributes": { "RedrivePolicy": policy } }),
            )
            .status
    };
    allow(json!({ "redrivePermission": "denyAll" }));
    assert_eq!(create("a"), 400);
    allow(json!({ "redrivePermission": "byQueue", "sourceQueueArns": [arn("a")] }));
    assert_eq!((create("a"), create("b")), (200, 400));
    allow(json!({ "redrivePermission": "allowAll" }));
    assert_eq!(create("b"), 200);
    client.set(&dlq, &json!({ "RedriveAllowPolicy": "" }));
    assert_eq!(create("c"), 200);
}

#[test]
fn a_redrive_allow_policy_drops_nulls_and_names_at_most_ten_queues() {
    let client = Client::new();
    let url = client.create("dlq", &json!({}));
    let arns: Vec<String> = (0..11).map(|index| arn(&format!("q{index}"))).collect();
    for (given, kept) in [
        (
            json!({ "redrivePermission": "allowAll", "sourceQueueArns": null }),
            json!({ "redrivePermission": "allowAll" }),
        ),
        (
            json!({ "sourceQueueArns": arns[..10], "redrivePermission": "byQueue" }),
            json!({ "redrivePermission": "byQueue", "sourceQueueArns": arns[..10] }),
        ),
    ] {
        client.set(&url, &json!({ "RedriveAllowPolicy": given.to_string() }));
        assert_eq!(
            client.attribute(&url, "RedriveAllowPolicy").unwrap(),
            kept.to_string()
        );
    }
    for bad in [
        json!({ "redrivePermission": "byQueue", "sourceQueueArns": arns }),
        json!({ "redrivePermission": "byQueue", "sourceQueueArns": [] }),
        json!({ "redrivePermission": "byQueue" }),
        json!({ "redrivePermission": "byQueue", "sourceQueueArns": [1] }),
        json!({ "redrivePermission": "denyAll", "sourceQueueArns": [arns[0]] }),
        json!({ "redrivePermission": "all" }),
        json!({ "sourceQueueArns": [] }),
        json!({ "redrivePermission": "allowAll", "x": 1 }),
        json!("allowAll"),
    ] {
        let set =
            json!({ "QueueUrl": url, "Attributes": { "RedriveAllowPolicy": bad.to_string() } });
        assert_eq!(
            client.fails("SetQueueAttributes", &set).0,
            "InvalidParameterValueException",
            "{bad}"
        );
    }
}

/// `KmsDataKeyReusePeriodSeconds` is read back with a key only; a queue has one encryption.
#[test]
fn encryption_is_by_one_key_at_a_time() {
    let client = Client::new();
    let url = client.create("q", &json!({ "KmsDataKeyReusePeriodSeconds": "600" }));
    let state = || {
        [
            "SqsManagedSseEnabled",
            "KmsMasterKeyId",
            "KmsDataKeyReusePeriodSeconds",
        ]
        .map(|name| client.attribute(&url, name).unwrap_or_default())
    };
    assert_eq!(state(), ["true", "", ""]);
    client.set(&url, &json!({ "KmsMasterKeyId": "alias/aws/sqs" }));
    assert_eq!(state(), ["false", "alias/aws/sqs", "600"]);
    client.set(&url, &json!({ "SqsManagedSseEnabled": "true" }));
    assert_eq!(state(), ["true", "", ""]);
    client.set(&url, &json!({ "KmsMasterKeyId": "alias/a" }));
    client.set(&url, &json!({ "KmsMasterKeyId": "" }));
    assert_eq!(state(), ["false", "", ""]);
    let both = json!({ "QueueUrl": url, "Attributes": { "SqsManagedSseEnabled": "true", "KmsMasterKeyId": "alias/a" } });
    assert_eq!(
        client.fails("SetQueueAttributes", &both).0,
        "InvalidAttributeValue"
    );
}

#[test]
fn a_policy_is_echoed_as_given_and_bounded() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let given = r#"{ "Version":"2012-10-17",  "Statement": [] }"#;
    client.set(&url, &json!({ "Policy": given }));
    assert_eq!(client.attribute(&url, "Policy").unwrap(), given);
    let fails = |policy: String| {
        client
            .fails(
                "SetQueueAttributes",
                &json!({ "QueueUrl": url, "Attributes": { "Policy": policy } }),
            )
            .0
    };
    assert_eq!(fails("{".into()), "InvalidAttributeValue");
    assert_eq!(fails("[]".into()), "InvalidAttributeValue");
    assert_eq!(
        fails(json!({ "Id": "x".repeat(8192) }).to_string()),
        "InvalidAttributeValue"
    );
    assert_eq!(
        fails(json!({ "Statement": vec![json!({}); 21] }).to_string()),
        "OverLimit"
    );
    client.set(&url, &json!({ "Policy": "" }));
    assert_eq!(client.attribute(&url, "Policy"), None);
}

#[test]
fn setting_some_attributes_keeps_the_others() {
    let client = Client::new();
    let url = client.create(
        "q",
        &json!({ "DelaySeconds": "7", "VisibilityTimeout": "8" }),
    );
    client.pass(Duration::from_secs(5));
    client.set(&url, &json!({ "VisibilityTimeout": "9" }));
    let read = |name| client.attribute(&url, name).unwrap();
    assert_eq!(
        (read("DelaySeconds"), read("VisibilityTimeout")),
        ("7".to_owned(), "9".to_owned())
    );
    assert_eq!(
        (read("CreatedTimestamp"), read("LastModifiedTimestamp")),
        ("1700000000".to_owned(), "1700000005".to_owned())
    );
    let none = json!({ "QueueUrl": url, "Attributes": {} });
    assert_eq!(
        client.fails("SetQueueAttributes", &none).1,
        "The request must contain the parameter Attribute.Name."
    );
    let mixed = json!({ "QueueUrl": url, "Attributes": { "DelaySeconds": "1", "VisibilityTimeout": "-1" } });
    client.fails("SetQueueAttributes", &mixed);
    assert_eq!(
        client.attribute(&url, "DelaySeconds").unwrap(),
        "7",
        "half of a refused change was kept"
    );
}

/// What the engine is told is what the attributes say.
#[test]
fn the_engine_gets_what_decides_a_messages_fate() {
    let client = Client::new();
    client.create("dlq.fifo", &json!({ "FifoQueue": "true" }));
    client.create(
        "q.fifo",
        &json!({
            "FifoQueue": "true",
            "VisibilityTimeout": "45",
            "MessageRetentionPeriod": "60",
            "DelaySeconds": "3",
            "RedrivePolicy": json!({ "deadLetterTargetArn": arn("dlq.fifo"), "maxReceiveCount": "4" }).to_string(),
        }),
    );
    let id = |name: &str| mq_engine::EntityId {
        service: mq_engine::Service::Sqs,
        kind: mq_engine::EntityKind::Queue,
        scope: "000000000000/us-east-1".to_owned(),
        name: name.to_owned(),
    };
    let engine = client.front.shared.engine();
    let expected = mq_engine::Settings {
        lease: Duration::from_secs(45),
        retention: Some(Duration::from_secs(60)),
        delay: Duration::from_secs(3),
        max_deliveries: Some(4),
        dead_letter: Some(id("dlq.fifo")),
        ordered: true,
        duplicate_window: Some(Duration::from_secs(300)),
        topic: None,
        ..mq_engine::Settings::default()
    };
    assert_eq!(engine.get(&id("q.fifo")).unwrap().settings, expected);
}
