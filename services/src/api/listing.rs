//! What a list request asks for besides its filters: page, order and selection. Pure.

use serde_json::Value;

use super::error::{Result, unprocessable};
use super::request::ApiRequest;
use super::resource::Resource;
use crate::era::Era;
use crate::era::api::{
    DEFAULT_ORDER, DEFAULT_ORDER_OF_TOKENS, IGNORES_UNSELECTED_ORDERS, TAKES_COUNT,
};

/// The most objects of one list.
pub(crate) const MAX_LIMIT: u64 = 1000;

/// Which part of the list is wanted, and how much of each object.
#[derive(Debug)]
pub(crate) struct Listing {
    /// At most so many, and never more than [`MAX_LIMIT`].
    pub(crate) limit: u64,
    /// The first one's place.
    pub(crate) offset: u64,
    /// The SQL after `ORDER BY`.
    pub(crate) order: String,
    /// The attributes wanted; `None` for the usual ones.
    pub(crate) select: Option<Vec<String>>,
    /// The columns of which equal values are given once; `None` if no two objects are equal in what
    /// is selected, or repetitions are welcome.
    pub(crate) distinct: Option<Vec<&'static str>>,
    /// How many there are in all is wanted.
    pub(crate) count: bool,
}

impl Listing {
    /// Reads the parameters.
    ///
    /// # Errors
    /// When a number is none, or an unknown attribute is selected.
    pub(crate) fn read(resource: &Resource, era: Era, request: &ApiRequest) -> Result<Self> {
        Self::with_select(resource, era, request, select(resource, era, request)?)
    }

    /// Reads the parameters, save `select`.
    ///
    /// # Errors
    /// When a number is none.
    pub(crate) fn with_select(
        resource: &Resource,
        era: Era,
        request: &ApiRequest,
        select: Option<Vec<String>>,
    ) -> Result<Self> {
        let distinct = distinct(resource, era, request, select.as_deref())?;
        let count = match request.parameter("count") {
            Some(count) if TAKES_COUNT.of(era) => match count.as_str() {
                Some("none") => false,
                Some("exact" | "") => true,
                _ => {
                    return Err(unprocessable("count parameter must be \"exact\" or \"none\""));
                }
            },
            _ => true,
        };
        Ok(Self {
            limit: number(request, "limit")?.unwrap_or(100).min(MAX_LIMIT),
            offset: number(request, "offset")?.unwrap_or(0),
            order: order(resource, era, request, select.as_deref(), distinct.as_deref())?,
            select,
            distinct,
            count,
        })
    }
}

fn number(request: &ApiRequest, name: &str) -> Result<Option<u64>> {
    let number = match request.parameter(name) {
        None => return Ok(None),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) if !text.starts_with('+') => text.parse().ok(),
        Some(_) => None,
    };
    // SQLite's own limit is a signed number.
    number
        .map(|number| Some(number.min(i64::MAX.unsigned_abs())))
        .ok_or_else(|| unprocessable(format!("Invalid value for {name} parameter")))
}

/// The attributes that `select` names.
///
/// # Errors
/// When it is not an array of names, or one of them is unknown.
pub(crate) fn select(
    resource: &Resource,
    era: Era,
    request: &ApiRequest,
) -> Result<Option<Vec<String>>> {
    selected(request, |name| resource.attribute(era, name).is_some())
}

/// The names in `select`, each of which has to be known.
///
/// # Errors
/// When it is not an array of names, or one of them is unknown.
pub(crate) fn selected(
    request: &ApiRequest,
    is_known: impl Fn(&str) -> bool,
) -> Result<Option<Vec<String>>> {
    let names = match request.json("select")? {
        None => return Ok(None),
        Some(Value::Array(names)) => names,
        Some(_) => return Err(unprocessable("select must be an array")),
    };
    let known = |name: &Value| match name.as_str().filter(|name| is_known(name)) {
        Some(name) => Ok(name.to_owned()),
        None => Err(unprocessable(format!("Invalid attribute {name} in select"))),
    };
    names.iter().map(known).collect::<Result<_>>().map(Some)
}

/// What is computed for an answer may depend on any column: then each object counts for itself.
fn distinct(
    resource: &Resource,
    era: Era,
    request: &ApiRequest,
    select: Option<&[String]>,
) -> Result<Option<Vec<&'static str>>> {
    let Some(select) = select.filter(|select| !select.is_empty()) else {
        return Ok(None);
    };
    if !request.flag("distinct")? {
        return Ok(None);
    }
    // The kind is the same for all.
    let selected = select.iter().filter(|name| *name != "kind");
    let columns: Option<Vec<_>> = selected
        .map(|name| {
            let attribute = resource.attribute(era, name)?;
            attribute.stored.then_some(attribute.name)
        })
        .collect();
    Ok(columns.filter(|columns| !columns.is_empty()))
}

