//! What was seen of a cell, held against what is expected of it.

use std::collections::BTreeMap;
use std::time::Duration;

use steadfaas_core::policy::Strategy;

use super::cell::Cell;
use super::expect::{Expect, Failures, Then};
use super::words::Call;
use crate::record::{self, Outcome};

/// How much each replica had executed at a moment.
#[derive(Debug, Clone)]
pub struct Look {
    /// When, after the first request.
    pub at: Duration,
    /// Executions, replica by replica.
    pub executions: Vec<usize>,
}

impl Look {
    /// How much each replica has executed since `before`.
    pub(super) fn since(&self, before: &Self) -> Vec<usize> {
        let pairs = self.executions.iter().zip(&before.executions);
        pairs.map(|(now, before)| now.saturating_sub(*before)).collect()
    }
}

/// What was seen of a cell.
#[derive(Debug, Clone)]
pub struct Observed {
    /// What the clients got.
    pub outcomes: Vec<Outcome>,
    /// The executions: before the first request, at each step, and at the end.
    pub looks: Vec<Look>,
    /// The replica that was the first to suffer.
    pub victim: Option<usize>,
    /// How often each request ran.
    pub runs: BTreeMap<String, u32>,
    /// Status and text of a request after the load; none if it got no answer.
    pub last_answer: Option<(u16, String)>,
}

/// Trials of a replica that is set aside, and requests that are led there before it is, within the seconds of a cell:
/// trials come after 500 ms and then a third as often each time.
const FEW: usize = 8;

/// Extra attempts that a function may make beyond a tenth of its requests, as the budget is unless it is set.
const BURST: usize = 20;

/// A step looks at the replicas first, and then a signal has to arrive.
const TO_TAKE_EFFECT: Duration = Duration::from_millis(50);

