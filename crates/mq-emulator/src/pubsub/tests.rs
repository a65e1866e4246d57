//! Both wire forms through the router, as bytes.

use std::sync::Arc;

use axum::Router;
use axum::body::{self, Body};
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1 as pubsub;
use http::{Method, Request, StatusCode};
use proptest::prelude::*;
use prost::Message;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tower::ServiceExt;

use super::{LEDGER, Scope, internal_error, router};
use crate::ledger::Fidelity;
use crate::quirks::Quirks;
use crate::shared::Shared;

const ANSWER_BYTES_MAX: usize = 1024 * 1024;

fn service() -> Router {
    router(
        Arc::new(Shared::new(Quirks::default(), 1)),
        Scope {
            project_number: 4711,
        },
    )
}

async fn send(
    router: &Router,
    method: &str,
    uri: &str,
    body: impl Into<Body>,
) -> (StatusCode, Value) {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .body(body.into())
        .unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    assert_eq!(
        answer.headers()["content-type"],
        "application/json; charset=UTF-8"
    );
    let status = answer.status();
    let bytes = body::to_bytes(answer.into_body(), ANSWER_BYTES_MAX)
        .await
        .unwrap();
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    if !status.is_success() {
        assert_eq!(value["error"]["code"], status.as_u16(), "{value}");
        assert!(value["error"]["message"].is_string(), "{value}");
    }
    (status, value)
}

async fn rest(router: &Router, method: &str, uri: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() {
        Body::empty()
    } else {
        Body::from(body.to_string())
    };
    let (status, value) = send(router, method, uri, body).await;
    (status.as_u16(), value)
}

/// One gRPC call of these bytes: the answer's message, or the status.
async fn grpc(router: &Router, path: &str, message: &[u8]) -> Result<Vec<u8>, Status> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let frame = [&[0][..], &length, message].concat();
    let request = Request::post(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::from(frame))
        .unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "application/grpc");
    if let Some(status) = Status::from_header_map(answer.headers()) {
        return Err(status);
    }
    let collected = http_body_util::BodyExt::collect(answer.into_body())
        .await
        .unwrap();
    let status = collected
        .trailers()
        .and_then(Status::from_header_map)
        .unwrap();
    match status.code() {
        Code::Ok => Ok(collected.to_bytes()[5..].to_vec()),
        _ => Err(status),
    }
}

#[tokio::test]
async fn a_topic_lives_over_rest() {
    let router = service();
    let topic = "/v1/projects/p/topics/orders";
    let body = json!({ "labels": { "team": "a" } });
    let made =
        json!({ "name": "projects/p/topics/orders", "labels": { "team": "a" }, "state": "ACTIVE" });
    assert_eq!(rest(&router, "PUT", topic, body).await, (200, made.clone()));
    let (code, exists) = rest(&router, "PUT", topic, Value::Null).await;
    assert_eq!(
        (code, &exists["error"]["status"]),
        (409, &json!("ALREADY_EXISTS"))
    );
    assert_eq!(
        exists["error"]["message"],
        "Resource already exists in the project (resource=orders)."
    );
    assert_eq!(rest(&router, "GET", topic, Value::Null).await, (200, made));

    let change = json!({
        "topic": { "messageRetentionDuration": "600s", "labels": { "team": "ignored" } },
        "updateMask": "messageRetentionDuration"
    });
    let (code, changed) = rest(&router, "PATCH", topic, change).await;
    assert_eq!(
        (code, &changed["messageRetentionDuration"]),
        (200, &json!("600s"))
    );
    assert_eq!(changed["labels"], json!({ "team": "a" }));

    let (code, listed) = rest(&router, "GET", "/v1/projects/p/topics", Value::Null).await;
    assert_eq!((code, listed["topics"].as_array().unwrap().len()), (200, 1));
    assert_eq!(
        rest(&router, "DELETE", topic, Value::Null).await,
        (200, json!({}))
    );
    let (code, missing) = rest(&router, "DELETE", topic, Value::Null).await;
    assert_eq!(
        (code, &missing["error"]["status"]),
        (404, &json!("NOT_FOUND"))
    );
    assert_eq!(
        missing["error"]["message"],
        "Resource not found (resource=orders)."
    );
}

