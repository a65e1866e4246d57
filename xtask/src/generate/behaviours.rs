//! The page of the portability suite: every behaviour, with an anchor that reports can link to.

use std::fmt::Write as _;

use mq_core::units;
use mq_suite::{Applies, Behaviour, Group};

const INTRODUCTION: &str = "\
# Behaviours

What `mq verify` proves, on every cloud alike. A behaviour is one promise that an application may rely on without knowing it, and the proof of it: it makes queues of its own, on a stage of its own, through the same code as every command, and removes them. It passes, fails with what was seen, or is skipped with the reason: the service has no such thing, or the queue does not ask for it. A skipped behaviour never counts as passed.

`--only` takes the names below: a bare name, or one attribute's as `update-in-place[retention]`. The time and the number of requests are the most that one proof takes on a real service; past its time it has failed. [How to read a report, and how to run it in CI](portability.md).
";

/// The page's text.
pub(super) fn page(behaviours: &[Behaviour]) -> String {
    let mut text = INTRODUCTION.to_owned();
    for group in Group::ALL {
        let _ = write!(text, "\n## {group}\n\n{}\n", about(group));
        let of_group: Vec<&Behaviour> = behaviours.iter().filter(|it| it.group == group).collect();
        for of_name in of_group.chunk_by(|one, other| one.name == other.name) {
            text.push_str(&section(of_name));
        }
    }
    text
}

/// A group in a sentence.
fn about(group: Group) -> &'static str {
    match group {
        Group::Control => "Creating, reading, changing and removing queues.",
    }
}

/// One behaviour, or the same one for several attributes.
fn section(of_name: &[&Behaviour]) -> String {
    let first = of_name[0];
    let mut text = format!(
        "\n<a id=\"{}\"></a>\n### {}\n\n{}\n\n",
        anchor(&format!("{}/{}", first.group, first.name)),
        first.name,
        first.promise
    );
    let attributes: Vec<String> = of_name
        .iter()
        .filter_map(|behaviour| {
            let probe = behaviour.probe?;
            Some(format!(
                "<a id=\"{}\"></a>`{}`",
                anchor(&behaviour.id()),
                probe.attribute
            ))
        })
        .collect();
    if !attributes.is_empty() {
        let _ = writeln!(text, "- for each of: {}", attributes.join(", "));
    }
    let needs: Vec<String> = first.needs.iter().map(ToString::to_string).collect();
    if !needs.is_empty() {
        let _ = writeln!(text, "- asked for where {}", needs.join(" and "));
    }
    let _ = writeln!(
        text,
        "- proved with {}\n- within {}, {} requests at most",
        proved_with(first.applies),
        units::duration(first.limit),
        first.requests_max
    );
    text
}

fn proved_with(applies: Applies) -> &'static str {
    match applies {
        Applies::Sample => "a queue of the suite's own",
        Applies::EveryQueue => "a queue of the suite's own, and a copy of every queue of the file",
    }
}

/// Where a behaviour is on the page: its id with a dash for each run of what an address cannot
/// hold, as `control-update-in-place-dead_letter-retention`.
fn anchor(id: &str) -> String {
    let words = id.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_behaviour_has_an_anchor_of_its_own() {
        let behaviours = mq_suite::behaviours::all();
        let page = page(&behaviours);
        let mut anchors = BTreeSet::new();
        for behaviour in &behaviours {
            let anchor = anchor(&behaviour.id());
            let places = page.matches(&format!("<a id=\"{anchor}\"></a>")).count();
            assert_eq!(places, 1, "{}", behaviour.id());
            assert!(anchors.insert(anchor), "{}", behaviour.id());
        }
        assert!(!anchors.is_empty());
    }

    #[test]
    fn what_differs_within_a_section_would_be_lost() {
        let behaviours = mq_suite::behaviours::all();
        for of_name in behaviours.chunk_by(|one, other| one.name == other.name) {
            for behaviour in of_name {
                let first = &of_name[0];
                let said = (&behaviour.promise, behaviour.needs, behaviour.applies);
                assert_eq!(said, (&first.promise, first.needs, first.applies));
                let bounds = (behaviour.limit, behaviour.requests_max);
                assert_eq!(
                    bounds,
                    (first.limit, first.requests_max),
                    "{}",
                    behaviour.id()
                );
            }
        }
    }

    #[test]
    fn an_anchor_is_one_word() {
        let id = "control/update-in-place[dead_letter.retention]";
        assert_eq!(anchor(id), "control-update-in-place-dead_letter-retention");
        assert_eq!(anchor("control/destroy-twice"), "control-destroy-twice");
    }
}
