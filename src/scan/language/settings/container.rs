//! Containers in settings: compose's services, Kubernetes' containers, `devcontainer.json`, and
//! which of the host's cards they get.

use super::default::resolved;
use super::name::normal;
use super::tree::{Entry, Kind, Node};
use super::walk::{Around, Sense, Walk, whole};
use crate::scan::fact::{Cards, FactKind};
use crate::text::Span;

/// The label of what a container gets.
const LABEL: &str = "container";
/// Kubernetes' name of NVIDIA's cards.
const RESOURCE: &str = "nvidia.com/gpu";
/// What the names of NVIDIA's cards begin with in the Container Device Interface.
const CDI: &str = "nvidia.com/gpu=";

/// The keys of a compose file, by its specification.
const OF_COMPOSE: &[&str] = &[
    "configs", "include", "models", "name", "networks", "secrets", "services", "version", "volumes",
];

/// Whether all that a tree describes is read inside containers.
pub(super) fn is_of_containers(root: &Node) -> bool {
    is_compose(root)
        || is_dev_container(root)
        || is_of_kubernetes(root)
        || is_workflow_in_containers(root)
        || is_of_cog(root)
}

/// Whether a tree is a `cog.yaml`, which says what an image is built with and what runs in it.
fn is_of_cog(root: &Node) -> bool {
    let build = root.get("build");
    build.is_some_and(|build| {
        let has = |key: &str| build.get(key).is_some();
        has("gpu") || has("python_version") && root.get("predict").is_some()
    })
}

/// Whether a tree is a compose file: services that are maps. An overriding file can say next to
/// nothing of a service, but has no other keys.
fn is_compose(root: &Node) -> bool {
    let is_service = |node: &Node| {
        [
            "image",
            "build",
            "extends",
            "gpus",
            "container_name",
            "deploy",
            "runtime",
        ]
        .iter()
        .any(|key| node.get(key).is_some())
    };
    let Some(services) = root.get("services") else {
        return false;
    };
    let services = services.entries();
    let is_known = |key: &str| OF_COMPOSE.contains(&key) || key.starts_with("x-");
    services.iter().any(|entry| is_service(&entry.value))
        || !services.is_empty() && root.entries().iter().all(|entry| is_known(&entry.key))
}

/// Whether a tree is an object of Kubernetes: what its variables are set for runs in pods.
fn is_of_kubernetes(root: &Node) -> bool {
    ["apiVersion", "kind"]
        .iter()
        .all(|key| root.get(key).and_then(Node::text).is_some())
}

/// Whether each job of a workflow runs in a container.
fn is_workflow_in_containers(root: &Node) -> bool {
    let jobs = root.get("jobs").map(Node::entries).unwrap_or_default();
    !jobs.is_empty() && jobs.iter().all(|job| is_job_in_container(&job.value))
}

/// Whether a job's steps run in a container that it names.
fn is_job_in_container(node: &Node) -> bool {
    let named = node.get("container");
    node.get("steps").is_some()
        && named.is_some_and(|named| match &named.kind {
            Kind::Scalar(scalar) => !scalar.text.is_empty(),
            Kind::Map(_) => named.get("image").is_some(),
            _ => false,
        })
}

/// Whether a map describes what is started in a container: a job that names one, an image with the
/// variables for it, Helm's values, a patch of what Kubernetes has.
pub(super) fn is_in_container(node: &Node) -> bool {
    let image = node.get("image");
    let is_image_with_variables = image.and_then(Node::text).is_some()
        && ["env", "environment"]
            .iter()
            .any(|key| node.get(key).is_some());
    let is_of_helm = image.is_some_and(|image| image.get("repository").is_some());
    let has_limits = node.get("resources").is_some_and(|resources| {
        ["limits", "requests"].iter().any(|key| {
            !resources
                .get(key)
                .map(Node::entries)
                .unwrap_or_default()
                .is_empty()
        })
    });
    let path = node.get("path").and_then(Node::text);
    let is_patch = node.get("op").is_some()
        && path.is_some_and(|path| path.starts_with("/spec/") || path.starts_with("/data"));
    is_job_in_container(node) || is_image_with_variables || is_of_helm || has_limits || is_patch
}

/// Whether a tree is a `devcontainer.json`.
fn is_dev_container(root: &Node) -> bool {
    [
        "runArgs",
        "containerEnv",
        "remoteEnv",
        "dockerComposeFile",
        "hostRequirements",
    ]
    .iter()
    .any(|key| root.get(key).is_some())
}

/// Whether what stands under a key is read inside a container.
pub(super) fn is_of_container(key: &str) -> bool {
    matches!(
        key,
        "containers"
            | "initContainers"
            | "containerDefinitions"
            | "ContainerDefinitions"
            | "container"
            | "configMapGenerator"
            | "secretGenerator"
            | "containerEnv"
            | "remoteEnv"
    )
}

