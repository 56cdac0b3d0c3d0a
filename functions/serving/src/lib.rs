//! What the functions here share: they listen, serve HTTP/1.1 and HTTP/2, and finish what they are at when told to end.
//!
//! A function is a closure from a request to a future of its [`Answer`]. It knows nothing of steadfaas; what is here
//! beyond serving is what every function wants of a request: its body within bounds ([`whole`]), a number ([`n`]), and
//! until when somebody waits for the answer ([`deadline()`]).

mod answer;
mod body;
mod deadline;
mod executions;
mod listen;
mod parameter;
mod server;
mod span;

pub use answer::{Answer, answer, json};
pub use body::whole;
pub use deadline::deadline;
pub use executions::Executions;
pub use listen::listen;
pub use parameter::n;
pub use server::{serve, until_terminated};
pub use span::parse_span;
