//! One error type for every cloud: what failed, whether trying again can help, and whether the
//! call may have happened all the same.

use std::fmt;
use std::time::Duration;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it is; the exit code follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The resource is not there.
    NotFound,
    /// A resource of that name is there already.
    AlreadyExists,
    /// The resource is in a state, or under another operation, that forbids this one.
    Conflict,
    /// No credentials, or the service does not know them.
    Unauthenticated,
    /// Known credentials without the right; the message names the right.
    PermissionDenied,
    /// The service asks to slow down.
    RateLimited,
    /// A limit of the account is reached; slowing down does not help.
    QuotaExceeded,
    /// The message is larger than the service takes.
    PayloadTooLarge,
    /// The receipt was never one.
    ReceiptInvalid,
    /// The receipt's lease has run out.
    LeaseExpired,
    /// The service has nothing like it.
    Unsupported,
    /// The file asks for something that no service or this service cannot be asked for.
    SpecInvalid,
    /// The environment or the `clouds` entry is incomplete or contradicts itself.
    ConfigInvalid,
    /// `mq` will not do it: not ours, protected, holding messages, immutable.
    Refused,
    /// The service cannot be reached or answers that it is out of order.
    Unavailable,
    /// The time set for it ran out.
    TimedOut,
    /// The user interrupted.
    Cancelled,
    /// An answer that is not in the backend's table.
    Unexpected,
}

/// Whether the same call can be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It would fail again.
    Never,
    /// It may succeed later; `Some` is the least wait that the service asks for.
    After(Option<Duration>),
    /// It will succeed within a known time: a name that the service keeps after a deletion.
    Poll {
        /// How long to wait between two tries.
        every: Duration,
        /// How long to go on.
        within: Duration,
    },
    /// It was tried again as often as the budget allows.
    Exhausted,
}

/// Whether a failed call may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It did not.
    None,
    /// It may have: the answer was lost, or was an error of the service itself.
    Unknown,
}

/// A failure of a call to a cloud, or of the logic around it.
///
/// `Display` is one line for the user; `Debug` has everything for the developer. Neither ever
/// holds a secret: backends put no credentials into messages or contexts.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    retry: Retry,
    effect: Effect,
    operation: String,
    message: String,
    hint: Option<String>,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of this kind that is not worth retrying and had no effect; the `with_` methods
    /// say otherwise. `message` is a lower-case fragment that fits "failed to …: message".
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            retry: Retry::Never,
            effect: Effect::None,
            operation: String::new(),
            message: message.into(),
            hint: None,
            context: Vec::new(),
            source: None,
        }))
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether to try again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Whether it may have happened.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// The operation in the service's own words, such as `CreateQueue`; empty when none was made.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// What happened, without operation and context.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The exact edit or command that would help.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Pairs that say where: resource, region, request id.
    #[must_use]
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// Says whether to try again.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Says whether it may have happened.
    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.0.effect = effect;
        self
    }

    /// Names the service's operation.
    #[must_use]
    pub fn with_operation(mut self, operation: impl Into<String>) -> Self {
        self.0.operation = operation.into();
        self
    }

    /// Names the edit or command that would help.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds a pair that says where.
    #[must_use]
    pub fn with_context(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.0.context.push((key, value.into()));
        self
    }

    /// Keeps the error underneath for developers; users never see its text.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.operation.is_empty() {
            write!(f, "{}: ", self.0.operation)?;
        }
        f.write_str(&self.0.message)?;
        if !self.0.context.is_empty() {
            f.write_str(" (")?;
            for (index, (key, value)) in self.0.context.iter().enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                write!(f, "{comma}{key} {value}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("retry", &self.0.retry)
            .field("effect", &self.0.effect)
            .field("operation", &self.0.operation)
            .field("message", &self.0.message)
            .field("hint", &self.0.hint)
            .field("context", &self.0.context)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
