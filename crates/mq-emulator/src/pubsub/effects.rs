//! What a subscription's surroundings do to it: its topic's retention, and the grants without
//! which dead letters do not go.

use googleapis_tonic_google_iam_v1::google::iam::v1::Policy;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::Subscription;
use mq_engine::{Engine, Entity, EntityId, EntityKind, Service, Settings};
use tonic::Status;

use super::store::Stored;
use super::{PubSub, names, policies, rules};

/// What lets the service agent publish dead letters, and ack them where they were.
const PUBLISHERS: [&str; 4] = [
    "roles/pubsub.publisher",
    "roles/pubsub.editor",
    "roles/pubsub.admin",
    "roles/owner",
];
const SUBSCRIBERS: [&str; 4] = [
    "roles/pubsub.subscriber",
    "roles/pubsub.editor",
    "roles/pubsub.admin",
    "roles/owner",
];

impl PubSub {
    /// The settings that the rules made, as they come out with this policy of the subscription
    /// and with what is around it.
    pub(super) fn effective(
        &self,
        engine: &Engine,
        settings: Settings,
        policy: &Policy,
    ) -> Result<Settings, Status> {
        let topic = settings.topic.as_ref().and_then(|topic| engine.get(topic));
        let kept = topic.and_then(|topic| topic.settings.retention);
        let goes = match &settings.dead_letter {
            Some(target) if self.shared.quirks.pubsub_iam_required => {
                self.is_granted(engine, target, policy)?
            }
            _ => true,
        };
        Ok(Settings {
            // What the topic retains can be sought back to, acked or not.
            retain_acked: settings.retain_acked || kept.is_some(),
            retention: settings.retention.max(kept),
            max_deliveries: settings.max_deliveries.filter(|_| goes),
            dead_letter: settings.dead_letter.filter(|_| goes),
            ..settings
        })
    }

    fn is_granted(
        &self,
        engine: &Engine,
        target: &EntityId,
        policy: &Policy,
    ) -> Result<bool, Status> {
        let Some(target) = engine.get(target) else {
            return Ok(false);
        };
        let member = format!("serviceAccount:{}", policies::service_agent(&self.scope));
        let publishes = grants(&Stored::of(target)?.policy()?, &PUBLISHERS, &member);
        Ok(publishes && grants(policy, &SUBSCRIBERS, &member))
    }

    /// Lets every subscription feel that this topic, or its policy, has changed.
    pub(super) fn topic_changed(
        &self,
        engine: &mut Engine,
        topic: &EntityId,
    ) -> Result<(), Status> {
        let mut all: Vec<EntityId> = engine
            .subscriptions(topic)
            .map(|entity| entity.id.clone())
            .collect();
        if self.shared.quirks.pubsub_iam_required {
            all.extend(self.dead_lettering_to(engine, topic));
        }
        all.iter()
            .try_for_each(|id| self.surroundings_changed(engine, id))
    }

    /// Lets a subscription feel what is around it now.
    pub(super) fn surroundings_changed(
        &self,
        engine: &mut Engine,
        id: &EntityId,
    ) -> Result<(), Status> {
        let Some(entity) = engine.get(id) else {
            return Ok(());
        };
        let stored = Stored::of(entity)?;
        let subscription: Subscription = stored.message()?;
        let (_, settings) = rules::subscription(subscription.clone())?;
        let topic = stored.entity.settings.topic.clone();
        let settings = Settings { topic, ..settings };
        let settings = self.effective(engine, settings, &stored.policy()?)?;
        if settings != stored.entity.settings {
            stored.replace(engine, self.shared.now(), &subscription, settings)?;
            self.changes.send_replace(());
        }
        Ok(())
    }

    /// The subscriptions whose dead-letter policies name this topic.
    fn dead_lettering_to(&self, engine: &Engine, topic: &EntityId) -> Vec<EntityId> {
        let name = names::full(topic);
        let names_it = |entity: &&Entity| {
            let policy = entity.document.pointer("/resource/deadLetterPolicy");
            let target = policy.and_then(|policy| policy.get("deadLetterTopic"));
            target.and_then(serde_json::Value::as_str) == Some(&name)
        };
        let of = |project: &String| {
            engine
                .list(Service::PubSub, EntityKind::Subscription, project, "")
                .filter(names_it)
                .map(|entity| entity.id.clone())
                .collect::<Vec<_>>()
        };
        self.projects().iter().flat_map(of).collect()
    }
}

fn grants(policy: &Policy, roles: &[&str], member: &str) -> bool {
    policy.bindings.iter().any(|binding| {
        // Conditions are kept and not evaluated: they grant nothing here.
        roles.contains(&binding.role.as_str())
            && binding.condition.is_none()
            && binding.members.iter().any(|one| one == member)
    })
}
