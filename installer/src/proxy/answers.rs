//! What Istio itself counts: answers by their status.

/// Istio's counter of requests, as Prometheus reads it.
const REQUESTS: &str = "istio_requests_total{";

/// How many answers of 500 and above a proxy passed on for these hosts, out of `/stats/prometheus`; nothing where the
/// mesh doesn't count answers.
#[must_use]
pub fn read_failed(prometheus: &str, is_wanted: impl Fn(&str) -> bool) -> Option<u64> {
    let counters = prometheus.lines().filter_map(|line| line.strip_prefix(REQUESTS)?.rsplit_once("} "));
    let mut failed = None;
    for (labels, value) in counters {
        let label = |name: &str| {
            let (_, rest) = labels.split_once(&format!("{name}=\""))?;
            rest.split_once('"').map(|(value, _)| value)
        };
        let sum = failed.get_or_insert(0);
        let status: Option<u16> = label("response_code").and_then(|code| code.parse().ok());
        // 0: the client never got one.
        if label("destination_service").is_some_and(&is_wanted)
            && status.is_some_and(|status| status == 0 || status >= 500)
        {
            *sum += value.trim().parse::<u64>().unwrap_or(0);
        }
    }
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTED: &str = r#"# TYPE istio_requests_total counter
istio_requests_total{reporter="source",destination_service="fib.default.svc.cluster.local",response_code="200"} 90
istio_requests_total{reporter="source",destination_service="fib.default.svc.cluster.local",response_code="503"} 4
istio_requests_total{reporter="source",destination_service="fib.default.svc.cluster.local",response_code="0"} 1
istio_requests_total{reporter="source",destination_service="other.default.svc.cluster.local",response_code="500"} 7
"#;

    #[test]
    fn answers_of_500_and_above_and_those_that_never_came_are_summed_by_host() {
        assert_eq!(read_failed(COUNTED, |host| host.starts_with("fib.")), Some(5));
        assert_eq!(read_failed(COUNTED, |host| host == "none"), Some(0));
        assert_eq!(read_failed("steadfaas_requests{} 1\n", |_| true), None, "the mesh doesn't count them");
    }
}
