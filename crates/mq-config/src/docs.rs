//! What every key of the file means: the one source of `mq explain`, of the reference page and of
//! the JSON Schema's descriptions.

/// What a key takes, which decides its part of the JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// The number 1.
    Version,
    /// Text.
    Text,
    /// A day, as `2027-06-01`.
    Date,
    /// An attribute, and after `@` a cloud.
    Verdict,
    /// The name of a stack: `[a-z][a-z0-9-]{0,30}`.
    OwnerName,
    /// A key of `clouds`, or the word of a backend.
    Cloud,
    /// A duration such as `30s`.
    Duration,
    /// A size such as `256KiB`.
    Size,
    /// A whole number from 1.
    Count,
    /// `true` or `false`.
    Bool,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Text with `{name}` in it.
    Template,
    /// A map of the keys below this one.
    Fields,
    /// A map from names to maps of the keys below this one.
    Named,
    /// A map from names to text.
    Labels,
    /// A map from clouds to text.
    TextPerCloud,
    /// A queue of the file, or a map from clouds to resources.
    QueueOrTextPerCloud,
    /// A map from clouds to names.
    NamesPerCloud,
    /// A map from clouds to what may be said of a queue.
    QueuePerCloud,
    /// A map from queues to what may be said of a queue.
    QueuePerQueue,
    /// What may be said of a queue.
    Queue,
    /// A map from clouds to their settings.
    SettingsPerCloud,
    /// A map from a backend's own attributes to their values.
    Native,
    /// A list of verdicts.
    Accepts,
}

impl Takes {
    /// The type in words, for tables.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Takes::Version => "the number 1".to_owned(),
            Takes::Text => "text".to_owned(),
            Takes::Date => "day".to_owned(),
            Takes::Verdict => "attribute@cloud".to_owned(),
            Takes::OwnerName => "name".to_owned(),
            Takes::Cloud => "cloud".to_owned(),
            Takes::Duration => "duration".to_owned(),
            Takes::Size => "size".to_owned(),
            Takes::Count => "whole number".to_owned(),
            Takes::Bool => "boolean".to_owned(),
            Takes::OneOf(words) => words.join(" or "),
            Takes::Template => "template".to_owned(),
            Takes::Fields | Takes::Queue | Takes::Native => "map".to_owned(),
            Takes::Named => "map by name".to_owned(),
            Takes::Labels => "map of labels".to_owned(),
            Takes::TextPerCloud
            | Takes::NamesPerCloud
            | Takes::QueuePerCloud
            | Takes::SettingsPerCloud => "map by cloud".to_owned(),
            Takes::QueueOrTextPerCloud => "queue, or map by cloud".to_owned(),
            Takes::QueuePerQueue => "map by queue".to_owned(),
            Takes::Accepts => "list".to_owned(),
        }
    }
}

/// The keys of `names`; each backend takes some of them.
pub(crate) const NAMES: [&str; 4] = ["queue", "dead_letter", "topic", "subscription"];
/// What [`AttributeDoc::default`] says of a key that cannot be left out.
pub(crate) const REQUIRED: &str = "required";

/// One key of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeDoc {
    /// Its path: within a queue for [`attributes`], within the file for [`file_keys`], without the
    /// names that the file gives: `stages.expires`.
    pub path: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What is written when `mq` creates a queue and the file says nothing, or what then holds.
    pub default: &'static str,
    /// Whether it may change on a queue that exists.
    pub in_place: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What each service calls it, by the backend's word.
    pub native: &'static [(&'static str, &'static str)],
    /// A line or lines of YAML.
    pub example: &'static str,
}

impl AttributeDoc {
    /// The last part of the path.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }

    /// Whether it cannot be left out.
    #[must_use]
    pub fn required(&self) -> bool {
        self.default == REQUIRED
    }

    /// Whether every layer may say it (`defaults`, stages, overrides), and not the queue alone.
    pub(crate) fn layered(&self) -> bool {
        !matches!(self.key(), "names" | "manage" | "accept" | "overrides")
    }

