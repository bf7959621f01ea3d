//! Mistakes in the structure: parts of a document removed, misspelt, duplicated, misplaced, or given invalid values.

use std::ops::Range;

use super::document::{Document, Element, Path, Place, documents, element};

/// A document with a mistake, and the regions that a diagnostic may point at.
pub struct Mutant {
    pub kind: &'static str,
    pub text: String,
    pub regions: Vec<Range<usize>>,
}

/// The part of an element that a diagnostic may point at.
#[derive(Clone)]
enum Region {
    Tag(Path),
    Whole(Path),
    Attribute(Path, usize),
    Text(Path),
}

struct MutantBuilder<'d> {
    document: &'d Document,
    mutants: Vec<Mutant>,
}

impl MutantBuilder<'_> {
    fn insert(&mut self, kind: &'static str, expected: &[Region], change: impl FnOnce(&mut Element)) {
        let mut document = self.document.clone();
        change(&mut document.root);
        let (text, places) = document.write();
        let place = |path: &Path| -> &Place { &places.iter().find(|(other, _)| other == path).unwrap().1 };
        let regions = expected
            .iter()
            .map(|expected| match expected {
                Region::Tag(path) => place(path).tag.clone(),
                Region::Whole(path) => place(path).whole.clone(),
                Region::Attribute(path, index) => place(path).attributes[*index].clone(),
                Region::Text(path) => place(path).text.clone(),
            })
            .collect();
        self.mutants.push(Mutant { kind, text, regions });
    }
}

/// Every mutant of a document.
pub fn mutants(document: &Document) -> Vec<Mutant> {
    let mut builder = MutantBuilder { document, mutants: Vec::new() };
    for path in document.root.paths() {
        elements(&mut builder, &path);
        for index in 0..document.root.at(&path).attributes.len() {
            attributes(&mut builder, &path, index);
        }
        additions(&mut builder, &path);
    }
    other_modes(&mut builder);
    builder.mutants
}

/// Misspellings of a word.
fn misspellings(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let middle = letters.len() / 2;
    let edit = |change: &dyn Fn(&mut Vec<char>)| {
        let mut letters = letters.clone();
        change(&mut letters);
        letters.into_iter().collect::<String>()
    };
    let mut all = vec![
        edit(&|letters| letters.swap(middle - 1, middle)),
        edit(&|letters| _ = letters.remove(middle)),
        edit(&|letters| letters.insert(middle, letters[middle])),
        edit(&|letters| letters[middle] = 'x'),
        edit(&|letters| letters.push('s')),
        name.to_uppercase(),
        edit(&|letters| letters[0] = letters[0].to_ascii_uppercase()),
    ];
    all.retain(|misspelt| misspelt != name);
    all.dedup();
    all
}

fn parent(path: &Path) -> Path {
    path[..path.len() - 1].to_vec()
}

fn next(path: &Path) -> Path {
    let mut path = path.clone();
    *path.last_mut().unwrap() += 1;
    path
}