#[tokio::test]
async fn a_subscription_outlives_its_topic() {
    let router = service();
    rest(
        &router,
        "PUT",
        "/v1/projects/p/topics/orders",
        json!({ "messageRetentionDuration": "3600s" }),
    )
    .await;
    let subscription = "/v1/projects/p/subscriptions/orders-sub";
    let body = json!({ "topic": "projects/p/topics/orders", "expirationPolicy": {} });
    let (code, made) = rest(&router, "PUT", subscription, body.clone()).await;
    let expected = json!({
        "name": "projects/p/subscriptions/orders-sub",
        "topic": "projects/p/topics/orders",
        "pushConfig": {},
        "ackDeadlineSeconds": 10,
        "messageRetentionDuration": "604800s",
        "expirationPolicy": {},
        "topicMessageRetentionDuration": "3600s",
        "state": "ACTIVE"
    });
    assert_eq!((code, &made), (200, &expected));
    let of_topic = "/v1/projects/p/topics/orders/subscriptions";
    let names = json!({ "subscriptions": ["projects/p/subscriptions/orders-sub"] });
    assert_eq!(
        rest(&router, "GET", of_topic, Value::Null).await,
        (200, names)
    );

    rest(
        &router,
        "DELETE",
        "/v1/projects/p/topics/orders",
        Value::Null,
    )
    .await;
    let (_, orphan) = rest(&router, "GET", subscription, Value::Null).await;
    assert_eq!(orphan["topic"], "_deleted-topic_");
    assert_eq!(orphan["topicMessageRetentionDuration"], Value::Null);
    // It can still be changed, and a topic of the same name does not bring it back.
    let change =
        json!({ "subscription": { "ackDeadlineSeconds": 60 }, "updateMask": "ackDeadlineSeconds" });
    assert_eq!(
        rest(&router, "PATCH", subscription, change).await.1["ackDeadlineSeconds"],
        60
    );
    rest(&router, "PUT", "/v1/projects/p/topics/orders", Value::Null).await;
    assert_eq!(
        rest(&router, "GET", subscription, Value::Null).await.1["topic"],
        "_deleted-topic_"
    );
    assert_eq!(
        rest(&router, "GET", of_topic, Value::Null).await,
        (200, json!({}))
    );
    assert_eq!(rest(&router, "PUT", subscription, body).await.0, 409);
}

#[tokio::test]
async fn a_detached_subscription_keeps_its_topic_s_name() {
    let router = service();
    rest(&router, "PUT", "/v1/projects/p/topics/orders", Value::Null).await;
    let subscription = "/v1/projects/p/subscriptions/orders-sub";
    rest(
        &router,
        "PUT",
        subscription,
        json!({ "topic": "projects/p/topics/orders" }),
    )
    .await;
    let detach = format!("{subscription}:detach");
    assert_eq!(
        rest(&router, "POST", &detach, json!({})).await,
        (200, json!({}))
    );
    let (_, detached) = rest(&router, "GET", subscription, Value::Null).await;
    assert_eq!(detached["detached"], true);
    assert_eq!(detached["topic"], "projects/p/topics/orders");
    let of_topic = "/v1/projects/p/topics/orders/subscriptions";
    assert_eq!(
        rest(&router, "GET", of_topic, Value::Null).await,
        (200, json!({}))
    );
    rest(
        &router,
        "DELETE",
        "/v1/projects/p/topics/orders",
        Value::Null,
    )
    .await;
    assert_eq!(
        rest(&router, "GET", subscription, Value::Null).await.1["topic"],
        "_deleted-topic_"
    );
    assert_eq!(
        rest(
            &router,
            "POST",
            "/v1/projects/p/subscriptions/none:detach",
            json!({})
        )
        .await
        .0,
        404
    );
}

