//! A program that does nothing, the baseline for the time to start.

fn main() {}
