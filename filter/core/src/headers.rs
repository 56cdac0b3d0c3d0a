//! Header maps in the proxy-wasm ABI's own form.

/// The pairs of a header map in the ABI's form: a count, the sizes of each name and value, then those, each with a
/// NUL behind it. What doesn't fit that form ends the pairs.
pub fn pairs(map: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    /// Bytes of a number in that form.
    const NUMBER: usize = 4;
    let number = |at: usize| {
        let bytes = map.get(at..at.checked_add(NUMBER)?)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    let count = number(0).unwrap_or(0).min(map.len() / (2 * NUMBER));
    let mut start = NUMBER + count * 2 * NUMBER;
    (0..count).map_while(move |index| {
        let sizes = NUMBER + index * 2 * NUMBER;
        let name = start..start.checked_add(number(sizes)?)?;
        let value_start = name.end.checked_add(1)?;
        let value = value_start..value_start.checked_add(number(sizes + NUMBER)?)?;
        start = value.end.checked_add(1)?;
        Some((map.get(name)?, map.get(value)?))
    })
}

/// The authority of a request for a path, in any bytes; nothing of what is asked of the proxy itself (`CONNECT`,
/// `OPTIONS *`). What a request is asked of comes before all other headers.
#[must_use]
pub fn authority(map: &[u8]) -> Option<&[u8]> {
    let asked = || pairs(map).take_while(|(name, _)| name.starts_with(b":"));
    let is_for_path = asked().any(|(name, value)| name == b":path" && value.starts_with(b"/"));
    asked().find(|(name, _)| *name == b":authority").map(|(_, value)| value).filter(|_| is_for_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&str, &str)]) -> Vec<u8> {
        let number = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
        let mut bytes = number(headers.len()).to_vec();
        bytes.extend(
            headers.iter().flat_map(|(name, value)| [number(name.len()), number(value.len())]).flatten(),
        );
        for text in headers.iter().flat_map(|(name, value)| [name, value]) {
            bytes.extend(text.bytes().chain([0]));
        }
        bytes
    }

    #[test]
    fn pairs_come_back_in_order() {
        let headers = [(":method", "GET"), ("empty", ""), ("x", "1")];
        let map = map(&headers);
        let read: Vec<_> = pairs(&map)
            .map(|(name, value)| (std::str::from_utf8(name).unwrap(), std::str::from_utf8(value).unwrap()))
            .collect();
        assert_eq!(read, headers);
    }

    #[test]
    fn only_a_request_for_a_path_has_an_authority_that_counts() {
        let asked = |path: &'static str| map(&[(":authority", "fib:80"), (":path", path), ("x", "1")]);
        assert_eq!(authority(&asked("/")), Some(&b"fib:80"[..]));
        assert_eq!(authority(&asked("*")), None);
        assert_eq!(authority(&map(&[(":method", "CONNECT"), (":authority", "fib:80")])), None);
        assert_eq!(authority(&map(&[(":path", "/"), ("x", "1"), (":authority", "fib")])), None);
    }

    #[test]
    fn a_cut_or_lying_map_ends_early_and_harms_nothing() {
        let whole = map(&[(":method", "GET"), ("x", "1")]);
        for end in 0..whole.len() - 1 {
            assert!(pairs(&whole[..end]).count() < 2);
        }
        assert_eq!(pairs(&[0xff; 64]).count(), 0);
    }
}
