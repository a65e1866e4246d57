//! Which messages a subscription with a filter gets.
//!
//! The language: <https://cloud.google.com/pubsub/docs/subscription-message-filter>. A message
//! without the key fulfils `!=`.

mod parse;

use std::collections::HashMap;
use std::sync::Arc;

use mq_engine::{Entity, Filter, Filters, MessageView, Routing, Service};

pub(super) use parse::parse;

use super::envelope;

/// What a filter says of a message's attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    /// `attributes:key`
    Has(String),
    /// `attributes.key = "value"`
    Is(String, String),
    /// `hasPrefix(attributes.key, "value")`
    Starts(String, String),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

impl Expression {
    fn holds(&self, attributes: &HashMap<String, String>) -> bool {
        match self {
            Expression::Has(key) => attributes.contains_key(key),
            Expression::Is(key, value) => attributes.get(key) == Some(value),
            Expression::Starts(key, start) => attributes
                .get(key)
                .is_some_and(|value| value.starts_with(start)),
            Expression::Not(inner) => !inner.holds(attributes),
            Expression::All(parts) => parts.iter().all(|part| part.holds(attributes)),
            Expression::Any(parts) => parts.iter().any(|part| part.holds(attributes)),
        }
    }
}

impl Filter for Expression {
    fn route(&self, message: &MessageView<'_>) -> Routing {
        if self.holds(&envelope::attributes(message.properties)) {
            Routing::Take
        } else {
            Routing::Skip
        }
    }
}

/// Makes the filters of Pub/Sub's subscriptions; those of other services have none.
#[derive(Debug)]
pub(crate) struct SubscriptionFilters;

impl Filters for SubscriptionFilters {
    fn compile(&self, subscription: &Entity) -> Option<Arc<dyn Filter>> {
        if subscription.id.service != Service::PubSub {
            return None;
        }
        // As the document has it: a filter that cannot be read was refused before it got there.
        let text = subscription.document.get("resource")?.get("filter")?;
        let expression = parse(text.as_str()?).ok()?;
        Some(Arc::new(expression))
    }
}

#[cfg(test)]
mod tests;
