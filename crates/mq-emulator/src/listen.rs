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
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
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
        Patience {
            first_request: FIRST_REQUEST_TIMEOUT,
            head: HEAD_TIMEOUT,
        }
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
/// of its own; returns when the last of these has ended. Dropped, it cuts them off.
pub(crate) async fn accept<F>(
    listener: TcpListener,
    shutdown: CancellationToken,
    handle: impl Fn(TcpStream) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut tasks = JoinSet::new();
    loop {
        let next = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            listener.accept().await.map(|(stream, _)| (stream, permit))
        };
        let accepted = tokio::select! {
            accepted = next => accepted,
            Some(ended) = tasks.join_next() => {
                report(ended);
                continue;
            }
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, permit)) => {
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
    while let Some(ended) = tasks.join_next().await {
        report(ended);
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed");
    }
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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::post;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::guard::{self, Limits, Reading};
    use crate::quirks::Quirks;
    use crate::shared::Shared;

    const PATIENCE: Patience = Patience {
        first_request: Duration::from_millis(100),
        head: Duration::from_millis(300),
    };
    /// Far more than any limit here: what takes so long hangs.
    const HANG: Duration = Duration::from_secs(10);

    /// A guarded echo with little patience, and what stops it.
    async fn start(reading: Reading) -> (SocketAddr, CancellationToken) {
        let shared = Arc::new(Shared::new(Quirks::default(), 1));
        let limits = Limits {
            body_bytes_max: 1000,
            reading,
            body_timeout: Duration::from_millis(100),
            endless: None,
        };
        let echo = Router::new().route("/", post(|body: axum::body::Bytes| async { body }));
        let router = guard::protect(echo, &shared, None, limits);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        tokio::spawn(serve(listener, router, PATIENCE, shutdown.clone()));
        (address, shutdown)
    }

    /// What comes back until the server closes the connection.
    async fn talk(address: SocketAddr, text: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(HANG, stream.read_to_end(&mut answer)).await;
        assert!(
            closed.is_ok(),
            "the server holds on to a client that says {text:?}"
        );
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn slow_clients_are_let_go() {
        let (address, _shutdown) = start(Reading::Whole).await;
        for silent in [
            "",
            "P",
            "PRI * HTTP/2.0\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] {
            talk(address, silent).await;
        }
        talk(address, "POST / HTTP/1.1\r\nhost: localhost\r\n").await;
        let stalled = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nabc";
        let answer = talk(address, stalled).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }

    #[tokio::test]
    async fn a_streamed_body_may_not_stall_either() {
        let (address, _shutdown) = start(Reading::Streamed).await;
        let stalled = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nabc";
        let answer = talk(address, stalled).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }

    #[tokio::test]
    async fn oversized_requests_are_refused() {
        for reading in [Reading::Whole, Reading::Streamed] {
            let (address, _shutdown) = start(reading).await;
            let declared = "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 1001\r\n\r\n";
            let answer = talk(address, declared).await;
            assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
            let chunk = format!("{:x}\r\n{}\r\n", 600, "a".repeat(600));
            let undeclared = format!(
                "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n"
            );
            let answer = talk(address, &undeclared).await;
            assert!(
                answer.starts_with("HTTP/1.1 413 ") || answer.starts_with("HTTP/1.1 400 "),
                "{reading:?}: {answer}"
            );
            let fits = "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc";
            assert!(talk(address, fits).await.ends_with("\r\n\r\nabc"));
        }
        let (address, _shutdown) = start(Reading::Whole).await;
        let many: String = (0..101).map(|index| format!("h{index}: x\r\n")).collect();
        let long = format!("h: {}\r\n", "x".repeat(HEAD_BYTES_MAX));
        for headers in [many, long] {
            let request = format!("POST / HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
            let answer = talk(address, &request).await;
            assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        }
    }

    /// Whoever does not want to wait for what is being answered drops the server.
    #[tokio::test]
    async fn a_dropped_server_cuts_its_connections() {
        let (entered, mut is_entered) = tokio::sync::mpsc::channel::<()>(1);
        let handler = post(move || async move {
            entered.send(()).await.unwrap();
            std::future::pending::<()>().await;
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", handler);
        let server = serve(
            listener,
            router,
            Patience::default(),
            CancellationToken::new(),
        );
        let server = tokio::spawn(server);
        let busy = tokio::spawn(async move {
            talk(address, "POST / HTTP/1.1\r\nhost: localhost\r\n\r\n").await
        });
        is_entered.recv().await.unwrap();
        server.abort();
        assert_eq!(busy.await.unwrap(), "");
    }

    /// What is being answered is finished; what idles is closed; the port is free then.
    #[tokio::test]
    async fn a_stop_finishes_what_it_has_begun() {
        let (entered, mut is_entered) = tokio::sync::mpsc::channel::<()>(1);
        let release = Arc::new(tokio::sync::Notify::new());
        let released = Arc::clone(&release);
        let handler = post(move || async move {
            entered.send(()).await.unwrap();
            released.notified().await;
            "done"
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let router = Router::new().route("/", handler);
        let patience = Patience::default();
        let server = tokio::spawn(serve(listener, router, patience, shutdown.clone()));
        let idle = tokio::spawn(async move { talk(address, "").await });
        let busy = tokio::spawn(async move {
            talk(address, "POST / HTTP/1.1\r\nhost: localhost\r\n\r\n").await
        });
        is_entered.recv().await.unwrap();
        shutdown.cancel();
        assert_eq!(idle.await.unwrap(), "");
        release.notify_one();
        assert!(busy.await.unwrap().ends_with("\r\n\r\ndone"));
        tokio::time::timeout(HANG, server)
            .await
            .expect("the server ends")
            .unwrap();
        TcpListener::bind(address).await.expect("the port is free");
    }
}
