//! The JSON form of protobuf values, as Google's REST services read and write it.
//!
//! Mapping: <https://protobuf.dev/programming-guides/json/>. A message tells its fields once, in
//! [`super::messages`]; reading and writing follow from their types.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, GeneralPurpose as Base64};
use prost_types::{Duration, FieldMask, Timestamp};
use serde_json::{Map, Value};
use tonic::Status;

use super::status::shown;

/// How enumerations are written: `?$alt=json;enum-encoding=int` asks for numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Enums {
    Names,
    Numbers,
}

/// A protobuf message with a JSON form.
pub(super) trait Message: Default {
    /// Takes the message's fields out of the object; what stays there is unknown.
    fn take_from(object: &mut Object<'_>) -> Result<Self, Status>;

    /// The fields that are not at their default.
    fn write_to(&self, enums: Enums) -> Map<String, Value>;
}

/// A field's type.
pub(super) trait Field: Sized {
    /// The value at this path of the request.
    fn read(value: Value, at: &str) -> Result<Self, Status>;

    /// `None` when the field is at its default, which JSON leaves out.
    fn write(&self, enums: Enums) -> Option<Value>;
}

/// Reads a request's body or a stored document; `at` names it in messages.
pub(super) fn read<M: Message>(value: Value, at: &str) -> Result<M, Status> {
    let mut object = Object::new(value, at)?;
    let message = M::take_from(&mut object)?;
    object.finish()?;
    Ok(message)
}

/// Writes an answer or a document to store.
pub(super) fn write<M: Message>(message: &M, enums: Enums) -> Value {
    Value::Object(message.write_to(enums))
}

/// A JSON object whose fields are taken one by one.
pub(super) struct Object<'a> {
    fields: Map<String, Value>,
    at: &'a str,
}

impl<'a> Object<'a> {
    fn new(value: Value, at: &'a str) -> Result<Self, Status> {
        match value {
            Value::Object(fields) => Ok(Object { fields, at }),
            other => Err(mismatch(at, "an object", &other)),
        }
    }

    /// The field of this proto name, its default when it is left out or null.
    pub(super) fn take<T: Field + Default>(&mut self, field: &str) -> Result<T, Status> {
        match self.remove(field)? {
            Some(value) => T::read(value, &join(self.at, field)),
            None => Ok(T::default()),
        }
    }

    /// Takes the field out unread and says whether it was there.
    pub(super) fn present(&mut self, field: &str) -> Result<bool, Status> {
        Ok(self.remove(field)?.is_some())
    }

    /// An enumeration, by name or by number.
    pub(super) fn take_enum(
        &mut self,
        field: &str,
        by_name: fn(&str) -> Option<i32>,
    ) -> Result<i32, Status> {
        let Some(value) = self.remove(field)? else {
            return Ok(0);
        };
        let number = match &value {
            Value::String(name) => by_name(name),
            // An unknown number is kept: enumerations are open.
            Value::Number(number) => number
                .as_i64()
                .and_then(|number| i32::try_from(number).ok()),
            _ => None,
        };
        number.ok_or_else(|| mismatch(&join(self.at, field), "TYPE_ENUM", &value))
    }

    fn remove(&mut self, field: &str) -> Result<Option<Value>, Status> {
        let camel = camel_case(field);
        // shift_remove keeps the order of the rest, so that messages name the first unknown field.
        let by_camel = self.fields.shift_remove(&camel);
        let by_proto = if camel == field {
            None
        } else {
            self.fields.shift_remove(field)
        };
        match (by_camel, by_proto) {
            (Some(_), Some(_)) => Err(Status::invalid_argument(format!(
                "Invalid JSON payload received. \"{field}\" is there twice, also as \"{camel}\"."
            ))),
            (Some(value), None) | (None, Some(value)) => {
                Ok(Some(value).filter(|value| !value.is_null()))
            }
            (None, None) => Ok(None),
        }
    }

