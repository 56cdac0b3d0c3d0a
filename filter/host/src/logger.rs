//! What the filter logs, and what it panics with, in the proxy's own log.

use std::panic;

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::abi;

/// The least that operators are meant to read; what says less isn't even put into words.
const MOST: LevelFilter = LevelFilter::Info;

struct Logger;

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= MOST
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            abi::log(severity(record.level()), &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// The ABI's number of a level: 0 is trace.
fn severity(level: Level) -> u32 {
    match level {
        Level::Trace => 0,
        Level::Debug => 1,
        Level::Info => 2,
        Level::Warn => 3,
        Level::Error => 4,
    }
}

/// The ABI's level above errors.
const CRITICAL: u32 = 5;

/// From now on messages go to the proxy's log, and so do panics before they end the virtual machine.
pub(crate) fn install() {
    panic::set_hook(Box::new(|panic| abi::log(CRITICAL, &panic.to_string())));
    // It can't be refused: nobody else in this module sets one.
    let _ = log::set_logger(&Logger);
    log::set_max_level(MOST);
}