fn elements(builder: &mut MutantBuilder<'_>, path: &Path) {
    let original = builder.document.root.at(path).clone();
    for misspelt in misspellings(&original.name) {
        let name = misspelt.clone();
        builder.insert("element misspelt", &[Region::Tag(path.clone())], |root| root.at_mut(path).name = name);
    }
    if !original.attributes.is_empty() && !path.is_empty() {
        builder.insert("element with another name", &[Region::Tag(path.clone())], |root| {
            "quux".clone_into(&mut root.at_mut(path).name);
        });
    }
    let Some((&index, _)) = path.split_last() else { return };
    let parent = parent(path);
    builder.insert("element removed", &[Region::Tag(parent.clone())], |root| {
        root.at_mut(&parent).children.remove(index);
    });
    if original.name != "disk" {
        let doubled = [Region::Whole(path.clone()), Region::Whole(next(path))];
        let copy = original.clone();
        builder.insert("element doubled", &doubled, |root| root.at_mut(&parent).children.insert(index + 1, copy));
    }
    if !parent.is_empty() {
        // Move the element to its grandparent.
        let place = next(&parent);
        let expected = [Region::Whole(place.clone()), Region::Tag(parent.clone())];
        builder.insert("element moved up", &expected, |root| {
            let moved = root.at_mut(&parent).children.remove(index);
            let (at, above) = place.split_last().unwrap();
            root.at_mut(above).children.insert(*at, moved);
        });
    }
    if !original.children.is_empty() {
        // Remove the element's tags but not its children.
        let count = original.children.len();
        let orphans = (index..index + count).map(|at| Region::Whole([&parent[..], &[at]].concat()));
        let expected: Vec<_> = orphans.chain([Region::Tag(parent.clone())]).collect();
        builder.insert("element without its tags", &expected, |root| {
            let siblings = &mut root.at_mut(&parent).children;
            let removed = siblings.remove(index);
            siblings.splice(index..index, removed.children);
        });
    }
    if index > 0 && !matches!(original.name.as_str(), "disk" | "seclabel") {
        let sibling = [&parent[..], &[index - 1]].concat();
        let at = builder.document.root.at(&sibling).children.len();
        let expected = [Region::Whole([&sibling[..], &[at]].concat()), Region::Tag(parent.clone())];
        builder.insert("element moved into a sibling", &expected, |root| {
            let moved = root.at_mut(&parent).children.remove(index);
            root.at_mut(&sibling).children.push(moved);
        });
    }
}

/// Values that an attribute cannot have.
fn bad_values(element: &str, attribute: &str) -> &'static [&'static str] {
    match (element, attribute) {
        ("domainbackup", "mode") => &["Push", "pul", "psuh", "incremental", "full", "", "both"],
        ("disk", "name") => &["", "/var/lib/libvirt/images/a.qcow2", "vd a", "sda1!", "disk0", "VDA", "vda "],
        (_, "backup" | "tls") => &["true", "false", "1", "Yes", "y", ""],
        ("disk", "type") => &["network", "File", "fiel", "dir", "qcow2", "", "volume"],
        ("driver", "type") => &["qcow22", "QCOW2", "vhdx", "", "file"],
        (_, "backupmode") => &["Full", "incr", "differential", "", "push"],
        (_, "transport") => &["tpc", "TCP", "rdma", "", "ssh"],
        ("server", "name") => &["", "back up", "host:10809", "[::1]", "fe80::1%eth0", "a/b"],
        (_, "port" | "size") => &["", "-1", "4294967296", "x", "10 809", "0x10", "+5"],
        (_, "socket" | "file" | "dev") => &["", "relative/path", "~/path", "file:///path", " /path"],
        (_, "relabel") => &["maybe", "true", ""],
        (_, "labelskip") => &["no", ""],
        ("encryption", "format") => &["qcow", "LUKS", "luks2", ""],
        (_, "engine") => &["kvm", "", "librbd"],
        ("secret", "type") => &["password", "volume", ""],
        (_, "uuid") => &["", "0a81f5b2-8403-7b23-c8d6", "backup-secret"],
        _ => &[],
    }
}

