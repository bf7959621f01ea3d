//! Values that an attribute cannot have.

use crate::diagnostic::{Applicability, Diagnostic, Edit};
use crate::parse::element::{Context, Fields};
use crate::rules::Rule;
use crate::schema::{Format, Value};
use crate::syntax::Attribute;
use crate::wording::{self, closest_match, is_single_typo, trim, truncate_for_display};

use super::address::{self, host_and_port};
use super::unexpected::{self, FOREIGN_TYPES};

/// Reports a value that the schema refuses.
pub(crate) fn value(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    attribute: &Attribute<'_>,
    allowed: Value,
) -> Diagnostic {
    let name = attribute.name_for_message(fields);
    let element = fields.shape.name;
    let place = attribute.report_span();
    let message = wording::invalid_value(attribute.value, name, element);
    match allowed {
        Value::Words(words) => unknown_word(context, fields, attribute, words, name),
        Value::DiskName | Value::DiskNameOrPath => disk_name(attribute, message),
        Value::Host => host(fields, attribute, message),
        Value::Number | Value::LongNumber => number(attribute, name, element, allowed),
        Value::Path => path(fields, attribute, name),
        Value::Uuid => Diagnostic::new(Rule::InvalidUuid, place, message)
            .help("expected 32 hexadecimal digits, plain or as 8-4-4-4-12; `virsh secret-list` prints them"),
        // Anything is accepted, so there is nothing to refuse.
        Value::Any => Diagnostic::new(Rule::UnknownValue, place, message),
    }
}

impl Attribute<'_> {
    /// The attribute's name as the shape knows it, for one that was misspelt.
    fn name_for_message(&self, fields: &Fields<'_, '_>) -> &'static str {
        let known = fields.shape.attributes.iter().zip(&fields.attributes);
        let mut same = known.filter(|(_, found)| found.is_some_and(|found| found.span == self.span));
        same.next().map_or("", |(known, _)| known.name)
    }
}

