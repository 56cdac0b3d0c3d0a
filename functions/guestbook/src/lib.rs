//! A function that keeps something: `POST /` adds an entry to a guestbook in Redis, `GET /` answers the newest ones.
//!
//! It shows what a function does about requests that come twice, as whatever is repeated after a failure does: when a
//! replica dies, nobody knows whether it had stored what it was asked to. [`key`] is the name that all attempts of one
//! request have in common, [`store`] keeps an entry under it in one command that does nothing the second time, and
//! [`function`] answers the second time what it answered the first. `docs/exactly-once.md` is the lesson in words.

pub mod function;
pub mod key;
pub mod store;
