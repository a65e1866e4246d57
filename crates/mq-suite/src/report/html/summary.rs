//! The head of the page: whether all is well, and each cloud in numbers.

use maud::{Markup, html};

use super::parts::{ERROR, FAILED, Look, PASSED, SKIPPED, Shown, sign};
use crate::report::text::{counted, moment, took};
use crate::report::{Report, TargetInfo, Totals};

pub(super) fn verdict(report: &Report) -> &'static str {
    if report.passed() {
        "passed"
    } else if report.interrupted {
        "interrupted"
    } else {
        "not passed"
    }
}

pub(super) fn header(report: &Report) -> Markup {
    let look = if report.passed() { PASSED } else { FAILED };
    html! {
        header class={ "head " (look.class) } {
            p class="eyebrow" { "Portability report" }
            h1 { (sign(look)) span { (headline(report)) } }
            p class="lead" { (lead(report)) }
            @let reasons = reasons(report);
            @if !reasons.is_empty() {
                ul class="reasons" {
                    @for (anchor, reason) in reasons {
                        li { a href={ "#" (anchor) } { (reason) } }
                    }
                }
            }
            (about(report))
            nav aria-label="Parts of this page" {
                a href="#differences" { "Differences" }
                @if !report.queues.is_empty() { a href="#queues" { "This file’s queues" } }
                a href="#behaviours" { "Every behaviour" }
                a href="#timings" { "Timings" }
            }
        }
    }
}

fn headline(report: &Report) -> &'static str {
    let mut attributes = report.queues.iter().flat_map(|queue| &queue.attributes);
    let differs = report.rows.iter().any(|row| row.differs) || attributes.any(|row| !row.equal);
    match (report.passed(), report.targets.len()) {
        _ if report.interrupted => "Interrupted before the end",
        _ if report.totals.executed() == 0 => "Nothing was executed",
        (false, _) => "Not passed",
        (true, 1) => "Passed",
        (true, _) if differs => "Passed, with differences between the clouds",
        (true, _) => "Passed, the same on every cloud",
    }
}

fn lead(report: &Report) -> String {
    let executed = counted(report.totals.executed(), "case", "cases");
    let differing = report.rows.iter().filter(|row| row.differs).count();
    let mut lead = format!("{} of {executed} passed", report.totals.passed);
    if report.totals.skipped > 0 {
        lead.push_str(&format!(", {} more were skipped", report.totals.skipped));
    }
    if report.targets.len() > 1 {
        let behaviours = counted(report.rows.len(), "behaviour", "behaviours");
        lead.push_str(&format!(
            "; {differing} of {behaviours} differ between the clouds"
        ));
    }
    lead.push('.');
    lead
}

/// Why it has not passed, and where to read on.
fn reasons(report: &Report) -> Vec<(&'static str, String)> {
    let mut reasons = Vec::new();
    let totals = &report.totals;
    if let Some(baseline) = report.baseline.as_ref().map(|it| it.differences.len())
        && baseline > 0
    {
        let cases = counted(baseline, "case", "cases");
        reasons.push(("baseline", format!("{cases} not as the baseline expects")));
    }
    if report.baseline.is_none() && totals.failed > 0 {
        let promises = counted(totals.failed, "promise", "promises");
        reasons.push(("differences", format!("{promises} not kept")));
    }
    if report.baseline.is_none() && totals.errors > 0 {
        let cases = counted(totals.errors, "case", "cases");
        reasons.push(("differences", format!("{cases} ended in an error")));
    }
    let drifted = report.drifted().count();
    if drifted > 0 {
        let attributes = counted(drifted, "live attribute", "live attributes");
        reasons.push(("queues", format!("{attributes} not as the file says")));
    }
    if !report.leftovers.is_empty() {
        let things = counted(report.leftovers.len(), "resource", "resources");
        reasons.push(("leftovers", format!("{things} left behind")));
    }
    reasons
}

fn about(report: &Report) -> Markup {
    let started = moment(report.started);
    html! {
        dl class="about" {
            div { dt { "Started" } dd { time datetime=(started) { (started) } } }
            div { dt { "Took" } dd { (took(report.duration_ms)) } }
            div { dt { "Run" } dd { code { (Shown(&report.run)) } } }
            div { dt { "mq" } dd { (Shown(&report.tool_version)) } }
            @if let Some(shard) = &report.shard {
                div { dt { "Part" } dd { (Shown(shard)) } }
            }
            @if let Some(baseline) = &report.baseline {
                div { dt { "Baseline" } dd { code { (Shown(&baseline.file)) } } }
            }
        }
    }
}

/// A tile for each cloud.
pub(super) fn clouds(report: &Report) -> Markup {
    html! {
        section class="tiles" aria-label="Clouds" {
            @for (column, target) in report.targets.iter().enumerate() { (tile(report, column, target)) }
        }
    }
}

fn tile(report: &Report, column: usize, target: &TargetInfo) -> Markup {
    let totals = &target.totals;
    let cells = report
        .rows
        .iter()
        .filter_map(|row| row.cells.get(column)?.as_ref());
    let time = cells
        .map(|cell| cell.duration_ms)
        .fold(0, u64::saturating_add);
    html! {
        article class="tile" {
            h2 {
                (Shown(&target.name))
                span class="chip" { @if target.emulated { "emulator" } @else { "live" } }
            }
            p class="where" {
                (Shown(&target.service))
                @if !target.scope.is_empty() { " · " span class="scope" { (Shown(&target.scope)) } }
            }
            p class="score" {
                strong { (totals.passed) } " of " (totals.executed()) " passed"
            }
            (stack(totals))
            ul class="counts" {
                @for (look, count) in counts(totals) {
                    li class={ "result " (look.class) @if count == 0 { " none" } } {
                        (sign(look))
                        span { (count) " " (look.word) @if look == ERROR && count != 1 { "s" } }
                    }
                }
                @if totals.flaky > 0 {
                    li { span class="chip warn" { (totals.flaky) " flaky" } }
                }
            }
            p class="where" { (took(time)) " in all its cases" }
        }
    }
}

fn counts(totals: &Totals) -> [(Look, usize); 4] {
    [
        (PASSED, totals.passed),
        (FAILED, totals.failed),
        (ERROR, totals.errors),
        (SKIPPED, totals.skipped),
    ]
}

/// The counts side by side as one bar.
fn stack(totals: &Totals) -> Markup {
    let counts = counts(totals);
    let whole = counts.iter().map(|(_, count)| count).sum::<usize>().max(1);
    let mut left = 0;
    let parts = counts.map(|(look, count)| {
        let part = (look, left, count);
        left += count;
        part
    });
    html! {
        svg class="stack" viewBox={ "0 0 " (whole) " 1" } preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            @for (look, left, count) in parts {
                @if count > 0 { rect class=(look.class) x=(left) width=(count) height="1" {} }
            }
        }
    }
}
