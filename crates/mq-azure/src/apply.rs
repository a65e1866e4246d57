//! One change of one queue: create, update, delete.
//!
//! The service replaces the whole description with what it is sent, and what is left out falls
//! back to its default. So an update reads, changes what differs, and sends all of it back.

use std::collections::BTreeMap;

use mq_core::error::{Error, ErrorKind, Result};
use mq_core::plan::{Action, AttributeChange, Change};
use mq_core::queue::Marker;
use mq_core::value::Value;

use crate::atom::{Description, Entry};
use crate::client::{Call, Client};
use crate::elements::{
    self, Codec, ENABLE_PARTITIONING, FORWARD_DEAD_LETTERS_TO, FORWARD_TO, MAX_SIZE, USER_METADATA,
};
use crate::error::{self, Operation};
use crate::facts::{METADATA_LENGTH_MAX, Tier};
use crate::metadata::{self, Metadata};
use crate::observe::get;

/// Makes a change.
pub(crate) async fn apply(client: &Client, tier: Tier, change: &Change) -> Result<()> {
    let name = &change.resource.id.name;
    let done = match change.action {
        Action::NoOp => return Ok(()),
        Action::Create => create(client, change).await,
        Action::Update | Action::Adopt => update(client, tier, change).await,
        Action::Delete => delete(client, name).await,
        Action::Replace => Err(Error::new(
            ErrorKind::Unsupported,
            "a replacement is made as a deletion and a creation",
        )),
    };
    done.map_err(|error| error.with_context("queue", name.clone()))
}

async fn create(client: &Client, change: &Change) -> Result<()> {
    let mut description = Description::queue();
    write(&mut description, change, client.authority())?;
    let name = &change.resource.id.name;
    match put(client, Operation::CreateQueue, name, &description).await {
        // A topic of that name is answered just like a queue: reading tells them apart.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            get(client, name).await?;
            Err(error)
        }
        other => other,
    }
}

async fn update(client: &Client, tier: Tier, change: &Change) -> Result<()> {
    let name = &change.resource.id.name;
    let Some(entry) = get(client, name).await? else {
        return Err(Error::new(
            ErrorKind::NotFound,
            "it was removed since the plan was made",
        )
        .with_operation(Operation::UpdateQueue.name())
        .with_hint("run the same command again: it goes on from what is there"));
    };
    let mut description = sendable(entry, tier);
    write(&mut description, change, client.authority())?;
    put(client, Operation::UpdateQueue, name, &description).await
}

/// Deleting what is absent is done, whether somebody else or an earlier try removed it.
async fn delete(client: &Client, name: &str) -> Result<()> {
    let call = Call {
        path: name,
        ..Call::default()
    };
    match client.call(Operation::DeleteQueue, call).await {
        Ok(_) => Ok(()),
        Err(error) if error::says_absent(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn put(
    client: &Client,
    operation: Operation,
    name: &str,
    description: &Description,
) -> Result<()> {
    let says = |name| {
        description
            .text(name)
            .is_some_and(|text| !text.trim().is_empty())
    };
    let call = Call {
        path: name,
        body: Some(description.to_request()),
        forwards: (says(FORWARD_TO), says(FORWARD_DEAD_LETTERS_TO)),
        ..Call::default()
    };
    // It is done, whatever the answer looks like: reading back is what proves it.
    client.call(operation, call).await.map(drop)
}

/// A description as it was read, without what the service does not take back.
fn sendable(entry: Entry, tier: Tier) -> Description {
    let mut description = entry.description;
    let partitioned = description.text(ENABLE_PARTITIONING).map(str::trim) == Some("true");
    let size = description
        .text(MAX_SIZE)
        .and_then(|text| text.trim().parse().ok());
    if let Some(size) = size {
        let asked = elements::size_without_partitions(size, partitioned, tier);
        if asked != size {
            description.set(MAX_SIZE, Some(asked.to_string()));
        }
    }
    description.retain(|name, text| {
        let codec = elements::codec(name);
        let value = codec.and_then(|codec| elements::read(codec, text));
        codec != Some(Codec::ReadOnly) && !elements::is_forbidden(name, value.as_ref(), tier)
    });
    description
}

/// Writes what the change names, and the marker; everything else stays.
fn write(description: &mut Description, change: &Change, authority: &str) -> Result<()> {
    for AttributeChange { name, to, .. } in &change.attributes {
        match elements::codec(name) {
            Some(Codec::Metadata) => {}
            Some(codec) => description.set(name, elements::write(to, codec, authority)),
            None => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("a queue has no element `{name}`"),
                ));
            }
        }
    }
    let labels = change
        .attributes
        .iter()
        .find_map(|attribute| match &attribute.to {
            Value::Map(labels) if attribute.name == USER_METADATA => Some(labels.clone()),
            _ => None,
        });
    let before = description.text(USER_METADATA).unwrap_or_default();
    let after = merged(
        before,
        labels.unwrap_or_default(),
        change.resource.marker.as_ref(),
    )?;
    if after != before {
        description.set(USER_METADATA, Some(after));
    }
    Ok(())
}

/// What others wrote, with the labels and our marker among it.
fn merged(
    before: &str,
    labels: BTreeMap<String, String>,
    marker: Option<&Marker>,
) -> Result<String> {
    let mut metadata = Metadata::parse(before);
    metadata.set(labels);
    if let Some(marker) = marker
        && metadata.split().0.as_ref() != Some(marker)
    {
        metadata.clear_marker();
        metadata.set(marker.entries());
    }
    let text = metadata.text();
    let length = metadata::length(&text);
    if length > METADATA_LENGTH_MAX {
        return Err(Error::new(
            ErrorKind::SpecInvalid,
            format!(
                "UserMetadata would have {length} characters, and has room for {METADATA_LENGTH_MAX}; {} are there already",
                metadata::length(before)
            ),
        )
        .with_hint("shorten the queue's labels, or what others keep in its UserMetadata"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
