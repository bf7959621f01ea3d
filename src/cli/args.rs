//! The command line's definitions, and nothing else: help, completions and man pages follow from them.

// These comments are the help, printed as they stand.
#![allow(rustdoc::invalid_html_tags)]

use std::ffi::OsString;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue};
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::build;
use crate::cli::levels::{Level, Levels, Selector};
use crate::cli::report::visible_line;
use crate::release::Release;

/// Validate, explain and normalize libvirt's <domainbackup> XML.
///
/// Reports every error in a backup document with its position and a correction,
/// shows what will happen to each disk, and prints documents as libvirt would.
/// Works without libvirt.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 80, propagate_version = true, after_help = EXAMPLES)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Validate backup documents and report every problem
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Print backup documents in libvirt's form
    #[command(after_help = NORMALIZE_EXAMPLES)]
    Normalize(NormalizeArgs),
    /// List all rules
    #[command(after_help = RULES_EXAMPLES)]
    Rules(RulesArgs),
    /// Show what will happen to each disk of a domain
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(PlanArgs),
    /// Write a backup document and its checkpoint document
    #[command(after_help = NEW_EXAMPLES)]
    New(NewArgs),
    /// Explain a rule, or find the rules behind an error message
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
    /// Print the main manual page, or write all pages to a directory
    #[command(after_help = MAN_EXAMPLES)]
    Man(ManArgs),
}

const EXAMPLES: &str = "\
Environment:
  NO_COLOR, CLICOLOR, CLICOLOR_FORCE, FORCE_COLOR
                     use colour or not; --color overrides them
  SOURCE_DATE_EPOCH  time to use in generated file names

Exit status: 0 without errors, 1 with errors, 2 if the arguments are invalid or
a file could not be read or written.

Examples:
  backupxml check backup.xml
  virsh dumpxml vm | backupxml normalize --domain - backup.xml
  backupxml explain schema/missing-server";

const CHECK_EXAMPLES: &str = "\
Exit status: 0 without errors, 1 with errors, 2 if the arguments are invalid or
a file could not be read or written.

Examples:
  backupxml check backup.xml
  virsh dumpxml vm | backupxml check --domain - backup.xml
  backupxml check --format concise *.xml
  backupxml check --unsafe-fixes --diff backup.xml";

const NORMALIZE_EXAMPLES: &str = "\
Exit status: 0 without errors, 1 with errors or if --check finds a file that
would change, 2 if the arguments are invalid or a file could not be read or
written.

Examples:
  backupxml normalize --domain domain.xml backup.xml
  backupxml normalize --domain domain.xml --suffix monday backup.xml
  backupxml normalize --explicit < backup.xml
  backupxml normalize --check --diff *.xml
  backupxml normalize --in-place --drop-comments backup.xml";

const PLAN_EXAMPLES: &str = "\
Exit status: 0 without errors, 1 if the backup would be refused, 2 if the
arguments are invalid or a file could not be read. A domain file without an id is
of a domain that was not running: that is a warning, as it may be started by then.

Examples:
  virsh dumpxml vm | backupxml plan --domain - backup.xml
  backupxml plan --domain vm.xml --existing-checkpoint @checkpoints backup.xml
  backupxml plan --domain vm.xml --format json backup.xml";

const NEW_EXAMPLES: &str = "\
The backup goes to standard output, in libvirt's form, and passes `check` with
the same options. Every disk of the domain is listed: those that cannot take
part as excluded, with the reason on standard error. A disk that the checkpoint
to start from does not cover is backed up in full.

Exit status: 0 if the documents were written; 1 if no such backup would start:
nothing is written then; 2 if something could not be read or written.

Examples:
  backupxml new --domain vm.xml --to /backup > backup.xml
  backupxml new --vm shop --to /backup --incremental latest > backup.xml
  backupxml new --domain vm.xml --to /tmp --mode pull --server /run/nbd > b.xml";

