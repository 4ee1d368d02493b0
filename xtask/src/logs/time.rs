//! When a line of a log was written, as the line itself says: a pure function of its bytes.

use time::{Date, Month, OffsetDateTime, UtcOffset};

/// How far into a line the time of an access log is looked for: before it there are an address and
/// the name of a user.
const PREAMBLE: usize = 512;

/// The time that `line` begins with, in one of the forms that our services and the usual programs
/// have; `local` is the offset of those forms that name none.
pub(super) fn of_line(line: &[u8], local: UtcOffset) -> Option<OffsetDateTime> {
    let text = Text(line);
    let forms = [Text::plain, Text::passenger, Text::redis];
    forms.iter().find_map(|form| form(&mut text.clone(), local)).or_else(|| access_log(line))
}

/// `127.0.0.1 - user [25/Nov/2026:09:55:16 +0000] "GET /`, as most web servers have it.
fn access_log(line: &[u8]) -> Option<OffsetDateTime> {
    let preamble = line.iter().take(PREAMBLE).enumerate();
    let brackets = preamble.filter(|(_, byte)| **byte == b'[');
    let mut inside = brackets.filter_map(|(index, _)| line.get(index + 1..));
    inside.find_map(|inside| Text(inside).combined())
}

/// What is left of a line. Whatever it takes from the front is gone if it is what was asked for.
#[derive(Clone)]
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    /// `2026-11-25T09:55:16.123Z`, or with a blank, an offset, the name of a zone or none
    /// (PostgreSQL); `2026/11/25 09:55:16.123456` (Go, and nginx's log of errors).
    fn plain(&mut self, local: UtcOffset) -> Option<OffsetDateTime> {
        let year = self.number(4)?;
        let separator = self.one_of(b"-/")?;
        let month = self.number(2)?;
        self.one_of(&[separator])?;
        let day = self.number(2)?;
        self.one_of(b" T")?;
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        let time = self.clock()?;
        let offset = if separator == b'-' { self.zone() } else { None };
        at(year, month, day, time, offset.unwrap_or(local))
    }

    /// `[ N 2026-11-25 09:55:16.2 123/T1 file:1 ]: text`; old ones have no level.
    fn passenger(&mut self, local: UtcOffset) -> Option<OffsetDateTime> {
        self.one_of(b"[")?;
        self.one_of(b" ")?;
        if self.0.first()?.is_ascii_uppercase() {
            self.0 = self.0.get(1..)?;
            self.one_of(b" ")?;
        }
        self.plain(local)
    }

    /// `123:M 25 Nov 2026 09:55:16.123 * text`.
    fn redis(&mut self, local: UtcOffset) -> Option<OffsetDateTime> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.0 = self.0.get(digits..).filter(|_| digits > 0)?;
        self.one_of(b":")?;
        self.one_of(b"CMSX")?;
        self.one_of(b" ")?;
        let day = self.number(2)?;
        self.one_of(b" ")?;
        let month = self.month()?;
        self.one_of(b" ")?;
        let year = self.number(4)?;
        self.one_of(b" ")?;
        at(year, month, day, self.clock()?, local)
    }

    /// `25/Nov/2026:09:55:16 +0000`.
    fn combined(&mut self) -> Option<OffsetDateTime> {
        let day = self.number(2)?;
        self.one_of(b"/")?;
        let month = self.month()?;
        self.one_of(b"/")?;
        let year = self.number(4)?;
        self.one_of(b":")?;
        let time = self.clock()?;
        at(year, month, day, time, self.zone()?)
    }

    /// `09:55:16`, and a fraction if there is one.
    fn clock(&mut self) -> Option<time::Time> {
        let hour = self.number(2)?;
        self.one_of(b":")?;
        let minute = self.number(2)?;
        self.one_of(b":")?;
        // A leap second is taken for the one before it.
        let second = Some(self.number(2)?).filter(|second| *second <= 60)?.min(59);
        let fraction = self.fraction();
        let [hour, minute, second] = [hour, minute, second].map(u8::try_from);
        time::Time::from_hms_nano(hour.ok()?, minute.ok()?, second.ok()?, fraction).ok()
    }

    /// In nanoseconds; what is finer is left out.
    fn fraction(&mut self) -> u32 {
        if !matches!(self.0, [b'.' | b',', b'0'..=b'9', ..]) {
            return 0;
        }
        self.0 = &self.0[1..];
        let mut nanoseconds = 0;
        let mut place = 100_000_000;
        while let [digit @ b'0'..=b'9', rest @ ..] = self.0 {
            nanoseconds += u32::from(digit - b'0') * place;
            place /= 10;
            self.0 = rest;
        }
        nanoseconds
    }

    /// `Z`, `+01:00`, `+0100`, `+01`, ` +0100`, ` UTC`, ` GMT`.
    fn zone(&mut self) -> Option<UtcOffset> {
        let after_blank = self.one_of(b" ").is_some();
        let is_utc = if after_blank {
            self.0.starts_with(b"UTC") || self.0.starts_with(b"GMT")
        } else {
            self.0.starts_with(b"Z")
        };
        if is_utc {
            return Some(UtcOffset::UTC);
        }
        let west = self.one_of(b"+-")? == b'-';
        let hours = i32::try_from(self.number(2)?).ok()?;
        let _ = self.one_of(b":");
        let minutes = match self.number(2) {
            Some(minutes) => i32::try_from(minutes).ok().filter(|minutes| *minutes < 60)?,
            // After a blank, it is rather a number of something else.
            None if after_blank => return None,
            None => 0,
        };
        let seconds = (hours * 60 + minutes) * 60;
        UtcOffset::from_whole_seconds(if west { -seconds } else { seconds }).ok()
    }

    /// The first byte, if it is one of these.
    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        bytes.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// A number of so many digits.
    fn number(&mut self, digits: usize) -> Option<u32> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        let add = |sum, byte: &u8| Some(sum * 10 + char::from(*byte).to_digit(10)?);
        let number = number.iter().try_fold(0, add)?;
        self.0 = rest;
        Some(number)
    }

    /// `Nov`.
    fn month(&mut self) -> Option<Month> {
        const NAMES: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
        let (name, rest) = self.0.split_at_checked(3)?;
        let index = NAMES.chunks(3).position(|known| known == name)?;
        self.0 = rest;
        Month::try_from(u8::try_from(index + 1).ok()?).ok()
    }
}

