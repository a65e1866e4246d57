//! What the file's author is told, mistake by mistake.

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
fn a_duration_without_a_unit_is_ambiguous() {
    let text = r"
  orders:
    visibility_timeout: 30
    retention: 4 days
    receive_wait: 1.5h
    delivery_delay: 5 M
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/bad-value]: the value is not allowed
     --> mq.yaml:5:25
      |
    5 |     visibility_timeout: 30
      |                         ^^
      |
      = `30` is no duration: a whole number and one of ms, s, m, h, d
      = hint: say the unit: `30s` for seconds

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:6:16
      |
    6 |     retention: 4 days
      |                ^^^^^^
      |
      = `4 days` is no duration: a whole number and one of ms, s, m, h, d
      = hint: write `4d`

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:7:19
      |
    7 |     receive_wait: 1.5h
      |                   ^^^^
      |
      = `1.5h` is no duration: a whole number and one of ms, s, m, h, d

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:8:21
      |
    8 |     delivery_delay: 5 M
      |                     ^^^
      |
      = `5 M` is no duration: a whole number and one of ms, s, m, h, d
      = hint: write `5m`
    ");
}

#[test]
fn a_size_is_said_in_binary_units() {
    let text = r"
  orders:
    max_message_size: 256KB
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/bad-value]: the value is not allowed
     --> mq.yaml:5:23
      |
    5 |     max_message_size: 256KB
      |                       ^^^^^
      |
      = `256KB` is no size: whole bytes, or a whole number and one of KiB, MiB, GiB
      = hint: write `256KiB`
    ");
}

#[test]
fn values_of_the_wrong_type() {
    let text = r"
  orders:
    visibility_timeout: [30s]
    dead_letter: 5
    ordering: { by: key }
    labels: [a, b]
    protect: yes
    accept: ordering@azure
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:5:5
      |
    5 |     visibility_timeout: [30s]
      |     ^^^^^^^^^^^^^^^^^^
      |
      = expected a duration such as `30s`, found a list

    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:6:18
      |
    6 |     dead_letter: 5
      |                  ^
      |
      = expected a map, found a number

    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:7:5
      |
    7 |     ordering: { by: key }
      |     ^^^^^^^^
      |
      = expected `none` or `per-key`, found a map

    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:8:5
      |
    8 |     labels: [a, b]
      |     ^^^^^^
      |
      = expected a map, found a list

    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:9:14
      |
    9 |     protect: yes
      |              ^^^
      |
      = expected `true` or `false`, found `yes`
      = hint: write `true`

    error[file/wrong-type]: the value has the wrong type
      --> mq.yaml:10:13
       |
    10 |     accept: ordering@azure
       |             ^^^^^^^^^^^^^^
       |
       = expected a list, as in `[ordering@azure]`, found text
    ");
}

