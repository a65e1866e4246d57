//! The tables behind [`crate::docs`].

use crate::docs::{AttributeDoc, REQUIRED, Takes};

const YES: &str = "yes";
const NOT_APPLICABLE: &str = "not written to a cloud";

/// What may be said of a queue.
pub(crate) static QUEUE: &[AttributeDoc] = &[
    AttributeDoc {
        path: "visibility_timeout",
        takes: Takes::Duration,
        default: "30s",
        in_place: YES,
        doc: "How long one delivery is hidden from other consumers. A consumer that has not \
              settled the message by then loses it, and it is delivered again. 10s to 5m is exact \
              on all three clouds.",
        native: &[
            ("aws", "VisibilityTimeout"),
            ("azure", "LockDuration"),
            ("gcp", "ackDeadlineSeconds"),
        ],
        example: "visibility_timeout: 30s",
    },
    AttributeDoc {
        path: "retention",
        takes: Takes::Duration,
        default: "4d",
        in_place: "yes; lowering it deletes messages, and the plan says so",
        doc: "How long a message waits to be consumed before the service drops it. 10m to 14d is \
              exact on all three clouds.",
        native: &[
            ("aws", "MessageRetentionPeriod"),
            ("azure", "DefaultMessageTimeToLive"),
            ("gcp", "messageRetentionDuration"),
        ],
        example: "retention: 4d",
    },
    AttributeDoc {
        path: "receive_wait",
        takes: Takes::Duration,
        default: "20s on SQS; elsewhere the client decides",
        in_place: YES,
        doc: "How long a receive on an empty queue waits for a message (long polling). Only SQS \
              has it as an attribute of the queue, from 0s to 20s.",
        native: &[("aws", "ReceiveMessageWaitTimeSeconds")],
        example: "receive_wait: 20s",
    },
    AttributeDoc {
        path: "delivery_delay",
        takes: Takes::Duration,
        default: "0s",
        in_place: YES,
        doc: "How long a new message is held back before its first delivery. SQS has it up to \
              15m; on Service Bus the sender stamps each message; Pub/Sub has nothing like it.",
        native: &[("aws", "DelaySeconds")],
        example: "delivery_delay: 10s",
    },
    AttributeDoc {
        path: "max_message_size",
        takes: Takes::Size,
        default: "the service's own maximum, shown by `mq check`",
        in_place: "where the service has it",
        doc: "The largest message that the queue takes, with its attributes. 256KiB fits \
              everywhere; only SQS and Service Bus Premium can enforce a limit of your own.",
        native: &[
            ("aws", "MaximumMessageSize"),
            ("azure", "MaxMessageSizeInKilobytes"),
        ],
        example: "max_message_size: 256KiB",
    },
    AttributeDoc {
        path: "ordering",
        takes: Takes::OneOf(&["none", "per-key"]),
        default: "none",
        in_place: "no: a new queue",
        doc: "Whether messages with one ordering key are delivered in the order in which they \
              were sent: a FIFO queue, sessions, ordering keys. It is fixed at creation.",
        native: &[
            ("aws", "FifoQueue, MessageGroupId"),
            ("azure", "RequiresSession, SessionId"),
            ("gcp", "enableMessageOrdering, orderingKey"),
        ],
        example: "ordering: per-key",
    },
    AttributeDoc {
        path: "deduplication",
        takes: Takes::Fields,
        default: "off",
        in_place: "the window, where the service allows it",
        doc: "Drops a message that was already sent within a window. SQS has it on FIFO queues \
              only, Pub/Sub not at all.",
        native: &[
            ("aws", "MessageDeduplicationId"),
            ("azure", "RequiresDuplicateDetection"),
        ],
        example: "deduplication: { window: 5m, by: id }",
    },
    AttributeDoc {
        path: "deduplication.window",
        takes: Takes::Duration,
        default: "5m",
        in_place: "where the service allows it",
        doc: "How long a duplicate is recognised. SQS has 5m and nothing else; Service Bus 20s to \
              7d.",
        native: &[("azure", "DuplicateDetectionHistoryTimeWindow")],
        example: "deduplication: { window: 5m }",
    },
    AttributeDoc {
        path: "deduplication.by",
        takes: Takes::OneOf(&["id", "content"]),
        default: "id",
        in_place: "where the service allows it",
        doc: "What makes two messages duplicates: an id that the sender gives, or the body.",
        native: &[("aws", "ContentBasedDeduplication")],
        example: "deduplication: { by: content }",
    },
    AttributeDoc {
        path: "dead_letter",
        takes: Takes::Fields,
        default: "none: the plan says what each cloud then does after endless failures",
        in_place: "yes; taking it out of the file unlinks the dead-letter queue, and deleting it \
                   needs `--prune`",
        doc: "Moves a message that keeps failing to a dead-letter queue. `{}` asks for one with \
              the defaults below.",
        native: &[
            ("aws", "RedrivePolicy"),
            ("azure", "$DeadLetterQueue, ForwardDeadLetteredMessagesTo"),
            ("gcp", "deadLetterPolicy, deadLetterTopic"),
        ],
        example: "dead_letter: { max_deliveries: 5, retention: 14d }",
    },
    AttributeDoc {
        path: "dead_letter.max_deliveries",
        takes: Takes::Count,
        default: "5",
        in_place: YES,
        doc: "How often a consumer that always fails sees the message in all, before it is moved. \
              Pub/Sub takes 5 to 100 and counts as best it can.",
        native: &[
            ("aws", "maxReceiveCount"),
            ("azure", "MaxDeliveryCount"),
            ("gcp", "maxDeliveryAttempts"),
        ],
        example: "dead_letter: { max_deliveries: 5 }",
    },
    AttributeDoc {
        path: "dead_letter.retention",
        takes: Takes::Duration,
        default: "the service's own",
        in_place: YES,
        doc: "How long a dead letter waits. On Service Bus, where dead letters never expire, it \
              makes a queue of its own that they are forwarded to.",
        native: &[],
        example: "dead_letter: { retention: 14d }",
    },
    AttributeDoc {
        path: "dead_letter.queue",
        takes: Takes::QueueOrTextPerCloud,
        default: "one of its own",
        in_place: YES,
        doc: "Which queue takes the dead letters: another queue of this file, or by cloud a \
              resource in the service's own words. It is never created or destroyed through this \
              queue.",
        native: &[],
        example: "dead_letter: { queue: shared-failures }",
    },
    AttributeDoc {
        path: "encryption",
        takes: Takes::Fields,
        default: "the service's own encryption",
        in_place: "per service",
        doc: "Encryption at rest with a key of yours. `{}` states the service's own key.",
        native: &[],
        example: "encryption: { key: { aws: alias/queues } }",
    },
    AttributeDoc {
        path: "encryption.key",
        takes: Takes::TextPerCloud,
        default: "the service's own key",
        in_place: "per service",
        doc: "The key in each service's own words. Service Bus has keys for a whole namespace, \
              not for a queue.",
        native: &[("aws", "KmsMasterKeyId"), ("gcp", "kmsKeyName")],
        example: "encryption: { key: { aws: alias/queues, gcp: projects/p/locations/europe/keyRings/r/cryptoKeys/k } }",
    },
    AttributeDoc {
        path: "labels",
        takes: Takes::Labels,
        default: "`defaults.labels`",
        in_place: YES,
        doc: "Labels on the resources: tags on SQS, labels on Pub/Sub, a line of user metadata on \
              Service Bus. `null` takes one back that a layer below gives.",
        native: &[
            ("aws", "tags"),
            ("azure", "UserMetadata"),
            ("gcp", "labels"),
        ],
        example: "labels: { team: inference }",
    },
    AttributeDoc {
        path: "names",
        takes: Takes::NamesPerCloud,
        default: "derived from the queue's key and the stage",
        in_place: "no: a new queue",
        doc: "Names on one cloud in place of the derived ones: text where a queue is one resource, \
              else a map of `queue`, `dead_letter`, `topic` and `subscription`. They are taken as \
              they are, without the stage's template.",
        native: &[],
        example: "names: { aws: Prod-OrderEvents, gcp: { topic: order-events, subscription: order-worker } }",
    },
    AttributeDoc {
        path: "manage",
        takes: Takes::Bool,
        default: "true",
        in_place: NOT_APPLICABLE,
        doc: "`false`: someone else owns the queue. It is read, checked and compared, and never \
              written.",
        native: &[],
        example: "manage: false",
    },
    AttributeDoc {
        path: "protect",
        takes: Takes::Bool,
        default: "false",
        in_place: NOT_APPLICABLE,
        doc: "`true`: destroying and replacing the queue are refused.",
        native: &[],
        example: "protect: true",
    },
    AttributeDoc {
        path: "accept",
        takes: Takes::Accepts,
        default: "[]",
        in_place: NOT_APPLICABLE,
        doc: "Verdicts that you know about, as `attribute@cloud` or with a reason and a last day. \
              An accepted `unsupported` is no error; with `--strict` every verdict that is not \
              exact must be accepted.",
        native: &[],
        example: "accept:\n  - ordering@azure\n  - { what: deduplication@gcp, because: the consumer is idempotent, until: 2027-06-01 }",
    },
    AttributeDoc {
        path: "accept.what",
        takes: Takes::Verdict,
        default: REQUIRED,
        in_place: NOT_APPLICABLE,
        doc: "The attribute, and after `@` the cloud; without a cloud it holds on all.",
        native: &[],
        example: "accept: [{ what: deduplication@gcp }]",
    },
    AttributeDoc {
        path: "accept.because",
        takes: Takes::Text,
        default: "none",
        in_place: NOT_APPLICABLE,
        doc: "Why it is acceptable, for whoever reads the file next.",
        native: &[],
        example: "accept: [{ what: deduplication@gcp, because: the consumer is idempotent }]",
    },
    AttributeDoc {
        path: "accept.until",
        takes: Takes::Date,
        default: "for ever",
        in_place: NOT_APPLICABLE,
        doc: "The last day on which it counts.",
        native: &[],
        example: "accept: [{ what: deduplication@gcp, until: 2027-06-01 }]",
    },
    AttributeDoc {
        path: "overrides",
        takes: Takes::QueuePerCloud,
        default: "{}",
        in_place: NOT_APPLICABLE,
        doc: "Other values on one cloud, over those of the queue and the stage. The plan shows \
              them.",
        native: &[],
        example: "overrides: { gcp: { dead_letter: { max_deliveries: 10 } } }",
    },
    AttributeDoc {
        path: "overrides.native",
        takes: Takes::Native,
        default: "{}",
        in_place: "per attribute",
        doc: "Attributes that only this service has, in its own words.",
        native: &[],
        example: "overrides: { azure: { native: { EnableBatchedOperations: false } } }",
    },
];

