//! The text in `UserMetadata`: our marker and the labels, among whatever others wrote there.
//!
//! Queues have no tags, so both live in one JSON object of strings. Where somebody else's text is
//! there already it is kept: an object gets our entries beside its own, and any other text gets
//! ours on a line after it.

use std::collections::BTreeMap;

use mq_core::queue::Marker;
use serde_json::{Map, Value as Json};

/// `UserMetadata`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Metadata {
    /// Text that is no JSON object, kept before ours.
    foreign_text: Option<String>,
    /// The object, in the order it was written.
    entries: Map<String, Json>,
}

impl Metadata {
    /// Takes apart what is there.
    pub(crate) fn parse(text: &str) -> Metadata {
        if let Some(entries) = object(text) {
            return Metadata {
                foreign_text: None,
                entries,
            };
        }
        if let Some((before, last)) = text.rsplit_once('\n')
            && let Some(entries) = object(last)
            && entries.keys().any(|key| is_marker(key))
        {
            return Metadata {
                foreign_text: Some(before.to_owned()),
                entries,
            };
        }
        Metadata {
            foreign_text: (!text.is_empty()).then(|| text.to_owned()),
            entries: Map::new(),
        }
    }

    /// Our marker, if it is there, and the labels: every other entry that is a string.
    pub(crate) fn split(&self) -> (Option<Marker>, BTreeMap<String, String>) {
        Marker::split(
            self.entries
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect(),
        )
    }

    /// Writes these entries over those of the same key; the others stay.
    pub(crate) fn set(&mut self, entries: BTreeMap<String, String>) {
        for (key, value) in entries {
            self.entries.insert(key, Json::String(value));
        }
    }

    /// Takes out our marker's entries.
    pub(crate) fn clear_marker(&mut self) {
        self.entries.retain(|key, _| !is_marker(key));
    }

    /// The text to write.
    pub(crate) fn text(&self) -> String {
        let object = if self.entries.is_empty() {
            String::new()
        } else {
            Json::Object(self.entries.clone()).to_string()
        };
        match &self.foreign_text {
            Some(foreign) if object.is_empty() => foreign.clone(),
            Some(foreign) => format!("{foreign}\n{object}"),
            None => object,
        }
    }
}

/// Whether a key is one that the marker uses, or may use one day.
pub(crate) fn is_marker(key: &str) -> bool {
    key.starts_with("mq-")
}

/// A text's length as the service counts it: in UTF-16 units.
pub(crate) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The text as an object. One that begins with white space is another's text: what stands before
/// the brace would be lost when the object is written again.
fn object(text: &str) -> Option<Map<String, Json>> {
    if !text.starts_with('{') {
        return None;
    }
    match serde_json::from_str(text).ok()? {
        Json::Object(entries) => Some(entries),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use mq_core::queue::{OriginHash, Owner};
    use proptest::prelude::*;

    use super::*;

    fn marker() -> Marker {
        Marker {
            owner: Owner {
                stack: "shop".to_owned(),
                stage: Some("dev".to_owned()),
                origin: Some(OriginHash::of("github.com/acme/shop")),
            },
            queue: "orders".to_owned(),
            expires_at: Some(1_900_000_000),
        }
    }

    fn labels() -> BTreeMap<String, String> {
        BTreeMap::from([("team".to_owned(), "käse & \"wein\"".to_owned())])
    }

    #[test]
    fn marker_and_labels_come_back() {
        let mut metadata = Metadata::default();
        metadata.set(marker().entries());
        metadata.set(labels());
        let read = Metadata::parse(&metadata.text());
        assert_eq!(read.split(), (Some(marker()), labels()));
    }

    #[test]
    fn what_others_wrote_stays() {
        for (before, after_clearing) in [
            ("owner: team-a, see wiki/42", "owner: team-a, see wiki/42"),
            ("line one\nline two", "line one\nline two"),
            (
                r#"{"cost":{"center":7},"x":[1,2]}"#,
                r#"{"cost":{"center":7},"x":[1,2]}"#,
            ),
            ("[1,2]", "[1,2]"),
            ("\n", "\n"),
            ("", ""),
        ] {
            let mut metadata = Metadata::parse(before);
            metadata.set(marker().entries());
            let text = metadata.text();
            assert!(text.contains(before.trim_end_matches('}')), "{text}");
            let mut again = Metadata::parse(&text);
            assert_eq!(again.split().0, Some(marker()), "{text}");
            again.clear_marker();
            assert_eq!(again.text(), after_clearing);
        }
    }

    #[test]
    fn an_entry_that_is_no_string_is_no_label() {
        let metadata = Metadata::parse(r#"{"version":3,"team":"a"}"#);
        let labels = metadata.split().1;
        assert_eq!(
            labels,
            BTreeMap::from([("team".to_owned(), "a".to_owned())])
        );
    }

    #[test]
    fn length_is_counted_as_the_service_counts() {
        assert_eq!(length("aä😀"), 4);
    }

    proptest! {
        #[test]
        fn any_text_survives_a_marker(foreign in "\\PC{0,60}(\n\\PC{0,20})?") {
            let mut metadata = Metadata::parse(&foreign);
            metadata.set(marker().entries());
            let text = metadata.text();
            let mut read = Metadata::parse(&text);
            prop_assert_eq!(read.split().0, Some(marker()));
            read.set(marker().entries());
            prop_assert_eq!(&read.text(), &text, "writing the marker again changes nothing");
            read.clear_marker();
            if serde_json::from_str::<Json>(&foreign).is_err() {
                prop_assert_eq!(read.text(), foreign);
            }
        }
    }
}
