//! Marks all over a text that are none of the document's: line numbers, quote marks, backslashes, colours.

use crate::diagnostic::{Applicability, Diagnostic, Edit, Span};
use crate::rules::Rule;

use super::Cause;

/// A kind of marks: its first place, and the edits that take all of them away.
pub(super) fn find(text: &str) -> Option<Cause> {
    [conflict, diff, colours, escapes, doubled_quotes, prefixes].iter().find_map(|find| find(text))
}

fn cut(start: usize, end: usize) -> Edit {
    Edit { span: Span::new(start, end), text: String::new() }
}

/// The lines of a text, without their ends, and where they start.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let here = start;
        start += line.len();
        (here, line.trim_end_matches(['\r', '\n']))
    })
}

/// Where the line after the one that starts at `start` starts.
fn next_line(text: &str, start: usize) -> usize {
    text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |feed| start + feed + 1)
}

/// Merge conflict markers; what goes on is the first side.
fn conflict(text: &str) -> Option<Cause> {
    let is_marker =
        |line: &str, mark: &str| line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    let mut edits = Vec::new();
    let mut open: Option<usize> = None;
    let (mut first, mut second, mut last) = (None, None, None);
    for (start, line) in lines(text).filter(|(_, line)| line.len() >= 7) {
        if is_marker(line, "<<<<<<<") {
            first = first.or(Some(Span::new(start, start + line.len())));
            edits.push(cut(start, next_line(text, start)));
        } else if is_marker(line, "=======") || is_marker(line, "|||||||") {
            second = second.or_else(|| (line == "=======").then(|| Span::new(start, start + line.len())));
            open = open.or(Some(start));
        } else if is_marker(line, ">>>>>>>") {
            last = last.or(Some(Span::new(start, start + line.len())));
            edits.push(cut(open.take().unwrap_or(start), next_line(text, start)));
        }
    }
    let (first, second, last) = (first?, second?, last?);
    let diagnostic = Diagnostic::new(Rule::CopiedText, first, "merge conflict marker `<<<<<<<`")
        .label(second, "between the two sides")
        .label(last, "end of the conflict")
        .help("resolve the conflict: keep one side, and remove the three markers")
        .libvirt("StartTag: invalid element name");
    Some(Cause { diagnostic, edits, fix: None })
}

/// A unified diff; what goes on is the new side.
fn diff(text: &str) -> Option<Cause> {
    let is_hunk = |line: &str| line.starts_with("@@ -");
    let is_unified = lines(text).any(|(_, line)| is_hunk(line));
    let written = || lines(text).filter(|(_, line)| !line.trim().is_empty());
    let all_added = !is_unified && written().all(|(_, line)| line.starts_with('+'));
    let (start, first) = written().next()?;
    if !is_unified && !all_added {
        return None;
    }
    let mut edits = Vec::new();
    let mut is_content = all_added;
    for (start, line) in lines(text) {
        let is_header = line.starts_with("diff ") || line.starts_with("index ") || line.starts_with("--- ");
        is_content = is_content && !is_header || is_hunk(line);
        if !is_content || is_hunk(line) || line.starts_with(['-', '\\']) {
            edits.push(cut(start, next_line(text, start)));
        } else if line.starts_with(['+', ' ']) {
            edits.push(cut(start, start + 1));
        }
    }
    let end = start + if all_added { 1 } else { first.trim_end().len() };
    let diagnostic = Diagnostic::new(Rule::CopiedText, Span::new(start, end), "this is a diff, not the document")
        .help("apply it with `patch` or `git apply`, and check the file that it changes")
        .libvirt("Start tag expected, '<' not found");
    Some(Cause { diagnostic, edits, fix: all_added.then_some(Applicability::Unsafe) })
}

