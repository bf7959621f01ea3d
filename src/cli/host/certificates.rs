//! Looks at the certificates that QEMU's server would use.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use memchr::memmem;
use x509_cert::Certificate;
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode, Encode, Reader, SliceReader, pem};

use crate::diagnostic::NotChecked;
use crate::host::Vm;
use crate::host::files::{Certificates, End, User, Wish};

use super::AS_ROOT;
use super::resolve::resolve;

/// Where libvirt looks unless its configuration says otherwise: the first directory that exists, else the last.
const DIRECTORIES: [&str; 2] = ["/etc/pki/libvirt-backup", "/etc/pki/qemu"];
/// Settings of qemu.conf, the one that wins first.
const SETTINGS: [&str; 2] = ["backup_tls_x509_cert_dir", "default_tls_x509_cert_dir"];
const FILES: [&str; 3] = ["ca-cert.pem", CERTIFICATE, KEY];
const CERTIFICATE: &str = "server-cert.pem";
const KEY: &str = "server-key.pem";
const NO_FILE: &str = "No such file or directory";

pub(super) fn look(vm: &Vm, user: Option<&User>, not_checked: &mut BTreeSet<NotChecked>) -> Option<Certificates> {
    let configuration = if vm.is_session() { user_configuration() } else { Some("/etc/libvirt/qemu.conf".to_owned()) };
    let configuration = configuration.and_then(|path| match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(String::new()),
        Err(error) => {
            not_checked.insert(unreadable(&path, error));
            None
        }
    })?;
    let directories = directories(&configuration);
    // Which of them libvirt uses was decided when the daemon started: what is wrong in both is wrong.
    let mut problems = Vec::new();
    for directory in &directories {
        let missing = FILES.iter().find_map(|name| problem(directory, name, user, vm.is_session(), not_checked));
        problems.push(missing.or_else(|| contents(directory, not_checked))?);
    }
    problems.into_iter().next().map(|(problem, said)| Certificates { problem, said })
}

fn user_configuration() -> Option<String> {
    let folder =
        std::env::var("XDG_CONFIG_HOME").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.config")));
    folder.ok().map(|folder| format!("{folder}/libvirt/qemu.conf"))
}

fn unreadable(path: &str, error: impl Display) -> NotChecked {
    NotChecked::new(format!("certificates: {path}: {error}")).help(AS_ROOT)
}

/// The directories that libvirt may use.
fn directories(configuration: &str) -> Vec<String> {
    let setting = |name: &str| {
        configuration.lines().find_map(|line| {
            let value = line.trim().strip_prefix(name)?.trim_start().strip_prefix('=')?.trim();
            Some(value.trim_matches('"').to_owned())
        })
    };
    let [backup, default] = SETTINGS.map(setting);
    if let Some(backup) = backup {
        return vec![backup];
    }
    let [own, shared] = DIRECTORIES;
    let own = Path::new(own).exists().then(|| own.to_owned());
    own.into_iter().chain([default.unwrap_or_else(|| shared.to_owned())]).collect()
}

/// What keeps QEMU from using one file, and QEMU's words for it.
fn problem(
    directory: &str,
    name: &str,
    user: Option<&User>,
    is_session: bool,
    not_checked: &mut BTreeSet<NotChecked>,
) -> Option<(String, String)> {
    let path = format!("{directory}/{name}");
    let refused = |what: &str, said: &str| {
        let message = if name == KEY && said == NO_FILE {
            format!("Cert '{directory}/{CERTIFICATE}' without corresponding key '{path}'")
        } else if name == CERTIFICATE && said == NO_FILE && Path::new(directory).join(KEY).exists() {
            format!("Key '{directory}/{KEY}' without corresponding cert '{path}'")
        } else {
            format!("Unable to access credentials {path}: {said}")
        };
        Some((format!("{path} {what}"), message))
    };
    let place = resolve(&path);
    let closed = |place: &crate::host::files::Place| {
        let user = user?;
        place.directories.iter().find(|directory| user.may(Wish::SEARCH, directory.access) == Some(false))?;
        Some(())
    };
    match &place.end {
        End::Found(_) if closed(&place).is_some() => {
            refused("is in a directory that QEMU cannot enter", "Permission denied")
        }
        End::Found(node) if user.is_some_and(|user| user.may(Wish::READ, node.access) == Some(false)) => {
            refused("cannot be read by QEMU", "Permission denied")
        }
        End::Found(_) => None,
        End::Absent | End::NoDirectory(_) => refused("does not exist", NO_FILE),
        End::NotADirectory(_) => refused("is below a file", "Not a directory"),
        End::LinkLoop => refused("is a loop of links", "Too many levels of symbolic links"),
        // In a session, QEMU is the user of this process.
        End::Closed(_) if is_session => refused("cannot be read", "Permission denied"),
        End::Closed(folder) => {
            not_checked.insert(
                NotChecked::new(format!("certificates in {folder}, which is closed to this user")).help(AS_ROOT),
            );
            None
        }
        End::Failed(error) => {
            not_checked.insert(unreadable(&path, error));
            None
        }
    }
}

