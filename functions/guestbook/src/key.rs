//! The name of a request, which all of its attempts have in common.

use hyper::HeaderMap;

/// Longest key that is taken: a UUID has 36 characters.
pub const MAX_KEY: usize = 128;

/// Where a key may stand, and what comes first. The client's own knows of clients that ask again themselves; the request
/// id is made by the first proxy, so it only knows of what proxies repeat.
const HEADERS: [&str; 2] = ["idempotency-key", "x-request-id"];

/// The key of the request with these headers: its `Idempotency-Key`, else its `x-request-id`, else one that nobody has.
///
/// # Errors
/// It can't be one; the text says what would be right.
pub fn of(headers: &HeaderMap) -> Result<String, String> {
    for name in HEADERS {
        let Some(value) = headers.get(name).filter(|value| !value.is_empty()) else { continue };
        let key = value.to_str().ok().filter(|key| key.len() <= MAX_KEY);
        let wrong = || format!("{name} must be 1 to {MAX_KEY} characters of ASCII, not {value:?}\n");
        return key.map(str::to_owned).ok_or_else(wrong);
    }
    Ok(format!("{:032x}", fastrand::u128(..)))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn key(headers: &[(&'static str, &[u8])]) -> Result<String, String> {
        let value = |value: &[u8]| HeaderValue::from_bytes(value).unwrap();
        of(&headers.iter().map(|(name, bytes)| (name.parse().unwrap(), value(bytes))).collect())
    }

    #[test]
    fn the_clients_own_key_comes_before_the_request_id() {
        assert_eq!(key(&[("x-request-id", b"r"), ("idempotency-key", b"k")]), Ok("k".to_owned()));
        assert_eq!(key(&[("x-request-id", b"r"), ("idempotency-key", b"")]), Ok("r".to_owned()));
    }

    #[test]
    fn without_either_each_request_is_another_one() {
        let (one, other) = (key(&[]).unwrap(), key(&[]).unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 32);
    }

    #[test]
    fn what_can_be_no_key_is_named() {
        let error = key(&[("idempotency-key", b"\xff")]).unwrap_err();
        assert_eq!(error, "idempotency-key must be 1 to 128 characters of ASCII, not \"\\xff\"\n");
        let long = "x".repeat(MAX_KEY + 1);
        assert!(key(&[("x-request-id", long.as_bytes())]).unwrap_err().starts_with("x-request-id must be "));
    }
}
