//! The Fibonacci number itself.

/// Largest number that is computed: takes about half a second, the next ones half as long again each.
pub const MAX_N: u8 = 42;

/// What is computed where a request doesn't say: some thousand calls, microseconds.
pub const DEFAULT_N: u8 = 15;

/// The n-th Fibonacci number, the way that costs something: the function stands for one that computes.
#[must_use]
pub fn fibonacci(n: u8) -> u64 {
    if n < 2 { u64::from(n) } else { fibonacci(n - 1) + fibonacci(n - 2) }
}

/// The n that a request asks for: in a query `n=15`, else in its body, else [`DEFAULT_N`].
///
/// # Errors
/// It is no number from 0 to [`MAX_N`].
pub fn wanted(query: Option<&str>, body: &[u8]) -> Result<u8, String> {
    serving::n(query, body, 0..=MAX_N, DEFAULT_N)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_fibonaccis() {
        let first: Vec<u64> = (0..11).map(fibonacci).collect();
        assert_eq!(first, [0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55]);
        assert_eq!(fibonacci(15), 610);
    }

    #[test]
    fn n_stands_in_the_query_or_the_body_or_is_fifteen() {
        assert_eq!(wanted(Some("a=1&n=7"), b"9"), Ok(7));
        assert_eq!(wanted(Some("a=1"), b"9\n"), Ok(9));
        assert_eq!(wanted(None, b""), Ok(DEFAULT_N));
    }

    #[test]
    fn what_is_no_number_or_too_large_is_refused() {
        for (query, body) in [(Some("n="), ""), (Some("n=43"), ""), (None, "ten"), (None, "-1")] {
            assert!(wanted(query, body.as_bytes()).is_err(), "{query:?} {body:?}");
        }
    }
}
