//! What the verdicts mean for a run: which stop it, which are said, which the file knows about.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Severity};
use crate::queue::{Accept, Origin, ResolvedQueue};
use crate::resource::{Lifecycle, Lowered, Part, Resource};
use crate::spec::Target;
use crate::verdict::{Hold, Verdict};

/// What a run insists on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JudgeOptions {
    /// Every verdict that is not exact must be named in `accept`.
    pub strict: bool,
    /// The day, as `2026-11-24`: an `accept` whose `until` is before it no longer counts.
    pub today: String,
}

/// One target's queues, lowered.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The target's key under `clouds`.
    pub target: &'a str,
    /// Its backend.
    pub backend: &'a str,
    /// The queues.
    pub queues: &'a [ResolvedQueue],
    /// The same queues, lowered, in the same order.
    pub lowered: &'a [Lowered],
    /// Whether the service folds `Orders` and `orders` together.
    pub case_sensitive: bool,
}

/// Everything that the verdicts of these targets give rise to, queue by queue.
///
/// An `accept` is spent when it names a verdict on any of these targets that is not exact; one
/// that names none is reported once, and only when every target of the file is among these
/// (`whole_file`), since another target may need it.
#[must_use]
pub fn assess(targets: &[Judged<'_>], whole_file: bool, options: &JudgeOptions) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut spent: BTreeSet<(&str, usize)> = BTreeSet::new();
    for judged in targets {
        for (queue, lowered) in judged.queues.iter().zip(judged.lowered) {
            found.extend(lowered.problems.iter().cloned());
            for verdict in &lowered.verdicts {
                let accepted = accepts(queue, judged, verdict);
                spent.extend(
                    accepted
                        .iter()
                        .map(|(index, _)| (queue.logical.as_str(), *index)),
                );
                let live = accepted
                    .iter()
                    .any(|(_, accept)| is_live(accept, &options.today));
                found.extend(verdict_diagnostic(
                    queue,
                    judged.target,
                    verdict,
                    live,
                    options,
                ));
            }
        }
        found.extend(collisions(judged));
    }
    found.extend(accept_diagnostics(targets, whole_file, &spent, options));
    found.dedup();
    found
}

fn accepts<'a>(
    queue: &'a ResolvedQueue,
    judged: &Judged<'_>,
    verdict: &Verdict,
) -> Vec<(usize, &'a Accept)> {
    if verdict.hold == Hold::Exact {
        return Vec::new();
    }
    queue
        .accept
        .iter()
        .enumerate()
        .filter(|(_, accept)| names(accept, judged.target, judged.backend, verdict))
        .collect()
}

/// Whether the file accepts this verdict on this target, as of `today` (`2026-11-24`).
#[must_use]
pub fn is_accepted(queue: &ResolvedQueue, target: &Target, verdict: &Verdict, today: &str) -> bool {
    let mut accepts = queue.accept.iter();
    verdict.hold != Hold::Exact
        && accepts.any(|accept| {
            names(accept, &target.name, &target.backend, verdict) && is_live(accept, today)
        })
}

fn names(accept: &Accept, target: &str, backend: &str, verdict: &Verdict) -> bool {
    let on = accept.on.as_deref();
    let here = on.is_none_or(|on| on == target || on == backend);
    here && covers(&accept.attribute, &verdict.attribute)
}

