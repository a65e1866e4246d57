//! Requests that are none.

use axum::body::Body;
use http::StatusCode;
use proptest::prelude::*;
use tonic::Code;

use super::super::REQUEST_BYTES_MAX;
use super::{send, service, unary};

#[tokio::test]
async fn bodies_that_are_no_requests_are_refused() {
    let router = service();
    let uri = "/v1/projects/p/topics/orders";
    let deep = format!("{}{}", "{\"labels\":".repeat(10_000), "}".repeat(10_000));
    let lists = "[".repeat(100_000);
    let huge = format!("{{\"kmsKeyName\":\"{}\"}}", "k".repeat(REQUEST_BYTES_MAX));
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

fn blocking<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
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
        method in "Publisher/(CreateTopic|UpdateTopic|ListTopics)|Subscriber/(CreateSubscription|UpdateSubscription)\
            |Publisher/Publish|Subscriber/(Pull|Acknowledge|ModifyAckDeadline|StreamingPull|Seek|CreateSnapshot)",
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let path = format!("/google.pubsub.v1.{method}");
        let answer = blocking(unary(&service(), &path, &bytes));
        let code = answer.map_or_else(|status| status.code(), |_| Code::Ok);
        // Internal is what tonic says of bytes that are no message.
        let expected = [Code::InvalidArgument, Code::Internal, Code::NotFound, Code::Unimplemented, Code::Ok];
        prop_assert!(expected.contains(&code), "{code:?}");
    }
}