fn unknown_word(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    attribute: &Attribute<'_>,
    words: &[&'static str],
    name: &str,
) -> Diagnostic {
    let message = wording::invalid_value(attribute.value, name, fields.shape.name);
    let place = attribute.report_span();
    if fields.shape.name == "driver" && words.len() == 1 {
        return Diagnostic::new(Rule::PullFormat, place, format!("{message} in pull mode"))
            .help("expected `qcow2`, the only format of a scratch file")
            .unsafe_fix(wording::replace_with("`qcow2`"), attribute.value_span, "qcow2");
    }
    let allowed = wording::expected(words);
    let diagnostic = Diagnostic::new(Rule::UnknownValue, place, message);
    let help = match (fields.shape.name, attribute.value) {
        ("domainbackup", "full") => {
            Some("expected `push` or `pull`; a backup is full unless it has <incremental>".to_owned())
        }
        _ => None,
    };
    let help = help.or_else(|| {
        let is_type = fields.shape.name == "disk" && name == "type";
        (is_type && FOREIGN_TYPES.contains(&attribute.value)).then(|| {
            "expected `file` or `block`: a backup is written to a file or block device of the host; use pull mode to send it over the network"
                .to_owned()
        })
    });
    let of_another = match (fields.shape.name, name) {
        ("disk", "backup") if fields.shape.format == Format::Backup => {
            word_of_backupmode(fields, attribute, &diagnostic)
        }
        ("disk", "type") if help.is_none() => format_as_type(context, fields, attribute, &diagnostic),
        _ => None,
    };
    if let Some(diagnostic) = of_another {
        return diagnostic;
    }
    let intended = closest_match(trim(attribute.value), words.iter().copied());
    match (help, intended) {
        (Some(help), _) if name == "mode" && !unexpected::is_requested(fields.node) => {
            let mode = if fields.child("server").is_some() { "pull" } else { "push" };
            diagnostic.help(help).unsafe_fix(wording::replace_with(&wording::code(mode)), attribute.value_span, mode)
        }
        (Some(help), _) => diagnostic.help(help),
        (None, _) if boolean_synonym(attribute.value).is_some_and(|word| words.contains(&word)) => {
            let word = boolean_synonym(attribute.value).unwrap_or_default();
            diagnostic.help(allowed).safe_fix(wording::replace_with(&wording::code(word)), attribute.value_span, word)
        }
        (None, Some(intended)) if attribute.value.eq_ignore_ascii_case(intended) => diagnostic
            .help(format!("{allowed}, in lower case"))
            .safe_fix(wording::replace_with(&wording::code(intended)), attribute.value_span, intended),
        (None, Some(intended)) => {
            diagnostic.help(format!("{} {allowed}", wording::did_you_mean(&wording::code(intended)))).fix(
                wording::replace_with(&wording::code(intended)),
                Applicability::safe_if(is_single_typo(attribute.value, intended)),
                vec![Edit { span: attribute.value_span, text: intended.to_owned() }],
            )
        }
        (None, None) if words.len() == 1 => {
            let only = words.first().copied().unwrap_or_default();
            diagnostic.help(allowed).unsafe_fix(wording::replace_with(&wording::code(only)), attribute.value_span, only)
        }
        (None, None) => match value_implied_by_siblings(fields, name) {
            Some((word, because)) => diagnostic.help(format!("{allowed}; `{word}` matches {because}")).unsafe_fix(
                wording::replace_with(&wording::code(word)),
                attribute.value_span,
                word,
            ),
            None => diagnostic.help(allowed),
        },
    }
}

/// `backup='full'`, which is about `backupmode`, and `backup='exclude'`.
fn word_of_backupmode(
    fields: &Fields<'_, '_>,
    attribute: &Attribute<'_>,
    diagnostic: &Diagnostic,
) -> Option<Diagnostic> {
    let diagnostic = diagnostic.clone();
    let word = attribute.value.to_ascii_lowercase();
    match word.as_str() {
        "full" | "incremental" => {
            let setting = wording::setting("backupmode", &word);
            let diagnostic = diagnostic.help(format!("expected `yes` or `no`; write {setting}"));
            let is_free = fields.get("backupmode").is_none();
            let is_same = word == attribute.value;
            Some(if is_free && is_same {
                diagnostic.safe_fix(wording::rename_to("`backupmode`"), attribute.name_span, "backupmode")
            } else {
                diagnostic
            })
        }
        "exclude" | "excluded" | "skip" | "ignore" | "never" | "none" => {
            Some(diagnostic.help("expected `yes` or `no`; a disk is excluded by backup='no'").unsafe_fix(
                wording::replace_with("`no`"),
                attribute.value_span,
                "no",
            ))
        }
        "include" | "included" | "always" => {
            Some(diagnostic.help("expected `yes` or `no`; a disk is included by backup='yes'").unsafe_fix(
                wording::replace_with("`yes`"),
                attribute.value_span,
                "yes",
            ))
        }
        _ => None,
    }
}

/// `<disk type='qcow2'>`, which is the format of the copy and belongs in `<driver>`.
fn format_as_type(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    attribute: &Attribute<'_>,
    diagnostic: &Diagnostic,
) -> Option<Diagnostic> {
    if !unexpected::is_format(attribute.value) {
        return None;
    }
    let driver = format!("<driver type='{}'/>", attribute.value);
    let diagnostic = diagnostic.clone().help(format!("expected `file` or `block`; write the format as {driver}"));
    let kind = value_implied_by_siblings(fields, "type").filter(|_| fields.child("driver").is_none());
    let Some((kind, _)) = kind else { return Some(diagnostic) };
    let edits = vec![
        Edit { span: attribute.value_span, text: kind.to_owned() },
        unexpected::add_content(context, fields.node, &driver),
    ];
    Some(diagnostic.fix(format!("write type='{kind}' and {driver}"), Applicability::Unsafe, edits))
}

/// The `yes` or `no` that other languages write in other words.
fn boolean_synonym(written: &str) -> Option<&'static str> {
    match written.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Some("yes"),
        "false" | "off" | "0" => Some("no"),
        _ => None,
    }
}

