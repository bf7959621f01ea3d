//! `<server>`: which attributes it has follows from its transport.

use crate::backup::{Address, Server, Spanned, Transport};
use crate::diagnostic::{Diagnostic, Span};
use crate::release::Release;
use crate::rules::Rule;
use crate::schema::number;
use crate::syntax::Attribute;
use crate::wording::{self, join_with_or};

use super::element::{Context, Fields};
use super::unexpected::attribute_into_comment;

/// What only some transports have: the attribute that a transport needs, and those that it may have too.
fn attributes_of(transport: Transport) -> (&'static str, &'static [&'static str]) {
    match transport {
        Transport::Tcp => ("name", &["name", "port"]),
        Transport::Unix => ("socket", &["socket"]),
        Transport::Fd => ("fdgroup", &["fdgroup"]),
    }
}

const TRANSPORTS: [Transport; 3] = [Transport::Tcp, Transport::Unix, Transport::Fd];
const ADDRESSES: [&str; 4] = ["name", "port", "socket", "fdgroup"];

/// Reads a server; there is none if its address is missing.
pub(super) fn parse<'i>(context: &mut Context<'i>, fields: &Fields<'_, 'i>) -> Option<Server> {
    let transport = check_transport(context, fields);
    check_fd(context, fields, transport);
    let port = fields.get("port").filter(|_| transport == Transport::Tcp);
    let port = port.map_or(0, |port| check_port(context, port));
    check_socket(context, fields, transport);
    let address = match transport {
        Transport::Tcp => Address::Tcp { name: fields.text("name")?, port },
        Transport::Unix => Address::Unix { socket: fields.text("socket")? },
        Transport::Fd => Address::Fd { group: fields.text("fdgroup")? },
    };
    let tls = fields.word("tls").map(|tls| tls == "yes");
    Some(Server { address, tls, tag: Spanned::written((), fields.tag()) })
}

fn present<'f, 'a>(fields: &'f Fields<'a, '_>) -> impl Iterator<Item = (&'static str, &'f Attribute<'a>)> {
    ADDRESSES.into_iter().filter_map(|name| fields.get(name).map(|attribute| (name, attribute)))
}

/// The one transport that all the address attributes belong to, what it needs included.
fn transport_by_attributes(fields: &Fields<'_, '_>) -> Option<Transport> {
    TRANSPORTS.into_iter().find(|transport| {
        let (needed, allowed) = attributes_of(*transport);
        fields.get(needed).is_some() && present(fields).all(|(name, _)| allowed.contains(&name))
    })
}

/// Holds the transport and the attributes against each other; returns the transport that is meant.
fn check_transport(context: &mut Context<'_>, fields: &Fields<'_, '_>) -> Transport {
    let by_attributes = transport_by_attributes(fields);
    let chosen = match fields.get("transport") {
        None => Transport::Tcp,
        Some(_) => match fields.word("transport").and_then(Transport::from_name) {
            Some(chosen) => chosen,
            // The word is reported already.
            None => return by_attributes.unwrap_or(Transport::Tcp),
        },
    };
    let (needed, allowed) = attributes_of(chosen);
    // White space around the transport is reported in its place: what does not fit it is reported at the attributes.
    let is_exact = fields.get("transport").is_none_or(|transport| transport.value == chosen.name());
    match by_attributes {
        Some(intended) if intended != chosen && is_exact => {
            report_wrong_transport(context, fields, chosen, intended);
            return intended;
        }
        _ => {}
    }
    for (name, attribute) in present(fields).filter(|(name, _)| !allowed.contains(name)) {
        report_foreign(context, fields, chosen, name, attribute);
    }
    if fields.get(needed).is_none() {
        report_missing(context, fields, chosen, needed);
    }
    chosen
}

fn report_wrong_transport(context: &mut Context<'_>, fields: &Fields<'_, '_>, chosen: Transport, intended: Transport) {
    let (needed, _) = attributes_of(chosen);
    let (found, _) = attributes_of(intended);
    let Some(attribute) = fields.get(found) else { return };
    let word = intended.name();
    let diagnostic = match fields.get("transport") {
        Some(transport) => Diagnostic::new(
            Rule::WrongTransport,
            transport.report_span(),
            format!("transport='{}' does not match <server>, which has `{found}`", chosen.name()),
        )
        .help(format!("write transport='{word}', or `{needed}` in place of `{found}`"))
        .unsafe_fix(wording::replace_with(&format!("`{word}`")), transport.value_span, word),
        None => Diagnostic::new(
            Rule::WrongTransport,
            fields.tag(),
            format!(
                "{}: `{found}` requires transport='{word}', the default is tcp",
                wording::missing_attribute("transport", "server")
            ),
        )
        .help(format!("add transport='{word}'"))
        .safe_fix(
            wording::add(&format!("transport='{word}'")),
            fields.node.name_span().after(),
            format!(" transport='{word}'"),
        ),
    };
    let diagnostic = diagnostic.label(attribute.span, format!("for transport='{word}'"));
    match fields.get("transport") {
        Some(_) => context.report(diagnostic),
        None => context.report_missing("transport", diagnostic),
    }
}

