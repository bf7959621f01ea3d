//! Validates, explains and normalizes libvirt's `<domainbackup>` XML, with the same result as libvirt.
//!
//! [`check`] reports everything that is wrong with a backup, and [`normalize`] prints it as libvirt would after
//! aligning it with a domain. The steps are available singly: [`parse()`] turns a document into a [`Backup`],
//! [`align()`] adds the disks of a [`Domain`], and [`format()`] writes the text. [`build`] creates backups without a
//! document.
//!
//! ```
//! use backupxml::{Domain, Options, align, check, format, normalize, parse};
//!
//! # fn main() -> Result<(), Vec<backupxml::diagnostic::Diagnostic>> {
//! let domain = Domain::parse(
//!     "<domain><devices>
//!        <disk><source file='/images/vm.qcow2'/><target dev='vda' bus='virtio'/></disk>
//!      </devices></domain>",
//! )?;
//! let options = Options { suffix: "monday".to_owned(), ..Options::default() };
//!
//! let mut backup = parse("<domainbackup><incremental>sunday</incremental></domainbackup>", &options)?;
//! align(&mut backup, &domain, &options)?;
//! assert_eq!(backup.disks[0].incremental.as_ref().unwrap().value, "sunday");
//! assert_eq!(
//!     format(&backup),
//!     "<domainbackup mode='push'>
//!   <incremental>sunday</incremental>
//!   <disks>
//!     <disk name='vda' backup='yes' type='file' backupmode='incremental' incremental='sunday'>
//!       <target file='/images/vm.qcow2.monday'/>
//!     </disk>
//!   </disks>
//! </domainbackup>
//! "
//! );
//! assert_eq!(normalize("<domainbackup/>", None, &options)?, "<domainbackup mode='push'/>\n");
//!
//! let diagnostics = check("<domainbackup><disks><disk name='vdb'/></disks></domainbackup>", Some(&domain), &options);
//! assert_eq!(diagnostics[0].to_string(), "error: unknown disk `vdb` [align/no-such-disk]");
//! # Ok(())
//! # }
//! ```
//!
//! Functions whose names end in `_bytes` accept the bytes of a file and decode them as libvirt would; the others accept
//! text. The feature `cli`, enabled by default, adds the program `backupxml` and its dependencies.

#![deny(missing_docs)]

mod align;
mod ambiguous;
pub mod backup;
pub mod build;
pub mod checkpoint;
pub mod compose;
pub mod diagnostic;
pub mod domain;
pub mod fix;
mod format;
pub mod host;
mod options;
mod parse;
mod pipeline;
mod placeholder;
pub mod plan;
mod preflight;
pub mod release;
pub mod rules;
mod schema;
pub mod source;
mod syntax;
mod wording;

/// The program. Not part of the library's interface; may change at any time.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;

/// Single stages, for benchmarks. Not part of the library's interface; may change at any time.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    pub use crate::parse::parse as parse_document;
    pub use crate::syntax::parse_valid as parse_xml;
}

pub use backup::Backup;
pub use domain::Domain;
pub use options::Options;
pub use pipeline::{
    Checked, align, align_checkpoint, check, check_bytes, check_in_detail, format, normalize, normalize_bytes, parse,
    parse_bytes, parse_checkpoint, plan, root_name,
};
