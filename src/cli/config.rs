//! `backupxml.toml`: options that continuous integration, hooks and editors would otherwise repeat.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf, absolute};

use anyhow::bail;
use serde::Deserialize;
use toml::Spanned;

use crate::wording::{closest_match, join_with_or};

use super::args::{CommonArgs, RequestedRelease, parse_release, parse_selector};
use super::input;
use super::levels::{Level, Levels, Selector};

/// What the file is called.
const NAME: &str = "backupxml.toml";
/// Its keys.
const KEYS: [&str; 5] = ["libvirt-version", "domain", "allow", "warn", "deny"];

/// What a configuration file says.
#[derive(Debug, Default)]
pub(super) struct Config {
    libvirt_version: Option<RequestedRelease>,
    domain: Option<PathBuf>,
    levels: Vec<(Selector, Level)>,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Written {
    libvirt_version: Option<Spanned<String>>,
    domain: Option<String>,
    #[serde(default)]
    allow: Vec<Spanned<String>>,
    #[serde(default)]
    warn: Vec<Spanned<String>>,
    #[serde(default)]
    deny: Vec<Spanned<String>>,
}

/// What is wrong, and at which byte.
#[derive(Debug)]
struct Mistake {
    offset: usize,
    message: String,
}

impl From<toml::de::Error> for Mistake {
    fn from(error: toml::de::Error) -> Self {
        Self { offset: error.span().map_or(0, |span| span.start), message: error.message().to_owned() }
    }
}

impl Config {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = input::file(path)?.bytes;
        let Ok(text) = String::from_utf8(bytes) else { bail!("{}: not UTF-8", path.display()) };
        match Self::parse(&text, path.parent().unwrap_or(Path::new(""))) {
            Ok(config) => Ok(config),
            Err(Mistake { offset, message }) => {
                let before = text.get(..offset).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
                bail!("{}:{line}:{column}: {message}", path.display())
            }
        }
    }

    /// Reads the text of a file in `directory`.
    fn parse(text: &str, directory: &Path) -> Result<Self, Mistake> {
        let keys: BTreeMap<Spanned<String>, toml::Value> = toml::from_str(text)?;
        if let Some(key) = keys.keys().find(|key| !KEYS.contains(&key.get_ref().as_str())) {
            let written = key.get_ref().replace('_', "-");
            let near = closest_match(&written, KEYS.into_iter()).map(|near| format!("did you mean `{near}`? "));
            let (near, known) = (near.unwrap_or_default(), join_with_or(&KEYS.map(|key| format!("`{key}`"))));
            let message = format!("unknown key `{}`: {near}expected {known}", key.get_ref());
            return Err(Mistake { offset: key.span().start, message });
        }
        let written: Written = toml::from_str(text)?;
        let mut levels = Vec::new();
        for (selectors, level) in
            [(&written.allow, Level::Allow), (&written.warn, Level::Warn), (&written.deny, Level::Deny)]
        {
            for selector in selectors {
                levels.push((checked(selector, parse_selector)?, level));
            }
        }
        // The keys have no order: what selects fewer rules comes later, and holds.
        levels.sort_by_key(|(selector, _)| selector.precision());
        let libvirt_version = written.libvirt_version.map(|version| checked(&version, parse_release)).transpose()?;
        Ok(Self { libvirt_version, domain: written.domain.map(|domain| directory.join(domain)), levels })
    }

    /// The arguments with what the file says and the command line does not.
    pub(super) fn complete(self, arguments: &CommonArgs, levels: &Levels) -> (CommonArgs, Levels) {
        let mut arguments = arguments.clone();
        // With --vm, libvirt says both.
        if arguments.vm.vm.is_none() {
            arguments.domain = arguments.domain.or(self.domain);
            arguments.libvirt.libvirt_version = arguments.libvirt.libvirt_version.or(self.libvirt_version);
        }
        let levels = self.levels.into_iter().chain(levels.0.iter().cloned()).collect();
        (arguments, Levels(levels))
    }
}

