//! How a test brings a fault about: what it does to which replica, and when.

use std::time::Duration;

use hyper::StatusCode;

use super::words::Fault;
use crate::scripted::Behaviour;

/// What a test does at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When, after the first request.
    pub at: Duration,
    /// What.
    pub what: Action,
    /// To whom.
    pub whom: Whom,
}

/// What a test does to a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// SIGKILL.
    Kill,
    /// SIGSTOP.
    Freeze,
    /// SIGCONT.
    Thaw,
    /// SIGTERM.
    Stop,
    /// Its process is started again.
    Start,
    /// A scripted replica changes its behaviour.
    Behave(Behaviour),
    /// A scripted replica closes its port.
    Refuse,
    /// A scripted replica opens its port again.
    ComeBack,
    /// Makes these the members of the cluster.
    Join,
    /// Nothing: counts are taken, as at every step.
    Look,
}

/// To whom it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// The replica that has executed most since the step before. The first of these is the cell's victim.
    Busiest,
    /// The replica that has executed least since the step before; the victim if it is the first.
    Idlest,
    /// The victim.
    Victim,
    /// The replicas from this number up to before that one. The first ones are the victims.
    Those(usize, usize),
}

/// When most faults happen: some milliseconds after a request is due, so that one is running.
pub const FAULT_AT: Duration = Duration::from_millis(1_005);

/// How long after a fault it may take until nobody is led into it any more, but for trials: a failed check is known
/// when the filter next asks for the view, which is every second.
const SETTLED: Duration = Duration::from_millis(1_700);

/// How long a well replica's request takes, as `fib`'s.
pub const WORK: Duration = Duration::from_millis(10);

impl Fault {
    /// What the test does in a cell with `count` replicas, in order of time.
    #[must_use]
    pub fn steps(self, count: usize) -> Vec<Step> {
        let step = |ms: u64, what, whom| Step { at: Duration::from_millis(ms), what, whom };
        let behave = |behaviour| {
            then_look(Step { at: FAULT_AT, what: Action::Behave(behaviour), whom: Whom::Busiest })
        };
        let at_fault = |what| then_look(Step { at: FAULT_AT, what, whom: Whom::Busiest });
        let all = Whom::Those(0, count);
        match self {
            Self::Killed => at_fault(Action::Kill),
            Self::Refused => at_fault(Action::Refuse),
            Self::Frozen | Self::FrozenAndProbed => at_fault(Action::Freeze),
            Self::Answers503 => behave(Behaviour::Status(StatusCode::SERVICE_UNAVAILABLE)),
            Self::Answers500 => behave(Behaviour::Status(StatusCode::INTERNAL_SERVER_ERROR)),
            Self::ResetsAfterRequest => behave(Behaviour::ResetAfterRequest),
            Self::ResetsInAnswer => behave(Behaviour::ResetInAnswer),
            Self::SilentAfterHead => behave(Behaviour::HeadThenSilence),
            Self::SaysUnhealthy => behave(Behaviour::Unhealthy(WORK)),
            Self::StartsSlowly => {
                let (first, over) = (Duration::from_millis(300), Duration::from_secs(1));
                behave(Behaviour::SlowStart { first, over, then: WORK })
            }
            Self::AllDown => vec![Step { at: FAULT_AT, what: Action::Refuse, whom: all }],
            Self::HalfBackAgain => vec![
                Step { at: FAULT_AT, what: Action::Refuse, whom: all },
                step(2_000, Action::ComeBack, Whom::Those(0, count.div_ceil(2))),
            ],
            Self::StandbyDeadBefore => vec![
                step(500, Action::Freeze, Whom::Idlest),
                step(6_500, Action::Kill, Whom::Busiest),
                step(7_500, Action::Thaw, Whom::Victim),
            ],
            Self::PromotedKilled => vec![
                step(1_000, Action::Kill, Whom::Busiest),
                step(1_700, Action::Start, Whom::Victim),
                step(2_200, Action::Look, Whom::Victim),
                step(4_000, Action::Kill, Whom::Busiest),
            ],
            Self::ScaledToZeroAndBack => vec![
                step(1_000, Action::Join, Whom::Those(0, 1)),
                step(1_300, Action::Stop, Whom::Those(1, count)),
                step(1_600, Action::Join, Whom::Those(0, 0)),
                step(1_900, Action::Stop, Whom::Those(0, 1)),
                step(2_200, Action::Start, all),
                step(2_500, Action::Join, all),
            ],
            Self::Replaced => {
                vec![step(1_000, Action::Join, Whom::Those(count, 2 * count)), step(1_300, Action::Stop, all)]
            }
            Self::RolledOver => (0..count).flat_map(|place| roll(place, count)).collect(),
            Self::EagerOutlierDetection => vec![step(1_000, Action::Look, all)],
        }
    }
}

fn then_look(first: Step) -> Vec<Step> {
    vec![first, Step { at: first.at + SETTLED, what: Action::Look, whom: Whom::Victim }]
}

/// Replica `place` is replaced by its successor: that one is made a member in its stead, and then the old one is
/// stopped.
fn roll(place: usize, count: usize) -> [Step; 2] {
    let at = |ms: u64| {
        FAULT_AT + Duration::from_millis(ms) + Duration::from_secs(1) * u32::try_from(place).unwrap_or(0)
    };
    let successor = count + place;
    [
        Step { at: at(0), what: Action::Join, whom: Whom::Those(place + 1, successor + 1) },
        Step { at: at(300), what: Action::Stop, whom: Whom::Those(place, place + 1) },
    ]
}
