//! What operations take and give, whichever protocol carries it.

use std::collections::BTreeMap;

use super::typed::Typed;

/// The value of a request's member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Param {
    Text(String),
    Integer(i64),
    List(Vec<String>),
    Map(BTreeMap<String, String>),
    /// Attributes of a message.
    Typed(BTreeMap<String, Typed>),
    /// The entries of a batch.
    Entries(Vec<Params>),
}

impl Param {
    /// Whether it is a list or map of nothing.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Param::Text(_) | Param::Integer(_) => false,
            Param::List(entries) => entries.is_empty(),
            Param::Map(entries) => entries.is_empty(),
            Param::Typed(entries) => entries.is_empty(),
            Param::Entries(entries) => entries.is_empty(),
        }
    }
}

/// A request's members by their JSON names: each of the kind that the operation's table says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Params(BTreeMap<&'static str, Param>);

impl Params {
    pub(super) fn insert(&mut self, name: &'static str, param: Param) {
        self.0.insert(name, param);
    }

    pub(super) fn get(&self, name: &str) -> Option<&Param> {
        self.0.get(name)
    }

    /// The text, empty where there is none: members that must be there are checked before.
    pub(super) fn text(&self, name: &str) -> &str {
        self.optional_text(name).unwrap_or_default()
    }

    pub(super) fn optional_text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Param::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        match self.0.get(name) {
            Some(Param::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn list(&self, name: &str) -> &[String] {
        match self.0.get(name) {
            Some(Param::List(entries)) => entries,
            _ => &[],
        }
    }

    pub(super) fn map(&self, name: &str) -> BTreeMap<String, String> {
        match self.0.get(name) {
            Some(Param::Map(entries)) => entries.clone(),
            _ => BTreeMap::new(),
        }
    }

    pub(super) fn typed(&self, name: &str) -> Option<&BTreeMap<String, Typed>> {
        match self.0.get(name) {
            Some(Param::Typed(entries)) => Some(entries),
            _ => None,
        }
    }

    pub(super) fn entries(&self, name: &str) -> &[Params] {
        match self.0.get(name) {
            Some(Param::Entries(entries)) => entries,
            _ => &[],
        }
    }
}

/// What an operation gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Output {
    /// Nothing by its definition: no result element, no body.
    Nothing,
    /// These members; a list or map that is empty is not sent, unless it is said to be.
    Members(Vec<Member>),
}

/// One member of a result, under its names in both protocols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) json: &'static str,
    pub(super) xml: &'static str,
    pub(super) value: Given,
}

/// The value of a result's member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    Text(String),
    Integer(u64),
    Switch(bool),
    List(Vec<String>),
    /// Attributes of a message.
    Typed(BTreeMap<String, Typed>),
    /// Structures; in the Query protocol one element per entry.
    Entries(Vec<Vec<Member>>),
    /// In the Query protocol one element per entry, with these two names inside.
    Map {
        entries: BTreeMap<String, String>,
        key: &'static str,
        value: &'static str,
    },
}

impl Member {
    pub(super) fn text(name: &'static str, text: String) -> Self {
        Member {
            json: name,
            xml: name,
            value: Given::Text(text),
        }
    }

    /// A list under another name in the Query protocol.
    pub(super) fn entries(json: &'static str, xml: &'static str, of: Vec<Vec<Member>>) -> Self {
        Member {
            json,
            xml,
            value: Given::Entries(of),
        }
    }
}
