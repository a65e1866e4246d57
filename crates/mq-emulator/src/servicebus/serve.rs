//! One port for plain HTTP and TLS, told apart by the first byte that a client sends.

use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use mq_engine::Service;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{Scheme, Settings, internal_error, router};
use crate::fault;
use crate::guard::{self, Limits};
use crate::listen::{self, Patience};
use crate::shared::Shared;

/// A full description with the longest metadata and every rule has less than 32 KiB.
const BODY_BYTES_MAX: usize = 128 * 1024;
/// The first byte of every TLS connection: a handshake record. No HTTP method starts with it.
const TLS_HANDSHAKE: u8 = 0x16;
/// How long a client may take over its first byte, and then over the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves the administration API until `shutdown`, then lets the requests that are being
/// answered finish.
pub(crate) async fn serve_admin(
    listener: TcpListener,
    shared: Arc<Shared>,
    settings: Settings,
    tls: Arc<ServerConfig>,
    shutdown: CancellationToken,
) {
    let router = router(Arc::clone(&shared), settings);
    let router = fault::inject(router, &shared, internal_error);
    let port = Port {
        plain: guarded(&router, &shared, Scheme::Http),
        secure: guarded(&router, &shared, Scheme::Https),
        acceptor: TlsAcceptor::from(tls),
        handshake: HANDSHAKE_TIMEOUT,
        shutdown: shutdown.clone(),
    };
    listen::accept(listener, shutdown, move |stream| {
        port.clone().connection(stream)
    })
    .await;
}

fn guarded(router: &Router, shared: &Arc<Shared>, scheme: Scheme) -> Router {
    let router = router.clone().layer(Extension(scheme));
    guard::protect(
        router,
        shared,
        Some(Service::ServiceBus),
        Limits::whole(BODY_BYTES_MAX),
    )
}

#[derive(Clone)]
struct Port {
    plain: Router,
    secure: Router,
    acceptor: TlsAcceptor,
    handshake: Duration,
    shutdown: CancellationToken,
}

impl Port {
    async fn connection(self, stream: TcpStream) {
        let mut first = [0_u8; 1];
        // Peeking leaves the byte for whoever reads on.
        let Some(Ok(length)) = self.in_time(stream.peek(&mut first)).await else {
            return;
        };
        if length == 0 {
            return;
        }
        let patience = Patience::default();
        if first != [TLS_HANDSHAKE] {
            return listen::connection(stream, self.plain, patience, self.shutdown).await;
        }
        match self.in_time(self.acceptor.accept(stream)).await {
            Some(Ok(stream)) => {
                listen::connection(stream, self.secure, patience, self.shutdown).await
            }
            Some(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            None => {}
        }
    }

    /// The outcome, unless it takes too long or the emulator stops first.
    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            outcome = tokio::time::timeout(self.handshake, work) => outcome.ok(),
            () = self.shutdown.cancelled() => None,
        }
    }
}
