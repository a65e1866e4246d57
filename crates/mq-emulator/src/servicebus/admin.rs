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
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::error::ServiceError;
use super::properties::Properties;
use super::queue::{Queue, Shown, id};
use super::tier::Tier;
use super::write::{ATOM, Entry, INSTANCE, SERVICE_BUS, Writer, precise, seconds};
use super::xml::{self, Element};
use super::{Scheme, Settings, auth, check};
use crate::shared::{Shared, now};

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
const ENTRY: &str = "application/atom+xml;type=entry;charset=utf-8";
const FEED: &str = "application/atom+xml;type=feed;charset=utf-8";

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
    let tier = Tier::of(&shared.quirks);
    let namespace = Namespace {
        shared,
        settings,
        tier,
        created: now(),
        queues: AtomicUsize::new(0),
    };
    Router::new()
        .fallback(answer)
        .with_state(Arc::new(namespace))
}

async fn answer(
    State(namespace): State<Arc<Namespace>>,
    scheme: Option<Extension<Scheme>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let scheme = scheme.map_or(Scheme::Http, |Extension(scheme)| scheme);
    let request = Request::new(scheme, method, &uri, headers, body);
    namespace
        .answer(&request)
        .unwrap_or_else(|error| error.response(&format!("{}:{}", request.authority, request.path)))
}

/// The answer to a request whose work went wrong inside the service.
pub(super) fn internal_error(head: &Parts) -> Response {
    let authority = authority(&head.uri, &head.headers);
    ServiceError::internal().response(&format!(
        "{authority}:{}",
        head.uri.path().trim_matches('/')
    ))
}

/// The API versions that there are; an omitted one is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ApiVersion {
    V2017_04,
    V2021_05,
    V2024_05,
}

impl ApiVersion {
    fn of(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("2017-04") => Some(ApiVersion::V2017_04),
            Some("2021-05") => Some(ApiVersion::V2021_05),
            Some("2024-05") => Some(ApiVersion::V2024_05),
            Some(_) => None,
        }
    }
}

struct Request {
    method: Method,
    /// `https` or `http`, and the host that the client has asked.
    origin: String,
    authority: String,
    /// Decoded, without slashes around it.
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    fn new(scheme: Scheme, method: Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Self {
        let authority = authority(uri, &headers);
        let query = uri.query().unwrap_or_default().as_bytes();
        Request {
            method,
            origin: format!("{}://{authority}", scheme.name()),
            authority,
            path: percent_decode_str(uri.path())
                .decode_utf8_lossy()
                .trim_matches('/')
                .to_owned(),
            query: form_urlencoded::parse(query).into_owned().collect(),
            headers,
            body,
        }
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let mut found = self
            .query
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn version(&self) -> Result<ApiVersion, ServiceError> {
        ApiVersion::of(self.parameter("api-version"))
            .ok_or_else(|| ServiceError::bad_request("The specified api-version is not supported."))
    }

    /// The address of another path of this namespace, with this request's version.
    fn address(&self, path: &str) -> String {
        match self.parameter("api-version") {
            Some(version) => format!("{}/{path}?api-version={version}", self.origin),
            None => format!("{}/{path}", self.origin),
        }
    }

    fn count(&self, name: &str, default: usize) -> Result<usize, ServiceError> {
        self.parameter(name)
            .map_or(Ok(default), str::parse)
            .map_err(|_| ServiceError::plain_bad_request())
    }
}

/// The host that the client has asked, as it named it.
fn authority(uri: &Uri, headers: &HeaderMap) -> String {
    let header = || {
        headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
    };
    uri.authority()
        .map(http::uri::Authority::as_str)
        .or_else(header)
        .unwrap_or("localhost")
        .to_owned()
}

impl Namespace {
    fn answer(&self, request: &Request) -> Result<Response, ServiceError> {
        auth::check(
            request.header("authorization"),
            &self.settings.key_name,
            now(),
        )?;
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
            (&Method::GET, ["$resources", "topics"]) => {
                Ok(feed("Topics", request, None, Vec::new()))
            }
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
            return Ok(nothing_here());
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
        let description = description(&request.body)?;
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
            engine.apply(now(), command).map_err(refused)?;
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
            .apply(now(), command)
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
        Ok(feed(
            "Queues",
            request,
            more.then_some((skip + top, top)),
            entries,
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
        document(StatusCode::OK, ENTRY, writer)
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
        document(status, ENTRY, self.framed(request, None, shown))
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
            auth::check(request.header(header), &self.settings.key_name, now())?;
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

/// The `QueueDescription` of a request's body.
fn description(body: &[u8]) -> Result<Element, ServiceError> {
    let entry = xml::parse(body)
        .map_err(|error| ServiceError::bad_request(&format!("Bad Request: {error}.")))?;
    if !entry.is(ATOM, "entry") {
        return Err(ServiceError::plain_bad_request());
    }
    let content = entry
        .children
        .into_iter()
        .find(|child| child.is(ATOM, "content"));
    let described = content.and_then(|content| content.children.into_iter().next());
    let described = described.filter(|element| element.namespace == SERVICE_BUS);
    match described {
        Some(element) if element.name == "QueueDescription" => Ok(element),
        Some(element) if element.name == "TopicDescription" => {
            Err(ServiceError::not_implemented("topics"))
        }
        _ => Err(ServiceError::plain_bad_request()),
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

/// A GET of a free path is discovery to the service: it tells that nothing is listed there.
fn nothing_here() -> Response {
    let mut writer = Writer::default();
    writer.markup(&format!(
        "<feed xmlns=\"{ATOM}\"><title type=\"text\">Publicly Listed Services</title>"
    ));
    writer.markup("<subtitle type=\"text\">This is the list of publicly-listed services currently available.</subtitle>");
    writer.element("id", format!("uuid:{};id=1", uuid::Uuid::new_v4()));
    writer.element("updated", seconds(now()));
    writer.markup("<generator>Service Bus 1.1</generator></feed>");
    document(StatusCode::OK, FEED, writer)
}

/// A page of entries. `next` is the `$skip` and `$top` of the page after it.
fn feed(
    title: &str,
    request: &Request,
    next: Option<(usize, usize)>,
    entries: Vec<Writer>,
) -> Response {
    let address = request.address(&format!("$Resources/{}", title.to_lowercase()));
    let mut writer = Writer::default();
    writer.markup(&format!(
        "<feed xmlns=\"{ATOM}\"><title type=\"text\">{title}</title>"
    ));
    writer.element("id", &address);
    writer.element("updated", seconds(now()));
    writer.link("self", &address);
    if let Some((skip, top)) = next {
        let separator = if address.contains('?') { '&' } else { '?' };
        writer.link(
            "next",
            &format!("{address}{separator}$skip={skip}&$top={top}"),
        );
    }
    for entry in entries {
        writer.markup(&entry.into_string());
    }
    writer.markup("</feed>");
    document(StatusCode::OK, FEED, writer)
}

fn document(status: StatusCode, content_type: &'static str, writer: Writer) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, content_type)],
        writer.into_string(),
    )
        .into_response()
}
