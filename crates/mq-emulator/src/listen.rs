//! Accepting connections and speaking HTTP on them, within limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// Connections of one front-end at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 16_384;
/// How long a new connection may take to bring its first request.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request's head may take, and how long a connection may be idle between requests:
/// longer than the pools of the vendors' SDKs keep one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);
/// Request line and headers together, HTTP/1.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Headers of one request, HTTP/1.
const HEADERS_MAX: usize = 100;
/// Headers of one request in bytes, HTTP/2.
const HEADER_LIST_BYTES_MAX: u32 = 32 * 1024;
/// Requests at a time on one connection, HTTP/2.
const STREAMS_MAX: u32 = 256;
/// How long to wait when the process can open no more files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How patient a listener is with its clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For the first request of a connection.
    pub(crate) first_request: Duration,
    /// For the head of a request, idle time before it included.
    pub(crate) head: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { first_request: FIRST_REQUEST_TIMEOUT, head: HEAD_TIMEOUT }
    }
}

/// Serves plain HTTP/1 and HTTP/2 with prior knowledge until `shutdown`, then lets the requests
/// that are being answered finish. The caller bounds how long it waits for that.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Patience,
    shutdown: CancellationToken,
) {
    accept(listener, shutdown.clone(), move |stream| {
        connection(stream, router.clone(), patience, shutdown.clone())
    })
    .await;
}

/// Accepts connections until `shutdown` and hands each, without delay of small packets, to a task
/// of its own; returns when the last of these has ended.
pub(crate) async fn accept<F>(
    listener: TcpListener,
    shutdown: CancellationToken,
    handle: impl Fn(TcpStream) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let tasks = TaskTracker::new();
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection was gone before it was served");
                    continue;
                }
                let work = handle(stream);
                tasks.spawn(async move {
                    work.await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

/// Speaks HTTP on one connection, whatever carries it.
pub(crate) async fn connection<S>(
    stream: S,
    router: Router,
    patience: Patience,
    shutdown: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let spoken = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&spoken);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        heard.store(true, Ordering::Relaxed);
        router.clone().oneshot(request)
    });
    let protocols = protocols(patience);
    let mut serving = std::pin::pin!(protocols.serve_connection(TokioIo::new(stream), service));
    // A connection that says nothing is dropped: hyper waits for its first bytes without end.
    let silent = async {
        tokio::time::sleep(patience.first_request).await;
        if spoken.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = silent => Ok(()),
        () = shutdown.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.as_mut().await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection ended early");
    }
}

fn protocols(patience: Patience) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .max_concurrent_streams(STREAMS_MAX);
    builder
}
