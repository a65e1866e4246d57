//! Every behaviour on every cloud, and how long each took.

use maud::{Markup, html};

use super::parts::{
    NOT_RUN, Shown, behaviour, cloud, flaky, has_failed, look, result, slowest as slowest_case,
    timing,
};
use crate::report::{Cell, Outcome, Report, Row, TargetInfo};

/// How many of the slowest cases are listed.
const SLOWEST_MAX: usize = 10;

/// A kind of row that a reader can ask for alone.
struct Filter {
    id: &'static str,
    label: &'static str,
    takes: fn(&Row) -> bool,
}

const FILTERS: [Filter; 5] = [
    Filter {
        id: "all",
        label: "All",
        takes: |_| true,
    },
    Filter {
        id: "differing",
        label: "Clouds differ",
        takes: |row| row.differs,
    },
    Filter {
        id: "failed",
        label: "Failed or in error",
        takes: has_failed,
    },
    Filter {
        id: "skipped",
        label: "Skipped somewhere",
        takes: |row| any(row, |cell| matches!(cell.outcome, Outcome::Skipped { .. })),
    },
    Filter {
        id: "flaky",
        label: "Flaky",
        takes: |row| any(row, Cell::is_flaky),
    },
];

fn any(row: &Row, is: impl Fn(&Cell) -> bool) -> bool {
    row.cells.iter().flatten().any(is)
}

pub(super) fn matrix(report: &Report) -> Markup {
    let slowest = slowest_case(report);
    html! {
        section id="behaviours" {
            h2 { "Every behaviour" span class="count" { (report.rows.len()) } }
            (filters(report))
            table class="grid matrix" {
                caption class="unseen" { "Behaviours by clouds" }
                thead {
                    tr {
                        th scope="col" { "Behaviour" }
                        @for target in &report.targets { (cloud(target)) }
                    }
                }
                @for rows in report.rows.chunk_by(|one, other| part(one) == part(other)) {
                    tbody {
                        tr class="part" {
                            th scope="rowgroup" colspan=(report.targets.len() + 1) { (title(&rows[0])) }
                        }
                        @for row in rows { (line(report, row, slowest)) }
                    }
                }
            }
        }
    }
}

/// Buttons of which one is on; the style sheet hides the rows that it does not take.
fn filters(report: &Report) -> Markup {
    html! {
        fieldset class="filters" {
            legend { "Show" }
            @for Filter { id, label, takes } in FILTERS {
                @let count = report.rows.iter().filter(|row| takes(row)).count();
                input type="radio" name="show" id={ "show-" (id) } checked[id == "all"] disabled[count == 0];
                label for={ "show-" (id) } { (label) span class="count" { (count) } }
            }
        }
    }
}

fn part(row: &Row) -> (Option<&str>, &str) {
    (row.queue.as_deref(), row.group.name())
}

fn title(row: &Row) -> Markup {
    html! {
        @match &row.queue {
            Some(queue) => { "A copy of " code { (Shown(queue)) } " · " (row.group.name()) }
            None => { "The suite’s own queues · " (row.group.name()) }
        }
    }
}

fn line(report: &Report, row: &Row, slowest: u64) -> Markup {
    let kinds: Vec<String> = FILTERS[1..]
        .iter()
        .filter(|filter| (filter.takes)(row))
        .map(|filter| format!("is-{}", filter.id))
        .collect();
    html! {
        tr class=(kinds.join(" ")) {
            th scope="row" {
                (behaviour(row))
                @if row.differs { " " span class="chip warn" { "differs" } }
                p class="promise" { (Shown(&row.promise)) }
                (reasons(report, row))
            }
            @for (target, cell) in report.targets.iter().zip(&row.cells) {
                (case(row, target, cell.as_ref(), slowest))
            }
        }
    }
}

fn case(row: &Row, target: &TargetInfo, cell: Option<&Cell>, slowest: u64) -> Markup {
    let outcome = cell.map_or(NOT_RUN.class, |cell| cell.outcome.name());
    html! {
        td data-label=(Shown(&target.name))
            data-behaviour=(Shown(&row.behaviour))
            data-queue=[row.queue.as_deref().map(Shown)]
            data-target=(Shown(&target.name))
            data-outcome=(outcome) {
            @match cell {
                None => { (result(NOT_RUN)) }
                Some(cell) => {
                    (result(look(&cell.outcome)))
                    (flaky(cell))
                    (timing(cell.duration_ms, slowest))
                }
            }
        }
    }
}

/// What was seen on each cloud, of earlier attempts too.
fn reasons(report: &Report, row: &Row) -> Markup {
    let told = |cell: &Cell| !cell.outcome.detail().is_empty() || !cell.earlier.is_empty();
    html! {
        @if any(row, told) {
            details {
                summary { "what was seen" }
                dl class="reasons-of" {
                    @for (target, cell) in report.targets.iter().zip(&row.cells) {
                        @if let Some(cell) = cell.as_ref().filter(|&cell| told(cell)) {
                            dt { (Shown(&target.name)) ": " (result(look(&cell.outcome))) (flaky(cell)) }
                            dd class="detail" {
                                (Shown(cell.outcome.detail()))
                                @if !cell.earlier.is_empty() {
                                    ol {
                                        @for earlier in &cell.earlier {
                                            li { "earlier attempt: " (result(look(earlier))) " " (Shown(earlier.detail())) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The cases that took longest.
pub(super) fn slowest(report: &Report) -> Markup {
    let mut cases: Vec<(&Row, &TargetInfo, &Cell)> = Vec::new();
    for row in &report.rows {
        for (target, cell) in report.targets.iter().zip(&row.cells) {
            cases.extend(cell.as_ref().map(|cell| (row, target, cell)));
        }
    }
    cases.sort_by_key(|(_, _, cell)| std::cmp::Reverse(cell.duration_ms));
    cases.truncate(SLOWEST_MAX);
    let slowest = slowest_case(report);
    html! {
        section id="timings" {
            h2 { "What took longest" }
            @if cases.is_empty() { p { "Nothing was carried out." } }
            @else {
                table class="grid plain timings" {
                    thead { tr { @for head in ["Behaviour", "Cloud", "Result", "Time"] { th scope="col" { (head) } } } }
                    tbody {
                        @for (row, target, cell) in cases {
                            tr {
                                th scope="row" {
                                    @if let Some(queue) = &row.queue { span class="queue" { (Shown(queue)) } }
                                    (behaviour(row))
                                }
                                td data-label="Cloud" { (Shown(&target.name)) }
                                td data-label="Result" { (result(look(&cell.outcome))) (flaky(cell)) }
                                td data-label="Time" { (timing(cell.duration_ms, slowest)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
