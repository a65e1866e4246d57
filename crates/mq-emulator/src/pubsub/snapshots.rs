//! Snapshots of subscriptions, and going back to them or to a time.
//!
//! <https://cloud.google.com/pubsub/docs/replay-overview>

use std::collections::HashMap;
use std::time::Duration;

use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    CreateSnapshotRequest, DeleteSnapshotRequest, GetSnapshotRequest, ListSnapshotsRequest,
    ListSnapshotsResponse, ListTopicSnapshotsRequest, ListTopicSnapshotsResponse, SeekRequest,
    SeekResponse, Snapshot, UpdateSnapshotRequest, seek_request::Target,
};
use mq_engine::{Engine, EntityId, Operation, Place, SeekTo, SnapshotStep, Timestamp};
use tonic::Status;

use super::page::Page;
use super::pull::subscribed;
use super::status::{already_exists, denied, not_found, unimplemented};
use super::store::find;
use super::{PubSub, envelope, mask, names, rules};

/// How long a snapshot of an empty backlog lives; the oldest message's age shortens it.
const LIFE_MAX: Duration = Duration::from_hours(7 * 24);
/// One that would live shorter is refused.
const LIFE_MIN: Duration = Duration::from_hours(1);
const LABELS: &str = "labels";

impl PubSub {
    pub(super) fn create_snapshot(
        &self,
        request: CreateSnapshotRequest,
    ) -> Result<Snapshot, Status> {
        let id = names::subscription(&request.subscription)?;
        if !request.tags.is_empty() {
            return Err(unimplemented("Resource Manager tags (tags)"));
        }
        rules::check_labels(&request.labels)?;
        let name = match request.name.as_str() {
            "" => format!(
                "projects/{}/snapshots/snap-{}",
                id.scope,
                uuid::Uuid::new_v4()
            ),
            name => names::snapshot(name)?,
        };
        let mut engine = self.shared.engine();
        let now = self.shared.now();
        engine.advance(now);
        subscribed(&engine, &id)?;
        if engine.snapshot(&name).is_some() {
            return Err(already_exists(&name));
        }
        let expires = now.after(life(&engine, &id, now)?);
        let step = SnapshotStep::Take {
            subscription: id,
            expires,
            document: document(&request.labels),
        };
        let take = Operation::Snapshot {
            name: name.clone(),
            step,
        };
        engine
            .perform(now, take)
            .map_err(|why| denied(&why, &request.subscription))?;
        shown(&engine, &name)
    }

    pub(super) fn get_snapshot(&self, request: GetSnapshotRequest) -> Result<Snapshot, Status> {
        let name = names::snapshot(&request.snapshot)?;
        let mut engine = self.shared.engine();
        engine.advance(self.shared.now());
        shown(&engine, &name)
    }

    pub(super) fn update_snapshot(
        &self,
        request: UpdateSnapshotRequest,
    ) -> Result<Snapshot, Status> {
        let missing = || Status::invalid_argument("The snapshot to update must be specified.");
        let change = request.snapshot.ok_or_else(missing)?;
        let name = names::snapshot(&change.name)?;
        let paths = mask::check::<Snapshot>(request.update_mask)?;
        rules::check_labels(&change.labels)?;
        let mut engine = self.shared.engine();
        let now = self.shared.now();
        engine.advance(now);
        let merged = mask::merge(&shown(&engine, &name)?, &change, &paths)?;
        let expires = expire_time(&engine, &name, now, merged.expire_time.as_ref())?;
        let document = document(&merged.labels);
        let step = SnapshotStep::Update { expires, document };
        let update = Operation::Snapshot {
            name: name.clone(),
            step,
        };
        engine
            .perform(now, update)
            .map_err(|why| denied(&why, &name))?;
        shown(&engine, &name)
    }

    pub(super) fn delete_snapshot(&self, request: DeleteSnapshotRequest) -> Result<(), Status> {
        let name = names::snapshot(&request.snapshot)?;
        let step = SnapshotStep::Drop;
        let drop = Operation::Snapshot { name, step };
        let dropped = self.shared.perform(drop);
        dropped
            .map(|_| ())
            .map_err(|why| denied(&why, &request.snapshot))
    }

    pub(super) fn list_snapshots(
        &self,
        request: ListSnapshotsRequest,
    ) -> Result<ListSnapshotsResponse, Status> {
        let project = names::project(&request.project)?;
        let page = Page::parse(request.page_size, &request.page_token)?;
        let start = format!("projects/{project}/snapshots/");
        let mut engine = self.shared.engine();
        engine.advance(self.shared.now());
        let after = page.after.as_str().max(&start);
        let names = engine
            .snapshots_after(after)
            .map(|snapshot| snapshot.name.as_str());
        let (names, next_page_token) = cut(names.take_while(|it| it.starts_with(&start)), &page);
        let snapshots = names
            .iter()
            .map(|name| shown(&engine, name))
            .collect::<Result<_, _>>()?;
        Ok(ListSnapshotsResponse {
            snapshots,
            next_page_token,
        })
    }

