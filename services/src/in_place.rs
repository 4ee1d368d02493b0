//! Work that blocks for a moment, on the thread that serves its request: to hand it to another one, and
//! its result back, would take longer than most of such work.

use std::panic::AssertUnwindSafe;

use crate::log;

/// The work ended in a panic, which has been logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Does `work` that may take its time; meanwhile another thread serves what else this one would have
/// served.
///
/// # Errors
/// When it panics: a fault of ours ends one request, and not the connection with those that follow.
/// What it may have left half done nobody may look at any more.
pub(crate) fn in_place<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    at_once(|| tokio::task::block_in_place(work))
}

/// Does `work` that takes no longer than it takes to wake another thread; what else this one serves
/// waits so long.
///
/// # Errors
/// As those of [`in_place`].
pub(crate) fn at_once<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
        log::line(format_args!("a request was not finished: {text}"));
        Panicked
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_panic_is_an_error() {
        assert_eq!(in_place(|| -> () { panic!("{}", "unforeseen") }), Err(Panicked));
        assert_eq!(at_once(|| -> () { panic!("unforeseen") }), Err(Panicked));
        assert_eq!((in_place(|| 1), at_once(|| 2)), (Ok(1), Ok(2)));
    }
}
