//! The attributes of messages: what they may hold, what they weigh, and the digest by which
//! clients check them.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::error::{Code, SqsError};
use super::params::Member;

/// Attributes of one message.
const ATTRIBUTES_MAX: usize = 10;
/// Characters of an attribute's name, and of its type.
const NAME_CHARACTERS_MAX: usize = 256;
/// The system attribute that senders set, of all that there are.
pub(super) const TRACE_HEADER: &str = "AWSTraceHeader";

/// Takes what the encoders of all SDKs write, padded or not, and writes padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An attribute's value with its type.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Typed {
    pub(super) data_type: String,
    pub(super) string: Option<String>,
    /// In base64, as it goes over the wire.
    pub(super) binary: Option<String>,
}

/// Attributes by name.
pub(super) type TypedMap = BTreeMap<String, Typed>;

impl Typed {
    fn is_binary(&self) -> bool {
        base_type(&self.data_type) == "Binary"
    }

    /// The value as it is weighed and digested.
    fn bytes(&self) -> Vec<u8> {
        match (&self.string, &self.binary) {
            (_, Some(binary)) if self.is_binary() => BASE64.decode(binary).unwrap_or_default(),
            (Some(string), _) => string.clone().into_bytes(),
            _ => Vec::new(),
        }
    }
}

/// The type without its label: `Number` of `Number.int`.
fn base_type(data_type: &str) -> &str {
    data_type
        .split_once('.')
        .map_or(data_type, |(base, _)| base)
}

/// The attributes that a sender may give a message.
pub(super) fn check(attributes: &TypedMap) -> Result<(), SqsError> {
    if attributes.len() > ATTRIBUTES_MAX {
        return Err(invalid(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{ATTRIBUTES_MAX}].",
            attributes.len()
        )));
    }
    for (name, value) in attributes {
        check_name(name)?;
        check_value(name, value)?;
    }
    Ok(())
}

/// The system attributes that a sender may give a message: its trace header.
pub(super) fn check_system(attributes: &TypedMap) -> Result<(), SqsError> {
    for (name, value) in attributes {
        if name != TRACE_HEADER {
            return Err(invalid(format!(
                "Message system attribute name '{name}' is invalid. Valid names are [{TRACE_HEADER}]."
            )));
        }
        check_value(name, value)?;
        if value.data_type != "String" {
            return Err(invalid(format!(
                "The message system attribute '{name}' with type '{}' must be of type 'String'.",
                value.data_type
            )));
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), SqsError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let folded = name.to_ascii_lowercase();
    let fits = !name.is_empty()
        && name.len() <= NAME_CHARACTERS_MAX
        && name.bytes().all(plain)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !folded.starts_with("aws.")
        && !folded.starts_with("amazon.");
    if fits {
        return Ok(());
    }
    Err(invalid(format!(
        "Message attribute name '{name}' is invalid. It can contain alphanumeric characters, hyphens, underscores and single dots inside, up to {NAME_CHARACTERS_MAX} characters, and must not start with AWS. or Amazon."
    )))
}

fn check_value(name: &str, value: &Typed) -> Result<(), SqsError> {
    let data_type = &value.data_type;
    if data_type.is_empty() {
        return Err(invalid(format!(
            "The message attribute '{name}' must contain non-empty message attribute type."
        )));
    }
    let base = base_type(data_type);
    if !["String", "Number", "Binary"].contains(&base) || data_type.len() > NAME_CHARACTERS_MAX {
        return Err(invalid(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
        )));
    }
    let (held, other) = if value.is_binary() {
        (&value.binary, &value.string)
    } else {
        (&value.string, &value.binary)
    };
    if other.is_some() {
        return Err(invalid(format!(
            "The message attribute '{name}' with type '{data_type}' must use field '{}'.",
            if value.is_binary() {
                "Binary"
            } else {
                "String"
            }
        )));
    }
    let held = held.as_deref().unwrap_or_default();
    if held.is_empty() {
        return Err(invalid(format!(
            "The message attribute '{name}' must contain non-empty message attribute value for message attribute type '{data_type}'."
        )));
    }
    if value.is_binary() {
        return Ok(());
    }
    if base == "Number" && !is_number(held) {
        return Err(invalid(format!(
            "Can't cast the value of message attribute '{name}' to a number."
        )));
    }
    check_characters(held)
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// That text holds only what XML 1.0 can.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
pub(super) fn check_characters(text: &str) -> Result<(), SqsError> {
    let fits = |character: char| {
        matches!(
            character,
            '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..
        )
    };
    match text.chars().find(|character| !fits(*character)) {
        None => Ok(()),
        Some(character) => Err(SqsError::new(
            Code::InvalidMessageContents,
            format!(
                "Invalid character #x{:X} was found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.",
                u32::from(character)
            ),
        )),
    }
}

/// Bytes in base64, in the one form in which they are kept; `None` for what is none.
pub(super) fn canonical_base64(text: &str) -> Option<String> {
    BASE64.decode(text).ok().map(|bytes| BASE64.encode(bytes))
}

/// The bytes that attributes add to a message: names, types and values.
pub(super) fn weight(attributes: &TypedMap) -> usize {
    attributes
        .iter()
        .map(|(name, value)| name.len() + value.data_type.len() + value.bytes().len())
        .sum()
}

/// The MD5 of text in lower-case hex.
pub(super) fn md5_of(text: &[u8]) -> String {
    hex(&Md5::digest(text))
}

/// The MD5 of attributes: in order of name, each name, type and value with its length before
/// it, and one byte for the kind of the value.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation>
pub(super) fn md5_of_attributes(attributes: &TypedMap) -> String {
    const STRING: u8 = 1;
    const BINARY: u8 = 2;
    let mut digest = Md5::new();
    let mut part = |bytes: &[u8], before: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        digest.update(before);
        digest.update(length.to_be_bytes());
        digest.update(bytes);
    };
    for (name, value) in attributes {
        part(name.as_bytes(), &[]);
        part(value.data_type.as_bytes(), &[]);
        let kind = if value.is_binary() { BINARY } else { STRING };
        part(&value.bytes(), &[kind]);
    }
    hex(&digest.finalize())
}

