//! What is there: one queue at a time, or page by page where that takes fewer calls.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::{StreamExt, TryStreamExt, stream};
use mq_core::backend::Scope;
use mq_core::error::{Error, ErrorKind, Result};
use mq_core::queue::{Marker, Owner};
use mq_core::resource::{Counts, Observed, OwnedResource, Part, Present, Resource, ResourceId};
use mq_core::value::Value;

use crate::atom::{self, Document, Entry};
use crate::client::{Call, Client};
use crate::config::Config;
use crate::elements::{
    self, COUNT_DETAILS, ENABLE_PARTITIONING, FORWARD_DEAD_LETTERS_TO, MAX_SIZE, USER_METADATA,
};
use crate::error::{self, Operation};
use crate::facts::Tier;
use crate::lower::{id, owned};
use crate::metadata::Metadata;

/// Facts of a scope, by the names that this backend gives them.
pub(crate) mod fact {
    /// `basic`, `standard` or `premium`.
    pub(crate) const TIER: &str = "tier";
    /// The administration API's host.
    pub(crate) const HOST: &str = "host";
    /// The namespace's short name.
    pub(crate) const NAMESPACE: &str = "namespace";
}

/// How many queues the service puts on a page.
const PAGE: usize = 100;
/// Up to this many queues are read one by one: a page is worth about as many reads.
const READ_ONE_BY_ONE: usize = 4;
/// How many reads are under way at once.
const READS_AT_ONCE: usize = 8;

/// The namespace's tier and names, compared with what the file states.
pub(crate) async fn identify(
    client: &Client,
    config: &Config,
    emulated: bool,
) -> Result<(Tier, Scope)> {
    let operation = Operation::GetNamespace;
    let call = Call {
        path: "$namespaceinfo",
        ..Call::default()
    };
    let entry = match client.document(operation, call).await {
        Ok(Document::Entry(entry)) if entry.description.kind == "NamespaceInfo" => entry,
        Ok(_) => {
            return Err(error::from_garbage(
                operation,
                "it does not describe a namespace",
            ));
        }
        Err(error) if error::says_absent(&error) => {
            return Err(client
                .no_namespace("the service does not know it")
                .with_operation(operation.name()));
        }
        Err(error) => return Err(error),
    };
    let sku = entry.description.text("MessagingSKU").unwrap_or_default();
    let tier = Tier::named(sku.trim()).ok_or_else(|| {
        error::from_garbage(operation, "its tier is none of Basic, Standard and Premium")
    })?;
    let name = entry.description.text("Name").map_or("", str::trim);
    let namespace = if name.is_empty() {
        client.namespace()
    } else {
        name
    };
    check_tier(config.tier, tier, namespace, emulated)?;
    let facts = BTreeMap::from([
        (fact::TIER.to_owned(), tier.name().to_owned()),
        (fact::HOST.to_owned(), client.authority().to_owned()),
        (fact::NAMESPACE.to_owned(), namespace.to_owned()),
    ]);
    let label = format!("{namespace} ({})", tier.name());
    Ok((tier, Scope { label, facts }))
}

fn check_tier(stated: Option<Tier>, real: Tier, namespace: &str, emulated: bool) -> Result<()> {
    let Some(stated) = stated.filter(|stated| *stated != real) else {
        return Ok(());
    };
    let switched = stated != Tier::Standard;
    let (stated, real) = (stated.name(), real.name());
    let hint = if emulated && switched {
        format!(
            "start the emulator with `--quirk servicebus-{stated}-tier`, or correct `tier` in the file"
        )
    } else if emulated {
        "start the emulator without a quirk for another tier, or correct `tier` in the file"
            .to_owned()
    } else {
        // A namespace is never replaced: its queues would go with it.
        format!(
            "say `tier: {real}` in the file; `mq` never changes a namespace: from standard to premium it has to be migrated, see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-migrate-standard-premium"
        )
    };
    Err(Error::new(
        ErrorKind::ConfigInvalid,
        format!("the file states the tier {stated}, but the namespace `{namespace}` is {real}"),
    )
    .with_hint(hint))
}

/// What is there in place of each of these, in the same order.
pub(crate) async fn observe(
    client: &Client,
    tier: Tier,
    resources: &[&Resource],
) -> Result<Vec<Observed>> {
    let ids: Vec<&ResourceId> = resources.iter().map(|resource| &resource.id).collect();
    let mut found: HashMap<ResourceId, Observed> = HashMap::new();
    let mut missing: HashSet<&ResourceId> = ids.iter().copied().collect();
    let mut whole = false;
    if missing.len() > READ_ONE_BY_ONE {
        // A namespace may hold many more queues than are asked for. Once as many pages have been
        // read as reads one by one would take, those are the cheaper way to go on.
        for page in 0.. {
            if missing.is_empty() || page >= missing.len() {
                break;
            }
            let entries = list(client, page).await?;
            whole = entries.len() < PAGE;
            for entry in &entries {
                let observed = observed(entry, tier);
                if missing.remove(&observed.id) {
                    found.insert(observed.id.clone(), observed);
                }
            }
            if whole {
                break;
            }
        }
    }
    if !whole {
        let missing: Vec<ResourceId> = missing.into_iter().cloned().collect();
        let read: Vec<Observed> = stream::iter(missing)
            .map(|id| read(client, tier, id))
            .buffer_unordered(READS_AT_ONCE)
            .try_collect()
            .await?;
        found.extend(read.into_iter().map(|seen| (seen.id.clone(), seen)));
    }
    Ok(ids
        .into_iter()
        .map(|id| {
            found
                .get(id)
                .cloned()
                .unwrap_or_else(|| Observed::absent(id.clone()))
        })
        .collect())
}

