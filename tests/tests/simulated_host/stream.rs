//! One request as the host keeps it for the module: headers, properties, filter state.

use std::collections::BTreeMap;

/// A header map, in any bytes.
pub(crate) type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// One request.
#[derive(Default)]
pub(crate) struct Stream {
    pub(crate) request: Headers,
    pub(crate) response: Headers,
    /// By path, its parts joined by NUL.
    pub(crate) properties: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The properties that the module asked for, in order.
    pub(crate) asked: Vec<String>,
    pub(crate) filter_state: BTreeMap<String, Vec<u8>>,
    /// Every change that the module made to the request's headers, in words.
    pub(crate) changes: Vec<String>,
}

/// Makes a header map out of text.
pub(crate) fn headers(pairs: &[(&str, &str)]) -> Headers {
    pairs.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

/// The value of a header, as text.
pub(crate) fn header(headers: &Headers, name: &str) -> Option<String> {
    let found = headers.iter().find(|(known, _)| known == name.as_bytes());
    found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
}

/// Sets a header, whatever it was before.
pub(crate) fn replace(headers: &mut Headers, name: &[u8], value: Vec<u8>) {
    headers.retain(|(known, _)| known != name);
    headers.push((name.to_vec(), value));
}

/// A header map in the form in which the ABI hands it over.
pub(crate) fn encode(headers: &Headers) -> Vec<u8> {
    let mut bytes = number(headers.len()).to_vec();
    for (name, value) in headers {
        bytes.extend(number(name.len()));
        bytes.extend(number(value.len()));
    }
    for part in headers.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend(part);
        bytes.push(0);
    }
    bytes
}

/// The other way round.
pub(crate) fn decode(bytes: &[u8]) -> Headers {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let count = number(0);
    let mut start = 4 + count * 8;
    let mut part = |size: usize| {
        let part = bytes[start..start + size].to_vec();
        start += size + 1;
        part
    };
    (0..count).map(|index| (part(number(4 + index * 8)), part(number(8 + index * 8)))).collect()
}

fn number(size: usize) -> [u8; 4] {
    u32::try_from(size).unwrap().to_le_bytes()
}