/// What the keys of one map give a container.
pub(super) fn of_map(walk: &mut Walk<'_>, node: &Node, around: Around<'_>) {
    if around.sense == Sense::Prose {
        return;
    }
    limits(walk, node, around);
    let lists = [
        around
            .in_container
            .then(|| node.at(&["deploy", "resources", "reservations", "devices"]))
            .flatten(),
        around.in_container.then(|| node.get("gpus")).flatten(),
        field(node, "device_requests").map(|entry| &entry.value),
    ];
    for request in lists.into_iter().flatten().flat_map(Node::elements) {
        if is_request(request, true) {
            reserved(walk, request, around);
        }
    }
    // One that is referred to from there.
    if is_request(node, false) && !is_read_from_outside(around) {
        reserved(walk, node, around);
    }
    if !around.in_container {
        return;
    }
    host_requirements(walk, node, around);
    let gpus = node.entries().iter().find(|entry| entry.key == "gpus");
    let is_all = |entry: &&Entry| {
        let scalar = entry.value.scalar().map(resolved);
        scalar.is_some_and(|scalar| scalar.text == "all")
    };
    if let Some(entry) = gpus.filter(is_all) {
        gives(walk, whole(entry), None, Cards::All, around);
    }
    if let Some(devices) = node.get("devices") {
        by_interface(walk, devices, around);
    }
}

/// `hostRequirements: {gpu: true}` of a `devcontainer.json`: its tool starts the container with `--gpus
/// all`, unless other cards are given to it. Source: "Minimum host requirements" of the Development
/// Container Specification.
fn host_requirements(walk: &mut Walk<'_>, node: &Node, around: Around<'_>) {
    let entries = node.get("hostRequirements").map(Node::entries);
    let mut entries = entries.unwrap_or_default().iter();
    let arguments = node.get("runArgs").map(Node::elements).unwrap_or_default();
    let gives_others = arguments
        .iter()
        .filter_map(Node::text)
        .any(|text| text.starts_with("--gpus"));
    if let Some(entry) = entries.find(|entry| entry.key == "gpu" && is_wanted(&entry.value))
        && !gives_others
    {
        gives(walk, whole(entry), None, Cards::All, around);
    }
}

/// Whether a container asks for GPUs: `true`, `"optional"`, or what they have to be.
fn is_wanted(gpu: &Node) -> bool {
    match &gpu.kind {
        Kind::Scalar(scalar) => ["true", "optional"].contains(&scalar.text.as_str()),
        Kind::Map(_) => true,
        _ => false,
    }
}

/// `limits: {nvidia.com/gpu: 1}`, or else what is requested.
fn limits(walk: &mut Walk<'_>, node: &Node, around: Around<'_>) {
    let wanted = ["limits", "requests"].iter().find_map(|key| {
        let resources = node.get(key)?;
        resources
            .entries()
            .iter()
            .find(|entry| entry.key == RESOURCE)
    });
    let count = wanted.and_then(|entry| Some((entry, entry.value.text()?.trim().parse().ok()?)));
    if let Some((entry, count)) = count {
        gives(walk, whole(entry), None, Cards::Any(count), around);
    }
}

/// A field of a container's request, as compose or Docker's interface spells it.
fn field<'t>(node: &'t Node, name: &str) -> Option<&'t Entry> {
    let mut entries = node.entries().iter().rev();
    entries.find(|entry| normal(&entry.key) == name)
}

/// Whether a key holds the requests of the container around it.
fn is_read_from_outside(around: Around<'_>) -> bool {
    let is_reservation = around.key == "devices" && around.outer_key == "reservations";
    normal(around.key) == "device_requests"
        || around.in_container && (around.key == "gpus" || is_reservation)
}

/// Whether the numbers in a map are the host's cards, not those that a program counts.
pub(super) fn asks_for_cards(node: &Node, around: Around<'_>) -> bool {
    is_request(node, is_read_from_outside(around))
}

fn is_request(node: &Node, stands_as_one: bool) -> bool {
    let has_cards = || {
        field(node, "device_ids")
            .or_else(|| field(node, "count"))
            .is_some()
    };
    if is_of_other_driver(node) {
        return false;
    }
    if is_of_gpus(node) {
        return stands_as_one || has_cards();
    }
    // What is nobody else's needs no driver.
    let is_others = field(node, "driver").is_some_and(|entry| {
        let driver = entry.value.text().unwrap_or_default();
        !driver.is_empty()
    });
    stands_as_one && !is_others && field(node, "capabilities").is_none() && has_cards()
}

