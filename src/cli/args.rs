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

/// Check and normalize libvirt's <domainbackup> XML, without a libvirt.
///
/// Tells what is wrong with a backup, where, and what to write instead; and
/// prints it as libvirt itself would.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 80, propagate_version = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tell everything that is wrong with backups
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Print backups as libvirt would
    #[command(after_help = NORMALIZE_EXAMPLES)]
    Normalize(NormalizeArgs),
    /// List every rule in one line each
    #[command(after_help = RULES_EXAMPLES)]
    Rules(RulesArgs),
    /// Tell what will happen to each disk of a domain, and why
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(PlanArgs),
    /// Write a backup, and its checkpoint document, for a domain
    #[command(after_help = NEW_EXAMPLES)]
    New(NewArgs),
    /// Explain a rule, or find the rules behind an error message
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Print completions for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write all of them into a directory
    #[command(after_help = MAN_EXAMPLES)]
    Man(ManArgs),
}

const EXAMPLES: &str = "\
Environment:
  NO_COLOR, CLICOLOR, CLICOLOR_FORCE, FORCE_COLOR
                     whether to use colour, unless --color says so
  SOURCE_DATE_EPOCH  stands for the time in generated file names

Exit status: 0 without errors, 1 with errors, 2 if the arguments are wrong or
something could not be read or written.

Examples:
  backupxml check backup.xml
  virsh dumpxml vm | backupxml normalize --domain - backup.xml
  backupxml explain schema/missing-server";

const CHECK_EXAMPLES: &str = "\
Exit status: 0 without errors, 1 with errors, 2 if something could not be read
or written.

Examples:
  backupxml check backup.xml
  virsh dumpxml vm | backupxml check --domain - backup.xml
  backupxml check --format concise *.xml
  backupxml check --unsafe-fixes --diff backup.xml";

const NORMALIZE_EXAMPLES: &str = "\
Exit status: 0 without errors, 1 with errors or if --check finds that a file
would change, 2 if something could not be read or written.

Examples:
  backupxml normalize --domain domain.xml backup.xml
  backupxml normalize --domain domain.xml --suffix monday backup.xml
  backupxml normalize --explicit < backup.xml
  backupxml normalize --check --diff *.xml
  backupxml normalize --in-place --drop-comments backup.xml";

const PLAN_EXAMPLES: &str = "\
Exit status: 0 if the backup would start, 1 if it would be refused, 2 if
something could not be read.

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
    /// What both commands take.
    #[command(flatten)]
    pub common: CommonArgs,
    /// What only shows when the backup starts.
    #[command(flatten)]
    pub start: StartArgs,
    /// Apply the safe fixes; standard input goes, fixed, to standard output
    #[arg(long)]
    pub fix: bool,
    /// Apply all fixes, also those that may not be meant
    #[arg(long)]
    pub unsafe_fixes: bool,
    /// Show what --fix or --unsafe-fixes would change, and change nothing
    #[arg(long, conflicts_with = "format")]
    pub diff: bool,
    /// Write the report to this file; standard output then gets the one for
    /// people, whatever --format is
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fix", "unsafe_fixes", "diff"])]
    pub output_file: Option<PathBuf>,
}

/// The arguments of `normalize`.
// Each is an option that is there or not.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Default, Args)]
pub struct NormalizeArgs {
    /// What both commands take.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Without a domain, still write each disk's resulting backupmode and
    /// checkpoint
    #[arg(long)]
    pub explicit: bool,
    /// Write the text back into the files; files with errors stay as they are,
    /// and so do files with comments, which libvirt's form has none of
    #[arg(long, conflicts_with_all = ["check", "diff"])]
    pub in_place: bool,
    /// With --in-place, rewrite files with comments too, and lose those
    #[arg(long, requires = "in_place", conflicts_with_all = ["check", "diff"])]
    pub drop_comments: bool,
    /// Name the files that would change, and change nothing; exit status 1 if
    /// there are any
    #[arg(long)]
    pub check: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub diff: bool,
}

impl NormalizeArgs {
    /// Whether texts are compared with the files they come from, not printed.
    #[must_use]
    pub fn compares(&self) -> bool {
        self.in_place || self.check || self.diff
    }
}

/// What is known of the start of a backup, beside its documents.
#[derive(Debug, Default, Args)]
pub struct StartArgs {
    /// A checkpoint that the domain has; or, as @FILE, all that virsh
    /// checkpoint-list --name or checkpoint-dumpxml printed into FILE
    #[arg(long, value_name = "NAME|@FILE", conflicts_with = "vm")]
    pub existing_checkpoint: Vec<String>,
    /// The destinations exist, as with virsh backup-begin --reuse-external
    #[arg(long)]
    pub reuse_external: bool,
    /// Whether this machine is looked at.
    #[command(flatten)]
    pub host: HostArgs,
}

