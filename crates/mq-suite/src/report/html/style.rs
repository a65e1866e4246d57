//! How the page looks, and the policy that lets it look so and do nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The page's only style sheet.
pub(super) const STYLE: &str = include_str!("style.css");

/// No script, no request; this style sheet and the empty icon.
pub(super) fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; \
         form-action 'none'"
    )
}
