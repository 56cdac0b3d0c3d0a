//! Rendezvous order: a hash of function and replica that every proxy computes alike.

use std::hash::Hasher;

use crate::fnv::Fnv;

/// The rank of `address` within `function`: FNV-1a over both, mixed once more because FNV's high bits hardly depend on
/// the last bytes, which is where addresses differ.
pub(super) fn of(function: &str, address: &str) -> u64 {
    let mut hash = Fnv::default();
    [function.as_bytes(), &[0], address.as_bytes()].into_iter().for_each(|part| hash.write(part));
    mix(hash.finish())
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
