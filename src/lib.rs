//! Validates, explains and normalizes libvirt's `<domainbackup>` XML, in agreement with libvirt.

pub mod diagnostic;
pub mod release;
pub mod rules;
