//! The administration API: what each path and method does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use mq_engine::{Command, Counts, Entity, EntityKind, Refusal, Reply, Service, Timestamp};

use super::error::ServiceError;
use super::properties::Properties;
use super::queue::{Queue, Shown, id};
use super::request::{self, ApiVersion, Request};
use super::tier::Tier;
use super::write::{Entry, INSTANCE, SERVICE_BUS, Writer, precise};
use super::{Scheme, Settings, answer, auth, check};
use crate::clock::machine_now;
use crate::shared::Shared;

/// The page that a listing gives when it is not told another size, and the largest there is.
const PAGE_MAX: usize = 100;
/// The quota of queues and topics of one namespace
/// (<https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas>).
const QUEUES_MAX: usize = 10_000;
/// Needed beside `Authorization` when a queue forwards its messages, or its dead letters.
const FORWARD_AUTHORIZATION: &str = "ServiceBusSupplementaryAuthorization";
const DEAD_LETTER_AUTHORIZATION: &str = "ServiceBusDlqSupplementaryAuthorization";
/// What a request for messages is told to be missing.
const MESSAGES: &str = "the sending and receiving of messages over HTTP";

/// What every request of one namespace shares.
struct Namespace {
    shared: Arc<Shared>,
    settings: Settings,
    tier: Tier,
    created: Timestamp,
    /// How many queues there are. Changed only while the engine is held.
    queues: AtomicUsize,
}

/// The API without the guard, the quirks and the sockets.
pub(super) fn router(shared: Arc<Shared>, settings: Settings) -> Router {
    Router::new()
        .fallback(handle)
        .with_state(Arc::new(Namespace::new(shared, settings)))
}

async fn handle(
    State(namespace): State<Arc<Namespace>>,
    scheme: Option<Extension<Scheme>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let scheme = scheme.map_or(Scheme::Http, |Extension(scheme)| scheme);
    let request = Request::new(scheme, method, &uri, headers, body);
    namespace.answer(&request).unwrap_or_else(|error| {
        let tracker = format!("{}:{}", request.authority, request.path);
        error.response(&tracker, namespace.shared.now())
    })
}

/// The answer to a request whose work went wrong inside the service.
pub(super) fn internal_error(head: &Parts, now: Timestamp) -> Response {
    let authority = request::authority(&head.uri, &head.headers);
    let tracker = format!("{authority}:{}", head.uri.path().trim_matches('/'));
    ServiceError::internal().response(&tracker, now)
}

impl Namespace {
    fn new(shared: Arc<Shared>, settings: Settings) -> Self {
        Namespace {
            tier: Tier::of(&shared.quirks),
            created: shared.now(),
            queues: AtomicUsize::new(0),
            shared,
            settings,
        }
    }

    fn answer(&self, request: &Request) -> Result<Response, ServiceError> {
        self.check_token(request.header("authorization"))?;
        request.version()?;
        let segments: Vec<String> = request
            .path
            .split('/')
            .map(str::to_ascii_lowercase)
            .collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (&request.method, segments.as_slice()) {
            (&Method::GET, ["$namespaceinfo"]) => Ok(self.describe(request)),
            (&Method::GET, ["$resources", "queues"]) => self.list(request),
            (&Method::GET, ["$resources", "topics"]) => Ok(answer::feed(
                "Topics",
                request,
                None,
                Vec::new(),
                self.shared.now(),
            )),
            (_, ["$resources", other]) => Err(ServiceError::not_implemented(&format!(
                "resources of the type '{other}'"
            ))),
            (
                _,
                [_, .., "subscriptions"]
                | [_, .., "subscriptions", _]
                | [_, .., "subscriptions", _, "rules"]
                | [_, .., "subscriptions", _, "rules", _],
            ) => Err(ServiceError::not_implemented("subscriptions and rules")),
            (&Method::POST, _) => Err(ServiceError::not_implemented(MESSAGES)),
            (&Method::GET, _) => self.get(request),
            (&Method::PUT, _) => self.put(request),
            (&Method::DELETE, _) => self.delete(request),
            _ => Err(ServiceError::method_not_allowed()),
        }
    }

    fn get(&self, request: &Request) -> Result<Response, ServiceError> {
        let version = request.version()?;
        let engine = self.shared.engine();
        let Some(entity) = engine.get(&id(&self.settings.namespace, &request.path)) else {
            return Ok(answer::nothing_here(self.shared.now()));
        };
        let queue = stored(entity)?;
        let shown = self.shown(
            &queue,
            entity,
            Some(engine.counts(&entity.id).unwrap_or_default()),
            version,
        );
        Ok(self.entry(StatusCode::OK, request, &shown))
    }

