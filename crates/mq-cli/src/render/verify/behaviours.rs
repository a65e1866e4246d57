//! Behaviours by clouds: those of the file's queues first, then the general list by group.

use mq_suite::report::{Cell, Outcome, Row};

use super::grid::{self, NOTHING, grid, word};
use super::{Notes, Page, wrapped};
use crate::render::text::line;

/// A grid for each queue of the file, then one for each group.
pub(super) fn behaviours(page: &Page<'_>, notes: &mut Notes) -> String {
    let rows = &page.report.rows;
    let of_one = |one: &Row, other: &Row| one.queue == other.queue && one.group == other.group;
    let parts: Vec<String> = rows
        .chunk_by(of_one)
        .map(|rows| part(page, rows, notes))
        .collect();
    parts.join("\n")
}

fn part(page: &Page<'_>, rows: &[Row], notes: &mut Notes) -> String {
    let group = rows[0].group;
    let heading = match &rows[0].queue {
        Some(queue) => format!("{queue}, with a copy of it: {group}"),
        None => format!("{group}, with queues of the suite's own"),
    };
    let (folded, shown): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| skipped(row));
    let mut out = page.heading(&heading);
    if !shown.is_empty() {
        out.push_str(&grid(page, &["behaviour"], &lines(&shown, notes)));
    }
    if !folded.is_empty() {
        out.push_str(&fold(page, &folded, notes));
    }
    out
}

/// Whether no cloud can be asked.
fn skipped(row: &Row) -> bool {
    let mut cells = row.cells.iter().flatten();
    cells.all(|cell| matches!(cell.outcome, Outcome::Skipped { .. }))
}

/// Rows that say nothing about any cloud, in one line, with their reasons.
fn fold(page: &Page<'_>, rows: &[&Row], notes: &mut Notes) -> String {
    let cells = rows.iter().flat_map(|row| row.cells.iter().flatten());
    let mut numbers: Vec<usize> = cells
        .map(|cell| notes.number(cell.outcome.detail()))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let numbers: Vec<String> = numbers.iter().map(|number| format!("[{number}]")).collect();
    let names: Vec<String> = rows.iter().map(|row| name(row)).collect();
    let text = format!(
        "{} skipped everywhere {}: {}",
        rows.len(),
        numbers.join(" "),
        names.join(", ")
    );
    format!("    {}\n", wrapped(&text, page.width, 4))
}

/// The behaviour without its group, which is in the heading.
fn name(row: &Row) -> String {
    let id = row.behaviour.as_str();
    let rest = id
        .strip_prefix(row.group.name())
        .and_then(|rest| rest.strip_prefix('/'));
    line(rest.unwrap_or(id)).into_owned()
}

/// A row for each behaviour; one that is proved for several attributes is a heading, and they
/// stand below it.
fn lines(rows: &[&Row], notes: &mut Notes) -> Vec<grid::Row> {
    let named: Vec<(String, &Row)> = rows.iter().map(|row| (name(row), *row)).collect();
    let of_one = |one: &(String, &Row), other: &(String, &Row)| {
        let one = attribute(&one.0).map(|(behaviour, _)| behaviour);
        one.is_some() && one == attribute(&other.0).map(|(behaviour, _)| behaviour)
    };
    let mut lines = Vec::new();
    for family in named.chunk_by(of_one) {
        let several = family.len() > 1;
        for (index, (name, row)) in family.iter().enumerate() {
            let name = match attribute(name) {
                Some((behaviour, attribute)) if several => {
                    if index == 0 {
                        lines.push(heading(behaviour));
                    }
                    format!("  {attribute}")
                }
                _ => name.clone(),
            };
            lines.push(grid::Row {
                differs: row.differs,
                name,
                value: None,
                cells: row.cells.iter().map(|cell| text(cell, notes)).collect(),
            });
        }
    }
    lines
}

fn heading(name: &str) -> grid::Row {
    grid::Row {
        name: name.to_owned(),
        ..grid::Row::default()
    }
}

/// A behaviour and the attribute that it is proved for: `update-in-place[retention]`.
fn attribute(name: &str) -> Option<(&str, &str)> {
    name.strip_suffix(']')?.split_once('[')
}

fn text(cell: &Option<Cell>, notes: &mut Notes) -> String {
    let Some(cell) = cell else {
        return NOTHING.to_owned();
    };
    let word = word(&cell.outcome);
    match &cell.outcome {
        Outcome::Skipped { reason } => format!("{word} [{}]", notes.number(reason)),
        Outcome::Passed if cell.is_flaky() => format!("{word}, flaky"),
        Outcome::Passed | Outcome::Failed { .. } | Outcome::Error { .. } => word.to_owned(),
    }
}
