//! What the commands that look at backups share: their inputs, read one after another, and how a run will end.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{anyhow, bail};

use crate::checkpoint::{self, Checkpoint, Existing};
use crate::cli::args::{Color, CommonArgs, Format, RequestedRelease, StartArgs};
use crate::cli::levels::Levels;
use crate::cli::report::{Appearance, CheckedFile, Companions, OfferedFixes, Status, Style};
use crate::cli::suppression;
use crate::cli::write::{self, Identity};
use crate::diagnostic::{Applicability, Diagnostic, Document, extend_undecodable, sort, truncate_with_note};
use crate::domain::{self, Domain};
use crate::fix::{Fixed, fix};
use crate::host::answers::{self, Answer, Question};
use crate::host::{Facts, Vm};
use crate::pipeline::probes;
use crate::release::Release;
use crate::rules::Rule;
use crate::source::Source;
use crate::{Checked, Options, root_name};

use super::config::{self, Group};
use super::input::{self, Content};
use super::progress::Progress;
use super::{Env, ExitStatus, Output, host, jobs};

const READ_ALREADY: &str = "standard input was read already";

/// The root elements of the documents that are checked.
const ROOTS: [&str; 2] = ["domainbackup", "domaincheckpoint"];

/// A domain or checkpoint that was read, and what is wrong with it.
struct Input<T> {
    source: Arc<Source>,
    value: Option<T>,
    diagnostics: Vec<Diagnostic>,
}

/// What stays the same from file to file.
// Each is an option of its own.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Session {
    pub(super) files: Vec<PathBuf>,
    /// Standard input, if it is one of the files; reading that file takes it out.
    standard_input: Mutex<anyhow::Result<Content>>,
    /// What reports call standard input.
    stdin_name: String,
    jobs: usize,
    progress: bool,
    domain: Option<Input<Domain>>,
    checkpoint: Option<Input<Arc<Checkpoint>>>,
    options: Options,
    /// What libvirt said, where it was asked.
    vm: Option<Vm>,
    /// What the domain's document says of its host, where this machine is looked at and libvirt was not asked.
    described: Option<Vm>,
    /// Whether this machine is looked at.
    looks: bool,
    skip_unrelated: bool,
    levels: Levels,
    /// Whether libvirt's verdict is asked for.
    normalizes: bool,
    /// Sessions of files with other configuration files.
    others: Vec<Session>,
    /// The files of those sessions.
    by_file: HashMap<PathBuf, usize>,
}

impl Session {
    pub(super) fn new(arguments: &CommonArgs, levels: &Levels, env: &mut Env<'_>) -> anyhow::Result<Self> {
        let mut arguments = arguments.clone();
        if arguments.files.is_empty() {
            arguments.files.push(PathBuf::from("-"));
        }
        let (first, others) = config::groups(&arguments, &arguments.files)?;
        let (completed, own_levels) = first.config.complete(&arguments, levels);
        let mut session = Self::open(&completed, own_levels, env)?;
        for Group { config, files } in others {
            let (completed, own_levels) = config.complete(&arguments, levels);
            if [&completed.domain, &completed.libvirt.checkpoint]
                .into_iter()
                .flatten()
                .any(|file| file == Path::new("-"))
            {
                bail!("standard input can be read once only, and the files have different configuration files");
            }
            let index = session.others.len();
            session.by_file.extend(files.iter().map(|file| (file.clone(), index)));
            session.others.push(Self::open(&CommonArgs { files, ..completed }, own_levels, env)?);
        }
        Ok(session)
    }