#[tokio::test]
async fn topics_that_a_subscription_names_must_be_there() {
    let router = service();
    rest(&router, "PUT", "/v1/projects/p/topics/orders", Value::Null).await;
    let subscription = "/v1/projects/p/subscriptions/orders-sub";
    let body = json!({ "topic": "projects/p/topics/missing" });
    let (code, missing) = rest(&router, "PUT", subscription, body).await;
    assert_eq!(
        (code, &missing["error"]["message"]),
        (404, &json!("Resource not found (resource=missing)."))
    );
    let policy = json!({ "deadLetterTopic": "projects/p/topics/orders-dlq" });
    let body = json!({ "topic": "projects/p/topics/orders", "deadLetterPolicy": policy });
    let (code, missing) = rest(&router, "PUT", subscription, body.clone()).await;
    assert_eq!(
        (code, &missing["error"]["message"]),
        (404, &json!("Resource not found (resource=orders-dlq)."))
    );
    assert_eq!(rest(&router, "GET", subscription, Value::Null).await.0, 404);

    rest(
        &router,
        "PUT",
        "/v1/projects/p/topics/orders-dlq",
        Value::Null,
    )
    .await;
    let (code, made) = rest(&router, "PUT", subscription, body).await;
    assert_eq!(
        (code, &made["deadLetterPolicy"]["maxDeliveryAttempts"]),
        (200, &json!(5))
    );
    // Once it is gone, other changes still work; pointing at another missing one does not.
    rest(
        &router,
        "DELETE",
        "/v1/projects/p/topics/orders-dlq",
        Value::Null,
    )
    .await;
    let attempts = json!({
        "subscription": { "deadLetterPolicy": { "maxDeliveryAttempts": 7 } },
        "updateMask": "deadLetterPolicy.maxDeliveryAttempts"
    });
    assert_eq!(rest(&router, "PATCH", subscription, attempts).await.0, 200);
    let other = json!({
        "subscription": { "deadLetterPolicy": { "deadLetterTopic": "projects/p/topics/other" } },
        "updateMask": "deadLetterPolicy"
    });
    assert_eq!(rest(&router, "PATCH", subscription, other).await.0, 404);
    let none = json!({ "subscription": {}, "updateMask": "deadLetterPolicy" });
    let (code, cleared) = rest(&router, "PATCH", subscription, none).await;
    assert_eq!((code, &cleared["deadLetterPolicy"]), (200, &Value::Null));
}

