//! Resources over REST.

use serde_json::{Value, json};

use super::super::LEDGER;
use super::{call, service};
use crate::ledger::Fidelity;

#[tokio::test]
async fn a_topic_lives_over_rest() {
    let router = service();
    let topic = "/v1/projects/p/topics/orders";
    let body = json!({ "labels": { "team": "a" } });
    let made =
        json!({ "name": "projects/p/topics/orders", "labels": { "team": "a" }, "state": "ACTIVE" });
    assert_eq!(call(&router, "PUT", topic, body).await, (200, made.clone()));
    let (code, exists) = call(&router, "PUT", topic, Value::Null).await;
    assert_eq!(
        (code, &exists["error"]["status"]),
        (409, &json!("ALREADY_EXISTS"))
    );
    assert_eq!(
        exists["error"]["message"],
        "Resource already exists in the project (resource=orders)."
    );
    assert_eq!(call(&router, "GET", topic, Value::Null).await, (200, made));

    let change = json!({
        "topic": { "messageRetentionDuration": "600s", "labels": { "team": "ignored" } },
        "updateMask": "messageRetentionDuration"
    });
    let (code, changed) = call(&router, "PATCH", topic, change).await;
    assert_eq!(
        (code, &changed["messageRetentionDuration"]),
        (200, &json!("600s"))
    );
    assert_eq!(changed["labels"], json!({ "team": "a" }));

    let (code, listed) = call(&router, "GET", "/v1/projects/p/topics", Value::Null).await;
    assert_eq!((code, listed["topics"].as_array().unwrap().len()), (200, 1));
    assert_eq!(
        call(&router, "DELETE", topic, Value::Null).await,
        (200, json!({}))
    );
    let (code, missing) = call(&router, "DELETE", topic, Value::Null).await;
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
    call(
        &router,
        "PUT",
        "/v1/projects/p/topics/orders",
        json!({ "messageRetentionDuration": "3600s" }),
    )
    .await;
    let subscription = "/v1/projects/p/subscriptions/orders-sub";
    let body = json!({ "topic": "projects/p/topics/orders", "expirationPolicy": {} });
    let (code, made) = call(&router, "PUT", subscription, body.clone()).await;
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
        call(&router, "GET", of_topic, Value::Null).await,
        (200, names)
    );

    call(
        &router,
        "DELETE",
        "/v1/projects/p/topics/orders",
        Value::Null,
    )
    .await;
    let (_, orphan) = call(&router, "GET", subscription, Value::Null).await;
    assert_eq!(orphan["topic"], "_deleted-topic_");
    assert_eq!(orphan["topicMessageRetentionDuration"], Value::Null);
    // It can still be changed, and a topic of the same name does not bring it back.
    let change =
        json!({ "subscription": { "ackDeadlineSeconds": 60 }, "updateMask": "ackDeadlineSeconds" });
    assert_eq!(
        call(&router, "PATCH", subscription, change).await.1["ackDeadlineSeconds"],
        60
    );
    call(&router, "PUT", "/v1/projects/p/topics/orders", Value::Null).await;
    assert_eq!(
        call(&router, "GET", subscription, Value::Null).await.1["topic"],
        "_deleted-topic_"
    );
    assert_eq!(
        call(&router, "GET", of_topic, Value::Null).await,
        (200, json!({}))
    );
    assert_eq!(call(&router, "PUT", subscription, body).await.0, 409);
}

