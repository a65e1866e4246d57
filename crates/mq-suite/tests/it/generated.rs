//! Reports of every kind, with the worst texts that a service or a person could write.

use mq_suite::Group;
use mq_suite::report::baseline::{Baseline, KnownCase};
use mq_suite::report::{
    AttributeCell, AttributeRow, Cell, Leftover, Live, Outcome, QueueComparison, Report, Row,
    TargetInfo, Totals,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::sample::counted;

/// Texts that break what is careless about them.
const NASTY: [&str; 16] = [
    "",
    " ",
    "]]>",
    "<![CDATA[x]]>",
    "</script><script>alert(1)</script>",
    "<!--",
    "-->",
    "\"' onload='x'",
    "a|b\\|c `d` ```",
    "one\ntwo\r\nthree\tfour",
    "\0\u{1}\u{8}\u{b}\u{1f}\u{7f}\u{85}",
    "\u{fffe}\u{ffff}\u{feff}\u{10ffff}",
    "\u{202e}gnp.exe\u{202c} \u{2067}abc\u{2069}",
    "&amp; &#0; &bogus;",
    "$1$ @someone :tada: #1 ![x](http://example.invalid/y)",
    "漢字 🦀 e\u{301}",
];

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(&NASTY[..]).prop_map(str::to_owned),
        2 => any::<String>(),
        2 => "[a-z]{1,12}",
        1 => (any::<char>(), 1_000_usize..4_000).prop_map(|(it, times)| it.to_string().repeat(times)),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        3 => Just(Outcome::Passed),
        1 => text().prop_map(|seen| Outcome::Failed { seen }),
        1 => text().prop_map(|message| Outcome::Error { message }),
        1 => text().prop_map(|reason| Outcome::Skipped { reason }),
    ]
}

fn earlier() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        text().prop_map(|seen| Outcome::Failed { seen }),
        text().prop_map(|message| Outcome::Error { message }),
    ]
}

fn cell() -> impl Strategy<Value = Cell> {
    let duration = prop_oneof![4 => 0_u64..10_000, 1 => any::<u64>()];
    (outcome(), duration, vec(earlier(), 0..3)).prop_map(|(outcome, duration_ms, earlier)| Cell {
        outcome,
        duration_ms,
        earlier,
    })
}

fn live() -> impl Strategy<Value = Live> {
    prop_oneof![
        text().prop_map(|why| Live::NotRead { why }),
        Just(Live::NotThere),
        Just(Live::AsStated),
        text().prop_map(|seen| Live::Unstated { seen }),
        text().prop_map(|seen| Live::Differs { seen }),
    ]
}

fn attribute_cell() -> impl Strategy<Value = AttributeCell> {
    let verdict = prop::sample::select(&["exact", "approximate", "client-side", "unsupported"][..]);
    (text(), verdict, text(), any::<bool>(), live()).prop_map(
        |(value, verdict, reason, accepted, live)| AttributeCell {
            value,
            verdict: verdict.to_owned(),
            reason,
            accepted,
            live,
        },
    )
}

fn queue(clouds: usize) -> impl Strategy<Value = QueueComparison> {
    let row = (text(), any::<bool>(), vec(attribute_cell(), clouds));
    let row = row.prop_map(|(attribute, equal, cells)| AttributeRow {
        attribute,
        equal,
        cells,
    });
    (text(), vec(row, 0..4)).prop_map(|(queue, attributes)| QueueComparison { queue, attributes })
}

fn row(clouds: usize) -> impl Strategy<Value = Row> {
    let cells = vec(option::weighted(0.9, cell()), clouds);
    (text(), text(), option::of(text()), any::<bool>(), cells).prop_map(
        |(behaviour, promise, queue, differs, cells)| Row {
            behaviour: format!("control/{behaviour}"),
            group: Group::Control,
            promise,
            queue,
            differs,
            cells,
        },
    )
}

fn target() -> impl Strategy<Value = TargetInfo> {
    (text(), text(), text(), text(), any::<bool>()).prop_map(
        |(name, backend, service, scope, emulated)| TargetInfo {
            name,
            backend,
            service,
            scope,
            emulated,
            totals: Totals::default(),
        },
    )
}

/// A report without a baseline. No cloud is there twice, and no case.
pub(crate) fn report() -> impl Strategy<Value = Report> {
    vec(target(), 0..4).prop_flat_map(|targets| {
        let clouds = targets.len();
        let parts = (
            (text(), text(), option::of(text()), any::<bool>()),
            (0_u64..5_000_000_000, any::<u64>()),
            vec(queue(clouds), 0..3),
            vec(row(clouds), 0..8),
            vec((text(), text(), text()), 0..3),
        );
        (Just(targets), parts).prop_map(|(targets, parts)| assembled(targets, parts))
    })
}

type Parts = (
    (String, String, Option<String>, bool),
    (u64, u64),
    Vec<QueueComparison>,
    Vec<Row>,
    Vec<(String, String, String)>,
);

fn assembled(mut targets: Vec<TargetInfo>, parts: Parts) -> Report {
    let ((tool_version, run, shard, interrupted), (started, duration_ms), queues, mut rows, left) =
        parts;
    for (number, target) in targets.iter_mut().enumerate() {
        target.name.push_str(&number.to_string());
    }
    for (number, row) in rows.iter_mut().enumerate() {
        row.behaviour.push_str(&number.to_string());
    }
    let leftovers = left.into_iter().map(|(target, resource, why)| Leftover {
        // On a cloud of the run, where there is one.
        target: targets.first().map_or(target, |first| first.name.clone()),
        resource,
        why,
    });
    counted(Report {
        schema_version: 1,
        tool_version,
        run,
        started,
        duration_ms,
        shard,
        interrupted,
        leftovers: leftovers.collect(),
        targets,
        queues,
        rows,
        totals: Totals::default(),
        baseline: None,
    })
}

/// A report that is compared with what another run of the same clouds found.
pub(crate) fn report_with_baseline() -> impl Strategy<Value = Report> {
    (report(), vec((any::<bool>(), outcome()), 32), text()).prop_map(|(mut report, other, file)| {
        let mut expected = report.clone();
        let cells = expected.rows.iter_mut().flat_map(|row| &mut row.cells);
        for (cell, (changed, outcome)) in cells.zip(other) {
            if changed {
                *cell = Some(Cell {
                    outcome,
                    duration_ms: 0,
                    earlier: Vec::new(),
                });
            }
        }
        let known: Vec<KnownCase> = Vec::new();
        report.baseline = Some(Baseline::of(&expected).compare(&file, &report, &known));
        report
    })
}

/// A report of either kind.
pub(crate) fn any_report() -> impl Strategy<Value = Report> {
    prop_oneof![report(), report_with_baseline()]
}
