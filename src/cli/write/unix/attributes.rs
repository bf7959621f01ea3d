//! Extended attributes: access control lists, security labels, and what users attach to files.

use std::fs::File;

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(super) fn copy(old: &File, new: &File) -> anyhow::Result<()> {
    extended::copy(old, new)
}

/// There is no interface to them that is known.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) fn copy(_: &File, _: &File) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
mod extended {
    use std::collections::BTreeMap;
    use std::ffi::CString;
    use std::fs::File;

    use anyhow::{Context, bail};
    use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
    use rustix::io::Errno;

    /// As much as Linux takes for a list of names, and for a value.
    const MAX_BYTES: usize = 64 << 10;
    /// Attributes that hold a signature of the content.
    const SIGNATURES: [&str; 2] = ["security.ima", "security.evm"];

    /// Gives the new file the attributes of the old one, and no others: a directory may have defaults for new files.
    pub(super) fn copy(old: &File, new: &File) -> anyhow::Result<()> {
        let wanted = read(old)?;
        let given = read(new)?;
        for name in given.keys().filter(|name| !wanted.contains_key(*name)) {
            fremovexattr(new, name).with_context(|| {
                format!("a new file gets a {} from its directory, which cannot be removed", shown(name))
            })?;
        }
        for (name, value) in wanted.iter().filter(|(name, value)| given.get(*name) != Some(value)) {
            if SIGNATURES.iter().any(|signature| name.as_bytes() == signature.as_bytes()) {
                bail!("it is signed ({}), and the signature would be invalid", shown(name));
            }
            fsetxattr(new, name, value, XattrFlags::empty())
                .with_context(|| format!("cannot keep its {}", shown(name)))?;
        }
        Ok(())
    }

    fn shown(name: &CString) -> String {
        match name.to_bytes() {
            b"system.posix_acl_access" => "access control list".to_owned(),
            b"security.selinux" => "SELinux label".to_owned(),
            name => format!("extended attribute {}", String::from_utf8_lossy(name)),
        }
    }

    fn read(file: &File) -> anyhow::Result<BTreeMap<CString, Vec<u8>>> {
        let mut buffer = vec![0; MAX_BYTES];
        let length = match flistxattr(file, buffer.as_mut_slice()) {
            // The file system has none.
            Err(Errno::NOTSUP) => 0,
            result => result.context("cannot read its extended attributes")?,
        };
        let names = buffer.get(..length).unwrap_or_default().to_vec();
        let mut attributes = BTreeMap::new();
        for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            let name = CString::new(name)?;
            let length = fgetxattr(file, &name, buffer.as_mut_slice())
                .with_context(|| format!("cannot read its {}", shown(&name)))?;
            attributes.insert(name, buffer.get(..length).unwrap_or_default().to_vec());
        }
        Ok(attributes)
    }
}
