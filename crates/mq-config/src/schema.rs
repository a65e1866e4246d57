//! The JSON Schema (draft-07) of the file, made from [`crate::docs`] and what the backends declare.
//!
//! It says what an editor can know while typing: keys, types, forms of values. What only the whole
//! file shows (a queue that is not there, a circle of dead letters) is for [`crate::load`]. Every
//! scalar also takes `${…}`, whatever its type becomes.

use mq_core::BackendInfo;
use mq_core::backend::{SettingInfo, SettingKind};
use serde_json::{Map, Value, json};

use crate::check::NameRule;
use crate::docs::{self, AttributeDoc, Takes, attributes, file_keys};
use crate::validate::VERSION;

/// The schema, for these backends.
#[must_use]
pub fn schema(backends: &[&'static BackendInfo]) -> Value {
    let schema = Schema { backends };
    let mut root = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "mq.yaml",
        "description": "Queues that are the same on every cloud.",
        "definitions": schema.definitions(),
    });
    let file = schema.object(docs::children(file_keys(), ""), |_| Null::No);
    if let (Value::Object(root), Value::Object(file)) = (&mut root, file) {
        root.extend(file);
    }
    root
}

/// Whether `null` may stand in place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Null {
    /// It takes back what the layers below say, or says nothing.
    Yes,
    No,
}

fn null_takes_back(doc: &AttributeDoc) -> Null {
    if doc.takes_null() {
        Null::Yes
    } else {
        Null::No
    }
}

struct Schema<'a> {
    backends: &'a [&'static BackendInfo],
}

