//! Work on many things, by all processors at once.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

/// Of fewer things, a thread costs as much as it saves.
const WORTH_A_THREAD: usize = 500;

/// What `work` makes of each of `things`, in their order.
///
/// # Errors
/// That of the first of them that `work` has an error for.
pub(crate) fn try_map<T: Sync, R: Send, E: Send>(
    things: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let part = things.len().div_ceil(processors).max(WORTH_A_THREAD);
    if things.len() <= part {
        return things.iter().map(work).collect();
    }
    let work = &work;
    let parts = thread::scope(|scope| {
        let parts = things.chunks(part);
        let threads: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter().map(work).collect::<Result<Vec<R>, E>>()))
            .collect();
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        joined.collect::<Result<Vec<_>, E>>()
    })?;
    Ok(parts.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_threads_made_is_in_order() {
        for count in [0, 1, WORTH_A_THREAD, 10 * WORTH_A_THREAD + 1] {
            let things: Vec<_> = (0..count).collect();
            let made = try_map(&things, |thing| Ok::<_, ()>(thing * 2));
            assert_eq!(made, Ok(things.iter().map(|thing| thing * 2).collect()));
        }
    }

    #[test]
    fn the_first_error_is_that_of_all() {
        let things: Vec<_> = (0..10 * WORTH_A_THREAD).collect();
        let made = try_map(&things, |thing| match thing % 1_000 {
            999 => Err(*thing),
            _ => Ok(()),
        });
        assert_eq!(made, Err(999));
    }
}
