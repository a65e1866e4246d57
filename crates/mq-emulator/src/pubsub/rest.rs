//! The REST form: paths and query parameters to operations, JSON bodies to messages and back.
//!
//! Bindings: <https://cloud.google.com/pubsub/docs/reference/rest>, and one call of
//! <https://cloud.google.com/resource-manager/reference/rest/v3/projects/get>.

use std::borrow::Cow;

use axum::body::{self, Body};
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use googleapis_tonic_google_iam_v1::google::iam::v1 as iam;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1 as pubsub;
use http::{Method, StatusCode, request::Parts};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use tonic::Status;

use super::json::{self, Enums, Message};
use super::status::{respond, shown, to_rest, unimplemented};
use super::{PUBLISH_BYTES_MAX, PubSub, REQUEST_BYTES_MAX, names};

pub(super) async fn serve(pubsub: &PubSub, request: Request) -> Response {
    match answer(pubsub, request).await {
        Ok(value) => respond(StatusCode::OK, &value),
        Err(status) => to_rest(&status),
    }
}

async fn answer(pubsub: &PubSub, request: Request) -> Result<Value, Status> {
    let (head, body) = request.into_parts();
    let call = Call::parse(&head)?;
    let parts: Vec<&str> = call.parts.iter().map(String::as_str).collect();
    if let Some(operation) = absent(&call.method, &parts, call.verb.as_deref()) {
        // Before the body is read: it may be as large as a batch of messages.
        return Err(unimplemented(operation));
    }
    match (&call.method, parts.as_slice(), call.verb.as_deref()) {
        (&Method::GET, ["v3", "projects", project], None) => project_get(pubsub, &call, project),
        (_, ["v3", ..], _) => Err(unimplemented("Resource Manager beyond projects.get")),
        (_, ["v1", "projects", _, "topics", ..], None) => {
            topics(pubsub, &call, body, &parts[1..]).await
        }
        (_, ["v1", "projects", _, "subscriptions", ..], None) => {
            subscriptions(pubsub, &call, body, &parts[1..]).await
        }
        (_, ["v1", "projects", _, "snapshots", ..], None) => {
            snapshots(pubsub, &call, body, &parts[1..]).await
        }
        (&Method::POST, ["v1", "projects", _, "topics", _], Some("publish")) => {
            let request = call.publish_request(body).await?;
            let topic = parts[1..].join("/");
            pubsub
                .publish(pubsub::PublishRequest { topic, ..request })
                .map(|published| call.write(&published))
        }
        (&Method::POST, ["v1", "projects", _, "subscriptions", _], Some(verb))
            if SUBSCRIBER_VERBS.contains(&verb) =>
        {
            subscriber(pubsub, &call, body, parts[1..].join("/"), verb).await
        }
        (_, ["v1", "projects", _, _, _], Some(verb)) => {
            policies(pubsub, &call, body, parts[1..].join("/"), verb).await
        }
        _ => Err(no_method()),
    }
}

