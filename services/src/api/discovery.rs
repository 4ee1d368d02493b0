//! The discovery document, from which clients build themselves.
//!
//! Its form is Google's "discovery v1", with the extra keys that Arvados' SDKs read. It lists what
//! this server has and nothing else.

use hyper::Method;
use serde_json::{Map, Value, json};

use super::computed_permissions::{self, COMPUTED_PERMISSIONS};
use super::context::Api;
use super::method_parameters::{self as parameters, Parameter};
use super::resource::{Kind, Resource};
use super::resources;
use super::special::{self, Special};
use super::uuid;
use super::websocket;
use crate::era::Era;
use crate::era::api::{
    DECLARES_FEDERATION_PARAMETERS, HAS_COMPUTED_PERMISSIONS, HAS_CONFIG_AND_VOCABULARY, HAS_TRASH,
    REVISION,
};

/// The document, for a client that reached the server as `host`.
pub(crate) fn document(api: &Api, host: &str) -> Value {
    let root = format!("https://{host}/");
    let mut schemas = Map::new();
    let mut methods = Map::new();
    for resource in resources::all(api.era) {
        schemas.insert(resource.class.to_owned(), schema(resource, api.era));
        schemas.insert(format!("{}List", resource.class), list_schema(resource));
        methods
            .insert(resource.plural.to_owned(), json!({"methods": methods_of(resource, api.era)}));
    }
    if HAS_CONFIG_AND_VOCABULARY.of(api.era) {
        methods.insert("configs".to_owned(), single("configs", "config", &Method::GET));
        methods
            .insert("vocabularies".to_owned(), single("vocabularies", "vocabulary", &Method::GET));
    }
    if HAS_TRASH.of(api.era) {
        methods.insert("sys".to_owned(), single("sys", "sys/trash_sweep", &Method::POST));
    }
    if HAS_COMPUTED_PERMISSIONS.of(api.era) {
        add_computed_permissions(&mut schemas, &mut methods);
    }
    let mut document = json!({
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": "arvados:v1",
        "name": "arvados",
        "version": "v1",
        "revision": REVISION.of(api.era),
        "title": "Arvados API",
        "description": "The API of an Arvados test cluster.",
        "generatedAt": super::time::now(),
        "protocol": "rest",
        "baseUrl": format!("{root}arvados/v1/"),
        "basePath": "/arvados/v1/",
        "rootUrl": root,
        "servicePath": "arvados/v1/",
        "batchPath": "batch",
        "websocketUrl": format!("wss://{host}{}", websocket::PATH),
        "uuidPrefix": uuid::CLUSTER,
        "defaultTrashLifetime": super::collection::TRASH_LIFETIME_SECONDS,
        "blobSignatureTtl": api.signature_ttl_seconds,
        "maxRequestSize": super::MAX_BODY_BYTES,
        "maxItemsPerResponse": super::listing::MAX_LIMIT,
        "defaultCollectionReplication": api.default_replication,
        "dockerImageFormats": ["v2"],
        "parameters": parameters::GLOBAL
            .iter()
            .map(|parameter| (parameter.name.to_owned(), query_parameter(parameter)))
            .collect::<Map<_, _>>(),
        "auth": {"oauth2": {"scopes": {
            format!("{root}auth/arvados"): {"description": "View and manage objects"},
            format!("{root}auth/arvados.readonly"): {"description": "View objects"},
        }}},
        "schemas": schemas,
        "resources": methods,
    });
    if DECLARES_FEDERATION_PARAMETERS.of(api.era) {
        document["remoteHosts"] = json!({});
        document["remoteHostsViaDNS"] = json!(false);
    }
    document
}

fn schema(resource: &Resource, era: Era) -> Value {
    let shown = resource.attributes(era).filter(|attribute| !attribute.is_hidden());
    let properties: Map<String, Value> =
        shown.map(|attribute| (attribute.name.to_owned(), property(attribute.kind))).collect();
    json!({
        "id": resource.class,
        "description": resource.class,
        "type": "object",
        "uuidPrefix": resource.infix,
        "properties": properties,
    })
}

