//! Reads and parses each file, the baseline for checking many or large files.
//!
//! With `--together` the documents stay in memory, as a backup and its domain do.

use std::{env, fs, process};

fn main() {
    let mut files: Vec<_> = env::args_os().skip(1).collect();
    let together = files.first().is_some_and(|first| first == "--together");
    if together {
        files.remove(0);
    }
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap_or_else(|error| fail(&error)));
    let mut elements = 0;
    if together {
        let texts: Vec<_> = texts.collect();
        let documents: Vec<_> = texts.iter().map(|text| parse(text)).collect();
        elements += documents.iter().map(count).sum::<usize>();
    } else {
        elements += texts.map(|text| count(&parse(&text))).sum::<usize>();
    }
    println!("{elements} children of the roots");
}

fn parse(text: &str) -> roxmltree::Document<'_> {
    roxmltree::Document::parse(text).unwrap_or_else(|error| fail(&error))
}

fn count(document: &roxmltree::Document<'_>) -> usize {
    document.root_element().children().count()
}

fn fail(error: &dyn std::error::Error) -> ! {
    eprintln!("{error}");
    process::exit(2)
}
