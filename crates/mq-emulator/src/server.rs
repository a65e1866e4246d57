//! One emulator: its configuration, its listeners, its start and its end.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use mq_engine::Service;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::ca::CaFolder;
use crate::clock::{AdvanceError, ClockMode, EmulatorTime};
use crate::environment::{self, Trust};
use crate::guard::{self, Hosts, Limits};
use crate::listen::{self, Patience};
use crate::probe::{Probes, Targets};
use crate::quirks::Quirks;
use crate::servicebus::{self, tls};
use crate::shared::Shared;
use crate::{console, fault, pubsub, sqs};

/// How long the requests that are being answered may take once the emulator stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// A message of SQS, or a batch, may have 1 MiB; JSON in ASCII and a form write a byte of text in
/// three, and each receipt or id takes its own.
const SQS_BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The largest message, a publish request, and the frame of gRPC around it.
const PUBSUB_BODY_BYTES_MAX: usize = pubsub::PUBLISH_BYTES_MAX + 1024;
const CONSOLE_BODY_BYTES_MAX: usize = 64 * 1024;

/// What an emulator is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on; loopback unless `allow_remote`.
    pub listen: IpAddr,
    /// Whether `listen` may be an address that other machines reach.
    pub allow_remote: bool,
    /// Host names that clients may use beside loopback's, such as a container's.
    pub allowed_hosts: Vec<String>,
    /// The ports.
    pub ports: Ports,
    /// What is switched on.
    pub quirks: Quirks,
    /// How many bytes all messages may take; a message that would make it more is refused.
    pub memory_max: u64,
    /// Decides every random choice.
    pub seed: u64,
    /// How time passes.
    pub clock: ClockMode,
    /// The AWS account, 12 digits.
    pub account: String,
    /// The AWS region of requests that name none.
    pub region: String,
    /// The Google Cloud project that the environment names; requests may name others.
    pub project: String,
    /// That project's number.
    pub project_number: u64,
    /// The Service Bus namespace's name.
    pub namespace: String,
    /// Where the CA of the TLS ports lives, to be the same in the next run; `None` is a fresh
    /// folder that goes when the emulator stops.
    pub ca_dir: Option<PathBuf>,
    /// What a caller of the console's state-changing calls must show.
    pub token: Token,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            allow_remote: false,
            allowed_hosts: Vec::new(),
            ports: Ports::default(),
            quirks: Quirks::default(),
            memory_max: 1 << 30,
            seed: rand::random(),
            clock: ClockMode::default(),
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            project: "mq-emulator".to_owned(),
            project_number: 100_000_000_000,
            namespace: "mq-emulator".to_owned(),
            ca_dir: None,
            token: Token::random(),
        }
    }
}

/// A secret of one run, shown as the header [`Token::HEADER`]. It never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The header that carries it.
    pub const HEADER: &'static str = "x-mq-emulator-token";

    /// A fresh one.
    #[must_use]
    pub fn random() -> Self {
        Token(uuid::Uuid::new_v4().to_string())
    }

    /// One that was written down, such as in a discovery file.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Token(text.into())
    }

    /// Whether this is what a caller showed, taking as long for a near miss as for a far one.
    pub(crate) fn is(&self, shown: &[u8]) -> bool {
        use sha2::{Digest, Sha256};
        Sha256::digest(shown) == Sha256::digest(&self.0)
    }

    /// The secret itself, to write it down or to send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// One port per listener; 0 takes a free one. The defaults are those that clients already know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// SQS, and STS with it.
    pub sqs: u16,
    /// Pub/Sub, gRPC and REST.
    pub pubsub: u16,
    /// Service Bus administration, plain and TLS.
    pub servicebus_admin: u16,
    /// Health, readiness and metrics.
    pub console: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Ports {
            sqs: 9324,
            pubsub: 8085,
            servicebus_admin: 5300,
            console: 9325,
        }
    }
}