/// Which domain libvirt is asked about.
#[derive(Clone, Debug, Default, Args)]
pub struct VmArgs {
    /// Ask libvirt for the domain (name, UUID or id), its state, checkpoints,
    /// sizes and release, through virsh on a read-only connection
    #[arg(long, value_name = "NAME", conflicts_with = "domain")]
    pub vm: Option<String>,
    /// Connection URI [default: that of virsh]
    #[arg(long, short, value_name = "URI", requires = "vm")]
    pub connect: Option<String>,
    /// virsh to run, a program or a command line [default: `$BACKUPXML_VIRSH`,
    /// then virsh]
    #[arg(long, value_name = "COMMAND", requires = "vm")]
    pub virsh: Option<String>,
    /// Whether every checkpoint is looked at, not just those that backups name.
    #[arg(skip)]
    pub every_checkpoint: bool,
}

/// Whether this machine is looked at.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct HostArgs {
    /// Look at this machine's files, directories, devices and ports too
    /// [default: with --vm and a local URI]
    #[arg(long, overrides_with = "no_host")]
    pub host: bool,
    /// Do not look at this machine
    #[arg(long)]
    pub no_host: bool,
}

impl HostArgs {
    /// What was asked for, if anything was.
    #[must_use]
    pub fn wanted(self) -> Option<bool> {
        (self.host || self.no_host).then_some(self.host)
    }
}

/// The arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The backup; none, or -, is standard input
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The domain, as virsh dumpxml prints it; - is standard input
    #[arg(long, value_name = "FILE", required_unless_present = "vm")]
    pub domain: Option<PathBuf>,
    /// Which domain libvirt is asked about.
    #[command(flatten)]
    pub vm: VmArgs,
    /// What only shows when the backup starts.
    #[command(flatten)]
    pub start: StartArgs,
    /// What libvirt is asked.
    #[command(flatten)]
    pub libvirt: LibvirtArgs,
    /// How the plan is written
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
    /// What reports call standard input, for editors
    #[arg(long, value_name = "PATH")]
    pub stdin_filename: Option<PathBuf>,
    /// When to use colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,
    /// Print the table only, and no closing sentence
    #[arg(long, short)]
    pub quiet: bool,
}

/// How a plan is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// A table
    Text,
    /// One JSON object
    Json,
}

/// What libvirt is asked with a backup.
#[derive(Clone, Debug, Default, Args)]
pub struct LibvirtArgs {
    /// The checkpoint XML that is passed along; its name is the suffix
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// What generated file names end in [default: the checkpoint's name,
    /// SOURCE_DATE_EPOCH, or the seconds since 1970]
    #[arg(long, value_name = "S")]
    pub suffix: Option<String>,
    /// Answer for this release of libvirt: 9.0.0, 11.3.0 or 12.8.0; for one
    /// between two of them as the older would [default: 12.8.0]
    #[arg(long, value_name = "X.Y.Z", value_parser = parse_release)]
    pub libvirt_version: Option<RequestedRelease>,
}

/// The arguments of `new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The domain, as virsh dumpxml prints it; - is standard input
    #[arg(long, value_name = "FILE", required_unless_present = "vm")]
    pub domain: Option<PathBuf>,
    /// Which domain libvirt is asked about.
    #[command(flatten)]
    pub vm: VmArgs,
    /// Whether this machine is looked at.
    #[command(flatten)]
    pub host: HostArgs,
    /// Directory of the files that are written: DIR/DISK-SUFFIX.qcow2; in pull
    /// mode they are scratch files
    #[arg(long, value_name = "DIR", value_parser = parse_directory)]
    pub to: build::Path,
    /// Who moves the data: the hypervisor, or a client that connects to --server
    #[arg(long, value_enum, default_value_t)]
    pub mode: NewMode,
    /// Where a pull mode backup is served: the path of a socket, or a host
    #[arg(long, value_name = "SOCKET|HOST[:PORT]", value_parser = parse_server, required_if_eq("mode", "pull"))]
    pub server: Option<build::Server>,
    /// Back up only what changed since this checkpoint; with --vm, `latest` is
    /// the newest one that covers the most disks
    #[arg(long, value_name = "NAME", value_parser = |name: &str| build::Checkpoint::new(name))]
    pub incremental: Option<build::Checkpoint>,
    /// Create this checkpoint with the backup
    #[arg(long, value_name = "NAME", requires = "checkpoint_file", value_parser = |name: &str| build::NewCheckpointName::new(name))]
    pub new_checkpoint: Option<build::NewCheckpointName>,
    /// File to write the checkpoint document to
    #[arg(long, value_name = "FILE", requires = "new_checkpoint")]
    pub checkpoint_file: Option<PathBuf>,
    /// Back up this disk, named by its target, and no others; repeatable
    #[arg(long, value_name = "NAME")]
    pub disk: Vec<String>,
    /// Do not back up this disk; repeatable
    #[arg(long, value_name = "NAME")]
    pub exclude: Vec<String>,
    /// A checkpoint that the domain has; or, as @FILE, all that virsh
    /// checkpoint-list --name or checkpoint-dumpxml printed into FILE
    #[arg(long, value_name = "NAME|@FILE", conflicts_with = "vm")]
    pub existing_checkpoint: Vec<String>,
    /// What file names end in [default: the new checkpoint's name,
    /// SOURCE_DATE_EPOCH, or the seconds since 1970]
    #[arg(long, value_name = "S", value_parser = parse_suffix)]
    pub suffix: Option<String>,
    /// Write for this release of libvirt: 9.0.0, 11.3.0 or 12.8.0; for one
    /// between two of them as for the older [default: 12.8.0, or with --vm the
    /// daemon's]
    #[arg(long, value_name = "X.Y.Z", value_parser = parse_release)]
    pub libvirt_version: Option<RequestedRelease>,
    /// When to use colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: Color,
    /// Print errors only, no notes and warnings
    #[arg(long, short)]
    pub quiet: bool,
}

