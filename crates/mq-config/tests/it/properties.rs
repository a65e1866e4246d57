//! Whatever the text: no panic, places inside it, the same answer again, nothing said twice.

use mq_config::{load, render, select_stage};
use mq_core::Severity;
use mq_core::spec::Selection;
use proptest::prelude::*;

use crate::common::{BACKENDS, corpus, loaded, shipped};

/// What holds for any text; also the body for a coverage-guided fuzzer.
fn holds(text: &str) {
    let first = loaded(text);
    for diagnostic in &first.diagnostics {
        if let Some(span) = &diagnostic.span {
            assert!(
                text.get(span.clone()).is_some(),
                "{diagnostic:?} is outside of {text:?}"
            );
            let _ = first.source.position(span.start);
        }
        if let Some(path) = &diagnostic.path {
            assert!(text.get(first.source.span(path)).is_some(), "{path}");
        }
    }
    let failed = first
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    assert_eq!(first.spec.is_none(), failed);
    assert_eq!(first.diagnostics, loaded(text).diagnostics);
    let rendered = render(&first.diagnostics, text, "mq.yaml", false);
    assert!(
        !rendered.contains(|character: char| character.is_control() && character != '\n'),
        "{rendered:?}"
    );
    let _ = render(&first.diagnostics, text, "mq.yaml", true);
    if let Some(spec) = &first.spec {
        let known = spec.stages.as_ref().and_then(|stages| stages.keys().next());
        let stage = select_stage(spec, known.map(String::as_str)).expect("a known stage");
        let selection = Selection { stage, now: 0 };
        for cloud in ["aws", "azure", "gcp"] {
            let target = spec.target(cloud, selection.stage.as_deref());
            assert_eq!(spec.resolve(&selection, &target).len(), spec.queues.len());
        }
    }
}

#[test]
fn the_corpus_holds() {
    let files = corpus();
    assert!(files.len() >= 20, "the corpus has {} files", files.len());
    for (_, text) in files.iter().chain(&shipped()) {
        holds(text);
    }
}

#[test]
fn every_prefix_of_a_shipped_file_holds() {
    for (_, text) in shipped() {
        for end in (0..text.len()).step_by(7) {
            holds(&text[..text.floor_char_boundary(end)]);
        }
    }
}

/// What the format is made of, so that random files get past the syntax.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "version: 1\n", "stack: test\n", "cloud: aws\n", "cloud: ${REGION}\n",
    "ordering@${REGION}", "${REGION}@gcp", "clouds:\n", "stages:\n", "queues:\n",
    "defaults:\n", "  orders:\n", "  aws:\n", "  dev:\n", "    dead_letter:\n",
    "      max_deliveries: ", "      queue: orders\n", "    retention: ", "    labels: ",
    "    accept: ", "    names: ", "    overrides:\n", "      gcp:\n", "        native: ",
    "    encryption: ", "{ ", " }", "[", "]", ", ", ": ", "\n", "  ", "- ", "&a ", "*a",
    "<<: ", "null", "~", "true", "5", "-1", "30s", "14d", "256KiB", "\"", "'", "# c\n",
    "---\n", "|\n", ">\n", "!!str ", "? ", "${REGION}", "${X:-y}", "${X:?z}", "${", "$${",
    "ordering@gcp", "{ what: ordering, until: 2027-01-01 }", "é", "\u{202e}", "\t", "\r\n",
    "\u{feff}", "\0", "AKIAIOSFODNN7EXAMPLE", "99999999999999999999",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn files_of_random_pieces_hold(pieces in prop::collection::vec(piece(), 0..60)) {
        holds(&pieces.concat());
    }

    #[test]
    fn random_text_holds(text in any::<String>()) {
        holds(&text);
    }

    #[test]
    fn shipped_files_with_random_damage_hold(
        file in 0_usize..6,
        damage in prop::collection::vec((any::<prop::sample::Index>(), piece(), 0_usize..12), 1..6),
    ) {
        let mut text = shipped().swap_remove(file).1;
        for (at, piece, removed) in damage {
            let start = text.floor_char_boundary(at.index(text.len() + 1));
            let end = text.ceil_char_boundary((start + removed).min(text.len()));
            text.replace_range(start..end, &piece);
        }
        holds(&text);
    }

    #[test]
    fn no_variable_is_ever_repeated(pieces in prop::collection::vec(piece(), 0..40)) {
        let secret = "kX9-not-to-be-seen";
        let text = pieces.concat().replace("${REGION}", "${HIDDEN}").replace("5", "${HIDDEN}");
        let loaded = load(&text, &|_| Some(secret.to_owned()), &BACKENDS);
        let rendered = render(&loaded.diagnostics, &text, "mq.yaml", false);
        prop_assert!(!rendered.contains(secret), "{rendered}");
    }
}
