//! What is wrong with a file, said so that it can be mended.

use std::ops::Range;

use serde::Serialize;

/// How much a diagnostic stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; never changes an exit code.
    Note,
    /// Something is only close to what the file says.
    Warning,
    /// Nothing is sent to any cloud.
    Error,
}

/// One finding. `summary` is a fixed text (no user data, so that it can be searched for);
/// `detail` says what, why and where; `hint` names the exact edit or command.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Diagnostic {
    /// Stable identity, such as `file/unknown-key` or `verdict/unsupported`.
    pub id: &'static str,
    /// How much it stops.
    pub severity: Severity,
    /// What kind of thing is wrong.
    pub summary: String,
    /// What exactly, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Where in the file, as a path of keys: `queues.orders.retention`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where in the file, as a range of bytes, when the reader of the file knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Range<usize>>,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A finding of this severity; add the rest with the `with_` methods.
    pub fn new(severity: Severity, id: &'static str, summary: impl Into<String>) -> Self {
        Diagnostic {
            id,
            severity,
            summary: summary.into(),
            detail: None,
            path: None,
            span: None,
            hint: None,
        }
    }

    /// An error.
    pub fn error(id: &'static str, summary: impl Into<String>) -> Self {
        Self::new(Severity::Error, id, summary)
    }

    /// A warning.
    pub fn warning(id: &'static str, summary: impl Into<String>) -> Self {
        Self::new(Severity::Warning, id, summary)
    }

    /// Says what exactly, and why.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says where, as a path of keys.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Says where, as bytes of the text.
    #[must_use]
    pub fn with_span(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
