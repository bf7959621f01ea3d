//! Searches for documents on which two implementations differ.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fmt, thread};

use anyhow::{Result, ensure};
use clap::Args;

use crate::case::{Answer, Case, Stage};
use crate::generate::{self, Domains};
use crate::ours::{self, Verdict};
use crate::schema::Schema;
use crate::session::Session;
use crate::shrink::shrink;

#[derive(Args)]
pub struct Options {
    /// How to run this program where libvirt is, such as 'chroot /srv/debian /opt/difftest'
    #[arg(long, value_name = "COMMAND")]
    run_in: String,
    /// The release that is expected there
    #[arg(long, value_name = "X.Y.Z")]
    release: Option<String>,
    /// Compare with another libvirt instead of the library
    #[arg(long, value_name = "COMMAND")]
    against: Option<String>,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of cases, one for each seed
    #[arg(long, default_value_t = 10_000)]
    cases: u64,
    /// The number of processes to ask
    #[arg(long, default_value_t = 2)]
    jobs: u64,
    /// Stop after so many unexplained differences
    #[arg(long, default_value_t = 10)]
    differences: u64,
    /// Also compare the messages that are not the schema's or the XML parser's
    #[arg(long)]
    messages: bool,
    /// Compare checkpoints instead of backups
    #[arg(long)]
    checkpoints: bool,
    /// Sample documents from this RELAX NG schema, such as libvirt's domainbackup.rng, and edit single characters of
    /// every other one
    #[arg(long, value_name = "FILE", conflicts_with = "checkpoints")]
    schema: Option<PathBuf>,
}

/// Runs the comparison and prints the result; fails if there is an unexplained difference.
pub fn run(options: &Options) -> Result<ExitCode> {
    let tally = Mutex::new(Tally::default());
    let next = AtomicU64::new(0);
    let schema = options.schema.as_deref().map(Schema::read).transpose()?;
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..options.jobs).map(|_| scope.spawn(|| work(options, schema.as_ref(), &next, &tally))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker panicked"))
    })?;
    let tally = tally.into_inner()?;
    print!("{tally}");
    Ok(if tally.differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn work(options: &Options, schema: Option<&Schema>, next: &AtomicU64, tally: &Mutex<Tally>) -> Result<()> {
    let mut pair = Pair::start(options)?;
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let enough = tally.lock().is_ok_and(|tally| tally.differences >= options.differences);
        if index >= options.cases || enough {
            return Ok(());
        }
        let seed = options.seed + index;
        let case = match schema {
            Some(schema) => schema.case(seed)?,
            None => generate::case(seed, Domains::Any, options.checkpoints),
        };
        let judgement = pair.judge(&case)?;
        let report = match judgement.outcome {
            Outcome::Different(how) => Some(pair.report(seed, case, how)?),
            _ => None,
        };
        let mut tally = tally.lock().expect("a worker panicked");
        tally.add(&judgement);
        if let Some(report) = report {
            println!("{report}");
        }
    }
}

/// The two implementations.
struct Pair {
    libvirt: Session,
    other: Option<Session>,
    messages: bool,
}

