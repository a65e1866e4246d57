//! `mq emulator stop`.

use crate::app::App;
use crate::emulator::{self, Found, StateFolder};
use crate::exit::Exit;
use crate::failure::Result;

pub(crate) async fn run(app: &App) -> Result<Exit> {
    let state = StateFolder::open(&app.environment)?;
    match emulator::find(&state).await? {
        Found::Nothing => app.printer.note("no emulator runs"),
        Found::Running(discovery) => {
            emulator::stop(&state, &discovery).await?;
            app.printer.note(format_args!(
                "stopped the emulator (process {})",
                discovery.pid
            ));
        }
    }
    Ok(Exit::Done)
}
