//! A run as it may well be: three clouds, two queues of the file, and a bit of everything that can
//! happen.

use mq_suite::Group;
use mq_suite::report::{
    AttributeCell, AttributeRow, Cell, Leftover, Live, Outcome, QueueComparison, Report, Row,
    TargetInfo, Totals,
};

/// The clouds: name, backend, service, scope, and whether it is an emulator.
const CLOUDS: [(&str, &str, &str, &str, bool); 3] = [
    ("aws", "sqs", "Amazon SQS", "123456789012/eu-west-1", true),
    (
        "azure",
        "servicebus",
        "Azure Service Bus",
        "inference-ns.servicebus.windows.net",
        false,
    ),
    (
        "gcp",
        "pubsub",
        "Google Cloud Pub/Sub",
        "inference-prod",
        true,
    ),
];

/// Promises that are proved with a copy of each of the file's queues, and with the suite's own.
const OF_EVERY_QUEUE: [(&str, &str); 4] = [
    (
        "created-as-stated",
        "A queue that is provisioned is there with all its parts, and each reads as the file says.",
    ),
    (
        "second-run-writes-nothing",
        "Provisioning the same file again finds nothing to do.",
    ),
    (
        "endpoints-stay",
        "A queue has an endpoint, and a later run finds the same one.",
    ),
    (
        "half-made-is-completed",
        "A queue of which only some parts were made is completed by running the same command again.",
    ),
];

const GENERAL: [(&str, &str); 12] = [
    (
        "create-spares-what-is-there",
        "Creating a queue whose name was taken in the meantime changes nothing about the one that is there.",
    ),
    (
        "destroy-twice",
        "Destroying a queue that is gone already is no error.",
    ),
    (
        "destroy-spares-others",
        "Destroying removes nothing that is not ours.",
    ),
    (
        "destroy-spares-messages",
        "A queue that holds messages is not destroyed unless that is asked for.",
    ),
    (
        "delete-and-recreate",
        "A queue that was deleted can be made again at once.",
    ),
    (
        "deleted-is-gone",
        "A deletion that has been answered is seen by the next read.",
    ),
    (
        "dead-letter-is-wired",
        "A queue's dead-letter queue is there, and the queue may write to it.",
    ),
    (
        "dead-letter-grant-stays",
        "The grant that dead-lettering needs is there after every change.",
    ),
    (
        "marker-survives-updates",
        "What marks a queue as ours is there after every change.",
    ),
    (
        "adopt-changes-nothing-else",
        "Adopting a queue writes our marker and nothing else.",
    ),
    (
        "another-origin-is-refused",
        "A queue of another file is refused, and stays as it is.",
    ),
    (
        "wrong-account-is-refused",
        "A file that states another account does nothing.",
    ),
];

/// Promises that are proved once for each of these attributes.
const OF_EVERY_ATTRIBUTE: [(&str, &str); 3] = [
    (
        "update-in-place",
        "A change of this attribute is made in place, and read back.",
    ),
    (
        "drift-is-seen",
        "A change of this attribute that someone else made is seen.",
    ),
    (
        "immutable-is-refused",
        "A change of this attribute that needs a new queue is refused.",
    ),
];

const ATTRIBUTES: [(&str, [&str; 3]); 11] = [
    ("visibility_timeout", ["exact", "exact", "exact"]),
    ("retention", ["exact", "exact", "approximate"]),
    ("max_message_size", ["exact", "exact", "client-side"]),
    ("delivery_delay", ["exact", "client-side", "unsupported"]),
    ("ordering", ["exact", "exact", "approximate"]),
    ("deduplication", ["exact", "exact", "unsupported"]),
    ("dead_letter.queue", ["exact", "exact", "exact"]),
    (
        "dead_letter.max_deliveries",
        ["exact", "exact", "approximate"],
    ),
    ("dead_letter.retention", ["exact", "exact", "exact"]),
    ("encryption.key", ["exact", "exact", "exact"]),
    ("labels.team", ["exact", "exact", "exact"]),
];

/// The report.
pub(crate) fn report() -> Report {
    let mut rows = Vec::new();
    for queue in ["inference-requests", "orders.fifo"] {
        rows.extend(OF_EVERY_QUEUE.map(|(name, promise)| row(Some(queue), name, promise)));
    }
    rows.extend(OF_EVERY_QUEUE.map(|(name, promise)| row(None, name, promise)));
    rows.extend(GENERAL.map(|(name, promise)| row(None, name, promise)));
    for (name, promise) in OF_EVERY_ATTRIBUTE {
        for (attribute, _) in ATTRIBUTES {
            rows.push(row(None, &format!("{name}[{attribute}]"), promise));
        }
    }
    for (number, row) in rows.iter_mut().enumerate() {
        row.cells = (0..3).map(|cloud| Some(cell(row, number, cloud))).collect();
        let names = row.cells.iter().flatten().map(|cell| cell.outcome.name());
        row.differs = names.collect::<std::collections::BTreeSet<_>>().len() > 1;
    }
    let report = Report {
        schema_version: 1,
        tool_version: "0.1.0".to_owned(),
        run: "k3v9x2ab".to_owned(),
        started: 1_795_550_000,
        duration_ms: 83_412,
        shard: None,
        interrupted: false,
        targets: CLOUDS.map(target).to_vec(),
        queues: ["inference-requests", "orders.fifo"].map(queue).to_vec(),
        rows,
        totals: Totals::default(),
        leftovers: vec![Leftover {
            target: "azure".to_owned(),
            resource: "queue verify-k3v9x2ab-41-sample".to_owned(),
            why: "the service answered 503 ServerBusy three times".to_owned(),
        }],
        baseline: None,
    };
    counted(report)
}

