//! Behaviours by clouds: those of the file's queues first, then the general list by group.

use mq_suite::Group;
use mq_suite::report::{Cell, Outcome, Row};

use super::grid::{DIFFERS, LEFT_OUT, table, word};
use super::{Notes, Page, wrapped};
use crate::render::text::line;

/// A table for each queue of the file, then one for each group.
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
    let heading = match (&rows[0].queue, rows[0].group) {
        (Some(queue), group) => format!("{queue}, with a copy of it: {group}"),
        (None, group) => title(group),
    };
    let (folded, shown): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| skipped(row));
    let mut out = page.heading(&heading);
    if !shown.is_empty() {
        let fixed = ["", "behaviour"].map(str::to_owned).into_iter();
        let header = fixed.chain(page.clouds()).collect();
        let cells = shown.into_iter().map(|row| cells(row, notes));
        out.push_str(&table(page, header, cells.collect()));
    }
    if !folded.is_empty() {
        out.push_str(&fold(page, &folded, notes));
    }
    out
}

fn title(group: Group) -> String {
    format!("{group}, with queues of the suite's own")
}

/// Whether no cloud can be asked.
fn skipped(row: &Row) -> bool {
    let mut cells = row.cells.iter().flatten();
    cells.all(|cell| matches!(cell.outcome, Outcome::Skipped { .. }))
}

/// Rows that say nothing about any cloud, in one line, with their reasons.
fn fold(page: &Page<'_>, rows: &[&Row], notes: &mut Notes) -> String {
    let mut numbers: Vec<usize> = Vec::new();
    for cell in rows.iter().flat_map(|row| row.cells.iter().flatten()) {
        let number = notes.number(cell.outcome.detail());
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    let names: Vec<String> = rows.iter().map(|row| name(row)).collect();
    let numbers: Vec<String> = numbers.iter().map(|number| format!("[{number}]")).collect();
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

fn cells(row: &Row, notes: &mut Notes) -> Vec<String> {
    let mark = if row.differs { DIFFERS } else { "" };
    let mut cells = vec![mark.to_owned(), name(row)];
    cells.extend(row.cells.iter().map(|cell| match cell {
        Some(cell) => text(cell, notes),
        None => LEFT_OUT.to_owned(),
    }));
    cells
}

fn text(cell: &Cell, notes: &mut Notes) -> String {
    let word = word(&cell.outcome);
    match &cell.outcome {
        Outcome::Skipped { reason } => format!("{word} [{}]", notes.number(reason)),
        Outcome::Passed if cell.is_flaky() => format!("{word}, flaky"),
        Outcome::Passed | Outcome::Failed { .. } | Outcome::Error { .. } => word.to_owned(),
    }
}
