//! Tables: laid out without colour, since a style has no width, and coloured after.

use anstyle::Style;
use comfy_table::{ContentArrangement, Table, presets};
use mq_suite::report::Outcome;

use super::Page;
use crate::palette::Palette;

/// Marks a row whose clouds are not alike.
pub(super) const DIFFERS: &str = "≠";
pub(super) const PASS: &str = "✓ pass";
pub(super) const FAIL: &str = "✗ FAIL";
pub(super) const ERROR: &str = "! error";
pub(super) const SKIP: &str = "– skip";
/// A cell that this run left out.
pub(super) const LEFT_OUT: &str = "·";
/// A live queue that is not as the file says.
pub(super) const LIVE_DIFFERS: &str = "✗ live";
/// One that is.
pub(super) const LIVE_AS_STATED: &str = "✓ live";

/// The word of an outcome, with its sign.
pub(super) fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => PASS,
        Outcome::Failed { .. } => FAIL,
        Outcome::Error { .. } => ERROR,
        Outcome::Skipped { .. } => SKIP,
    }
}

/// The rows under their header, within the width of the page where it is known.
pub(super) fn table(page: &Page<'_>, header: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    match page.width.and_then(|width| u16::try_from(width).ok()) {
        Some(width) => table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(header);
    table.add_rows(rows);
    let mut out = String::new();
    for row in table.lines() {
        out.push_str(&coloured(row.trim_end(), page.palette));
        out.push('\n');
    }
    out
}

/// A line with the known words in their colours. What a name or a value holds cannot be one of
/// them: each begins with a sign that no name has.
fn coloured(row: &str, palette: Palette) -> String {
    let styles: [(&str, Style); 7] = [
        (PASS, palette.good),
        (FAIL, palette.bad),
        (ERROR, palette.bad),
        (SKIP, palette.faint),
        (LIVE_DIFFERS, palette.bad),
        (LIVE_AS_STATED, palette.good),
        (DIFFERS, palette.notice),
    ];
    let mut row = row.to_owned();
    for (word, style) in styles {
        row = row.replace(word, &format!("{style}{word}{style:#}"));
    }
    row
}
