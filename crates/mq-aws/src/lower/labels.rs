//! Labels become tags.

use mq_core::queue::Origin;
use mq_core::verdict::Hold;
use mq_core::{NativeAttribute, Value, Verdict};

use super::{Lowering, in_place};
use crate::attribute::key;
use crate::limits::{self, page};

impl Lowering<'_> {
    pub(super) fn labels(&mut self) {
        let labels = &self.queue.attributes.labels;
        if labels.is_empty() {
            return;
        }
        let hold = match self.refused_label() {
            Some(why) => Hold::Unsupported { why },
            None => Hold::Exact,
        };
        let written = Value::Map(labels.clone()).to_string();
        self.verdicts
            .push(Verdict::new("labels", written, Origin::File, hold).with_source(page::TAGS));
        self.attributes.extend(self.tags());
    }

    /// The tags of the queue and of its dead-letter queue; the marker is not among them.
    pub(super) fn tags(&self) -> Option<NativeAttribute> {
        let labels = &self.queue.attributes.labels;
        let written = !labels.is_empty() && self.refused_label().is_none();
        written.then(|| in_place(key::TAGS, Value::Map(labels.clone())).holding("labels"))
    }

    fn refused_label(&self) -> Option<String> {
        let labels = &self.queue.attributes.labels;
        let marker = self.queue.marker().entries();
        let room = limits::TAGS_MAX - marker.len();
        if labels.len() > room {
            return Some(format!(
                "a queue has {} tags at most, and {} of them are the marker's",
                limits::TAGS_MAX,
                marker.len()
            ));
        }
        labels
            .iter()
            .find_map(|(label, value)| refused(label, value))
    }
}

fn refused(label: &str, value: &str) -> Option<String> {
    let length = label.chars().count();
    if label.is_empty() || length > limits::TAG_KEY_MAX {
        return Some(format!(
            "the key of a tag has 1 to {} characters, and `{label}` has {length}",
            limits::TAG_KEY_MAX
        ));
    }
    if value.chars().count() > limits::TAG_VALUE_MAX {
        return Some(format!(
            "the value of a tag has at most {} characters, and that of `{label}` has more",
            limits::TAG_VALUE_MAX
        ));
    }
    if label.to_ascii_lowercase().starts_with("aws:") {
        return Some(format!(
            "keys in `aws:` are AWS's own, and `{label}` is one"
        ));
    }
    if label.starts_with("mq-") {
        return Some(format!(
            "keys in `mq-` are the marker's, and `{label}` is one"
        ));
    }
    let taken = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    let odd = label.chars().chain(value.chars()).find(|c| !taken(*c))?;
    Some(format!(
        "tags take letters, digits, spaces and `_ . : / = + - @`, and `{label}` has {odd:?}"
    ))
}
