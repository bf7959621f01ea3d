//! Start tags: a name and attributes, with every way to get their quotes wrong.

use std::collections::HashMap;

use crate::ambiguous::Ambiguous;
use crate::diagnostic::{Applicability, Diagnostic, Edit, Span};
use crate::rules::Rule;
use crate::wording::{self, is_space, space_length};

use super::inside_tag::{self, report_ambiguous};
use super::reference;
use super::scan::{Scanner, known_elements};
use super::tree::{AttributeData, Namespace};
use super::value;

/// Whether a character may start a name.
pub(super) fn starts_name(character: char) -> bool {
    matches!(character, ':' | '_' | 'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}'
        | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

/// Whether a character may go on in a name.
pub(super) fn continues_name(character: char) -> bool {
    starts_name(character)
        || matches!(character, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

fn is_curly(character: char) -> bool {
    matches!(character, '\u{2018}'..='\u{201f}' | '\u{2032}' | '\u{2033}' | '\u{ab}' | '\u{bb}' | '\u{301d}'..='\u{301f}')
        || matches!(character, '\u{ff02}' | '\u{ff07}')
}

/// Whether `text` starts with the name of one of libvirt's elements, as in a tag.
fn starts_with_element(text: &str) -> bool {
    let name = text.split(|character: char| !continues_name(character)).next().unwrap_or_default();
    let ends = text.get(name.len()..).and_then(|rest| rest.chars().next());
    ends.is_some_and(|next| is_space(next) || matches!(next, '/' | '>')) && known_elements().any(|known| known == name)
}

/// For a `<` that is followed by white space and then by the name of an element: its length, with a `/` after it.
pub(super) fn space_before_name(text: &str) -> Option<usize> {
    let length = 1 + space_length(text.get(1..)?);
    let length = length + usize::from(text.get(length..)?.starts_with('/'));
    let name = text.get(length..)?.trim_start_matches(is_space);
    starts_with_element(name).then_some(length)
}

/// Where in a text up to the next `<` a tag starts that has none, if it is all of it or an end tag at its end.
pub(crate) fn without_less_than(text: &str) -> Option<usize> {
    let start = space_length(text);
    let begins = |tag: &str| text.get(start..).is_some_and(|text| text.starts_with(tag));
    if begins("incremental>") || begins("label>") {
        return Some(start);
    }
    let trimmed = text.trim_end_matches(is_space).strip_suffix('>')?;
    let whole = trimmed.get(start..)?;
    let is_tag = starts_with_element(text.get(start..)?.trim_start_matches('/'));
    if is_tag && !whole.contains('>') {
        return Some(start);
    }
    let slash = trimmed.rfind('/')?;
    let name = trimmed.get(slash + 1..)?;
    known_elements().any(|known| known == name).then_some(slash)
}

fn is_backquote(character: char) -> bool {
    matches!(character, '`' | '\u{b4}')
}

/// Reads a start tag that begins at `start`, from its name on.
pub(super) fn start_tag(scanner: &mut Scanner<'_>, start: usize) {
    let name_start = scanner.position;
    let written = name(scanner);
    let name = split_joined_name(scanner, written, start);
    let first = attribute_count(scanner);
    let mut seen = HashMap::new();
    let mut slash = None;
    while !std::mem::take(&mut scanner.tag_ended) {
        let mut had_space = skip_space(scanner);
        while inside_tag::skip(scanner, start) {
            had_space = true;
            skip_space(scanner);
        }
        let rest = scanner.rest();
        let Some(next) = rest.chars().next().filter(|_| rest.trim_end() != "/") else {
            scanner.position = scanner.text.len();
            truncated(scanner, start, name);
            break;
        };
        if next == '>' {
            scanner.position += 1;
            break;
        }
        if rest.starts_with("/>") {
            slash = Some(Span::new(scanner.position, scanner.position + 1));
            scanner.position += 2;
            break;
        }
        if rest.strip_prefix('/').unwrap_or(rest).trim_start().starts_with('<') {
            scanner.position += usize::from(next == '/');
            slash = unfinished(scanner, start, name);
            break;
        }
        if starts_name(next) {
            if !had_space {
                missing_space(scanner);
            }
            attribute(scanner, &mut seen);
        } else {
            unexpected_characters(scanner);
        }
    }
    let attributes = (first, attribute_count(scanner));
    let span = Span::new(start, scanner.position);
    scanner.opened(name, span, Span::new(name_start, name_start + name.len()), slash, attributes);
}

fn attribute_count(scanner: &Scanner<'_>) -> u32 {
    u32::try_from(scanner.attributes.len()).unwrap_or(u32::MAX)
}

fn name<'a>(scanner: &mut Scanner<'a>) -> &'a str {
    let rest = scanner.rest();
    let end = rest.find(|character: char| !continues_name(character)).unwrap_or(rest.len());
    scanner.position += end;
    rest.get(..end).unwrap_or_default()
}

fn skip_space(scanner: &mut Scanner<'_>) -> bool {
    let rest = scanner.rest();
    let length = rest.len() - rest.trim_start_matches(is_space).len();
    scanner.position += length;
    length > 0
}

/// The name of an element that is written together with its first attribute, or with its text: what comes after the
/// name is left to be read as that.
fn split_joined_name<'a>(scanner: &mut Scanner<'a>, written: &'a str, start: usize) -> &'a str {
    let rest = scanner.rest().trim_start();
    let is_glued = |known: &&str| {
        let Some(remainder) = written.strip_prefix(*known).filter(|remainder| !remainder.is_empty()) else {
            return false;
        };
        let has_attribute = remainder.starts_with(starts_name) && rest.starts_with('=');
        has_attribute || rest.strip_prefix("</").is_some_and(|end| end.starts_with(*known))
    };
    if !rest.starts_with('=') && !rest.starts_with("</") {
        return written;
    }
    let Some(known) = known_elements().filter(is_glued).max_by_key(|known| known.len()) else { return written };
    let end = start + 1 + known.len();
    scanner.position = end;
    if rest.starts_with("</") {
        let diagnostic = Diagnostic::new(
            Rule::NotWellFormed,
            Span::new(start, end),
            wording::not_closed(&format!("start tag <{known}")),
        )
        .help("write `>` at its end")
        .libvirt(format!("Couldn't find end of Start Tag {written}"))
        .safe_fix(wording::insert("`>`"), Span::new(end, end), ">");
        scanner.report(diagnostic);
        scanner.tag_ended = true;
    }
    written.get(..known.len()).unwrap_or(written)
}

/// The document ends in a tag.
fn truncated(scanner: &mut Scanner<'_>, start: usize, name: &str) {
    let end = scanner.text.trim_end().len().max(start + 1);
    let diagnostic = Diagnostic::new(
        Rule::NotWellFormed,
        Span::new(start, end),
        wording::ends_inside(&format!("the start tag <{name}")),
    )
    .help("complete the tag, and what comes after it")
    .libvirt(format!("Couldn't find end of Start Tag {name}"));
    // Errors in it are consequences of that.
    scanner.withdraw_within(Span::new(start, end));
    scanner.report_end(diagnostic);
}

/// A tag that another one starts in: its `>` is missing. Returns the `/` if the tag is taken to close itself.
fn unfinished(scanner: &mut Scanner<'_>, start: usize, name: &str) -> Option<Span> {
    let written = scanner.text.get(start..scanner.position).unwrap_or_default();
    let end = start + written.trim_end().len();
    let ahead = scanner.ahead();
    let find = |tag: &str| {
        let mut found = ahead.match_indices(tag);
        found.find(|(at, tag)| !ahead.get(at + tag.len()..).is_some_and(|rest| rest.starts_with(continues_name)))
    };
    let is_closed_later = find(&format!("</{name}")).is_some_and(|(close, _)| {
        let opened_again = find(&format!("<{name}"));
        opened_again.is_none_or(|(opened, _)| close < opened)
    });
    let half_closed = written.trim_end().ends_with('/');
    let missing = if is_closed_later || half_closed { ">" } else { "/>" };
    let diagnostic =
        Diagnostic::new(Rule::NotWellFormed, Span::new(start, end), wording::not_closed(&format!("start tag <{name}")))
            .help(format!("write `{missing}` at its end"))
            .libvirt(format!("Couldn't find end of Start Tag {name}"))
            .unsafe_fix(wording::insert(&wording::code(missing)), Span::new(end, end), missing);
    scanner.report(diagnostic);
    (missing == "/>" || half_closed).then(|| Span::new(end, end))
}

fn missing_space(scanner: &mut Scanner<'_>) {
    let at = scanner.position;
    let rest = scanner.rest();
    let length = rest.find(|character: char| !continues_name(character)).unwrap_or(rest.len());
    let diagnostic =
        Diagnostic::new(Rule::NotWellFormed, Span::new(at, at + length), "missing white space before an attribute")
            .help("write a space between two attributes")
            .libvirt("attributes construct error")
            .safe_fix(wording::insert("a space"), Span::new(at, at), " ");
    scanner.report(diagnostic);
}

/// Something that is no attribute.
fn unexpected_characters(scanner: &mut Scanner<'_>) {
    let start = scanner.position;
    let rest = scanner.rest();
    let length = rest.find(|character: char| is_space(character) || matches!(character, '>' | '<'));
    let mut length = length.unwrap_or(rest.len()).max(1);
    // The slash of an empty-element tag is not part of it.
    let written = rest.get(..length).unwrap_or_default();
    if written.len() > 1 && written.ends_with('/') && rest.get(length..).is_some_and(|rest| rest.starts_with('>')) {
        length -= 1;
    }
    let length = (length..rest.len()).find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
    scanner.position += length;
    let span = Span::new(start, start + length);
    let is_quote = rest.starts_with(['\'', '"']);
    let (rule, message) = if is_quote {
        (Rule::MissingQuote, "unexpected quote")
    } else {
        (Rule::NotWellFormed, "unexpected characters")
    };
    let message = format!("{message} in a start tag");
    let diagnostic = Diagnostic::new(rule, span, message)
        .help("remove it")
        .libvirt("attributes construct error")
        .unsafe_fix(wording::remove("it"), span, "");
    scanner.report(diagnostic);
}

fn attribute<'a>(scanner: &mut Scanner<'a>, seen: &mut HashMap<&'a str, (Span, Span)>) {
    let start = scanner.position;
    let written = name(scanner);
    let written = written.split(looks_like_equals).next().unwrap_or_default();
    let name = written.trim_end_matches(':');
    let name_end = start + name.len();
    scanner.position = name_end;
    skip_space(scanner);
    let rest = scanner.rest();
    let separator = rest.get(..rest.find(|next| !matches!(next, ':' | '=' | '>')).unwrap_or(0)).unwrap_or_default();
    let behind = rest.get(separator.len()..).unwrap_or_default().trim_start_matches(is_space);
    if !matches!(separator, "" | "=") && behind.starts_with(['\'', '"']) {
        let span = Span::new(scanner.position, scanner.position + separator.len());
        let message = format!("{} between attribute `{name}` and its value", wording::code(separator));
        let diagnostic = Diagnostic::new(Rule::NotWellFormed, span, message)
            .help(format!("write {name}="))
            .libvirt(format!("Specification mandates value for attribute {name}"))
            .safe_fix(wording::replace_with("`=`"), span, "=");
        scanner.report(diagnostic);
        scanner.position += separator.len();
        skip_space(scanner);
    } else if rest.starts_with('=') {
        scanner.position += 1;
        skip_space(scanner);
    } else if let Some(equals) = rest.chars().next().filter(|next| looks_like_equals(*next)) {
        let at = scanner.position;
        scanner.position += equals.len_utf8();
        report_ambiguous(scanner, at, scanner.position);
        skip_space(scanner);
    } else if rest.starts_with(['\'', '"']) {
        let diagnostic = Diagnostic::new(
            Rule::NotWellFormed,
            Span::new(start, name_end),
            format!("missing `=` after attribute `{name}`"),
        )
        .help(format!("write {name}="))
        .libvirt(format!("Specification mandates value for attribute {name}"))
        .safe_fix(wording::insert("`=`"), Span::new(name_end, name_end), "=");
        scanner.report(diagnostic);
    } else {
        scanner.position = start + written.len();
        let value_span = no_value(scanner, name, start);
        return add_attribute(scanner, name, Span::new(start, scanner.position), value_span);
    }
    let value_span = value(scanner, name, start);
    let span = Span::new(start, scanner.position);
    match seen.entry(name) {
        std::collections::hash_map::Entry::Vacant(entry) => {
            entry.insert((span, value_span));
            add_attribute(scanner, name, span, value_span);
        }
        std::collections::hash_map::Entry::Occupied(first) => {
            duplicate_attribute(scanner, name, span, *first.get(), value_span);
        }
    }
}

fn add_attribute<'a>(scanner: &mut Scanner<'a>, name: &'a str, span: Span, value_span: Span) {
    scanner.attributes.push(AttributeData {
        name,
        namespace: Namespace::None,
        span,
        name_length: Span::new(0, name.len()).end,
        value_span,
        decoded: value::of_attribute(scanner.text.get(value_span.range()).unwrap_or_default()),
    });
}

