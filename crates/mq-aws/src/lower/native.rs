//! Attributes that the file states in the service's own words.

use mq_core::backend::SettingInfo;
use mq_core::queue::Origin;
use mq_core::verdict::Hold;
use mq_core::{Diagnostic, Value, Verdict};
use serde_json::Value as Json;

use super::{Lowering, in_place};
use crate::attribute::{self, FIFO_ONLY, NATIVE, key};
use crate::limits::page;
use crate::policy;

/// The key that AWS itself holds for SQS in every account.
const AWS_MANAGED_KEY: &str = "alias/aws/sqs";

impl Lowering<'_> {
    pub(super) fn native(&mut self) {
        for (name, stated) in &self.queue.attributes.native {
            match self.native_value(name, stated) {
                Ok(value) => self.take_native(name, value),
                Err(problem) => self.problems.push(*problem),
            }
        }
        self.throughput_needs_scope();
        self.managed_key_shuts_out_services();
    }

    fn native_value(&self, name: &str, stated: &Json) -> Result<Value, Box<Diagnostic>> {
        let problem = |id, summary: &str, detail: String| {
            Box::new(
                Diagnostic::error(id, summary)
                    .with_detail(detail)
                    .with_path(self.native_path(name)),
            )
        };
        if let Some(portable) = attribute::portable(name) {
            let detail = format!("`{name}` is what `{portable}` states for every cloud");
            let problem = problem(
                "native/portable",
                "a native attribute with a portable key",
                detail,
            );
            return Err(Box::new(problem.with_hint(format!("write `{portable}`"))));
        }
        let Some(info) = NATIVE.iter().find(|info| info.name == name) else {
            let detail = format!("`{name}` is not an attribute of an SQS queue that mq knows");
            let known: Vec<&str> = NATIVE.iter().map(|info: &SettingInfo| info.name).collect();
            let problem = problem("native/unknown", "an unknown native attribute", detail);
            return Err(Box::new(
                problem.with_hint(format!("one of {}", known.join(", "))),
            ));
        };
        if FIFO_ONLY.contains(&name) && !self.names.fifo {
            let detail = format!("`{name}` is for FIFO queues, and this one does not keep order");
            let problem = problem(
                "native/fifo",
                "a native attribute of another kind of queue",
                detail,
            );
            return Err(Box::new(problem.with_hint("add `ordering: per-key`")));
        }
        attribute::native(info, stated).map_err(|takes| {
            problem(
                "native/type",
                "a value that a native attribute does not take",
                format!("`{name}`: {takes}"),
            )
        })
    }

    fn native_path(&self, name: &str) -> String {
        format!("queues.{}.overrides.aws.native.{name}", self.queue.logical)
    }

    /// It replaces what a portable key came to: it is the way out.
    fn take_native(&mut self, name: &str, value: Value) {
        if name == key::KMS_REUSE && !self.has_kms_key() {
            self.problems.push(
                Diagnostic::warning("native/no-effect", "a native attribute without effect")
                    .with_detail(format!(
                        "`{name}` means nothing without a KMS key: it is not written"
                    ))
                    .with_path(self.native_path(name))
                    .with_hint("state `encryption.key`, or take it out"),
            );
            return;
        }
        let path = format!("native.{name}");
        let source = if FIFO_ONLY.contains(&name) {
            page::CREATE
        } else {
            page::ATTRIBUTES
        };
        self.verdicts.push(
            Verdict::new(path.clone(), value.to_string(), Origin::File, Hold::Exact)
                .with_source(source),
        );
        self.attributes.retain(|attribute| attribute.name != name);
        self.attributes.push(in_place(name, value).holding(path));
    }

    fn wanted(&self, name: &str) -> Option<&Value> {
        let found = self
            .attributes
            .iter()
            .find(|attribute| attribute.name == name);
        found.map(|attribute| &attribute.value)
    }

    fn has_kms_key(&self) -> bool {
        matches!(self.wanted(key::KMS_KEY), Some(Value::Text(_)))
    }

    fn throughput_needs_scope(&mut self) {
        let high = self.wanted(key::THROUGHPUT_LIMIT) == Some(&Value::text("perMessageGroupId"));
        let scoped = self.wanted(key::DEDUPLICATION_SCOPE) == Some(&Value::text("messageGroup"));
        if high && !scoped {
            self.problems.push(
                Diagnostic::error("native/scope", "a native attribute that needs another")
                    .with_detail(
                        "`FifoThroughputLimit: perMessageGroupId` needs \
                         `DeduplicationScope: messageGroup`",
                    )
                    .with_path(self.native_path(key::THROUGHPUT_LIMIT))
                    .with_hint("state both"),
            );
        }
    }

    /// Its key policy cannot be changed, so no service can be let in to encrypt.
    fn managed_key_shuts_out_services(&mut self) {
        let managed_key = self.wanted(key::KMS_KEY) == Some(&Value::text(AWS_MANAGED_KEY));
        if managed_key && self.wanted(key::POLICY).is_some_and(policy::admits_service) {
            self.problems.push(
                Diagnostic::warning("encryption/service", "a key that lets no service in")
                    .with_detail(format!(
                        "the policy lets in a service of AWS, and messages encrypted with \
                         `{AWS_MANAGED_KEY}` cannot come from one"
                    ))
                    .with_path(format!("queues.{}.encryption", self.queue.logical))
                    .with_hint("state a key of your own as `encryption.key`"),
            );
        }
    }
}
