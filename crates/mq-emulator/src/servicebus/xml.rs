//! Request bodies as trees of namespaced elements, read under limits.
//!
//! No document type, no entities but the five predefined ones and character references: there is
//! nothing that could expand.

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

/// No entity description nests deeper than its authorization rules' access rights do.
const DEPTH_MAX: usize = 16;
/// A full description with all twelve authorization rules has fewer than 200 elements.
const ELEMENTS_MAX: usize = 1_000;
const INSTANCE_NAMESPACE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// One element. Prefixes are gone: what counts is the namespace that they stood for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Element {
    /// Empty when the element is in no namespace.
    pub(super) namespace: String,
    pub(super) name: String,
    /// Whether `nil="true"` of the XML Schema instance namespace says that there is no value.
    pub(super) nil: bool,
    /// The element's own character data, without that of its children.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

/// Why a body is no document that this service reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum XmlError {
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error("a document type is not allowed")]
    DocumentType,
    #[error("only the predefined entities and character references are allowed")]
    UnknownEntity,
    #[error("the document nests deeper than {DEPTH_MAX} elements")]
    TooDeep,
    #[error("the document has more than {ELEMENTS_MAX} elements")]
    TooManyElements,
    #[error("a namespace prefix is not declared")]
    UnknownPrefix,
    #[error("the document has no single root element")]
    NoSingleRoot,
    #[error("the document is not well-formed")]
    NotWellFormed,
}

impl Element {
    /// The first child of that name.
    pub(super) fn child(&self, namespace: &str, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(namespace, name))
    }

    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }
}

/// Reads one document.
pub(super) fn parse(body: &[u8]) -> Result<Element, XmlError> {
    let text = std::str::from_utf8(body).map_err(|_| XmlError::NotUtf8)?;
    let mut reader = NsReader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_comments = true;
    let mut tree = Tree::default();
    loop {
        let (resolved, event) = reader
            .read_resolved_event()
            .map_err(|_| XmlError::NotWellFormed)?;
        match event {
            Event::Start(start) => {
                let namespace = namespace(&resolved)?;
                let nil = attributes_say_nil(&reader, &start)?;
                let name = start.local_name().into_inner().to_owned();
                tree.open(Element {
                    namespace,
                    name,
                    nil,
                    ..Element::default()
                })?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.characters(&text.xml10_content())?,
            Event::CData(data) => tree.characters(&data.xml10_content())?,
            Event::GeneralRef(reference) => tree.characters(resolve(&reference)?.as_str())?,
            Event::Decl(declaration) => {
                let encoding = declaration
                    .encoding()
                    .transpose()
                    .map_err(|_| XmlError::NotWellFormed)?;
                if encoding.is_some_and(|name| !is_utf8(&name)) {
                    return Err(XmlError::NotUtf8);
                }
            }
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Comment(_) | Event::PI(_) => {}
            Event::Empty(_) => return Err(XmlError::NotWellFormed),
            Event::Eof => return tree.finish(),
        }
    }
}

/// The elements that are open, outermost first, and the root once it is closed.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, element: Element) -> Result<(), XmlError> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(XmlError::NoSingleRoot);
        }
        if self.open.len() == DEPTH_MAX {
            return Err(XmlError::TooDeep);
        }
        if self.elements == ELEMENTS_MAX {
            return Err(XmlError::TooManyElements);
        }
        self.elements += 1;
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let element = self.open.pop().ok_or(XmlError::NotWellFormed)?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn characters(&mut self, text: &str) -> Result<(), XmlError> {
        if !text.chars().all(is_xml_char) {
            return Err(XmlError::NotWellFormed);
        }
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(XmlError::NoSingleRoot),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, XmlError> {
        if !self.open.is_empty() {
            return Err(XmlError::NotWellFormed);
        }
        self.root.ok_or(XmlError::NoSingleRoot)
    }
}

fn namespace(resolved: &ResolveResult<'_>) -> Result<String, XmlError> {
    match resolved {
        ResolveResult::Bound(namespace) => Ok(namespace.into_inner().to_owned()),
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Unknown(_) => Err(XmlError::UnknownPrefix),
    }
}

/// Looks at every attribute, so that a malformed or repeated one is found whatever its name.
fn attributes_say_nil(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<bool, XmlError> {
    let mut nil = false;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| XmlError::NotWellFormed)?;
        let (resolved, name) = reader.resolver().resolve_attribute(attribute.key);
        if name.into_inner() == "nil" && namespace(&resolved)? == INSTANCE_NAMESPACE {
            nil = matches!(attribute.value.trim(), "true" | "1");
        }
    }
    Ok(nil)
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, XmlError> {
    match reference
        .resolve_char_ref()
        .map_err(|_| XmlError::NotWellFormed)?
    {
        Some(character) => Ok(character.to_string()),
        None => resolve_xml_entity(reference)
            .map(str::to_owned)
            .ok_or(XmlError::UnknownEntity),
    }
}

fn is_utf8(encoding: &str) -> bool {
    encoding.eq_ignore_ascii_case("utf-8") || encoding.eq_ignore_ascii_case("utf8")
}