/// Whether a path of the file speaks for another: `dead_letter` does for `dead_letter.retention`,
/// and for itself.
#[must_use]
pub fn covers(accepted: &str, attribute: &str) -> bool {
    attribute
        .strip_prefix(accepted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn is_live(accept: &Accept, today: &str) -> bool {
    // ISO dates compare as texts.
    accept.until.as_deref().is_none_or(|until| until >= today)
}

fn verdict_diagnostic(
    queue: &ResolvedQueue,
    target: &str,
    verdict: &Verdict,
    accepted: bool,
    options: &JudgeOptions,
) -> Option<Diagnostic> {
    let (id, summary, detail) = describe(&verdict.hold)?;
    let unsupported = matches!(verdict.hold, Hold::Unsupported { .. });
    let severity = match (accepted, unsupported, options.strict) {
        (true, _, _) => Severity::Note,
        (false, true, _) => Severity::Error,
        (false, false, true) => Severity::Error,
        (false, false, false) => Severity::Warning,
    };
    let what = format!("{}@{target}", verdict.attribute);
    let stated = match verdict.origin {
        Origin::File => "",
        Origin::CreateDefault => " (written on create)",
    };
    let diagnostic = Diagnostic::new(severity, id, summary)
        .with_detail(format!(
            "queue `{}` on `{target}`: {} = {}{stated}: {detail}",
            queue.logical, verdict.attribute, verdict.value
        ))
        .with_path(format!("queues.{}.{}", queue.logical, verdict.attribute));
    Some(if severity == Severity::Note {
        diagnostic
    } else {
        diagnostic.with_hint(format!(
            "change the value, or add `{what}` to the queue's `accept`"
        ))
    })
}

fn describe(hold: &Hold) -> Option<(&'static str, &'static str, String)> {
    match hold {
        Hold::Exact => None,
        Hold::Approximate { from, to, why } if from == to => Some((
            "verdict/approximate",
            "the service only comes close",
            why.clone(),
        )),
        Hold::Approximate { to, why, .. } => Some((
            "verdict/approximate",
            "the service only comes close",
            format!("becomes {to}, since {why}"),
        )),
        Hold::ClientSide { how } => Some((
            "verdict/client-side",
            "holds only for messages that go through mq",
            how.clone(),
        )),
        Hold::Unsupported { why } => Some((
            "verdict/unsupported",
            "the service has nothing like it",
            why.clone(),
        )),
    }
}

/// Two resources of one target whose names the service takes for one. Someone else's dead-letter
/// queue may serve many; the queues of the file are each one of their own.
fn collisions(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<(&str, String), (&str, &str)> = BTreeMap::new();
    let mut found = Vec::new();
    let resources = judged.lowered.iter().flat_map(|lowered| &lowered.resources);
    let is_one_of_its_own = |resource: &&Resource| match resource.lifecycle {
        Lifecycle::Managed => true,
        Lifecycle::External => resource.part == Part::Queue,
        Lifecycle::Attached => false,
    };
    for resource in resources.filter(is_one_of_its_own) {
        let name = &resource.id.name;
        let folded = if judged.case_sensitive {
            name.clone()
        } else {
            name.to_lowercase()
        };
        if let Some((queue, other)) =
            seen.insert((&*resource.id.kind, folded), (&resource.queue, name))
        {
            found.push(
                Diagnostic::error("name/collision", "two queues come to one name")
                    .with_detail(format!(
                        "queue `{}` on `{}`: \"{name}\" and \"{other}\" of the queue `{queue}` are one {} there",
                        resource.queue, judged.target, resource.id.kind
                    ))
                    .with_path(format!("queues.{}", resource.queue))
                    .with_hint("rename one of the two queues, or give it another name under `names`"),
            );
        }
    }
    found
}

fn accept_diagnostics(
    targets: &[Judged<'_>],
    whole_file: bool,
    spent: &BTreeSet<(&str, usize)>,
    options: &JudgeOptions,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let Some(first) = targets.first() else {
        return found;
    };
    for queue in first.queues {
        for (index, accept) in queue.accept.iter().enumerate() {
            let path = format!("queues.{}.accept[{index}]", queue.logical);
            let named = match &accept.on {
                Some(on) => format!("`{}@{on}`", accept.attribute),
                None => format!("`{}`", accept.attribute),
            };
            if !is_live(accept, &options.today) {
                let until = accept.until.as_deref().unwrap_or_default();
                found.push(
                    Diagnostic::warning("accept/expired", "an accept has run out")
                        .with_detail(format!(
                            "queue `{}`: {named} counted until {until}",
                            queue.logical
                        ))
                        .with_path(path)
                        .with_hint("look at the verdict again, then change the value or the date"),
                );
            } else if whole_file && !spent.contains(&(queue.logical.as_str(), index)) {
                found.push(
                    Diagnostic::warning("accept/unused", "an accept names no verdict")
                        .with_detail(format!(
                            "queue `{}`: {named} is exact, or not stated, everywhere it applies",
                            queue.logical
                        ))
                        .with_path(path)
                        .with_hint("take it out, so that it cannot hide a later change"),
                );
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{Attributes, Names, Ordering, Owner, Stated};

    fn queue(accept: &[(&str, Option<&str>, Option<&str>)]) -> ResolvedQueue {
        ResolvedQueue {
            logical: "orders".into(),
            base_name: "orders".into(),
            names: Names::default(),
            owner: Owner {
                stack: "s".into(),
                stage: None,
                origin: None,
            },
            expires_at: None,
            managed: true,
            protect: false,
            attributes: Attributes {
                visibility_timeout: None,
                retention: None,
                receive_wait: None,
                delivery_delay: None,
                max_message_size: None,
                ordering: Stated::create_default(Ordering::None),
                deduplication: None,
                dead_letter: None,
                encryption: None,
                labels: BTreeMap::new(),
                native: BTreeMap::new(),
            },
            accept: accept
                .iter()
                .map(|(attribute, on, until)| Accept {
                    attribute: (*attribute).into(),
                    on: on.map(Into::into),
                    because: None,
                    until: until.map(Into::into),
                })
                .collect(),
            dead_letter_for: Vec::new(),
        }
    }

    fn unsupported(attribute: &str) -> Lowered {
        Lowered {
            queue: "orders".into(),
            verdicts: vec![Verdict::new(
                attribute,
                "5m",
                Origin::File,
                Hold::Unsupported { why: "no".into() },
            )],
            ..Lowered::default()
        }
    }

    fn ids(queue: ResolvedQueue, lowered: Lowered, strict: bool) -> Vec<(&'static str, Severity)> {
        let judged = Judged {
            target: "gcp",
            backend: "gcp",
            queues: &[queue],
            lowered: &[lowered],
            case_sensitive: true,
        };
        let options = JudgeOptions {
            strict,
            today: "2026-11-24".into(),
        };
        assess(&[judged], true, &options)
            .into_iter()
            .map(|found| (found.id, found.severity))
            .collect()
    }

    #[test]
    fn unsupported_stops_unless_it_is_accepted() {
        let stops = vec![("verdict/unsupported", Severity::Error)];
        assert_eq!(ids(queue(&[]), unsupported("deduplication"), false), stops);
        let known = vec![("verdict/unsupported", Severity::Note)];
        for accept in [
            ("deduplication", Some("gcp"), None),
            ("deduplication", None, None),
        ] {
            assert_eq!(
                ids(queue(&[accept]), unsupported("deduplication"), true),
                known
            );
        }
        assert_eq!(
            ids(
                queue(&[("deduplication", Some("aws"), None)]),
                unsupported("deduplication"),
                false
            ),
            [stops[0], ("accept/unused", Severity::Warning)]
        );
    }

    #[test]
    fn an_accept_speaks_for_what_is_below_it_and_not_for_namesakes() {
        assert_eq!(
            ids(
                queue(&[("dead_letter", None, None)]),
                unsupported("dead_letter.retention"),
                false
            ),
            [("verdict/unsupported", Severity::Note)]
        );
        assert_eq!(
            ids(
                queue(&[("dead", None, None)]),
                unsupported("dead_letter.retention"),
                false
            )[0],
            ("verdict/unsupported", Severity::Error)
        );
    }

    #[test]
    fn an_accept_counts_through_its_last_day() {
        let on = |until| {
            ids(
                queue(&[("deduplication", None, Some(until))]),
                unsupported("deduplication"),
                false,
            )
        };
        assert_eq!(on("2026-11-24"), [("verdict/unsupported", Severity::Note)]);
        assert_eq!(
            on("2026-11-23"),
            [
                ("verdict/unsupported", Severity::Error),
                ("accept/expired", Severity::Warning)
            ]
        );
    }

    fn resource(queue: &str, name: &str, lifecycle: Lifecycle, part: Part) -> Lowered {
        Lowered {
            queue: queue.into(),
            resources: vec![Resource {
                id: crate::ResourceId::new("toy.queue", name),
                queue: queue.into(),
                part,
                lifecycle,
                depends_on: Vec::new(),
                serial: None,
                attributes: Vec::new(),
                marker: None,
                holds_messages: true,
                remedy: None,
            }],
            ..Lowered::default()
        }
    }

    #[test]
    fn two_queues_of_one_name_collide_and_two_senders_to_one_queue_do_not() {
        let collides = |lowered: [Lowered; 2], case_sensitive| {
            let found = collisions(&Judged {
                target: "toy",
                backend: "toy",
                queues: &[],
                lowered: &lowered,
                case_sensitive,
            });
            assert!(found.iter().all(|it| it.severity == Severity::Error));
            found.len() == 1
        };
        let (ours, theirs) = (Lifecycle::Managed, Lifecycle::External);
        let queue = |key, name, lifecycle| resource(key, name, lifecycle, Part::Queue);
        for other in [ours, theirs] {
            assert!(collides(
                [queue("a", "x", ours), queue("b", "x", other)],
                true
            ));
        }
        let folded = || [queue("a", "Orders", ours), queue("b", "orders", ours)];
        assert!(collides(folded(), false) && !collides(folded(), true));
        let outside = |key| resource(key, "x", theirs, Part::DeadLetter);
        assert!(!collides([outside("a"), outside("b")], false));
    }
}