    fn finish(self) -> Result<(), Status> {
        let Some((unknown, _)) = self.fields.iter().next() else {
            return Ok(());
        };
        let place = if self.at.is_empty() {
            String::new()
        } else {
            format!(" at '{}'", self.at)
        };
        Err(Status::invalid_argument(format!(
            "Invalid JSON payload received. Unknown name \"{}\"{place}: Cannot find field.",
            shown(unknown)
        )))
    }
}

impl Field for String {
    fn read(value: Value, at: &str) -> Result<Self, Status> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(mismatch(at, "TYPE_STRING", &other)),
        }
    }

    fn write(&self, _: Enums) -> Option<Value> {
        (!self.is_empty()).then(|| Value::from(self.as_str()))
    }
}

impl Field for bool {
    fn read(value: Value, at: &str) -> Result<Self, Status> {
        value
            .as_bool()
            .ok_or_else(|| mismatch(at, "TYPE_BOOL", &value))
    }

    fn write(&self, _: Enums) -> Option<Value> {
        self.then_some(Value::Bool(true))
    }
}

impl Field for i32 {
    fn read(value: Value, at: &str) -> Result<Self, Status> {
        let number = match &value {
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let number = number.and_then(|number| i32::try_from(number).ok());
        number.ok_or_else(|| mismatch(at, "TYPE_INT32", &value))
    }

    fn write(&self, _: Enums) -> Option<Value> {
        (*self != 0).then(|| Value::from(*self))
    }
}

impl Field for Vec<u8> {
    fn read(value: Value, at: &str) -> Result<Self, Status> {
        let bytes = value.as_str().and_then(|text| {
            // The mapping accepts both alphabets, padded or not.
            let standard: String = text.chars().map(standard_alphabet).collect();
            LENIENT.decode(standard).ok()
        });
        bytes.ok_or_else(|| mismatch(at, "TYPE_BYTES", &value))
    }

    fn write(&self, _: Enums) -> Option<Value> {
        (!self.is_empty()).then(|| Value::from(STANDARD.encode(self)))
    }
}

impl Field for Vec<String> {
    fn read(value: Value, at: &str) -> Result<Self, Status> {
        items(value, at)?
            .into_iter()
            .enumerate()
            .map(|(index, item)| String::read(item, &format!("{at}[{index}]")))
            .collect()
    }

    fn write(&self, _: Enums) -> Option<Value> {
        (!self.is_empty()).then(|| Value::from(self.as_slice()))
    }
}

impl Field for HashMap<String, String> {
    fn read(value: Value, at: &str) -> Result<Self, Status> {
        let Value::Object(entries) = value else {
            return Err(mismatch(at, "a map", &value));
        };
        let read = |(key, value): (String, Value)| {
            let value = String::read(value, &format!("{at}[{}]", shown(&key)))?;
            Ok((key, value))
        };
        entries.into_iter().map(read).collect()
    }

    fn write(&self, _: Enums) -> Option<Value> {
        let mut entries: Vec<_> = self.iter().collect();
        // The map has no order of its own; the same message must be written as the same bytes.
        entries.sort();
        let object = entries
            .into_iter()
            .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
            .collect();
        (!self.is_empty()).then_some(Value::Object(object))
    }
}

impl<M: Message> Field for Option<M> {
    fn read(value: Value, at: &str) -> Result<Self, Status> {
        read(value, at).map(Some)
    }

    fn write(&self, enums: Enums) -> Option<Value> {
        self.as_ref().map(|message| write(message, enums))
    }
}

impl<M: Message> Field for Vec<M> {
    fn read(value: Value, at: &str) -> Result<Self, Status> {
        items(value, at)?
            .into_iter()
            .enumerate()
            .map(|(index, item)| read(item, &format!("{at}[{index}]")))
            .collect()
    }

    fn write(&self, enums: Enums) -> Option<Value> {
        (!self.is_empty()).then(|| self.iter().map(|message| write(message, enums)).collect())
    }
}

impl Field for Option<Duration> {
    fn read(value: Value, at: &str) -> Result<Self, Status> {
        let duration = value.as_str().and_then(parse_duration);
        duration
            .map(Some)
            .ok_or_else(|| mismatch(at, "type.googleapis.com/google.protobuf.Duration", &value))
    }

