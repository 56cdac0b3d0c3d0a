//! The shape of a request: its method and its path without what names a single thing, as a hash. Requests of one shape
//! take about as long.

/// FNV-1a's offset basis and prime for 32 bits, as published by its authors.
const BASIS: u32 = 0x811c_9dc5;
const PRIME: u32 = 0x0100_0193;

/// The longest part of a path that counts: what comes later hardly ever chooses what a function does.
const LONGEST: usize = 128;

/// The hash of a method. Another one than any path's, for it starts elsewhere.
pub(super) fn of_method(method: &[u8]) -> u32 {
    hash(!BASIS, method.iter().copied())
}

/// The hash of a path, up to its query. A segment with a digit in it counts as any other such segment: it is a number,
/// a date, an identifier.
pub(super) fn of_path(path: &[u8]) -> u32 {
    let path = path.get(..LONGEST).unwrap_or(path);
    let end = path.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(path.len());
    let segments = path.get(..end).unwrap_or(path).split(|byte| *byte == b'/');
    segments.fold(BASIS, |state, segment| {
        let names_one_thing = segment.iter().any(u8::is_ascii_digit);
        let shown = if names_one_thing { &b"0"[..] } else { segment };
        hash(state, shown.iter().copied().chain([b'/']))
    })
}

fn hash(state: u32, bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(state, |state, byte| (state ^ u32::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_identifiers_do_not_count() {
        assert_eq!(of_path(b"/?n=15"), of_path(b"/"));
        assert_eq!(of_path(b"/items/17/lines"), of_path(b"/items/4e1c-77/lines?all"));
        assert_ne!(of_path(b"/items/17"), of_path(b"/items/17/lines"));
        assert_ne!(of_path(b"/fast"), of_path(b"/slow"));
        assert_ne!(of_path(b"/ab"), of_path(b"/a/b"));
    }

    #[test]
    fn methods_are_told_apart_and_any_bytes_will_do() {
        assert_ne!(of_method(b"GET"), of_method(b"POST"));
        assert_eq!(of_path(&[0xff; 500]), of_path(&[0xff; 200]), "a long path's end doesn't count");
    }
}
