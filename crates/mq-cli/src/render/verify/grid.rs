//! Rows by clouds: a table where it fits, else a list. Laid out without colour, since a style has
//! no width, and coloured after.

use std::fmt::Write;

use anstyle::Style;
use comfy_table::{ContentArrangement, Table, presets};
use mq_suite::report::Outcome;

use super::Page;
use crate::palette::Palette;

/// Marks a row whose clouds are not alike.
pub(super) const DIFFERS: &str = "≠";
const PASS: &str = "✓ pass";
const FAIL: &str = "✗ FAIL";
const ERROR: &str = "! error";
const SKIP: &str = "– skip";
/// A cell that is about nothing, or that this run left out.
pub(super) const NOTHING: &str = "–";
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

/// One row.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Whether the clouds are not alike.
    pub(super) differs: bool,
    pub(super) name: String,
    /// What the row is about, where that is the same on every cloud and the grid has such a column.
    pub(super) value: Option<String>,
    /// One for each cloud; none where the row is a heading of those below it.
    pub(super) cells: Vec<String>,
}

impl Row {
    fn mark(&self) -> &'static str {
        if self.differs { DIFFERS } else { "" }
    }

    /// The texts of the cells in order, each with the clouds that have it.
    fn by_text<'a>(&'a self, clouds: &'a [String]) -> Vec<(&'a str, Vec<&'a str>)> {
        let mut texts: Vec<(&str, Vec<&str>)> = Vec::new();
        for (cloud, text) in clouds.iter().zip(&self.cells) {
            match texts.iter_mut().find(|(known, _)| known == text) {
                Some((_, clouds)) => clouds.push(cloud),
                None => texts.push((text, vec![cloud])),
            }
        }
        texts
    }
}

/// The rows under these headings, one or two, and the clouds' names.
pub(super) fn grid(page: &Page<'_>, headings: &[&str], rows: &[Row]) -> String {
    let clouds: Vec<String> = page.clouds().collect();
    let table = table(&clouds, headings, rows);
    let longest = table.iter().map(|row| row.chars().count()).max();
    let fits = page.width.is_none_or(|width| longest <= Some(width));
    let lines = if fits { table } else { list(&clouds, rows) };
    let mut out = String::new();
    for line in lines {
        let _ = writeln!(out, "{}", coloured(&line, page.palette));
    }
    out
}

fn table(clouds: &[String], headings: &[&str], rows: &[Row]) -> Vec<String> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    let fixed = [""].iter().chain(headings).map(ToString::to_string);
    table.set_header(fixed.chain(clouds.iter().cloned()));
    for row in rows {
        let value = row.value.as_deref().unwrap_or("(differs)");
        let fixed = [row.mark(), &row.name, value].map(str::to_owned);
        let fixed = fixed.into_iter().take(1 + headings.len());
        table.add_row(fixed.chain(row.cells.iter().cloned()));
    }
    table.lines().map(|row| row.trim_end().to_owned()).collect()
}

/// A row where the clouds are alike is one line, another has one for each thing that they do.
fn list(clouds: &[String], rows: &[Row]) -> Vec<String> {
    let mut lines = Vec::new();
    for row in rows {
        let mark = if row.differs { DIFFERS } else { " " };
        let mut line = format!(" {mark}  {}", row.name);
        if let Some(value) = &row.value {
            let _ = write!(line, " = {value}");
        }
        let by_text = row.by_text(clouds);
        if let [(text, _)] = by_text.as_slice() {
            let _ = write!(line, ": {text}");
        }
        lines.push(line);
        if by_text.len() > 1 {
            let each = by_text.iter();
            lines.extend(each.map(|(text, clouds)| format!("      {}: {text}", clouds.join(", "))));
        }
    }
    lines
}

/// A line with the known words in their colours. What a name or a value holds is hardly one of
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