/// Bytes in lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What the service answers to the types that it has reserved.
pub(super) fn no_lists() -> SqsError {
    SqsError::new(
        Code::UnsupportedOperation,
        "Message attribute list values in SendMessage operation are not supported.",
    )
}

/// The members of a value, as results show them.
pub(super) fn members(value: &Typed) -> Vec<Member> {
    let binary = value
        .binary
        .clone()
        .map(|it| Member::text("BinaryValue", it));
    let string = value
        .string
        .clone()
        .map(|it| Member::text("StringValue", it));
    let data_type = Member::text("DataType", value.data_type.clone());
    binary
        .into_iter()
        .chain(string)
        .chain([data_type])
        .collect()
}

fn invalid(message: String) -> SqsError {
    SqsError::new(Code::InvalidParameterValue, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(data_type: &str, string: Option<&str>, binary: Option<&str>) -> Typed {
        Typed {
            data_type: data_type.to_owned(),
            string: string.map(str::to_owned),
            binary: binary.map(str::to_owned),
        }
    }

    fn one(name: &str, value: Typed) -> TypedMap {
        TypedMap::from([(name.to_owned(), value)])
    }

    /// Computed beside by the vendor's description of the algorithm.
    #[test]
    fn digests_are_those_that_clients_compute() {
        assert_eq!(md5_of(b"hello"), "5d41402abc4b2a76b9719d911017c592");
        let single = one("k", typed("String", Some("v"), None));
        assert_eq!(
            md5_of_attributes(&single),
            "0a77b0642718c3d9dd47090567d11e0d"
        );
        let mixed = TypedMap::from([
            ("s".to_owned(), typed("String.custom", Some("héllo"), None)),
            ("b".to_owned(), typed("Binary", None, Some("AAE="))),
            ("n".to_owned(), typed("Number", Some("42"), None)),
        ]);
        assert_eq!(
            md5_of_attributes(&mixed),
            "2f5b9a220c675b6e14987c5b07014d8b"
        );
    }

    #[test]
    fn names_types_and_values_are_checked() {
        let string = || typed("String", Some("v"), None);
        for name in ["a", "a.b-c_D9", &"x".repeat(256)] {
            assert_eq!(check(&one(name, string())), Ok(()), "{name}");
        }
        for name in [
            "",
            ".a",
            "a.",
            "a..b",
            "aws.a",
            "AMAZON.a",
            "a b",
            "é",
            &"x".repeat(257),
        ] {
            assert!(check(&one(name, string())).is_err(), "{name:?} was taken");
        }
        for value in [
            typed("String", Some("v"), None),
            typed("String.json", Some("v"), None),
            typed("Number", Some("-1.5e3"), None),
            typed("Number.int", Some("7"), None),
            typed("Binary.gif", None, Some("AAE=")),
        ] {
            assert_eq!(check(&one("a", value.clone())), Ok(()), "{value:?}");
        }
        for value in [
            typed("", Some("v"), None),
            typed("Text", Some("v"), None),
            typed("string", Some("v"), None),
            typed("String", Some(""), None),
            typed("String", None, None),
            typed("String", None, Some("AAE=")),
            typed("String", Some("v"), Some("AAE=")),
            typed("String", Some("\u{1}"), None),
            typed("Binary", Some("v"), None),
            typed("Binary", None, Some("")),
            typed("Number", Some("seven"), None),
            typed("Number", Some("inf"), None),
            typed(&format!("String.{}", "x".repeat(250)), Some("v"), None),
        ] {
            assert!(check(&one("a", value.clone())).is_err(), "{value:?}");
        }
        let many = |count: usize| (0..count).map(|index| (format!("a{index}"), string()));
        assert_eq!(check(&many(10).collect()), Ok(()));
        assert!(check(&many(11).collect()).is_err());
    }

    #[test]
    fn the_trace_header_is_the_only_system_attribute() {
        let trace = |value| check_system(&one(TRACE_HEADER, value));
        assert_eq!(trace(typed("String", Some("Root=1"), None)), Ok(()));
        assert!(trace(typed("Binary", None, Some("AAE="))).is_err());
        assert!(trace(typed("String.x", Some("Root=1"), None)).is_err());
        assert!(check_system(&one("Other", typed("String", Some("v"), None))).is_err());
    }

    #[test]
    fn weight_is_that_of_the_bytes() {
        let binary = one("abc", typed("Binary", None, Some("AAE=")));
        assert_eq!(weight(&binary), 3 + 6 + 2);
        let string = one("k", typed("String", Some("é"), None));
        assert_eq!(weight(&string), 1 + 6 + 2);
    }
}
