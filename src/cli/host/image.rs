//! Reads what an image file says of itself: qcow2 by its header, other formats by `qemu-img`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::diagnostic::NotChecked;
use crate::host::files::ImageFile;

const MAGIC: &[u8; 4] = b"QFI\xfb";
const HEADER_BYTES: usize = 104;
/// The header of version 2, which has no features.
const OLD_HEADER_BYTES: usize = 72;
const CORRUPT: u64 = 1 << 1;
const BITMAPS_EXTENSION: u32 = 0x2385_2875;
/// The extensions lie in the first cluster, and clusters have at most 2 MiB.
const MAX_EXTENSIONS: usize = 64;
/// QEMU's limit on a directory of bitmaps.
const MAX_DIRECTORY_BYTES: u64 = 64 << 20;

/// Looks at an image; `None`, and a note, when it cannot be read.
pub(super) fn look(path: &str, not_checked: &mut BTreeSet<NotChecked>) -> Option<ImageFile> {
    let result = File::open(path).and_then(|mut file| {
        let mut magic = Vec::new();
        file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut magic)?;
        if magic == MAGIC { qcow2(&mut file).map(Some) } else { Ok(None) }
    });
    match result {
        Ok(Some(image)) => Some(image),
        Ok(None) => qemu_img(path, not_checked),
        Err(error) => {
            not_checked.insert(NotChecked::new(format!("the image {path}: {error}")));
            None
        }
    }
}

/// An image whose header ends too early says no more than that.
fn qcow2(file: &mut (impl Read + Seek)) -> io::Result<ImageFile> {
    let mut image = ImageFile { format: "qcow2".to_owned(), ..ImageFile::default() };
    file.seek(SeekFrom::Start(0))?;
    let mut header = Vec::new();
    file.by_ref().take(HEADER_BYTES as u64).read_to_end(&mut header)?;
    let version = u32_at(&header, 4);
    let length = if version == Some(2) { OLD_HEADER_BYTES } else { HEADER_BYTES };
    if header.len() < length {
        image.error = Some("qcow2 header too short".to_owned());
        return Ok(image);
    }
    image.virtual_size = u64_at(&header, 24).unwrap_or_default();
    image.encrypted = u32_at(&header, 32).is_some_and(|method| method != 0);
    image.is_old = version == Some(2);
    if !image.is_old {
        image.corrupt = u64_at(&header, 72).is_some_and(|features| features & CORRUPT != 0);
        let header_length = u32_at(&header, 100).unwrap_or_default();
        image.bitmaps = bitmaps(file, header_length.into()).unwrap_or_default();
    }
    Ok(image)
}

/// The names of stored bitmaps, from the directory that a header extension leads to.
fn bitmaps(file: &mut (impl Read + Seek), header_length: u64) -> io::Result<Vec<String>> {
    let mut position = header_length;
    for _ in 0..MAX_EXTENSIONS {
        let head = read_at(file, position, 8)?;
        let (Some(kind), Some(length)) = (u32_at(&head, 0), u32_at(&head, 4)) else { break };
        if kind == BITMAPS_EXTENSION {
            let extension = read_at(file, position + 8, 24)?;
            let size = u64_at(&extension, 8).unwrap_or_default().min(MAX_DIRECTORY_BYTES);
            let offset = u64_at(&extension, 16).unwrap_or_default();
            return Ok(names(&read_at(file, offset, size)?));
        }
        if kind == 0 {
            break;
        }
        position += 8 + u64::from(length).next_multiple_of(8);
    }
    Ok(Vec::new())
}

/// Entries of a directory: 24 bytes, of which two are the length of the name and four that of what comes before it;
/// each ends on a multiple of eight.
fn names(directory: &[u8]) -> Vec<String> {
    const ENTRY_BYTES: usize = 24;
    let mut names = Vec::new();
    let mut rest = directory;
    while let (Some(length), Some(extra)) = (u16_at(rest, 18), u32_at(rest, 20)) {
        let Some(start) = usize::try_from(extra).ok().and_then(|extra| extra.checked_add(ENTRY_BYTES)) else { break };
        let end = start.saturating_add(length.into());
        let Some(name) = rest.get(start..end) else { break };
        names.push(String::from_utf8_lossy(name).into_owned());
        let Some(next) = rest.get(end.next_multiple_of(8)..) else { break };
        rest = next;
    }
    names
}

fn read_at(file: &mut (impl Read + Seek), position: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(position))?;
    let mut bytes = Vec::new();
    file.by_ref().take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn bytes_at<const N: usize>(bytes: &[u8], position: usize) -> Option<[u8; N]> {
    bytes.get(position..position.checked_add(N)?)?.try_into().ok()
}

fn u16_at(bytes: &[u8], position: usize) -> Option<u16> {
    bytes_at(bytes, position).map(u16::from_be_bytes)
}

fn u32_at(bytes: &[u8], position: usize) -> Option<u32> {
    bytes_at(bytes, position).map(u32::from_be_bytes)
}

fn u64_at(bytes: &[u8], position: usize) -> Option<u64> {
    bytes_at(bytes, position).map(u64::from_be_bytes)
}

/// What `qemu-img info` prints, as far as it matters.
#[derive(Deserialize)]
struct Info {
    format: String,
    #[serde(rename = "virtual-size")]
    virtual_size: u64,
    #[serde(default)]
    encrypted: bool,
}

fn qemu_img(path: &str, not_checked: &mut BTreeSet<NotChecked>) -> Option<ImageFile> {
    let mut command = Command::new("qemu-img");
    command.args(["info", "-U", "--output=json", "--", path]).stdin(Stdio::null()).env("LC_ALL", "C");
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            not_checked.insert(if error.kind() == ErrorKind::NotFound {
                NotChecked::new(format!("the format of {path}")).help("install qemu-img")
            } else {
                NotChecked::new(format!("the format of {path}: {error}"))
            });
            return None;
        }
    };
    let Ok(info) = serde_json::from_slice::<Info>(&output.stdout) else {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("qemu-img said nothing");
        not_checked.insert(NotChecked::new(format!("the format of {path}: {said}")));
        return None;
    };
    Some(ImageFile {
        format: info.format,
        virtual_size: info.virtual_size,
        encrypted: info.encrypted,
        ..ImageFile::default()
    })
}
