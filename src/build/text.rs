//! Validated text.

use std::fmt;

use crate::schema::{Value, canonical_uuid};

/// Why a text is not a valid value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    text: String,
    what: &'static str,
}

impl Invalid {
    pub(super) fn new(text: &str, what: &'static str) -> Self {
        Self { text: text.to_owned(), what }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is not {}", self.text.escape_debug(), self.what)
    }
}

impl std::error::Error for Invalid {}

/// Whether XML allows every character of a text.
fn fits_xml(text: &str) -> bool {
    text.chars().all(|character| match character {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        _ => character >= ' ',
    })
}

macro_rules! checked_text {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $accepts:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Hash)]
            pub struct $name(String);

            impl $name {
                #[doc = concat!("Accepts text that is ", $what, ".")]
                ///
                /// # Errors
                ///
                /// Returns an error for any other text.
                pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
                    let text = text.into();
                    let accepts: fn(&str) -> bool = $accepts;
                    if accepts(&text) && fits_xml(&text) { Ok(Self(text)) } else { Err(Invalid::new(&text, $what)) }
                }

                /// The text.
                #[must_use]
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }
        )*
    };
}

checked_text! {
    /// Any text that XML allows.
    Word, "text that XML can hold", |_| true;
    /// The name of a checkpoint.
    Checkpoint, "the name of a checkpoint", |name| !name.is_empty();
    /// The name of a disk: the target of the domain's disk, such as `vda`. Names of NVMe namespaces need libvirt 12.8.0
    /// or later.
    DiskName, "the name of a disk, like vda", |name| Value::DiskName.accepts(name);
    /// The path of a file or a device.
    Path, "an absolute path", |path| Value::Path.accepts(path);
    /// The path of a socket.
    SocketPath, "an absolute path", |path| path.starts_with('/') && Value::Path.accepts(path);
    /// A host name, or an IPv4 or IPv6 address without brackets.
    Host, "a host name or address", |host| Value::Host.accepts(host);
}

/// The UUID of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Uuid(String);

impl Uuid {
    /// Accepts 32 hexadecimal digits, plain or in groups of 8-4-4-4-12.
    ///
    /// # Errors
    ///
    /// Returns an error for any other text.
    pub fn new(text: impl AsRef<str>) -> Result<Self, Invalid> {
        canonical_uuid(text.as_ref()).map(Self).ok_or_else(|| Invalid::new(text.as_ref(), "a UUID"))
    }

    /// The UUID, in lower case with hyphens.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
