//! Matches start and end tags: finds the smallest number of errors that explains all of the tags.
//!
//! One missing end tag makes every later one look wrong, so no tag can be judged by itself. The tags are matched by
//! beam search. Each hypothesis is a stack of open elements and the cost of the errors assumed so far. A tag that does
//! not fit extends a hypothesis in every plausible way, each at a cost. Only the cheapest hypotheses are kept; the
//! errors of the cheapest one at the end are reported.

use crate::diagnostic::Span;
use crate::schema::{DOMAINBACKUP, DOMAINCHECKPOINT, Shape};
use crate::wording::closest_match;

use super::limits::MAX_DEPTH;

/// The cost of an error.
const COST_ERROR: u32 = 20;
/// The cost of an element where libvirt allows none: less than a broken tag, unless several elements are affected.
const COST_MISPLACED: u32 = 8;
/// The cost of an unknown name, or of text where none is allowed.
const COST_UNKNOWN: u32 = 2;
/// The cost of a whole second document, which is less likely than an error within one.
const COST_SECOND_ROOT: u32 = 30;
/// Hypotheses that cost this much more than the best one are dropped.
const PRUNE_MARGIN: u32 = 60;
/// Maximum number of hypotheses.
const BEAM_WIDTH: usize = 32;
/// Maximum number of steps of all hypotheses together, to limit time and memory.
const STEP_BUDGET: usize = 1 << 20;
/// Maximum number of unclosed elements that are assumed at one place.
const MAX_CLOSED_AT_ONCE: usize = 8;
/// Elements of state files that are not in the schema, with their parents.
const STATE_ELEMENTS: [(&str, &[&str]); 4] = [
    ("privateData", &["domainbackup"]),
    ("objects", &["privateData"]),
    ("TLSx509", &["objects"]),
    ("secret", &["objects"]),
];

/// A tag or a piece of text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub kind: TokenKind,
    /// The name in a tag; what to call any other token.
    pub name: &'a str,
    pub span: Span,
    /// The span of the name.
    pub name_span: Span,
    /// The numbers of its first attribute and of the one after its last.
    pub attributes: (u32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TokenKind {
    Start {
        has_attributes: bool,
    },
    /// An empty-element tag, and the span of its `/`.
    Empty(Span),
    End,
    /// Text that contains more than white space.
    Text,
}

impl Token<'_> {
    /// The name, or the whole tag if it has none.
    pub fn name_span_or_tag(&self) -> Span {
        if self.name.is_empty() { self.span } else { self.name_span }
    }
}

/// A start tag, or the place where one is missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened<'a> {
    /// The token of the tag; if it is missing, the token that it is missing before.
    pub token: usize,
    /// The name that it should have.
    pub name: &'a str,
    pub state: StartTagState,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum StartTagState {
    Written,
    /// With another name.
    Renamed,
    /// As an empty-element tag.
    Empty,
    /// Missing.
    Missing,
}

