//! One change: a topic, a subscription or a grant is made, changed or removed.

mod fields;

use std::collections::HashMap;
use std::time::Duration;

use google_cloud_iam_v1::model::{Binding, Policy};
use google_cloud_pubsub::model::{Subscription, Topic};
use google_cloud_wkt::FieldMask;
use mq_core::error::{Error, ErrorKind, Result, Retry};
use mq_core::plan::{Action, AttributeChange, Change};
use mq_core::queue::{
    MARKER_EXPIRES, MARKER_ORIGIN, MARKER_QUEUE, MARKER_STACK, MARKER_STAGE, Marker,
};
use mq_core::resource::ResourceId;

use crate::client::Clients;
use crate::error::{Call, from_sdk};
use crate::native::{Collection, GRANT, Grant, SUBSCRIPTION, TOPIC, attribute, full};
use crate::observe::{of_grant, read_policy};

/// How long the service may go on saying that something is not there which was just made, and
/// how often to ask (G5).
const SHOWS: Retry = Retry::Poll {
    every: Duration::from_secs(2),
    within: Duration::from_secs(60),
};

/// How often a policy is read and written before others are left to change it first.
const POLICY_ATTEMPTS_MAX: usize = 4;

/// Makes the change.
pub(crate) async fn apply(clients: &Clients, project: &str, change: &Change) -> Result<()> {
    let id = &change.resource.id;
    let writer = Writer {
        clients,
        project,
        change,
    };
    match (&*id.kind, change.action) {
        (_, Action::NoOp) => Ok(()),
        (TOPIC, Action::Create) => writer.create_topic().await,
        (TOPIC, Action::Update | Action::Adopt) => writer.update_topic().await,
        (TOPIC, Action::Delete) => writer.delete_topic().await,
        (SUBSCRIPTION, Action::Create) => writer.create_subscription().await,
        (SUBSCRIPTION, Action::Update | Action::Adopt) => writer.update_subscription().await,
        (SUBSCRIPTION, Action::Delete) => writer.delete_subscription().await,
        (GRANT, Action::Create) => writer.grant().await,
        // A grant stands in the policy of the resource it is on, and went with that.
        (GRANT, Action::Delete) => Ok(()),
        (kind, action) => Err(Error::new(
            ErrorKind::Refused,
            format!("`{action:?}` is no change of a {kind}"),
        )),
    }
}

struct Writer<'a> {
    clients: &'a Clients,
    project: &'a str,
    change: &'a Change,
}

type Labels = HashMap<String, String>;

