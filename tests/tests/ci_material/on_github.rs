//! The composite action, on files that pass and files that do not.

use libtest_mimic::Trial;
use mq_tests::binary;

use crate::github::{ACTION, Ended, run};
use crate::project::{ACCEPTED, BASELINE, HOSTILE, NOT_ACCEPTED, Project, SHORT, path_with};
use crate::{root, trial, yaml};

const ALL: [&str; 4] = [
    "Get mq",
    "Check the file",
    "Prove the behaviours",
    "Publish the reports",
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("github: a file that passes", a_file_that_passes),
        trial("github: a strict check that fails", a_strict_check_fails),
        trial("github: what is not strict", what_is_not_strict),
        trial("github: a behaviour that fails", a_behaviour_fails),
        trial(
            "github: a failure that is only told",
            a_failure_that_is_told,
        ),
        trial("github: clouds and a stage", clouds_and_a_stage),
        trial("github: hostile names", hostile_names),
        trial("github: mq from its source", mq_from_its_source),
        trial("github: what is refused", what_is_refused),
        trial("github: as in this repository", as_in_this_repository),
        trial("github: no input in a shell's text", no_input_in_a_text),
    ]
}

/// The action with this build's `mq` and a short run.
fn short(project: &Project, inputs: &[(&str, &str)]) -> Ended {
    let binary = binary::mq();
    let mut all = vec![("mq", binary.to_str().unwrap()), ("arguments", SHORT)];
    all.extend(inputs);
    run(project.folder(), &all, &[])
}

fn a_file_that_passes() {
    let project = Project::with("mq.yaml", ACCEPTED);
    let ended = short(&project, &[]);
    assert_eq!(ended.code, 0, "{}", ended.said);
    assert_eq!(ended.ran, ALL);
    assert_eq!(ended.outputs["check-exit-code"], "0");
    assert_eq!(ended.outputs["exit-code"], "0");
    let folder = "mq-portability";
    project.assert_reports(folder);
    assert_eq!(ended.outputs["junit"], format!("{folder}/verify.xml"));
    for (output, extension) in [("html", "html"), ("markdown", "md"), ("json", "json")] {
        assert!(project.path(&ended.outputs[output]).is_file(), "{output}");
        assert!(ended.outputs[output].ends_with(extension), "{output}");
    }
    // Both commands write to the summary by themselves, and each to its own file as well.
    let (checked, verified) = ["check.md", "verify.md"]
        .map(|name| project.read(&format!("{folder}/{name}")))
        .into();
    assert!(ended.summary.contains(&checked), "{}", ended.summary);
    assert!(ended.summary.contains(&verified), "{}", ended.summary);
    let uploaded = (folder.to_owned(), folder.to_owned());
    assert_eq!(ended.uploaded, Some(uploaded));
}

fn a_strict_check_fails() {
    let project = Project::with("mq.yaml", NOT_ACCEPTED);
    let ended = short(&project, &[]);
    assert_eq!(ended.code, 64, "{}", ended.said);
    assert_eq!(ended.ran, [ALL[0], ALL[1], ALL[3]]);
    assert_eq!(ended.outputs["check-exit-code"], "64");
    assert_eq!(ended.outputs["exit-code"], "");
    assert!(
        ended.summary.contains("max_deliveries"),
        "{}",
        ended.summary
    );
    let checked = project.read("mq-portability/check.md");
    assert!(ended.summary.contains(&checked), "{}", ended.summary);
}

fn what_is_not_strict() {
    let project = Project::with("mq.yaml", NOT_ACCEPTED);
    let ended = short(&project, &[("strict", "false")]);
    assert_eq!(ended.code, 0, "{}", ended.said);
    assert_eq!(ended.outputs["exit-code"], "0");
}

fn a_behaviour_fails() {
    let project = Project::with("mq.yaml", ACCEPTED);
    project.write("expected.json", BASELINE);
    let ended = short(&project, &[("baseline", "expected.json")]);
    assert_eq!(ended.code, 3, "{}", ended.said);
    assert_eq!(ended.outputs["check-exit-code"], "0");
    assert_eq!(ended.outputs["exit-code"], "3");
    assert_eq!(ended.ran, ALL, "the reports of a failed run are published");
    assert!(ended.uploaded.is_some());
    project.assert_reports("mq-portability");
}

fn a_failure_that_is_told() {
    let project = Project::with("mq.yaml", NOT_ACCEPTED);
    project.write("expected.json", BASELINE);
    let ended = short(
        &project,
        &[("baseline", "expected.json"), ("fail", "false")],
    );
    assert_eq!(ended.code, 0, "{}", ended.said);
    assert_eq!(ended.outputs["check-exit-code"], "64");
    assert_eq!(ended.outputs["exit-code"], "3");
    assert_eq!(ended.ran, ALL);
    project.assert_reports("mq-portability");
}

