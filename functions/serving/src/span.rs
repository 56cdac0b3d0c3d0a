//! A time, as it is written on a command line.

use std::time::Duration;

/// A whole number of `us`, `ms` or `s`.
///
/// # Errors
/// It is something else.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let units = [("us", 1), ("ms", 1_000), ("s", 1_000_000)];
    let in_unit = |(unit, factor): (&str, u64)| {
        let number = text.strip_suffix(unit)?.parse::<u64>().ok()?;
        number.checked_mul(factor).map(Duration::from_micros)
    };
    units.into_iter().find_map(in_unit).ok_or_else(|| format!("{text:?} is no time such as 10ms or 2s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(parse_span("10ms"), Ok(Duration::from_millis(10)));
        assert_eq!(parse_span("500us"), Ok(Duration::from_micros(500)));
        assert!(parse_span("10").is_err());
    }
}