/// One page of the namespace's queues.
async fn list(client: &Client, page: usize) -> Result<Vec<Entry>> {
    let call = Call {
        path: "$Resources/queues",
        page: Some((page * PAGE, PAGE)),
        ..Call::default()
    };
    match client.document(Operation::ListQueues, call).await? {
        Document::Feed(entries) => Ok(entries),
        Document::Entry(_) => Err(error::from_garbage(Operation::ListQueues, "it is no list")),
    }
}

async fn read(client: &Client, tier: Tier, id: ResourceId) -> Result<Observed> {
    let entry = get(client, &id.name).await?;
    let present = entry.map(|entry| present(&entry, tier));
    Ok(Observed { id, present })
}

/// A queue; `None` when it is not there. Queues and topics share their names, so a topic in its
/// place is an error.
pub(crate) async fn get(client: &Client, name: &str) -> Result<Option<Entry>> {
    let call = Call {
        path: name,
        ..Call::default()
    };
    match client.document(Operation::GetQueue, call).await {
        Ok(Document::Entry(entry)) if entry.description.kind == atom::QUEUE => Ok(Some(entry)),
        Ok(Document::Entry(_)) => Err(Error::new(
            ErrorKind::Refused,
            format!("`{name}` is a topic of this namespace, and a queue cannot have its name"),
        )
        .with_operation(Operation::GetQueue.name())
        .with_hint("give the queue another name, through `names` or the stage's template")),
        // What is not there is answered with an empty list of what is under the path.
        Ok(Document::Feed(_)) => Ok(None),
        Err(error) if error::says_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// An entry as the queue that it describes.
fn observed(entry: &Entry, tier: Tier) -> Observed {
    Observed {
        id: id(&entry.title),
        present: Some(present(entry, tier)),
    }
}

fn present(entry: &Entry, tier: Tier) -> Present {
    let description = &entry.description;
    let mut attributes: BTreeMap<String, Value> = description
        .known()
        .filter(|(name, ..)| !elements::is_noise(name, tier))
        .filter_map(|(name, codec, text)| Some((name.to_owned(), elements::read(codec, text)?)))
        .collect();
    let partitioned = description.text(ENABLE_PARTITIONING).map(str::trim) == Some("true");
    if let Some(Value::Integer(size)) = attributes.get_mut(MAX_SIZE) {
        *size = elements::size_without_partitions(*size, partitioned, tier);
    }
    let metadata = Metadata::parse(description.text(USER_METADATA).unwrap_or_default());
    let (marker, labels) = metadata.split();
    if !labels.is_empty() {
        attributes.insert(USER_METADATA.to_owned(), Value::Map(labels));
    }
    Present {
        attributes,
        marker,
        address: BTreeMap::from([("name".to_owned(), entry.title.clone())]),
    }
}

/// Every queue that carries this owner's marker, or any marker of `mq`.
pub(crate) async fn list_owned(
    client: &Client,
    tier: Tier,
    owner: Option<&Owner>,
) -> Result<Vec<OwnedResource>> {
    let mut mine: Vec<(Marker, Observed, Option<String>)> = Vec::new();
    for page in 0.. {
        let entries = list(client, page).await?;
        mine.extend(entries.iter().filter_map(|entry| {
            let observed = observed(entry, tier);
            let marker = observed.present.as_ref()?.marker.clone()?;
            if owner.is_some_and(|owner| *owner != marker.owner) {
                return None;
            }
            let target = entry.description.text(FORWARD_DEAD_LETTERS_TO);
            let target = target
                .map(elements::entity_path)
                .filter(|path| !path.is_empty());
            Some((marker, observed, target))
        }));
        if entries.len() < PAGE {
            break;
        }
    }
    // A queue that one of the same key forwards its dead letters to is that queue's part.
    let forwarded: HashSet<(Owner, String, String)> = mine
        .iter()
        .filter_map(|(marker, _, target)| {
            Some((marker.owner.clone(), marker.queue.clone(), target.clone()?))
        })
        .collect();
    Ok(mine
        .into_iter()
        .map(|(marker, observed, target)| {
            let name = observed.id.name.clone();
            let key = (marker.owner.clone(), marker.queue.clone(), name.clone());
            let part = if forwarded.contains(&key) {
                Part::DeadLetter
            } else {
                Part::Queue
            };
            OwnedResource {
                resource: owned(&name, &marker, part, target.as_deref()),
                observed,
            }
        })
        .collect())
}

/// How many messages a queue holds, its subqueues included.
pub(crate) async fn counts(client: &Client, id: &ResourceId) -> Result<Counts> {
    let Some(entry) = get(client, &id.name).await? else {
        return Ok(Counts {
            visible: Some(0),
            ..Counts::default()
        });
    };
    let details = entry.description.xml(COUNT_DETAILS).unwrap_or_default();
    let details: HashMap<String, u64> = atom::counts(details).into_iter().collect();
    let Some(active) = details.get("ActiveMessageCount").copied() else {
        return Ok(Counts {
            unknown_because: Some("the service told no counts".to_owned()),
            ..Counts::default()
        });
    };
    let count = |name: &str| details.get(name).copied().unwrap_or(0);
    Ok(Counts {
        // Messages under a lock are among the active ones; those on their way to another queue
        // are still this one's to lose.
        visible: Some(active + count("TransferMessageCount")),
        in_flight: None,
        delayed: Some(count("ScheduledMessageCount")),
        dead_lettered: Some(
            count("DeadLetterMessageCount") + count("TransferDeadLetterMessageCount"),
        ),
        unknown_because: None,
    })
}
