//! The whole program but for the process: reading inputs, one file after another, and choosing a report.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use clap::{CommandFactory, FromArgMatches};

use crate::cli::{self, CheckArgs, Cli, Color, Command, CommonArgs, Format, RulesFormat};
use crate::diagnostic::Diagnostic;
use crate::domain::{self, Domain};
use crate::fix::{Consent, Fixed, fix};
use crate::levels::Levels;
use crate::parse::nearest;
use crate::release::Release;
use crate::report::{Appearance, Checked, Reporter, Status};
use crate::rules::{RULES, Rule};
use crate::source::Source;
use crate::{Options, check, normalize, root_name, suppression, write};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// No errors; warnings perhaps.
    Success,
    /// At least one error in a document.
    Errors,
    /// Bad arguments, or something that could not be read or written.
    Failure,
}

impl ExitStatus {
    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Errors => 1,
            Self::Failure => 2,
        }
    }
}

/// A stream for output, and what is at its end.
pub struct Output<'a> {
    /// Where bytes go.
    pub stream: &'a mut dyn Write,
    /// Whether that is a terminal.
    pub terminal: bool,
}

/// What the program has of the process it runs in.
pub struct World<'a> {
    /// Standard input.
    pub stdin: &'a mut dyn Read,
    /// Standard output.
    pub stdout: Output<'a>,
    /// Standard error.
    pub stderr: Output<'a>,
    /// Looks up an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// The width of the terminal in columns, if there is one.
    pub width: Option<usize>,
}

/// Runs the program with its arguments, the name of the program first.
pub fn run(arguments: impl IntoIterator<Item = OsString>, world: &mut World<'_>) -> ExitStatus {
    let parsed = Cli::command().try_get_matches_from(arguments).and_then(|matches| {
        let levels = matches.subcommand().map(|(_, matches)| cli::levels(matches)).unwrap_or_default();
        Ok((Cli::from_arg_matches(&matches)?, levels))
    });
    let (cli, levels) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return explain_usage(&error, world),
    };
    let result = match cli.command {
        Command::Check(arguments) if arguments.fix || arguments.unsafe_fixes || arguments.diff => {
            run_fix(&arguments, levels, world)
        }
        Command::Check(arguments) => run_check(&arguments.common, levels, world),
        Command::Normalize(arguments) => run_normalize(&arguments.common, arguments.explicit, levels, world),
        Command::Rules(arguments) => run_rules(arguments.format, world),
        Command::Explain(arguments) => run_explain(&arguments.rule, world),
    };
    result.unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            // Whoever read has seen enough.
            return ExitStatus::Success;
        }
        // Nothing is left to do where standard error is closed too.
        let _ = writeln!(world.stderr.stream, "backupxml: {error:#}");
        ExitStatus::Failure
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}

/// Prints help, the version, or what is wrong with the arguments.
fn explain_usage(error: &clap::Error, world: &mut World<'_>) -> ExitStatus {
    let (output, status) = if error.use_stderr() {
        (&mut world.stderr, ExitStatus::Failure)
    } else {
        (&mut world.stdout, ExitStatus::Success)
    };
    // A closed stream takes nothing away from the exit status.
    let _ = if output.terminal {
        write!(output.stream, "{}", error.render().ansi())
    } else {
        write!(output.stream, "{}", error.render())
    };
    status
}

fn run_check(arguments: &CommonArgs, levels: Levels, world: &mut World<'_>) -> anyhow::Result<ExitStatus> {
    let mut session = Session::new(arguments, false, levels, world)?;
    let mut reporter = reporter(arguments, &world.stdout, world);
    for file in session.files.clone() {
        let checked = session.read(&file, world, check)?;
        reporter.file(world.stdout.stream, &checked)?;
    }
    reporter.finish(world.stdout.stream)?;
    Ok(session.status)
}

