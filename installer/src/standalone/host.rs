//! `host`: which requests are a function's, by their authority.

use super::error::Problem;

/// What a host may be.
pub(super) const EXPECTED: &str =
    "a host name without port such as fib.example.com or *.example.com, or * for any,";

/// Longest name that DNS allows.
const MAX_NAME: usize = 253;

/// Longest label that DNS allows.
const MAX_LABEL: usize = 63;

/// The domain that Envoy is to match, in lower case; nothing for any.
pub(super) fn parse(text: &str) -> Result<Option<String>, Problem> {
    match text {
        "*" => Ok(None),
        _ if is_dns_name(text.strip_prefix("*.").unwrap_or(text)) => Ok(Some(text.to_ascii_lowercase())),
        _ => Err(Problem::wrong_text("host", text, EXPECTED)),
    }
}

/// Whether `text` can be a host name: labels of letters, digits and inner hyphens.
pub(super) fn is_dns_name(text: &str) -> bool {
    text.len() <= MAX_NAME && text.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=MAX_LABEL).contains(&label.len())
        && label.bytes().all(fits)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_a_wildcard_or_any() {
        let domain = |text| parse(text).unwrap();
        assert_eq!(domain("Fib.Example.com").as_deref(), Some("fib.example.com"));
        assert_eq!(domain("*.example.com").as_deref(), Some("*.example.com"));
        assert_eq!(domain("*"), None);
    }

    #[test]
    fn a_host_with_port_scheme_or_path_is_refused() {
        for wrong in ["fib.example.com:80", "http://fib", "fib/", "", ".", "a..b", "fib.*", "-a.b", "*.*.b"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