async fn topics(pubsub: &PubSub, call: &Call, body: Body, parts: &[&str]) -> Result<Value, Status> {
    let name = parts.join("/");
    match (&call.method, parts) {
        (&Method::PUT, [_, _, _, _]) => {
            let topic = call.body::<pubsub::Topic>(body, "topic").await?;
            pubsub
                .create_topic(pubsub::Topic { name, ..topic })
                .map(|topic| call.write(&topic))
        }
        (&Method::PATCH, [_, _, _, _]) => {
            let mut request = call.body::<pubsub::UpdateTopicRequest>(body, "").await?;
            request.topic.get_or_insert_default().name = name;
            pubsub.update_topic(request).map(|topic| call.write(&topic))
        }
        (&Method::GET, [_, _, _, _]) => {
            call.allow_query(&[])?;
            pubsub
                .get_topic(pubsub::GetTopicRequest { topic: name })
                .map(|topic| call.write(&topic))
        }
        (&Method::DELETE, [_, _, _, _]) => {
            call.allow_query(&[])?;
            pubsub
                .delete_topic(pubsub::DeleteTopicRequest { topic: name })
                .map(|()| empty())
        }
        (&Method::GET, [projects, project, _]) => {
            let (page_size, page_token) = call.page()?;
            let project = format!("{projects}/{project}");
            let request = pubsub::ListTopicsRequest {
                project,
                page_size,
                page_token,
            };
            pubsub.list_topics(request).map(|found| call.write(&found))
        }
        (&Method::GET, [topic @ .., "snapshots"]) if topic.len() == 4 => {
            let (page_size, page_token) = call.page()?;
            let topic = topic.join("/");
            let request = pubsub::ListTopicSnapshotsRequest {
                topic,
                page_size,
                page_token,
            };
            pubsub
                .list_topic_snapshots(request)
                .map(|found| call.write(&found))
        }
        (&Method::GET, [topic @ .., "subscriptions"]) if topic.len() == 4 => {
            let (page_size, page_token) = call.page()?;
            let topic = topic.join("/");
            let request = pubsub::ListTopicSubscriptionsRequest {
                topic,
                page_size,
                page_token,
            };
            pubsub
                .list_topic_subscriptions(request)
                .map(|found| call.write(&found))
        }
        _ => Err(no_method()),
    }
}

async fn subscriptions(
    pubsub: &PubSub,
    call: &Call,
    body: Body,
    parts: &[&str],
) -> Result<Value, Status> {
    let name = parts.join("/");
    match (&call.method, parts) {
        (&Method::PUT, [_, _, _, _]) => {
            let subscription = call
                .body::<pubsub::Subscription>(body, "subscription")
                .await?;
            let subscription = pubsub::Subscription {
                name,
                ..subscription
            };
            pubsub
                .create_subscription(subscription)
                .map(|subscription| call.write(&subscription))
        }
        (&Method::PATCH, [_, _, _, _]) => {
            let mut request = call
                .body::<pubsub::UpdateSubscriptionRequest>(body, "")
                .await?;
            request.subscription.get_or_insert_default().name = name;
            pubsub
                .update_subscription(request)
                .map(|subscription| call.write(&subscription))
        }
        (&Method::GET, [_, _, _, _]) => {
            call.allow_query(&[])?;
            let request = pubsub::GetSubscriptionRequest { subscription: name };
            pubsub
                .get_subscription(request)
                .map(|subscription| call.write(&subscription))
        }
        (&Method::DELETE, [_, _, _, _]) => {
            call.allow_query(&[])?;
            let request = pubsub::DeleteSubscriptionRequest { subscription: name };
            pubsub.delete_subscription(request).map(|()| empty())
        }
        (&Method::GET, [projects, project, _]) => {
            let (page_size, page_token) = call.page()?;
            let project = format!("{projects}/{project}");
            let request = pubsub::ListSubscriptionsRequest {
                project,
                page_size,
                page_token,
            };
            pubsub
                .list_subscriptions(request)
                .map(|found| call.write(&found))
        }
        _ => Err(no_method()),
    }
}

async fn snapshots(
    pubsub: &PubSub,
    call: &Call,
    body: Body,
    parts: &[&str],
) -> Result<Value, Status> {
    let name = parts.join("/");
    match (&call.method, parts) {
        (&Method::PUT, [_, _, _, _]) => {
            let request = call.body::<pubsub::CreateSnapshotRequest>(body, "").await?;
            pubsub
                .create_snapshot(pubsub::CreateSnapshotRequest { name, ..request })
                .map(|snapshot| call.write(&snapshot))
        }
        (&Method::PATCH, [_, _, _, _]) => {
            let mut request = call.body::<pubsub::UpdateSnapshotRequest>(body, "").await?;
            request.snapshot.get_or_insert_default().name = name;
            pubsub
                .update_snapshot(request)
                .map(|snapshot| call.write(&snapshot))
        }
        (&Method::GET, [_, _, _, _]) => {
            call.allow_query(&[])?;
            pubsub
                .get_snapshot(pubsub::GetSnapshotRequest { snapshot: name })
                .map(|snapshot| call.write(&snapshot))
        }
        (&Method::DELETE, [_, _, _, _]) => {
            call.allow_query(&[])?;
            pubsub
                .delete_snapshot(pubsub::DeleteSnapshotRequest { snapshot: name })
                .map(|()| empty())
        }
        (&Method::GET, [projects, project, _]) => {
            let (page_size, page_token) = call.page()?;
            let project = format!("{projects}/{project}");
            let request = pubsub::ListSnapshotsRequest {
                project,
                page_size,
                page_token,
            };
            pubsub
                .list_snapshots(request)
                .map(|found| call.write(&found))
        }
        _ => Err(no_method()),
    }
}

