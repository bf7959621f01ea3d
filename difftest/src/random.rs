//! Random numbers that depend on a seed only (splitmix64).

#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed);
        // Makes sequences of neighbouring seeds unrelated.
        random.0 = random.next() ^ seed.rotate_left(32);
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        usize::try_from(self.next() % bound).unwrap_or_default()
    }

    /// True in `percent` of 100 cases.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.next() % 100 < u64::from(percent)
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Whether a choice is to be wrong, as `per_mille` of 1000 are.
    pub fn fault(&mut self, per_mille: u32) -> bool {
        self.next() % 1000 < u64::from(per_mille)
    }

    /// One of the correct values, or a wrong one: from the list, or a corrupted correct one.
    pub fn word(&mut self, per_mille: u32, right: &[&str], wrong: &[&str]) -> String {
        if !self.fault(per_mille) {
            return self.pick(right).to_owned();
        }
        let word = self.pick(right);
        match self.below(8) {
            0 => format!(" {word} "),
            1 => format!("{word}\n"),
            2 => word.to_uppercase(),
            3 => String::new(),
            _ if wrong.is_empty() => word.to_owned(),
            _ => self.pick(wrong).to_owned(),
        }
    }
}