struct Judgement {
    /// `accepted`, or the stage that refused the document.
    verdict: String,
    outcome: Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Same,
    /// A deliberate difference.
    Explained(&'static str),
    /// The case proves nothing.
    Skipped(&'static str),
    Different(&'static str),
}

impl Pair {
    fn start(options: &Options) -> Result<Self> {
        let libvirt = Session::start(&options.run_in)?;
        if let Some(expected) = &options.release {
            ensure!(libvirt.release() == expected, "libvirt {} answers, not {expected}", libvirt.release());
        }
        let other = options.against.as_deref().map(Session::start).transpose()?;
        Ok(Self { libvirt, other, messages: options.messages })
    }

    fn judge(&mut self, case: &Case) -> Result<Judgement> {
        let Some(theirs) = self.libvirt.ask(case)? else {
            return Ok(Judgement { verdict: "crashed".into(), outcome: Outcome::Skipped("libvirt crashed") });
        };
        let verdict = match &theirs {
            Answer::Accepted(_) => "accepted".into(),
            Answer::Refused { stage, .. } => format!("refused: {stage}"),
        };
        if matches!(theirs, Answer::Refused { stage: Stage::Domain, .. }) {
            return Ok(Judgement { verdict, outcome: Outcome::Skipped("libvirt refused the domain") });
        }
        let Some(ours) = self.others(case)? else {
            return Ok(Judgement { verdict, outcome: Outcome::Skipped("the other libvirt has no verdict") });
        };
        let outcome = match compare(case, &theirs, &ours, self.messages) {
            Outcome::Different(ONLY_LIBVIRT_ACCEPTS) if self.accepts_up_to_the_end(case, &theirs)? => {
                Outcome::Explained("something after the end refused")
            }
            outcome => outcome,
        };
        Ok(Judgement { verdict, outcome })
    }

    /// Whether both agree on the document up to the end of its root element.
    fn accepts_up_to_the_end(&mut self, case: &Case, theirs: &Answer) -> Result<bool> {
        let end = format!("</{}", case.kind.root());
        let document = &case.document;
        let Some(start) = document.windows(end.len()).position(|bytes| bytes == end.as_bytes()) else {
            return Ok(false);
        };
        let end = document[start..].iter().position(|byte| *byte == b'>').map_or(document.len(), |end| start + end + 1);
        let whole = Case { document: document[..end].to_vec(), ..case.clone() };
        let ours = self.others(&whole)?;
        Ok(ours.is_some_and(|ours| compare(&whole, theirs, &ours, false) == Outcome::Same))
    }

    fn others(&mut self, case: &Case) -> Result<Option<Verdict>> {
        let Some(session) = &mut self.other else {
            return ours::normalize(case, self.libvirt.release()).map(Some);
        };
        Ok(match session.ask(case)? {
            None | Some(Answer::Refused { stage: Stage::Domain, .. }) => None,
            Some(Answer::Accepted(text)) => Some(Verdict::Accepted(text)),
            Some(Answer::Refused { message, .. }) => Some(Verdict::Refused(vec![message])),
        })
    }

    /// The smallest case that differs in the same way, with both answers.
    fn report(&mut self, seed: u64, case: Case, how: &'static str) -> Result<String> {
        let case = self.smallest(case, how);
        let theirs = self.libvirt.ask(&case)?;
        let ours = self.others(&case)?;
        let domain = case.domain.as_deref().map(String::from_utf8_lossy);
        Ok(format!(
            "seed {seed}: {how}\n{:?}: {}\ndomain: {}\nsuffix: {:?}\nlibvirt: {theirs:?}\nours:    {ours:?}\n",
            case.kind,
            case.document.escape_ascii(),
            domain.as_deref().unwrap_or("none"),
            case.suffix,
        ))
    }

    fn smallest(&mut self, mut case: Case, how: &'static str) -> Case {
        let mut differs = |case: &Case| {
            case.can_be_asked() && self.judge(case).is_ok_and(|found| found.outcome == Outcome::Different(how))
        };
        let without = Case { domain: None, ..case.clone() };
        if differs(&without) {
            case = without;
        }
        case.document =
            shrink(&case.document, |document| differs(&Case { document: document.to_vec(), ..case.clone() }));
        if let Some(domain) = &case.domain {
            let smaller = shrink(domain, |domain| differs(&Case { domain: Some(domain.to_vec()), ..case.clone() }));
            case.domain = Some(smaller);
        }
        case
    }
}

const ONLY_LIBVIRT_ACCEPTS: &str = "only libvirt accepts";

fn compare(case: &Case, theirs: &Answer, ours: &Verdict, messages: bool) -> Outcome {
    match (theirs, ours) {
        (Answer::Accepted(theirs), Verdict::Accepted(ours)) if theirs == ours => Outcome::Same,
        (Answer::Accepted(theirs), Verdict::Accepted(ours)) if *theirs == raw_white_space(ours) => {
            Outcome::Explained("white space written as references")
        }
        (Answer::Accepted(_), Verdict::Accepted(_)) => Outcome::Different("other text"),
        (_, Verdict::Refused(_)) if has_internal_subset(&case.document) => {
            Outcome::Explained("an internal subset refused")
        }
        (Answer::Accepted(_), Verdict::Refused(_)) => Outcome::Different(ONLY_LIBVIRT_ACCEPTS),
        (Answer::Refused { .. }, Verdict::Accepted(_)) => Outcome::Different("only libvirt refuses"),
        (Answer::Refused { message, .. }, Verdict::Refused(ours)) => {
            if messages && is_own_message(message) && !ours.contains(message) {
                Outcome::Different("other message")
            } else {
                Outcome::Same
            }
        }
    }
}

/// libvirt writes these characters verbatim and loses them when it reads its output; backupxml writes references.
fn raw_white_space(text: &str) -> String {
    text.replace("&#9;", "\t").replace("&#10;", "\n").replace("&#13;", "\r")
}

/// backupxml refuses an internal subset with one error instead of expanding it.
fn has_internal_subset(document: &[u8]) -> bool {
    let text = String::from_utf8_lossy(document);
    text.split_once("<!DOCTYPE").is_some_and(|(_, after)| {
        let declaration = after.split('>').next().unwrap_or_default();
        declaration.contains('[')
    })
}

/// Whether a message comes neither from the schema validator nor from the XML parser, whose text is not reproduced, and is
/// not about the root element, by which the library decides on the kind of document.
fn is_own_message(message: &str) -> bool {
    let others = ["at line ", "(domain_backup):", "(domain_checkpoint):", "XML error: expecting root element"];
    !message.contains("failed to validate against schema") && !others.iter().any(|start| message.starts_with(start))
}

#[derive(Default)]
struct Tally {
    cases: u64,
    differences: u64,
    verdicts: BTreeMap<String, u64>,
    excluded: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn add(&mut self, judgement: &Judgement) {
        self.cases += 1;
        *self.verdicts.entry(judgement.verdict.clone()).or_default() += 1;
        match judgement.outcome {
            Outcome::Same => {}
            Outcome::Different(_) => self.differences += 1,
            Outcome::Explained(why) | Outcome::Skipped(why) => *self.excluded.entry(why).or_default() += 1,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cases, {} unexplained differences", self.cases, self.differences)?;
        for (verdict, count) in &self.verdicts {
            writeln!(f, "  libvirt {verdict}: {count}")?;
        }
        for (why, count) in &self.excluded {
            writeln!(f, "  set aside, {why}: {count}")?;
        }
        Ok(())
    }
}
