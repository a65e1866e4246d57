//! The file's own queues, attribute by attribute.

use maud::{Markup, html};

use super::parts::{FAILED, PASSED, Shown, cloud, sign};
use crate::report::{AttributeCell, AttributeRow, Live, QueueComparison, Report};

/// Every attribute of every queue.
pub(super) fn queues(report: &Report) -> Markup {
    html! {
        @if !report.queues.is_empty() {
            section id="queues" {
                h2 { "This file’s queues" }
                @for queue in &report.queues {
                    @let differing = queue.attributes.iter().filter(|row| differs(row)).count();
                    h3 {
                        code { (Shown(&queue.queue)) }
                        @if differing == 0 { span class="chip" { "the same everywhere" } }
                        @else { span class="chip warn" { (differing) " of " (queue.attributes.len()) " differ" } }
                    }
                    (table(report, &queue.attributes.iter().map(|row| (queue, row)).collect::<Vec<_>>(), false))
                }
            }
        }
    }
}

/// The attributes that are not alike on every cloud, or not as the file says.
pub(super) fn differing(report: &Report) -> Option<Markup> {
    let mut rows = Vec::new();
    for queue in &report.queues {
        let unequal = queue.attributes.iter().filter(|row| differs(row));
        rows.extend(unequal.map(|row| (queue, row)));
    }
    if rows.is_empty() {
        return None;
    }
    // What is there and wrong comes before what is only unlike.
    rows.sort_by_key(|(_, row)| !row.cells.iter().any(is_drifted));
    Some(html! {
        h3 { "Attributes of this file’s queues" span class="count" { (rows.len()) } }
        (table(report, &rows, true))
    })
}

fn differs(row: &AttributeRow) -> bool {
    !row.equal || row.cells.iter().any(is_drifted)
}

fn is_drifted(cell: &AttributeCell) -> bool {
    matches!(cell.live, Live::Differs { .. })
}

/// With `as_finding` each row names its queue and reasons are open.
fn table(report: &Report, rows: &[(&QueueComparison, &AttributeRow)], as_finding: bool) -> Markup {
    html! {
        table class="grid attributes" {
            thead {
                tr {
                    th scope="col" { "Attribute" }
                    @for target in &report.targets { (cloud(target)) }
                }
            }
            tbody {
                @for (queue, row) in rows {
                    tr class=[(differs(row) && !as_finding).then_some("is-differing")] {
                        th scope="row" {
                            @if as_finding { span class="queue" { (Shown(&queue.queue)) } }
                            code class="id" { (Shown(&row.attribute)) }
                        }
                        @for (target, cell) in report.targets.iter().zip(&row.cells) {
                            td data-label=(Shown(&target.name)) {
                                (attribute(cell, as_finding))
                                @if report.looked_at_live_queues() { (live(&cell.live)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn attribute(cell: &AttributeCell, open: bool) -> Markup {
    let class = match &*cell.verdict {
        "exact" => "chip good",
        "approximate" | "client-side" => "chip warn",
        "unsupported" => "chip bad",
        _ => "chip",
    };
    html! {
        @if !cell.value.is_empty() { code class="value" { (Shown(&cell.value)) } " " }
        span class=(class) { (Shown(&cell.verdict)) }
        @if cell.accepted { " " span class="chip" { "accepted" } }
        @if !cell.reason.is_empty() {
            @if open { p class="detail" { (Shown(&cell.reason)) } }
            @else { details { summary { "why" } p class="detail" { (Shown(&cell.reason)) } } }
        }
    }
}

fn live(live: &Live) -> Markup {
    html! {
        @match live {
            Live::NotRead { why } => {
                details class="live" { summary { "live: not read" } p class="detail" { (Shown(why)) } }
            }
            Live::NotThere => { p class="live muted" { "live: no such queue" } }
            Live::AsStated => { p class="live result passed" { (sign(PASSED)) span { "live: as stated" } } }
            Live::Unstated { seen } => {
                p class="live muted" { "live, not stated: " code { (Shown(seen)) } }
            }
            Live::Differs { seen } => {
                p class="live result failed" { (sign(FAILED)) span { "live: " code { (Shown(seen)) } } }
            }
        }
    }
}
