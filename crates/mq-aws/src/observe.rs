//! What is there: at most three reads for each queue.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::types::QueueAttributeName;
use futures::stream::{self, StreamExt, TryStreamExt};
use mq_core::queue::{Marker, Owner};
use mq_core::resource::{Counts, Endpoint, Lifecycle, OwnedResource, Part, Present, Role};
use mq_core::{Error, ErrorKind, Observed, Resource, ResourceId, Result, Value};

use crate::attribute::{self, key};
use crate::config::Clients;
use crate::error::Call;
use crate::name::{self, Arn};
use crate::redrive;

/// How many queues are read at a time.
const READS_AT_ONCE: usize = 16;
/// How many queues are on one page of a listing; the service tells of further pages only where
/// this is stated.
const PAGE: i32 = 1_000;

/// What is there in place of each resource, in the same order.
pub(crate) async fn observe(clients: &Clients, resources: &[&Resource]) -> Result<Vec<Observed>> {
    // Made one by one as room gets free: a file may have ten thousand queues.
    stream::iter(0..resources.len())
        .map(|index| read(clients, resources[index]))
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await
}

async fn read(clients: &Clients, resource: &Resource) -> Result<Observed> {
    let present = present(clients, &resource.id.name, Some(resource)).await?;
    Ok(Observed {
        id: resource.id.clone(),
        present,
    })
}

async fn present(
    clients: &Clients,
    name: &str,
    wish: Option<&Resource>,
) -> Result<Option<Present>> {
    let url = clients.sqs.get_queue_url().queue_name(name).send().await;
    let url = url.map_err(|error| Call::on_queue("GetQueueUrl", name, clients).failed(error));
    let Some(url) = there(url)?.and_then(|answer| answer.queue_url) else {
        return Ok(None);
    };
    let (attributes, tags) =
        futures::join!(attributes(clients, name, &url), tags(clients, name, &url));
    // A queue may go between two reads.
    let (Some(attributes), Some(tags)) = (there(attributes)?, there(tags)?) else {
        return Ok(None);
    };
    Ok(Some(told(url, &attributes, tags, wish)))
}

/// A queue that is not there is no error.
fn there<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

type Told = HashMap<QueueAttributeName, String>;

async fn attributes(clients: &Clients, name: &str, url: &str) -> Result<Told> {
    let call = clients.sqs.get_queue_attributes().queue_url(url);
    let answer = call.attribute_names(QueueAttributeName::All).send().await;
    answer
        .map(|answer| answer.attributes.unwrap_or_default())
        .map_err(|error| Call::on_queue("GetQueueAttributes", name, clients).failed(error))
}

async fn tags(clients: &Clients, name: &str, url: &str) -> Result<BTreeMap<String, String>> {
    let answer = clients.sqs.list_queue_tags().queue_url(url).send().await;
    answer
        .map(|answer| answer.tags.unwrap_or_default().into_iter().collect())
        .map_err(|error| Call::on_queue("ListQueueTags", name, clients).failed(error))
}

