//! Runs by request id, in bounded memory.

use std::collections::{BTreeMap, HashMap, VecDeque};

/// Most ids that are remembered: more than any test sends, a few megabytes.
const MAX_IDS: usize = 65_536;

/// Longest id that is remembered whole: a UUID has 36 characters.
const MAX_ID_LENGTH: usize = 128;

/// How often each id was run. The oldest are forgotten.
#[derive(Debug, Default)]
pub(super) struct Ids {
    runs: HashMap<String, u32>,
    order: VecDeque<String>,
}

impl Ids {
    pub(super) fn count(&mut self, id: &str) {
        let id: String = id.chars().take(MAX_ID_LENGTH).collect();
        if let Some(runs) = self.runs.get_mut(&id) {
            *runs += 1;
            return;
        }
        if self.order.len() == MAX_IDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.runs.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.runs.insert(id, 1);
    }

    pub(super) fn to_map(&self) -> BTreeMap<String, u32> {
        self.runs.iter().map(|(id, runs)| (id.clone(), *runs)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_ids_are_forgotten_first() {
        let mut ids = Ids::default();
        for number in 0..=MAX_IDS {
            ids.count(&number.to_string());
        }
        ids.count("7");
        let map = ids.to_map();
        assert_eq!((map.len(), map.get("0"), map["7"]), (MAX_IDS, None, 2));
    }
}
