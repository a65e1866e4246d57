//! What the service refuses on any tier, and what this emulator does not have.

use super::*;

#[tokio::test]
async fn ranges_are_the_services() {
    let client = Client::standard();
    let metadata = |length: usize| format!("<UserMetadata>{}</UserMetadata>", "é".repeat(length));
    let cases = [
        (
            "<LockDuration>PT5S</LockDuration>".to_owned(),
            "<LockDuration>PT4.9S</LockDuration>".to_owned(),
        ),
        (
            "<LockDuration>PT5M</LockDuration>".to_owned(),
            "<LockDuration>PT5M0.0000001S</LockDuration>".to_owned(),
        ),
        (time_to_live("PT1S"), time_to_live("PT0.9999999S")),
        (
            "<MaxDeliveryCount>1</MaxDeliveryCount>".to_owned(),
            "<MaxDeliveryCount>0</MaxDeliveryCount>".to_owned(),
        ),
        (
            "<MaxDeliveryCount>2147483647</MaxDeliveryCount>".to_owned(),
            "<MaxDeliveryCount>2147483648</MaxDeliveryCount>".to_owned(),
        ),
        (window("PT20S"), window("PT19S")),
        (window("P7D"), window("P7DT1S")),
        (
            "<MaxSizeInMegabytes>5120</MaxSizeInMegabytes>".to_owned(),
            "<MaxSizeInMegabytes>16384</MaxSizeInMegabytes>".to_owned(),
        ),
        (metadata(1024), metadata(1025)),
        (
            "<AutoDeleteOnIdle>PT5M</AutoDeleteOnIdle>".to_owned(),
            "<AutoDeleteOnIdle>PT299S</AutoDeleteOnIdle>".to_owned(),
        ),
        (
            "<MaxMessageSizeInKilobytes>256</MaxMessageSizeInKilobytes>".to_owned(),
            "<MaxMessageSizeInKilobytes>1024</MaxMessageSizeInKilobytes>".to_owned(),
        ),
        (
            "<Status>ReceiveDisabled</Status>".to_owned(),
            "<Status>Creating</Status>".to_owned(),
        ),
    ];
    for (good, bad) in cases {
        client.create("q", &good).await.expect(201);
        client
            .update("q", &bad)
            .await
            .refused(400, "SubCode=40000.");
        client.delete("q").await.expect(200);
        client
            .create("q", &bad)
            .await
            .refused(400, "SubCode=40000.");
    }
}

fn time_to_live(value: &str) -> String {
    format!("<DefaultMessageTimeToLive>{value}</DefaultMessageTimeToLive>")
}

fn window(value: &str) -> String {
    format!("<DuplicateDetectionHistoryTimeWindow>{value}</DuplicateDetectionHistoryTimeWindow>")
}

#[tokio::test]
async fn what_is_fixed_at_creation_cannot_be_changed_or_left_out() {
    let client = Client::standard();
    for property in [
        "RequiresSession",
        "RequiresDuplicateDetection",
        "EnablePartitioning",
    ] {
        let on = format!("<{property}>true</{property}>");
        client.create("on", &on).await.expect(201);
        client.update("on", &on).await.expect(200);
        client.update("on", "").await.refused(400, "SubCode=40000.");
        client.create("off", "").await.expect(201);
        client
            .update("off", &on)
            .await
            .refused(400, "can't be changed");
        client.delete("on").await.expect(200);
        client.delete("off").await.expect(200);
    }
}

#[tokio::test]
async fn a_partitioned_queue_shows_sixteen_times_its_size_and_cannot_be_sent_back_so() {
    let client = Client::standard();
    let asked = |size: u32| {
        format!(
            "<MaxSizeInMegabytes>{size}</MaxSizeInMegabytes><EnablePartitioning>true</EnablePartitioning>"
        )
    };
    client.create("q", &asked(1024)).await.expect(201);
    assert_eq!(
        client.get("q").await.value("MaxSizeInMegabytes"),
        Some("16384")
    );
    client
        .update("q", &asked(16_384))
        .await
        .refused(400, "1024;2048;3072;4096;5120");
    client.update("q", &asked(2048)).await.expect(200);
    assert_eq!(
        client.get("q").await.value("MaxSizeInMegabytes"),
        Some("32768")
    );
}

