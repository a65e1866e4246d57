//! The JUnit report, read by Python.

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Failed, Trial};
use mq_suite::report::{json, junit};

use crate::{nasty, needing, sample};

/// How many reports with the worst texts are read.
const NASTY_REPORTS: usize = 200;

pub(crate) fn trial() -> Trial {
    let python = std::env::var("MQ_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let here = Command::new(&python)
        .args(["-c", "import junitparser"])
        .output()
        .is_ok_and(|output| output.status.success());
    let program = if here {
        Ok(python)
    } else {
        Err(format!(
            "junitparser is not installed for `{python}` (see tests/requirements.txt)"
        ))
    };
    let required = std::env::var_os("MQ_REQUIRE_JUDGES").is_some();
    needing(
        "junitparser and expat count in JUnit what the report counts",
        program,
        required,
        |python| judged(&python),
    )
}

fn judged(python: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir().unwrap();
    let mut reports = nasty(NASTY_REPORTS);
    reports.push(sample::report());
    for (number, report) in reports.iter().enumerate() {
        let path = |kind: &str| folder.path().join(format!("{number}.{kind}"));
        std::fs::write(path("xml"), junit(report)).unwrap();
        std::fs::write(path("json"), json(report)).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/junit.py");
    let output = Command::new(python)
        .arg(script)
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{said}\n{complaint}").into());
    }
    if !said.contains(&format!("read {} reports", reports.len())) {
        return Err(format!("not every report was read: {said}").into());
    }
    print!("{said}");
    Ok(())
}
