//! Messages over REST.

use serde_json::{Value, json};

use super::{call, service};

const SUBSCRIPTION: &str = "/v1/projects/p/subscriptions/sub";

/// A topic, and a subscription of it with these further fields.
async fn provisioned(fields: Value) -> axum::Router {
    let router = service();
    let topic = call(&router, "PUT", "/v1/projects/p/topics/orders", json!({})).await;
    assert_eq!(topic.0, 200, "{}", topic.1);
    let mut subscription = json!({ "topic": "projects/p/topics/orders" });
    if let (Some(all), Value::Object(fields)) = (subscription.as_object_mut(), fields) {
        all.extend(fields);
    }
    let made = call(&router, "PUT", SUBSCRIPTION, subscription).await;
    assert_eq!(made.0, 200, "{}", made.1);
    router
}

async fn ask(router: &axum::Router, verb: &str, body: Value) -> (u16, Value) {
    call(router, "POST", &format!("{SUBSCRIPTION}:{verb}"), body).await
}

async fn publish(router: &axum::Router, messages: Value) -> (u16, Value) {
    let body = json!({ "messages": messages });
    call(router, "POST", "/v1/projects/p/topics/orders:publish", body).await
}

async fn pull(router: &axum::Router) -> Vec<Value> {
    let body = json!({ "maxMessages": 10, "returnImmediately": true });
    let (code, pulled) = ask(router, "pull", body).await;
    assert_eq!(code, 200, "{pulled}");
    match pulled.get("receivedMessages") {
        Some(messages) => messages.as_array().unwrap().clone(),
        None => Vec::new(),
    }
}

#[tokio::test]
async fn a_message_is_published_pulled_extended_and_acked() {
    let router = provisioned(json!({})).await;
    let messages = json!([
        { "data": "aGVsbG8=", "attributes": { "k": "v" } },
        { "attributes": { "k": "" } },
    ]);
    let (code, published) = publish(&router, messages).await;
    assert_eq!(code, 200, "{published}");
    let ids = published["messageIds"].as_array().unwrap();
    assert_eq!(ids.len(), 2);
    let pulled = pull(&router).await;
    let first = &pulled[0]["message"];
    assert_eq!(first["data"], "aGVsbG8=");
    assert_eq!(first["attributes"], json!({ "k": "v" }));
    assert_eq!(first["messageId"], ids[0]);
    assert!(
        first["publishTime"].as_str().unwrap().ends_with('Z'),
        "{first}"
    );
    assert!(pulled[0].get("deliveryAttempt").is_none(), "no policy");
    assert_eq!(pulled[1]["message"]["attributes"], json!({ "k": "" }));
    let ack_ids = json!([pulled[0]["ackId"], pulled[1]["ackId"]]);

    let body = json!({ "ackIds": ack_ids, "ackDeadlineSeconds": 0 });
    assert_eq!(ask(&router, "modifyAckDeadline", body).await.0, 200);
    let again = pull(&router).await;
    assert_eq!(again.len(), 2);
    let body = json!({ "ackIds": [again[0]["ackId"], again[1]["ackId"]] });
    assert_eq!(ask(&router, "acknowledge", body).await, (200, json!({})));
    assert!(pull(&router).await.is_empty());
}