fn looks_like_equals(character: char) -> bool {
    Ambiguous::new(character).is_some_and(|found| found.looks_like == "=")
}

/// Reports an attribute without a value; it counts as one with an empty value.
fn no_value(scanner: &mut Scanner<'_>, name: &str, start: usize) -> Span {
    // White space after a lone = belongs to neither.
    let end = scanner.text.get(..scanner.position).unwrap_or_default().trim_end_matches(is_space).len();
    scanner.position = end;
    let span = Span::new(start, end);
    let diagnostic =
        Diagnostic::new(Rule::NotWellFormed, span, format!("missing value of attribute {}", wording::code(name)))
            .help(format!("write {name}='…', or remove it"))
            .libvirt(format!("Specification mandates value for attribute {name}"))
            .unsafe_fix(wording::remove("the attribute"), span, "");
    scanner.report(diagnostic);
    span.after()
}

fn duplicate_attribute(scanner: &mut Scanner<'_>, name: &str, span: Span, first: (Span, Span), value: Span) {
    let (first, first_value) = first;
    let before = scanner.text.get(..span.start as usize).unwrap_or_default().trim_end().len();
    let edit = Edit { span: Span::new(before, span.end as usize), text: String::new() };
    let is_same = scanner.text.get(value.range()) == scanner.text.get(first_value.range());
    let diagnostic = Diagnostic::new(Rule::DuplicateAttribute, span, wording::duplicate_attribute(name))
        .primary_label("second one here")
        .label(first, wording::FIRST_ONE)
        .help(format!("keep one `{name}`"))
        .libvirt(format!("Attribute {name} redefined"))
        .fix(wording::remove("the second one"), Applicability::safe_if(is_same), vec![edit]);
    scanner.report(diagnostic);
    scanner.doubtful.extend([first, span]);
}

