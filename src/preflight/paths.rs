//! What is at a path, below it and above it, as far as the documents show.

use std::collections::HashMap;

use crate::backup::Disk;
use crate::domain::{Domain, DomainDisk, PathKind, Source, UsedPath};

/// What uses a path.
#[derive(Clone, Copy)]
pub(super) enum Occupant<'c> {
    /// An image of a disk of the domain: its own, or one behind it.
    Image { disk: &'c DomainDisk, is_own: bool, is_device: bool },
    /// Something else that the domain uses.
    Used(&'c UsedPath),
    /// The destination of a disk of the backup.
    Destination(&'c Disk),
}

impl Occupant<'_> {
    fn is_directory(self) -> bool {
        matches!(self, Self::Used(UsedPath { kind: PathKind::Directory, .. }))
    }
}

/// What is known of a path.
#[derive(Clone, Copy)]
pub(super) enum Found<T> {
    /// Nothing.
    Nothing,
    /// It is in use.
    At(T),
    /// It leads through something that is not a directory.
    Below(T),
    /// It is a directory with this in it.
    Above(T),
}

/// Paths by their components. A symbolic link on the way is not seen: the documents do not show it.
#[derive(Default)]
pub(super) struct Paths<'c> {
    /// From a node and a component to the next node.
    edges: HashMap<(usize, &'c str), usize>,
    nodes: Vec<Node<'c>>,
}

#[derive(Default)]
struct Node<'c> {
    at: Option<Occupant<'c>>,
    /// The first one below.
    above: Option<Occupant<'c>>,
}

impl<'c> Paths<'c> {
    /// The paths that the domain uses.
    pub(super) fn of_domain(domain: Option<&'c Domain>) -> Self {
        let mut paths = Self::default();
        for disk in domain.into_iter().flat_map(|domain| &domain.disks) {
            let own = std::iter::once((&disk.source, true));
            for (source, is_own) in own.chain(disk.other_images.iter().map(|other| (other, false))) {
                if let Some(path) = source.path() {
                    let is_device = matches!(source, Source::Block(_));
                    paths.insert(path, Occupant::Image { disk, is_own, is_device });
                }
            }
        }
        for used in domain.into_iter().flat_map(|domain| &domain.used_paths) {
            paths.insert(&used.path, Occupant::Used(used));
        }
        paths
    }

    /// Adds a path; the first occupant of a path stays.
    pub(super) fn insert(&mut self, path: &'c str, occupant: Occupant<'c>) {
        let mut way = vec![self.root()];
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    // The root is its own parent.
                    way.truncate(way.len().saturating_sub(1).max(1));
                }
                part => {
                    let node = way.last().copied().unwrap_or_default();
                    let next = *self.edges.entry((node, part)).or_insert(self.nodes.len());
                    if next == self.nodes.len() {
                        self.nodes.push(Node::default());
                    }
                    way.push(next);
                }
            }
        }
        let Some((last, above)) = way.split_last() else { return };
        for node in above {
            if let Some(node) = self.nodes.get_mut(*node) {
                node.above.get_or_insert(occupant);
            }
        }
        if let Some(node) = self.nodes.get_mut(*last) {
            node.at.get_or_insert(occupant);
        }
    }

    fn root(&mut self) -> usize {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        0
    }

    /// What is known of a path, walked as the kernel walks it.
    pub(super) fn find(&self, path: &str) -> Found<Occupant<'c>> {
        let mut way: Vec<Option<usize>> = vec![Some(0)];
        let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
        while let Some(part) = parts.next() {
            match part {
                "." => {}
                ".." => {
                    if way.len() > 1 {
                        way.pop();
                    }
                }
                part => {
                    let node = way.last().copied().flatten();
                    way.push(node.and_then(|node| self.edges.get(&(node, part)).copied()));
                }
            }
            let occupant = way.last().copied().flatten().and_then(|node| self.nodes.get(node)?.at);
            if let Some(occupant) = occupant.filter(|occupant| parts.peek().is_some() && !occupant.is_directory()) {
                return Found::Below(occupant);
            }
        }
        let Some(node) = way.last().copied().flatten().and_then(|node| self.nodes.get(node)) else {
            return Found::Nothing;
        };
        match (node.at, node.above) {
            (Some(at), _) => Found::At(at),
            (None, Some(above)) => Found::Above(above),
            (None, None) => Found::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    #[test]
    fn paths_are_walked_as_the_kernel_does() {
        let used = |path: &str, kind| UsedPath { path: path.into(), kind, usage: "".into(), tag: Span::default() };
        let (file, directory) = (used("/a//b/./c", PathKind::File), used("/d", PathKind::Directory));
        let mut paths = Paths::default();
        paths.insert(&file.path, Occupant::Used(&file));
        paths.insert(&directory.path, Occupant::Used(&directory));
        let found = |path: &str| match paths.find(path) {
            Found::Nothing => "nothing",
            Found::At(_) => "at",
            Found::Below(_) => "below",
            Found::Above(_) => "above",
        };
        for path in ["/a/b/c", "//a/b/c", "/a/x/../b/c", "/../a/b/c", "/a/b/c/"] {
            assert_eq!(found(path), "at", "{path}");
        }
        for path in ["/a/b/c/d", "/a/b/c/../d", "/a/b/c/.", "/a/b//c/d/e"] {
            assert_eq!(found(path), "below", "{path}");
        }
        assert_eq!([found("/a"), found("/a/b"), found("/")], ["above"; 3]);
        assert_eq!([found("/d"), found("/d/x"), found("/a/b/C"), found("/x")], ["at", "nothing", "nothing", "nothing"]);
    }
}
