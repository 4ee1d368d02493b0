//! Filters and selections for objects of several classes: which classes they concern, and what they
//! mean for each.

use serde_json::Value;

use super::condition::Condition;
use super::error::{Result, unprocessable};
use super::filter;
use super::listing;
use super::request::ApiRequest;
use super::resource::Resource;
use crate::era::Era;
use crate::era::api::{CONTENT_CLASSES, CONTENTS_ARE_RECURSIVE};

/// All filters of a request for contents.
pub(crate) struct Filters {
    era: Era,
    filters: Vec<Value>,
}

impl Filters {
    /// Reads them.
    ///
    /// # Errors
    /// When they are not an array, or one names a class that is not among contents.
    pub(crate) fn read(era: Era, request: &ApiRequest) -> Result<Self> {
        let mut filters = Self { era, filters: Vec::new() };
        if let Some(given) = request.json("filters")? {
            filters.add(&given)?;
        }
        if let Some(given) = request.json("where")? {
            filters.filters.extend(filter::of_where(&given, |_| false)?);
        }
        Ok(filters)
    }

    /// Adds others.
    ///
    /// # Errors
    /// When they are not an array, or one names a class that is not among contents.
    pub(crate) fn add(&mut self, given: &Value) -> Result<()> {
        let Value::Array(given) = given else {
            return Err(unprocessable("filters must be an array"));
        };
        for filter in given {
            let class = attribute_of_class(self.era, &filter[0]).map(|(class, _)| class);
            if class.is_some_and(|class| !CONTENT_CLASSES.of(self.era).contains(&class)) {
                return Err(invalid_attribute(&filter[0]));
            }
        }
        self.filters.extend(given.iter().cloned());
        Ok(())
    }

    /// Those of `classes` that have what the filters ask for, and are of a kind that they ask for.
    ///
    /// # Errors
    /// When no class has it.
    pub(crate) fn classes<'a>(&self, classes: &[&'a Resource]) -> Result<Vec<&'a Resource>> {
        let wanted = classes.iter().copied().filter(|resource| self.wants(resource));
        let (mut known, mut unknown) = (Vec::new(), None);
        for resource in wanted {
            let filters = self.of(resource);
            let missing =
                filters.iter().find(|filter| !filter::knows(resource, self.era, &filter[0]));
            match missing {
                Some(filter) => unknown = Some(invalid_attribute(&filter[0])),
                None => known.push(resource),
            }
        }
        match unknown {
            Some(error) if known.is_empty() => Err(error),
            _ => Ok(known),
        }
    }

    /// Whether no filter asks for another class by `is_a`.
    fn wants(&self, resource: &Resource) -> bool {
        let kinds = self.filters.iter().filter(|filter| filter[1] == "is_a");
        let mut kinds = kinds.flat_map(|filter| match &filter[2] {
            Value::Array(kinds) => kinds.clone(),
            kind => vec![kind.clone()],
        });
        let kinds: Vec<Value> = kinds.by_ref().collect();
        kinds.is_empty() || kinds.contains(&Value::from(resource.object_kind()))
    }

    /// The condition on objects of `resource`.
    ///
    /// # Errors
    /// When a filter is wrong.
    pub(crate) fn condition(&self, resource: &Resource) -> Result<Condition> {
        filter::compile(resource, self.era, &Value::Array(self.of(resource)))
    }

    /// The filters on `resource`, without its name.
    fn of(&self, resource: &Resource) -> Vec<Value> {
        let own = self.filters.iter().filter_map(|filter| {
            match attribute_of_class(self.era, &filter[0]) {
                None => Some(filter.clone()),
                Some((class, attribute)) if class == resource.plural => {
                    let mut own = filter.clone();
                    own[0] = attribute.into();
                    Some(own)
                }
                Some(_) => None,
            }
        });
        own.collect()
    }
}

/// The two parts of `collections.name`; in 2015 no attribute of a filter has two.
fn attribute_of_class(era: Era, attribute: &Value) -> Option<(&str, &str)> {
    let parts = attribute.as_str()?.split_once('.')?;
    (CONTENTS_ARE_RECURSIVE.of(era) && !parts.0.starts_with('(')).then_some(parts)
}