#[tokio::test]
async fn names_are_the_services() {
    let client = Client::standard();
    let longest = "a".repeat(260);
    for good in ["a", "9", "A.b-c_d", "a/b/c", longest.as_str()] {
        client.create(good, "").await.expect(201);
    }
    let too_long = "a".repeat(261);
    for bad in [
        "-a",
        "a-",
        "a//b",
        "a%20b",
        "a%23b",
        "a*b",
        "a@b",
        "a%3Fb",
        "%C3%A9",
        "$a",
        too_long.as_str(),
        "",
    ] {
        client.create(bad, "").await.refused(400, "SubCode=40000.");
    }
}

#[tokio::test]
async fn forwarding_needs_another_queue_of_the_namespace() {
    let client = Client::standard();
    client.create("there", "").await.expect(201);
    for property in ["ForwardTo", "ForwardDeadLetteredMessagesTo"] {
        let to = |target: &str| format!("<{property}>{target}</{property}>");
        client
            .create("q", &to("sb://localhost:5300/absent"))
            .await
            .refused(400, "SubCode=40400.");
        client
            .create("q", &to("there"))
            .await
            .refused(400, "not absolute");
        client
            .create("q", &to("sb://other.servicebus.windows.net/there"))
            .await
            .refused(400, "not in this namespace");
        client
            .create("q", &to("ftp://localhost/there"))
            .await
            .refused(400, "not in this namespace");
        client
            .create("Q", &to("sb://localhost:5300/q"))
            .await
            .refused(400, "cannot forward to itself");
        for good in [
            "sb://localhost:5300/THERE",
            "sb://127.0.0.1/there",
            "sb://[::1]:1/there/",
            "sb://MQ-emulator.servicebus.windows.net/there",
        ] {
            client.create("q", &to(good)).await.expect(201);
            assert_eq!(client.get("q").await.value(property), Some(good));
            client.delete("q").await.expect(200);
        }
    }
    let sessions =
        "<RequiresSession>true</RequiresSession><ForwardTo>sb://localhost/there</ForwardTo>";
    client
        .create("q", sessions)
        .await
        .refused(400, "RequiresSession");
}

#[tokio::test]
async fn forwarding_needs_a_token_for_the_target() {
    let client = Client::standard();
    client.create("there", "").await.expect(201);
    for (property, header) in [
        ("ForwardTo", FORWARD),
        ("ForwardDeadLetteredMessagesTo", DEAD_LETTER),
    ] {
        let body = || description(&format!("<{property}>sb://localhost/there</{property}>"));
        let target = format!("/q?{VERSION}");
        client
            .send("PUT", &target, &[("authorization", TOKEN)], body())
            .await
            .refused(401, "MissingToken");
        client
            .send(
                "PUT",
                &target,
                &[("authorization", TOKEN), (header, TOKEN)],
                body(),
            )
            .await
            .expect(201);
        client.delete("q").await.expect(200);
    }
}