/// An error that a hypothesis assumes.
#[derive(Clone, Copy, Debug)]
pub(super) enum TagError<'a> {
    /// An element is not closed before a token.
    Unclosed(Opened<'a>, usize),
    /// An end tag without a start tag.
    Stray(usize),
    /// An end tag after the end tag of its parent.
    Misordered(usize),
    /// An end tag with another name than its element.
    Mismatched(Opened<'a>, usize),
    /// A start tag that is wrong, as its end tag shows.
    BadStartTag(Opened<'a>, usize),
    /// A start tag in place of an end tag.
    StartForEnd(Opened<'a>, usize),
    /// A token outside the root element.
    Outside(usize),
    /// A second root element.
    SecondRoot(usize),
}

impl<'a> TagError<'a> {
    /// The token that shows it.
    pub fn token(&self) -> usize {
        let (Self::Stray(token)
        | Self::Misordered(token)
        | Self::Outside(token)
        | Self::SecondRoot(token)
        | Self::Unclosed(_, token)
        | Self::Mismatched(_, token)
        | Self::BadStartTag(_, token)
        | Self::StartForEnd(_, token)) = self;
        *token
    }

    /// The start tag that it is about.
    pub fn opened(&self) -> Option<Opened<'a>> {
        match self {
            Self::Unclosed(opened, _)
            | Self::Mismatched(opened, _)
            | Self::BadStartTag(opened, _)
            | Self::StartForEnd(opened, _) => Some(*opened),
            _ => None,
        }
    }
}

/// The errors in the tags of a document.
#[derive(Debug, Default)]
pub(super) struct Explanation<'a> {
    /// In the order of the document.
    pub errors: Vec<TagError<'a>>,
    /// The elements that are open at the end, innermost first.
    pub open: Vec<Opened<'a>>,
}

/// The known elements, by number, and which of them may contain which.
struct Grammar {
    root: &'static str,
    names: Vec<&'static str>,
    allowed: Vec<Vec<bool>>,
}

/// The number of a known element.
type Kind = Option<u8>;

impl Grammar {
    /// The grammar of the kind of document whose root is the first tag; that of backups for any other root.
    fn new(tokens: &[Token<'_>]) -> Self {
        let is_checkpoint = tokens.first().is_some_and(|first| first.name == DOMAINCHECKPOINT.name);
        let root: &Shape = if is_checkpoint { &DOMAINCHECKPOINT } else { &DOMAINBACKUP };
        let names = root.relatives().iter().map(|(shape, _)| shape.name);
        let names: Vec<_> = names.chain(STATE_ELEMENTS.map(|(name, _)| name)).collect();
        let may_hold = |parent: &str, child: &str| {
            let parents = root.relatives().iter().filter(|(shape, _)| shape.name == child).map(|(_, parents)| *parents);
            let state = STATE_ELEMENTS.iter().filter(|(name, _)| *name == child).map(|(_, parents)| *parents);
            parents.chain(state).any(|parents| parents.contains(&parent))
        };
        let allowed = names.iter().map(|parent| names.iter().map(|child| may_hold(parent, child)).collect()).collect();
        Self { root: root.name, names, allowed }
    }

    fn kind(&self, name: &str) -> Kind {
        self.names.iter().position(|known| *known == name).and_then(|number| u8::try_from(number).ok())
    }

    fn name(&self, kind: u8) -> &'static str {
        self.names.get(usize::from(kind)).copied().unwrap_or_default()
    }

    fn allows(&self, parent: u8, child: u8) -> bool {
        self.allowed.get(usize::from(parent)).and_then(|row| row.get(usize::from(child))).copied().unwrap_or(false)
    }

    /// The cost of `child` in `parent`.
    fn misplacement_cost(&self, parent: Kind, child: Kind) -> u32 {
        match (parent, child) {
            (Some(parent), Some(child)) if !self.allows(parent, child) => COST_MISPLACED,
            (Some(_), None) => COST_UNKNOWN,
            _ => 0,
        }
    }

    /// The elements that may be between `parent` and `child`.
    fn between(&self, parent: Kind, child: Kind) -> Vec<u8> {
        let (Some(parent), Some(child)) = (parent, child) else { return Vec::new() };
        let kinds = (0..self.names.len()).filter_map(|kind| u8::try_from(kind).ok());
        kinds.filter(|kind| self.allows(parent, *kind) && self.allows(*kind, child)).collect()
    }

    fn holds_text(&self, kind: Kind) -> bool {
        kind.is_none_or(|kind| matches!(self.name(kind), "incremental" | "label"))
    }

    fn holds_something(&self, kind: Kind) -> bool {
        self.holds_text(kind)
            || kind.is_some_and(|kind| self.allowed.get(usize::from(kind)).is_some_and(|row| row.contains(&true)))
    }
}

/// An open element on the stack of a hypothesis; hypotheses share the elements below it.
struct Element<'a> {
    below: usize,
    opened: Opened<'a>,
    kind: Kind,
    depth: usize,
    /// A hash of the names of this element and all of its ancestors.
    fingerprint: u64,
}

