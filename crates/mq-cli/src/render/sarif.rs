//! SARIF 2.1.0: findings at the file's lines, for code scanning.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::BTreeMap;

use mq_core::{Diagnostic, Severity};
use serde_json::{Value, json};

use crate::failure::Findings;

/// The log of one run of `mq check`.
pub(crate) fn sarif(findings: &Findings) -> Value {
    let rules: BTreeMap<&str, &str> = findings
        .diagnostics
        .iter()
        .map(|diagnostic| (diagnostic.id, diagnostic.summary.as_str()))
        .collect();
    let rules: Vec<Value> = rules
        .into_iter()
        .map(|(id, summary)| json!({ "id": id, "shortDescription": { "text": summary } }))
        .collect();
    let results: Vec<Value> = findings
        .diagnostics
        .iter()
        .map(|diagnostic| result(diagnostic, findings))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "mq", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(diagnostic: &Diagnostic, findings: &Findings) -> Value {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let parts = [
        Some(diagnostic.summary.as_str()),
        diagnostic.detail.as_deref(),
        diagnostic.hint.as_deref(),
    ];
    let text: Vec<&str> = parts.into_iter().flatten().collect();
    let mut location = json!({ "artifactLocation": { "uri": uri(&findings.file) } });
    if let Some(span) = &diagnostic.span {
        let start = findings.source.position(span.start);
        let end = findings.source.position(span.end);
        location["region"] = json!({
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        });
    }
    json!({
        "ruleId": diagnostic.id,
        "level": level,
        "message": { "text": text.join(". ") },
        "locations": [{ "physicalLocation": location }],
    })
}

/// A path as a relative reference: slashes forward, and what a reference cannot hold as its code.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_stands_at_its_line() {
        let text = "version: 1\nstack: s\nqueues:\n  orders: { retention: 4d, retenton: 5d }\n";
        let loaded = mq_config::load(text, &|_| None, &[]);
        let findings = Findings {
            file: "con figs/mq.yaml".into(),
            diagnostics: loaded.diagnostics,
            source: std::sync::Arc::new(loaded.source),
        };
        let log = sarif(&findings);
        let result = &log["runs"][0]["results"][0];
        assert_eq!(result["level"], "error");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "con%20figs/mq.yaml");
        assert_eq!(place["region"]["startLine"], 4);
        assert_eq!(place["region"]["startColumn"], 28);
        assert_eq!(
            log["runs"][0]["tool"]["driver"]["rules"][0]["id"],
            result["ruleId"]
        );
    }
}