impl Writer<'_> {
    fn id(&self) -> &ResourceId {
        &self.change.resource.id
    }

    fn name(&self, collection: Collection) -> String {
        full(self.project, collection, &self.id().name)
    }

    /// Whether the change is about the topic that dead letters go to.
    fn links_dead_letters(&self) -> bool {
        self.changed(attribute::DEAD_LETTER_TOPIC)
    }

    fn changed(&self, name: &str) -> bool {
        self.change
            .attributes
            .iter()
            .any(|changed| changed.name == name)
    }

    /// Whether labels are written: the file's, or the marker of what is made or taken over.
    fn marks(&self) -> bool {
        matches!(self.change.action, Action::Create | Action::Adopt)
    }

    fn mark(&self, labels: &mut Labels) {
        if !self.marks() {
            return;
        }
        if let Some(marker) = &self.change.resource.marker {
            write_marker(labels, marker);
        }
    }

    fn mask(&self, paths: Vec<&'static str>) -> FieldMask {
        let mut paths = paths;
        if self.marks() {
            paths.push(fields::LABELS_PATH);
        }
        paths.sort_unstable();
        paths.dedup();
        FieldMask::default().set_paths(paths)
    }

    async fn create_topic(&self) -> Result<()> {
        let on = self.name(Collection::Topics);
        let call = Call {
            operation: "CreateTopic",
            permission: "pubsub.topics.create",
            on: &on,
        };
        let mut topic = Topic::new().set_name(&on);
        written(&self.change.attributes, |changed| {
            fields::set_topic(&mut topic, changed)
        })?;
        self.mark(&mut topic.labels);
        self.clients
            .topics
            .create_topic()
            .with_request(topic)
            .send()
            .await
            .map_err(|error| from_sdk(error, call))?;
        Ok(())
    }

    async fn update_topic(&self) -> Result<()> {
        let on = self.name(Collection::Topics);
        let read = Call {
            operation: "GetTopic",
            permission: "pubsub.topics.get",
            on: &on,
        };
        let call = Call {
            operation: "UpdateTopic",
            permission: "pubsub.topics.update",
            on: &on,
        };
        // Read again: a field is written whole, and the plan may be older than what is there. The
        // plan saw it, so that it may be missing only for a while.
        let current = self.clients.topics.get_topic().set_topic(&on).send().await;
        let mut topic =
            current.map_err(|error| await_parent(from_sdk(error, read), "the topic"))?;
        let paths = written(&self.change.attributes, |changed| {
            fields::set_topic(&mut topic, changed)
        })?;
        self.mark(&mut topic.labels);
        let mask = self.mask(paths);
        if mask.paths.is_empty() {
            return Ok(());
        }
        self.clients
            .topics
            .update_topic()
            .set_topic(fields::masked_topic(topic, &mask))
            .set_update_mask(mask)
            .send()
            .await
            .map_err(|error| from_sdk(error, call))?;
        Ok(())
    }

    async fn delete_topic(&self) -> Result<()> {
        let on = self.name(Collection::Topics);
        let call = Call {
            operation: "DeleteTopic",
            permission: "pubsub.topics.delete",
            on: &on,
        };
        let answer = self.clients.topics.delete_topic().set_topic(&on);
        gone(answer.send().await.map_err(|error| from_sdk(error, call)))
    }

    async fn create_subscription(&self) -> Result<()> {
        let on = self.name(Collection::Subscriptions);
        let call = Call {
            operation: "CreateSubscription",
            permission: "pubsub.subscriptions.create",
            on: &on,
        };
        let mut subscription = Subscription::new().set_name(&on);
        written(&self.change.attributes, |changed| {
            fields::set_subscription(self.project, &mut subscription, changed)
        })?;
        self.mark(&mut subscription.labels);
        self.clients
            .subscriptions
            .create_subscription()
            .with_request(subscription)
            .send()
            .await
            // What is not there is a topic: this change is made after it.
            .map_err(|error| await_parent(from_sdk(error, call), "its topic"))?;
        Ok(())
    }

    async fn update_subscription(&self) -> Result<()> {
        let on = self.name(Collection::Subscriptions);
        let read = Call {
            operation: "GetSubscription",
            permission: "pubsub.subscriptions.get",
            on: &on,
        };
        let call = Call {
            operation: "UpdateSubscription",
            permission: "pubsub.subscriptions.update",
            on: &on,
        };
        let current = self.clients.subscriptions.get_subscription();
        let current = current.set_subscription(&on).send().await;
        let mut subscription =
            current.map_err(|error| await_parent(from_sdk(error, read), "the subscription"))?;
        let paths = written(&self.change.attributes, |changed| {
            fields::set_subscription(self.project, &mut subscription, changed)
        })?;
        self.mark(&mut subscription.labels);
        let mask = self.mask(paths);
        if mask.paths.is_empty() {
            return Ok(());
        }
        self.clients
            .subscriptions
            .update_subscription()
            .set_subscription(fields::masked_subscription(subscription, &mask))
            .set_update_mask(mask)
            .send()
            .await
            .map_err(|error| {
                let error = from_sdk(error, call);
                // It was read a moment ago: what is not there is the topic for its dead letters.
                if self.links_dead_letters() {
                    await_parent(error, "its dead-letter topic")
                } else {
                    error
                }
            })?;
        Ok(())
    }

    async fn delete_subscription(&self) -> Result<()> {
        let on = self.name(Collection::Subscriptions);
        let call = Call {
            operation: "DeleteSubscription",
            permission: "pubsub.subscriptions.delete",
            on: &on,
        };
        let answer = self.clients.subscriptions.delete_subscription();
        let answer = answer.set_subscription(&on).send().await;
        gone(answer.map_err(|error| from_sdk(error, call)))
    }

    /// Adds one member to one role, and nothing else: the policy is read, extended and written
    /// back with its etag, so that what others write in between is never lost.
    async fn grant(&self) -> Result<()> {
        let grant = Grant::of(&self.change.resource).ok_or_else(|| {
            Error::new(
                ErrorKind::SpecInvalid,
                format!("{} does not say who gets which role", self.id()),
            )
        })?;
        let mut attempt = 1;
        loop {
            let policy = read_policy(self.clients, self.project, &grant)
                .await
                .map_err(|error| await_parent(error, "what the grant is on"))?;
            if of_grant(&grant, &policy).is_some() {
                return Ok(());
            }
            match self.write_policy(&grant, with_member(policy, &grant)).await {
                // Someone else wrote in between.
                Err(error)
                    if error.kind() == ErrorKind::Conflict
                        && error.retry() != Retry::Never
                        && attempt < POLICY_ATTEMPTS_MAX =>
                {
                    attempt += 1;
                }
                written => return written,
            }
        }
    }

    async fn write_policy(&self, grant: &Grant, policy: Policy) -> Result<()> {
        let on = full(self.project, grant.collection, &grant.on);
        let call = Call {
            operation: "SetIamPolicy",
            permission: match grant.collection {
                Collection::Topics => "pubsub.topics.setIamPolicy",
                Collection::Subscriptions => "pubsub.subscriptions.setIamPolicy",
            },
            on: &on,
        };
        let request = self.clients.policies.set_iam_policy();
        let answer = request.set_resource(&on).set_policy(policy).send().await;
        answer.map(drop).map_err(|error| {
            let error = await_parent(from_sdk(error, call), "what the grant is on");
            match error.kind() {
                ErrorKind::PermissionDenied => error.with_hint(
                    "grant a role that has it, such as `roles/pubsub.admin`; or say `grants: check` under the file's `clouds` entry and let someone who may run the command that `mq plan` then prints",
                ),
                ErrorKind::SpecInvalid => error.with_hint(format!(
                    "if the service says that `{}` does not exist: check `project_number`, or run `gcloud beta services identity create --service=pubsub.googleapis.com --project={}`",
                    grant.member, self.project
                )),
                _ => error,
            }
        })
    }
}

