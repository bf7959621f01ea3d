//! Each kind of domain disk with each way to list it, and the order of disks.

use crate::case::Case;
use crate::generate::domain::domain as random_domain;
use crate::systematic::{aligned, backup, domain};

/// Sources with their types; the last of each type has no media, or nearly none.
const SOURCES: &[(&str, &str)] = &[
    ("file", "<source file='/images/a.qcow2'/>"),
    ("file", ""),
    ("file", "<source file=''/>"),
    ("file", "<source startupPolicy='optional'/>"),
    ("file", "<source file='relative'/>"),
    ("block", "<source dev='/dev/sdb'/>"),
    ("block", "<source dev=''/>"),
    ("block", ""),
    ("dir", "<source dir='/d'/>"),
    ("dir", "<source dir=''/>"),
    ("volume", "<source pool='p' volume='v'/>"),
    ("volume", ""),
    ("network", "<source protocol='nbd' name='e'><host name='h' port='1'/></source>"),
    ("network", ""),
    (
        "nvme",
        "<source type='pci' managed='yes' namespace='1'><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source>",
    ),
    ("vhostuser", "<driver name='qemu' type='raw'/><source type='unix' path='/s'/>"),
    ("vhostvdpa", "<driver name='qemu' type='raw'/><source dev='/dev/vhost-vdpa-0'/>"),
];

pub fn alignment() -> Vec<Case> {
    let mut cases = Vec::new();
    for (kind, source) in SOURCES {
        for device in ["", " device='cdrom'", " device='floppy'", " device='lun'"] {
            for extra in ["", "<readonly/>"] {
                let name = if device.contains("floppy") { "fda" } else { "sda" };
                let disk = format!("<disk type='{kind}'{device}>{source}<target dev='{name}'/>{extra}</disk>");
                cases.extend(mentioned(&domain(&disk), name, device.is_empty() && extra.is_empty()));
            }
        }
    }
    cases.extend(listed());
    cases.extend(ordered());
    cases
}

/// Each way to list the only disk; rare ones only if `all` is set.
fn mentioned(domain: &str, name: &str, all: bool) -> Vec<Case> {
    let mut disks = vec![
        (false, None),
        (false, Some(format!("<disk name='{name}' type='file'/>"))),
        (true, Some(format!("<disk name='{name}' backup='no'/>"))),
    ];
    if all {
        disks.extend([
            (true, None),
            (false, Some(format!("<disk name='{name}'/>"))),
            (false, Some(format!("<disk name='{name}' type='block'/>"))),
            (false, Some(format!("<disk name='{name}' type='block' backup='yes'><driver type='qcow2'/></disk>"))),
            (false, Some(format!("<disk name='{name}' type='file'><target file='/t'/></disk>"))),
            (false, Some(format!("<disk name='{name}' type='block'><target dev='/t'/></disk>"))),
            (true, Some(format!("<disk name='{name}' exportname='e' exportbitmap='b'/>"))),
            (true, Some(format!("<disk name='{name}'><scratch file='/t'/></disk>"))),
            (true, Some(format!("<disk name='{name}' type='block'><scratch dev='/t'/></disk>"))),
        ]);
    }
    let text = |pull: bool, disk: Option<String>| match disk {
        Some(disk) => backup(pull, &disk),
        None if pull => "<domainbackup mode='pull'><server name='h'/></domainbackup>".to_owned(),
        None => "<domainbackup><incremental>c</incremental></domainbackup>".to_owned(),
    };
    disks.into_iter().map(|(pull, disk)| aligned(text(pull, disk), domain)).collect()
}

