//! What a run of the portability suite found, as text: the file's queues first, then behaviours by
//! clouds, then what is wrong, then the sum.

mod attributes;
mod behaviours;
pub(crate) mod document;
mod grid;
mod problems;
mod summary;

use std::collections::BTreeMap;
use std::fmt::Write;

use mq_suite::Report;

use self::document::ListedCase;
use self::grid::DIFFERS;
use super::text::line;
use crate::palette::Palette;

/// Everything that the text is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    pub(crate) report: &'a Report,
    /// Whether the clouds themselves were looked at.
    pub(crate) live: bool,
    pub(crate) palette: Palette,
    /// How many characters fit on a line, where that is known.
    pub(crate) width: Option<usize>,
}

impl Page<'_> {
    /// All of it.
    pub(crate) fn text(&self) -> String {
        let mut notes = Notes::default();
        let parts = [
            summary::places(self),
            attributes::attributes(self, &mut notes),
            behaviours::behaviours(self, &mut notes),
            notes.text(self),
            problems::problems(self),
            summary::summary(self, &notes),
        ];
        joined(&parts)
    }

    /// What is wrong, and the sum.
    pub(crate) fn failures_only(&self) -> String {
        let parts = [
            problems::problems(self),
            summary::summary(self, &Notes::default()),
        ];
        joined(&parts)
    }

    fn clouds(&self) -> impl Iterator<Item = String> {
        let targets = self.report.targets.iter();
        targets.map(|target| line(&target.name).into_owned())
    }

    fn differs(&self) -> bool {
        let mut attributes = self
            .report
            .queues
            .iter()
            .flat_map(|queue| &queue.attributes);
        attributes.any(|row| !row.equal) || self.report.rows.iter().any(|row| row.differs)
    }

    fn heading(&self, text: &str) -> String {
        let strong = self.palette.strong;
        format!("{strong}{}{strong:#}\n", line(text))
    }
}

/// The parts that say something, with a line between them.
fn joined(parts: &[String]) -> String {
    let parts: Vec<&str> = parts
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("\n")
}

/// Reasons, numbered in order of appearance, so that a table stays a table.
#[derive(Debug, Default)]
struct Notes {
    numbers: BTreeMap<String, usize>,
    texts: Vec<String>,
}

impl Notes {
    fn number(&mut self, text: &str) -> usize {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), self.texts.len());
        self.texts.len()
    }

    /// The number of a reason that was given before.
    fn known(&self, text: &str) -> Option<usize> {
        self.numbers.get(text).copied()
    }

    fn text(&self, page: &Page<'_>) -> String {
        let Palette { faint, notice, .. } = page.palette;
        let mut out = String::new();
        if page.differs() {
            let _ = writeln!(
                out,
                "{notice}{DIFFERS}{notice:#} the clouds are not alike there"
            );
        }
        for (index, note) in self.texts.iter().enumerate() {
            let mark = format!("[{}]", index + 1);
            let text = wrapped(&line(note), page.width, mark.len() + 1);
            let _ = writeln!(out, "{faint}{mark}{faint:#} {text}");
        }
        out
    }
}

/// The text over as many lines as it needs where the width is known, all but the first indented.
fn wrapped(text: &str, width: Option<usize>, indent: usize) -> String {
    /// A line shorter than this is harder to read than one that the terminal breaks.
    const LEAST: usize = 20;
    let Some(room) = width
        .and_then(|width| width.checked_sub(indent))
        .filter(|room| *room >= LEAST)
    else {
        return text.to_owned();
    };
    let mut out = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > room {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out
}

/// The cases of `--list`, with tabs between the columns: group, case, clouds, promise.
pub(crate) fn list(cases: &[ListedCase<'_>]) -> String {
    let mut out = String::new();
    for case in cases {
        let clouds = case.clouds.join(",");
        let _ = writeln!(
            out,
            "{}\t{}\t{}\t{}",
            case.group,
            line(&case.case),
            line(&clouds),
            case.promise
        );
    }
    out
}
