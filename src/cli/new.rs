//! `new`: a backup document on standard output, and its checkpoint document in a file.

use std::sync::Arc;

use anyhow::{anyhow, bail};

use crate::checkpoint::{self, Existing};
use crate::cli::args::{HostArgs, NewArgs, NewMode, VmArgs};
use crate::cli::report::{
    Appearance, CheckedFile, Companions, Format, OfferedFixes, Reporter, Status, Style, visible_line,
};
use crate::cli::write;
use crate::compose::{Documents, Mode, Request, compose, newest_base};
use crate::diagnostic::{Diagnostic, Document, truncate_with_note};
use crate::domain;
use crate::domain::Domain;
use crate::host::{Facts, Vm};
use crate::options::Options;
use crate::pipeline::probes;
use crate::source::Source;

use super::session::{existing_checkpoints, read_source, release, release_of, seconds_since_1970, use_color};
use super::{Env, ExitStatus, host};

/// What reports call the document that is not written yet.
const BACKUP_NAME: &str = "<new backup>";
/// The value of `--incremental` that stands for the newest checkpoint that works.
const LATEST: &str = "latest";

pub(super) fn new(arguments: &NewArgs, env: &mut Env<'_>) -> anyhow::Result<ExitStatus> {
    let mut request = request(arguments)?;
    let Known { source, mut diagnostics, vm, mut options } = gather(arguments, env)?;
    let (domain, domain_diagnostics) = domain::read(source.text(), options.release);
    diagnostics.extend(domain_diagnostics);
    let source = Arc::new(source);
    let report = Report { domain: Arc::clone(&source), checkpoint: None, quiet: arguments.quiet };
    let domain = match domain {
        Some(domain) if diagnostics.is_empty() => domain,
        _ => {
            report.write(arguments, "", diagnostics, env)?;
            return Ok(ExitStatus::Errors);
        }
    };
    if vm.is_some() && asks_for_latest(&request, &options) {
        request.incremental = newest_base(&domain, &request, &options);
        let Some(base) = &request.incremental else {
            env.print_message("no checkpoint covers a disk of this backup: make a full backup, without --incremental")?;
            return Ok(ExitStatus::Errors);
        };
        if !arguments.quiet {
            env.print_message(&format!("the backup starts from the checkpoint {}", base.as_str()))?;
        }
    }
    let documents = match compose(&domain, &request, &options) {
        Ok(documents) => documents,
        Err(refusal) => {
            for message in &refusal.messages {
                env.print_message(message)?;
            }
            return Ok(ExitStatus::Errors);
        }
    };
    if !arguments.quiet {
        for note in &documents.notes {
            let (line, column) = source.line_column(note.disk.range().start);
            let name = visible_line(source.name());
            writeln!(env.stderr.stream, "{name}:{line}:{column}: note: {}", visible_line(&note.message))?;
        }
    }
    if !passes_check(&documents, &domain, vm, &mut options, arguments, report, env)? {
        env.print_message("nothing is written: libvirt would refuse this backup")?;
        return Ok(ExitStatus::Errors);
    }
    if let (Some(file), Some(text)) = (&arguments.checkpoint_file, &documents.checkpoint)
        && let Some(remark) = write::create_or_replace(file, text.as_bytes())?
    {
        env.print_message(&format!("{}: {remark}", file.display()))?;
    }
    env.stdout.stream.write_all(documents.backup.as_bytes())?;
    env.stdout.stream.flush()?;
    Ok(ExitStatus::Success)
}

fn request(arguments: &NewArgs) -> anyhow::Result<Request> {
    let mode = match (arguments.mode, &arguments.server) {
        (NewMode::Push, None) => Mode::Push,
        (NewMode::Pull, Some(server)) => Mode::Pull(server.clone()),
        (NewMode::Push, Some(_)) => bail!("--server needs --mode pull: in push mode no client connects"),
        (NewMode::Pull, None) => bail!("--mode pull needs --server"),
    };
    Ok(Request {
        incremental: arguments.incremental.clone(),
        checkpoint: arguments.new_checkpoint.clone(),
        disks: arguments.disk.clone(),
        exclude: arguments.exclude.clone(),
        ..Request::new(mode, arguments.to.clone())
    })
}

/// What is known of the domain before anything is decided.
struct Known {
    source: Source,
    /// What is wrong with the bytes of the domain's file.
    diagnostics: Vec<Diagnostic>,
    /// What libvirt said, where it was asked.
    vm: Option<Vm>,
    options: Options,
}