    fn write(&self, _: Enums) -> Option<Value> {
        self.as_ref()
            .map(|duration| Value::from(format_duration(duration)))
    }
}

impl Field for Option<Timestamp> {
    fn read(value: Value, at: &str) -> Result<Self, Status> {
        let time = value
            .as_str()
            .and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let time = time.map(|time| {
            // Protobuf counts nanoseconds forward, before 1970 too.
            let backward = time.subsec_nanosecond() < 0;
            Timestamp {
                seconds: time.as_second() - i64::from(backward),
                nanos: time.subsec_nanosecond() + if backward { 1_000_000_000 } else { 0 },
            }
        });
        time.map(Some)
            .ok_or_else(|| mismatch(at, "type.googleapis.com/google.protobuf.Timestamp", &value))
    }

    fn write(&self, _: Enums) -> Option<Value> {
        let time = self.as_ref()?;
        let time = jiff::Timestamp::new(time.seconds, time.nanos).ok()?;
        Some(Value::from(time.to_string()))
    }
}

impl Field for Option<FieldMask> {
    fn read(value: Value, at: &str) -> Result<Self, Status> {
        let Some(text) = value.as_str() else {
            return Err(mismatch(
                at,
                "type.googleapis.com/google.protobuf.FieldMask",
                &value,
            ));
        };
        let paths = text
            .split(',')
            .filter(|path| !path.is_empty())
            .map(snake_case)
            .collect();
        Ok(Some(FieldMask { paths }))
    }

    fn write(&self, _: Enums) -> Option<Value> {
        self.as_ref().map(|mask| {
            let paths: Vec<String> = mask.paths.iter().map(|path| camel_case(path)).collect();
            Value::from(paths.join(","))
        })
    }
}

/// `messageRetentionDuration` from `message_retention_duration`.
pub(super) fn camel_case(proto: &str) -> String {
    let mut camel = String::with_capacity(proto.len());
    let mut raise = false;
    for letter in proto.chars() {
        if letter == '_' {
            raise = true;
        } else {
            camel.push(if raise {
                letter.to_ascii_uppercase()
            } else {
                letter
            });
            raise = false;
        }
    }
    camel
}

/// `message_retention_duration` from `messageRetentionDuration`.
pub(super) fn snake_case(camel: &str) -> String {
    let mut snake = String::with_capacity(camel.len() + 8);
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// The JSON form of a duration: seconds with 0, 3, 6 or 9 decimals and an `s`.
pub(super) fn format_duration(duration: &Duration) -> String {
    let sign = if duration.seconds < 0 || duration.nanos < 0 {
        "-"
    } else {
        ""
    };
    let seconds = duration.seconds.unsigned_abs();
    match duration.nanos.unsigned_abs() {
        0 => format!("{sign}{seconds}s"),
        nanos if nanos % 1_000_000 == 0 => format!("{sign}{seconds}.{:03}s", nanos / 1_000_000),
        nanos if nanos % 1_000 == 0 => format!("{sign}{seconds}.{:06}s", nanos / 1_000),
        nanos => format!("{sign}{seconds}.{nanos:09}s"),
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    /// Ten thousand years, the most that the type holds.
    const SECONDS_MAX: i64 = 315_576_000_000;
    let text = text.strip_suffix('s')?;
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let seconds: i64 = whole
        .parse()
        .ok()
        .filter(|seconds| *seconds <= SECONDS_MAX)?;
    let nanos: i32 = format!("{fraction:0<9}").parse().ok()?;
    Some(Duration {
        seconds: sign * seconds,
        nanos: i32::try_from(sign).ok()? * nanos,
    })
}

/// Base64 with or without its padding.
const LENIENT: Base64 = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn standard_alphabet(letter: char) -> char {
    match letter {
        '-' => '+',
        '_' => '/',
        other => other,
    }
}

fn whole(number: f64) -> Option<i64> {
    let fits = number.fract() == 0.0 && number.abs() <= f64::from(i32::MAX) + 1.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be whole and within 32 bits"
    )]
    fits.then_some(number as i64)
}

fn items(value: Value, at: &str) -> Result<Vec<Value>, Status> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(mismatch(at, "a list", &other)),
    }
}

