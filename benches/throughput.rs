//! `cargo bench -p backupxml-benches`: bytes per second of parse, check, normalize and align, for several sizes.

use backupxml::{Domain, Options, align, check, normalize, parse};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};

/// Number of disks of the backup and of the domain.
const DISKS: [usize; 4] = [1, 1_000, 10_000, 100_000];

fn main() {
    divan::main();
}

fn options() -> Options {
    Options { suffix: "monday".to_owned(), ..Options::default() }
}

#[divan::bench(args = DISKS, max_time = 2)]
fn reading(bencher: Bencher, disks: usize) {
    let text = documents::backup(disks);
    bencher.counter(BytesCount::of_str(&text)).bench(|| parse(black_box(&text), &options()).is_ok());
}

#[divan::bench(args = DISKS, max_time = 2)]
fn checking(bencher: Bencher, disks: usize) {
    let (text, domain) = (documents::backup(disks), domain(disks));
    bencher.counter(BytesCount::of_str(&text)).bench(|| check(black_box(&text), Some(&domain), &options()));
}

#[divan::bench(args = DISKS, max_time = 2)]
fn normalizing(bencher: Bencher, disks: usize) {
    let (text, domain) = (documents::backup(disks), domain(disks));
    bencher.counter(BytesCount::of_str(&text)).bench(|| normalize(black_box(&text), Some(&domain), &options()).is_ok());
}

/// Aligns and formats a backup that was parsed before; counts the bytes of its document.
#[divan::bench(args = DISKS, max_time = 2)]
fn aligning(bencher: Bencher, disks: usize) {
    let (text, domain) = (documents::backup(disks), domain(disks));
    let Ok(backup) = parse(&text, &options()) else { panic!("libvirt would refuse the document") };
    bencher
        .with_inputs(|| backup.clone())
        .counter(BytesCount::of_str(&text))
        .bench_refs(|backup| align(backup, &domain, &options()).is_ok());
}

#[divan::bench(args = DISKS, max_time = 2)]
fn reading_the_domain(bencher: Bencher, disks: usize) {
    let text = documents::domain(disks);
    bencher.counter(BytesCount::of_str(&text)).bench(|| Domain::parse(black_box(&text)).is_ok());
}

fn domain(disks: usize) -> Domain {
    let Ok(domain) = Domain::parse(&documents::domain(disks)) else { panic!("the domain cannot be read") };
    domain
}
