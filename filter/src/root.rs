//! The filter in one virtual machine: the callbacks of all its root contexts and requests.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use steadfaas_core::configuration::Configuration;
use steadfaas_core::fnv::BuildFnv;
use steadfaas_core::ticks::TICK;
use steadfaas_host::{self as host, Callbacks};

use crate::report;
use crate::request::Planned;
use crate::worker::Worker;

/// The filter; without a worker until it is configured.
///
/// A newer configuration comes to the same machine as another root context, while requests of the older one go on. The
/// memory is one, and of the configurations the newest counts, but for what would harm the older one's requests.
#[derive(Default)]
pub(crate) struct Root {
    worker: RefCell<Option<Rc<Worker>>>,
    /// The requests that got a plan and aren't over, by the proxy's numbers of them. In boxes, for to move one costs more.
    planned: RefCell<HashMap<u32, Box<Planned>, BuildFnv>>,
}

impl Root {
    fn worker(&self) -> Option<Rc<Worker>> {
        self.worker.borrow().clone()
    }

    fn configure(&self, root: u32, configuration: Configuration) {
        report::declare();
        host::set_tick_period(TICK);
        match self.worker() {
            Some(worker) => worker.reconfigure(root, configuration),
            None => *self.worker.borrow_mut() = Some(Rc::new(Worker::new(root, configuration))),
        }
    }
}

impl Callbacks for Root {
    fn configured(&self, root: u32, size: usize) -> bool {
        let text = if size == 0 { None } else { host::plugin_configuration(size) };
        match Configuration::read(&text.unwrap_or_default()) {
            Ok(configuration) => {
                self.configure(root, configuration);
                true
            }
            Err(error) => {
                log::error!("plugin configuration: {error}");
                false
            }
        }
    }

    fn tick(&self, root: u32) {
        if let Some(worker) = self.worker() {
            worker.tick(root);
        }
    }

    fn call_answered(&self, token: u32, has_headers: bool, body_size: usize) {
        if let Some(worker) = self.worker() {
            worker.polls.answered(&worker, token, has_headers, body_size);
        }
    }

    fn request_headers(&self, request: u32, is_whole: bool) {
        let planned = self.worker().and_then(|worker| Planned::of_request(&worker, is_whole));
        if let Some(planned) = planned {
            self.planned.borrow_mut().insert(request, planned);
        }
    }

    fn response_headers(&self, request: u32) {
        let wanted = self.worker().is_some_and(|worker| worker.configuration().response_header);
        let planned = self.planned.borrow();
        if let Some(planned) = planned.get(&request).filter(|_| wanted) {
            planned.answered();
        }
    }

    fn request_over(&self, request: u32) {
        let planned = self.planned.borrow_mut().remove(&request);
        if let (Some(planned), Some(worker)) = (planned, self.worker()) {
            planned.learn(&worker);
        }
    }
}
