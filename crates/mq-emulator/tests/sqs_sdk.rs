//! AWS's own SDK for Rust against the emulator, unmodified.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, MessageAttributeValue, MessageSystemAttributeName,
    QueueAttributeName as Name,
};
use mq_emulator::{Config, Emulator, Ports, Quirks};

async fn start(quirks: Quirks) -> (Emulator, Client) {
    let config = Config {
        ports: Ports::free(),
        quirks,
        seed: 5,
        ..Config::default()
    };
    let emulator = Emulator::start(config).await.expect("the emulator starts");
    let client = client(&emulator, "us-east-1");
    (emulator, client)
}

fn client(emulator: &Emulator, region: &'static str) -> Client {
    let env: HashMap<String, String> = emulator.env().into_iter().collect();
    let credentials = Credentials::new(
        env["AWS_ACCESS_KEY_ID"].clone(),
        env["AWS_SECRET_ACCESS_KEY"].clone(),
        None,
        None,
        "test",
    );
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new(region))
        // As often as it does by itself, without its waits.
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .credentials_provider(credentials)
        .endpoint_url(env["AWS_ENDPOINT_URL_SQS"].clone())
        .build();
    Client::from_conf(config)
}

/// Calls that must succeed, for their output.
macro_rules! ok {
    ($call:expr) => {
        $call.send().await.expect("the call succeeds")
    };
}

#[tokio::test]
async fn a_queue_lives_from_its_creation_to_its_deletion() {
    let (emulator, sqs) = start(Quirks::default()).await;
    let create = || {
        sqs.create_queue()
            .queue_name("orders")
            .attributes(Name::VisibilityTimeout, "45")
    };
    let url = ok!(create()).queue_url.unwrap();
    assert_eq!(ok!(create()).queue_url.unwrap(), url);
    assert_eq!(
        ok!(sqs.get_queue_url().queue_name("orders"))
            .queue_url
            .unwrap(),
        url
    );

    ok!(sqs
        .set_queue_attributes()
        .queue_url(&url)
        .attributes(Name::DelaySeconds, "7"));
    let shown = ok!(sqs
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(Name::All));
    let shown = shown.attributes.unwrap();
    assert_eq!(
        (
            shown[&Name::VisibilityTimeout].as_str(),
            shown[&Name::DelaySeconds].as_str()
        ),
        ("45", "7")
    );

    ok!(sqs
        .tag_queue()
        .queue_url(&url)
        .tags("team", "billing")
        .tags("stage", "test"));
    ok!(sqs.untag_queue().queue_url(&url).tag_keys("stage"));
    let tags = ok!(sqs.list_queue_tags().queue_url(&url)).tags.unwrap();
    assert_eq!(
        tags,
        HashMap::from([("team".to_owned(), "billing".to_owned())])
    );

    ok!(sqs.purge_queue().queue_url(&url));
    ok!(sqs.delete_queue().queue_url(&url));
    let error = sqs
        .delete_queue()
        .queue_url(&url)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_queue_does_not_exist(), "{error:?}");
    emulator.stop().await;
}

