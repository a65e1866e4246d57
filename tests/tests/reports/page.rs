//! The page, as Chromium shows it.

use std::path::PathBuf;

use libtest_mimic::{Failed, Trial};
use mq_suite::Report;
use mq_suite::report::html;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, find};
use crate::silence::Silence;
use crate::{nasty, needing, sample};

/// How many reports with the worst texts are shown.
const NASTY_REPORTS: usize = 40;
/// What WCAG 2 asks of text (<https://www.w3.org/TR/WCAG22/#contrast-minimum>).
const CONTRAST_MIN: f64 = 4.5;

/// The matrix as the page has it.
const MATRIX: &str = r"
[...document.querySelectorAll('[data-outcome]')].map(cell => ({
  behaviour: cell.dataset.behaviour,
  queue: cell.dataset.queue ?? null,
  target: cell.dataset.target,
  outcome: cell.dataset.outcome,
  word: cell.querySelector('.word').textContent,
  shown: cell.getClientRects().length > 0 && cell.querySelector('.sign').getClientRects().length > 0,
}))";

/// The text with the least contrast to what is behind it.
const CONTRAST: &str = r"
(() => {
  const parts = colour => colour.match(/[\d.]+/g).map(Number);
  const light = colour => {
    const [r, g, b] = parts(colour).slice(0, 3).map(it => {
      const share = it / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let it = element; it; it = it.parentElement) {
      const colour = getComputedStyle(it).backgroundColor;
      if ((parts(colour)[3] ?? 1) === 1) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  let least = { contrast: 21, text: '' };
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(it => it.nodeType === 3 && it.data.trim());
    if (!own || !element.getClientRects().length) continue;
    if (element.closest('input:disabled + label')) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(behind(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < least.contrast) least = { contrast, text: element.textContent };
  }
  return least;
})()";

const COLOURS: &str = r"
['body', '.tile', '.result.passed', '.result.failed', '.promise'].map(selector => {
  const style = getComputedStyle(document.querySelector(selector));
  return [style.color, style.backgroundColor];
})";

/// A test of the browser that is at this path.
type Test = fn(PathBuf) -> Result<(), Failed>;

pub(crate) fn trials() -> Vec<Trial> {
    let required = std::env::var_os("MQ_REQUIRE_CHROMIUM").is_some();
    let tests: [(&str, Test); 4] = [
        (
            "the page shows each result, light, dark and on a phone",
            shows,
        ),
        ("the page's filters and folds work", filters),
        ("no text breaks the page", withstands),
        ("what watches the page can tell", watches),
    ];
    let trial = |(name, test)| needing(name, find(), required, test);
    tests.into_iter().map(trial).collect()
}

/// A browser, the proxy that it is given, and a folder for pages.
struct Stage {
    browser: Browser,
    proxy: Silence,
    folder: TempDir,
}

impl Stage {
    fn set(program: PathBuf) -> Result<Self, Failed> {
        let proxy = Silence::start();
        Ok(Stage {
            browser: Browser::start(&program, proxy.port())?,
            proxy,
            folder: tempfile::tempdir().unwrap(),
        })
    }

    fn open(&mut self, page: &str) -> Result<&mut Browser, Failed> {
        let file = self.folder.path().join("page.html");
        std::fs::write(&file, page).unwrap();
        self.browser.open(&file)?;
        Ok(&mut self.browser)
    }

    /// That the page asked for nothing and complained of nothing.
    fn is_quiet(&mut self) -> Result<(), Failed> {
        same("complaints", &self.browser.complaints()?, &vec![])?;
        same("requests", &self.browser.requests(), &vec![])?;
        same("at the proxy", &self.proxy.asked(), &vec![])
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), Failed> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: {found:?} instead of {expected:?}").into())
}

/// The matrix as the report has it.
fn matrix(report: &Report) -> Vec<Value> {
    let mut cells = Vec::new();
    for row in &report.rows {
        for (target, cell) in report.targets.iter().zip(&row.cells) {
            let outcome = cell.as_ref().map_or("not-run", |cell| cell.outcome.name());
            cells.push(json!({
                "behaviour": row.behaviour,
                "queue": row.queue,
                "target": target.name,
                "outcome": outcome,
                "word": outcome.replace('-', " "),
                "shown": true,
            }));
        }
    }
    cells
}

/// A cell that was not run, and names that would be markup.
fn report() -> Report {
    let mut report = sample::report();
    report.targets[1].name = "<b>\"azure\" & 'co'</b>".to_owned();
    report.rows[0].queue = Some("a\" onclick=\"x".to_owned());
    report.rows[5].cells[1] = None;
    sample::counted(report)
}

fn check(browser: &mut Browser, report: &Report) -> Result<(), Failed> {
    let shown = browser.value(MATRIX)?;
    let shown = shown.as_array().ok_or("no matrix")?;
    for (found, expected) in shown.iter().zip(&matrix(report)) {
        same("a cell of the matrix", found, expected)?;
    }
    same("cells", &shown.len(), &matrix(report).len())?;
    let carried = browser.value("JSON.parse(document.getElementById('report').textContent)")?;
    same(
        "the JSON in the page",
        &carried,
        &serde_json::to_value(report).unwrap(),
    )
}

fn shows(program: PathBuf) -> Result<(), Failed> {
    let report = report();
    let mut stage = Stage::set(program)?;
    let mut looks = Vec::new();
    for scheme in ["light", "dark"] {
        stage.browser.look(scheme, 1280)?;
        let browser = stage.open(&html(&report))?;
        check(browser, &report)?;
        let contrast = browser.value(CONTRAST)?;
        if contrast["contrast"].as_f64().unwrap_or(0.0) < CONTRAST_MIN {
            return Err(format!("{scheme}: too little contrast: {contrast}").into());
        }
        let picture = browser.call("Page.captureScreenshot", &json!({ "format": "png" }))?;
        looks.push((browser.value(COLOURS)?, picture["data"].clone()));
        stage.is_quiet()?;
    }
    let (light, dark) = (&looks[0], &looks[1]);
    let colours = light.0.as_array().into_iter().flatten();
    let alike = colours.zip(dark.0.as_array().into_iter().flatten());
    if light.1 == dark.1 || alike.into_iter().any(|(light, dark)| light == dark) {
        return Err(format!("light and dark look the same: {} {}", light.0, dark.0).into());
    }
    stage.browser.look("light", 390)?;
    let browser = stage.open(&html(&report))?;
    check(browser, &report)?;
    let width = browser.value("document.documentElement.scrollWidth")?;
    same("the page's width on a phone", &width, &json!(390))?;
    stage.is_quiet()
}

fn filters(program: PathBuf) -> Result<(), Failed> {
    let report = report();
    let mut stage = Stage::set(program)?;
    stage.browser.look("light", 1280)?;
    let browser = stage.open(&html(&report))?;
    let failed = |outcome: &str| ["failed", "error"].contains(&outcome);
    let names = |row: &mq_suite::report::Row| {
        let cells = row.cells.iter().flatten();
        cells.map(|cell| cell.outcome.name()).collect::<Vec<_>>()
    };
    let failing = report
        .rows
        .iter()
        .filter(|row| names(row).into_iter().any(failed));
    let differing = report.rows.iter().filter(|row| row.differs);
    for (filter, rows) in [
        ("failed", failing.count()),
        ("differing", differing.count()),
        ("all", report.rows.len()),
    ] {
        browser.value(&format!("document.getElementById('show-{filter}').click()"))?;
        let shown = browser.value(
            "[...document.querySelectorAll('.matrix tr:has([data-outcome])')]
               .filter(row => row.getClientRects().length).length",
        )?;
        same(filter, &shown, &json!(rows))?;
        let empty = browser.value(
            "[...document.querySelectorAll('.matrix tbody')]
               .filter(part => part.getClientRects().length && part.innerText.trim()
                 && ![...part.querySelectorAll('[data-outcome]')].some(it => it.getClientRects().length))
               .length",
        )?;
        same("parts with a head and nothing in them", &empty, &json!(0))?;
    }
    let folded = "document.querySelector('.matrix details .detail').checkVisibility()";
    same("folded", &browser.value(folded)?, &json!(false))?;
    browser.value("document.querySelector('.matrix summary').click()")?;
    same("unfolded", &browser.value(folded)?, &json!(true))?;
    stage.is_quiet()
}

fn withstands(program: PathBuf) -> Result<(), Failed> {
    let mut stage = Stage::set(program)?;
    for report in nasty(NASTY_REPORTS) {
        let browser = stage.open(&html(&report))?;
        let shown = browser.value(MATRIX)?;
        let expected = matrix(&report);
        let outcomes = |cells: &[Value]| -> Vec<Value> {
            cells.iter().map(|cell| cell["outcome"].clone()).collect()
        };
        let shown = shown.as_array().ok_or("no matrix")?;
        same("the matrix", &outcomes(shown), &outcomes(&expected))?;
        let carried = "JSON.stringify(JSON.parse(document.getElementById('report').textContent))";
        let carried = browser.value(carried)?;
        let carried = carried.as_str().ok_or("no report")?;
        let read: Report = serde_json::from_str(carried)?;
        // A script's numbers are exact up to 2^53 only.
        same("rows", &read.rows.len(), &report.rows.len())?;
        same("queues", &read.queues, &report.queues)?;
        let parts = browser.value("[...document.body.children].map(it => it.localName).join()")?;
        same(
            "the page's parts",
            &parts,
            &json!("svg,header,main,footer,script"),
        )?;
        stage.is_quiet()?;
    }
    Ok(())
}

/// A page that asks, one that breaks its policy, and one whose matrix is not the report's.
fn watches(program: PathBuf) -> Result<(), Failed> {
    let report = report();
    let page = html(&report);
    let mut stage = Stage::set(program)?;
    stage.open("<!DOCTYPE html><img src='http://example.invalid/x.png'>")?;
    let requests = vec!["http://example.invalid/x.png".to_owned()];
    same("requests", &stage.browser.requests(), &requests)?;
    if !stage
        .proxy
        .asked()
        .iter()
        .any(|line| line.contains("example.invalid"))
    {
        return Err("the proxy was not asked".into());
    }
    let browser = stage.open(&page.replacen("<main>", "<main style=\"color: red\">", 1))?;
    same("a complaint", &browser.complaints()?.len(), &1)?;
    for (planted, instead) in [
        ("data-outcome=\"failed\"", "data-outcome=\"passed\""),
        ("data-outcome=\"skipped\"", "data-outcome=\"passed\""),
        (
            "<td data-label=\"gcp\" data-behaviour",
            "<td data-label=\"gcp\" hidden data-behaviour",
        ),
        ("data-outcome=", "data-lost="),
    ] {
        let changed = page.replacen(planted, instead, 1);
        if changed == page {
            return Err(format!("the page has no {planted}").into());
        }
        let browser = stage.open(&changed)?;
        if check(browser, &report).is_ok() {
            return Err(format!("{instead} instead of {planted} was not noticed").into());
        }
    }
    Ok(())
}