#[tokio::test]
async fn listings_come_in_pages_and_in_order() {
    let router = service();
    for number in [3, 1, 2, 5, 4] {
        rest(
            &router,
            "PUT",
            &format!("/v1/projects/p/topics/topic-{number}"),
            Value::Null,
        )
        .await;
    }
    rest(
        &router,
        "PUT",
        "/v1/projects/other/topics/topic-0",
        Value::Null,
    )
    .await;
    let mut seen = Vec::new();
    let mut token = String::new();
    for _ in 0..3 {
        let uri = format!("/v1/projects/p/topics?pageSize=2&pageToken={token}");
        let (_, page) = rest(&router, "GET", &uri, Value::Null).await;
        let names = page["topics"].as_array().unwrap();
        seen.extend(
            names
                .iter()
                .map(|topic| topic["name"].as_str().unwrap().to_owned()),
        );
        token = page["nextPageToken"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
    }
    let all: Vec<String> = (1..=5)
        .map(|number| format!("projects/p/topics/topic-{number}"))
        .collect();
    assert_eq!((seen, token.as_str()), (all, ""));
    let exact = rest(
        &router,
        "GET",
        "/v1/projects/p/topics?page_size=5",
        Value::Null,
    )
    .await
    .1;
    assert_eq!(exact["nextPageToken"], Value::Null);
    for query in [
        "pageSize=-1",
        "pageSize=x",
        "pageToken=%00",
        "pageSize=99999999999",
    ] {
        let uri = format!("/v1/projects/p/topics?{query}");
        assert_eq!(
            rest(&router, "GET", &uri, Value::Null).await.0,
            400,
            "{query}"
        );
    }
}

#[tokio::test]
async fn parameters_of_every_google_service_are_taken_and_others_refused() {
    let router = service();
    let topic = "/v1/projects/p/topics/orders";
    let uri = format!("{topic}?%24alt=json%3Benum-encoding%3Dint&key=x&prettyPrint=false");
    let (code, made) = rest(&router, "PUT", &uri, Value::Null).await;
    assert_eq!((code, &made["state"]), (200, &json!(1)));
    for (method, uri) in [
        ("GET", format!("{topic}?pageSize=1")),
        ("DELETE", format!("{topic}?force=true")),
        ("PATCH", format!("{topic}?updateMask=labels")),
        ("GET", "/v1/projects/p/topics?filter=x".to_owned()),
    ] {
        let (code, refused) = rest(&router, method, &uri, Value::Null).await;
        assert_eq!(code, 400, "{method} {uri}");
        assert!(
            refused["error"]["message"]
                .as_str()
                .unwrap()
                .contains("Cannot bind query parameter")
        );
    }
}

#[tokio::test]
async fn encoded_paths_and_verbs_are_decoded() {
    let router = service();
    let (code, made) = rest(
        &router,
        "PUT",
        "/v1/projects/example.com%3Ap/topics/a%25b%2Bc~",
        Value::Null,
    )
    .await;
    assert_eq!(
        (code, &made["name"]),
        (200, &json!("projects/example.com:p/topics/a%b+c~"))
    );
    let policy = "/v1/projects/example.com:p/topics/a%25b+c~%3AgetIamPolicy";
    assert_eq!(rest(&router, "GET", policy, Value::Null).await.0, 200);
    let (code, project) = rest(&router, "GET", "/v3/projects/example.com:p", Value::Null).await;
    let expected =
        json!({ "name": "projects/4711", "projectId": "example.com:p", "state": "ACTIVE" });
    assert_eq!((code, project), (200, expected));
}

#[tokio::test]
async fn unknown_paths_are_not_found_and_absent_operations_unimplemented() {
    let router = service();
    for (method, uri) in [
        ("GET", "/"),
        ("GET", "/v1"),
        ("GET", "/v1/"),
        ("GET", "/v1/projects"),
        ("GET", "/v1/projects/p"),
        ("POST", "/v1/projects/p/topics"),
        ("POST", "/v1/projects/p/topics/orders"),
        ("POST", "/v1/projects/p/topics/orders:fly"),
        ("PUT", "/v1/projects/p/topics/orders:publish"),
        ("GET", "/v1/projects/p/topics/orders/subscriptions/x"),
        ("GET", "/v1/projects/p/topics/orders/messages"),
        ("GET", "/v2/projects/p/topics"),
        ("GET", "/v1/projects/p/topics/%ff%fe"),
        ("DELETE", "/v1/organizations/o"),
    ] {
        let (code, refused) = rest(&router, method, uri, Value::Null).await;
        assert_eq!(
            (code, &refused["error"]["status"]),
            (404, &json!("NOT_FOUND")),
            "{method} {uri}"
        );
    }
    for (method, uri, name) in [
        (
            "POST",
            "/v1/projects/p/topics/orders:publish",
            "Publisher.Publish",
        ),
        (
            "GET",
            "/v1/projects/p/topics/orders/snapshots",
            "Publisher.ListTopicSnapshots",
        ),
        (
            "POST",
            "/v1/projects/p/subscriptions/sub:pull",
            "Subscriber.Pull",
        ),
        (
            "POST",
            "/v1/projects/p/subscriptions/sub:acknowledge",
            "Subscriber.Acknowledge",
        ),
        (
            "POST",
            "/v1/projects/p/subscriptions/sub:modifyAckDeadline",
            "Subscriber.ModifyAckDeadline",
        ),
        (
            "POST",
            "/v1/projects/p/subscriptions/sub:modifyPushConfig",
            "Subscriber.ModifyPushConfig",
        ),
        (
            "POST",
            "/v1/projects/p/subscriptions/sub:seek",
            "Subscriber.Seek",
        ),
        (
            "GET",
            "/v1/projects/p/snapshots",
            "Subscriber.ListSnapshots",
        ),
        (
            "GET",
            "/v1/projects/p/snapshots/snap",
            "Subscriber.GetSnapshot",
        ),
        (
            "PUT",
            "/v1/projects/p/snapshots/snap",
            "Subscriber.CreateSnapshot",
        ),
        (
            "PATCH",
            "/v1/projects/p/snapshots/snap",
            "Subscriber.UpdateSnapshot",
        ),
        (
            "DELETE",
            "/v1/projects/p/snapshots/snap",
            "Subscriber.DeleteSnapshot",
        ),
        ("GET", "/v1/projects/p/schemas", "SchemaService.ListSchemas"),
        (
            "POST",
            "/v1/projects/p/schemas",
            "SchemaService.CreateSchema",
        ),
        (
            "POST",
            "/v1/projects/p/schemas:validate",
            "SchemaService.ValidateSchema",
        ),
        (
            "POST",
            "/v1/projects/p/schemas:validateMessage",
            "SchemaService.ValidateMessage",
        ),
        ("GET", "/v1/projects/p/schemas/s", "SchemaService.GetSchema"),
        (
            "DELETE",
            "/v1/projects/p/schemas/s",
            "SchemaService.DeleteSchema",
        ),
        (
            "GET",
            "/v1/projects/p/schemas/s:listRevisions",
            "SchemaService.ListSchemaRevisions",
        ),
        (
            "POST",
            "/v1/projects/p/schemas/s:commit",
            "SchemaService.CommitSchema",
        ),
        (
            "POST",
            "/v1/projects/p/schemas/s:rollback",
            "SchemaService.RollbackSchema",
        ),
        (
            "DELETE",
            "/v1/projects/p/schemas/s:deleteRevision",
            "SchemaService.DeleteSchemaRevision",
        ),
        (
            "GET",
            "/v1/projects/p/schemas/s:getIamPolicy",
            "IAM policies of schemas",
        ),
        ("POST", "/v3/projects/p:setIamPolicy", "Resource Manager"),
    ] {
        let (code, refused) = rest(&router, method, uri, Value::Null).await;
        assert_eq!(
            (code, &refused["error"]["status"]),
            (501, &json!("UNIMPLEMENTED")),
            "{method} {uri}"
        );
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains(name), "{message}");
        if let Some(row) = LEDGER.iter().find(|row| row.operation == name) {
            assert!(matches!(row.fidelity, Fidelity::Absent(_)), "{name}");
        }
    }
}

