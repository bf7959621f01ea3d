//! placeholder
use crate::diagnostic::*; use crate::rules::Rule;
/// x
pub struct Syntax { /// x
 pub diagnostics: Vec<Diagnostic>, /// x
 pub repaired: Option<Repaired> }
/// x
pub struct Repaired { /// x
pub text: String }
impl Repaired { /// x
 pub fn original(&self, s: Span) -> Span { s } }
/// x
pub fn parse(text: &str) -> Result<roxmltree::Document<'_>, Syntax> {
 roxmltree::Document::parse(text).map_err(|e| Syntax { diagnostics: vec![Diagnostic::new(Rule::NotWellFormed, Span::new(0,1), e.to_string())], repaired: None })
}
/// x
pub fn root_name(_t: &str) -> Option<&str> { None }