fn clouds_and_a_stage() {
    let staged = format!("{ACCEPTED}stages: {{ dev: {{}}, prod: {{}} }}\n");
    let project = Project::with("mq.yaml", &staged);
    let inputs = [
        ("clouds", " gcp  aws\n"),
        ("stage", "dev"),
        ("artifact", ""),
    ];
    let ended = short(&project, &inputs);
    assert_eq!(ended.code, 0, "{}", ended.said);
    assert_eq!(ended.ran, ALL[..3], "no name, no upload");
    let report: serde_json::Value =
        serde_json::from_str(&project.read("mq-portability/verify.json")).unwrap();
    let targets = report["targets"].as_array().unwrap();
    let names: Vec<&str> = targets
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect();
    assert_eq!(names, ["gcp", "aws"]);
}

fn hostile_names() {
    let project = Project::with(HOSTILE, ACCEPTED);
    let folder = "--reports $(touch stolen) `touch stolen`";
    let inputs = [("file", HOSTILE), ("folder", folder)];
    let ended = short(&project, &inputs);
    assert_eq!(ended.code, 0, "{}", ended.said);
    project.assert_reports(folder);
    assert_eq!(ended.outputs["junit"], format!("{folder}/verify.xml"));
    for (input, code) in [
        ("arguments", 64),
        ("clouds", 64),
        ("stage", 64),
        ("baseline", 64),
        ("mq", 126),
    ] {
        let ended = short(&project, &[("file", HOSTILE), (input, HOSTILE)]);
        assert_eq!(ended.code, code, "{input}: {}", ended.said);
    }
    let ended = short(&project, &[("file", HOSTILE), ("clouds", "*")]);
    assert!(ended.said.contains("`*`"), "{}", ended.said);
    assert!(!project.stolen(), "a name was carried out");
}

fn mq_from_its_source() {
    let binary = binary::mq();
    let install = |inputs: &[(&str, &str)]| {
        let project = Project::with("mq.yaml", ACCEPTED);
        let (path, notes) = (path_with(&project.fake_cargo()), project.path("notes"));
        let variables = [
            ("PATH", path.as_str()),
            ("NOTES", notes.to_str().unwrap()),
            ("REAL_MQ", binary.to_str().unwrap()),
        ];
        let mut all = vec![("arguments", SHORT)];
        all.extend(inputs);
        let ended = run(project.folder(), &all, &variables);
        assert_eq!(ended.code, 0, "{}", ended.said);
        project.assert_reports("mq-portability");
        project.read("notes")
    };
    let own = install(&[]);
    let own: Vec<&str> = own.lines().collect();
    assert_eq!(own[..3], ["install", "--locked", "--root"]);
    let source = std::path::Path::new(own[5]);
    assert_eq!(own[4], "--path");
    assert!(source.join("Cargo.toml").is_file(), "{}", source.display());
    let other = install(&[
        ("repository", "https://example.org/mq"),
        ("revision", "0a1b"),
    ]);
    let other: Vec<&str> = other.lines().collect();
    assert_eq!(
        other[4..],
        ["--git=https://example.org/mq", "--rev=0a1b", "mq-cli"]
    );
}

fn what_is_refused() {
    let project = Project::with("mq.yaml", ACCEPTED);
    let refused: [&[(&str, &str)]; 6] = [
        &[("strict", "yes")],
        &[("fail", "")],
        &[("folder", "")],
        &[("folder", "one\nexit-code=0")],
        &[("mq", ""), ("repository", "https://example.org/mq")],
        &[("mq", ""), ("revision", "0a1b")],
    ];
    for inputs in refused {
        let ended = short(&project, inputs);
        assert_eq!(ended.code, 64, "{inputs:?}: {}", ended.said);
        assert_eq!(ended.ran, ALL[..1], "{inputs:?}");
        assert!(ended.said.contains("::error::"), "{inputs:?}");
    }
}

/// What our own workflow asks for, in a short run.
fn as_in_this_repository() {
    let workflow = yaml(".github/workflows/ci.yml");
    let steps = workflow["jobs"]["portability"]["steps"].as_array().unwrap();
    let with = steps.last().unwrap()["with"].as_object().unwrap();
    let file = root().join(with["file"].as_str().unwrap());
    let project = Project::with("unused", "");
    let ended = short(&project, &[("file", file.to_str().unwrap())]);
    assert_eq!(ended.code, 0, "{}", ended.said);
    project.assert_reports("mq-portability");
}

/// An expression in a script is pasted into it before any shell sees it: then its value is code.
fn no_input_in_a_text() {
    let action = yaml(ACTION);
    let mut scripts = 0;
    for step in action["runs"]["steps"].as_array().unwrap() {
        if let Some(script) = step["run"].as_str() {
            assert!(!script.contains("${{"), "{script}");
            scripts += 1;
        }
    }
    assert_eq!(scripts, 3);
}
