//! A queue becomes topics, subscriptions and grants: pure, so that it can be shown before any call.

mod attributes;
mod labels;
mod names;
mod overrides;
#[cfg(test)]
mod tests;

use mq_core::backend::Scope;
use mq_core::queue::{DeadLetterTarget, ResolvedQueue};
use mq_core::resource::{Lifecycle, Lowered, NativeAttribute, Part, Resource, ResourceId};
use mq_core::value::Value;

use self::attributes::Written;
use self::names::QueueNames;
use crate::config::{AGENT_UNKNOWN, Grants, fact};
use crate::native::{Collection, GRANT, Grant, SUBSCRIPTION, TOPIC, attribute};

const PUBLISHER: &str = "roles/pubsub.publisher";
const SUBSCRIBER: &str = "roles/pubsub.subscriber";

/// The queue's resources, each after those it depends on, and its verdicts.
pub(crate) fn lower(queue: &ResolvedQueue, scope: &Scope, grants: Grants) -> Lowered {
    let project = scope.facts.get(fact::PROJECT).map(String::as_str);
    let names = QueueNames::of(queue, project);
    let written = attributes::write(queue, &names, grants);
    let mut problems = names.problems(queue);
    problems.extend(written.problems.iter().cloned());
    let agent = scope
        .facts
        .get(fact::SERVICE_AGENT)
        .map_or(AGENT_UNKNOWN, String::as_str);
    let build = Build {
        queue,
        names: &names,
        grants,
        agent,
        project: project.unwrap_or("PROJECT"),
    };
    let verdicts = written.verdicts.clone();
    Lowered {
        queue: queue.logical.clone(),
        resources: build.resources(written),
        verdicts,
        problems,
    }
}

struct Build<'a> {
    queue: &'a ResolvedQueue,
    names: &'a QueueNames,
    grants: Grants,
    agent: &'a str,
    project: &'a str,
}

impl Build<'_> {
    fn resources(&self, written: Written) -> Vec<Resource> {
        let topic = ResourceId::new(TOPIC, &self.names.topic);
        let dead_letter = self.queue.attributes.dead_letter.as_ref();
        let mut resources = Vec::new();
        let mut needed = vec![topic.clone()];
        if let Some(dead_letter) = dead_letter {
            let dead_topic = ResourceId::new(TOPIC, &self.names.dead_topic);
            needed.push(dead_topic.clone());
            match &dead_letter.value.target {
                DeadLetterTarget::Own => {
                    let dead_subscription =
                        ResourceId::new(SUBSCRIPTION, &self.names.dead_subscription);
                    // A dead letter that no subscription waits for is lost, so it comes first.
                    needed.push(dead_subscription.clone());
                    resources.push(self.topic(
                        dead_topic.clone(),
                        Part::DeadLetter,
                        written.dead_topic,
                    ));
                    resources.push(self.subscription(
                        dead_subscription,
                        Part::DeadLetter,
                        vec![dead_topic.clone()],
                        written.dead_subscription,
                    ));
                }
                DeadLetterTarget::External(_) => resources.push(Resource {
                    lifecycle: Lifecycle::External,
                    marker: None,
                    ..self.topic(dead_topic.clone(), Part::DeadLetter, Vec::new())
                }),
                // It comes with the queue that it belongs to.
                DeadLetterTarget::Shared(_) => {}
            }
            resources.extend(self.grant(Collection::Topics, dead_topic, PUBLISHER));
        }
        resources.push(self.topic(topic, Part::Queue, written.topic));
        let subscription = ResourceId::new(SUBSCRIPTION, &self.names.subscription);
        resources.push(self.subscription(
            subscription.clone(),
            Part::Queue,
            needed,
            written.subscription,
        ));
        if dead_letter.is_some() {
            resources.extend(self.grant(Collection::Subscriptions, subscription, SUBSCRIBER));
        }
        resources
    }

    fn resource(&self, id: ResourceId, part: Part, attributes: Vec<NativeAttribute>) -> Resource {
        Resource {
            id,
            queue: self.queue.logical.clone(),
            part,
            lifecycle: if self.queue.managed {
                Lifecycle::Managed
            } else {
                Lifecycle::External
            },
            depends_on: Vec::new(),
            serial: None,
            attributes,
            marker: self.queue.managed.then(|| self.queue.marker()),
            holds_messages: false,
            remedy: None,
        }
    }

    fn topic(&self, id: ResourceId, part: Part, attributes: Vec<NativeAttribute>) -> Resource {
        // Messages wait in subscriptions; a topic without one drops them.
        self.resource(id, part, attributes)
    }

    fn subscription(
        &self,
        id: ResourceId,
        part: Part,
        depends_on: Vec<ResourceId>,
        attributes: Vec<NativeAttribute>,
    ) -> Resource {
        Resource {
            depends_on,
            holds_messages: true,
            ..self.resource(id, part, attributes)
        }
    }

    /// The right that the project's Pub/Sub service agent needs to move dead letters.
    fn grant(&self, collection: Collection, on: ResourceId, role: &str) -> Option<Resource> {
        if self.grants == Grants::Skip {
            return None;
        }
        let grant = Grant {
            collection,
            on: on.name.clone(),
            role: role.to_owned(),
            member: format!("serviceAccount:{}", self.agent),
        };
        let makes = self.queue.managed && self.grants == Grants::Manage;
        let id = grant.id();
        debug_assert_eq!(id.kind, GRANT);
        Some(Resource {
            lifecycle: if makes {
                Lifecycle::Attached
            } else {
                Lifecycle::External
            },
            depends_on: vec![on],
            // A policy is written whole: two grants on one resource go one after the other.
            serial: Some(grant.path()),
            marker: None,
            remedy: (!makes).then(|| self.command(&grant)),
            ..self.resource(
                id,
                Part::Grant,
                vec![
                    NativeAttribute::new(attribute::ON, Value::text(grant.path())),
                    NativeAttribute::new(attribute::ROLE, Value::text(role)),
                    NativeAttribute::new(attribute::MEMBER, Value::text(&grant.member)),
                ],
            )
        })
    }

    /// The command that makes a grant by hand.
    fn command(&self, grant: &Grant) -> String {
        let (project, name) = grant
            .on
            .strip_prefix("projects/")
            .and_then(|rest| rest.split_once("/topics/"))
            .unwrap_or((self.project, &grant.on));
        format!(
            "gcloud pubsub {} add-iam-policy-binding {name} --project={project} --member={} --role={}",
            grant.collection.segment(),
            grant.member,
            grant.role
        )
    }
}
