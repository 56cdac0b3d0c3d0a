//! Following what `kubectl get --watch` tells of changes.

use std::io::{self, BufReader};
use std::ops::ControlFlow;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Deserializer, Value};

/// What kubectl is to be told beside what is watched.
pub const WORDS: [&str; 3] = ["--watch", "--output-watch-events", "--output=json"];

/// An API server ends watches now and then, or is away: it is asked again after this time.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// What is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// All that there is comes next, as if it were new; what went away since the last watch isn't told of.
    Anew,
    /// An object that is there, as it is now.
    Is(Value),
    /// An object that is gone, as it was.
    Gone(Value),
}

/// Starts such a command again and again, on a thread of its own, until whoever is told breaks it off.
pub fn keep(
    command: impl Fn() -> Command + Send + 'static,
    mut tell: impl FnMut(Told) -> ControlFlow<()> + Send + 'static,
) {
    thread::spawn(move || {
        loop {
            match once(&mut command(), &mut tell) {
                Ok(ControlFlow::Break(())) => return,
                Ok(ControlFlow::Continue(())) => eprintln!("the watch has ended and is begun again"),
                Err(error) => eprintln!("kubectl can't be started to watch, and will be again: {error}"),
            }
            thread::sleep(AGAIN_AFTER);
        }
    });
}

fn once(
    command: &mut Command,
    tell: &mut impl FnMut(Told) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    let mut kubectl = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let told = follow(&mut kubectl, tell);
    // It may have ended by itself.
    let _ = kubectl.kill();
    kubectl.wait()?;
    Ok(told)
}

fn follow(kubectl: &mut Child, tell: &mut impl FnMut(Told) -> ControlFlow<()>) -> ControlFlow<()> {
    let Some(output) = kubectl.stdout.take() else { return ControlFlow::Continue(()) };
    let said = Deserializer::from_reader(BufReader::new(output)).into_iter::<Value>();
    tell(Told::Anew)?;
    said.map_while(Result::ok).filter_map(parse).try_for_each(tell)
}

/// `{"type": "ADDED", "object": {…}}`; errors are told in the same way, as objects without a name.
fn parse(mut said: Value) -> Option<Told> {
    let gone = said.get("type")? == "DELETED";
    let object = said.get_mut("object")?.take();
    object.pointer("/metadata/name")?;
    Some(if gone { Told::Gone(object) } else { Told::Is(object) })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_deleted_is_gone() {
        let object = json!({ "metadata": { "name": "fib" } });
        let told = |kind: &str| parse(json!({ "type": kind, "object": object })).unwrap();
        assert_eq!(told("MODIFIED"), Told::Is(object.clone()));
        assert_eq!(told("DELETED"), Told::Gone(object.clone()));
    }

    #[test]
    fn what_is_no_object_is_passed_over() {
        assert_eq!(parse(json!({ "type": "ERROR", "object": { "kind": "Status" } })), None);
    }

    #[test]
    fn a_watch_that_ends_is_begun_again_until_it_is_broken_off() {
        let (sender, told) = mpsc::channel();
        let event = r#"{"type":"ADDED","object":{"metadata":{"name":"fib"}}}"#;
        let command = move || {
            let mut command = Command::new("echo");
            command.arg(event);
            command
        };
        keep(command, move |told| match sender.send(told) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        });
        let told: Vec<Told> = told.iter().take(4).collect();
        assert!(matches!(told.as_slice(), [Told::Anew, Told::Is(_), Told::Anew, Told::Is(_)]), "{told:?}");
    }
}
