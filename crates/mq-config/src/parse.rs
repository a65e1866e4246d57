//! Text to tree: syntax, anchors and aliases, merge keys, duplicate keys, limits.
//!
//! The events come from the parser that `serde_yaml` is built on. Its typed half stops at the
//! first error, has no span for a key and reads `011122223333` as a number; a file of settings
//! needs all errors, all places and the text as written.

use std::collections::HashMap;
use std::ops::Range;

use mq_core::Diagnostic;
use serde_yaml::granit_parser::{
    ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StructureStyle, options,
};

use crate::check::with_hint;
use crate::tree::{Entry, Mapping, Node, NodeKind, Scalar};

/// The largest file, in bytes: tens of thousands of queues.
pub const BYTES_MAX: usize = 4 << 20;
/// The deepest nesting; the file's own format needs 7.
pub const DEPTH_MAX: usize = 32;
/// The most values that anchors, aliases and merge keys may copy.
pub const COPIES_MAX: usize = 100_000;

/// The longest key, in bytes; the longest that means something has 128.
const KEY_BYTES_MAX: usize = 1024;

/// Reads the text. The tree has [`NodeKind::Invalid`] in place of what is wrong and was reported;
/// there is none when there is nothing to go on with.
pub(crate) fn parse(text: &str) -> (Option<Node>, Vec<Diagnostic>) {
    if text.len() > BYTES_MAX {
        let error = Diagnostic::error("file/too-large", "the file is too large")
            .with_detail(format!(
                "it has {} bytes; {BYTES_MAX} is the most that is read",
                text.len()
            ))
            .with_hint("split it into several files, each with a `stack` of its own");
        return (None, vec![error]);
    }
    let options = options! {
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let outcome = match event {
            Ok((event, span)) => builder.event(event, &span, text),
            Err(error) => Err(syntax_error(&error, text)),
        };
        if let Err(fatal) = outcome {
            builder.diagnostics.push(*fatal);
            return (None, builder.diagnostics);
        }
    }
    if builder.root.is_none() && builder.diagnostics.is_empty() {
        builder.diagnostics.push(
            Diagnostic::error("file/empty", "the file is empty")
                .with_span(0..0)
                .with_hint("`mq init` writes one to start from"),
        );
    }
    (builder.root, builder.diagnostics)
}

/// Why reading cannot go on.
type Fatal = Box<Diagnostic>;

/// What an alias copies.
struct Anchored {
    node: Node,
    nodes: usize,
    height: usize,
}

/// A list or map that is still open.
struct Open {
    parts: Parts,
    start: usize,
    end: usize,
    anchor: usize,
    nodes: usize,
    height: usize,
}

enum Parts {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        merges: Vec<Node>,
        key: Option<Pending>,
    },
}

/// A key that waits for its value.
enum Pending {
    Key(String, Range<usize>),
    Merge,
    Invalid,
}

/// A node with what it measures.
struct Finished {
    node: Node,
    nodes: usize,
    height: usize,
}

