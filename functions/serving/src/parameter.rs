//! The number that a request asks for.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The n that a request asks for: in its query as `n=15`, else in its body, else the usual one.
///
/// # Errors
/// It is no whole number within these bounds; the text says what would be right.
pub fn n<T>(query: Option<&str>, body: &[u8], bounds: RangeInclusive<T>, usual: T) -> Result<T, String>
where
    T: FromStr + PartialOrd + Display,
{
    let in_query = query.unwrap_or("").split('&').find_map(|pair| pair.strip_prefix("n="));
    let in_body = str::from_utf8(body).unwrap_or("not text").trim();
    let text = match in_query {
        Some(text) => text,
        None if in_body.is_empty() => return Ok(usual),
        None => in_body,
    };
    let number = text.parse().ok().filter(|number| bounds.contains(number));
    let (from, to) = (bounds.start(), bounds.end());
    number.ok_or_else(|| format!("n must be a whole number from {from} to {to}, not {text:?}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_comes_before_the_body_and_both_before_what_is_usual() {
        let asked = |query, body: &str| n::<u8>(query, body.as_bytes(), 0..=42, 15);
        assert_eq!(asked(Some("a=1&n=7"), "9"), Ok(7));
        assert_eq!(asked(Some("a=1"), "9\n"), Ok(9));
        assert_eq!(asked(None, ""), Ok(15));
    }

    #[test]
    fn whatever_is_no_such_number_is_named_beside_what_would_be_right() {
        for wrong in ["0", "43", "-1", "1.5", "ten", "300"] {
            let error = n::<u8>(Some(&format!("n={wrong}")), b"", 1..=42, 15).unwrap_err();
            assert_eq!(error, format!("n must be a whole number from 1 to 42, not {wrong:?}\n"));
        }
        assert!(n::<u8>(None, b"\xff", 1..=42, 15).unwrap_err().ends_with("not \"not text\"\n"));
    }
}
