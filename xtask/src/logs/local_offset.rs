//! The offset of local time, in which many programs log.

use nix::libc;
use time::{OffsetDateTime, UtcOffset};

/// That of now, for all times: where clocks have been put forward since a line was written, it is
/// taken for one of an hour later or earlier. UTC if the machine does not know.
pub(super) fn find() -> UtcOffset {
    let now: libc::time_t = OffsetDateTime::now_utc().unix_timestamp();
    let mut broken_down = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both point to what the call expects. It may read the environment, which nothing in
    // this program ever changes.
    let done = unsafe { libc::localtime_r(&raw const now, broken_down.as_mut_ptr()) };
    if done.is_null() {
        return UtcOffset::UTC;
    }
    // SAFETY: the call succeeded, and of zeros it would have been valid before.
    let broken_down = unsafe { broken_down.assume_init() };
    let seconds = i32::try_from(broken_down.tm_gmtoff).unwrap_or(0);
    UtcOffset::from_whole_seconds(seconds).unwrap_or(UtcOffset::UTC)
}