/// The report with the counts of its cells.
pub(crate) fn counted(mut report: Report) -> Report {
    let mut all = Totals::default();
    for (column, target) in report.targets.iter_mut().enumerate() {
        let mut totals = Totals::default();
        for cell in report
            .rows
            .iter()
            .filter_map(|row| row.cells[column].as_ref())
        {
            for totals in [&mut totals, &mut all] {
                match cell.outcome {
                    Outcome::Passed => totals.passed += 1,
                    Outcome::Failed { .. } => totals.failed += 1,
                    Outcome::Error { .. } => totals.errors += 1,
                    Outcome::Skipped { .. } => totals.skipped += 1,
                }
                totals.flaky += usize::from(cell.is_flaky());
            }
        }
        target.totals = totals;
    }
    report.totals = all;
    report
}

fn target((name, backend, service, scope, emulated): (&str, &str, &str, &str, bool)) -> TargetInfo {
    TargetInfo {
        name: name.to_owned(),
        backend: backend.to_owned(),
        service: service.to_owned(),
        scope: scope.to_owned(),
        emulated,
        totals: Totals::default(),
    }
}

fn row(queue: Option<&str>, name: &str, promise: &str) -> Row {
    Row {
        behaviour: format!("control/{name}"),
        group: Group::Control,
        promise: promise.to_owned(),
        queue: queue.map(str::to_owned),
        differs: false,
        cells: Vec::new(),
    }
}

fn cell(row: &Row, number: usize, cloud: usize) -> Cell {
    let failed = |seen: &str| Outcome::Failed {
        seen: seen.to_owned(),
    };
    let skipped = |reason: &str| Outcome::Skipped {
        reason: reason.to_owned(),
    };
    let mut earlier = Vec::new();
    let outcome = match (&*row.behaviour, cloud) {
        ("control/deleted-is-gone", 2) => failed("subscription `verify-k3v9x2ab-21-sample` was still listed 40 s after its deletion was answered"),
        ("control/update-in-place[retention]", 1) => failed("DefaultMessageTimeToLive should be P14D and is P14D <PT0S> & \"more\""),
        ("control/another-origin-is-refused", 0) => Outcome::Error {
            message: "failed to read the queue `sample`: AccessDenied (request 5f0c1a2e)\nthe role may not call sqs:GetQueueAttributes".to_owned(),
        },
        ("control/dead-letter-grant-stays", 0 | 1) => skipped("this service needs no grant for dead-lettering"),
        ("control/wrong-account-is-refused", _) => failed("the file states `000000000000`, and the run went on"),
        (id, 2) if id.ends_with("[delivery_delay]") || id.ends_with("[deduplication]") => skipped("the service itself does not hold this attribute"),
        (id, 1) if id.ends_with("[delivery_delay]") => skipped("the service itself does not hold this attribute"),
        (id, _) if id.starts_with("control/immutable") && !id.contains("ordering") => skipped("the service changes this attribute in place"),
        ("control/endpoints-stay", 2) if row.queue.is_some() => {
            earlier.push(Outcome::Error {
                message: "UNAVAILABLE: the service is currently unavailable".to_owned(),
            });
            Outcome::Passed
        }
        _ => Outcome::Passed,
    };
    Cell {
        outcome,
        duration_ms: [37, 410, 152][cloud] * (1 + (number as u64 * 7 + cloud as u64 * 3) % 11),
        earlier,
    }
}

fn queue(name: &str) -> QueueComparison {
    let attributes = ATTRIBUTES.map(|(attribute, verdicts)| {
        let cells = [0, 1, 2].map(|cloud| attribute_cell(attribute, verdicts[cloud], name, cloud));
        let drifted = |cell: &AttributeCell| matches!(cell.live, Live::Differs { .. });
        AttributeRow {
            attribute: attribute.to_owned(),
            equal: cells
                .iter()
                .all(|cell| cell.verdict == "exact" && !drifted(cell)),
            cells: cells.to_vec(),
        }
    });
    QueueComparison {
        queue: name.to_owned(),
        attributes: attributes.to_vec(),
    }
}

fn attribute_cell(attribute: &str, verdict: &str, queue: &str, cloud: usize) -> AttributeCell {
    let value = match attribute {
        "visibility_timeout" | "delivery_delay" => "30s",
        "retention" | "dead_letter.retention" => "14d",
        "max_message_size" => "256KiB",
        "ordering" => "per-key",
        "deduplication" => "10m",
        "dead_letter.max_deliveries" => "5",
        "dead_letter.queue" => "inference-requests-dlq",
        _ => "ml-platform",
    };
    let reason = match verdict {
        "exact" => "",
        "approximate" => {
            "Pub/Sub counts deliveries on a best-effort basis: at least 5, and perhaps a few more"
        }
        "client-side" => "the sender holds it: a client that is not ours can send more",
        _ => "Pub/Sub has no setting for it, and nothing that comes near",
    };
    let live = match (attribute, queue, cloud) {
        ("retention", "inference-requests", 0) => Live::Differs {
            seen: "MessageRetentionPeriod = 345600".to_owned(),
        },
        (_, "orders.fifo", 2) => Live::NotThere,
        _ if verdict == "client-side" || verdict == "unsupported" => Live::NotRead {
            why: "the service has no setting of its own for it".to_owned(),
        },
        _ => Live::AsStated,
    };
    AttributeCell {
        value: value.to_owned(),
        verdict: verdict.to_owned(),
        reason: reason.to_owned(),
        accepted: verdict == "unsupported" && attribute == "deduplication",
        live,
    }
}
