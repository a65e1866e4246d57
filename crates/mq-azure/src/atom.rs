//! The documents of the administration API: Atom entries around a description of a queue.
//!
//! A description is kept as the list of its elements, each with its own bytes, so that an update
//! sends back unchanged what it does not know. Facts:
//! <https://learn.microsoft.com/rest/api/servicebus/create-queue>.

use quick_xml::XmlVersion;
use quick_xml::escape::{partial_escape, resolve_predefined_entity};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use crate::elements::{self, Codec};

const ATOM: &str = "http://www.w3.org/2005/Atom";
const CONNECT: &str = "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect";

/// An answer of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Document {
    /// One thing.
    Entry(Entry),
    /// A page of things. An empty one is also how the service says that a queue is not there.
    Feed(Vec<Entry>),
}

/// One thing: its name and its description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The name, in the spelling of whoever created it.
    pub(crate) title: String,
    /// What it is.
    pub(crate) description: Description,
}

/// A `QueueDescription`, or the description of something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    /// `QueueDescription`, `TopicDescription`, `NamespaceInfo`.
    pub(crate) kind: String,
    /// Prefixes that the elements may use, as `(name, uri)`.
    prefixes: Vec<(String, String)>,
    elements: Vec<Element>,
}

/// One element of a description.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Element {
    /// Its local name; empty for an element of another vocabulary, which is never looked at.
    name: String,
    /// Its bytes, tags included.
    xml: String,
    /// Its text, where it has no elements inside.
    text: String,
}

/// Bytes that are no answer of this API; says what is wrong without quoting them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotAtom(pub(crate) &'static str);

impl From<quick_xml::Error> for NotAtom {
    fn from(_: quick_xml::Error) -> Self {
        NotAtom("it is not well-formed XML")
    }
}

type Result<T> = std::result::Result<T, NotAtom>;

/// Reads an answer.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document> {
    let mut source = Source::new(utf8(bytes)?);
    let root = source.root()?;
    match (root.vocabulary, root.name.as_str()) {
        (Vocabulary::Atom, "entry") => source
            .entry(&root)?
            .map(Document::Entry)
            .ok_or(NotAtom("the entry describes nothing")),
        (Vocabulary::Atom, "feed") => {
            let mut entries = Vec::new();
            source.children(&root, |source, child| {
                if child.is(Vocabulary::Atom, "entry") {
                    entries.extend(source.entry(child)?);
                    return Ok(true);
                }
                Ok(false)
            })?;
            Ok(Document::Feed(entries))
        }
        _ => Err(NotAtom("its root is neither an entry nor a feed")),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| NotAtom("it is not UTF-8"))
}

/// Which vocabulary an element is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vocabulary {
    Atom,
    Connect,
    Other,
}

/// A start tag.
#[derive(Debug)]
struct Tag {
    vocabulary: Vocabulary,
    name: String,
    prefixes: Vec<(String, String)>,
    /// Where it starts in the text.
    start: usize,
    /// `<name/>`: there is nothing inside.
    empty: bool,
}

impl Tag {
    fn is(&self, vocabulary: Vocabulary, name: &str) -> bool {
        self.vocabulary == vocabulary && self.name == name
    }
}

enum Step {
    Start(Tag),
    Text(String),
    End,
}

/// The text, with a reader that stands somewhere in it.
struct Source<'a> {
    text: &'a str,
    reader: NsReader<&'a [u8]>,
}

