//! What a reader came for: what is not as expected, and what is not alike.

use maud::{Markup, html};

use super::parts::{NOT_RUN, Shown, behaviour, cloud, flaky, has_failed, look, result};
use super::queues;
use crate::report::{BaselineComparison, BaselineDifference, Cell, Leftover, Report, Row};

pub(super) fn findings(report: &Report) -> Markup {
    let (failing, offered): (Vec<&Row>, Vec<&Row>) = report
        .rows
        .iter()
        .filter(|row| row.differs)
        .partition(|row| has_failed(row));
    let everywhere: Vec<&Row> = report
        .rows
        .iter()
        .filter(|row| !row.differs && has_failed(row))
        .collect();
    let attributes = queues::differing(report);
    let nothing =
        failing.is_empty() && offered.is_empty() && everywhere.is_empty() && attributes.is_none();
    html! {
        @if let Some(baseline) = &report.baseline { (unexpected(baseline)) }
        @if !report.leftovers.is_empty() { (leftovers(&report.leftovers)) }
        section id="differences" {
            h2 { "Differences" }
            @if nothing && report.targets.len() == 1 {
                p { "None: this run asked a single cloud, which keeps every promise that it was asked for." }
            } @else if nothing {
                p { "None: every cloud comes to the same result." }
            }
            @if let Some(attributes) = attributes { (attributes) }
            (rows(report, "Promises that only some clouds keep", &failing))
            (rows(report, "Promises that cannot be asked of every cloud", &offered))
            (rows(report, "Promises that no cloud was seen to keep", &everywhere))
        }
    }
}

/// Behaviours with what was seen of each on every cloud.
fn rows(report: &Report, title: &str, rows: &[&Row]) -> Markup {
    html! {
        @if !rows.is_empty() {
            h3 { (title) span class="count" { (rows.len()) } }
            table class="grid seen" {
                thead {
                    tr {
                        th scope="col" { "Behaviour" }
                        @for target in &report.targets { (cloud(target)) }
                    }
                }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" {
                                @if let Some(queue) = &row.queue {
                                    span class="queue" { (Shown(queue)) }
                                }
                                (behaviour(row))
                                p class="promise" { (Shown(&row.promise)) }
                            }
                            @for (target, cell) in report.targets.iter().zip(&row.cells) {
                                td data-label=(Shown(&target.name)) { (seen(cell.as_ref())) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn seen(cell: Option<&Cell>) -> Markup {
    html! {
        @match cell {
            None => { (result(NOT_RUN)) }
            Some(cell) => {
                (result(look(&cell.outcome)))
                (flaky(cell))
                @if !cell.outcome.detail().is_empty() {
                    p class="detail" { (Shown(cell.outcome.detail())) }
                }
            }
        }
    }
}

fn unexpected(baseline: &BaselineComparison) -> Markup {
    let ending = |ending: &Option<String>, none: &'static str| {
        html! {
            @match ending {
                Some(word) => { (Shown(word)) }
                None => { span class="muted" { (none) } }
            }
        }
    };
    html! {
        section id="baseline" {
            h2 { "Not as the baseline expects" }
            @if baseline.differences.is_empty() {
                p { "Nothing: all is as " code { (Shown(&baseline.file)) } " says." }
            } @else {
                table class="grid plain" {
                    thead {
                        tr { @for head in ["Case", "Cloud", "Expected", "Ended"] { th scope="col" { (head) } } }
                    }
                    tbody {
                        @for BaselineDifference { target, case, expected, actual } in &baseline.differences {
                            tr {
                                th scope="row" { code class="id" { (Shown(case)) } }
                                td data-label="Cloud" { (Shown(target)) }
                                td data-label="Expected" { (ending(expected, "not known")) }
                                td data-label="Ended" { (ending(actual, "not there any more")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn leftovers(leftovers: &[Leftover]) -> Markup {
    html! {
        section id="leftovers" {
            h2 { "Left behind" }
            p { "The run made these and could not remove them. They carry an expiry: " code { "mq gc" } " removes them." }
            table class="grid plain" {
                thead { tr { @for head in ["What", "Cloud", "Why"] { th scope="col" { (head) } } } }
                tbody {
                    @for Leftover { target, resource, why } in leftovers {
                        tr {
                            th scope="row" { code class="id" { (Shown(resource)) } }
                            td data-label="Cloud" { (Shown(target)) }
                            td data-label="Why" { p class="detail" { (Shown(why)) } }
                        }
                    }
                }
            }
        }
    }
}
