//! What the commands that look at backups share: their inputs, read one after another, and how a run will end.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};

use crate::cli::{Color, CommonArgs, Format};
use crate::diagnostic::Diagnostic;
use crate::domain::{self, Domain};
use crate::fix::{Consent, Fixed, fix};
use crate::levels::Levels;
use crate::release::Release;
use crate::report::{Appearance, Checked, Reporter, Status};
use crate::source::Source;
use crate::{Options, root_name, suppression};

use super::{ExitStatus, Output, World};

/// A domain that was read, and what is wrong with its document.
struct DomainInput {
    source: Rc<Source>,
    domain: Option<Domain>,
    diagnostics: Vec<Diagnostic>,
}

/// What stays the same from file to file, and how the run will end.
pub(super) struct Session {
    pub(super) files: Vec<PathBuf>,
    domain: Option<DomainInput>,
    options: Options,
    skip_unrelated: bool,
    levels: Levels,
    /// Whether libvirt's verdict is asked for.
    pub(super) normalizes: bool,
    pub(super) status: ExitStatus,
}

impl Session {
    pub(super) fn new(
        arguments: &CommonArgs,
        explicit: bool,
        levels: Levels,
        world: &mut World<'_>,
    ) -> anyhow::Result<Self> {
        let standard_input = PathBuf::from("-");
        let mut files = arguments.files.clone();
        if files.is_empty() {
            files.push(standard_input.clone());
        }
        let uses = files.iter().chain(&arguments.domain).filter(|file| **file == standard_input).count();
        if uses > 1 {
            bail!("standard input can be read once only: name the backup's file, or the domain's");
        }
        let release = match &arguments.libvirt_version {
            None => Release::default(),
            Some(asked) => {
                if asked.release.name() != asked.written {
                    let note =
                        format!("backupxml: for libvirt {} this answers as {} would", asked.written, asked.release);
                    writeln!(world.stderr.stream, "{note}")?;
                }
                asked.release
            }
        };
        let domain = match &arguments.domain {
            Some(path) => Some(read_domain(path, world.stdin, release)?),
            None => None,
        };
        let options =
            Options { release, suffix: suffix(arguments, world.environment), status: arguments.status, explicit };
        Ok(Self {
            files,
            domain,
            options,
            skip_unrelated: arguments.skip_unrelated,
            levels,
            normalizes: false,
            status: ExitStatus::Success,
        })
    }

    /// Reads one file and has `examine` look at it.
    pub(super) fn read(
        &mut self,
        file: &Path,
        world: &mut World<'_>,
        examine: impl FnOnce(&str, Option<&Domain>, &Options) -> Vec<Diagnostic>,
    ) -> anyhow::Result<Checked> {
        Ok(match self.read_bytes(file, world)? {
            Some(bytes) => self.examine(file, bytes, examine),
            None => Checked::unreadable(display_name(file)),
        })
    }

