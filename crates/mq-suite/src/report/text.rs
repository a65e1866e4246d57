//! Texts of a run as a page can show them: names, reasons and what was seen are whatever a service
//! or a person wrote.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

/// The text with every character that a reader cannot see, or that turns the text around it,
/// written as `\u{202e}`. Line ends and tabs stay.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, is_unseen)
}

/// The text with these characters written as `\u{1}`.
pub(super) fn escaped(text: &str, is_wrong: fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(is_wrong) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_wrong(character) {
            // A `String` takes whatever is written to it.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

fn is_unseen(character: char) -> bool {
    let is_control = character.is_control() && !matches!(character, '\n' | '\t');
    let turns_text = matches!(character,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    let is_no_character = u32::from(character) & 0xfffe == 0xfffe || character == '\u{feff}';
    is_control || turns_text || is_no_character
}

/// At most so many characters of the text, the last of them `…` where there were more.
pub(super) fn clipped(text: &str, characters: usize) -> Cow<'_, str> {
    match text.char_indices().nth(characters) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// `1 case` or `2 cases`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}

/// `340 ms`, `2.5 s` or `3 min 20 s`: as precise as a person needs it.
pub(super) fn took(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => {
            let seconds = Duration::from_millis(millis).as_secs();
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
    }
}

/// The moment so many seconds after 1970, as `2026-11-24T19:00:00Z`.
pub(super) fn moment(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).ok();
    let moment = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    moment.unwrap_or(jiff::Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out_and_the_rest_stays() {
        assert_eq!(visible("a\n\tb – ü 漢"), "a\n\tb – ü 漢");
        assert_eq!(
            visible("\0a\u{202e}b\u{fffe}\r\u{7f}\u{1fffe}"),
            "\\u{0}a\\u{202e}b\\u{fffe}\\u{d}\\u{7f}\\u{1fffe}"
        );
    }

    #[test]
    fn a_text_is_clipped_between_characters() {
        assert_eq!(clipped("üüü", 3), "üüü");
        assert_eq!(clipped("üüü", 2), "üü…");
    }

    #[test]
    fn times_are_as_precise_as_a_person_needs_them() {
        let shown = [0, 999, 1_000, 59_999, 60_000, 200_500].map(took);
        let expected = [
            "0 ms",
            "999 ms",
            "1.0 s",
            "59.9 s",
            "1 min 0 s",
            "3 min 20 s",
        ];
        assert_eq!(shown, expected);
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
        assert!(moment(u64::MAX).starts_with("9999-"));
    }
}