/// The verbs of [`subscriber`].
const SUBSCRIBER_VERBS: [&str; 5] = ["pull", "acknowledge", "modifyAckDeadline", "seek", "detach"];

async fn subscriber(
    pubsub: &PubSub,
    call: &Call,
    body: Body,
    subscription: String,
    verb: &str,
) -> Result<Value, Status> {
    match verb {
        "pull" => {
            let mut request = call.body::<pubsub::PullRequest>(body, "").await?;
            request.subscription = subscription;
            pubsub.pull(request).await.map(|pulled| call.write(&pulled))
        }
        "acknowledge" => {
            let request = call.body::<pubsub::AcknowledgeRequest>(body, "").await?;
            let request = pubsub::AcknowledgeRequest {
                subscription,
                ..request
            };
            pubsub.acknowledge(request).map(|()| empty())
        }
        "modifyAckDeadline" => {
            let request = call
                .body::<pubsub::ModifyAckDeadlineRequest>(body, "")
                .await?;
            let request = pubsub::ModifyAckDeadlineRequest {
                subscription,
                ..request
            };
            pubsub.modify_ack_deadline(request).map(|()| empty())
        }
        "seek" => {
            let request = call.body::<pubsub::SeekRequest>(body, "").await?;
            let request = pubsub::SeekRequest {
                subscription,
                ..request
            };
            pubsub.seek(request).map(|_| empty())
        }
        _ => {
            // The body can hold nothing but the name that the path has.
            call.body::<pubsub::DetachSubscriptionRequest>(body, "")
                .await?;
            pubsub
                .detach_subscription(pubsub::DetachSubscriptionRequest { subscription })
                .map(|_| empty())
        }
    }
}

async fn policies(
    pubsub: &PubSub,
    call: &Call,
    body: Body,
    resource: String,
    verb: &str,
) -> Result<Value, Status> {
    match (&call.method, verb) {
        (&Method::GET, "getIamPolicy") => {
            let requested_policy_version = call.number("options.requestedPolicyVersion")?;
            call.allow_query(&["options.requestedPolicyVersion"])?;
            let options = Some(iam::GetPolicyOptions {
                requested_policy_version,
            });
            pubsub
                .get_iam_policy(iam::GetIamPolicyRequest { resource, options })
                .map(|policy| call.write(&policy))
        }
        // Pub/Sub binds GET only; clients written for IAM's own binding send POST.
        (&Method::POST, "getIamPolicy") => {
            let request = call.body::<iam::GetIamPolicyRequest>(body, "").await?;
            pubsub
                .get_iam_policy(iam::GetIamPolicyRequest {
                    resource,
                    ..request
                })
                .map(|policy| call.write(&policy))
        }
        (&Method::POST, "setIamPolicy") => {
            let request = call.body::<iam::SetIamPolicyRequest>(body, "").await?;
            pubsub
                .set_iam_policy(iam::SetIamPolicyRequest {
                    resource,
                    ..request
                })
                .map(|policy| call.write(&policy))
        }
        (&Method::POST, "testIamPermissions") => {
            let request = call
                .body::<iam::TestIamPermissionsRequest>(body, "")
                .await?;
            let request = iam::TestIamPermissionsRequest {
                resource,
                ..request
            };
            pubsub
                .test_iam_permissions(request)
                .map(|held| call.write(&held))
        }
        _ => Err(no_method()),
    }
}

