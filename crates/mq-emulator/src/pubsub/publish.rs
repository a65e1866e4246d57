//! Publishing.
//!
//! Bounds: <https://cloud.google.com/pubsub/quotas#resource_limits>.

use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    PublishRequest, PublishResponse, PubsubMessage,
};
use mq_engine::{Denied, Operation, Outcome, Sent};
use prost::Message as _;
use tonic::Status;

use super::status::{denied, shown};
use super::{PubSub, envelope, names};

/// The largest request, in bytes of protobuf.
pub(super) const BYTES_MAX: usize = 10_000_000;
const MESSAGES_MAX: usize = 1_000;
const ATTRIBUTES_MAX: usize = 100;
const KEY_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 1_024;
const ORDERING_KEY_BYTES_MAX: usize = 1_024;

impl PubSub {
    pub(super) fn publish(&self, request: PublishRequest) -> Result<PublishResponse, Status> {
        let to = names::topic(&request.topic)?;
        check(&request)?;
        let messages = request.messages.into_iter().map(envelope::close).collect();
        let send = Operation::Send {
            to,
            messages,
            whole: true,
        };
        let name = &request.topic;
        match self
            .shared
            .perform(send)
            .map_err(|why| denied(&why, name))?
        {
            Outcome::Sent(sent) => ids(sent, name),
            _ => Err(Status::internal("A publish brought something else.")),
        }
    }
}

fn ids(sent: Vec<Result<Sent, Denied>>, topic: &str) -> Result<PublishResponse, Status> {
    let id = |sent: Result<Sent, Denied>| sent.map(|sent| sent.id.to_string());
    let message_ids = sent.into_iter().map(id).collect::<Result<_, _>>();
    Ok(PublishResponse {
        message_ids: message_ids.map_err(|why| denied(&why, topic))?,
    })
}

pub(super) fn check(request: &PublishRequest) -> Result<(), Status> {
    let messages = &request.messages;
    if messages.is_empty() || messages.len() > MESSAGES_MAX {
        return Err(invalid(format!(
            "A publish request must have from 1 to {MESSAGES_MAX} messages; it has {}.",
            messages.len()
        )));
    }
    let size = request.encoded_len();
    if size > BYTES_MAX {
        return Err(invalid(format!(
            "Request payload size exceeds the limit: {BYTES_MAX} bytes; it has {size}."
        )));
    }
    for message in messages {
        check_message(message)?;
    }
    let key = &messages[0].ordering_key;
    if messages.iter().any(|message| message.ordering_key != *key) {
        return Err(invalid(
            "The messages of one publish request must all have the same ordering key, or none."
                .to_owned(),
        ));
    }
    Ok(())
}

fn check_message(message: &PubsubMessage) -> Result<(), Status> {
    if message.data.is_empty() && message.attributes.is_empty() {
        return Err(invalid(
            "A message must have data or at least one attribute.".to_owned(),
        ));
    }
    if message.ordering_key.len() > ORDERING_KEY_BYTES_MAX {
        return Err(invalid(format!(
            "An ordering key must not be longer than {ORDERING_KEY_BYTES_MAX} bytes."
        )));
    }
    if message.attributes.len() > ATTRIBUTES_MAX {
        return Err(invalid(format!(
            "A message must not have more than {ATTRIBUTES_MAX} attributes; it has {}.",
            message.attributes.len()
        )));
    }
    let mut attributes: Vec<_> = message.attributes.iter().collect();
    // In order, so that the same request is always refused for the same attribute.
    attributes.sort_unstable();
    for (key, value) in attributes {
        let fault = |why: String| invalid(format!("Attribute \"{}\": {why}.", shown(key)));
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return Err(fault(format!("a key has from 1 to {KEY_BYTES_MAX} bytes")));
        }
        if key.starts_with("goog") {
            return Err(fault(
                "keys that start with \"goog\" are reserved".to_owned(),
            ));
        }
        if value.len() > VALUE_BYTES_MAX {
            return Err(fault(format!(
                "a value must not be longer than {VALUE_BYTES_MAX} bytes"
            )));
        }
    }
    Ok(())
}

fn invalid(why: String) -> Status {
    Status::invalid_argument(why)
}
