//! Metrics as programs tell them to Prometheus.

/// A metric's values, as they are written, of all its label sets that have each of these labels, as in `code="429"`.
pub fn values<'t>(text: &'t str, metric: &'t str, labels: &'t [&str]) -> impl Iterator<Item = &'t str> {
    text.lines().filter_map(move |line| {
        let (own, value) = line.strip_prefix(metric)?.rsplit_once(' ')?;
        let is_it = own.is_empty() || own.starts_with('{');
        (is_it && labels.iter().all(|label| own.contains(label))).then_some(value)
    })
}

/// The sum of them.
#[must_use]
pub fn sum(text: &str, metric: &str, labels: &[&str]) -> f64 {
    values(text, metric, labels).filter_map(|value| value.parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_sets_that_fit_are_summed() {
        let text = "# TYPE a counter\na{code=\"429\",of=\"x\"} 2\na{code=\"429\",of=\"y\"} 3\na{code=\"200\",of=\"x\"} 4\n\
                    ab{code=\"429\"} 7\nb 1.5\n";
        let is = |metric, labels: &[&str], expected: f64| {
            assert!((sum(text, metric, labels) - expected).abs() < 1e-9, "{metric} {labels:?}");
        };
        is("a", &[r#"code="429""#], 5.0);
        is("a", &[r#"code="429""#, r#"of="x""#], 2.0);
        is("a", &[], 9.0);
        is("b", &[], 1.5);
        is("c", &[], 0.0);
    }
}
