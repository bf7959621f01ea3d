//! Encryption of destinations: what libvirt's schema lets through and QEMU does not know.

use crate::backup::{Disk, Encryption, Spanned, StorageFormat, StorageType};
use crate::diagnostic::{Diagnostic, Span};
use crate::rules::Rule;
use crate::wording::code;

use super::Context;
use super::destination::format_of;

/// The ciphers that QEMU can encrypt with, by name and size.
const CIPHERS: [&str; 9] = [
    "aes-128",
    "aes-192",
    "aes-256",
    "serpent-128",
    "serpent-192",
    "serpent-256",
    "twofish-128",
    "twofish-192",
    "twofish-256",
];
const MODES: [&str; 4] = ["cbc", "xts", "ctr", "ecb"];
const HASHES: [&str; 8] = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160", "sm3"];
const GENERATORS: [&str; 3] = ["plain", "plain64", "essiv"];

pub(super) fn check(context: &Context<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if context.domain.is_none() {
        return;
    }
    for disk in context.included_disks() {
        let Some(encryption) = disk.destination.as_ref().and_then(|destination| destination.encryption.as_ref()) else {
            continue;
        };
        let format = format_of(disk);
        if format == StorageFormat::Qcow2 {
            // The header of a file that exists says how it is encrypted.
            if !context.options.reuse_external {
                diagnostics.extend(check_words(encryption));
            }
        } else if let Some(libvirt) = refusal(disk, context.options.reuse_external) {
            let message = format!("unsupported format `{}` for an encrypted destination", format.name());
            let place = disk.format.as_ref().map_or(encryption.tag.place(), Spanned::place);
            diagnostics.push(
                Diagnostic::new(Rule::EncryptionFormat, place, message)
                    .label(encryption.tag.place(), "the encryption")
                    .help("use `qcow2`, or remove <encryption>")
                    .libvirt(libvirt),
            );
        }
    }
}

fn refusal(disk: &Disk, reuse_external: bool) -> Option<&'static str> {
    match format_of(disk) {
        // What QEMU cannot write at all has its own diagnostic.
        StorageFormat::Dir
        | StorageFormat::Iso
        | StorageFormat::Fat
        | StorageFormat::Cow
        | StorageFormat::Bochs
        | StorageFormat::Cloop
        | StorageFormat::Dmg => None,
        // Whether the sizes differ is known of new files only.
        StorageFormat::Raw if reuse_external || disk.storage_type.value == StorageType::Block => None,
        StorageFormat::Raw => Some(
            "internal error: unable to execute QEMU command 'transaction': Source and target image have different sizes",
        ),
        _ => Some("unsupported configuration: encryption is supported only with 'raw' and 'qcow2' image format"),
    }
}

fn check_words(encryption: &Encryption) -> Option<Diagnostic> {
    let mut found = Vec::new();
    if let Some(cipher) = &encryption.cipher {
        let algorithm = format!("{}-{}", cipher.name, cipher.size);
        found.push(("cipher-alg", algorithm, &CIPHERS[..], cipher.tag.place()));
        found.extend(cipher.mode.iter().map(|mode| ("cipher-mode", mode.clone(), &MODES[..], cipher.tag.place())));
        found.extend(cipher.hash.iter().map(|hash| ("hash-alg", hash.clone(), &HASHES[..], cipher.tag.place())));
    }
    if let Some(ivgen) = &encryption.ivgen {
        found.push(("ivgen-alg", ivgen.name.clone(), &GENERATORS[..], ivgen.tag.place()));
        found.extend(ivgen.hash.iter().map(|hash| ("ivgen-hash-alg", hash.clone(), &HASHES[..], ivgen.tag.place())));
    }
    let wrong = found.into_iter().find(|(_, word, known, _)| !known.contains(&word.as_str()))?;
    Some(unknown_word(wrong))
}

fn unknown_word((parameter, word, known, place): (&str, String, &[&str], Span)) -> Diagnostic {
    let what = match parameter {
        "cipher-alg" => "cipher",
        "cipher-mode" => "cipher mode",
        "ivgen-alg" => "generator of initialization vectors",
        _ => "hash",
    };
    Diagnostic::new(Rule::UnknownCipher, place, format!("unknown {what} {}", code(&word)))
        .help(format!("expected one of {}", known.join(", ")))
        .libvirt(format!(
            "internal error: unable to execute QEMU command 'blockdev-create': Parameter '{parameter}' does not accept \
             value '{word}'"
        ))
}
