//! Markdown and HTML, without a browser: nothing of a text is part of the page's structure, and
//! the tables hold what the report says.

use mq_suite::Report;
use mq_suite::report::{Row, html, markdown};
use proptest::prelude::*;

use crate::{generated, sample};

/// What GitHub takes of a job summary.
const MEBIBYTE: usize = 1 << 20;

/// The columns of a line of a table: bars with no backslash before them.
fn columns(line: &str) -> usize {
    let mut bars = 0;
    let mut escaped = false;
    for character in line.chars() {
        bars += usize::from(character == '|' && !escaped);
        escaped = character == '\\' && !escaped;
    }
    bars - 1
}

/// Every table has as many columns in each line as in its first, and only our own tags are there.
fn check_markdown(text: &str) {
    assert!(text.len() <= MEBIBYTE, "{}", text.len());
    let mut width = None;
    for line in text.lines() {
        if line.starts_with("| ") {
            let expected = *width.get_or_insert_with(|| columns(line));
            assert_eq!(columns(line), expected, "{line}");
        } else {
            width = None;
        }
    }
    for after in text.split('<').skip(1) {
        let ours = [
            "code>",
            "/code>",
            "br>",
            "span>",
            "/span>",
            "details>",
            "/details>",
            "summary>",
            "/summary>",
        ];
        assert!(
            ours.iter().any(|tag| after.starts_with(tag)),
            "<{}",
            &after[..after.len().min(40)]
        );
    }
    for pair in ["code", "span", "details", "summary"] {
        let opened = text.matches(&format!("<{pair}>")).count();
        assert_eq!(
            opened,
            text.matches(&format!("</{pair}>")).count(),
            "{pair}"
        );
    }
}

/// The words of the whole matrix, line by line.
fn words_of_the_matrix(text: &str) -> Vec<Vec<&str>> {
    let (_, matrix) = text.split_once("<details>").unwrap_or_default();
    let lines = matrix.lines().filter(|line| line.starts_with("| ")).skip(2);
    lines
        .map(|line| {
            let cells = line.trim_matches('|').split(" | ").skip(1);
            cells
                .map(|cell| cell.trim().split(' ').nth(1).unwrap_or_default())
                .collect()
        })
        .collect()
}

fn words(row: &Row) -> Vec<&str> {
    let cells = row.cells.iter();
    cells
        .map(|cell| cell.as_ref().map_or("not", |cell| cell.outcome.name()))
        .collect()
}

/// The cells of the page's matrix, as their attributes say.
fn outcomes_of_the_page(page: &str) -> Vec<String> {
    let cells = page.split("data-outcome=\"").skip(1);
    cells
        .map(|cell| cell.split('"').next().unwrap().to_owned())
        .collect()
}

fn outcomes(report: &Report) -> Vec<String> {
    let cells = report.rows.iter().flat_map(|row| &row.cells);
    let name = |cell: &Option<_>| {
        let cell: Option<&mq_suite::report::Cell> = cell.as_ref();
        cell.map_or("not-run", |cell| cell.outcome.name())
            .to_owned()
    };
    cells.map(name).collect()
}

/// The report that the page carries.
fn carried(page: &str) -> Report {
    let (_, rest) = page
        .split_once("<script type=\"application/json\" id=\"report\">")
        .expect("the JSON report");
    let (json, _) = rest.split_once("</script>").expect("its end");
    serde_json::from_str(json).expect("a report")
}

proptest! {
    #[test]
    fn no_text_breaks_a_table_of_markdown(report in generated::any_report()) {
        check_markdown(&markdown(&report));
    }

    #[test]
    fn the_page_carries_the_report_and_shows_every_cell(report in generated::any_report()) {
        let page = html(&report);
        prop_assert_eq!(outcomes_of_the_page(&page), outcomes(&report));
        prop_assert_eq!(page.matches("<script").count(), 1);
        prop_assert_eq!(page.matches("</script").count(), 1);
        prop_assert_eq!(page.matches("<!--").count(), 0);
        prop_assert!(!page.contains('\0'));
        prop_assert_eq!(carried(&page), report);
    }
}

#[test]
fn the_summary_says_every_result_of_the_sample() {
    let report = sample::report();
    let text = markdown(&report);
    check_markdown(&text);
    let expected: Vec<Vec<&str>> = report.rows.iter().map(words).collect();
    assert_eq!(words_of_the_matrix(&text), expected);
    assert!(
        text.starts_with("## Portability: ❌ not passed\n"),
        "{text}"
    );
    let totals = report.totals;
    assert_eq!((totals.passed, totals.failed, totals.errors), (127, 5, 1));
    assert!(text.contains("**127 passed**, 5 failed, 1 error, 38 skipped, 2 flaky on 3 clouds"));
    let attributes = text.find("This file's queues").unwrap();
    let behaviours = text.find("Behaviours that differ").unwrap();
    let failures = text.find("### Failures").unwrap();
    let everything = text.find("<details>").unwrap();
    assert!(attributes < behaviours && behaviours < failures && failures < everything);
}

#[test]
fn a_summary_of_very_many_results_ends_in_time_and_counts_the_rest() {
    let mut report = sample::report();
    let passing = report.rows.iter().filter(|row| !row.differs);
    let passing: Vec<Row> = passing.cloned().collect();
    for rows in [report.rows.clone(), passing] {
        report.rows = rows.iter().cycle().take(40_000).cloned().collect();
        let text = markdown(&sample::counted(report.clone()));
        check_markdown(&text);
        let written = words_of_the_matrix(&text).len();
        let left_out = format!("… {} more rows in the JSON report", 40_000 - written);
        assert!(text.contains(&left_out), "{left_out}");
    }
}

#[test]
fn the_page_asks_for_nothing() {
    let page = html(&sample::report());
    for request in [
        "src=", "url(", "@import", "http://", "https://", "srcset", "<iframe", "<object",
    ] {
        assert!(!page.contains(request), "{request}");
    }
    let mut links = page.split("href=\"").skip(1);
    assert!(links.all(|link| link.starts_with('#') || link.starts_with("data:,\"")));
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
    assert!(!page.contains(" style="), "the policy would drop it");
    assert!(!page.contains("unsafe-inline"));
}
