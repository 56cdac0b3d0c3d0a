//! A worker of the simulated proxy: makes the calls that Envoy makes.

use std::cell::RefCell;
use std::rc::Rc;

use wasmi::{Instance, Store, Val};

use super::exchange::Exchange;
use super::function::Function;
use super::imports::linker;
use super::module::module;
use super::proxy::Proxy;
use super::stream::{Headers, Stream, header, headers};
use super::vm::{Answer, Root, Vm};

/// A worker with its virtual machine.
#[derive(Clone)]
pub(crate) struct Worker(Rc<RefCell<Machine>>);

struct Machine {
    store: Store<Vm>,
    instance: Instance,
    root: u32,
    last_context: u32,
}

/// A look at the admin endpoint that the module has asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Poll {
    pub(crate) cluster: String,
    pub(crate) path: String,
    pub(crate) timeout_ms: u32,
}

impl Worker {
    pub(crate) fn start(proxy: &Proxy) -> Self {
        let mut store = Store::new(module().engine(), Vm::new(Rc::clone(&proxy.0)));
        let instance = linker().instantiate_and_start(&mut store, module()).unwrap();
        let worker = Self(Rc::new(RefCell::new(Machine { store, instance, root: 0, last_context: 0 })));
        worker.call("_initialize", 0, &[]);
        worker.add_root();
        worker
    }

    /// A new configuration comes to the same virtual machine: as a second root context. It isn't configured yet.
    pub(crate) fn add_root(&self) -> u32 {
        let root = self.next_context();
        self.0.borrow_mut().root = root;
        self.with_vm(|vm| vm.roots.insert(root, Root::default()));
        root
    }

    /// The configuration that a newer one has replaced goes, and Envoy drops the calls that it has made.
    pub(crate) fn remove_root(&self, root: u32) {
        self.with_vm(|vm| {
            vm.roots.remove(&root);
            vm.calls.retain(|call| call.root != root);
        });
    }

    /// The root context that new requests belong to.
    pub(crate) fn root(&self) -> u32 {
        self.0.borrow().root
    }

    /// Gives the plugin's configuration to the module; says whether it takes it.
    pub(crate) fn configure(&self, text: &str) -> bool {
        let root = self.root();
        self.with_vm(|vm| vm.roots.entry(root).or_default().configuration = text.as_bytes().to_vec());
        self.call("proxy_on_configure", root, &[u32::try_from(text.len()).unwrap()]) == 1
    }

    /// The time that the module has asked for between two ticks.
    pub(crate) fn tick_period(&self) -> u32 {
        let root = self.root();
        self.with_vm(|vm| vm.roots.get(&root).map_or(0, |root| root.tick_ms))
    }

    /// A tick of the current root context.
    pub(crate) fn tick(&self) {
        self.tick_of(self.root());
    }

    /// A tick of some root context.
    pub(crate) fn tick_of(&self, root: u32) {
        self.call("proxy_on_tick", root, &[]);
    }

    /// A request comes.
    pub(crate) fn request(&self, function: &Function, request: &[(&str, &str)]) -> Exchange {
        self.request_of_bytes(function, headers(request))
    }

    /// A request whose headers may hold any bytes comes.
    pub(crate) fn request_of_bytes(&self, function: &Function, request: Headers) -> Exchange {
        let context = self.next_context();
        let root = self.root();
        let count = u32::try_from(request.len()).unwrap();
        let stream = Stream { request, properties: function.properties(), ..Stream::default() };
        self.with_vm(|vm| vm.streams.insert(context, (root, stream)));
        let action = self.call("proxy_on_request_headers", context, &[count, 1]);
        assert_eq!(action, 0, "the filter never holds a request up");
        Exchange::new(self.clone(), context)
    }

    /// What the module has asked the admin endpoint and got no answer to yet.
    pub(crate) fn polls(&self) -> Vec<Poll> {
        self.with_vm(|vm| {
            let poll = |call: &super::vm::HttpCall| Poll {
                cluster: call.cluster.clone(),
                path: header(&call.headers, ":path").unwrap(),
                timeout_ms: call.timeout_ms,
            };
            vm.calls.iter().map(poll).collect()
        })
    }

    /// Every poll that waits is answered with 200 and this text.
    pub(crate) fn answer_polls(&self, body: &str) {
        self.answer_polls_with("200", body);
    }

    /// Every poll that waits is answered so.
    pub(crate) fn answer_polls_with(&self, status: &str, body: &str) {
        self.deliver(|| Answer { headers: headers(&[(":status", status)]), body: body.as_bytes().to_vec() });
    }

    /// Every poll that waits breaks: there is an answer without any headers.
    pub(crate) fn break_polls(&self) {
        self.deliver(Answer::default);
    }

    fn deliver(&self, answer: impl Fn() -> Answer) {
        for call in self.with_vm(|vm| std::mem::take(&mut vm.calls)) {
            let answer = answer();
            let sizes = [answer.headers.len(), answer.body.len()].map(|size| u32::try_from(size).unwrap());
            self.with_vm(|vm| vm.answer = Some(answer));
            self.call("proxy_on_http_call_response", call.root, &[call.token, sizes[0], sizes[1], 0]);
            self.with_vm(|vm| vm.answer = None);
        }
    }

    /// The first request for a function, a tick and its poll's answer: from then on requests get plans.
    pub(crate) fn get_to_know(&self, function: &Function) {
        self.request(function, super::function::GET).end_plainly();
        self.tick();
        self.answer_polls(&function.clusters());
    }

    pub(crate) fn with_vm<T>(&self, look: impl FnOnce(&mut Vm) -> T) -> T {
        look(self.0.borrow_mut().store.data_mut())
    }

    fn next_context(&self) -> u32 {
        let mut machine = self.0.borrow_mut();
        machine.last_context += 1;
        machine.last_context
    }

    /// Calls a function of the module. A trap fails the test: in a proxy it would cost this worker's requests.
    pub(crate) fn call(&self, callback: &str, context: u32, rest: &[u32]) -> i32 {
        let mut machine = self.0.borrow_mut();
        let Machine { store, instance, .. } = &mut *machine;
        store.data_mut().context = context;
        let function = instance.get_func(&mut *store, callback).unwrap();
        let ty = function.ty(&mut *store);
        let given = [context].into_iter().chain(rest.iter().copied());
        let arguments: Vec<Val> =
            given.take(ty.params().len()).map(|number| Val::I32(number.cast_signed())).collect();
        let mut results = vec![Val::I32(0); ty.results().len()];
        if let Err(trap) = function.call(&mut *store, &arguments, &mut results) {
            let log = store.data().proxy.borrow().log.join("\n");
            panic!("{callback} trapped: {trap}\n{log}");
        }
        results.first().and_then(Val::i32).unwrap_or_default()
    }
}
