//! `mq init`: a commented file to begin with.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use crate::app::App;
use crate::args::InitArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Result};

pub(crate) fn run(app: &App, args: &InitArgs) -> Result<Exit> {
    let mut options = OpenOptions::new();
    options.write(true);
    if args.force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let file = args.file.display();
    let mut to = match options.open(&args.file) {
        Ok(to) => to,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(
                Failure::new(Exit::Refused, format!("{file} is there already"))
                    .with_hint("add `--force` to write over it, or `--file` to name another"),
            );
        }
        Err(error) => return super::written(&args.file, Err(error)).map(|()| Exit::Done),
    };
    super::written(&args.file, to.write_all(mq_config::template().as_bytes()))?;
    app.printer.note(format_args!(
        "wrote {file}; next: `mq check`, then `mq provision --cloud all --emulator`"
    ));
    Ok(Exit::Done)
}
