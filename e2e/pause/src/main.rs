//! `pause`: the first process of a node's or a pod's namespaces. It does nothing but bury orphans; when it is killed,
//! the kernel ends everything else in there.
//!
//! `pause --when-told CLUSTER` says `ready` and waits for one byte first: whoever started it has by then written down that it
//! exists. If they died before, their end of the pipe closes, and `pause` leaves with all that it holds. The name of the
//! cluster is for whoever looks what belongs to it.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{WaitOptions, wait};

/// How long an orphan may stay unburied when there was no other child to wait for: nobody waits for it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let told_first = std::env::args().nth(1).is_some_and(|word| word == "--when-told");
    if told_first && !was_told() {
        return ExitCode::FAILURE;
    }
    loop {
        // Waits for as long as there is a child; an error says that there is none.
        if wait(WaitOptions::empty()).is_err() {
            sleep(LOOK_EVERY);
        }
    }
}

/// Whether the one who started this process still wants it.
fn was_told() -> bool {
    let mut stdout = std::io::stdout();
    let said = writeln!(stdout, "ready").and_then(|()| stdout.flush());
    said.is_ok() && std::io::stdin().read_exact(&mut [0]).is_ok()
}