fn property(kind: Kind) -> Value {
    match kind {
        Kind::String => json!({"type": "string"}),
        Kind::Text => json!({"type": "text"}),
        Kind::Integer => json!({"type": "integer"}),
        Kind::Float => json!({"type": "float"}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Datetime => json!({"type": "datetime"}),
        Kind::Object => json!({"type": "Hash"}),
        Kind::Array => json!({"type": "Array"}),
    }
}

fn list_schema(resource: &Resource) -> Value {
    json!({
        "id": format!("{}List", resource.class),
        "description": format!("A list of {}", resource.plural),
        "type": "object",
        "properties": {
            "kind": {"type": "string", "default": format!("{}List", resource.object_kind())},
            "etag": {"type": "string"},
            "items": {"type": "array", "items": {"$ref": resource.class}},
            "offset": {"type": "integer"},
            "limit": {"type": "integer"},
            "items_available": {"type": "integer"},
            "self_link": {"type": "string"},
        },
    })
}

/// Computed permissions are no objects: all that one can do is to list them.
fn add_computed_permissions(schemas: &mut Map<String, Value>, methods: &mut Map<String, Value>) {
    let (plural, class) = (COMPUTED_PERMISSIONS.plural, COMPUTED_PERMISSIONS.class);
    let list = format!("{class}List");
    let properties: Map<String, Value> = computed_permissions::ATTRIBUTES
        .iter()
        .map(|name| ((*name).to_owned(), property(Kind::String)))
        .collect();
    let schema = json!({"id": class, "type": "object", "properties": properties});
    schemas.insert(class.to_owned(), schema);
    schemas.insert(list.clone(), list_schema(&COMPUTED_PERMISSIONS));
    let parameters = parameters::computed_permissions();
    let described = method(plural, "list", &Method::GET, plural, &list, &parameters);
    methods.insert(plural.to_owned(), json!({"methods": {"list": described}}));
}

fn methods_of(resource: &Resource, era: Era) -> Map<String, Value> {
    let list = format!("{}List", resource.class);
    let (plural, class) = (resource.plural, resource.class);
    let on_one = format!("{plural}/{{uuid}}");
    let described = [
        method(plural, "get", &Method::GET, &on_one, class, &parameters::get(era, resource)),
        method(plural, "list", &Method::GET, plural, &list, &parameters::list(era, resource)),
        with_body(
            method(
                plural,
                "create",
                &Method::POST,
                plural,
                class,
                &parameters::create(era, resource),
            ),
            resource,
        ),
        with_body(
            method(
                plural,
                "update",
                &Method::PUT,
                &on_one,
                class,
                &parameters::update(era, resource),
            ),
            resource,
        ),
        method(plural, "delete", &Method::DELETE, &on_one, class, &[parameters::UUID]),
    ];
    let names = ["get", "list", "create", "update", "delete"];
    let mut methods: Map<String, Value> =
        names.map(str::to_owned).into_iter().zip(described).collect();
    for special in special::of(era, resource) {
        // What is on the class and on one object alike is described once, with an optional uuid.
        methods.entry(special.name).or_insert_with(|| special_method(special, era));
    }
    methods
}

fn special_method(special: &Special, era: Era) -> Value {
    let (plural, name) = (special.resource.plural, special.name);
    let mut parameters = (special.parameters)(era);
    let path = match (special.folder, special.member) {
        (Some(folder), _) => format!("{folder}/{{uuid}}"),
        (None, true) => format!("{plural}/{{uuid}}/{name}"),
        (None, false) => format!("{plural}/{name}"),
    };
    parameters.extend(special.member.then_some(parameters::UUID));
    let class = special.resource.class;
    method(plural, name, &special.method, &path, class, &parameters)
}

fn method(
    plural: &str,
    name: &str,
    http_method: &Method,
    path: &str,
    response: &str,
    parameters: &[Parameter],
) -> Value {
    let described: Map<String, Value> = parameters
        .iter()
        .map(|parameter| {
            let mut described = query_parameter(parameter);
            if parameter.name == parameters::UUID.name && path.contains('{') {
                described["location"] = json!("path");
            }
            (parameter.name.to_owned(), described)
        })
        .collect();
    json!({
        "id": format!("arvados.{plural}.{name}"),
        "path": path,
        "httpMethod": http_method.as_str(),
        "description": format!("{name} {plural}"),
        "parameters": described,
        "response": {"$ref": response},
        "scopes": [],
    })
}

fn query_parameter(parameter: &Parameter) -> Value {
    let mut described = json!({
        "type": parameter.kind,
        "description": parameter.description,
        "required": parameter.required,
        "location": "query",
    });
    if let Some(default) = parameter.default {
        described["default"] = json!(default);
    }
    described
}

fn with_body(mut method: Value, resource: &Resource) -> Value {
    let mut properties = Map::new();
    properties
        .insert(resource.singular.to_owned(), json!({"$ref": resource.class, "required": true}));
    method["request"] = json!({"required": true, "properties": properties});
    method
}

/// A resource that is one document.
fn single(plural: &str, path: &str, http_method: &Method) -> Value {
    json!({"methods": {"get": {
        "id": format!("arvados.{plural}.get"),
        "path": path,
        "httpMethod": http_method.as_str(),
        "description": format!("get the {path}"),
        "parameters": {},
        "parameterOrder": [],
        "response": {},
        "scopes": [],
    }}})
}
