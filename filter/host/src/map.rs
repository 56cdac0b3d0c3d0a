//! Header maps as they are given to the proxy. How they are read is `steadfaas_core::headers`.

/// A header map in the ABI's form: a count, the sizes of each name and value, then those, each with a NUL behind it.
pub(crate) fn of(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut map = number(headers.len()).to_vec();
    for (name, value) in headers {
        map.extend(number(name.len()));
        map.extend(number(value.len()));
    }
    for part in headers.iter().flat_map(|(name, value)| [name, value]) {
        map.extend(part.as_bytes());
        map.push(0);
    }
    map
}

/// Nothing that is put into a header here is anywhere near four gigabytes long.
fn number(size: usize) -> [u8; 4] {
    u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes()
}
