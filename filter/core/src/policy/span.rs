//! Durations as people write them: `25ms`, `1.5s`, `2m`.

use std::time::Duration;

/// The duration that `text` says, or nothing if it says none. A unit is required.
#[must_use]
pub fn parse_span(text: &str) -> Option<Duration> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let (number, unit) = text.split_at_checked(digits)?;
    let micros_per_unit: u64 = match unit {
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = whole.parse::<u64>().ok()?.checked_mul(micros_per_unit)?;
    Some(Duration::from_micros(whole.checked_add(fraction_of(fraction, micros_per_unit)?)?))
}

/// `0.<digits>` of a unit. At most six digits: finer than a microsecond means nothing here.
fn fraction_of(digits: &str, unit: u64) -> Option<u64> {
    if digits.is_empty() {
        return Some(0);
    }
    let scale = 10_u64.checked_pow(u32::try_from(digits.len()).ok().filter(|length| *length <= 6)?)?;
    Some(digits.parse::<u64>().ok()?.checked_mul(unit)? / scale)
}
