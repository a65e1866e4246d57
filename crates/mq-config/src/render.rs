//! Diagnostics as text: severity, what is wrong, the place in the file, why, and how to mend it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use mq_core::{Diagnostic, Severity};

use crate::secret;
use crate::source_map::line_starts;

/// The longest part of a line that is shown, in bytes.
const LINE_MAX: usize = 200;

/// Renders these diagnostics over the text that they are about, each ended by an empty line.
///
/// What looks like a credential is covered, and control characters are escaped, so that a file
/// cannot draw on the terminal.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], text: &str, file_name: &str, color: bool) -> String {
    let covered = cover_secrets(diagnostics, text);
    let page = Page {
        text: &covered,
        lines: line_starts(&covered),
    };
    let file_name = escaped(file_name);
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
    .decor_style(DecorStyle::Ascii);
    let mut rendered = String::new();
    for diagnostic in diagnostics {
        one(&mut rendered, diagnostic, &page, &file_name, &renderer);
    }
    rendered
}

fn one(
    out: &mut String,
    diagnostic: &Diagnostic,
    page: &Page<'_>,
    file_name: &str,
    renderer: &Renderer,
) {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let summary = escaped(&diagnostic.summary);
    let detail = diagnostic.detail.as_deref().map(escaped);
    let hint = diagnostic.hint.as_deref().map(escaped);
    let title = level.primary_title(summary).id(diagnostic.id);
    let mut group = title.elements(std::iter::empty::<annotate_snippets::Message<'_>>());
    let excerpt = diagnostic.span.clone().map(|span| page.excerpt(span));
    if let Some(excerpt) = &excerpt {
        group = group.element(
            Snippet::source(excerpt.text.as_str())
                .line_start(excerpt.line)
                .path(file_name)
                .annotation(AnnotationKind::Primary.span(excerpt.span.clone())),
        );
    }
    if let Some(detail) = detail {
        group = group.element(Level::NOTE.no_name().message(detail));
    }
    if let Some(hint) = hint {
        group = group.element(Level::HELP.with_name("hint").message(hint));
    }
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}\n", renderer.render(&[group]));
}

/// The text with the start of each line, found once for all diagnostics.
struct Page<'t> {
    text: &'t str,
    lines: Vec<usize>,
}

/// One line, or the part of it around a span, ready to be shown.
struct Excerpt {
    text: String,
    line: usize,
    span: Range<usize>,
}

impl Page<'_> {
    /// The line of the span's start; of a span over several lines the first is underlined.
    fn excerpt(&self, span: Range<usize>) -> Excerpt {
        let text = self.text;
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let line = self.lines.partition_point(|first| *first <= start).max(1);
        let line_start = self.lines[line - 1];
        let line_end = self.lines.get(line).map_or(text.len(), |next| next - 1);
        let shown_start = if start - line_start > LINE_MAX {
            text.floor_char_boundary(start - LINE_MAX / 4)
        } else {
            line_start
        };
        let shown_end = text
            .floor_char_boundary(line_end.min(shown_start + 2 * LINE_MAX))
            .max(start);
        let end = text.floor_char_boundary(span.end.min(shown_end)).max(start);
        let before = escaped(&text[shown_start..start]);
        let marked = escaped(&text[start..end]);
        let after = escaped(text[end..shown_end].trim_end());
        Excerpt {
            line,
            span: before.len()..before.len() + marked.len(),
            text: format!("{before}{marked}{after}"),
        }
    }
}

/// The text with `*` in place of what looks like a secret: every value that a warning names, and
/// every word that looks like one by itself, since a file that cannot be read has no warnings.
///
/// Byte by byte, so that every span stays where it is.
fn cover_secrets<'t>(diagnostics: &[Diagnostic], text: &'t str) -> Cow<'t, str> {
    let named = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.id == secret::ID)
        .filter_map(|diagnostic| diagnostic.span.clone());
    let words = text
        .split(|character: char| character.is_whitespace() || "\"'`,{}[]".contains(character))
        .filter(|word| secret::looks_like(word).is_some())
        .map(|word| {
            let start = word.as_ptr().addr() - text.as_ptr().addr();
            start..start + word.len()
        });
    let mut covered = Cow::Borrowed(text);
    for span in named.chain(words) {
        // A variable's name is no secret, whatever it stands for.
        let written = text
            .get(span.clone())
            .filter(|written| !written.contains("${"));
        if let Some(written) = written {
            let stars: String = written
                .bytes()
                .map(|byte| if byte == b'\n' { '\n' } else { '*' })
                .collect();
            covered.to_mut().replace_range(span, &stars);
        }
    }
    covered
}

/// Control characters and those that change the direction of text, escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => out.push(' '),
            '\r' => {}
            _ if character.is_control() || is_direction(character) => {
                out.extend(character.escape_unicode());
            }
            _ => out.push(character),
        }
    }
    out
}

fn is_direction(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
