//! How applications reach a queue and its dead letters.

use std::collections::BTreeMap;

use mq_core::resource::{Endpoint, Observed, Part, Resource, Role};
use mq_core::value::Value;

use crate::config::Site;
use crate::elements::FORWARD_DEAD_LETTERS_TO;

/// The path of every queue's built-in part for dead letters.
const DEAD_LETTER_SUBQUEUE: &str = "$DeadLetterQueue";

/// The endpoints of a queue whose parts were observed. Dead letters are where the queue sends them,
/// whatever the file says.
pub(crate) fn endpoints(
    site: &Site,
    queue: &str,
    parts: &[(&Resource, &Observed)],
) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for (resource, observed) in parts {
        let Some(present) = &observed.present else {
            continue;
        };
        if resource.part != Part::Queue {
            continue;
        }
        let name = present
            .address
            .get("name")
            .filter(|name| !name.is_empty())
            .unwrap_or(&resource.id.name);
        let dead_letters = match present.attributes.get(FORWARD_DEAD_LETTERS_TO) {
            Some(Value::Text(target)) => target.clone(),
            _ => format!("{name}/{DEAD_LETTER_SUBQUEUE}"),
        };
        endpoints.push(endpoint(site, queue, Role::Queue, name));
        endpoints.push(endpoint(site, queue, Role::DeadLetter, &dead_letters));
    }
    endpoints
}

fn endpoint(site: &Site, queue: &str, role: Role, entity: &str) -> Endpoint {
    let host = &site.messaging;
    let scheme = if site.plain { "amqp" } else { "amqps" };
    Endpoint {
        queue: queue.to_owned(),
        role,
        address: format!("sb://{host}/{entity}"),
        details: BTreeMap::from([
            ("namespace".to_owned(), host.clone()),
            ("entity".to_owned(), entity.to_owned()),
            ("amqp".to_owned(), format!("{scheme}://{host}/{entity}")),
        ]),
    }
}
