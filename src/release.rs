//! The libvirt releases that answers are known for.

use std::fmt;

/// A release of libvirt whose verdicts and text are reproduced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// 9.0.0, of Debian 12.
    V9_0_0,
    /// 11.3.0, of Debian 13.
    V11_3_0,
    /// 12.8.0, the newest known.
    #[default]
    V12_8_0,
}

impl Release {
    /// Every release, the oldest first.
    pub const ALL: [Self; 3] = [Self::V9_0_0, Self::V11_3_0, Self::V12_8_0];

    /// `9.0.0` and so on.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V9_0_0 => "9.0.0",
            Self::V11_3_0 => "11.3.0",
            Self::V12_8_0 => "12.8.0",
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