#[tokio::test]
async fn no_request_passes_without_a_token() {
    let client = Client::standard();
    for (method, path) in [
        ("GET", "q"),
        ("PUT", "q"),
        ("DELETE", "q"),
        ("GET", "$namespaceinfo"),
        ("GET", "$Resources/queues"),
    ] {
        let target = format!("/{path}?{VERSION}");
        client
            .send(method, &target, &[], description(""))
            .await
            .refused(401, "MissingToken:");
        let other = TOKEN.replace("RootManage", "Other");
        client
            .send(
                method,
                &target,
                &[("authorization", &other)],
                description(""),
            )
            .await
            .refused(401, "InvalidSignature:");
        let old = TOKEN.replace("se=4102444800", "se=1500000000");
        client
            .send(method, &target, &[("authorization", &old)], description(""))
            .await
            .refused(401, "ExpiredToken:");
    }
    assert!(!client.get("q").await.body.contains("<entry"));
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let client = Client::standard();
    let topic = description("").replace("QueueDescription", "TopicDescription");
    client
        .send(
            "PUT",
            &format!("/t?{VERSION}"),
            &[("authorization", TOKEN)],
            topic,
        )
        .await
        .refused(501, "topics");
    for (method, path) in [
        ("GET", "t/subscriptions"),
        ("PUT", "t/Subscriptions/s"),
        ("GET", "t/subscriptions/s/rules"),
        ("DELETE", "a/t/subscriptions/s/rules/r"),
        ("POST", "q/messages"),
        ("DELETE", "q/messages/head"),
        (
            "DELETE",
            "q/messages/1/7da9cfd5-40d5-4bb1-8d64-ec5a52e1c547",
        ),
        ("GET", "$Resources/relays"),
    ] {
        let target = format!("/{path}?{VERSION}");
        client
            .send(
                method,
                &target,
                &[("authorization", TOKEN)],
                description(""),
            )
            .await
            .refused(501, "does not have");
    }
    let filtered = format!("/$Resources/queues?{VERSION}&$filter=startswith(path,'a')");
    client
        .send("GET", &filtered, &[("authorization", TOKEN)], "")
        .await
        .refused(501, "filters");
    let topics = client.get("$Resources/topics").await.expect(200);
    assert!(!topics.body.contains("<entry"));
    client
        .send(
            "PATCH",
            &format!("/q?{VERSION}"),
            &[("authorization", TOKEN)],
            "",
        )
        .await
        .refused(405, "not allowed");
}

#[tokio::test]
async fn a_queue_that_is_called_as_a_message_can_still_be_deleted() {
    let client = Client::standard();
    client.create("q/messages/head", "").await.expect(201);
    client.delete("q/messages/head").await.expect(200);
}

#[tokio::test]
async fn the_conflict_quirk_hits_writes_only_and_does_nothing() {
    let client = Client::new(Quirks {
        servicebus_40901: 1.0,
        ..Quirks::default()
    });
    client.create("q", "").await.refused(409, "SubCode=40901.");
    client.delete("q").await.refused(409, "SubCode=40901.");
    client.get("q").await.expect(200);
    client.get("$Resources/queues").await.expect(200);

    let client = Client::new(Quirks {
        servicebus_40901: 0.5,
        ..Quirks::default()
    });
    let mut refused = 0;
    for index in 0..200 {
        refused += u32::from(client.create(&format!("q{index}"), "").await.status == 409);
    }
    assert!((60..140).contains(&refused), "{refused}");
    let listed = client
        .get("$Resources/queues")
        .await
        .body
        .matches("<entry")
        .count();
    assert_eq!(listed, 100.min(200 - refused as usize));
}

#[tokio::test]
async fn rules_are_at_most_twelve_with_names_of_their_own() {
    let client = Client::standard();
    let rules = |names: std::ops::Range<u32>, right: &str| {
        let each = |name| {
            format!(
                "<AuthorizationRule><Rights><AccessRights>{right}</AccessRights></Rights><KeyName>k{name}</KeyName></AuthorizationRule>"
            )
        };
        format!(
            "<AuthorizationRules>{}</AuthorizationRules>",
            names.map(each).collect::<String>()
        )
    };
    client.create("q", &rules(0..12, "Send")).await.expect(201);
    assert_eq!(client.get("q").await.body.matches("<KeyName>").count(), 12);
    client
        .update("q", &rules(0..13, "Send"))
        .await
        .refused(400, "SubCode=40000.");
    client
        .update("q", &rules(0..1, "Own"))
        .await
        .refused(400, "SubCode=40000.");
    let twice = rules(0..1, "Send").replace(
        "</AuthorizationRules>",
        &rules(0..1, "Send").replace("<AuthorizationRules>", ""),
    );
    client
        .update("q", &twice)
        .await
        .refused(400, "SubCode=40000.");
}