const RULES_EXAMPLES: &str = "\
Examples:
  backupxml rules
  backupxml rules --format json";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  backupxml explain schema/missing-server
  backupxml explain missing-server
  backupxml explain disk vda has a blockjob assigned
  virsh backup-begin vm b.xml 2>&1 | backupxml explain -";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(backupxml completions bash)
  backupxml completions zsh > ~/.zfunc/_backupxml
  backupxml completions fish > ~/.config/fish/completions/backupxml.fish
  backupxml completions nushell | save backupxml.nu";

const MAN_EXAMPLES: &str = "\
Examples:
  backupxml man | man -l -
  backupxml man /usr/local/share/man/man1";

/// The arguments of `check`.
#[derive(Debug, Default, Args)]
pub struct CheckArgs {
    /// Options of both commands.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Facts about the start of the backup.
    #[command(flatten)]
    pub start: StartArgs,
    /// Apply safe fixes to the files; for standard input, print the fixed text
    #[arg(long)]
    pub fix: bool,
    /// Apply all fixes, including those that may change the meaning
    #[arg(long)]
    pub unsafe_fixes: bool,
    /// Show the changes of --fix or --unsafe-fixes as a diff, without writing
    #[arg(long, conflicts_with = "format")]
    pub diff: bool,
    /// File for the report in the requested format; the report on standard
    /// output then is for people
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fix", "unsafe_fixes", "diff"])]
    pub output_file: Option<PathBuf>,
}

/// The arguments of `normalize`.
// Each is a flag of the command line.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Default, Args)]
pub struct NormalizeArgs {
    /// Options of both commands.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Without a domain, also write the resulting backupmode and checkpoint of
    /// each disk
    #[arg(long)]
    pub explicit: bool,
    /// Rewrite the files; files with errors or comments are left unchanged
    #[arg(long, conflicts_with_all = ["check", "diff"])]
    pub in_place: bool,
    /// With --in-place, also rewrite files with comments, and remove these
    #[arg(long, requires = "in_place", conflicts_with_all = ["check", "diff"])]
    pub drop_comments: bool,
    /// List the files that would change, without writing; exit with status 1 if
    /// there are any
    #[arg(long)]
    pub check: bool,
    /// Show the changes as a diff, without writing
    #[arg(long)]
    pub diff: bool,
}

impl NormalizeArgs {
    /// Whether the results are compared with the files instead of printed.
    #[must_use]
    pub fn compares(&self) -> bool {
        self.in_place || self.check || self.diff
    }
}

/// Facts about the start of a backup.
#[derive(Debug, Default, Args)]
pub struct StartArgs {
    /// Existing checkpoint of the domain, or a file with the output of virsh
    /// checkpoint-list --name or checkpoint-dumpxml; repeatable
    #[arg(long, value_name = "NAME|@FILE", conflicts_with = "vm")]
    pub existing_checkpoint: Vec<String>,
    /// Use existing destination files, as virsh backup-begin --reuse-external
    #[arg(long)]
    pub reuse_external: bool,
    /// Whether this machine is inspected.
    #[command(flatten)]
    pub host: HostArgs,
}

/// The domain to ask libvirt about.
#[derive(Clone, Debug, Default, Args)]
pub struct VmArgs {
    /// Ask libvirt for the domain (name, UUID or id), its state, checkpoints,
    /// sizes and release, through virsh on a read-only connection
    #[arg(long, value_name = "NAME", conflicts_with = "domain")]
    pub vm: Option<String>,
    /// Connection URI [default: that of virsh]
    #[arg(long, short, value_name = "URI", requires = "vm")]
    pub connect: Option<String>,
    /// Program or command line to run as virsh [default: `$BACKUPXML_VIRSH`,
    /// then virsh]
    #[arg(long, value_name = "COMMAND", requires = "vm")]
    pub virsh: Option<String>,
    /// Whether every checkpoint is inspected, not just those that backups name.
    #[arg(skip)]
    pub every_checkpoint: bool,
}

/// Whether this machine is inspected.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct HostArgs {
    /// Also inspect files, directories, devices and ports of this machine
    /// [default: with --vm and a local URI]
    #[arg(long, overrides_with = "no_host")]
    pub host: bool,
    /// Do not inspect this machine
    #[arg(long)]
    pub no_host: bool,
}

