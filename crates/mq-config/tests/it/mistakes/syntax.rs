//! What YAML itself does not allow, and what is put into it from the environment.

use insta::assert_snapshot;

use crate::common::{complaints, with_queues};

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
    overrides: { aws: { native: { FifoThroughputLimit: "${TOKEN}" } } }
  mails: { accept: ["ordering@${TOKEN}"], labels: { a: "${TOKEN}" } }
  bills: { dead_letter: { max_deliveries: "${TOKEN}" }, max_message_size: "${TOKEN}" }
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
      = hint: it has `bills`, `mails` and `orders`

    error[file/bad-value]: the value is not allowed
     --> mq.yaml:9:56
      |
    9 |     overrides: { aws: { native: { FifoThroughputLimit: "${TOKEN}" } } }
      |                                                        ^^^^^^^^^^
      |
      = what `"${TOKEN}"` stands for is not `perQueue` or `perMessageGroupId`

    error[file/unknown-cloud]: unknown cloud
      --> mq.yaml:10:21
       |
    10 |   mails: { accept: ["ordering@${TOKEN}"], labels: { a: "${TOKEN}" } }
       |                     ^^^^^^^^^^^^^^^^^^^
       |
       = what `"ordering@${TOKEN}"` stands for is neither an entry under `clouds` nor one of `aws`, `azure` and `gcp`

    error[file/wrong-type]: the value has the wrong type
      --> mq.yaml:11:43
       |
    11 |   bills: { dead_letter: { max_deliveries: "${TOKEN}" }, max_message_size: "${TOKEN}" }
       |                                           ^^^^^^^^^^
       |
       = expected a whole number, found what `"${TOKEN}"` stands for

    error[file/bad-value]: the value is not allowed
      --> mq.yaml:11:75
       |
    11 |   bills: { dead_letter: { max_deliveries: "${TOKEN}" }, max_message_size: "${TOKEN}" }
       |                                                                           ^^^^^^^^^^
       |
       = what `"${TOKEN}"` stands for is no size: whole bytes, or a whole number and one of KiB, MiB, GiB
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