impl Schema<'_> {
    fn definitions(&self) -> Value {
        let patch = || docs::children(attributes(), "").filter(|doc| doc.layered());
        let mut definitions = Map::from_iter([
            (
                "variable".to_owned(),
                json!({ "type": "string", "pattern": "\\$\\{" }),
            ),
            (
                "duration".to_owned(),
                or_variable(json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$" })),
            ),
            (
                "size".to_owned(),
                or_variable(json!({
                    "type": ["string", "integer"],
                    "pattern": "^[0-9]+(B|KiB|MiB|GiB)?$",
                    "minimum": 1,
                })),
            ),
            (
                "text".to_owned(),
                json!({ "type": ["string", "number"], "minLength": 1 }),
            ),
            ("patch".to_owned(), self.object(patch(), null_takes_back)),
            (
                "queue".to_owned(),
                self.object(docs::children(attributes(), ""), null_takes_back),
            ),
        ]);
        for backend in self.backends {
            definitions.insert(format!("settings-{}", backend.id), self.settings(backend));
            let native = settings(backend.native);
            definitions.insert(format!("native-{}", backend.id), closed(native));
            let mut over = self.object(patch(), null_takes_back);
            let native = docs::children(attributes(), "overrides");
            for doc in native {
                over["properties"][doc.key()] =
                    described(doc, reference(&format!("native-{}", backend.id)));
            }
            definitions.insert(format!("overrides-{}", backend.id), over);
        }
        Value::Object(definitions)
    }

    /// A closed object of these keys.
    fn object(
        &self,
        keys: impl Iterator<Item = &'static AttributeDoc>,
        null: impl Fn(&AttributeDoc) -> Null,
    ) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for doc in keys {
            if doc.required() {
                required.push(doc.key());
            }
            let value = nullable(self.value(doc), null(doc));
            properties.insert(doc.key().to_owned(), described(doc, value));
        }
        let mut object = closed(properties);
        if !required.is_empty() {
            object["required"] = json!(required);
        }
        object
    }

    fn value(&self, doc: &'static AttributeDoc) -> Value {
        match doc.takes {
            Takes::Version => json!({ "const": VERSION }),
            Takes::Text | Takes::Cloud => reference("text"),
            Takes::Date => or_variable(json!({
                "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
            })),
            Takes::Verdict => or_variable(verdict()),
            Takes::OwnerName => or_variable(json!({
                "type": "string", "pattern": NameRule::Owner.pattern()
            })),
            Takes::Duration => reference("duration"),
            Takes::Size => reference("size"),
            Takes::Count => or_variable(json!({
                "type": "integer", "minimum": 1, "maximum": u32::MAX
            })),
            Takes::Bool => or_variable(json!({ "type": "boolean" })),
            Takes::OneOf(words) => or_variable(json!({ "enum": words })),
            Takes::Template => or_variable(json!({
                "type": "string",
                "pattern": r"^([A-Za-z0-9_-]|\{stage\})*\{name\}([A-Za-z0-9_-]|\{name\}|\{stage\})*$",
            })),
            Takes::Fields => self.object(below(doc), null_takes_back),
            Takes::Named => named(
                NameRule::Owner,
                &nullable(self.object(below(doc), |_| Null::No), Null::Yes),
            ),
            Takes::Labels => json!({
                "type": "object",
                "propertyNames": { "minLength": 1, "not": { "pattern": "^mq-" } },
                "additionalProperties": nullable(reference("text"), Null::Yes),
            }),
            Takes::TextPerCloud => {
                named(NameRule::Logical, &nullable(reference("text"), Null::Yes))
            }
            Takes::QueueOrTextPerCloud => json!({
                "anyOf": [reference("text"), named(NameRule::Logical, &reference("text"))],
            }),
            Takes::NamesPerCloud => self.per_cloud(names),
            Takes::QueuePerCloud => self.per_cloud(|backend| match backend {
                Some(backend) => reference(&format!("overrides-{}", backend.id)),
                None => self.any_of_backends("overrides"),
            }),
            Takes::QueuePerQueue if doc.path == "queues" => {
                named(NameRule::Logical, &nullable(reference("queue"), Null::Yes))
            }
            Takes::QueuePerQueue => named(NameRule::Logical, &reference("patch")),
            Takes::Queue => reference("patch"),
            Takes::SettingsPerCloud if doc.path == "clouds" => self.clouds(),
            Takes::SettingsPerCloud => self.per_cloud(|backend| match backend {
                Some(backend) => {
                    let mut entry = self.object(below(doc), |_| Null::No);
                    if let Value::Object(properties) = &mut entry["properties"] {
                        properties.extend(settings(backend.settings));
                    }
                    entry
                }
                None => json!({ "type": "object" }),
            }),
            Takes::Native => self.any_of_backends("native"),
            Takes::Accepts => json!({
                "type": "array",
                "items": { "anyOf": [
                    or_variable(verdict()),
                    self.object(below(doc), |_| Null::No),
                ] },
            }),
        }
    }

    /// A map by target: the backends' own names with what is known of them, others with what fits
    /// any.
    fn per_cloud(&self, value: impl Fn(Option<&'static BackendInfo>) -> Value) -> Value {
        let mut map = named(NameRule::Logical, &value(None));
        let known: Map<String, Value> = self
            .backends
            .iter()
            .map(|backend| (backend.id.to_owned(), value(Some(backend))))
            .collect();
        map["properties"] = Value::Object(known);
        map
    }

    fn any_of_backends(&self, prefix: &str) -> Value {
        let each: Vec<Value> = self
            .backends
            .iter()
            .map(|backend| reference(&format!("{prefix}-{}", backend.id)))
            .collect();
        json!({ "anyOf": each })
    }

    /// `clouds`: an entry that is named like no backend says which one it is on.
    fn clouds(&self) -> Value {
        let ids: Vec<&str> = self.backends.iter().map(|backend| backend.id).collect();
        let by_cloud: Vec<Value> = self
            .backends
            .iter()
            .map(|backend| {
                json!({
                    "if": { "properties": { "cloud": { "const": backend.id } } },
                    "then": reference(&format!("settings-{}", backend.id)),
                })
            })
            .collect();
        let other = json!({
            "type": "object",
            "required": ["cloud"],
            "properties": { "cloud": { "enum": ids } },
            "allOf": by_cloud,
        });
        self.per_cloud(|backend| match backend {
            Some(backend) => nullable(reference(&format!("settings-{}", backend.id)), Null::Yes),
            None => other.clone(),
        })
    }

    /// An entry under `clouds`: the keys that every entry has, and the backend's own.
    fn settings(&self, backend: &'static BackendInfo) -> Value {
        let mut properties = Map::new();
        for doc in docs::children(file_keys(), "clouds") {
            let value = match doc.takes {
                Takes::Cloud => json!({ "const": backend.id }),
                _ => self.value(doc),
            };
            properties.insert(doc.key().to_owned(), described(doc, value));
        }
        properties.extend(settings(backend.settings));
        closed(properties)
    }
}

