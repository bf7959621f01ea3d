//! The secrets of encrypted destinations.

use crate::backup::{Encryption, Secret};
use crate::diagnostic::Diagnostic;
use crate::host::Vm;
use crate::preflight::Context;
use crate::rules::Rule;

/// The usage that libvirt looks for when a secret is named by it.
const VOLUME: &str = "volume";
/// What virsh prints for a secret without a usage.
const UNUSED: &str = "Unused";

pub(super) fn check(context: &Context<'_>, vm: &Vm, diagnostics: &mut Vec<Diagnostic>) {
    let Some(known) = &vm.secrets else { return };
    for disk in context.included_disks() {
        let Some(encryption) = disk.destination.as_ref().and_then(|destination| destination.encryption.as_ref()) else {
            continue;
        };
        diagnostics.extend(encryption.secrets.iter().find_map(|secret| check_secret(encryption, secret, known)));
    }
}

fn check_secret(encryption: &Encryption, secret: &Secret, known: &[crate::host::Secret]) -> Option<Diagnostic> {
    let found = known.iter().find(|known| match secret {
        Secret::Uuid(uuid) => known.uuid == *uuid,
        Secret::Usage(usage) => known.usage_type == VOLUME && known.usage == **usage,
    });
    if let Some(found) = found {
        // A secret without a usage serves every purpose.
        let is_for_others = ![VOLUME, UNUSED].contains(&found.usage_type.as_str());
        return is_for_others.then(|| {
            let (uuid, usage) = (&found.uuid, &found.usage_type);
            Diagnostic::new(
                Rule::MissingSecret,
                encryption.tag.place(),
                format!("the secret {uuid} is of type {usage}, not volume"),
            )
            .help("use a secret with <usage type='volume'>")
            .libvirt(format!(
                "invalid argument: secret with uuid {uuid} is of type '{usage}' not expected 'volume' type"
            ))
        });
    }
    let (what, said) = match secret {
        Secret::Uuid(uuid) => (format!("with the UUID {uuid}"), format!("no secret with matching uuid '{uuid}'")),
        Secret::Usage(usage) => {
            (format!("of type volume for '{usage}'"), format!("no secret with matching usage '{usage}'"))
        }
    };
    Some(
        Diagnostic::new(Rule::MissingSecret, encryption.tag.place(), format!("libvirt has no secret {what}"))
            .help("define it with virsh secret-define, and give it a value with virsh secret-set-value")
            .libvirt(format!("Secret not found: {said}")),
    )
}
