//! What is wrong, in full: failures, what passed only when tried again, differences from the
//! baseline, what was left behind.

use std::fmt::Write;

use mq_suite::report::{BaselineDifference, Cell, Leftover, Outcome, Row, TargetInfo};

use super::grid::word;
use super::{Page, joined, wrapped};
use crate::render::text::line;

pub(super) fn problems(page: &Page<'_>) -> String {
    let parts = [
        failures(page),
        flaky(page),
        differences(page),
        leftovers(page),
    ];
    joined(&parts)
}

/// The name that a case has in baselines and JUnit.
fn case(row: &Row) -> String {
    let name = match &row.queue {
        Some(queue) => format!("{queue}: {}", row.behaviour),
        None => row.behaviour.clone(),
    };
    line(&name).into_owned()
}

fn cells<'a>(page: &Page<'a>) -> impl Iterator<Item = (&'a Row, &'a TargetInfo, &'a Cell)> {
    let targets = &page.report.targets;
    page.report.rows.iter().flat_map(move |row| {
        let cells = targets.iter().zip(&row.cells);
        cells.filter_map(move |(target, cell)| Some((row, target, cell.as_ref()?)))
    })
}

fn failures(page: &Page<'_>) -> String {
    let bad = page.palette.bad;
    let mut out = String::new();
    for (row, target, cell) in cells(page) {
        let label = match &cell.outcome {
            Outcome::Failed { .. } => "seen",
            Outcome::Error { .. } => "call",
            Outcome::Passed | Outcome::Skipped { .. } => continue,
        };
        let (word, name) = (word(&cell.outcome), line(&target.name));
        let _ = writeln!(out, "{bad}{word}{bad:#} {name}: {}", case(row));
        told(&mut out, page, "promise", &row.promise);
        told(&mut out, page, label, cell.outcome.detail());
        if !cell.earlier.is_empty() {
            let times = cell.earlier.len() + 1;
            let _ = writeln!(out, "    tried {times} times");
        }
    }
    out
}

fn told(out: &mut String, page: &Page<'_>, label: &str, text: &str) {
    let faint = page.palette.faint;
    let text = wrapped(&line(text), page.width, label.len() + 6);
    let _ = writeln!(out, "    {faint}{label}:{faint:#} {text}");
}

fn flaky(page: &Page<'_>) -> String {
    let notice = page.palette.notice;
    let mut out = String::new();
    for (row, target, cell) in cells(page).filter(|(_, _, cell)| cell.is_flaky()) {
        let (name, attempts) = (line(&target.name), cell.earlier.len() + 1);
        let _ = writeln!(
            out,
            "{notice}flaky{notice:#} {name}: {}: passed at attempt {attempts}",
            case(row)
        );
        for earlier in &cell.earlier {
            told(&mut out, page, "before", earlier.detail());
        }
    }
    out
}

fn differences(page: &Page<'_>) -> String {
    let Some(baseline) = &page.report.baseline else {
        return String::new();
    };
    if baseline.differences.is_empty() {
        return String::new();
    }
    let mut out = page.heading(&format!("not as {} expects", baseline.file));
    for difference in &baseline.differences {
        let BaselineDifference {
            target,
            case,
            expected,
            actual,
        } = difference;
        let change = match (expected, actual) {
            (Some(expected), Some(actual)) => format!("expected {expected}, and {actual}"),
            (None, Some(actual)) => format!("not expected at all, and {actual}"),
            (Some(expected), None) => format!("expected {expected}, and there is no such case"),
            (None, None) => continue,
        };
        let _ = writeln!(out, "  {}: {}: {}", line(target), line(case), line(&change));
    }
    out
}

fn leftovers(page: &Page<'_>) -> String {
    let left = &page.report.leftovers;
    if left.is_empty() {
        return String::new();
    }
    let mut out = page.heading("left behind");
    for Leftover {
        target,
        resource,
        why,
    } in left
    {
        let text = format!("{target}: {resource}: {why}");
        let _ = writeln!(out, "  {}", wrapped(&line(&text), page.width, 4));
    }
    out
}