/// What is wrong in the files themselves. Whether the signatures are good is left to QEMU.
fn contents(directory: &str, not_checked: &mut BTreeSet<NotChecked>) -> Option<(String, String)> {
    let mut read = |name: &str| {
        let path = format!("{directory}/{name}");
        let bytes = fs::read(&path).map_err(|error| not_checked.insert(unreadable(&path, error))).ok()?;
        Some((path, bytes))
    };
    let (ca_path, ca) = read("ca-cert.pem")?;
    let (path, server) = read("server-cert.pem")?;
    let ca = certificate(&ca_path, "CA", &ca).map_err(Some);
    let server = certificate(&path, "server", &server).map_err(Some);
    let (ca, server) = match (ca, server) {
        (Ok(ca), Ok(server)) => (ca, server),
        (Err(problem), _) | (_, Err(problem)) => return problem,
    };
    let issuer = server.tbs_certificate().issuer();
    if issuer != ca.tbs_certificate().subject() {
        let message = format!("Cert '{}' has no issuer in CA chain", server.tbs_certificate().subject());
        return Some((format!("{path} was not issued by the authority of {ca_path}"), message));
    }
    let (key_path, key) = read(KEY)?;
    (!has_key_of(&server, &key)?).then(|| {
        let message = format!(
            "Cannot set certificate '{path}' & key '{key_path}': The certificate and the given key do not match."
        );
        (format!("{key_path} is not the key of {path}"), message)
    })
}

/// The first certificate of a file, or what is wrong with it.
fn certificate(path: &str, what: &str, bytes: &[u8]) -> Result<Certificate, (String, String)> {
    let chain = Certificate::load_pem_chain(bytes).unwrap_or_default();
    let Some(certificate) = chain.into_iter().next() else {
        let message = format!("Unable to import certificate {path}: No certificate was found.");
        return Err((format!("{path} holds no certificate in PEM format"), message));
    };
    let validity = certificate.tbs_certificate().validity();
    let now = SystemTime::now();
    if validity.not_after.to_system_time() < now {
        return Err((format!("{path} has expired"), format!("The {what} certificate {path} has expired")));
    }
    if validity.not_before.to_system_time() > now {
        return Err((format!("{path} is not valid yet"), format!("The {what} certificate {path} is not yet active")));
    }
    Ok(certificate)
}

/// Whether a private key is that of a certificate; `None` where only QEMU can say. An RSA key holds the modulus of its
/// public key, and the key of an elliptic curve mostly holds the public key as the certificate does.
fn has_key_of(certificate: &Certificate, key: &[u8]) -> Option<bool> {
    const RSA: &str = "1.2.840.113549.1.1.1";
    let public = certificate.tbs_certificate().subject_public_key_info();
    let (label, private) = pem::decode_vec(key).ok()?;
    if label.contains("ENCRYPTED") {
        return None;
    }
    if public.algorithm.oid.to_string() != RSA {
        let point = public.subject_public_key.to_der().ok()?;
        let (tag, _) = point.split_at_checked(point.len().checked_sub(public.subject_public_key.raw_bytes().len())?)?;
        let is_held = memmem::find(&private, &point).is_some();
        return (is_held || memmem::find(&private, tag).is_some()).then_some(is_held);
    }
    let mut reader = SliceReader::new(public.subject_public_key.raw_bytes()).ok()?;
    let modulus = reader.sequence(|reader| {
        let modulus = UintRef::decode(reader)?;
        UintRef::decode(reader)?;
        Ok::<_, x509_cert::der::Error>(modulus)
    });
    Some(memmem::find(&private, modulus.ok()?.as_bytes()).is_some())
}