#[tokio::test]
async fn exactly_once_delivery_tells_in_the_details() {
    let router = provisioned(json!({ "enableExactlyOnceDelivery": true })).await;
    publish(&router, json!([{ "data": "eA==" }])).await;
    let id = pull(&router).await[0]["ackId"].clone();
    let body = json!({ "ackIds": [id] });
    assert_eq!(ask(&router, "acknowledge", body.clone()).await.0, 200);
    let (code, refused) = ask(&router, "acknowledge", body).await;
    assert_eq!(code, 400, "{refused}");
    assert_eq!(refused["error"]["status"], "INVALID_ARGUMENT");
    let detail = &refused["error"]["details"][0];
    assert_eq!(detail["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
    let reason = &detail["metadata"][id.as_str().unwrap()];
    assert_eq!(reason, "PERMANENT_FAILURE_INVALID_ACK_ID");
}

#[tokio::test]
async fn snapshots_are_made_shown_changed_sought_and_deleted() {
    let router = provisioned(json!({ "retainAckedMessages": true })).await;
    publish(&router, json!([{ "data": "eA==" }])).await;
    let path = "/v1/projects/p/snapshots/snap";
    let body = json!({ "subscription": "projects/p/subscriptions/sub", "labels": { "a": "b" } });
    let (code, made) = call(&router, "PUT", path, body).await;
    assert_eq!(code, 200, "{made}");
    assert_eq!(made["topic"], "projects/p/topics/orders");
    let change = json!({ "snapshot": { "labels": { "c": "d" } }, "updateMask": "labels" });
    let (code, changed) = call(&router, "PATCH", path, change).await;
    assert_eq!(code, 200, "{changed}");
    assert_eq!(changed["labels"], json!({ "c": "d" }));
    assert_eq!(changed["expireTime"], made["expireTime"]);
    assert_eq!(call(&router, "GET", path, Value::Null).await.1, changed);
    let listed = call(&router, "GET", "/v1/projects/p/snapshots", Value::Null).await;
    assert_eq!(listed.1, json!({ "snapshots": [changed] }));
    let of_topic = "/v1/projects/p/topics/orders/snapshots";
    let listed = call(&router, "GET", of_topic, Value::Null).await;
    let name = "projects/p/snapshots/snap";
    assert_eq!(listed.1, json!({ "snapshots": [name] }));

    let id = pull(&router).await[0]["ackId"].clone();
    ask(&router, "acknowledge", json!({ "ackIds": [id] })).await;
    let sought = ask(&router, "seek", json!({ "snapshot": name })).await;
    assert_eq!(sought, (200, json!({})));
    let id = pull(&router).await[0]["ackId"].clone();
    ask(&router, "acknowledge", json!({ "ackIds": [id] })).await;
    let sought = ask(&router, "seek", json!({ "time": "2020-01-02T03:04:05Z" })).await;
    assert_eq!(sought, (200, json!({})));
    assert_eq!(pull(&router).await.len(), 1);
    let both = json!({ "time": "2020-01-02T03:04:05Z", "snapshot": name });
    for bad in [json!({}), both, json!({ "time": "soon" })] {
        assert_eq!(ask(&router, "seek", bad.clone()).await.0, 400, "{bad}");
    }
    assert_eq!(call(&router, "DELETE", path, Value::Null).await.0, 200);
    assert_eq!(call(&router, "DELETE", path, Value::Null).await.0, 404);
    for name in ["1bad", "xx", "googl"] {
        let path = format!("/v1/projects/p/snapshots/{name}");
        let got = call(&router, "GET", &path, Value::Null).await;
        assert_eq!(got.0, 400, "{name}");
    }
}

#[tokio::test]
async fn snapshots_are_listed_in_pages() {
    let router = provisioned(json!({})).await;
    let body = json!({ "subscription": "projects/p/subscriptions/sub" });
    for name in ["a-1", "a-2", "a-3", "b-1", "b-2"] {
        let path = format!("/v1/projects/p/snapshots/{name}");
        let made = call(&router, "PUT", &path, body.clone()).await;
        assert_eq!(made.0, 200, "{}", made.1);
    }
    for list in ["snapshots", "topics/orders/snapshots"] {
        let (mut token, mut pages) = (String::new(), Vec::new());
        loop {
            let path = format!("/v1/projects/p/{list}?pageSize=2&pageToken={token}");
            let (code, page) = call(&router, "GET", &path, Value::Null).await;
            assert_eq!(code, 200, "{page}");
            pages.push(page["snapshots"].as_array().unwrap().len());
            match page.get("nextPageToken") {
                Some(next) => token = next.as_str().unwrap().to_owned(),
                None => break,
            }
        }
        assert_eq!(pages, [2, 2, 1], "{list}");
    }
}

#[tokio::test]
async fn bad_publishes_are_refused() {
    let router = provisioned(json!({})).await;
    let huge = "A".repeat(13_400_000);
    for bad in [
        json!([]),
        json!([{}]),
        json!([{ "data": "" }]),
        json!([{ "data": "§" }]),
        json!([{ "data": "eA==", "fly": true }]),
        json!([{ "data": "eA==", "orderingKey": "a" }, { "data": "eA==" }]),
        json!([{ "data": huge }]),
        json!({ "data": "eA==" }),
    ] {
        let (code, refused) = publish(&router, bad).await;
        assert_eq!(code, 400, "{refused}");
        assert!(refused.to_string().len() < 1_000);
    }
    let largest = "A".repeat(13_330_000);
    assert_eq!(publish(&router, json!([{ "data": largest }])).await.0, 200);
}
