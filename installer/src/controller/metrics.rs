//! What the controller measures, as Prometheus reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What is measured of one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gauge {
    /// `namespace/name`.
    pub(super) function: String,
    /// How many replicas may fail, and how many should; none where it isn't protected.
    pub(super) redundancy: Option<(u8, u8)>,
}

/// What the controller measures.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    functions: Mutex<BTreeMap<String, Vec<Gauge>>>,
    pub(super) filter_writes: AtomicU64,
    pub(super) route_writes: AtomicU64,
    pub(super) status_writes: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) leads: AtomicBool,
    pub(super) is_ready: AtomicBool,
}

/// A metric of each function's redundancy: its name, and which of spare and wanted replicas it is.
type Column = (&'static str, fn((u8, u8)) -> u8);

impl Metrics {
    /// The functions of a namespace, in place of those that were known.
    pub(super) fn set(&self, namespace: &str, gauges: Vec<Gauge>) {
        // Nobody panics while holding it.
        let Ok(mut functions) = self.functions.lock() else { return };
        if gauges.is_empty() {
            functions.remove(namespace);
        } else {
            functions.insert(namespace.to_owned(), gauges);
        }
    }

    /// All of it as text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let lines = [
            ("steadfaas_controller_leads", "gauge", u64::from(self.leads.load(Ordering::Relaxed))),
            ("steadfaas_controller_filter_writes_total", "counter", count(&self.filter_writes)),
            ("steadfaas_controller_route_writes_total", "counter", count(&self.route_writes)),
            ("steadfaas_controller_status_writes_total", "counter", count(&self.status_writes)),
            ("steadfaas_controller_failures_total", "counter", count(&self.failures)),
        ];
        for (name, kind, value) in lines {
            // Writing to a string can't fail.
            let _ = writeln!(text, "# TYPE {name} {kind}\n{name} {value}");
        }
        self.write_functions(&mut text);
        text
    }

    fn write_functions(&self, text: &mut String) {
        let Ok(functions) = self.functions.lock() else { return };
        let all = || functions.values().flatten();
        let columns: [Column; 2] = [
            ("steadfaas_redundancy", |(spare, _)| spare),
            ("steadfaas_redundancy_wanted", |(_, wanted)| wanted),
        ];
        for (name, of) in columns {
            let _ = writeln!(text, "# TYPE {name} gauge");
            for gauge in all() {
                if let Some(redundancy) = gauge.redundancy {
                    let _ = writeln!(text, "{name}{{function=\"{}\"}} {}", gauge.function, of(redundancy));
                }
            }
        }
        let unprotected = all().filter(|gauge| gauge.redundancy.is_none()).count();
        let _ = writeln!(
            text,
            "# TYPE steadfaas_functions_unprotected gauge\nsteadfaas_functions_unprotected {unprotected}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protected_function_has_its_redundancy_and_what_it_should_be() {
        let metrics = Metrics::default();
        let gauge = |function: &str, redundancy| Gauge { function: function.to_owned(), redundancy };
        metrics.set("a", vec![gauge("a/fib", Some((0, 1))), gauge("a/bad", None)]);
        metrics.set("b", vec![gauge("b/fib", Some((2, 2)))]);
        metrics.set("b", Vec::new());
        let text = metrics.text();
        assert!(text.contains("steadfaas_redundancy{function=\"a/fib\"} 0\n"), "{text}");
        assert!(text.contains("steadfaas_redundancy_wanted{function=\"a/fib\"} 1\n"));
        assert!(text.contains("steadfaas_functions_unprotected 1\n"));
        assert!(!text.contains("b/fib"));
    }
}
