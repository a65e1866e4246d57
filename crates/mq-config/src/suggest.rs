//! "Did you mean": the known word nearest to an unknown one.

/// Words longer than this are not compared: the cost grows with the square.
const COMPARED_MAX: usize = 64;

/// The nearest of these words, if one is near enough to be a slip of the hand.
pub(crate) fn nearest<'a>(
    unknown: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if unknown.len() > COMPARED_MAX {
        return None;
    }
    let folded = fold(unknown);
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&folded, &fold(word)), word))
        .filter(|(distance, word)| *distance <= (word.len() / 3).clamp(1, 4))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// A hint from [`nearest`].
pub(crate) fn did_you_mean<'a>(
    unknown: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(unknown, known).map(|word| format!("did you mean `{word}`?"))
}

/// Case and the ways to join words are no difference: `VisibilityTimeout`, `visibility-timeout`.
fn fold(word: &str) -> String {
    word.chars()
        .filter(|character| !matches!(character, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["visibility_timeout", "retention", "labels", "aws"];
        for (unknown, expected) in [
            ("visibility_timout", Some("visibility_timeout")),
            ("VisibilityTimeout", Some("visibility_timeout")),
            ("visibility-timeout", Some("visibility_timeout")),
            ("retension", Some("retention")),
            ("label", Some("labels")),
            ("asw", Some("aws")),
            ("timeout", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(unknown, known), expected, "{unknown}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }
}
