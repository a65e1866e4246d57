//! One port for plain HTTP and TLS, and those who say nothing on it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::super::{serve_admin, tls};
use super::*;

/// More than any handshake on loopback takes; less than the server waits for a silent client.
const PROMPT: Duration = Duration::from_secs(5);

/// A thousand, or what the system's limit of open files leaves beside the other tests: both ends
/// of each connection are in this process.
fn silent_clients() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let files = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    files.map_or(30, |files: usize| (files / 8).clamp(30, 1_000))
}

struct Server {
    address: SocketAddr,
    trusting: Arc<ClientConfig>,
    shutdown: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
    _dir: TempDir,
}

async fn start() -> Server {
    let dir = TempDir::new().unwrap();
    let tls = tls::certificate(dir.path()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let shared = Arc::new(Shared::new(Quirks::default(), 7));
    let settings = Settings::new("mq-emulator");
    let serving = tokio::spawn(serve_admin(
        listener,
        shared,
        settings,
        tls.config,
        shutdown.clone(),
    ));
    Server {
        address,
        trusting: trust(&tls.ca_file, &[b"http/1.1"]),
        shutdown,
        serving,
        _dir: dir,
    }
}

fn trust(ca_file: &Path, protocols: &[&[u8]]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(ca_file).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// What the namespace's description says to whoever asks on this connection.
    async fn ask(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
        let request = format!(
            "GET /$namespaceinfo?{VERSION} HTTP/1.1\r\nHost: localhost:{}\r\nAuthorization: {TOKEN}\r\nConnection: close\r\n\r\n",
            self.address.port()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn secure(
        &self,
        name: &'static str,
    ) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let name = ServerName::try_from(name).unwrap();
        TlsConnector::from(Arc::clone(&self.trusting))
            .connect(name, self.connect().await)
            .await
    }
}

#[tokio::test]
async fn both_are_answered_on_one_port_each_with_addresses_of_its_own() {
    let server = start().await;
    let plain = server.ask(server.connect().await).await;
    assert!(plain.starts_with("HTTP/1.1 200 OK"), "{plain}");
    assert!(
        plain.contains(&format!("<id>http://localhost:{}/", server.address.port())),
        "{plain}"
    );
    for name in ["localhost", "127.0.0.1", "::1"] {
        let secure = server.ask(server.secure(name).await.unwrap()).await;
        assert!(secure.starts_with("HTTP/1.1 200 OK"), "{secure}");
        assert!(
            secure.contains(&format!("<id>https://localhost:{}/", server.address.port())),
            "{secure}"
        );
    }
}

#[tokio::test]
async fn a_client_may_choose_http2() {
    let server = start().await;
    let config = trust(&server._dir.path().join("ca.pem"), &[b"h2"]);
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(config)
        .connect(name, server.connect().await)
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
}

#[tokio::test]
async fn a_foreign_host_is_refused_on_both() {
    let server = start().await;
    let request = format!(
        "GET /q?{VERSION} HTTP/1.1\r\nHost: evil.example\r\nAuthorization: {TOKEN}\r\nConnection: close\r\n\r\n"
    );
    let mut plain = server.connect().await;
    let mut secure = server.secure("localhost").await.unwrap();
    let (mut first, mut second) = (String::new(), String::new());
    plain.write_all(request.as_bytes()).await.unwrap();
    plain.read_to_string(&mut first).await.unwrap();
    secure.write_all(request.as_bytes()).await.unwrap();
    secure.read_to_string(&mut second).await.unwrap();
    for answer in [first, second] {
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }
}

#[tokio::test]
async fn a_thousand_half_open_connections_stop_nobody() {
    let server = start().await;
    let mut held = Vec::new();
    for index in 0..silent_clients() {
        let mut stream = server.connect().await;
        // Some say nothing, some start a handshake and some a request.
        let start: &[u8] = match index % 3 {
            0 => b"",
            1 => b"\x16\x03\x01\x02\x00\x01",
            _ => b"GET /$namespaceinfo HTTP/1.1\r\nHost: local",
        };
        stream.write_all(start).await.unwrap();
        held.push(stream);
    }
    println!("{} half-open connections", held.len());
    let plain = async { server.ask(server.connect().await).await };
    let secure = async { server.ask(server.secure("localhost").await.unwrap()).await };
    let both = async { tokio::join!(plain, secure) };
    let (plain, secure) = tokio::time::timeout(PROMPT, both)
        .await
        .expect("others wait for the silent");
    assert!(plain.starts_with("HTTP/1.1 200 OK") && secure.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn garbage_after_a_handshakes_first_byte_ends_that_connection_only() {
    let server = start().await;
    let mut stream = server.connect().await;
    stream.write_all(&[0x16; 64]).await.unwrap();
    let mut rest = Vec::new();
    // An alert or a reset: either way it ends.
    let _ = tokio::time::timeout(PROMPT, stream.read_to_end(&mut rest))
        .await
        .expect("it does not end");
    assert!(
        server
            .ask(server.connect().await)
            .await
            .starts_with("HTTP/1.1 200 OK")
    );
}

#[tokio::test]
async fn it_stops_though_clients_are_silent() {
    let server = start().await;
    let _silent = server.connect().await;
    let mut shaking = server.connect().await;
    shaking.write_all(b"\x16\x03\x01").await.unwrap();
    server.shutdown.cancel();
    tokio::time::timeout(PROMPT, server.serving)
        .await
        .expect("it does not stop")
        .unwrap();
}