#[tokio::test]
async fn every_operation_of_the_ledger_answers_over_grpc_as_its_row_says() {
    let router = service();
    let mut asked = 0;
    for row in LEDGER {
        let (service, method) = row.operation.split_once('.').unwrap();
        let path = match service {
            "Publisher" | "Subscriber" | "SchemaService" => {
                format!("/google.pubsub.v1.{service}/{method}")
            }
            "IAMPolicy" => format!("/google.iam.v1.{service}/{method}"),
            _ => continue,
        };
        asked += 1;
        // The empty message names nothing, so that what is there calls it invalid.
        let status = grpc(&router, &path, &[]).await.unwrap_err();
        let absent = matches!(row.fidelity, Fidelity::Absent(_));
        let wanted = if absent {
            Code::Unimplemented
        } else {
            Code::InvalidArgument
        };
        assert_eq!(
            status.code(),
            wanted,
            "{}: {}",
            row.operation,
            status.message()
        );
        assert_eq!(
            absent,
            status.message().contains("does not implement"),
            "{}",
            status.message()
        );
    }
    assert_eq!(asked, 38);
    for path in [
        "/google.pubsub.v1.Publisher/Fly",
        "/google.pubsub.v1.IAMPolicy/GetIamPolicy",
        "/google.iam.v1.Publisher/CreateTopic",
        "/grpc.health.v1.Health/Check",
        "/google.pubsub.v1.Topic/tags",
        "/x",
        "/",
    ] {
        let status = grpc(&router, path, &[]).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{path}");
    }
}

