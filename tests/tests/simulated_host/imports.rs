//! The functions of the proxy-wasm ABI that the module calls, as Envoy answers them.

use wasmi::{Caller, Linker, Val};

use super::module::module;
use super::proxy::Metric;
use super::stream::{Headers, decode, encode, replace};
use super::vm::{Guest, HttpCall, Vm};

/// Statuses of the ABI.
const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const BAD_ARGUMENT: u32 = 2;
const CAS_MISMATCH: u32 = 8;
const UNIMPLEMENTED: u32 = 12;

/// Maps and buffers of the ABI.
const REQUEST_HEADERS: u32 = 0;
const RESPONSE_HEADERS: u32 = 2;
const CALL_HEADERS: u32 = 6;
const CALL_BODY: u32 = 4;
const PLUGIN_CONFIGURATION: u32 = 7;

/// Everything that the module imports.
pub(crate) fn linker() -> Linker<Vm> {
    let mut linker = Linker::new(module().engine());
    for import in module().imports() {
        let (name, ty) = (import.name().to_owned(), import.ty().func().unwrap().clone());
        let function = move |caller: Caller<'_, Vm>, arguments: &[Val], results: &mut [Val]| {
            let status = answer(&name, Guest(caller), &Arguments::of(arguments));
            if let Some(result) = results.first_mut() {
                *result = Val::I32(status.cast_signed());
            }
            Ok(())
        };
        linker.func_new(import.module(), import.name(), ty, function).unwrap();
    }
    linker
}

/// The arguments of one call, as unsigned numbers.
struct Arguments(Vec<u64>);

impl Arguments {
    fn of(values: &[Val]) -> Self {
        let number = |value: &Val| match value {
            Val::I32(number) => u64::from(number.cast_unsigned()),
            Val::I64(number) => number.cast_unsigned(),
            other => panic!("the ABI has no arguments such as {other:?}"),
        };
        Self(values.iter().map(number).collect())
    }

    fn long(&self, place: usize) -> u64 {
        self.0[place]
    }

    fn at(&self, place: usize) -> u32 {
        u32::try_from(self.0[place]).unwrap()
    }
}

fn answer(name: &str, mut guest: Guest<'_>, arguments: &Arguments) -> u32 {
    let refusal = {
        let proxy = guest.proxy();
        let mut shared = proxy.borrow_mut();
        shared.called.insert(name.to_owned());
        shared.refusal.clone().filter(|(refusing, _)| refusing == name)
    };
    if let Some((_, status)) = refusal {
        return status;
    }
    let guest = &mut guest;
    match name {
        "proxy_log" => log(guest, arguments),
        "proxy_get_current_time_nanoseconds" => current_time(guest, arguments),
        "proxy_set_tick_period_milliseconds" => set_tick_period(guest, arguments),
        "proxy_get_property" => get_property(guest, arguments),
        "proxy_set_property" => set_property(guest, arguments),
        "proxy_get_header_map_pairs" => get_header_map(guest, arguments),
        "proxy_get_header_map_value" => get_header(guest, arguments),
        "proxy_replace_header_map_value" => replace_header(guest, arguments),
        "proxy_remove_header_map_value" => remove_header(guest, arguments),
        "proxy_get_buffer_bytes" => get_buffer(guest, arguments),
        "proxy_get_shared_data" => get_shared_data(guest, arguments),
        "proxy_set_shared_data" => set_shared_data(guest, arguments),
        "proxy_define_metric" => define_metric(guest, arguments),
        "proxy_increment_metric" => increment_metric(guest, arguments),
        "proxy_record_metric" => record_metric(guest, arguments),
        "proxy_get_metric" => get_metric(guest, arguments),
        "proxy_http_call" => http_call(guest, arguments),
        "proxy_call_foreign_function" => OK,
        _ => {
            guest.proxy().borrow_mut().unknown.insert(name.to_owned());
            UNIMPLEMENTED
        }
    }
}

fn log(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let line = guest.text(arguments.at(1), arguments.at(2));
    guest.proxy().borrow_mut().log.push(line);
    OK
}

fn current_time(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let nanos = guest.proxy().borrow().now_ms * 1_000_000;
    guest.put(arguments.at(0), &nanos.to_le_bytes());
    OK
}

fn set_tick_period(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let root = guest.vm().root();
    guest.vm().roots.entry(root).or_default().tick_ms = arguments.at(0);
    OK
}

fn get_property(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let path = guest.bytes(arguments.at(0), arguments.at(1));
    let value = guest.vm().stream().and_then(|stream| {
        stream.asked.push(String::from_utf8_lossy(&path).into_owned());
        stream.properties.get(&path).cloned()
    });
    hand_over(guest, value, arguments.at(2), arguments.at(3))
}

fn set_property(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let name = guest.text(arguments.at(0), arguments.at(1));
    let value = guest.bytes(arguments.at(2), arguments.at(3));
    match guest.vm().stream() {
        Some(stream) => {
            stream.filter_state.insert(name, value);
            OK
        }
        None => NOT_FOUND,
    }
}

fn get_header_map(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let vm = guest.vm();
    let map = match arguments.at(0) {
        CALL_HEADERS => vm.answer.as_ref().map(|answer| encode(&answer.headers)),
        map => request_map(vm, map).map(|(map, _)| encode(map)),
    };
    hand_over(guest, map, arguments.at(1), arguments.at(2))
}

fn get_header(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let name = guest.bytes(arguments.at(1), arguments.at(2));
    let Some((map, _)) = request_map(guest.vm(), arguments.at(0)) else { return BAD_ARGUMENT };
    let value = map.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    hand_over(guest, value, arguments.at(3), arguments.at(4))
}

