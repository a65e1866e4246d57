use std::collections::BTreeSet;

use aws_sdk_sqs::error::ErrorMetadata;

use super::*;

fn raw(status: u16, headers: &[(&'static str, &'static str)]) -> HttpResponse {
    let status = status.try_into().expect("a status");
    let mut raw = HttpResponse::new(status, aws_smithy_types::body::SdkBody::empty());
    for (name, value) in headers {
        raw.headers_mut().insert(*name, *value);
    }
    raw
}

fn answered(code: &str, status: u16) -> Error {
    let call = Call {
        operation: "CreateQueue",
        queue: Some("orders"),
        region: Some("eu-west-1"),
    };
    let answer = ErrorMetadata::builder()
        .code(code)
        .message("what the service says")
        .build();
    call.answered(&answer, &raw(status, &[]))
}

fn meaning(code: &str, status: u16) -> (ErrorKind, Retry, Effect) {
    let error = answered(code, status);
    (error.kind(), error.retry(), error.effect())
}

#[test]
fn every_code_of_the_table_is_in_one_row() {
    let mut seen = BTreeSet::new();
    for code in TABLE.iter().flat_map(|row| row.codes) {
        assert!(seen.insert(code), "{code}");
        assert_eq!(bare(code), *code);
    }
}

#[test]
fn what_would_fail_again_did_nothing_and_is_not_tried_again() {
    for (code, status, kind) in [
        (
            "AWS.SimpleQueueService.NonExistentQueue",
            400,
            ErrorKind::NotFound,
        ),
        (
            "com.amazonaws.sqs#QueueDoesNotExist",
            400,
            ErrorKind::NotFound,
        ),
        ("QueueAlreadyExists", 400, ErrorKind::AlreadyExists),
        ("QueueNameExists", 400, ErrorKind::AlreadyExists),
        ("InvalidAttributeValue", 400, ErrorKind::SpecInvalid),
        (
            "com.amazon.coral.service#InvalidParameterValueException",
            400,
            ErrorKind::SpecInvalid,
        ),
        (
            "AWS.SimpleQueueService.UnsupportedOperation",
            400,
            ErrorKind::Unsupported,
        ),
        ("InvalidSecurity", 400, ErrorKind::ConfigInvalid),
        ("AccessDenied", 403, ErrorKind::PermissionDenied),
        ("AccessDeniedException", 400, ErrorKind::PermissionDenied),
        ("KmsAccessDenied", 400, ErrorKind::PermissionDenied),
        ("KmsNotFound", 400, ErrorKind::SpecInvalid),
        ("InvalidClientTokenId", 403, ErrorKind::Unauthenticated),
        ("SignatureDoesNotMatch", 403, ErrorKind::Unauthenticated),
        ("ExpiredToken", 403, ErrorKind::Unauthenticated),
        ("OverLimit", 403, ErrorKind::QuotaExceeded),
        ("SomethingNew", 400, ErrorKind::Unexpected),
    ] {
        assert_eq!(
            meaning(code, status),
            (kind, Retry::Never, Effect::None),
            "{code}"
        );
    }
}

#[test]
fn what_passes_is_tried_again_and_what_may_have_happened_is_said() {
    let after = Retry::After(None);
    let throttled = (ErrorKind::RateLimited, after, Effect::None);
    let broken = (ErrorKind::Unavailable, after, Effect::Unknown);
    for (code, status, expected) in [
        ("RequestThrottled", 400, throttled),
        ("KmsThrottled", 400, throttled),
        ("ThrottlingException", 400, throttled),
        ("", 429, throttled),
        ("InternalFailure", 500, broken),
        ("ServiceUnavailable", 503, broken),
        ("SomethingNew", 500, broken),
        ("", 502, broken),
    ] {
        assert_eq!(meaning(code, status), expected, "{code} {status}");
    }
    let odd = (ErrorKind::Unexpected, Retry::Never, Effect::Unknown);
    assert_eq!(meaning("", 302), odd);
    assert_eq!(meaning("", 200), odd);
}

#[test]
fn a_name_that_is_kept_is_polled_for_longer_than_aws_keeps_it() {
    let error = answered("AWS.SimpleQueueService.QueueDeletedRecently", 400);
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.retry(), NAME_KEPT);
    assert!(error.message().contains("60 seconds"));
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("another name"))
    );
}

#[test]
fn a_missing_permission_is_named() {
    let hint = |code| {
        let error = answered(code, 403);
        error.hint().map(str::to_owned).unwrap_or_default()
    };
    assert!(hint("AccessDenied").contains("sqs:CreateQueue and sqs:TagQueue"));
    assert!(hint("AccessDenied").contains("\"orders\""));
    assert!(hint("KmsAccessDenied").contains("kms:GenerateDataKey"));
}

#[test]
fn what_the_service_repeats_of_the_credentials_is_not_said() {
    let said = "The Canonical String should have been x-amz-security-token:hunter2";
    let call = Call {
        operation: "GetCallerIdentity",
        queue: None,
        region: None,
    };
    for code in [
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "ExpiredToken",
    ] {
        let answer = ErrorMetadata::builder().code(code).message(said).build();
        let error = call.answered(&answer, &raw(403, &[]));
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{code}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn the_wait_that_the_service_asks_for_is_kept_within_reason() {
    let wait = |value| asked_wait(&raw(503, &[("retry-after", value)]));
    assert_eq!(wait("2"), Some(Duration::from_secs(2)));
    assert_eq!(wait("99999999"), Some(Duration::from_secs(300)));
    assert_eq!(wait("soon"), None);
    assert_eq!(asked_wait(&raw(503, &[])), None);
}

#[test]
fn a_foreign_text_is_one_short_line() {
    assert_eq!(excerpt("a\n  b\r\nc"), "a b c");
    assert_eq!(excerpt(&"x".repeat(5_000)).chars().count(), 401);
}