    fn put(&self, request: &Request) -> Result<Response, ServiceError> {
        let version = request.version()?;
        check::name(&request.path, &request.address(&request.path))?;
        let description = request.description()?;
        let mut asked = Properties::of(&description);
        if version < ApiVersion::V2021_05 {
            asked.forget("MaxMessageSizeInKilobytes");
        }
        let mut queue = Queue::read(&request.path, &asked, self.tier)?;
        check::values(&queue, &asked, self.tier, &self.settings.namespace)?;
        self.check_supplementary(request, &queue)?;
        self.perhaps_in_progress()?;
        let (status, entity) = self.write(request, &mut queue)?;
        let shown = self.shown(&queue, &entity, None, version);
        Ok(self.entry(status, request, &shown))
    }

    /// Creates the queue, or with `If-Match` replaces the one that is there.
    fn write(
        &self,
        request: &Request,
        queue: &mut Queue,
    ) -> Result<(StatusCode, Entity), ServiceError> {
        let update = request.headers.contains_key(header::IF_MATCH);
        let id = id(&self.settings.namespace, &request.path);
        let mut engine = self.shared.engine();
        match (engine.get(&id), update) {
            (None, true) => return Err(ServiceError::not_found()),
            (Some(_), false) => return Err(ServiceError::exists()),
            (Some(entity), true) => {
                let before = stored(entity)?;
                check::immutables(&before, queue)?;
                queue.name = before.name;
            }
            (None, false) => {
                let there = self.queues.load(Ordering::Relaxed);
                if there >= QUEUES_MAX {
                    return Err(ServiceError::quota(there, QUEUES_MAX));
                }
            }
        }
        let namespace = check::Namespace {
            name: &self.settings.namespace,
            authority: &request.authority,
        };
        check::forward_target(queue.forward_to.as_deref(), &id, &namespace, &engine)?;
        let dead_letter_target = queue.forward_dead_lettered_messages_to.as_deref();
        let dead_letter = check::forward_target(dead_letter_target, &id, &namespace, &engine)?;
        let settings = queue.settings(dead_letter);
        let document = serde_json::to_value(&*queue).map_err(|_| ServiceError::internal())?;
        let command = if update {
            Command::Update {
                id,
                settings,
                document,
                if_revision: None,
            }
        } else {
            Command::Create {
                id,
                settings,
                document,
            }
        };
        let (Reply::Entity(entity) | Reply::Deleted(entity)) =
            engine.apply(self.shared.now(), command).map_err(refused)?;
        if update {
            return Ok((StatusCode::OK, entity));
        }
        self.queues.fetch_add(1, Ordering::Relaxed);
        Ok((StatusCode::CREATED, entity))
    }

    fn delete(&self, request: &Request) -> Result<Response, ServiceError> {
        self.perhaps_in_progress()?;
        let mut engine = self.shared.engine();
        let command = Command::Delete {
            id: id(&self.settings.namespace, &request.path),
        };
        engine
            .apply(self.shared.now(), command)
            .map_err(|refusal| match refused(refusal) {
                // What is no queue may be the head of one's messages, or one that is locked.
                _ if request.path.contains("/messages/") => ServiceError::not_implemented(MESSAGES),
                error => error,
            })?;
        self.queues.fetch_sub(1, Ordering::Relaxed);
        Ok(StatusCode::OK.into_response())
    }

    fn list(&self, request: &Request) -> Result<Response, ServiceError> {
        if request.parameter("$filter").is_some() {
            return Err(ServiceError::not_implemented("filters of listings"));
        }
        let version = request.version()?;
        let skip = request.count("$skip", 0)?;
        let top = request.count("$top", PAGE_MAX)?.min(PAGE_MAX);
        let base = request.address("$Resources/queues");
        let engine = self.shared.engine();
        let scope = self.settings.namespace.to_ascii_lowercase();
        let mut entities = engine
            .list(Service::ServiceBus, EntityKind::Queue, &scope, "")
            .skip(skip);
        let mut entries = Vec::new();
        for entity in entities.by_ref().take(top) {
            let queue = stored(entity)?;
            let shown = self.shown(
                &queue,
                entity,
                Some(engine.counts(&entity.id).unwrap_or_default()),
                version,
            );
            entries.push(self.framed(request, Some(&base), &shown));
        }
        let more = top > 0 && entities.next().is_some();
        Ok(answer::feed(
            "Queues",
            request,
            more.then(|| (skip.saturating_add(top), top)),
            entries,
            self.shared.now(),
        ))
    }