impl HostArgs {
    /// The requested choice, if any.
    #[must_use]
    pub fn wanted(self) -> Option<bool> {
        (self.host || self.no_host).then_some(self.host)
    }
}

/// The arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Backup document; standard input if absent or -
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Domain XML, as printed by virsh dumpxml; - for standard input
    #[arg(long, value_name = "FILE", required_unless_present = "vm")]
    pub domain: Option<PathBuf>,
    /// The domain to ask libvirt about.
    #[command(flatten)]
    pub vm: VmArgs,
    /// Facts about the start of the backup.
    #[command(flatten)]
    pub start: StartArgs,
    /// The request to libvirt.
    #[command(flatten)]
    pub libvirt: LibvirtArgs,
    /// Output format of the plan
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
    /// File name to report for standard input
    #[arg(long, value_name = "PATH")]
    pub stdin_filename: Option<PathBuf>,
    /// When to use colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,
    /// Print the table only, without the summary
    #[arg(long, short)]
    pub quiet: bool,
}

/// Output format of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// A table
    Text,
    /// One JSON object
    Json,
}

/// The request to libvirt, besides the backup.
#[derive(Clone, Debug, Default, Args)]
pub struct LibvirtArgs {
    /// Checkpoint XML that will be passed to backup-begin; its name becomes the
    /// suffix
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Suffix of generated file names [default: the checkpoint's name,
    /// SOURCE_DATE_EPOCH, or the seconds since 1970]
    #[arg(long, value_name = "S")]
    pub suffix: Option<String>,
    /// Release of libvirt to check against: 9.0.0, 11.3.0 or 12.8.0; a release in
    /// between is treated as the older one [default: 12.8.0]
    #[arg(long, value_name = "X.Y.Z", value_parser = parse_release)]
    pub libvirt_version: Option<RequestedRelease>,
}

/// The arguments of `new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Domain XML, as printed by virsh dumpxml; - for standard input
    #[arg(long, value_name = "FILE", required_unless_present = "vm")]
    pub domain: Option<PathBuf>,
    /// Which domain libvirt is asked about.
    #[command(flatten)]
    pub vm: VmArgs,
    /// Whether this machine is looked at.
    #[command(flatten)]
    pub host: HostArgs,
    /// Directory for the backup files, DIR/DISK-SUFFIX.qcow2; in pull mode, for
    /// the scratch files
    #[arg(long, value_name = "DIR", value_parser = parse_directory)]
    pub to: build::Path,
    /// Mode of the backup
    #[arg(long, value_enum, default_value_t)]
    pub mode: NewMode,
    /// Address to serve a pull mode backup on
    #[arg(long, value_name = "SOCKET|HOST[:PORT]", value_parser = parse_server, required_if_eq("mode", "pull"))]
    pub server: Option<build::Server>,
    /// Back up only what changed since this checkpoint; with --vm, `latest` is
    /// the newest one that covers the most disks
    #[arg(long, value_name = "NAME", value_parser = |name: &str| build::Checkpoint::new(name))]
    pub incremental: Option<build::Checkpoint>,
    /// Name of a checkpoint to create with the backup
    #[arg(long, value_name = "NAME", requires = "checkpoint_file", value_parser = |name: &str| build::NewCheckpointName::new(name))]
    pub new_checkpoint: Option<build::NewCheckpointName>,
    /// File to write the checkpoint document to
    #[arg(long, value_name = "FILE", requires = "new_checkpoint")]
    pub checkpoint_file: Option<PathBuf>,
    /// Back up only this disk, given by its target name; repeatable
    #[arg(long, value_name = "NAME")]
    pub disk: Vec<String>,
    /// Exclude this disk; repeatable
    #[arg(long, value_name = "NAME")]
    pub exclude: Vec<String>,
    /// Existing checkpoint of the domain, or a file with the output of virsh
    /// checkpoint-list --name or checkpoint-dumpxml; repeatable
    #[arg(long, value_name = "NAME|@FILE", conflicts_with = "vm")]
    pub existing_checkpoint: Vec<String>,
    /// Suffix of file names [default: the new checkpoint's name,
    /// SOURCE_DATE_EPOCH, or the seconds since 1970]
    #[arg(long, value_name = "S", value_parser = parse_suffix)]
    pub suffix: Option<String>,
    /// Release of libvirt to write for: 9.0.0, 11.3.0 or 12.8.0; a release in
    /// between is treated as the older one [default: 12.8.0, or with --vm the
    /// daemon's]
    #[arg(long, value_name = "X.Y.Z", value_parser = parse_release)]
    pub libvirt_version: Option<RequestedRelease>,
    /// When to use colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: Color,
    /// Print errors only, without notes and warnings
    #[arg(long, short)]
    pub quiet: bool,
}

