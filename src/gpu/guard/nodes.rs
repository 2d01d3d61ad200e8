//! The device files of a card on Linux: what has to be closed so that nobody can use it.

use std::io;
use std::path::{Path, PathBuf};

use super::is_allowed;
use crate::gpu::inventory::{Inventory, InventoryCard};
use crate::policy::Policy;

/// Why the device files of a card are not known.
#[derive(Debug, thiserror::Error)]
pub enum NodesError {
    /// All cards are behind one device.
    #[error("WSL2 has one device for all cards, `/dev/dxg`: none can be closed by itself")]
    OneForAll,
    /// The driver does not tell the card's number.
    #[error("the driver does not tell which device file belongs to {card}")]
    NoNumber {
        /// The card's name and UUID.
        card: String,
    },
    /// There is no such file.
    #[error("{card} should be `{}`, which does not exist", path.display())]
    NoNode {
        /// The card's name and UUID.
        card: String,
        /// Where its device file should be.
        path: PathBuf,
    },
    /// Which screens are driven by which card cannot be told.
    #[error("`{}` cannot be read", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The device files of all cards that the policy does not allow. Those that all cards share
/// (`nvidiactl`, `nvidia-uvm`, `nvidia-modeset`, `nvidia-caps`) are not among them: without them
/// no card works.
pub fn forbidden_nodes(
    policy: &Policy,
    inventory: &Inventory,
    minors: &[Option<u32>],
) -> Result<Vec<PathBuf>, NodesError> {
    let root = Path::new("/");
    if root.join("dev/dxg").exists() {
        return Err(NodesError::OneForAll);
    }
    let mut nodes = Vec::new();
    for (card, minor) in inventory.cards.iter().zip(minors) {
        if !is_allowed(policy, card) {
            nodes.extend(nodes_of(card, *minor, root)?);
        }
    }
    Ok(nodes)
}

/// The files of one card: `/dev/nvidiaN` by the driver's own number, which is neither index nor
/// rank, and its entries under `/dev/dri`, which are found by PCI address.
fn nodes_of(
    card: &InventoryCard,
    minor: Option<u32>,
    root: &Path,
) -> Result<Vec<PathBuf>, NodesError> {
    let name = || format!("{} ({})", card.facts.name, card.facts.uuid);
    let minor = minor.ok_or_else(|| NodesError::NoNumber { card: name() })?;
    let path = root.join(format!("dev/nvidia{minor}"));
    if path.symlink_metadata().is_err() {
        return Err(NodesError::NoNode { card: name(), path });
    }
    let mut nodes = vec![path];
    let drm = root.join("sys/class/drm");
    let unreadable = |source| NodesError::Unreadable {
        path: drm.clone(),
        source,
    };
    let entries = match std::fs::read_dir(&drm) {
        // A server without a screen may have none of this.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(nodes),
        listed => listed.map_err(unreadable)?,
    };
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        let Ok(device) = std::fs::read_link(entry.path().join("device")) else {
            continue;
        };
        let node = root.join("dev/dri").join(entry.file_name());
        if is_at(&device, &card.facts.pci_bus_id) && node.symlink_metadata().is_ok() {
            nodes.push(node);
        }
    }
    nodes.sort();
    Ok(nodes)
}

/// Whether a device of the kernel, `../../../0000:01:00.0`, is at NVML's address,
/// `00000000:01:00.0`: its domain has 32 bits, the kernel's 16.
fn is_at(device: &Path, address: &str) -> bool {
    let own = device.file_name().and_then(|name| name.to_str());
    own.is_some_and(|own| {
        own.trim_start_matches('0')
            .eq_ignore_ascii_case(address.trim_start_matches('0'))
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test makes its own /dev")]

    use std::fs;

    use super::*;
    use crate::gpu::verdict::CardFacts;

    fn card() -> InventoryCard {
        InventoryCard {
            pci_rank: 0,
            nvml_index: 1,
            facts: CardFacts {
                name: "RTX 5060 Ti".to_owned(),
                uuid: "GPU-5060".to_owned(),
                pci_bus_id: "00000000:0A:00.0".to_owned(),
                memory_bytes: None,
                compute_capability: None,
            },
            memory_used_bytes: None,
            compute_mode: None,
            display_active: None,
            persistence_mode: None,
        }
    }

    /// A machine of two cards, of which the second is ours.
    fn machine() -> tempfile::TempDir {
        let machine = tempfile::TempDir::new().unwrap();
        let root = machine.path();
        fs::create_dir_all(root.join("dev/dri")).unwrap();
        for node in [
            "nvidia0",
            "nvidia1",
            "dri/card0",
            "dri/card1",
            "dri/renderD129",
        ] {
            fs::write(root.join("dev").join(node), "").unwrap();
        }
        for (entry, address) in [
            ("card0", "0000:01:00.0"),
            ("card1", "0000:0a:00.0"),
            ("card1-DP-1", "card1"),
            ("renderD129", "0000:0a:00.0"),
        ] {
            let folder = root.join("sys/class/drm").join(entry);
            fs::create_dir_all(&folder).unwrap();
            let target = Path::new("../../../").join(address);
            std::os::unix::fs::symlink(target, folder.join("device")).unwrap();
        }
        machine
    }

    #[test]
    fn a_cards_files_are_those_of_its_number_and_its_address() {
        let machine = machine();
        let root = machine.path();
        let nodes = nodes_of(&card(), Some(1), root).unwrap();
        let expected = ["dev/dri/card1", "dev/dri/renderD129", "dev/nvidia1"];
        assert_eq!(nodes, expected.map(|path| root.join(path)));
        fs::remove_dir_all(root.join("sys")).unwrap();
        let nodes = nodes_of(&card(), Some(0), root).unwrap();
        assert_eq!(nodes, [root.join("dev/nvidia0")]);
    }

    #[test]
    fn a_card_without_a_file_is_an_error() {
        let machine = machine();
        let why = |minor| {
            nodes_of(&card(), minor, machine.path())
                .unwrap_err()
                .to_string()
        };
        assert!(why(None).ends_with("belongs to RTX 5060 Ti (GPU-5060)"));
        assert!(why(Some(7)).contains("nvidia7`, which does not exist"));
    }
}
