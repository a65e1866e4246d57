//! How a cloud holds an attribute: the heart of "equivalent".

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::queue::Origin;

/// One attribute of one queue on one cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The attribute's path in the file, such as `dead_letter.max_deliveries`.
    pub attribute: String,
    /// The value asked for, as the file writes it.
    pub value: String,
    /// Whether the file states it or `mq` writes it on create.
    pub origin: Origin,
    /// How the cloud holds it.
    #[serde(flatten)]
    pub hold: Hold,
    /// What the receiving or sending application must do for it to hold.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub consumer: Option<Cow<'static, str>>,
    /// The vendor page that the facts come from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Cow<'static, str>>,
}

/// How a cloud holds an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Hold {
    /// The service does just this.
    Exact,
    /// Close: another value or a weaker promise.
    Approximate {
        /// What was asked.
        from: String,
        /// What the service will have.
        to: String,
        /// Why it cannot be exact.
        why: String,
    },
    /// Holds only for messages that go through `mq`'s own data plane.
    ClientSide {
        /// How the client does it.
        how: String,
    },
    /// The service has nothing like it.
    Unsupported {
        /// Why, and where to turn instead.
        why: String,
    },
}

impl Hold {
    /// The verdict's name: `exact`, `approximate`, `client-side` or `unsupported`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Hold::Exact => "exact",
            Hold::Approximate { .. } => "approximate",
            Hold::ClientSide { .. } => "client-side",
            Hold::Unsupported { .. } => "unsupported",
        }
    }

    /// The reason, empty for `exact`.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Hold::Exact => "",
            Hold::Approximate { why, .. } | Hold::Unsupported { why } => why,
            Hold::ClientSide { how } => how,
        }
    }
}

impl Verdict {
    /// A verdict on an attribute; add the rest with the `with_` methods.
    pub fn new(
        attribute: impl Into<String>,
        value: impl Into<String>,
        origin: Origin,
        hold: Hold,
    ) -> Self {
        Verdict {
            attribute: attribute.into(),
            value: value.into(),
            origin,
            hold,
            consumer: None,
            source: None,
        }
    }

    /// Says what the application must do.
    #[must_use]
    pub fn with_consumer(mut self, consumer: impl Into<Cow<'static, str>>) -> Self {
        self.consumer = Some(consumer.into());
        self
    }

    /// Names the vendor page.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Cow<'static, str>>) -> Self {
        self.source = Some(source.into());
        self
    }
}
