//! An emulator in this process, with its entry in the state folder.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use mq_emulator::{Addresses, Config, Emulator, Ports, Quirks, StartError, Token};

use super::discovery::{Discovery, StateFolder, build};
use crate::args::BehaviourArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// What the flags make of an emulator.
pub(crate) fn config(behaviour: &BehaviourArgs, mut ports: Ports) -> Result<Config> {
    let wrong = |error: &dyn std::fmt::Display| Failure::usage(error.to_string());
    for port in &behaviour.ports {
        ports.parse(port).map_err(|error| wrong(&error))?;
    }
    let mut quirks = Quirks::default();
    for quirk in &behaviour.quirks {
        quirks.parse(quirk).map_err(|error| wrong(&error))?;
    }
    let fresh = Config::default();
    Ok(Config {
        listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
        ports,
        quirks,
        seed: behaviour.seed.unwrap_or(fresh.seed),
        clock: behaviour.clock.map_or(fresh.clock, Into::into),
        memory_max: behaviour.memory_max.unwrap_or(fresh.memory_max),
        ..fresh
    })
}

/// What an entry says beside the emulator itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostOptions {
    pub(crate) quirks: Vec<String>,
    pub(crate) idle_exit: Option<Duration>,
    pub(crate) log: Option<PathBuf>,
}

/// A running emulator. Its entry goes when it does.
#[derive(Debug)]
pub(crate) struct Host {
    emulator: Emulator,
    discovery: Discovery,
    entry: Option<Entry>,
}

#[derive(Debug)]
struct Entry {
    state: StateFolder,
    /// Held as long as the emulator lives.
    _life: File,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.state.clear();
    }
}

impl Host {
    /// Starts it, with an entry in this folder unless another emulator has one there.
    pub(crate) async fn start(
        mut config: Config,
        state: StateFolder,
        options: HostOptions,
    ) -> Result<Host> {
        let entry = state.try_lock_life()?.map(|life| {
            // Whoever finds the lock taken reads the file: what is left over must not be there.
            state.clear();
            Entry { state, _life: life }
        });
        config.token = Token::random();
        let token = config.token.clone();
        let (seed, clock) = (config.seed, config.clock);
        let emulator = Emulator::start(config)
            .await
            .map_err(|error| not_started(&error))?;
        let discovery = Discovery {
            schema_version: Discovery::SCHEMA_VERSION,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build: build(),
            seed,
            clock,
            quirks: options.quirks,
            idle_exit_seconds: options.idle_exit.map(|idle| idle.as_secs()),
            addresses: addresses(emulator.addresses()),
            env: emulator.env().into_iter().collect(),
            log: options.log,
            token,
        };
        if let Some(entry) = &entry {
            entry.state.write(&discovery)?;
        }
        Ok(Host {
            emulator,
            discovery,
            entry,
        })
    }

    /// What it tells of itself.
    pub(crate) fn discovery(&self) -> &Discovery {
        &self.discovery
    }

    /// Whether `mq --emulator` finds it.
    pub(crate) fn is_registered(&self) -> bool {
        self.entry.is_some()
    }

    /// Returns when its token's holder asks for its end, or when nobody has made a request for
    /// so long.
    pub(crate) async fn ended(&self, idle_exit: Option<Duration>) -> Ended {
        tokio::select! {
            () = self.emulator.stop_requested() => Ended::Asked,
            () = self.idle_for(idle_exit) => Ended::Idle,
        }
    }

    async fn idle_for(&self, longest: Option<Duration>) {
        let Some(longest) = longest else {
            return std::future::pending().await;
        };
        while let Some(left) = longest
            .checked_sub(self.emulator.idle())
            .filter(|left| !left.is_zero())
        {
            tokio::time::sleep(left).await;
        }
    }

    /// Lets requests under way finish, and frees every port.
    pub(crate) async fn stop(self) {
        // Nobody shall find what is about to go; the lock is held until it is gone.
        if let Some(entry) = &self.entry {
            entry.state.clear();
        }
        self.emulator.stop().await;
    }
}

/// Why an emulator ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Its token's holder asked.
    Asked,
    /// Nobody made a request for long enough.
    Idle,
}

fn addresses(addresses: Addresses) -> BTreeMap<String, SocketAddr> {
    let Addresses {
        sqs,
        pubsub,
        servicebus_admin,
        console,
    } = addresses;
    [
        ("sqs", sqs),
        ("pubsub", pubsub),
        ("servicebus-admin", servicebus_admin),
        ("console", console),
    ]
    .into_iter()
    .map(|(service, address)| (service.to_owned(), address))
    .collect()
}

/// Why an emulator does not start.
pub(crate) fn not_started(error: &StartError) -> Failure {
    let failure = Failure::new(Exit::Failed, "failed to start the emulator");
    match std::error::Error::source(error) {
        Some(source) => failure.because(format!("{error}: {source}")),
        None => failure.because(error.to_string()),
    }
}
