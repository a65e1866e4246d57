//! What clients send, byte for byte, and what nobody should.

use super::*;
use proptest::prelude::*;

/// azure-servicebus 7.15.0: `create_queue("orders", lock_duration=30s, …, forward_to="other")`.
const PYTHON: &str = "<?xml version='1.0' encoding='utf8'?>\n<ns0:entry xmlns:ns0=\"http://www.w3.org/2005/Atom\" xmlns=\"http://schemas.microsoft.com/netservices/2010/10/servicebus/connect\"><ns0:content type=\"application/xml\"><QueueDescription><LockDuration>PT30S</LockDuration><MaxSizeInMegabytes>1024</MaxSizeInMegabytes><RequiresDuplicateDetection>false</RequiresDuplicateDetection><RequiresSession>false</RequiresSession><DefaultMessageTimeToLive>P4D</DefaultMessageTimeToLive><DeadLetteringOnMessageExpiration>true</DeadLetteringOnMessageExpiration><MaxDeliveryCount>5</MaxDeliveryCount><ForwardTo>sb://localhost:5300/other</ForwardTo><UserMetadata>a &amp; \"b\" &lt;c&gt;</UserMetadata></QueueDescription></ns0:content></ns0:entry>";

/// @azure/service-bus 7.9.5: the same queue.
const JAVASCRIPT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><entry xmlns=\"http://www.w3.org/2005/Atom\"><updated>2026-11-24T16:28:31.500Z</updated><content type=\"application/xml\"><QueueDescription xmlns=\"http://schemas.microsoft.com/netservices/2010/10/servicebus/connect\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><LockDuration>PT30S</LockDuration><MaxSizeInMegabytes>1024</MaxSizeInMegabytes><RequiresDuplicateDetection>false</RequiresDuplicateDetection><RequiresSession>false</RequiresSession><DefaultMessageTimeToLive>P4D</DefaultMessageTimeToLive><DeadLetteringOnMessageExpiration>true</DeadLetteringOnMessageExpiration><MaxDeliveryCount>5</MaxDeliveryCount><ForwardTo>sb://localhost:5300/other</ForwardTo><UserMetadata>a &amp; \"b\" &lt;c&gt;</UserMetadata></QueueDescription></content></entry>";

async fn put(client: &Client, body: impl Into<Body>) -> Answer {
    let headers = [("authorization", TOKEN), (FORWARD, TOKEN)];
    client
        .send("PUT", &format!("/orders?{VERSION}"), &headers, body)
        .await
}

#[tokio::test]
async fn the_vendors_clients_and_ours_are_understood_alike() {
    let own = description(
        "<LockDuration>PT30S</LockDuration><DefaultMessageTimeToLive>P4D</DefaultMessageTimeToLive>\
         <DeadLetteringOnMessageExpiration>true</DeadLetteringOnMessageExpiration>\
         <MaxDeliveryCount>5</MaxDeliveryCount><ForwardTo>sb://localhost:5300/other</ForwardTo>\
         <UserMetadata>a &amp; \"b\" &lt;c&gt;</UserMetadata>",
    );
    for body in [PYTHON, JAVASCRIPT, own.as_str()] {
        let client = Client::standard();
        client.create("other", "").await.expect(201);
        put(&client, body.to_owned()).await.expect(201);
        let read = client.get("orders").await.expect(200);
        assert_eq!(read.value("LockDuration"), Some("PT30S"));
        assert_eq!(read.value("DefaultMessageTimeToLive"), Some("P4D"));
        assert_eq!(read.value("DeadLetteringOnMessageExpiration"), Some("true"));
        assert_eq!(read.value("MaxDeliveryCount"), Some("5"));
        assert_eq!(read.value("ForwardTo"), Some("sb://localhost:5300/other"));
        assert_eq!(read.value("UserMetadata"), Some("a &amp; \"b\" &lt;c&gt;"));
    }
}