#[tokio::test]
async fn both_wire_forms_show_one_resource() {
    let router = service();
    let topic = pubsub::Topic {
        name: "projects/p/topics/orders".to_owned(),
        ..Default::default()
    };
    let path = "/google.pubsub.v1.Publisher/CreateTopic";
    let made = grpc(&router, path, &topic.encode_to_vec()).await.unwrap();
    let made = pubsub::Topic::decode(made.as_slice()).unwrap();
    assert_eq!(made.state, i32::from(pubsub::topic::State::Active));
    let status = grpc(&router, path, &topic.encode_to_vec())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists);
    let (code, seen) = rest(&router, "GET", "/v1/projects/p/topics/orders", Value::Null).await;
    assert_eq!((code, &seen["name"]), (200, &json!(made.name)));
}

#[tokio::test]
async fn bodies_that_are_no_requests_are_refused() {
    let router = service();
    let uri = "/v1/projects/p/topics/orders";
    let deep = format!("{}{}", "{\"labels\":".repeat(10_000), "}".repeat(10_000));
    let lists = "[".repeat(100_000);
    let huge = format!(
        "{{\"kmsKeyName\":\"{}\"}}",
        "k".repeat(super::REQUEST_BYTES_MAX)
    );
    for body in [
        "{",
        "",
        "nul",
        "[]",
        "\"x\"",
        "{\"labels\":{\"a\":\"b\",}}",
        "\u{feff}{}",
        &deep,
        &lists,
        &huge,
    ] {
        let (status, value) = send(&router, "PUT", uri, body.to_owned()).await;
        // No body at all is an empty message.
        let wanted = if body.is_empty() { 200 } else { 400 };
        assert_eq!(status.as_u16(), wanted, "{value}");
        assert!(
            value.to_string().len() < 1_000,
            "an answer of {} bytes",
            value.to_string().len()
        );
    }
    let (status, _) = send(&router, "PUT", uri, vec![0xff, 0xfe, 0x00]).await;
    assert_eq!(status.as_u16(), 400);
}

#[tokio::test]
async fn an_internal_error_speaks_the_request_s_form() {
    let (head, ()) = Request::get("/v1/projects/p/topics")
        .body(())
        .unwrap()
        .into_parts();
    let answer = internal_error(&head);
    assert_eq!(answer.status(), 500);
    let bytes = body::to_bytes(answer.into_body(), ANSWER_BYTES_MAX)
        .await
        .unwrap();
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(value["error"]["status"], "INTERNAL");
    let (head, ()) = Request::post("/x")
        .header("content-type", "application/grpc+proto")
        .body(())
        .unwrap()
        .into_parts();
    let answer = internal_error(&head);
    assert_eq!(answer.status(), 200);
    assert_eq!(
        Status::from_header_map(answer.headers()).unwrap().code(),
        Code::Internal
    );
}

fn blocking<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

proptest! {
    #[test]
    fn any_path_is_answered(
        method in "GET|PUT|POST|PATCH|DELETE|OPTIONS",
        path in "(/(v1|v3|projects|p|topics|subscriptions|a%[0-9a-f]{2}|[a-z:]{1,6})){0,7}(:[a-zA-Z]{0,12})?",
        query in "(\\?[a-z$=&%.]{0,12})?",
    ) {
        let uri = format!("{path}{query}");
        prop_assume!(uri.starts_with('/') && uri.parse::<http::Uri>().is_ok());
        let (status, _) = blocking(send(&service(), &method, &uri, Body::empty()));
        prop_assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "{method} {uri}");
    }

    #[test]
    fn any_body_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let uri = "/v1/projects/p/topics/orders:setIamPolicy";
        let (status, _) = blocking(send(&service(), "POST", uri, bytes.clone()));
        prop_assert!(status == StatusCode::BAD_REQUEST, "{status}");
    }

    #[test]
    fn any_protobuf_is_answered(
        method in "Publisher/(CreateTopic|UpdateTopic|ListTopics)|Subscriber/(CreateSubscription|UpdateSubscription)",
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let path = format!("/google.pubsub.v1.{method}");
        let answer = blocking(grpc(&service(), &path, &bytes));
        let code = answer.map_or_else(|status| status.code(), |_| Code::Ok);
        // Internal is what tonic says of bytes that are no message.
        let expected = [Code::InvalidArgument, Code::Internal, Code::NotFound, Code::Unimplemented, Code::Ok];
        prop_assert!(expected.contains(&code), "{code:?}");
    }
}
