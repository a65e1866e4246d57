//! The file's own queues, attribute by attribute: the differences stand out.

use mq_suite::report::{AttributeCell, AttributeRow, Live, QueueComparison};

use super::grid::{LIVE_AS_STATED, LIVE_DIFFERS, NOTHING, Row, grid};
use super::{Notes, Page};
use crate::render::text::line;

/// The longest value that is shown whole, in characters.
const VALUE_WIDTH_MAX: usize = 32;
/// The verdict where a cloud has nothing to say about an attribute.
const NOT_STATED: &str = "not-stated";

/// A grid for each queue of the file.
pub(super) fn attributes(page: &Page<'_>, notes: &mut Notes) -> String {
    let queues = page.report.queues.iter();
    let grids: Vec<String> = queues.map(|queue| of_queue(page, queue, notes)).collect();
    grids.join("\n")
}

fn of_queue(page: &Page<'_>, queue: &QueueComparison, notes: &mut Notes) -> String {
    let attributes = queue.attributes.iter();
    let rows: Vec<Row> = attributes.map(|it| row(page, it, notes)).collect();
    let grid = grid(page, &["attribute", "value"], &rows);
    format!("{}{grid}", page.heading(&queue.queue))
}

fn row(page: &Page<'_>, row: &AttributeRow, notes: &mut Notes) -> Row {
    let mut values: Vec<&str> = row
        .cells
        .iter()
        .filter(|cell| cell.verdict != NOT_STATED)
        .map(|cell| cell.value.as_str())
        .collect();
    values.dedup();
    let value = match values.as_slice() {
        [value] => Some(short(value)),
        _ => None,
    };
    let cells = page.report.targets.iter().zip(&row.cells);
    let cells = cells.map(|(target, cell)| {
        let place = format!("{}: {}", target.name, row.attribute);
        text(page, cell, values.len() > 1, &place, notes)
    });
    Row {
        differs: !row.equal,
        name: line(&row.attribute).into_owned(),
        value,
        cells: cells.collect(),
    }
}

fn text(
    page: &Page<'_>,
    cell: &AttributeCell,
    with_value: bool,
    place: &str,
    notes: &mut Notes,
) -> String {
    if cell.verdict == NOT_STATED {
        return NOTHING.to_owned();
    }
    let mut parts = vec![cell.verdict.clone()];
    if with_value {
        parts.push(short(&cell.value));
    }
    if cell.accepted {
        parts.push("(accepted)".to_owned());
    }
    if !cell.reason.is_empty() {
        let number = notes.number(&format!("{place}: {}", cell.reason));
        parts.push(format!("[{number}]"));
    }
    match &cell.live {
        Live::Differs { seen } => {
            let number = notes.number(&format!("{place}: there is {seen}"));
            parts.push(format!("{LIVE_DIFFERS} [{number}]"));
        }
        Live::Unstated { seen } => {
            let number = notes.number(&format!("{place}: not stated, and there is {seen}"));
            parts.push(format!("(not stated [{number}])"));
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