/// Reads the value at the scanner's place, whatever its quotes are; returns the span between them.
fn value(scanner: &mut Scanner<'_>, name: &str, start: usize) -> Span {
    let rest = scanner.rest();
    let Some(quote) = rest.chars().next() else { return no_value(scanner, name, start) };
    if is_curly(quote) || is_backquote(quote) {
        return curly_value(scanner, quote);
    }
    if matches!(quote, '>' | '<') || rest.starts_with("/>") || looks_like_attribute(rest) {
        return no_value(scanner, name, start);
    }
    if !matches!(quote, '\'' | '"') {
        return unquoted_value(scanner, name, start);
    }
    let open = scanner.position + 1;
    let body = scanner.text.get(open..).unwrap_or_default();
    let close = body.find(quote);
    let written = body.get(..close.unwrap_or(body.len())).unwrap_or_default();
    let after = close.and_then(|close| body.get(close + 1..)).unwrap_or_default();
    if let Some(length) = lost_quote(written, after, close.is_some())
        && (close.is_none() || !inside_tag::holds_placeholders(written))
    {
        return unclosed_value(scanner, name, start, quote, length);
    }
    if let Some(length) = rest_after_inner_quote(after, quote) {
        return value_with_quote(scanner, name, open, written.len(), length);
    }
    let end = open + written.len();
    scanner.position = end + 1;
    check_value(scanner, open, end)
}

