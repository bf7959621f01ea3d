//! `explain`: the page of a rule, or the rules behind an error message.

use std::io::Write;

use anyhow::bail;

use crate::cli::args::{ExplainArgs, ExplainFormat};
use crate::cli::message::{Explanation, Match, explain as explain_message};
use crate::rules::{RULES, Rule};

use super::rules::suggest_rule;
use super::{Env, ExitStatus, input};

pub(super) fn explain(arguments: &ExplainArgs, env: &mut Env<'_>) -> anyhow::Result<ExitStatus> {
    let written = match arguments.words.as_slice() {
        [only] if only == "-" => String::from_utf8_lossy(&input::standard_input(env.stdin)?.bytes).into_owned(),
        words => words.join(" "),
    };
    let is_message = written.trim().contains(char::is_whitespace);
    let out = &mut *env.stdout.stream;
    if is_message {
        let explanation = explain_message(&written);
        match arguments.format {
            ExplainFormat::Text => write_explanation(out, &explanation)?,
            ExplainFormat::Json => write_json(out, Some(&written), &explanation)?,
        }
        out.flush()?;
        return Ok(if matches!(explanation, Explanation::Unknown) { ExitStatus::Failure } else { ExitStatus::Success });
    }
    let rule = rule_called(written.trim())?;
    match arguments.format {
        ExplainFormat::Text => writeln!(out, "{}", rule.entry().page.trim_end())?,
        ExplainFormat::Json => write_json(out, None, &Explanation::Rules(vec![Match { rule, line: "", score: 1.0 }]))?,
    }
    out.flush()?;
    Ok(ExitStatus::Success)
}

/// The rule of a name, which may lack its family.
fn rule_called(name: &str) -> anyhow::Result<Rule> {
    let without_family = |rule: &&Rule| rule.name().split_once('/').is_some_and(|(_, rest)| rest == name);
    let found = Rule::from_name(name).or_else(|| RULES.iter().find(without_family).copied());
    let Some(rule) = found else {
        bail!("unknown rule `{name}`: {}", suggest_rule(name));
    };
    Ok(rule)
}

fn write_explanation(out: &mut dyn Write, explanation: &Explanation) -> anyhow::Result<()> {
    match explanation {
        Explanation::Rules(matches) => {
            let heading = if matches.len() == 1 {
                "This rule is behind the message:"
            } else {
                "These rules can be behind the message, best first:"
            };
            writeln!(out, "{heading}\n")?;
            for found in matches {
                writeln!(out, "{}: {}\n    {}\n", found.rule, found.rule.entry().title, found.line)?;
            }
            writeln!(out, "`backupxml explain RULE` explains each; `backupxml check` reports which it is, and where.")?;
        }
        Explanation::NamesNothing(found) => {
            writeln!(out, "This message does not name the mistake. libvirt prints it for many different ones:\n")?;
            writeln!(out, "    {}\n", found.line)?;
            writeln!(out, "`backupxml check BACKUP.xml` reports the mistake itself, and where it is.")?;
        }
        Explanation::Unknown => {
            writeln!(out, "This is like no message that a rule is known for.\n")?;
            writeln!(out, "`backupxml check BACKUP.xml` reports what is wrong with a document.")?;
        }
    }
    Ok(())
}

fn write_json(out: &mut dyn Write, message: Option<&str>, explanation: &Explanation) -> anyhow::Result<()> {
    let matches = match explanation {
        Explanation::Rules(matches) => matches.as_slice(),
        Explanation::NamesNothing(_) | Explanation::Unknown => &[],
    };
    let rules = matches.iter().map(|found| {
        let line = Some(found.line).filter(|_| message.is_some());
        serde_json::json!({
            "rule": found.rule.name(),
            "severity": found.rule.severity().name(),
            "title": found.rule.entry().title,
            "libvirt": line,
            "score": (found.score * 100.0).round() / 100.0,
            "page": found.rule.entry().page,
        })
    });
    let json = serde_json::json!({
        "schema_version": 1,
        "message": message,
        "names_nothing": matches!(explanation, Explanation::NamesNothing(_)),
        "rules": rules.collect::<Vec<_>>(),
    });
    writeln!(out, "{}", serde_json::to_string_pretty(&json)?)?;
    Ok(())
}