/// An error and those before it.
struct Step<'a> {
    before: usize,
    error: TagError<'a>,
}

/// A possible interpretation of the document so far. Its numbers are positions in the lists of [`TagMatcher`] plus 1; 0
/// is none.
#[derive(Clone, Copy)]
struct Hypothesis {
    cost: u32,
    top: usize,
    trace: usize,
    root: Root,
}

#[derive(Clone, Copy, PartialEq)]
enum Root {
    Expected,
    Open,
    Closed,
    /// The root is followed by content, which is reported.
    HasTrailing,
}

struct TagMatcher<'t, 'a> {
    grammar: Grammar,
    tokens: &'t [Token<'a>],
    elements: Vec<Element<'a>>,
    steps: Vec<Step<'a>>,
    next: Vec<Hypothesis>,
}

/// Explains the tags. If the document is `truncated`, its end is inside a tag and unclosed elements are not reported.
pub(super) fn explain<'a>(tokens: &[Token<'a>], truncated: bool) -> Explanation<'a> {
    if is_balanced(tokens) {
        return Explanation::default();
    }
    let mut matcher =
        TagMatcher { grammar: Grammar::new(tokens), tokens, elements: Vec::new(), steps: Vec::new(), next: Vec::new() };
    let beam_width = (STEP_BUDGET / tokens.len().max(1)).clamp(4, BEAM_WIDTH);
    let mut current = vec![Hypothesis { cost: 0, top: 0, trace: 0, root: Root::Expected }];
    for number in 0..tokens.len() {
        for hypothesis in &current {
            matcher.read_token(*hypothesis, number);
        }
        matcher.prune(&mut current, beam_width);
        let is_too_deep =
            |hypothesis: &Hypothesis| matcher.element(hypothesis.top).is_some_and(|element| element.depth > MAX_DEPTH);
        if current.iter().all(is_too_deep) {
            // The limit is reported. Of what is open there, it is not known where it should end.
            let best = current.iter().min_by_key(|hypothesis| hypothesis.cost);
            return best.map(|best| matcher.explanation(*best, true)).unwrap_or_default();
        }
    }
    let end_cost = |hypothesis: &Hypothesis| {
        let open = matcher.stack(hypothesis.top).count();
        hypothesis.cost
            + if open == 0 || truncated { 0 } else { COST_ERROR + u32::try_from(open).unwrap_or(u32::MAX / 2) }
    };
    let best = current.iter().min_by_key(|hypothesis| end_cost(hypothesis));
    best.map(|best| matcher.explanation(*best, truncated)).unwrap_or_default()
}

