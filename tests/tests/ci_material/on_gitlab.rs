//! The GitLab template, on files that pass and files that do not, in both shells that images have.

use libtest_mimic::Trial;
use mq_tests::binary;

use crate::gitlab::{Ended, JOB, TEMPLATE, run};
use crate::project::{ACCEPTED, BASELINE, HOSTILE, NOT_ACCEPTED, Project, SHORT, path_with};
use crate::{trial, yaml};

const FOLDER: &str = "mq-portability";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("gitlab: a file that passes", a_file_that_passes),
        trial("gitlab: a strict check that fails", a_strict_check_fails),
        trial("gitlab: a behaviour that fails", a_behaviour_fails),
        trial(
            "gitlab: a failure that is only told",
            a_failure_that_is_told,
        ),
        trial("gitlab: clouds and a stage", clouds_and_a_stage),
        trial("gitlab: hostile names", hostile_names),
        trial("gitlab: mq from its source", mq_from_its_source),
        trial("gitlab: what is refused", what_is_refused),
        trial("gitlab: reports of every run", reports_of_every_run),
    ]
}

/// The job with this build's `mq` and a short run.
fn short(shell: &str, project: &Project, variables: &[(&str, &str)]) -> Ended {
    let binary = binary::mq();
    let mut all = vec![
        ("PORTABILITY_MQ", binary.to_str().unwrap()),
        ("PORTABILITY_ARGUMENTS", SHORT),
    ];
    all.extend(variables);
    run(shell, project.folder(), &all)
}

fn in_both(test: impl Fn(&str)) {
    for shell in ["bash", "sh"] {
        test(shell);
    }
}

fn a_file_that_passes() {
    in_both(|shell| {
        let project = Project::with("mq.yaml", ACCEPTED);
        let ended = short(shell, &project, &[]);
        assert_eq!(ended.code, 0, "{}", ended.said);
        project.assert_reports(FOLDER);
        assert!(project.path("mq-portability/check.md").is_file());
    });
}

fn a_strict_check_fails() {
    in_both(|shell| {
        let project = Project::with("mq.yaml", NOT_ACCEPTED);
        let ended = short(shell, &project, &[]);
        assert_eq!(ended.code, 64, "{}", ended.said);
        assert!(project.path("mq-portability/check.md").is_file());
        assert!(!project.path("mq-portability/verify.xml").exists());
        let ended = short(shell, &project, &[("PORTABILITY_STRICT", "false")]);
        assert_eq!(ended.code, 0, "{}", ended.said);
    });
}

fn a_behaviour_fails() {
    in_both(|shell| {
        let project = Project::with("mq.yaml", ACCEPTED);
        project.write("expected.json", BASELINE);
        let ended = short(
            shell,
            &project,
            &[("PORTABILITY_BASELINE", "expected.json")],
        );
        assert_eq!(ended.code, 3, "{}", ended.said);
        project.assert_reports(FOLDER);
    });
}

fn a_failure_that_is_told() {
    in_both(|shell| {
        let project = Project::with("mq.yaml", NOT_ACCEPTED);
        project.write("expected.json", BASELINE);
        let variables = [
            ("PORTABILITY_BASELINE", "expected.json"),
            ("PORTABILITY_FAIL", "false"),
        ];
        let ended = short(shell, &project, &variables);
        assert_eq!(ended.code, 0, "{}", ended.said);
        project.assert_reports(FOLDER);
    });
}

fn clouds_and_a_stage() {
    in_both(|shell| {
        let staged = format!("{ACCEPTED}stages: {{ dev: {{}}, prod: {{}} }}\n");
        let project = Project::with("mq.yaml", &staged);
        let variables = [
            ("PORTABILITY_CLOUDS", "gcp  aws"),
            ("PORTABILITY_STAGE", "dev"),
        ];
        let ended = short(shell, &project, &variables);
        assert_eq!(ended.code, 0, "{}", ended.said);
        let report: serde_json::Value =
            serde_json::from_str(&project.read("mq-portability/verify.json")).unwrap();
        assert_eq!(report["targets"].as_array().map(Vec::len), Some(2));
    });
}

fn hostile_names() {
    in_both(|shell| {
        let project = Project::with(HOSTILE, ACCEPTED);
        let file = ("PORTABILITY_FILE", HOSTILE);
        let ended = short(shell, &project, &[file]);
        assert_eq!(ended.code, 0, "{}", ended.said);
        project.assert_reports(FOLDER);
        for (variable, code) in [
            ("PORTABILITY_ARGUMENTS", 64),
            ("PORTABILITY_CLOUDS", 64),
            ("PORTABILITY_STAGE", 64),
            ("PORTABILITY_BASELINE", 64),
            ("PORTABILITY_MQ", 126),
        ] {
            let ended = short(shell, &project, &[file, (variable, HOSTILE)]);
            assert_eq!(ended.code, code, "{variable}: {}", ended.said);
        }
        let ended = short(shell, &project, &[file, ("PORTABILITY_CLOUDS", "*")]);
        assert!(ended.said.contains("`*`"), "{}", ended.said);
        assert!(!project.stolen(), "a name was carried out");
    });
}

fn mq_from_its_source() {
    in_both(|shell| {
        let binary = binary::mq();
        let project = Project::with("mq.yaml", ACCEPTED);
        let (path, notes) = (path_with(&project.fake_cargo()), project.path("notes"));
        let variables = [
            ("PATH", path.as_str()),
            ("NOTES", notes.to_str().unwrap()),
            ("REAL_MQ", binary.to_str().unwrap()),
            ("PORTABILITY_REPOSITORY", "https://example.org/mq"),
            ("PORTABILITY_REVISION", "0a1b"),
            ("PORTABILITY_ARGUMENTS", SHORT),
        ];
        let ended = run(shell, project.folder(), &variables);
        assert_eq!(ended.code, 0, "{}", ended.said);
        project.assert_reports(FOLDER);
        let asked = project.read("notes");
        let asked: Vec<&str> = asked.lines().collect();
        assert_eq!(asked[..3], ["install", "--locked", "--root"]);
        let source = ["--git=https://example.org/mq", "--rev=0a1b", "mq-cli"];
        assert_eq!(asked[4..], source);
    });
}

fn what_is_refused() {
    in_both(|shell| {
        let project = Project::with("mq.yaml", ACCEPTED);
        for variable in [
            ("PORTABILITY_STRICT", "yes"),
            ("PORTABILITY_FAIL", ""),
            ("PORTABILITY_MQ", ""),
        ] {
            let ended = short(shell, &project, &[variable]);
            assert_eq!(ended.code, 64, "{variable:?}: {}", ended.said);
            assert!(!project.path(FOLDER).exists(), "{variable:?}");
        }
    });
}

fn reports_of_every_run() {
    let template = yaml(TEMPLATE);
    let artifacts = &template[JOB]["artifacts"];
    assert_eq!(artifacts["when"], "always");
    assert_eq!(artifacts["paths"][0], FOLDER);
    assert_eq!(artifacts["reports"]["junit"], "mq-portability/verify.xml");
}
