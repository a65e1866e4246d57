//! `mq verify --list`: the cases and what each promises, without asking any cloud.

use std::path::Path;

use mq_core::Target;
use mq_suite::{Selection, listed};

use crate::app::App;
use crate::args::{FileArgs, VerifyArgs, VerifyOutput};
use crate::exit::Exit;
use crate::failure::Result;
use crate::render::verify::document::{self, ListedCase};
use crate::render::verify::list;
use crate::targets::Input;

pub(super) fn run(app: &App, args: &VerifyArgs, selection: &Selection) -> Result<Exit> {
    let (queues, clouds) = of_file(app, &args.file)?;
    let cases = listed(&queues, clouds.len(), selection);
    let rows: Vec<ListedCase<'_>> = cases
        .chunks(clouds.len().max(1))
        .filter_map(|of_row| ListedCase::of(of_row, &clouds))
        .collect();
    match args.output {
        VerifyOutput::Text => app.printer.result(&list(&rows)),
        VerifyOutput::Json => app.printer.document(&document::of_list(&rows)),
    }
    Ok(Exit::Done)
}

/// The keys of the file's queues and the names of the clouds. The list can be read without a file.
fn of_file(app: &App, args: &FileArgs) -> Result<(Vec<String>, Vec<String>)> {
    let is_there = args.file.exists() || args.file != Path::new("mq.yaml");
    let input = if is_there {
        // The stages of a file have the same queues.
        Input::read_stages(app, args)?.swap_remove(0)
    } else {
        Input::read_if_there(app, args)?
    };
    let all = ["all".to_owned()];
    let named = if args.clouds.is_empty() {
        &all[..]
    } else {
        &args.clouds
    };
    let targets = input.targets(app, named)?;
    let queues = targets.first().map(|target| input.queues(target));
    let queues = queues.into_iter().flatten().map(|queue| queue.logical);
    let name = |target: Target| target.name;
    Ok((queues.collect(), targets.into_iter().map(name).collect()))
}