/// The `Char` production of XML 1.0.
pub(super) fn is_xml_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn element(namespace: &str, name: &str, text: &str, children: Vec<Element>) -> Element {
        Element {
            namespace: namespace.into(),
            name: name.into(),
            nil: false,
            text: text.into(),
            children,
        }
    }

    #[test]
    fn a_prefix_counts_for_the_namespace_it_stands_for() {
        let wanted = element(
            "urn:a",
            "x",
            "",
            vec![element("urn:b", "y", "1", Vec::new())],
        );
        for document in [
            "<x xmlns='urn:a'><y xmlns='urn:b'>1</y></x>",
            "<p:x xmlns:p='urn:a' xmlns:q='urn:b'><q:y>1</q:y></p:x>",
            "<p:x xmlns:p='urn:a' xmlns='urn:b'><y>1</y></p:x>",
            "<p:x xmlns:p='urn:a'><p:y xmlns:p='urn:b'>1</p:y></p:x>",
            "<?xml version='1.0' encoding='utf8'?>\n<!-- a --><x xmlns='urn:a'><y xmlns='urn:b'>1</y></x>\n",
            "\u{feff}<x xmlns='urn:a'><y xmlns='urn:b'><![CDATA[1]]></y></x>",
        ] {
            assert_eq!(parse(document.as_bytes()), Ok(wanted.clone()), "{document}");
        }
    }

    #[test]
    fn predefined_entities_and_character_references_are_resolved() {
        let document = "<t>&lt;a&gt; &amp;&quot;&apos; &#233;&#xe9; &#13;\r\nend</t>";
        assert_eq!(
            parse(document.as_bytes()).unwrap().text,
            "<a> &\"' éé \r\nend"
        );
    }

    #[test]
    fn nil_is_that_of_the_schema_instance_namespace_only() {
        let instance = "xmlns:i='http://www.w3.org/2001/XMLSchema-instance'";
        assert!(
            parse(format!("<t {instance} i:nil='true'/>").as_bytes())
                .unwrap()
                .nil
        );
        assert!(
            !parse(format!("<t {instance} i:nil='false'/>").as_bytes())
                .unwrap()
                .nil
        );
        assert!(!parse(b"<t nil='true'/>").unwrap().nil);
        assert!(!parse(b"<t xmlns:i='urn:other' i:nil='true'/>").unwrap().nil);
    }

    #[test]
    fn what_could_expand_is_refused() {
        let billion = "<!DOCTYPE l [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]><l>&b;</l>";
        assert_eq!(parse(billion.as_bytes()), Err(XmlError::DocumentType));
        assert_eq!(
            parse(b"<!DOCTYPE l SYSTEM 'file:///etc/passwd'><l/>"),
            Err(XmlError::DocumentType)
        );
        assert_eq!(parse(b"<l>&b;</l>"), Err(XmlError::UnknownEntity));
        assert_eq!(parse(b"<l>&nbsp;</l>"), Err(XmlError::UnknownEntity));
    }

    #[test]
    fn depth_and_count_are_bounded() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        assert_eq!(
            parse(nested(DEPTH_MAX + 1).as_bytes()),
            Err(XmlError::TooDeep)
        );
        assert_eq!(
            parse("<a>".repeat(50_000).as_bytes()),
            Err(XmlError::TooDeep)
        );
        let wide = |children: usize| format!("<a>{}</a>", "<b/>".repeat(children));
        assert!(parse(wide(ELEMENTS_MAX - 1).as_bytes()).is_ok());
        assert_eq!(
            parse(wide(ELEMENTS_MAX).as_bytes()),
            Err(XmlError::TooManyElements)
        );
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for document in [
            "",
            " ",
            "text",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>text",
            "text<a/>",
            "<a b='1' b='2'/>",
            "<a b/>",
            "<a b=1/>",
            "<a>&</a>",
            "<a>&#0;</a>",
            "<a>&#xffff;</a>",
            "<a>\u{1}</a>",
            "<p:a/>",
            "<a p:b='1'",
            "<a><![CDATA[</a>",
            "<a><!-- -- --></a>",
            "<a><",
            "<?xml version='1.0' encoding='utf-16'?><a/>",
        ] {
            assert!(parse(document.as_bytes()).is_err(), "{document}");
        }
        assert_eq!(parse(b"<a>\xff</a>"), Err(XmlError::NotUtf8));
    }

    fn any_element() -> impl Strategy<Value = Element> {
        let leaf = (
            "[A-Za-z]{1,8}",
            "[^\u{0}-\u{8}\u{b}-\u{1f}\u{fffe}\u{ffff}]{0,12}",
            any::<bool>(),
        );
        let leaf = leaf.prop_map(|(name, text, other)| {
            let namespace = if other { "urn:b" } else { "urn:a" };
            element(namespace, &name, &text, Vec::new())
        });
        leaf.prop_recursive(4, 24, 4, |inner| {
            ("[A-Za-z]{1,8}", prop::collection::vec(inner, 1..4))
                .prop_map(|(name, children)| element("urn:a", &name, "", children))
        })
    }

    fn written(element: &Element) -> String {
        let inner: String = element.children.iter().map(written).collect();
        let text = quick_xml::escape::partial_escape(element.text.as_str());
        format!(
            "<{0} xmlns=\"{1}\">{text}{inner}</{0}>",
            element.name, element.namespace
        )
    }

    proptest! {
        #[test]
        fn every_tree_survives_its_text(tree in any_element()) {
            prop_assert_eq!(parse(written(&tree).as_bytes()), Ok(tree));
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_markup_makes_the_parser_panic(text in "(<|>|/|&|;|'|\"|=|a|b|:|xmlns|!|\\[|\\]|CDATA|-|\\?|#|x| ){0,60}") {
            let _ = parse(text.as_bytes());
        }
    }
}