fn order(
    resource: &Resource,
    era: Era,
    request: &ApiRequest,
    select: Option<&[String]>,
    distinct: Option<&[&'static str]>,
) -> Result<String> {
    let wanted = match request.parameter("order") {
        Some(Value::String(text)) if text.starts_with('[') => request.json("order")?,
        other => other.cloned(),
    };
    let wanted: Vec<String> = match wanted {
        Some(Value::String(text)) => text.split(',').map(str::to_owned).collect(),
        Some(Value::Array(items)) => {
            items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    };
    let unselected = |name: &str| {
        IGNORES_UNSELECTED_ORDERS.of(era)
            && select.is_some_and(|select| !select.iter().any(|kept| kept == name))
    };
    let mut terms: Vec<(&str, &str)> = wanted
        .iter()
        .filter_map(|item| order_term(resource, era, item))
        .filter(|(name, _)| !unselected(name))
        .collect();
    terms.extend(default_order(resource, era));
    if let Some(columns) = distinct {
        // Several objects are one answer then, which has a place by its own columns only.
        terms.retain(|(name, _)| columns.contains(name));
        terms.extend(columns.iter().map(|name| (*name, "asc")));
    }
    let mut unrepeated: Vec<(&str, &str)> = Vec::new();
    for term in terms {
        if unrepeated.iter().all(|(known, _)| *known != term.0) {
            unrepeated.push(term);
        }
        // No two objects are equal in it, and SQLite would sort by what follows.
        if distinct.is_none() && ["id", "uuid"].contains(&term.0) {
            break;
        }
    }
    let terms: Vec<_> = unrepeated
        .iter()
        .map(|(name, direction)| match (*name, *direction) {
            // Never null: said of them, it would keep SQLite from using an index.
            ("id" | "uuid", "desc") => format!("{name} DESC"),
            ("id" | "uuid", _) => format!("{name} ASC"),
            // PostgreSQL takes a null for larger than everything, SQLite for smaller.
            (_, "desc") => format!("{name} DESC NULLS FIRST"),
            _ => format!("{name} ASC NULLS LAST"),
        })
        .collect();
    Ok(terms.join(", "))
}

/// `attribute`, `attribute desc` or `table.attribute asc`; anything else is ignored.
fn order_term(resource: &Resource, era: Era, item: &str) -> Option<(&'static str, &'static str)> {
    let mut words = item.split_whitespace();
    let name = words.next()?;
    let name = match name.split_once('.') {
        Some((table, name)) => Some(name).filter(|_| table == resource.plural)?,
        None => name,
    };
    let direction = match words.next().map(str::to_ascii_lowercase).as_deref() {
        None | Some("asc") => "asc",
        Some("desc") => "desc",
        Some(_) => return None,
    };
    let attribute = resource.attribute(era, name)?;
    (attribute.stored && words.next().is_none()).then_some((attribute.name, direction))
}

fn default_order(resource: &Resource, era: Era) -> &'static [(&'static str, &'static str)] {
    match resource.plural {
        "api_client_authorizations" => DEFAULT_ORDER_OF_TOKENS.of(era),
        _ => DEFAULT_ORDER.of(era),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::resources::COLLECTIONS;

    fn read(query: &str, era: Era) -> Result<Listing> {
        let request = hyper::Request::get(format!("/x?{query}")).body(()).unwrap();
        let (parts, ()) = request.into_parts();
        let request = ApiRequest::read(&parts, b"", era).unwrap();
        Listing::read(&COLLECTIONS, era, &request)
    }

    fn order_of(query: &str, era: Era) -> String {
        read(query, era).unwrap().order
    }

    #[test]
    fn the_default_order_comes_last() {
        let default = "modified_at DESC NULLS FIRST, uuid DESC";
        assert_eq!(order_of("", Era::Current), default);
        let named = format!("name ASC NULLS LAST, {default}");
        assert_eq!(order_of("order=name", Era::Current), named);
        assert_eq!(order_of("order=%5B%22name%20asc%22%5D", Era::Current), named);
        assert_eq!(order_of("order=uuid,collections.modified_at%20DESC", Era::Current), "uuid ASC");
    }

    #[test]
    fn bad_order_items_are_ignored() {
        let query = "order=name%20up,nome,users.name,name%20asc%20x,kind";
        assert_eq!(order_of(query, Era::Current), order_of("", Era::Current));
    }

    #[test]
    fn unselected_orders_are_dropped_in_2015() {
        let query = "order=name&select=%5B%22uuid%22%5D";
        assert!(!order_of(query, Era::Y2015).contains("name"));
        assert!(order_of(query, Era::Current).contains("name"));
    }

    #[test]
    fn distinct_answers_are_ordered_by_what_they_consist_of() {
        let query = |select: &str| {
            read(&format!("distinct=true&order=name&select={select}"), Era::Current).unwrap()
        };
        let owners = query("%5B%22kind%22,%22owner_uuid%22%5D");
        assert_eq!(owners.distinct, Some(vec!["owner_uuid"]));
        assert_eq!(owners.order, "owner_uuid ASC NULLS LAST");
        let named = query("%5B%22owner_uuid%22,%22name%22%5D");
        assert_eq!(named.order, "name ASC NULLS LAST, owner_uuid ASC NULLS LAST");
        // An etag is computed from the whole object.
        assert_eq!(query("%5B%22owner_uuid%22,%22etag%22%5D").distinct, None);
        assert_eq!(query("%5B%22kind%22%5D").distinct, None);
    }

    #[test]
    fn limits_are_capped_and_nonsense_is_refused() {
        assert_eq!(read("", Era::Current).unwrap().limit, 100);
        assert_eq!(read("limit=0", Era::Current).unwrap().limit, 0);
        assert_eq!(read("limit=1000000", Era::Current).unwrap().limit, MAX_LIMIT);
        for query in ["limit=-1", "limit=x", "offset=1.5", "count=some", "select=%5B%22nome%22%5D"]
        {
            assert!(read(query, Era::Current).is_err(), "{query}");
        }
    }
}