fn below(doc: &'static AttributeDoc) -> impl Iterator<Item = &'static AttributeDoc> {
    let table = if attributes().iter().any(|known| known == doc) {
        attributes()
    } else {
        file_keys()
    };
    docs::children(table, doc.path)
}

fn settings(known: &[SettingInfo]) -> Map<String, Value> {
    known
        .iter()
        .map(|info| {
            let mut value = nullable(setting(info.kind), Null::Yes);
            value["description"] = json!(info.doc);
            (info.name.to_owned(), value)
        })
        .collect()
}

fn setting(kind: SettingKind) -> Value {
    match kind {
        SettingKind::Text => reference("text"),
        SettingKind::Digits => or_variable(json!({
            "type": ["string", "integer"], "pattern": "^[0-9]+$", "minimum": 0
        })),
        SettingKind::Integer => or_variable(json!({ "type": "integer" })),
        SettingKind::Bool => or_variable(json!({ "type": "boolean" })),
        SettingKind::Duration => reference("duration"),
        SettingKind::OneOf(words) => or_variable(json!({ "enum": words })),
    }
}

fn names(backend: Option<&'static BackendInfo>) -> Value {
    let all = docs::NAMES;
    let keys = backend.map_or(&all[..], |backend| backend.names);
    let properties = keys
        .iter()
        .map(|key| ((*key).to_owned(), reference("text")))
        .collect();
    let map = closed(properties);
    if keys.contains(&"queue") {
        json!({ "anyOf": [reference("text"), map] })
    } else {
        map
    }
}

fn verdict() -> Value {
    let attributes: Vec<String> = docs::acceptable()
        .map(|path| path.replace('.', "\\."))
        .collect();
    json!({
        "type": "string",
        "pattern": format!(
            "^({}|labels\\.[^@]+|native\\.[^@]+)(@[a-z][a-z0-9_-]*)?$",
            attributes.join("|")
        ),
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

fn closed(properties: Map<String, Value>) -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn named(rule: NameRule, value: &Value) -> Value {
    json!({
        "type": "object",
        "propertyNames": { "pattern": rule.pattern() },
        "additionalProperties": value,
    })
}

fn or_variable(value: Value) -> Value {
    json!({ "anyOf": [value, reference("variable")] })
}

fn nullable(value: Value, null: Null) -> Value {
    match null {
        Null::Yes => json!({ "anyOf": [value, { "type": "null" }] }),
        Null::No => value,
    }
}

/// A value with its title, its meaning and an example. In draft-07 whatever stands beside `$ref`
/// is ignored, so a reference is wrapped.
fn described(doc: &AttributeDoc, value: Value) -> Value {
    let mut described = if value.get("$ref").is_some() {
        json!({ "allOf": [value] })
    } else {
        value
    };
    described["title"] = json!(doc.path);
    described["description"] = json!(if doc.required() {
        doc.doc.to_owned()
    } else {
        format!("{} Left out: {}.", doc.doc, doc.default)
    });
    if let Some(example) = doc.example_value() {
        described["examples"] = json!([example]);
    }
    described
}