/// The rest of the file.
pub(crate) static FILE: &[AttributeDoc] = &[
    AttributeDoc {
        path: "version",
        takes: Takes::Version,
        default: REQUIRED,
        in_place: NOT_APPLICABLE,
        doc: "The version of the format.",
        native: &[],
        example: "version: 1",
    },
    AttributeDoc {
        path: "stack",
        takes: Takes::OwnerName,
        default: REQUIRED,
        in_place: "no: the resources then belong to nobody",
        doc: "What this file owns. Every resource carries it, and destroy, prune and gc touch \
              nothing that does not.",
        native: &[],
        example: "stack: ai-pipeline",
    },
    AttributeDoc {
        path: "origin",
        takes: Takes::Text,
        default: "none",
        in_place: "no: the resources then belong to another repository",
        doc: "The repository that the file comes from. Resources of the same stack with another \
              origin are refused.",
        native: &[],
        example: "origin: github.com/acme/pipeline",
    },
    AttributeDoc {
        path: "cloud",
        takes: Takes::Cloud,
        default: "none: `--cloud` is then required",
        in_place: NOT_APPLICABLE,
        doc: "Where commands go when no `--cloud` is given: a key of `clouds`, or `aws`, `azure` \
              or `gcp`.",
        native: &[],
        example: "cloud: aws",
    },
    AttributeDoc {
        path: "clouds",
        takes: Takes::SettingsPerCloud,
        default: "each cloud's own environment",
        in_place: NOT_APPLICABLE,
        doc: "Where each cloud is. The key names the target; several on one cloud say which one \
              with `cloud`. Credentials come from each vendor's own chain and never stand here.",
        native: &[],
        example: "clouds:\n  aws: { region: eu-west-1 }\n  aws-us: { cloud: aws, region: us-east-1 }",
    },
    AttributeDoc {
        path: "clouds.cloud",
        takes: Takes::Cloud,
        default: "the key of the entry",
        in_place: NOT_APPLICABLE,
        doc: "Which cloud this target is on.",
        native: &[],
        example: "clouds: { aws-us: { cloud: aws } }",
    },
    AttributeDoc {
        path: "clouds.verify",
        takes: Takes::OneOf(&["allowed", "forbidden"]),
        default: "allowed",
        in_place: NOT_APPLICABLE,
        doc: "`forbidden`: the portability suite never runs against this target.",
        native: &[],
        example: "clouds: { aws: { verify: forbidden } }",
    },
    AttributeDoc {
        path: "stages",
        takes: Takes::Named,
        default: "none: any `--stage` is taken, and names begin with it",
        in_place: NOT_APPLICABLE,
        doc: "The stages of this file, a closed list: where it is there, `--stage` is required and \
              names one of them.",
        native: &[],
        example: "stages:\n  dev: { name: \"dev-{name}\", expires: 8h }\n  prod: { name: \"{name}\", protect: true }",
    },
    AttributeDoc {
        path: "stages.name",
        takes: Takes::Template,
        default: "{stage}-{name}",
        in_place: "no: new queues",
        doc: "How the names of this stage are made from the queue's key, with `{name}` and \
              `{stage}`.",
        native: &[],
        example: "stages: { dev: { name: \"dev-{name}\" } }",
    },
    AttributeDoc {
        path: "stages.clouds",
        takes: Takes::SettingsPerCloud,
        default: "{}",
        in_place: NOT_APPLICABLE,
        doc: "Settings of this stage over those of `clouds`.",
        native: &[],
        example: "stages: { dev: { clouds: { gcp: { project: acme-dev } } } }",
    },
    AttributeDoc {
        path: "stages.clouds.verify",
        takes: Takes::OneOf(&["allowed", "forbidden"]),
        default: "what `clouds` says",
        in_place: NOT_APPLICABLE,
        doc: "`forbidden`: on this stage the portability suite never runs against this target.",
        native: &[],
        example: "stages: { prod: { clouds: { aws: { verify: forbidden } } } }",
    },
    AttributeDoc {
        path: "stages.queues",
        takes: Takes::QueuePerQueue,
        default: "{}",
        in_place: NOT_APPLICABLE,
        doc: "Values of this stage over those of the queues.",
        native: &[],
        example: "stages: { prod: { queues: { orders: { retention: 14d } } } }",
    },
    AttributeDoc {
        path: "stages.protect",
        takes: Takes::Bool,
        default: "false",
        in_place: NOT_APPLICABLE,
        doc: "`true`: destroying and replacing are refused for every queue of this stage.",
        native: &[],
        example: "stages: { prod: { protect: true } }",
    },
    AttributeDoc {
        path: "stages.expires",
        takes: Takes::Duration,
        default: "never",
        in_place: YES,
        doc: "How long after its creation a resource of this stage may be collected by `mq gc`.",
        native: &[],
        example: "stages: { dev: { expires: 8h } }",
    },
    AttributeDoc {
        path: "defaults",
        takes: Takes::Queue,
        default: "{}",
        in_place: NOT_APPLICABLE,
        doc: "What holds for every queue that does not say otherwise.",
        native: &[],
        example: "defaults: { labels: { team: inference } }",
    },
    AttributeDoc {
        path: "queues",
        takes: Takes::QueuePerQueue,
        default: REQUIRED,
        in_place: NOT_APPLICABLE,
        doc: "The queues. The key is the queue's name in this file; what each cloud calls it is \
              derived from it.",
        native: &[],
        example: "queues:\n  orders: { visibility_timeout: 30s }",
    },
];
