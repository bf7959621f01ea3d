//! Validated text.

use std::fmt;

use crate::backup::{Spanned, Text};
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

/// How a validated text is made of a string, with `?` or `parse`, and becomes one again.
macro_rules! conversions {
    ($name:ident) => {
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Invalid;

            fn try_from(text: &str) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    };
}

pub(super) use conversions;

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

            }

            conversions!($name);

            impl From<$name> for Text {
                fn from(text: $name) -> Self {
                    Spanned::implied(text.0)
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

/// The UUID of a secret, in lower case with hyphens.
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
}

conversions!(Uuid);