#[tokio::test]
async fn a_body_that_is_no_description_is_refused() {
    let client = Client::standard();
    for body in [
        "",
        "{}",
        "<entry/>",
        "<entry xmlns='http://www.w3.org/2005/Atom'/>",
        "<entry xmlns='http://www.w3.org/2005/Atom'><content/></entry>",
        "<entry xmlns='http://www.w3.org/2005/Atom'><content><QueueDescription/></content></entry>",
        "<entry xmlns='http://www.w3.org/2005/Atom'><content><Q xmlns='http://schemas.microsoft.com/netservices/2010/10/servicebus/connect'/></content></entry>",
        "<!DOCTYPE entry [<!ENTITY a 'b'>]><entry xmlns='http://www.w3.org/2005/Atom'/>",
    ] {
        put(&client, body).await.refused(400, "SubCode=40000.");
    }
    put(&client, "<a>".repeat(40_000))
        .await
        .refused(400, "deeper");
    assert!(!client.get("orders").await.body.contains("<entry"));
}

#[tokio::test]
async fn a_truncated_body_is_never_a_queue() {
    let client = Client::standard();
    client.create("other", "").await.expect(201);
    for body in [PYTHON, JAVASCRIPT] {
        for end in 0..body.len() {
            let answer = put(&client, body[..end].to_owned()).await;
            assert_eq!(answer.status, 400, "{}", &body[..end]);
        }
    }
}

#[tokio::test]
async fn an_unreadable_value_is_refused() {
    let client = Client::standard();
    for properties in [
        "<LockDuration>300</LockDuration>",
        "<LockDuration></LockDuration>",
        "<LockDuration><x/></LockDuration>",
        "<MaxDeliveryCount>-1</MaxDeliveryCount>",
        "<MaxDeliveryCount>99999999999999999999</MaxDeliveryCount>",
        "<MaxDeliveryCount>1.5</MaxDeliveryCount>",
        "<RequiresSession>yes</RequiresSession>",
        "<RequiresSession></RequiresSession>",
        "<Status>Sleeping</Status>",
        "<AuthorizationRules><AuthorizationRule/></AuthorizationRules>",
    ] {
        client
            .create("q", properties)
            .await
            .refused(400, "SubCode=40000.");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever bit is wrong, the answer is the service's: a queue or an error of its shape.
    #[test]
    fn a_flipped_bit_gets_an_answer(python in any::<bool>(), at in 0_usize..700, bit in 0_u8..8) {
        let mut body = if python { PYTHON } else { JAVASCRIPT }.as_bytes().to_vec();
        body[at] ^= 1 << bit;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let client = Client::standard();
            client.create("other", "").await.expect(201);
            let answer = put(&client, body).await;
            match answer.status.as_u16() {
                201 => assert!(answer.body.contains("<QueueDescription ")),
                400 | 501 => assert!(answer.value("Detail").is_some_and(|detail| detail.contains("TrackingId:"))),
                other => panic!("{other}: {}", answer.body),
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever is asked, the answer is one of the service's, and never a panic.
    #[test]
    fn no_target_is_without_an_answer(
        method in "GET|PUT|DELETE|POST|HEAD|PATCH",
        path in "(/|\\$Resources|\\$namespaceinfo|queues|topics|subscriptions|rules|messages|q|%|%2F|%00|%C3|\\.|~){0,8}",
        query in "(&|=|\\$skip|\\$top|api-version|2021-05|enrich|%|9|-){0,8}",
        update in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut headers = vec![("authorization", TOKEN)];
            headers.extend(update.then_some(("if-match", "*")));
            let target = format!("/{path}?{query}");
            if target.parse::<axum::http::Uri>().is_ok() {
                let answer = Client::standard().send(&method, &target, &headers, description("")).await;
                let expected = [200, 201, 400, 404, 405, 501];
                assert!(expected.contains(&answer.status.as_u16()), "{target}: {}", answer.body);
            }
        });
    }
}
