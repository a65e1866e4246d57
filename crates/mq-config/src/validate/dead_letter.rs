//! Where dead letters go when all layers are seen together.

use std::collections::BTreeMap;

use mq_core::Diagnostic;
use mq_core::spec::{DeadLetterQueue, QueuePatch, Setting, Spec};

use crate::check::Check;
use crate::source_map::SourceMap;

use super::unknown_queue;

/// A layer's word on a dead-letter queue, with the path that says it.
struct Said<'a> {
    patch: &'a QueuePatch,
    path: String,
}

/// Reports dead-letter queues that the file does not have, and those that lead back.
pub(super) fn check(check: &mut Check<'_>, spec: &Spec, source: &SourceMap) {
    let mut shared = false;
    for said in every_layer(spec) {
        if let Setting::Value(dead_letter) = &said.patch.dead_letter
            && let Setting::Value(DeadLetterQueue::InFile(queue)) = &dead_letter.queue
        {
            shared = true;
            let path = format!("{}.dead_letter.queue", said.path);
            unknown_queue(check, spec, source, queue, path);
        }
    }
    if shared {
        cycles(check, spec, source);
    }
}

fn every_layer(spec: &Spec) -> impl Iterator<Item = Said<'_>> {
    let defaults = std::iter::once(Said {
        patch: &spec.defaults,
        path: "defaults".to_owned(),
    });
    let queues = spec.queues.iter().flat_map(|(name, queue)| {
        let own = std::iter::once(Said {
            patch: &queue.patch,
            path: format!("queues.{name}"),
        });
        own.chain(queue.overrides.iter().map(move |(cloud, patch)| Said {
            patch,
            path: format!("queues.{name}.overrides.{cloud}"),
        }))
    });
    let stages = spec.stages.iter().flatten().flat_map(|(stage, said)| {
        said.queues.iter().map(move |(name, patch)| Said {
            patch,
            path: format!("stages.{stage}.queues.{name}"),
        })
    });
    defaults.chain(queues).chain(stages)
}

/// Follows the dead letters on every stage and every cloud that says something of its own.
fn cycles(check: &mut Check<'_>, spec: &Spec, source: &SourceMap) {
    let stages: Vec<Option<&str>> = match &spec.stages {
        Some(stages) => stages.keys().map(|stage| Some(stage.as_str())).collect(),
        None => vec![None],
    };
    let mut clouds: Vec<Option<&str>> = vec![None];
    for queue in spec.queues.values() {
        for cloud in queue.overrides.keys() {
            if !clouds.contains(&Some(cloud.as_str())) {
                clouds.push(Some(cloud));
            }
        }
    }
    let mut reported: Vec<&str> = Vec::new();
    for stage in stages {
        for cloud in &clouds {
            let next: BTreeMap<&str, (&str, String)> = spec
                .queues
                .keys()
                .filter_map(|name| Some((name.as_str(), target(spec, name, stage, *cloud)?)))
                .collect();
            for start in on_a_cycle(&next) {
                if !reported.contains(&start) {
                    reported.push(start);
                    report(check, source, &next, start);
                }
            }
        }
    }
}

/// Where a queue's dead letters go within the file, and the path that says so.
fn target<'s>(
    spec: &'s Spec,
    name: &str,
    stage: Option<&str>,
    cloud: Option<&str>,
) -> Option<(&'s str, String)> {
    let queue = spec.queues.get(name)?;
    let from_cloud = cloud.and_then(|cloud| {
        let patch = queue.overrides.get(cloud)?;
        Some((patch, format!("queues.{name}.overrides.{cloud}")))
    });
    let from_stage = stage.and_then(|stage| {
        let patch = spec.stages.as_ref()?.get(stage)?.queues.get(name)?;
        Some((patch, format!("stages.{stage}.queues.{name}")))
    });
    let layers = [
        from_cloud,
        from_stage,
        Some((&queue.patch, format!("queues.{name}"))),
        Some((&spec.defaults, "defaults".to_owned())),
    ];
    for (patch, path) in layers.into_iter().flatten() {
        match &patch.dead_letter {
            Setting::Inherit => {}
            Setting::Unstated => return None,
            Setting::Value(said) => match &said.queue {
                Setting::Inherit => {}
                Setting::Value(DeadLetterQueue::InFile(queue)) => {
                    return Some((queue, format!("{path}.dead_letter.queue")));
                }
                Setting::Unstated | Setting::Value(DeadLetterQueue::External(_)) => return None,
            },
        }
    }
    None
}

/// One queue of every cycle, the first by name. Each queue has one successor at most, so walks
/// that mark what they saw take as many steps as there are queues.
fn on_a_cycle<'s>(next: &BTreeMap<&'s str, (&'s str, String)>) -> Vec<&'s str> {
    let mut walk_of: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (walk, start) in next.keys().enumerate() {
        let mut at = *start;
        while let Some((queue, _)) = next.get(at)
            && !walk_of.contains_key(at)
        {
            walk_of.insert(at, walk);
            at = queue;
        }
        // Back where this very walk has been: a cycle that no earlier walk has seen.
        if walk_of.get(at) == Some(&walk) {
            found.push(first_of(next, at));
        }
    }
    found
}

fn first_of<'s>(next: &BTreeMap<&'s str, (&'s str, String)>, on_cycle: &'s str) -> &'s str {
    let mut first = on_cycle;
    let mut at = on_cycle;
    while let Some((queue, _)) = next.get(at)
        && *queue != on_cycle
    {
        at = queue;
        first = first.min(at);
    }
    first
}

fn report(
    check: &mut Check<'_>,
    source: &SourceMap,
    next: &BTreeMap<&str, (&str, String)>,
    start: &str,
) {
    let Some((queue, path)) = next.get(start) else {
        return;
    };
    let inherited = path.starts_with("defaults.");
    let detail = if *queue == start {
        format!("`{start}` would be its own dead-letter queue")
    } else {
        format!("the dead letters of `{start}` go to `{queue}` and come back to `{start}`")
    };
    let hint = if inherited {
        format!(
            "write `dead_letter: null` at `{start}`, so that it does not take it from `defaults`"
        )
    } else {
        "let the last queue have no `dead_letter`, or one of its own".to_owned()
    };
    check.diagnostics.push(
        Diagnostic::error("file/dead-letter-cycle", "dead letters go in a circle")
            .with_detail(detail)
            .with_span(source.span(path))
            .with_path(path.clone())
            .with_hint(hint),
    );
}