/// A map of the current request, and the list of changes to the request's headers.
fn request_map(vm: &mut Vm, map: u32) -> Option<(&mut Headers, Option<&mut Vec<String>>)> {
    let stream = vm.stream()?;
    match map {
        REQUEST_HEADERS => Some((&mut stream.request, Some(&mut stream.changes))),
        RESPONSE_HEADERS => Some((&mut stream.response, None)),
        _ => None,
    }
}

fn replace_header(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let name = guest.bytes(arguments.at(1), arguments.at(2));
    let value = guest.bytes(arguments.at(3), arguments.at(4));
    let Some((map, changes)) = request_map(guest.vm(), arguments.at(0)) else { return BAD_ARGUMENT };
    if let Some(changes) = changes {
        let change = [&name, b": ".as_slice(), &value].concat();
        changes.push(String::from_utf8_lossy(&change).into_owned());
    }
    replace(map, &name, value);
    OK
}

fn remove_header(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let name = guest.bytes(arguments.at(1), arguments.at(2));
    let Some((map, changes)) = request_map(guest.vm(), arguments.at(0)) else { return BAD_ARGUMENT };
    if let Some(changes) = changes {
        changes.push(format!("-{}", String::from_utf8_lossy(&name)));
    }
    map.retain(|(known, _)| *known != name);
    OK
}

fn get_buffer(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let vm = guest.vm();
    let root = vm.root();
    let bytes = match arguments.at(0) {
        CALL_BODY => vm.answer.as_ref().map(|answer| answer.body.clone()),
        PLUGIN_CONFIGURATION => vm.roots.get(&root).map(|root| root.configuration.clone()),
        _ => None,
    };
    let (start, most) = (arguments.at(1) as usize, arguments.at(2) as usize);
    let part = bytes.map(|bytes| bytes.into_iter().skip(start).take(most).collect());
    hand_over(guest, part, arguments.at(3), arguments.at(4))
}

fn get_shared_data(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let key = guest.text(arguments.at(0), arguments.at(1));
    let Some((value, cas)) = guest.proxy().borrow().data.get(&key).cloned() else { return NOT_FOUND };
    guest.put(arguments.at(4), &cas.to_le_bytes());
    hand_over(guest, Some(value), arguments.at(2), arguments.at(3))
}

/// Any number creates what isn't there, and 0 replaces whatever is: as Envoy does.
fn set_shared_data(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let key = guest.text(arguments.at(0), arguments.at(1));
    let value = guest.bytes(arguments.at(2), arguments.at(3));
    let proxy = guest.proxy();
    let mut shared = proxy.borrow_mut();
    let given = arguments.at(4);
    if shared.data.get(&key).is_some_and(|(_, cas)| given != 0 && given != *cas) {
        return CAS_MISMATCH;
    }
    shared.last_cas += 1;
    let cas = shared.last_cas;
    shared.data.insert(key, (value, cas));
    OK
}

fn define_metric(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let name = guest.text(arguments.at(1), arguments.at(2));
    let proxy = guest.proxy();
    let mut shared = proxy.borrow_mut();
    let known = shared.metrics.iter().position(|metric| metric.name == name);
    let place = known.unwrap_or_else(|| {
        shared.metrics.push(Metric { is_counter: arguments.at(0) == 0, name, value: 0 });
        shared.metrics.len() - 1
    });
    guest.put(arguments.at(3), &u32::try_from(place).unwrap().to_le_bytes());
    OK
}

/// Counters only rise: Envoy refuses anything else.
fn increment_metric(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let proxy = guest.proxy();
    let mut shared = proxy.borrow_mut();
    let offset = arguments.long(1).cast_signed();
    match shared.metrics.get_mut(arguments.at(0) as usize) {
        Some(metric) if offset > 0 || !metric.is_counter => {
            metric.value = metric.value.wrapping_add_signed(offset);
            OK
        }
        Some(_) => BAD_ARGUMENT,
        None => NOT_FOUND,
    }
}

fn record_metric(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let proxy = guest.proxy();
    let mut shared = proxy.borrow_mut();
    let Some(metric) = shared.metrics.get_mut(arguments.at(0) as usize) else { return NOT_FOUND };
    metric.value = if metric.is_counter { metric.value + arguments.long(1) } else { arguments.long(1) };
    OK
}

fn get_metric(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let value = guest.proxy().borrow().metrics.get(arguments.at(0) as usize).map(|metric| metric.value);
    let Some(value) = value else { return NOT_FOUND };
    guest.put(arguments.at(1), &value.to_le_bytes());
    OK
}

fn http_call(guest: &mut Guest<'_>, arguments: &Arguments) -> u32 {
    let cluster = guest.text(arguments.at(0), arguments.at(1));
    let headers = decode(&guest.bytes(arguments.at(2), arguments.at(3)));
    let proxy = guest.proxy();
    proxy.borrow_mut().last_token += 1;
    let token = proxy.borrow().last_token;
    let root = guest.vm().root();
    let call = HttpCall { token, root, cluster, headers, timeout_ms: arguments.at(8) };
    guest.vm().calls.push(call);
    guest.put(arguments.at(9), &token.to_le_bytes());
    OK
}

fn hand_over(guest: &mut Guest<'_>, value: Option<Vec<u8>>, value_at: u32, size_at: u32) -> u32 {
    let Some(value) = value else { return NOT_FOUND };
    guest.give(&value, value_at, size_at);
    OK
}