fn attributes(builder: &mut MutantBuilder<'_>, path: &Path, index: usize) {
    let owner = builder.document.root.at(path).clone();
    let (name, value) = owner.attributes[index].clone();
    let tag = Region::Tag(path.clone());
    let expected = [Region::Attribute(path.clone(), index)];
    builder.insert("attribute removed", std::slice::from_ref(&tag), |root| {
        root.at_mut(path).attributes.remove(index);
    });
    for misspelt in misspellings(&name) {
        builder.insert("attribute misspelt", &expected, |root| root.at_mut(path).attributes[index].0 = misspelt);
    }
    for bad in bad_values(&owner.name, &name) {
        builder.insert("bad value", &expected, |root| (*bad).clone_into(&mut root.at_mut(path).attributes[index].1));
    }
    if !path.is_empty() {
        let parent = parent(path);
        let present = builder.document.root.at(&parent).attributes.iter().any(|(other, _)| *other == name);
        let at = builder.document.root.at(&parent).attributes.len();
        if !present {
            let moved = (name.clone(), value.clone());
            builder.insert("attribute moved up", &[Region::Attribute(parent.clone(), at), tag.clone()], |root| {
                root.at_mut(path).attributes.remove(index);
                root.at_mut(&parent).attributes.push(moved);
            });
        }
    }
    if let Some(child) = owner.children.first() {
        let present = child.attributes.iter().any(|(other, _)| *other == name);
        let below = [&path[..], &[0]].concat();
        if !present {
            builder.insert(
                "attribute moved down",
                &[Region::Attribute(below.clone(), child.attributes.len()), tag],
                |root| {
                    root.at_mut(path).attributes.remove(index);
                    root.at_mut(&below).attributes.push((name, value));
                },
            );
        }
    }
}

fn additions(builder: &mut MutantBuilder<'_>, path: &Path) {
    let original = builder.document.root.at(path).clone();
    let last = original.attributes.len();
    for (name, value) in [("bogus", "1"), ("description", "my backup"), ("readonly", "yes"), ("index", "3")] {
        builder.insert("attribute added", &[Region::Attribute(path.clone(), last)], |root| {
            root.at_mut(path).attributes.push((name.to_owned(), value.to_owned()));
        });
    }
    let child = [&path[..], &[original.children.len()]].concat();
    for name in ["description", "boot", "readonly"] {
        builder.insert("element added", &[Region::Whole(child.clone())], |root| {
            root.at_mut(path).children.push(element(name, [], vec![]));
        });
    }
    if original.text.is_empty() {
        builder.insert("text added", &[Region::Text(path.clone())], |root| {
            "stray".clone_into(&mut root.at_mut(path).text);
        });
    }
}

/// What belongs to the other mode, another transport or another type.
fn other_modes(builder: &mut MutantBuilder<'_>) {
    let root = builder.document.root.clone();
    let push = root.attributes.iter().all(|(_, value)| value != "pull");
    for path in root.paths() {
        let original = root.at(&path).clone();
        let last = original.attributes.len();
        let whole = [Region::Whole(path.clone())];
        let added = [Region::Attribute(path.clone(), last)];
        let attribute = |name: &str| original.attributes.iter().position(|(other, _)| other == name);
        let add = |name: &str, value: &str| {
            let added = (name.to_owned(), value.to_owned());
            let path = path.clone();
            move |root: &mut Element| root.at_mut(&path).attributes.push(added)
        };
        match original.name.as_str() {
            "target" | "scratch" => {
                let other = if push { "scratch" } else { "target" };
                builder.insert("the other mode's destination", &whole, |root| {
                    other.clone_into(&mut root.at_mut(&path).name);
                });
            }
            "disk" if push => builder.insert("export in push", &added, add("exportname", "x")),
            "server" => {
                for (name, value) in [("port", "10809"), ("socket", "/run/x"), ("fdgroup", "x"), ("name", "localhost")]
                {
                    if attribute(name).is_none() {
                        builder.insert("another transport's attribute", &added, add(name, value));
                    }
                }
                if let Some(index) = attribute("transport") {
                    for other in ["tcp", "unix", "fd"] {
                        builder.insert("another transport", &[Region::Tag(path.clone())], |root| {
                            other.clone_into(&mut root.at_mut(&path).attributes[index].1);
                        });
                    }
                }
            }
            "domainbackup" => {
                let tag = [Region::Tag(vec![])];
                if push {
                    let server = element("server", [("name", "localhost")], vec![]);
                    let place = vec![original.children.len()];
                    builder.insert("server in push", &[Region::Whole(place)], |root| root.children.push(server));
                }
                if let Some(index) = attribute("mode") {
                    let other = if push { "pull" } else { "push" };
                    builder.insert("the other mode", &tag, |root| other.clone_into(&mut root.attributes[index].1));
                }
            }
            _ => {}
        }
        if original.name != "disk" {
            continue;
        }
        if let Some(index) = attribute("type") {
            let other = if original.attributes[index].1 == "file" { "block" } else { "file" };
            let expected = [Region::Attribute(path.clone(), index), Region::Tag(path.clone())];
            builder.insert("another type", &expected, |root| {
                other.clone_into(&mut root.at_mut(&path).attributes[index].1);
            });
        }
        match attribute("backup") {
            None => builder.insert("left out with settings", &added, add("backup", "no")),
            Some(index) if original.attributes[index].1 == "no" => {
                builder.insert("type on a disk that is left out", &added, add("type", "file"));
                let child = [&path[..], &[0]].concat();
                let driver = element("driver", [("type", "qcow2")], vec![]);
                builder.insert("driver in a disk that is left out", &[Region::Whole(child)], |root| {
                    root.at_mut(&path).children.push(driver);
                });
            }
            Some(_) => {}
        }
        if attribute("incremental").is_none()
            && attribute("backupmode").is_some_and(|at| original.attributes[at].1 == "full")
        {
            builder.insert("checkpoint of a full backup", &added, add("incremental", "cp1"));
        }
    }
}

