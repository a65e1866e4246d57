//! Keys that are unknown, missing or misplaced, and names.

use insta::assert_snapshot;

use crate::common::{complaints, with_queues};

#[test]
fn an_unknown_key_is_told_the_nearest() {
    let text = r"
  orders:
    visibility_timout: 30s
    colour: red
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/unknown-key]: unknown key
     --> mq.yaml:5:5
      |
    5 |     visibility_timout: 30s
      |     ^^^^^^^^^^^^^^^^^
      |
      = `visibility_timout` is not a key of a queue
      = hint: did you mean `visibility_timeout`?

    error[file/unknown-key]: unknown key
     --> mq.yaml:6:5
      |
    6 |     colour: red
      |     ^^^^^^
      |
      = `colour` is not a key of a queue
      = hint: it takes `visibility_timeout`, `retention`, `receive_wait`, `delivery_delay`, `max_message_size`, `ordering`, `deduplication`, `dead_letter`, `encryption`, `labels`, `protect`, `overrides`, `names`, `manage` and `accept`
    ");
}

#[test]
fn a_services_own_word_is_translated() {
    let text = r"
  orders:
    LockDuration: 30s
    maxReceiveCount: 5
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/unknown-key]: unknown key
     --> mq.yaml:5:5
      |
    5 |     LockDuration: 30s
      |     ^^^^^^^^^^^^
      |
      = `LockDuration` is not a key of a queue
      = hint: in this file it is called `visibility_timeout`

    error[file/unknown-key]: unknown key
     --> mq.yaml:6:5
      |
    6 |     maxReceiveCount: 5
      |     ^^^^^^^^^^^^^^^
      |
      = `maxReceiveCount` is not a key of a queue
      = hint: in this file it is called `dead_letter.max_deliveries`
    ");
}

#[test]
fn a_key_at_the_wrong_level_is_told_where_it_stands() {
    let text = r"
  orders:
    max_deliveries: 5
    native: { EnableBatchedOperations: true }
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/unknown-key]: unknown key
     --> mq.yaml:5:5
      |
    5 |     max_deliveries: 5
      |     ^^^^^^^^^^^^^^
      |
      = `max_deliveries` is not a key of a queue
      = hint: `max_deliveries` stands under `dead_letter`

    error[file/unknown-key]: unknown key
     --> mq.yaml:6:5
      |
    6 |     native: { EnableBatchedOperations: true }
      |     ^^^^^^
      |
      = `native` is not a key of a queue
      = hint: `native` stands under one cloud: `overrides: { aws: { native: … } }`
    ");
}

