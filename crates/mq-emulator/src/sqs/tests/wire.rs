//! The bytes of both protocols.

use super::*;

#[test]
fn json_answers_are_byte_exact() {
    let client = Client::new();
    let made = client.json(
        "CreateQueue",
        &json!({ "QueueName": "orders", "Attributes": { "VisibilityTimeout": "45" }, "tags": { "team": "a\"b" } }),
    );
    assert_eq!(made.status, 200);
    assert_eq!(
        made.body,
        r#"{"QueueUrl":"http://localhost:9324/000000000000/orders"}"#
    );
    assert_eq!(made.headers["content-type"], "application/x-amz-json-1.0");

    let url = json!({ "QueueUrl": "http://localhost:9324/000000000000/orders" });
    assert_eq!(
        client.json("ListQueueTags", &url).body,
        r#"{"Tags":{"team":"a\"b"}}"#
    );
    assert_eq!(
        client.json("ListDeadLetterSourceQueues", &url).body,
        r#"{"queueUrls":[]}"#
    );
    assert_eq!(client.json("GetQueueAttributes", &url).body, "{}");
    let deleted = client.json("DeleteQueue", &url);
    assert_eq!((deleted.status, deleted.body.as_str()), (200, ""));
    assert_eq!(client.json("ListQueues", &json!({})).body, "{}");

    let error = client.json("DeleteQueue", &url);
    assert_eq!(error.status, 400);
    assert_eq!(
        error.body,
        r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}"#
    );
    assert_eq!(
        error.headers["x-amzn-query-error"],
        "AWS.SimpleQueueService.NonExistentQueue;Sender"
    );
}

#[test]
fn query_answers_are_byte_exact() {
    let client = Client::new();
    let made = client.query(
        "/",
        "Action=CreateQueue&Version=2012-11-05&QueueName=orders&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=45&Attribute.2.Name=KmsMasterKeyId&Attribute.2.Value=%22a%26b%0D%3C%22&Tag.1.Key=team&Tag.1.Value=a+b",
    );
    assert_eq!(
        made.body,
        r#"<?xml version="1.0"?><CreateQueueResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><CreateQueueResult><QueueUrl>http://localhost:9324/000000000000/orders</QueueUrl></CreateQueueResult><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></CreateQueueResponse>"#
    );
    assert_eq!(made.headers["content-type"], "text/xml");

    let shown = client.query(
        "/000000000000/orders",
        "Action=GetQueueAttributes&AttributeName.1=VisibilityTimeout&AttributeName.2=KmsMasterKeyId",
    );
    assert_eq!(
        shown.body,
        r#"<?xml version="1.0"?><GetQueueAttributesResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><GetQueueAttributesResult><Attribute><Name>KmsMasterKeyId</Name><Value>&quot;a&amp;b&#xD;&lt;&quot;</Value></Attribute><Attribute><Name>VisibilityTimeout</Name><Value>45</Value></Attribute></GetQueueAttributesResult><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></GetQueueAttributesResponse>"#
    );
    let tags = client.query("/000000000000/orders", "Action=ListQueueTags");
    assert!(
        tags.body.contains("<ListQueueTagsResult><Tag><Key>team</Key><Value>a b</Value></Tag></ListQueueTagsResult>"),
        "{}",
        tags.body
    );
    let deleted = client.query("/000000000000/orders", "Action=DeleteQueue");
    assert_eq!(
        deleted.body,
        r#"<?xml version="1.0"?><DeleteQueueResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></DeleteQueueResponse>"#
    );
    let error = client.query("/000000000000/orders", "Action=DeleteQueue");
    assert_eq!(error.status, 400);
    assert_eq!(
        error.body,
        r#"<?xml version="1.0"?><ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error><Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue does not exist.</Message><Detail/></Error><RequestId>ID</RequestId></ErrorResponse>"#
    );
}

/// A queue made by one protocol is the same queue in the other, GET forms included.
#[test]
fn both_protocols_see_one_queue() {
    let client = Client::new();
    client.create("q", &json!({}));
    let form = "/?Action=GetQueueUrl&QueueName=q";
    let got = client.send(Request::get(form), b"");
    assert!(
        got.body
            .contains("<QueueUrl>http://localhost:9324/000000000000/q</QueueUrl>"),
        "{}",
        got.body
    );
    let listed = client.query("/", "Action=ListQueues&QueueNamePrefix=q&MaxResults=5");
    assert!(
        listed
            .body
            .contains("<ListQueuesResult><QueueUrl>http://localhost:9324/"),
        "{}",
        listed.body
    );
}

/// The 403 of a quota is a 400 for clients that do not ask for the Query protocol's codes.
#[test]
fn the_status_depends_on_query_mode() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let body = json!({ "QueueUrl": url });
    client.ok("PurgeQueue", &body);
    assert_eq!(client.json("PurgeQueue", &body).status, 403);
    let plain = Request::post("/").header("x-amz-target", "AmazonSQS.PurgeQueue");
    let reply = client.send(plain, body.to_string().as_bytes());
    assert_eq!(reply.status, 400);
    assert_eq!(
        reply.headers["x-amzn-query-error"],
        "AWS.SimpleQueueService.PurgeQueueInProgress;Sender"
    );
    assert_eq!(
        client.query("/000000000000/q", "Action=PurgeQueue").status,
        403
    );
}

