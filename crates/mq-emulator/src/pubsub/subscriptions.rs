//! Subscriptions: create, read, update, list, detach, delete.

use googleapis_tonic_google_iam_v1::google::iam::v1::Policy;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    DeleteSubscriptionRequest, DetachSubscriptionRequest, DetachSubscriptionResponse,
    GetSubscriptionRequest, ListSubscriptionsRequest, ListSubscriptionsResponse, Subscription,
    UpdateSubscriptionRequest, subscription::State,
};
use mq_engine::{Engine, Entity, EntityKind, Settings};
use tonic::Status;

use super::page::Page;
use super::store::{Stored, find, list};
use super::{PubSub, mask, names, rules};

impl PubSub {
    pub(super) fn create_subscription(
        &self,
        subscription: Subscription,
    ) -> Result<Subscription, Status> {
        let id = names::subscription(&subscription.name)?;
        let (subscription, settings) = rules::subscription(Subscription {
            detached: false,
            ..subscription
        })?;
        let mut engine = self.shared.engine();
        if let Some(dead_letter) = &settings.dead_letter {
            find(&engine, dead_letter)?;
        }
        let settings = self.effective(&engine, settings, &Policy::default())?;
        self.projects().insert(id.scope.clone());
        let entity = self.insert(&mut engine, id, &subscription, settings)?;
        shown(&engine, &entity)
    }

    pub(super) fn get_subscription(
        &self,
        request: GetSubscriptionRequest,
    ) -> Result<Subscription, Status> {
        let id = names::subscription(&request.subscription)?;
        let engine = self.shared.engine();
        shown(&engine, self.observe(&engine, &id)?)
    }

    pub(super) fn update_subscription(
        &self,
        request: UpdateSubscriptionRequest,
    ) -> Result<Subscription, Status> {
        let missing = || Status::invalid_argument("The subscription to update must be specified.");
        let change = request.subscription.ok_or_else(missing)?;
        let id = names::subscription(&change.name)?;
        let paths = mask::check::<Subscription>(request.update_mask)?;
        rules::subscription_features(&change)?;
        let mut engine = self.shared.engine();
        let stored = Stored::of(find(&engine, &id)?)?;
        let before: Subscription = stored.message()?;
        let merged = mask::merge(&before, &change, &paths)?;
        let (subscription, mut settings) = rules::subscription(merged)?;
        // A policy whose topic was deleted since may stay; a new one needs its topic.
        if let Some(dead_letter) = &settings.dead_letter
            && dead_letter_topic(&subscription) != dead_letter_topic(&before)
        {
            find(&engine, dead_letter)?;
        }
        // The document keeps the topic's name when the subscription is no longer attached to it.
        settings.topic.clone_from(&stored.entity.settings.topic);
        let settings = self.effective(&engine, settings, &stored.policy()?)?;
        let entity = stored.replace(&mut engine, self.shared.now(), &subscription, settings)?;
        self.changes.send_replace(());
        shown(&engine, &entity)
    }

    pub(super) fn list_subscriptions(
        &self,
        request: ListSubscriptionsRequest,
    ) -> Result<ListSubscriptionsResponse, Status> {
        let project = names::project(&request.project)?;
        let page = Page::parse(request.page_size, &request.page_token)?;
        let engine = self.shared.engine();
        let (found, next_page_token) =
            list(&engine, EntityKind::Subscription, &project, &page, |_| true);
        let subscriptions = found
            .into_iter()
            .map(|entity| shown(&engine, entity))
            .collect::<Result<_, _>>()?;
        Ok(ListSubscriptionsResponse {
            subscriptions,
            next_page_token,
        })
    }

    pub(super) fn detach_subscription(
        &self,
        request: DetachSubscriptionRequest,
    ) -> Result<DetachSubscriptionResponse, Status> {
        let id = names::subscription(&request.subscription)?;
        let mut engine = self.shared.engine();
        let stored = Stored::of(find(&engine, &id)?)?;
        let detached = Subscription {
            detached: true,
            ..stored.message()?
        };
        let settings = Settings {
            topic: None,
            ..stored.entity.settings.clone()
        };
        stored.replace(&mut engine, self.shared.now(), &detached, settings)?;
        self.changes.send_replace(());
        Ok(DetachSubscriptionResponse {})
    }

    pub(super) fn delete_subscription(
        &self,
        request: DeleteSubscriptionRequest,
    ) -> Result<(), Status> {
        let id = names::subscription(&request.subscription)?;
        self.remove(&mut self.shared.engine(), &id)
    }
}

fn dead_letter_topic(subscription: &Subscription) -> Option<&str> {
    let policy = subscription.dead_letter_policy.as_ref()?;
    Some(&policy.dead_letter_topic)
}

/// The subscription as the service shows it, with what it takes from its topic.
fn shown(engine: &Engine, entity: &Entity) -> Result<Subscription, Status> {
    let subscription: Subscription = Stored::of(entity)?.message()?;
    let topic = match &entity.settings.topic {
        Some(topic) => engine.get(topic),
        // Detached by request: it still names the topic that it was attached to.
        None if subscription.detached => engine.get(&names::topic(&subscription.topic)?),
        None => None,
    };
    Ok(Subscription {
        topic: topic.map_or_else(
            || names::DELETED_TOPIC.to_owned(),
            |topic| names::full(&topic.id),
        ),
        topic_message_retention_duration: topic
            .and_then(|topic| topic.settings.retention)
            .map(rules::proto),
        state: State::Active.into(),
        ..subscription
    })
}