    pub(super) fn list_topic_snapshots(
        &self,
        request: ListTopicSnapshotsRequest,
    ) -> Result<ListTopicSnapshotsResponse, Status> {
        let id = names::topic(&request.topic)?;
        let page = Page::parse(request.page_size, &request.page_token)?;
        let mut engine = self.shared.engine();
        engine.advance(self.shared.now());
        find(&engine, &id)?;
        let names = engine
            .snapshots_after(&page.after)
            .filter(|snapshot| snapshot.topic.as_ref() == Some(&id))
            .map(|snapshot| snapshot.name.as_str());
        let (snapshots, next_page_token) = cut(names, &page);
        Ok(ListTopicSnapshotsResponse {
            snapshots,
            next_page_token,
        })
    }

    pub(super) fn seek(&self, request: SeekRequest) -> Result<SeekResponse, Status> {
        let id = names::subscription(&request.subscription)?;
        let (to, target) = match request.target {
            Some(Target::Time(time)) => (SeekTo::Time(moment(&time)?), request.subscription),
            Some(Target::Snapshot(name)) => (SeekTo::Snapshot(names::snapshot(&name)?), name),
            None => {
                return Err(Status::invalid_argument(
                    "A seek must have a time or a snapshot as its target.",
                ));
            }
        };
        let mut engine = self.shared.engine();
        subscribed(&engine, &id)?;
        let subscription = id;
        engine
            .perform(self.shared.now(), Operation::Seek { subscription, to })
            .map(|_| SeekResponse {})
            .map_err(|why| denied(&why, &target))
    }
}

/// How long a snapshot that is taken now lives.
fn life(engine: &Engine, id: &EntityId, now: Timestamp) -> Result<Duration, Status> {
    let oldest = engine.peek(&Place::from(id.clone()), 0, 1, None);
    let age = oldest.first().map(|message| now.since(message.sent));
    let life = LIFE_MAX.saturating_sub(age.unwrap_or_default());
    if life < LIFE_MIN {
        return Err(Status::failed_precondition(
            "The oldest message of the subscription is too old: the snapshot would expire within an hour.",
        ));
    }
    Ok(life)
}

fn expire_time(
    engine: &Engine,
    name: &str,
    now: Timestamp,
    given: Option<&prost_types::Timestamp>,
) -> Result<Timestamp, Status> {
    let snapshot = engine.snapshot(name).ok_or_else(|| not_found(name))?;
    let latest = snapshot.created.after(LIFE_MAX);
    let expires = given.map(moment).transpose()?.unwrap_or(snapshot.expires);
    if expires <= now || expires > latest {
        return Err(Status::invalid_argument(
            "expire_time must be in the future and within 7 days of the snapshot's creation.",
        ));
    }
    Ok(expires)
}

/// The snapshot as the service shows it.
fn shown(engine: &Engine, name: &str) -> Result<Snapshot, Status> {
    let snapshot = engine.snapshot(name).ok_or_else(|| not_found(name))?;
    let topic = snapshot.topic.as_ref();
    let topic = topic.filter(|topic| engine.get(topic).is_some());
    let labels = snapshot.document.get(LABELS).and_then(|it| it.as_object());
    let label = |(key, value): (&String, &serde_json::Value)| {
        Some((key.clone(), value.as_str()?.to_owned()))
    };
    Ok(Snapshot {
        name: snapshot.name.clone(),
        topic: topic.map_or_else(|| names::DELETED_TOPIC.to_owned(), names::full),
        expire_time: Some(envelope::time(snapshot.expires)),
        labels: labels.into_iter().flatten().filter_map(label).collect(),
    })
}

fn document(labels: &HashMap<String, String>) -> serde_json::Value {
    serde_json::json!({ LABELS: labels })
}

/// The first of these names, and the token of the page after them.
fn cut<'a>(mut names: impl Iterator<Item = &'a str>, page: &Page) -> (Vec<String>, String) {
    let found: Vec<String> = names.by_ref().take(page.size).map(str::to_owned).collect();
    let more = names.next().is_some();
    let next = found.last().filter(|_| more);
    let next = next.map(|last| Page::token_after(last)).unwrap_or_default();
    (found, next)
}

/// The time in whole milliseconds, the last one begun counted: what was published before it is
/// then what was published before the time that was given.
fn moment(time: &prost_types::Timestamp) -> Result<Timestamp, Status> {
    let nanos = u64::try_from(time.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)
        .ok_or_else(|| Status::invalid_argument("A time's nanos must be from 0 to 999999999."))?;
    let Ok(seconds) = u64::try_from(time.seconds) else {
        // Before 1970: there were no messages yet.
        return Ok(Timestamp(0));
    };
    let millis = seconds.saturating_mul(1_000);
    Ok(Timestamp(millis.saturating_add(nanos.div_ceil(1_000_000))))
}
