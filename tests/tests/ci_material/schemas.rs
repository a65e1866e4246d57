//! Each file, held to its vendor's schema as `check-jsonschema` ships it.

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Failed, Trial};

use crate::{pages, root};

const FILES: [(&str, &str); 4] = [
    ("vendor.github-actions", crate::github::ACTION),
    ("vendor.gitlab-ci", crate::gitlab::TEMPLATE),
    ("vendor.github-workflows", ".github/workflows/ci.yml"),
    (
        "vendor.github-workflows",
        ".github/workflows/real-clouds.yml",
    ),
];

pub(crate) fn trials() -> Vec<Trial> {
    let python = std::env::var("MQ_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let required = std::env::var_os("MQ_REQUIRE_JUDGES").is_some();
    let here = Command::new(&python)
        .args(["-c", "import check_jsonschema"])
        .output()
        .is_ok_and(|output| output.status.success());
    let ignored = !here && !required;
    if ignored {
        println!(
            "ignored: check-jsonschema is not installed for `{python}` (see tests/requirements.txt)"
        );
    }
    let mut trials = Vec::new();
    for (schema, file) in FILES {
        let python = python.clone();
        let name = format!("{schema}: {file}");
        trials.push(Trial::test(name, move || {
            judge(&python, schema, &root().join(file))
        }));
    }
    for (schema, example) in [
        ("vendor.github-workflows", pages::github as fn() -> String),
        ("vendor.gitlab-ci", pages::gitlab),
    ] {
        let python = python.clone();
        let name = format!("{schema}: the example in {}", pages::PAGE);
        trials.push(Trial::test(name, move || {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("example.yml");
            std::fs::write(&file, example()).unwrap();
            judge(&python, schema, &file)
        }));
    }
    let wrong = Trial::test("check-jsonschema refuses a wrong action", move || {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("action.yml");
        std::fs::write(
            &file,
            "name: wrong\nruns: { using: composite, steps: none }\n",
        )
        .unwrap();
        match judge(&python, "vendor.github-actions", &file) {
            Err(refused) if refused.message().is_some_and(|it| it.contains("runs")) => Ok(()),
            other => Err(format!("{other:?}").into()),
        }
    });
    trials.push(wrong);
    let flagged = trials.into_iter();
    flagged
        .map(|trial| trial.with_ignored_flag(ignored))
        .collect()
}

fn judge(python: &str, schema: &str, file: &Path) -> Result<(), Failed> {
    let output = Command::new(python)
        .args(["-m", "check_jsonschema", "--builtin-schema", schema])
        .arg(file)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let streams = [&output.stdout, &output.stderr];
    Err(streams
        .map(|it| String::from_utf8_lossy(it))
        .concat()
        .into())
}
