//! The filter's metrics as Prometheus gets them from Envoy.

use crate::envoy::Envoy;
use crate::prometheus;

/// What the names of the filter's metrics begin with.
const PREFIX: &str = "steadfaas_";

/// The filter's metrics at one moment.
#[derive(Debug, Clone, Default)]
pub struct Metrics(String);

impl Metrics {
    /// Asks `envoy` for them.
    ///
    /// # Errors
    /// It doesn't answer.
    pub async fn of(envoy: &Envoy) -> anyhow::Result<Self> {
        Ok(Self(envoy.get(&format!("/stats/prometheus?filter={PREFIX}")).await?))
    }

    /// The value of `steadfaas_<name>` for `function`; nothing if there is none yet.
    #[must_use]
    pub fn get(&self, name: &str, function: &str) -> Option<u64> {
        self.labelled(name, &[&of(function)])
    }

    /// The value of `steadfaas_passed_through` for `function` and `reason`; 0 if there is none.
    #[must_use]
    pub fn passed_through(&self, function: &str, reason: &str) -> u64 {
        self.labelled("passed_through", &[&of(function), &format!("reason=\"{reason}\"")]).unwrap_or(0)
    }

    /// How many series there are.
    #[must_use]
    pub fn series(&self) -> usize {
        self.0.lines().filter(|line| line.starts_with(PREFIX)).count()
    }

    /// All of it, for messages.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    fn labelled(&self, name: &str, labels: &[&str]) -> Option<u64> {
        prometheus::values(&self.0, &format!("{PREFIX}{name}"), labels).next()?.parse().ok()
    }
}

fn of(function: &str) -> String {
    format!("function=\"{function}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_found_by_name_and_labels() {
        let metrics = Metrics(
            "# TYPE steadfaas_requests counter\n\
             steadfaas_requests{function=\"fib\"} 12\n\
             steadfaas_requests{function=\"fib-2\"} 7\n\
             steadfaas_replicas_well{function=\"fib\"} 1\n\
             steadfaas_replicas{function=\"fib\"} 2\n\
             steadfaas_passed_through{function=\"fib\",reason=\"no_view\"} 3\n"
                .to_owned(),
        );
        assert_eq!(metrics.get("requests", "fib-2"), Some(7));
        assert_eq!(metrics.get("replicas", "fib"), Some(2));
        assert_eq!(metrics.get("failovers", "fib"), None);
        assert_eq!(metrics.passed_through("fib", "no_view"), 3);
        assert_eq!(metrics.passed_through("fib", "probe"), 0);
        assert_eq!(metrics.series(), 5);
    }
}
