//! The report as the one document that all the other forms are written from.

use super::Report;

/// The report as JSON, for programs; `schemas/report.schema.json` holds its form.
#[must_use]
pub fn json(report: &Report) -> String {
    // Only a key that is no text could fail, and a report has none.
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}