/// A `--port` that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PortError(String);

impl Ports {
    /// The names that `--port NAME=N` takes.
    pub const NAMES: [&'static str; 4] = ["sqs", "pubsub", "servicebus-admin", "console"];

    /// A free port for everything.
    #[must_use]
    pub fn free() -> Self {
        Ports {
            sqs: 0,
            pubsub: 0,
            servicebus_admin: 0,
            console: 0,
        }
    }

    /// Sets what `NAME=N` says.
    ///
    /// # Errors
    /// An unknown name, or what is no port.
    pub fn parse(&mut self, text: &str) -> Result<(), PortError> {
        let (name, number) = text.split_once('=').unwrap_or((text, ""));
        let slot = match name.trim() {
            "sqs" => &mut self.sqs,
            "pubsub" => &mut self.pubsub,
            "servicebus-admin" => &mut self.servicebus_admin,
            "console" => &mut self.console,
            _ => {
                return Err(PortError(format!(
                    "there is no port called {name:?} (there are {})",
                    Ports::NAMES.join(", ")
                )));
            }
        };
        *slot = number.trim().parse().map_err(|_| {
            PortError(format!(
                "the port of `{name}` is a number from 0 to 65535, not {number:?}"
            ))
        })?;
        Ok(())
    }
}

/// Where a started emulator listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// SQS and STS, HTTP.
    pub sqs: SocketAddr,
    /// Pub/Sub, gRPC and REST.
    pub pubsub: SocketAddr,
    /// Service Bus administration, HTTP and HTTPS.
    pub servicebus_admin: SocketAddr,
    /// Health, readiness and metrics, HTTP.
    pub console: SocketAddr,
}