fn report_foreign(
    context: &mut Context<'_>,
    fields: &Fields<'_, '_>,
    chosen: Transport,
    name: &'static str,
    attribute: &Attribute<'_>,
) {
    let found: Vec<_> = TRANSPORTS
        .into_iter()
        .filter(|transport| attributes_of(*transport).1.contains(&name))
        .map(|transport| format!("transport='{}'", transport.name()))
        .collect();
    let diagnostic = Diagnostic::new(
        Rule::TransportAttribute,
        attribute.span,
        format!("{} when transport='{}'", wording::attribute_not_allowed(name, "server"), chosen.name()),
    )
    .help(format!("remove `{name}`, which is for {}", join_with_or(&found)));
    let diagnostic = match fields.get("transport") {
        Some(transport) => diagnostic
            .label(transport.span, wording::TRANSPORT_IS_SET_HERE)
            .with_fix(attribute_into_comment(context, fields.node, attribute.span)),
        None => diagnostic,
    };
    context.report_misplaced(name, diagnostic);
}

fn report_missing(context: &mut Context<'_>, fields: &Fields<'_, '_>, chosen: Transport, needed: &'static str) {
    let example = match chosen {
        Transport::Tcp => "name='localhost'",
        Transport::Unix => "socket='/path/to/socket'",
        Transport::Fd => "fdgroup='NAME'",
    };
    let missing = wording::missing_attribute(needed, "server");
    let message = match fields.get("transport") {
        Some(_) => format!("{missing}: required when transport='{}'", chosen.name()),
        None => format!("{missing}: required for the default transport, tcp"),
    };
    let mut diagnostic = Diagnostic::new(Rule::MissingAttribute, fields.tag(), message).help(format!("add {example}"));
    if let Some(transport) = fields.get("transport") {
        diagnostic = diagnostic.label(transport.span, wording::TRANSPORT_IS_SET_HERE);
    }
    context.report_missing(needed, diagnostic);
}

fn check_fd(context: &mut Context<'_>, fields: &Fields<'_, '_>, transport: Transport) {
    let Some(attribute) = fields.get("transport") else { return };
    if transport != Transport::Fd || context.release >= Release::V11_3_0 {
        return;
    }
    let diagnostic = Diagnostic::new(
        Rule::FdTransport,
        attribute.report_span(),
        format!(
            "{}: libvirt {} does not accept it",
            wording::invalid_value("fd", "transport", "server"),
            context.release
        ),
    )
    .help("expected `tcp` or `unix`; libvirt 11.3.0 and later accept `fd`");
    context.report(diagnostic);
}

fn check_port(context: &mut Context<'_>, attribute: &Attribute<'_>) -> u16 {
    let Some(port) = number(attribute.value) else { return 0 };
    u16::try_from(port).unwrap_or_else(|_| {
        let diagnostic =
            Diagnostic::new(Rule::PortRange, attribute.report_span(), wording::port_out_of_range(attribute.value))
                .help("write a number from 1 to 65535; the usual port of NBD is 10809")
                .libvirt(format!("invalid argument: port '{}' out of range", attribute.value));
        context.report(diagnostic);
        0
    })
}

/// The schema lets a Windows path through, the parser does not.
fn check_socket(context: &mut Context<'_>, fields: &Fields<'_, '_>, transport: Transport) {
    let Some(socket) = fields.get("socket").filter(|_| transport == Transport::Unix) else { return };
    if !crate::schema::Value::Path.accepts(socket.value) || socket.value.starts_with('/') {
        return;
    }
    let span: Span = socket.report_span();
    let diagnostic = Diagnostic::new(Rule::RelativeSocket, span, wording::not_absolute(socket.value, "socket"))
        .help(wording::WRITE_ABSOLUTE_PATH)
        .libvirt(format!("XML error: backup socket path '{}' must be absolute", socket.value));
    context.report(diagnostic);
}
