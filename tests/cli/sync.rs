//! A new file is on the disk before it has the name of the old one.
//!
//! The program runs with a library that comes before the C library and records the calls of `fsync`: the bytes of the
//! file that is synchronized, and the bytes that the target has at that moment.

use std::fs;
use std::process::{Command, Stdio};

use crate::process::{Run, command, directory, path};

const SHIM: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int fsync(int file) {
    struct stat synced, target;
    if (fstat(file, &synced) || stat(getenv("TARGET"), &target))
        return -1;
    FILE *log = fopen(getenv("LOG"), "a");
    if (log && S_ISREG(synced.st_mode)) {
        fprintf(log, "%lld, then %lld\n", (long long)synced.st_size, (long long)target.st_size);
        fclose(log);
    }
    return fdatasync(file);
}
"#;

#[test]
fn a_file_is_synchronized_before_it_replaces_the_old_one() {
    let backup = b"<domainbackup />";
    let normal = "<domainbackup mode='push'/>\n";
    let directory = directory("sync", &[("a.xml", backup), ("shim.c", SHIM.as_bytes())]);
    let at = |name: &str| path(&directory, name);
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o", &at("shim.so"), &at("shim.c")]).status();
    assert!(compiled.expect("a C compiler, which linking Rust needs too").success());
    let output = command(&["normalize", "--in-place", &at("a.xml")])
        .envs([("LD_PRELOAD", at("shim.so")), ("TARGET", at("a.xml")), ("LOG", at("log"))])
        .stdin(Stdio::null())
        .output();
    let run = Run::from(output.unwrap());
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(directory.join("a.xml")).unwrap(), normal);
    let log = fs::read_to_string(directory.join("log")).expect("fsync is called");
    assert_eq!(log, format!("{}, then {}\n", normal.len(), backup.len()));
}