/// Whether a driver is named that gives no cards of NVIDIA's; `cdi` says so by its names.
fn is_of_other_driver(device: &Node) -> bool {
    let driver = field(device, "driver").and_then(|entry| entry.value.text());
    driver.is_some_and(|driver| ["amd", "intel", "habana", "rocm"].contains(&driver))
}

fn is_of_gpus(device: &Node) -> bool {
    let names_gpu = |list: Option<&Node>| {
        let all = list.map(Node::elements).unwrap_or_default();
        all.iter()
            .filter_map(Node::text)
            .any(|word| word.contains("gpu") || word == "nvidia" || word == "compute")
    };
    let capabilities = field(device, "capabilities").map(|entry| &entry.value);
    let nested = capabilities.map(Node::elements).unwrap_or_default();
    let ids = field(device, "device_ids").map(|entry| entry.value.elements());
    let are_of_nvidia = ids.unwrap_or_default().iter().any(|id| {
        let text = id.text();
        text.is_some_and(|text| text.starts_with(CDI))
    });
    field(device, "driver").and_then(|entry| entry.value.text()) == Some("nvidia")
        || are_of_nvidia
        || names_gpu(capabilities)
        || nested.iter().any(|list| names_gpu(Some(list)))
}

/// One of compose's reservations: by number, by name, or all.
fn reserved(walk: &mut Walk<'_>, device: &Node, around: Around<'_>) {
    let ids = field(device, "device_ids");
    if let Some(entry) = ids.filter(|entry| entry.value.kind != Kind::Nothing) {
        let ids = entry.value.elements();
        let listed: Option<Vec<String>> = ids
            .iter()
            .map(|id| {
                let scalar = resolved(id.scalar()?);
                let card = scalar.text.strip_prefix(CDI).unwrap_or(&scalar.text);
                (!super::variable::is_decided_later(card)).then(|| card.to_owned())
            })
            .collect();
        let value = match ids {
            [only] => only.scalar().map(resolved).and_then(|scalar| {
                let card = scalar.text.strip_prefix(CDI).unwrap_or(&scalar.text);
                let inside = scalar.inside?;
                Some(Span::new(inside.end - card.len(), inside.end))
            }),
            _ => None,
        };
        let cards = match listed.filter(|ids| !ids.is_empty()) {
            Some(ids) if ids.iter().any(|id| id == "all") => Cards::All,
            Some(ids) => Cards::Listed(ids),
            None => Cards::Dynamic,
        };
        gives(walk, whole(entry), value, cards, around);
        return;
    }
    let (span, cards) = if let Some(entry) = field(device, "count") {
        let count = entry.value.scalar().map(resolved);
        let cards = match count.as_ref().map(|count| count.text.trim()) {
            Some("all" | "-1") => Cards::All,
            Some(count) => count.parse().map_or(Cards::Dynamic, Cards::Count),
            None => Cards::Dynamic,
        };
        (whole(entry), cards)
    } else {
        // What is missing has no place: it is shown where GPUs are asked for.
        let asks = field(device, "capabilities").or_else(|| field(device, "driver"));
        (asks.map_or(device.span, whole), Cards::All)
    };
    gives(walk, span, None, cards, around);
}

/// `devices: [nvidia.com/gpu=1]`, of the container device interface.
fn by_interface(walk: &mut Walk<'_>, devices: &Node, around: Around<'_>) {
    let Kind::List(elements) = &devices.kind else {
        return;
    };
    let mut first: Option<(Span, Option<Span>)> = None;
    let mut cards: Vec<String> = Vec::new();
    for element in elements {
        let Some(scalar) = element.scalar() else {
            continue;
        };
        let Some(card) = scalar.text.strip_prefix(CDI) else {
            continue;
        };
        // The number alone can be a default.
        let (card, inside) = match super::default::default_of(card) {
            Some((start, value)) => (
                value,
                scalar.inside.map(|inside| {
                    let end = inside.start + CDI.len() + start + value.len();
                    Span::new(inside.start, end)
                }),
            ),
            None => (card, scalar.inside),
        };
        let value = inside.map(|span| Span::new(span.end - card.len(), span.end));
        first.get_or_insert((element.span, value));
        cards.push(card.to_owned());
    }
    let Some((span, value)) = first else {
        return;
    };
    let value = value.filter(|_| cards.len() == 1);
    let cards = if cards.iter().any(|card| card == "all") {
        Cards::All
    } else if cards
        .iter()
        .any(|card| super::variable::is_decided_later(card))
    {
        Cards::Dynamic
    } else {
        Cards::Listed(cards)
    };
    gives(walk, span, value, cards, around);
}

fn gives(walk: &mut Walk<'_>, span: Span, value: Option<Span>, cards: Cards, around: Around<'_>) {
    walk.scope(around.owner);
    walk.fact(span, value, LABEL, FactKind::Container(cards));
}
