//! One worker's virtual machine: what the host keeps beside the module's memory, and how it gets at that memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use wasmi::{Caller, Extern, Memory};

use super::proxy::Shared;
use super::stream::{Headers, Stream};

/// What the host keeps for one virtual machine.
pub(crate) struct Vm {
    pub(crate) proxy: Rc<RefCell<Shared>>,
    /// The context that calls of the module are about.
    pub(crate) context: u32,
    pub(crate) roots: BTreeMap<u32, Root>,
    /// Requests, with the root context that each belongs to.
    pub(crate) streams: BTreeMap<u32, (u32, Stream)>,
    /// Calls of the module that wait for their answer.
    pub(crate) calls: Vec<HttpCall>,
    /// The answer that is being delivered.
    pub(crate) answer: Option<Answer>,
}

/// A root context.
#[derive(Default)]
pub(crate) struct Root {
    pub(crate) configuration: Vec<u8>,
    pub(crate) tick_ms: u32,
}

/// A call of the module to a cluster.
pub(crate) struct HttpCall {
    pub(crate) token: u32,
    pub(crate) root: u32,
    pub(crate) cluster: String,
    pub(crate) headers: Headers,
    pub(crate) timeout_ms: u32,
}

/// The answer to such a call; without headers if it broke.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

impl Vm {
    pub(crate) fn new(proxy: Rc<RefCell<Shared>>) -> Self {
        Self {
            proxy,
            context: 0,
            roots: BTreeMap::new(),
            streams: BTreeMap::new(),
            calls: Vec::new(),
            answer: None,
        }
    }

    /// The request that the module is at, if it is at one.
    pub(crate) fn stream(&mut self) -> Option<&mut Stream> {
        self.streams.get_mut(&self.context).map(|(_, stream)| stream)
    }

    /// The root context that the module is at, be it by way of a request.
    pub(crate) fn root(&self) -> u32 {
        self.streams.get(&self.context).map_or(self.context, |(root, _)| *root)
    }
}

/// The module while it calls the host.
pub(crate) struct Guest<'a>(pub(crate) Caller<'a, Vm>);

impl Guest<'_> {
    pub(crate) fn vm(&mut self) -> &mut Vm {
        self.0.data_mut()
    }

    pub(crate) fn proxy(&self) -> Rc<RefCell<Shared>> {
        Rc::clone(&self.0.data().proxy)
    }

    fn memory(&self) -> Memory {
        self.0.get_export("memory").and_then(Extern::into_memory).unwrap()
    }

    pub(crate) fn bytes(&self, at: u32, size: u32) -> Vec<u8> {
        let mut bytes = vec![0; size as usize];
        self.memory().read(&self.0, at as usize, &mut bytes).unwrap();
        bytes
    }

    pub(crate) fn text(&self, at: u32, size: u32) -> String {
        String::from_utf8(self.bytes(at, size)).unwrap()
    }

    pub(crate) fn put(&mut self, at: u32, bytes: &[u8]) {
        self.memory().write(&mut self.0, at as usize, bytes).unwrap();
    }

    /// Gives the module bytes that it owns from then on, as the ABI has it: in memory that it allocates itself.
    pub(crate) fn give(&mut self, bytes: &[u8], value_at: u32, size_at: u32) {
        let size = u32::try_from(bytes.len()).unwrap();
        let allocate = ["malloc", "proxy_on_memory_allocate"].into_iter();
        let allocate =
            allocate.filter_map(|name| self.0.get_export(name)).find_map(Extern::into_func).unwrap();
        let allocate = allocate.typed::<u32, u32>(&self.0).unwrap();
        let at = allocate.call(&mut self.0, size).unwrap();
        self.put(at, bytes);
        self.put(value_at, &at.to_le_bytes());
        self.put(size_at, &size.to_le_bytes());
    }
}
