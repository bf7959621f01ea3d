//! `new`: a backup document on standard output, and its checkpoint document in a file.

use std::sync::Arc;

use anyhow::bail;

use crate::cli::args::{NewArgs, NewMode};
use crate::cli::report::{
    Appearance, CheckedFile, Companions, Format, OfferedFixes, Reporter, Status, Style, visible_line,
};
use crate::cli::write;
use crate::compose::{Documents, Mode, Request, compose};
use crate::diagnostic::{Diagnostic, Document};
use crate::domain::Domain;
use crate::options::Options;
use crate::source::Source;
use crate::{checkpoint, domain};

use super::session::{existing_checkpoints, read_source, seconds_since_1970, use_color};
use super::{Env, ExitStatus};

/// What reports call the document that is not written yet.
const BACKUP_NAME: &str = "<new backup>";

pub(super) fn new(arguments: &NewArgs, env: &mut Env<'_>) -> anyhow::Result<ExitStatus> {
    let request = request(arguments)?;
    let mut options = options(arguments, env)?;
    let (source, mut diagnostics) = read_source(&arguments.domain, "<stdin>", env.stdin, options.release)?;
    let (domain, domain_findings) = domain::read(source.text(), options.release);
    diagnostics = diagnostics
        .into_iter()
        .map(|diagnostic| diagnostic.moved_to(Document::Domain))
        .chain(domain_findings)
        .collect();
    let source = Arc::new(source);
    let report = Report { domain: Arc::clone(&source), checkpoint: None, quiet: arguments.quiet };
    let domain = match domain {
        Some(domain) if diagnostics.is_empty() => domain,
        _ => {
            report.write(arguments, "", diagnostics, env)?;
            return Ok(ExitStatus::Errors);
        }
    };
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
    if !passes_check(&documents, &domain, &mut options, arguments, report, env)? {
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

fn options(arguments: &NewArgs, env: &mut Env<'_>) -> anyhow::Result<Options> {
    let release = super::session::release(arguments.libvirt_version.as_ref(), env)?;
    let existing = existing_checkpoints(&arguments.existing_checkpoint, release)?;
    let checkpoint_name = arguments.new_checkpoint.as_ref().map(|name| name.as_str().to_owned());
    let suffix = arguments.suffix.clone().or(checkpoint_name);
    Ok(Options {
        release,
        suffix: suffix.unwrap_or_else(|| seconds_since_1970(env.environment).to_string()),
        existing: (!existing.is_empty()).then(|| existing.into()),
        ..Options::default()
    })
}

/// Reports what `check` finds in the documents, and returns whether it finds no error.
fn passes_check(
    documents: &Documents,
    domain: &Domain,
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
        let diagnostics: Vec<_> =
            diagnostics.into_iter().filter(|diagnostic| !self.quiet || diagnostic.is_error()).collect();
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
