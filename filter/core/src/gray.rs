//! Gray failure: a replica that answers, and passes its probes, but takes much longer than its peers.

use crate::lane::Lane;
use crate::view::View;

/// A replica whose median is this many times its quickest peer's is set aside. Twice as slow may be another kind of
/// machine; at three times it is better to have one replica less.
pub const MUCH_SLOWER: f32 = 3.0;

/// The slowest of the well replicas, if it is much slower than the quickest. Never the last one, for it has no peer;
/// never because the function got slower everywhere, for its peers did too.
#[must_use]
pub fn much_slower<L: AsRef<Lane>>(view: &View, lanes: &[L]) -> Option<usize> {
    let (mut slowest, mut quickest) = (None, f32::INFINITY);
    let mut most = 0.0;
    for (place, (replica, lane)) in view.replicas.iter().zip(lanes).enumerate() {
        let Some(slowness) = lane.as_ref().slowness().filter(|_| replica.is_well() && !replica.reserve)
        else {
            continue;
        };
        quickest = quickest.min(slowness);
        if slowness > most {
            (slowest, most) = (Some(place), slowness);
        }
    }
    let place = slowest.filter(|_| most > quickest * tuned!(MUCH_SLOWER))?;
    lanes.get(place)?.as_ref().forget_slowness();
    Some(place)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::admin::Host;
    use crate::policy::{NOWHERE, Strategy};
    use crate::time::Millis;
    use crate::view::Roles;

    const ROLES: Roles<'static> =
        Roles { function: "fib", strategy: Strategy::Retry, tolerate: 1, placement: &NOWHERE };

    fn lanes(times: &[f32]) -> (View, Vec<Rc<Lane>>) {
        let host = |n| Host::well(format!("10.0.0.{n}:80"));
        let mut view = View::default();
        view.observe(&(0..times.len()).map(host).collect::<Vec<_>>(), &ROLES, Millis(1));
        let lanes: Vec<Rc<Lane>> = times.iter().map(|_| Rc::default()).collect();
        for (lane, times) in lanes.iter().zip(times) {
            (0..60).for_each(|_| lane.took(*times));
        }
        (view, lanes)
    }

    #[test]
    fn the_one_that_is_much_slower_is_found_once() {
        let (view, lanes) = lanes(&[1.0, 4.0, 1.2]);
        assert_eq!(much_slower(&view, &lanes), Some(1));
        assert_eq!(much_slower(&view, &lanes), None, "it gets a new trial");
    }

    #[test]
    fn slower_everywhere_is_no_fault_of_one() {
        let (view, lanes) = lanes(&[9.0, 10.0]);
        assert_eq!(much_slower(&view, &lanes), None);
    }

    #[test]
    fn the_last_well_one_has_no_peer() {
        let (mut view, lanes) = lanes(&[1.0, 9.0]);
        view.suspect(0, false, &ROLES, Millis(2));
        assert_eq!(much_slower(&view, &lanes), None);
    }
}