/// Applies fixes, or shows them. What is still wrong is reported, to standard error where standard output is taken.
fn run_fix(arguments: &CheckArgs, levels: Levels, world: &mut World<'_>) -> anyhow::Result<ExitStatus> {
    let common = &arguments.common;
    let consent = if arguments.unsafe_fixes { Consent::All } else { Consent::Safe };
    let mut session = Session::new(common, false, levels, world)?;
    let to_stdout = !arguments.diff && !session.files.iter().any(|file| file == Path::new("-"));
    let color = use_color(common.color, world.stdout.terminal, world.environment);
    let mut reporter = reporter(common, if to_stdout { &world.stdout } else { &world.stderr }, world);
    for file in session.files.clone() {
        let Some(bytes) = session.read_bytes(&file, world)? else {
            reporter.file(
                if to_stdout { world.stdout.stream } else { world.stderr.stream },
                &Checked::unreadable(display_name(&file)),
            )?;
            continue;
        };
        let (before, fixed) = session.fix(&file, bytes, consent);
        let changed = fixed.filter(|fixed| fixed.text.as_bytes() != before);
        if arguments.diff {
            if let Some(fixed) = &changed {
                write_diff(
                    &mut world.stdout,
                    &display_name(&file),
                    &String::from_utf8_lossy(&before),
                    &fixed.text,
                    color,
                )?;
            }
            session.examine(&file, before, check);
            continue;
        }
        if let Some(fixed) = changed.as_ref().filter(|_| file != Path::new("-")) {
            write::replace(&file, fixed.text.as_bytes())?;
            let plural = if fixed.applied == 1 { "" } else { "es" };
            writeln!(world.stderr.stream, "backupxml: {} fix{plural} applied to {}", fixed.applied, file.display())?;
        }
        let after = changed.map_or(before, |fixed| fixed.text.into_bytes());
        if file == Path::new("-") {
            world.stdout.stream.write_all(&after)?;
        }
        let checked = session.examine(&file, after, check);
        reporter.file(if to_stdout { world.stdout.stream } else { world.stderr.stream }, &checked)?;
    }
    if !arguments.diff {
        reporter.finish(if to_stdout { world.stdout.stream } else { world.stderr.stream })?;
    }
    world.stdout.stream.flush()?;
    Ok(session.status)
}

