//! The prime number itself.

/// Largest n: its prime, 7,368,787, takes a third of a second, and those before it 2 MB.
pub const MAX_N: u32 = 500_000;

/// What is looked for where a request doesn't say: microseconds.
pub const DEFAULT_N: u32 = 100;

/// The n-th prime number, by dividing: the function stands for one that computes. The first is 2; n is counted from 1.
#[must_use]
pub fn nth_prime(n: u32) -> u32 {
    let mut primes = vec![2_u32];
    let mut candidate = 1;
    for _ in 1..n {
        candidate += 2;
        while !is_prime(candidate, &primes) {
            candidate += 2;
        }
        primes.push(candidate);
    }
    primes.last().copied().unwrap_or(2)
}

/// Whether no smaller prime divides it; these are all of them.
fn is_prime(candidate: u32, smaller: &[u32]) -> bool {
    smaller
        .iter()
        .take_while(|prime| *prime * *prime <= candidate)
        .all(|prime| !candidate.is_multiple_of(*prime))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_prime_and_none_is_left_out() {
        let first: Vec<u32> = (1..=10).map(nth_prime).collect();
        assert_eq!(first, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
        assert_eq!(nth_prime(1_000), 7_919);
        assert_eq!(nth_prime(10_000), 104_729);
    }
}
