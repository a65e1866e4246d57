//! `mq emulator status`: whether one runs, and what leads SDKs to it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;

use mq_emulator::ClockMode;
use serde::Serialize;

use crate::app::App;
use crate::args::{EmulatorStatusArgs, StatusOutput};
use crate::emulator::{self, Discovery, Found, StateFolder};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::render::document::SCHEMA_VERSION;
use crate::render::endpoints::{dotenv, shell};

pub(crate) async fn run(app: &App, args: &EmulatorStatusArgs) -> Result<Exit> {
    let state = StateFolder::open(&app.environment)?;
    let discovery = match emulator::find(&state).await? {
        Found::Running(discovery) => Some(discovery),
        Found::Nothing => None,
    };
    let exit = if discovery.is_some() {
        Exit::Done
    } else {
        Exit::Failed
    };
    if args.output == StatusOutput::Json {
        app.printer.document(&document(discovery.as_deref(), exit));
        return Ok(exit);
    }
    let Some(discovery) = discovery else {
        return Err(
            Failure::new(exit, "no emulator runs").with_hint("start one with `mq emulator start`")
        );
    };
    let variables = discovery
        .env
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let text = match args.output {
        StatusOutput::Env => shell(variables),
        StatusOutput::Dotenv => dotenv(variables),
        StatusOutput::Text | StatusOutput::Json => text(&discovery),
    };
    app.printer.result(&text);
    Ok(exit)
}

fn text(discovery: &Discovery) -> String {
    let mut out = String::new();
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(out, "{name:<18}{value}");
    };
    field("process", &discovery.pid.to_string());
    field("version", &discovery.version);
    for (service, address) in &discovery.addresses {
        field(service, &address.to_string());
    }
    field("seed", &discovery.seed.to_string());
    field("clock", &discovery.clock.to_string());
    if !discovery.quirks.is_empty() {
        field("quirks", &discovery.quirks.join(", "));
    }
    if let Some(seconds) = discovery.idle_exit_seconds {
        let idle = mq_core::units::duration(std::time::Duration::from_secs(seconds));
        field("ends after", &format!("{idle} without a request"));
    }
    if let Some(log) = &discovery.log {
        field("log", &log.display().to_string());
    }
    out
}

/// The document of `mq emulator status`; `schemas/emulator-status.schema.json` holds its form.
#[derive(Serialize)]
struct StatusDocument<'a> {
    schema_version: u32,
    command: &'static str,
    exit_code: u8,
    running: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    emulator: Option<EmulatorDocument<'a>>,
}

/// All but the token, which only the discovery file holds.
#[derive(Serialize)]
struct EmulatorDocument<'a> {
    pid: u32,
    version: &'a str,
    seed: u64,
    clock: ClockMode,
    quirks: &'a [String],
    idle_exit_seconds: Option<u64>,
    addresses: &'a BTreeMap<String, SocketAddr>,
    env: &'a BTreeMap<String, String>,
    log: Option<String>,
}

fn document(discovery: Option<&Discovery>, exit: Exit) -> StatusDocument<'_> {
    StatusDocument {
        schema_version: SCHEMA_VERSION,
        command: "emulator status",
        exit_code: exit.code(),
        running: discovery.is_some(),
        emulator: discovery.map(|discovery| EmulatorDocument {
            pid: discovery.pid,
            version: &discovery.version,
            seed: discovery.seed,
            clock: discovery.clock,
            quirks: &discovery.quirks,
            idle_exit_seconds: discovery.idle_exit_seconds,
            addresses: &discovery.addresses,
            env: &discovery.env,
            log: discovery.log.as_ref().map(|log| log.display().to_string()),
        }),
    }
}