fn at(
    year: u32,
    month: Month,
    day: u32,
    time: time::Time,
    offset: UtcOffset,
) -> Option<OffsetDateTime> {
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?);
    Some(date.ok()?.with_time(time).assume_offset(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An hour east of UTC.
    fn local() -> UtcOffset {
        UtcOffset::from_hms(1, 0, 0).unwrap()
    }

    /// Seconds and milliseconds since 09:55:00 UTC on that day.
    fn of(line: impl AsRef<[u8]>) -> Option<f64> {
        let minute = Date::from_calendar_date(2026, Month::November, 25).unwrap();
        let minute = minute.with_hms(9, 55, 0).unwrap().assume_utc();
        let time = of_line(line.as_ref(), local())?;
        Some(((time - minute).as_seconds_f64() * 1000.0).round() / 1000.0)
    }

    #[test]
    fn our_own_services_are_understood() {
        let request = "2026-11-25T09:55:16.123Z req-1 127.0.0.1:1 \"GET /\" 200 0.1ms";
        assert_eq!(of(request), Some(16.123));
        let access = "127.0.0.1 - - [25/Nov/2026:09:55:16 +0000] \"GET / HTTP/1.1\" 200 5 \"-\"";
        assert_eq!(of(access), Some(16.0));
        assert_eq!(of("keepstore: accept: too many open files"), None);
    }

    #[test]
    fn the_usual_programs_are_understood() {
        for (line, seconds) in [
            ("2026/11/25 10:55:16 keepstore starting", 16.0),
            ("2026/11/25 10:55:16.123456 127.0.0.1:1 GET /", 16.123),
            ("2026/11/25 10:55:16 -0100 is no offset here", 16.0),
            ("2026/11/25 10:55:16 [notice] 1#1: start worker processes", 16.0),
            ("10.0.0.1 - a[b [25/Nov/2026:11:55:16 +0200] \"GET / HTTP/1.1\" 200 5", 16.0),
            ("17:M 25 Nov 2026 10:55:16.123 * Ready to accept connections", 16.123),
            ("2026-11-25 09:55:16.123 UTC [17] LOG:  listening", 16.123),
            ("2026-11-25 09:55:16.123 GMT [17] LOG:  listening", 16.123),
            ("2026-11-25 10:55:16.123 CET [17] LOG:  listening", 16.123),
            ("2026-11-25 04:25:16.123 -0530 x", 16.123),
            ("[ N 2026-11-25 10:55:16.2 17/T1 age/Wat/Main.cpp:1 ]: Starting", 16.2),
            ("[ 2026-11-25 10:55:16.2345 17/7f0 agents/Main.cpp:1 ]: Starting", 16.235),
            ("2026-11-25T10:55:16+01:00 x", 16.0),
            ("2026-11-25T04:25:16.5-0530", 16.5),
            ("2026-11-25T10:55:16.1+01", 16.1),
            ("2026-11-25 10:55:16,123 a comma", 16.123),
            ("2026-11-25 10:55:16", 16.0),
            ("2026-11-25T09:55:16.123456789123Z", 16.123),
            ("2026-11-25T09:55:60Z", 59.0),
        ] {
            assert_eq!(of(line), Some(seconds), "{line}");
        }
    }

    #[test]
    fn what_only_looks_like_a_time_is_none() {
        for line in [
            "",
            " 2026-11-25T09:55:16Z",
            "2026-11-25",
            "2026-11/25 09:55:16",
            "2026-13-25 09:55:16",
            "2026-02-30 09:55:16",
            "2026-11-25 24:55:16",
            "2026-11-25 09:60:16",
            "2026-11-25 09:55:61",
            "+026-11-25 09:55:16",
            "1 - - [25/Nov/2026:09:55:16] \"GET /\"",
            "1 - - [25/nov/2026:09:55:16 +0000]",
            ":M 25 Nov 2026 09:55:16.123 * x",
            "[ é 2026-11-25 09:55:16",
            "２０２６-11-25 09:55:16",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
        let late = format!("{}[25/Nov/2026:09:55:16 +0000]", "[".repeat(PREAMBLE));
        assert_eq!(of(late), None);
        assert_eq!(of(b"\xff2026-11-25 09:55:16"), None);
        assert_eq!(of(b"2026-11-25 10:55:16\xff\xfe"), Some(16.0));
    }

    /// Random, and the same in every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: u32) -> u32 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            u32::try_from(self.0 >> 33).unwrap() % limit
        }
    }

    #[test]
    fn every_time_is_read_back_from_every_form() {
        let mut random = Random(1);
        for _ in 0..2000 {
            let (year, day) = (random.below(10_000), 1 + random.below(28));
            let (hour, minute, second) = (random.below(24), random.below(60), random.below(60));
            let month = Month::January.nth_next(u8::try_from(random.below(12)).unwrap());
            let (number, name) = (u8::from(month), &month.to_string()[..3]);
            let clock = format!("{hour:02}:{minute:02}:{second:02}");
            let lines = [
                format!("{year:04}/{number:02}/{day:02} {clock} x"),
                format!("{year:04}-{number:02}-{day:02}T{clock}+01:00 x"),
                format!("{year:04}-{number:02}-{day:02} {clock}.000 CET [1] LOG: x"),
                format!("1 - - [{day:02}/{name}/{year:04}:{clock} +0100] x"),
                format!("1:M {day:02} {name} {year:04} {clock}.000 # x"),
                format!("[ D {year:04}-{number:02}-{day:02} {clock}.0000 1/T2 x"),
            ];
            let date = Date::from_calendar_date(
                i32::try_from(year).unwrap(),
                month,
                u8::try_from(day).unwrap(),
            );
            let [hour, minute, second] = [hour, minute, second].map(|n| u8::try_from(n).unwrap());
            let wanted = date.unwrap().with_hms(hour, minute, second).unwrap();
            for line in lines {
                let read = of_line(line.as_bytes(), local());
                assert_eq!(read, Some(wanted.assume_offset(local())), "{line}");
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_read_without_a_panic() {
        let near = "[ N 2026-11-25T09:55:16.123+00:00 [25/Nov/2026:09:55:16 +0000] 7:M é\u{80}";
        let mut random = Random(2);
        for _ in 0..20_000 {
            // Bytes of which times are made, in any order, among others.
            let length = random.below(60);
            let mut bytes: Vec<u8> = (0..length)
                .map(|_| match random.below(4) {
                    0 => u8::try_from(random.below(256)).unwrap(),
                    _ => near.as_bytes()[usize::try_from(random.below(70)).unwrap()],
                })
                .collect();
            let _ = of_line(&bytes, local());
            // A time with one byte changed, and cut off anywhere.
            bytes = near.as_bytes()[4 * usize::try_from(random.below(2)).unwrap()..].to_vec();
            let place = usize::try_from(random.below(60)).unwrap();
            bytes[place] = u8::try_from(random.below(256)).unwrap();
            bytes.truncate(usize::try_from(random.below(70)).unwrap());
            if let Some(time) = of_line(&bytes, local()) {
                // No less than a date and a time of day.
                assert!(bytes.len() >= 19, "{bytes:?}");
                assert!((0..=9999).contains(&time.year()), "{bytes:?}");
            }
        }
    }

    #[test]
    fn times_at_the_ends_of_the_calendar_can_be_compared() {
        let first = of_line(b"0000-01-01T00:00:00+23:59", local()).unwrap();
        let last = of_line(b"9999-12-31T23:59:59.999999999-23:59", local()).unwrap();
        assert_eq!(first.cmp(&last), std::cmp::Ordering::Less);
        assert_eq!(last.cmp(&first), std::cmp::Ordering::Greater);
    }
}