#[tokio::test]
async fn dead_letters_are_wired_and_listed() {
    let (emulator, sqs) = start(Quirks::default()).await;
    let dlq = ok!(sqs.create_queue().queue_name("orders-dlq"))
        .queue_url
        .unwrap();
    let shown = ok!(sqs
        .get_queue_attributes()
        .queue_url(&dlq)
        .attribute_names(Name::QueueArn));
    let arn = shown.attributes.unwrap()[&Name::QueueArn].clone();
    let policy = format!(r#"{{"maxReceiveCount":"5","deadLetterTargetArn":"{arn}"}}"#);
    let create = sqs
        .create_queue()
        .queue_name("orders")
        .attributes(Name::RedrivePolicy, &policy);
    let url = ok!(create).queue_url.unwrap();
    let shown = ok!(sqs
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(Name::RedrivePolicy));
    let stored = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":5}}"#);
    assert_eq!(shown.attributes.unwrap()[&Name::RedrivePolicy], stored);
    let sources = ok!(sqs.list_dead_letter_source_queues().queue_url(&dlq));
    assert_eq!(sources.queue_urls(), [url.as_str()]);
    let pages = sqs
        .list_queues()
        .max_results(1)
        .into_paginator()
        .items()
        .send();
    assert_eq!(
        pages.collect::<Result<Vec<_>, _>>().await.unwrap(),
        [url, dlq]
    );
    emulator.stop().await;
}

/// The SDK knows each error by its type.
#[tokio::test]
async fn errors_have_the_types_of_the_sdk() {
    let (emulator, sqs) = start(Quirks::default()).await;
    let url = sqs
        .create_queue()
        .queue_name("q")
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();

    let clash = sqs
        .create_queue()
        .queue_name("q")
        .attributes(Name::DelaySeconds, "1")
        .send()
        .await;
    assert!(
        clash
            .unwrap_err()
            .into_service_error()
            .is_queue_name_exists()
    );
    let value = sqs
        .set_queue_attributes()
        .queue_url(&url)
        .attributes(Name::DelaySeconds, "901")
        .send()
        .await;
    assert!(
        value
            .unwrap_err()
            .into_service_error()
            .is_invalid_attribute_value()
    );
    let name = sqs
        .set_queue_attributes()
        .queue_url(&url)
        .attributes(Name::FifoQueue, "true")
        .send()
        .await;
    assert!(
        name.unwrap_err()
            .into_service_error()
            .is_invalid_attribute_name()
    );
    let send = sqs
        .send_message()
        .queue_url(&url)
        .message_body("\u{1}")
        .send()
        .await;
    let error = send.unwrap_err().into_service_error();
    assert!(error.is_invalid_message_contents(), "{error:?}");
    let other = client(&emulator, "eu-west-1");
    let region = other.get_queue_url().queue_name("q").send().await;
    assert!(
        region
            .unwrap_err()
            .into_service_error()
            .is_queue_does_not_exist()
    );
    emulator.stop().await;
}

/// The SDK retries what the quirk breaks: the work is done once or twice, and the outcome is one.
#[tokio::test]
async fn the_sdk_retries_internal_errors() {
    let (emulator, sqs) = start(Quirks {
        error_rate: 0.3,
        ..Quirks::default()
    })
    .await;
    println!("seed 5");
    let mut made = 0;
    for index in 0..20 {
        let outcome = sqs
            .create_queue()
            .queue_name(format!("q{index}"))
            .send()
            .await;
        made += u32::from(outcome.is_ok());
    }
    assert!(made >= 15, "only {made} of 20 calls came through");
    assert!(emulator.requests() > 20, "nothing was retried");
    emulator.stop().await;
}

#[tokio::test]
async fn messages_go_through_the_sdk() {
    let (emulator, sqs) = start(Quirks::default()).await;
    let url = ok!(sqs.create_queue().queue_name("q"))
        .queue_url
        .expect("a URL");
    let binary = MessageAttributeValue::builder()
        .data_type("Binary")
        .binary_value(Blob::new([0_u8, 255]))
        .build()
        .expect("a type");
    let sent = ok!(sqs
        .send_message()
        .queue_url(&url)
        .message_body("h\u{e9}llo")
        .message_attributes("b", binary.clone()));
    let waiting = sqs
        .receive_message()
        .queue_url(&url)
        .message_attribute_names("All")
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .wait_time_seconds(5);
    let received = ok!(waiting).messages.expect("a message");
    let [message] = received.as_slice() else {
        panic!("{received:?}");
    };
    assert_eq!(message.message_id, sent.message_id);
    assert_eq!(message.body(), Some("h\u{e9}llo"));
    assert_eq!(message.message_attributes().expect("some")["b"], binary);
    let shown = message.attributes().expect("some");
    let count = &shown[&MessageSystemAttributeName::ApproximateReceiveCount];
    assert_eq!(count, "1");
    let handle = message.receipt_handle().expect("a handle");
    let entry = DeleteMessageBatchRequestEntry::builder()
        .id("a")
        .receipt_handle(handle)
        .build()
        .expect("an entry");
    let deleted = ok!(sqs.delete_message_batch().queue_url(&url).entries(entry));
    assert_eq!((deleted.successful.len(), deleted.failed.len()), (1, 0));
    let stale = sqs
        .change_message_visibility()
        .queue_url(&url)
        .receipt_handle("nothing")
        .visibility_timeout(1);
    let error = stale
        .send()
        .await
        .expect_err("no handle")
        .into_service_error();
    assert!(error.is_receipt_handle_is_invalid(), "{error:?}");
    emulator.stop().await;
}

/// Who waits is answered when the emulator stops, long before its wait is over.
#[tokio::test]
async fn the_end_does_not_wait_for_who_waits() {
    let (emulator, sqs) = start(Quirks::default()).await;
    let url = ok!(sqs.create_queue().queue_name("q"))
        .queue_url
        .expect("a URL");
    let waiting = sqs
        .receive_message()
        .queue_url(&url)
        .wait_time_seconds(20)
        .send();
    let before = emulator.requests();
    let waiting = tokio::spawn(waiting);
    while emulator.requests() == before {
        tokio::task::yield_now().await;
    }
    let stopping = tokio::time::timeout(Duration::from_secs(4), emulator.stop());
    stopping.await.expect("the end waited");
    let received = waiting.await.expect("no panic").expect("an answer");
    assert_eq!(received.messages, None);
}