/// Mode of a backup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum NewMode {
    /// QEMU writes the backup to files
    #[default]
    Push,
    /// A client reads the backup over NBD
    Pull,
}

fn parse_directory(written: &str) -> Result<build::Path, build::Invalid> {
    build::Path::new(written)
}

fn parse_suffix(written: &str) -> Result<String, String> {
    if written.contains('/') { Err("file names cannot contain /".to_owned()) } else { Ok(written.to_owned()) }
}

/// A path of a socket, or a host with an optional port; an IPv6 address with a port is in brackets.
fn parse_server(written: &str) -> Result<build::Server, String> {
    let text = |error: build::Invalid| error.to_string();
    if written.starts_with('/') {
        return Ok(build::Server::unix(build::SocketPath::new(written).map_err(text)?));
    }
    let (host, port) = match written.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or("expected [ADDRESS]:PORT")?)),
        None => match written.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (written, None),
        },
    };
    let port = port.map(|port| port.parse().map_err(|_| format!("invalid port {port}: expected 0 to 65535")));
    Ok(build::Server::tcp(build::Host::new(host).map_err(text)?, port.transpose()?.unwrap_or(0)))
}

/// The arguments of `rules`.
#[derive(Debug, Args)]
pub struct RulesArgs {
    /// Output format of the list
    #[arg(long, value_enum, default_value_t = RulesFormat::Text)]
    pub format: RulesFormat,
}

/// Output format of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RulesFormat {
    /// One line each
    Text,
    /// One JSON array
    Json,
}

/// The arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Name of a rule, with or without its family, or an error message of virsh
    /// or QEMU, which may be incomplete; - for standard input
    #[arg(required = true, value_name = "RULE|MESSAGE")]
    pub words: Vec<String>,
    /// Output format of the explanation
    #[arg(long, value_enum, default_value_t = ExplainFormat::Text)]
    pub format: ExplainFormat,
}

/// Output format of an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExplainFormat {
    /// Text
    Text,
    /// One JSON object
    Json,
}

/// The arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Shell to print the script for
    #[arg(value_enum)]
    pub shell: Shell,
}

/// The shells with a completion script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// fish
    Fish,
    /// Elvish
    Elvish,
    /// PowerShell
    Powershell,
    /// Nushell
    Nushell,
}

/// The arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Directory for the pages, one for each command; without it, the main page
    /// is printed
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

/// The configuration file.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigArgs {
    /// Configuration file for all files [default: backupxml.toml in the closest
    /// directory at or above each file's]
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Use no configuration file
    #[arg(long)]
    pub no_config: bool,
}