/// Whether the tags match, with one root and nothing outside it: the fast path.
fn is_balanced(tokens: &[Token<'_>]) -> bool {
    let mut open = Vec::new();
    let mut roots = 0;
    for token in tokens {
        if open.is_empty() {
            roots += 1;
            if roots > 1 || matches!(token.kind, TokenKind::Text | TokenKind::End) {
                return false;
            }
        }
        match token.kind {
            TokenKind::Start { .. } => open.push(token.name),
            TokenKind::End if open.pop() != Some(token.name) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

impl<'a> TagMatcher<'_, 'a> {
    fn stack(&self, top: usize) -> impl Iterator<Item = &Element<'a>> {
        std::iter::successors(self.element(top), |element| self.element(element.below))
    }

    fn element(&self, number: usize) -> Option<&Element<'a>> {
        self.elements.get(number.checked_sub(1)?)
    }

    fn top_kind(&self, hypothesis: Hypothesis) -> Kind {
        self.element(hypothesis.top).and_then(|element| element.kind)
    }

    fn with_error(&mut self, mut hypothesis: Hypothesis, cost: u32, error: TagError<'a>) -> Hypothesis {
        self.steps.push(Step { before: hypothesis.trace, error });
        hypothesis.trace = self.steps.len();
        hypothesis.cost += cost;
        hypothesis
    }

    fn pushed(&mut self, mut hypothesis: Hypothesis, opened: Opened<'a>, kind: Kind, cost: u32) -> Hypothesis {
        let (below, depth) =
            self.element(hypothesis.top).map_or((0, 0), |element| (element.fingerprint, element.depth));
        let fingerprint = opened
            .name
            .bytes()
            .fold(below ^ 0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
            .rotate_left(7);
        self.elements.push(Element { below: hypothesis.top, opened, kind, depth: depth + 1, fingerprint });
        hypothesis.top = self.elements.len();
        hypothesis.root = Root::Open;
        hypothesis.cost += cost;
        hypothesis
    }

    fn popped(&self, mut hypothesis: Hypothesis) -> Hypothesis {
        hypothesis.top = self.element(hypothesis.top).map_or(0, |element| element.below);
        if hypothesis.top == 0 {
            hypothesis.root = Root::Closed;
        }
        hypothesis
    }

    /// Extends a hypothesis by a token in every plausible way.
    fn read_token(&mut self, hypothesis: Hypothesis, number: usize) {
        let Some(token) = self.tokens.get(number).copied() else { return };
        match token.kind {
            _ if hypothesis.root == Root::HasTrailing => self.next.push(hypothesis),
            TokenKind::Text => self.read_text(hypothesis, number),
            TokenKind::End => self.read_end(hypothesis, number, token.name),
            TokenKind::Start { .. } | TokenKind::Empty(_) => self.read_start(hypothesis, number, token),
        }
    }

    fn read_text(&mut self, mut hypothesis: Hypothesis, number: usize) {
        let parent = self.top_kind(hypothesis);
        if hypothesis.top == 0 {
            let outside = self.with_error(hypothesis, COST_ERROR, TagError::Outside(number));
            return self.next.push(outside);
        }
        if !self.grammar.holds_text(parent) {
            let holders = ["incremental", "label"].map(|name| self.grammar.kind(name));
            let missing = holders.into_iter().find(|child| self.grammar.misplacement_cost(parent, *child) == 0);
            if let Some(missing) = missing.flatten() {
                let inserted = self.inserted(hypothesis, number, missing);
                self.next.push(inserted);
            }
            hypothesis.cost += COST_UNKNOWN;
        }
        self.next.push(hypothesis);
    }

    /// A hypothesis in which the start tag of `kind` is missing before a token.
    fn inserted(&mut self, hypothesis: Hypothesis, number: usize, kind: u8) -> Hypothesis {
        let opened = Opened { token: number, name: self.grammar.name(kind), state: StartTagState::Missing };
        self.pushed(hypothesis, opened, Some(kind), COST_ERROR + 1)
    }

    fn read_start(&mut self, hypothesis: Hypothesis, number: usize, token: Token<'a>) {
        if hypothesis.root == Root::Closed {
            let mut second = self.with_error(hypothesis, COST_SECOND_ROOT, TagError::SecondRoot(number));
            second.root = Root::HasTrailing;
            return self.next.push(second);
        }
        let kind = self.grammar.kind(token.name);
        let parent = self.top_kind(hypothesis);
        let is_first = hypothesis.root == Root::Expected;
        let misplacement_cost = match kind {
            Some(kind) if is_first && self.grammar.name(kind) != self.grammar.root => COST_MISPLACED,
            _ if is_first => 0,
            _ => self.grammar.misplacement_cost(parent, kind),
        };
        self.open(hypothesis, number, token, kind, misplacement_cost);
        if is_first {
            let root = self.grammar.kind(self.grammar.root);
            if let Some(root) = root.filter(|_| kind.is_some() && self.grammar.misplacement_cost(root, kind) == 0) {
                let inside = self.inserted(hypothesis, number, root);
                self.open(inside, number, token, kind, 0);
            }
            return;
        }
        if let Some(top) = self.element(hypothesis.top).map(|element| element.opened)
            && token.kind == (TokenKind::Start { has_attributes: false })
            && top.name == token.name
            && top.state == StartTagState::Written
        {
            let closed = self.with_error(hypothesis, COST_ERROR, TagError::StartForEnd(top, number));
            let closed = self.popped(closed);
            self.next.push(closed);
        }
        if misplacement_cost == 0 {
            return;
        }
        self.open_further_out(hypothesis, number, token, kind);
        for between in self.grammar.between(parent, kind) {
            let inside = self.inserted(hypothesis, number, between);
            self.open(inside, number, token, kind, 0);
        }
        if matches!(token.kind, TokenKind::Start { .. }) {
            self.open_renamed(hypothesis, number, token.name, parent);
        }
    }

    /// Opens an element; an empty-element tag also as one whose `/` is wrong.
    fn open(&mut self, hypothesis: Hypothesis, number: usize, token: Token<'a>, kind: Kind, misplacement_cost: u32) {
        let opened = |state| Opened { token: number, name: token.name, state };
        let TokenKind::Empty(_) = token.kind else {
            let pushed = self.pushed(hypothesis, opened(StartTagState::Written), kind, misplacement_cost);
            return self.next.push(pushed);
        };
        let mut closed = hypothesis;
        closed.cost += misplacement_cost;
        closed.root = if closed.top == 0 { Root::Closed } else { Root::Open };
        self.next.push(closed);
        if kind.is_some() && self.grammar.holds_something(kind) {
            let pushed = self.pushed(hypothesis, opened(StartTagState::Empty), kind, misplacement_cost + COST_ERROR);
            self.next.push(pushed);
        }
    }

    /// Assumes unclosed elements until the new one fits.
    fn open_further_out(&mut self, mut hypothesis: Hypothesis, number: usize, token: Token<'a>, kind: Kind) {
        for _ in 0..MAX_CLOSED_AT_ONCE {
            let Some(top) =
                self.element(hypothesis.top).filter(|top| top.below != 0 && top.opened.state != StartTagState::Missing)
            else {
                return;
            };
            let opened = top.opened;
            hypothesis = self.with_error(hypothesis, COST_ERROR, TagError::Unclosed(opened, number));
            hypothesis = self.popped(hypothesis);
            if self.grammar.misplacement_cost(self.top_kind(hypothesis), kind) == 0 {
                return self.open(hypothesis, number, token, kind, 0);
            }
        }
    }

    /// Assumes that a start tag should have another name that fits.
    fn open_renamed(&mut self, hypothesis: Hypothesis, number: usize, name: &str, parent: Kind) {
        let fitting = self.grammar.names.iter().copied().enumerate();
        let fitting = fitting.filter_map(|(kind, known)| Some((u8::try_from(kind).ok()?, known)));
        let fitting: Vec<_> = fitting
            .filter(|(kind, known)| *known != name && self.grammar.misplacement_cost(parent, Some(*kind)) == 0)
            .filter(|(_, known)| closest_match(name, std::iter::once(*known)).is_some())
            .collect();
        for (kind, known) in fitting {
            let opened = Opened { token: number, name: known, state: StartTagState::Renamed };
            let pushed = self.pushed(hypothesis, opened, Some(kind), COST_ERROR);
            self.next.push(pushed);
        }
    }

    fn read_end(&mut self, hypothesis: Hypothesis, number: usize, name: &'a str) {
        let stray = self.stray(hypothesis, number, name);
        let Some(top) = self.element(hypothesis.top) else {
            return self.next.push(stray);
        };
        let (opened, kind) = (top.opened, top.kind);
        if opened.name == name {
            let hypothesis = match opened.state {
                StartTagState::Written => hypothesis,
                StartTagState::Renamed | StartTagState::Empty | StartTagState::Missing => {
                    self.with_error(hypothesis, 0, TagError::BadStartTag(opened, number))
                }
            };
            let closed = self.popped(hypothesis);
            return self.next.push(closed);
        }
        if opened.state == StartTagState::Written {
            let is_unknown = kind.is_none() || self.grammar.kind(name).is_none();
            let is_similar = closest_match(name, std::iter::once(opened.name)).is_some();
            let cost = if is_unknown || is_similar { COST_ERROR } else { COST_ERROR + COST_UNKNOWN * 2 };
            let mismatched = self.with_error(hypothesis, cost, TagError::Mismatched(opened, number));
            let mismatched = self.popped(mismatched);
            self.next.push(mismatched);
        }
        self.close_outer(hypothesis, number, name);
        self.next.push(stray);
    }

    /// Assumes unclosed elements down to the one that an end tag names.
    fn close_outer(&mut self, mut hypothesis: Hypothesis, number: usize, name: &str) {
        let depth = self.stack(hypothesis.top).take(MAX_CLOSED_AT_ONCE + 1).position(|open| open.opened.name == name);
        for _ in 0..depth.unwrap_or(0) {
            let Some(top) =
                self.element(hypothesis.top).map(|top| top.opened).filter(|top| top.state != StartTagState::Missing)
            else {
                return;
            };
            hypothesis = self.with_error(hypothesis, COST_ERROR, TagError::Unclosed(top, number));
            hypothesis = self.popped(hypothesis);
        }
        if depth.is_some() {
            self.read_end_of_top(hypothesis, number);
        }
    }

    fn read_end_of_top(&mut self, hypothesis: Hypothesis, number: usize) {
        let Some(opened) = self.element(hypothesis.top).map(|top| top.opened) else { return };
        let hypothesis = match opened.state {
            StartTagState::Written => hypothesis,
            _ => self.with_error(hypothesis, 0, TagError::BadStartTag(opened, number)),
        };
        let closed = self.popped(hypothesis);
        self.next.push(closed);
    }

    fn stray(&mut self, hypothesis: Hypothesis, number: usize, name: &str) -> Hypothesis {
        let last = hypothesis.trace.checked_sub(1).and_then(|last| self.steps.get(last)).map(|step| step.error);
        match last {
            Some(TagError::Unclosed(opened, before)) if before + 1 == number && opened.name == name => {
                self.with_error(hypothesis, COST_UNKNOWN, TagError::Misordered(number))
            }
            _ => self.with_error(hypothesis, COST_ERROR, TagError::Stray(number)),
        }
    }

    /// Keeps the cheapest hypothesis of each state, and the best of those.
    fn prune(&mut self, current: &mut Vec<Hypothesis>, beam_width: usize) {
        self.next.sort_by_key(|hypothesis| hypothesis.cost);
        current.clear();
        let best = self.next.first().map_or(0, |hypothesis| hypothesis.cost);
        let state_key =
            |hypothesis: &Hypothesis| (self.element(hypothesis.top).map_or(0, |top| top.fingerprint), hypothesis.root);
        for hypothesis in &self.next {
            if current.len() >= beam_width || hypothesis.cost > best + PRUNE_MARGIN {
                break;
            }
            let same = state_key(hypothesis);
            if !current.iter().any(|known| state_key(known) == same) {
                current.push(*hypothesis);
            }
        }
        self.next.clear();
    }

    fn explanation(&self, best: Hypothesis, truncated: bool) -> Explanation<'a> {
        let step = |number: usize| self.steps.get(number.checked_sub(1)?);
        let steps = std::iter::successors(step(best.trace), |last| step(last.before));
        let mut errors: Vec<_> = steps.map(|step| step.error).collect();
        errors.reverse();
        let open = if truncated { Vec::new() } else { self.stack(best.top).map(|element| element.opened).collect() };
        Explanation { errors, open }
    }
}
