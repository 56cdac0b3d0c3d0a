//! What happens to replicas.

use super::World;
use crate::agenda::{Ending, Event};
use crate::replica::Condition;
use crate::router::ONE_WAY;
use crate::scenario::{Act, Whom};

impl World {
    pub(super) fn act(&mut self, number: usize) {
        let Some((_, act)) = self.scenario.acts.get(number).copied() else { return };
        let (Act::Kill(whom)
        | Act::Restart(whom)
        | Act::Freeze(whom)
        | Act::Thaw(whom)
        | Act::Lose(whom)
        | Act::Behave(whom, _)) = act;
        for place in self.places(whom) {
            self.act_on(place, act);
        }
    }

    fn places(&mut self, whom: Whom) -> Vec<usize> {
        match whom {
            Whom::All => (0..self.replicas.len()).collect(),
            Whom::Busiest => {
                let busiest = self.target.or_else(|| self.busiest());
                self.target = busiest;
                busiest.into_iter().collect()
            }
        }
    }

    /// The replica that got most requests of late; the first of several.
    fn busiest(&self) -> Option<usize> {
        let received = self.replicas.iter().zip(&self.before).map(|(now, before)| now.received - before);
        received.enumerate().rev().max_by_key(|(_, received)| *received).map(|(place, _)| place)
    }

    fn act_on(&mut self, place: usize, act: Act) {
        let Some(replica) = self.replicas.get_mut(place) else { return };
        replica.since = self.now;
        match act {
            Act::Kill(_) => {
                let broken = replica.die();
                let back = self.now + ONE_WAY;
                broken
                    .into_iter()
                    .for_each(|number| self.agenda.put(back, Event::Heard(number, Ending::Reset)));
                self.close_connections(place);
            }
            Act::Freeze(_) => replica.condition = Condition::Frozen,
            Act::Lose(_) => replica.condition = Condition::Lost,
            Act::Behave(_, manners) => replica.manners = manners,
            Act::Restart(_) | Act::Thaw(_) => {
                let (held, life) = (replica.go_on(), replica.life);
                for attempt in held {
                    self.agenda.put(self.now, Event::Worked { replica: place, attempt, life });
                }
                self.work(place);
            }
        }
    }

    fn close_connections(&mut self, place: usize) {
        self.pools.iter_mut().skip(place).step_by(self.scenario.replicas).for_each(crate::pool::Pool::close);
    }
}
