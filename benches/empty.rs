//! The least that a Rust program does; what start-up is measured against.

fn main() {}
