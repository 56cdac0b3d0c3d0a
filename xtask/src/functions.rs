//! The functions that tests, the test bed and the evaluation run.

/// One of them: a package with a program of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Computes Fibonacci numbers, counts what it runs, misbehaves when told to.
    Fib,
    /// Keeps entries in Redis.
    Guestbook,
    /// Looks for prime numbers.
    Primes,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fib, Self::Guestbook, Self::Primes];

    /// What its package and its program are called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fib => "fib",
            Self::Guestbook => "guestbook",
            Self::Primes => "primes",
        }
    }

    /// The variable that names its program.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Fib => "STEADFAAS_FIB",
            Self::Guestbook => "STEADFAAS_GUESTBOOK",
            Self::Primes => "STEADFAAS_PRIMES",
        }
    }
}
