//! What stands on the page.

use super::page::{Page, name, plain};
use crate::report::text::{counted, took};
use crate::report::{
    AttributeCell, AttributeRow, Cell, Live, Outcome, Report, Row, TargetInfo, Totals,
};

/// Whether all is well, what there was, and each cloud in numbers.
pub(super) fn summary(page: &mut Page, report: &Report) {
    let verdict = if report.passed() {
        "✅ passed"
    } else {
        "❌ not passed"
    };
    page.block(&format!("## Portability: {verdict}"));
    let shard = report.shard.as_ref();
    let shard = shard.map_or_else(String::new, |shard| format!(", part {}", plain(shard)));
    page.block(&format!(
        "{} on {} in {} (mq {}, run {}{shard}).",
        in_words(&report.totals),
        counted(report.targets.len(), "cloud", "clouds"),
        took(report.duration_ms),
        plain(&report.tool_version),
        name(&report.run),
    ));
    if report.interrupted {
        page.block("**Interrupted**: what had not begun is missing.");
    }
    if report.totals.executed() == 0 {
        page.block("**Nothing was executed**, so nothing is proved.");
    }
    let columns = [
        "Cloud", "Service", "Where", "Passed", "Failed", "Errors", "Skipped", "Flaky",
    ];
    let rows: Vec<Vec<String>> = report.targets.iter().map(cloud).collect();
    page.table("### Clouds", &columns.map(str::to_owned), &rows);
}

fn in_words(totals: &Totals) -> String {
    format!(
        "**{} passed**, {} failed, {}, {} skipped, {} flaky",
        totals.passed,
        totals.failed,
        counted(totals.errors, "error", "errors"),
        totals.skipped,
        totals.flaky,
    )
}

fn cloud(target: &TargetInfo) -> Vec<String> {
    let place = if target.emulated { " (emulator)" } else { "" };
    let Totals {
        passed,
        failed,
        errors,
        skipped,
        flaky,
    } = target.totals;
    let mut cells = vec![
        name(&target.name),
        plain(&target.service),
        format!("{}{place}", name(&target.scope)),
    ];
    cells.extend([passed, failed, errors, skipped, flaky].map(|count| count.to_string()));
    cells
}

/// What did not end as the baseline says.
pub(super) fn unexpected(page: &mut Page, report: &Report) {
    let Some(baseline) = &report.baseline else {
        return;
    };
    if baseline.differences.is_empty() {
        page.block(&format!("All is as {} expects.", name(&baseline.file)));
        return;
    }
    let columns = ["Cloud", "Case", "Expected", "Ended"].map(str::to_owned);
    let rows: Vec<Vec<String>> = baseline
        .differences
        .iter()
        .map(|it| {
            vec![
                name(&it.target),
                name(&it.case),
                it.expected
                    .as_deref()
                    .map_or_else(|| "not known".to_owned(), plain),
                it.actual
                    .as_deref()
                    .map_or_else(|| "not there any more".to_owned(), plain),
            ]
        })
        .collect();
    let title = format!("### Not as {} expects", name(&baseline.file));
    page.table(&title, &columns, &rows);
}

/// What could not be removed.
pub(super) fn leftovers(page: &mut Page, report: &Report) {
    let columns = ["Cloud", "What", "Why"].map(str::to_owned);
    let rows: Vec<Vec<String>> = report
        .leftovers
        .iter()
        .map(|it| vec![name(&it.target), name(&it.resource), plain(&it.why)])
        .collect();
    page.table("### Left behind: `mq gc` removes it", &columns, &rows);
}

/// The attributes of the file's queues that are not the same everywhere, or not as stated.
pub(super) fn queues(page: &mut Page, report: &Report) {
    let mut rows = Vec::new();
    for queue in &report.queues {
        let unequal = queue.attributes.iter().filter(|row| differs(row));
        rows.extend(unequal.map(|row| {
            let mut cells = vec![name(&queue.queue), name(&row.attribute)];
            cells.extend(row.cells.iter().map(attribute));
            cells
        }));
    }
    let columns = with_clouds(&["Queue", "Attribute"], report);
    page.table("### This file's queues: what differs", &columns, &rows);
    if rows.is_empty() && !report.queues.is_empty() {
        page.block("This file's queues hold the same on every cloud.");
    }
}

