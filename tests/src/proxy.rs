//! An HTTP proxy in front of one service that logs every call and can break the connection.

use std::cmp::Ordering;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::raw;

/// When the connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Before the call reaches the service.
    Before,
    /// After the service has done it: the answer is lost.
    After,
}

/// One call that came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `POST CreateQueue`, `PUT /orders`, …
    pub what: String,
    /// Whether it changes anything.
    pub writes: bool,
    /// The call itself, to be made again.
    pub request: Recorded,
}

/// A call as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<Call>,
    cut: Option<(usize, Cut)>,
}

/// The proxy, listening until it is dropped with its runtime.
#[derive(Debug, Clone)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// A proxy in front of the plain-http service at `upstream`.
    pub async fn start(upstream: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
        };
        let client = raw::client();
        let state = Arc::clone(&proxy.state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, client) = (Arc::clone(&state), client.clone());
                let serve = service_fn(move |request| {
                    forward(request, upstream, client.clone(), Arc::clone(&state))
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), serve);
                // A connection that the proxy breaks on purpose ends in an error.
                tokio::spawn(async move { drop(connection.await) });
            }
        });
        proxy
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks the `nth` call from now (counted from 1) and every call after it.
    pub fn cut(&self, nth: usize, cut: Cut) {
        let mut state = self.state();
        state.calls.clear();
        state.cut = Some((nth, cut));
    }

    /// Lets everything through again, and forgets the log.
    pub fn heal(&self) {
        *self.state() = State::default();
    }

    /// The calls since the last [`Proxy::cut`] or [`Proxy::heal`].
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn forward(
    request: Request<Incoming>,
    upstream: SocketAddr,
    client: reqwest::Client,
    state: Arc<Mutex<State>>,
) -> io::Result<Response<Full<Bytes>>> {
    let broken = || io::Error::from(io::ErrorKind::ConnectionAborted);
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let fate = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.calls.push(describe(Recorded {
            method: parts.method.clone(),
            target: parts
                .uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
            headers: parts.headers.clone(),
            body: body.clone(),
        }));
        let nth = state.calls.len();
        state.cut.map(|(at, cut)| (nth.cmp(&at), cut))
    };
    let lost = match fate {
        Some((Ordering::Greater, _) | (Ordering::Equal, Cut::Before)) => return Err(broken()),
        Some((Ordering::Equal, Cut::After)) => true,
        Some((Ordering::Less, _)) | None => false,
    };
    let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let answer = client
        .request(parts.method, format!("http://{upstream}{target}"))
        .headers(parts.headers)
        .body(body)
        .send()
        .await
        .map_err(io::Error::other)?;
    if lost {
        return Err(broken());
    }
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer
        .headers()
        .iter()
        .filter(|(name, _)| *name != "transfer-encoding")
    {
        response = response.header(name, value);
    }
    let body = answer.bytes().await.map_err(io::Error::other)?;
    response.body(Full::new(body)).map_err(io::Error::other)
}

fn describe(request: Recorded) -> Call {
    let method = &request.method;
    let path = request.target.split('?').next().unwrap_or_default();
    let action = request
        .headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    let (what, reads) = if let Some(action) = action {
        let action = action.rsplit('.').next().unwrap_or_default();
        (
            format!("{method} {action}"),
            action.starts_with("Get") || action.starts_with("List"),
        )
    } else {
        let reads = *method == Method::GET
            || path.ends_with(":getIamPolicy")
            // STS, and nothing else, posts a form to the root.
            || (*method == Method::POST && path == "/");
        (format!("{method} {path}"), reads)
    };
    Call {
        what,
        writes: !reads,
        request,
    }
}
