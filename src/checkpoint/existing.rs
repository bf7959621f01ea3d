//! The checkpoints that a domain has, as virsh prints them: a list in any of its forms, or dumps.

use std::collections::HashMap;

use crate::parse::text_of;
use crate::release::Release;
use crate::schema::DOMAINCHECKPOINT;
use crate::syntax::{self, Content, Element};
use crate::wording::{code, trim};

use super::is_name;

/// A checkpoint that the domain has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Existing {
    /// Its name.
    pub name: String,
    /// The disks it covers, by their targets; `None` when only its name is known.
    pub disks: Option<HashMap<String, Bitmap>>,
}

/// What is known of the bitmap of a disk that a checkpoint covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bitmap {
    /// The checkpoint lists it.
    Listed,
    /// libvirt found it in the image, with this many bytes changed since: `checkpoint-dumpxml --size`.
    Found(u64),
    /// libvirt printed the sizes of other bitmaps, but none of this one: it is missing or broken.
    Lost,
}

impl Existing {
    /// A checkpoint of which only the name is known.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), disks: None }
    }

    /// The bitmap of a disk, if it is known that the checkpoint covers it.
    #[must_use]
    pub fn bitmap(&self, disk: &str) -> Option<Bitmap> {
        self.disks.as_ref()?.get(disk).copied()
    }

    /// Whether a backup of a disk can start from it, as far as is known.
    #[must_use]
    pub fn is_usable_for(&self, disk: &str) -> bool {
        self.bitmap(disk).is_some_and(|bitmap| bitmap != Bitmap::Lost)
    }
}

/// The most checkpoints in one list: QEMU itself keeps at most 65,535 bitmaps in an image.
const MAX_NAMES: usize = 1_000_000;

/// Reads the output of `virsh checkpoint-list`, as a table, a tree or names, or of one or more
/// `virsh checkpoint-dumpxml`.
///
/// # Errors
///
/// Returns what is wrong with a text that is neither.
pub fn read_existing(text: &str) -> Result<Vec<Existing>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if trim(text).starts_with('<') { read_dumps(text) } else { read_list(text) }
}

