//! `mq endpoint`: where the queues are that exist.

use std::collections::BTreeMap;

use mq_core::plan::{Change, Plan};
use mq_core::resource::{Observed, Part};
use mq_core::{ControlPlane, Resource};

use super::github;
use super::planning::{Planned, as_it_is};
use crate::app::App;
use crate::args::{EndpointArgs, EndpointFilter, EndpointOutput};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::render::document::{
    CloudDocument, CloudOutcome, EndpointDocument, RunDocument, SCHEMA_VERSION,
};
use crate::render::endpoints::{self, Placed};
use crate::render::text::count;

pub(crate) async fn run(app: &App, mut args: EndpointArgs) -> Result<Exit> {
    args.target.file.queues.append(&mut args.names);
    let (planned, findings) = as_it_is(app, &args.target).await?;
    let mut missing = Vec::new();
    let mut ends = Vec::new();
    for one in &planned {
        let (placed, absent) = existing(one);
        let failure = (!absent.is_empty()).then(|| not_there(&one.plan, &absent));
        missing.extend(failure.clone());
        ends.push((one, placed, failure));
    }
    for failure in &missing {
        app.printer.failure(failure);
    }
    let exit = missing
        .iter()
        .fold(Exit::Done, |exit, failure| exit.worse(failure.exit));
    if args.show.output == EndpointOutput::Json {
        let ends: Vec<_> = ends
            .iter()
            .map(|(one, placed, failure)| (one, of_role(placed, &args.show), failure))
            .collect();
        app.printer.document(&RunDocument {
            schema_version: SCHEMA_VERSION,
            command: Some("endpoint"),
            exit_code: exit.code(),
            error: None,
            diagnostics: findings.documents(),
            clouds: ends
                .iter()
                .map(|(one, placed, failure)| document(one, placed, failure.as_ref()))
                .collect(),
        });
        return Ok(exit);
    }
    let all: Vec<Placed> = ends.into_iter().flat_map(|(_, placed, _)| placed).collect();
    print(app, &args.show, all)?;
    if args.show.output == EndpointOutput::Github {
        let code = exit.code().to_string();
        github::outputs(app, [("exitcode", code.as_str())])?;
    }
    Ok(exit)
}

/// The endpoints of the queues that are there, and the names of those that are not.
fn existing(planned: &Planned) -> (Vec<Placed>, Vec<&str>) {
    let mut queues: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in &planned.plan.changes {
        queues
            .entry(&change.resource.queue)
            .or_default()
            .push(change);
    }
    let mut placed = Vec::new();
    let mut missing = Vec::new();
    for (queue, changes) in queues {
        let gone = |change: &&Change| {
            change.resource.part == Part::Queue && change.observed.present.is_none()
        };
        if changes.iter().any(gone) {
            missing.push(queue);
            continue;
        }
        let parts: Vec<(&Resource, &Observed)> = changes
            .iter()
            .filter(|change| change.observed.present.is_some())
            .map(|change| (&change.resource, &change.observed))
            .collect();
        let found = planned.opened.control.endpoints(queue, &parts);
        placed.extend(found.into_iter().map(|endpoint| Placed {
            target: planned.plan.target.clone(),
            endpoint,
        }));
    }
    (placed, missing)
}

fn not_there(plan: &Plan, missing: &[&str]) -> Failure {
    Failure::new(
        Exit::Failed,
        format!(
            "{}: {} not there: {}",
            plan.target,
            count(missing.len(), "queue"),
            missing.join(", ")
        ),
    )
    .with_hint(format!(
        "make them with `mq provision --cloud {}`",
        plan.target
    ))
}

fn document<'a>(
    planned: &'a Planned,
    placed: &'a [Placed],
    failure: Option<&'a Failure>,
) -> CloudDocument<'a> {
    CloudDocument {
        cloud: &planned.plan.target,
        backend: &planned.plan.backend,
        scope: Some(&planned.plan.scope),
        outcome: if failure.is_some() {
            CloudOutcome::Failed
        } else {
            CloudOutcome::Unchanged
        },
        exit_code: failure.map_or(Exit::Done, |failure| failure.exit).code(),
        error: failure.map(Failure::document),
        plan: None,
        results: None,
        findings: None,
        endpoints: Some(placed.iter().map(EndpointDocument::from).collect()),
    }
}

/// For a document: those of the role, or all.
pub(crate) fn of_role(placed: &[Placed], show: &EndpointFilter) -> Vec<Placed> {
    match show.role {
        Some(role) => endpoints::chosen(placed.to_vec(), Some(role.into())),
        None => placed.to_vec(),
    }
}

/// Refuses, before anything is written, a form that cannot hold these endpoints.
pub(crate) fn can_print(show: &EndpointFilter, places: &[(&str, &str)]) -> Result<()> {
    if show.raw && places.len() != 1 {
        return Err(not_one(places.len()));
    }
    let with_names = matches!(
        show.output,
        EndpointOutput::Env | EndpointOutput::Dotenv | EndpointOutput::Github
    );
    if with_names {
        let each: Vec<Placed> = places
            .iter()
            .map(|(target, queue)| Placed {
                target: (*target).to_owned(),
                endpoint: mq_core::resource::Endpoint {
                    queue: (*queue).to_owned(),
                    role: mq_core::resource::Role::Queue,
                    address: String::new(),
                    details: BTreeMap::new(),
                },
            })
            .collect();
        variables(&each)?;
    }
    Ok(())
}

fn not_one(number: usize) -> Failure {
    Failure::usage(format!("`--raw` prints one endpoint, and {number} match"))
        .with_hint("say which with `--cloud`, `--queue` and `--role`")
}

fn variables(placed: &[Placed]) -> Result<Vec<(String, String)>> {
    endpoints::variables(placed).map_err(|collision| {
        Failure::usage(format!(
            "two endpoints would both be called {}",
            collision.name
        ))
        .because(format!("{} and {}", collision.one, collision.other))
        .with_hint("choose with `--cloud` and `--queue`, or take `--output json`")
    })
}

/// Prints endpoints in any form but the document's.
pub(crate) fn print(app: &App, show: &EndpointFilter, all: Vec<Placed>) -> Result<()> {
    let chosen = endpoints::chosen(all, show.role.map(Into::into));
    if show.raw {
        let [only] = chosen.as_slice() else {
            return Err(not_one(chosen.len()));
        };
        app.printer.result(&format!("{}\n", only.endpoint.address));
        return Ok(());
    }
    let named = || variables(&chosen);
    match show.output {
        EndpointOutput::Text | EndpointOutput::Json => {
            app.printer.result(&endpoints::lines(&chosen))
        }
        EndpointOutput::Env => {
            let named = named()?;
            app.printer.result(&endpoints::shell(pairs(&named)));
        }
        EndpointOutput::Dotenv => {
            let named = named()?;
            app.printer.result(&endpoints::dotenv(pairs(&named)));
        }
        EndpointOutput::Github => {
            let lines = endpoints::lines(&chosen);
            let named = named()?;
            let each = pairs(&named);
            github::outputs(app, [("endpoints", lines.as_str())].into_iter().chain(each))?;
            app.printer.result(&lines);
        }
    }
    Ok(())
}

fn pairs(named: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    named
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
}
