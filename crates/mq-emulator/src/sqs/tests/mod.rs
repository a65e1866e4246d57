//! The front-end without sockets, at times of the test's choosing.

mod attributes;
mod garbage;
mod operations;
mod wire;

use std::time::Duration;

use axum::body::Body;
use futures::FutureExt;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::*;
use crate::quirks::Quirks;

const START: Timestamp = Timestamp(1_700_000_000_000);

/// A client of a front-end of its own.
struct Client {
    front: Front,
    now: Timestamp,
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
            shared: Arc::new(Shared::new(quirks, 1)),
            scope,
        };
        Client {
            front,
            now: START,
            region: "us-east-1",
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now.0 += u64::try_from(time.as_millis()).unwrap();
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
        let (head, body) = self.front.answer(head, body, self.now).into_parts();
        let bytes = body
            .collect()
            .now_or_never()
            .expect("a whole body")
            .unwrap()
            .to_bytes();
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

impl Reply {
    fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:{name}")
}
