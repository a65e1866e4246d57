//! The file, the stage, the queues and the targets that a command is about.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use mq_config::{Loaded, SourceMap};
use mq_core::spec::Selection;
use mq_core::{Diagnostic, Owner, ResolvedQueue, Spec, Target};

use crate::app::App;
use crate::args::FileArgs;
use crate::failure::{Failure, Findings, Result};
use crate::render::text::nearest;

/// `--cloud all`
const ALL: &str = "all";
/// The stage, where no flag says it.
const STAGE_VARIABLE: &str = "MQ_STAGE";

/// What a command is about.
#[derive(Debug)]
pub(crate) struct Input {
    /// The file's name, for messages.
    pub(crate) file: String,
    /// The file.
    pub(crate) spec: Spec,
    /// Warnings about it.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Where everything stands in it.
    pub(crate) source: Arc<SourceMap>,
    /// The stage, and the time.
    pub(crate) selection: Selection,
    /// The queues that were named; none is all of them.
    chosen: BTreeSet<String>,
}

/// A file that was read and has no errors, before a stage is chosen.
struct ReadFile {
    name: String,
    spec: Spec,
    diagnostics: Vec<Diagnostic>,
    source: Arc<SourceMap>,
}

impl ReadFile {
    fn read(app: &App, args: &FileArgs) -> Result<ReadFile> {
        let text = read(&args.file)?;
        let name = args.file.display().to_string();
        let infos: Vec<_> = app.registry.iter().map(|factory| factory.info()).collect();
        let variable = |name: &str| app.environment.get(name).map(str::to_owned);
        let Loaded {
            spec,
            diagnostics,
            source,
        } = mq_config::load(&text, &variable, &infos);
        let source = Arc::new(source);
        match spec {
            Some(spec) => Ok(ReadFile {
                name,
                spec,
                diagnostics,
                source,
            }),
            None => Err(Failure::in_file(Findings {
                file: name,
                diagnostics,
                source,
            })),
        }
    }

    /// The stage that a flag or the environment names, as the file allows it.
    fn chosen_stage(&self, app: &App, args: &FileArgs) -> Result<Option<String>> {
        let stage = args
            .stage
            .as_deref()
            .or_else(|| app.environment.get(STAGE_VARIABLE));
        mq_config::select_stage(&self.spec, stage).map_err(|found| {
            Failure::in_file(Findings {
                file: self.name.clone(),
                diagnostics: vec![found],
                source: Arc::clone(&self.source),
            })
        })
    }

    fn on_stage(&self, args: &FileArgs, stage: Option<String>) -> Result<Input> {
        let chosen: BTreeSet<String> = args.queues.iter().cloned().collect();
        let is_unknown = |name: &&String| !self.spec.queues.contains_key(*name);
        if let Some(unknown) = chosen.iter().find(is_unknown) {
            return Err(unknown_queue(unknown, &self.spec, &self.name));
        }
        Ok(Input {
            file: self.name.clone(),
            spec: self.spec.clone(),
            diagnostics: self.diagnostics.clone(),
            source: Arc::clone(&self.source),
            selection: Selection {
                stage,
                now: now_seconds(),
            },
            chosen,
        })
    }
}

impl Input {
    /// Reads the file that the arguments name.
    pub(crate) fn read(app: &App, args: &FileArgs) -> Result<Input> {
        let file = ReadFile::read(app, args)?;
        let stage = file.chosen_stage(app, args)?;
        file.on_stage(args, stage)
    }

    /// Reads the file once for the chosen stage or, where it has stages and none is chosen, for
    /// each of them.
    pub(crate) fn read_stages(app: &App, args: &FileArgs) -> Result<Vec<Input>> {
        let file = ReadFile::read(app, args)?;
        let chosen = args.stage.is_some() || app.environment.get(STAGE_VARIABLE).is_some();
        let stages: Vec<Option<String>> = match &file.spec.stages {
            Some(stages) if !chosen => stages.keys().cloned().map(Some).collect(),
            _ => vec![file.chosen_stage(app, args)?],
        };
        stages
            .into_iter()
            .map(|stage| file.on_stage(args, stage))
            .collect()
    }

    /// Reads it where it is there; else the clouds are as the environment says.
    pub(crate) fn read_if_there(app: &App, args: &FileArgs) -> Result<Input> {
        if args.file.exists() || args.file != Path::new("mq.yaml") {
            return Self::read(app, args);
        }
        Ok(Input {
            file: String::new(),
            spec: Spec::default(),
            diagnostics: Vec::new(),
            source: Arc::default(),
            selection: Selection {
                stage: None,
                now: now_seconds(),
            },
            chosen: BTreeSet::new(),
        })
    }

    /// The stage.
    pub(crate) fn stage(&self) -> Option<&str> {
        self.selection.stage.as_deref()
    }

    /// Whose resources.
    pub(crate) fn owner(&self) -> Owner {
        self.spec.owner(self.stage())
    }

    /// Whether every queue of the file is meant.
    pub(crate) fn whole_file(&self) -> bool {
        self.chosen.is_empty()
    }

    /// The queues of the file that are not meant.
    pub(crate) fn left_out(&self) -> Vec<String> {
        let all = self.spec.queues.keys();
        all.filter(|key| !self.chosen.is_empty() && !self.chosen.contains(*key))
            .cloned()
            .collect()
    }