    /// The bytes of a file; of one that cannot be read, the reason goes to standard error.
    pub(super) fn read_bytes(&mut self, file: &Path, world: &mut World<'_>) -> anyhow::Result<Option<Vec<u8>>> {
        match read_input(file, world.stdin) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => {
                self.status = ExitStatus::Failure;
                writeln!(world.stderr.stream, "backupxml: {error:#}")?;
                Ok(None)
            }
        }
    }

    /// Fixes the text of a file; not of one that is passed over, or whose text is not what stands on the disk.
    pub(super) fn fix(&self, file: &Path, bytes: Vec<u8>, consent: Consent) -> (Vec<u8>, Option<Fixed>) {
        let (source, _) = Source::new(display_name(file), bytes.clone(), self.options.release);
        if !source.is_as_on_disk() || self.is_unrelated(&source) {
            return (bytes, None);
        }
        let domain = self.domain.as_ref().and_then(|domain| domain.domain.as_ref());
        let fixed = fix(source.text(), domain, &self.options, consent);
        (bytes, Some(fixed))
    }

    /// Why libvirt would not take a text that it wrote. It writes a security label without its label, for one.
    pub(super) fn refusal(&self, text: &str) -> Option<String> {
        let findings = crate::normalize(text, None, &self.options).err()?;
        Some(findings.into_iter().next().map_or_else(String::new, |finding| finding.message))
    }

    fn is_unrelated(&self, source: &Source) -> bool {
        self.skip_unrelated && root_name(source.text()).is_none_or(|root| root != "domainbackup")
    }

    /// Has `examine` look at the bytes of a file.
    pub(super) fn examine(
        &mut self,
        file: &Path,
        bytes: Vec<u8>,
        examine: impl FnOnce(&str, Option<&Domain>, &Options) -> Vec<Diagnostic>,
    ) -> Checked {
        let (source, mut diagnostics) = Source::new(display_name(file), bytes, self.options.release);
        if self.is_unrelated(&source) {
            return Checked::new(source, None, Status::Skipped, Vec::new());
        }
        let domain = self.domain.as_ref();
        diagnostics.extend(domain.into_iter().flat_map(|domain| domain.diagnostics.iter().cloned()));
        diagnostics.extend(examine(source.text(), domain.and_then(|domain| domain.domain.as_ref()), &self.options));
        // What libvirt refuses stays refused, whatever findings are allowed.
        let refused = (self.normalizes && diagnostics.iter().any(Diagnostic::is_error)).then(|| diagnostics.clone());
        let silenced = self.levels.apply(suppression::apply(&source, diagnostics));
        let diagnostics = refused.filter(|_| !silenced.iter().any(Diagnostic::is_error)).unwrap_or(silenced);
        let failed = diagnostics.iter().any(Diagnostic::is_error);
        if failed {
            self.status = self.status.max(ExitStatus::Errors);
        }
        let status = if failed { Status::Failed } else { Status::Ok };
        Checked::new(source, domain.map(|domain| Rc::clone(&domain.source)), status, diagnostics)
    }
}

/// How a file is called in reports.
pub(super) fn display_name(file: &Path) -> String {
    if file == Path::new("-") { "<stdin>".to_owned() } else { file.to_string_lossy().into_owned() }
}

fn read_input(file: &Path, stdin: &mut dyn Read) -> anyhow::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        stdin.read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    // Reading a directory fails with words that help nobody.
    if file.is_dir() {
        bail!("cannot read {}: it is a directory", file.display());
    }
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn read_domain(path: &Path, stdin: &mut dyn Read, release: Release) -> anyhow::Result<DomainInput> {
    let (source, mut diagnostics) = Source::new(display_name(path), read_input(path, stdin)?, release);
    let (domain, findings) = domain::read(source.text());
    diagnostics.extend(findings);
    let diagnostics = diagnostics.into_iter().map(Diagnostic::wholly_in_domain).collect();
    Ok(DomainInput { source: Rc::new(source), domain, diagnostics })
}

/// What generated names end in: as asked for, else as reproducible builds ask for, else as libvirt does.
fn suffix(arguments: &CommonArgs, environment: &dyn Fn(&str) -> Option<String>) -> String {
    if let Some(suffix) = &arguments.suffix {
        return suffix.clone();
    }
    seconds_since_1970(environment).to_string()
}

/// The time, or the one that reproducible builds ask for.
pub(super) fn seconds_since_1970(environment: &dyn Fn(&str) -> Option<String>) -> u64 {
    let asked = environment("SOURCE_DATE_EPOCH").and_then(|epoch| epoch.parse().ok());
    asked.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs()))
}

pub(super) fn reporter(arguments: &CommonArgs, output: &Output<'_>, world: &World<'_>) -> Reporter {
    let appearance = Appearance {
        color: use_color(arguments.color, output.terminal, world.environment),
        width: world.width.filter(|_| output.terminal).unwrap_or(80),
        quiet: arguments.quiet,
    };
    Reporter::new(arguments.format.into(), appearance)
}

pub(super) fn use_color(color: Color, terminal: bool, environment: &dyn Fn(&str) -> Option<String>) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let refused = environment("NO_COLOR").is_some_and(|value| !value.is_empty());
            let dumb = environment("TERM").is_some_and(|terminal| terminal == "dumb");
            terminal && !refused && !dumb
        }
    }
}

impl From<Format> for crate::report::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Full => Self::Full,
            Format::Concise => Self::Concise,
            Format::Json => Self::Json,
            Format::Sarif => Self::Sarif,
            Format::Github => Self::Github,
        }
    }
}
