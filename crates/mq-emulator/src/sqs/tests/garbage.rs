//! Requests that are none: each gets an answer of its protocol, and nothing panics.

use proptest::prelude::*;

use super::*;

#[test]
fn bodies_that_are_no_requests_are_said_so() {
    let client = Client::new();
    let deep = "[".repeat(100_000);
    let long = format!(r#"{{"QueueName":"{}"}}"#, "a".repeat(1_000_000));
    for (body, name) in [
        ("{", "SerializationException"),
        ("[]", "SerializationException"),
        ("null", "SerializationException"),
        ("\u{0}", "SerializationException"),
        (deep.as_str(), "SerializationException"),
        (r#"{"QueueName":7}"#, "SerializationException"),
        (r#"{"QueueName":["q"]}"#, "SerializationException"),
        (
            r#"{"QueueName":"q","Attributes":[]}"#,
            "SerializationException",
        ),
        (
            r#"{"QueueName":"q","Attributes":{"DelaySeconds":1}}"#,
            "SerializationException",
        ),
        (
            r#"{"QueueName":"q","Attributes":{"DelaySeconds":{}}}"#,
            "SerializationException",
        ),
        (r#"{"QueueName":null}"#, "MissingRequiredParameterException"),
        ("", "MissingRequiredParameterException"),
        (long.as_str(), "InvalidParameterValueException"),
    ] {
        let request = Request::post("/").header("x-amz-target", "AmazonSQS.CreateQueue");
        let reply = client.send(request, body.as_bytes());
        assert_eq!(reply.status, 400);
        assert!(
            reply.value()["__type"].as_str().unwrap().ends_with(name),
            "{:.80}: {}",
            body,
            reply.body
        );
    }
    for form in [
        "Action=CreateQueue&QueueName=%FF",
        "Action=CreateQueue&QueueName=a&Attribute.1.Name=DelaySeconds",
        "Action=ListQueues&MaxResults=many",
        "Action=ListQueues&MaxResults=99999999999999999999",
    ] {
        let reply = client.query("/", form);
        assert_eq!(reply.status, 400, "{form}");
        assert!(reply.body.contains("<ErrorResponse"), "{}", reply.body);
    }
    assert_eq!(
        client
            .query(
                "/",
                "Action=CreateQueue&QueueName=a&Attribute.x.Name=y&Attribute.4294967296.Name=z"
            )
            .status,
        200
    );
    let raw = client.send(Request::post("/"), b"\xff\xfe");
    assert!(
        raw.body.contains("<Code>MalformedInput</Code>"),
        "{}",
        raw.body
    );
}

#[test]
fn bombs_are_refused_and_hold_nobody_up() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let attributes: serde_json::Map<_, _> = (0..20_000)
        .map(|index| {
            let value = json!({ "DataType": "String", "StringValue": "x" });
            (format!("a{index}"), value)
        })
        .collect();
    let entries: Value = (0..20_000)
        .map(|index| json!({ "Id": format!("i{index}"), "MessageBody": "x" }))
        .collect();
    let send = |more: Value| client.fails("SendMessage", &more).0;
    assert_eq!(
        send(json!({ "QueueUrl": url, "MessageBody": "x", "MessageAttributes": attributes })),
        "InvalidParameterValueException"
    );
    let batch = json!({ "QueueUrl": url, "Entries": entries });
    assert_eq!(
        client.fails("SendMessageBatch", &batch).0,
        "TooManyEntriesInBatchRequest"
    );
    let nested = format!(
        r#"{{"QueueUrl":"{url}","MessageBody":"x","MessageAttributes":{}1{}}}"#,
        r#"{"a":"#.repeat(100_000),
        "}".repeat(100_000)
    );
    let request = Request::post("/").header("x-amz-target", "AmazonSQS.SendMessage");
    let reply = client.send(request, nested.as_bytes());
    assert!(
        reply.body.contains("SerializationException"),
        "{}",
        reply.body
    );

    let mut form = "Action=SendMessageBatch".to_owned();
    for index in 0..20_000 {
        form.push_str(&format!(
            "&SendMessageBatchRequestEntry.{index}.Id=i{index}&SendMessageBatchRequestEntry.{index}.MessageBody=x"
        ));
    }
    let reply = client.query("/000000000000/q", &form);
    assert!(
        reply.body.contains("TooManyEntriesInBatchRequest"),
        "{}",
        reply.body
    );
    let mut form = "Action=SendMessage&MessageBody=x".to_owned();
    for index in 0..20_000 {
        form.push_str(&format!("&MessageAttribute.{index}.Name=a{index}"));
    }
    let reply = client.query("/000000000000/q", &form);
    assert!(
        reply.body.contains("exceeds the allowed maximum"),
        "{}",
        reply.body
    );
    assert_eq!(client.counts(&url), [0, 0, 0]);
}

#[test]
fn members_of_messages_of_the_wrong_kind_are_said_so() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let attribute = |value: Value| json!({ "MessageAttributes": { "a": value } });
    for (operation, more) in [
        ("SendMessage", json!({ "MessageBody": 1 })),
        ("SendMessage", json!({ "MessageAttributes": [] })),
        ("SendMessage", attribute(json!("x"))),
        ("SendMessage", attribute(Value::Null)),
        ("SendMessage", attribute(json!({ "DataType": 1 }))),
        (
            "SendMessage",
            attribute(json!({ "DataType": "String", "StringValue": ["x"] })),
        ),
        (
            "SendMessage",
            attribute(json!({ "DataType": "Binary", "BinaryValue": "A" })),
        ),
        ("SendMessageBatch", json!({ "Entries": {} })),
        ("SendMessageBatch", json!({ "Entries": ["x"] })),
        ("SendMessageBatch", json!({ "Entries": [{ "Id": 1 }] })),
        ("ReceiveMessage", json!({ "MaxNumberOfMessages": "1" })),
        ("ReceiveMessage", json!({ "MaxNumberOfMessages": 1.5 })),
        ("ReceiveMessage", json!({ "MessageAttributeNames": "All" })),
        (
            "ChangeMessageVisibility",
            json!({ "VisibilityTimeout": {} }),
        ),
    ] {
        let mut request = more.clone();
        request["QueueUrl"] = json!(url);
        let name = client.fails(operation, &request).0;
        assert_eq!(name, "SerializationException", "{operation} {more}");
    }
}

/// What a client wrote comes back escaped, and what XML cannot hold does not come back.
#[test]
fn errors_do_not_carry_markup() {
    let client = Client::new();
    let reply = client.query("/", "Action=%3Cscript%3E%00%1B");
    assert!(
        reply.body.contains("&lt;script&gt;\u{fffd}\u{fffd}"),
        "{}",
        reply.body
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("http://localhost:9324/000000000000/q")),
    ];
    let name = prop_oneof![
        Just("QueueName"),
        Just("QueueUrl"),
        Just("Attributes"),
        Just("Tags"),
        Just("TagKeys"),
        Just("AttributeNames"),
        Just("MaxResults"),
        Just("NextToken"),
        Just("Label"),
        Just("Actions"),
        Just("RedrivePolicy"),
        Just("Policy"),
        Just("VisibilityTimeout"),
        Just("MessageBody"),
        Just("MessageAttributes"),
        Just("DataType"),
        Just("StringValue"),
        Just("BinaryValue"),
        Just("Entries"),
        Just("Id"),
        Just("ReceiptHandle"),
        Just("DelaySeconds"),
        Just("MaxNumberOfMessages"),
        Just("SourceArn"),
        Just("TaskHandle"),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_gets_an_answer(operation in 0..operation::OPERATIONS.len(), body in any_json()) {
        let client = Client::new();
        client.create("q", &json!({}));
        let reply = client.json(operation::OPERATIONS[operation].name, &body);
        prop_assert!(reply.status < 500, "{}", reply.body);
    }

    #[test]
    fn any_bytes_get_an_answer(body in proptest::collection::vec(any::<u8>(), 0..256), is_json: bool) {
        let client = Client::new();
        let request = Request::post("/000000000000/q");
        let request = if is_json { request.header("x-amz-target", "AmazonSQS.ListQueues") } else { request };
        let reply = client.send(request, &body);
        prop_assert!(reply.status < 500, "{}", reply.body);
    }

    #[test]
    fn any_form_gets_an_answer(
        operation in 0..operation::OPERATIONS.len(),
        fields in proptest::collection::vec(("[A-Za-z.0-9]{0,24}", "[ -~]{0,24}"), 0..8),
    ) {
        let client = Client::new();
        client.create("q", &json!({}));
        let mut form = format!("Action={}", operation::OPERATIONS[operation].name);
        for (name, value) in fields {
            form.push_str(&format!("&{name}={value}"));
        }
        let reply = client.query("/000000000000/q", &form);
        prop_assert!(reply.status < 500, "{}", reply.body);
    }
}

/// A value that an attribute may or may not have.
fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,7}",
        Just("true".to_owned()),
        Just("false".to_owned()),
        Just(String::new()),
        Just("perMessageGroupId".to_owned()),
        Just("messageGroup".to_owned()),
        Just(json!({ "deadLetterTargetArn": arn("dlq"), "maxReceiveCount": "7" }).to_string()),
        Just(json!({ "redrivePermission": "denyAll", "sourceQueueArns": null }).to_string()),
        "\\PC{0,8}",
    ]
}