#[test]
fn numbers_that_are_none() {
    let text = r#"
  a: { dead_letter: { max_deliveries: 0 } }
  b: { dead_letter: { max_deliveries: -1 } }
  c: { dead_letter: { max_deliveries: 99999999999 } }
  d: { dead_letter: { max_deliveries: 99999999999999999999 } }
  e: { dead_letter: { max_deliveries: "5" } }
  f: { dead_letter: { max_deliveries: five } }
  g: { max_message_size: 0, retention: 0s }
  h: { retention: 99999999999999999d }
"#;
    assert_snapshot!(complaints(&with_queues(text)), @r#"
    error[file/bad-value]: the value is not allowed
     --> mq.yaml:4:39
      |
    4 |   a: { dead_letter: { max_deliveries: 0 } }
      |                                       ^
      |
      = `0` is outside 1 to 4294967295

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:5:39
      |
    5 |   b: { dead_letter: { max_deliveries: -1 } }
      |                                       ^^
      |
      = `-1` is outside 1 to 4294967295

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:6:39
      |
    6 |   c: { dead_letter: { max_deliveries: 99999999999 } }
      |                                       ^^^^^^^^^^^
      |
      = `99999999999` is outside 1 to 4294967295

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:7:39
      |
    7 |   d: { dead_letter: { max_deliveries: 99999999999999999999 } }
      |                                       ^^^^^^^^^^^^^^^^^^^^
      |
      = the number is too large

    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:8:39
      |
    8 |   e: { dead_letter: { max_deliveries: "5" } }
      |                                       ^^^
      |
      = expected a whole number, found `5`
      = hint: remove the quotes

    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:9:39
      |
    9 |   f: { dead_letter: { max_deliveries: five } }
      |                                       ^^^^
      |
      = expected a whole number, found `five`

    error[file/bad-value]: the value is not allowed
      --> mq.yaml:10:26
       |
    10 |   g: { max_message_size: 0, retention: 0s }
       |                          ^
       |
       = it must be larger than zero

    error[file/bad-value]: the value is not allowed
      --> mq.yaml:10:40
       |
    10 |   g: { max_message_size: 0, retention: 0s }
       |                                        ^^
       |
       = it must be longer than zero

    error[file/bad-value]: the value is not allowed
      --> mq.yaml:11:19
       |
    11 |   h: { retention: 99999999999999999d }
       |                   ^^^^^^^^^^^^^^^^^^
       |
       = `99999999999999999d` is longer than any queue lives
    "#);
}

#[test]
fn a_word_that_is_not_one_of_the_known() {
    let text = r"
  orders:
    ordering: perkey
    deduplication: { by: checksum }
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/bad-value]: the value is not allowed
     --> mq.yaml:5:15
      |
    5 |     ordering: perkey
      |               ^^^^^^
      |
      = `perkey` is not `none` or `per-key`
      = hint: did you mean `per-key`?

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:6:26
      |
    6 |     deduplication: { by: checksum }
      |                          ^^^^^^^^
      |
      = `checksum` is not `id` or `content`
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
fn duplicate_keys_are_each_reported() {
    let text = r"
version: 1
stack: test
queues:
  orders:
    retention: 4d
    retention: 5d
    retention: 6d
  orders: {}
";
    assert_snapshot!(complaints(text), @r"
    error[file/duplicate-key]: the key stands twice in one map
     --> mq.yaml:6:5
      |
    6 |     retention: 5d
      |     ^^^^^^^^^
      |
      = only one of the two values could count, and not visibly which
      = hint: remove one of the two

    error[file/duplicate-key]: the key stands twice in one map
     --> mq.yaml:7:5
      |
    7 |     retention: 6d
      |     ^^^^^^^^^
      |
      = only one of the two values could count, and not visibly which
      = hint: remove one of the two

    error[file/duplicate-key]: the key stands twice in one map
     --> mq.yaml:8:3
      |
    8 |   orders: {}
      |   ^^^^^^
      |
      = only one of the two values could count, and not visibly which
      = hint: remove one of the two
    ");
}

#[test]
fn a_tab_is_shown_where_it_stands() {
    let text = concat!("  orders:\n", "\t\tretention: 4d\n");
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/syntax]: the file is not YAML
     --> mq.yaml:5:3
      |
    5 |   retention: 4d
      |   ^
      |
      = a tab stands where YAML wants spaces
      = hint: indent with spaces
    ");
}

#[test]
fn an_open_bracket() {
    let text = r"
  orders: { retention: 4d
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/syntax]: the file is not YAML
     --> mq.yaml:4:11
      |
    4 |   orders: { retention: 4d
      |           ^
      |
      = the bracket `{` is never closed
      = hint: close it
    ");
}

#[test]
fn an_open_quote() {
    let text = r#"
  orders: { ordering: "per-key }
"#;
    assert_snapshot!(complaints(&with_queues(text)), @r#"
    error[file/syntax]: the file is not YAML
     --> mq.yaml:4:23
      |
    4 |   orders: { ordering: "per-key }
      |                       ^
      |
      = the quote is never closed
      = hint: close it on this line
    "#);
}

#[test]
fn tags_aliases_and_second_documents() {
    let text = r"
  a: !custom { retention: 4d }
  b: *nothing
  c: &c [*c]
---
version: 1
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/tag]: YAML tags are not read
     --> mq.yaml:4:6
      |
    4 |   a: !custom { retention: 4d }
      |      ^^^^^^^
      |
      = what a value is follows from its key
      = hint: remove the tag; quotes make text of a number or a boolean

    error[file/alias]: the alias stands for nothing
     --> mq.yaml:5:6
      |
    5 |   b: *nothing
      |      ^^^^^^^^
      |
      = no value above it is named `&nothing`

    error[file/alias]: the alias stands for nothing
     --> mq.yaml:6:10
      |
    6 |   c: &c [*c]
      |          ^^
      |
      = it stands inside the value that it names

    error[file/documents]: the file holds more than one document
     --> mq.yaml:7:1
      |
    7 | ---
      | ^^^
      |
      = `---` starts another one, and only one is read
      = hint: put the second document into a file of its own
    ");
}

#[test]
fn unknown_clouds_everywhere() {
    let text = r"
version: 1
stack: test
cloud: asw
clouds:
  aws-us: { region: us-east-1 }
  eu: { cloud: amazon }
stages:
  dev: { clouds: { gpc: { project: a } } }
queues:
  orders:
    overrides: { azur: { retention: 3d } }
    names: { aw: orders }
    encryption: { key: { ibm: k } }
    accept: [ordering@azrue]
    dead_letter: { queue: { gcq: projects/p/topics/t } }
";
    assert_snapshot!(complaints(text), @r"
    error[file/unknown-cloud]: unknown cloud
     --> mq.yaml:3:8
      |
    3 | cloud: asw
      |        ^^^
      |
      = `asw` is neither an entry under `clouds` nor one of `aws`, `azure` and `gcp`
      = hint: did you mean `aws`?

    error[file/unknown-cloud]: unknown cloud
     --> mq.yaml:5:3
      |
    5 |   aws-us: { region: us-east-1 }
      |   ^^^^^^
      |
      = `aws-us` is none of `aws`, `azure` and `gcp`, and the entry does not say which one it is
      = hint: say it with `cloud:`, as in `{ cloud: aws, region: eu-west-1 }`

    error[file/unknown-cloud]: unknown cloud
     --> mq.yaml:6:16
      |
    6 |   eu: { cloud: amazon }
      |                ^^^^^^
      |
      = `amazon` is none of `aws`, `azure` and `gcp`
      = hint: Amazon SQS is called `aws` here

    error[file/unknown-cloud]: unknown cloud
     --> mq.yaml:8:20
      |
    8 |   dev: { clouds: { gpc: { project: a } } }
      |                    ^^^
      |
      = `gpc` is neither an entry under `clouds` nor one of `aws`, `azure` and `gcp`
      = hint: did you mean `gcp`?

    error[file/unknown-cloud]: unknown cloud
      --> mq.yaml:11:18
       |
    11 |     overrides: { azur: { retention: 3d } }
       |                  ^^^^
       |
       = `azur` is neither an entry under `clouds` nor one of `aws`, `azure` and `gcp`
       = hint: did you mean `azure`?

    error[file/unknown-cloud]: unknown cloud
      --> mq.yaml:12:14
       |
    12 |     names: { aw: orders }
       |              ^^
       |
       = `aw` is neither an entry under `clouds` nor one of `aws`, `azure` and `gcp`
       = hint: did you mean `aws`?

    error[file/unknown-cloud]: unknown cloud
      --> mq.yaml:13:26
       |
    13 |     encryption: { key: { ibm: k } }
       |                          ^^^
       |
       = `ibm` is neither an entry under `clouds` nor one of `aws`, `azure` and `gcp`

    error[file/unknown-cloud]: unknown cloud
      --> mq.yaml:14:14
       |
    14 |     accept: [ordering@azrue]
       |              ^^^^^^^^^^^^^^
       |
       = `azrue` is neither an entry under `clouds` nor one of `aws`, `azure` and `gcp`
       = hint: did you mean `azure`?

    error[file/unknown-cloud]: unknown cloud
      --> mq.yaml:15:29
       |
    15 |     dead_letter: { queue: { gcq: projects/p/topics/t } }
       |                             ^^^
       |
       = `gcq` is neither an entry under `clouds` nor one of `aws`, `azure` and `gcp`
       = hint: did you mean `gcp`?
    ");
}

#[test]
fn unknown_queues() {
    let text = r"
version: 1
stack: test
stages:
  dev: { queues: { order: { retention: 3d } } }
queues:
  orders: { dead_letter: { queue: failure } }
  failures: {}
";
    assert_snapshot!(complaints(text), @r"
    error[file/unknown-queue]: unknown queue
     --> mq.yaml:4:20
      |
    4 |   dev: { queues: { order: { retention: 3d } } }
      |                    ^^^^^
      |
      = `order` is not a queue of this file
      = hint: did you mean `orders`?

    error[file/unknown-queue]: unknown queue
     --> mq.yaml:6:35
      |
    6 |   orders: { dead_letter: { queue: failure } }
      |                                   ^^^^^^^
      |
      = `failure` is not a queue of this file
      = hint: did you mean `failures`?
    ");
}

#[test]
fn dead_letters_that_come_back() {
    let text = r"
  a: { dead_letter: { queue: b } }
  b: { dead_letter: { queue: c } }
  c: { dead_letter: { queue: a } }
  d: { dead_letter: { queue: d } }
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/dead-letter-cycle]: dead letters go in a circle
     --> mq.yaml:4:30
      |
    4 |   a: { dead_letter: { queue: b } }
      |                              ^
      |
      = the dead letters of `a` go to `b` and come back to `a`
      = hint: let the last queue have no `dead_letter`, or one of its own

    error[file/dead-letter-cycle]: dead letters go in a circle
     --> mq.yaml:7:30
      |
    7 |   d: { dead_letter: { queue: d } }
      |                              ^
      |
      = `d` would be its own dead-letter queue
      = hint: let the last queue have no `dead_letter`, or one of its own
    ");
}

#[test]
fn a_default_that_makes_a_queue_its_own_dead_letter_queue() {
    let text = r"
version: 1
stack: test
defaults: { dead_letter: { queue: failures } }
queues:
  orders: {}
  failures: {}
";
    assert_snapshot!(complaints(text), @r"
    error[file/dead-letter-cycle]: dead letters go in a circle
     --> mq.yaml:3:35
      |
    3 | defaults: { dead_letter: { queue: failures } }
      |                                   ^^^^^^^^
      |
      = `failures` would be its own dead-letter queue
      = hint: write `dead_letter: null` at `failures`, so that it does not take it from `defaults`
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
fn accepts_that_name_nothing() {
    let text = r"
  orders:
    accept:
      - ordring@azure
      - { what: deduplication@gcp, until: 2027-02-30 }
      - { because: I said so }
      - [ordering]
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/unknown-attribute]: unknown attribute
     --> mq.yaml:6:9
      |
    6 |       - ordring@azure
      |         ^^^^^^^^^^^^^
      |
      = `ordring` is no attribute of a queue
      = hint: did you mean `ordering`?

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:7:43
      |
    7 |       - { what: deduplication@gcp, until: 2027-02-30 }
      |                                           ^^^^^^^^^^
      |
      = `2027-02-30` is no day, as in `2027-06-01`

    error[file/missing-key]: a key is missing
     --> mq.yaml:8:9
      |
    8 |       - { because: I said so }
      |         ^^^^^^^^^^^^^^^^^^^^^^
      |
      = `accept` needs `what`
      = hint: name the verdict, as in `what: ordering@azure`

    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:9:9
      |
    9 |       - [ordering]
      |         ^^^^^^^^^^
      |
      = expected a map, found a list
    ");
}

#[test]
fn a_template_needs_the_name() {
    let text = r#"
version: 1
stack: test
stages:
  dev: { name: dev, expires: 0s }
  prod: { name: "prod/{name}" }
queues: {}
"#;
    assert_snapshot!(complaints(text), @r#"
    error[file/bad-value]: the value is not allowed
     --> mq.yaml:4:16
      |
    4 |   dev: { name: dev, expires: 0s }
      |                ^^^
      |
      = without `{name}` all queues of the stage would have one name
      = hint: write it as in `dev-{name}` or `{stage}-{name}`

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:4:30
      |
    4 |   dev: { name: dev, expires: 0s }
      |                              ^^
      |
      = it must be longer than zero

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:5:17
      |
    5 |   prod: { name: "prod/{name}" }
      |                 ^^^^^^^^^^^^^
      |
      = `/` cannot stand in it: letters, digits, `-`, `_`, `{name}` and `{stage}` can
      = hint: write it as in `dev-{name}` or `{stage}-{name}`
    "#);
}

#[test]
fn names_that_a_cloud_does_not_have() {
    let text = r"
  orders:
    names:
      gcp: orders
      aws: { topic: orders }
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:6:12
      |
    6 |       gcp: orders
      |            ^^^^^^
      |
      = a queue has several names here: `topic`, `subscription` and `dead_letter`
      = hint: write a map, as in `{ topic: orders, subscription: orders-worker }`

    error[file/unknown-key]: unknown key
     --> mq.yaml:7:14
      |
    7 |       aws: { topic: orders }
      |              ^^^^^
      |
      = `topic` is not a key of `names` on this cloud
      = hint: it takes `queue` and `dead_letter`
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
fn a_secret_is_never_shown() {
    let text = r"
  orders:
    labels: { key: AKIAIOSFODNN7EXAMPLE }
    visibility_timeout: AKIAIOSFODNN7EXAMPLE
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    warning[file/secret]: the value looks like a secret
     --> mq.yaml:5:20
      |
    5 |     labels: { key: ******************** }
      |                    ^^^^^^^^^^^^^^^^^^^^
      |
      = it looks like an AWS access key id; everyone who reads the repository reads this file, and plans show its values
      = hint: credentials come from each vendor's own chain, never from the file

    warning[file/secret]: the value looks like a secret
     --> mq.yaml:6:25
      |
    6 |     visibility_timeout: ********************
      |                         ^^^^^^^^^^^^^^^^^^^^
      |
      = it looks like an AWS access key id; everyone who reads the repository reads this file, and plans show its values
      = hint: credentials come from each vendor's own chain, never from the file

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:6:25
      |
    6 |     visibility_timeout: ********************
      |                         ^^^^^^^^^^^^^^^^^^^^
      |
      = this is no duration: a whole number and one of ms, s, m, h, d
    ");
}

#[test]
fn variables_that_are_not_set() {
    let text = r#"
version: 1
stack: test
origin: ${ORIGIN:?the URL of the repository}
clouds:
  aws: { region: "x-${REGIN}", account: "${ACCOUNT-1}" }
queues: {}
"#;
    assert_snapshot!(complaints(text), @r#"
    error[file/variable]: a variable is not set
     --> mq.yaml:3:9
      |
    3 | origin: ${ORIGIN:?the URL of the repository}
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = `ORIGIN`: the URL of the repository
      = hint: set `ORIGIN`

    error[file/variable]: a variable is not set
     --> mq.yaml:5:21
      |
    5 |   aws: { region: "x-${REGIN}", account: "${ACCOUNT-1}" }
      |                     ^^^^^^^^
      |
      = `REGIN` is not in the environment, and the file has no default for it
      = hint: set `REGIN`, or give it a default: `${REGIN:-…}`

    error[file/variable-form]: a variable cannot be read
     --> mq.yaml:5:42
      |
    5 |   aws: { region: "x-${REGIN}", account: "${ACCOUNT-1}" }
      |                                          ^^^^^^^^^^^^
      |
      = the forms are `${VAR}`, `${VAR:-default}` and `${VAR:?message}`; a default is not expanded
      = hint: write `$${` where the text `${` is meant
    "#);
}

#[test]
fn what_a_variable_holds_is_not_repeated() {
    let text = r#"
  orders:
    visibility_timeout: ${TOKEN}
    ordering: ${TOKEN}
    accept: ["${TOKEN}@aws"]
    dead_letter: { queue: "${TOKEN}" }
    names: { aws: 5 }
"#;
    assert_snapshot!(complaints(&with_queues(text)), @r#"
    error[file/bad-value]: the value is not allowed
     --> mq.yaml:5:25
      |
    5 |     visibility_timeout: ${TOKEN}
      |                         ^^^^^^^^
      |
      = what `${TOKEN}` stands for is no duration: a whole number and one of ms, s, m, h, d

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:6:15
      |
    6 |     ordering: ${TOKEN}
      |               ^^^^^^^^
      |
      = what `${TOKEN}` stands for is not `none` or `per-key`

    error[file/unknown-attribute]: unknown attribute
     --> mq.yaml:7:14
      |
    7 |     accept: ["${TOKEN}@aws"]
      |              ^^^^^^^^^^^^^^
      |
      = what `"${TOKEN}@aws"` stands for is no attribute of a queue
      = hint: it takes `visibility_timeout`, `retention`, `receive_wait`, `delivery_delay`, `max_message_size`, `ordering`, `deduplication`, `deduplication.window`, `deduplication.by`, `dead_letter`, `dead_letter.max_deliveries`, `dead_letter.retention`, `dead_letter.queue`, `encryption`, `encryption.key` and `labels`

    error[file/unknown-queue]: unknown queue
     --> mq.yaml:8:27
      |
    8 |     dead_letter: { queue: "${TOKEN}" }
      |                           ^^^^^^^^^^
      |
      = what `"${TOKEN}"` stands for is not a queue of this file
      = hint: it has `orders`
    "#);
}

#[test]
fn what_does_not_go_together() {
    let text = r"
  legacy: { manage: false, protect: true }
  orders:
    dead_letter: { queue: failures, retention: 3d }
    names: { aws: { dead_letter: x } }
  failures: {}
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    warning[file/no-effect]: the key has no effect
     --> mq.yaml:4:37
      |
    4 |   legacy: { manage: false, protect: true }
      |                                     ^^^^
      |
      = with `manage: false` nothing is written, so nothing needs protection
      = hint: remove `protect`

    error[file/contradiction]: two keys contradict each other
     --> mq.yaml:6:48
      |
    6 |     dead_letter: { queue: failures, retention: 3d }
      |                                                ^^
      |
      = the dead-letter queue is a queue of its own, with its own retention
      = hint: state `retention` at that queue

    error[file/contradiction]: two keys contradict each other
     --> mq.yaml:7:34
      |
    7 |     names: { aws: { dead_letter: x } }
      |                                  ^
      |
      = `dead_letter.queue` names another queue, which has its own name
      = hint: remove this name
    ");
}

#[test]
fn two_queues_with_one_name() {
    let text = r"
  a: { names: { azure: Orders } }
  b: { names: { azure: orders } }
  mails: { dead_letter: {} }
  mails-dlq: {}
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/name-twice]: two queues have one name
     --> mq.yaml:5:24
      |
    5 |   b: { names: { azure: orders } }
      |                        ^^^^^^
      |
      = `a` states this name too

    error[file/name-twice]: two queues have one name
     --> mq.yaml:7:3
      |
    7 |   mails-dlq: {}
      |   ^^^^^^^^^
      |
      = the dead-letter queue of `mails` is called `mails-dlq` too
      = hint: rename it, or make it the dead-letter queue: `dead_letter: { queue: mails-dlq }` at `mails`
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

#[test]
fn control_characters_cannot_draw() {
    let text = concat!(
        "  orders:\n",
        "    origin\u{1b}[31m: \"\\u001b[2Jx\"\n",
        "    labels: { a: \"\\u001b[2J\" }\n"
    );
    assert_snapshot!(complaints(&with_queues(text)), @r#"
    error[file/syntax]: the file is not YAML
     --> mq.yaml:5:5
      |
    5 |     origin\u{1b}[31m: "\u001b[2Jx"
      |     ^
      |
      = the character `\u{1b}` cannot stand here
      = hint: put the text in quotes
    "#);
}

#[test]
fn escaped_control_characters_stay_escaped() {
    let text = r#"
  orders:
    "or\u001b[31m\u202e": 5
    labels: { a: "\u001b[2J" }
"#;
    assert_snapshot!(complaints(&with_queues(text)), @r#"
    error[file/unknown-key]: unknown key
     --> mq.yaml:5:5
      |
    5 |     "or\u001b[31m\u202e": 5
      |     ^^^^^^^^^^^^^^^^^^^^
      |
      = `or\u{1b}[31m\u{202e}` is not a key of a queue
      = hint: it takes `visibility_timeout`, `retention`, `receive_wait`, `delivery_delay`, `max_message_size`, `ordering`, `deduplication`, `dead_letter`, `encryption`, `labels`, `protect`, `overrides`, `names`, `manage` and `accept`

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:6:18
      |
    6 |     labels: { a: "\u001b[2J" }
      |                  ^^^^^^^^^^^
      |
      = it holds a line break or another control character
    "#);
}

#[test]
fn a_value_that_looks_like_a_key() {
    let text = r"
  orders: { labels: { team: a: b } }
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/syntax]: the file is not YAML
     --> mq.yaml:4:30
      |
    4 |   orders: { labels: { team: a: b } }
      |                              ^
      |
      = the map in braces goes on with neither `,` nor `}`
      = hint: put text with `: ` or `#` in it in quotes
    ");
}

#[test]
fn a_merge_of_what_is_no_map() {
    let text = r"
  a: &a { retention: 4d }
  b: { <<: *a, ordering: per-key }
  c: { <<: [*a, 5] }
  d: { <<: ~ }
";
    assert_snapshot!(complaints(&with_queues(text)), @r"
    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:6:17
      |
    6 |   c: { <<: [*a, 5] }
      |                 ^
      |
      = `<<` merges a map, and this is a number

    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:7:12
      |
    7 |   d: { <<: ~ }
      |            ^
      |
      = `<<` merges a map, and this is nothing
    ");
}

#[test]
fn clouds_by_the_names_of_their_services() {
    let text = r"
version: 1
stack: test
clouds:
  sqs: {}
  pubsub: {}
  eu: { cloud: Service Bus }
queues: {}
";
    assert_snapshot!(complaints(text), @r"
    error[file/unknown-cloud]: unknown cloud
     --> mq.yaml:4:3
      |
    4 |   sqs: {}
      |   ^^^
      |
      = `sqs` is none of `aws`, `azure` and `gcp`, and the entry does not say which one it is
      = hint: Amazon SQS is called `aws` here

    error[file/unknown-cloud]: unknown cloud
     --> mq.yaml:5:3
      |
    5 |   pubsub: {}
      |   ^^^^^^
      |
      = `pubsub` is none of `aws`, `azure` and `gcp`, and the entry does not say which one it is
      = hint: Google Cloud Pub/Sub is called `gcp` here

    error[file/unknown-cloud]: unknown cloud
     --> mq.yaml:6:16
      |
    6 |   eu: { cloud: Service Bus }
      |                ^^^^^^^^^^^
      |
      = `Service Bus` is none of `aws`, `azure` and `gcp`
      = hint: Azure Service Bus is called `azure` here
    ");
}

#[test]
fn a_file_that_is_no_map() {
    let text = r"
- a
- b
";
    assert_snapshot!(complaints(text), @r"
    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:1:1
      |
    1 | - a
      | ^^^
      |
      = expected a map, found a list
    ");
}

#[test]
fn an_empty_file() {
    let text = r"
# nothing here
";
    assert_snapshot!(complaints(text), @r"
    error[file/empty]: the file is empty
     --> mq.yaml:1:1
      |
    1 | # nothing here
      | ^
      |
      = hint: `mq init` writes one to start from
    ");
}

#[test]
fn ten_mistakes_in_one_file() {
    let text = r"
version: 1
stack: Shop
cloud: awz
clouds:
  aws: { region: eu-west-1, regoin: eu-west-1 }
stages:
  dev: { name: dev }
defaults: { labels: { team: true } }
queues:
  orders:
    visibility_timeout: 30
    retention: 4d
    retention: 5d
    dead_letter: { max_deliveries: 0, queue: failures }
    overrides: { gcp: { natve: {} } }
  Mails: {}
";
    assert_snapshot!(complaints(text), @r#"
    error[file/bad-name]: the name is not allowed
     --> mq.yaml:2:8
      |
    2 | stack: Shop
      |        ^^^^
      |
      = `Shop` is not one: a stack or stage starts with a lower-case letter and has at most 31 lower-case letters, digits and `-`

    error[file/unknown-cloud]: unknown cloud
     --> mq.yaml:3:8
      |
    3 | cloud: awz
      |        ^^^
      |
      = `awz` is neither an entry under `clouds` nor one of `aws`, `azure` and `gcp`
      = hint: did you mean `aws`?

    error[file/unknown-key]: unknown key
     --> mq.yaml:5:29
      |
    5 |   aws: { region: eu-west-1, regoin: eu-west-1 }
      |                             ^^^^^^
      |
      = `regoin` is not a key of this cloud
      = hint: did you mean `region`?

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:7:16
      |
    7 |   dev: { name: dev }
      |                ^^^
      |
      = without `{name}` all queues of the stage would have one name
      = hint: write it as in `dev-{name}` or `{stage}-{name}`

    error[file/wrong-type]: the value has the wrong type
     --> mq.yaml:8:29
      |
    8 | defaults: { labels: { team: true } }
      |                             ^^^^
      |
      = expected text, found a boolean
      = hint: put it in quotes: `"true"`

    error[file/bad-value]: the value is not allowed
      --> mq.yaml:11:25
       |
    11 |     visibility_timeout: 30
       |                         ^^
       |
       = `30` is no duration: a whole number and one of ms, s, m, h, d
       = hint: say the unit: `30s` for seconds

    error[file/duplicate-key]: the key stands twice in one map
      --> mq.yaml:13:5
       |
    13 |     retention: 5d
       |     ^^^^^^^^^
       |
       = only one of the two values could count, and not visibly which
       = hint: remove one of the two

    error[file/bad-value]: the value is not allowed
      --> mq.yaml:14:36
       |
    14 |     dead_letter: { max_deliveries: 0, queue: failures }
       |                                    ^
       |
       = `0` is outside 1 to 4294967295

    error[file/unknown-queue]: unknown queue
      --> mq.yaml:14:46
       |
    14 |     dead_letter: { max_deliveries: 0, queue: failures }
       |                                              ^^^^^^^^
       |
       = `failures` is not a queue of this file
       = hint: it has `Mails` and `orders`

    error[file/unknown-key]: unknown key
      --> mq.yaml:15:25
       |
    15 |     overrides: { gcp: { natve: {} } }
       |                         ^^^^^
       |
       = `natve` is not a key of `overrides`
       = hint: did you mean `native`?

    error[file/bad-name]: the name is not allowed
      --> mq.yaml:16:3
       |
    16 |   Mails: {}
       |   ^^^^^
       |
       = `Mails` is not one: a name starts with a lower-case letter and has at most 50 lower-case letters, digits, `-` and `_`
    "#);
}