    /// A session of files that have one configuration file, or none.
    fn open(arguments: &CommonArgs, levels: Levels, env: &mut Env<'_>) -> anyhow::Result<Self> {
        let standard_input = PathBuf::from("-");
        let files = arguments.files.clone();
        reject_reading_twice(arguments, &files)?;
        let release = release(arguments.libvirt.libvirt_version.as_ref(), env)?;
        let stdin_name = arguments.stdin_filename.as_ref().map_or("<stdin>".into(), |path| path.to_string_lossy());
        let stdin_name = stdin_name.into_owned();
        let reads_input = files.contains(&standard_input);
        let standard_input = if reads_input { input::standard_input(env.stdin) } else { Err(anyhow!(READ_ALREADY)) };
        let mut gathered = host::ask(&arguments.vm, &files, &standard_input, env)?;
        let release = match &gathered {
            Some(gathered) if arguments.libvirt.libvirt_version.is_none() => release_of(&gathered.vm, env)?,
            _ => release,
        };
        let mut read = |path: &Path| read_source(path, &stdin_name, env.stdin, release);
        let domain = match &mut gathered {
            Some(gathered) => Some(gathered.source(release)),
            None => arguments.domain.as_deref().map(&mut read).transpose()?,
        };
        let mut domain =
            domain.map(|found| read_companion(found, Document::Domain, |text| domain::read(text, release)));
        if let Some(domain) = &mut domain
            && !domain.diagnostics.is_empty()
        {
            // Do not align with a broken domain: every error would be a follow-up.
            domain.value = None;
        }
        let checkpoint = arguments.libvirt.checkpoint.as_deref().map(&mut read).transpose()?;
        let read_checkpoint = |text: &str| {
            let (checkpoint, diagnostics) = checkpoint::read(text, release);
            (checkpoint.map(Arc::new), diagnostics)
        };
        let checkpoint = checkpoint.map(|found| read_companion(found, Document::Checkpoint, read_checkpoint));
        let value = checkpoint.as_ref().and_then(|checkpoint| checkpoint.value.clone());
        let vm = gathered.map(|gathered| gathered.vm);
        let options = Options {
            release,
            suffix: suffix(arguments, value.as_deref(), env.environment),
            status: arguments.status,
            redefine: arguments.redefine,
            checkpoint: value,
            existing: vm.as_ref().and_then(|vm| vm.checkpoints.clone()).map(Into::into),
            ..Options::default()
        };
        Ok(Self {
            // Asking for the number of processors takes longer than a file does.
            jobs: if files.len() > 1 { jobs::count(arguments.jobs) } else { 1 },
            progress: env.stderr.terminal && !arguments.quiet,
            files,
            stdin_name,
            standard_input: Mutex::new(standard_input),
            domain,
            checkpoint,
            options,
            vm,
            described: None,
            looks: false,
            skip_unrelated: arguments.skip_unrelated,
            levels,
            normalizes: false,
            others: Vec::new(),
            by_file: HashMap::new(),
        })
    }

    /// The session of a file: this one, or the one for its configuration file.
    fn of(&self, file: &Path) -> &Self {
        self.by_file.get(file).and_then(|index| self.others.get(*index)).unwrap_or(self)
    }

    /// Asks for libvirt's verdict, and for the modes that it would choose without a domain.
    pub(super) fn set_normalizes(&mut self, explicit: bool) {
        self.options.explicit = explicit;
        self.normalizes = true;
        self.others.iter_mut().for_each(|other| other.set_normalizes(explicit));
    }

    /// Takes what is known of the start of a backup.
    pub(super) fn set_start_options(&mut self, arguments: &StartArgs) -> anyhow::Result<()> {
        for other in &mut self.others {
            other.set_start_options(arguments)?;
        }
        self.options.reuse_external = arguments.reuse_external;
        let default = self.vm.as_ref().is_some_and(Vm::is_local);
        self.looks = arguments.host.wanted().unwrap_or(default);
        self.described = (self.looks && self.vm.is_none()).then(|| self.described_vm());
        if let (Some(vm), false) = (&self.vm, self.looks) {
            self.options.host = Some(Arc::new(Facts { vm: vm.clone(), files: None }));
        }
        if arguments.existing_checkpoint.is_empty() {
            return Ok(());
        }
        let existing = existing_checkpoints(&arguments.existing_checkpoint, self.options.release)?;
        self.options.existing = Some(existing.into());
        Ok(())
    }

