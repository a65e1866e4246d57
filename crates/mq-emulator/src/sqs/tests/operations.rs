//! What operations do, one after the other.

use super::*;

#[test]
fn creating_again_compares_only_what_is_passed() {
    let client = Client::new();
    client.create("dlq", &json!({}));
    let redrive = |text: &str| json!({ "RedrivePolicy": text });
    let stored = format!(
        r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":3}}"#,
        arn("dlq")
    );
    let again = |attributes: Value, tags: Value| {
        let body = json!({ "QueueName": "q", "Attributes": attributes, "tags": tags });
        let reply = client.json("CreateQueue", &body);
        (reply.status == 200)
            .then_some(())
            .ok_or_else(|| reply.value()["message"].to_string())
    };
    let mut first = redrive(&stored);
    first["VisibilityTimeout"] = json!("45");
    again(first, json!({ "team": "a" })).unwrap();

    for same in [
        json!({}),
        json!({ "VisibilityTimeout": "45" }),
        json!({ "VisibilityTimeout": "045" }),
        json!({ "DelaySeconds": "0" }),
        redrive(&stored.replace(":3", r#": "3" "#)),
        json!({ "Policy": "" }),
    ] {
        assert_eq!(again(same.clone(), json!({})), Ok(()), "{same}");
    }
    assert_eq!(again(json!({}), json!({ "team": "a" })), Ok(()));
    for (other, named) in [
        (json!({ "VisibilityTimeout": "46" }), "VisibilityTimeout"),
        (json!({ "DelaySeconds": "1" }), "DelaySeconds"),
        (redrive(&stored.replace(":3", ":4")), "RedrivePolicy"),
        (redrive(""), "RedrivePolicy"),
        (json!({ "KmsMasterKeyId": "alias/a" }), "KmsMasterKeyId"),
    ] {
        let error = again(other.clone(), json!({})).unwrap_err();
        assert!(
            error.ends_with(&format!("a different value for attribute {named}\"")),
            "{other}: {error}"
        );
    }
    for tags in [json!({ "team": "b" }), json!({ "stage": "x" })] {
        assert!(
            again(json!({}), tags)
                .unwrap_err()
                .contains("different value for tags")
        );
    }
    let clash = json!({ "QueueName": "q", "Attributes": { "VisibilityTimeout": "1" } });
    let reply = client.json("CreateQueue", &clash);
    assert_eq!(reply.value()["__type"], "com.amazonaws.sqs#QueueNameExists");
    assert_eq!(
        reply.headers["x-amzn-query-error"],
        "QueueAlreadyExists;Sender"
    );
}

#[test]
fn lists_come_in_pages_and_in_order() {
    let client = Client::new();
    for name in ["b2", "a1", "b1", "c1", "b3"] {
        client.create(name, &json!({}));
    }
    let names = |value: &Value| -> Vec<String> {
        let urls = value["QueueUrls"].as_array().cloned().unwrap_or_default();
        urls.iter()
            .map(|url| url.as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .collect()
    };
    let all = client.ok("ListQueues", &json!({}));
    assert_eq!(names(&all), ["a1", "b1", "b2", "b3", "c1"]);
    assert!(all["NextToken"].is_null());

    let mut seen = Vec::new();
    let mut token = Value::Null;
    loop {
        let page = client.ok(
            "ListQueues",
            &json!({ "QueueNamePrefix": "b", "MaxResults": 2, "NextToken": token }),
        );
        seen.extend(names(&page));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, ["b1", "b2", "b3"]);
    for bad in [
        json!({ "MaxResults": 0 }),
        json!({ "MaxResults": 1001 }),
        json!({ "MaxResults": -1 }),
        json!({ "NextToken": "!" }),
    ] {
        assert_eq!(
            client.fails("ListQueues", &bad).0,
            "InvalidParameterValueException",
            "{bad}"
        );
    }
}

/// Without `MaxResults` a list ends after 1,000 queues, and has no token.
#[test]
fn a_list_without_pages_ends_after_a_thousand() {
    let client = Client::new();
    for index in 0..1001 {
        client.create(&format!("q{index:04}"), &json!({}));
    }
    let all = client.ok("ListQueues", &json!({}));
    assert_eq!(all["QueueUrls"].as_array().unwrap().len(), 1000);
    assert!(all["NextToken"].is_null());
    let paged = client.ok("ListQueues", &json!({ "MaxResults": 1000 }));
    let rest = client.ok(
        "ListQueues",
        &json!({ "MaxResults": 1000, "NextToken": paged["NextToken"] }),
    );
    assert_eq!(rest["QueueUrls"].as_array().unwrap().len(), 1);
}

#[test]
fn a_dead_letter_queue_knows_its_sources() {
    let client = Client::new();
    let dlq = client.create("dlq", &json!({}));
    let policy = json!({ "deadLetterTargetArn": arn("dlq"), "maxReceiveCount": 3 }).to_string();
    for name in ["s1", "s2", "s3"] {
        client.create(name, &json!({ "RedrivePolicy": policy }));
    }
    client.create("other", &json!({}));
    let first = client.ok(
        "ListDeadLetterSourceQueues",
        &json!({ "QueueUrl": dlq, "MaxResults": 2 }),
    );
    assert_eq!(first["queueUrls"].as_array().unwrap().len(), 2);
    let rest = client.ok(
        "ListDeadLetterSourceQueues",
        &json!({ "QueueUrl": dlq, "MaxResults": 2, "NextToken": first["NextToken"] }),
    );
    assert!(
        rest["queueUrls"][0].as_str().unwrap().ends_with("/s3") && rest["NextToken"].is_null(),
        "{rest}"
    );
}

/// Deleting a dead-letter queue leaves its sources with an ARN that leads nowhere.
#[test]
fn a_deleted_dead_letter_queue_leaves_the_policy() {
    let client = Client::new();
    let dlq = client.create("dlq", &json!({}));
    let policy = json!({ "deadLetterTargetArn": arn("dlq"), "maxReceiveCount": 3 }).to_string();
    let url = client.create("q", &json!({ "RedrivePolicy": policy }));
    client.ok("DeleteQueue", &json!({ "QueueUrl": dlq }));
    assert_eq!(client.attribute(&url, "RedrivePolicy").unwrap(), policy);
    client.set(&url, &json!({ "VisibilityTimeout": "9" }));
    client.ok(
        "TagQueue",
        &json!({ "QueueUrl": url, "Tags": { "a": "b" } }),
    );
    assert_eq!(client.attribute(&url, "RedrivePolicy").unwrap(), policy);
}

#[test]
fn tags_are_added_replaced_removed_and_bounded() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    client.ok(
        "TagQueue",
        &json!({ "QueueUrl": url, "Tags": { "a": "1", "b": "2" } }),
    );
    client.ok(
        "TagQueue",
        &json!({ "QueueUrl": url, "Tags": { "b": "3", "empty": "" } }),
    );
    client.ok(
        "UntagQueue",
        &json!({ "QueueUrl": url, "TagKeys": ["a", "unknown"] }),
    );
    let tags = || client.ok("ListQueueTags", &json!({ "QueueUrl": url }))["Tags"].clone();
    assert_eq!(tags(), json!({ "b": "3", "empty": "" }));

    let many: serde_json::Map<String, Value> = (0..50)
        .map(|index| (format!("k{index}"), json!("v")))
        .collect();
    for bad in [
        Value::Object(many),
        json!({ "aws:x": "1" }),
        json!({ "": "1" }),
        json!({ "k".repeat(129): "1" }),
        json!({ "k": "v".repeat(257) }),
    ] {
        let error = client.fails("TagQueue", &json!({ "QueueUrl": url, "Tags": bad }));
        assert_eq!(error.0, "InvalidParameterValueException");
    }
    assert_eq!(
        tags(),
        json!({ "b": "3", "empty": "" }),
        "a refused tag was kept"
    );
    let before = client.attribute(&url, "LastModifiedTimestamp");
    assert_eq!(
        before.as_deref(),
        Some("1700000000"),
        "tagging is no change of attributes"
    );
}

fn permission(label: &str, accounts: &Value, actions: &Value) -> Value {
    json!({
        "QueueUrl": "http://localhost:9324/000000000000/q",
        "Label": label,
        "AWSAccountIds": accounts,
        "Actions": actions,
    })
}

#[test]
fn permissions_are_statements_by_label() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let one = json!(["111111111111"]);
    client.ok(
        "AddPermission",
        &permission("one", &one, &json!(["SendMessage"])),
    );
    let policy: Value = serde_json::from_str(&client.attribute(&url, "Policy").unwrap()).unwrap();
    assert_eq!(
        policy,
        json!({
            "Version": "2008-10-17",
            "Id": format!("{}/SQSDefaultPolicy", arn("q")),
            "Statement": [{
                "Sid": "one",
                "Effect": "Allow",
                "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
                "Action": "SQS:SendMessage",
                "Resource": arn("q"),
            }],
        })
    );
    let two = json!(["111111111111", "222222222222"]);
    client.ok("AddPermission", &permission("two", &two, &json!(["*"])));
    client.ok(
        "RemovePermission",
        &json!({ "QueueUrl": url, "Label": "one" }),
    );
    let error = client.fails(
        "RemovePermission",
        &json!({ "QueueUrl": url, "Label": "one" }),
    );
    assert!(error.1.contains("can't find label"), "{error:?}");
    client.ok(
        "RemovePermission",
        &json!({ "QueueUrl": url, "Label": "two" }),
    );
    assert_eq!(client.attribute(&url, "Policy"), None);
}

#[test]
fn permissions_that_cannot_be_name_their_reason() {
    let client = Client::new();
    client.create("q", &json!({}));
    let (one, send) = (json!(["111111111111"]), json!(["SendMessage"]));
    client.ok("AddPermission", &permission("one", &one, &send));
    for (body, reason) in [
        (permission("one", &one, &send), "Already exists"),
        (
            permission("two", &one, &json!(["CreateQueue"])),
            "Only the queue owner",
        ),
        (permission("two", &json!(["me"]), &send), "Unable to verify"),
        (permission("a b", &one, &send), "alphanumeric"),
        (
            permission("two", &one, &json!(vec!["SendMessage"; 8])),
            "8 Actions",
        ),
        (permission("two", &json!([]), &send), "AWSAccountId"),
    ] {
        let error = client.fails("AddPermission", &body);
        assert!(error.1.contains(reason), "{body}: {error:?}");
    }
}

/// A policy may hold a single statement outside of a list.
#[test]
fn a_permission_keeps_the_statements_of_others() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    client.set(
        &url,
        &json!({ "Policy": json!({ "Statement": { "Sid": "alone" } }).to_string() }),
    );
    client.ok(
        "AddPermission",
        &permission("two", &json!(["111111111111"]), &json!(["*"])),
    );
    let policy: Value = serde_json::from_str(&client.attribute(&url, "Policy").unwrap()).unwrap();
    assert_eq!(policy["Statement"][0]["Sid"], "alone");
    assert_eq!(policy["Statement"][1]["Sid"], "two");
}