/// What the service tells, by meaning. What it does not tell is left out: it never tells
/// `KmsDataKeyReusePeriodSeconds` of a queue without a KMS key.
fn told(
    url: String,
    attributes: &Told,
    tags: BTreeMap<String, String>,
    wish: Option<&Resource>,
) -> Present {
    let (marker, labels) = Marker::split(tags);
    let text = |name: &str| {
        attributes
            .get(&QueueAttributeName::from(name))
            .map(String::as_str)
    };
    let mut values: BTreeMap<String, Value> = attributes
        .iter()
        .filter_map(|(name, text)| {
            let name = name.as_str();
            Some((name.to_owned(), attribute::read(name, text)?))
        })
        .collect();
    let (target, count) = redrive::read_policy(text(key::REDRIVE_POLICY).unwrap_or_default());
    let wanted = wish.and_then(|wish| {
        let mut attributes = wish.attributes.iter();
        attributes.find(|attribute| attribute.name == key::REDRIVE_ALLOW)
    });
    let allow = redrive::read_allow(
        text(key::REDRIVE_ALLOW).filter(|text| !text.is_empty()),
        wanted.map(|attribute| &attribute.value),
    );
    let labels = (!labels.is_empty()).then_some(Value::Map(labels));
    let parts = [
        (key::REDRIVE_TARGET, target),
        (key::REDRIVE_COUNT, count),
        (key::REDRIVE_ALLOW, allow),
        (key::TAGS, labels),
    ];
    for (name, value) in parts {
        values.extend(value.map(|value| (name.to_owned(), value)));
    }
    let arn = text(key::ARN).map(|arn| ("arn".to_owned(), arn.to_owned()));
    Present {
        attributes: values,
        marker,
        address: arn.into_iter().chain([("url".to_owned(), url)]).collect(),
    }
}

/// Every queue that carries a marker: this owner's, or any.
pub(crate) async fn list_owned(
    clients: &Clients,
    owner: Option<&Owner>,
) -> Result<Vec<OwnedResource>> {
    let mut marked = Vec::new();
    let mut next = None;
    loop {
        let call = clients.sqs.list_queues().max_results(PAGE);
        let page = call.set_next_token(next).send().await;
        let page = page.map_err(|error| Call::on_account("ListQueues", clients).failed(error))?;
        let urls = page.queue_urls.unwrap_or_default();
        let found: Vec<_> = stream::iter(0..urls.len())
            .map(|index| owned(clients, &urls[index], owner))
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        marked.extend(found.into_iter().flatten());
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            break;
        }
    }
    tell_parts(&mut marked);
    Ok(marked)
}

/// A queue of a listing, when it is marked so. Listings go on telling of deleted queues for
/// minutes, so one that is not there is passed over.
async fn owned(
    clients: &Clients,
    url: &str,
    owner: Option<&Owner>,
) -> Result<Option<OwnedResource>> {
    let name = url.rsplit('/').next().unwrap_or(url);
    let Some(tags) = there(tags(clients, name, url).await)? else {
        return Ok(None);
    };
    let Some(marker) = Marker::split(tags.clone()).0 else {
        return Ok(None);
    };
    if owner.is_some_and(|owner| *owner != marker.owner) {
        return Ok(None);
    }
    let Some(attributes) = there(attributes(clients, name, url).await)? else {
        return Ok(None);
    };
    let present = told(url.to_owned(), &attributes, tags, None);
    let target = present.attributes.get(key::REDRIVE_TARGET);
    let depends_on = target.and_then(target_of).into_iter().collect();
    let id = name::id(name);
    Ok(Some(OwnedResource {
        resource: Resource {
            id: id.clone(),
            queue: marker.queue.clone(),
            part: Part::Queue,
            lifecycle: Lifecycle::Managed,
            depends_on,
            serial: None,
            attributes: Vec::new(),
            marker: Some(marker),
            holds_messages: true,
            remedy: None,
        },
        observed: Observed {
            id,
            present: Some(present),
        },
    }))
}

fn target_of(arn: &Value) -> Option<ResourceId> {
    let Value::Text(arn) = arn else { return None };
    Arn::parse(arn).map(|arn| name::id(arn.name))
}

/// A queue that another of the same marker names is its dead-letter queue; after the link was
/// taken away, the name tells.
fn tell_parts(owned: &mut [OwnedResource]) {
    let targets: Vec<(String, ResourceId)> = owned
        .iter()
        .flat_map(|part| {
            let queue = &part.resource.queue;
            part.resource
                .depends_on
                .iter()
                .map(|id| (queue.clone(), id.clone()))
        })
        .collect();
    for part in owned {
        let resource = &mut part.resource;
        let named = targets
            .iter()
            .any(|(queue, id)| *queue == resource.queue && *id == resource.id);
        if named || name::looks_like_dead_letters(&resource.id.name) {
            resource.part = Part::DeadLetter;
        }
    }
}

