//! Tags and their errors → the syntax tree of a document with errors.

use std::collections::HashMap;

use crate::diagnostic::Span;

use super::build::{Builder, StartTag};
use super::matching::{Explanation, Opened, StartTagState, TagError, Token, TokenKind};
use super::scan::is_known_element;
use super::tree::{AttributeData, Broken, Document};

/// A part of a document between tags.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub kind: PieceKind,
    pub span: Span,
    /// The number of the token after it.
    pub next_token: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum PieceKind {
    Text,
    Comment,
    Instruction,
    /// What is reported and has no place in the tree.
    Ignored,
}

/// Builds the tree that an explanation of the errors in the tags makes of them.
pub(super) fn build<'a>(
    text: &'a str,
    attributes: Vec<AttributeData<'a>>,
    tokens: &[Token<'a>],
    pieces: &[Piece],
    explanation: &Explanation<'a>,
) -> Document<'a> {
    let mut recovery =
        Recovery { builder: Builder::new(text, attributes), tags: HashMap::new(), broken: Broken::default() };
    recovery.collect_tags(tokens, explanation);
    let mut pieces = pieces.iter().peekable();
    let mut errors = explanation.errors.iter().peekable();
    'tokens: for (number, token) in tokens.iter().enumerate() {
        while let Some(piece) = pieces.next_if(|piece| piece.next_token <= number) {
            recovery.piece(*piece);
        }
        let mut is_read = false;
        while let Some(error) = errors.next_if(|error| error.token() == number) {
            if matches!(error, TagError::SecondRoot(_)) {
                break 'tokens;
            }
            is_read |= recovery.error(error, token);
        }
        if !is_read {
            recovery.token(number, token);
        }
        if recovery.builder.is_beyond_limit() {
            break;
        }
    }
    for piece in pieces {
        recovery.piece(*piece);
    }
    let mut document = recovery.builder.finish();
    document.broken = recovery.broken;
    document
}

struct Recovery<'a> {
    builder: Builder<'a>,
    /// The start tags that are not as they should be, by their tokens, and their names.
    tags: HashMap<usize, Vec<(StartTagState, &'a str)>>,
    broken: Broken,
}

impl<'a> Recovery<'a> {
    fn collect_tags(&mut self, tokens: &[Token<'a>], explanation: &Explanation<'a>) {
        let tag = |opened: &Opened<'a>| tokens.get(opened.token);
        for opened in explanation.errors.iter().filter_map(TagError::opened).chain(explanation.open.iter().copied()) {
            let tags = self.tags.entry(opened.token).or_default();
            if opened.state != StartTagState::Written && !tags.iter().any(|(state, _)| *state == opened.state) {
                tags.push((opened.state, opened.name));
            }
        }
        for error in &explanation.errors {
            match error {
                TagError::Unclosed(opened, _) => self.broken.tags.extend(tag(opened).map(|tag| tag.span)),
                TagError::StartForEnd(opened, end) => {
                    self.broken.tags.extend(tag(opened).into_iter().chain(tokens.get(*end)).map(|tag| tag.span));
                }
                TagError::Mismatched(opened, end) => {
                    let (Some(start), Some(end)) = (tag(opened), tokens.get(*end)) else { continue };
                    if is_known_element(end.name) && !is_known_element(start.name) {
                        self.tags.entry(opened.token).or_default().push((StartTagState::Renamed, end.name));
                    }
                }
                _ => {}
            }
        }
        self.broken.tags.extend(explanation.open.iter().filter_map(tag).map(|tag| tag.span));
    }

    fn piece(&mut self, piece: Piece) {
        match piece.kind {
            PieceKind::Text => self.builder.text(piece.span),
            PieceKind::Comment => self.builder.comment(piece.span),
            PieceKind::Instruction => self.builder.instruction(piece.span),
            PieceKind::Ignored => {}
        }
    }

    /// Applies an error to the tree; whether the token is no more than that.
    fn error(&mut self, error: &TagError<'a>, token: &Token<'a>) -> bool {
        match error {
            TagError::Unclosed(..) => {
                self.builder.end(None, token.span.start);
                false
            }
            TagError::StartForEnd(..) => {
                self.builder.end(None, token.span.end);
                true
            }
            TagError::Stray(_) | TagError::Misordered(_) | TagError::Outside(_) => true,
            TagError::Mismatched(..) | TagError::BadStartTag(..) | TagError::SecondRoot(_) => false,
        }
    }

    fn token(&mut self, number: usize, token: &Token<'a>) {
        let tags = self.tags.get(&number).map(Vec::as_slice).unwrap_or_default();
        let name = |wanted| tags.iter().find(|(state, _)| *state == wanted).map(|(_, name)| *name);
        if let Some(name) = name(StartTagState::Missing) {
            let place = token.span.before();
            self.broken.tags.push(place);
            self.builder.start(StartTag { name, name_span: place, span: place, attributes: (0, 0) });
        }
        let start = StartTag {
            name: name(StartTagState::Renamed).unwrap_or(token.name),
            name_span: token.name_span,
            span: token.span,
            attributes: token.attributes,
        };
        match token.kind {
            TokenKind::Text => {}
            TokenKind::Start { .. } => self.builder.start(start),
            TokenKind::Empty(_) => {
                self.builder.start(start);
                if name(StartTagState::Empty).is_none() {
                    self.builder.end(None, token.span.end);
                }
            }
            TokenKind::End => self.builder.end(Some(token.name_span), token.span.end),
        }
    }
}
