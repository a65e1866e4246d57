//! What went wrong, as it is told to a user: what failed and where, why, and what to do.

use std::fmt;
use std::sync::Arc;

use mq_config::SourceMap;
use mq_core::{Diagnostic, Severity};
use serde::Serialize;

use crate::exit::Exit;

/// A result with this crate's [`Failure`].
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// An end that needs words.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// The code to end with.
    pub(crate) exit: Exit,
    /// What failed and where, in one line.
    pub(crate) what: String,
    /// Why, where that needs a line of its own.
    pub(crate) why: Option<String>,
    /// The exact edit or command that helps.
    pub(crate) hint: Option<String>,
    /// What is wrong with the file, where it is the file.
    pub(crate) findings: Box<Findings>,
    /// How each cloud fared; a single one fared as this failure says.
    pub(crate) clouds: Vec<CloudEnd>,
}

/// How one cloud fared when the command ended before its work began.
#[derive(Debug, Clone)]
pub(crate) struct CloudEnd {
    /// The target's key under `clouds`.
    pub(crate) target: String,
    /// Its backend.
    pub(crate) backend: String,
    /// Why it failed; `None` where only another did.
    pub(crate) failure: Option<Failure>,
}

/// What was found in a file, with the text to show it in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    /// The file's name.
    pub(crate) file: String,
    /// What was found.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The file's text and places.
    pub(crate) source: Arc<SourceMap>,
}

impl Findings {
    /// The number of errors.
    pub(crate) fn errors(&self) -> usize {
        let is_error = |found: &&Diagnostic| found.severity == Severity::Error;
        self.diagnostics.iter().filter(is_error).count()
    }

    /// As text, over the file's lines; those of less weight are left out.
    pub(crate) fn rendered(&self, least: Severity, color: bool) -> String {
        let weighs = |found: &&Diagnostic| found.severity >= least;
        let shown: Vec<Diagnostic> = self.diagnostics.iter().filter(weighs).cloned().collect();
        mq_config::render(&shown, self.source.text(), &self.file, color)
    }

    /// The form in JSON documents.
    pub(crate) fn documents(&self) -> Vec<FindingDocument<'_>> {
        let document = |diagnostic| {
            let position = |diagnostic: &Diagnostic| {
                Some(self.source.position(diagnostic.span.as_ref()?.start))
            };
            let position = position(diagnostic);
            FindingDocument {
                diagnostic,
                line: position.map(|position| position.line),
                column: position.map(|position| position.column),
            }
        };
        self.diagnostics.iter().map(document).collect()
    }
}

/// A finding in a JSON document.
#[derive(Debug, Serialize)]
pub(crate) struct FindingDocument<'a> {
    #[serde(flatten)]
    diagnostic: &'a Diagnostic,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

impl Failure {
    /// A failure with this code.
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Failure {
            exit,
            what: what.into(),
            why: None,
            hint: None,
            findings: Box::default(),
            clouds: Vec::new(),
        }
    }

    /// A file with errors in it.
    pub(crate) fn in_file(findings: Findings) -> Self {
        let errors = findings.errors();
        let plural = if errors == 1 { "" } else { "s" };
        Failure {
            what: format!("{} has {errors} error{plural}", findings.file),
            findings: Box::new(findings),
            ..Self::usage("")
        }
    }

    /// Wrong use or configuration: nothing was sent anywhere.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// A call that failed while doing `what`.
    pub(crate) fn of(what: impl fmt::Display, error: &mq_core::Error) -> Self {
        Failure {
            exit: Exit::from(error.kind()),
            what: format!("failed to {what}"),
            why: Some(reason(error)),
            hint: error.hint().map(str::to_owned),
            findings: Box::default(),
            clouds: Vec::new(),
        }
    }

    /// One of several clouds failed before anything was written: the worst end counts, and each
    /// keeps its own words.
    pub(crate) fn before_writing(clouds: Vec<CloudEnd>) -> Self {
        let failures = || clouds.iter().filter_map(|cloud| cloud.failure.as_ref());
        if let (Some(only), 1) = (failures().next().cloned(), clouds.len()) {
            return Failure { clouds, ..only };
        }
        let exit = failures().fold(Exit::Done, |exit, failure| exit.worse(failure.exit));
        let what = format!(
            "{} of {} clouds failed, and nothing was written on any",
            failures().count(),
            clouds.len()
        );
        Failure {
            clouds,
            ..Self::new(exit, what)
        }
    }

    /// Says why.
    pub(crate) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Says what helps.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same words under another code: `exec` has codes of its own.
    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The form in JSON documents.
    pub(crate) fn document(&self) -> FailureDocument<'_> {
        FailureDocument {
            what: &self.what,
            why: self.why.as_deref(),
            hint: self.hint.as_deref(),
            exit_code: self.exit.code(),
        }
    }
}

/// The error's own words, without the context that the line above it has already.
fn reason(error: &mq_core::Error) -> String {
    let mut text = error.message().to_owned();
    if !error.operation().is_empty() {
        text = format!("{}: {text}", error.operation());
    }
    let told = ["on", "to"];
    let more: Vec<String> = error
        .context()
        .iter()
        .filter(|(key, _)| !told.contains(key))
        .map(|(key, value)| format!("{key} {value}"))
        .collect();
    if more.is_empty() {
        text
    } else {
        format!("{text} ({})", more.join(", "))
    }
}

/// Input and output at the edge: what was tried, and the system's reason.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let failure = Failure::new(Exit::Failed, error.to_string());
        let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
        if causes.is_empty() {
            failure
        } else {
            failure.because(causes.join(": "))
        }
    }
}

/// A failure in a JSON document.
#[derive(Debug, Serialize)]
pub(crate) struct FailureDocument<'a> {
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    exit_code: u8,
}
