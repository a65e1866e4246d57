//! The examples of the page say nothing that the files and the command do not have.

use std::process::{Command, Output};

use libtest_mimic::Trial;
use mq_tests::binary;
use serde_json::Value;

use crate::github::ACTION;
use crate::gitlab::{JOB, TEMPLATE};
use crate::project::{ACCEPTED, Project, path_with};
use crate::{root, text, trial, yaml};

pub(crate) const PAGE: &str = "docs/portability.md";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("pages: the example of a workflow", the_workflow),
        trial("pages: the example of a pipeline", the_pipeline),
        trial("pages: this repository's own workflow", our_workflow),
        trial("pages: the example of a backend's proof", the_library),
        trial("pages: every link leads somewhere", every_link),
    ]
}

pub(crate) fn shells() -> Vec<Trial> {
    vec![
        trial("pages: every command is taken", every_command),
        trial("pages: the example for Jenkins", for_jenkins),
    ]
}

/// The page's example for GitHub.
pub(crate) fn github() -> String {
    example("<!-- example: .github/workflows -->\n```yaml\n")
}

/// The page's example for GitLab.
pub(crate) fn gitlab() -> String {
    example("<!-- example: .gitlab-ci.yml -->\n```yaml\n")
}

fn example(after: &str) -> String {
    let page = text(PAGE);
    let rest = page.split_once(after).unwrap().1;
    rest.split_once("```").unwrap().0.to_owned()
}

fn the_workflow() {
    assert_uses(&serde_yaml::from_str(&github()).unwrap(), "/ci/github@");
}

fn our_workflow() {
    assert_uses(&yaml(".github/workflows/ci.yml"), "./ci/github");
}

/// The workflow has a step with our action, and gives it nothing that it does not take.
fn assert_uses(workflow: &Value, action: &str) {
    let declared = yaml(ACTION);
    let jobs = workflow["jobs"].as_object().unwrap().values();
    let steps = jobs.flat_map(|job| job["steps"].as_array().unwrap());
    let uses = |step: &&Value| step["uses"].as_str().is_some_and(|it| it.contains(action));
    let ours: Vec<&Value> = steps.filter(uses).collect();
    assert!(!ours.is_empty(), "no step uses {action}");
    for step in ours {
        for input in step["with"].as_object().unwrap().keys() {
            assert!(declared["inputs"][input].is_object(), "{input}");
        }
    }
}

fn the_pipeline() {
    let pipeline: Value = serde_yaml::from_str(&gitlab()).unwrap();
    let template = yaml(TEMPLATE);
    let included = pipeline["include"][0]["file"].as_str().unwrap();
    assert_eq!(included.trim_start_matches('/'), TEMPLATE);
    let variables = pipeline[JOB]["variables"].as_object().unwrap();
    assert!(!variables.is_empty());
    for name in variables.keys() {
        assert!(template[JOB]["variables"][name].is_string(), "{name}");
    }
}

/// It is the suite's own example, which is compiled with the suite's documentation.
fn the_library() {
    let page = text(PAGE);
    let shown = page.split_once("```rust\n").unwrap().1;
    let shown = shown.split_once("```").unwrap().0;
    let library = text("crates/mq-suite/src/lib.rs");
    let documented: String = library
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect();
    assert!(documented.contains(shown), "{documented}");
}

/// Links to files and to the behaviours' anchors.
fn every_link() {
    let page = text(PAGE);
    let behaviours = text("docs/behaviours.md");
    let mut followed = 0;
    for part in page.split("](").skip(1) {
        let target = part.split_once(')').unwrap().0;
        if target.contains("://") {
            continue;
        }
        let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
        assert!(root().join("docs").join(file).exists(), "{target}");
        if file == "behaviours.md" && !anchor.is_empty() {
            let id = format!("<a id=\"{anchor}\"></a>");
            assert!(behaviours.contains(&id), "{target}");
        }
        followed += 1;
    }
    assert!(followed > 0);
}

/// A line of a shell in this project, with this build's `mq` on the path.
fn shell(project: &Project, line: &str) -> Output {
    let binary = binary::mq();
    let output = Command::new("sh")
        .args(["-c", line])
        .current_dir(project.folder())
        .env("PATH", path_with(binary.parent().unwrap()))
        .output();
    output.unwrap()
}

/// Each command of the page, asked for a list or for help in place of what it does.
fn every_command() {
    let project = Project::with("mq.yaml", ACCEPTED);
    let page = text(PAGE);
    let mut taken = 0;
    for line in page.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let harmless = if line.starts_with("mq verify") {
            "--list"
        } else {
            "--help"
        };
        let output = shell(&project, &format!("{line} {harmless}"));
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {complaint}");
        assert!(!output.stdout.is_empty(), "{line}");
        taken += 1;
    }
    assert!(taken > 5, "{taken} commands");
}

/// What a Jenkins pipeline runs, and that it finds the reports where it looks for them.
fn for_jenkins() {
    let project = Project::with("mq.yaml", ACCEPTED);
    let pipeline = example("<!-- example: Jenkinsfile -->\n```groovy\n");
    let steps: Vec<&str> = pipeline
        .lines()
        .filter_map(|line| line.trim().strip_prefix("sh '")?.strip_suffix('\''))
        .collect();
    assert_eq!(steps.len(), 2, "{pipeline}");
    for line in steps {
        let output = shell(&project, line);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {complaint}");
    }
    assert!(pipeline.contains("'portability/verify.xml'"), "{pipeline}");
    assert!(project.read("portability/verify.xml").starts_with("<?xml"));
    assert!(project.path("portability/verify.html").is_file());
}
