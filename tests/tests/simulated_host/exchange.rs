//! One request in the simulated proxy, from its headers to its end.

use steadfaas_core::envoy::{REPLICAS_HEADER, RETRY_MARK_HEADER};

use super::stream::{header, headers, replace};
use super::worker::Worker;

/// A request that the module has seen the headers of.
pub(crate) struct Exchange {
    worker: Worker,
    context: u32,
}

/// How a request ended, as Envoy's properties say it.
#[derive(Clone, Copy)]
pub(crate) struct End<'a> {
    pub(crate) attempts: u64,
    pub(crate) replica: &'a str,
    pub(crate) code: u64,
    pub(crate) flags: u64,
}

/// A request that left what may be looked at once it is over.
pub(crate) struct Record {
    pub(crate) filter_state: Option<Vec<u8>>,
    pub(crate) response_header: Option<String>,
    pub(crate) asked: Vec<String>,
}

/// One attempt that was answered by `replica`.
pub(crate) fn answered(replica: &str) -> End<'_> {
    End { attempts: 1, replica, code: 200, flags: 0 }
}

impl<'a> End<'a> {
    pub(crate) fn after(self, attempts: u64) -> End<'a> {
        End { attempts, ..self }
    }
}

impl Exchange {
    pub(crate) fn new(worker: Worker, context: u32) -> Self {
        Self { worker, context }
    }

    /// A request header as it goes on to the router.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.worker.with_vm(|vm| header(&vm.streams[&self.context].1.request, name))
    }

    /// The replicas that the router shall try, in order; none if it was told nothing.
    pub(crate) fn replicas(&self) -> Vec<String> {
        let list = self.header(REPLICAS_HEADER);
        list.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect()
    }

    /// What the module changed in the request's headers: `name: value` or `-name`.
    pub(crate) fn changes(&self) -> Vec<String> {
        self.worker.with_vm(|vm| vm.streams[&self.context].1.changes.clone())
    }

    /// The request ends well at once; what answered it says nothing.
    pub(crate) fn end_plainly(self) {
        let replica = self.replicas().first().cloned().unwrap_or_default();
        self.end(answered(&replica));
    }

    /// The client leaves before any answer: that says nothing of replicas, and gives back what the request had taken.
    pub(crate) fn leave(self) -> Vec<String> {
        /// Envoy's response flag for a downstream connection that ended (DC).
        const CLIENT_LEFT: u64 = 0x4000;
        let replicas = self.replicas();
        self.end(End { attempts: 1, replica: "", code: 0, flags: CLIENT_LEFT });
        replicas
    }

    /// After how many milliseconds the next replica starts; nothing if it waits until the first has failed.
    pub(crate) fn hedge_after(&self) -> Option<u64> {
        let is_hedged = self.header("x-envoy-hedge-on-per-try-timeout").as_deref() == Some("true");
        let delay = self.header("x-envoy-upstream-rq-per-try-timeout-ms")?.parse().ok();
        delay.filter(|_| is_hedged)
    }

    /// The answer comes, if any, and the request is over.
    pub(crate) fn end(self, end: End<'_>) -> Record {
        let (worker, context) = (&self.worker, self.context);
        worker.with_vm(|vm| {
            let stream = &mut vm.streams.get_mut(&context).unwrap().1;
            let mut number = |path: &str, value: u64| {
                stream.properties.insert(path.as_bytes().to_vec(), value.to_le_bytes().to_vec());
            };
            number("upstream\0request_attempt_count", end.attempts);
            number("response\0code", end.code);
            number("response\0flags", end.flags);
            stream.properties.insert(b"upstream\0address".to_vec(), end.replica.as_bytes().to_vec());
            // What the router does to the headers with its first attempt, and with each further one.
            if end.attempts > 0 {
                stream.request.retain(|(name, _)| name != REPLICAS_HEADER.as_bytes());
            }
            if end.attempts > 1 {
                replace(&mut stream.request, RETRY_MARK_HEADER.as_bytes(), b"false".to_vec());
            }
            stream.response = headers(&[(":status", &end.code.to_string())]);
        });
        worker.call("proxy_on_response_headers", context, &[1, 1]);
        worker.call("proxy_on_log", context, &[]);
        let record = worker.with_vm(|vm| {
            let stream = &vm.streams[&context].1;
            Record {
                filter_state: stream.filter_state.get(steadfaas_core::envoy::FILTER_STATE).cloned(),
                asked: stream.asked.clone(),
                response_header: header(&stream.response, steadfaas_core::envoy::RESPONSE_HEADER),
            }
        });
        worker.with_vm(|vm| vm.streams.remove(&context));
        record
    }
}
