//! The shape of a request: its method and its path without what names a single thing, as a hash. Requests of one shape
//! take about as long.

use std::hash::Hasher;

use crate::fnv::Fnv;

/// The longest part of a path that counts: what comes later hardly ever chooses what a function does.
const LONGEST: usize = 128;

/// The hash of a method. Another one than any path's, for no method ends with a slash.
pub(super) fn of_method(method: &[u8]) -> u32 {
    let mut hash = Fnv::default();
    hash.write(method);
    folded(hash)
}

/// The hash of a path, up to its query. A segment with a digit in it counts as any other such segment: it is a number,
/// a date, an identifier.
pub(super) fn of_path(path: &[u8]) -> u32 {
    let path = path.get(..LONGEST).unwrap_or(path);
    let end = path.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(path.len());
    let mut hash = Fnv::default();
    for segment in path.get(..end).unwrap_or(path).split(|byte| *byte == b'/') {
        let names_one_thing = segment.iter().any(u8::is_ascii_digit);
        hash.write(if names_one_thing { b"0" } else { segment });
        hash.write(b"/");
    }
    folded(hash)
}

/// Both halves of a hash in one, as FNV's authors advise.
#[allow(clippy::cast_possible_truncation, reason = "both halves count")]
fn folded(hash: Fnv) -> u32 {
    (hash.finish() ^ hash.finish() >> 32) as u32
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
