//! Documents of any size, the same on each run.

use std::fmt::Write;

/// A push mode backup of `disks` disks, each with its own target.
#[must_use]
pub fn backup(disks: usize) -> String {
    let mut text = "<domainbackup mode='push'>\n  <incremental>monday</incremental>\n  <disks>\n".to_owned();
    for disk in 0..disks {
        let name = disk_name(disk);
        let _ = write!(
            text,
            "    <disk name='{name}' type='file' backupmode='full'>
      <target file='/backup/{name}.qcow2'/>
      <driver type='qcow2'/>
    </disk>
"
        );
    }
    text + "  </disks>\n</domainbackup>\n"
}

/// A running domain with those disks.
#[must_use]
pub fn domain(disks: usize) -> String {
    let mut text = "<domain type='kvm' id='1'>\n  <name>vm</name>\n  <memory>1024</memory>
  <os><type>hvm</type></os>\n  <devices>\n"
        .to_owned();
    for disk in 0..disks {
        let name = disk_name(disk);
        let _ = write!(
            text,
            "    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/images/{name}.qcow2'/>
      <target dev='{name}' bus='virtio'/>
    </disk>
"
        );
    }
    text + "  </devices>\n</domain>\n"
}

/// vda to vdz, vdaa and so on.
fn disk_name(index: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'a' + u8::try_from(rest % 26).unwrap_or_default()));
        rest /= 26;
    }
    "vd".chars().chain(letters.into_iter().rev()).collect()
}
