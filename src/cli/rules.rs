//! `rules`: all of them.

use crate::cli::args::RulesFormat;
use crate::release::Release;
use crate::rules::RULES;
use crate::wording::closest_match;

use super::{Env, ExitStatus};

pub(super) fn rules(format: RulesFormat, env: &mut Env<'_>) -> anyhow::Result<ExitStatus> {
    let out = &mut env.stdout.stream;
    match format {
        RulesFormat::Text => {
            let width = RULES.iter().map(|rule| rule.name().len()).max().unwrap_or_default();
            for rule in RULES {
                writeln!(out, "{:width$}  {:7}  {}", rule.name(), rule.severity().name(), rule.entry().title)?;
            }
        }
        RulesFormat::Json => {
            let rules = RULES.iter().map(|rule| {
                let (first, last) = rule.entry().releases;
                serde_json::json!({
                    "rule": rule.name(),
                    "severity": rule.severity().name(),
                    "title": rule.entry().title,
                    "first_release": first.map(Release::name),
                    "last_release": last.map(Release::name),
                })
            });
            writeln!(out, "{}", serde_json::to_string_pretty(&rules.collect::<Vec<_>>())?)?;
        }
    }
    out.flush()?;
    Ok(ExitStatus::Success)
}

/// What to write for an unknown name: the rule whose name, without its family, is closest, or the command that lists all.
pub(super) fn suggest_rule(written: &str) -> String {
    fn short(name: &str) -> &str {
        name.rsplit('/').next().unwrap_or(name)
    }
    let near = closest_match(short(written), RULES.iter().map(|rule| short(rule.name())));
    match near.and_then(|near| RULES.iter().find(|rule| short(rule.name()) == near)) {
        Some(rule) => format!("did you mean `{rule}`?"),
        None => "run `backupxml rules` for a list".to_owned(),
    }
}