fn project_get(pubsub: &PubSub, call: &Call, project: &str) -> Result<Value, Status> {
    /// `Project.State.ACTIVE`
    const ACTIVE: i32 = 1;
    call.allow_query(&[])?;
    names::project(&format!("projects/{project}"))?;
    let state = if call.enums == Enums::Numbers {
        json!(ACTIVE)
    } else {
        json!("ACTIVE")
    };
    let name = format!("projects/{}", pubsub.scope.project_number);
    Ok(json!({ "name": name, "projectId": project, "state": state }))
}

/// The operation at this path when it is one that the emulator does not have.
fn absent(method: &Method, parts: &[&str], verb: Option<&str>) -> Option<&'static str> {
    let ["v1", "projects", _, rest @ ..] = parts else {
        return None;
    };
    let operation = match (method.as_str(), rest, verb) {
        ("POST", ["subscriptions", _], Some("modifyPushConfig")) => "Subscriber.ModifyPushConfig",
        ("GET", ["schemas"], None) => "SchemaService.ListSchemas",
        ("POST", ["schemas"], None) => "SchemaService.CreateSchema",
        ("POST", ["schemas"], Some("validate")) => "SchemaService.ValidateSchema",
        ("POST", ["schemas"], Some("validateMessage")) => "SchemaService.ValidateMessage",
        ("GET", ["schemas", _], None) => "SchemaService.GetSchema",
        ("DELETE", ["schemas", _], None) => "SchemaService.DeleteSchema",
        ("GET", ["schemas", _], Some("listRevisions")) => "SchemaService.ListSchemaRevisions",
        ("POST", ["schemas", _], Some("commit")) => "SchemaService.CommitSchema",
        ("POST", ["schemas", _], Some("rollback")) => "SchemaService.RollbackSchema",
        ("DELETE", ["schemas", _], Some("deleteRevision")) => "SchemaService.DeleteSchemaRevision",
        _ => return None,
    };
    Some(operation)
}

/// A request's line, taken apart.
struct Call {
    method: Method,
    /// The path's segments, decoded, the last without its `:verb`.
    parts: Vec<String>,
    verb: Option<String>,
    query: Vec<(String, String)>,
    enums: Enums,
}

impl Call {
    fn parse(head: &Parts) -> Result<Self, Status> {
        let path = head.uri.path().strip_prefix('/').ok_or_else(no_method)?;
        let decode = |part: &str| percent_decode_str(part).decode_utf8().map(Cow::into_owned);
        let mut parts: Vec<String> = path
            .split('/')
            .map(decode)
            .collect::<Result<_, _>>()
            .map_err(|_| no_method())?;
        // A project's ID may have a colon of its own; a topic's or subscription's has none.
        let is_project = parts.len() == 3;
        let verb = match parts.last_mut() {
            Some(last) if !is_project => last
                .rsplit_once(':')
                .map(|(name, verb)| (name.to_owned(), verb.to_owned())),
            _ => None,
        };
        let verb = verb.map(|(name, verb)| {
            parts.pop();
            parts.push(name);
            verb
        });
        let query: Vec<(String, String)> =
            url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        let numbers =
            |(key, value): &(String, String)| key == "$alt" && value.contains("enum-encoding=int");
        let enums = if query.iter().any(numbers) {
            Enums::Numbers
        } else {
            Enums::Names
        };
        Ok(Call {
            method: head.method.clone(),
            parts,
            verb,
            query,
            enums,
        })
    }

    /// The body as a message; no body is an empty one. Calls with a body take no parameters.
    async fn body<M: Message>(&self, body: Body, at: &str) -> Result<M, Status> {
        self.allow_query(&[])?;
        read_body(&bytes_of(body, REQUEST_BYTES_MAX).await?, at)
    }

