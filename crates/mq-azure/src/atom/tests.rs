use proptest::prelude::*;

use super::*;

/// As the service answers, with a prefix for the counts and an element that this crate does not
/// know in the middle.
const REAL: &str = r#"<entry xmlns="http://www.w3.org/2005/Atom"><id>https://acme.servicebus.windows.net/orders?api-version=2021-05</id><title type="text">Orders</title><published>2026-01-01T00:00:00Z</published><updated>2026-01-01T00:00:00Z</updated><author><name>acme</name></author><link rel="self" href="https://acme.servicebus.windows.net/orders?api-version=2021-05"/><content type="application/xml"><QueueDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><LockDuration>PT1M</LockDuration><MaxSizeInMegabytes>1024</MaxSizeInMegabytes><RequiresDuplicateDetection>false</RequiresDuplicateDetection><RequiresSession>false</RequiresSession><DefaultMessageTimeToLive>P10675199DT2H48M5.4775807S</DefaultMessageTimeToLive><MaxDeliveryCount>10</MaxDeliveryCount><SizeInBytes>0</SizeInBytes><AuthorizationRules><AuthorizationRule i:type="SharedAccessAuthorizationRule"><ClaimType>SharedAccessKey</ClaimType></AuthorizationRule></AuthorizationRules><Status>Active</Status><UserMetadata>a &amp; b &lt;c&gt; &#x41;<![CDATA[ & d]]></UserMetadata><CountDetails xmlns:d2p1="http://schemas.microsoft.com/netservices/2011/06/servicebus"><d2p1:ActiveMessageCount>3</d2p1:ActiveMessageCount><d2p1:DeadLetterMessageCount>2</d2p1:DeadLetterMessageCount></CountDetails><AutoDeleteOnIdle>P10675199DT2H48M5.4775807S</AutoDeleteOnIdle><NewInTwentyThirty mode="x"><i:Part>1</i:Part></NewInTwentyThirty><EntityAvailabilityStatus>Available</EntityAvailabilityStatus></QueueDescription></content></entry>"#;

fn entry(text: &str) -> Entry {
    match parse(text.as_bytes()) {
        Ok(Document::Entry(entry)) => entry,
        other => panic!("not an entry: {other:?}"),
    }
}

fn wrapped(description: &str) -> String {
    format!(
        "<entry xmlns=\"{ATOM}\"><title>q</title><content type=\"application/xml\">{description}</content></entry>"
    )
}

#[test]
fn an_answer_of_the_service_is_read() {
    let entry = entry(REAL);
    assert_eq!(entry.title, "Orders");
    let description = &entry.description;
    assert_eq!(description.kind, QUEUE);
    assert_eq!(description.text("LockDuration"), Some("PT1M"));
    assert_eq!(description.text("UserMetadata"), Some("a & b <c> A & d"));
    assert_eq!(description.text("NotThere"), None);
    let details = description.xml("CountDetails").expect("counts");
    assert_eq!(
        counts(details),
        [
            ("ActiveMessageCount".to_owned(), 3),
            ("DeadLetterMessageCount".to_owned(), 2)
        ]
    );
}

#[test]
fn what_is_not_touched_goes_back_byte_for_byte_and_in_order() {
    let description = entry(REAL).description;
    let (_, inner) = REAL.split_once("XMLSchema-instance\">").expect("the root");
    let (inner, _) = inner.split_once("</QueueDescription>").expect("its end");
    let request = description.to_request();
    assert!(request.contains(inner), "{request}");
    assert_eq!(entry(&request).description, description);
}

#[test]
fn a_change_replaces_one_element_and_a_new_one_goes_to_its_place() {
    let mut description = entry(REAL).description;
    description.set("MaxDeliveryCount", Some("5".to_owned()));
    description.set(
        "ForwardDeadLetteredMessagesTo",
        Some("sb://h/a&b".to_owned()),
    );
    description.set(
        "DuplicateDetectionHistoryTimeWindow",
        Some("PT5M".to_owned()),
    );
    description.set("AutoDeleteOnIdle", None);
    let request = description.to_request();
    let order = [
        "<DefaultMessageTimeToLive>",
        "<DuplicateDetectionHistoryTimeWindow>PT5M<",
        "<MaxDeliveryCount>5<",
        "<Status>",
        "</CountDetails><NewInTwentyThirty mode=\"x\"><i:Part>1</i:Part></NewInTwentyThirty>",
        "<EntityAvailabilityStatus>",
        "<ForwardDeadLetteredMessagesTo>sb://h/a&amp;b<",
    ];
    let places: Vec<_> = order
        .iter()
        .map(|part| {
            request
                .find(part)
                .unwrap_or_else(|| panic!("{part} is not in {request}"))
        })
        .collect();
    assert!(places.is_sorted(), "{places:?} in {request}");
    assert!(!request.contains("AutoDeleteOnIdle"), "{request}");
}

#[test]
fn a_description_out_of_order_is_sent_in_order() {
    let text = wrapped(&format!(
        "<QueueDescription xmlns=\"{CONNECT}\"><Status>Active</Status><x:Odd xmlns:x=\"urn:x\">1</x:Odd><LockDuration>PT30S</LockDuration></QueueDescription>"
    ));
    let request = entry(&text).description.to_request();
    assert!(
        request.contains("<LockDuration>PT30S</LockDuration><Status>Active</Status><x:Odd xmlns:x=\"urn:x\">1</x:Odd>"),
        "{request}"
    );
}