fn any_attributes() -> impl Strategy<Value = std::collections::BTreeMap<String, String>> {
    let name = proptest::sample::select(vec![
        "VisibilityTimeout",
        "DelaySeconds",
        "MessageRetentionPeriod",
        "FifoQueue",
        "FifoThroughputLimit",
        "DeduplicationScope",
        "RedrivePolicy",
        "RedriveAllowPolicy",
        "KmsMasterKeyId",
        "SqsManagedSseEnabled",
        "Policy",
        "QueueArn",
    ]);
    proptest::collection::btree_map(name.prop_map(str::to_owned), any_value(), 0..4)
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

proptest! {
    /// Whichever protocol carries a change, it does the same and fails by the same code.
    #[test]
    fn both_protocols_do_the_same(attributes in any_attributes(), is_fifo: bool) {
        let name = if is_fifo { "q.fifo" } else { "q" };
        let outcome = |is_json: bool| {
            let client = Client::new();
            client.create("dlq", &json!({}));
            let reply = if is_json {
                client.json("CreateQueue", &json!({ "QueueName": name, "Attributes": attributes }))
            } else {
                let mut form = format!("Action=CreateQueue&QueueName={name}");
                for (index, (name, value)) in attributes.iter().enumerate() {
                    let index = index + 1;
                    form.push_str(&format!("&Attribute.{index}.Name={name}&Attribute.{index}.Value={}", encoded(value)));
                }
                client.query("/", &form)
            };
            let code = if reply.status == 200 {
                String::new()
            } else if is_json {
                let code = reply.headers["x-amzn-query-error"].to_str().unwrap();
                code.trim_end_matches(";Sender").to_owned()
            } else {
                let (_, rest) = reply.body.split_once("<Code>").unwrap();
                rest.split_once("</Code>").unwrap().0.to_owned()
            };
            let url = format!("http://localhost:9324/000000000000/{name}");
            let all = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
            (reply.status, code, client.json("GetQueueAttributes", &all).body)
        };
        prop_assert_eq!(outcome(true), outcome(false));
    }

    /// What was taken is read back by a second create, and by the attributes, unchanged.
    #[test]
    fn what_was_taken_is_taken_again(attributes in any_attributes(), is_fifo: bool) {
        let client = Client::new();
        client.create("dlq", &json!({}));
        let name = if is_fifo { "q.fifo" } else { "q" };
        let create = json!({ "QueueName": name, "Attributes": attributes });
        if client.json("CreateQueue", &create).status == 200 {
            client.ok("CreateQueue", &create);
            let url = format!("http://localhost:9324/000000000000/{name}");
            let shown = || client.ok("GetQueueAttributes", &json!({ "QueueUrl": url, "AttributeNames": ["All"] }));
            let before = shown();
            let settable: serde_json::Map<String, Value> = before["Attributes"]
                .as_object()
                .unwrap()
                .iter()
                .filter(|(name, _)| !crate::sqs::attributes::READ_ONLY.contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            client.ok("CreateQueue", &json!({ "QueueName": name, "Attributes": settable }));
            prop_assert_eq!(shown(), before);
        }
    }
}

/// Attributes of a message, right and wrong.
fn any_message() -> impl Strategy<Value = Vec<(String, String, String)>> {
    let name = prop_oneof!["[a-c]{1,2}", Just("aws.x".to_owned()), Just(String::new())];
    let kind = proptest::sample::select(vec![
        "String",
        "Number",
        "Number.int",
        "Binary",
        "Other",
        "",
    ]);
    let value = prop_oneof!["[0-9]{1,4}", "\\PC{0,6}", Just("AAE=".to_owned())];
    proptest::collection::vec((name, kind.prop_map(str::to_owned), value), 0..4)
}

proptest! {
    /// A message is the same one, with the same digests, whichever protocol it came by.
    #[test]
    fn both_protocols_send_the_same(body in "\\PC{0,12}", attributes in any_message()) {
        let outcome = |is_json: bool| {
            let client = Client::new();
            let url = client.create("q", &json!({}));
            let field = |kind: &str| if kind == "Binary" { "BinaryValue" } else { "StringValue" };
            let reply = if is_json {
                let mut typed = serde_json::Map::new();
                for (name, kind, value) in &attributes {
                    typed.insert(name.clone(), json!({ "DataType": kind, field(kind): value }));
                }
                client.json("SendMessage", &json!({ "QueueUrl": url, "MessageBody": body, "MessageAttributes": typed }))
            } else {
                let mut form = format!("Action=SendMessage&MessageBody={}", encoded(&body));
                for (index, (name, kind, value)) in attributes.iter().enumerate() {
                    let prefix = format!("MessageAttribute.{}", index + 1);
                    form.push_str(&format!(
                        "&{prefix}.Name={}&{prefix}.Value.DataType={kind}&{prefix}.Value.{}={}",
                        encoded(name), field(kind), encoded(value)
                    ));
                }
                client.query("/000000000000/q", &form)
            };
            let taken = client.take(&url, 1, &json!({}));
            let shown: Vec<_> = taken
                .iter()
                .map(|it| ["Body", "MD5OfBody", "MD5OfMessageAttributes", "MessageAttributes"].map(|name| it[name].clone()))
                .collect();
            let digest = taken.first().and_then(|it| it["MD5OfMessageAttributes"].as_str());
            if let Some(digest) = digest {
                assert!(reply.body.contains(digest), "{}", reply.body);
            }
            (reply.status, shown)
        };
        prop_assert_eq!(outcome(true), outcome(false));
    }
}
