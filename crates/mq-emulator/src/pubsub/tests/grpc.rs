//! Every operation over gRPC, and what both wire forms share.

use axum::body;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1 as pubsub;
use http::Request;
use prost::Message;
use serde_json::{Value, json};
use tonic::{Code, Status};

use super::super::{LEDGER, internal_error};
use super::{ANSWER_BYTES_MAX, call, service, unary};
use crate::ledger::Fidelity;

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
        let status = unary(&router, &path, &[]).await.unwrap_err();
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
        let status = unary(&router, path, &[]).await.unwrap_err();
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
    let made = unary(&router, path, &topic.encode_to_vec()).await.unwrap();
    let made = pubsub::Topic::decode(made.as_slice()).unwrap();
    assert_eq!(made.state, i32::from(pubsub::topic::State::Active));
    let status = unary(&router, path, &topic.encode_to_vec())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists);
    let (code, seen) = call(&router, "GET", "/v1/projects/p/topics/orders", Value::Null).await;
    assert_eq!((code, &seen["name"]), (200, &json!(made.name)));
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