/// Sets every changed attribute; returns the paths of the fields that were set.
fn written(
    changes: &[AttributeChange],
    mut set: impl FnMut(&AttributeChange) -> Result<&'static str>,
) -> Result<Vec<&'static str>> {
    changes.iter().map(&mut set).collect()
}

/// Puts our marker in place of whatever marker was there, and leaves all other labels.
fn write_marker(labels: &mut Labels, marker: &Marker) {
    for key in [
        MARKER_STACK,
        MARKER_STAGE,
        MARKER_QUEUE,
        MARKER_ORIGIN,
        MARKER_EXPIRES,
    ] {
        labels.remove(key);
    }
    labels.extend(marker.entries());
}

/// What is to be removed and is not there is removed.
fn gone(answer: Result<()>) -> Result<()> {
    match answer {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        answer => answer,
    }
}

/// A change is made after what it depends on: if that is not there, it does not show yet.
fn await_parent(error: Error, what: &str) -> Error {
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    Error::new(ErrorKind::NotFound, format!("{what} does not show yet"))
        .with_operation(error.operation())
        .with_retry(SHOWS)
        .with_source(error)
}

/// The policy with the grant added. Conditions, other members and the version stay.
fn with_member(mut policy: Policy, grant: &Grant) -> Policy {
    let binding = policy
        .bindings
        .iter_mut()
        .find(|binding| binding.role == grant.role && binding.condition.is_none());
    match binding {
        Some(binding) => binding.members.push(grant.member.clone()),
        None => policy.bindings.push(
            Binding::new()
                .set_role(&grant.role)
                .set_members([&grant.member]),
        ),
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> Grant {
        Grant {
            collection: Collection::Topics,
            on: "orders-dlq".to_owned(),
            role: "roles/pubsub.publisher".to_owned(),
            member: "serviceAccount:agent".to_owned(),
        }
    }

    #[test]
    fn a_grant_is_added_and_nothing_is_taken_away() {
        // G1: never overwrite, keep version, etag and conditions.
        let policy: Policy = serde_json::from_value(serde_json::json!({
            "version": 3,
            "etag": "BwWKmjvelug=",
            "bindings": [
                {
                    "role": "roles/pubsub.publisher",
                    "members": ["user:conditional"],
                    "condition": {"expression": "request.time < timestamp('2027-01-01T00:00:00Z')"},
                },
                {"role": "roles/pubsub.publisher", "members": ["user:other"]},
                {"role": "roles/pubsub.viewer", "members": ["user:viewer"]},
            ],
        }))
        .expect("a policy");
        let mut expected = policy.clone();
        expected.bindings[1]
            .members
            .push("serviceAccount:agent".to_owned());
        assert_eq!(with_member(policy, &grant()), expected);
    }

    #[test]
    fn a_role_without_a_binding_gets_one() {
        let policy = with_member(Policy::new(), &grant());
        assert!(of_grant(&grant(), &policy).is_some());
        assert_eq!(policy.bindings.len(), 1);
    }

    #[test]
    fn a_marker_replaces_a_marker_and_spares_other_labels() {
        use mq_core::queue::Owner;
        let marker = Marker {
            owner: Owner {
                stack: "new".to_owned(),
                stage: None,
                origin: None,
            },
            queue: "orders".to_owned(),
            expires_at: None,
        };
        let mut labels = Labels::from([
            ("team".to_owned(), "a".to_owned()),
            (MARKER_STACK.to_owned(), "old".to_owned()),
            (MARKER_STAGE.to_owned(), "dev".to_owned()),
        ]);
        write_marker(&mut labels, &marker);
        let expected = [
            ("team", "a"),
            (MARKER_STACK, "new"),
            (MARKER_QUEUE, "orders"),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(labels, Labels::from(expected));
    }

    #[test]
    fn what_is_not_there_yet_is_polled_for_and_what_is_gone_is_gone() {
        let missing = || Error::new(ErrorKind::NotFound, "not there");
        assert_eq!(await_parent(missing(), "its topic").retry(), SHOWS);
        let denied = Error::new(ErrorKind::PermissionDenied, "no");
        assert_eq!(await_parent(denied, "its topic").retry(), Retry::Never);
        assert!(gone(Err(missing())).is_ok());
        assert!(gone(Err(Error::new(ErrorKind::Conflict, "no"))).is_err());
    }
}