#[test]
fn what_is_no_operation_is_said_so() {
    let client = Client::new();
    assert_eq!(
        client.fails("Fly", &json!({})).0,
        "UnknownOperationException"
    );
    let other = Request::post("/").header("x-amz-target", "DynamoDB_20120810.ListTables");
    assert!(
        client
            .send(other, b"{}")
            .body
            .contains("UnknownOperationException")
    );
    assert!(
        client
            .query("/", "Action=Fly")
            .body
            .contains("<Code>InvalidAction</Code>")
    );
    assert!(
        client
            .query("/", "")
            .body
            .contains("<Code>MissingAction</Code>")
    );
    assert!(
        client
            .query("/000000000000/q", "Action=ListQueues")
            .body
            .contains("<Code>InvalidAction</Code>")
    );
    assert_eq!(client.send(Request::put("/"), b"").status, 405);
}

#[test]
fn sts_tells_the_account_on_the_same_port() {
    let client = Client::new();
    let who = client.query("/", "Action=GetCallerIdentity&Version=2011-06-15");
    assert_eq!(
        who.body,
        r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:root</Arn><UserId>000000000000</UserId><Account>000000000000</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></GetCallerIdentityResponse>"#
    );
    let other = client.query("/", "Action=AssumeRole&Version=2011-06-15");
    assert_eq!(other.status, 400);
    assert!(
        other
            .body
            .contains("https://sts.amazonaws.com/doc/2011-06-15/"),
        "{}",
        other.body
    );
}

/// The URL is one that this client can reach, whatever it calls the host.
#[test]
fn queue_urls_carry_the_host_that_the_client_used() {
    let client = Client::new();
    client.create("q", &json!({}));
    let head = Request::post("/")
        .header("host", "127.0.0.1:4566")
        .header("x-amz-target", "AmazonSQS.GetQueueUrl")
        .body(())
        .unwrap()
        .into_parts()
        .0;
    let reply = client.send_as_is(&head, br#"{"QueueName":"q"}"#);
    assert_eq!(
        reply.value()["QueueUrl"],
        "http://127.0.0.1:4566/000000000000/q"
    );
}

#[test]
fn a_queue_of_another_region_or_account_does_not_exist() {
    let mut client = Client::new();
    let url = client.create("q", &json!({}));
    client.region = "eu-west-1";
    assert_eq!(
        client
            .fails("GetQueueAttributes", &json!({ "QueueUrl": url }))
            .0,
        "QueueDoesNotExist"
    );
    assert_eq!(
        client.fails("GetQueueUrl", &json!({ "QueueName": "q" })).0,
        "QueueDoesNotExist"
    );
    client.create("q", &json!({ "VisibilityTimeout": "9" }));
    assert_eq!(
        client.attribute(&url, "QueueArn").unwrap(),
        "arn:aws:sqs:eu-west-1:000000000000:q"
    );
    client.region = "us-east-1";
    assert_eq!(client.attribute(&url, "VisibilityTimeout").unwrap(), "30");
    for (operation, body) in [
        (
            "GetQueueAttributes",
            json!({ "QueueUrl": "http://localhost:9324/111111111111/q" }),
        ),
        (
            "GetQueueUrl",
            json!({ "QueueName": "q", "QueueOwnerAWSAccountId": "111111111111" }),
        ),
    ] {
        assert_eq!(client.fails(operation, &body).0, "QueueDoesNotExist");
    }
}

/// Unsigned requests are for the configured region, presigned URLs for theirs.
#[test]
fn the_region_comes_from_the_signature() {
    let client = Client::new();
    let list = |uri: &str| {
        let head = Request::get(uri)
            .header("host", "localhost")
            .body(())
            .unwrap()
            .into_parts()
            .0;
        client.send_as_is(&head, b"")
    };
    client.create("q", &json!({}));
    assert!(list("/?Action=ListQueues").body.contains("/q</QueueUrl>"));
    let presigned =
        "/?Action=ListQueues&X-Amz-Credential=key%2F20231114%2Feu-west-1%2Fsqs%2Faws4_request";
    assert!(!list(presigned).body.contains("/q</QueueUrl>"));
    for bad in [
        "x",
        "key%2F20231114%2F%2Fsqs%2Faws4_request",
        "a%2Fb%2Fc%20d%2Fsqs%2Faws4_request",
    ] {
        let reply = list(&format!("/?Action=ListQueues&X-Amz-Credential={bad}"));
        assert!(
            reply.body.contains("<Code>IncompleteSignature</Code>"),
            "{bad}: {}",
            reply.body
        );
    }
}

#[test]
fn messages_are_byte_exact_in_json() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let sent = client.json(
        "SendMessage",
        &json!({
            "QueueUrl": url,
            "MessageBody": "hello",
            "MessageAttributes": {
                "s": { "DataType": "String.custom", "StringValue": "héllo" },
                "n": { "DataType": "Number", "StringValue": "42" },
                "b": { "DataType": "Binary", "BinaryValue": "AAE=" },
            },
            "MessageSystemAttributes": {
                "AWSTraceHeader": { "DataType": "String", "StringValue": "Root=1-2" },
            },
        }),
    );
    let id = sent.value()["MessageId"].as_str().unwrap().to_owned();
    assert_eq!(
        sent.body.replace(&id, "MESSAGE"),
        r#"{"MessageId":"MESSAGE","MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592","MD5OfMessageAttributes":"2f5b9a220c675b6e14987c5b07014d8b","MD5OfMessageSystemAttributes":"eea8f494e51df9c126b8b85f54ccabf7"}"#
    );
    let received = client.json(
        "ReceiveMessage",
        &json!({
            "QueueUrl": url,
            "AttributeNames": ["All"],
            "MessageAttributeNames": ["b", "n"],
        }),
    );
    let handle = received.value()["Messages"][0]["ReceiptHandle"].clone();
    let handle = handle.as_str().unwrap();
    assert_eq!(
        received
            .body
            .replace(&id, "MESSAGE")
            .replace(handle, "HANDLE"),
        r#"{"Messages":[{"MessageId":"MESSAGE","ReceiptHandle":"HANDLE","MD5OfBody":"5d41402abc4b2a76b9719d911017c592","Body":"hello","Attributes":{"AWSTraceHeader":"Root=1-2","ApproximateFirstReceiveTimestamp":"1700000000000","ApproximateReceiveCount":"1","SenderId":"000000000000","SentTimestamp":"1700000000000"},"MD5OfMessageAttributes":"6b0e57f941e8d0f7d661adde182a4d82","MessageAttributes":{"b":{"BinaryValue":"AAE=","DataType":"Binary"},"n":{"StringValue":"42","DataType":"Number"}}}]}"#
    );
    let empty = client.json("ReceiveMessage", &json!({ "QueueUrl": url }));
    assert_eq!(empty.body, "{}");
}