    /// Reads each file and has `work` done on it, on several processors, and `deliver` what came of it, in the order of
    /// the arguments. Of a file that cannot be read, the reason goes to standard error, and `work` gets nothing.
    ///
    /// Returns the worst status there was.
    pub(super) fn for_each<T: Send>(
        &self,
        env: &mut Env<'_>,
        work: impl Fn(&Path, Option<Content>) -> T + Sync,
        mut deliver: impl FnMut(&Path, T, &mut Env<'_>) -> anyhow::Result<ExitStatus>,
    ) -> anyhow::Result<ExitStatus> {
        let mut progress = Progress::new(self.files.len(), self.progress);
        let mut status = ExitStatus::Success;
        let work = |file: &PathBuf| match self.read(file) {
            Ok(content) => (None, work(file, Some(content))),
            Err(error) => (Some(error), work(file, None)),
        };
        let deliver = |file: &PathBuf, (error, result): (Option<anyhow::Error>, T)| -> anyhow::Result<()> {
            progress.step(|| {
                if let Some(error) = error {
                    status = ExitStatus::Failure;
                    env.print_message(&format!("{error:#}"))?;
                }
                status = status.max(deliver(file, result, env)?);
                if self.progress {
                    // The line on standard error must not come before it.
                    env.stdout.stream.flush()?;
                }
                Ok(())
            })
        };
        jobs::in_order(&self.files, self.jobs, work, deliver)?;
        Ok(status)
    }

    fn read(&self, file: &Path) -> anyhow::Result<Content> {
        if file != Path::new("-") {
            return input::file(file);
        }
        let Ok(mut standard_input) = self.standard_input.lock() else { bail!("cannot read standard input") };
        std::mem::replace(&mut standard_input, Err(anyhow!(READ_ALREADY)))
    }

    /// Fixes the text of a file; not of one that is passed over, or whose text is not what stands on the disk.
    pub(super) fn fix(&self, file: &Path, bytes: Vec<u8>, allowed: Applicability) -> (Vec<u8>, Option<Fixed>) {
        let this = self.of(file);
        let (source, _) = Source::new(self.name_of(file), bytes.clone(), this.options.release);
        if !source.is_as_on_disk() || self.is_unrelated(&source) {
            return (bytes, None);
        }
        let domain = this.domain.as_ref().and_then(|domain| domain.value.as_ref());
        let fixed = fix(source.text(), domain, &this.options, allowed);
        (bytes, Some(fixed))
    }

    /// How a file is called in reports.
    pub(super) fn name_of(&self, file: &Path) -> String {
        name_of(file, &self.stdin_name)
    }

    /// Why libvirt would not take a text that it wrote. It writes a security label without its label, for one.
    pub(super) fn refusal(&self, file: &Path, text: &str) -> Option<String> {
        let diagnostics = crate::normalize(text, None, &self.of(file).options).err()?;
        Some(diagnostics.into_iter().next().map_or_else(String::new, |diagnostic| diagnostic.message))
    }

    fn is_unrelated(&self, source: &Source) -> bool {
        self.skip_unrelated && root_name(source.text()).is_none_or(|root| !ROOTS.contains(&&*root))
    }

    /// Has `examine` look at the bytes of a file; at nothing of a file that could not be read.
    pub(super) fn examine<C: Into<Checked>>(
        &self,
        file: &Path,
        bytes: Option<Vec<u8>>,
        examine: impl FnOnce(&str, Option<&Domain>, &Options) -> C,
    ) -> CheckedFile {
        self.of(file).examine_own(file, bytes, examine)
    }

    fn examine_own<C: Into<Checked>>(
        &self,
        file: &Path,
        bytes: Option<Vec<u8>>,
        examine: impl FnOnce(&str, Option<&Domain>, &Options) -> C,
    ) -> CheckedFile {
        let Some(bytes) = bytes else { return CheckedFile::unreadable(self.name_of(file)) };
        let (source, mut diagnostics) = Source::new(self.name_of(file), bytes, self.options.release);
        if self.is_unrelated(&source) {
            return CheckedFile::new(source, Companions::default(), Status::Skipped, Vec::new());
        }
        let domain = self.domain.as_ref();
        let mut not_checked = Vec::new();
        // Of a file that is too large or compressed, there is no text.
        if !diagnostics.iter().any(|diagnostic| matches!(diagnostic.rule, Rule::TooLarge | Rule::NotXml)) {
            let value = domain.and_then(|domain| domain.value.as_ref());
            let looked = value.filter(|_| self.looks).and_then(|domain| self.look(source.text(), domain));
            let checked = examine(source.text(), value, looked.as_ref().unwrap_or(&self.options)).into();
            extend_undecodable(&mut diagnostics, checked.diagnostics);
            not_checked = checked.not_checked;
            sort(&mut diagnostics);
            let domain = domain.into_iter().flat_map(|domain| &domain.diagnostics);
            diagnostics.splice(0..0, domain.chain(self.checkpoint_diagnostics()).cloned());
            truncate_with_note(&mut diagnostics);
        }
        // What libvirt refuses stays refused, whatever diagnostics are allowed.
        let refused = (self.normalizes && diagnostics.iter().any(Diagnostic::is_error)).then(|| diagnostics.clone());
        let silenced = self.levels.apply(suppression::apply(&source, diagnostics));
        let diagnostics = refused.filter(|_| !silenced.iter().any(Diagnostic::is_error)).unwrap_or(silenced);
        let failed = diagnostics.iter().any(Diagnostic::is_error);
        let status = if failed { Status::Failed } else { Status::Ok };
        let companions = Companions {
            domain: domain.map(|domain| Arc::clone(&domain.source)),
            checkpoint: self.checkpoint.as_ref().map(|checkpoint| Arc::clone(&checkpoint.source)),
        };
        CheckedFile::new(source, companions, status, diagnostics).with_not_checked(not_checked)
    }

    /// What a domain's document says of its host.
    fn described_vm(&self) -> Vm {
        let mut vm = Vm::default();
        let text = self.domain.as_ref().map(|domain| domain.source.text().to_owned()).unwrap_or_default();
        answers::read(&Question::Domain, &Answer { text, error: None }, &mut vm);
        vm
    }

    /// The options with what this machine says of one backup.
    fn look(&self, text: &str, domain: &Domain) -> Option<Options> {
        let mut options = self.options.clone();
        let vm = self.vm.as_ref().or(self.described.as_ref()).cloned().unwrap_or_default();
        let probes = probes(text, domain, &vm, &options)?;
        let files = host::look(&probes, &vm);
        options.host = Some(Arc::new(Facts { vm, files: Some(files) }));
        Some(options)
    }

    /// What is wrong with the checkpoint's document. libvirt's text of a backup needs nothing of it but the name.
    fn checkpoint_diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        let counts = |diagnostic: &&Diagnostic| !self.normalizes || diagnostic.rule.family() == "xml";
        self.checkpoint.iter().flat_map(|checkpoint| &checkpoint.diagnostics).filter(counts)
    }
}

