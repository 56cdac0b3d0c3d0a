//! Points in time by the proxy's clock: whole milliseconds for the view, microseconds for what one request takes.

use std::time::Duration;

/// Milliseconds since the Unix epoch, by the proxy's clock. All workers of a proxy share it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

impl Millis {
    /// The point `span` after this one.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// How long before this point `earlier` was; nothing if it wasn't earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Microseconds since the Unix epoch, by the proxy's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micros(pub u64);

impl Micros {
    /// The point `span` after this one.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros(span)))
    }

    /// The same point in whole milliseconds.
    #[must_use]
    pub fn millis(self) -> Millis {
        Millis(self.0 / 1_000)
    }

    /// How long before this point `earlier` was; nothing if it wasn't earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// A span in whole milliseconds, rounded down.
#[must_use]
pub fn millis(span: Duration) -> u64 {
    whole_seconds(span) * 1_000 + u64::from(span.subsec_millis())
}

/// A span in whole microseconds, rounded down.
#[must_use]
pub fn micros(span: Duration) -> u64 {
    whole_seconds(span) * 1_000_000 + u64::from(span.subsec_micros())
}

/// The seconds of a span, up to a century: of longer ones the numbers here would need 128 bits, which wasm hasn't got.
fn whole_seconds(span: Duration) -> u64 {
    span.as_secs().min(u64::from(u32::MAX))
}
