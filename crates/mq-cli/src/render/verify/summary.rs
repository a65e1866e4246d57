//! Which clouds a run was on, and the sum: a line for each of them, and one for all.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use mq_suite::report::{Outcome, Totals};

use super::{Notes, Page, wrapped};
use crate::palette::Palette;
use crate::render::text::line;

/// Which account, project or namespace each cloud is.
pub(super) fn places(page: &Page<'_>) -> String {
    let strong = page.palette.strong;
    let width = name_width(page);
    let mut out = String::new();
    for (name, target) in page.clouds().zip(&page.report.targets) {
        let emulated = if target.emulated { ", emulated" } else { "" };
        let place = format!("{}{emulated}: {}", target.service, target.scope);
        let _ = writeln!(out, "{strong}{name:width$}{strong:#}  {}", line(&place));
    }
    out
}

pub(super) fn summary(page: &Page<'_>, notes: &Notes) -> String {
    let report = page.report;
    let width = name_width(page);
    let mut out = String::new();
    for (column, (name, target)) in page.clouds().zip(&report.targets).enumerate() {
        let sums = sums(&target.totals, page.palette);
        let mut reasons = reasons(page, column, notes);
        if !reasons.is_empty() {
            let text = wrapped(&reasons, page.width, width + 4);
            reasons = format!("\n{:width$}    {text}", "");
        }
        let _ = writeln!(out, "{name:width$}  {sums}{reasons}");
    }
    let seconds = Duration::from_millis(report.duration_ms).as_secs_f64();
    let part = report.shard.as_ref();
    let part = part.map_or_else(String::new, |shard| format!(" (part {})", line(shard)));
    let sums = sums(&report.totals, page.palette);
    let _ = writeln!(out, "{:width$}  {sums} in {seconds:.1} s{part}", "all");
    out
}

fn name_width(page: &Page<'_>) -> usize {
    let longest = page.clouds().map(|name| name.chars().count()).max();
    longest.unwrap_or(0).max("all".len())
}

/// How often each reason was given on this cloud, by the reasons' numbers.
fn reasons(page: &Page<'_>, column: usize, notes: &Notes) -> String {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    let rows = page.report.rows.iter();
    for cell in rows.filter_map(|row| row.cells.get(column)?.as_ref()) {
        if let Outcome::Skipped { reason } = &cell.outcome
            && let Some(number) = notes.known(reason)
        {
            *counts.entry(number).or_default() += 1;
        }
    }
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(number, count)| format!("{count}×[{number}]"))
        .collect();
    if counts.is_empty() {
        return String::new();
    }
    format!("skipped by reason: {}", counts.join(" "))
}

fn sums(totals: &Totals, palette: Palette) -> String {
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
    parts.push(if failed > 0 {
        format!("{bad}{failed} failed{bad:#}")
    } else {
        "0 failed".to_owned()
    });
    if errors > 0 {
        let plural = if errors == 1 { "" } else { "s" };
        parts.push(format!("{bad}{errors} error{plural}{bad:#}"));
    }
    parts.push(format!("{skipped} skipped"));
    if flaky > 0 {
        parts.push(format!("{notice}{flaky} flaky{notice:#}"));
    }
    parts.join(", ")
}
