//! One change, made.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::types::QueueAttributeName;
use mq_core::queue::MARKER_EXPIRES;
use mq_core::{Action, Change, Effect, Error, ErrorKind, Result, Value};

use crate::attribute::{self, key};
use crate::config::Clients;
use crate::error::Call;
use crate::observe::{url, url_to_change};
use crate::redrive;

/// Creates, updates, adopts or deletes one queue.
pub(crate) async fn apply(clients: &Clients, change: &Change) -> Result<()> {
    match change.action {
        Action::Create => create(clients, change).await,
        Action::Update => update(clients, change).await,
        Action::Adopt => adopt(clients, change).await,
        // A replacement comes here as its two halves, each a change of its own.
        Action::Delete | Action::Replace => delete(clients, change).await,
        Action::NoOp => Ok(()),
    }
}

/// With all attributes and tags in one call, so that there is never a queue without its marker.
async fn create(clients: &Clients, change: &Change) -> Result<()> {
    let name = &change.resource.id.name;
    let marker = change.resource.marker.as_ref();
    let mut tags = labels(change);
    tags.extend(marker.map(|marker| marker.entries()).unwrap_or_default());
    let call = clients.sqs.create_queue().queue_name(name);
    let call = call.set_attributes(some(attributes(change)));
    let answer = call.set_tags(some(tags.into_iter().collect())).send().await;
    answer
        .map(drop)
        .map_err(|error| Call::on_queue("CreateQueue", name, clients).failed(error))
}

async fn update(clients: &Clients, change: &Change) -> Result<()> {
    let written = tag(clients, change, labels(change)).await?;
    set_attributes(clients, change)
        .await
        .map_err(|error| after(written, error))
}

/// The marker first: a run that is cut short goes on as an update of a queue that is ours.
async fn adopt(clients: &Clients, change: &Change) -> Result<()> {
    let marker = change.resource.marker.as_ref();
    let mut tags = labels(change);
    tags.extend(marker.map(|marker| marker.entries()).unwrap_or_default());
    tag(clients, change, tags).await?;
    let rest = async {
        if expiry_is_left_over(change) {
            untag_expiry(clients, change).await?;
        }
        set_attributes(clients, change).await
    };
    rest.await.map_err(|error| after(true, error))
}

/// Whether a marker of before says that the queue may be collected, and ours does not.
fn expiry_is_left_over(change: &Change) -> bool {
    let before = change.observed.present.as_ref();
    let before = before.and_then(|present| present.marker.as_ref());
    let now = change.resource.marker.as_ref();
    before.is_some_and(|marker| marker.expires_at.is_some())
        && now.is_some_and(|marker| marker.expires_at.is_none())
}

async fn delete(clients: &Clients, change: &Change) -> Result<()> {
    let name = &change.resource.id.name;
    let Some(url) = url(&change.observed) else {
        return Ok(());
    };
    let answer = clients.sqs.delete_queue().queue_url(url).send().await;
    let answer = answer
        .map(drop)
        .map_err(|error| Call::on_queue("DeleteQueue", name, clients).failed(error));
    match answer {
        // Gone already: that is what was wanted.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Adds or overwrites these tags and leaves all others. Says whether it wrote.
async fn tag(clients: &Clients, change: &Change, tags: BTreeMap<String, String>) -> Result<bool> {
    if tags.is_empty() {
        return Ok(false);
    }
    let url = url_to_change(&change.observed)?;
    let call = clients.sqs.tag_queue().queue_url(url);
    let answer = call.set_tags(some(tags.into_iter().collect())).send().await;
    let name = &change.resource.id.name;
    answer
        .map(|_| true)
        .map_err(|error| Call::on_queue("TagQueue", name, clients).failed(error))
}

async fn untag_expiry(clients: &Clients, change: &Change) -> Result<()> {
    let url = url_to_change(&change.observed)?;
    let call = clients.sqs.untag_queue().queue_url(url);
    let answer = call.tag_keys(MARKER_EXPIRES).send().await;
    let name = &change.resource.id.name;
    answer
        .map(drop)
        .map_err(|error| Call::on_queue("UntagQueue", name, clients).failed(error))
}

/// Only what changes: the service leaves the rest as it is.
async fn set_attributes(clients: &Clients, change: &Change) -> Result<()> {
    let attributes = attributes(change);
    if attributes.is_empty() {
        return Ok(());
    }
    let url = url_to_change(&change.observed)?;
    let call = clients.sqs.set_queue_attributes().queue_url(url);
    let answer = call.set_attributes(Some(attributes)).send().await;
    let name = &change.resource.id.name;
    answer
        .map(drop)
        .map_err(|error| Call::on_queue("SetQueueAttributes", name, clients).failed(error))
}

/// A failure of a later call of a change, of which an earlier one may have been made.
fn after(written: bool, error: Error) -> Error {
    if written {
        error.with_effect(Effect::Unknown)
    } else {
        error
    }
}

fn some<K, V>(map: HashMap<K, V>) -> Option<HashMap<K, V>> {
    (!map.is_empty()).then_some(map)
}

fn labels(change: &Change) -> BTreeMap<String, String> {
    let found = change.attributes.iter().find(|part| part.name == key::TAGS);
    match found.map(|part| &part.to) {
        Some(Value::Map(labels)) => labels.clone(),
        _ => BTreeMap::new(),
    }
}

/// What changes, in the service's spelling.
fn attributes(change: &Change) -> HashMap<QueueAttributeName, String> {
    let mut written: BTreeMap<&str, String> = change
        .attributes
        .iter()
        .filter(|part| {
            !matches!(
                part.name.as_str(),
                key::TAGS | key::REDRIVE_TARGET | key::REDRIVE_COUNT
            )
        })
        .map(|part| {
            let text = match part.name.as_str() {
                key::REDRIVE_ALLOW => redrive::written_allow(&part.to, part.from.as_ref()),
                _ => attribute::written(&part.to),
            };
            (part.name.as_str(), text)
        })
        .collect();
    if let Some(policy) = redrive::policy_after(change) {
        written.insert(key::REDRIVE_POLICY, policy);
    }
    if changes_kind_of_encryption(change) {
        written
            .entry(key::MANAGED_SSE)
            .or_insert_with(|| "false".to_owned());
    }
    written
        .into_iter()
        .map(|(name, text)| (QueueAttributeName::from(name), text))
        .collect()
}

/// A queue has one kind of encryption at a time: a KMS key goes in as the service's own goes out.
fn changes_kind_of_encryption(change: &Change) -> bool {
    let to_kms = change
        .attributes
        .iter()
        .any(|part| part.name == key::KMS_KEY && matches!(part.to, Value::Text(_)));
    let present = change.observed.present.as_ref();
    let own = present.and_then(|present| present.attributes.get(key::MANAGED_SSE));
    to_kms && own == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests;
