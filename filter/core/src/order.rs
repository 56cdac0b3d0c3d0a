//! Putting replicas in order. One sort for all: each more would cost the module 3 KB.

/// The places in ascending order of their keys; those with equal keys in their own order.
pub(crate) fn by_key(keyed: impl Iterator<Item = (u64, usize)>) -> Vec<usize> {
    let mut keyed: Vec<(u64, usize)> = keyed.collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, place)| place).collect()
}

/// A key that puts everything with `flag` behind everything without; `rest` decides among equals, but for its lowest
/// bit, which gives way: keep it zero for each time that a key is flagged.
pub(crate) fn flagged(flag: bool, rest: u64) -> u64 {
    u64::from(flag) << 63 | rest >> 1
}
