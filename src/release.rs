//! The supported libvirt releases.

use std::fmt;

/// A libvirt release whose verdicts and output are reproduced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Release {
    /// 9.0.0, in Debian 12.
    V9_0_0,
    /// 11.3.0, in Debian 13.
    V11_3_0,
    /// 12.8.0, the newest supported.
    #[default]
    V12_8_0,
}

impl Release {
    /// Every supported release, oldest first.
    pub const ALL: [Self; 3] = [Self::V9_0_0, Self::V11_3_0, Self::V12_8_0];

    /// The newest supported release that is not newer than `written`, given as `X.Y.Z` or `X.Y`. `None` if `written` is
    /// not a version, or is outside the range of supported releases.
    #[must_use]
    pub fn at_or_before(written: &str) -> Option<Self> {
        let version = parse_version(written)?;
        let newest = Self::ALL.last().and_then(|release| parse_version(release.name()))?;
        let not_newer = |release: &&Self| parse_version(release.name()).is_some_and(|known| known <= version);
        Self::ALL.iter().filter(|_| version <= newest).rfind(not_newer).copied()
    }

    /// The known release whose answers are nearest to those of any other.
    #[must_use]
    pub fn nearest(written: &str) -> Option<Self> {
        let version = parse_version(written)?;
        let not_newer = |release: &&Self| parse_version(release.name()).is_some_and(|known| known <= version);
        Self::ALL.iter().rfind(not_newer).or(Self::ALL.first()).copied()
    }

    /// The version, such as `9.0.0`.
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

fn parse_version(written: &str) -> Option<[u16; 3]> {
    let mut version = [0; 3];
    let parts: Vec<_> = written.split('.').collect();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    for (number, part) in version.iter_mut().zip(parts) {
        *number = part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten()?;
    }
    Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_between_two_known_ones_is_answered_for_by_the_older() {
        for (written, release) in [
            ("9.0.0", Some(Release::V9_0_0)),
            ("10.5.0", Some(Release::V9_0_0)),
            ("11.3", Some(Release::V11_3_0)),
            ("12.7.9", Some(Release::V11_3_0)),
            ("12.8.0", Some(Release::V12_8_0)),
            ("12.8.1", None),
            ("8.9.9", None),
            ("9", None),
            ("9.0.0.0", None),
            ("9.0.x", None),
            ("+9.0.0", None),
        ] {
            assert_eq!(Release::at_or_before(written), release, "{written}");
        }
    }
}
