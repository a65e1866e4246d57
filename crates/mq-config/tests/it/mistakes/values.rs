//! Values of the wrong type or form.

use insta::assert_snapshot;

use crate::common::{complaints, with_queues};

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
