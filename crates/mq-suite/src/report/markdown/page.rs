//! A page of Markdown that stops growing in time.

use crate::report::text::{clipped, counted, visible};

/// What the words of all the cut-offs and the ends of folded parts need.
const RESERVE_BYTES: usize = 1_000;
/// A longer text is cut: the JSON report has all of it.
const TEXT_CHARACTERS_MAX: usize = 400;

/// A page that takes no more than so many bytes.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    bytes_max: usize,
}

impl Page {
    pub(super) fn new(bytes_max: usize) -> Self {
        Page {
            text: String::new(),
            bytes_max,
        }
    }

    /// A paragraph or heading, where there is room for it.
    pub(super) fn block(&mut self, block: &str) {
        self.push(&format!("{block}\n\n"));
    }

    /// A table, with as many of its rows as there is room for.
    pub(super) fn table(&mut self, title: &str, columns: &[String], rows: &[Vec<String>]) {
        if !rows.is_empty() && self.begin(title, columns) {
            self.lines(rows);
        } else {
            self.left_out(rows.len());
        }
    }

    /// A table that is folded until a person opens it.
    pub(super) fn folded(&mut self, title: &str, columns: &[String], rows: &[Vec<String>]) {
        let summary = format!("<details><summary>{title}</summary>");
        if !rows.is_empty() && self.begin(&summary, columns) {
            self.lines(rows);
            self.end("</details>\n");
        } else {
            self.left_out(rows.len());
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn begin(&mut self, title: &str, columns: &[String]) -> bool {
        let rule = vec!["---".to_owned(); columns.len()];
        self.push(&format!("{title}\n\n{}{}", line(columns), line(&rule)))
    }

    fn lines(&mut self, rows: &[Vec<String>]) {
        let written = rows.iter().take_while(|row| self.push(&line(row))).count();
        self.end("\n");
        self.left_out(rows.len() - written);
    }

    fn left_out(&mut self, rows: usize) {
        if rows == 0 {
            return;
        }
        let rows = counted(rows, "more row", "more rows");
        self.end(&format!("… {rows} in the JSON report\n\n"));
    }

    fn push(&mut self, text: &str) -> bool {
        let has_room = self.text.len() + text.len() + RESERVE_BYTES <= self.bytes_max;
        if has_room {
            self.text.push_str(text);
        }
        has_room
    }

    /// What closes something: there is room for it in the reserve.
    fn end(&mut self, text: &str) {
        self.text.push_str(text);
    }
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// The text so that nothing in it is Markdown or HTML, in one line: it stays within its cell of a
/// table.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let text = clipped(text, TEXT_CHARACTERS_MAX);
    let text = visible(&text);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next_is_space = characters.peek().is_none_or(|next| next.is_whitespace());
        match character {
            '\n' => plain.push_str("<br>"),
            '\t' => plain.push(' '),
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            // GitHub makes a person of `@name`, a formula of `$…$`, a picture of `:name:` and a
            // link of `https://…`.
            '@' => plain.push_str("&#64;"),
            '$' => plain.push_str("<span>$</span>"),
            ':' if !next_is_space => plain.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => {
                plain.push('\\');
                plain.push(character);
            }
            other => plain.push(other),
        }
    }
    plain
}

/// A name, set apart from the words around it.
pub(super) fn name(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!("<code>{}</code>", plain(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markdown_or_html() {
        assert_eq!(
            plain("a|b`c`\n<b>*_[x](y) @me $1$ :x: \\| \u{202e}"),
            "a\\|b\\`c\\`<br>&lt;b&gt;\\*\\_\\[x\\](y) &#64;me <span>$</span>1<span>$</span> \
             &#58;x: \\\\\\| \\\\u{202e}"
        );
    }

    #[test]
    fn a_page_ends_in_time_and_says_how_much_is_missing() {
        let mut page = Page::new(2_000);
        let rows = vec![vec!["x".repeat(100)]; 20];
        page.folded("All", &["Column".to_owned()], &rows);
        page.folded("More", &["y".repeat(1_000)], &rows);
        let text = page.into_text();
        assert!(text.len() <= 2_000, "{}", text.len());
        let written = text.matches(&"x".repeat(100)).count();
        assert!(written > 0);
        let left_out = format!("… {} more rows in the JSON report", 20 - written);
        assert!(text.contains(&left_out), "{text}");
        assert!(!text.contains("More"), "its head has no room");
        assert!(text.contains("… 20 more rows in the JSON report"), "{text}");
    }
}
