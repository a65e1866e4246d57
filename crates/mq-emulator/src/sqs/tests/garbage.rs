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
