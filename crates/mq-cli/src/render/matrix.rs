//! The equivalence matrix: what each cloud makes of each attribute.

use std::collections::BTreeMap;
use std::fmt::Write;

use comfy_table::{ContentArrangement, Table, presets};
use mq_core::capability::{Limit, Unit, common_range};
use mq_core::queue::{Attributes, Stated};
use mq_core::verdict::Hold;
use mq_core::{Capability, ResolvedQueue, Verdict};
use serde::Serialize;

use super::text::line;
use crate::printer::Palette;

/// The longest value that is shown whole, in characters.
const VALUE_WIDTH_MAX: usize = 32;

/// One cloud, in one of the scopes that it may turn out to be.
#[derive(Debug)]
pub(crate) struct Column {
    /// The target's key under `clouds`.
    pub(crate) target: String,
    /// Its backend.
    pub(crate) backend: String,
    /// Which scope, where the file leaves several open.
    pub(crate) scope: Option<String>,
    pub(crate) capability: Capability,
    pub(crate) queues: Vec<ResolvedQueue>,
    /// The verdicts of each queue, in the queues' order.
    pub(crate) verdicts: Vec<Vec<Judged>>,
}

/// A verdict, and whether the file knows about it.
#[derive(Debug, Serialize)]
pub(crate) struct Judged {
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
    pub(crate) accepted: bool,
}

impl Column {
    fn heading(&self) -> String {
        match &self.scope {
            Some(scope) => format!("{} {scope}", self.target),
            None => self.target.clone(),
        }
    }
}

/// The range of one attribute that every cloud takes, where a value is outside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Everywhere {
    pub(crate) attribute: &'static str,
    /// `None` where no value is taken everywhere.
    pub(crate) range: Option<(String, String)>,
}

/// Verdicts that are not exact, numbered in order of appearance.
#[derive(Default)]
struct Footnotes {
    numbers: BTreeMap<String, usize>,
    texts: Vec<String>,
}

impl Footnotes {
    fn number(&mut self, text: String) -> usize {
        *self.numbers.entry(text.clone()).or_insert_with(|| {
            self.texts.push(text);
            self.texts.len()
        })
    }
}

/// The matrix as text: a table for each queue, then the reasons.
pub(crate) fn text(columns: &[Column], palette: Palette) -> String {
    let Palette { strong, faint, .. } = palette;
    let mut out = String::new();
    let mut notes = Footnotes::default();
    for (index, name) in queue_names(columns).into_iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let _ = writeln!(out, "{strong}{}{strong:#}", line(name));
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(header(columns));
        for cells in rows(columns, index, &mut notes) {
            table.add_row(cells);
        }
        for row in table.lines() {
            let _ = writeln!(out, " {}", row.trim_end());
        }
        for everywhere in everywhere(columns, index) {
            let _ = writeln!(out, "  {}", words(&everywhere));
        }
    }
    if !notes.texts.is_empty() {
        out.push('\n');
    }
    for (index, note) in notes.texts.iter().enumerate() {
        let _ = writeln!(out, "{faint}[{}]{faint:#} {}", index + 1, line(note));
    }
    out
}

/// The matrix as Markdown.
pub(crate) fn markdown(columns: &[Column]) -> String {
    let cell = |text: &str| line(text).replace('|', "\\|");
    let mut out = String::from("## Equivalence\n");
    let mut notes = Footnotes::default();
    for (index, name) in queue_names(columns).into_iter().enumerate() {
        let header = header(columns);
        let _ = writeln!(out, "\n### {}\n", cell(name));
        let _ = writeln!(out, "| {} |", header.join(" | "));
        let _ = writeln!(out, "|{}", " --- |".repeat(header.len()));
        for cells in rows(columns, index, &mut notes) {
            let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        }
        for everywhere in everywhere(columns, index) {
            let _ = writeln!(out, "\n{}", words(&everywhere));
        }
    }
    out.push('\n');
    for (index, note) in notes.texts.iter().enumerate() {
        let _ = writeln!(out, "- [{}] {}", index + 1, cell(note));
    }
    out
}