/// Disks that exist, that do not, and that are listed twice.
fn listed() -> Vec<Case> {
    let vm = domain(
        "<disk><source file='/a'/><target dev='vda'/></disk><disk type='block'><source dev='/b'/><target dev='vdb'/></disk><disk device='cdrom'><target dev='sda'/></disk><disk><source file='/c'/><target dev='vdc'/><readonly/></disk>",
    );
    let names = ["vda", "vdb", "sda", "vdc", "vdz"];
    let mut lists: Vec<String> = Vec::new();
    for first in names {
        for second in names {
            for (one, two) in
                [(" type='file'", " type='file'"), (" type='file'", " backup='no'"), (" backup='no'", " backup='no'")]
            {
                lists.push(format!("<disk name='{first}'{one}/><disk name='{second}'{two}/>"));
            }
        }
    }
    lists.push("<disk name='vdc' type='file'/><disk name='vda' type='file'/>".into());
    let mut cases: Vec<Case> = lists.iter().map(|list| aligned(backup(false, list), &vm)).collect();
    for disks in
        ["", "<disk name='vda' type='file'/>", "<disk name='vda' backup='no'/>", "<disk name='nowhere' backup='no'/>"]
    {
        let text = if disks.is_empty() { "<domainbackup/>".into() } else { backup(false, disks) };
        cases.push(aligned(text.clone(), &domain("")));
        for broken in ["", "<domain/>", "<x/>", "<domain type='qemu'>", "<domain type='qemu'><name>x</name></domain>"] {
            cases.push(aligned(text.clone(), broken));
        }
        let twice = domain(
            "<disk><source file='/a'/><target dev='vda'/></disk><disk><source file='/b'/><target dev='vda'/></disk>",
        );
        cases.push(aligned(text.clone(), &twice));
        let nameless =
            domain("<disk><source file='/a'/><target/></disk><disk><source file='/b'/><target dev='vda'/></disk>");
        cases.push(aligned(text, &nameless));
    }
    for suffix in ["", "a b", "é", "a/b", "<&'\">", "x\ny", "1700000000"] {
        cases.push(Case {
            suffix: suffix.into(),
            ..aligned("<domainbackup/>", &domain("<disk><source file='/a.b.c'/><target dev='vda'/></disk>"))
        });
    }
    cases
}

/// How libvirt sorts a domain's disks; an empty backup shows it.
fn ordered() -> Vec<Case> {
    let orders: &[&[(&str, Option<&str>)]] = &[
        &[("vdb", None), ("vda", None)],
        &[("vdaa", None), ("vdz", None), ("vda", None), ("vdzz", None), ("vdaaa", None)],
        &[("sda", None), ("vda", None), ("hda", None), ("vdb", None)],
        &[("vdb", Some("virtio")), ("vda", None)],
        &[("vdb", None), ("vda", Some("virtio")), ("vdc", None)],
        &[("sdb", Some("scsi")), ("sda", Some("sata")), ("sdd", Some("scsi")), ("sdc", Some("sata"))],
        &[("hdb", Some("ide")), ("sda", Some("scsi")), ("hda", Some("scsi")), ("sdb", Some("ide"))],
        &[("vdb2", None), ("vda10", None), ("vda9", None), ("vda", None)],
        &[("ioemu:hdb", None), ("hda", None), ("ioemu:hda", None)],
        &[("xvdb", None), ("xvda", None), ("ubdb", None), ("ubda", None)],
        &[("nvme0n2", None), ("nvme0n1", None), ("vda", None)],
        &[("nvme0n1", Some("nvme")), ("vdb", Some("virtio")), ("nvme1n1", Some("nvme")), ("vda", Some("virtio"))],
        &[("fdb", Some("fdc")), ("fda", Some("fdc")), ("vda", Some("virtio"))],
        &[("vdc", Some("virtio")), ("vdb", Some("virtio")), ("vdc", Some("scsi")), ("vda", Some("virtio"))],
    ];
    let mut cases = Vec::new();
    for order in orders {
        let disks: String =
            order.iter().enumerate().map(|(index, (name, bus))| ordered_disk(index, name, *bus)).collect();
        let vm = domain(&disks);
        cases.push(aligned("<domainbackup/>", &vm));
        cases.push(aligned(
            "<domainbackup mode='pull'><incremental>c</incremental><server name='h'/></domainbackup>",
            &vm,
        ));
        let last = order[order.len() - 1].0;
        cases.push(aligned(backup(false, &format!("<disk name='{last}' type='file'/>")), &vm));
    }
    for seed in 0..24 {
        let vm = random_domain(seed);
        cases.push(aligned("<domainbackup/>", &vm.text));
        if let Some(disk) = vm.disks.last() {
            cases.push(aligned(backup(true, &format!("<disk name='{}' backup='no'/>", disk.target)), &vm.text));
        }
    }
    cases
}

fn ordered_disk(index: usize, name: &str, bus: Option<&str>) -> String {
    let bus = bus.map_or_else(String::new, |bus| format!(" bus='{bus}'"));
    let device = if name.starts_with("fd") { " device='floppy'" } else { "" };
    format!("<disk{device}><source file='/{index}'/><target dev='{name}'{bus}/></disk>")
}
