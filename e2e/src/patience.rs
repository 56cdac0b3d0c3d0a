//! Waiting for what takes its time.

use std::time::{Duration, Instant};

/// How long and how closely something is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How long at most.
    pub(crate) most: Duration,
    /// How often it is looked: what is timed is as exact.
    pub(crate) every: Duration,
}

impl Patience {
    /// Waits until something holds, and says how long that took.
    ///
    /// # Errors
    /// It can't be told, or doesn't hold in time: `otherwise` says what is the matter then.
    pub(crate) fn until(
        self,
        otherwise: &str,
        mut holds: impl FnMut() -> anyhow::Result<bool>,
    ) -> anyhow::Result<Duration> {
        let began = Instant::now();
        while !holds()? {
            anyhow::ensure!(began.elapsed() < self.most, "{otherwise} after {} s", self.most.as_secs());
            std::thread::sleep(self.every);
        }
        Ok(began.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_when_something_holds_or_time_is_over_or_nobody_can_tell() {
        let patience = Patience { most: Duration::from_secs(1), every: Duration::from_millis(1) };
        let mut looks = 0;
        let third = || {
            looks += 1;
            Ok(looks == 3)
        };
        assert!(patience.until("never", third).unwrap() >= Duration::from_millis(2));
        let none = Patience { most: Duration::ZERO, ..patience };
        assert_eq!(none.until("never", || Ok(false)).unwrap_err().to_string(), "never after 0 s");
        assert_eq!(none.until("never", || anyhow::bail!("who knows")).unwrap_err().to_string(), "who knows");
    }
}
