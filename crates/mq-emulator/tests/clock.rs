//! A clock that stands still: what the services show and decide, and who may move it.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::{Answer, call, started};
use mq_emulator::{AdvanceError, ClockMode, Config, Emulator, Ports, Quirks, Token};
use serde_json::{Value, json};

const TOKEN: &str = "swordfish";
const QUEUE: &str = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><content type=\"application/xml\"><QueueDescription xmlns=\"http://schemas.microsoft.com/netservices/2010/10/servicebus/connect\"/></content></entry>";

async fn standing(quirks: Quirks) -> Emulator {
    let config = Config {
        ports: Ports::free(),
        quirks,
        clock: ClockMode::Manual,
        token: Token::new(TOKEN),
        ..Config::default()
    };
    Emulator::start(config).await.expect("the emulator starts")
}

async fn sqs(emulator: &Emulator, operation: &str, body: &Value) -> (u16, Value) {
    let target = format!("AmazonSQS.{operation}");
    let headers = [
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", target.as_str()),
    ];
    let address = emulator.addresses().sqs;
    let answer = call(address, "POST / HTTP/1.1", &headers, &body.to_string()).await;
    let body = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    (answer.status, body)
}

/// When the queue was created and when it was changed, in seconds since 1970.
async fn sqs_times(emulator: &Emulator, url: &Value) -> [u64; 2] {
    let names = ["CreatedTimestamp", "LastModifiedTimestamp"];
    let asked = json!({ "QueueUrl": url, "AttributeNames": names });
    let (_, shown) = sqs(emulator, "GetQueueAttributes", &asked).await;
    names.map(|name| {
        let text = shown["Attributes"][name].as_str().expect("a time");
        text.parse().expect("seconds")
    })
}

async fn servicebus(emulator: &Emulator, method: &str, if_match: Option<&str>) -> String {
    let line = format!("{method} /orders?api-version=2021-05 HTTP/1.1");
    let mut headers = vec![("authorization", "Bearer any")];
    headers.extend(if_match.map(|any| ("if-match", any)));
    let body = if method == "PUT" { QUEUE } else { "" };
    let answer = call(emulator.addresses().servicebus_admin, &line, &headers, body).await;
    assert!(answer.status < 300, "{}", answer.body);
    answer.body
}

/// The instant of an element, in milliseconds since 1970.
fn instant(document: &str, element: &str) -> i64 {
    let (_, rest) = document
        .split_once(&format!("<{element}>"))
        .expect("the element");
    let (text, _) = rest.split_once('<').expect("its end");
    let instant: jiff::Timestamp = text.parse().expect("an instant");
    instant.as_millisecond()
}

async fn post_advance(console: SocketAddr, headers: &[(&str, &str)], body: &str) -> Answer {
    call(console, "POST /advance HTTP/1.1", headers, body).await
}

#[tokio::test]
async fn the_times_of_a_queue_move_with_the_clock_and_no_other_way() {
    let emulator = standing(Quirks::default()).await;
    let (_, made) = sqs(&emulator, "CreateQueue", &json!({ "QueueName": "orders" })).await;
    let url = &made["QueueUrl"];
    let [created, modified] = sqs_times(&emulator, url).await;
    assert_eq!(modified, created);
    emulator.advance(Duration::from_secs(600)).unwrap();
    assert_eq!(sqs_times(&emulator, url).await, [created, created]);
    let change = json!({ "QueueUrl": url, "Attributes": { "DelaySeconds": "1" } });
    sqs(&emulator, "SetQueueAttributes", &change).await;
    assert_eq!(sqs_times(&emulator, url).await, [created, created + 600]);
    emulator.stop().await;
}

#[tokio::test]
async fn the_times_of_a_service_bus_queue_are_the_clock_s() {
    let emulator = standing(Quirks::default()).await;
    let created = servicebus(&emulator, "PUT", None).await;
    let start = instant(&created, "CreatedAt");
    assert_eq!(instant(&created, "UpdatedAt"), start);
    emulator.advance(Duration::from_secs(14 * 86_400)).unwrap();
    let later = start + 14 * 86_400_000;
    servicebus(&emulator, "PUT", Some("*")).await;
    let read = servicebus(&emulator, "GET", None).await;
    assert_eq!(instant(&read, "CreatedAt"), start);
    assert_eq!(instant(&read, "UpdatedAt"), later);
    emulator.stop().await;
}

#[tokio::test]
async fn a_deleted_name_is_free_after_sixty_seconds_to_the_millisecond() {
    let mut quirks = Quirks::default();
    quirks.parse("sqs-deleted-recently").unwrap();
    let emulator = standing(quirks).await;
    let create = json!({ "QueueName": "orders" });
    let (_, made) = sqs(&emulator, "CreateQueue", &create).await;
    sqs(&emulator, "DeleteQueue", &made).await;
    emulator.advance(Duration::from_millis(59_999)).unwrap();
    let (status, refused) = sqs(&emulator, "CreateQueue", &create).await;
    assert_eq!(status, 400);
    let kind = refused["__type"].as_str().expect("an error");
    assert!(kind.ends_with("QueueDeletedRecently"), "{kind}");
    emulator.advance(Duration::from_millis(1)).unwrap();
    assert_eq!(sqs(&emulator, "CreateQueue", &create).await.0, 200);
    emulator.stop().await;
}