fn check_value(scanner: &mut Scanner<'_>, open: usize, end: usize) -> Span {
    scanner.in_value = true;
    reference::check(scanner, open, end);
    scanner.in_value = false;
    Span::new(open, end)
}

/// How much of a value follows a quote of its own kind in it, if that is what `after` looks like: up to the next such
/// quote there is nothing that ends a value, and there something does.
fn rest_after_inner_quote(after: &str, quote: char) -> Option<usize> {
    let length = after.find(quote)?;
    let (rest, end) = after.split_at_checked(length)?;
    let end = end.get(quote.len_utf8()..)?;
    let is_end = end.starts_with(is_space) || end.starts_with('>') || end.starts_with("/>");
    let goes_on = rest.starts_with(|first| !is_space(first) && !matches!(first, '/' | '>'));
    (is_end && goes_on && !rest.contains(['=', '<', '>'])).then_some(length)
}

/// A value that is quoted in the quotes that it has inside.
fn value_with_quote(scanner: &mut Scanner<'_>, name: &str, open: usize, before: usize, after: usize) -> Span {
    let inner = Span::new(open + before, open + before + 1);
    let end = open + before + 1 + after;
    let quote = scanner.text.get(inner.range()).unwrap_or_default();
    let reference = if quote == "'" { "&apos;" } else { "&quot;" };
    let diagnostic = Diagnostic::new(
        Rule::MissingQuote,
        inner,
        format!("unescaped `{quote}` in the value of attribute {}", wording::code(name)),
    )
    .help(format!("write `{reference}`, or remove it"))
    .libvirt("attributes construct error")
    .unsafe_fix(wording::replace_with(&wording::code(reference)), inner, reference);
    scanner.report(diagnostic);
    scanner.position = end + 1;
    check_value(scanner, open, end)
}