#[test]
fn a_queue_is_purged_once_a_minute() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    client.ok("PurgeQueue", &json!({ "QueueUrl": url }));
    client.pass(Duration::from_millis(59_999));
    let error = client.fails("PurgeQueue", &json!({ "QueueUrl": url }));
    assert_eq!(error.0, "PurgeQueueInProgress");
    assert_eq!(
        error.1,
        "Only one PurgeQueue operation on q is allowed every 60 seconds."
    );
    client.pass(Duration::from_millis(1));
    client.ok("PurgeQueue", &json!({ "QueueUrl": url }));
}

#[test]
fn without_the_quirk_a_name_is_free_at_once() {
    let client = Client::new();
    let url = client.create("q", &json!({ "VisibilityTimeout": "9" }));
    client.ok("DeleteQueue", &json!({ "QueueUrl": url }));
    client.create("q", &json!({}));
    assert_eq!(client.attribute(&url, "VisibilityTimeout").unwrap(), "30");
}

#[test]
fn with_the_quirk_a_deleted_name_rests() {
    let quirks = Quirks {
        sqs_deleted_recently: Some(Duration::from_secs(60)),
        ..Quirks::default()
    };
    let client = Client::with(quirks);
    let url = client.create("q", &json!({}));
    client.ok("DeleteQueue", &json!({ "QueueUrl": url }));
    client.pass(Duration::from_millis(59_999));
    assert_eq!(
        client.fails("CreateQueue", &json!({ "QueueName": "q" })).0,
        "QueueDeletedRecently"
    );
    client.create("r", &json!({}));
    client.pass(Duration::from_millis(1));
    client.create("q", &json!({}));
}

