//! Durations and sizes as the file writes them: `500ms 30s 5m 4h 14d`, `256KiB 1MiB`.

use std::time::Duration;

/// A text that is no duration or size; its display says which forms are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnitError(String);

const DURATION_UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

const SIZE_UNITS: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Reads a duration such as `30s`. A number without a unit is refused: `30` could be seconds or
/// milliseconds, and the reader of the file should not have to know.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let form = || {
        UnitError(format!(
            "`{}` is not a duration: write a whole number and ms, s, m, h or d, as in `30s`",
            excerpt(text)
        ))
    };
    let number: u64 = number.parse().map_err(|_| form())?;
    let (_, factor) = DURATION_UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(form)?;
    number
        .checked_mul(*factor)
        .map(Duration::from_millis)
        .ok_or_else(|| {
            UnitError(format!(
                "`{}` is longer than any queue lives",
                excerpt(text)
            ))
        })
}

/// Reads a size such as `256KiB`, or plain bytes.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let form = || {
        UnitError(format!(
            "`{}` is not a size: write whole bytes, or a number and KiB, MiB or GiB, as in `256KiB`",
            excerpt(text)
        ))
    };
    let number: u64 = number.parse().map_err(|_| form())?;
    let factor = if unit.is_empty() {
        1
    } else {
        SIZE_UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(form)?
            .1
    };
    number
        .checked_mul(factor)
        .ok_or_else(|| UnitError(format!("`{}` is larger than any message", excerpt(text))))
}

/// Writes a duration in the largest unit that keeps it whole: `14d`, `90s`, `1500ms`.
#[must_use]
pub fn duration(value: Duration) -> String {
    let millis = value.as_millis();
    if millis == 0 {
        return "0s".to_owned();
    }
    let (unit, factor) = DURATION_UNITS
        .iter()
        .rev()
        .find(|(_, factor)| millis.is_multiple_of(u128::from(*factor)))
        .unwrap_or(&DURATION_UNITS[0]);
    format!("{}{unit}", millis / u128::from(*factor))
}

/// Writes a size in the largest unit that keeps it whole: `256KiB`, `1000B`.
#[must_use]
pub fn size(bytes: u64) -> String {
    let (unit, factor) = SIZE_UNITS
        .iter()
        .find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor))
        .unwrap_or(&SIZE_UNITS[3]);
    format!("{}{unit}", bytes / factor)
}

/// The start of a user's text, short enough to quote in a message.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_write_in_the_largest_whole_unit() {
        for (text, millis, written) in [
            ("500ms", 500, "500ms"),
            ("30s", 30_000, "30s"),
            ("120s", 120_000, "2m"),
            ("14d", 1_209_600_000, "14d"),
            ("0s", 0, "0s"),
            ("90m", 5_400_000, "90m"),
        ] {
            let parsed = parse_duration(text).expect(text);
            assert_eq!(parsed.as_millis(), millis, "{text}");
            assert_eq!(duration(parsed), written, "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_form() {
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "1.5h",
            "30 s",
            "30S",
            "1w",
            "99999999999999999999d",
            "18446744073709551615d",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        let error = parse_duration("30").expect_err("no unit").to_string();
        assert!(error.contains("as in `30s`"), "{error}");
    }

    #[test]
    fn sizes_read_and_write() {
        for (text, bytes, written) in [
            ("262144", 262_144, "256KiB"),
            ("256KiB", 262_144, "256KiB"),
            ("1MiB", 1_048_576, "1MiB"),
            ("1000", 1000, "1000B"),
            ("10B", 10, "10B"),
        ] {
            let parsed = parse_size(text).expect(text);
            assert_eq!(parsed, bytes, "{text}");
            assert_eq!(size(parsed), written, "{text}");
        }
        for text in ["", "KiB", "1KB", "-1", "99999999999999999999"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