fn join(at: &str, field: &str) -> String {
    if at.is_empty() {
        field.to_owned()
    } else {
        format!("{at}.{field}")
    }
}

fn mismatch(at: &str, wanted: &str, value: &Value) -> Status {
    Status::invalid_argument(format!(
        "Invalid value at '{at}' ({wanted}), {}",
        shown(&value.to_string())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duration(seconds: i64, nanos: i32) -> Duration {
        Duration { seconds, nanos }
    }

    #[test]
    fn durations_are_seconds_with_three_six_or_nine_decimals() {
        for (text, value) in [
            ("600s", duration(600, 0)),
            ("0s", duration(0, 0)),
            ("1.500s", duration(1, 500_000_000)),
            ("0.000340s", duration(0, 340_000)),
            ("3.000000001s", duration(3, 1)),
            ("-1.500s", duration(-1, -500_000_000)),
            ("-0.500s", duration(0, -500_000_000)),
            ("315576000000s", duration(315_576_000_000, 0)),
        ] {
            assert_eq!(parse_duration(text), Some(value), "{text}");
            assert_eq!(format_duration(&value), text);
        }
        assert_eq!(parse_duration("1.5s"), Some(duration(1, 500_000_000)));
        assert_eq!(parse_duration("1.050s"), Some(duration(1, 50_000_000)));
        for text in [
            "",
            "s",
            "600",
            "1.s",
            ".5s",
            "1m",
            "1e3s",
            "+1s",
            "--1s",
            "1.0000000001s",
            "1 s",
            "315576000001s",
            "99999999999999999999s",
            "１s",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_may_come_as_text() {
        for value in [Value::from(42), Value::from("42"), Value::from(42.0)] {
            assert_eq!(i32::read(value, "x").unwrap(), 42);
        }
        for value in [
            Value::from(1.5),
            Value::from("1.5"),
            Value::from(""),
            Value::from(i64::MAX),
            Value::from(1e300),
            Value::from(true),
        ] {
            let status = i32::read(value.clone(), "topic.x").unwrap_err();
            assert_eq!(
                status.message(),
                format!("Invalid value at 'topic.x' (TYPE_INT32), {value}")
            );
        }
    }

    #[test]
    fn bytes_come_in_either_alphabet_with_or_without_padding() {
        for text in ["+/8=", "+/8", "-_8=", "-_8"] {
            assert_eq!(
                Vec::<u8>::read(Value::from(text), "etag").unwrap(),
                [0xfb, 0xff],
                "{text}"
            );
        }
        assert_eq!(
            vec![0xfb_u8, 0xff].write(Enums::Names),
            Some(Value::from("+/8="))
        );
        assert!(Vec::<u8>::read(Value::from("§"), "etag").is_err());
    }

    #[test]
    fn names_change_case_both_ways() {
        for (proto, camel) in [
            ("message_retention_duration", "messageRetentionDuration"),
            ("bigquery_config", "bigqueryConfig"),
            (
                "dead_letter_policy.max_delivery_attempts",
                "deadLetterPolicy.maxDeliveryAttempts",
            ),
            ("labels", "labels"),
        ] {
            assert_eq!(camel_case(proto), camel);
            assert_eq!(snake_case(camel), proto);
        }
    }

    #[test]
    fn a_mask_is_a_list_of_paths() {
        let mask =
            Option::<FieldMask>::read(Value::from("labels,expirationPolicy.ttl"), "update_mask")
                .unwrap()
                .unwrap();
        assert_eq!(mask.paths, ["labels", "expiration_policy.ttl"]);
        assert_eq!(
            Some(mask).write(Enums::Names),
            Some(Value::from("labels,expirationPolicy.ttl"))
        );
        let empty = Option::<FieldMask>::read(Value::from(""), "update_mask")
            .unwrap()
            .unwrap();
        assert!(empty.paths.is_empty());
        assert!(Option::<FieldMask>::read(serde_json::json!(["labels"]), "update_mask").is_err());
    }
}