impl Observed {
    /// Requests that failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        record::failed(&self.outcomes)
    }

    /// The most runs of one request.
    #[must_use]
    pub fn most_runs(&self) -> u32 {
        self.runs.values().copied().max().unwrap_or(0)
    }

    /// Everything that isn't as `cell` expects; nothing if all is well.
    #[must_use]
    pub fn complaints(&self, cell: &Cell) -> Vec<String> {
        let Ok(expect) = &cell.expect else { return Vec::new() };
        let found = [
            self.judge_roles(cell),
            self.judge_failures(expect.failures),
            self.judge_runs(cell, expect),
            self.judge_victim(cell, expect.then),
        ];
        found.into_iter().flatten().collect()
    }

    /// Until the fault the replicas are used as the strategy says.
    fn judge_roles(&self, cell: &Cell) -> Option<String> {
        let (first, fault) = (self.looks.first()?, self.looks.get(1)?);
        let mut shares = fault.since(first);
        shares.truncate(cell.replicas);
        let due = self.outcomes.iter().filter(|outcome| outcome.due < fault.at).count();
        let done = self.outcomes.iter().filter(|outcome| outcome.ended() < fault.at).count();
        let text = format!("before the fault {done} to {due} requests ran as {shares:?} on its replicas");
        shares.sort_unstable_by(|a, b| b.cmp(a));
        let is_hedged = cell.strategy == Strategy::RequestReplication && cell.call != Call::Post;
        let (active, enough) = match cell.strategy {
            Strategy::Retry | Strategy::Hedged => (cell.replicas, done / (3 * cell.replicas)),
            Strategy::ActiveStandby => {
                let active = cell.replicas.saturating_sub(1).max(1);
                (active, done / (3 * active))
            }
            // One that is answered within a millisecond, as Envoy sees it, needs no second copy.
            Strategy::RequestReplication if is_hedged => (cell.replicas.min(2), done / 2),
            Strategy::RequestReplication => (cell.replicas.min(2), 0),
        };
        let (active, idle) = shares.split_at_checked(active)?;
        let copies = if is_hedged { active.len() } else { 1 };
        // A standby is asked now and then; a request may be between two replicas at the moment of the look, and one
        // that seems late is hedged if it may be.
        let spare = if cell.call == Call::Post { 2 } else { due / 10 + BURST };
        let is_well = active.iter().all(|share| *share >= enough)
            && idle.iter().all(|share| *share <= FEW)
            && shares.iter().sum::<usize>() <= due * copies + spare;
        (!is_well).then_some(text)
    }

    fn judge_failures(&self, allowed: Failures) -> Option<String> {
        let fault = self.looks.get(1).map_or(Duration::ZERO, |look| look.at);
        let is_excused = |outcome: &Outcome| match allowed {
            Failures::None => false,
            Failures::OpenThen(_) => self.is_open_at_a_step(outcome),
            Failures::ThoseSentThere(_) => outcome.ended() >= fault,
            Failures::Between(from, until, _) => outcome.ended() >= from && outcome.due <= until,
        };
        let failed: Vec<&Outcome> = self.outcomes.iter().filter(|outcome| !outcome.got.is_good()).collect();
        let (excused, others): (Vec<&Outcome>, Vec<&Outcome>) =
            failed.into_iter().partition(|outcome| is_excused(outcome));
        let most = match allowed {
            Failures::None => 0,
            // One may have been on its way there at the moment of the fault.
            Failures::ThoseSentThere(_) => self.sent_to_victim() + 1,
            Failures::OpenThen(_) | Failures::Between(..) => usize::MAX,
        };
        let (kind, wrong) = match others.first() {
            Some(_) => ("that may not", others),
            None if excused.len() > most => ("where fewer may", excused),
            None => return None,
        };
        let first = wrong.first()?;
        let times: Vec<_> = wrong.iter().take(8).map(|outcome| outcome.due.as_millis()).collect();
        let (got, after) = (first.got.name(), first.latency);
        let text = format!("{} requests fail {kind}, due at {times:?} ms", wrong.len());
        Some(format!("{text}; the first got {got} after {after:.0?}"))
    }

    fn is_open_at_a_step(&self, outcome: &Outcome) -> bool {
        let steps = self.looks.get(1..self.looks.len().saturating_sub(1)).unwrap_or_default();
        steps.iter().any(|step| outcome.due <= step.at + TO_TAKE_EFFECT && step.at <= outcome.ended())
    }

    /// Executions of the victim since the fault.
    fn sent_to_victim(&self) -> usize {
        self.looks.get(1).and_then(|fault| self.executed_by_victim_since(fault)).unwrap_or(0)
    }

    fn judge_runs(&self, cell: &Cell, expect: &Expect) -> Option<String> {
        if self.most_runs() > expect.runs {
            let (id, runs) = self.runs.iter().max_by_key(|(_, runs)| **runs)?;
            let wrong = self.runs.values().filter(|runs| **runs > expect.runs).count();
            let all = self.runs.len();
            return Some(format!("{wrong} of {all} requests run too often: {id} ran {runs} times"));
        }
        // What a killed process ran last, nobody can ask it by id; but it can't be more than there were requests.
        let executions: usize = self.looks.last()?.since(self.looks.first()?).iter().sum();
        let requests = self.outcomes.len() + usize::from(self.last_answer.is_some());
        (cell.call == Call::Post && executions > requests)
            .then(|| format!("{requests} requests ran {executions} times in all"))
    }

    fn judge_victim(&self, cell: &Cell, then: Then) -> Option<String> {
        match then {
            Then::Anything => None,
            Then::IsSetAside => self.judge_absence(cell),
            Then::IsUsed => self.judge_presence(),
            Then::StandsBy => self.judge_patience(),
            Then::AllAreUsed => self.judge_copies(),
            Then::ClientsAreTold => match &self.last_answer {
                Some((503, text)) if text.contains(&cell.name()) => None,
                other => Some(format!("a client gets {other:?} instead of a 503 that names the function")),
            },
        }
    }

    /// Once the fault has settled, the victim gets trials only.
    fn judge_absence(&self, cell: &Cell) -> Option<String> {
        let (fault, settled) = (self.looks.get(1)?, self.looks.get(2)?);
        let meanwhile =
            self.outcomes.iter().filter(|outcome| (fault.at..settled.at).contains(&outcome.due)).count();
        // What a frozen process was sent it runs at the end; copies are sent to it until it has lost some races.
        let is_raced = cell.fault.is_of_processes() && cell.strategy == Strategy::RequestReplication;
        let (from, most) = if is_raced { (fault, meanwhile + FEW) } else { (settled, FEW) };
        let executed = self.executed_by_victim_since(from)?;
        (executed > most).then(|| format!("the faulty replica gets {executed} requests after {:?}", from.at))
    }

    fn judge_presence(&self) -> Option<String> {
        let settled = self.looks.get(2)?;
        let executed = self.executed_by_victim_since(settled)?;
        (executed <= FEW).then(|| format!("the replica gets only {executed} requests after {:?}", settled.at))
    }

    /// From when it was looked at after its return to the next step, the victim gets a trial or two.
    fn judge_patience(&self) -> Option<String> {
        let (back, later) = (self.looks.get(3)?, self.looks.get(4)?);
        let executed = later.since(back).get(self.victim?).copied()?;
        (executed > FEW)
            .then(|| format!("the replica that came back gets {executed} requests after {:?}", back.at))
    }

    fn executed_by_victim_since(&self, look: &Look) -> Option<usize> {
        self.looks.last()?.since(look).get(self.victim?).copied()
    }

    fn judge_copies(&self) -> Option<String> {
        let (fault, end) = (self.looks.get(1)?, self.looks.last()?);
        let mut shares = end.since(fault);
        shares.sort_unstable_by(|a, b| b.cmp(a));
        let due = self.outcomes.iter().filter(|outcome| outcome.due >= fault.at).count();
        let is_well = shares.iter().take(2).all(|share| *share >= due / 2);
        (!is_well).then(|| format!("{due} requests ran as {shares:?}: not each on two replicas"))
    }
}