/// Documents with two to five mistakes in different elements, and the regions of each.
pub fn combined() -> Vec<(String, Vec<Vec<Range<usize>>>)> {
    let mut all = Vec::new();
    for (number, document) in documents().into_iter().enumerate() {
        let original = document.write().1;
        let leaves: Vec<_> =
            original.iter().filter(|(path, _)| !path.is_empty()).map(|(path, _)| path.clone()).collect();
        for round in 0..120 {
            let count = 2 + (round + number) % 4;
            let mut changed = document.clone();
            let mut expected: Vec<Region> = Vec::new();
            let mut used: Vec<Path> = Vec::new();
            for step in 0..leaves.len() {
                let path = &leaves[(step * 7 + round * 3 + number) % leaves.len()];
                let apart = used.iter().all(|other| !other.starts_with(path) && !path.starts_with(other));
                if expected.len() < count
                    && apart
                    && let Some(found) = insert_one(&mut changed.root, path, round + step)
                {
                    expected.push(found);
                    used.push(path.clone());
                }
            }
            if expected.len() < 2 {
                continue;
            }
            let (text, places) = changed.write();
            let regions = expected.iter().map(|expected| {
                let (Region::Tag(path) | Region::Whole(path) | Region::Text(path) | Region::Attribute(path, _)) =
                    expected;
                let place = &places.iter().find(|(other, _)| other == path).unwrap().1;
                match expected {
                    Region::Attribute(_, index) => vec![place.attributes[*index].clone()],
                    _ => vec![place.tag.clone()],
                }
            });
            all.push((text, regions.collect()));
        }
    }
    all
}

/// Inserts a mistake in one element that does not move the others.
fn insert_one(root: &mut Element, path: &Path, number: usize) -> Option<Region> {
    let target = root.at_mut(path);
    let last = target.attributes.len();
    match number % 3 {
        0 => {
            target.attributes.push(("bogus".to_owned(), "1".to_owned()));
            Some(Region::Attribute(path.clone(), last))
        }
        1 => {
            let index = target.attributes.iter().position(|(name, _)| !bad_values(&target.name, name).is_empty())?;
            let bad = bad_values(&target.name, &target.attributes[index].0);
            bad[number % bad.len()].clone_into(&mut target.attributes[index].1);
            Some(Region::Attribute(path.clone(), index))
        }
        _ => {
            let (name, _) = target.attributes.first_mut()?;
            *name = misspellings(name).swap_remove(number % 2);
            Some(Region::Attribute(path.clone(), 0))
        }
    }
}
