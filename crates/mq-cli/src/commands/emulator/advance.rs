//! `mq emulator advance`: moves the time in the running emulator.

use std::time::Duration;

use mq_emulator::ClockMode;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::app::App;
use crate::args::AdvanceArgs;
use crate::emulator::{self, Answer, Discovery, Found, StateFolder, post};
use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// How long the emulator may take over it.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn run(app: &App, args: &AdvanceArgs) -> Result<Exit> {
    let state = StateFolder::open(&app.environment)?;
    let Found::Running(discovery) = emulator::find(&state).await? else {
        return Err(Failure::new(Exit::Failed, "no emulator runs")
            .with_hint("start one with `mq emulator start --clock manual`"));
    };
    if discovery.clock != ClockMode::Manual {
        return Err(Failure::new(Exit::Failed, "the emulator's clock is not manual")
            .because(format!(
                "process {} was started without `--clock manual`, and its time is this machine's",
                discovery.pid
            ))
            .with_hint(
                "stop it with `mq emulator stop`, then start one with `mq emulator start --clock manual`",
            ));
    }
    let now = advance(&discovery, args.by).await?;
    app.printer.result(&format!("{now}\n"));
    Ok(Exit::Done)
}

/// Asks the emulator to move its clock, for the time that it shows then.
async fn advance(discovery: &Discovery, by: Duration) -> Result<String> {
    let failed =
        |exit, why: String| Failure::new(exit, "failed to move the emulator's clock").because(why);
    let console = discovery.console().ok_or_else(|| {
        failed(
            Exit::Failed,
            "it does not say where its console is".to_owned(),
        )
    })?;
    let milliseconds = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    let body = json!({ "milliseconds": milliseconds }).to_string();
    let asked = post(console, "/advance", &discovery.token, &body);
    let answer = match timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(failed(Exit::Failed, error.to_string())),
        Err(_) => return Err(failed(Exit::Failed, "it does not answer".to_owned())),
    };
    read(&answer).map_err(|why| {
        let exit = match answer.status {
            400 => Exit::Usage,
            _ => Exit::Failed,
        };
        failed(exit, why)
    })
}

/// The time after it, or why there is none.
fn read(answer: &Answer) -> std::result::Result<String, String> {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    match answer.status {
        200 => text("now").ok_or_else(|| "it does not say what time it is".to_owned()),
        status => Err(text("error").unwrap_or_else(|| format!("it answered {status}"))),
    }
}
