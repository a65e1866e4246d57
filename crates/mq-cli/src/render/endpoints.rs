//! Endpoints, for people, shells, CI systems and programs.

use std::collections::BTreeMap;
use std::fmt::Write;

use mq_core::resource::{Endpoint, Role};

use super::text::line;

/// An endpoint and the target that it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    /// The target's key under `clouds`.
    pub(crate) target: String,
    /// The endpoint.
    pub(crate) endpoint: Endpoint,
}

/// Which endpoints are meant: those of a role, or without one all but the dead letters'.
pub(crate) fn chosen(endpoints: Vec<Placed>, role: Option<Role>) -> Vec<Placed> {
    let is_chosen = |placed: &Placed| match role {
        Some(role) => placed.endpoint.role == role,
        None => placed.endpoint.role != Role::DeadLetter,
    };
    endpoints.into_iter().filter(is_chosen).collect()
}

/// `cloud<TAB>queue<TAB>role<TAB>endpoint`, a line for each.
pub(crate) fn lines(endpoints: &[Placed]) -> String {
    let mut out = String::new();
    for Placed { target, endpoint } in endpoints {
        let _ = writeln!(
            out,
            "{}\t{}\t{}\t{}",
            line(target),
            line(&endpoint.queue),
            endpoint.role.name(),
            line(&endpoint.address)
        );
    }
    out
}

/// Two endpoints whose variables have one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collision {
    pub(crate) name: String,
    pub(crate) one: String,
    pub(crate) other: String,
}

/// `MQ_<QUEUE>_<CLOUD>_<ROLE>` for each endpoint.
pub(crate) fn variables(endpoints: &[Placed]) -> Result<Vec<(String, String)>, Collision> {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut variables = Vec::new();
    for Placed { target, endpoint } in endpoints {
        let name = variable(&[&endpoint.queue, target, endpoint.role.name()]);
        let what = format!("{} on {target}", endpoint.queue);
        if let Some(one) = taken.insert(name.clone(), what.clone()) {
            return Err(Collision {
                name,
                one,
                other: what,
            });
        }
        variables.push((name, endpoint.address.clone()));
    }
    Ok(variables)
}

fn variable(parts: &[&str]) -> String {
    let upper = |part: &&str| -> String {
        part.chars()
            .map(|character| {
                if character.is_ascii_alphanumeric() {
                    character.to_ascii_uppercase()
                } else {
                    '_'
                }
            })
            .collect()
    };
    let parts: Vec<String> = parts.iter().map(upper).collect();
    format!("MQ_{}", parts.join("_"))
}

/// Lines that a POSIX shell sources: `export NAME='value'`.
pub(crate) fn shell<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (name, value) in variables {
        let _ = writeln!(out, "export {name}='{}'", value.replace('\'', r"'\''"));
    }
    out
}

/// Plain `NAME=value` lines: no quotes, comments or blank lines.
pub(crate) fn dotenv<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (name, value) in variables {
        // The form has no way to write a line end.
        let _ = writeln!(out, "{name}={}", line(value));
    }
    out
}

/// What is appended to `$GITHUB_OUTPUT`, each value between lines of a delimiter that nobody can
/// guess (<https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>).
pub(crate) fn github<'a>(
    outputs: impl IntoIterator<Item = (&'a str, &'a str)>,
    delimiter: &str,
) -> String {
    let mut out = String::new();
    for (name, value) in outputs {
        let _ = writeln!(
            out,
            "{name}<<{delimiter}\n{}\n{delimiter}",
            value.trim_end_matches('\n')
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(target: &str, queue: &str, role: Role, address: &str) -> Placed {
        Placed {
            target: target.into(),
            endpoint: Endpoint {
                queue: queue.into(),
                role,
                address: address.into(),
                details: BTreeMap::new(),
            },
        }
    }

    fn sample() -> Vec<Placed> {
        vec![
            placed(
                "aws-us",
                "inference-requests",
                Role::Queue,
                "https://sqs/1/inference-requests",
            ),
            placed(
                "aws-us",
                "inference-requests",
                Role::DeadLetter,
                "https://sqs/1/inference-requests-dlq",
            ),
            placed(
                "gcp",
                "inference-requests",
                Role::Send,
                "projects/p/topics/t",
            ),
        ]
    }

    #[test]
    fn dead_letters_are_shown_only_when_asked_for() {
        insta::assert_snapshot!(lines(&chosen(sample(), None)), @r"
        aws-us	inference-requests	queue	https://sqs/1/inference-requests
        gcp	inference-requests	send	projects/p/topics/t
        ");
        insta::assert_snapshot!(lines(&chosen(sample(), Some(Role::DeadLetter))), @r"
        aws-us	inference-requests	dead-letter	https://sqs/1/inference-requests-dlq
        ");
    }

    #[test]
    fn two_names_that_become_one_variable_are_told() {
        let names: Vec<String> = variables(&sample())
            .expect("distinct")
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            names,
            [
                "MQ_INFERENCE_REQUESTS_AWS_US_QUEUE",
                "MQ_INFERENCE_REQUESTS_AWS_US_DEAD_LETTER",
                "MQ_INFERENCE_REQUESTS_GCP_SEND"
            ]
        );
        let collision = variables(&[
            placed("aws", "a-b", Role::Queue, "one"),
            placed("aws", "a_b", Role::Queue, "two"),
        ])
        .expect_err("one name");
        assert_eq!(collision.name, "MQ_A_B_AWS_QUEUE");
        assert_eq!(
            (collision.one.as_str(), collision.other.as_str()),
            ("a-b on aws", "a_b on aws")
        );
    }

    const NASTY: &str = "it's $HOME `id` \"x\" \\ *";

    #[test]
    #[cfg(unix)]
    fn a_shell_reads_back_what_was_written() {
        let script = format!("{}printf %s \"$MQ_X\"", shell([("MQ_X", NASTY)]));
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .output()
            .expect("sh");
        assert_eq!(String::from_utf8_lossy(&output.stdout), NASTY);
    }

    #[test]
    fn a_dotenv_line_stays_one_line() {
        assert_eq!(
            dotenv([("A", "x y"), ("B", "one\ntwo")]),
            "A=x y\nB=one\\u{a}two\n"
        );
    }

    #[test]
    fn a_github_value_cannot_end_itself() {
        let text = github(
            [("endpoints", "a\nb\n"), ("changes", "true")],
            "ghadelimiter_1",
        );
        assert_eq!(
            text,
            "endpoints<<ghadelimiter_1\na\nb\nghadelimiter_1\nchanges<<ghadelimiter_1\ntrue\nghadelimiter_1\n"
        );
    }
}