impl From<Status> for ExitStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Ok | Status::Skipped => Self::Success,
            Status::Failed => Self::Errors,
            Status::Unreadable => Self::Failure,
        }
    }
}

/// Replaces a file's content, and says what is in the way, or was. Returns whether it is done.
pub(super) fn rewrite(file: &Path, read: &Identity, text: &str, env: &mut Env<'_>) -> anyhow::Result<bool> {
    match write::replace(file, read, text.as_bytes()) {
        Ok(remark) => {
            if let Some(remark) = remark {
                env.print_message(&format!("{}: {remark}", file.display()))?;
            }
            Ok(true)
        }
        Err(error) => {
            env.print_message(&format!("{error:#}"))?;
            Ok(false)
        }
    }
}

/// Refuses arguments of which several are standard input, which can be read only once.
fn reject_reading_twice(arguments: &CommonArgs, files: &[PathBuf]) -> anyhow::Result<()> {
    let standard_input = PathBuf::from("-");
    let is_read = |option: &Option<PathBuf>| option.as_ref() == Some(&standard_input);
    let mut readers = vec!["the backup"; files.iter().filter(|file| **file == standard_input).count()];
    readers.extend(is_read(&arguments.domain).then_some("--domain"));
    readers.extend(is_read(&arguments.libvirt.checkpoint).then_some("--checkpoint"));
    match readers.as_slice() {
        [first, second, ..] if first == second => {
            bail!("cannot read standard input twice: `-` is given more than once")
        }
        [first, second, ..] => bail!("cannot read standard input twice: for {first} and for {second}"),
        _ => Ok(()),
    }
}

