//! One message for many subscriptions.
//!
//! Which subscription takes a message is the front-end's language, and dead letters and forwards
//! reach topics at times when no front-end is there to be asked. So the front-end compiles a
//! subscription's filter when the subscription is created or changed, from the document that it
//! keeps with it, and the engine asks the compiled one. Commands remain plain data: the text of
//! the filter is in the document, and the same text must always decide in the same way.

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;

use crate::arrival::Arrival;
use crate::engine::Engine;
use crate::entity::Entity;
use crate::message::Content;

/// Makes filters of subscriptions' documents.
pub trait Filters: Debug + Send + Sync {
    /// The filter of this subscription; `None` takes everything.
    fn compile(&self, subscription: &Entity) -> Option<Arc<dyn Filter>>;
}

/// Decides for one subscription. The decision must follow from the message alone.
pub trait Filter: Debug + Send + Sync {
    /// What the subscription gets of this message.
    fn route(&self, message: &MessageView<'_>) -> Routing;
}

/// What a filter sees of a message.
#[derive(Debug, Clone, Copy)]
pub struct MessageView<'a> {
    /// The body.
    pub body: &'a Bytes,
    /// The front-end's own encoding.
    pub properties: &'a Bytes,
    /// The ordering group, session or ordering key.
    pub group: Option<&'a str>,
    /// By what a duplicate is recognised.
    pub duplicate_id: Option<&'a str>,
}

/// What a subscription gets of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Routing {
    /// Nothing.
    Skip,
    /// The message as it is.
    Take,
    /// One copy for each of these, with these properties instead of the message's own.
    Copies(Vec<Bytes>),
}

impl Engine {
    /// Gives a message to the subscriptions of a topic that take it.
    pub(crate) fn fan_out(&mut self, topic: u64, arrival: Arrival) {
        let subscriptions: Vec<u64> = self.subscribers_of(topic);
        for number in subscriptions {
            if planted!(FanOutSkips, number.is_multiple_of(2), false) {
                continue;
            }
            match self.route(number, &arrival.content) {
                Routing::Skip => {}
                Routing::Take => self.arrive(number, arrival.copy(arrival.content.clone())),
                Routing::Copies(copies) => {
                    for properties in copies {
                        let content = arrival.content.copy(arrival.content.id, Some(properties));
                        let content = self.memory.hold(content);
                        self.arrive(number, arrival.copy(content));
                    }
                }
            }
        }
        self.memory.release(arrival.content);
    }

    fn route(&self, subscription: u64, content: &Content) -> Routing {
        let filter = self.filter_of(subscription);
        filter.map_or(Routing::Take, |filter| {
            filter.route(&MessageView {
                body: &content.body,
                properties: &content.properties,
                group: content.group.as_deref(),
                duplicate_id: content.duplicate_id.as_deref(),
            })
        })
    }
}