#[test]
fn names_outside_the_rule() {
    let text = r"
version: 1
stack: AI_Pipeline
clouds:
  all: { cloud: aws }
stages:
  Prod: {}
queues:
  Orders: {}
  1st: {}
";
    assert_snapshot!(complaints(text), @r"
    error[file/bad-name]: the name is not allowed
     --> mq.yaml:2:8
      |
    2 | stack: AI_Pipeline
      |        ^^^^^^^^^^^
      |
      = `AI_Pipeline` is not one: a stack or stage starts with a lower-case letter and has at most 31 lower-case letters, digits and `-`

    error[file/bad-name]: the name is not allowed
     --> mq.yaml:4:3
      |
    4 |   all: { cloud: aws }
      |   ^^^
      |
      = `all` stands for every cloud: `--cloud all`

    error[file/bad-name]: the name is not allowed
     --> mq.yaml:6:3
      |
    6 |   Prod: {}
      |   ^^^^
      |
      = `Prod` is not one: a stack or stage starts with a lower-case letter and has at most 31 lower-case letters, digits and `-`

    error[file/bad-name]: the name is not allowed
     --> mq.yaml:8:3
      |
    8 |   Orders: {}
      |   ^^^^^^
      |
      = `Orders` is not one: a name starts with a lower-case letter and has at most 50 lower-case letters, digits, `-` and `_`

    error[file/bad-name]: the name is not allowed
     --> mq.yaml:9:3
      |
    9 |   1st: {}
      |   ^^^
      |
      = `1st` is not one: a name starts with a lower-case letter and has at most 50 lower-case letters, digits, `-` and `_`
    ");
}

#[test]
fn what_a_file_must_have() {
    let text = r"
cloud: aws
";
    assert_snapshot!(complaints(text), @r"
    error[file/missing-key]: a key is missing
     --> mq.yaml:1:1
      |
    1 | cloud: aws
      | ^^^^^^^^^^
      |
      = the file needs `version`
      = hint: write `version: 1` as the first key

    error[file/missing-key]: a key is missing
     --> mq.yaml:1:1
      |
    1 | cloud: aws
      | ^^^^^^^^^^
      |
      = the file needs `stack`
      = hint: name what this file owns, as in `stack: ai-pipeline`

    error[file/missing-key]: a key is missing
     --> mq.yaml:1:1
      |
    1 | cloud: aws
      | ^^^^^^^^^^
      |
      = the file needs `queues`
      = hint: add `queues:` and under it the name of the first queue
    ");
}

#[test]
fn another_version_is_refused_and_nothing_else_said() {
    let text = r"
version: 2
stack: 7
new_key: 1
";
    assert_snapshot!(complaints(text), @r"
    error[file/version]: the file has another version
     --> mq.yaml:1:10
      |
    1 | version: 2
      |          ^
      |
      = it says 2, and this `mq` reads version 1
      = hint: install a newer `mq`
    ");
}

#[test]
fn subscribers_are_reserved() {
    let text = r"
version: 1
stack: test
subscribers: {}
queues:
  orders: { subscribers: [] }
";
    assert_snapshot!(complaints(text), @r"
    error[file/reserved-key]: the key is reserved
     --> mq.yaml:3:1
      |
    3 | subscribers: {}
      | ^^^^^^^^^^^
      |
      = `subscribers` will stand for fan-out topics; queues are point-to-point

    error[file/reserved-key]: the key is reserved
     --> mq.yaml:5:13
      |
    5 |   orders: { subscribers: [] }
      |             ^^^^^^^^^^^
      |
      = `subscribers` will stand for fan-out topics; queues are point-to-point
    ");
}

#[test]
fn settings_of_another_kind() {
    let text = r"
version: 1
stack: test
clouds:
  aws: { regon: eu-west-1, account: 1111-2222 }
  azure: { tier: gold, password: x }
  gcp: { project: true }
queues: {}
";
    assert_snapshot!(complaints(text), @r#"
    error[file/unknown-key]: unknown key
     --> mq.yaml:4:10
      |
    4 |   aws: { regon: eu-west-1, account: 1111-2222 }
      |          ^^^^^
      |
      = `regon` is not a key of this cloud
      = hint: did you mean `region`?

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:4:37
      |
    4 |   aws: { regon: eu-west-1, account: 1111-2222 }
      |                                     ^^^^^^^^^
      |
      = `1111-2222` is not made of digits alone

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:5:18
      |
    5 |   azure: { tier: gold, password: x }
      |                  ^^^^
      |
      = `gold` is not `basic`, `standard` or `premium`

    error[file/unknown-key]: unknown key
     --> mq.yaml:5:24
      |
    5 |   azure: { tier: gold, password: x }
      |                        ^^^^^^^^
      |
      = `password` is not a key of this cloud
      = hint: it takes `cloud`, `verify`, `namespace`, `tier` and `connection_string_env`

    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:6:19
      |
    6 |   gcp: { project: true }
      |                   ^^^^
      |
      = expected text, found a boolean
      = hint: put it in quotes: `"true"`
    "#);
}

#[test]
fn native_attributes_are_checked() {
    let text = r"
  orders:
    overrides:
      azure: { native: { EnableBatchedOperation: true, AutoDeleteOnIdle: soon } }
      aws: { native: { KmsDataKeyReusePeriodSeconds: 5m, VisibilityTimeout: 30 } }
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/unknown-key]: unknown key
     --> mq.yaml:6:26
      |
    6 |       azure: { native: { EnableBatchedOperation: true, AutoDeleteOnIdle: soon } }
      |                          ^^^^^^^^^^^^^^^^^^^^^^
      |
      = `EnableBatchedOperation` is not a key of this cloud's `native`
      = hint: did you mean `EnableBatchedOperations`?

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:6:74
      |
    6 |       azure: { native: { EnableBatchedOperation: true, AutoDeleteOnIdle: soon } }
      |                                                                          ^^^^
      |
      = `soon` is no duration: a whole number and one of ms, s, m, h, d

    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:7:54
      |
    7 |       aws: { native: { KmsDataKeyReusePeriodSeconds: 5m, VisibilityTimeout: 30 } }
      |                                                      ^^
      |
      = expected a whole number, found `5m`

    error[file/unknown-key]: unknown key
     --> mq.yaml:7:58
      |
    7 |       aws: { native: { KmsDataKeyReusePeriodSeconds: 5m, VisibilityTimeout: 30 } }
      |                                                          ^^^^^^^^^^^^^^^^^
      |
      = `VisibilityTimeout` is not a key of this cloud's `native`
      = hint: in this file it is called `visibility_timeout`
    ");
}

#[test]
fn labels_that_cannot_be() {
    let text = r"
  orders: { labels: { mq-stack: other, on: true } }
  mails: { labels: null }
";
    assert_snapshot!(complaints(&with_queues(text)), @r#"
    error[file/bad-name]: the name is not allowed
     --> mq.yaml:4:23
      |
    4 |   orders: { labels: { mq-stack: other, on: true } }
      |                       ^^^^^^^^
      |
      = labels that start with `mq-` say who owns a queue, and `mq` writes them

    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:4:44
      |
    4 |   orders: { labels: { mq-stack: other, on: true } }
      |                                            ^^^^
      |
      = expected text, found a boolean
      = hint: put it in quotes: `"true"`

    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:5:20
      |
    5 |   mails: { labels: null }
      |                    ^^^^
      |
      = labels are taken back one by one
      = hint: write `null` at each label that shall go, or remove the key
    "#);
}
