//! Create, read, update, list, delete.

use mq_engine::Settings;
use std::time::Duration;

use super::super::queue::id;
use super::*;

#[tokio::test]
async fn a_new_queue_is_told_whole_as_the_service_tells_it() {
    let client = Client::standard();
    let created = client
        .create("Orders/In", "<LockDuration>PT30S</LockDuration>")
        .await
        .expect(201);
    assert_eq!(
        created.headers["content-type"],
        "application/atom+xml;type=entry;charset=utf-8"
    );
    let (at, published) = (
        created.value("CreatedAt").unwrap(),
        created.value("published").unwrap(),
    );
    let wanted = format!(
        "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>http://localhost:5300/Orders/In?api-version=2021-05</id>\
         <title type=\"text\">Orders/In</title><published>{published}</published><updated>{published}</updated>\
         <author><name>mq-emulator</name></author>\
         <link rel=\"self\" href=\"http://localhost:5300/Orders/In?api-version=2021-05\"/>\
         <content type=\"application/xml\">\
         <QueueDescription xmlns=\"http://schemas.microsoft.com/netservices/2010/10/servicebus/connect\" \
         xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><LockDuration>PT30S</LockDuration>\
         <MaxSizeInMegabytes>1024</MaxSizeInMegabytes>\
         <RequiresDuplicateDetection>false</RequiresDuplicateDetection><RequiresSession>false</RequiresSession>\
         <DefaultMessageTimeToLive>P10675199DT2H48M5.4775807S</DefaultMessageTimeToLive>\
         <DeadLetteringOnMessageExpiration>false</DeadLetteringOnMessageExpiration>\
         <DuplicateDetectionHistoryTimeWindow>PT10M</DuplicateDetectionHistoryTimeWindow>\
         <MaxDeliveryCount>10</MaxDeliveryCount><EnableBatchedOperations>true</EnableBatchedOperations>\
         <SizeInBytes>0</SizeInBytes><MessageCount>0</MessageCount>\
         <IsAnonymousAccessible>false</IsAnonymousAccessible><AuthorizationRules></AuthorizationRules>\
         <Status>Active</Status><CreatedAt>{at}</CreatedAt><UpdatedAt>{at}</UpdatedAt>\
         <SupportOrdering>true</SupportOrdering><AutoDeleteOnIdle>P10675199DT2H48M5.4775807S</AutoDeleteOnIdle>\
         <EnablePartitioning>false</EnablePartitioning><EntityAvailabilityStatus>Available</EntityAvailabilityStatus>\
         <EnableExpress>false</EnableExpress><MaxMessageSizeInKilobytes>256</MaxMessageSizeInKilobytes>\
         </QueueDescription></content></entry>"
    );
    assert_eq!(created.body, wanted);

    let read = client.get("Orders/In").await.expect(200);
    let counts = "<AccessedAt>0001-01-01T00:00:00Z</AccessedAt><SupportOrdering>true</SupportOrdering>\
         <CountDetails xmlns:d2p1=\"http://schemas.microsoft.com/netservices/2011/06/servicebus\">\
         <d2p1:ActiveMessageCount>0</d2p1:ActiveMessageCount>\
         <d2p1:DeadLetterMessageCount>0</d2p1:DeadLetterMessageCount>\
         <d2p1:ScheduledMessageCount>0</d2p1:ScheduledMessageCount>\
         <d2p1:TransferMessageCount>0</d2p1:TransferMessageCount>\
         <d2p1:TransferDeadLetterMessageCount>0</d2p1:TransferDeadLetterMessageCount></CountDetails>";
    assert_eq!(
        read.body,
        wanted.replace("<SupportOrdering>true</SupportOrdering>", counts)
    );
}

#[tokio::test]
async fn a_name_is_found_under_any_case_and_told_as_it_was_created() {
    let client = Client::standard();
    client.create("Orders", "").await.expect(201);
    let read = client.get("oRDERS").await.expect(200);
    assert!(
        read.body.contains("<title type=\"text\">Orders</title>"),
        "{}",
        read.body
    );
    assert_eq!(
        read.value("id"),
        Some("http://localhost:5300/Orders?api-version=2021-05")
    );
    client
        .create("ORDERS", "")
        .await
        .refused(409, "SubCode=40900.");
    let updated = client
        .update("orders", "<MaxDeliveryCount>3</MaxDeliveryCount>")
        .await
        .expect(200);
    assert!(
        updated.body.contains("<title type=\"text\">Orders</title>"),
        "{}",
        updated.body
    );
    client.delete("orderS").await.expect(200);
    client.create("orders", "").await.expect(201);
}