    /// The queues that are meant, on this target.
    pub(crate) fn queues(&self, target: &Target) -> Vec<ResolvedQueue> {
        let mut queues = self.spec.resolve(&self.selection, target);
        if !self.chosen.is_empty() {
            queues.retain(|queue| self.chosen.contains(&queue.logical));
        }
        queues
    }

    /// The targets that a command goes to: those that `--cloud` names, else the file's own.
    pub(crate) fn targets(&self, app: &App, clouds: &[String]) -> Result<Vec<Target>> {
        let names = if clouds.is_empty() {
            vec![self.only_target()?]
        } else {
            self.named_targets(app, clouds)?
        };
        Ok(self.targets_of(&names))
    }

    /// The targets that a check is about: those that `--cloud` names, else every entry of the file
    /// and every backend without one.
    pub(crate) fn checked_targets(&self, app: &App, clouds: &[String]) -> Result<Vec<Target>> {
        if !clouds.is_empty() {
            return Ok(self.targets_of(&self.named_targets(app, clouds)?));
        }
        let entries = self.spec.targets.values();
        let covered: BTreeSet<&str> = entries.map(|target| target.backend.as_str()).collect();
        let bare = app
            .backend_ids()
            .filter(|id| !covered.contains(id))
            .map(str::to_owned);
        let names: Vec<String> = self.entries(app).into_iter().chain(bare).collect();
        Ok(self.targets_of(&names))
    }

    fn targets_of(&self, names: &[String]) -> Vec<Target> {
        names
            .iter()
            .map(|name| self.spec.target(name, self.stage()))
            .collect()
    }

    /// The entries of the file, in the registry's order of their backends, then by name.
    fn entries(&self, app: &App) -> Vec<String> {
        let rank = |backend: &str| app.backend_ids().position(|id| id == backend);
        let mut entries: Vec<&Target> = self.spec.targets.values().collect();
        entries.sort_by_key(|target| (rank(&target.backend), &target.name));
        entries
            .into_iter()
            .map(|target| target.name.clone())
            .collect()
    }

    fn only_target(&self) -> Result<String> {
        if let Some(cloud) = &self.spec.cloud {
            return Ok(cloud.clone());
        }
        let entries: Vec<&str> = self.spec.targets.keys().map(String::as_str).collect();
        match entries.as_slice() {
            [only] => Ok((*only).to_owned()),
            [] => Err(Failure::usage("no cloud was chosen")
                .because("the file names none, neither as `cloud` nor under `clouds`")
                .with_hint("add `--cloud aws` (or azure, gcp, all), or `cloud: aws` to the file")),
            several => Err(Failure::usage("no cloud was chosen")
                .because(format!("the file has several: {}", several.join(", ")))
                .with_hint(format!(
                    "add `--cloud {}` or `--cloud all`, or `cloud: {}` to the file",
                    several[0], several[0]
                ))),
        }
    }

    fn named_targets(&self, app: &App, clouds: &[String]) -> Result<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        for cloud in clouds {
            let named = match cloud.as_str() {
                ALL if self.spec.targets.is_empty() => {
                    app.backend_ids().map(str::to_owned).collect()
                }
                ALL => self.entries(app),
                name if self.spec.targets.contains_key(name) || app.factory(name).is_some() => {
                    vec![name.to_owned()]
                }
                unknown => return Err(self.unknown_cloud(app, unknown)),
            };
            for name in named {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Ok(names)
    }

    fn unknown_cloud(&self, app: &App, unknown: &str) -> Failure {
        let entries = self.spec.targets.keys().map(String::as_str);
        let mut known: Vec<&str> = app.backend_ids().chain(entries).chain([ALL]).collect();
        known.sort_unstable();
        known.dedup();
        let failure = Failure::usage(format!("unknown cloud `{unknown}`"))
            .because(format!("known are {}", known.join(", ")));
        match nearest(unknown, known) {
            Some(meant) => failure.with_hint(format!("did you mean `--cloud {meant}`?")),
            None => failure,
        }
    }
}

fn unknown_queue(unknown: &str, spec: &Spec, file: &str) -> Failure {
    let known: Vec<&str> = spec.queues.keys().map(String::as_str).collect();
    let failure = Failure::usage(format!("{file} has no queue `{unknown}`"));
    match nearest(unknown, known.iter().copied()) {
        Some(meant) => failure.with_hint(format!("did you mean `{meant}`?")),
        None => failure.because(format!("it has {}", known.join(", "))),
    }
}

/// The file's text. It is bounded before it is read: the reader of YAML would refuse it anyway.
fn read(path: &Path) -> Result<String> {
    let name = path.display();
    let refuse = |why: String| Failure::usage(format!("failed to read {name}")).because(why);
    let metadata = std::fs::metadata(path).map_err(|error| {
        let failure = refuse(error.to_string());
        if error.kind() == std::io::ErrorKind::NotFound {
            failure.with_hint("write one with `mq init`, or name yours with `--file`")
        } else {
            failure
        }
    })?;
    if metadata.is_file() && metadata.len() > mq_config::BYTES_MAX as u64 {
        return Err(refuse(format!(
            "it is larger than {} bytes",
            mq_config::BYTES_MAX
        )));
    }
    let bytes = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| {
        refuse(format!(
            "it is not UTF-8 (byte {})",
            error.utf8_error().valid_up_to()
        ))
    })
}

/// Now, in seconds since 1970.
pub(crate) fn now_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Today in UTC, as `2026-11-24`.
pub(crate) fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}