fn gather(arguments: &NewArgs, env: &mut Env<'_>) -> anyhow::Result<Known> {
    let vm_arguments = VmArgs { every_checkpoint: true, ..arguments.vm.clone() };
    let gathered = host::ask(&vm_arguments, &[], &Err(anyhow!("there is no document yet")), env)?;
    let release = match &gathered {
        Some(gathered) if arguments.libvirt_version.is_none() => release_of(&gathered.vm, env)?,
        _ => release(arguments.libvirt_version.as_ref(), env)?,
    };
    let (existing, (source, diagnostics), vm) = if let Some(mut gathered) = gathered {
        (gathered.vm.checkpoints.clone().map(Into::into), gathered.source(release), Some(gathered.vm))
    } else {
        let Some(file) = &arguments.domain else { bail!("--domain or --vm is required") };
        let existing = existing_checkpoints(&arguments.existing_checkpoint, release)?;
        let existing = (!existing.is_empty()).then(|| existing.into());
        (existing, read_source(file, "<stdin>", env.stdin, release)?, None)
    };
    let checkpoint_name = arguments.new_checkpoint.as_ref().map(|name| name.as_str().to_owned());
    let suffix = arguments.suffix.clone().or(checkpoint_name);
    let suffix = suffix.unwrap_or_else(|| seconds_since_1970(env.environment).to_string());
    let diagnostics = diagnostics.into_iter().map(|diagnostic| diagnostic.moved_to(Document::Domain)).collect();
    Ok(Known { source, diagnostics, vm, options: Options { release, suffix, existing, ..Options::default() } })
}

/// Whether the newest checkpoint that works is asked for: one that is called so is that one.
fn asks_for_latest(request: &Request, options: &Options) -> bool {
    let is_called = |existing: &Existing| existing.name == LATEST;
    request.incremental.as_ref().is_some_and(|base| base.as_str() == LATEST)
        && !options.existing.iter().flat_map(|existing| existing.iter()).any(is_called)
}

/// What libvirt said, and this machine too if that is asked for or the domain is on it.
fn facts(vm: Vm, documents: &Documents, domain: &Domain, options: &Options, host: HostArgs) -> Facts {
    let looks = host.wanted().unwrap_or(vm.is_local());
    let probes = looks.then(|| probes(&documents.backup, domain, &vm, options)).flatten();
    let files = probes.map(|probes| host::look(&probes, &vm));
    Facts { vm, files }
}

/// Reports what `check` finds in the documents, and returns whether it finds no error.
fn passes_check(
    documents: &Documents,
    domain: &Domain,
    vm: Option<Vm>,
    options: &mut Options,
    arguments: &NewArgs,
    mut report: Report,
    env: &mut Env<'_>,
) -> anyhow::Result<bool> {
    let mut diagnostics = Vec::new();
    if let (Some(file), Some(text)) = (&arguments.checkpoint_file, &documents.checkpoint) {
        let (checkpoint, checkpoint_findings) = checkpoint::read(text, options.release);
        diagnostics.extend(checkpoint_findings);
        options.checkpoint = checkpoint.map(Arc::new);
        let (source, _) = Source::new(file.to_string_lossy(), text.clone().into_bytes(), options.release);
        report.checkpoint = Some(Arc::new(source));
    }
    options.host = vm.map(|vm| Arc::new(facts(vm, documents, domain, options, arguments.host)));
    diagnostics.extend(crate::check(&documents.backup, Some(domain), options));
    let passes = !diagnostics.iter().any(Diagnostic::is_error);
    report.write(arguments, &documents.backup, diagnostics, env)?;
    Ok(passes)
}

/// A report on standard error.
struct Report {
    domain: Arc<Source>,
    checkpoint: Option<Arc<Source>>,
    quiet: bool,
}

impl Report {
    fn write(
        &self,
        arguments: &NewArgs,
        backup: &str,
        diagnostics: Vec<Diagnostic>,
        env: &mut Env<'_>,
    ) -> anyhow::Result<()> {
        let mut diagnostics: Vec<_> =
            diagnostics.into_iter().filter(|diagnostic| !self.quiet || diagnostic.is_error()).collect();
        truncate_with_note(&mut diagnostics);
        let (source, _) = Source::new(BACKUP_NAME, backup.as_bytes().to_vec(), crate::release::Release::default());
        let companions = Companions { domain: Some(Arc::clone(&self.domain)), checkpoint: self.checkpoint.clone() };
        let checked = CheckedFile::new(source, companions, Status::Failed, diagnostics);
        let appearance = Appearance {
            color: use_color(arguments.color, &env.stderr),
            width: env.width.filter(|_| env.stderr.terminal).unwrap_or(80),
            quiet: true,
        };
        let style = Style { format: Format::Full, appearance, offered_fixes: OfferedFixes::None };
        Reporter::new(style).add(env.stderr.stream, &style.report(&checked)?)?;
        Ok(())
    }
}