/// A client makes its tokens by the machine's clock, which does not jump with the emulator's.
#[tokio::test]
async fn a_client_s_token_is_good_in_the_emulator_s_far_future() {
    let emulator = standing(Quirks::default()).await;
    let soon = jiff::Timestamp::now().as_second() + 600;
    let token = format!(
        "SharedAccessSignature sr=sb%3A%2F%2Flocalhost&sig=v7qXHakeLV6Jsz3mNyE2aZxu3k4TD70Rpa9pm3MmcII%3d&se={soon}&skn=RootManageSharedAccessKey"
    );
    emulator.advance(Duration::from_secs(86_400)).unwrap();
    let answer = call(
        emulator.addresses().servicebus_admin,
        "GET /$namespaceinfo?api-version=2021-05 HTTP/1.1",
        &[("authorization", &token)],
        "",
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    emulator.stop().await;
}

#[tokio::test]
async fn the_console_moves_the_clock_and_says_what_time_it_is() {
    let emulator = standing(Quirks::default()).await;
    let console = emulator.addresses().console;
    let mut seen = Vec::new();
    for milliseconds in [0, 600_000] {
        let body = json!({ "milliseconds": milliseconds }).to_string();
        let answer = post_advance(console, &[(Token::HEADER, TOKEN)], &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.head.contains("application/json"), "{}", answer.head);
        let body: Value = serde_json::from_str(&answer.body).expect("JSON");
        let now: jiff::Timestamp = body["now"].as_str().expect("a time").parse().unwrap();
        seen.push(now.as_millisecond());
    }
    assert_eq!(seen[1] - seen[0], 600_000);
    assert_eq!(emulator.time().elapsed(), Duration::from_secs(600));
    emulator.stop().await;
}

#[tokio::test]
async fn only_the_token_s_holder_moves_the_clock_and_no_page_of_another_origin() {
    let emulator = standing(Quirks::default()).await;
    let console = emulator.addresses().console;
    let minute = r#"{"milliseconds":60000}"#;
    let foreign = ("origin", "https://evil.example");
    for headers in [
        &[][..],
        &[(Token::HEADER, "")],
        &[(Token::HEADER, "swordfis")],
        &[(Token::HEADER, TOKEN), foreign],
    ] {
        let refused = post_advance(console, headers, minute).await;
        assert_eq!(refused.status, 403, "{headers:?}: {}", refused.body);
        assert!(!refused.body.contains(TOKEN), "{}", refused.body);
    }
    let with_token = [(Token::HEADER, TOKEN)];
    let read = call(console, "GET /advance HTTP/1.1", &with_token, "").await;
    assert_eq!(read.status, 405);
    assert_eq!(emulator.time().elapsed(), Duration::ZERO);
    emulator.stop().await;
}

#[tokio::test]
async fn what_is_no_duration_or_too_long_does_not_move_the_clock() {
    let emulator = standing(Quirks::default()).await;
    let console = emulator.addresses().console;
    for body in [
        "",
        "60000",
        "{}",
        r#"{"milliseconds":-1}"#,
        r#"{"milliseconds":1.5}"#,
        r#"{"milliseconds":"1m"}"#,
        r#"{"milliseconds":1,"seconds":1}"#,
        r#"{"milliseconds":300000000000000}"#,
        r#"{"milliseconds":18446744073709551615}"#,
        r#"{"milliseconds":18446744073709551616}"#,
    ] {
        let refused = post_advance(console, &[(Token::HEADER, TOKEN)], body).await;
        assert_eq!(refused.status, 400, "{body}: {}", refused.body);
    }
    assert_eq!(emulator.advance(Duration::MAX), Err(AdvanceError::TooFar));
    assert_eq!(emulator.time().elapsed(), Duration::ZERO);
    emulator.stop().await;
}

#[tokio::test]
async fn the_machine_s_clock_is_left_alone() {
    let emulator = started(Quirks::default()).await;
    assert_eq!(emulator.time().mode(), ClockMode::System);
    let minute = Duration::from_secs(60);
    assert_eq!(emulator.advance(minute), Err(AdvanceError::NotManual));
    emulator.stop().await;

    let config = Config {
        ports: Ports::free(),
        token: Token::new(TOKEN),
        ..Config::default()
    };
    let emulator = Emulator::start(config).await.expect("the emulator starts");
    let refused = post_advance(
        emulator.addresses().console,
        &[(Token::HEADER, TOKEN)],
        r#"{"milliseconds":60000}"#,
    )
    .await;
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("not manual"), "{}", refused.body);
    emulator.stop().await;
}