/// The Python client writes `ns0:` before every Atom element, and some servers before the
/// description's too.
#[test]
fn prefixes_are_read_and_stay_valid() {
    let text = format!(
        "<?xml version='1.0' encoding='utf-8'?>\n<ns0:entry xmlns:ns0=\"{ATOM}\" xmlns:ns1=\"{CONNECT}\">\n  <ns0:title>q</ns0:title>\n  <ns0:content type=\"application/xml\">\n    <ns1:QueueDescription>\n      <ns1:LockDuration>PT30S</ns1:LockDuration>\n      <ns1:Custom>1</ns1:Custom>\n    </ns1:QueueDescription>\n  </ns0:content>\n</ns0:entry>"
    );
    let read = entry(&text);
    assert_eq!(read.title, "q");
    let mut description = read.description;
    assert_eq!(description.text("LockDuration"), Some("PT30S"));
    description.set("Status", Some("Active".to_owned()));
    let again = entry(&description.to_request()).description;
    assert_eq!(again.text("Custom"), Some("1"));
    assert_eq!(again.text("Status"), Some("Active"));
}

#[test]
fn an_element_of_another_vocabulary_is_not_ours_whatever_its_name() {
    let text = wrapped(&format!(
        "<QueueDescription xmlns=\"{CONNECT}\"><LockDuration xmlns=\"urn:other\">PT9S</LockDuration><LockDuration>PT30S</LockDuration></QueueDescription>"
    ));
    let mut description = entry(&text).description;
    assert_eq!(description.text("LockDuration"), Some("PT30S"));
    description.set("LockDuration", None);
    assert!(description.to_request().contains("PT9S"));
}

#[test]
fn a_list_is_read_and_an_empty_one_means_not_there() {
    let empty = format!("<feed xmlns=\"{ATOM}\"><title>Publicly Listed Services</title></feed>");
    assert_eq!(parse(empty.as_bytes()), Ok(Document::Feed(Vec::new())));
    let full = format!(
        "<feed xmlns=\"{ATOM}\">{REAL}<entry><title>under the path</title></entry>{REAL}</feed>"
    );
    match parse(full.as_bytes()) {
        Ok(Document::Feed(entries)) => assert_eq!(entries.len(), 2),
        other => panic!("not a list: {other:?}"),
    }
}

#[test]
fn what_is_no_answer_of_this_api_is_said_and_not_quoted() {
    let cut = &REAL[..REAL.len() - 20];
    let deep = "<a>".repeat(100_000);
    let bomb = format!(
        "<!DOCTYPE e [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>{}",
        wrapped(&format!(
            "<QueueDescription xmlns=\"{CONNECT}\"><Status>&b;</Status></QueueDescription>"
        ))
    );
    let entity = wrapped(&format!(
        "<QueueDescription xmlns=\"{CONNECT}\"><Status>&nbsp;</Status></QueueDescription>"
    ));
    for text in [
        "",
        "   ",
        "<",
        "hello",
        "<html/>",
        "<a></b>",
        "{\"error\":1}",
        cut,
        &deep,
        &bomb,
        &entity,
        &wrapped(""),
    ] {
        assert!(
            parse(text.as_bytes()).is_err(),
            "{}",
            &text[..text.len().min(60)]
        );
    }
    assert_eq!(parse(b"<entry \xff/>"), Err(NotAtom("it is not UTF-8")));
    assert_eq!(
        parse(bomb.as_bytes()),
        Err(NotAtom("it has a document type"))
    );
}

#[test]
fn the_detail_of_an_error_is_found_with_and_without_a_vocabulary() {
    for text in [
        "<Error><Code>409</Code><Detail>SubCode=40900. a &amp; b</Detail></Error>",
        "<Error xmlns=\"urn:x\">\n<Code>409</Code>\n<Detail>SubCode=40900. a &amp; b</Detail></Error>",
    ] {
        assert_eq!(
            error_detail(text.as_bytes()).as_deref(),
            Some("SubCode=40900. a & b")
        );
    }
    for text in [
        "",
        "<html><body/></html>",
        "<Error><Code>1</Code></Error>",
        "<Error>",
    ] {
        assert_eq!(error_detail(text.as_bytes()), None, "{text}");
    }
}

proptest! {
    #[test]
    fn every_text_goes_and_comes_back(text in "[^\\p{C}\r\n]{0,40}") {
        let mut description = Description::queue();
        description.set("UserMetadata", Some(text.clone()));
        let entry = entry(&description.to_request());
        prop_assert_eq!(entry.description.text("UserMetadata"), Some(text.as_str()));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
        let _ = error_detail(&bytes);
    }

    #[test]
    fn no_cut_or_flipped_answer_panics(at in 0..REAL.len(), byte in any::<u8>()) {
        let mut bytes = REAL.as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(Document::Entry(entry)) = parse(&bytes) {
            let _ = entry.description.to_request();
        }
        prop_assert!(parse(&REAL.as_bytes()[..at]).is_err());
    }
}
