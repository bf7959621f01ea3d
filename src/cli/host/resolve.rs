//! Follows a path as the kernel does, and remembers the way.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use crate::host::files::{Access, Directory, End, Id, Kind, Node, Place};

/// Symbolic links that the kernel follows in one path.
const MAX_LINKS: usize = 40;
/// Bytes of a block that `stat` counts in.
const BLOCK_BYTES: u64 = 512;

/// Where a path leads. Its last component need not exist.
pub(super) fn resolve(path: &str) -> Place {
    walk(path, true)
}

/// As [`resolve`], but a link at the end of the path is what it leads to.
pub(super) fn resolve_entry(path: &str) -> Place {
    walk(path, false)
}

fn walk(path: &str, follows_last: bool) -> Place {
    let mut walk = Walk { at: PathBuf::from("/"), directories: Vec::new(), links: 0, follows_last };
    let end = walk.enter("/".as_ref()).err().unwrap_or_else(|| walk.follow(Path::new(path)));
    Place { resolved: walk.at.to_string_lossy().into_owned(), directories: walk.directories, end }
}

struct Walk {
    /// Where the walk is; no component is a link, so `..` is the parent.
    at: PathBuf,
    directories: Vec<Directory>,
    links: usize,
    /// Whether a link at the end of the path is followed.
    follows_last: bool,
}

impl Walk {
    /// Walks along the components of `path`, from the present directory or the root.
    fn follow(&mut self, path: &Path) -> End {
        // What is still to be walked, the next component last.
        let mut rest: Vec<PathBuf> = components(path);
        while let Some(component) = rest.pop() {
            if component == Path::new("/") {
                self.at = PathBuf::from("/");
                continue;
            }
            if component == Path::new("..") {
                self.at.pop();
                continue;
            }
            let next = self.at.join(&component);
            let metadata = match fs::symlink_metadata(&next) {
                Ok(metadata) => metadata,
                Err(error) => return self.failed(next, &error, rest.is_empty()),
            };
            if metadata.is_symlink() && (self.follows_last || !rest.is_empty()) {
                self.links += 1;
                if self.links > MAX_LINKS {
                    return End::LinkLoop;
                }
                match fs::read_link(&next) {
                    Ok(target) => rest.extend(components(&target)),
                    Err(error) => return self.failed(next, &error, false),
                }
                continue;
            }
            if rest.is_empty() {
                self.at = next;
                return End::Found(node(&metadata));
            }
            if !metadata.is_dir() {
                return End::NotADirectory(next.to_string_lossy().into_owned());
            }
            if let Err(end) = self.enter(&next) {
                return end;
            }
            self.at = next;
        }
        // The path ends in `..` or is the root.
        match fs::symlink_metadata(&self.at) {
            Ok(metadata) => End::Found(node(&metadata)),
            Err(error) => End::Failed(error.to_string()),
        }
    }

    fn failed(&mut self, path: PathBuf, error: &io::Error, is_last: bool) -> End {
        let shown = path.to_string_lossy().into_owned();
        match error.kind() {
            ErrorKind::NotFound if is_last => {
                self.at = path;
                End::Absent
            }
            ErrorKind::NotFound => End::NoDirectory(shown),
            ErrorKind::NotADirectory => End::NotADirectory(shown),
            ErrorKind::PermissionDenied => End::Closed(self.at.to_string_lossy().into_owned()),
            _ => End::Failed(error.to_string()),
        }
    }

    /// Remembers a directory on the way.
    fn enter(&mut self, path: &Path) -> Result<(), End> {
        let metadata = fs::symlink_metadata(path).map_err(|error| End::Failed(error.to_string()))?;
        self.directories.push(Directory {
            path: path.to_string_lossy().into_owned(),
            id: Id { device: metadata.dev(), inode: metadata.ino() },
            access: access(&metadata, path),
        });
        Ok(())
    }
}

/// The components of a path, the last one first.
fn components(path: &Path) -> Vec<PathBuf> {
    let kept = path.components().filter(|component| !matches!(component, Component::CurDir));
    let mut components: Vec<_> = kept.map(|component| PathBuf::from(component.as_os_str())).collect();
    components.reverse();
    components
}

fn access(metadata: &Metadata, path: &Path) -> Access {
    Access { uid: metadata.uid(), gid: metadata.gid(), mode: metadata.mode() & 0o7777, has_acl: has_acl(path) }
}

/// Whether a list of more users and groups decides who may use a file.
fn has_acl(path: &Path) -> bool {
    let mut none = [0_u8; 0];
    rustix::fs::getxattr(path, "system.posix_acl_access", &mut none).is_ok_and(|size| size > 0)
}

fn node(metadata: &Metadata) -> Node {
    let kind = metadata.file_type();
    let kind = match () {
        () if kind.is_dir() => Kind::Directory,
        () if kind.is_block_device() => Kind::Block,
        () if kind.is_char_device() => Kind::Character,
        () if kind.is_fifo() => Kind::Fifo,
        () if kind.is_socket() => Kind::Socket,
        () if kind.is_symlink() => Kind::Link,
        () => Kind::File,
    };
    let lock_id = Id { device: metadata.dev(), inode: metadata.ino() };
    Node {
        kind,
        id: if kind == Kind::Block { Id { device: metadata.rdev(), inode: 0 } } else { lock_id },
        lock_id,
        access: Access { uid: metadata.uid(), gid: metadata.gid(), mode: metadata.mode() & 0o7777, has_acl: false },
        size: (kind == Kind::File).then_some(metadata.size()),
        allocated: metadata.blocks().saturating_mul(BLOCK_BYTES),
        read_only: false,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn dots_behind_a_link_are_those_of_its_target() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir_all(root.join("far/inner")).unwrap();
        fs::write(root.join("far/image"), "").unwrap();
        symlink(root.join("far/inner"), root.join("link")).unwrap();
        let resolved = |path: &str| resolve(root.join(path).to_str().unwrap());
        let place = resolved("link/../image");
        assert_eq!(place.resolved, root.join("far/image").to_str().unwrap());
        assert!(matches!(place.end, End::Found(Node { kind: Kind::File, .. })), "{place:?}");
        assert_eq!(resolved("image").end, End::Absent);
        assert_eq!(resolved("link/new").resolved, root.join("far/inner/new").to_str().unwrap());
    }

    #[test]
    fn an_entry_of_a_directory_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        symlink(".", root.join("link")).unwrap();
        let path = |path: &str| root.join(path).to_str().unwrap().to_owned();
        let place = resolve_entry(&path("link/link"));
        assert_eq!(place.resolved, path("link"));
        assert!(matches!(place.end, End::Found(Node { kind: Kind::Link, .. })), "{place:?}");
        assert_eq!(resolve_entry(&path("none")).end, End::Absent);
    }

    #[test]
    fn what_is_missing_on_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let resolved = |path: &str| resolve(root.join(path).to_str().unwrap()).end;
        fs::write(root.join("file"), "").unwrap();
        symlink("nowhere/file", root.join("dangling")).unwrap();
        symlink("file2", root.join("new")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let below = |name: &str| root.join(name).to_str().unwrap().to_owned();
        assert_eq!(resolved("none/image"), End::NoDirectory(below("none")));
        assert_eq!(resolved("none/../image"), End::NoDirectory(below("none")));
        assert_eq!(resolved("file/image"), End::NotADirectory(below("file")));
        assert_eq!(resolved("dangling"), End::NoDirectory(below("nowhere")));
        assert_eq!(resolved("loop"), End::LinkLoop);
        // A file is made at the other end of a link.
        assert_eq!(resolved("new"), End::Absent);
    }
}
