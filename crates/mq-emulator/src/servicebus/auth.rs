//! Who asks. A token must be there and well-formed, unexpired and of the known rule; its
//! signature is not verified, as any key is as good as another on loopback.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mq_engine::Timestamp;
use percent_encoding::percent_decode_str;

use super::error::ServiceError;

const SAS: &str = "SharedAccessSignature ";
const BEARER: &str = "Bearer ";
/// An HMAC-SHA256.
const SIGNATURE_LENGTH: usize = 32;

/// Checks the `Authorization` header, or one of the supplementary ones for a forwarding target.
///
/// # Errors
/// 401 with the service's own word for what is wrong.
pub(super) fn check(header: Option<&str>, rule: &str, now: Timestamp) -> Result<(), ServiceError> {
    let header = header.ok_or_else(|| {
        ServiceError::unauthorized("MissingToken: The authorization header was not found.")
    })?;
    if let Some(token) = strip_scheme(header, BEARER) {
        return if token.trim().is_empty() {
            Err(malformed())
        } else {
            Ok(())
        };
    }
    let token = strip_scheme(header, SAS)
        .and_then(Token::parse)
        .ok_or_else(malformed)?;
    if token.rule != rule {
        return Err(ServiceError::unauthorized(
            "InvalidSignature: The token has an invalid signature.",
        ));
    }
    if token.expires <= UNIX_EPOCH + Duration::from_millis(now.0) {
        return Err(ServiceError::unauthorized(
            "ExpiredToken: The token is expired.",
        ));
    }
    Ok(())
}

fn malformed() -> ServiceError {
    ServiceError::unauthorized(
        "MalformedToken: Invalid authorization header: the token could not be read.",
    )
}

/// The rest of a header after its scheme, whose case does not count.
fn strip_scheme<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = header.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

struct Token {
    rule: String,
    expires: std::time::SystemTime,
}

impl Token {
    /// `sr=RESOURCE&sig=SIGNATURE&se=SECONDS&skn=RULE`, in any order, each once.
    fn parse(text: &str) -> Option<Self> {
        let (mut resource, mut signature, mut expires, mut rule) = (None, None, None, None);
        for pair in text.trim().split('&') {
            let (name, value) = pair.split_once('=')?;
            let value = percent_decode_str(value).decode_utf8().ok()?.into_owned();
            let field = match name {
                "sr" => &mut resource,
                "sig" => &mut signature,
                "se" => &mut expires,
                "skn" => &mut rule,
                _ => return None,
            };
            if field.replace(value).is_some() {
                return None;
            }
        }
        if resource?.is_empty() || STANDARD.decode(signature?).ok()?.len() != SIGNATURE_LENGTH {
            return None;
        }
        let expires = UNIX_EPOCH.checked_add(Duration::from_secs(expires?.parse().ok()?))?;
        Some(Token {
            rule: rule?,
            expires,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULE: &str = "RootManageSharedAccessKey";
    const NOW: Timestamp = Timestamp(1_700_000_000_000);
    const GOOD: &str = "SharedAccessSignature sr=https%3A%2F%2Flocalhost%3A5300&sig=v7qXHakeLV6Jsz3mNyE2aZxu3k4TD70Rpa9pm3MmcII%3d&se=1700000001&skn=RootManageSharedAccessKey";

    fn refusal(header: Option<&str>) -> String {
        let error = check(header, RULE, NOW).unwrap_err();
        assert_eq!(error.status, 401);
        error.detail.split(':').next().unwrap().to_owned()
    }

    #[test]
    fn a_token_of_the_rule_that_has_not_expired_passes() {
        assert_eq!(check(Some(GOOD), RULE, NOW), Ok(()));
        let any_case = GOOD.replace("SharedAccessSignature ", "sharedaccesssignature ");
        assert_eq!(check(Some(&any_case), RULE, NOW), Ok(()));
        assert_eq!(check(Some("Bearer eyJ0eXAi.e30.c2ln"), RULE, NOW), Ok(()));
    }

    #[test]
    fn each_defect_has_its_own_word() {
        assert_eq!(refusal(None), "MissingToken");
        assert_eq!(
            refusal(Some(&GOOD.replace("se=1700000001", "se=1700000000"))),
            "ExpiredToken"
        );
        assert_eq!(
            refusal(Some(&GOOD.replace("skn=Root", "skn=Other"))),
            "InvalidSignature"
        );
        for malformed in [
            "",
            "Bearer ",
            "Basic dTpw",
            "SharedAccessSignature ",
            "SharedAccessSignature sr=x",
            &GOOD.replace("sr=", "xx="),
            &GOOD.replace("&skn=RootManageSharedAccessKey", ""),
            &GOOD.replace("se=1700000001", "se=soon"),
            &GOOD.replace("se=1700000001", "se=18446744073709551615"),
            &GOOD.replace("cII%3d", "c"),
            &GOOD.replace("sig=v7qX", "sig=AAAAv7qX"),
            &format!("{GOOD}&se=1700000009"),
        ] {
            assert_eq!(refusal(Some(malformed)), "MalformedToken", "{malformed}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_the_check_panic(header in "(SharedAccessSignature |Bearer |)[ -~é]{0,64}") {
            let _ = check(Some(&header), RULE, NOW);
        }
    }
}