fn queue_names(columns: &[Column]) -> Vec<&str> {
    let queues = columns.first().map(|column| column.queues.iter());
    queues
        .into_iter()
        .flatten()
        .map(|queue| queue.logical.as_str())
        .collect()
}

fn header(columns: &[Column]) -> Vec<String> {
    let fixed = ["attribute", "value"].map(str::to_owned).into_iter();
    fixed.chain(columns.iter().map(Column::heading)).collect()
}

fn rows(columns: &[Column], queue: usize, notes: &mut Footnotes) -> Vec<Vec<String>> {
    let mut attributes: Vec<&str> = Vec::new();
    for verdict in columns.iter().flat_map(|column| &column.verdicts[queue]) {
        let attribute = verdict.verdict.attribute.as_str();
        if !attributes.contains(&attribute) {
            attributes.push(attribute);
        }
    }
    attributes
        .into_iter()
        .map(|attribute| {
            let verdicts: Vec<Option<&Judged>> = columns
                .iter()
                .map(|column| {
                    column.verdicts[queue]
                        .iter()
                        .find(|judged| judged.verdict.attribute == attribute)
                })
                .collect();
            row(attribute, columns, &verdicts, notes)
        })
        .collect()
}

fn row(
    attribute: &str,
    columns: &[Column],
    verdicts: &[Option<&Judged>],
    notes: &mut Footnotes,
) -> Vec<String> {
    let mut values: Vec<&str> = verdicts
        .iter()
        .flatten()
        .map(|judged| judged.verdict.value.as_str())
        .collect();
    values.dedup();
    let one_value = values.len() == 1;
    let value = if one_value { values[0] } else { "(differs)" };
    let mut cells = vec![line(attribute).into_owned(), short(value)];
    for (column, verdict) in columns.iter().zip(verdicts) {
        let Some(Judged { verdict, accepted }) = verdict else {
            cells.push("-".to_owned());
            continue;
        };
        let mut cell = verdict.hold.name().to_owned();
        if !one_value {
            let _ = write!(cell, " {}", short(&verdict.value));
        }
        if *accepted {
            cell.push_str(", accepted");
        }
        if let Some(note) = note(verdict) {
            let _ = write!(
                cell,
                " [{}]",
                notes.number(format!("{}: {attribute}: {note}", column.target))
            );
        }
        cells.push(cell);
    }
    cells
}

/// A value that does not make its column wider than the screen.
fn short(value: &str) -> String {
    let value = line(value);
    if value.chars().count() <= VALUE_WIDTH_MAX {
        return value.into_owned();
    }
    value
        .chars()
        .take(VALUE_WIDTH_MAX - 1)
        .chain(['…'])
        .collect()
}

/// The reason of a verdict that is not exact, and what the application must do.
fn note(verdict: &Verdict) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    match &verdict.hold {
        Hold::Exact => {}
        Hold::Approximate { from, to, why } if from != to => {
            parts.push(format!("{from} becomes {to}: {why}"))
        }
        Hold::Approximate { why, .. } | Hold::Unsupported { why } => parts.push(why.clone()),
        Hold::ClientSide { how } => parts.push(how.clone()),
    }
    parts.extend(
        verdict
            .consumer
            .as_ref()
            .map(|consumer| format!("for your application: {consumer}")),
    );
    if parts.is_empty() {
        return None;
    }
    parts.extend(verdict.source.as_ref().map(|source| format!("<{source}>")));
    Some(parts.join("; "))
}

fn words(everywhere: &Everywhere) -> String {
    match &everywhere.range {
        Some((from, to)) => format!("{}: {from} to {to} works everywhere", everywhere.attribute),
        None => format!("{}: no value works everywhere", everywhere.attribute),
    }
}

