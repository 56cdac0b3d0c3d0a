//! Putting replicas in order. One sort for all: each more would cost the module 3 KB.

/// Room behind an order for the places that a plan repeats at its end.
const ROOM: usize = 4;

/// The places in ascending order of their keys; those with equal keys in their own order.
pub(crate) fn by_key(mut keyed: Vec<(u64, usize)>) -> Vec<usize> {
    keyed.sort_unstable();
    let mut order = Vec::with_capacity(keyed.len() + ROOM);
    order.extend(keyed.iter().map(|(_, place)| *place));
    order
}

/// A key that puts everything with `flag` behind everything without; `rest` decides among equals, but for its lowest
/// bit, which gives way: keep it zero for each time that a key is flagged.
pub(crate) fn flagged(flag: bool, rest: u64) -> u64 {
    u64::from(flag) << 63 | rest >> 1
}