/// The word that the rest of the element asks for, and what asks for it.
fn value_implied_by_siblings(fields: &Fields<'_, '_>, name: &str) -> Option<(&'static str, &'static str)> {
    match (fields.shape.name, name) {
        ("disk", "type") => {
            let place = fields.child("target").or_else(|| fields.child("scratch"))?;
            match (place.has_attribute("file"), place.has_attribute("dev")) {
                (true, false) => Some(("file", "`file`")),
                (false, true) => Some(("block", "`dev`")),
                _ => None,
            }
        }
        ("server", "transport") => [("socket", "unix"), ("fdgroup", "fd"), ("name", "tcp"), ("port", "tcp")]
            .into_iter()
            .find(|(attribute, _)| fields.get(attribute).is_some())
            .map(|(attribute, word)| {
                let because = match attribute {
                    "socket" => "`socket`",
                    "fdgroup" => "`fdgroup`",
                    "name" => "`name`",
                    _ => "`port`",
                };
                (word, because)
            }),
        _ => None,
    }
}

fn disk_name(attribute: &Attribute<'_>, message: String) -> Diagnostic {
    let diagnostic = Diagnostic::new(Rule::InvalidDiskName, attribute.report_span(), message);
    if let Some(device) = attribute.value.strip_prefix("/dev/").filter(|device| Value::DiskName.accepts(device)) {
        return diagnostic
            .help("expected the disk's <target dev> in the domain, such as `vda`, not the path of a device")
            .unsafe_fix(wording::replace_with(&wording::code(device)), attribute.value_span, device);
    }
    if attribute.value.starts_with('/') {
        return diagnostic
            .help("expected the disk's <target dev> in the domain, such as `vda`, not the path of its image");
    }
    let trimmed = trim(attribute.value);
    if trimmed != attribute.value && Value::DiskName.accepts(trimmed) {
        return without_white_space(Rule::InvalidDiskName, attribute, "name", "disk", trimmed);
    }
    let lower = attribute.value.to_ascii_lowercase();
    if lower != attribute.value && Value::DiskName.accepts(&lower) {
        let help = format!("names of disks are in lower case: write name='{lower}'");
        return diagnostic.help(help).unsafe_fix(
            wording::replace_with(&wording::code(&lower)),
            attribute.value_span,
            lower,
        );
    }
    diagnostic.help("expected the disk's <target dev> in the domain: fd, hd, sd, vd, xvd or ubd followed by letters or digits, such as `vda`, or `nvme0n1`")
}

fn host(fields: &Fields<'_, '_>, attribute: &Attribute<'_>, message: String) -> Diagnostic {
    let trimmed = trim(attribute.value);
    if trimmed != attribute.value && Value::Host.accepts(trimmed) {
        return without_white_space(Rule::InvalidHost, attribute, "name", "server", trimmed);
    }
    let diagnostic = Diagnostic::new(Rule::InvalidHost, attribute.report_span(), message);
    let bare = attribute.value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(bare) = bare.filter(|bare| Value::Host.accepts(bare)) {
        return diagnostic.help(format!("write an IPv6 address without brackets: name='{bare}'")).safe_fix(
            wording::remove("the brackets"),
            attribute.value_span,
            bare,
        );
    }
    if address::is_url(attribute.value) {
        return from_url(fields, attribute, diagnostic);
    }
    if let Some((host, port)) = host_and_port(attribute.value) {
        let diagnostic = diagnostic.help(format!("write the port as an attribute: name='{host}' port='{port}'"));
        let edits = vec![
            Edit { span: attribute.value_span, text: host.to_owned() },
            Edit { span: attribute.span.after(), text: format!(" port='{port}'") },
        ];
        return match fields.get("port") {
            None => diagnostic.fix(wording::move_to("`port`"), Applicability::Unsafe, edits),
            Some(found) if found.value == port => {
                diagnostic.unsafe_fix(wording::remove("the port here"), attribute.value_span, host)
            }
            Some(_) => diagnostic,
        };
    }
    if let Some((address, _)) = attribute.value.split_once('%').filter(|(address, _)| address.contains(':')) {
        return diagnostic.help(format!("write the address without a zone: name='{}'", truncate_for_display(address)));
    }
    diagnostic
        .help("expected a host name of letters, digits, dots and hyphens, or an IPv4 or IPv6 address without brackets, zone or port")
}

/// White space around a value that may have none.
fn without_white_space(rule: Rule, attribute: &Attribute<'_>, name: &str, element: &str, trimmed: &str) -> Diagnostic {
    Diagnostic::new(rule, attribute.report_span(), wording::white_space_around(name, element))
        .help(format!("write {}", wording::setting(name, trimmed)))
        .safe_fix(wording::REMOVE_WHITE_SPACE, attribute.value_span, trimmed)
}