impl Finished {
    fn leaf(node: Node) -> Self {
        Finished {
            node,
            nodes: 1,
            height: 0,
        }
    }
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Anchored>,
    diagnostics: Vec<Diagnostic>,
    copies: usize,
    documents: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: &Span, text: &str) -> Result<(), Fatal> {
        let range = span.byte_range().unwrap_or_default();
        match event {
            Event::DocumentStart(..) => self.document(range),
            Event::Scalar(value, style, anchor, tag) => {
                let known = tag
                    .as_ref()
                    .is_none_or(|tag| tag.is_yaml_core_schema_tag("str"));
                let node = if known {
                    Node {
                        kind: NodeKind::Scalar(Scalar {
                            text: value.into_owned(),
                            plain: style == ScalarStyle::Plain && tag.is_none(),
                            expanded: false,
                        }),
                        span: trimmed(range, text),
                    }
                } else {
                    self.refuse_tag(span, &range);
                    Node::invalid(range)
                };
                self.finish(Finished::leaf(node), anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                if tag.is_some() {
                    self.refuse_tag(span, &range);
                }
                self.start(Parts::Sequence(Vec::new()), style, anchor, range)
            }
            Event::MappingStart(style, anchor, tag) => {
                if tag.is_some() {
                    self.refuse_tag(span, &range);
                }
                let parts = Parts::Mapping {
                    entries: Vec::new(),
                    merges: Vec::new(),
                    key: None,
                };
                self.start(parts, style, anchor, range)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&range),
            Event::Alias(id) => self.alias(id, range),
            Event::UnresolvedAlias(name) => {
                self.refuse_alias(format!("no value above it is named `&{name}`"), range)
            }
            _ => Ok(()),
        }
    }

    fn document(&mut self, range: Range<usize>) -> Result<(), Fatal> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        Err(Box::new(
            Diagnostic::error("file/documents", "the file holds more than one document")
                .with_detail("`---` starts another one, and only one is read")
                .with_span(range)
                .with_hint("put the second document into a file of its own"),
        ))
    }

    fn start(
        &mut self,
        parts: Parts,
        style: StructureStyle,
        anchor: usize,
        range: Range<usize>,
    ) -> Result<(), Fatal> {
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(range));
        }
        let end = match style {
            StructureStyle::Flow => range.end,
            StructureStyle::Block => range.start,
        };
        self.open.push(Open {
            parts,
            start: range.start,
            end,
            anchor,
            nodes: 1,
            height: 0,
        });
        Ok(())
    }

    fn end(&mut self, range: &Range<usize>) -> Result<(), Fatal> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        // The end of a block collection is an empty range, often far below its last value.
        let end = if range.is_empty() {
            open.end
        } else {
            range.end
        };
        let kind = match open.parts {
            Parts::Sequence(items) => NodeKind::Sequence(items),
            Parts::Mapping {
                entries, merges, ..
            } => NodeKind::Mapping(self.mapping(entries, merges)),
        };
        let node = Node {
            kind,
            span: open.start..end.max(open.start),
        };
        self.finish(
            Finished {
                node,
                nodes: open.nodes,
                height: open.height + 1,
            },
            open.anchor,
        )
    }

    /// The map of these entries, with those of the merged maps below them.
    fn mapping(&mut self, entries: Vec<Entry>, merges: Vec<Node>) -> Mapping {
        let (mut mapping, duplicates) = Mapping::new(entries);
        for duplicate in duplicates {
            self.diagnostics.push(
                Diagnostic::error("file/duplicate-key", "the key stands twice in one map")
                    .with_detail("only one of the two values could count, and not visibly which")
                    .with_span(duplicate)
                    .with_hint("remove one of the two"),
            );
        }
        for merged in merges {
            let maps = match merged.kind {
                NodeKind::Sequence(maps) => maps,
                _ => vec![merged],
            };
            for map in maps {
                mapping = self.merge(mapping, map);
            }
        }
        mapping
    }

    fn merge(&mut self, mapping: Mapping, below: Node) -> Mapping {
        match below.kind {
            NodeKind::Mapping(below) => mapping.over(below),
            NodeKind::Invalid => mapping,
            NodeKind::Scalar(_) | NodeKind::Sequence(_) => {
                self.diagnostics.push(
                    Diagnostic::error("file/wrong-type", "the value has the wrong type")
                        .with_detail(format!(
                            "`<<` merges a map, and this is {}",
                            below.describe()
                        ))
                        .with_span(below.span),
                );
                mapping
            }
        }
    }

    fn alias(&mut self, id: usize, range: Range<usize>) -> Result<(), Fatal> {
        let Some(anchored) = self.anchors.get(&id) else {
            return self.refuse_alias("it stands inside the value that it names".to_owned(), range);
        };
        if self.open.len() + anchored.height > DEPTH_MAX {
            return Err(too_deep(range));
        }
        self.copies += anchored.nodes;
        if self.copies > COPIES_MAX {
            return Err(too_many_copies(range));
        }
        let copy = Finished {
            node: anchored.node.clone(),
            nodes: anchored.nodes,
            height: anchored.height,
        };
        self.place(copy)
    }

    /// A finished node: kept for aliases where it has an anchor, and put in its place.
    fn finish(&mut self, finished: Finished, anchor: usize) -> Result<(), Fatal> {
        if anchor != 0 {
            self.copies += finished.nodes;
            if self.copies > COPIES_MAX {
                return Err(too_many_copies(finished.node.span));
            }
            self.anchors.insert(
                anchor,
                Anchored {
                    node: finished.node.clone(),
                    nodes: finished.nodes,
                    height: finished.height,
                },
            );
        }
        self.place(finished)
    }

    fn place(&mut self, finished: Finished) -> Result<(), Fatal> {
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(finished.node);
            return Ok(());
        };
        parent.nodes += finished.nodes;
        parent.height = parent.height.max(finished.height);
        // A copy stands elsewhere and says nothing of where its parent ends.
        if finished.node.span.start >= parent.start {
            parent.end = parent.end.max(finished.node.span.end);
        }
        match &mut parent.parts {
            Parts::Sequence(items) => items.push(finished.node),
            Parts::Mapping {
                entries,
                merges,
                key,
            } => match key.take() {
                None => *key = Some(pending(finished.node, &mut self.diagnostics)),
                Some(Pending::Key(key, key_span)) => entries.push(Entry {
                    key,
                    key_span,
                    value: finished.node,
                }),
                Some(Pending::Merge) => merges.push(finished.node),
                Some(Pending::Invalid) => {}
            },
        }
        Ok(())
    }

    fn refuse_alias(&mut self, detail: String, range: Range<usize>) -> Result<(), Fatal> {
        self.diagnostics.push(
            Diagnostic::error("file/alias", "the alias stands for nothing")
                .with_detail(detail)
                .with_span(range.clone()),
        );
        self.place(Finished::leaf(Node::invalid(range)))
    }

    fn refuse_tag(&mut self, span: &Span, range: &Range<usize>) {
        let place = span
            .tag_span()
            .and_then(|tag| tag.byte_range())
            .unwrap_or_else(|| range.clone());
        self.diagnostics.push(
            Diagnostic::error("file/tag", "YAML tags are not read")
                .with_detail("what a value is follows from its key")
                .with_span(place)
                .with_hint("remove the tag; quotes make text of a number or a boolean"),
        );
    }
}

