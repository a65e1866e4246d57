//! A job of the GitLab template, carried out as its runner does: the variables in the environment,
//! the script in one shell.
//!
//! <https://docs.gitlab.com/ci/yaml/#script>

use std::path::Path;
use std::process::Command;

use crate::yaml;

pub(crate) const TEMPLATE: &str = "ci/gitlab/verify.yml";
pub(crate) const JOB: &str = "mq-portability";

/// What came of the job.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    /// All that the script printed.
    pub(crate) said: String,
}

/// Carries the job out in this folder, in `bash` or, in an image without one, in `sh`.
pub(crate) fn run(shell: &str, folder: &Path, variables: &[(&str, &str)]) -> Ended {
    let template = yaml(TEMPLATE);
    let job = &template[JOB];
    let lines = job["script"].as_array().unwrap().iter();
    let script: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
    let options: &[&str] = if shell == "bash" {
        &["-eo", "pipefail", "-c"]
    } else {
        &["-e", "-c"]
    };
    let mut command = Command::new(shell);
    command
        .args(options)
        .arg(script.join("\n"))
        .current_dir(folder)
        .env("CI", "true")
        .env("CI_PROJECT_DIR", folder);
    for (name, value) in job["variables"].as_object().unwrap() {
        command.env(name, value.as_str().unwrap());
    }
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    let streams = [&output.stdout, &output.stderr];
    Ended {
        code: output.status.code().unwrap(),
        said: streams.map(|it| String::from_utf8_lossy(it)).concat(),
    }
}
