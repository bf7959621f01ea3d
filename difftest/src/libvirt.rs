//! The installed libvirt, loaded at run time and called through internal functions that it exports for its drivers.
//!
//! These have the symbol version `LIBVIRT_PRIVATE_…` of their release: they are not a stable interface, and their
//! signatures are those of libvirt 9.0.0 to 12.8.0. For that reason libvirt runs in a separate process.

mod checkpoint;

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_ulong, c_void};
use std::ptr;

use anyhow::{Context, Result, ensure};
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};

use crate::case::{Answer, Case, Kind, Stage};

use checkpoint::CheckpointFunctions;

/// `VIR_DOMAIN_BACKUP_PARSE_INTERNAL`: a state file, without the schema.
const PARSE_INTERNAL: c_uint = 1;
/// `VIR_DOMAIN_DEF_PARSE_INACTIVE | VIR_DOMAIN_DEF_PARSE_SKIP_VALIDATE`: only the domain's disks matter, whatever host
/// or hypervisor it needs.
const DOMAIN_FLAGS: c_uint = 1 << 1 | 1 << 8;

/// `virBuffer`.
#[repr(C)]
struct Buffer {
    text: *mut c_void,
    indent: c_int,
}

type Object = *mut c_void;
type ErrorHandler = extern "C" fn(*mut c_void, *mut c_void);

/// The functions of libvirt that are called.
struct Functions {
    reset_error: unsafe extern "C" fn(),
    error_message: unsafe extern "C" fn() -> *const c_char,
    parse_domain: unsafe extern "C" fn(*const c_char, Object, *mut c_void, c_uint) -> Object,
    free_domain: unsafe extern "C" fn(Object),
    parse_backup: unsafe extern "C" fn(*const c_char, Object, c_uint) -> Object,
    align: unsafe extern "C" fn(Object, Object, *const c_char) -> c_int,
    format: unsafe extern "C" fn(*mut Buffer, Object, c_int, *mut c_void) -> c_int,
    free_backup: unsafe extern "C" fn(Object),
    take_text: unsafe extern "C" fn(*mut Buffer) -> *mut c_char,
    free_buffer: unsafe extern "C" fn(*mut Buffer),
    free: unsafe extern "C" fn(*mut c_void),
}

/// A loaded libvirt. Only one may exist: its last error belongs to the thread.
pub struct Libvirt {
    functions: Functions,
    checkpoint_functions: CheckpointFunctions,
    options: Object,
    version: String,
    /// Keeps the functions above loaded.
    _library: Library,
}

impl Libvirt {
    /// Loads `name`, such as `libvirt.so.0`, and disables its own output.
    pub fn load(name: &str) -> Result<Self> {
        // SAFETY: libvirt's and its dependencies' initializers have no preconditions; this process has one thread.
        let library = unsafe { Library::open(Some(name), RTLD_NOW | RTLD_GLOBAL) }
            .with_context(|| format!("cannot load {name}"))?;
        let initialize: unsafe extern "C" fn() -> c_int = find(&library, "virInitialize")?;
        let set_handler: unsafe extern "C" fn(*mut c_void, ErrorHandler) = find(&library, "virSetErrorFunc")?;
        let new_options: unsafe extern "C" fn(Object, Object, Object, Object, Object, Object) -> Object =
            find(&library, "virDomainXMLOptionNew")?;
        // SAFETY: `virInitialize` may be called at any time.
        ensure!(unsafe { initialize() } >= 0, "{name} does not initialize");
        // SAFETY: the handler has the signature of `virErrorFunc` and is never unloaded.
        unsafe { set_handler(ptr::null_mut(), say_nothing) };
        // SAFETY: each argument is a table of a driver's own hooks, and may be null for a driver without any.
        let options = unsafe {
            let none = ptr::null_mut();
            new_options(none, none, none, none, none, none)
        };
        ensure!(!options.is_null(), "{name} has no parser options to give");
        let version = version_of(&library)?;
        Ok(Self {
            functions: Functions::find(&library)?,
            checkpoint_functions: CheckpointFunctions::find(&library)?,
            options,
            version,
            _library: library,
        })
    }

    /// The version, such as `12.8.0`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The answer to a case.
    pub fn answer(&self, case: &Case) -> Result<Answer> {
        // SAFETY: resets the calling thread's last error, nothing else.
        unsafe { (self.functions.reset_error)() };
        let result = if case.kind.is_checkpoint() { self.checkpoint_steps(case) } else { self.steps(case) };
        Ok(match result? {
            Ok(text) => Answer::Accepted(text),
            Err(stage) => Answer::Refused { stage, message: self.message() },
        })
    }

    /// Parses, aligns and formats; stops at the first stage that fails, before its error is overwritten.
    fn steps(&self, case: &Case) -> Result<Result<String, Stage>> {
        let Some(backup) = self.parse_backup(case)? else {
            return Ok(Err(Stage::Parse));
        };
        if let Some(text) = &case.domain {
            let Some(domain) = self.parse_domain(text)? else {
                return Ok(Err(Stage::Domain));
            };
            let suffix = CString::new(case.suffix.as_str())?;
            // SAFETY: both objects are alive and of the types asked for; the suffix ends in NUL and is copied.
            if unsafe { (self.functions.align)(backup.object, domain.object, suffix.as_ptr()) } < 0 {
                return Ok(Err(Stage::Align));
            }
        }
        Ok(self.format(&backup, case.kind == Kind::Status).ok_or(Stage::Format))
    }

