//! Telling the API server which keep services there are.
//!
//! Whatever it lists (those of the fixtures, or of an earlier start) is replaced by ours; where it
//! lists ours already, nothing is written.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use crate::api_server::ApiServer;
use crate::services::{self, Context};

const SERVICES: &str = "keep_services";

/// API servers of today have none.
const DISKS: &str = "keep_disks";

const DISK: &str = "disk";
const PROXY: &str = "proxy";

/// A keep service as the API server is to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KeepService {
    /// Chosen by the server if it is not given.
    uuid: Option<String>,
    host: String,
    port: u16,
    service_type: &'static str,
}

/// Makes the API server list the keepstores, their disks and the keepproxy of the stack, and
/// nothing else, save a parent's proxies. `running` are the names of the services that are up.
///
/// # Errors
/// When the server refuses or cannot be reached.
pub(crate) fn register(context: &Context<'_>, running: &[String]) -> anyhow::Result<()> {
    let wanted = wanted(context, running);
    let api = ApiServer::of_stack(context)?;
    let mut listed = api.list(SERVICES)?;
    if context.parent.proxies {
        listed.retain(|item| item["service_type"] != PROXY);
    }
    let disks = api.list_if_known(DISKS)?;
    if is_registered(&wanted, &listed, disks.as_deref()) {
        return Ok(());
    }
    delete(&api, SERVICES, &listed)?;
    delete(&api, DISKS, disks.as_deref().unwrap_or_default())?;
    wanted.iter().try_for_each(|service| create(&api, service, disks.is_some()))
}

/// Makes the API server list no keep service, and no disk of one.
///
/// # Errors
/// When the server refuses or cannot be reached.
pub(crate) fn forget_all(api: &ApiServer) -> anyhow::Result<()> {
    delete(api, SERVICES, &api.list(SERVICES)?)?;
    delete(api, DISKS, &api.list_if_known(DISKS)?.unwrap_or_default())
}

/// Makes the API server list no proxy.
///
/// # Errors
/// When the server refuses or cannot be reached.
pub(crate) fn forget_proxies(api: &ApiServer) -> anyhow::Result<()> {
    let mut listed = api.list(SERVICES)?;
    listed.retain(|item| item["service_type"] == PROXY);
    delete(api, SERVICES, &listed)
}

/// Makes the API server list the keep services of these names besides those that it lists.
///
/// # Errors
/// When the server refuses or cannot be reached.
pub(crate) fn add(api: &ApiServer, context: &Context<'_>, names: &[String]) -> anyhow::Result<()> {
    let has_disks = api.list_if_known(DISKS)?.is_some();
    wanted(context, names).iter().try_for_each(|service| create(api, service, has_disks))
}

fn delete(api: &ApiServer, resource: &str, items: &[Value]) -> anyhow::Result<()> {
    let mut uuids = items.iter().filter_map(|item| item["uuid"].as_str());
    uuids.try_for_each(|uuid| api.delete(resource, uuid))
}

fn create(api: &ApiServer, service: &KeepService, has_disks: bool) -> anyhow::Result<()> {
    let created = api.create(SERVICES, &service.body())?;
    if has_disks && service.service_type == DISK {
        api.create(DISKS, &json!({"keep_disk": {"keep_service_uuid": created["uuid"]}}))?;
    }
    Ok(())
}

fn wanted(context: &Context<'_>, running: &[String]) -> Vec<KeepService> {
    // Clients resolve the name themselves; another machine's need the address.
    let host = services::client_host(context.settings.host);
    let is_localhost = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].contains(&host);
    let host = if is_localhost { "localhost".to_owned() } else { host.to_string() };
    let port = |name: &str| context.ports.get(name).and_then(|port| port.parse().ok());
    let is_running = |name: &String| running.contains(name);
    let keepstores = services::keepstores(context.settings).into_iter().enumerate();
    let disks = keepstores.filter(|(_, name)| is_running(name)).filter_map(|(number, name)| {
        let uuid = Some(format!("zzzzz-bi6l4-keepdisk{number:07}"));
        Some(KeepService { uuid, host: host.clone(), port: port(&name)?, service_type: DISK })
    });
    let proxy = Some("keepproxy".to_owned()).filter(is_running).and_then(|name| {
        let port = port(&name)?;
        Some(KeepService { uuid: None, host: host.clone(), port, service_type: PROXY })
    });
    disks.chain(proxy).collect()
}

/// Without `disks`, the server has none.
fn is_registered(wanted: &[KeepService], listed: &[Value], disks: Option<&[Value]>) -> bool {
    let all_listed = wanted.iter().all(|service| listed.iter().any(|item| service.is(item)));
    all_listed
        && listed.len() == wanted.len()
        && disks.is_none_or(|disks| have_disks(wanted, disks))
}

fn have_disks(wanted: &[KeepService], disks: &[Value]) -> bool {
    let has_disk = |uuid: &String| disks.iter().any(|disk| disk["keep_service_uuid"] == **uuid);
    let uuids = || wanted.iter().filter_map(|service| service.uuid.as_ref());
    uuids().all(has_disk) && disks.len() == uuids().count()
}

impl KeepService {
    fn is(&self, item: &Value) -> bool {
        self.uuid.as_ref().is_none_or(|uuid| item["uuid"] == **uuid)
            && item["service_host"] == *self.host
            && item["service_port"] == self.port
            && item["service_type"] == self.service_type
            && item["service_ssl_flag"] == false
    }

    fn body(&self) -> Value {
        let mut attributes = json!({
            "service_host": self.host,
            "service_port": self.port,
            "service_type": self.service_type,
            "service_ssl_flag": false,
        });
        if let Some(uuid) = &self.uuid {
            attributes["uuid"] = json!(uuid);
        }
        json!({ "keep_service": attributes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Vec<KeepService> {
        let disk = KeepService {
            uuid: Some("zzzzz-bi6l4-keepdisk0000000".into()),
            host: "localhost".into(),
            port: 1000,
            service_type: "disk",
        };
        let proxy =
            KeepService { uuid: None, host: "localhost".into(), port: 1001, service_type: "proxy" };
        vec![disk, proxy]
    }

    fn listed() -> Vec<Value> {
        let mut items: Vec<Value> =
            ours().iter().map(|service| service.body()["keep_service"].clone()).collect();
        items[1]["uuid"] = json!("zzzzz-bi6l4-chosenbyserver0");
        items
    }

    fn disks() -> Vec<Value> {
        vec![json!({"keep_service_uuid": "zzzzz-bi6l4-keepdisk0000000"})]
    }

    #[test]
    fn a_server_that_lists_ours_needs_nothing() {
        assert!(is_registered(&ours(), &listed(), Some(&disks())));
    }

    #[test]
    fn a_server_without_disks_needs_none() {
        assert!(is_registered(&ours(), &listed(), None));
    }

    #[test]
    fn another_port_a_missing_disk_or_one_more_service_is_noticed() {
        let mut moved = listed();
        moved[0]["service_port"] = json!(7);
        assert!(!is_registered(&ours(), &moved, Some(&disks())));
        assert!(!is_registered(&ours(), &listed(), Some(&[])));
        let mut more = listed();
        more.push(json!({"uuid": "zzzzz-bi6l4-6zhilxar6r8ey90"}));
        assert!(!is_registered(&ours(), &more, Some(&disks())));
    }
}