impl<'a> Source<'a> {
    fn new(text: &'a str) -> Self {
        Source {
            text,
            reader: NsReader::from_str(text),
        }
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position())
            .unwrap_or(usize::MAX)
            .min(self.text.len())
    }

    /// The outermost element.
    fn root(&mut self) -> Result<Tag> {
        loop {
            match self.step()? {
                Step::Start(tag) => return Ok(tag),
                Step::Text(_) => {}
                Step::End => return Err(NotAtom("it starts with the end of an element")),
            }
        }
    }

    /// The next tag or text; comments and declarations are passed over. The end of the text is an
    /// error, since whoever asks for a step is inside an element.
    fn step(&mut self) -> Result<Step> {
        loop {
            let start = self.position();
            let (namespace, event) = self.reader.read_resolved_event()?;
            let vocabulary = vocabulary(&namespace);
            match event {
                Event::Start(tag) => {
                    return Ok(Step::Start(read_tag(&tag, vocabulary, start, false)?));
                }
                Event::Empty(tag) => {
                    return Ok(Step::Start(read_tag(&tag, vocabulary, start, true)?));
                }
                Event::End(_) => return Ok(Step::End),
                Event::Eof => return Err(NotAtom("it ends too early")),
                Event::Text(text) => return Ok(Step::Text(text.xml10_content().into_owned())),
                Event::CData(text) => return Ok(Step::Text(text.xml10_content().into_owned())),
                Event::GeneralRef(reference) => return Ok(Step::Text(resolve(&reference)?)),
                Event::DocType(_) => return Err(NotAtom("it has a document type")),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    /// Calls `visit` for each element inside `parent`; one that it does not read is passed over.
    fn children(
        &mut self,
        parent: &Tag,
        mut visit: impl FnMut(&mut Self, &Tag) -> Result<bool>,
    ) -> Result<()> {
        if parent.empty {
            return Ok(());
        }
        loop {
            match self.step()? {
                Step::Start(child) => {
                    if !visit(self, &child)? {
                        self.element(&child)?;
                    }
                }
                Step::Text(_) => {}
                Step::End => return Ok(()),
            }
        }
    }

    /// Reads to the end of an element: its bytes, and its text where there are no elements inside.
    fn element(&mut self, tag: &Tag) -> Result<Element> {
        let mut text = String::new();
        let mut depth = usize::from(!tag.empty);
        let mut leaf = true;
        while depth > 0 {
            match self.step()? {
                Step::Start(inner) => {
                    leaf = false;
                    depth += usize::from(!inner.empty);
                }
                Step::Text(part) => text += &part,
                Step::End => depth -= 1,
            }
        }
        let known = tag.vocabulary == Vocabulary::Connect;
        Ok(Element {
            name: if known {
                tag.name.clone()
            } else {
                String::new()
            },
            xml: self.text[tag.start..self.position()].to_owned(),
            text: if leaf { text } else { String::new() },
        })
    }

    /// An entry; `None` where it describes nothing, as in a list of what is under a path.
    fn entry(&mut self, entry: &Tag) -> Result<Option<Entry>> {
        let mut title = String::new();
        let mut description = None;
        self.children(entry, |source, child| {
            if child.is(Vocabulary::Atom, "title") {
                title = source.element(child)?.text.trim().to_owned();
                return Ok(true);
            }
            if !child.is(Vocabulary::Atom, "content") {
                return Ok(false);
            }
            source.children(child, |source, inner| {
                if inner.vocabulary != Vocabulary::Connect || description.is_some() {
                    return Ok(false);
                }
                let scope = [&entry.prefixes, &child.prefixes, &inner.prefixes];
                description = Some(source.description(inner, scope)?);
                Ok(true)
            })?;
            Ok(true)
        })?;
        Ok(description.map(|description| Entry { title, description }))
    }

    fn description(
        &mut self,
        tag: &Tag,
        scope: [&Vec<(String, String)>; 3],
    ) -> Result<Description> {
        let mut prefixes: Vec<(String, String)> = Vec::new();
        for (name, uri) in scope.into_iter().flatten() {
            prefixes.retain(|(known, _)| known != name);
            prefixes.push((name.clone(), uri.clone()));
        }
        let mut elements = Vec::new();
        self.children(tag, |source, child| {
            elements.push(source.element(child)?);
            Ok(true)
        })?;
        Ok(Description {
            kind: tag.name.clone(),
            prefixes,
            elements,
        })
    }
}

/// The character behind `&amp;` or `&#38;`; no other entities are known, since there is no DTD.
fn resolve(reference: &BytesRef<'_>) -> Result<String> {
    if let Some(character) = reference.resolve_char_ref()? {
        return Ok(character.to_string());
    }
    resolve_predefined_entity(reference)
        .map(str::to_owned)
        .ok_or(NotAtom("it uses an entity that XML does not define"))
}

fn vocabulary(namespace: &ResolveResult<'_>) -> Vocabulary {
    match namespace {
        ResolveResult::Bound(namespace) if namespace.0 == ATOM => Vocabulary::Atom,
        ResolveResult::Bound(namespace) if namespace.0 == CONNECT => Vocabulary::Connect,
        _ => Vocabulary::Other,
    }
}

fn read_tag(
    tag: &BytesStart<'_>,
    vocabulary: Vocabulary,
    start: usize,
    empty: bool,
) -> Result<Tag> {
    const MALFORMED: NotAtom = NotAtom("an attribute is malformed");
    let mut prefixes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| MALFORMED)?;
        if let Some(prefix) = attribute.key.as_ref().strip_prefix("xmlns:") {
            let uri = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| MALFORMED)?;
            prefixes.push((prefix.to_owned(), uri.into_owned()));
        }
    }
    Ok(Tag {
        vocabulary,
        name: tag.local_name().as_ref().to_owned(),
        prefixes,
        start,
        empty,
    })
}

