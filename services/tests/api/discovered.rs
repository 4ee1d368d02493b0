//! The API server as its discovery document describes it, for tests of all that is in there.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::NONE;
use super::api_server::Server;

/// The document of a server.
pub(crate) struct Discovered {
    document: Value,
}

impl Discovered {
    pub(crate) fn read(server: &Server) -> Self {
        let path = "/discovery/v1/apis/arvados/v1/rest";
        let (status, document) = server.call("", "GET", path, &NONE);
        assert_eq!(status, 200);
        Self { document }
    }

    /// The resources that have objects, and the singular and the schema of each.
    pub(crate) fn classes(&self) -> BTreeMap<&str, (&str, &str)> {
        let classes = self.resources().iter().filter_map(|(plural, resource)| {
            let create = resource["methods"].get("create")?;
            let (singular, wrapped) = create["request"]["properties"].as_object()?.iter().next()?;
            Some((plural.as_str(), (singular.as_str(), wrapped["$ref"].as_str()?)))
        });
        classes.collect()
    }

    /// All resources.
    pub(crate) fn resources(&self) -> &Map<String, Value> {
        self.document["resources"].as_object().unwrap()
    }

    /// The types of the attributes of the class `schema`.
    pub(crate) fn types(&self, schema: &str) -> BTreeMap<String, String> {
        let properties = self.document["schemas"][schema]["properties"].as_object().unwrap();
        let kind = |property: &Value| property["type"].as_str().unwrap().to_owned();
        properties.iter().map(|(name, property)| (name.clone(), kind(property))).collect()
    }

    /// The uuid infix of each kind, `arvados#group`.
    pub(crate) fn infixes(&self) -> BTreeMap<String, String> {
        let schemas = self.document["schemas"].as_object().unwrap().values();
        let infixes = schemas.filter_map(|schema| {
            let (name, infix) = (schema["id"].as_str()?, schema["uuidPrefix"].as_str()?);
            let (first, rest) = name.split_at(1);
            Some((format!("arvados#{}{rest}", first.to_lowercase()), infix.to_owned()))
        });
        infixes.collect()
    }
}
