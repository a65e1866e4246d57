//! A composite action, carried out as GitHub's runner does: expressions, outputs, the summary, and
//! which steps run after one has failed.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax>

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{root, yaml};

pub(crate) const ACTION: &str = "ci/github/action.yml";

/// What came of the action.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// The exit code of the step that failed; 0 where none did.
    pub(crate) code: i32,
    /// The steps that ran, by name.
    pub(crate) ran: Vec<String>,
    /// The action's outputs.
    pub(crate) outputs: BTreeMap<String, String>,
    /// The job's summary.
    pub(crate) summary: String,
    /// The name and the path that were uploaded.
    pub(crate) uploaded: Option<(String, String)>,
    /// All that the steps printed.
    pub(crate) said: String,
}

/// The values that expressions see.
struct Context {
    inputs: BTreeMap<String, String>,
    /// By `STEP.OUTPUT`.
    outputs: BTreeMap<String, String>,
}

/// Carries the action out in this folder.
pub(crate) fn run(folder: &Path, inputs: &[(&str, &str)], variables: &[(&str, &str)]) -> Ended {
    let action = yaml(ACTION);
    let mut context = Context::new(&action, inputs);
    let mut ended = Ended::default();
    let temp = tempfile::tempdir().unwrap();
    for step in action["runs"]["steps"].as_array().unwrap() {
        if !context.wanted(&step["if"], ended.code == 0) {
            continue;
        }
        ended.ran.push(step["name"].as_str().unwrap().to_owned());
        if let Some(action) = step["uses"].as_str() {
            assert!(action.starts_with("actions/upload-artifact@"), "{action}");
            let with = |key: &str| context.text(step["with"][key].as_str().unwrap());
            ended.uploaded = Some((with("name"), with("path")));
            continue;
        }
        let code = shell(
            folder,
            temp.path(),
            step,
            &mut context,
            variables,
            &mut ended,
        );
        if ended.code == 0 {
            ended.code = code;
        }
    }
    for (name, output) in action["outputs"].as_object().unwrap() {
        let value = context.text(output["value"].as_str().unwrap());
        ended.outputs.insert(name.clone(), value);
    }
    ended
}

/// One step with a shell.
fn shell(
    folder: &Path,
    temp: &Path,
    step: &Value,
    context: &mut Context,
    variables: &[(&str, &str)],
    ended: &mut Ended,
) -> i32 {
    assert_eq!(step["shell"], "bash");
    let [script, outputs, summary] = ["script", "outputs", "summary"].map(|name| temp.join(name));
    std::fs::write(&script, step["run"].as_str().unwrap()).unwrap();
    std::fs::write(&outputs, "").unwrap();
    std::fs::write(&summary, "").unwrap();
    let mut command = Command::new("bash");
    command
        .args(["--noprofile", "--norc", "-eo", "pipefail"])
        .arg(&script)
        .current_dir(folder)
        .env("CI", "true")
        .env("GITHUB_ACTION_PATH", root().join("ci/github"))
        .env("GITHUB_OUTPUT", &outputs)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .env("RUNNER_TEMP", temp)
        .envs(variables.iter().copied());
    for (name, value) in step["env"].as_object().unwrap() {
        command.env(name, context.text(value.as_str().unwrap()));
    }
    let output = command.output().unwrap();
    for stream in [&output.stdout, &output.stderr] {
        ended.said.push_str(&String::from_utf8_lossy(stream));
    }
    ended
        .summary
        .push_str(&std::fs::read_to_string(summary).unwrap());
    if let Some(id) = step["id"].as_str() {
        for line in std::fs::read_to_string(outputs).unwrap().lines() {
            let (name, value) = line.split_once('=').unwrap();
            context
                .outputs
                .insert(format!("{id}.{name}"), value.to_owned());
        }
    }
    output.status.code().unwrap()
}

impl Context {
    fn new(action: &Value, given: &[(&str, &str)]) -> Context {
        let declared = action["inputs"].as_object().unwrap();
        let default = |input: &Value| input["default"].as_str().unwrap().to_owned();
        let mut inputs: BTreeMap<String, String> = declared
            .iter()
            .map(|(name, input)| (name.clone(), default(input)))
            .collect();
        for (name, value) in given {
            let before = inputs.insert((*name).to_owned(), (*value).to_owned());
            assert!(before.is_some(), "there is no input {name}");
        }
        Context {
            inputs,
            outputs: BTreeMap::new(),
        }
    }

    /// A text with the values of its expressions.
    fn text(&self, text: &str) -> String {
        let mut parts = text.split("${{");
        let mut out = parts.next().unwrap().to_owned();
        for part in parts {
            let (expression, rest) = part.split_once("}}").unwrap();
            out.push_str(&self.value(expression.trim()));
            out.push_str(rest);
        }
        out
    }

    /// `inputs.NAME` or `steps.ID.outputs.NAME`; what is not set is empty, as there.
    fn value(&self, expression: &str) -> String {
        let words: Vec<&str> = expression.split('.').collect();
        let value = match words.as_slice() {
            ["inputs", name] => Some(&self.inputs[*name]),
            ["steps", id, "outputs", name] => self.outputs.get(&format!("{id}.{name}")),
            _ => panic!("an expression of another kind: {expression}"),
        };
        value.cloned().unwrap_or_default()
    }

    /// Whether a step runs: without a condition, where nothing has failed.
    fn wanted(&self, condition: &Value, well: bool) -> bool {
        let Some(condition) = condition.as_str() else {
            return well;
        };
        let mut always = false;
        let mut holds = true;
        for term in condition.split(" && ") {
            match term.strip_suffix(" != ''") {
                Some(value) => holds &= !self.value(value).is_empty(),
                None => {
                    assert_eq!(term, "always()");
                    always = true;
                }
            }
        }
        holds && (well || always)
    }
}
