//! Rendezvous order: a hash of function and replica that every proxy computes alike.

/// The rank of `address` within `function`: FNV-1a over both, mixed once more because FNV's high bits hardly depend on
/// the last bytes, which is where addresses differ.
pub(super) fn of(function: &str, address: &str) -> u64 {
    /// FNV-1a's offset basis and prime for 64 bits, as published by its authors.
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let bytes = function.bytes().chain([0]).chain(address.bytes());
    mix(bytes.fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME)))
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