/// For each attribute of a queue whose value some cloud does not take: the range that all take.
pub(crate) fn everywhere(columns: &[Column], queue: usize) -> Vec<Everywhere> {
    let found = [
        range(
            "visibility_timeout",
            columns,
            queue,
            |wanted| wanted.visibility_timeout,
            |can| can.visibility_timeout,
        ),
        range(
            "retention",
            columns,
            queue,
            |wanted| wanted.retention,
            |can| can.retention,
        ),
        range(
            "receive_wait",
            columns,
            queue,
            |wanted| wanted.receive_wait,
            |can| can.receive_wait,
        ),
        range(
            "delivery_delay",
            columns,
            queue,
            |wanted| wanted.delivery_delay,
            |can| can.delivery_delay,
        ),
        range(
            "max_message_size",
            columns,
            queue,
            |wanted| wanted.max_message_size,
            |can| can.max_message_size,
        ),
        range(
            "dead_letter.max_deliveries",
            columns,
            queue,
            max_deliveries,
            |can| can.max_deliveries,
        ),
        range(
            "dead_letter.retention",
            columns,
            queue,
            dead_letter_retention,
            |can| can.dead_letter_retention,
        ),
        range("deduplication.window", columns, queue, window, |can| {
            can.deduplication_window
        }),
    ];
    found.into_iter().flatten().collect()
}

fn max_deliveries(wanted: &Attributes) -> Option<Stated<u32>> {
    let dead_letter = wanted.dead_letter.as_ref()?;
    Some(Stated {
        value: dead_letter.value.max_deliveries,
        origin: dead_letter.origin,
    })
}

fn dead_letter_retention(wanted: &Attributes) -> Option<Stated<std::time::Duration>> {
    let dead_letter = wanted.dead_letter.as_ref()?;
    Some(Stated {
        value: dead_letter.value.retention?,
        origin: dead_letter.origin,
    })
}

fn window(wanted: &Attributes) -> Option<Stated<std::time::Duration>> {
    let deduplication = wanted.deduplication.as_ref()?;
    Some(Stated {
        value: deduplication.value.window,
        origin: deduplication.origin,
    })
}

