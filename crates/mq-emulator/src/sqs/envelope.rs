//! What a queue keeps of a message beside its body and its ids.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::error::{Code, SqsError};
use super::typed::{TRACE_HEADER, TypedMap};

/// A message's attributes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Envelope {
    pub(super) attributes: TypedMap,
    /// The trace header of its sender.
    pub(super) trace: Option<String>,
}

impl Envelope {
    pub(super) fn new(attributes: TypedMap, system: &TypedMap) -> Self {
        let trace = system
            .get(TRACE_HEADER)
            .and_then(|value| value.string.clone());
        Envelope { attributes, trace }
    }

    /// As the engine keeps it. Most messages have none of this, and then it takes no bytes.
    pub(super) fn to_bytes(&self) -> Result<Bytes, SqsError> {
        if self.attributes.is_empty() && self.trace.is_none() {
            return Ok(Bytes::new());
        }
        serde_json::to_vec(self)
            .map(Bytes::from)
            .map_err(|error| unreadable(&error))
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, SqsError> {
        if bytes.is_empty() {
            return Ok(Envelope::default());
        }
        serde_json::from_slice(bytes).map_err(|error| unreadable(&error))
    }
}

fn unreadable(error: &serde_json::Error) -> SqsError {
    SqsError::new(
        Code::InternalFailure,
        format!("The message's attributes cannot be read: {error}."),
    )
}