#[test]
fn with_the_quirk_readers_are_behind() {
    let quirks = Quirks {
        sqs_attribute_lag: Some(Duration::from_secs(5)),
        ..Quirks::default()
    };
    let client = Client::with(quirks);
    let url = client.create("q", &json!({ "VisibilityTimeout": "1" }));
    assert_eq!(
        client.attribute(&url, "VisibilityTimeout").unwrap(),
        "1",
        "a new queue is no change"
    );
    client.set(&url, &json!({ "VisibilityTimeout": "2" }));
    client.pass(Duration::from_secs(4));
    assert_eq!(client.attribute(&url, "VisibilityTimeout").unwrap(), "1");
    client.set(&url, &json!({ "DelaySeconds": "3" }));
    client.pass(Duration::from_secs(4));
    assert_eq!(client.attribute(&url, "VisibilityTimeout").unwrap(), "1");
    client.ok(
        "TagQueue",
        &json!({ "QueueUrl": url, "Tags": { "a": "b" } }),
    );
    client.pass(Duration::from_secs(1));
    assert_eq!(client.attribute(&url, "VisibilityTimeout").unwrap(), "2");
    assert_eq!(client.attribute(&url, "DelaySeconds").unwrap(), "3");
}

#[test]
fn every_operation_needs_the_queue() {
    let client = Client::new();
    let gone = "http://localhost:9324/000000000000/gone";
    for (operation, body) in [
        ("DeleteQueue", json!({ "QueueUrl": gone })),
        ("GetQueueAttributes", json!({ "QueueUrl": gone })),
        ("GetQueueUrl", json!({ "QueueName": "gone" })),
        (
            "SetQueueAttributes",
            json!({ "QueueUrl": gone, "Attributes": { "DelaySeconds": "1" } }),
        ),
        ("ListQueueTags", json!({ "QueueUrl": gone })),
        (
            "TagQueue",
            json!({ "QueueUrl": gone, "Tags": { "a": "b" } }),
        ),
        ("UntagQueue", json!({ "QueueUrl": gone, "TagKeys": ["a"] })),
        ("ListDeadLetterSourceQueues", json!({ "QueueUrl": gone })),
        (
            "AddPermission",
            json!({ "QueueUrl": gone, "Label": "l", "AWSAccountIds": ["111111111111"], "Actions": ["*"] }),
        ),
        (
            "RemovePermission",
            json!({ "QueueUrl": gone, "Label": "l" }),
        ),
        ("PurgeQueue", json!({ "QueueUrl": gone })),
    ] {
        assert_eq!(
            client.fails(operation, &body).0,
            "QueueDoesNotExist",
            "{operation}"
        );
        assert_eq!(
            client.fails(operation, &json!({})).0,
            "MissingRequiredParameterException",
            "{operation}"
        );
    }
    for url in [
        "",
        "gone",
        "http://localhost:9324",
        "http://localhost:9324/a/b/c",
        "//x",
    ] {
        assert_eq!(
            client.fails("DeleteQueue", &json!({ "QueueUrl": url })).0,
            "InvalidAddress",
            "{url}"
        );
    }
}
