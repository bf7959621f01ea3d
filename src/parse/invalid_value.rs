//! Values that an attribute cannot have.

use crate::diagnostic::{Applicability, Diagnostic, Edit};
use crate::parse::element::Fields;
use crate::rules::Rule;
use crate::schema::Value;
use crate::syntax::Attribute;
use crate::wording::{self, closest_match, is_single_typo, trim, truncate_for_display};

use super::unexpected::FOREIGN_TYPES;

/// Reports a value that the schema refuses.
pub(crate) fn value(fields: &Fields<'_, '_>, attribute: &Attribute<'_>, allowed: Value) -> Diagnostic {
    let name = attribute.name_for_message(fields);
    let element = fields.shape.name;
    let place = attribute.report_span();
    let message = wording::invalid_value(attribute.value, name, element);
    match allowed {
        Value::Words(words) => unknown_word(fields, attribute, words, name),
        Value::DiskName | Value::DiskNameOrPath => disk_name(attribute, message),
        Value::Host => host(fields, attribute, message),
        Value::Number | Value::LongNumber => number(attribute, name, message, allowed),
        Value::Path => path(attribute, name, element),
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

fn unknown_word(fields: &Fields<'_, '_>, attribute: &Attribute<'_>, words: &[&'static str], name: &str) -> Diagnostic {
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
        ("domainbackup", "full" | "incremental") => Some(
            "expected `push` or `pull`; an incremental backup is requested by <incremental> or a disk's `incremental`"
                .to_owned(),
        ),
        _ => None,
    };
    let help = help.or_else(|| {
        let is_type = fields.shape.name == "disk" && name == "type";
        (is_type && FOREIGN_TYPES.contains(&attribute.value)).then(|| {
            "expected `file` or `block`: a backup is written to a file or block device of the host; use pull mode to send it over the network"
                .to_owned()
        })
    });
    let intended = closest_match(trim(attribute.value), words.iter().copied());
    match (help, intended) {
        (Some(help), _) if name == "mode" => {
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
        return diagnostic.help(format!("write name='{trimmed}'")).safe_fix(
            wording::REMOVE_WHITE_SPACE,
            attribute.value_span,
            trimmed,
        );
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
    let diagnostic = Diagnostic::new(Rule::InvalidHost, attribute.report_span(), message);
    let bare = attribute.value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(bare) = bare.filter(|bare| Value::Host.accepts(bare)) {
        return diagnostic.help(format!("write an IPv6 address without brackets: name='{bare}'")).safe_fix(
            wording::remove("the brackets"),
            attribute.value_span,
            bare,
        );
    }
    if let Some((host, port)) = host_and_port(attribute.value) {
        let diagnostic = diagnostic.help(format!("write the port as an attribute: name='{host}' port='{port}'"));
        let edits = vec![
            Edit { span: attribute.value_span, text: host.to_owned() },
            Edit { span: attribute.span.after(), text: format!(" port='{port}'") },
        ];
        return match fields.get("port") {
            None => diagnostic.fix(wording::move_to("`port`"), Applicability::Unsafe, edits),
            Some(_) => diagnostic.unsafe_fix(wording::remove("the port here"), attribute.value_span, host),
        };
    }
    if let Some((address, _)) = attribute.value.split_once('%').filter(|(address, _)| address.contains(':')) {
        return diagnostic.help(format!("write the address without a zone: name='{}'", truncate_for_display(address)));
    }
    diagnostic
        .help("expected a host name of letters, digits, dots and hyphens, or an IPv4 or IPv6 address without brackets, zone or port")
}

/// The two parts of `host:port` or `[address]:port`.
fn host_and_port(value: &str) -> Option<(&str, &str)> {
    let (host, port) = value.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_port = !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_port && Value::Host.accepts(host)).then_some((host, port))
}

fn number(attribute: &Attribute<'_>, name: &str, message: String, allowed: Value) -> Diagnostic {
    let most = match allowed {
        Value::LongNumber => "18446744073709551615",
        _ if name == "port" => "65535",
        _ => "4294967295",
    };
    let diagnostic = Diagnostic::new(Rule::InvalidNumber, attribute.report_span(), message)
        .help(format!("expected a number from 0 to {most} in decimal digits"));
    let trimmed = trim(attribute.value).trim_start_matches('+');
    if trimmed != attribute.value && allowed.accepts(trimmed) {
        return diagnostic.safe_fix(wording::replace_with(&wording::code(trimmed)), attribute.value_span, trimmed);
    }
    diagnostic
}

fn path(attribute: &Attribute<'_>, name: &str, element: &str) -> Diagnostic {
    let value = attribute.value;
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
        return diagnostic(wording::white_space_around(name, element)).help("write it without white space").safe_fix(
            wording::REMOVE_WHITE_SPACE,
            attribute.value_span,
            trimmed,
        );
    }
    let diagnostic = diagnostic(wording::not_absolute(value, name));
    match value.strip_prefix("file://").filter(|path| Value::Path.accepts(path)) {
        Some(path) => diagnostic.help(format!("write a path, not a URL: {}", wording::setting(name, path))).safe_fix(
            wording::remove("`file://`"),
            attribute.value_span,
            path,
        ),
        None if value.contains('$') || value.starts_with('~') => {
            diagnostic.help(format!("{}; libvirt expands neither `~` nor variables", wording::WRITE_ABSOLUTE_PATH))
        }
        None => diagnostic.help(wording::WRITE_ABSOLUTE_PATH),
    }
}
