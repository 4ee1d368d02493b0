//! Values that are relative to now: times that fixtures give as so long ago.
//!
//! The image of the fixture database has a list of them. For each there is a template, in which a
//! time stands as how long ago it is, between two marks; the text of a whole JSON value may be one.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Error};
use sdk_fixtures::Ago;

use super::time;

/// Stands before and behind a time. A private-use character, which nothing else has.
const MARK: char = '\u{E000}';

/// The template of the time `ago`.
pub(crate) fn template(ago: Ago) -> String {
    format!("{MARK}{ago}{MARK}")
}

/// Whether `text` is a template.
pub(crate) fn is_template(text: &str) -> bool {
    text.contains(MARK)
}

/// `template` with the times in it, in whole seconds as Rails writes those of fixtures.
pub(crate) fn filled(template: &str, now: Timestamp) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    for (position, part) in template.split(MARK).enumerate() {
        match part.parse::<Ago>() {
            Ok(ago) if position % 2 == 1 => text.push_str(&moment(ago, now)),
            _ => text.push_str(part),
        }
    }
    text
}

/// The moment `ago`, or now if it is out of range.
fn moment(ago: Ago, now: Timestamp) -> String {
    let then = if ago.months == 0 { now } else { months_ago(ago.months, now) };
    let seconds = jiff::SignedDuration::try_from_secs_f64(ago.seconds);
    let then = seconds.and_then(|seconds| then.checked_sub(seconds)).unwrap_or(then);
    let whole = then.as_nanosecond().div_euclid(1_000_000_000);
    let whole = i64::try_from(whole).ok().and_then(|it| Timestamp::from_second(it).ok());
    time::format(whole.unwrap_or(then))
}

/// By the calendar, which takes a while.
fn months_ago(months: i32, now: Timestamp) -> Timestamp {
    let months = jiff::Span::new().try_months(months);
    let then = months.and_then(|months| now.to_zoned(TimeZone::UTC).checked_sub(months));
    then.map_or(now, |then| then.timestamp())
}

/// Teaches `db` the function `filled(microseconds of now, template)`. Without a template it is now.
///
/// # Errors
/// Those of the database.
pub(crate) fn install(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("filled", 2, flags, |context| {
        let now = Timestamp::from_microsecond(context.get(0)?)
            .map_err(|error| Error::UserFunctionError(error.into()))?;
        let template = context.get_raw(1).as_str_or_null()?;
        Ok(template.map_or_else(|| time::format(now), |template| filled(template, now)))
    })
}

/// Sets all values that are relative to now, as the list in `source` says.
///
/// # Errors
/// Those of the database.
pub(crate) fn refresh(db: &Connection, source: &str) -> rusqlite::Result<()> {
    let now = Timestamp::now().as_microsecond();
    let sql = format!(
        "SELECT table_name, column_name FROM {source}.relative_columns
         WHERE table_name IN (SELECT name FROM {source}.reset_tables)"
    );
    let columns: Vec<(String, String)> = db
        .prepare_cached(&sql)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (table, column) in columns {
        // With their names as parameters SQLite would compile it anew each time.
        let of_column = format!("table_name = '{table}' AND column_name = '{column}'");
        let sql = format!(
            "UPDATE main.{table} SET {column} = filled(?, relative.template)
             FROM {source}.relative_values AS relative
             WHERE {of_column} AND relative.row_id = {table}.id"
        );
        db.prepare_cached(&sql)?.execute([now])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_in_a_template_is_filled_in() {
        let now: Timestamp = "2020-03-31T00:00:30.75Z".parse().unwrap();
        let ago = |months, seconds| template(Ago { months, seconds });
        let seconds = ago(0, 90.0);
        assert_eq!(filled(&seconds, now), "2020-03-30T23:59:00.000000000Z");
        assert_eq!(filled(&ago(1, 0.0), now), "2020-02-29T00:00:30.000000000Z");
        assert_eq!(filled(&ago(12, 0.0), now), "2019-03-31T00:00:30.000000000Z");
        assert_eq!(
            filled(&format!("[\"{seconds}\", \"0/90\"]"), now),
            "[\"2020-03-30T23:59:00.000000000Z\", \"0/90\"]"
        );
        for out_of_range in [ago(i32::MAX, 0.0), ago(0, f64::MAX)] {
            assert_eq!(filled(&out_of_range, now), "2020-03-31T00:00:30.000000000Z");
        }
    }
}