    /// Whether `null` takes back what the layers below say of it.
    pub(crate) fn takes_null(&self) -> bool {
        self.layered() && !matches!(self.takes, Takes::Labels | Takes::TextPerCloud)
    }

    /// The value that the example gives this key.
    pub(crate) fn example_value(&self) -> Option<serde_json::Value> {
        let example: serde_json::Value = serde_yaml::from_str(self.example).ok()?;
        self.path.split('.').try_fold(example, value_at)
    }
}

/// The value of a key, in a list or under a name where it is not here.
fn value_at(value: serde_json::Value, key: &str) -> Option<serde_json::Value> {
    match value {
        serde_json::Value::Object(mut map) => match map.remove(key) {
            Some(found) => Some(found),
            None => value_at(map.into_iter().next()?.1, key),
        },
        serde_json::Value::Array(items) => value_at(items.into_iter().next()?, key),
        _ => None,
    }
}

/// Everything that may be said of a queue, parents before what stands in them.
#[must_use]
pub fn attributes() -> &'static [AttributeDoc] {
    crate::docs_tables::QUEUE
}

/// Every key of the file outside its queues, parents before what stands in them.
#[must_use]
pub fn file_keys() -> &'static [AttributeDoc] {
    crate::docs_tables::FILE
}

/// The keys that stand directly in `parent`; the empty path is the top.
pub(crate) fn children(
    table: &'static [AttributeDoc],
    parent: &str,
) -> impl Iterator<Item = &'static AttributeDoc> {
    table.iter().filter(move |doc| {
        let (above, _) = doc.path.rsplit_once('.').unwrap_or(("", doc.path));
        above == parent
    })
}

/// The doc of an attribute or key by its path, or the path that may have been meant.
///
/// # Errors
/// The nearest known path, where one is near, when nothing has this path.
pub fn explain(path: &str) -> Result<&'static AttributeDoc, Option<&'static str>> {
    let all = || attributes().iter().chain(file_keys());
    if let Some(doc) = all().find(|doc| doc.path == path) {
        return Ok(doc);
    }
    let by_key = all().find(|doc| doc.key() == path);
    let by_native = all().find(|doc| is_native_name(doc, path));
    if let Some(doc) = by_key.or(by_native) {
        return Ok(doc);
    }
    Err(crate::suggest::nearest(path, all().map(|doc| doc.path)))
}

/// The attributes that a verdict can be about, which is what `accept` can name.
pub(crate) fn acceptable() -> impl Iterator<Item = &'static str> {
    let judged = |doc: &&AttributeDoc| {
        let top = doc.path.split('.').next().unwrap_or(doc.path);
        !matches!(top, "names" | "manage" | "protect" | "accept" | "overrides")
    };
    attributes().iter().filter(judged).map(|doc| doc.path)
}

/// Where a key belongs that stands where it is unknown: it may be a service's own word, or stand
/// at the wrong level.
pub(crate) fn elsewhere(key: &str) -> Option<String> {
    let attributes = attributes();
    if let Some(doc) = attributes.iter().find(|doc| is_native_name(doc, key)) {
        return Some(format!("in this file it is called `{}`", doc.path));
    }
    let doc = attributes.iter().find(|doc| doc.key() == key)?;
    Some(match doc.path.rsplit_once('.') {
        Some(("overrides", _)) => {
            format!("`{key}` stands under one cloud: `overrides: {{ aws: {{ {key}: … }} }}`")
        }
        Some((parent, _)) => format!("`{key}` stands under `{parent}`"),
        None => format!("`{key}` stands directly in a queue"),
    })
}

fn is_native_name(doc: &AttributeDoc, word: &str) -> bool {
    doc.native.iter().any(|(_, names)| {
        names
            .split([',', ' ', '.'])
            .any(|name| name.len() > 3 && name.eq_ignore_ascii_case(word))
    })
}
