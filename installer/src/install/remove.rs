//! Takes everything away, in an order in which no request fails: whoever writes EnvoyFilters, then routes and policies, then
//! the filter that reads them, then the rest.

use std::time::{Duration, Instant};

use kube::ResourceExt as _;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use serde_json::json;

use super::{InstallError, Item, Wanted, objects, wait};
use crate::access::{Access, ClusterError};
use crate::envoy_filter::{self, PART, PART_FUNCTION};
use crate::function::{DEFAULT_DOMAIN, Function, STATUS, list};
use crate::protect::resource;
use crate::virtual_service::{self, PART_ROUTE};

/// How often it is looked whether something has gone.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Takes away `items`, and all that the controller wrote.
///
/// # Errors
/// The API server refuses, or something doesn't go in time.
pub async fn remove(
    access: &Access,
    items: &[Item],
    patience: Duration,
    say: impl Fn(&str),
) -> Result<(), InstallError> {
    let of_kind = |wanted: fn(&str) -> bool| items.iter().rev().filter(move |item| wanted(item.kind()));
    let gone = |item: &Item| say(&item.in_words());
    for item in of_kind(|kind| kind == "Deployment") {
        delete(access, item, patience, gone).await?;
    }
    written(access, &virtual_service::resource(), PART_ROUTE, &say).await?;
    written(access, &envoy_filter::resource(), PART_FUNCTION, &say).await?;
    wait(access, Wanted::NoPolicies, patience).await?;
    for item in of_kind(|kind| kind == "EnvoyFilter") {
        delete(access, item, patience, gone).await?;
    }
    wait(access, Wanted::NoFilter, patience).await?;
    statuses(access, &say).await?;
    for item in of_kind(|kind| kind != "Deployment" && kind != "EnvoyFilter") {
        delete(access, item, patience, gone).await?;
    }
    Ok(())
}

/// Until it is gone, with all that belongs to it: a controller that still runs would write again.
async fn delete(
    access: &Access,
    item: &Item,
    patience: Duration,
    gone: impl Fn(&Item),
) -> Result<(), InstallError> {
    if !item.delete(access).await? {
        return Ok(());
    }
    let began = Instant::now();
    while item.exists(access).await? {
        if began.elapsed() > patience {
            let what = format!("{} is there still", item.in_words());
            return Err(InstallError::Waited { seconds: patience.as_secs(), what });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    gone(item);
    Ok(())
}

/// What the controller wrote for functions, wherever the root namespace is.
async fn written(
    access: &Access,
    resource: &ApiResource,
    part: &str,
    say: &impl Fn(&str),
) -> Result<(), ClusterError> {
    let (kind, client) = (&resource.kind, || access.client.clone());
    let all: Api<DynamicObject> = Api::all_with(client(), resource);
    let ours = ListParams::default().labels(&format!("{PART}={part}"));
    let objects = match all.list(&ours).await {
        Ok(objects) => objects.items,
        Err(kube::Error::Api(status)) if status.code == 404 => Vec::new(),
        Err(error) => return Err(ClusterError::refused(format!("reading {kind}s"))(error)),
    };
    for object in objects {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        let there: Api<DynamicObject> = Api::namespaced_with(client(), &namespace, resource);
        let in_words = format!("{kind} {namespace}/{name}");
        // Kubernetes takes them away with the extension, if somebody deleted that first.
        if objects::delete(&there, &name, &DeleteParams::default(), &in_words).await? {
            say(&in_words);
        }
    }
    Ok(())
}

/// What the controller wrote on functions. What their owners wrote stays.
async fn statuses(access: &Access, say: &impl Fn(&str)) -> Result<(), ClusterError> {
    let functions = list::list(&access.client, None, DEFAULT_DOMAIN).await;
    let functions = functions.map_err(ClusterError::refused("reading functions"))?;
    let said = |function: &&Function| function.annotations.contains_key(STATUS);
    for function in functions.iter().filter(said) {
        let resource = resource(function.kind);
        let objects: Api<DynamicObject> =
            Api::namespaced_with(access.client.clone(), &function.namespace, &resource);
        let patch = json!({ "metadata": { "annotations": { (STATUS): null } } });
        let done = objects.patch(&function.name, &PatchParams::default(), &Patch::Merge(&patch)).await;
        done.map_err(ClusterError::refused(format!("changing {}", function.id())))?;
        say(&format!("the status of {} {}", function.kind.kubectl(), function.id()));
    }
    Ok(())
}
