//! What the Basic and Premium tiers change.

use super::*;

fn basic() -> Client {
    Client::new(Quirks {
        servicebus_basic_tier: true,
        ..Quirks::default()
    })
}

fn premium() -> Client {
    Client::new(Quirks {
        servicebus_premium_tier: true,
        ..Quirks::default()
    })
}

#[tokio::test]
async fn basic_takes_a_plain_queue_and_refuses_its_own_reading_of_it() {
    let client = basic();
    assert_eq!(
        client.get("$namespaceinfo").await.value("MessagingSKU"),
        Some("Basic")
    );
    client
        .create("q", "<LockDuration>PT30S</LockDuration>")
        .await
        .expect(201);
    let read = client.get("q").await.expect(200);
    let (time_to_live, idle) = (
        read.value("DefaultMessageTimeToLive"),
        read.value("AutoDeleteOnIdle"),
    );
    assert_eq!(
        (time_to_live, idle),
        (
            Some("P10675199DT2H48M5.4775807S"),
            Some("P10675199DT2H48M5.4775807S")
        )
    );
    let back = |name: &str| format!("<{name}>{}</{name}>", read.value(name).unwrap());
    client
        .update("q", &back("DefaultMessageTimeToLive"))
        .await
        .refused(400, "between 00:00:01 and 14.00:00:00");
    client
        .update("q", &back("AutoDeleteOnIdle"))
        .await
        .refused(400, "using 'Basic' tier");
    client
        .update("q", &back("DuplicateDetectionHistoryTimeWindow"))
        .await
        .refused(400, "using 'Basic' tier");
    client.update("q", &back("LockDuration")).await.expect(200);
}

#[tokio::test]
async fn basic_lacks_what_its_price_says() {
    let client = basic();
    client.create("there", "").await.expect(201);
    for properties in [
        "<RequiresSession>true</RequiresSession>",
        "<RequiresDuplicateDetection>true</RequiresDuplicateDetection>",
        "<AutoDeleteOnIdle>PT10M</AutoDeleteOnIdle>",
        "<ForwardTo>sb://localhost/there</ForwardTo>",
        "<ForwardDeadLetteredMessagesTo>sb://localhost/there</ForwardDeadLetteredMessagesTo>",
        "<EnableExpress>true</EnableExpress>",
    ] {
        client
            .create("q", properties)
            .await
            .refused(400, "using 'Basic' tier");
    }
    // What says "no" of these is no wish for them.
    let no = "<RequiresDuplicateDetection>false</RequiresDuplicateDetection><RequiresSession>false</RequiresSession>\
              <EnableExpress>false</EnableExpress>";
    client.create("q", no).await.expect(201);
    for (value, status) in [
        ("PT1S", 200),
        ("P14D", 200),
        ("P14DT1S", 400),
        ("PT0.5S", 400),
    ] {
        let asked = format!("<DefaultMessageTimeToLive>{value}</DefaultMessageTimeToLive>");
        client.update("q", &asked).await.expect(status);
    }
}

#[tokio::test]
async fn premium_has_large_messages_and_no_partitions() {
    let client = premium();
    let info = client.get("$namespaceinfo").await.expect(200);
    assert_eq!(
        (info.value("MessagingSKU"), info.value("MessagingUnits")),
        (Some("Premium"), Some("1"))
    );
    client.create("q", "").await.expect(201);
    assert_eq!(
        client.get("q").await.value("MaxMessageSizeInKilobytes"),
        Some("1024")
    );
    for (value, status) in [
        (1024, 200),
        (102_400, 200),
        (1023, 400),
        (102_401, 400),
        (256, 400),
    ] {
        let asked = format!("<MaxMessageSizeInKilobytes>{value}</MaxMessageSizeInKilobytes>");
        client.update("q", &asked).await.expect(status);
    }
    client
        .update("q", "<MaxSizeInMegabytes>81920</MaxSizeInMegabytes>")
        .await
        .expect(200);
    assert_eq!(
        client.get("q").await.value("MaxSizeInMegabytes"),
        Some("81920")
    );
    client
        .create("p", "<EnablePartitioning>true</EnablePartitioning>")
        .await
        .refused(400, "Premium");
    client
        .create("e", "<EnableExpress>true</EnableExpress>")
        .await
        .refused(400, "Premium");
}

#[tokio::test]
async fn express_and_duplicate_detection_exclude_each_other() {
    let both = "<RequiresDuplicateDetection>true</RequiresDuplicateDetection><EnableExpress>true</EnableExpress>";
    Client::standard()
        .create("q", both)
        .await
        .refused(400, "DelayedPersistence");
}