fn pending(node: Node, diagnostics: &mut Vec<Diagnostic>) -> Pending {
    match node.kind {
        NodeKind::Scalar(scalar) if scalar.plain && scalar.text == "<<" => Pending::Merge,
        NodeKind::Scalar(scalar) if scalar.text.len() > KEY_BYTES_MAX => {
            diagnostics.push(
                Diagnostic::error("file/bad-name", "the name is not allowed")
                    .with_detail(format!("a key has at most {KEY_BYTES_MAX} bytes"))
                    .with_span(node.span),
            );
            Pending::Invalid
        }
        NodeKind::Scalar(scalar) => Pending::Key(scalar.text, node.span),
        NodeKind::Invalid => Pending::Invalid,
        NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
            diagnostics.push(
                Diagnostic::error("file/wrong-type", "the value has the wrong type")
                    .with_detail(format!("a key is text, and this is {}", node.describe()))
                    .with_span(node.span)
                    .with_hint("put `${…}` and other values that start with a bracket in quotes"),
            );
            Pending::Invalid
        }
    }
}

/// A block scalar's range ends behind its line break: what is underlined ends before.
fn trimmed(range: Range<usize>, text: &str) -> Range<usize> {
    let Some(written) = text.get(range.clone()) else {
        return range;
    };
    range.start..range.start + written.trim_end().len()
}

fn too_deep(span: Range<usize>) -> Fatal {
    Box::new(
        Diagnostic::error("file/too-deep", "the file is nested too deeply")
            .with_detail(format!("{DEPTH_MAX} levels are the most that is read"))
            .with_span(span),
    )
}

fn too_many_copies(span: Range<usize>) -> Fatal {
    Box::new(
        Diagnostic::error("file/too-many-copies", "the file's aliases copy too much")
            .with_detail(format!(
                "anchors, aliases and merge keys may copy {COPIES_MAX} values in all"
            ))
            .with_span(span)
            .with_hint("put what all queues share into `defaults`"),
    )
}

fn syntax_error(error: &ScanError, text: &str) -> Fatal {
    let start = text.floor_char_boundary(error.marker().byte_offset().unwrap_or(text.len()));
    let length = text[start..].chars().next().map_or(0, |character| {
        if character == '\n' {
            0
        } else {
            character.len_utf8()
        }
    });
    let span = start..start + length;
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return too_deep(span);
    }
    let (detail, hint) = syntax_words(error);
    Box::new(with_hint(
        Diagnostic::error("file/syntax", "the file is not YAML")
            .with_detail(detail)
            .with_span(span),
        hint.map(str::to_owned),
    ))
}

/// The parser's words, where they help; ours for the mistakes that people make.
fn syntax_words(error: &ScanError) -> (String, Option<&'static str>) {
    match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation => (
            "a tab stands where YAML wants spaces".to_owned(),
            Some("indent with spaces"),
        ),
        ErrorKind::UnclosedQuotedScalar => (
            "the quote is never closed".to_owned(),
            Some("close it on this line"),
        ),
        ErrorKind::UnclosedFlowCollection { open } => (
            format!("the bracket `{open}` is never closed"),
            Some("close it"),
        ),
        ErrorKind::MappingValueNotAllowed => (
            "a `key: value` cannot stand here".to_owned(),
            Some(
                "put text with `: ` in it in quotes, and check the indentation of the lines above",
            ),
        ),
        ErrorKind::UnexpectedCharacter { character } => (
            format!(
                "the character `{}` cannot stand here",
                character.escape_default()
            ),
            Some("put the text in quotes"),
        ),
        ErrorKind::ExpectedFlowMappingSeparator => (
            "the map in braces goes on with neither `,` nor `}`".to_owned(),
            Some("put text with `: ` or `#` in it in quotes"),
        ),
        _ => (error.info(), None),
    }
}
