//! The file as a tree of nodes that know where they stand.

use std::ops::Range;

/// A value of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// What it is.
    pub(crate) kind: NodeKind,
    /// Where it stands, in bytes. A value that comes through an alias or a merge key stands where
    /// it is written, since that is the place to mend.
    pub(crate) span: Range<usize>,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NodeKind {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Mapping),
    /// Something already reported; whoever meets it says nothing more.
    Invalid,
}

/// Text as written, not yet a number, a boolean or nothing: what it is depends on what the place
/// wants, and `011122223333` keeps its zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Written without quotes, so that `true`, `5` and `null` are not text; or expanded.
    pub(crate) plain: bool,
    /// Whether the environment had a part in it: then messages do not quote it.
    pub(crate) expanded: bool,
}

/// A map in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Mapping {
    entries: Vec<Entry>,
    /// Positions in `entries`, sorted by key.
    by_key: Vec<usize>,
}

/// One entry of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) value: Node,
}

impl Node {
    /// A node that was already reported.
    pub(crate) fn invalid(span: Range<usize>) -> Self {
        Node {
            kind: NodeKind::Invalid,
            span,
        }
    }

    /// Nothing: an empty value, `~` or `null`, unquoted.
    pub(crate) fn is_null(&self) -> bool {
        match &self.kind {
            NodeKind::Scalar(scalar) => scalar.is_null(),
            NodeKind::Sequence(_) | NodeKind::Mapping(_) | NodeKind::Invalid => false,
        }
    }

    /// What it is, in words for a message.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.kind {
            NodeKind::Scalar(scalar) => scalar.describe(),
            NodeKind::Sequence(_) => "a list",
            NodeKind::Mapping(_) => "a map",
            NodeKind::Invalid => "an unreadable value",
        }
    }
}

impl Scalar {
    /// An empty value, `~` or `null`, unquoted and written in the file.
    pub(crate) fn is_null(&self) -> bool {
        self.plain
            && !self.expanded
            && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// The boolean that YAML 1.2 sees; `yes` and `on` are text there.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self.text.as_str() {
            _ if !self.plain => None,
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        }
    }

    /// An unquoted whole number, of any size, with an optional sign.
    pub(crate) fn is_integer(&self) -> bool {
        let digits = self.text.strip_prefix(['-', '+']).unwrap_or(&self.text);
        self.plain && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    }

    fn describe(&self) -> &'static str {
        if self.is_null() {
            "nothing"
        } else if self.as_bool().is_some() {
            "a boolean"
        } else if self.is_integer() {
            "a number"
        } else {
            "text"
        }
    }
}

impl Mapping {
    /// A map of these entries. Of a key that stands twice the first one counts; the places of the
    /// others come back, in the order of the file.
    pub(crate) fn new(entries: Vec<Entry>) -> (Self, Vec<Range<usize>>) {
        let mut by_key: Vec<usize> = (0..entries.len()).collect();
        // Stable: equal keys stay in the order of the file.
        by_key.sort_by(|a, b| entries[*a].key.cmp(&entries[*b].key));
        let mut repeated: Vec<usize> = Vec::new();
        by_key.dedup_by(|later, first| {
            let same = entries[*later].key == entries[*first].key;
            if same {
                repeated.push(*later);
            }
            same
        });
        repeated.sort_unstable();
        let duplicates = repeated
            .into_iter()
            .map(|index| entries[index].key_span.clone())
            .collect();
        (Mapping { entries, by_key }, duplicates)
    }

    /// This map with the entries of another whose keys it does not have.
    pub(crate) fn over(self, below: Mapping) -> Self {
        let missing: Vec<Entry> = below
            .entries
            .into_iter()
            .filter(|entry| self.get(&entry.key).is_none())
            .collect();
        let mut entries = self.entries;
        entries.extend(missing);
        Mapping::new(entries).0
    }

    /// The entries, in the order of the file.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The values, to be changed in place.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.entries.iter_mut().map(|entry| &mut entry.value)
    }

    /// The entry of this key.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.by_key
            .binary_search_by(|index| self.entries[*index].key.as_str().cmp(key))
            .ok()
            .map(|found| &self.entries[self.by_key[found]])
    }
}