/// A URL in the place of a host or of the path of a socket.
fn from_url(fields: &Fields<'_, '_>, attribute: &Attribute<'_>, diagnostic: Diagnostic) -> Diagnostic {
    let Some(settings) = address::settings(attribute.value) else {
        return diagnostic.help(
            "a URL is not allowed here: write the host as `name` and its port as `port`, or the path as `socket`",
        );
    };
    let shown: Vec<_> = settings.iter().map(|(name, value)| wording::setting(name, value)).collect();
    let shown = shown.join(" ");
    let diagnostic = diagnostic.help(format!("a URL is written as attributes: {shown}"));
    let is_free = |(name, value): &(&str, &str)| {
        fields.get(name).is_none_or(|found| found.span == attribute.span || found.value == *value)
    };
    if attribute.value.contains(['<', '&', '\'', '"']) || !settings.iter().all(is_free) {
        return diagnostic;
    }
    let is_absent = |name: &str| fields.get(name).is_none_or(|found| found.span == attribute.span);
    let absent: Vec<_> = settings.iter().filter(|(name, _)| is_absent(name)).collect();
    let written: Vec<_> = absent.iter().map(|(name, value)| wording::quoted_setting(name, value)).collect();
    diagnostic.safe_fix(format!("write {shown}"), attribute.span, written.join(" "))
}

fn number(attribute: &Attribute<'_>, name: &str, element: &str, allowed: Value) -> Diagnostic {
    let message = wording::invalid_value(attribute.value, name, element);
    let most = match allowed {
        Value::LongNumber => "18446744073709551615",
        _ if name == "port" => "65535",
        _ => "4294967295",
    };
    let diagnostic = Diagnostic::new(Rule::InvalidNumber, attribute.report_span(), message)
        .help(format!("expected a number from 0 to {most} in decimal digits"));
    let trimmed = trim(attribute.value);
    if trimmed != attribute.value && allowed.accepts(trimmed) {
        return without_white_space(Rule::InvalidNumber, attribute, name, element, trimmed);
    }
    let trimmed = trimmed.trim_start_matches('+');
    if trimmed != attribute.value && allowed.accepts(trimmed) {
        return diagnostic.safe_fix(wording::replace_with(&wording::code(trimmed)), attribute.value_span, trimmed);
    }
    diagnostic
}

fn path(fields: &Fields<'_, '_>, attribute: &Attribute<'_>, name: &str) -> Diagnostic {
    let value = attribute.value;
    let element = fields.shape.name;
    let diagnostic = |message: String| Diagnostic::new(Rule::InvalidPath, attribute.report_span(), message);
    if value.contains(['\n', '\r']) {
        return diagnostic(format!("{}: it contains a line feed", wording::invalid_value(value, name, element)))
            .help("write the path on one line");
    }
    if value.is_empty() {
        return diagnostic(wording::not_absolute(value, name)).help(wording::WRITE_ABSOLUTE_PATH);
    }
    if value == "/" {
        return diagnostic(format!("{}: it is the root directory", wording::invalid_value(value, name, element)))
            .help("write the path of a file");
    }
    let trimmed = trim(value);
    if trimmed != value && Value::Path.accepts(trimmed) {
        return without_white_space(Rule::InvalidPath, attribute, name, element, trimmed);
    }
    let diagnostic = diagnostic(wording::not_absolute(value, name));
    if name == "socket" && address::is_url(value) {
        return from_url(fields, attribute, diagnostic);
    }
    match value.strip_prefix("file://").filter(|path| Value::Path.accepts(path)) {
        Some(path) => diagnostic.help(format!("write a path, not a URL: {}", wording::setting(name, path))).safe_fix(
            wording::remove("`file://`"),
            attribute.value_span,
            path,
        ),
        None if address::is_url(value) => diagnostic.help(format!(
            "{}, not a URL; a backup in pull mode is read over the network from its <server>",
            wording::WRITE_ABSOLUTE_PATH
        )),
        None if value.contains('$') || value.starts_with('~') => {
            diagnostic.help(format!("{}; libvirt expands neither `~` nor variables", wording::WRITE_ABSOLUTE_PATH))
        }
        None => diagnostic.help(wording::WRITE_ABSOLUTE_PATH),
    }
}