    fn describe(&self, request: &Request) -> Response {
        let name = self.settings.namespace.as_str();
        let entry = Entry {
            address: &request.address("$namespaceinfo"),
            base: None,
            title: name,
            author: name,
            published: None,
            updated: self.created,
        };
        let mut writer = Writer::default();
        entry.write(&mut writer, |writer| {
            writer.markup(&format!(
                "<NamespaceInfo xmlns=\"{SERVICE_BUS}\" xmlns:i=\"{INSTANCE}\">"
            ));
            writer.element("CreatedTime", precise(self.created));
            writer.element("MessagingSKU", self.tier.name());
            if self.tier == Tier::Premium {
                writer.element("MessagingUnits", 1);
            }
            writer.element("ModifiedTime", precise(self.created));
            writer.element("Name", name);
            writer.element("NamespaceType", "Messaging");
            writer.markup("</NamespaceInfo>");
        });
        answer::entry(StatusCode::OK, writer)
    }

    fn shown<'a>(
        &self,
        queue: &'a Queue,
        entity: &'a Entity,
        counts: Option<Counts>,
        version: ApiVersion,
    ) -> Shown<'a> {
        Shown {
            queue,
            entity,
            tier: self.tier,
            counts,
            with_message_size: version >= ApiVersion::V2021_05,
        }
    }

    fn entry(&self, status: StatusCode, request: &Request, shown: &Shown<'_>) -> Response {
        answer::entry(status, self.framed(request, None, shown))
    }

    fn framed(&self, request: &Request, base: Option<&str>, shown: &Shown<'_>) -> Writer {
        let name = shown.queue.name.as_str();
        let entry = Entry {
            address: &request.address(name),
            base,
            title: name,
            author: &self.settings.namespace,
            published: Some(shown.entity.created),
            updated: shown.entity.updated,
        };
        let mut writer = Writer::default();
        entry.write(&mut writer, |writer| shown.write(writer));
        writer
    }

    /// By the machine's clock, which the client's token was made by.
    fn check_token(&self, header: Option<&str>) -> Result<(), ServiceError> {
        auth::check(header, &self.settings.key_name, machine_now())
    }

    /// Whoever lets a queue forward must show a token for the target too.
    fn check_supplementary(&self, request: &Request, queue: &Queue) -> Result<(), ServiceError> {
        let needed = [
            (queue.forward_to.is_some(), FORWARD_AUTHORIZATION),
            (
                queue.forward_dead_lettered_messages_to.is_some(),
                DEAD_LETTER_AUTHORIZATION,
            ),
        ];
        for (_, header) in needed.iter().filter(|(needed, _)| *needed) {
            self.check_token(request.header(header))?;
        }
        Ok(())
    }

    fn perhaps_in_progress(&self) -> Result<(), ServiceError> {
        if self.shared.chance(self.shared.quirks.servicebus_40901) {
            return Err(ServiceError::operation_in_progress());
        }
        Ok(())
    }
}

fn stored(entity: &Entity) -> Result<Queue, ServiceError> {
    serde_json::from_value(entity.document.clone()).map_err(|_| ServiceError::internal())
}

fn refused(refusal: Refusal) -> ServiceError {
    match refusal {
        Refusal::Exists(_) => ServiceError::exists(),
        Refusal::NotFound => ServiceError::not_found(),
        Refusal::Changed(_) => ServiceError::operation_in_progress(),
        Refusal::Dangling(_) => ServiceError::forward_target_missing(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quirks::Quirks;

    #[test]
    fn a_full_namespace_takes_no_further_queue_until_one_goes() {
        let shared = Arc::new(Shared::new(Quirks::default(), 7));
        let namespace = Namespace::new(shared, Settings::new("mq-emulator"));
        let ask = |method: Method, name: &str, headers: &[(&'static str, &str)]| {
            let body = "<entry xmlns='http://www.w3.org/2005/Atom'><content><QueueDescription \
                        xmlns='http://schemas.microsoft.com/netservices/2010/10/servicebus/connect'/></content></entry>";
            let mut all = HeaderMap::new();
            all.insert("authorization", "Bearer x".parse().unwrap());
            for (name, value) in headers {
                all.insert(*name, value.parse().unwrap());
            }
            let uri: Uri = format!("/{name}?api-version=2021-05").parse().unwrap();
            let request = Request::new(
                Scheme::Http,
                method,
                &uri,
                all,
                Bytes::from_static(body.as_bytes()),
            );
            namespace
                .answer(&request)
                .map(|response| response.status().as_u16())
        };
        assert_eq!(ask(Method::PUT, "first", &[]), Ok(201));
        namespace.queues.store(QUEUES_MAX, Ordering::Relaxed);
        let refused = ask(Method::PUT, "second", &[]).unwrap_err();
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(
            refused.detail.starts_with("SubCode=40300."),
            "{}",
            refused.detail
        );
        assert_eq!(ask(Method::PUT, "first", &[("if-match", "*")]), Ok(200));
        assert_eq!(ask(Method::DELETE, "first", &[]), Ok(200));
        assert_eq!(ask(Method::PUT, "second", &[]), Ok(201));
        assert_eq!(namespace.queues.load(Ordering::Relaxed), QUEUES_MAX);
    }
}
