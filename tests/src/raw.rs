//! The services' own wire, without any SDK: for what someone else does behind `mq`'s back.

use serde_json::Value;

use crate::world::World;

/// A client of plain http. (The library behind it wants to know a TLS provider all the same.)
#[must_use]
pub fn client() -> reqwest::Client {
    // An error only says that another test was first.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// One SQS action over AWS JSON 1.0, past the proxy.
pub async fn sqs(world: &World, action: &str, input: Value) -> Value {
    let url = format!("http://{}/", world.emulator().addresses().sqs);
    let answer = client()
        .post(url)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", format!("AmazonSQS.{action}"))
        .header("authorization", format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/{}/sqs/aws4_request, SignedHeaders=host, Signature=0",
            world.variables()["AWS_REGION"]
        ))
        .body(input.to_string())
        .send()
        .await
        .unwrap();
    let ok = answer.status().is_success();
    let body = answer.text().await.unwrap();
    assert!(ok, "{action}: {body}");
    serde_json::from_str(&body).unwrap_or(Value::Null)
}

/// The URL of an SQS queue.
pub async fn queue_url(world: &World, name: &str) -> String {
    let answer = sqs(
        world,
        "GetQueueUrl",
        serde_json::json!({ "QueueName": name }),
    )
    .await;
    answer["QueueUrl"].as_str().unwrap().to_owned()
}

/// The attributes of an SQS queue.
pub async fn queue_attributes(world: &World, name: &str) -> Value {
    let url = queue_url(world, name).await;
    let answer = sqs(
        world,
        "GetQueueAttributes",
        serde_json::json!({ "QueueUrl": url, "AttributeNames": ["All"] }),
    )
    .await;
    answer["Attributes"].clone()
}

/// One Pub/Sub call over REST, past the proxy: `("GET", "topics/orders", None)`.
pub async fn pubsub(world: &World, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let project = &world.variables()["PUBSUB_PROJECT_ID"];
    let url = format!(
        "http://{}/v1/projects/{project}/{path}",
        world.emulator().addresses().pubsub
    );
    let mut request = client().request(method.parse().unwrap(), url);
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.text().await.unwrap();
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

/// One call of Service Bus's administration API, past the proxy: the status and the XML.
pub async fn atom(world: &World, method: &str, path: &str, body: Option<&str>) -> (u16, String) {
    let url = format!(
        "http://{}/{path}?api-version=2021-05",
        world.emulator().addresses().servicebus_admin
    );
    let mut request = client()
        .request(method.parse().unwrap(), url)
        .header("authorization", "Bearer test");
    if let Some(body) = body {
        request = request
            .header("content-type", "application/atom+xml")
            .body(body.to_owned());
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.text().await.unwrap())
}
