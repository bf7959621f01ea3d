//! What the machine rules out, from facts that are made here: each rule where it applies, and where it just does not.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::semicolon_if_nothing_returned, clippy::assigning_clones)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;

use backupxml::checkpoint::{self, Bitmap, Existing};
use backupxml::diagnostic::Diagnostic;
use backupxml::host::files::{
    Access, Certificates, Directory, End, FileSystem, Files, Host, Id, ImageFile, Kind, Listener, Lock, Node, Place,
    User,
};
use backupxml::host::{DiskSizes, Facts, Job, Secret, State, Vm};
use backupxml::rules::{RULES, Severity};
use backupxml::{Domain, Options, check};

const SIZE: u64 = 1 << 20;
const UUID: &str = "11111111-2222-4333-8444-555555555555";

/// A backup and what is known of its host.
struct Case {
    name: &'static str,
    /// The rule that applies.
    rule: Option<&'static str>,
    severity: Severity,
    backup: String,
    checkpoint: Option<&'static str>,
    reuse: bool,
    facts: Facts,
}

fn case(
    name: &'static str,
    rule: impl Into<Option<&'static str>>,
    backup: String,
    change: impl FnOnce(&mut Facts),
) -> Case {
    let mut facts = facts();
    change(&mut facts);
    Case { name, rule: rule.into(), severity: Severity::Error, backup, checkpoint: None, reuse: false, facts }
}

