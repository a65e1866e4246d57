//! Values that look like credentials: a warning, and never quoted in a message.

use mq_core::Diagnostic;

use crate::check::Field;
use crate::tree::{Node, NodeKind};

/// The identity of the warning: what it points at is never shown.
pub(crate) const ID: &str = "file/secret";

/// Warns of every value in the tree that looks like a credential.
pub(crate) fn warnings(root: &Node) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let field = Field {
        node: root,
        path: String::new(),
        span: root.span.clone(),
    };
    walk(&field, &mut found);
    found
}

fn walk(field: &Field<'_>, found: &mut Vec<Diagnostic>) {
    match &field.node.kind {
        NodeKind::Mapping(mapping) => {
            for entry in mapping.entries() {
                walk(&Field::entry(&field.path, entry), found);
            }
        }
        NodeKind::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(&Field::item(&field.path, index, item), found);
            }
        }
        NodeKind::Scalar(scalar) => {
            if let Some(what) = looks_like(&scalar.text) {
                found.push(warning(field, what));
            }
        }
        NodeKind::Invalid => {}
    }
}

fn warning(field: &Field<'_>, what: &str) -> Diagnostic {
    Diagnostic::warning(ID, "the value looks like a secret")
        .with_detail(format!(
            "it looks like {what}; everyone who reads the repository reads this file, and plans \
             show its values"
        ))
        .with_path(field.path.clone())
        .with_span(field.node.span.clone())
        .with_hint("credentials come from each vendor's own chain, never from the file")
}

/// What a value looks like, for the message; `None` when it looks harmless.
///
/// Only forms that name themselves count. A guess by randomness would cry wolf at every hash.
pub(crate) fn looks_like(value: &str) -> Option<&'static str> {
    const PARTS: [(&str, &str); 4] = [
        ("SharedAccessKey=", "a Service Bus connection string"),
        ("SharedAccessSignature ", "a shared access signature"),
        ("-----BEGIN ", "a private key or certificate"),
        ("\"private_key\"", "a Google service account key"),
    ];
    const STARTS: [(&str, usize, &str); 8] = [
        ("AKIA", 20, "an AWS access key id"),
        ("ASIA", 20, "an AWS access key id"),
        ("AIza", 39, "a Google API key"),
        ("ya29.", 40, "a Google access token"),
        ("eyJ", 60, "a JSON web token"),
        ("ghp_", 40, "a GitHub token"),
        ("github_pat_", 40, "a GitHub token"),
        ("xoxb-", 40, "a Slack token"),
    ];
    let by_part = PARTS.iter().find(|(part, _)| value.contains(part));
    let by_start = || {
        let token = !value.contains(char::is_whitespace);
        STARTS
            .iter()
            .find(|(start, length, _)| token && value.len() >= *length && value.starts_with(start))
            .map(|(_, _, what)| *what)
    };
    by_part.map(|(_, what)| *what).or_else(by_start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_seen_and_names_are_not() {
        let jwt = format!("eyJhbGciOi{}", "x".repeat(60));
        for value in [
            "Endpoint=sb://a/;SharedAccessKeyName=n;SharedAccessKey=abc=",
            "AKIAIOSFODNN7EXAMPLE",
            "-----BEGIN PRIVATE KEY-----\nabc",
            jwt.as_str(),
        ] {
            assert!(looks_like(value).is_some(), "{value}");
        }
        for value in ["", "akia", "AKIA-team", "inference", "alias/queues", "eyJ"] {
            assert_eq!(looks_like(value), None, "{value}");
        }
    }
}