/// How many messages a queue holds. The service calls its numbers approximate: they come to rest
/// about a minute after the last message came or went.
pub(crate) async fn counts(clients: &Clients, observed: &Observed) -> Result<Counts> {
    let name = &observed.id.name;
    let Some(url) = url(observed) else {
        return Ok(Counts::default());
    };
    let asked = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let call = clients.sqs.get_queue_attributes().queue_url(url);
    let answer = call.set_attribute_names(Some(asked.to_vec())).send().await;
    let answer =
        answer.map_err(|error| Call::on_queue("GetQueueAttributes", name, clients).failed(error));
    let Some(answer) = there(answer)? else {
        return Ok(Counts::default());
    };
    let told = answer.attributes.unwrap_or_default();
    let [visible, in_flight, delayed] =
        asked.map(|name| told.get(&name).and_then(|text| text.parse().ok()));
    let missing = [visible, in_flight, delayed].contains(&None);
    Ok(Counts {
        visible,
        in_flight,
        delayed,
        dead_lettered: None,
        unknown_because: missing.then(|| "the service did not tell every count".to_owned()),
    })
}

/// The URL of a queue that was found.
pub(crate) fn url(observed: &Observed) -> Option<&str> {
    let present = observed.present.as_ref()?;
    present.address.get("url").map(String::as_str)
}

/// The URL of a queue that was found.
///
/// # Errors
/// When nothing was.
pub(crate) fn url_to_change(observed: &Observed) -> Result<&str> {
    url(observed).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "the queue to change was not found")
            .with_context("queue", observed.id.name.clone())
    })
}

/// Where a queue is reached, and where its dead letters are.
pub(crate) fn endpoints(queue: &str, parts: &[(&Resource, &Observed)]) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = parts
        .iter()
        .filter_map(|(resource, observed)| {
            let arn = observed.present.as_ref()?.address.get("arn");
            let role = match resource.part {
                Part::DeadLetter => Role::DeadLetter,
                Part::Queue | Part::Grant => Role::Queue,
            };
            Some(endpoint(
                queue,
                role,
                url(observed)?,
                arn.map(String::as_str),
            ))
        })
        .collect();
    if endpoints.iter().all(|found| found.role != Role::DeadLetter) {
        endpoints.extend(
            parts.iter().find_map(|(resource, observed)| {
                shared_dead_letters(queue, resource, url(observed)?)
            }),
        );
    }
    endpoints.sort_by_key(|endpoint| endpoint.role);
    endpoints
}

/// The dead-letter queue of another queue of the file: beside the source, under its own name.
fn shared_dead_letters(queue: &str, source: &Resource, source_url: &str) -> Option<Endpoint> {
    let mut wanted = source.attributes.iter();
    let target = wanted.find(|attribute| attribute.name == key::REDRIVE_TARGET)?;
    let Value::Text(arn) = &target.value else {
        return None;
    };
    let (folder, _) = source_url.rsplit_once('/')?;
    let url = format!("{folder}/{}", Arn::parse(arn)?.name);
    Some(endpoint(queue, Role::DeadLetter, &url, Some(arn)))
}

fn endpoint(queue: &str, role: Role, url: &str, arn: Option<&str>) -> Endpoint {
    let mut details = BTreeMap::new();
    if let Some(arn) = arn {
        details.insert("arn".to_owned(), arn.to_owned());
        if let Some(parts) = Arn::parse(arn) {
            details.insert("account".to_owned(), parts.account.to_owned());
            details.insert("name".to_owned(), parts.name.to_owned());
            details.insert("region".to_owned(), parts.region.to_owned());
        }
    }
    Endpoint {
        queue: queue.to_owned(),
        role,
        address: url.to_owned(),
        details,
    }
}

#[cfg(test)]
mod tests;