    async fn publish_request(&self, body: Body) -> Result<pubsub::PublishRequest, Status> {
        self.allow_query(&[])?;
        read_body(&bytes_of(body, PUBLISH_BYTES_MAX).await?, "")
    }

    fn page(&self) -> Result<(i32, String), Status> {
        self.allow_query(&["pageSize", "pageToken"])?;
        Ok((
            self.number("pageSize")?,
            self.parameter("pageToken").unwrap_or_default().to_owned(),
        ))
    }

    fn number(&self, key: &str) -> Result<i32, Status> {
        let Some(text) = self.parameter(key) else {
            return Ok(0);
        };
        text.parse().map_err(|_| {
            let field = json::snake_case(key);
            Status::invalid_argument(format!(
                "Invalid value at '{field}' (TYPE_INT32), \"{}\"",
                shown(text)
            ))
        })
    }

    fn parameter(&self, key: &str) -> Option<&str> {
        let (_, value) = self
            .query
            .iter()
            .find(|(name, _)| json::camel_case(name) == key)?;
        Some(value)
    }

    /// Refuses parameters that are neither these nor those that every Google service takes
    /// (<https://cloud.google.com/apis/docs/system-parameters>).
    fn allow_query(&self, known: &[&str]) -> Result<(), Status> {
        const SYSTEM: [&str; 9] = [
            "alt",
            "access_token",
            "callback",
            "fields",
            "key",
            "oauth_token",
            "prettyPrint",
            "quotaUser",
            "uploadType",
        ];
        let is_known = |name: &str| {
            name.starts_with('$')
                || SYSTEM.contains(&name)
                || known.contains(&json::camel_case(name).as_str())
        };
        match self.query.iter().find(|(name, _)| !is_known(name)) {
            Some((name, _)) => Err(Status::invalid_argument(format!(
                "Invalid JSON payload received. Unknown name \"{0}\": Cannot bind query parameter. \
                 Field '{0}' could not be found in request message.",
                shown(name)
            ))),
            None => Ok(()),
        }
    }

    fn write<M: Message>(&self, message: &M) -> Value {
        json::write(message, self.enums)
    }
}

async fn bytes_of(body: Body, bytes_max: usize) -> Result<Bytes, Status> {
    body::to_bytes(body, bytes_max).await.map_err(|_| {
        Status::invalid_argument(format!(
            "Request payload size exceeds the limit: {bytes_max} bytes."
        ))
    })
}

fn read_body<M: Message>(bytes: &[u8], at: &str) -> Result<M, Status> {
    let value = if bytes.is_empty() {
        empty()
    } else {
        parse_json(bytes)?
    };
    json::read(value, at)
}

/// How many values a request may have: a thousand messages with all their attributes have fewer.
const VALUES_MAX: usize = 250_000;

fn parse_json(bytes: &[u8]) -> Result<Value, Status> {
    // A value takes many times its two bytes of text once it is read.
    if values(bytes) > VALUES_MAX {
        let why = format!("Invalid JSON payload received. It has more than {VALUES_MAX} values");
        return Err(Status::invalid_argument(why));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        Status::invalid_argument(format!("Invalid JSON payload received. {error}"))
    })
}

/// About how many values a JSON text has: what begins one or comes between two, outside strings.
fn values(bytes: &[u8]) -> usize {
    let (mut count, mut in_string, mut escaped) = (0, false, false);
    for &byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

fn empty() -> Value {
    Value::Object(Map::new())
}

fn no_method() -> Status {
    Status::not_found("Method not found.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_very_many_values_is_refused_before_it_is_read() {
        let bomb = format!("[{}0]", "{},".repeat(VALUES_MAX / 2));
        assert!(parse_json(bomb.as_bytes()).is_err());
        let text = format!("{{\"data\":\"{}\\\",[\"}}", ",[{".repeat(VALUES_MAX));
        assert!(parse_json(text.as_bytes()).is_ok());
    }
}
