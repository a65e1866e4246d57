//! The equivalence matrix: what each cloud makes of each attribute.

use std::collections::BTreeMap;
use std::fmt::Write;

use comfy_table::{ContentArrangement, Table, presets};
use mq_core::verdict::Hold;
use mq_core::{Capability, ResolvedQueue, Verdict};
use serde::Serialize;

use super::ranges::everywhere;
use super::text::line;
use crate::palette::Palette;

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
            let _ = writeln!(out, "  {}", everywhere.words());
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
            let _ = writeln!(out, "\n{}", everywhere.words());
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

#[cfg(test)]
mod tests;