#[tokio::test]
async fn a_missing_queue_reads_as_an_empty_feed_and_everything_else_is_404() {
    let client = Client::standard();
    let read = client.get("absent").await.expect(200);
    assert_eq!(
        read.headers["content-type"],
        "application/atom+xml;type=feed;charset=utf-8"
    );
    assert!(read.body.starts_with(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title type=\"text\">Publicly Listed"
    ));
    assert!(!read.body.contains("<entry"), "{}", read.body);
    client
        .update("absent", "")
        .await
        .refused(404, "SubCode=40400.");
    client.delete("absent").await.refused(404, "SubCode=40400.");
}

#[tokio::test]
async fn an_update_replaces_everything() {
    let client = Client::standard();
    let full = "<LockDuration>PT30S</LockDuration><DefaultMessageTimeToLive>P4D</DefaultMessageTimeToLive>\
                <MaxDeliveryCount>5</MaxDeliveryCount><UserMetadata>mine</UserMetadata>";
    client.create("q", full).await.expect(201);
    client
        .update("q", "<MaxDeliveryCount>6</MaxDeliveryCount>")
        .await
        .expect(200);
    let read = client.get("q").await.expect(200);
    assert_eq!(read.value("MaxDeliveryCount"), Some("6"));
    assert_eq!(read.value("LockDuration"), Some("PT1M"));
    assert_eq!(
        read.value("DefaultMessageTimeToLive"),
        Some("P10675199DT2H48M5.4775807S")
    );
    assert_eq!(read.value("UserMetadata"), None);
}

