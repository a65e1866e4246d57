//! What is there: topics and subscriptions by page or one by one, grants by their policies.

mod present;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures::{StreamExt, TryStreamExt, stream};
use google_cloud_iam_v1::model::{GetPolicyOptions, Policy};
use mq_core::error::{Error, ErrorKind, Result};
use mq_core::queue::{Marker, Owner};
use mq_core::resource::{
    Counts, Endpoint, Lifecycle, Observed, OwnedResource, Part, Present, Resource, ResourceId, Role,
};
use mq_core::value::Value;

pub(crate) use self::present::{of_grant, of_subscription, of_topic};
use crate::client::Clients;
use crate::error::{Call, from_sdk, garbage};
use crate::native::{Collection, GRANT, Grant, SUBSCRIPTION, TOPIC, attribute, full};

/// Up to so many are read one by one, since a listing may have to pass a whole project.
const SINGLE_READS_MAX: usize = 8;

/// How many a listing is asked for at a time.
const PAGE_SIZE: i32 = 1000;

/// How many single reads go at a time.
const CONCURRENT_READS: usize = 10;

/// The version of access policies that shows conditions: without it they would be lost on write.
const POLICY_VERSION: i32 = 3;

/// What is in place of each of these resources, in the same order.
pub(crate) async fn observe(
    clients: &Clients,
    project: &str,
    resources: &[&Resource],
) -> Result<Vec<Observed>> {
    let reader = Reader { clients, project };
    let named = |kind: &str| -> BTreeSet<&str> {
        resources
            .iter()
            .filter(|resource| resource.id.kind == kind)
            .map(|resource| resource.id.name.as_str())
            .collect()
    };
    let (topic_names, subscription_names) = (named(TOPIC), named(SUBSCRIPTION));
    let (topics, subscriptions) = futures::try_join!(
        reader.read(Collection::Topics, &topic_names),
        reader.read(Collection::Subscriptions, &subscription_names),
    )?;
    let grants: Vec<Grant> = resources
        .iter()
        .filter(|resource| resource.id.kind == GRANT)
        .filter_map(|resource| Grant::of(resource))
        .filter(|grant| {
            // What was looked for and is not there has no policy.
            let (names, found) = match grant.collection {
                Collection::Topics => (&topic_names, &topics),
                Collection::Subscriptions => (&subscription_names, &subscriptions),
            };
            !names.contains(grant.on.as_str()) || found.contains_key(&grant.on)
        })
        .collect();
    let policies = reader.policies(&grants).await?;
    let granted: HashMap<ResourceId, Present> = grants
        .iter()
        .filter_map(|grant| Some((grant.id(), of_grant(grant, policies.get(&grant.path())?)?)))
        .collect();
    Ok(resources
        .iter()
        .map(|resource| Observed {
            id: resource.id.clone(),
            present: match &*resource.id.kind {
                TOPIC => topics.get(&resource.id.name).cloned(),
                SUBSCRIPTION => subscriptions.get(&resource.id.name).cloned(),
                _ => granted.get(&resource.id).cloned(),
            },
        })
        .collect())
}

struct Reader<'a> {
    clients: &'a Clients,
    project: &'a str,
}

/// One page of a listing: short names with what is there, and the token of the next page.
struct Page {
    entries: Vec<(String, Present)>,
    next: String,
}

