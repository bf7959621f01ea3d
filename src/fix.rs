//! Applies the fixes of diagnostics until none is left that improves the document.

use std::iter::successors;

use crate::diagnostic::{Applicability, Diagnostic, Edit, Fix};
use crate::domain::Domain;
use crate::options::Options;
use crate::pipeline::check;

/// Bytes that may be checked again to see the effect of fixes: thousands of attempts for an ordinary file, a few for a
/// large one, whose fixes can nearly always be applied together.
const RECHECK_BUDGET: usize = 8 << 20;
/// The cost of a diagnostic, in bytes that take as long to check.
const DIAGNOSTIC_COST: usize = 256;
/// The cost of a disk of the domain, which alignment adds to the backup.
const DISK_COST: usize = 64;
/// Attempts made whatever the size of the file.
const MIN_ATTEMPTS: usize = 2;

/// A document after fixes were applied.
#[derive(Debug)]
pub struct Fixed {
    /// The text.
    pub text: String,
    /// The number of fixes applied.
    pub applied: usize,
    /// The remaining diagnostics.
    pub diagnostics: Vec<Diagnostic>,
}

/// Applies fixes up to the given applicability. A fix that does not reduce the number of errors, or of warnings if
/// there are no errors, is not applied; so this terminates and never makes a document worse.
#[must_use]
pub fn fix(text: &str, domain: Option<&Domain>, options: &Options, allowed: Applicability) -> Fixed {
    let mut fixed = Fixed { text: text.to_owned(), applied: 0, diagnostics: check(text, domain, options) };
    let mut read_again = 0;
    loop {
        let candidates = candidates(&fixed.diagnostics, allowed);
        if candidates.is_empty() {
            return fixed;
        }
        let disks = domain.map_or(0, |domain| domain.disks.len());
        let cost = fixed.text.len() + DIAGNOSTIC_COST * fixed.diagnostics.len() + DISK_COST * disks;
        // Try all fixes together, then halves, quarters and at last single fixes, in case some exclude each other.
        let sizes = successors(Some(candidates.len()), |size| (*size > 1).then(|| size.div_ceil(2)));
        let attempts = sizes.flat_map(|size| candidates.chunks(size)).take_while(|_| {
            read_again += cost;
            read_again <= RECHECK_BUDGET.max(MIN_ATTEMPTS * cost)
        });
        let better = attempts.map(|fixes| attempt(&fixed, fixes, domain, options));
        match better.flatten().next() {
            Some(better) => fixed = better,
            None => return fixed,
        }
    }
}

/// The first applicable fix of each diagnostic, without those that overlap an earlier one.
fn candidates(diagnostics: &[Diagnostic], allowed: Applicability) -> Vec<Fix> {
    let mut chosen: Vec<Fix> = Vec::new();
    let mut end = 0;
    for diagnostic in diagnostics {
        let Some(fix) = diagnostic.fixes.iter().find(|fix| fix.applicability <= allowed) else { continue };
        let start = fix.edits.iter().map(|edit| edit.span.start).min().unwrap_or_default();
        if start >= end {
            end = fix.edits.iter().map(|edit| edit.span.end).max().unwrap_or(end).max(end);
            chosen.push(fix.clone());
        }
    }
    chosen
}

/// The number of errors and of warnings. Warnings are only reported once there are no errors.
fn weight(diagnostics: &[Diagnostic]) -> (usize, usize) {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    (errors, diagnostics.len() - errors)
}

/// Applies some fixes; `None` if that does not improve the document.
fn attempt(before: &Fixed, fixes: &[Fix], domain: Option<&Domain>, options: &Options) -> Option<Fixed> {
    let edits = fixes.iter().flat_map(|fix| fix.edits.iter().cloned()).collect();
    let text = apply(&before.text, edits)?;
    let diagnostics = check(&text, domain, options);
    let better = weight(&diagnostics) < weight(&before.diagnostics);
    better.then(|| Fixed { text, applied: before.applied + fixes.len(), diagnostics })
}

/// Applies edits that do not overlap; `None` if an edit is outside the text.
#[must_use]
pub fn apply(text: &str, mut edits: Vec<Edit>) -> Option<String> {
    edits.sort_by_key(|edit| edit.span);
    let mut result = String::with_capacity(text.len() + 64);
    let mut done = 0;
    for edit in edits {
        let range = edit.span.range();
        result.push_str(text.get(done..range.start)?);
        result.push_str(&edit.text);
        done = range.end;
    }
    result.push_str(text.get(done..)?);
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(text: &str, allowed: Applicability) -> (String, usize) {
        let fixed = fix(text, None, &Options::default(), allowed);
        (fixed.text, fixed.diagnostics.len())
    }

    #[test]
    fn unsafe_fixes_are_applied_only_on_request() {
        let text = "<domainbackup mode='psuh'><disks><disk nmae='vda' bogus='1'/></disks></domainbackup>";
        let safe = "<domainbackup mode='push'><disks><disk name='vda' bogus='1'/></disks></domainbackup>";
        assert_eq!(fixed(text, Applicability::Safe), (safe.to_owned(), 1));
        assert_eq!(fixed(text, Applicability::Unsafe), (safe.replace(" bogus='1'/>", "/><!-- bogus='1' -->"), 0));
    }

    #[test]
    fn new_warnings_do_not_prevent_fixes() {
        let domain = Domain::parse(
            "<domain id='1'><devices><disk><source file='/a'/><target dev='vda'/></disk>\
             <disk><source file='/b'/><target dev='vdb'/></disk></devices></domain>",
        )
        .unwrap();
        let text = "<domainbackup><disks><disk nmae='vda'/></disks></domainbackup>";
        let fixed = fix(text, Some(&domain), &Options::default(), Applicability::Safe);
        assert_eq!(fixed.text, "<domainbackup><disks><disk name='vda'/></disks></domainbackup>");
        assert_eq!(fixed.diagnostics.len(), 1, "that vdb is not listed");
    }

    #[test]
    fn syntax_errors_are_fixed_first() {
        let text = "<domainbackup><disks><disk name='vda type='fiel'/></disks></domainbackup>";
        let (text, left) = fixed(text, Applicability::Unsafe);
        assert_eq!(
            (text.as_str(), left),
            ("<domainbackup><disks><disk name='vda' type='file'/></disks></domainbackup>", 0)
        );
    }
}
