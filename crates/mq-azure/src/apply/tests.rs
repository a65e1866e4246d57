use mq_core::queue::Owner;

use super::*;
use crate::atom::{self, Document};

fn marker(stage: Option<&str>) -> Marker {
    Marker {
        owner: Owner {
            stack: "shop".to_owned(),
            stage: stage.map(str::to_owned),
            origin: None,
        },
        queue: "orders".to_owned(),
        expires_at: None,
    }
}

fn described(elements: &str) -> Entry {
    let text = format!(
        "<entry xmlns=\"http://www.w3.org/2005/Atom\"><title>q</title><content type=\"application/xml\"><QueueDescription xmlns=\"http://schemas.microsoft.com/netservices/2010/10/servicebus/connect\">{elements}</QueueDescription></content></entry>"
    );
    match atom::parse(text.as_bytes()) {
        Ok(Document::Entry(entry)) => entry,
        other => panic!("not an entry: {other:?}"),
    }
}

const ECHOED: &str = "<LockDuration>PT1M</LockDuration><MaxSizeInMegabytes>16384</MaxSizeInMegabytes><DefaultMessageTimeToLive>P10675199DT2H48M5.4775807S</DefaultMessageTimeToLive><DuplicateDetectionHistoryTimeWindow>PT10M</DuplicateDetectionHistoryTimeWindow><SizeInBytes>7</SizeInBytes><AutoDeleteOnIdle>P10675199DT2H48M5.4775807S</AutoDeleteOnIdle><EnablePartitioning>true</EnablePartitioning><Later>1</Later><MaxMessageSizeInKilobytes>256</MaxMessageSizeInKilobytes>";

/// Z1, Z2, Z4: what a tier echoes is not sent back where it would be refused.
#[test]
fn what_a_tier_echoes_and_refuses_is_not_sent_back() {
    for (tier, sent, not_sent) in [
        (
            Tier::Basic,
            vec!["LockDuration", "Later"],
            vec![
                "DefaultMessageTimeToLive",
                "DuplicateDetectionHistoryTimeWindow",
                "AutoDeleteOnIdle",
                "MaxMessageSizeInKilobytes",
                "SizeInBytes",
            ],
        ),
        (
            Tier::Standard,
            vec![
                "DefaultMessageTimeToLive",
                "AutoDeleteOnIdle",
                ">1024<",
                "Later",
            ],
            vec!["MaxMessageSizeInKilobytes", "SizeInBytes", "16384"],
        ),
        (
            Tier::Premium,
            vec![
                "DefaultMessageTimeToLive",
                "MaxMessageSizeInKilobytes",
                "16384",
                "Later",
            ],
            vec!["SizeInBytes"],
        ),
    ] {
        let request = sendable(described(ECHOED), tier).to_request();
        for part in sent {
            assert!(
                request.contains(part),
                "{tier:?}: {part} is not in {request}"
            );
        }
        for part in not_sent {
            assert!(!request.contains(part), "{tier:?}: {part} is in {request}");
        }
    }
}

#[test]
fn the_marker_of_another_stage_gives_way_whole() {
    let before = merged("", BTreeMap::new(), Some(&marker(Some("dev")))).expect("fits");
    let after = merged(&before, BTreeMap::new(), Some(&marker(None))).expect("fits");
    assert_eq!(Metadata::parse(&after).split().0, Some(marker(None)));
    assert!(!after.contains("dev"), "{after}");
}

#[test]
fn what_others_wrote_is_kept_and_counted() {
    let foreign = "owner: team-a";
    let text = merged(foreign, BTreeMap::new(), Some(&marker(None))).expect("fits");
    assert!(text.starts_with("owner: team-a\n{"), "{text}");
    let long = "x".repeat(1000);
    let error = merged(&long, BTreeMap::new(), Some(&marker(None))).expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::SpecInvalid);
    let said = error.to_string();
    assert!(said.contains("1024") && said.contains("1000"), "{said}");
}

#[test]
fn nothing_is_rewritten_that_is_there_already() {
    let spaced = r#"{ "mq-queue" : "orders", "mq-stack":"shop", "cost": 7 }"#;
    let text = merged(spaced, BTreeMap::new(), Some(&marker(None))).expect("fits");
    assert_eq!(Metadata::parse(&text), Metadata::parse(spaced));
}