#[test]
fn messages_are_byte_exact_in_xml() {
    let client = Client::new();
    client.create("q", &json!({}));
    let sent = client.query(
        "/000000000000/q",
        "Action=SendMessage&MessageBody=a%26%22b%0D&MessageAttribute.1.Name=k&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v",
    );
    let id = between(&sent.body, "<MessageId>", "</MessageId>");
    assert_eq!(
        sent.body.replace(&id, "MESSAGE"),
        r#"<?xml version="1.0"?><SendMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><SendMessageResult><MessageId>MESSAGE</MessageId><MD5OfMessageBody>0c2bca9cc9d704fba4eec94e11120401</MD5OfMessageBody><MD5OfMessageAttributes>0a77b0642718c3d9dd47090567d11e0d</MD5OfMessageAttributes></SendMessageResult><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></SendMessageResponse>"#
    );
    let received = client.query(
        "/000000000000/q",
        "Action=ReceiveMessage&MessageAttributeName.1=All&AttributeName.1=ApproximateReceiveCount",
    );
    let handle = between(&received.body, "<ReceiptHandle>", "</ReceiptHandle>");
    assert_eq!(
        received
            .body
            .replace(&id, "MESSAGE")
            .replace(&handle, "HANDLE"),
        r#"<?xml version="1.0"?><ReceiveMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><ReceiveMessageResult><Message><MessageId>MESSAGE</MessageId><ReceiptHandle>HANDLE</ReceiptHandle><MD5OfBody>0c2bca9cc9d704fba4eec94e11120401</MD5OfBody><Body>a&amp;&quot;b&#xD;</Body><Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute><MD5OfMessageAttributes>0a77b0642718c3d9dd47090567d11e0d</MD5OfMessageAttributes><MessageAttribute><Name>k</Name><Value><StringValue>v</StringValue><DataType>String</DataType></Value></MessageAttribute></Message></ReceiveMessageResult><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></ReceiveMessageResponse>"#
    );
    let handle = percent_encoding::utf8_percent_encode(&handle, percent_encoding::NON_ALPHANUMERIC);
    let batch = client.query(
        "/000000000000/q",
        &format!(
            "Action=DeleteMessageBatch&DeleteMessageBatchRequestEntry.1.Id=a&DeleteMessageBatchRequestEntry.1.ReceiptHandle={handle}&DeleteMessageBatchRequestEntry.2.Id=b&DeleteMessageBatchRequestEntry.2.ReceiptHandle=x"
        ),
    );
    assert_eq!(
        batch.body,
        r#"<?xml version="1.0"?><DeleteMessageBatchResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><DeleteMessageBatchResult><DeleteMessageBatchResultEntry><Id>a</Id></DeleteMessageBatchResultEntry><BatchResultErrorEntry><Id>b</Id><SenderFault>true</SenderFault><Code>ReceiptHandleIsInvalid</Code><Message>The input receipt handle is invalid.</Message></BatchResultErrorEntry></DeleteMessageBatchResult><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></DeleteMessageBatchResponse>"#
    );
}

fn between(text: &str, start: &str, end: &str) -> String {
    let (_, rest) = text.split_once(start).unwrap();
    rest.split_once(end).unwrap().0.to_owned()
}