fn range<T: Unit>(
    attribute: &'static str,
    columns: &[Column],
    queue: usize,
    wanted: impl Fn(&Attributes) -> Option<Stated<T>>,
    limit: impl Fn(&Capability) -> Option<Limit<T>>,
) -> Option<Everywhere> {
    // A service without the setting takes any value in its own way, which its verdict tells.
    let limits = || {
        columns
            .iter()
            .filter_map(|column| limit(&column.capability))
    };
    let outside = columns.iter().any(|column| {
        let value = wanted(&column.queues[queue].attributes);
        value
            .zip(limit(&column.capability))
            .is_some_and(|(value, limit)| !limit.contains(value.value))
    });
    outside.then(|| Everywhere {
        attribute,
        range: common_range(limits().map(Some)).map(|(from, to)| (from.written(), to.written())),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mq_core::capability::{DeadLetterModel, LabelModel, NameRule, OrderingModel, fact};
    use mq_core::queue::{Ordering, Origin};
    use mq_core::spec::Selection;
    use mq_core::{Spec, Target};

    use super::*;

    fn capability(lease_max: u64) -> Capability {
        let lease = Limit {
            min: Duration::from_secs(0),
            max: Duration::from_secs(lease_max),
            default: Duration::from_secs(30),
            source: "https://vendor.example/limits",
        };
        Capability {
            visibility_timeout: Some(lease),
            retention: None,
            receive_wait: None,
            delivery_delay: None,
            max_message_size: None,
            max_message_size_fixed: fact(262_144, "page"),
            max_deliveries: None,
            max_deliveries_exact: fact(true, "page"),
            ordering: fact(OrderingModel::None, "page"),
            deduplication_window: None,
            deduplication_by_content: fact(false, "page"),
            dead_letter: fact(DeadLetterModel::Queue, "page"),
            dead_letter_retention: None,
            encryption_key: fact(false, "page"),
            labels: fact(LabelModel::Tags, "page"),
            counts: fact(true, "page"),
            name: NameRule {
                min: 1,
                max: 80,
                alphabet: "letters",
                case_sensitive: true,
                source: "page",
            },
        }
    }

    fn resolved(target: &str) -> Vec<ResolvedQueue> {
        let text = "version: 1\nstack: s\nqueues: { orders: { visibility_timeout: 10m, ordering: per-key } }\n";
        let spec: Spec = mq_config::load(text, &|_| None, &[]).spec.expect("a file");
        let queues = spec.resolve(&Selection::default(), &Target::implied(target));
        assert_eq!(queues[0].attributes.ordering.value, Ordering::PerKey);
        queues
    }

    fn column(target: &str, scope: Option<&str>, lease_max: u64, ordering: Hold) -> Column {
        let queues = resolved(target);
        let capability = capability(lease_max);
        let lease = queues[0].attributes.visibility_timeout.expect("stated");
        let limit = capability.visibility_timeout.expect("has one");
        let ordering = Verdict::new("ordering", "per-key", Origin::File, ordering)
            .with_consumer("receives through a session receiver");
        Column {
            target: target.to_owned(),
            backend: target.to_owned(),
            scope: scope.map(str::to_owned),
            verdicts: vec![
                [limit.judge("visibility_timeout", &lease), ordering]
                    .map(|verdict| Judged {
                        accepted: verdict.hold.name() == "approximate",
                        verdict,
                    })
                    .into(),
            ],
            capability,
            queues,
        }
    }

    fn columns() -> Vec<Column> {
        let best_effort = || Hold::Approximate {
            from: "per-key".into(),
            to: "per-key".into(),
            why: "redelivery | may reorder".into(),
        };
        vec![
            column("aws", None, 43_200, Hold::Exact),
            column(
                "azure",
                Some("basic"),
                300,
                Hold::Unsupported {
                    why: "Basic has no sessions".into(),
                },
            ),
            column("azure", Some("standard"), 300, Hold::Exact),
            column("gcp", None, 600, best_effort()),
        ]
    }

    #[test]
    fn every_cloud_has_its_column_and_every_difference_its_reason() {
        insta::assert_snapshot!(text(&columns(), Palette::default()), @r"
        orders
          attribute           value    aws        azure basic      azure standard   gcp
          visibility_timeout  10m      exact      unsupported [1]  unsupported [1]  exact
          ordering            per-key  exact [2]  unsupported [3]  exact [4]        approximate, accepted [5]
          visibility_timeout: 0s to 5m works everywhere

        [1] azure: visibility_timeout: the service takes 0s to 5m; <https://vendor.example/limits>
        [2] aws: ordering: for your application: receives through a session receiver
        [3] azure: ordering: Basic has no sessions; for your application: receives through a session receiver
        [4] azure: ordering: for your application: receives through a session receiver
        [5] gcp: ordering: redelivery | may reorder; for your application: receives through a session receiver
        ");
    }

    #[test]
    fn a_bar_in_a_reason_does_not_break_the_markdown() {
        insta::assert_snapshot!(markdown(&columns()), @r"
        ## Equivalence

        ### orders

        | attribute | value | aws | azure basic | azure standard | gcp |
        | --- | --- | --- | --- | --- | --- |
        | visibility_timeout | 10m | exact | unsupported [1] | unsupported [1] | exact |
        | ordering | per-key | exact [2] | unsupported [3] | exact [4] | approximate, accepted [5] |

        visibility_timeout: 0s to 5m works everywhere

        - [1] azure: visibility_timeout: the service takes 0s to 5m; <https://vendor.example/limits>
        - [2] aws: ordering: for your application: receives through a session receiver
        - [3] azure: ordering: Basic has no sessions; for your application: receives through a session receiver
        - [4] azure: ordering: for your application: receives through a session receiver
        - [5] gcp: ordering: redelivery \| may reorder; for your application: receives through a session receiver
        ");
    }
}
