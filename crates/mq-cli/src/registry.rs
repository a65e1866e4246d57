//! The clouds that `mq` knows: one line each. Everything else iterates this list.

use mq_core::BackendFactory;

/// One factory for each kind of cloud, in the order in which they are shown.
#[must_use]
pub fn backends() -> Vec<&'static dyn BackendFactory> {
    vec![mq_aws::factory(), mq_azure::factory(), mq_gcp::factory()]
}
