//! Where dead letters go when all layers are seen together.

use std::collections::BTreeMap;

use mq_core::Diagnostic;
use mq_core::spec::{DeadLetterQueue, QueuePatch, Setting, Spec};

use crate::check::Check;
use crate::source_map::SourceMap;

use super::unknown_queue;

/// One layer's word: a queue's dead letters go to this queue of the file.
struct Edge<'s> {
    to: &'s str,
    /// The path that says so.
    path: String,
}

/// Reports dead-letter queues that the file does not have, and those that lead back.
pub(super) fn check(check: &mut Check<'_>, spec: &Spec, source: &SourceMap) {
    let mut edges = edges(spec);
    if let Some(default) = default_edge(spec) {
        unknown_queue(check, spec, source, default.to, default.path);
    }
    for said in edges.values_mut() {
        said.retain(|edge| {
            let known = spec.queues.contains_key(edge.to);
            // What `defaults` say wrong is said once, above.
            if !known && !edge.path.starts_with("defaults.") {
                unknown_queue(check, spec, source, edge.to, edge.path.clone());
            }
            known
        });
    }
    for (from, edge) in back_edges(&edges) {
        report(check, source, from, edge);
    }
}

/// What every layer says of every queue. A circle that only different stages or clouds close
/// together counts too: it would open with the next edit, and nobody could read it.
fn edges(spec: &Spec) -> BTreeMap<&str, Vec<Edge<'_>>> {
    let mut edges: BTreeMap<&str, Vec<Edge<'_>>> = BTreeMap::new();
    for (name, queue) in &spec.queues {
        let said = edges.entry(name).or_default();
        said.extend(match decided(&queue.patch) {
            Some(own) => own.map(|to| edge(to, format!("queues.{name}"))),
            None => default_edge(spec),
        });
        for (cloud, patch) in &queue.overrides {
            let to = decided(patch).flatten();
            said.extend(to.map(|to| edge(to, format!("queues.{name}.overrides.{cloud}"))));
        }
    }
    for (stage, said) in spec.stages.iter().flatten() {
        for (name, patch) in &said.queues {
            if let (Some(to), Some(said)) = (decided(patch).flatten(), edges.get_mut(name.as_str()))
            {
                said.push(edge(to, format!("stages.{stage}.queues.{name}")));
            }
        }
    }
    edges
}

fn default_edge(spec: &Spec) -> Option<Edge<'_>> {
    let to = decided(&spec.defaults).flatten()?;
    Some(edge(to, "defaults".to_owned()))
}

fn edge(to: &str, layer: String) -> Edge<'_> {
    Edge {
        to,
        path: layer + ".dead_letter.queue",
    }
}

/// What a layer decides: nothing, no queue of this file, or this one.
fn decided(patch: &QueuePatch) -> Option<Option<&str>> {
    match &patch.dead_letter {
        Setting::Inherit => None,
        Setting::Unstated => Some(None),
        Setting::Value(said) => match &said.queue {
            Setting::Inherit => None,
            Setting::Value(DeadLetterQueue::InFile(queue)) => Some(Some(queue)),
            Setting::Unstated | Setting::Value(DeadLetterQueue::External(_)) => Some(None),
        },
    }
}

/// How far the walk below is with a queue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// On the way from the start to where the walk is: an edge to here closes a circle.
    Open,
    Done,
}

/// The edges that close a circle: those that a depth-first walk finds to lead to where it came
/// from. Without recursion, since a chain may be as long as the file.
fn back_edges<'e, 's>(edges: &'e BTreeMap<&'s str, Vec<Edge<'s>>>) -> Vec<(&'s str, &'e Edge<'s>)> {
    let mut walks: BTreeMap<&str, Walk> = BTreeMap::new();
    let mut found = Vec::new();
    for start in edges.keys() {
        if walks.contains_key(start) {
            continue;
        }
        walks.insert(start, Walk::Open);
        let mut way = vec![(*start, edges[start].iter())];
        while let Some((at, left)) = way.last_mut() {
            let at = *at;
            let Some(edge) = left.next() else {
                walks.insert(at, Walk::Done);
                way.pop();
                continue;
            };
            match walks.get(edge.to) {
                Some(Walk::Open) => found.push((at, edge)),
                Some(Walk::Done) => {}
                None => {
                    walks.insert(edge.to, Walk::Open);
                    way.push((edge.to, edges[edge.to].iter()));
                }
            }
        }
    }
    found
}

fn report(check: &mut Check<'_>, source: &SourceMap, from: &str, edge: &Edge<'_>) {
    let to = edge.to;
    let detail = if to == from {
        format!("`{from}` would be its own dead-letter queue")
    } else {
        format!("the dead letters of `{from}` go to `{to}`, and those of `{to}` lead back")
    };
    let hint = if edge.path.starts_with("defaults.") {
        format!(
            "write `dead_letter: null` at `{from}`, so that it does not take it from `defaults`"
        )
    } else {
        "let the last queue have no `dead_letter`, or one of its own".to_owned()
    };
    check.diagnostics.push(
        Diagnostic::error("file/dead-letter-cycle", "dead letters go in a circle")
            .with_detail(detail)
            .with_span(source.span(&edge.path))
            .with_path(edge.path.clone())
            .with_hint(hint),
    );
}
