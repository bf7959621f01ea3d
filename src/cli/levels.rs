//! Which diagnostics count, and how much: `--allow`, `--warn` and `--deny`.

use crate::diagnostic::Diagnostic;
use crate::rules::{RULES, Rule, Severity};

/// What is to become of diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// They are dropped.
    Allow,
    /// They are warnings.
    Warn,
    /// They are errors.
    Deny,
}

/// A rule, a family of rules, or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// `all`
    All,
    /// `schema`
    Family(String),
    /// `schema/missing-server`
    Rule(Rule),
}

impl Selector {
    /// Reads `all`, a family or a rule; there is none for any other word.
    #[must_use]
    pub fn parse(written: &str) -> Option<Self> {
        if written == "all" {
            return Some(Self::All);
        }
        let is_family = RULES.iter().any(|rule| rule.family() == written);
        if is_family {
            return Some(Self::Family(written.to_owned()));
        }
        Rule::from_name(written).map(Self::Rule)
    }

    /// How few rules it selects, for comparison with others.
    #[must_use]
    pub fn precision(&self) -> u8 {
        match self {
            Self::All => 0,
            Self::Family(_) => 1,
            Self::Rule(_) => 2,
        }
    }

    fn selects(&self, rule: Rule) -> bool {
        match self {
            Self::All => true,
            Self::Family(family) => rule.family() == family,
            Self::Rule(selected) => *selected == rule,
        }
    }
}

/// Levels in the order in which they were asked for: the last one that selects a rule holds.
#[derive(Clone, Debug, Default)]
pub struct Levels(pub Vec<(Selector, Level)>);

impl Levels {
    /// Gives each diagnostic its severity, and drops those that are allowed.
    #[must_use]
    pub fn apply(&self, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
        diagnostics.into_iter().filter_map(|diagnostic| self.set_severity(diagnostic)).collect()
    }

    fn set_severity(&self, mut diagnostic: Diagnostic) -> Option<Diagnostic> {
        match self.0.iter().rev().find(|(selector, _)| selector.selects(diagnostic.rule)) {
            None => {}
            Some((_, Level::Allow)) => return None,
            Some((_, Level::Warn)) => diagnostic.severity = Severity::Warning,
            Some((_, Level::Deny)) => diagnostic.severity = Severity::Error,
        }
        Some(diagnostic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    #[test]
    fn the_last_level_that_selects_a_rule_holds() {
        let levels = |written: &[(&str, Level)]| {
            Levels(written.iter().map(|(selector, level)| (Selector::parse(selector).unwrap(), *level)).collect())
        };
        let set_severity = |written: &[(&str, Level)]| {
            let diagnostic = Diagnostic::new(Rule::MissingServer, Span::default(), "");
            levels(written).apply(vec![diagnostic]).first().map(|diagnostic| diagnostic.severity)
        };
        assert_eq!(set_severity(&[]), Some(Severity::Error));
        assert_eq!(set_severity(&[("all", Level::Allow)]), None);
        assert_eq!(set_severity(&[("all", Level::Allow), ("schema", Level::Warn)]), Some(Severity::Warning));
        assert_eq!(
            set_severity(&[("schema/missing-server", Level::Deny), ("schema", Level::Warn)]),
            Some(Severity::Warning)
        );
        assert_eq!(set_severity(&[("xml", Level::Allow)]), Some(Severity::Error));
        assert_eq!(Selector::parse("schema/no-such-rule"), None);
    }
}