impl Description {
    /// A description of a queue in which nothing is said yet.
    pub(crate) fn queue() -> Self {
        Description {
            kind: QUEUE.to_owned(),
            prefixes: Vec::new(),
            elements: Vec::new(),
        }
    }

    /// The text of an element; `None` where there is none.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.elements
            .iter()
            .find(|element| element.name == name)
            .map(|element| element.text.as_str())
    }

    /// Every element that the table knows, with its codec and text.
    pub(crate) fn known(&self) -> impl Iterator<Item = (&str, Codec, &str)> {
        self.elements.iter().filter_map(|element| {
            let codec = elements::codec(&element.name)?;
            Some((element.name.as_str(), codec, element.text.as_str()))
        })
    }

    /// The bytes of an element that has elements inside.
    pub(crate) fn xml(&self, name: &str) -> Option<&str> {
        self.elements
            .iter()
            .find(|element| element.name == name)
            .map(|element| element.xml.as_str())
    }

    /// Says this of an element, or takes it out.
    pub(crate) fn set(&mut self, name: &str, text: Option<String>) {
        let Some(text) = text else {
            self.elements.retain(|element| element.name != name);
            return;
        };
        let element = Element {
            name: name.to_owned(),
            xml: format!("<{name}>{}</{name}>", partial_escape(text.as_str())),
            text,
        };
        match self.elements.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = element,
            None => self.elements.push(element),
        }
    }

    /// Takes out every element for which this is false.
    pub(crate) fn retain(&mut self, keep: impl Fn(&str, &str) -> bool) {
        self.elements
            .retain(|element| keep(&element.name, &element.text));
    }

    /// The body of a request: an entry around this description, in the order that the service
    /// insists on and without prefixes of its own, which the service refuses.
    pub(crate) fn to_request(&self) -> String {
        let mut prefixes = String::new();
        for (name, uri) in &self.prefixes {
            let uri = quick_xml::escape::escape(uri.as_str());
            prefixes += &format!(" xmlns:{name}=\"{uri}\"");
        }
        let kind = &self.kind;
        let inner: String = self
            .in_order()
            .map(|element| element.xml.as_str())
            .collect();
        format!(
            "<entry xmlns=\"{ATOM}\"><content type=\"application/xml\"><{kind} xmlns=\"{CONNECT}\"{prefixes}>{inner}</{kind}></content></entry>"
        )
    }

    /// The elements in the service's order. One that the table does not know stays behind the one
    /// that it came after.
    fn in_order(&self) -> impl Iterator<Item = &Element> {
        let mut anchor = None;
        let mut keyed: Vec<_> = self
            .elements
            .iter()
            .map(|element| {
                anchor = elements::position(&element.name).or(anchor);
                (anchor, element)
            })
            .collect();
        keyed.sort_by_key(|(anchor, _)| *anchor);
        keyed.into_iter().map(|(_, element)| element)
    }
}

/// The root of a queue's description.
pub(crate) const QUEUE: &str = "QueueDescription";

/// The counts inside a `CountDetails` element, by local name. Its vocabulary is another one, whose
/// prefix is declared somewhere above it, so only local names count.
pub(crate) fn counts(xml: &str) -> Vec<(String, u64)> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut found = Vec::new();
    let mut name = None;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                name = Some(tag.local_name().as_ref().to_owned());
            }
            Ok(Event::Text(text)) => {
                if let (Some(name), Ok(number)) = (name.take(), text.trim().parse()) {
                    found.push((name, number));
                }
            }
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => {}
        }
    }
}

/// The `Detail` of an `<Error>` document; `None` for anything else.
pub(crate) fn error_detail(bytes: &[u8]) -> Option<String> {
    let mut source = Source::new(utf8(bytes).ok()?);
    let root = source.root().ok()?;
    if root.name != "Error" {
        return None;
    }
    let mut detail = None;
    let read = source.children(&root, |source, child| {
        if child.name != "Detail" {
            return Ok(false);
        }
        detail = Some(source.element(child)?.text);
        Ok(true)
    });
    read.ok().and(detail)
}

#[cfg(test)]
mod tests;
