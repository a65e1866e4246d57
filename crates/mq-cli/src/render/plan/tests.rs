use mq_core::plan::{PlanOptions, guard_messages, removal};
use mq_core::resource::{Lifecycle, OwnedResource};
use mq_core::{Plan, Value};

use super::super::samples::{absent, compare, marker, observed, owner, queue, replacing, seconds};
use super::*;

fn rendered(changes: Vec<Change>) -> String {
    plan(&super::super::samples::plan(changes), Palette::default())
}

fn defaults() -> PlanOptions {
    PlanOptions::default()
}

#[test]
fn what_is_created_is_shown_whole() {
    let orders = queue("orders", 30);
    let nothing = absent(&orders);
    insta::assert_snapshot!(rendered(vec![compare(orders, nothing, &defaults())]), @r#"
    mq will perform the following actions in aws (111122223333/eu-west-1):
        + create

      + sqs.queue "orders" will be created
          visibility_timeout = 30s    # VisibilityTimeout
          retention          = 14d    # MessageRetentionPeriod
          ordering           = false  # FifoQueue
          receive_wait       = 20s    # ReceiveMessageWaitTimeSeconds

    Plan: 1 to add, 0 to change, 0 to destroy.
    "#);
}

#[test]
fn what_is_updated_shows_what_differs() {
    let orders = queue("orders", 60);
    let seen = observed(
        &orders,
        &[
            ("VisibilityTimeout", seconds(30)),
            ("MessageRetentionPeriod", seconds(15 * 86_400)),
            ("KmsMasterKeyId", Value::text("alias/x")),
        ],
    );
    insta::assert_snapshot!(rendered(vec![compare(orders, seen, &defaults())]), @r#"
    mq will perform the following actions in aws (111122223333/eu-west-1):
        ~ update in place

      ~ sqs.queue "orders" will be updated in place
          visibility_timeout = 30s -> 1m   # VisibilityTimeout
          retention          = 15d -> 14d  # MessageRetentionPeriod; lowering it deletes messages
          # 1 unchanged attribute hidden
          # 2 attributes that the file does not state, left as they are

    Plan: 0 to add, 1 to change, 0 to destroy.
    "#);
}

#[test]
fn what_is_as_it_should_be_is_not_shown() {
    let orders = queue("orders", 30);
    let seen = observed(&orders, &[]);
    insta::assert_snapshot!(rendered(vec![compare(orders, seen, &defaults())]), @r"
    aws (111122223333/eu-west-1): nothing to do, everything is as it should be.
    ");
}

#[test]
fn a_replacement_is_refused_until_it_is_named() {
    let orders = queue("orders", 30);
    let fifo = observed(&orders, &[("FifoQueue", Value::Bool(true))]);
    let mut named = compare(orders.clone(), fifo.clone(), &replacing("orders"));
    let counts = Counts {
        visible: Some(12),
        ..Counts::default()
    };
    guard_messages(
        &mut named,
        counts,
        &PlanOptions {
            drop_messages: true,
            ..defaults()
        },
    );
    let unnamed = compare(orders, fifo, &defaults());
    insta::assert_snapshot!(rendered(vec![unnamed, named]), @r#"
    mq will do nothing in aws (111122223333/eu-west-1) as long as one of these changes is refused:
      -/+ destroy and create anew

    -/+ sqs.queue "orders" will not be created anew
          ordering = true -> false  # FifoQueue; is fixed at creation
          # 2 unchanged attributes hidden
          # refused: ordering is fixed at creation and differs
          # run again with `--replace orders` to remove it and make it anew; its messages are lost
    -/+ sqs.queue "orders" will be destroyed and created anew
          ordering = true -> false  # FifoQueue; is fixed at creation
          # 2 unchanged attributes hidden
          # 12 messages will be lost

    Plan: 1 to add, 0 to change, 1 to destroy, 1 refused.
    "#);
}

#[test]
fn what_is_adopted_keeps_what_the_file_does_not_state() {
    let orders = queue("orders", 60);
    let mut seen = observed(
        &orders,
        &[
            ("VisibilityTimeout", seconds(30)),
            ("ReceiveMessageWaitTimeSeconds", seconds(0)),
        ],
    );
    if let Some(present) = &mut seen.present {
        present.marker = None;
    }
    let refused = compare(orders.clone(), seen.clone(), &defaults());
    let adopted = compare(
        orders,
        seen,
        &PlanOptions {
            adopt: true,
            ..defaults()
        },
    );
    insta::assert_snapshot!(rendered(vec![refused, adopted]), @r#"
    mq will do nothing in aws (111122223333/eu-west-1) as long as one of these changes is refused:
        ^ adopt: it gets our marker, and what the file states

      ^ sqs.queue "orders" will not be adopted
          visibility_timeout = 30s -> 1m  # VisibilityTimeout
          # stays as it is: ReceiveMessageWaitTimeSeconds = 0s
          # refused: it is there already and `mq` did not make it
          # run `mq provision --adopt` to take it over, or say `manage: false` in the file
      ^ sqs.queue "orders" will be adopted
          visibility_timeout = 30s -> 1m  # VisibilityTimeout
          # stays as it is: ReceiveMessageWaitTimeSeconds = 0s

    Plan: 0 to add, 1 to change, 0 to destroy, 1 refused.
    "#);
}

#[test]
fn what_is_removed_says_what_is_lost_or_why_it_stays() {
    let gone = |name: &str, counts: Counts, drop_messages: bool, protect: bool| {
        let resource = queue(name, 30);
        let observed = observed(&resource, &[]);
        let mut change = removal(OwnedResource { resource, observed }, &owner(), protect);
        if !protect {
            guard_messages(
                &mut change,
                counts,
                &PlanOptions {
                    drop_messages,
                    ..defaults()
                },
            );
        }
        change
    };
    let full = || Counts {
        visible: Some(12),
        ..Counts::default()
    };
    let empty = || Counts {
        visible: Some(0),
        ..Counts::default()
    };
    let unknown = || Counts {
        unknown_because: Some("Pub/Sub has no count in its API".into()),
        ..Counts::default()
    };
    insta::assert_snapshot!(
        rendered(vec![
            gone("empty", empty(), false, false),
            gone("full", full(), false, false),
            gone("full-dropped", full(), true, false),
            gone("unknown", unknown(), false, false),
            gone("unknown-dropped", unknown(), true, false),
            gone("protected", empty(), true, true),
        ]),
        @r#"
    mq will do nothing in aws (111122223333/eu-west-1) as long as one of these changes is refused:
        - destroy

      - sqs.queue "empty" will be destroyed
      - sqs.queue "full" will not be destroyed
          # refused: it holds 12 messages
          # run again with `--drop-messages` to lose them
      - sqs.queue "full-dropped" will be destroyed
          # 12 messages will be lost
      - sqs.queue "unknown" will not be destroyed
          # refused: it may hold messages: Pub/Sub has no count in its API
          # run again with `--drop-messages` to lose them
      - sqs.queue "unknown-dropped" will be destroyed
          # messages may be lost: Pub/Sub has no count in its API
      - sqs.queue "protected" will not be destroyed
          # refused: the file protects the queue `protected`
          # take `protect: true` out of the file (or the stage) first

    Plan: 0 to add, 0 to change, 3 to destroy, 3 refused.
    "#
    );
}

#[test]
fn what_others_own_is_named_and_never_written() {
    let mut theirs = queue("orders", 30);
    theirs.marker = Some(marker("orders"));
    let mut seen = observed(&theirs, &[]);
    if let Some(found) = seen
        .present
        .as_mut()
        .and_then(|present| present.marker.as_mut())
    {
        found.owner.stack = "billing".into();
    }
    let not_ours = compare(theirs, seen, &defaults());

    let mut external = queue("legacy", 60);
    external.lifecycle = Lifecycle::External;
    let missing = compare(external.clone(), absent(&external), &defaults());
    let differs = observed(&external, &[("VisibilityTimeout", seconds(30))]);
    let differs = compare(external, differs, &defaults());
    insta::assert_snapshot!(rendered(vec![not_ours, missing, differs]), @r#"
    mq will do nothing in aws (111122223333/eu-west-1) as long as one of these changes is refused:
        ! not managed here

      ! sqs.queue "orders" is in the way
          # refused: it belongs to the stack `billing`
          # give the queue another name, through `names` or the stage's template
      ! sqs.queue "legacy" is missing
          # refused: it is not there, and `mq` does not make it
          # create it with the tool that owns it, or correct its name in the file
      ! sqs.queue "legacy" differs, and is not managed here
          visibility_timeout = 30s -> 1m  # VisibilityTimeout

    Plan: 0 to add, 0 to change, 0 to destroy, 2 refused.
    "#);
}

#[test]
fn names_from_a_cloud_cannot_draw_on_the_terminal() {
    let orders = queue("or\x1b[2Jders", 30);
    let seen = observed(
        &orders,
        &[("VisibilityTimeout", Value::text("\u{202e}x\n"))],
    );
    let text = rendered(vec![compare(orders, seen, &defaults())]);
    assert!(
        !text.contains('\x1b') && !text.contains('\u{202e}'),
        "{text:?}"
    );
}

#[test]
fn colour_adds_nothing_but_colour() {
    let orders = queue("orders", 30);
    let nothing = absent(&orders);
    let plain_plan: Plan = super::super::samples::plan(vec![compare(orders, nothing, &defaults())]);
    let coloured = plan(&plain_plan, Palette::coloured());
    assert_ne!(coloured, plan(&plain_plan, Palette::default()));
    assert_eq!(
        anstream::adapter::strip_str(&coloured).to_string(),
        plan(&plain_plan, Palette::default())
    );
}
