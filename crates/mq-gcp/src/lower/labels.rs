//! Which labels fit a topic or a subscription.

use std::collections::BTreeMap;

use mq_core::queue::{MARKER_EXPIRES, MARKER_ORIGIN, MARKER_QUEUE, MARKER_STACK, MARKER_STAGE};

use crate::capability::{LABEL_LENGTH_MAX, LABELS_MAX};

/// Labels, sorted out.
pub(super) struct Sorted {
    /// Those that are set.
    pub(super) fitting: BTreeMap<String, String>,
    /// Why the others are not.
    pub(super) refused: Vec<String>,
}

/// The labels that fit beside this many of the marker's.
pub(super) fn sort(labels: &BTreeMap<String, String>, marker: usize) -> Sorted {
    let room = LABELS_MAX.saturating_sub(marker);
    let mut sorted = Sorted {
        fitting: BTreeMap::new(),
        refused: Vec::new(),
    };
    for (key, value) in labels {
        match why_refused(key, value) {
            Some(why) => sorted.refused.push(why),
            None => {
                sorted.fitting.insert(key.clone(), value.clone());
            }
        }
    }
    if sorted.fitting.len() > room {
        sorted.refused.push(format!(
            "there are {} of them, and beside the marker {room} have room",
            labels.len()
        ));
        sorted.fitting = std::mem::take(&mut sorted.fitting)
            .into_iter()
            .take(room)
            .collect();
    }
    sorted
}

/// Why the service refuses a label.
fn why_refused(key: &str, value: &str) -> Option<String> {
    // Letters without case (of other scripts) are taken too.
    let fits = |letter: char| {
        letter.is_numeric()
            || letter == '_'
            || letter == '-'
            || letter.is_alphabetic() && !letter.is_uppercase()
    };
    let reserved = [
        MARKER_STACK,
        MARKER_STAGE,
        MARKER_QUEUE,
        MARKER_ORIGIN,
        MARKER_EXPIRES,
    ];
    let short = |text: &str| text.chars().count() <= LABEL_LENGTH_MAX;
    if reserved.contains(&key) {
        Some(format!("the label `{key}` is `mq`'s own"))
    } else if !key.starts_with(|letter: char| letter.is_alphabetic() && !letter.is_uppercase()) {
        Some(format!(
            "the label `{key}` does not begin with a small letter"
        ))
    } else if !key.chars().all(fits) || !value.chars().all(fits) {
        Some(format!(
            "the label `{key}` has other characters than small letters, digits, `_` and `-` in its key or its value"
        ))
    } else if !short(key) || !short(value) {
        Some(format!(
            "the label `{key}` is longer than {LABEL_LENGTH_MAX} characters in its key or its value"
        ))
    } else {
        None
    }
}