/// Where a value ends whose closing quote is not there, if that is what it looks like: in `written`, up to the next
/// quote, there is the end of a tag or another attribute.
fn lost_quote(written: &str, after: &str, is_closed: bool) -> Option<usize> {
    let curly = written.find(is_curly).filter(|at| {
        let rest = written.get(*at..).unwrap_or_default().trim_start_matches(is_curly);
        rest.starts_with(|next: char| is_space(next) || matches!(next, '/' | '>'))
    });
    let tag_end = written.find("/>").into_iter().chain(written.find('>')).min();
    let other_quote = written.find(['\'', '"']);
    let next_attribute = written.trim_end().ends_with('=').then(|| {
        let head = written.trim_end().trim_end_matches('=').trim_end();
        head.rfind(is_space).map(|space| head.get(..space).unwrap_or_default().trim_end().len())
    });
    if let Some(Some(end)) = next_attribute
        && tag_end.is_none()
        && !after.starts_with(|next: char| is_space(next) || matches!(next, '>' | '<'))
        && !after.starts_with("/>")
    {
        // The other kind of quote right before may be intended as the closing one.
        return Some(end);
    }
    if !is_closed || written.contains('<') {
        let less_than = written.find('<');
        let end = match (tag_end, less_than) {
            (Some(tag_end), Some(less_than)) if tag_end < less_than => Some(tag_end),
            (Some(tag_end), None) => Some(tag_end),
            (_, less_than) if !is_closed => Some(less_than.unwrap_or(written.len())),
            _ => None,
        }?;
        let head = written.get(..end).unwrap_or_default();
        // An attribute of the same tag may lie in between.
        let next = head.char_indices().find(|(at, character)| {
            is_space(*character) && head.get(*at..).is_some_and(|rest| looks_like_attribute(rest.trim_start()))
        });
        let end = next.map_or(end, |(at, _)| at);
        return Some(curly.or(other_quote).filter(|at| *at < end).unwrap_or(end).min(end));
    }
    curly
}

fn looks_like_attribute(text: &str) -> bool {
    let name = text.find(|character: char| !continues_name(character)).unwrap_or(0);
    name > 0 && text.get(name..).is_some_and(|rest| rest.starts_with("='") || rest.starts_with("=\""))
}

fn unclosed_value(scanner: &mut Scanner<'_>, name: &str, start: usize, quote: char, length: usize) -> Span {
    let open = scanner.position + 1;
    let written = scanner.text.get(open..open + length).unwrap_or_default();
    let value = written.trim_end_matches(is_space);
    let end = open + value.len();
    let rest = scanner.text.get(end..).unwrap_or_default();
    // A quote of another kind in place of this one.
    let wrong = rest.chars().next().filter(|next| is_curly(*next) || matches!(next, '\'' | '"'));
    let place = Span::new(end, end + wrong.map_or(0, char::len_utf8));
    scanner.position = place.end as usize;
    if wrong.is_some_and(is_curly) {
        let edits = vec![Edit { span: place, text: quote.to_string() }];
        scanner.report_as_one(curly_quotes(scanner.text, place, edits));
    } else {
        let span = Span::new(start, place.end as usize);
        let diagnostic = Diagnostic::new(
            Rule::MissingQuote,
            span,
            format!("missing closing quote of attribute {}", wording::code(name)),
        )
        .help(format!("write `{quote}` at the end of the value"))
        .libvirt("Unescaped '<' not allowed in attributes values")
        .unsafe_fix(wording::insert(&format!("`{quote}`")), place, quote);
        scanner.report(diagnostic);
    }
    check_value(scanner, open, end)
}

