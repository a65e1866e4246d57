//! The file's own queues, attribute by attribute: the differences stand out.

use mq_suite::report::{AttributeCell, AttributeRow, Live, QueueComparison};

use super::grid::{DIFFERS, LIVE_AS_STATED, LIVE_DIFFERS, table};
use super::{Notes, Page};
use crate::render::text::line;

/// The longest value that is shown whole, in characters.
const VALUE_WIDTH_MAX: usize = 32;

/// A table for each queue of the file.
pub(super) fn attributes(page: &Page<'_>, notes: &mut Notes) -> String {
    let queues = page.report.queues.iter();
    let tables: Vec<String> = queues.map(|queue| of_queue(page, queue, notes)).collect();
    tables.join("\n")
}

fn of_queue(page: &Page<'_>, queue: &QueueComparison, notes: &mut Notes) -> String {
    let fixed = ["", "attribute", "value"].map(str::to_owned).into_iter();
    let header = fixed.chain(page.clouds()).collect();
    let rows = queue.attributes.iter().map(|it| row(page, it, notes));
    let table = table(page, header, rows.collect());
    format!("{}{table}", page.heading(&queue.queue))
}

fn row(page: &Page<'_>, row: &AttributeRow, notes: &mut Notes) -> Vec<String> {
    let mut values: Vec<&str> = row
        .cells
        .iter()
        .filter(|cell| !cell.value.is_empty())
        .map(|cell| cell.value.as_str())
        .collect();
    values.dedup();
    let one_value = values.len() <= 1;
    let value = match values.as_slice() {
        [] => String::new(),
        [value] => short(value),
        _ => "(differs)".to_owned(),
    };
    let mark = if row.equal { "" } else { DIFFERS };
    let mut cells = vec![mark.to_owned(), line(&row.attribute).into_owned(), value];
    for (target, cell) in page.report.targets.iter().zip(&row.cells) {
        let place = format!("{}: {}", target.name, row.attribute);
        cells.push(text(page, cell, one_value, &place, notes));
    }
    cells
}

fn text(
    page: &Page<'_>,
    cell: &AttributeCell,
    one_value: bool,
    place: &str,
    notes: &mut Notes,
) -> String {
    let mut parts = vec![cell.verdict.clone()];
    if !one_value && !cell.value.is_empty() {
        parts.push(short(&cell.value));
    }
    if cell.accepted {
        parts.push("(accepted)".to_owned());
    }
    if !cell.reason.is_empty() {
        parts.push(format!(
            "[{}]",
            notes.number(&format!("{place}: {}", cell.reason))
        ));
    }
    match &cell.live {
        Live::Differs { seen } => {
            let number = notes.number(&format!("{place}: there is {seen}"));
            parts.push(format!("{LIVE_DIFFERS} [{number}]"));
        }
        Live::AsStated => parts.push(LIVE_AS_STATED.to_owned()),
        Live::NotThere => parts.push("(not there)".to_owned()),
        Live::NotRead { .. } if page.live => parts.push("(no setting)".to_owned()),
        Live::NotRead { .. } => {}
    }
    parts.join(" ")
}

/// A value that does not make its column wider than the screen.
fn short(value: &str) -> String {
    let value = line(value);
    if value.chars().count() <= VALUE_WIDTH_MAX {
        return value.into_owned();
    }
    let kept = value.chars().take(VALUE_WIDTH_MAX - 1);
    kept.chain(['…']).collect()
}
