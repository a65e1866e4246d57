//! Reading single values, with a diagnostic for each that is not what its place wants.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::time::Duration;

use mq_core::spec::Setting;
use mq_core::{BackendInfo, Diagnostic, units};

use crate::docs;
use crate::secret;
use crate::source_map::place;
use crate::suggest::did_you_mean;
use crate::tree::{Entry, Mapping, Node, NodeKind, Scalar};

/// One value with its path and its key.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    pub(crate) node: &'a Node,
    pub(crate) path: String,
    /// What is underlined when it is wrong.
    pub(crate) span: Range<usize>,
}

impl<'a> Field<'a> {
    /// The value of an entry under this path.
    pub(crate) fn entry(parent: &str, entry: &'a Entry) -> Self {
        Field {
            node: &entry.value,
            path: if parent.is_empty() {
                entry.key.clone()
            } else {
                format!("{parent}.{}", entry.key)
            },
            span: place(entry),
        }
    }

    /// One item of a list.
    pub(crate) fn item(parent: &str, index: usize, node: &'a Node) -> Self {
        Field {
            node,
            path: format!("{parent}[{index}]"),
            span: node.span.clone(),
        }
    }
}

/// A map whose keys the format knows, read key by key.
pub(crate) struct Fields<'a> {
    pub(crate) path: String,
    span: Range<usize>,
    what: &'static str,
    mapping: &'a Mapping,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// The value of a key, which is thereby known.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<Field<'a>> {
        self.asked.push(key);
        let entry = self.mapping.get(key)?;
        Some(Field::entry(&self.path, entry))
    }
}

/// How a name of the file may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// Queues and targets.
    Logical,
    /// The stack and the stages, which become values of labels and parts of names.
    Owner,
}

impl NameRule {
    /// The rule as a regular expression.
    pub(crate) const fn pattern(self) -> &'static str {
        match self {
            NameRule::Logical => "^[a-z][a-z0-9_-]{0,49}$",
            NameRule::Owner => "^[a-z][a-z0-9-]{0,30}$",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            NameRule::Logical => {
                "a name starts with a lower-case letter and has at most 50 lower-case letters, \
                 digits, `-` and `_`"
            }
            NameRule::Owner => {
                "a stack or stage starts with a lower-case letter and has at most 31 lower-case \
                 letters, digits and `-`"
            }
        }
    }

    pub(crate) fn allows(self, name: &str) -> bool {
        let (longest, underscore) = match self {
            NameRule::Logical => (50, true),
            NameRule::Owner => (31, false),
        };
        name.len() <= longest
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|byte| {
                byte.is_ascii_lowercase()
                    || byte.is_ascii_digit()
                    || byte == b'-'
                    || (underscore && byte == b'_')
            })
    }

    /// What is wrong with this name.
    pub(crate) fn refusal(self, said: &str) -> Diagnostic {
        Diagnostic::error("file/bad-name", "the name is not allowed")
            .with_detail(format!("{said} is not one: {}", self.words()))
    }
}

/// The smallest value that makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Least {
    Zero,
    AboveZero,
}

/// How many names are compared for suggestions before they stop: tens of milliseconds.
const COMPARISONS_MAX: usize = 50_000;

/// What the whole of the reading knows and finds.
pub(crate) struct Check<'a> {
    pub(crate) text: &'a str,
    pub(crate) backends: &'a [&'static BackendInfo],
    /// The entries under `clouds`, with the backend where it is known.
    pub(crate) targets: BTreeMap<&'a str, Option<&'static BackendInfo>>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// How many more names may be compared for a suggestion.
    comparisons_left: usize,
}

