//! What the parts of the page share.

use maud::{Escaper, Markup, Render, html};
use std::fmt::Write as _;

use crate::report::text::{took, visible};
use crate::report::{Cell, Outcome, Report, Row, TargetInfo};

/// A text of the run: escaped, and what a reader cannot see written out.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl Render for Shown<'_> {
    fn render_to(&self, buffer: &mut String) {
        // A `String` takes whatever is written to it.
        let _ = Escaper::new(buffer).write_str(&visible(self.0));
    }
}

/// What a result looks like: a shape and a word, and a colour that says no more than they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) word: &'static str,
    pub(super) class: &'static str,
}

pub(super) const PASSED: Look = Look {
    word: "passed",
    class: "passed",
};
pub(super) const FAILED: Look = Look {
    word: "failed",
    class: "failed",
};
pub(super) const ERROR: Look = Look {
    word: "error",
    class: "error",
};
pub(super) const SKIPPED: Look = Look {
    word: "skipped",
    class: "skipped",
};
pub(super) const NOT_RUN: Look = Look {
    word: "not run",
    class: "not-run",
};

pub(super) fn look(outcome: &Outcome) -> Look {
    match outcome {
        Outcome::Passed => PASSED,
        Outcome::Failed { .. } => FAILED,
        Outcome::Error { .. } => ERROR,
        Outcome::Skipped { .. } => SKIPPED,
    }
}

/// The shapes of the results, drawn once: a picture needs no font.
pub(super) fn outcome_defs() -> Markup {
    let shapes = [
        (PASSED, "M3 8.5l3.2 3.2L13 4.8"),
        (FAILED, "M4 4l8 8M12 4l-8 8"),
        (ERROR, "M8 3v6M8 12.2v.3"),
        (SKIPPED, "M3.5 8h9"),
        (NOT_RUN, "M8 8v.01"),
    ];
    html! {
        svg class="defs" width="0" height="0" aria-hidden="true" focusable="false" {
            @for (look, path) in shapes {
                symbol id={ "sign-" (look.class) } viewBox="0 0 16 16" {
                    path d=(path) {}
                }
            }
        }
    }
}

/// The result's shape and word.
pub(super) fn result(look: Look) -> Markup {
    html! {
        span class={ "result " (look.class) } { (sign(look)) span class="word" { (look.word) } }
    }
}

pub(super) fn sign(look: Look) -> Markup {
    html! {
        svg class="sign" aria-hidden="true" focusable="false" {
            use href={ "#sign-" (look.class) } {}
        }
    }
}

/// Whether it passed only at a later attempt.
pub(super) fn flaky(cell: &Cell) -> Markup {
    html! {
        @if cell.is_flaky() { " " span class="chip warn" { "flaky" } }
    }
}

/// How long it took, and the same as a bar against the slowest.
pub(super) fn timing(millis: u64, slowest: u64) -> Markup {
    html! {
        span class="time" { (took(millis)) }
        svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect class="rest" width="1000" height="10" {}
            rect class="part" width=(share(millis, slowest)) height="10" {}
        }
    }
}

/// The part of the whole in thousandths; at least one, so that it is seen.
pub(super) fn share(part: u64, whole: u64) -> u64 {
    let thousandths = u128::from(part) * 1000 / u128::from(whole.max(1));
    u64::try_from(thousandths).unwrap_or(1000).clamp(1, 1000)
}

/// The slowest case of the run, in milliseconds.
pub(super) fn slowest(report: &Report) -> u64 {
    let cells = report
        .rows
        .iter()
        .flat_map(|row| row.cells.iter().flatten());
    cells.map(|cell| cell.duration_ms).max().unwrap_or(0)
}

/// A behaviour's id, which breaks between its parts.
pub(super) fn behaviour(row: &Row) -> Markup {
    let id = &*row.behaviour;
    let (group, name) = id.split_once('/').unwrap_or(("", id));
    html! {
        code class="id" {
            @if !group.is_empty() { span class="group" { (Shown(group)) "/" } wbr; }
            (Shown(name))
        }
    }
}

/// A column's head.
pub(super) fn cloud(target: &TargetInfo) -> Markup {
    html! {
        th scope="col" { (Shown(&target.name)) }
    }
}

/// Whether any cloud broke the promise or could not be asked.
pub(super) fn has_failed(row: &Row) -> bool {
    let outcomes = row.cells.iter().flatten().map(|cell| &cell.outcome);
    outcomes
        .into_iter()
        .any(|it| matches!(it, Outcome::Failed { .. } | Outcome::Error { .. }))
}
