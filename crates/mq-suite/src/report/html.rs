//! The report as one page that asks for nothing else.

mod findings;
mod matrix;
mod parts;
mod queues;
mod style;
mod summary;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::parts::{Shown, outcome_defs};
use super::Report;

/// The report as one HTML page: summary, differences, the file's queues, every result, timings.
///
/// It is whole in itself. Its content security policy forbids every request and every script, so
/// that it can be opened from anywhere and shown by a CI system as it is: what folds and filters
/// does so in HTML and CSS. It follows the reader's light or dark setting, prints, and fits a phone.
///
/// The JSON report is in it, as `<script type="application/json" id="report">`, and each cell of
/// the matrix says what it is: `data-behaviour`, `data-queue` (none for the suite's own),
/// `data-target` and `data-outcome` (`not-run` where this run left the case out).
#[must_use]
pub fn html(report: &Report) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(report))
            body {
                (outcome_defs())
                (summary::header(report))
                main {
                    (summary::clouds(report))
                    (findings::findings(report))
                    (queues::queues(report))
                    (matrix::matrix(report))
                    (matrix::slowest(report))
                }
                footer {
                    "Made by " code { "mq verify" } " " (Shown(&report.tool_version))
                    ". The whole report is in this page as JSON, in the element "
                    code { "#report" } "."
                }
                script type="application/json" id="report" { (PreEscaped(data(report))) }
            }
        }
    };
    page.into_string()
}

fn head(report: &Report) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(style::policy());
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { "Portability report: " (summary::verdict(report)) }
            // Without one a browser asks the server for /favicon.ico.
            link rel="icon" href="data:,";
            style { (PreEscaped(style::STYLE)) }
        }
    }
}

/// The JSON report so that it can stand in a `script` element: nothing in it ends that element or
/// opens a comment.
fn data(report: &Report) -> String {
    // Only a key that is no text could fail, and a report has none.
    let json = serde_json::to_string(report).unwrap_or_default();
    // In JSON these stand in texts only, where they may be written as an escape.
    let json = json.replace('<', "\\u003c").replace('>', "\\u003e");
    json.replace('&', "\\u0026")
}