#[tokio::test]
async fn a_detached_subscription_keeps_its_topic_s_name() {
    let router = service();
    call(&router, "PUT", "/v1/projects/p/topics/orders", Value::Null).await;
    let subscription = "/v1/projects/p/subscriptions/orders-sub";
    call(
        &router,
        "PUT",
        subscription,
        json!({ "topic": "projects/p/topics/orders" }),
    )
    .await;
    let detach = format!("{subscription}:detach");
    assert_eq!(
        call(&router, "POST", &detach, json!({})).await,
        (200, json!({}))
    );
    let (_, detached) = call(&router, "GET", subscription, Value::Null).await;
    assert_eq!(detached["detached"], true);
    assert_eq!(detached["topic"], "projects/p/topics/orders");
    let of_topic = "/v1/projects/p/topics/orders/subscriptions";
    assert_eq!(
        call(&router, "GET", of_topic, Value::Null).await,
        (200, json!({}))
    );
    call(
        &router,
        "DELETE",
        "/v1/projects/p/topics/orders",
        Value::Null,
    )
    .await;
    assert_eq!(
        call(&router, "GET", subscription, Value::Null).await.1["topic"],
        "_deleted-topic_"
    );
    assert_eq!(
        call(
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
    call(&router, "PUT", "/v1/projects/p/topics/orders", Value::Null).await;
    let subscription = "/v1/projects/p/subscriptions/orders-sub";
    let body = json!({ "topic": "projects/p/topics/missing" });
    let (code, missing) = call(&router, "PUT", subscription, body).await;
    assert_eq!(
        (code, &missing["error"]["message"]),
        (404, &json!("Resource not found (resource=missing)."))
    );
    let policy = json!({ "deadLetterTopic": "projects/p/topics/orders-dlq" });
    let body = json!({ "topic": "projects/p/topics/orders", "deadLetterPolicy": policy });
    let (code, missing) = call(&router, "PUT", subscription, body.clone()).await;
    assert_eq!(
        (code, &missing["error"]["message"]),
        (404, &json!("Resource not found (resource=orders-dlq)."))
    );
    assert_eq!(call(&router, "GET", subscription, Value::Null).await.0, 404);

    call(
        &router,
        "PUT",
        "/v1/projects/p/topics/orders-dlq",
        Value::Null,
    )
    .await;
    let (code, made) = call(&router, "PUT", subscription, body).await;
    assert_eq!(
        (code, &made["deadLetterPolicy"]["maxDeliveryAttempts"]),
        (200, &json!(5))
    );
    // Once it is gone, other changes still work; pointing at another missing one does not.
    call(
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
    assert_eq!(call(&router, "PATCH", subscription, attempts).await.0, 200);
    let other = json!({
        "subscription": { "deadLetterPolicy": { "deadLetterTopic": "projects/p/topics/other" } },
        "updateMask": "deadLetterPolicy"
    });
    assert_eq!(call(&router, "PATCH", subscription, other).await.0, 404);
    let none = json!({ "subscription": {}, "updateMask": "deadLetterPolicy" });
    let (code, cleared) = call(&router, "PATCH", subscription, none).await;
    assert_eq!((code, &cleared["deadLetterPolicy"]), (200, &Value::Null));
}

#[tokio::test]
async fn listings_come_in_pages_and_in_order() {
    let router = service();
    for number in [3, 1, 2, 5, 4] {
        call(
            &router,
            "PUT",
            &format!("/v1/projects/p/topics/topic-{number}"),
            Value::Null,
        )
        .await;
    }
    call(
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
        let (_, page) = call(&router, "GET", &uri, Value::Null).await;
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
    let exact = call(
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
            call(&router, "GET", &uri, Value::Null).await.0,
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
    let (code, made) = call(&router, "PUT", &uri, Value::Null).await;
    assert_eq!((code, &made["state"]), (200, &json!(1)));
    for (method, uri) in [
        ("GET", format!("{topic}?pageSize=1")),
        ("DELETE", format!("{topic}?force=true")),
        ("PATCH", format!("{topic}?updateMask=labels")),
        ("GET", "/v1/projects/p/topics?filter=x".to_owned()),
    ] {
        let (code, refused) = call(&router, method, &uri, Value::Null).await;
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
    let (code, made) = call(
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
    assert_eq!(call(&router, "GET", policy, Value::Null).await.0, 200);
    let (code, project) = call(&router, "GET", "/v3/projects/example.com:p", Value::Null).await;
    let expected =
        json!({ "name": "projects/4711", "projectId": "example.com:p", "state": "ACTIVE" });
    assert_eq!((code, project), (200, expected));
}

/// Paths that the service does not have either.
const UNKNOWN: &[(&str, &str)] = &[
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
];

/// Paths of operations that the emulator does not have, and how their refusal calls them.
const ABSENT: &[(&str, &str, &str)] = &[
    (
        "POST",
        "/v1/projects/p/subscriptions/sub:modifyPushConfig",
        "Subscriber.ModifyPushConfig",
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
];

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let router = service();
    for (method, uri) in UNKNOWN {
        let (code, refused) = call(&router, method, uri, Value::Null).await;
        assert_eq!(
            (code, &refused["error"]["status"]),
            (404, &json!("NOT_FOUND")),
            "{method} {uri}"
        );
    }
}

#[tokio::test]
async fn absent_operations_are_unimplemented_by_name() {
    let router = service();
    for (method, uri, name) in ABSENT {
        let (code, refused) = call(&router, method, uri, Value::Null).await;
        assert_eq!(
            (code, &refused["error"]["status"]),
            (501, &json!("UNIMPLEMENTED")),
            "{method} {uri}"
        );
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains(name), "{message}");
        if let Some(row) = LEDGER.iter().find(|row| row.operation == *name) {
            assert!(matches!(row.fidelity, Fidelity::Absent(_)), "{name}");
        }
    }
}

#[test]
fn every_absent_operation_has_a_path_or_none_over_rest() {
    let over_grpc_only = ["Subscriber.StreamingPull"];
    for row in LEDGER
        .iter()
        .filter(|row| matches!(row.fidelity, Fidelity::Absent(_)))
    {
        let is_attribute =
            row.operation.starts_with("Topic.") || row.operation.starts_with("Subscription.");
        let tried = ABSENT.iter().any(|(_, _, name)| *name == row.operation);
        let excused = is_attribute || over_grpc_only.contains(&row.operation);
        assert!(tried != excused, "{}", row.operation);
    }
}
