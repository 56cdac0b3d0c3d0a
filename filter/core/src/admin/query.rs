//! The question to the admin endpoint: one call for many clusters.

/// Longest filter expression of one call, in characters; well within Envoy's 60 KiB of request headers.
const LONGEST_FILTER: usize = 16 * 1024;

/// `GET /clusters` for some clusters.
#[derive(Debug, Default)]
pub struct Query {
    filter: String,
}

impl Query {
    /// Adds a cluster by its name.
    pub fn add(&mut self, cluster: &str) {
        if !self.filter.is_empty() {
            self.filter.push('|');
        }
        push_literal(&mut self.filter, cluster);
    }

    /// No more clusters fit.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.filter.len() > LONGEST_FILTER
    }

    /// The path with its query. The filter works from Envoy 1.38 on; older ones answer with every cluster.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/clusters?format=json&filter=^({})$", self.filter)
    }
}

/// Writes `text` so that a regular expression within a query string means just it: every byte that could mean more
/// becomes `\xNN`, its backslash percent-encoded.
fn push_literal(filter: &mut String, text: &str) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |number: u8| DIGITS.get(usize::from(number)).copied().unwrap_or('0');
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            filter.push(char::from(byte));
        } else {
            filter.push_str("%5Cx");
            filter.push(digit(byte >> 4));
            filter.push(digit(byte & 0xf));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_by_the_letter() {
        let mut query = Query::default();
        query.add("fib");
        query.add("outbound|80||a.b");
        assert_eq!(query.path(), "/clusters?format=json&filter=^(fib|outbound%5Cx7c80%5Cx7c%5Cx7ca%5Cx2eb)$");
    }

    #[test]
    fn a_query_fills_up() {
        let mut query = Query::default();
        while !query.is_full() {
            query.add("a-cluster-with-a-name");
        }
        assert!(query.path().len() < 2 * LONGEST_FILTER);
    }
}