    fn parse_backup(&self, case: &Case) -> Result<Option<Owned>> {
        let text = CString::new(case.document.as_slice())?;
        let flags = if case.kind == Kind::Status { PARSE_INTERNAL } else { 0 };
        // SAFETY: the text ends in NUL and outlives the call; the options are alive.
        let object = unsafe { (self.functions.parse_backup)(text.as_ptr(), self.options, flags) };
        Ok(Owned::new(object, self.functions.free_backup))
    }

    fn parse_domain(&self, text: &[u8]) -> Result<Option<Owned>> {
        let text = CString::new(text)?;
        // SAFETY: as above; the driver's own data may be null.
        let object =
            unsafe { (self.functions.parse_domain)(text.as_ptr(), self.options, ptr::null_mut(), DOMAIN_FLAGS) };
        Ok(Owned::new(object, self.functions.free_domain))
    }

    fn format(&self, backup: &Owned, status: bool) -> Option<String> {
        let mut buffer = Buffer { text: ptr::null_mut(), indent: 0 };
        // SAFETY: the buffer is as `VIR_BUFFER_INITIALIZER` makes it; the backup is alive; no driver's data is needed.
        let result =
            unsafe { (self.functions.format)(&raw mut buffer, backup.object, c_int::from(status), ptr::null_mut()) };
        if result < 0 {
            // SAFETY: frees what was written so far and leaves the buffer empty.
            unsafe { (self.functions.free_buffer)(&raw mut buffer) };
            return None;
        }
        // SAFETY: hands over the buffer's text, or null for none, and leaves the buffer empty.
        Some(self.take(unsafe { (self.functions.take_text)(&raw mut buffer) }))
    }

    /// A copy of a text of libvirt's that is ours to free.
    fn take(&self, text: *mut c_char) -> String {
        let copy = copy_text(text);
        // SAFETY: this process owns the text, and `free` belongs to its allocator; null is allowed.
        unsafe { (self.functions.free)(text.cast()) };
        copy
    }

    fn message(&self) -> String {
        // SAFETY: points into the thread's last error, which stays until the next call that fails.
        copy_text(unsafe { (self.functions.error_message)() })
    }
}

impl Functions {
    fn find(library: &Library) -> Result<Self> {
        Ok(Self {
            reset_error: find(library, "virResetLastError")?,
            error_message: find(library, "virGetLastErrorMessage")?,
            parse_domain: find(library, "virDomainDefParseString")?,
            free_domain: find(library, "virDomainDefFree")?,
            parse_backup: find(library, "virDomainBackupDefParseString")?,
            align: find(library, "virDomainBackupAlignDisks")?,
            format: find(library, "virDomainBackupDefFormat")?,
            free_backup: find(library, "virDomainBackupDefFree")?,
            take_text: find(library, "virBufferContentAndReset")?,
            free_buffer: find(library, "virBufferFreeAndReset")?,
            // libvirt's strings are allocated by GLib, which uses the C library's allocator since 2.46.
            free: find(library, "free")?,
        })
    }
}

/// An object of libvirt, freed with the function for its type.
struct Owned {
    object: Object,
    free: unsafe extern "C" fn(Object),
}

impl Owned {
    fn new(object: Object, free: unsafe extern "C" fn(Object)) -> Option<Self> {
        (!object.is_null()).then_some(Self { object, free })
    }

    /// The object, for libvirt to free.
    fn release(self) -> Object {
        let object = self.object;
        std::mem::forget(self);
        object
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: this process owns the object, whose type the function frees, and does not use it again.
        unsafe { (self.free)(self.object) };
    }
}

/// The function `name`, cast to the type that the caller expects.
fn find<F: Copy>(library: &Library, name: &str) -> Result<F> {
    // SAFETY: the callers state the signatures of libvirt's own headers, and keep the library loaded.
    let symbol = unsafe { library.get::<F>(name) }.with_context(|| format!("libvirt has no {name}"))?;
    Ok(*symbol)
}

fn version_of(library: &Library) -> Result<String> {
    let get: unsafe extern "C" fn(*mut c_ulong, *const c_char, *mut c_ulong) -> c_int = find(library, "virGetVersion")?;
    let mut version: c_ulong = 0;
    // SAFETY: the first pointer is valid; the others may be null, meaning the library's version alone.
    let result = unsafe { get(&raw mut version, ptr::null(), ptr::null_mut()) };
    ensure!(result >= 0, "libvirt does not tell its version");
    Ok(format!("{}.{}.{}", version / 1_000_000, version / 1000 % 1000, version % 1000))
}

/// A copy of a C string; empty for null.
fn copy_text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: libvirt's strings end in NUL, and this one is alive while it is copied.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

extern "C" fn say_nothing(_data: *mut c_void, _error: *mut c_void) {}
