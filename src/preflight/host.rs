//! What the machine rules out: rules over a backup, its domain, and the facts that were gathered.

mod bitmap;
mod destination;
mod domain;
mod existing;
mod secret;
mod server;
mod space;

use crate::backup::Disk;
use crate::diagnostic::Diagnostic;
use crate::host::Facts;
use crate::host::files::{End, FileSystem, Files, Place, User, Wish};
use crate::rules::{Rule, Severity};

use super::Context;

/// What the rules about files look at.
struct Host<'h, 'c> {
    context: &'h Context<'c>,
    facts: &'c Facts,
    files: &'c Files,
}

pub(super) fn check(context: &Context<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(facts) = context.options.host.as_deref() else { return };
    let mut found = Vec::new();
    domain::check(context, &facts.vm, &mut found);
    secret::check(context, &facts.vm, &mut found);
    if let Some(files) = &facts.files {
        let host = Host { context, facts, files };
        let mut of_files = Vec::new();
        destination::check(&host, &mut of_files);
        bitmap::check(&host, &mut of_files);
        server::check(&host, &mut of_files);
        space::check(&host, &mut of_files);
        found.extend(of_files.into_iter().map(|diagnostic| host.weighed(diagnostic)));
    }
    add_new(diagnostics, found);
}

/// A checkpoint that is created by itself.
pub(super) fn check_checkpoint(context: &Context<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(facts) = context.options.host.as_deref() else { return };
    let mut found: Vec<_> = domain::check_checkpoint(context, &facts.vm).into_iter().collect();
    if let (Some(files), true) = (&facts.files, found.is_empty()) {
        let host = Host { context, facts, files };
        let mut of_files = Vec::new();
        bitmap::check(&host, &mut of_files);
        found.extend(of_files.into_iter().map(|diagnostic| host.weighed(diagnostic)));
    }
    add_new(diagnostics, found);
}

/// Adds what the documents do not rule out themselves.
fn add_new(diagnostics: &mut Vec<Diagnostic>, found: Vec<Diagnostic>) {
    let known: Vec<_> =
        diagnostics.iter().filter(|known| known.is_error()).map(|known| known.primary.clone()).collect();
    let is_new = |new: &Diagnostic| {
        !known.iter().any(|known| known.document == new.primary.document && known.span == new.primary.span)
    };
    diagnostics.extend(found.into_iter().filter(is_new));
}

/// A diagnostic that does not keep a backup from starting.
fn warning(mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.severity = Severity::Warning;
    diagnostic
}

impl<'c> Host<'_, 'c> {
    /// Where libvirt may see other files than this process, nothing about them is certain.
    fn weighed(&self, diagnostic: Diagnostic) -> Diagnostic {
        let Some(why) = &self.files.other_view else { return diagnostic };
        let help = diagnostic.help.clone().unwrap_or_default();
        warning(diagnostic).help(format!("{help}; {why}, so libvirt may see it differently"))
    }

    /// Where a path leads; nothing when it was not looked at.
    fn place(&self, path: &str) -> Option<&'c Place> {
        self.files.paths.get(path)
    }

    fn file_system(&self, place: &Place) -> Option<&'c FileSystem> {
        self.files.file_system(place)
    }

    /// Whom QEMU runs as, if that is not root.
    fn plain_user(&self) -> Option<&'c User> {
        self.files.user.as_ref().filter(|user| user.uid != 0)
    }

    /// The first directory on the way that QEMU cannot search, by its path.
    fn closed<'p>(&self, place: &'p Place) -> Option<&'p str> {
        if let End::Closed(path) = &place.end {
            // In a session, QEMU is the user of this process.
            return self.facts.vm.is_session().then_some(path);
        }
        let user = self.plain_user()?;
        let closed = place.directories.iter().find(|directory| user.may(Wish::SEARCH, directory.access) == Some(false));
        closed.map(|directory| directory.path.as_str())
    }

    /// A diagnostic about the destination of a disk.
    fn about(&self, rule: Rule, disk: &Disk, message: String) -> Diagnostic {
        Diagnostic::new(rule, super::destination::place_of_path(self.context, disk), message)
    }
}

/// What keeps the kernel from following a path, in its words and in ours.
fn no_way(place: &Place) -> Option<NoWay> {
    let (what, said) = match &place.end {
        End::NoDirectory(path) => (format!("{path} does not exist"), "No such file or directory"),
        End::NotADirectory(path) => (format!("{path} is not a directory"), "Not a directory"),
        End::LinkLoop => ("its symbolic links lead in a circle".to_owned(), "Too many levels of symbolic links"),
        End::Found(_) | End::Absent | End::Closed(_) | End::Failed(_) => return None,
    };
    Some(NoWay { what, said })
}

/// A path that leads nowhere.
struct NoWay {
    what: String,
    said: &'static str,
}