#[tokio::test]
async fn what_was_read_can_be_sent_back() {
    let client = Client::standard();
    client.create("target", "").await.expect(201);
    let full = "<LockDuration>PT5M</LockDuration><MaxSizeInMegabytes>5120</MaxSizeInMegabytes>\
                <RequiresDuplicateDetection>true</RequiresDuplicateDetection>\
                <DefaultMessageTimeToLive>P14D</DefaultMessageTimeToLive>\
                <DeadLetteringOnMessageExpiration>true</DeadLetteringOnMessageExpiration>\
                <DuplicateDetectionHistoryTimeWindow>PT5M</DuplicateDetectionHistoryTimeWindow>\
                <MaxDeliveryCount>2147483647</MaxDeliveryCount><EnableBatchedOperations>false</EnableBatchedOperations>\
                <AuthorizationRules><AuthorizationRule><ClaimType>SharedAccessKey</ClaimType>\
                <Rights><AccessRights>Send</AccessRights><AccessRights>Listen</AccessRights></Rights>\
                <KeyName>worker</KeyName><PrimaryKey>cHJpbWFyeQ==</PrimaryKey></AuthorizationRule></AuthorizationRules>\
                <Status>SendDisabled</Status><ForwardTo>sb://localhost:5300/target</ForwardTo>\
                <UserMetadata>a &lt;b&gt; &amp; \"c\"</UserMetadata><AutoDeleteOnIdle>PT5M</AutoDeleteOnIdle>\
                <ForwardDeadLetteredMessagesTo>https://localhost/TARGET</ForwardDeadLetteredMessagesTo>";
    client.create("q", full).await.expect(201);
    let read = client.get("q").await.expect(200);
    let (_, rest) = read
        .body
        .split_once("xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">")
        .unwrap();
    let (properties, _) = rest.split_once("</QueueDescription>").unwrap();
    for part in [
        "<LockDuration>PT5M<",
        "<KeyName>worker<",
        "<PrimaryKey>cHJpbWFyeQ==<",
        "a &lt;b&gt; &amp; \"c\"",
    ] {
        assert!(properties.contains(part), "{part} in {properties}");
    }
    let back = properties.replace(
        "<AuthorizationRule i:type=\"SharedAccessAuthorizationRule\" ",
        "<AuthorizationRule ",
    );
    client.update("q", &back).await.expect(200);
    let again = client.get("q").await.expect(200);
    let without_time = |answer: &Answer| {
        ["updated", "UpdatedAt"]
            .iter()
            .fold(answer.body.clone(), |body, name| {
                let value = answer.value(name).unwrap();
                body.replace(&format!("<{name}>{value}</{name}>"), "")
            })
    };
    assert_eq!(without_time(&again), without_time(&read));
}

#[tokio::test]
async fn the_engine_is_told_what_decides_the_fate_of_messages() {
    let client = Client::standard();
    client.create("Dead", "").await.expect(201);
    client
        .create(
            "q",
            "<LockDuration>PT30S</LockDuration><RequiresDuplicateDetection>true</RequiresDuplicateDetection>\
             <RequiresSession>true</RequiresSession><DefaultMessageTimeToLive>P4D</DefaultMessageTimeToLive>\
             <MaxDeliveryCount>5</MaxDeliveryCount>\
             <ForwardDeadLetteredMessagesTo>sb://mq-emulator.servicebus.windows.net/dead</ForwardDeadLetteredMessagesTo>",
        )
        .await
        .expect(201);
    let engine = client.shared.engine();
    let wanted = Settings {
        lease: Duration::from_secs(30),
        retention: Some(Duration::from_secs(4 * 24 * 60 * 60)),
        max_deliveries: Some(5),
        dead_letter: Some(id("mq-emulator", "dead")),
        ordered: true,
        duplicate_window: Some(Duration::from_secs(600)),
        ..Settings::default()
    };
    assert_eq!(
        engine.get(&id("mq-emulator", "Q")).unwrap().settings,
        wanted
    );
    let dead = &engine.get(&id("mq-emulator", "dead")).unwrap().settings;
    assert_eq!(
        (dead.retention, dead.duplicate_window, &dead.dead_letter),
        (None, None, &None)
    );
}

#[tokio::test]
async fn a_listing_has_whole_descriptions_in_pages_that_lead_on() {
    let client = Client::standard();
    let empty = client.get("$Resources/queues").await.expect(200);
    assert!(
        !empty.body.contains("<entry")
            && empty.body.contains("<title type=\"text\">Queues</title>")
    );
    for index in 0..250 {
        client
            .create(&format!("Q{index:03}"), "<LockDuration>PT7S</LockDuration>")
            .await
            .expect(201);
    }
    let mut target = format!("/$Resources/queues?{VERSION}&$skip=0&$top=500");
    let mut sizes = Vec::new();
    let mut names = Vec::new();
    loop {
        let page = client
            .send("GET", &target, &[("authorization", TOKEN)], "")
            .await
            .expect(200);
        sizes.push(
            page.body
                .matches("<LockDuration>PT7S</LockDuration>")
                .count(),
        );
        let titles = page.body.split("<title type=\"text\">").skip(2);
        names.extend(titles.map(|rest| rest.split('<').next().unwrap_or_default().to_owned()));
        let Some((_, next)) = page
            .body
            .split_once("<link rel=\"next\" href=\"http://localhost:5300")
        else {
            break;
        };
        target = next
            .split('"')
            .next()
            .unwrap_or_default()
            .replace("&amp;", "&");
    }
    assert_eq!(sizes, [100, 100, 50]);
    let wanted: Vec<String> = (0..250).map(|index| format!("Q{index:03}")).collect();
    assert_eq!(names, wanted);
    let small = format!("/$resources/Queues?{VERSION}&%24skip=249&%24top=1");
    let last = client
        .send("GET", &small, &[("authorization", TOKEN)], "")
        .await
        .expect(200);
    assert_eq!(last.body.matches("<entry").count(), 1);
    assert!(!last.body.contains("rel=\"next\""), "{}", last.body);
    for (skip, top, entries) in [(u64::MAX, 1, 0), (0, 0, 0), (249, u64::MAX, 1)] {
        let target = format!("/$Resources/queues?{VERSION}&$skip={skip}&$top={top}");
        let page = client
            .send("GET", &target, &[("authorization", TOKEN)], "")
            .await
            .expect(200);
        assert_eq!(page.body.matches("<entry").count(), entries);
    }
    for wrong in ["$skip=-1", "$top=all", "$skip=18446744073709551616"] {
        let target = format!("/$Resources/queues?{VERSION}&{wrong}");
        client
            .send("GET", &target, &[("authorization", TOKEN)], "")
            .await
            .refused(400, "SubCode=40000.");
    }
}

#[tokio::test]
async fn the_namespace_tells_its_tier() {
    let answer = Client::standard().get("$namespaceinfo").await.expect(200);
    assert_eq!(answer.value("MessagingSKU"), Some("Standard"));
    assert_eq!(answer.value("Name"), Some("mq-emulator"));
    assert_eq!(answer.value("NamespaceType"), Some("Messaging"));
    assert!(
        answer
            .value("CreatedTime")
            .is_some_and(|time| time.ends_with('Z'))
    );
}

#[tokio::test]
async fn versions_differ_in_the_message_size_only() {
    let client = Client::standard();
    let put = |version: &str| format!("/q?api-version={version}");
    let size = description("<MaxMessageSizeInKilobytes>999</MaxMessageSizeInKilobytes>");
    let created = client
        .send("PUT", &put("2017-04"), &[("authorization", TOKEN)], size)
        .await
        .expect(201);
    assert_eq!(created.value("MaxMessageSizeInKilobytes"), None);
    for version in ["2021-05", "2024-05"] {
        let read = client
            .send("GET", &put(version), &[("authorization", TOKEN)], "")
            .await
            .expect(200);
        assert_eq!(read.value("MaxMessageSizeInKilobytes"), Some("256"));
    }
    client
        .send("GET", &put("2099-01"), &[("authorization", TOKEN)], "")
        .await
        .refused(400, "api-version");
}
