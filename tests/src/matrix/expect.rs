//! What is expected of a cell.

use std::fmt;
use std::time::Duration;

/// What is expected of a cell, beside what holds in each: nothing fails before the fault, until then the replicas are
/// used as the strategy says, and a request that must not run twice doesn't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect {
    /// Which requests may fail.
    pub failures: Failures,
    /// How often one request may run at most.
    pub runs: u32,
    /// What becomes of the victim.
    pub then: Then,
}

/// Which of the clients' requests may fail, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failures {
    /// None.
    None,
    /// Those that are open at a moment when a replica is made to fail.
    OpenThen(&'static str),
    /// As many as reached the victim since the fault.
    ThoseSentThere(&'static str),
    /// Those that are open at a moment between these two.
    Between(Duration, Duration, &'static str),
}

/// What becomes of the faulty replica after the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing that the test could see, or nothing that matters.
    Anything,
    /// It gets trials only.
    IsSetAside,
    /// It is used as before, for nothing is wrong with it.
    IsUsed,
    /// Once it is back it stands by, and doesn't take its role from the one that took over.
    StandsBy,
    /// All K + 1 replicas are still used for each request.
    AllAreUsed,
    /// A request gets one 503 that names the function.
    ClientsAreTold,
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; a request runs at most {}", self.failures, times(self.runs))?;
        f.write_str(match self.then {
            Then::Anything => "",
            Then::IsSetAside => "; then it gets trials only",
            Then::IsUsed => "; it is used on",
            Then::StandsBy => "; once back it stands by",
            Then::AllAreUsed => "; all are used on",
            Then::ClientsAreTold => "; clients get a 503 that names the function",
        })
    }
}

fn times(number: u32) -> String {
    if number == 1 { "once".to_owned() } else { format!("{number} times") }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no request fails"),
            Self::OpenThen(why) => write!(f, "those that are open then fail, for {why}"),
            Self::ThoseSentThere(why) => write!(f, "those sent there fail, for {why}"),
            Self::Between(from, Duration::MAX, why) => write!(f, "requests fail from {from:?} on, for {why}"),
            Self::Between(from, until, why) => {
                write!(f, "requests fail from {from:?} to {until:?}, for {why}")
            }
        }
    }
}