impl Case {
    fn warns(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    fn reused(self) -> Self {
        Self { reuse: true, ..self }
    }

    fn with_checkpoint(self) -> Self {
        let checkpoint =
            "<domaincheckpoint><name>new</name><disks><disk name='vda'/><disk name='vdb'/></disks></domaincheckpoint>";
        Self { checkpoint: Some(checkpoint), ..self }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut options = Options { suffix: "s".to_owned(), reuse_external: self.reuse, ..Options::default() };
        options.checkpoint = self.checkpoint.and_then(|text| checkpoint::read(text, options.release).0).map(Arc::new);
        options.existing = self.facts.vm.checkpoints.clone().map(Into::into);
        options.host = Some(Arc::new(self.facts.clone()));
        let found = check(&self.backup, Some(&domain()), &options);
        found.into_iter().filter(|diagnostic| diagnostic.is_error() || diagnostic.rule.family() == "host").collect()
    }
}

fn domain() -> Domain {
    let disk = |name: &str| {
        format!(
            "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/images/{name}'/>\
             <target dev='{name}' bus='virtio'/></disk>"
        )
    };
    Domain::parse(&format!("<domain type='kvm' id='1'><devices>{}{}</devices></domain>", disk("vda"), disk("vdb")))
        .unwrap()
}

/// A running domain of two disks, a QEMU that is not root, and an empty directory for backups.
fn facts() -> Facts {
    let sizes = DiskSizes { capacity: SIZE, allocation: SIZE / 2 };
    let covers = |name: &str, bitmap| Existing {
        name: name.to_owned(),
        disks: Some(["vda", "vdb"].map(|disk| (disk.to_owned(), bitmap)).into()),
    };
    let vm = Vm {
        uri: "qemu:///system".to_owned(),
        state: Some(State::Active),
        checkpoints: Some(vec![covers("old", Bitmap::Found(65536)), covers("lost", Bitmap::Lost)]),
        disks: ["vda", "vdb"].map(|disk| (disk.to_owned(), sizes)).into(),
        secrets: Some(vec![Secret { uuid: UUID.to_owned(), usage_type: "volume".to_owned(), usage: "key".to_owned() }]),
        ..Vm::default()
    };
    let system = FileSystem {
        device: 1,
        mount: "/backup".to_owned(),
        kind: "ext4".to_owned(),
        free: 100 * SIZE,
        block: 4096,
        ..FileSystem::default()
    };
    let system = FileSystem { free_for_root: system.free, free_files: Some(100), ..system };
    let files = Files {
        user: Some(User { uid: 64055, groups: vec![64055] }),
        paths: ["/backup/a", "/backup/b"].map(|path| (path.to_owned(), place(path, End::Absent))).into(),
        file_systems: BTreeMap::from([("/backup".to_owned(), system)]),
        first_unprivileged_port: 1024,
        hosts: BTreeMap::from([("localhost".to_owned(), Host::Local(vec!["127.0.0.1".parse().unwrap()]))]),
        socket: Some(place("/backup/s", End::Absent)),
        ..Files::default()
    };
    Facts { vm, files: Some(files) }
}

fn directory(path: &str, mode: u32) -> Directory {
    Directory {
        path: path.to_owned(),
        id: Id { device: 1, inode: path.len() as u64 },
        access: Access { mode, ..Access::default() },
    }
}

fn place(path: &str, end: End) -> Place {
    Place { resolved: path.to_owned(), directories: vec![directory("/", 0o755), directory("/backup", 0o777)], end }
}

/// What a path leads to.
fn put(facts: &mut Facts, path: &str, end: End) {
    files(facts).paths.insert(path.to_owned(), place(path, end));
}

fn files(facts: &mut Facts) -> &mut Files {
    facts.files.as_mut().unwrap()
}

fn system(facts: &mut Facts) -> &mut FileSystem {
    files(facts).file_systems.get_mut("/backup").unwrap()
}

fn node(kind: Kind) -> Node {
    let id = Id { device: 1, inode: 77 };
    Node {
        kind,
        id,
        lock_id: id,
        size: Some(SIZE),
        access: Access { mode: 0o600, ..Access::default() },
        ..Node::default()
    }
}

fn found(kind: Kind) -> End {
    End::Found(node(kind))
}

fn image() -> ImageFile {
    ImageFile { format: "qcow2".to_owned(), virtual_size: SIZE, ..ImageFile::default() }
}

fn put_image(facts: &mut Facts, change: impl FnOnce(&mut ImageFile)) {
    put(facts, "/backup/a", found(Kind::File));
    let mut image = image();
    change(&mut image);
    files(facts).images.insert("/backup/a".to_owned(), image);
}

fn push(destination: &str) -> String {
    format!(
        "<domainbackup><disks><disk name='vda' {destination}</disk><disk name='vdb' backup='no'/></disks></domainbackup>"
    )
}

fn to_file() -> String {
    push("type='file'><target file='/backup/a'/>")
}

fn to_raw_file() -> String {
    push("type='file'><driver type='raw'/><target file='/backup/a'/>")
}

fn to_device() -> String {
    push("type='block'><target dev='/backup/a'/>")
}

fn to_raw_device() -> String {
    push("type='block'><driver type='raw'/><target dev='/backup/a'/>")
}

fn to_two_files() -> String {
    "<domainbackup><disks><disk name='vda' type='file'><target file='/backup/a'/></disk>\
     <disk name='vdb' type='file'><target file='/backup/b'/></disk></disks></domainbackup>"
        .to_owned()
}

fn since(checkpoint: &str) -> String {
    to_file().replace("<disks>", &format!("<incremental>{checkpoint}</incremental><disks>"))
}

fn labelled(label: &str) -> String {
    push(&format!("type='file'><target file='/backup/a'>{label}</target>"))
}

fn encrypted(secret: &str) -> String {
    labelled(&format!("<encryption format='luks'><secret type='passphrase' {secret}/></encryption>"))
}

fn pull(server: &str) -> String {
    format!(
        "<domainbackup mode='pull'><server {server}/><disks><disk name='vda'><scratch file='/backup/a'/></disk></disks>\
         </domainbackup>"
    )
}

fn tcp(port: u16) -> String {
    pull(&format!("name='localhost' port='{port}'"))
}

fn unix() -> String {
    pull("transport='unix' socket='/backup/s'")
}

fn listener(address: &str, takes_ipv4: bool) -> Listener {
    Listener { address: address.parse::<IpAddr>().unwrap(), port: 10809, takes_ipv4 }
}

fn of_the_domain() -> Vec<Case> {
    vec![
        case("a domain that runs", None, to_file(), |_| ()),
        case("a domain that is off", "host/inactive-domain", to_file(), |facts| {
            facts.vm.state = Some(State::Inactive("shut off".to_owned()));
        }),
        case("a pull backup that runs", "host/running-job", to_file(), |facts| facts.vm.job = Some(Job::PullBackup)),
        case("a push backup that runs", "host/running-job", to_file(), |facts| facts.vm.job = Some(Job::PushBackup))
            .warns(),
        case("another job", "host/running-job", to_file(), |facts| {
            facts.vm.job = Some(Job::Other("Migration".to_owned()))
        })
        .warns(),
        case("a block job", "host/running-job", to_file(), |facts| {
            facts.vm.block_jobs.insert("vda".to_owned(), "Block Pull: [ 12.50 %]".to_owned());
        }),
        case("a block job of another disk", None, to_file(), |facts| {
            facts.vm.block_jobs.insert("vdb".to_owned(), "Block Pull: [ 12.50 %]".to_owned());
        }),
        case("a bitmap", None, since("old"), |_| ()),
        case("a lost bitmap", "checkpoint/lost-bitmap", since("lost"), |_| ()),
        case(
            "a lost bitmap of a full backup",
            None,
            since("lost").replace("type='file'", "type='file' backupmode='full'"),
            |_| (),
        ),
        case("a secret", None, encrypted(&format!("uuid='{UUID}'")), |_| ()),
        case("a secret by its usage", None, encrypted("usage='key'"), |_| ()),
        case("no secret", "host/missing-secret", encrypted("uuid='21111111-2222-4333-8444-555555555555'"), |_| ()),
        case("no secret of that usage", "host/missing-secret", encrypted("usage='other'"), |_| ()),
        case("a secret for something else", "host/missing-secret", encrypted(&format!("uuid='{UUID}'")), |facts| {
            facts.vm.secrets.as_mut().unwrap()[0].usage_type = "ceph".to_owned();
        }),
        case("secrets that are not known", None, encrypted("usage='other'"), |facts| facts.vm.secrets = None),
    ]
}

fn of_new_files() -> Vec<Case> {
    let closed = |facts: &mut Facts, mode| {
        let mut place = place("/backup/a", End::Absent);
        place.directories[1].access.mode = mode;
        files(facts).paths.insert("/backup/a".to_owned(), place);
    };
    let session = |facts: &mut Facts| facts.vm.uri = "qemu:///session".to_owned();
    let resolved = |facts: &mut Facts, path: &str, to: &str| {
        files(facts).paths.insert(path.to_owned(), place(to, End::Absent));
    };
    vec![
        case("a file that exists", "host/destination-exists", to_file(), |facts| {
            put(facts, "/backup/a", found(Kind::File))
        }),
        case("a directory that exists", "host/destination-exists", to_file(), |facts| {
            put(facts, "/backup/a", found(Kind::Directory));
        }),
        case("a scratch that exists", "host/destination-exists", tcp(0), |facts| {
            put(facts, "/backup/a", found(Kind::Fifo))
        }),
        case("another view of the files", "host/destination-exists", to_file(), |facts| {
            put(facts, "/backup/a", found(Kind::File));
            files(facts).other_view = Some("libvirtd has a mount namespace of its own".to_owned());
        })
        .warns(),
        case("a path that was not looked at", None, to_file(), |facts| drop(files(facts).paths.remove("/backup/a"))),
        case("a path that is closed to this process", None, to_file(), |facts| {
            put(facts, "/backup/a", End::Closed("/backup".to_owned()));
        }),
        case("a path that is closed to a session", "host/permission-denied", to_file(), |facts| {
            session(facts);
            put(facts, "/backup/a", End::Closed("/backup".to_owned()));
        }),
        case("a missing directory", "host/missing-directory", to_file(), |facts| {
            put(facts, "/backup/a", End::NoDirectory("/backup".to_owned()));
        }),
        case("a file for a directory", "host/missing-directory", to_file(), |facts| {
            put(facts, "/backup/a", End::NotADirectory("/backup".to_owned()));
        }),
        case("a loop of links", "host/missing-directory", to_file(), |facts| put(facts, "/backup/a", End::LinkLoop)),
        case("a read-only mount", "host/read-only-file-system", to_file(), |facts| system(facts).read_only = true),
        case("a virtual file system", "host/permission-denied", to_file(), |facts| {
            system(facts).kind = "sysfs".to_owned()
        }),
        case("a closed directory", "host/permission-denied", to_file(), |facts| closed(facts, 0o770)),
        case("a directory that can be searched", None, to_file(), |facts| closed(facts, 0o701)),
        case("a closed directory with an access list", None, to_file(), |facts| {
            closed(facts, 0o770);
            files(facts).paths.get_mut("/backup/a").unwrap().directories[1].access.has_acl = true;
        }),
        case("a closed directory and root", None, to_file(), |facts| {
            closed(facts, 0o770);
            files(facts).user = Some(User::default());
        }),
        case("a session's directory", None, to_file(), |facts| session(facts)),
        case("a directory that a session cannot change", "host/permission-denied", to_file(), |facts| {
            closed(facts, 0o755);
            session(facts);
        }),
        case(
            "a file of another user",
            "host/permission-denied",
            labelled("<seclabel model='dac' relabel='no'/>"),
            |_| (),
        ),
        case(
            "a file with the label of another user",
            "host/permission-denied",
            labelled("<seclabel model='dac'><label>+0:+0</label></seclabel>"),
            |_| (),
        ),
        case(
            "a file with a label of QEMU's user",
            None,
            labelled("<seclabel model='dac'><label>+64055:+0</label></seclabel>"),
            |_| (),
        ),
        case("a file without a SELinux label", None, labelled("<seclabel model='selinux' relabel='no'/>"), |_| ()),
        case("no inodes", "host/not-enough-space", to_file(), |facts| system(facts).free_files = Some(0)),
        case("no room for a header", "host/not-enough-space", to_file(), |facts| system(facts).free = 191 << 10),
        case("room for a header only", "host/not-enough-space", to_file(), |facts| system(facts).free = 192 << 10)
            .warns(),
        case("room for one of two", "host/not-enough-space", to_two_files(), |facts| {
            system(facts).free = SIZE + (640 << 10) - 1
        })
        .warns(),
        case("room for both", None, to_two_files(), |facts| system(facts).free = SIZE + (640 << 10)),
        case("room for the changes", None, since("old"), |facts| system(facts).free = 384 << 10),
        case("a raw file that is too large", "host/file-too-large", to_raw_file(), |facts| {
            facts.vm.disks.get_mut("vda").unwrap().capacity = 17 << 40;
        }),
        case("a qcow2 file of a large disk", None, to_file(), |facts| {
            facts.vm.disks.get_mut("vda").unwrap().capacity = 17 << 40
        }),
        case("two links to one file", "host/same-destination", to_two_files(), |facts| {
            resolved(facts, "/backup/a", "/backup/b")
        }),
    ]
}

fn of_existing_destinations() -> Vec<Case> {
    let device = |facts: &mut Facts, change: fn(&mut Node)| {
        let mut node = Node { size: Some(SIZE), ..node(Kind::Block) };
        change(&mut node);
        put(facts, "/backup/a", End::Found(node));
    };
    let lock = |facts: &mut Facts, lock: Lock| {
        files(facts).locks.insert(node(Kind::File).lock_id, lock);
    };
    let reader = Lock { denies_resizing: true, ..Lock::default() };
    let writer = Lock { writes: true, denies_writing: true, ..Lock::default() };
    vec![
        case("a device", None, to_device(), |facts| device(facts, |_| ())),
        case("a missing device", "host/missing-file", to_device(), |_| ()),
        case("a device in a missing directory", "host/missing-file", to_device(), |facts| {
            put(facts, "/backup/a", End::NoDirectory("/backup".to_owned()));
        }),
        case("a file for a device", "host/wrong-file-type", to_device(), |facts| {
            put(facts, "/backup/a", found(Kind::File))
        }),
        case("a character device", "host/wrong-file-type", to_device(), |facts| {
            put(facts, "/backup/a", found(Kind::Character))
        }),
        case("a read-only device", "host/read-only-device", to_device(), |facts| {
            device(facts, |node| node.read_only = true)
        }),
        case("a device without medium", "host/read-only-device", to_device(), |facts| {
            device(facts, |node| node.size = Some(0))
        }),
        case("a tiny device", "host/image-size", to_device(), |facts| {
            device(facts, |node| node.size = Some(128 << 10))
        }),
        case("a device that is too small for the data", "host/not-enough-space", to_device(), |facts| {
            device(facts, |node| node.size = Some(256 << 10));
        })
        .warns(),
        case("a raw device", None, to_raw_device(), |facts| device(facts, |_| ())),
        case("a larger raw device", "host/image-size", to_raw_device(), |facts| {
            device(facts, |node| node.size = Some(2 * SIZE))
        }),
        case("a device that is written to", "host/image-in-use", to_device(), |facts| {
            device(facts, |_| ());
            lock(facts, writer);
        }),
        case("a device that is read", "host/image-in-use", to_device(), |facts| {
            device(facts, |_| ());
            lock(facts, reader);
        }),
        case("a raw device that is read", None, to_raw_device(), |facts| {
            device(facts, |_| ());
            lock(facts, reader);
        }),
        case(
            "a device that keeps its owner",
            "host/permission-denied",
            to_device().replace("a'/>", "a'><seclabel model='dac' relabel='no'/></target>"),
            |facts| device(facts, |_| ()),
        ),
    ]
}

fn of_reused_images() -> Vec<Case> {
    let lock = |facts: &mut Facts, lock: Lock| {
        files(facts).locks.insert(node(Kind::File).lock_id, lock);
    };
    let writer = Lock { writes: true, denies_writing: true, ..Lock::default() };
    vec![
        case("a reused image", None, to_file(), |facts| put_image(facts, |_| ())).reused(),
        case("a missing reused image", "host/missing-file", to_file(), |_| ()).reused(),
        case("a reused image of another format", "host/image-format", to_file(), |facts| {
            put_image(facts, |image| image.format = "raw".to_owned())
        })
        .reused(),
        case("a truncated image", "host/image-format", to_file(), |facts| {
            put_image(facts, |image| image.error = Some("qcow2 header too short".to_owned()))
        })
        .reused(),
        case("a corrupt image", "host/image-format", to_file(), |facts| put_image(facts, |image| image.corrupt = true))
            .reused(),
        case("an encrypted image", "host/image-format", to_file(), |facts| {
            put_image(facts, |image| image.encrypted = true)
        })
        .reused(),
        case("a plain image", "host/image-format", encrypted("usage='key'"), |facts| put_image(facts, |_| ())).reused(),
        case("a larger image", "host/image-size", to_file(), |facts| {
            put_image(facts, |image| image.virtual_size += 512)
        })
        .reused(),
        case("an image that is in use", "host/image-in-use", to_file(), |facts| {
            put_image(facts, |_| ());
            lock(facts, writer);
        })
        .reused(),
        case("an image on a read-only mount", "host/read-only-file-system", to_file(), |facts| {
            put_image(facts, |_| ());
            system(facts).read_only = true;
        })
        .reused(),
        case("an image of root in a session", "host/permission-denied", to_file(), |facts| {
            put_image(facts, |_| ());
            facts.vm.uri = "qemu:///session".to_owned();
        })
        .reused(),
        case("a bitmap in the image", "host/leftover-bitmap", to_file(), |facts| {
            let bitmaps = vec!["new".to_owned()];
            files(facts).images.insert("/images/vda".to_owned(), ImageFile { bitmaps, ..image() });
        })
        .with_checkpoint(),
        case("another bitmap in the image", None, to_file(), |facts| {
            let bitmaps = vec!["old".to_owned()];
            files(facts).images.insert("/images/vda".to_owned(), ImageFile { bitmaps, ..image() });
        })
        .with_checkpoint(),
        case("an image of version 2", "host/old-qcow2", to_file(), |facts| {
            files(facts).images.insert("/images/vdb".to_owned(), ImageFile { is_old: true, ..image() });
        })
        .with_checkpoint(),
        case("an image of version 2 without a checkpoint", None, to_file(), |facts| {
            files(facts).images.insert("/images/vdb".to_owned(), ImageFile { is_old: true, ..image() });
        }),
    ]
}

fn of_servers() -> Vec<Case> {
    let listens = |facts: &mut Facts, address: &str| files(facts).listeners.push(listener(address, false));
    let socket = |facts: &mut Facts, mode: u32, end: End| {
        let mut place = place("/backup/s", end);
        place.directories[1].access.mode = mode;
        files(facts).socket = Some(place);
    };
    let host = |facts: &mut Facts, host: Host| drop(files(facts).hosts.insert("localhost".to_owned(), host));
    vec![
        case("a free port", None, tcp(10809), |_| ()),
        case("a port in use", "host/port-in-use", tcp(10809), |facts| listens(facts, "127.0.0.1")),
        case("a port in use on every address", "host/port-in-use", tcp(10809), |facts| listens(facts, "0.0.0.0")),
        case("a port in use on another address", None, tcp(10809), |facts| listens(facts, "127.0.0.2")),
        case("another port in use", None, tcp(10810), |facts| listens(facts, "127.0.0.1")),
        case("a port in use on IPv6", None, tcp(10809), |facts| listens(facts, "::")),
        case("a port in use on IPv6 and IPv4", "host/port-in-use", tcp(10809), |facts| {
            files(facts).listeners.push(listener("::", true))
        }),
        case("one of two addresses", None, tcp(10809), |facts| {
            host(facts, Host::Local(vec!["::1".parse().unwrap(), "127.0.0.1".parse().unwrap()]));
            listens(facts, "127.0.0.1");
        }),
        case("a port for root", "host/privileged-port", tcp(80), |_| ()),
        case("a port for root, and root", None, tcp(80), |facts| files(facts).user = Some(User::default())),
        case("an address of another host", "host/foreign-address", tcp(10809), |facts| {
            host(facts, Host::Elsewhere(vec!["192.0.2.1".parse().unwrap()]));
        }),
        case("a name that does not resolve", "host/unknown-host", tcp(10809), |facts| {
            host(facts, Host::Unknown("failed to lookup address information: Name or service not known".to_owned()));
        }),
        case("a name without an answer", None, tcp(10809), |facts| host(facts, Host::Unasked)),
        case("a socket", None, unix(), |_| ()),
        case("a directory at the socket's path", "host/socket-path", unix(), |facts| {
            socket(facts, 0o777, found(Kind::Directory))
        }),
        case("an old socket", None, unix(), |facts| socket(facts, 0o777, found(Kind::Socket))),
        case("another user's socket in a sticky directory", "host/permission-denied", unix(), |facts| {
            socket(facts, 0o1777, found(Kind::Socket))
        }),
        case("a socket in a directory of root", "host/permission-denied", unix(), |facts| {
            socket(facts, 0o755, End::Absent)
        }),
        case("a socket in a missing directory", "host/missing-directory", unix(), |facts| {
            socket(facts, 0o777, End::NoDirectory("/backup".to_owned()));
        }),
        case("certificates", None, pull("name='localhost' tls='yes'"), |_| ()),
        case("a missing certificate", "host/certificates", pull("name='localhost' tls='yes'"), |facts| {
            files(facts).certificates = Some(Certificates {
                problem: "/etc/pki/qemu/ca-cert.pem does not exist".to_owned(),
                said: "Unable to access credentials /etc/pki/qemu/ca-cert.pem: No such file or directory".to_owned(),
            });
        }),
    ]
}

fn cases() -> Vec<Case> {
    [of_the_domain(), of_new_files(), of_existing_destinations(), of_reused_images(), of_servers()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn each_rule_applies_to_its_facts_and_to_no_others() {
    let mut wrong = Vec::new();
    for case in cases() {
        let found: Vec<_> = case.diagnostics().iter().map(|found| (found.rule.name(), found.severity)).collect();
        let expected: Vec<_> = case.rule.iter().map(|rule| (*rule, case.severity)).collect();
        if found != expected {
            wrong.push(format!("{}: {found:?}, not {expected:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_about_hosts_has_a_case() {
    let tried: BTreeSet<_> = cases().iter().filter_map(|case| case.rule).collect();
    let rules = RULES.iter().filter(|rule| rule.family() == "host");
    let without: Vec<_> = rules.map(|rule| rule.name()).filter(|name| !tried.contains(name)).collect();
    assert!(without.is_empty(), "{without:?}");
}

/// What a backup was estimated to write, and what it wrote.
#[derive(serde::Deserialize)]
struct Size {
    name: String,
    estimate: u64,
    written: u64,
}

/// Raw images have holes of 4 KiB, and qcow2 has clusters of 64 KiB: scattered data take up to 16 times their size.
const UNDERESTIMATED: &str = "full-raw-scattered";

#[test]
fn estimates_are_near_what_backups_wrote() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/host/sizes.jsonl")).unwrap();
    let sizes: Vec<Size> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(sizes.len() >= 16, "{}", sizes.len());
    for Size { name, estimate, written } in sizes {
        let error = written.abs_diff(estimate);
        let is_high = estimate >= written;
        // In a chain, what an overlay replaces is counted in its base too.
        let bound = if is_high && name.starts_with("full-chain") { written } else { SIZE / 2 };
        assert!(error <= bound || (!is_high && name == UNDERESTIMATED), "{name}: {estimate}, not {written}");
    }
}

#[test]
fn messages_are_those_that_were_read() {
    let mut report = String::new();
    for case in cases() {
        for found in case.diagnostics() {
            let (help, libvirt) = (found.help.as_deref().unwrap_or("none"), found.libvirt.as_deref().unwrap_or("none"));
            writeln!(report, "{}\n  {found}\n  help: {help}\n  libvirt: {libvirt}", case.name).unwrap();
        }
    }
    insta::with_settings!({ snapshot_path => "host", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("messages", report);
    });
}
