//! The sum: a line for each cloud, and one for all.

use std::collections::BTreeMap;
use std::fmt::Write;

use mq_suite::report::{Outcome, Totals};

use super::{Notes, Page};
use crate::palette::Palette;
use crate::render::text::line;

pub(super) fn summary(page: &Page<'_>, notes: &Notes) -> String {
    let report = page.report;
    let mut out = String::new();
    let names: Vec<String> = page.clouds().collect();
    let longest = names.iter().map(|name| name.chars().count()).max();
    let width = longest.unwrap_or(0).max("all".len());
    for (column, (name, target)) in names.iter().zip(&report.targets).enumerate() {
        let reasons = reasons(page, column, notes);
        let sums = sums(&target.totals, &reasons, page.palette);
        let _ = writeln!(out, "{name:width$}  {sums}  {}", place(page, column));
    }
    let seconds = std::time::Duration::from_millis(report.duration_ms).as_secs_f64();
    let part = match &report.shard {
        Some(shard) => format!(", part {}", line(shard)),
        None => String::new(),
    };
    let sums = sums(&report.totals, "", page.palette);
    let _ = writeln!(out, "{:width$}  {sums} in {seconds:.1} s{part}", "all");
    out
}

/// Which account, project or namespace it was.
fn place(page: &Page<'_>, column: usize) -> String {
    let faint = page.palette.faint;
    let target = &page.report.targets[column];
    let on = if target.emulated { "emulated " } else { "" };
    let text = format!("{on}{} {}", target.service, target.scope);
    format!("{faint}{}{faint:#}", line(text.trim_end()))
}

/// How often each reason was given on this cloud, by the reasons' numbers.
fn reasons(page: &Page<'_>, column: usize, notes: &Notes) -> String {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    let cells = page
        .report
        .rows
        .iter()
        .filter_map(|row| row.cells[column].as_ref());
    for cell in cells {
        if let Outcome::Skipped { reason } = &cell.outcome
            && let Some(number) = notes.known(reason)
        {
            *counts.entry(number).or_default() += 1;
        }
    }
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(number, count)| format!("{count} [{number}]"))
        .collect();
    counts.join(", ")
}

fn sums(totals: &Totals, reasons: &str, palette: Palette) -> String {
    let Totals {
        passed,
        failed,
        errors,
        skipped,
        flaky,
    } = *totals;
    let Palette {
        good, bad, notice, ..
    } = palette;
    let mut parts = vec![format!("{good}{passed} passed{good:#}")];
    if failed > 0 {
        parts.push(format!("{bad}{failed} failed{bad:#}"));
    } else {
        parts.push("0 failed".to_owned());
    }
    if errors > 0 {
        parts.push(format!("{bad}{errors} errors{bad:#}"));
    }
    if skipped > 0 && !reasons.is_empty() {
        parts.push(format!("{skipped} skipped ({reasons})"));
    } else {
        parts.push(format!("{skipped} skipped"));
    }
    if flaky > 0 {
        parts.push(format!("{notice}{flaky} flaky{notice:#}"));
    }
    parts.join(", ")
}
