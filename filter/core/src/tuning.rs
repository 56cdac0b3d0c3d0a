//! Trying other values of the constants: what `cargo simulate sensitivity` does.
//!
//! Where a rule uses one of them it says `tuned!(NAME)`. That is the constant itself, but for the feature `tuning`,
//! which only the simulation asks for: there a thread can set another value for as long as a run takes.

/// The value of a constant; the one that was set for this thread, where the feature `tuning` is on.
#[cfg(not(feature = "tuning"))]
macro_rules! tuned {
    ($constant:ident) => {
        $constant
    };
}

#[cfg(feature = "tuning")]
macro_rules! tuned {
    ($constant:ident) => {
        $crate::tuning::value(stringify!($constant), $constant)
    };
}

#[cfg(feature = "tuning")]
pub use tried::{Try, Tunable};

#[cfg(feature = "tuning")]
pub(crate) use tried::value;

#[cfg(feature = "tuning")]
mod tried {
    use std::cell::Cell;
    use std::time::Duration;

    thread_local! {
        static TRIED: Cell<Option<(&'static str, f64)>> = const { Cell::new(None) };
    }

    /// Another value of one constant, on this thread, until this is dropped. Spans are seconds.
    #[derive(Debug)]
    pub struct Try(());

    impl Try {
        /// Sets the constant called `name`; whatever was set before is no more.
        #[must_use]
        pub fn value(name: &'static str, value: f64) -> Self {
            TRIED.set(Some((name, value)));
            Self(())
        }
    }

    impl Drop for Try {
        fn drop(&mut self) {
            TRIED.set(None);
        }
    }

    /// What a constant can be.
    pub trait Tunable {
        /// The value for a number that was set.
        fn from_number(number: f64) -> Self;
    }

    macro_rules! tunable {
        ($($number:ty),*) => {$(
            impl Tunable for $number {
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "whoever tries a value takes a fitting one"
                )]
                fn from_number(number: f64) -> Self {
                    number as Self
                }
            }
        )*};
    }

    tunable!(u32, u64, usize, f32);

    impl Tunable for Duration {
        fn from_number(number: f64) -> Self {
            Self::from_secs_f64(number.max(0.0))
        }
    }

    pub(crate) fn value<T: Tunable>(name: &str, constant: T) -> T {
        match TRIED.get() {
            Some((tried, number)) if tried == name => T::from_number(number),
            _ => constant,
        }
    }
}