/// Who moves the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum NewMode {
    /// The hypervisor writes the files
    #[default]
    Push,
    /// A client reads over NBD
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
    /// How the rules are written
    #[arg(long, value_enum, default_value_t = RulesFormat::Text)]
    pub format: RulesFormat,
}

/// How the rules are written.
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
    /// A rule, with or without its family; or an error message of virsh or QEMU,
    /// which may be cut; - is standard input
    #[arg(required = true, value_name = "RULE|MESSAGE")]
    pub words: Vec<String>,
    /// How the explanation is written
    #[arg(long, value_enum, default_value_t = ExplainFormat::Text)]
    pub format: ExplainFormat,
}

/// How an explanation is written.
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
    /// The shell that is to complete
    #[arg(value_enum)]
    pub shell: Shell,
}

/// The shells that completions are known for.
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
    /// Where the pages go, one for each command; without it, the main page goes
    /// to standard output
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

/// Which configuration file holds.
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

/// What `check` and `normalize` take.
#[derive(Clone, Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct CommonArgs {
    /// Backups; none, or -, is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Align with this domain, as virsh dumpxml prints it; - is standard input
    #[arg(long, value_name = "FILE")]
    pub domain: Option<PathBuf>,
    /// Which domain libvirt is asked about.
    #[command(flatten)]
    pub vm: VmArgs,
    /// What libvirt is asked.
    #[command(flatten)]
    pub libvirt: LibvirtArgs,
    /// The files are libvirtd's own state files
    #[arg(long)]
    pub status: bool,
    /// Check and print checkpoints as for virsh checkpoint-create --redefine
    #[arg(long)]
    pub redefine: bool,
    /// How findings are written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Drop the findings of a rule, a family or all
    #[arg(long, value_name = "RULE", value_parser = parse_selector)]
    pub allow: Vec<Selector>,
    /// Make the findings of a rule, a family or all warnings
    #[arg(long, value_name = "RULE", value_parser = parse_selector)]
    pub warn: Vec<Selector>,
    /// Make them errors; of these three options the last that matches wins
    #[arg(long, value_name = "RULE", value_parser = parse_selector)]
    pub deny: Vec<Selector>,
    /// Which configuration file holds.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Pass over files whose root element is neither <domainbackup> nor
    /// <domaincheckpoint>
    #[arg(long)]
    pub skip_unrelated: bool,
    /// Look at this many files at a time [default: as many as there are
    /// processors]
    #[arg(long, short, value_name = "N", value_parser = parse_jobs)]
    pub jobs: Option<NonZero<usize>>,
    /// What reports call standard input, for editors
    #[arg(long, value_name = "PATH")]
    pub stdin_filename: Option<PathBuf>,
    /// When to use colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: Color,
    /// Print findings only, and no closing line
    #[arg(long, short)]
    pub quiet: bool,
}

/// Reads a command line.
///
/// # Errors
///
/// Returns what clap has to say: help, the version, or what is wrong with it.
pub fn parse(arguments: &[OsString]) -> Result<(Command, Levels), clap::Error> {
    let matches = Cli::command().try_get_matches_from(arguments).map_err(explain)?;
    let levels = matches.subcommand().map(|(_, matches)| levels(matches)).unwrap_or_default();
    Ok((Cli::from_arg_matches(&matches)?.command, levels))
}

/// An error without characters that control a terminal, and with a suggestion where a file stands for a command.
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
    Selector::parse(written).ok_or_else(|| {
        let hint = super::rules::closest_rule(written)
            .map_or("backupxml rules lists them".to_owned(), |near| format!("did you mean {near}?"));
        format!("there is no such rule or family of rules: {hint}")
    })
}

/// The levels that were asked for, in the order of the command line.
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

/// A release that was asked for, and the known one that answers for it.
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
        format!("the releases known are {}", known.join(", "))
    })?;
    Ok(RequestedRelease { written: written.to_owned(), release })
}

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// With the lines they are about
    #[default]
    Full,
    /// One line each
    Concise,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub's workflows
    Github,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// As the terminal and the environment ask for
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
