//! `bench-stages STAGE DISKS TIMES` runs a stage that many times on a document of that many disks;
//! `benches/instructions` compares two numbers of times.
//!
//! `bench-stages write DISKS FOLDER` writes the documents backup.xml and domain.xml.

use std::hint::black_box;
use std::path::Path;
use std::{env, fs, process};

use backupxml::internals::{parse_document, parse_xml};
use backupxml::source::Source;
use backupxml::{Domain, Options, align, check, format};

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [stage, disks, times] = arguments.as_slice() else { fail("bench-stages STAGE DISKS TIMES") };
    let disks = disks.parse().unwrap_or_else(|_| fail("DISKS is a number"));
    if stage == "write" {
        let folder = Path::new(times);
        let written = fs::write(folder.join("backup.xml"), documents::backup(disks))
            .and_then(|()| fs::write(folder.join("domain.xml"), documents::domain(disks)));
        return written.unwrap_or_else(|error| fail(&error.to_string()));
    }
    run(stage, disks, times.parse().unwrap_or_else(|_| fail("TIMES is a number")));
}

fn run(stage: &str, disks: usize, times: usize) {
    let options = Options { suffix: "monday".to_owned(), ..Options::default() };
    let (text, domain_text) = (documents::backup(disks), documents::domain(disks));
    let document = parse_xml(&text).ok().unwrap_or_else(|| fail("no XML"));
    let (backup, _) = parse_document(&document, options.release);
    let backup = backup.unwrap_or_else(|| fail("no backup"));
    let domain = Domain::parse(&domain_text).ok().unwrap_or_else(|| fail("no domain"));
    let mut aligned = backup.clone();
    align(&mut aligned, &domain, &options).ok().unwrap_or_else(|| fail("does not fit the domain"));
    let diagnostics = check(&text, Some(&domain), &options);
    if !diagnostics.is_empty() {
        fail("the document is not clean");
    }
    for _ in 0..times {
        match stage {
            "read" => drop(black_box(Source::new("backup.xml", black_box(text.as_bytes()).to_vec(), options.release))),
            "xml" => drop(black_box(parse_xml(black_box(&text)))),
            "backup" => drop(black_box(parse_document(black_box(&document), options.release))),
            "domain" => drop(black_box(Domain::parse(black_box(&domain_text)))),
            "copy" => drop(black_box(black_box(&backup).clone())),
            "align" => {
                let mut copy = black_box(&backup).clone();
                black_box(align(&mut copy, &domain, &options)).ok().unwrap_or_else(|| fail("does not fit"));
            }
            "format" => drop(black_box(format(black_box(&aligned)))),
            "check" => drop(black_box(check(black_box(&text), Some(&domain), &options))),
            _ => fail("STAGE is read, xml, backup, domain, copy, align, format or check"),
        }
    }
}

fn fail(message: &str) -> ! {
    eprintln!("{message}");
    process::exit(2)
}
