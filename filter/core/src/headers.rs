//! Header maps in the proxy-wasm ABI's own form.

/// The pairs of a header map in the ABI's form: a count, the sizes of each name and value, then those, each with a
/// NUL behind it. What doesn't fit that form ends the pairs.
pub fn pairs(map: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    /// Bytes of a number in that form.
    const NUMBER: usize = 4;
    type Sizes = [[u8; NUMBER]; 2];
    let size = |bytes| usize::try_from(u32::from_le_bytes(bytes)).ok();
    let (count, rest) = map.split_first_chunk().unwrap_or((&[0; NUMBER], &[]));
    let (sizes, _) = rest.as_chunks::<NUMBER>();
    let (sizes, _): (&[Sizes], _) = sizes.as_chunks();
    let count = size(*count).unwrap_or(0).min(sizes.len());
    let mut texts = rest.get(count * size_of::<Sizes>()..).unwrap_or_default();
    sizes.iter().take(count).map_while(move |[name, value]| {
        let (name, rest) = texts.split_at_checked(size(*name)?)?;
        let (value, rest) = rest.split_first()?.1.split_at_checked(size(*value)?)?;
        texts = rest.split_first()?.1;
        Some((name, value))
    })
}

/// The authority of a request for a path, in any bytes; nothing of what is asked of the proxy itself (`CONNECT`,
/// `OPTIONS *`). What a request is asked of comes before all other headers.
#[must_use]
pub fn authority(map: &[u8]) -> Option<&[u8]> {
    let (mut authority, mut is_for_path) = (None, false);
    for (name, value) in pairs(map).take_while(|(name, _)| name.first() == Some(&b':')) {
        match name {
            b":authority" => authority = Some(value),
            b":path" => is_for_path = value.starts_with(b"/"),
            _ => {}
        }
    }
    authority.filter(|_| is_for_path)
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
