//! `relay QUEUE MILLISECONDS`: takes the packets that the kernel puts into a queue, and lets each go on after so long. It
//! stands in for `tc netem`, which many kernels lack: connections that are open already are delayed too.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nfq::{Message, Queue, Verdict};

/// How often it looks for packets that came or are due: a millisecond more or less is not felt among the tens that a
/// delay has.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// How many packets may wait. The kernel drops what is beyond; a thousand a second for ten seconds stay.
const MOST_WAITING: u32 = 10_000;

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let number =
        words.next().and_then(|word| word.parse().ok()).context("usage: relay QUEUE MILLISECONDS")?;
    let delay = words.next().and_then(|word| word.parse().ok()).context("usage: relay QUEUE MILLISECONDS")?;
    let mut queue = Queue::open().context("the kernel has no packet queues (nfnetlink_queue)")?;
    queue.bind(number).with_context(|| format!("the packet queue {number} can't be taken"))?;
    queue.set_queue_max_len(number, MOST_WAITING)?;
    queue.set_nonblocking(true);
    relay(&mut queue, Duration::from_millis(delay))
}

/// Packets stay in the order in which they came.
fn relay(queue: &mut Queue, delay: Duration) -> anyhow::Result<()> {
    let mut waiting: VecDeque<(Instant, Message)> = VecDeque::new();
    loop {
        match queue.recv() {
            Ok(packet) => {
                waiting.push_back((Instant::now() + delay, packet));
                continue;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error).context("the packet queue is gone"),
        }
        while waiting.front().is_some_and(|(due, _)| *due <= Instant::now()) {
            let Some((_, mut packet)) = waiting.pop_front() else { break };
            packet.set_verdict(Verdict::Accept);
            queue.verdict(packet)?;
        }
        sleep(LOOK_EVERY);
    }
}