fn read_list(text: &str) -> Result<Vec<Existing>, String> {
    let lines = text.lines().zip(1..).map(|(line, number)| (number, line.trim_end()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty()).peekable();
    let mut names = Vec::new();
    // A table has a head of several words, in the user's language, and a line below it.
    let mut rest = lines.clone();
    let head = rest.next().filter(|(_, line)| line.split_whitespace().nth(1).is_some());
    let is_table = head.is_some() && rest.next().is_some_and(|(_, line)| is_rule(line));
    if is_table {
        lines = rest;
    }
    for (number, line) in lines {
        let name = if is_table { row_name(line) } else { row_name(line).or_else(|| tree_name(line)) };
        let name = name.or_else(|| (!is_table && is_branch(line)).then_some(""));
        match name {
            Some("") => {}
            Some(_) if names.len() == MAX_NAMES => return Err(format!("it lists more than {MAX_NAMES} checkpoints")),
            Some(name) => names.push(Existing::named(name)),
            None => {
                let form = "use the output of `virsh checkpoint-list --name`";
                return Err(format!("line {number} is not the name of a checkpoint: {}; {form}", code(line)));
            }
        }
    }
    Ok(names)
}

fn is_rule(line: &str) -> bool {
    line.len() > 2 && line.bytes().all(|byte| byte == b'-')
}

/// The name in a row of the table: ` monday   2026-11-23 22:00:00 +0000   sunday`
fn row_name(line: &str) -> Option<&str> {
    let has_form = |word: &str, form: &str| {
        let fits = |(byte, form): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
        word.len() == form.len() && word.bytes().zip(form.bytes()).all(fits)
    };
    let mut words = line.split_whitespace();
    let name = words.next().filter(|name| is_name(name))?;
    let is_date = has_form(words.next()?, "0000-00-00") && has_form(words.next()?, "00:00:00");
    let zone = words.next()?;
    let is_zone = has_form(zone, "+0000") || has_form(zone, "-0000");
    let parent_is_name = words.next().is_none_or(is_name);
    (is_date && is_zone && parent_is_name && words.next().is_none()).then_some(name)
}

/// The name on a line of the tree, or alone on its line: `  |   +- monday`
fn tree_name(line: &str) -> Option<&str> {
    let name = line.trim_start_matches([' ', '|']).strip_prefix("+- ").unwrap_or(line);
    Some(name.trim()).filter(|name| is_name(name))
}

/// A line of the tree between two names.
fn is_branch(line: &str) -> bool {
    line.bytes().all(|byte| matches!(byte, b' ' | b'|'))
}

fn read_dumps(text: &str) -> Result<Vec<Existing>, String> {
    // Several documents in a row become the children of one.
    let document = format!("<dumps>{}</dumps>", without_declarations(text));
    let document = syntax::parse_valid(&document).map_err(|errors| {
        let first = errors.first().map(|diagnostic| diagnostic.message.clone());
        first.unwrap_or_else(|| "not well-formed".to_owned())
    })?;
    let mut found = Vec::new();
    for content in document.root().content() {
        let other = match content {
            Content::Element(node) if node.name() == DOMAINCHECKPOINT.name => {
                found.push(read_dump(node)?);
                continue;
            }
            Content::Element(node) => format!("<{}>", node.name()),
            Content::Text(text) if !trim(&text.value()).is_empty() => "text".to_owned(),
            Content::Text(_) | Content::Other => continue,
        };
        return Err(format!("expected <domaincheckpoint>, got {other}"));
    }
    mark_lost_bitmaps(&mut found);
    Ok(found)
}

fn without_declarations(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some((before, declaration)) = rest.split_once("<?xml ") {
        kept.push_str(before);
        rest = declaration.split_once("?>").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

fn read_dump(root: Element<'_, '_>) -> Result<Existing, String> {
    let child = |name| root.children().find(|child| child.name() == name);
    let name = child("name").ok_or("a <domaincheckpoint> has no <name>")?;
    let disks = child("disks").map(|disks| {
        let covered = disks
            .children()
            .filter(|disk| disk.name() == "disk" && disk.attribute("checkpoint").is_none_or(|kind| kind == "bitmap"));
        let bitmap = |disk: Element<'_, '_>| {
            let size = disk.attribute("size").and_then(|size| size.parse().ok());
            Some((disk.attribute("name")?.to_owned(), size.map_or(Bitmap::Listed, Bitmap::Found)))
        };
        covered.filter_map(bitmap).collect()
    });
    Ok(Existing { name: text_of(name, Release::default()), disks })
}

/// With `--size`, libvirt prints the size of each bitmap that it finds.
fn mark_lost_bitmaps(found: &mut [Existing]) {
    let mut bitmaps = found.iter().flat_map(|existing| &existing.disks).flat_map(HashMap::values);
    if !bitmaps.any(|bitmap| matches!(bitmap, Bitmap::Found(_))) {
        return;
    }
    for bitmap in found.iter_mut().flat_map(|existing| &mut existing.disks).flat_map(HashMap::values_mut) {
        if *bitmap == Bitmap::Listed {
            *bitmap = Bitmap::Lost;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        read_existing(text).unwrap_or_default().into_iter().map(|existing| existing.name).collect()
    }

    #[test]
    fn every_form_of_a_list_gives_the_names() {
        let two = ["one-36-0", "one-36-1"];
        let table = " Name       Creation Time\n---------------------------------------\n \
                     one-36-0   2023-05-10 13:06:54 -0400\n one-36-1   2023-05-10 13:06:55 -0400\n\n";
        assert_eq!(names(table), two);
        let parents = " Name       Erstellungszeit             Elternelement\n-----------------\n \
                       one-36-0   2023-05-10 13:06:54 -0400   \n one-36-1   2023-05-10 13:06:55 -0400   one-36-0\n\n";
        assert_eq!(names(parents), two);
        assert_eq!(names(" one-36-0   2023-05-10 13:06:54 -0400\n one-36-1   2023-05-10 13:06:55 +0200\n"), two);
        assert_eq!(names("one-36-0\n  |\n  +- one-36-1\n      \n"), two);
        assert_eq!(names("one-36-0\n  |\n  +- a\n  |   |\n  |   +- b\n  |\n  +- c\n"), ["one-36-0", "a", "b", "c"]);
        assert_eq!(names("\u{feff}one-36-0\r\none-36-1\r\n\r\n"), two);
        assert_eq!(read_existing(" Name   Creation Time\n----------------------\n"), Ok(Vec::new()));
        assert_eq!(read_existing(""), Ok(Vec::new()));
    }

    #[test]
    fn the_length_of_a_list_is_bounded() {
        let list = "a\n".repeat(MAX_NAMES);
        assert_eq!(read_existing(&list).map(|found| found.len()), Ok(MAX_NAMES));
        assert_eq!(read_existing(&(list + "a\n")), Err("it lists more than 1000000 checkpoints".to_owned()));
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "error: failed to get domain 'vm'\n",
            "$ virsh checkpoint-list vm\ncp1\n",
            " Name   Creation Time               State\n------------\n s1     2023-05-10 13:06:54 -0400   disk-snapshot x\n",
            "cp1, cp2\n",
            "[\"cp1\"]\n",
            "<domain/>",
            "<domaincheckpoint",
            "<domaincheckpoint><disks/></domaincheckpoint>",
            "<domaincheckpoint><name>a</name></domaincheckpoint>\ncp2\n",
        ] {
            assert!(read_existing(text).is_err(), "{text}");
        }
    }

    #[test]
    fn several_dumps_are_read() {
        let text = "<?xml version='1.0'?>\n<domaincheckpoint><name>a</name><disks><disk name='vda' checkpoint='bitmap'/>\
                    <disk name='vdb' checkpoint='no'/></disks><domain/></domaincheckpoint>\n\n<?xml version='1.0'?>\
                    <domaincheckpoint><name>b</name></domaincheckpoint>\n";
        let disks = HashMap::from([("vda".to_owned(), Bitmap::Listed)]);
        let a = Existing { name: "a".to_owned(), disks: Some(disks) };
        assert_eq!(read_existing(text), Ok(vec![a, Existing::named("b")]));
    }

    #[test]
    fn a_bitmap_without_size_is_lost_where_others_have_one() {
        let text = "<domaincheckpoint><name>a</name><disks><disk name='vda' checkpoint='bitmap' size='65536'/>\
                    <disk name='vdb' checkpoint='bitmap'/></disks></domaincheckpoint>";
        let found = read_existing(text).unwrap_or_default();
        let disks = found.first().and_then(|existing| existing.disks.clone()).unwrap_or_default();
        assert_eq!(disks.get("vda"), Some(&Bitmap::Found(65536)));
        assert_eq!(disks.get("vdb"), Some(&Bitmap::Lost));
    }
}
