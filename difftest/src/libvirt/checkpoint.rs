//! How libvirt is asked about checkpoints.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::ptr;

use anyhow::Result;
use libloading::os::unix::Library;

use super::{Libvirt, Object, Owned, find};
use crate::case::{Case, Kind, Stage};

/// `VIR_DOMAIN_CHECKPOINT_PARSE_REDEFINE`.
const PARSE_REDEFINE: c_uint = 1;
/// `VIR_DOMAIN_CHECKPOINT_FORMAT_NO_DOMAIN | VIR_DOMAIN_CHECKPOINT_FORMAT_SIZE`: what libvirt makes of a `<domain>` is
/// no part of the comparison.
const FORMAT_FLAGS: c_uint = 1 << 1 | 1 << 2;

pub(super) struct CheckpointFunctions {
    set_hook: unsafe extern "C" fn(Object, extern "C" fn(*mut Moment) -> c_int),
    parse: unsafe extern "C" fn(*const c_char, Object, *mut c_void, c_uint) -> *mut Moment,
    align: unsafe extern "C" fn(*mut Moment) -> c_int,
    prepare_redefinition: unsafe extern "C" fn(Object, *mut Moment, *mut bool) -> c_int,
    format: unsafe extern "C" fn(*mut Moment, Object, c_uint) -> *mut c_char,
    new_list: unsafe extern "C" fn() -> Object,
    add_domain: unsafe extern "C" fn(Object, *mut Object, Object, c_uint, *mut Object) -> Object,
    end_domain: unsafe extern "C" fn(*mut Object),
    unreference: unsafe extern "C" fn(Object),
}

/// The head of `virDomainMomentDef`, which a checkpoint starts with.
#[repr(C)]
pub(super) struct Moment {
    object: [*mut c_void; 3],
    name: *mut c_char,
    description: *mut c_char,
    parent_name: *mut c_char,
    creation_time: i64,
    domain: Object,
}

thread_local! {
    /// What a checkpoint without a name is called; `None` leaves it without.
    static NAME: RefCell<Option<CString>> = const { RefCell::new(None) };
}

/// Takes the place of the driver's function that names a checkpoint after the time, and notes the time.
extern "C" fn give_name(moment: *mut Moment) -> c_int {
    NAME.with_borrow(|name| {
        // SAFETY: libvirt calls this with a checkpoint that it is making; the copy of the name is from the allocator
        // that libvirt frees it with.
        unsafe {
            if let Some(name) = name
                && (*moment).name.is_null()
            {
                (*moment).name = strdup(name.as_ptr());
            }
        }
    });
    0
}

unsafe extern "C" {
    fn strdup(text: *const c_char) -> *mut c_char;
}

impl CheckpointFunctions {
    pub(super) fn find(library: &Library) -> Result<Self> {
        Ok(Self {
            set_hook: find(library, "virDomainXMLOptionSetMomentPostParse")?,
            parse: find(library, "virDomainCheckpointDefParseString")?,
            align: find(library, "virDomainCheckpointAlignDisks")?,
            prepare_redefinition: find(library, "virDomainCheckpointRedefinePrep")?,
            format: find(library, "virDomainCheckpointDefFormat")?,
            new_list: find(library, "virDomainObjListNew")?,
            add_domain: find(library, "virDomainObjListAdd")?,
            end_domain: find(library, "virDomainObjEndAPI")?,
            unreference: find(library, "virObjectUnref")?,
        })
    }
}

impl Libvirt {
    /// Parse, align, format, as [`Libvirt::steps`] does with backups.
    ///
    /// libvirt aligns a redefined checkpoint with the `<domain>` that it holds, if it holds one.
    pub(super) fn checkpoint_steps(&self, case: &Case) -> Result<Result<String, Stage>> {
        let functions = &self.checkpoint_functions;
        let name = case.domain.as_ref().map(|_| CString::new(case.suffix.as_str())).transpose()?;
        NAME.set(name);
        let text = CString::new(case.document.as_slice())?;
        let flags = if case.kind == Kind::Redefinition { PARSE_REDEFINE } else { 0 };
        // SAFETY: the options are alive, the text ends in NUL and outlives the call.
        let moment = unsafe {
            (functions.set_hook)(self.options, give_name);
            (functions.parse)(text.as_ptr(), self.options, ptr::null_mut(), flags)
        };
        let Some(_checkpoint) = Owned::new(moment.cast(), functions.unreference) else {
            return Ok(Err(Stage::Parse));
        };
        if let Some(text) = &case.domain {
            let Some(domain) = self.parse_domain(text)? else {
                return Ok(Err(Stage::Domain));
            };
            // SAFETY: the checkpoint is alive.
            let aligned = unsafe {
                if case.kind == Kind::Redefinition {
                    self.prepare_redefinition(moment, domain)
                } else {
                    (*moment).domain = domain.release();
                    (functions.align)(moment) >= 0
                }
            };
            if !aligned {
                return Ok(Err(Stage::Align));
            }
        }
        // SAFETY: the checkpoint and the options are alive.
        let text = unsafe { (functions.format)(moment, self.options, FORMAT_FLAGS) };
        Ok(if text.is_null() { Err(Stage::Format) } else { Ok(self.take(text)) })
    }

    /// What libvirt does before it takes over a redefined checkpoint of `domain`. There is no other checkpoint here, so
    /// a parent would be missed: it is looked at only where it is the checkpoint itself.
    ///
    /// # Safety
    ///
    /// `moment` is a checkpoint that is alive.
    unsafe fn prepare_redefinition(&self, moment: *mut Moment, domain: Owned) -> bool {
        let functions = &self.checkpoint_functions;
        // SAFETY: the list is new, and takes the domain over, which comes back locked and is let go at the end. The
        // parent's name goes back to where it was.
        unsafe {
            let list = (functions.new_list)();
            let mut definition = domain.release();
            let mut object = (functions.add_domain)(list, &raw mut definition, self.options, 0, ptr::null_mut());
            let parent = (*moment).parent_name;
            if !parent.is_null() && super::copy_text(parent) != super::copy_text((*moment).name) {
                (*moment).parent_name = ptr::null_mut();
            }
            let mut is_current = false;
            let result = (functions.prepare_redefinition)(object, moment, &raw mut is_current);
            (*moment).parent_name = parent;
            (functions.end_domain)(&raw mut object);
            (functions.unreference)(list);
            result >= 0
        }
    }
}