/// The options of both `check` and `normalize`.
#[derive(Clone, Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct CommonArgs {
    /// Backup or checkpoint documents; standard input if absent or -
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Domain XML, as printed by virsh dumpxml; - for standard input
    #[arg(long, value_name = "FILE")]
    pub domain: Option<PathBuf>,
    /// The domain to ask libvirt about.
    #[command(flatten)]
    pub vm: VmArgs,
    /// The request to libvirt.
    #[command(flatten)]
    pub libvirt: LibvirtArgs,
    /// Read the files as libvirtd's own state files
    #[arg(long)]
    pub status: bool,
    /// Check and print checkpoints as for virsh checkpoint-create --redefine
    #[arg(long)]
    pub redefine: bool,
    /// Output format for diagnostics
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Ignore a rule, a family of rules, or all
    #[arg(long, value_name = "RULE", value_parser = parse_selector)]
    pub allow: Vec<Selector>,
    /// Report a rule, a family of rules, or all as warnings
    #[arg(long, value_name = "RULE", value_parser = parse_selector)]
    pub warn: Vec<Selector>,
    /// Report a rule, a family of rules, or all as errors; the last match of
    /// --allow, --warn and --deny wins
    #[arg(long, value_name = "RULE", value_parser = parse_selector)]
    pub deny: Vec<Selector>,
    /// The configuration file.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Skip files whose root element is neither <domainbackup> nor
    /// <domaincheckpoint>
    #[arg(long)]
    pub skip_unrelated: bool,
    /// Number of files to process in parallel [default: number of CPUs]
    #[arg(long, short, value_name = "N", value_parser = parse_jobs)]
    pub jobs: Option<NonZero<usize>>,
    /// File name to report for standard input
    #[arg(long, value_name = "PATH")]
    pub stdin_filename: Option<PathBuf>,
    /// When to use colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: Color,
    /// Print diagnostics only, without the summary
    #[arg(long, short)]
    pub quiet: bool,
}

/// Reads a command line.
///
/// # Errors
///
/// Returns clap's output: help, the version, or an error of usage.
pub fn parse(arguments: &[OsString]) -> Result<(Command, Levels), clap::Error> {
    let matches = Cli::command().try_get_matches_from(arguments).map_err(explain)?;
    let levels = matches.subcommand().map(|(_, matches)| levels(matches)).unwrap_or_default();
    Ok((Cli::from_arg_matches(&matches)?.command, levels))
}

/// Makes hidden characters of an error visible, and suggests `check` for a file in place of a command.
fn explain(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(written)) = error.get(ContextKind::InvalidSubcommand)
        && (Path::new(written).extension().is_some_and(|end| end == "xml") || Path::new(written).is_file())
    {
        let suggestion = format!("did you mean `backupxml check {}`?", visible_line(written));
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![suggestion.into()]));
    }
    let written: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in written {
        let ContextValue::String(text) = value else { continue };
        let visible = visible_line(&text);
        if visible != text {
            error.insert(kind, ContextValue::String(visible.into_owned()));
            // The suggestion repeats it.
            error.remove(ContextKind::Suggested);
        }
    }
    error
}

fn parse_jobs(written: &str) -> Result<NonZero<usize>, String> {
    written.parse().map_err(|_| "expected a number of at least 1".to_owned())
}

pub(super) fn parse_selector(written: &str) -> Result<Selector, String> {
    Selector::parse(written)
        .ok_or_else(|| format!("unknown rule or family of rules: {}", super::rules::suggest_rule(written)))
}

/// The requested levels, in the order of the command line.
fn levels(matches: &ArgMatches) -> Levels {
    let mut found = Vec::new();
    for (option, level) in [("allow", Level::Allow), ("warn", Level::Warn), ("deny", Level::Deny)] {
        // Commands without these options have none.
        let Ok(Some(selectors)) = matches.try_get_many::<Selector>(option) else { continue };
        let indices = matches.indices_of(option).into_iter().flatten();
        found.extend(indices.zip(selectors).map(|(index, selector)| (index, (selector.clone(), level))));
    }
    found.sort_by_key(|(index, _)| *index);
    Levels(found.into_iter().map(|(_, level)| level).collect())
}

/// A requested release, and the known one that it is treated as.
#[derive(Clone, Debug)]
pub struct RequestedRelease {
    /// As it was written.
    pub written: String,
    /// The known release.
    pub release: Release,
}

pub(super) fn parse_release(written: &str) -> Result<RequestedRelease, String> {
    let release = Release::at_or_before(written).ok_or_else(|| {
        let known: Vec<_> = Release::ALL.iter().map(|release| release.name()).collect();
        format!("supported releases: {}", known.join(", "))
    })?;
    Ok(RequestedRelease { written: written.to_owned(), release })
}

/// Output format for diagnostics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// With the lines of the source
    #[default]
    Full,
    /// One line each
    Concise,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations for GitHub Actions
    Github,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// If the output is a terminal and the environment does not forbid it
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