fn curly_quotes(text: &str, span: Span, edits: Vec<Edit>) -> Diagnostic {
    let character = text.get(span.range()).and_then(|written| written.chars().next()).and_then(Ambiguous::new);
    let name = character.map(|character| format!(": {character}")).unwrap_or_default();
    Diagnostic::new(Rule::CurlyQuotes, span, format!("typographic quotes around an attribute value{name}"))
        .help("write straight quotes, `'` or `\"`; word processors and web pages replace them")
        .libvirt("AttValue: \" or ' expected")
        .fix(wording::replace_with("straight quotes"), Applicability::Safe, edits)
}

fn curly_value(scanner: &mut Scanner<'_>, quote: char) -> Span {
    let start = scanner.position;
    let open = start + quote.len_utf8();
    let body = scanner.text.get(open..).unwrap_or_default();
    let closes = |character: char| is_curly(character) || is_backquote(quote) && is_backquote(character);
    let stop = body.find(|character: char| closes(character) || matches!(character, '<' | '>' | '\'' | '"'));
    let stop = stop.unwrap_or(body.len());
    let closing = body.get(stop..).and_then(|rest| rest.chars().next());
    let (value, closing) = match closing {
        Some(closing) if closes(closing) || matches!(closing, '\'' | '"') => {
            (body.get(..stop).unwrap_or_default(), closing.len_utf8())
        }
        _ => (body.get(..stop).unwrap_or_default().trim_end_matches(['/', ' ', '\n']), 0),
    };
    let end = open + value.len();
    let straight = if value.contains('\'') { "\"" } else { "'" };
    let edits = vec![
        Edit { span: Span::new(start, open), text: straight.to_owned() },
        Edit { span: Span::new(end, end + closing), text: straight.to_owned() },
    ];
    scanner.position = end + closing;
    let span = Span::new(start, scanner.position);
    scanner.report_as_one(curly_quotes(scanner.text, span, edits));
    check_value(scanner, open, end)
}

fn unquoted_value(scanner: &mut Scanner<'_>, name: &str, start: usize) -> Span {
    let at = scanner.position;
    let rest = scanner.rest();
    let stop = rest.find(['\'', '"', '<', '>', '=']).unwrap_or(rest.len());
    let quoted = rest.get(stop..).and_then(|rest| rest.chars().next()).filter(|next| matches!(next, '\'' | '"'));
    let word = rest.find(is_space).unwrap_or(rest.len());
    // A quote at the end of the words, before anything else: the opening one is missing.
    if let Some(quote) = quoted {
        scanner.position = at + stop + 1;
        let span = Span::new(start, scanner.position);
        let diagnostic = Diagnostic::new(
            Rule::MissingQuote,
            span,
            format!("missing opening quote of attribute {}", wording::code(name)),
        )
        .help(format!("write `{quote}` before the value"))
        .libvirt("AttValue: \" or ' expected")
        .safe_fix(wording::insert(&format!("`{quote}`")), Span::new(at, at), quote);
        scanner.report(diagnostic);
        return Span::new(at, at + stop);
    }
    // Words that are no attributes belong to the value.
    let mut length = stop.min(word);
    let tag = rest.get(..rest.find(['<', '>']).unwrap_or(rest.len())).unwrap_or_default();
    while let Some(next) = tag.get(length..).filter(|next| next.starts_with(is_space)) {
        let next = next.trim_start_matches(is_space);
        let name = next.find(|character: char| !continues_name(character)).unwrap_or(next.len());
        if next.is_empty()
            || next.starts_with('/')
            || name > 0 && next.get(name..).is_some_and(|rest| rest.trim_start().starts_with('='))
        {
            break;
        }
        length = tag.len() - next.len() + next.find(is_space).unwrap_or(next.len());
    }
    let value = rest.get(..length).unwrap_or_default();
    let value =
        value.strip_suffix('/').filter(|_| rest.get(stop..).is_some_and(|rest| rest.starts_with('>'))).unwrap_or(value);
    let end = at + value.len();
    scanner.position = end;
    let span = Span::new(start, end);
    if value.is_empty() {
        return no_value(scanner, name, start);
    }
    let edits = vec![
        Edit { span: Span::new(at, at), text: "'".to_owned() },
        Edit { span: Span::new(end, end), text: "'".to_owned() },
    ];
    let diagnostic = Diagnostic::new(
        Rule::MissingQuote,
        span,
        format!("missing quotes around the value of attribute {}", wording::code(name)),
    )
    .help(format!("write {name}='…'"))
    .libvirt("AttValue: \" or ' expected")
    .fix(wording::insert("quotes"), Applicability::Safe, edits);
    scanner.report(diagnostic);
    Span::new(at, end)
}