fn differs(row: &AttributeRow) -> bool {
    let drifted = |cell: &AttributeCell| matches!(cell.live, Live::Differs { .. });
    !row.equal || row.cells.iter().any(drifted)
}

fn attribute(cell: &AttributeCell) -> String {
    let mut text = match &*cell.value {
        "" => String::new(),
        value => format!("{} ", name(value)),
    };
    text.push_str(&plain(&cell.verdict));
    if cell.accepted {
        text.push_str(" (accepted)");
    }
    if !cell.reason.is_empty() {
        text.push_str(&format!("<br>{}", plain(&cell.reason)));
    }
    match &cell.live {
        Live::Differs { seen } => text.push_str(&format!("<br>❌ live: {}", plain(seen))),
        Live::Unstated { seen } => {
            text.push_str(&format!("<br>live, not stated: {}", plain(seen)));
        }
        Live::NotRead { .. } | Live::NotThere | Live::AsStated => {}
    }
    text
}

/// The behaviours on which the clouds do not agree.
pub(super) fn differences(page: &mut Page, report: &Report) {
    let differing = report.rows.iter().filter(|row| row.differs);
    let rows: Vec<Vec<String>> = differing.map(|row| matrix(row, true)).collect();
    let columns = with_clouds(&["Behaviour"], report);
    page.table("### Behaviours that differ between clouds", &columns, &rows);
}

/// Everything that did not pass or could not be carried through.
pub(super) fn failures(page: &mut Page, report: &Report) {
    let mut rows = Vec::new();
    for row in &report.rows {
        for (target, cell) in report.targets.iter().zip(&row.cells) {
            let Some(cell) = cell else { continue };
            if matches!(cell.outcome, Outcome::Failed { .. } | Outcome::Error { .. }) {
                let seen = plain(cell.outcome.detail());
                rows.push(vec![behaviour(row), name(&target.name), ended(cell), seen]);
            }
        }
    }
    let columns = ["Behaviour", "Cloud", "Result", "What was seen"].map(str::to_owned);
    page.table("### Failures", &columns, &rows);
}

/// The whole matrix.
pub(super) fn everything(page: &mut Page, report: &Report) {
    let rows: Vec<Vec<String>> = report.rows.iter().map(|row| matrix(row, false)).collect();
    let title = counted(rows.len(), "behaviour", "behaviours");
    let columns = with_clouds(&["Behaviour"], report);
    page.folded(&format!("Every result: {title}"), &columns, &rows);
}

fn with_clouds(first: &[&str], report: &Report) -> Vec<String> {
    let clouds = report.targets.iter().map(|target| plain(&target.name));
    first
        .iter()
        .map(|&it| it.to_owned())
        .chain(clouds)
        .collect()
}

/// A behaviour and a cell for each cloud, with what was seen where it is asked for.
fn matrix(row: &Row, with_detail: bool) -> Vec<String> {
    let mut cells = vec![behaviour(row)];
    cells.extend(row.cells.iter().map(|cell| {
        let Some(cell) = cell else {
            return "· not run".to_owned();
        };
        match cell.outcome.detail() {
            detail if with_detail && !detail.is_empty() => {
                format!("{}<br>{}", ended(cell), plain(detail))
            }
            _ => ended(cell),
        }
    }));
    cells
}

fn behaviour(row: &Row) -> String {
    match &row.queue {
        Some(queue) => format!("{} {}", name(queue), name(&row.behaviour)),
        None => name(&row.behaviour),
    }
}

/// A sign and a word: neither is needed to understand the other.
fn ended(cell: &Cell) -> String {
    let sign = match cell.outcome {
        Outcome::Passed => "✅",
        Outcome::Failed { .. } => "❌",
        Outcome::Error { .. } => "⚠️",
        Outcome::Skipped { .. } => "➖",
    };
    let flaky = if cell.is_flaky() { " (flaky)" } else { "" };
    format!("{sign} {}{flaky}", cell.outcome.name())
}
