//! The root context: start, ticks, and answers to our own calls.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use steadfaas_core::configuration::Configuration;
use steadfaas_host as host;

use crate::report;
use crate::request::Request;
use crate::worker::{TICK, Worker};

/// The root context; without a worker until it is configured.
#[derive(Default)]
pub(crate) struct Root {
    worker: Option<Rc<Worker>>,
}

impl Context for Root {
    fn on_http_call_response(
        &mut self,
        token: u32,
        num_headers: usize,
        body_size: usize,
        _num_trailers: usize,
    ) {
        if let Some(worker) = &self.worker {
            worker.polls.answered(worker, token, num_headers > 0, body_size);
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        let text = if size == 0 { None } else { host::plugin_configuration(size) };
        match Configuration::read(&text.unwrap_or_default()) {
            Ok(configuration) => {
                report::declare();
                host::set_tick_period(TICK);
                self.worker = Some(Rc::new(Worker::new(configuration)));
                true
            }
            Err(error) => {
                log::error!("plugin configuration: {error}");
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if let Some(worker) = &self.worker {
            worker.tick();
        }
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Request::new(self.worker.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
