//! The modules of `src` use each other as the table in CONTRIBUTING.md lists, and nowhere in a circle.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// For each module, the modules that it uses.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// The root of the library, and what uses it by the name of the crate.
const ROOT: &str = "lib";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of `src` as its top-level module and its text without comments.
fn files(directory: &Path, module: Option<&str>, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let module = module.unwrap_or(&stem);
        if path.is_dir() {
            files(&path, Some(module), found);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
            found.push((module.to_owned(), code.collect::<Vec<_>>().join("\n")));
        }
    }
}

/// The first names of the paths that follow `prefix`: of `crate::a::B` and of `crate::{a, b::C}`. A name before `(` is a
/// function.
fn first_names<'t>(code: &'t str, prefix: &str) -> Vec<(&'t str, bool)> {
    let name = |path: &'t str| {
        let end = path.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(path.len());
        (&path[..end], path[end..].starts_with('('))
    };
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            names.push(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (at, character) in list.char_indices() {
            match character {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' => start = depth == 0,
                _ if start && !character.is_whitespace() => {
                    names.push(name(&list[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    names
}

fn graph(files: &[(String, String)]) -> Graph {
    let mut graph: Graph = files.iter().map(|(module, _)| (module.clone(), BTreeSet::new())).collect();
    let modules: BTreeSet<_> = graph.keys().cloned().collect();
    for (module, code) in files {
        let mut used: Vec<_> = first_names(code, "crate::");
        match module.as_str() {
            ROOT => used.extend(first_names(code, "pub use ")),
            "main" => used.extend(first_names(code, "backupxml::")),
            _ => {}
        }
        for (name, is_function) in used {
            let target = if modules.contains(name) && !is_function { name } else { ROOT };
            if target != module && !matches!(name, "crate" | "") {
                graph.get_mut(module).unwrap().insert(target.to_owned());
            }
        }
    }
    graph
}

/// The modules of a circle, in order, if there is one.
fn circle(graph: &Graph) -> Option<Vec<&str>> {
    fn visit<'g>(graph: &'g Graph, module: &'g str, path: &mut Vec<&'g str>, done: &mut BTreeSet<&'g str>) -> bool {
        if let Some(start) = path.iter().position(|known| *known == module) {
            path.drain(..start);
            return true;
        }
        if !done.insert(module) {
            return false;
        }
        path.push(module);
        if graph[module].iter().any(|used| visit(graph, used, path, done)) {
            return true;
        }
        path.pop();
        false
    }
    let (mut path, mut done) = (Vec::new(), BTreeSet::new());
    graph.keys().any(|module| visit(graph, module, &mut path, &mut done)).then_some(path)
}

/// The rows of the table in CONTRIBUTING.md, in its order: `` | `align` | … | `backup`, `domain` | ``.
fn documented() -> Vec<(String, BTreeSet<String>)> {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("Architecture")).expect("the section");
    let quoted = |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let rows = section.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let cells: Vec<_> = line.split(" | ").collect();
        let [module, _, used] = cells.as_slice() else { panic!("{line}") };
        (quoted(module).remove(0), quoted(used).into_iter().collect())
    });
    rows.collect()
}

fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&root().join("src"), None, &mut found);
    found
}

#[test]
fn modules_do_not_use_each_other_in_a_circle() {
    assert_eq!(circle(&graph(&sources())), None);
}

#[test]
fn modules_use_each_other_as_contributing_lists() {
    let listed: Graph = documented().into_iter().collect();
    assert_eq!(graph(&sources()), listed);
}

#[test]
fn each_module_is_listed_after_those_that_it_uses() {
    let mut above = BTreeSet::new();
    for (module, used) in documented() {
        assert!(used.is_subset(&above), "{module} uses {used:?}, listed so far: {above:?}");
        above.insert(module);
    }
}

#[test]
fn a_circle_is_found() {
    let file = |module: &str, code: &str| (module.to_owned(), code.to_owned());
    let straight =
        [file("a", "use crate::b::B;"), file("b", "use crate::{c, d::{D, E}};"), file("c", ""), file("d", "")];
    assert_eq!(circle(&graph(&straight)), None);
    let round =
        [file("a", "use crate::b::B;"), file("b", "use crate::{c::C, d};"), file("c", ""), file("d", "crate::a::f()")];
    assert_eq!(circle(&graph(&round)), Some(vec!["a", "b", "d"]));
}