fn invalid_attribute(attribute: &Value) -> super::error::ApiError {
    unprocessable(format!("Invalid attribute {attribute} in filter"))
}

/// The attributes to show.
pub(crate) struct Select {
    era: Era,
    names: Vec<String>,
}

/// The attributes to show of objects of `classes`; `None` for the usual ones.
///
/// # Errors
/// When one of them is of no class.
pub(crate) fn selects(
    classes: &[&Resource],
    era: Era,
    request: &ApiRequest,
) -> Result<Option<Select>> {
    let names = listing::selected(request, |name| {
        classes.iter().any(|resource| attribute_to_show(resource, era, name).is_some())
    })?;
    Ok(names.map(|names| Select { era, names }))
}

impl Select {
    /// Those that objects of `resource` have.
    pub(crate) fn of(&self, resource: &Resource) -> Vec<String> {
        let names = self.names.iter();
        names
            .filter_map(|name| attribute_to_show(resource, self.era, name).map(str::to_owned))
            .collect()
    }
}

/// The attribute of `resource` that `name` means, be it `name` or `collections.name`.
fn attribute_to_show<'a>(resource: &Resource, era: Era, name: &'a str) -> Option<&'a str> {
    let name = match name.split_once('.') {
        Some((class, name)) => Some(name).filter(|_| class == resource.plural)?,
        None => name,
    };
    resource.attribute(era, name).map(|_| name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::resources::{COLLECTIONS, GROUPS};

    fn filters(given: &Value) -> Result<Filters> {
        let mut filters = Filters { era: Era::Current, filters: Vec::new() };
        filters.add(given)?;
        Ok(filters)
    }

    fn classes(given: &Value) -> Result<Vec<&'static str>> {
        let known = filters(given)?.classes(&[&GROUPS, &COLLECTIONS])?;
        Ok(known.iter().map(|resource| resource.plural).collect())
    }

    #[test]
    fn a_class_that_lacks_an_attribute_has_nothing_that_fits() {
        assert_eq!(classes(&json!([])).unwrap(), ["groups", "collections"]);
        let hash = json!([["portable_data_hash", "=", "x"]]);
        assert_eq!(classes(&hash).unwrap(), ["collections"]);
        let kind = json!([["uuid", "is_a", "arvados#group"]]);
        assert_eq!(classes(&kind).unwrap(), ["groups"]);
        assert!(classes(&json!([["nowhere", "=", "x"]])).is_err());
        assert!(classes(&json!([["collections.nowhere", "=", "x"]])).is_ok());
        assert!(classes(&json!([["nothings.name", "=", "x"]])).is_err());
    }

    #[test]
    fn a_filter_of_one_class_is_for_that_class_alone() {
        let filters = filters(&json!([["collections.name", "=", "x"], ["name", "=", "y"]]));
        let filters = filters.unwrap();
        assert_eq!(
            filters.of(&COLLECTIONS),
            [json!(["name", "=", "x"]), json!(["name", "=", "y"])]
        );
        assert_eq!(filters.of(&GROUPS), [json!(["name", "=", "y"])]);
    }

    #[test]
    fn what_one_class_has_may_be_selected() {
        let request = |query: &str| {
            let request = hyper::Request::get(format!("/x?{query}")).body(()).unwrap();
            ApiRequest::read(&request.into_parts().0, b"", Era::Current).unwrap()
        };
        let read = |query| selects(&[&GROUPS, &COLLECTIONS], Era::Current, &request(query));
        let select = read("select=[%22name%22,%22portable_data_hash%22]").unwrap().unwrap();
        assert_eq!(select.of(&COLLECTIONS), ["name", "portable_data_hash"]);
        assert_eq!(select.of(&GROUPS), ["name"]);
        assert!(read("select=[%22nowhere%22]").is_err());
        assert!(read("").unwrap().is_none());
    }
}