/// How a file is called in reports.
fn name_of(file: &Path, stdin_name: &str) -> String {
    if file == Path::new("-") { stdin_name.to_owned() } else { file.to_string_lossy().into_owned() }
}

pub(super) fn read_source(
    path: &Path,
    stdin_name: &str,
    stdin: &mut dyn Read,
    release: Release,
) -> anyhow::Result<(Source, Vec<Diagnostic>)> {
    let content = if path == Path::new("-") { input::standard_input(stdin) } else { input::file(path) }?;
    Ok(Source::new(name_of(path, stdin_name), content.bytes, release))
}

/// The known release that answers for the daemon's.
pub(super) fn release_of(vm: &Vm, env: &mut Env<'_>) -> anyhow::Result<Release> {
    let Some(written) = &vm.release else { return Ok(Release::default()) };
    let release = Release::nearest(written).unwrap_or_default();
    note_release(written, release, env)?;
    Ok(release)
}

/// The release to answer for.
pub(super) fn release(asked: Option<&RequestedRelease>, env: &mut Env<'_>) -> anyhow::Result<Release> {
    let Some(asked) = asked else { return Ok(Release::default()) };
    note_release(&asked.written, asked.release, env)?;
    Ok(asked.release)
}

/// Says which known release is taken for another one.
fn note_release(written: &str, release: Release, env: &mut Env<'_>) -> std::io::Result<()> {
    if release.name() == written {
        return Ok(());
    }
    env.print_message(&format!("libvirt {written} is treated as {release}"))
}

/// Parses a domain or checkpoint.
fn read_companion<T>(
    (source, mut diagnostics): (Source, Vec<Diagnostic>),
    document: Document,
    read: impl FnOnce(&str) -> (Option<T>, Vec<Diagnostic>),
) -> Input<T> {
    let mut value = None;
    if !diagnostics.iter().any(|diagnostic| matches!(diagnostic.rule, Rule::TooLarge | Rule::NotXml)) {
        let (found, more) = read(source.text());
        value = found;
        diagnostics.extend(more);
    }
    let diagnostics = diagnostics.into_iter().map(|diagnostic| diagnostic.moved_to(document)).collect();
    Input { source: Arc::new(source), value, diagnostics }
}

/// Reads the values of `--existing-checkpoint`.
pub(super) fn existing_checkpoints(values: &[String], release: Release) -> anyhow::Result<Vec<Existing>> {
    let mut existing = Vec::new();
    for written in values {
        match written.strip_prefix('@') {
            Some(path) => {
                let (source, _) = Source::new(path, input::file(Path::new(path))?.bytes, release);
                let found = checkpoint::read_existing(source.text());
                existing.extend(found.map_err(|error| anyhow!("cannot use {path}: {error}"))?);
            }
            None => existing.push(Existing::named(written)),
        }
    }
    Ok(existing)
}

/// What generated names end in: as asked for, else the name of the checkpoint, else as reproducible builds ask for, else
/// as libvirt does.
fn suffix(
    arguments: &CommonArgs,
    checkpoint: Option<&Checkpoint>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> String {
    let named = checkpoint.and_then(|checkpoint| checkpoint.name.as_ref()).map(|name| name.value.clone());
    arguments.libvirt.suffix.clone().or(named).unwrap_or_else(|| seconds_since_1970(environment).to_string())
}

/// The time, or the one that reproducible builds ask for.
pub(super) fn seconds_since_1970(environment: &dyn Fn(&str) -> Option<String>) -> u64 {
    let requested = environment("SOURCE_DATE_EPOCH").and_then(|epoch| epoch.parse().ok());
    requested.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs()))
}

pub(super) fn style(arguments: &CommonArgs, output: &Output<'_>, env: &Env<'_>) -> Style {
    let appearance = Appearance {
        color: use_color(arguments.color, output),
        width: env.width.filter(|_| output.terminal).unwrap_or(80),
        quiet: arguments.quiet,
    };
    Style { format: arguments.format.into(), appearance, offered_fixes: OfferedFixes::None }
}

pub(super) fn use_color(color: Color, output: &Output<'_>) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => output.color,
    }
}

impl From<Format> for crate::cli::report::Format {
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