/// A value that is read from a text, or the mistake in it.
fn checked<T>(written: &Spanned<String>, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, Mistake> {
    parse(written.get_ref()).map_err(|message| Mistake {
        offset: written.span().start,
        message: format!("invalid value `{}`: {message}", written.get_ref()),
    })
}

/// Files that have one configuration file, or none.
#[derive(Debug)]
pub(super) struct Group {
    /// What that says.
    pub(super) config: Config,
    /// The files.
    pub(super) files: Vec<PathBuf>,
}

/// The files by their configuration files, which are looked for from a file's directory upwards. There is a first group,
/// and it is the one of standard input if that is among the files.
pub(super) fn groups(arguments: &CommonArgs, files: &[PathBuf]) -> anyhow::Result<(Group, Vec<Group>)> {
    if arguments.config.no_config || arguments.config.config.is_some() {
        let config = arguments.config.config.as_deref().map(Config::read).transpose()?.unwrap_or_default();
        return Ok((Group { config, files: files.to_vec() }, Vec::new()));
    }
    let mut found: HashMap<PathBuf, Option<PathBuf>> = HashMap::new();
    let mut groups: Vec<(Option<PathBuf>, Vec<PathBuf>)> = Vec::new();
    for file in files {
        let directory = directory_of(file, arguments.stdin_filename.as_deref());
        let config = found.entry(directory.clone()).or_insert_with(|| config_for(&directory)).clone();
        match groups.iter_mut().find(|(known, _)| *known == config) {
            Some((_, files)) => files.push(file.clone()),
            None => groups.push((config, vec![file.clone()])),
        }
    }
    if let Some(at) = groups.iter().position(|(_, files)| files.iter().any(|file| file == Path::new("-"))) {
        groups.swap(0, at);
    }
    let read = |(path, files): (Option<PathBuf>, Vec<PathBuf>)| -> anyhow::Result<Group> {
        Ok(Group { config: path.as_deref().map(Config::read).transpose()?.unwrap_or_default(), files })
    };
    let mut groups = groups.into_iter().map(read).collect::<anyhow::Result<Vec<_>>>()?.into_iter();
    let first = groups.next().unwrap_or(Group { config: Config::default(), files: Vec::new() });
    Ok((first, groups.collect()))
}

/// The directory of a file; of standard input, that of its name, or else the working directory.
fn directory_of(file: &Path, stdin_filename: Option<&Path>) -> PathBuf {
    let file = if file == Path::new("-") { stdin_filename.unwrap_or(file) } else { file };
    let file = absolute(file).unwrap_or_else(|_| file.to_owned());
    file.parent().unwrap_or(&file).to_owned()
}

/// The configuration file of a directory: its own, or the one of the closest directory above it.
fn config_for(directory: &Path) -> Option<PathBuf> {
    directory.ancestors().map(|directory| directory.join(NAME)).find(|path| path.is_file())
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_options() {
        let text = "libvirt-version = '9.0.0'\ndomain = '../vm.xml'\nallow = ['advice/plain-server', 'advice']\nwarn = ['advice']\ndeny = ['all']\n";
        let config = Config::parse(text, Path::new("/etc/vm")).ok().unwrap();
        assert_eq!(config.libvirt_version.unwrap().written, "9.0.0");
        assert_eq!(config.domain.unwrap(), Path::new("/etc/vm/../vm.xml"));
        let selector = |text| Selector::parse(text).unwrap();
        assert_eq!(
            config.levels,
            [
                (selector("all"), Level::Deny),
                (selector("advice"), Level::Allow),
                (selector("advice"), Level::Warn),
                (selector("advice/plain-server"), Level::Allow),
            ]
        );
    }

    #[test]
    fn the_documented_file_is_one() {
        let page = include_str!("../../docs/configuration.md");
        let text = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let config = Config::parse(text, Path::new("")).unwrap_or_else(|mistake| panic!("{}", mistake.message));
        assert!(config.domain.is_some() && config.libvirt_version.is_some() && config.levels.len() >= 3);
        for key in KEYS {
            assert!(text.contains(key) && page.contains(&format!("`{key}`")), "{key}");
        }
    }

    #[test]
    fn mistakes_are_located_and_explained() {
        for (text, offset, message) in [
            ("alow = []", 0, "unknown key `alow`: did you mean `allow`? expected `libvirt-version`, `domain`,"),
            ("# x\nlibvirt_version = '9.0.0'", 4, "did you mean `libvirt-version`?"),
            ("[check]\nallow = []", 1, "unknown key `check`: expected"),
            ("allow = 'all'", 8, "expected a sequence"),
            ("allow = ['all', 3]", 16, "expected a string"),
            ("allow = ['schema/missing-sever']", 9, "did you mean `schema/missing-server`?"),
            ("libvirt-version = '1.0.0'", 18, "invalid value `1.0.0`: "),
            ("domain = ", 9, ""),
            ("allow = []\nallow = []", 11, "duplicate key"),
        ] {
            let mistake = Config::parse(text, Path::new("")).expect_err(text);
            assert!(mistake.message.contains(message), "{text}: {}", mistake.message);
            assert_eq!(mistake.offset, offset, "{text}");
        }
    }
}