/// A unified diff, as `diff -u` and git print it.
fn write_diff(out: &mut Output<'_>, name: &str, before: &str, after: &str, color: bool) -> io::Result<()> {
    if before == after {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(before, after);
    let text = diff.unified_diff().context_radius(3).header(name, name).to_string();
    for line in text.split_inclusive('\n') {
        let code = match line.chars().next() {
            Some('+') => "32",
            Some('-') => "31",
            Some('@') => "36",
            _ => "",
        };
        if color && !code.is_empty() {
            write!(
                out.stream,
                "\x1b[{code}m{}\x1b[0m{}",
                line.trim_end_matches('\n'),
                if line.ends_with('\n') { "\n" } else { "" }
            )?;
        } else {
            write!(out.stream, "{line}")?;
        }
    }
    Ok(())
}

fn run_normalize(
    arguments: &CommonArgs,
    explicit: bool,
    levels: Levels,
    world: &mut World<'_>,
) -> anyhow::Result<ExitStatus> {
    let mut session = Session { normalizes: true, ..Session::new(arguments, explicit, levels, world)? };
    let mut reporter = reporter(arguments, &world.stderr, world);
    for file in session.files.clone() {
        let mut text = None;
        let checked =
            session.read(&file, world, |document, domain, options| match normalize(document, domain, options) {
                Ok(formatted) => {
                    text = Some(formatted);
                    Vec::new()
                }
                Err(diagnostics) => diagnostics,
            })?;
        if let Some(text) = text.filter(|_| checked.status == Status::Ok) {
            world.stdout.stream.write_all(text.as_bytes())?;
        }
        reporter.file(world.stderr.stream, &checked)?;
    }
    world.stdout.stream.flush()?;
    // Beside the XML, silence is the best report.
    let machine = matches!(arguments.format, Format::Json | Format::Sarif);
    if session.status != ExitStatus::Success || machine {
        reporter.finish(world.stderr.stream)?;
    }
    Ok(session.status)
}

fn reporter(arguments: &CommonArgs, output: &Output<'_>, world: &World<'_>) -> Reporter {
    let appearance = Appearance {
        color: use_color(arguments.color, output.terminal, world.environment),
        width: world.width.filter(|_| output.terminal).unwrap_or(80),
        quiet: arguments.quiet,
    };
    Reporter::new(arguments.format.into(), appearance)
}

/// A domain that was read, and what is wrong with its document.
struct DomainInput {
    source: Rc<Source>,
    domain: Option<Domain>,
    diagnostics: Vec<Diagnostic>,
}

fn run_rules(format: RulesFormat, world: &mut World<'_>) -> anyhow::Result<ExitStatus> {
    let out = &mut world.stdout.stream;
    match format {
        RulesFormat::Text => {
            let width = RULES.iter().map(|rule| rule.name().len()).max().unwrap_or_default();
            for rule in RULES {
                writeln!(out, "{:width$}  {:7}  {}", rule.name(), rule.severity().name(), rule.entry().title)?;
            }
        }
        RulesFormat::Json => {
            let rules = RULES.iter().map(|rule| {
                let (first, last) = rule.entry().releases;
                serde_json::json!({
                    "rule": rule.name(),
                    "severity": rule.severity().name(),
                    "title": rule.entry().title,
                    "first_release": first.map(Release::name),
                    "last_release": last.map(Release::name),
                })
            });
            writeln!(out, "{}", serde_json::to_string_pretty(&rules.collect::<Vec<_>>())?)?;
        }
    }
    out.flush()?;
    Ok(ExitStatus::Success)
}

fn run_explain(name: &str, world: &mut World<'_>) -> anyhow::Result<ExitStatus> {
    let without_family = |rule: &&Rule| rule.name().split_once('/').is_some_and(|(_, rest)| rest == name);
    let Some(rule) = Rule::from_name(name).or_else(|| RULES.iter().find(without_family).copied()) else {
        let short = name.rsplit('/').next().unwrap_or(name);
        let near = nearest(short, RULES.iter().filter_map(|rule| rule.name().split('/').next_back()));
        let near = near.and_then(|near| RULES.iter().find(|rule| rule.name().ends_with(&format!("/{near}"))));
        let hint = near.map_or("backupxml rules lists them".to_owned(), |near| format!("did you mean {near}?"));
        bail!("there is no rule {name}: {hint}");
    };
    writeln!(world.stdout.stream, "{}", rule.entry().page.trim_end())?;
    world.stdout.stream.flush()?;
    Ok(ExitStatus::Success)
}

/// What stays the same from file to file, and how the run will end.
struct Session {
    files: Vec<PathBuf>,
    domain: Option<DomainInput>,
    options: Options,
    skip_unrelated: bool,
    levels: Levels,
    /// Whether libvirt's verdict is asked for.
    normalizes: bool,
    status: ExitStatus,
}

impl Session {
    fn new(arguments: &CommonArgs, explicit: bool, levels: Levels, world: &mut World<'_>) -> anyhow::Result<Self> {
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
    fn read(
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
    fn read_bytes(&mut self, file: &Path, world: &mut World<'_>) -> anyhow::Result<Option<Vec<u8>>> {
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
    fn fix(&self, file: &Path, bytes: Vec<u8>, consent: Consent) -> (Vec<u8>, Option<Fixed>) {
        let (source, _) = Source::new(display_name(file), bytes.clone(), self.options.release);
        if !source.is_as_on_disk() || self.is_unrelated(&source) {
            return (bytes, None);
        }
        let domain = self.domain.as_ref().and_then(|domain| domain.domain.as_ref());
        let fixed = fix(source.text(), domain, &self.options, consent);
        (bytes, Some(fixed))
    }

    fn is_unrelated(&self, source: &Source) -> bool {
        self.skip_unrelated && root_name(source.text()).is_none_or(|root| root != "domainbackup")
    }

    /// Has `examine` look at the bytes of a file.
    fn examine(
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
        let refused = self.normalizes.then(|| diagnostics.clone());
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
fn display_name(file: &Path) -> String {
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
    let epoch = environment("SOURCE_DATE_EPOCH").filter(|epoch| epoch.parse::<u64>().is_ok());
    epoch.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |now| now.as_secs()).to_string()
    })
}

fn use_color(color: Color, terminal: bool, environment: &dyn Fn(&str) -> Option<String>) -> bool {
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