/// Why an emulator did not start. Nothing of it runs then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Listening there would let other machines in.
    #[error(
        "{0} is reachable from other machines, and the emulator checks no credentials; allow it with `--allow-remote`"
    )]
    Remote(IpAddr),
    /// Another process has the port.
    #[error(
        "port {port} of {service} is taken; choose another with `--port {service}=N`, or a free one with `--port {service}=0`"
    )]
    PortTaken {
        /// As in `--port SERVICE=N`.
        service: &'static str,
        /// The port.
        port: u16,
    },
    /// The system refused to listen there.
    #[error("cannot listen on {address} for {service} (`--port {service}=N`)")]
    Bind {
        /// As in `--port SERVICE=N`.
        service: &'static str,
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The CA of the TLS ports could not be made or read.
    #[error("cannot prepare the certificates of the TLS ports")]
    Certificates(#[source] io::Error),
    /// It listens, but a real round trip did not work.
    #[error("{service} does not answer: {why}")]
    NotReady {
        /// Whose round trip it was.
        service: &'static str,
        /// What came instead.
        why: String,
    },
}

/// A running emulator. Dropped without [`Emulator::stop`], it ends at once.
pub struct Emulator {
    addresses: Addresses,
    env: Vec<(String, String)>,
    shared: Arc<Shared>,
    stop_requested: CancellationToken,
    shutdown: DropGuard,
    servers: JoinSet<()>,
    _ca_folder: CaFolder,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl Emulator {
    /// Binds every port, serves, and returns once one real round trip per protocol has worked.
    ///
    /// # Errors
    /// A [`StartError`]; nothing listens any more then.
    pub async fn start(config: Config) -> Result<Emulator, StartError> {
        if !config.listen.is_loopback() && !config.allow_remote {
            return Err(StartError::Remote(config.listen));
        }
        let (listeners, addresses) = Listeners::bind(&config).await?;
        let ca_folder =
            CaFolder::open(config.ca_dir.as_deref()).map_err(StartError::Certificates)?;
        let tls = tls::certificate(ca_folder.path()).map_err(StartError::Certificates)?;
        let trust = Trust::prepare(&ca_folder, &tls.ca_file).map_err(StartError::Certificates)?;
        let hosts = Hosts {
            any_address: config.allow_remote,
            names: config.allowed_hosts.clone(),
        };
        let shared = Shared::new(config.quirks.clone(), config.seed)
            .with_hosts(hosts)
            .with_clock(config.clock)
            .with_memory_max(config.memory_max);
        let shared = Arc::new(shared);
        let shutdown = CancellationToken::new();
        let mut emulator = Emulator {
            addresses,
            env: environment::variables(&config, addresses, &trust),
            shared: Arc::clone(&shared),
            stop_requested: CancellationToken::new(),
            shutdown: shutdown.clone().drop_guard(),
            servers: JoinSet::new(),
            _ca_folder: ca_folder,
        };
        let probes = Probes::new(Targets {
            addresses: reachable(addresses),
            project: config.project.clone(),
            token: shared.probe_token.clone(),
            ca_file: tls.ca_file.clone(),
        });
        emulator.serve(listeners, &config, tls.config, probes.clone(), &shutdown);
        let time = async move { shared.keep_time().await };
        emulator
            .servers
            .spawn(async move { shutdown.run_until_cancelled(time).await.unwrap_or_default() });
        for report in probes.run().await {
            report.outcome.map_err(|why| StartError::NotReady {
                service: report.protocol,
                why,
            })?;
        }
        Ok(emulator)
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The variables that the vendors' SDKs read, with the values that lead them here. None of
    /// the values is a secret.
    #[must_use]
    pub fn env(&self) -> Vec<(String, String)> {
        self.env.clone()
    }

    /// How many requests clients have made so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.requests()
    }

    /// How long no client has made a request.
    #[must_use]
    pub fn idle(&self) -> Duration {
        self.shared.idle()
    }

    /// The time in it, for whoever outlives a borrow of the emulator.
    #[must_use]
    pub fn time(&self) -> EmulatorTime {
        EmulatorTime::of(&self.shared)
    }

    /// Moves the time in it on, as [`EmulatorTime::advance`] does.
    ///
    /// # Errors
    /// Unless [`Config::clock`] is [`ClockMode::Manual`], and where the time would be beyond the
    /// year 9999.
    pub fn advance(&self, by: Duration) -> Result<(), AdvanceError> {
        self.time().advance(by)
    }

    /// Returns when a caller with the token has asked the console to stop this emulator.
    pub async fn stop_requested(&self) {
        self.stop_requested.cancelled().await;
    }

    /// Accepts no more, lets the requests that are being answered finish within five seconds,
    /// and returns when every port is free.
    pub async fn stop(mut self) {
        drop(self.shutdown);
        let drained = async { while self.servers.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
            tracing::warn!("some requests did not end in time and were cut off");
            self.servers.shutdown().await;
        }
    }

    fn serve(
        &mut self,
        listeners: Listeners,
        config: &Config,
        tls: Arc<ServerConfig>,
        probes: Probes,
        shutdown: &CancellationToken,
    ) {
        let scope = sqs::Scope {
            account: config.account.clone(),
            region: config.region.clone(),
        };
        let sqs = sqs::router(Arc::clone(&self.shared), scope, shutdown.clone());
        let sqs = fault::inject(sqs, &self.shared, |head, _| sqs::internal_error(head));
        let limits = Limits::whole(SQS_BODY_BYTES_MAX);
        self.listen(listeners.sqs, sqs, Some(Service::Sqs), limits, shutdown);

        let scope = pubsub::Scope {
            project_number: config.project_number,
        };
        let pubsub = pubsub::router(Arc::clone(&self.shared), scope, shutdown.clone());
        let pubsub = fault::inject(pubsub, &self.shared, |head, _| pubsub::internal_error(head));
        let limits = Limits {
            endless: Some(pubsub::STREAMING_PULL),
            ..Limits::streamed(PUBSUB_BODY_BYTES_MAX)
        };
        self.listen(
            listeners.pubsub,
            pubsub,
            Some(Service::PubSub),
            limits,
            shutdown,
        );

        self.servers.spawn(servicebus::serve_admin(
            listeners.servicebus_admin,
            Arc::clone(&self.shared),
            servicebus::Settings::new(config.namespace.clone()),
            tls,
            shutdown.clone(),
        ));

        let console = console::router(console::State {
            shared: Arc::clone(&self.shared),
            probes,
            token: config.token.clone(),
            stop_requested: self.stop_requested.clone(),
        });
        let limits = Limits::whole(CONSOLE_BODY_BYTES_MAX);
        self.listen(listeners.console, console, None, limits, shutdown);
    }

    fn listen(
        &mut self,
        listener: TcpListener,
        router: Router,
        service: Option<Service>,
        limits: Limits,
        shutdown: &CancellationToken,
    ) {
        let router = guard::protect(router, &self.shared, service, limits);
        self.servers.spawn(listen::serve(
            listener,
            router,
            Patience::default(),
            shutdown.clone(),
        ));
    }
}

struct Listeners {
    sqs: TcpListener,
    pubsub: TcpListener,
    servicebus_admin: TcpListener,
    console: TcpListener,
}

impl Listeners {
    async fn bind(config: &Config) -> Result<(Listeners, Addresses), StartError> {
        let ports = config.ports;
        let (sqs, sqs_address) = bind("sqs", config.listen, ports.sqs).await?;
        let (pubsub, pubsub_address) = bind("pubsub", config.listen, ports.pubsub).await?;
        let (servicebus_admin, servicebus_admin_address) =
            bind("servicebus-admin", config.listen, ports.servicebus_admin).await?;
        let (console, console_address) = bind("console", config.listen, ports.console).await?;
        let addresses = Addresses {
            sqs: sqs_address,
            pubsub: pubsub_address,
            servicebus_admin: servicebus_admin_address,
            console: console_address,
        };
        Ok((
            Listeners {
                sqs,
                pubsub,
                servicebus_admin,
                console,
            },
            addresses,
        ))
    }
}

async fn bind(
    service: &'static str,
    listen: IpAddr,
    port: u16,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let address = SocketAddr::new(listen, port);
    let refused = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortTaken { service, port },
        _ => StartError::Bind {
            service,
            address,
            source,
        },
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

/// The addresses as a client on this machine uses them: an unspecified one is no destination.
pub(crate) fn reachable(addresses: Addresses) -> Addresses {
    let one = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port())
        }
        IpAddr::V6(ip) if ip.is_unspecified() => {
            SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), address.port())
        }
        _ => address,
    };
    Addresses {
        sqs: one(addresses.sqs),
        pubsub: one(addresses.pubsub),
        servicebus_admin: one(addresses.servicebus_admin),
        console: one(addresses.console),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_set_by_name() {
        let mut ports = Ports::default();
        for name in Ports::NAMES {
            ports.parse(&format!("{name}=0")).unwrap();
        }
        assert_eq!(ports, Ports::free());
        ports.parse("pubsub=8085").unwrap();
        assert_eq!(ports.pubsub, 8085);
        for bad in [
            "sqs",
            "sqs=",
            "sqs=x",
            "sqs=65536",
            "sqs=-1",
            "=1",
            "amqp=1",
        ] {
            assert!(ports.parse(bad).is_err(), "{bad}");
        }
        let error = ports.parse("amqp=1").unwrap_err().to_string();
        assert!(error.contains("servicebus-admin"), "{error}");
    }

    #[test]
    fn a_token_does_not_print() {
        let token = Token::new("swordfish");
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert!(token.is(b"swordfish") && !token.is(b"swordfis") && !token.is(b""));
        let config = Config {
            token,
            ..Config::default()
        };
        assert!(!format!("{config:?}").contains("swordfish"));
        assert_ne!(Token::random(), Token::random());
    }
}
