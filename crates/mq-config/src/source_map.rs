//! Where in the file a path of keys stands.

use std::ops::Range;

use crate::tree::{Entry, Node, NodeKind};

/// The file's text with the place of every value in it.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    text: String,
    /// The first byte of each line.
    lines: Vec<usize>,
    root: Option<Node>,
}

/// A place as editors count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl SourceMap {
    pub(crate) fn new(text: &str, root: Option<Node>) -> Self {
        SourceMap {
            text: text.to_owned(),
            lines: line_starts(text),
            root,
        }
    }

    pub(crate) fn root(&self) -> Option<&Node> {
        self.root.as_ref()
    }

    /// Where a path such as `queues.orders.dead_letter.max_deliveries` stands: its value where that
    /// is a scalar, else its key. A path that the file does not have stands at its nearest parent;
    /// items of a list are `accept[0]`.
    #[must_use]
    pub fn span(&self, path: &str) -> Range<usize> {
        let mut place = 0..0;
        let mut rest = path;
        let mut node = self.root.as_ref();
        while let Some((found, below, left)) = node.and_then(|node| step(node, rest)) {
            place = found;
            rest = left;
            node = Some(below);
        }
        place
    }

    /// Whether the file itself has this path, and not only a parent of it.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        let mut rest = path;
        let mut node = self.root.as_ref();
        while let Some((_, below, left)) = node.and_then(|node| step(node, rest)) {
            rest = left;
            node = Some(below);
        }
        rest.is_empty()
    }

    /// The path at which the file states an attribute of a queue for this target: the most
    /// particular layer that has it, from `overrides` over the stage and the queue to `defaults`;
    /// the queue itself when none has.
    ///
    /// `clouds` are the keys that speak for the target, the more particular one last.
    #[must_use]
    pub fn stated(
        &self,
        queue: &str,
        attribute: &str,
        stage: Option<&str>,
        clouds: &[&str],
    ) -> String {
        let overrides = clouds
            .iter()
            .rev()
            .map(|cloud| format!("queues.{queue}.overrides.{cloud}.{attribute}"));
        let stage = stage.map(|stage| format!("stages.{stage}.queues.{queue}.{attribute}"));
        overrides
            .chain(stage)
            .chain([
                format!("queues.{queue}.{attribute}"),
                format!("defaults.{attribute}"),
            ])
            .find(|path| self.contains(path))
            .unwrap_or_else(|| format!("queues.{queue}"))
    }

    /// The line and column of a byte.
    #[must_use]
    pub fn position(&self, byte: usize) -> Position {
        let byte = self.text.floor_char_boundary(byte.min(self.text.len()));
        let line = self.lines.partition_point(|start| *start <= byte).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        Position {
            line,
            column: self.text[start..byte].chars().count() + 1,
        }
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The first byte of each line; there is always one.
pub(crate) fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0)
        .chain(text.match_indices('\n').map(|(index, _)| index + 1))
        .collect()
}

/// One step down a path: where it lands, and what is left of the path.
fn step<'n, 'p>(node: &'n Node, path: &'p str) -> Option<(Range<usize>, &'n Node, &'p str)> {
    match &node.kind {
        NodeKind::Mapping(mapping) => {
            // A key may itself hold dots or brackets, so the longest one that fits counts.
            let ends = path
                .match_indices(['.', '['])
                .map(|(end, _)| end)
                .chain((!path.is_empty()).then_some(path.len()));
            let (entry, end) = ends
                .rev()
                .find_map(|end| Some((mapping.get(&path[..end])?, end)))?;
            let left = path[end..].strip_prefix('.').unwrap_or(&path[end..]);
            Some((place(entry), &entry.value, left))
        }
        NodeKind::Sequence(items) => {
            let (index, left) = path.strip_prefix('[')?.split_once(']')?;
            let item = items.get(index.parse::<usize>().ok()?)?;
            let left = left.strip_prefix('.').unwrap_or(left);
            Some((item.span.clone(), item, left))
        }
        NodeKind::Scalar(_) | NodeKind::Invalid => None,
    }
}

/// What is underlined for an entry: a scalar itself, the key of anything longer.
pub(crate) fn place(entry: &Entry) -> Range<usize> {
    match &entry.value.kind {
        NodeKind::Scalar(_) | NodeKind::Invalid if !entry.value.span.is_empty() => {
            entry.value.span.clone()
        }
        _ => entry.key_span.clone(),
    }
}
