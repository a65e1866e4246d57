use mq_core::resource::ResourceId;
use mq_core::{Error, ErrorKind};

use super::*;

fn result(state: ChangeState) -> ChangeResult {
    ChangeResult {
        resource: ResourceId::new("sqs.queue", "orders"),
        queue: "orders".into(),
        action: Action::Create,
        state,
    }
}

fn failed(kind: ErrorKind) -> ChangeState {
    ChangeState::Failed(Error::new(kind, "no"))
}

fn skipped() -> ChangeState {
    ChangeState::NotAttempted("interrupted".into())
}

fn outcome(states: Vec<ChangeState>) -> Outcome {
    Outcome {
        results: states.into_iter().map(result).collect(),
        ..Outcome::default()
    }
}

fn finding(kind: FindingKind) -> Finding {
    Finding {
        resource: ResourceId::new("sqs.queue", "orders"),
        queue: "orders".into(),
        attribute: None,
        wanted: None,
        seen: None,
        kind,
    }
}

#[test]
fn a_targets_end_follows_from_its_changes() {
    use ChangeState::Applied;
    for (outcome, by_user, expected) in [
        (
            outcome(vec![]),
            false,
            (CloudOutcome::Unchanged, Exit::Done),
        ),
        (
            outcome(vec![Applied]),
            false,
            (CloudOutcome::Applied, Exit::Done),
        ),
        (
            outcome(vec![failed(ErrorKind::PermissionDenied)]),
            false,
            (CloudOutcome::Failed, Exit::Denied),
        ),
        (
            outcome(vec![failed(ErrorKind::RateLimited), skipped()]),
            false,
            (CloudOutcome::Failed, Exit::Transient),
        ),
        (
            outcome(vec![Applied, failed(ErrorKind::PermissionDenied)]),
            false,
            (CloudOutcome::Partial, Exit::Partial),
        ),
        (
            Outcome {
                interrupted: true,
                ..outcome(vec![Applied, skipped()])
            },
            true,
            (CloudOutcome::Interrupted, Exit::Interrupted),
        ),
        (
            Outcome {
                interrupted: true,
                ..outcome(vec![skipped()])
            },
            false,
            (CloudOutcome::NotStarted, Exit::Done),
        ),
        (
            Outcome {
                findings: vec![finding(FindingKind::Different)],
                ..outcome(vec![Applied])
            },
            false,
            (CloudOutcome::Mismatch, Exit::Mismatch),
        ),
        (
            Outcome {
                findings: vec![finding(FindingKind::NotYetVisible { within_seconds: 60 })],
                ..outcome(vec![Applied])
            },
            false,
            (CloudOutcome::Applied, Exit::Done),
        ),
        (
            Outcome {
                unproved: Some(Error::new(ErrorKind::Unavailable, "no")),
                ..outcome(vec![Applied])
            },
            false,
            (CloudOutcome::Failed, Exit::Transient),
        ),
    ] {
        assert_eq!(judge(&outcome, by_user), expected, "{outcome:?}");
    }
}
