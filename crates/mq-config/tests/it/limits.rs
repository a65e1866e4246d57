//! Files that are made to hurt: each is refused, quickly, with a reason.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use mq_config::{BYTES_MAX, COPIES_MAX, DEPTH_MAX, render};

use crate::common::{loaded, with_queues};

/// Ample for a slow machine without optimisation; the attacks take minutes or all memory.
const QUICK: Duration = Duration::from_secs(2);

#[track_caller]
fn refused_as(text: &str, id: &str) {
    let start = Instant::now();
    let loaded = loaded(text);
    let took = start.elapsed();
    let found: Vec<&str> = loaded
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.id)
        .collect();
    assert!(found.contains(&id), "{found:?}");
    assert!(loaded.spec.is_none());
    assert!(took < QUICK, "took {took:?}");
}

fn bomb(levels: usize, width: usize) -> String {
    let mut text = String::from("a0: &a0 [x]\n");
    for level in 1..=levels {
        let aliases = vec![format!("*a{}", level - 1); width].join(", ");
        let _ = writeln!(text, "a{level}: &a{level} [{aliases}]");
    }
    text
}

#[test]
fn an_alias_bomb() {
    refused_as(&bomb(9, 10), "file/too-many-copies");
    refused_as(&bomb(30, 2), "file/too-many-copies");
}

#[test]
fn a_bomb_of_merge_keys() {
    let mut text = String::from("a0: &a0 { k: v }\n");
    for level in 1..=30 {
        let below = level - 1;
        let _ = writeln!(
            text,
            "a{level}: &a{level} {{ l: {{ <<: *a{below} }}, r: {{ <<: *a{below} }} }}"
        );
    }
    refused_as(&text, "file/too-many-copies");
}

#[test]
fn deep_nesting_of_every_kind() {
    for text in [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        (0..1000).fold(String::new(), |mut text, level| {
            let _ = writeln!(text, "{}a:", " ".repeat(level));
            text
        }),
        format!(
            "{}x{}",
            "[".repeat(DEPTH_MAX + 1),
            "]".repeat(DEPTH_MAX + 1)
        ),
    ] {
        refused_as(&text, "file/too-deep");
    }
}

#[test]
fn depth_that_aliases_add_up() {
    let half = DEPTH_MAX / 2 + 1;
    let (open, close) = ("[".repeat(half), "]".repeat(half));
    refused_as(
        &format!("a: &a {open}x{close}\nb: {open}*a{close}\n"),
        "file/too-deep",
    );
}

#[test]
fn the_deepest_and_largest_that_are_allowed_are_read() {
    let depth = DEPTH_MAX - 1;
    let text = format!("a: {}x{}\n", "[".repeat(depth), "]".repeat(depth));
    let ids: Vec<&str> = loaded(&text).diagnostics.iter().map(|d| d.id).collect();
    assert!(!ids.contains(&"file/too-deep"), "{ids:?}");

    // The anchor and each alias copy three: the map, its key and its value.
    let aliases = COPIES_MAX / 3 - 2;
    let mut text = String::from("defaults: &d { retention: 4d }\nqueues:\n  q: *d\n");
    let _ = writeln!(text, "x: [{}]", vec!["*d"; aliases].join(", "));
    let ids: Vec<&str> = loaded(&text).diagnostics.iter().map(|d| d.id).collect();
    assert!(!ids.contains(&"file/too-many-copies"), "{ids:?}");
    refused_as(&text.replace("[*d", "[*d, *d"), "file/too-many-copies");
}

#[test]
fn a_huge_file() {
    refused_as(&"#".repeat(BYTES_MAX + 1), "file/too-large");
}

#[test]
fn ten_thousand_queues_are_read_with_their_aliases_and_in_proportion() {
    let file = |queues: usize| {
        let mut text = String::from("  first: &first { visibility_timeout: 30s, retention: 4d }\n");
        for queue in 0..queues {
            let _ = writeln!(
                text,
                "  queue-{queue}: {{ <<: *first, dead_letter: {{ max_deliveries: 5 }} }}"
            );
        }
        with_queues(&text)
    };
    let loaded = loaded(&file(10_000));
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(loaded.spec.unwrap().queues.len(), 10_001);
}

#[test]
fn a_wrong_value_behind_many_aliases_is_one_mistake() {
    let mut text = String::from("  first: &first { retention: 4 }\n");
    for queue in 0..100 {
        let _ = writeln!(text, "  queue-{queue}: *first");
    }
    let found = loaded(&with_queues(&text)).diagnostics;
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_long_circle_of_dead_letters() {
    let mut text = String::new();
    for queue in 0..10_000 {
        let _ = writeln!(
            text,
            "  q{queue}: {{ dead_letter: {{ queue: q{} }} }}",
            (queue + 1) % 10_000
        );
    }
    refused_as(&with_queues(&text), "file/dead-letter-cycle");
}

#[test]
fn more_mistakes_than_anybody_reads() {
    let mut text = String::new();
    for queue in 0..10_000 {
        let _ = writeln!(text, "  q{queue}: {{ dead_letter: {{ queue: z{queue} }} }}");
    }
    let text = with_queues(&text);
    refused_as(&text, "file/unknown-queue");
    let found = loaded(&text).diagnostics;
    assert_eq!(found.len(), 10_000);
    let rendered = render(&found[9_999..], &text, "mq.yaml", false);
    assert!(rendered.contains("mq.yaml:10003:"), "{rendered}");
}

#[test]
fn many_stages_times_many_clouds_times_many_queues() {
    let mut text = String::from("version: 1\nstack: test\nclouds:\n");
    for cloud in 0..500 {
        let _ = writeln!(text, "  c{cloud}: {{ cloud: aws }}");
    }
    text.push_str("stages:\n");
    for stage in 0..500 {
        let _ = writeln!(
            text,
            "  s{stage}: {{ queues: {{ q{stage}: {{ dead_letter: {{ queue: end }} }} }} }}"
        );
    }
    text.push_str("queues:\n  end: {}\n");
    for queue in 0..5_000 {
        let _ = writeln!(
            text,
            "  q{queue}: {{ overrides: {{ c{}: {{ dead_letter: {{ queue: end }} }} }} }}",
            queue % 500
        );
    }
    let start = Instant::now();
    assert_eq!(loaded(&text).diagnostics, []);
    assert!(start.elapsed() < QUICK, "took {:?}", start.elapsed());
}

#[test]
fn a_key_of_a_million_dots() {
    let text = with_queues(&format!(
        "  ? {}\n  : {{ dead_letter: {{ queue: x }} }}\n",
        "a.".repeat(500_000)
    ));
    refused_as(&text, "file/bad-name");
}
