//! What only the whole file shows.

use insta::assert_snapshot;

use crate::common::{complaints, with_queues};

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
     --> mq.yaml:6:30
      |
    6 |   c: { dead_letter: { queue: a } }
      |                              ^
      |
      = the dead letters of `c` go to `a`, and those of `a` lead back
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
