//! Until when somebody waits for an answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::HeaderMap;

/// Until when the answer is waited for: `x-steadfaas-deadline`, in milliseconds since the Unix epoch. None where nobody
/// says, or what is said is no time.
#[must_use]
pub fn deadline(headers: &HeaderMap) -> Option<SystemTime> {
    let millis = headers.get("x-steadfaas-deadline")?.to_str().ok()?.parse().ok()?;
    UNIX_EPOCH.checked_add(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn a_deadline_is_a_time_or_none() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-steadfaas-deadline", HeaderValue::from_static(value));
            deadline(&headers)
        };
        assert_eq!(of("1500"), Some(UNIX_EPOCH + Duration::from_millis(1500)));
        assert_eq!(of("soon"), None);
        assert_eq!(deadline(&HeaderMap::new()), None);
    }
}
