//! Topics: create, read, update, list, delete.

use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    DeleteTopicRequest, GetTopicRequest, ListTopicSubscriptionsRequest,
    ListTopicSubscriptionsResponse, ListTopicsRequest, ListTopicsResponse, Topic,
    UpdateTopicRequest, topic::State,
};
use mq_engine::{Entity, EntityKind};
use tonic::Status;

use super::page::Page;
use super::store::{Stored, find, list};
use super::{PubSub, mask, names, rules};

impl PubSub {
    pub(super) fn create_topic(&self, topic: Topic) -> Result<Topic, Status> {
        let id = names::topic(&topic.name)?;
        let (topic, settings) = rules::topic(topic)?;
        let mut engine = self.shared.engine();
        let entity = self.insert(&mut engine, id.clone(), &topic, settings)?;
        // Dead letters may have waited for it.
        self.topic_changed(&mut engine, &id)?;
        shown(&entity)
    }

    pub(super) fn get_topic(&self, request: GetTopicRequest) -> Result<Topic, Status> {
        let id = names::topic(&request.topic)?;
        shown(self.observe(&self.shared.engine(), &id)?)
    }

    pub(super) fn update_topic(&self, request: UpdateTopicRequest) -> Result<Topic, Status> {
        let change = request
            .topic
            .ok_or_else(|| Status::invalid_argument("The topic to update must be specified."))?;
        let id = names::topic(&change.name)?;
        let paths = mask::check::<Topic>(request.update_mask)?;
        rules::topic_features(&change)?;
        let mut engine = self.shared.engine();
        let stored = Stored::of(find(&engine, &id)?)?;
        let (topic, settings) = rules::topic(mask::merge(&stored.message()?, &change, &paths)?)?;
        let entity = stored.replace(&mut engine, self.shared.now(), &topic, settings)?;
        self.topic_changed(&mut engine, &id)?;
        shown(&entity)
    }

    pub(super) fn list_topics(
        &self,
        request: ListTopicsRequest,
    ) -> Result<ListTopicsResponse, Status> {
        let project = names::project(&request.project)?;
        let page = Page::parse(request.page_size, &request.page_token)?;
        let engine = self.shared.engine();
        let (found, next_page_token) = list(&engine, EntityKind::Topic, &project, &page, |_| true);
        let topics = found.into_iter().map(shown).collect::<Result<_, _>>()?;
        Ok(ListTopicsResponse {
            topics,
            next_page_token,
        })
    }

    /// The subscriptions of the topic that are in its own project.
    pub(super) fn list_topic_subscriptions(
        &self,
        request: ListTopicSubscriptionsRequest,
    ) -> Result<ListTopicSubscriptionsResponse, Status> {
        let id = names::topic(&request.topic)?;
        let page = Page::parse(request.page_size, &request.page_token)?;
        let engine = self.shared.engine();
        find(&engine, &id)?;
        let attached = |entity: &Entity| entity.settings.topic.as_ref() == Some(&id);
        let (found, next_page_token) = list(
            &engine,
            EntityKind::Subscription,
            &id.scope,
            &page,
            attached,
        );
        let subscriptions = found
            .into_iter()
            .map(|entity| names::full(&entity.id))
            .collect();
        Ok(ListTopicSubscriptionsResponse {
            subscriptions,
            next_page_token,
        })
    }

    pub(super) fn delete_topic(&self, request: DeleteTopicRequest) -> Result<(), Status> {
        let id = names::topic(&request.topic)?;
        self.remove(&mut self.shared.engine(), &id)
    }
}

/// The topic as the service shows it.
fn shown(entity: &Entity) -> Result<Topic, Status> {
    let topic = Stored::of(entity)?.message()?;
    Ok(Topic {
        state: State::Active.into(),
        ..topic
    })
}
