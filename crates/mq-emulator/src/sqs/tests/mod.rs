//! The front-end without sockets, at times of the test's choosing.

mod attributes;
mod fifo;
mod fuzz;
mod garbage;
mod messages;
mod moves;
mod operations;
mod waiting;
mod wire;

use std::time::Duration;

use axum::body::Body;
use futures::FutureExt;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use mq_engine::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::quirks::Quirks;

const START: Timestamp = Timestamp(1_700_000_000_000);

/// A client of a front-end of its own.
struct Client {
    front: Front,
    region: &'static str,
}

/// What came back, the request's id replaced by `ID`.
#[derive(Debug)]
struct Reply {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Client {
    fn new() -> Self {
        Client::with(Quirks::default())
    }

    fn with(quirks: Quirks) -> Self {
        let scope = Scope {
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
        };
        let front = Front {
            shared: Arc::new(Shared::new(quirks, 1).standing_at(START)),
            scope,
            secret: Secret::random(),
            stopping: CancellationToken::new(),
        };
        Client {
            front,
            region: "us-east-1",
        }
    }

    fn pass(&self, time: Duration) {
        self.front.shared.advance(time).unwrap();
    }

    fn send(&self, request: http::request::Builder, body: &[u8]) -> Reply {
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential=key/20231114/{}/sqs/aws4_request, SignedHeaders=host, Signature=0",
            self.region
        );
        let request = request
            .header("host", "localhost:9324")
            .header("authorization", credential)
            .body(Body::empty())
            .unwrap();
        self.send_as_is(&request.into_parts().0, body)
    }

    fn send_as_is(&self, head: &Parts, body: &[u8]) -> Reply {
        self.reply(head, body)
            .now_or_never()
            .expect("an answer without waiting")
    }

    async fn reply(&self, head: &Parts, body: &[u8]) -> Reply {
        let (head, body) = self.front.answer(head, body).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let id = head.headers["x-amzn-requestid"].to_str().unwrap();
        Reply {
            status: head.status.as_u16(),
            body: text.replace(id, "ID"),
            headers: head.headers,
        }
    }

    /// One call of the JSON protocol.
    fn json(&self, operation: &str, body: &Value) -> Reply {
        let request = Request::post("/")
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AmazonSQS.{operation}"))
            .header("x-amzn-query-mode", "true");
        self.send(request, body.to_string().as_bytes())
    }

    /// One call of the Query protocol.
    fn query(&self, path: &str, form: &str) -> Reply {
        let request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request, form.as_bytes())
    }

    /// The members of a JSON call that must succeed.
    fn ok(&self, operation: &str, body: &Value) -> Value {
        let reply = self.json(operation, body);
        assert_eq!(reply.status, 200, "{operation} {body}: {}", reply.body);
        if reply.body.is_empty() {
            Value::Null
        } else {
            reply.value()
        }
    }

    /// The error's short name and message of a JSON call that must fail.
    fn fails(&self, operation: &str, body: &Value) -> (String, String) {
        let reply = self.json(operation, body);
        assert_ne!(reply.status, 200, "{operation} {body}: {}", reply.body);
        let error = reply.value();
        let (_, name) = error["__type"].as_str().unwrap().rsplit_once('#').unwrap();
        (
            name.to_owned(),
            error["message"].as_str().unwrap().to_owned(),
        )
    }

    fn create(&self, name: &str, attributes: &Value) -> String {
        let made = self.ok(
            "CreateQueue",
            &json!({ "QueueName": name, "Attributes": attributes }),
        );
        made["QueueUrl"].as_str().unwrap().to_owned()
    }

    fn attribute(&self, url: &str, name: &str) -> Option<String> {
        let shown = self.ok(
            "GetQueueAttributes",
            &json!({ "QueueUrl": url, "AttributeNames": [name] }),
        );
        shown["Attributes"][name].as_str().map(str::to_owned)
    }

    fn set(&self, url: &str, attributes: &Value) {
        self.ok(
            "SetQueueAttributes",
            &json!({ "QueueUrl": url, "Attributes": attributes }),
        );
    }
}

/// What tests do with messages.
impl Client {
    fn post(&self, url: &str, body: &str) -> Value {
        self.ok(
            "SendMessage",
            &json!({ "QueueUrl": url, "MessageBody": body }),
        )
    }

    /// Receives up to `max` with these further members, and shows all there is to see.
    fn take(&self, url: &str, max: u32, more: &Value) -> Vec<Value> {
        let mut request = json!({
            "QueueUrl": url,
            "MaxNumberOfMessages": max,
            "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        });
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        let received = self.ok("ReceiveMessage", &request);
        received["Messages"].as_array().cloned().unwrap_or_default()
    }

    fn bodies(&self, url: &str) -> Vec<String> {
        let messages = self.take(url, 10, &json!({}));
        messages.iter().map(|it| text(&it["Body"])).collect()
    }

    fn delete(&self, url: &str, message: &Value) {
        let request = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] });
        self.ok("DeleteMessage", &request);
    }

    /// `ApproximateNumberOfMessages`, `…Delayed` and `…NotVisible`.
    fn counts(&self, url: &str) -> [u64; 3] {
        ["", "Delayed", "NotVisible"].map(|kind| {
            let name = format!("ApproximateNumberOfMessages{kind}");
            self.attribute(url, &name).unwrap().parse().unwrap()
        })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl Reply {
    fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:{name}")
}
