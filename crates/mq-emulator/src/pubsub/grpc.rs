//! The gRPC form: one unary call per operation, found by its path.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use prost::Message;
use tonic::Status;
use tonic_prost::ProstCodec;

use super::PubSub;
use super::ledger;
use super::status::{shown, to_grpc, unimplemented};

/// The largest request of an administration call, as over REST.
const MESSAGE_BYTES_MAX: usize = super::REQUEST_BYTES_MAX;

pub(super) async fn serve(pubsub: Arc<PubSub>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let Some(operation) = operation(&path) else {
        return to_grpc(Status::unimplemented(format!(
            "There is no method {}.",
            shown(&path)
        )));
    };
    match operation.as_str() {
        "Publisher.CreateTopic" => unary(request, move |m| pubsub.create_topic(m)).await,
        "Publisher.GetTopic" => unary(request, move |m| pubsub.get_topic(m)).await,
        "Publisher.UpdateTopic" => unary(request, move |m| pubsub.update_topic(m)).await,
        "Publisher.ListTopics" => unary(request, move |m| pubsub.list_topics(m)).await,
        "Publisher.ListTopicSubscriptions" => {
            unary(request, move |m| pubsub.list_topic_subscriptions(m)).await
        }
        "Publisher.DeleteTopic" => unary(request, move |m| pubsub.delete_topic(m)).await,
        "Publisher.DetachSubscription" => {
            unary(request, move |m| pubsub.detach_subscription(m)).await
        }
        "Subscriber.CreateSubscription" => {
            unary(request, move |m| pubsub.create_subscription(m)).await
        }
        "Subscriber.GetSubscription" => unary(request, move |m| pubsub.get_subscription(m)).await,
        "Subscriber.UpdateSubscription" => {
            unary(request, move |m| pubsub.update_subscription(m)).await
        }
        "Subscriber.ListSubscriptions" => {
            unary(request, move |m| pubsub.list_subscriptions(m)).await
        }
        "Subscriber.DeleteSubscription" => {
            unary(request, move |m| pubsub.delete_subscription(m)).await
        }
        "IAMPolicy.GetIamPolicy" => unary(request, move |m| pubsub.get_iam_policy(m)).await,
        "IAMPolicy.SetIamPolicy" => unary(request, move |m| pubsub.set_iam_policy(m)).await,
        "IAMPolicy.TestIamPermissions" => {
            unary(request, move |m| pubsub.test_iam_permissions(m)).await
        }
        absent => to_grpc(unimplemented(absent)),
    }
}

/// The ledger's name of the method at this path, if the port knows it.
fn operation(path: &str) -> Option<String> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    let service = match service {
        "google.pubsub.v1.Publisher" => "Publisher",
        "google.pubsub.v1.Subscriber" => "Subscriber",
        "google.pubsub.v1.SchemaService" => "SchemaService",
        "google.iam.v1.IAMPolicy" => "IAMPolicy",
        _ => return None,
    };
    let name = format!("{service}.{method}");
    ledger::find(&name).map(|_| name)
}

async fn unary<Q, A, F>(request: Request, mut operation: F) -> Response
where
    Q: Message + Default + Send + 'static,
    A: Message + Default + Send + 'static,
    F: FnMut(Q) -> Result<A, Status> + Send,
{
    let call = tower::service_fn(move |request: tonic::Request<Q>| {
        std::future::ready(operation(request.into_inner()).map(tonic::Response::new))
    });
    let codec = ProstCodec::<A, Q>::default();
    let mut grpc = tonic::server::Grpc::new(codec).max_decoding_message_size(MESSAGE_BYTES_MAX);
    grpc.unary(call, request).await.map(Body::new)
}
