//! The budget: how many extra attempts a function may cost, however many of its requests would like one.

/// What a token is counted in: a request earns a percentage of one.
const TOKEN: u64 = 100;

/// Most tokens that a function starts with and saves up, at the least: while one of two replicas is frozen about 20
/// requests need a second attempt before it is set aside (seen at 200 requests a second). And when all pause for a tenth of
/// a second 20 wait, each with its reservation, and those after them may be sent to one that is dead.
pub const LEAST_BURST: u64 = 30;

/// The burst holds this many times what comes within a hedge delay at the most: a frozen replica is found after one or
/// two, and what was sent to it until then is rescued within the third.
pub const BURST_IN_DELAYS: u64 = 3;

/// A token bucket over the extra attempts of one function. Requests reserve what they may need when they start and
/// give back what they didn't: else all those in flight while a function stalls would spend the same tokens.
#[derive(Debug, Clone)]
pub struct Budget {
    percent: u64,
    saved: u64,
    burst: u64,
}

impl Budget {
    /// A full budget that earns `percent` of an extra attempt with each request. None at 0 %: not even the burst.
    #[must_use]
    pub fn new(percent: u8) -> Self {
        let burst = if percent == 0 { 0 } else { tuned!(LEAST_BURST) * TOKEN };
        Self { percent: u64::from(percent), saved: burst, burst }
    }

    /// A request has come.
    pub fn earn(&mut self) {
        self.saved = (self.saved + self.percent).min(self.burst);
    }

    /// Makes room for at least `tokens`: more are in flight at once than before. The room comes filled, once.
    pub fn make_room(&mut self, tokens: u64) {
        let wanted = tokens.saturating_mul(TOKEN);
        if self.percent > 0 && wanted > self.burst {
            self.saved += wanted - self.burst;
            self.burst = wanted;
        }
    }

    /// Reserves up to `wanted` extra attempts, and says how many: all but the first only while more than half of the
    /// burst is there.
    pub fn reserve(&mut self, wanted: u32) -> u32 {
        let mut reserved = 0;
        while reserved < wanted {
            let left = if reserved == 0 { 0 } else { self.burst / 2 };
            match self.saved.checked_sub(TOKEN) {
                Some(rest) if rest >= left => self.saved = rest,
                _ => break,
            }
            reserved += 1;
        }
        reserved
    }

    /// A request that had `reserved` so many is over and made `spent` extra attempts. What it didn't need goes back.
    /// What it needed beyond that, waiting for a replica, is paid from what is there: in full if the attempts may have
    /// run (`ran`), else a tenth, for a connection that is refused costs a replica next to nothing.
    pub fn pay(&mut self, reserved: u32, spent: u32, ran: bool) {
        let price = if ran { TOKEN } else { TOKEN / 10 };
        let unneeded = u64::from(reserved.saturating_sub(spent)) * TOKEN;
        let beyond = u64::from(spent.saturating_sub(reserved)) * price;
        self.saved = (self.saved + unneeded).min(self.burst).saturating_sub(beyond);
    }

    /// Less than a quarter of the burst is left. That is for requests that would hang otherwise: hedges of such as are
    /// merely late must not use up what saves those that are sent to a replica just before it freezes.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.saved < self.burst / 4
    }

    /// How many extra attempts could be made at once now.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.saved / TOKEN
    }

    /// How many it can save up.
    #[must_use]
    pub fn burst(&self) -> u64 {
        self.burst / TOKEN
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_spent_at_zero_percent() {
        let mut budget = Budget::new(0);
        budget.earn();
        budget.make_room(50);
        assert_eq!((budget.reserve(1), budget.tokens(), budget.burst()), (0, 0, 0));
    }

    #[test]
    fn the_second_extra_attempt_is_for_good_times() {
        let mut budget = Budget::new(10);
        assert_eq!(budget.reserve(2), 2);
        while budget.tokens() > LEAST_BURST / 2 {
            budget.reserve(1);
        }
        assert_eq!(budget.reserve(2), 1);
    }

    #[test]
    fn the_last_quarter_is_for_requests_that_hang() {
        let mut budget = Budget::new(10);
        while budget.tokens() > LEAST_BURST.div_ceil(4) {
            budget.reserve(1);
        }
        assert!(!budget.is_short());
        assert_eq!((budget.reserve(1), budget.is_short()), (1, true));
        assert!(!Budget::new(0).is_short(), "there is nothing to spare");
    }

    #[test]
    fn room_for_more_in_flight_comes_filled_and_only_once() {
        let mut budget = Budget::new(10);
        budget.make_room(96);
        assert_eq!((budget.tokens(), budget.burst()), (96, 96));
        budget.reserve(1);
        budget.make_room(50);
        budget.make_room(96);
        assert_eq!(budget.tokens(), 95);
    }

    #[test]
    fn waiting_longer_than_was_reserved_is_paid_and_refused_connections_are_cheap() {
        let mut budget = Budget::new(10);
        let reserved = budget.reserve(1);
        budget.pay(reserved, 11, false);
        assert_eq!(budget.tokens(), LEAST_BURST - 2);
        let reserved = budget.reserve(1);
        budget.pay(reserved, 11, true);
        assert_eq!(budget.tokens(), LEAST_BURST - 13);
        budget.pay(0, 30, true);
        assert_eq!(budget.tokens(), 0);
    }

    proptest! {
        #[test]
        fn never_more_is_spent_than_the_share_and_the_burst(
            percent in 0_u8..=100,
            wishes in prop::collection::vec((0_u32..3, 0_u32..3), 1..400),
        ) {
            let mut budget = Budget::new(percent);
            let mut spent = 0_u64;
            for (wanted, needed) in &wishes {
                budget.earn();
                let reserved = budget.reserve(*wanted);
                let used = reserved.min(*needed);
                budget.pay(reserved, used, true);
                spent += u64::from(used);
            }
            let earned = wishes.len() as u64 * u64::from(percent) / 100;
            prop_assert!(spent <= earned + budget.burst(), "{} > {} + {}", spent, earned, budget.burst());
        }
    }
}
