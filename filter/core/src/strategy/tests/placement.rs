//! Replicas that share a node or a zone, and those of another service.

use super::*;

/// On the first node are the first two.
fn first_two_together() -> Placement {
    let together = [1, 2].map(|n| format!("10.0.0.{n}")).to_vec();
    Placement { nodes: vec![together], ..Placement::default() }
}

#[test]
fn the_next_attempt_goes_rather_to_another_zone_and_at_least_to_another_node() {
    let mut stage = placed(4, &[("strategy", "retry"), ("tolerate", "3")], first_two_together());
    for (replica, zone) in stage.view.replicas.iter_mut().zip([1, 1, 1, 2]) {
        replica.site.zone = zone;
    }
    let _busy: Vec<InFlight> = [3, 3, 2].map(|place| enter(&stage.lanes[place])).into();
    let Plan { order, .. } = stage.plan();
    assert!(order[0] < 2, "the least busy first: {order:?}");
    assert_eq!(order[1..4], [3, 2, 1 - order[0]]);
}

#[test]
fn a_full_replica_elsewhere_comes_after_one_on_the_same_node() {
    let stage = placed(3, &[("strategy", "retry")], first_two_together());
    let _busy: Vec<InFlight> = (0..30).map(|_| enter(&stage.lanes[2])).collect();
    let Plan { order, .. } = stage.plan();
    assert_eq!((order[0] < 2, order[1] < 2, order[2]), (true, true, 2));
}

fn with_reserve(strategy: &str, reserve: &[u8]) -> Stage {
    let standby = reserve.iter().map(|n| format!("10.0.0.{n}:8080")).collect();
    placed(3, &[("strategy", strategy)], Placement { standby, ..Placement::default() })
}

#[test]
fn another_services_replica_comes_last_and_alone_where_no_own_one_is_well() {
    for strategy in ["retry", "active-standby", "hedged"] {
        let mut stage = with_reserve(strategy, &[1]);
        assert_eq!((stage.plan().order[2], stage.active().contains(&0)), (0, false), "{strategy}");
        stage.suspect(1);
        assert_eq!(stage.plan().order, [2, 0, 0], "{strategy}");
        stage.suspect(2);
        let plan = stage.plan();
        assert_eq!((plan.order, plan.is_desperate), (vec![0; 3], false), "{strategy}");
        assert_eq!(stage.active(), [0]);
    }
}

#[test]
fn copies_are_run_by_another_services_replicas_only_where_no_own_one_is_well() {
    let mut stage = with_reserve("request-replication", &[1, 2]);
    let lone = stage.plan();
    assert_eq!((lone.order[0], lone.hedge_after), (2, Some(DELAY)), "no race with a reserve, but a rescue");
    stage.suspect(2);
    let plan = stage.plan();
    assert_eq!((plan.order.len(), plan.hedge_after), (2, Some(NEXT_START_AFTER)));
    assert!(!plan.order.contains(&2));
}

#[test]
fn another_services_replica_is_never_asked_just_to_be_heard_of() {
    let mut stage = with_reserve("active-standby", &[1]);
    let policy = stage.policy.clone();
    let roles = Roles::of(&policy);
    let much_later = NOW.after(Duration::from_secs(600));
    stage.suspect(0);
    assert_ne!(stage.view.due(&roles, true, much_later), Some(0), "not even as a suspect");
    stage.suspect(1);
    stage.suspect(2);
    assert_eq!(stage.view.due(&roles, true, much_later), Some(0), "but where nobody else is left");
}