impl<'a> Check<'a> {
    pub(crate) fn new(text: &'a str, backends: &'a [&'static BackendInfo]) -> Self {
        Check {
            text,
            backends,
            targets: BTreeMap::new(),
            diagnostics: Vec::new(),
            comparisons_left: COMPARISONS_MAX,
        }
    }

    /// Whether a name may be compared with this many others for a suggestion. A file may give
    /// thousands of names and make as many mistakes: suggestions are made while they cost little.
    pub(crate) fn may_compare(&mut self, names: usize) -> bool {
        let left = self.comparisons_left.checked_sub(names);
        self.comparisons_left = left.unwrap_or(self.comparisons_left);
        left.is_some()
    }

    /// Reports this at this field.
    pub(crate) fn report(&mut self, field: &Field<'_>, diagnostic: Diagnostic) {
        self.diagnostics.push(
            diagnostic
                .with_path(field.path.clone())
                .with_span(field.span.clone()),
        );
    }

    /// A value of a kind that the place does not take.
    pub(crate) fn wrong_type(&mut self, field: &Field<'_>, wanted: &str) {
        if matches!(field.node.kind, NodeKind::Invalid) {
            return;
        }
        let found = field.node.describe();
        self.report(
            field,
            Diagnostic::error("file/wrong-type", "the value has the wrong type")
                .with_detail(format!("expected {wanted}, found {found}")),
        );
    }

    /// A value of the right kind that says something impossible.
    pub(crate) fn bad_value(&mut self, field: &Field<'_>, detail: impl Display) {
        self.report(
            field,
            Diagnostic::error("file/bad-value", "the value is not allowed")
                .with_detail(detail.to_string()),
        );
    }

    /// How a message may quote a value: what came from the environment or looks like a credential
    /// is not repeated.
    pub(crate) fn said(&self, field: &Field<'_>) -> String {
        let NodeKind::Scalar(scalar) = &field.node.kind else {
            return "this".to_owned();
        };
        if scalar.expanded {
            let written = self.text.get(field.node.span.clone()).unwrap_or("this");
            return format!("what `{}` stands for", excerpt(written));
        }
        if secret::looks_like(&scalar.text).is_some() {
            return "this".to_owned();
        }
        format!("`{}`", excerpt(&scalar.text))
    }

    /// How a message may quote a word that was read at this place: as it is when the file has it,
    /// else, since it then came from the environment, as the file writes it.
    pub(crate) fn quoted(&self, word: &str, span: &Range<usize>) -> String {
        let written = self.text.get(span.clone()).unwrap_or_default();
        if written.contains(word) && secret::looks_like(word).is_none() {
            format!("`{}`", excerpt(word))
        } else {
            format!("what `{}` stands for", excerpt(written))
        }
    }

    /// One layer's word on a value: `null` takes it back.
    pub(crate) fn setting<T>(
        &mut self,
        field: Option<Field<'a>>,
        read: impl FnOnce(&mut Self, &Field<'a>) -> Option<T>,
    ) -> Setting<T> {
        match field {
            None => Setting::Inherit,
            Some(field) if field.node.is_null() => Setting::Unstated,
            Some(field) => read(self, &field).map_or(Setting::Inherit, Setting::Value),
        }
    }

    fn scalar(&mut self, field: &Field<'a>, wanted: &str) -> Option<&'a Scalar> {
        match &field.node.kind {
            NodeKind::Scalar(scalar) if !scalar.is_null() => Some(scalar),
            _ => {
                self.wrong_type(field, wanted);
                None
            }
        }
    }

    /// Text; a bare number is taken as written.
    pub(crate) fn text(&mut self, field: &Field<'a>) -> Option<&'a str> {
        let scalar = self.scalar(field, "text")?;
        if scalar.as_bool().is_some() && !scalar.expanded {
            self.report(
                field,
                Diagnostic::error("file/wrong-type", "the value has the wrong type")
                    .with_detail("expected text, found a boolean")
                    .with_hint(format!("put it in quotes: `\"{}\"`", scalar.text)),
            );
            return None;
        }
        if scalar.text.is_empty() {
            self.bad_value(field, "it is empty");
            return None;
        }
        if scalar.text.contains(char::is_control) {
            self.bad_value(field, "it holds a line break or another control character");
            return None;
        }
        Some(&scalar.text)
    }

    /// A name, checked against its rule.
    pub(crate) fn name(&mut self, field: &Field<'a>, rule: NameRule) -> Option<&'a str> {
        let name = self.text(field)?;
        if !rule.allows(name) {
            let said = self.said(field);
            self.report(field, rule.refusal(&said));
            return None;
        }
        Some(name)
    }

    /// A duration such as `30s`.
    pub(crate) fn duration(&mut self, field: &Field<'a>, least: Least) -> Option<Duration> {
        let scalar = self.scalar(field, "a duration such as `30s`")?;
        let Ok(duration) = units::parse_duration(&scalar.text) else {
            let said = self.said(field);
            let refusal = Diagnostic::error("file/bad-value", "the value is not allowed")
                .with_detail(if is_duration_form(&scalar.text) {
                    format!("{said} is longer than any queue lives")
                } else {
                    format!("{said} is no duration: a whole number and one of ms, s, m, h, d")
                });
            let hint = duration_hint(&scalar.text).filter(|_| !scalar.expanded);
            self.report(field, with_hint(refusal, hint));
            return None;
        };
        if duration.is_zero() && least == Least::AboveZero {
            self.bad_value(field, "it must be longer than zero");
            return None;
        }
        Some(duration)
    }

    /// A size in bytes, above zero.
    pub(crate) fn size(&mut self, field: &Field<'a>) -> Option<u64> {
        let scalar = self.scalar(field, "a size such as `256KiB`")?;
        match units::parse_size(&scalar.text) {
            Ok(0) => {
                self.bad_value(field, "it must be larger than zero");
                None
            }
            Ok(bytes) => Some(bytes),
            Err(_) => {
                let said = self.said(field);
                let refusal = Diagnostic::error("file/bad-value", "the value is not allowed")
                    .with_detail(format!(
                        "{said} is no size: whole bytes, or a whole number and one of KiB, MiB, GiB"
                    ));
                let hint = size_hint(&scalar.text).filter(|_| !scalar.expanded);
                self.report(field, with_hint(refusal, hint));
                None
            }
        }
    }

    /// A whole number from 1.
    pub(crate) fn count(&mut self, field: &Field<'a>) -> Option<u32> {
        let number = self.integer(field)?;
        match u32::try_from(number) {
            Ok(0) | Err(_) => {
                let said = self.said(field);
                self.bad_value(field, format!("{said} is outside 1 to {}", u32::MAX));
                None
            }
            Ok(count) => Some(count),
        }
    }

    /// A whole number.
    pub(crate) fn integer(&mut self, field: &Field<'a>) -> Option<i64> {
        const WANTED: &str = "a whole number";
        let scalar = self.scalar(field, WANTED)?;
        if !scalar.is_integer() {
            let said = self.said(field);
            let refusal = Diagnostic::error("file/wrong-type", "the value has the wrong type")
                .with_detail(format!("expected {WANTED}, found {said}"));
            let quoted = !scalar.plain && scalar.text.parse::<i64>().is_ok();
            let hint = quoted.then(|| "remove the quotes".to_owned());
            self.report(field, with_hint(refusal, hint));
            return None;
        }
        let number = scalar.text.parse().ok();
        if number.is_none() {
            self.bad_value(field, "the number is too large");
        }
        number
    }

    /// `true` or `false`.
    pub(crate) fn bool(&mut self, field: &Field<'a>) -> Option<bool> {
        const WANTED: &str = "`true` or `false`";
        let scalar = self.scalar(field, WANTED)?;
        let value = scalar.as_bool();
        if value.is_none() {
            let said = self.said(field);
            let refusal = Diagnostic::error("file/wrong-type", "the value has the wrong type")
                .with_detail(format!("expected {WANTED}, found {said}"));
            let hint = match scalar.text.to_lowercase().as_str() {
                "yes" | "on" | "true" => Some("write `true`".to_owned()),
                "no" | "off" | "false" => Some("write `false`".to_owned()),
                _ => None,
            };
            self.report(field, with_hint(refusal, hint));
        }
        value
    }

    /// One of these words.
    pub(crate) fn one_of<T: Copy>(
        &mut self,
        field: &Field<'a>,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let wanted = list(words.iter().map(|(word, _)| *word), "or");
        let scalar = self.scalar(field, &wanted)?;
        let found = words.iter().find(|(word, _)| *word == scalar.text);
        if found.is_none() {
            let said = self.said(field);
            let refusal = Diagnostic::error("file/bad-value", "the value is not allowed")
                .with_detail(format!("{said} is not {wanted}"));
            let known = words.iter().map(|(word, _)| *word);
            let hint = did_you_mean(&scalar.text, known).filter(|_| !scalar.expanded);
            self.report(field, with_hint(refusal, hint));
        }
        found.map(|(_, value)| *value)
    }

    /// A map of any keys.
    pub(crate) fn map(&mut self, field: &Field<'a>) -> Option<&'a Mapping> {
        if let NodeKind::Mapping(mapping) = &field.node.kind {
            return Some(mapping);
        }
        self.wrong_type(field, "a map");
        None
    }

    /// A map of known keys; `what` names it in messages.
    pub(crate) fn fields(&mut self, field: &Field<'a>, what: &'static str) -> Option<Fields<'a>> {
        Some(Fields {
            path: field.path.clone(),
            span: field.span.clone(),
            what,
            mapping: self.map(field)?,
            asked: Vec::new(),
        })
    }

    /// A key that the map must have.
    pub(crate) fn required(
        &mut self,
        fields: &mut Fields<'a>,
        key: &'static str,
        hint: &str,
    ) -> Option<Field<'a>> {
        let field = fields.get(key);
        if field.is_none() {
            self.diagnostics.push(
                Diagnostic::error("file/missing-key", "a key is missing")
                    .with_detail(format!("{} needs `{key}`", fields.what))
                    .with_path(fields.path.clone())
                    .with_span(fields.span.clone())
                    .with_hint(hint.to_owned()),
            );
        }
        field
    }

    /// Reports every key that was not asked for.
    pub(crate) fn finish(&mut self, fields: Fields<'a>) {
        let Fields {
            path,
            what,
            mapping,
            asked,
            ..
        } = fields;
        let unknown = mapping
            .entries()
            .iter()
            .filter(|entry| !asked.contains(&entry.key.as_str()));
        for entry in unknown {
            let known = asked.iter().copied();
            let hint = did_you_mean(&entry.key, known.clone())
                .or_else(|| docs::elsewhere(&entry.key))
                .unwrap_or_else(|| format!("it takes {}", list(known, "and")));
            self.unknown_key(&path, entry, what, hint);
        }
    }

    /// Reports one key that its map does not take.
    pub(crate) fn unknown_key(&mut self, path: &str, entry: &Entry, what: &str, hint: String) {
        let mut field = Field::entry(path, entry);
        field.span = entry.key_span.clone();
        let key = excerpt(&entry.key);
        let diagnostic = if entry.key == "subscribers" {
            Diagnostic::error("file/reserved-key", "the key is reserved").with_detail(
                "`subscribers` will stand for fan-out topics; queues are point-to-point",
            )
        } else {
            Diagnostic::error("file/unknown-key", "unknown key")
                .with_detail(format!("`{key}` is not a key of {what}"))
                .with_hint(hint)
        };
        self.report(&field, diagnostic);
    }

    /// A target or a backend that this name stands for, with a report where there is none. The
    /// outer `None` is unknown, the inner one a target whose own backend is not known.
    pub(crate) fn cloud(
        &mut self,
        name: &str,
        field: &Field<'_>,
    ) -> Option<Option<&'static BackendInfo>> {
        if let Some(backend) = self.targets.get(name) {
            return Some(*backend);
        }
        let backends = self.backends;
        if let Some(backend) = backends.iter().find(|backend| backend.id == name) {
            return Some(Some(backend));
        }
        let ids = || backends.iter().map(|backend| backend.id);
        let hint = self
            .may_compare(self.targets.len())
            .then(|| did_you_mean(name, self.targets.keys().copied().chain(ids())))
            .flatten()
            .or_else(|| by_service(name, backends));
        let quoted = self.quoted(name, &field.span);
        let refusal =
            Diagnostic::error("file/unknown-cloud", "unknown cloud").with_detail(format!(
                "{quoted} is neither an entry under `clouds` nor one of {}",
                list(ids(), "and"),
            ));
        self.report(field, with_hint(refusal, hint));
        None
    }
}

/// The backend whose service has this word in its name: `sqs`, `pubsub`, `Google`.
pub(crate) fn by_service(word: &str, backends: &[&'static BackendInfo]) -> Option<String> {
    let fold = |text: &str| -> String {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .flat_map(char::to_lowercase)
            .collect()
    };
    let word = fold(word);
    let named = |backend: &&&'static BackendInfo| fold(backend.service).contains(&word);
    let backend = backends.iter().find(named).filter(|_| word.len() >= 3)?;
    Some(format!(
        "{} is called `{}` here",
        backend.service, backend.id
    ))
}

/// This diagnostic with a hint, where there is one.
pub(crate) fn with_hint(diagnostic: Diagnostic, hint: Option<String>) -> Diagnostic {
    match hint {
        Some(hint) => diagnostic.with_hint(hint),
        None => diagnostic,
    }
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>, last: &str) -> String {
    let mut words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.pop() {
        Some(end) if words.is_empty() => end,
        Some(end) => format!("{} {last} {end}", words.join(", ")),
        None => "nothing".to_owned(),
    }
}

/// The start of a key, short enough for a message.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

/// Digits and a unit: then what is wrong is the size of the number.
fn is_duration_form(text: &str) -> bool {
    let unit = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    unit.len() < text.len() && matches!(unit, "ms" | "s" | "m" | "h" | "d")
}

fn duration_hint(text: &str) -> Option<String> {
    let compact: String = text.to_lowercase().split_whitespace().collect();
    let digits: String = compact.chars().take_while(char::is_ascii_digit).collect();
    if digits.is_empty() || is_duration_form(text) {
        return None;
    }
    let unit = match &compact[digits.len()..] {
        "" => return Some(format!("say the unit: `{digits}s` for seconds")),
        "ms" | "msec" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    };
    Some(format!("write `{digits}{unit}`"))
}

fn size_hint(text: &str) -> Option<String> {
    let compact: String = text.to_lowercase().split_whitespace().collect();
    let digits: String = compact.chars().take_while(char::is_ascii_digit).collect();
    let unit = match &compact[digits.len()..] {
        "k" | "kb" | "kib" => "KiB",
        "m" | "mb" | "mib" => "MiB",
        "g" | "gb" | "gib" => "GiB",
        _ => return None,
    };
    (!digits.is_empty()).then(|| format!("write `{digits}{unit}`"))
}
