//! What a worker sees of a function's replicas: the view that all workers share, and its own lanes to them.

use std::rc::Rc;

use crate::lane::Lane;
use crate::view::View;

/// A view with one worker's lanes, place by place. Requests in flight keep theirs, whatever comes after it.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// What all workers know of the replicas.
    pub view: Rc<View>,
    /// What this worker knows of each.
    pub lanes: Rc<[Rc<Lane>]>,
}

impl Sight {
    /// The same once `view` has come: lanes to replicas that are still there stay.
    #[must_use]
    pub fn followed_by(&self, view: View) -> Self {
        let lane_to = |address: &str| {
            let known = self.view.find(address).and_then(|place| self.lanes.get(place));
            known.cloned().unwrap_or_default()
        };
        let lanes = view.replicas.iter().map(|replica| lane_to(&replica.address)).collect();
        Self { view: Rc::new(view), lanes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::Host;
    use crate::policy::{Policy, WrittenPolicy};
    use crate::time::Millis;
    use crate::view::Roles;

    #[test]
    fn a_lane_stays_with_its_replica_wherever_that_stands() {
        let settings = [("strategy".to_owned(), "retry".to_owned())].into();
        let policy = Policy::compile(&WrittenPolicy::new("fib", settings)).unwrap();
        let view = |last: [u8; 2]| {
            let hosts = last.map(|last| Host::well(format!("10.0.0.{last}:80")));
            let mut view = View::default();
            view.observe(&hosts, &Roles::of(&policy), Millis(1));
            view
        };
        let before = Sight::default().followed_by(view([2, 3]));
        let after = before.followed_by(view([1, 2]));
        let lane = |sight: &Sight, address: &str| sight.lanes[sight.view.find(address).unwrap()].clone();
        assert!(Rc::ptr_eq(&lane(&before, "10.0.0.2:80"), &lane(&after, "10.0.0.2:80")));
        assert!(!Rc::ptr_eq(&lane(&before, "10.0.0.3:80"), &lane(&after, "10.0.0.1:80")));
        assert_eq!(after.lanes.len(), 2);
    }
}