impl Reader<'_> {
    /// What is there of these names. Lists as long as that takes fewer calls than reading each.
    async fn read(
        &self,
        collection: Collection,
        names: &BTreeSet<&str>,
    ) -> Result<HashMap<String, Present>> {
        let mut found = HashMap::new();
        let mut left = names.clone();
        if left.len() > SINGLE_READS_MAX {
            let mut token = String::new();
            for _ in 0..names.len() {
                let page = match self.page(collection, token).await {
                    // Only the right to list is missing: single reads need another.
                    Err(error) if error.kind() == ErrorKind::PermissionDenied => break,
                    page => page?,
                };
                for (name, present) in page.entries {
                    if left.remove(name.as_str()) {
                        found.insert(name, present);
                    }
                }
                if page.next.is_empty() {
                    // What is left is in other projects, or nowhere.
                    left.retain(|name| name.starts_with("projects/"));
                    break;
                }
                token = page.next;
                if left.is_empty() {
                    break;
                }
            }
        }
        let singles: Vec<String> = left.into_iter().map(str::to_owned).collect();
        let singles: Vec<(String, Option<Present>)> = stream::iter(singles)
            .map(|name| async move {
                let present = self.get(collection, &name).await?;
                Ok::<_, Error>((name, present))
            })
            .buffer_unordered(CONCURRENT_READS)
            .try_collect()
            .await?;
        found.extend(
            singles
                .into_iter()
                .filter_map(|(name, present)| Some((name, present?))),
        );
        Ok(found)
    }

    async fn get(&self, collection: Collection, name: &str) -> Result<Option<Present>> {
        let on = full(self.project, collection, name);
        let read = match collection {
            Collection::Topics => {
                let call = Call {
                    operation: "GetTopic",
                    permission: "pubsub.topics.get",
                    on: &on,
                };
                let request = self.clients.topics.get_topic().set_topic(&on);
                request
                    .send()
                    .await
                    .map(|topic| of_topic(self.project, &topic))
                    .map_err(|error| from_sdk(error, call))
            }
            Collection::Subscriptions => {
                let call = Call {
                    operation: "GetSubscription",
                    permission: "pubsub.subscriptions.get",
                    on: &on,
                };
                let request = self.clients.subscriptions.get_subscription();
                request
                    .set_subscription(&on)
                    .send()
                    .await
                    .map(|subscription| of_subscription(self.project, &subscription))
                    .map_err(|error| from_sdk(error, call))
            }
        };
        match read {
            Ok((_, present)) => Ok(Some(present)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn page(&self, collection: Collection, token: String) -> Result<Page> {
        let on = format!("projects/{}", self.project);
        let (operation, permission) = match collection {
            Collection::Topics => ("ListTopics", "pubsub.topics.list"),
            Collection::Subscriptions => ("ListSubscriptions", "pubsub.subscriptions.list"),
        };
        let call = Call {
            operation,
            permission,
            on: &on,
        };
        let page = match collection {
            Collection::Topics => {
                let answer = self
                    .clients
                    .topics
                    .list_topics()
                    .set_project(&on)
                    .set_page_size(PAGE_SIZE)
                    .set_page_token(&token)
                    .send()
                    .await
                    .map_err(|error| from_sdk(error, call))?;
                Page {
                    entries: answer
                        .topics
                        .iter()
                        .map(|topic| of_topic(self.project, topic))
                        .collect(),
                    next: answer.next_page_token,
                }
            }
            Collection::Subscriptions => {
                let answer = self
                    .clients
                    .subscriptions
                    .list_subscriptions()
                    .set_project(&on)
                    .set_page_size(PAGE_SIZE)
                    .set_page_token(&token)
                    .send()
                    .await
                    .map_err(|error| from_sdk(error, call))?;
                Page {
                    entries: answer
                        .subscriptions
                        .iter()
                        .map(|subscription| of_subscription(self.project, subscription))
                        .collect(),
                    next: answer.next_page_token,
                }
            }
        };
        // A listing that does not move on would never end.
        if !page.next.is_empty() && page.next == token {
            return Err(garbage(call));
        }
        Ok(page)
    }

    /// The policies that these grants stand in, by the grants' paths; those of resources that are
    /// not there are left out.
    async fn policies(&self, grants: &[Grant]) -> Result<HashMap<String, Policy>> {
        let mut seen = HashSet::new();
        let distinct: Vec<Grant> = grants
            .iter()
            .filter(|grant| seen.insert(grant.path()))
            .cloned()
            .collect();
        stream::iter(distinct)
            .map(|grant| async move {
                match read_policy(self.clients, self.project, &grant).await {
                    Ok(policy) => Ok(Some((grant.path(), policy))),
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .buffer_unordered(CONCURRENT_READS)
            .try_filter_map(|entry| async move { Ok(entry) })
            .try_collect()
            .await
    }
}

/// The access policy of the resource that a grant is on.
pub(crate) async fn read_policy(clients: &Clients, project: &str, grant: &Grant) -> Result<Policy> {
    let on = full(project, grant.collection, &grant.on);
    let call = Call {
        operation: "GetIamPolicy",
        permission: match grant.collection {
            Collection::Topics => "pubsub.topics.getIamPolicy",
            Collection::Subscriptions => "pubsub.subscriptions.getIamPolicy",
        },
        on: &on,
    };
    clients
        .policies
        .get_iam_policy()
        .set_resource(&on)
        .set_options(GetPolicyOptions::new().set_requested_policy_version(POLICY_VERSION))
        .send()
        .await
        .map_err(|error| {
            let error = from_sdk(error, call);
            if matches!(
                error.kind(),
                ErrorKind::PermissionDenied | ErrorKind::Unsupported
            ) {
                error.with_hint(
                    "the dead-letter grants are proved by reading the policy: grant `roles/pubsub.admin`, or say `grants: skip` under the file's `clouds` entry",
                )
            } else {
                error
            }
        })
}

/// Everything that carries this owner's marker, or any.
pub(crate) async fn list_owned(
    clients: &Clients,
    project: &str,
    owner: Option<&Owner>,
) -> Result<Vec<OwnedResource>> {
    let reader = Reader { clients, project };
    let (topics, subscriptions) = futures::try_join!(
        owned(&reader, Collection::Topics, owner),
        owned(&reader, Collection::Subscriptions, owner),
    )?;
    // A topic is a dead-letter topic where a subscription of the same queue says so.
    let dead_topics: HashSet<(String, String)> = subscriptions
        .iter()
        .filter_map(|(_, present, marker)| {
            let topic = text(present, attribute::DEAD_LETTER_TOPIC)?;
            Some((marker.queue.clone(), topic.to_owned()))
        })
        .collect();
    let is_dead =
        |queue: &str, topic: &str| dead_topics.contains(&(queue.to_owned(), topic.to_owned()));
    let topics = topics.into_iter().map(|(name, present, marker)| {
        let dead = is_dead(&marker.queue, &name);
        found(TOPIC, name, present, marker, dead, Vec::new())
    });
    let subscriptions = subscriptions.into_iter().map(|(name, present, marker)| {
        let on = text(&present, attribute::TOPIC).unwrap_or_default();
        let dead = is_dead(&marker.queue, on);
        let depends_on = [Some(on), text(&present, attribute::DEAD_LETTER_TOPIC)]
            .into_iter()
            .flatten()
            .map(|topic| ResourceId::new(TOPIC, topic))
            .collect();
        found(SUBSCRIPTION, name, present, marker, dead, depends_on)
    });
    Ok(topics.chain(subscriptions).collect())
}

async fn owned(
    reader: &Reader<'_>,
    collection: Collection,
    owner: Option<&Owner>,
) -> Result<Vec<(String, Present, Marker)>> {
    let mut owned = Vec::new();
    let mut token = String::new();
    loop {
        let page = reader.page(collection, token).await?;
        owned.extend(page.entries.into_iter().filter_map(|(name, present)| {
            let marker = present.marker.clone()?;
            let ours = owner.is_none_or(|owner| marker.owner == *owner);
            ours.then_some((name, present, marker))
        }));
        if page.next.is_empty() {
            return Ok(owned);
        }
        token = page.next;
    }
}

fn found(
    kind: &'static str,
    name: String,
    present: Present,
    marker: Marker,
    dead: bool,
    depends_on: Vec<ResourceId>,
) -> OwnedResource {
    let id = ResourceId::new(kind, name);
    OwnedResource {
        resource: Resource {
            id: id.clone(),
            queue: marker.queue.clone(),
            part: if dead { Part::DeadLetter } else { Part::Queue },
            lifecycle: Lifecycle::Managed,
            depends_on,
            serial: None,
            attributes: Vec::new(),
            marker: Some(marker),
            holds_messages: kind == SUBSCRIPTION,
            remedy: None,
        },
        observed: Observed {
            id,
            present: Some(present),
        },
    }
}

fn text<'a>(present: &'a Present, name: &str) -> Option<&'a str> {
    match present.attributes.get(name) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// A topic holds none; how many wait in a subscription, the API does not tell.
pub(crate) fn counts(observed: &Observed) -> Counts {
    Counts {
        unknown_because: (observed.id.kind == SUBSCRIPTION)
            .then(|| "Pub/Sub has no message count in its API".to_owned()),
        ..Counts::default()
    }
}

/// Where to send, where to receive, and where dead letters wait.
pub(crate) fn endpoints(queue: &str, parts: &[(&Resource, &Observed)]) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = parts
        .iter()
        .filter_map(|(resource, observed)| {
            let collection = Collection::of(&resource.id.kind)?;
            let role = match (resource.part, collection) {
                (Part::Queue, Collection::Topics) => Role::Send,
                (Part::Queue, Collection::Subscriptions) => Role::Receive,
                (Part::DeadLetter, Collection::Subscriptions) => Role::DeadLetter,
                // Nothing is received from a topic.
                _ => return None,
            };
            let address = observed.present.as_ref()?.address.get(present::NAME)?;
            let mut details =
                BTreeMap::from([(collection.singular().to_owned(), resource.id.name.clone())]);
            if let Some(project) = address
                .strip_prefix("projects/")
                .and_then(|rest| rest.split('/').next())
            {
                details.insert("project".to_owned(), project.to_owned());
            }
            Some(Endpoint {
                queue: queue.to_owned(),
                role,
                address: address.clone(),
                details,
            })
        })
        .collect();
    endpoints.sort_by_key(|endpoint| endpoint.role);
    endpoints
}