/// Escape sequences of a terminal: `ESC [ … letter`.
fn colours(text: &str) -> Option<Cause> {
    let sequence = |at: usize| {
        let body = text.get(at + 2..).unwrap_or_default();
        let length = body.find(|next: char| !matches!(next, '0'..='?')).unwrap_or(body.len());
        at + 2 + length + body.get(length..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
    };
    let edits: Vec<_> = text.match_indices("\u{1b}[").map(|(at, _)| cut(at, sequence(at))).collect();
    let first = edits.first()?.span;
    let diagnostic = Diagnostic::new(Rule::CopiedText, first, "terminal escape sequence (U+001B ESCAPE)")
        .help("save the output without colours, or as plain text");
    Some(Cause { diagnostic, edits, fix: Some(Applicability::Safe) })
}

/// Backslashes before quotes and for line feeds, as in a string of a program.
fn escapes(text: &str) -> Option<Cause> {
    let is_string = text.trim_start().starts_with("\"<");
    let quote = text.find("=\\\"").or_else(|| text.find("=\\'")).map(|at| at + 1);
    let feed = text.find(">\\n").map(|at| at + 1);
    let first = quote.into_iter().chain(feed).min();
    if first.is_none() || quote.is_none() && !text.trim_end().trim_matches(['"', '\'']).ends_with(['>', 'n']) {
        return None;
    }
    let first = first?;
    let mut edits = Vec::new();
    for (at, _) in text.match_indices('\\') {
        let replaced = match text.get(at + 1..).and_then(|rest| rest.chars().next()) {
            Some('n') => "\n",
            Some('t') => "\t",
            Some('"') => "\"",
            Some('\'') => "'",
            _ => continue,
        };
        edits.push(Edit { span: Span::new(at, at + 2), text: replaced.to_owned() });
    }
    let (span, fix) = if is_string {
        let start = text.find('"')?;
        edits.push(cut(start, start + 1));
        let end = text
            .rfind('"')
            .filter(|end| *end > start + 1 && text.get(..*end).is_some_and(|before| !before.ends_with('\\')));
        edits.extend(end.map(|end| cut(end, end + 1)));
        (Span::new(start, start + text.get(start..)?.lines().next()?.trim_end().len()), Applicability::Unsafe)
    } else {
        let fix = if feed.is_some() { Applicability::Unsafe } else { Applicability::Safe };
        (Span::new(first, first + 2), fix)
    };
    let message = "this is a string of a program: quotes or line feeds are written with a backslash";
    let diagnostic =
        Diagnostic::new(Rule::NotXml, span, message).help("save what the program prints, without the backslashes");
    let diagnostic = if is_string {
        diagnostic.libvirt("Start tag expected, '<' not found")
    } else if quote == Some(first) {
        diagnostic.libvirt("AttValue: \" or ' expected")
    } else {
        diagnostic
    };
    Some(Cause { diagnostic, edits, fix: Some(fix) })
}

/// `name=""value""`, as CSV and Visual Basic write quotes.
fn doubled_quotes(text: &str) -> Option<Cause> {
    let is_doubled = |at: usize| {
        text.get(at + 3..).is_some_and(|rest| rest.starts_with(|next: char| next.is_alphanumeric() || next == '/'))
    };
    let first = text.match_indices("=\"\"").map(|(at, _)| at).find(|at| is_doubled(*at))? + 1;
    let edits = text.match_indices("\"\"").map(|(at, _)| cut(at, at + 1)).collect();
    let diagnostic = Diagnostic::new(Rule::NotXml, Span::new(first, first + 2), "doubled quotes, as in CSV")
        .help("write each quote once")
        .libvirt("attributes construct error");
    Some(Cause { diagnostic, edits, fix: Some(Applicability::Safe) })
}

/// What each line of a copied text may begin with.
struct Prefix {
    message: &'static str,
    /// How much of a line it is; the number of the line, counted from the first, is given too.
    length: fn(&str) -> Option<usize>,
    fix: Applicability,
}

const PREFIXES: [Prefix; 4] = [
    Prefix { message: "line numbers before each line", length: number_length, fix: Applicability::Safe },
    Prefix {
        message: "quote marks `>` before each line, as in a mail",
        length: quote_length,
        fix: Applicability::Safe,
    },
    Prefix {
        message: "comment marks `# ` before each line",
        length: |line| comment_length(line, "#"),
        fix: Applicability::Unsafe,
    },
    Prefix {
        message: "comment marks `// ` before each line",
        length: |line| comment_length(line, "//"),
        fix: Applicability::Unsafe,
    },
];

/// `12:`, `12 `, `12|`, `12. `, `12<tab>`, `file:12:`
fn number_length(line: &str) -> Option<usize> {
    let space = line.len() - line.trim_start_matches(' ').len();
    let rest = line.get(space..)?;
    let name = rest.split_once(':').filter(|(name, rest)| {
        !name.contains([' ', '<', '"'])
            && rest.starts_with(|next: char| next.is_ascii_digit())
            && !name.bytes().all(|byte| byte.is_ascii_digit())
    });
    let name = name.map_or(0, |(name, _)| name.len() + 1);
    let digits = rest.get(name..)?;
    let length = digits.find(|next: char| !next.is_ascii_digit()).unwrap_or(digits.len());
    let after = digits.get(length..)?;
    let bar = after.trim_start_matches(' ').starts_with(['|', '│']);
    let mark = match after.chars().next() {
        _ if bar => after.len() - after.trim_start_matches(' ').trim_start_matches(['|', '│']).len(),
        None | Some('\t' | ':') => after.len().min(1),
        Some('.' | ')') => 1,
        Some(' ') => 0,
        _ => return None,
    };
    let after = after.get(mark..)?;
    let blank = usize::from(after.starts_with(' ') && !matches!(digits.as_bytes().get(length), Some(b':' | b'\t')));
    (length > 0).then_some(space + name + length + mark + blank)
}

fn quote_length(line: &str) -> Option<usize> {
    let mut length = 0;
    while let Some(rest) = line.get(length..).and_then(|rest| rest.strip_prefix('>')) {
        length += 1 + usize::from(rest.starts_with(' '));
    }
    (length > 0).then_some(length)
}

fn comment_length(line: &str, mark: &str) -> Option<usize> {
    let rest = line.strip_prefix(mark)?;
    Some(mark.len() + usize::from(rest.starts_with(' ')))
}

/// Marks before each line, from the first line that holds a tag to the last.
fn prefixes(text: &str) -> Option<Cause> {
    let (first, _) = lines(text).find(|(_, line)| line.contains('<'))?;
    let (last, _) = lines(text).filter(|(_, line)| line.contains('>')).last()?;
    let inside = || lines(text).filter(|(start, line)| (first..=last).contains(start) && !line.trim().is_empty());
    let (_, line) = inside().next()?;
    let starts_document = |length: &usize| line.get(*length..).is_some_and(|rest| rest.trim_start().starts_with('<'));
    let prefix = PREFIXES.iter().find(|prefix| {
        (prefix.length)(line).as_ref().is_some_and(starts_document)
            && inside().all(|(_, line)| (prefix.length)(line).is_some())
    })?;
    let mut outside = false;
    let mut edits = Vec::new();
    for (start, line) in lines(text) {
        if (first..=last).contains(&start) {
            edits.extend((prefix.length)(line).map(|length| cut(start, start + length)));
        } else {
            outside |=
                !line.trim().is_empty() && (prefix.length)(line).is_none_or(|length| length < line.trim_end().len());
            edits.push(cut(start, next_line(text, start)));
        }
    }
    let span = Span::new(first, first + (prefix.length)(line)?);
    let diagnostic = Diagnostic::new(Rule::CopiedText, span, prefix.message)
        .help("save the document without them")
        .libvirt("Start tag expected, '<' not found");
    Some(Cause { diagnostic, edits, fix: Some(if outside { Applicability::Unsafe } else { prefix.fix }) })
}
