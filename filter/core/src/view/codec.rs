//! The view as bytes for the workers' shared data: a line per replica. Derived formats cost the module 10 KB more.

use std::fmt::Write as _;

use super::{Replica, Suspicion, View};
use crate::policy::Site;
use crate::time::Millis;

/// The flags of a line, as bits.
const SERVING: u8 = 1;
const DOUBTFUL: u8 = 2;
const ACTIVE: u8 = 4;
const HANGS: u8 = 8;
const RESERVE: u8 = 16;
const WAS_LATE: u8 = 32;

impl View {
    /// The view as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut text = String::new();
        for replica in &self.replicas {
            // Writing to a string can't fail.
            let _ = replica.write(&mut text);
        }
        text.into_bytes()
    }

    /// Reads what [`View::encode`] wrote. A line of another form is left out: the next look at the admin endpoint
    /// brings its replica back.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        Self { replicas: text.lines().filter_map(Replica::read).collect() }
    }
}

impl Replica {
    fn write(&self, text: &mut String) -> std::fmt::Result {
        let flag = |holds: bool, flag: u8| if holds { flag } else { 0 };
        let flags = flag(self.serving, SERVING)
            | flag(self.doubtful, DOUBTFUL)
            | flag(self.active, ACTIVE)
            | flag(self.hangs(), HANGS)
            | flag(self.reserve, RESERVE)
            | flag(self.was_late, WAS_LATE);
        let Self { address, rank, site, well_since, next_check, .. } = self;
        write!(text, "{address} {rank} {flags} {} {}", site.node, site.zone)?;
        write!(text, " {} {}", well_since.0, next_check.0)?;
        if let Some(Suspicion { since, failed_trials, .. }) = self.suspicion {
            write!(text, " {} {failed_trials}", since.0)?;
        }
        text.write_char('\n')
    }

    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let address = words.next()?.to_owned();
        let mut number = || words.next()?.parse::<u64>().ok();
        let (rank, flags) = (number()?, u8::try_from(number()?).ok()?);
        let (node, zone) = (u16::try_from(number()?).ok()?, u16::try_from(number()?).ok()?);
        let (well_since, next_check) = (Millis(number()?), Millis(number()?));
        let has = |flag: u8| flags & flag != 0;
        let suspicion = number().zip(number()).map(|(since, failed)| Suspicion {
            since: Millis(since),
            failed_trials: u32::try_from(failed).unwrap_or(u32::MAX),
            hangs: has(HANGS),
        });
        Some(Self {
            address,
            rank,
            serving: has(SERVING),
            doubtful: has(DOUBTFUL),
            active: has(ACTIVE),
            reserve: has(RESERVE),
            site: Site { node, zone },
            was_late: has(WAS_LATE),
            well_since,
            next_check,
            suspicion,
        })
    }
}
