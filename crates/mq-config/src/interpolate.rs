//! `${VAR}`, `${VAR:-default}`, `${VAR:?message}` and `$${` in the values of the file.
//!
//! Expanded once: what a variable holds is never expanded again, so a value from outside cannot
//! name another variable. Keys are not expanded, or a variable could change what the file means.

use std::ops::Range;

use mq_core::Diagnostic;

use crate::tree::{Node, NodeKind, Scalar};

/// Looks up a variable.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Expands every value of the tree; what cannot be expanded is reported and becomes
/// [`NodeKind::Invalid`].
pub(crate) fn interpolate(
    root: &mut Node,
    text: &str,
    environment: Environment<'_>,
) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    walk(root, text, environment, &mut diagnostics);
    diagnostics
}

fn walk(node: &mut Node, text: &str, environment: Environment<'_>, found: &mut Vec<Diagnostic>) {
    match &mut node.kind {
        NodeKind::Mapping(mapping) => mapping
            .values_mut()
            .for_each(|value| walk(value, text, environment, found)),
        NodeKind::Sequence(items) => items
            .iter_mut()
            .for_each(|item| walk(item, text, environment, found)),
        NodeKind::Scalar(scalar) if scalar.text.contains("${") => {
            match expand(&scalar.text, environment) {
                Ok(expanded) => {
                    // Within braces `${…}` must be quoted, so the quotes say nothing of the type.
                    *scalar = Scalar {
                        text: expanded,
                        plain: true,
                        expanded: true,
                    };
                }
                Err(problem) => {
                    found.push(problem.diagnostic(text, &node.span));
                    node.kind = NodeKind::Invalid;
                }
            }
        }
        NodeKind::Scalar(_) | NodeKind::Invalid => {}
    }
}

/// What keeps a value from being expanded.
#[derive(Debug, PartialEq, Eq)]
enum Problem {
    /// The variable is not set, and the file has no default.
    Unset { name: String },
    /// The variable is not set, and the file says what to tell then.
    Required { name: String, message: String },
    /// `${` without a proper end or name.
    Malformed { expression: String },
}

impl Problem {
    fn diagnostic(self, text: &str, span: &Range<usize>) -> Diagnostic {
        match self {
            Problem::Unset { name } => Diagnostic::error("file/variable", "a variable is not set")
                .with_detail(format!(
                    "`{name}` is not in the environment, and the file has no default for it"
                ))
                .with_span(within(text, span, &format!("${{{name}")))
                .with_hint(format!(
                    "set `{name}`, or give it a default: `${{{name}:-…}}`"
                )),
            Problem::Required { name, message } => {
                Diagnostic::error("file/variable", "a variable is not set")
                    .with_detail(if message.is_empty() {
                        format!("`{name}` is not in the environment, or empty")
                    } else {
                        format!("`{name}`: {message}")
                    })
                    .with_span(within(text, span, &format!("${{{name}")))
                    .with_hint(format!("set `{name}`"))
            }
            Problem::Malformed { expression } => {
                Diagnostic::error("file/variable-form", "a variable cannot be read")
                    .with_detail(
                        "the forms are `${VAR}`, `${VAR:-default}` and `${VAR:?message}`; a \
                         default is not expanded",
                    )
                    .with_span(within(text, span, &expression))
                    .with_hint("write `$${` where the text `${` is meant")
            }
        }
    }
}

/// The place of an expression inside a value, or the whole value where it is not written as such.
fn within(text: &str, span: &Range<usize>, expression: &str) -> Range<usize> {
    let Some(written) = text.get(span.clone()) else {
        return span.clone();
    };
    match written.find(expression) {
        Some(offset) => {
            let start = span.start + offset;
            let end = written[offset..]
                .find('}')
                .map_or(span.end, |end| start + end + 1);
            start..end
        }
        None => span.clone(),
    }
}

fn expand(text: &str, environment: Environment<'_>) -> Result<String, Problem> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, expression) = rest.split_at(at);
        if let Some(escaped) = before.strip_suffix('$') {
            expanded.push_str(escaped);
            expanded.push_str("${");
            rest = &expression[2..];
            continue;
        }
        expanded.push_str(before);
        let malformed = || Problem::Malformed {
            expression: expression.lines().next().unwrap_or_default().to_owned(),
        };
        let end = expression.find('}').ok_or_else(malformed)?;
        let value = variable(&expression[2..end], environment).ok_or_else(malformed)??;
        expanded.push_str(&value);
        rest = &expression[end + 1..];
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// The value of what stands between the braces; `None` when that is no expression.
fn variable(inside: &str, environment: Environment<'_>) -> Option<Result<String, Problem>> {
    let length = inside
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count();
    let (name, operator) = inside.split_at(length);
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    // As in a shell, `:-` and `:?` take an empty variable for an unset one.
    let filled = || environment(name).filter(|value| !value.is_empty());
    if operator.is_empty() {
        return Some(environment(name).ok_or_else(|| Problem::Unset {
            name: name.to_owned(),
        }));
    }
    if operator.contains("${") {
        return None;
    }
    if let Some(default) = operator.strip_prefix(":-") {
        return Some(Ok(filled().unwrap_or_else(|| default.to_owned())));
    }
    let message = operator.strip_prefix(":?")?;
    Some(filled().ok_or_else(|| Problem::Required {
        name: name.to_owned(),
        message: message.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, Problem> {
        expand(text, &|name| match name {
            "REGION" => Some("eu-west-1".to_owned()),
            "EMPTY" => Some(String::new()),
            "TRICK" => Some("${REGION}".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn each_form_expands_once() {
        for (text, value) in [
            ("${REGION}", "eu-west-1"),
            ("a-${REGION}-${REGION}", "a-eu-west-1-eu-west-1"),
            ("${EMPTY}", ""),
            ("${EMPTY:-x}", "x"),
            ("${MISSING:-a:-b}", "a:-b"),
            ("${MISSING:-}", ""),
            ("${REGION:?needed}", "eu-west-1"),
            ("$${REGION}", "${REGION}"),
            ("$REGION $5 }", "$REGION $5 }"),
            ("${TRICK}", "${REGION}"),
            ("${TRICK:-x}", "${REGION}"),
        ] {
            assert_eq!(expanded(text).as_deref(), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_cannot_expand_says_why() {
        for text in ["${MISSING}", "x${MISSING}y"] {
            assert!(
                matches!(expanded(text), Err(Problem::Unset { .. })),
                "{text}"
            );
        }
        assert_eq!(
            expanded("${EMPTY:?say it}"),
            Err(Problem::Required {
                name: "EMPTY".to_owned(),
                message: "say it".to_owned()
            })
        );
        for text in [
            "${",
            "${}",
            "${1A}",
            "${A-b}",
            "${A:+b}",
            "${A:-${REGION}}",
            "${ A }",
        ] {
            assert!(
                matches!(expanded(text), Err(Problem::Malformed { .. })),
                "{text}"
            );
        }
    }
}
