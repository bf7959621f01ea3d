//! Start and end tags → the elements that were meant: the fewest mistakes that explain all of the tags.
//!
//! One lost end tag makes every later one look wrong, so no tag is judged by itself. The tags are read from the first to
//! the last by several readers at once, each with its own view of which elements are open. Where a tag does not fit, a
//! reader goes on in every way that a person might have meant it, and pays for each mistake that it takes somebody to
//! have made. Only the cheapest are kept; what the cheapest one at the end has paid for is reported.

use crate::diagnostic::Span;
use crate::parse::nearest;
use crate::schema::{DOMAINBACKUP, SHAPES};

/// What a mistake costs.
const MISTAKE: u32 = 20;
/// An element where libvirt has none: likelier an element out of place than a broken tag, unless several are.
const MISFIT: u32 = 8;
/// A name that libvirt does not have, or text where there is none.
const STRANGE: u32 = 2;
/// A whole second document is less likely than a slip of the pen in one.
const SECOND_ROOT: u32 = 30;
/// Readers that are this much behind the best never catch up.
const HOPELESS: u32 = 60;
/// The most readers at once.
const MOST_READERS: usize = 32;
/// Steps of all readers together, which bounds time and memory on large documents.
const MOST_STEPS: usize = 1 << 20;
/// The most elements that are taken to be left open at one place.
const MOST_CLOSED_AT_ONCE: usize = 8;
/// Elements of state files, beside those of the schema, and what they stand in.
const STATE_ELEMENTS: [(&str, &[&str]); 4] = [
    ("privateData", &["domainbackup"]),
    ("objects", &["privateData"]),
    ("TLSx509", &["objects"]),
    ("secret", &["objects"]),
];

/// A piece of a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub kind: TokenKind,
    /// The name in a tag; what to call anything else.
    pub name: &'a str,
    pub span: Span,
    /// Where the name is.
    pub name_span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TokenKind {
    Start {
        has_attributes: bool,
    },
    /// A start tag that closes itself, and its `/`.
    Empty(Span),
    End,
    /// Text that is not only white space.
    Text,
}

impl Token<'_> {
    /// The name, or the whole tag where there is none.
    pub fn name_span_or_tag(&self) -> Span {
        if self.name.is_empty() { self.span } else { self.name_span }
    }
}

/// A start tag, or a place where one was lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened<'a> {
    /// Its token; the one that it was lost before.
    pub token: usize,
    /// The name that it should have.
    pub name: &'a str,
    pub how: How,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum How {
    Written,
    /// By another name.
    Renamed,
    /// With a `/` at its end.
    Empty,
    /// Not at all.
    Lost,
}

/// What a reader takes somebody to have done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mistake<'a> {
    /// Left an element open that should have been closed before a token.
    Unclosed(Opened<'a>, usize),
    /// Written an end tag for nothing.
    Stray(usize),
    /// Written an end tag, of an element that was closed for the tag before, one too late.
    Crossed(usize),
    /// Closed an element by an end tag of another name.
    Mismatched(Opened<'a>, usize),
    /// Written a start tag wrongly, which its end tag shows.
    Misopened(Opened<'a>, usize),
    /// Written a start tag for an end tag.
    StartForEnd(Opened<'a>, usize),
    /// Written something outside the root element.
    Outside(usize),
    /// Written a second root element.
    SecondRoot(usize),
}

/// What there is to say about the tags of a document.
#[derive(Debug, Default)]
pub(super) struct Explanation<'a> {
    /// In the order of the document.
    pub mistakes: Vec<Mistake<'a>>,
    /// The elements that are open at its end, the innermost first.
    pub open: Vec<Opened<'a>>,
}

/// The names that libvirt knows, by number, and which may stand in which.
struct Grammar {
    names: Vec<&'static str>,
    allowed: Vec<Vec<bool>>,
}

/// A known name's number.
type Kind = Option<u8>;

impl Grammar {
    fn new() -> Self {
        let names: Vec<_> = super::scan::known_elements().collect();
        let may_hold = |parent: &str, child: &str| {
            let homes = SHAPES.iter().filter(|(shape, _)| shape.name == child).map(|(_, homes)| *homes);
            let state = STATE_ELEMENTS.iter().filter(|(name, _)| *name == child).map(|(_, homes)| *homes);
            homes.chain(state).any(|homes| homes.contains(&parent))
        };
        let allowed = names.iter().map(|parent| names.iter().map(|child| may_hold(parent, child)).collect()).collect();
        Self { names, allowed }
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

    /// What it costs for `child` to stand in `parent`.
    fn misfit(&self, parent: Kind, child: Kind) -> u32 {
        match (parent, child) {
            (Some(parent), Some(child)) if !self.allows(parent, child) => MISFIT,
            (Some(_), None) => STRANGE,
            _ => 0,
        }
    }

    /// What may stand between `parent` and `child`.
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

/// An open element on a reader's stack, which shares the rest of it with others.
struct Element<'a> {
    below: usize,
    opened: Opened<'a>,
    kind: Kind,
    /// A number for the names of this element and all that it stands in.
    fingerprint: u64,
}

/// A mistake on a reader's account, after others.
struct Step<'a> {
    before: usize,
    mistake: Mistake<'a>,
}

/// One view of the document so far. The numbers are places in the lists of [`Readers`], 0 for none.
#[derive(Clone, Copy)]
struct Reader {
    cost: u32,
    top: usize,
    account: usize,
    root: Root,
}

#[derive(Clone, Copy, PartialEq)]
enum Root {
    Awaited,
    Open,
    Closed,
    /// There is something behind it, which is reported.
    Followed,
}

struct Readers<'t, 'a> {
    grammar: Grammar,
    tokens: &'t [Token<'a>],
    elements: Vec<Element<'a>>,
    steps: Vec<Step<'a>>,
    next: Vec<Reader>,
}

/// Explains the tags. `cut_off` tells that the document ends in the middle of one, so that nothing is said of what is
/// open there.
pub(super) fn explain<'a>(tokens: &[Token<'a>], cut_off: bool) -> Explanation<'a> {
    if is_balanced(tokens) {
        return Explanation::default();
    }
    let mut readers =
        Readers { grammar: Grammar::new(), tokens, elements: Vec::new(), steps: Vec::new(), next: Vec::new() };
    let most = (MOST_STEPS / tokens.len().max(1)).clamp(4, MOST_READERS);
    let mut current = vec![Reader { cost: 0, top: 0, account: 0, root: Root::Awaited }];
    for number in 0..tokens.len() {
        for reader in &current {
            readers.read(*reader, number);
        }
        readers.choose(&mut current, most);
    }
    let end_cost = |reader: &Reader| {
        let open = readers.stack(reader.top).count();
        reader.cost + if open == 0 || cut_off { 0 } else { MISTAKE + u32::try_from(open).unwrap_or(u32::MAX / 2) }
    };
    let best = current.iter().min_by_key(|reader| end_cost(reader));
    best.map(|best| readers.explanation(*best, cut_off)).unwrap_or_default()
}

/// Whether every tag has its other, in one root, with nothing outside: the rule, quickly told.
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

impl<'a> Readers<'_, 'a> {
    fn stack(&self, top: usize) -> impl Iterator<Item = &Element<'a>> {
        std::iter::successors(self.element(top), |element| self.element(element.below))
    }

    fn element(&self, number: usize) -> Option<&Element<'a>> {
        self.elements.get(number.checked_sub(1)?)
    }

    fn top_kind(&self, reader: Reader) -> Kind {
        self.element(reader.top).and_then(|element| element.kind)
    }

    fn paid(&mut self, mut reader: Reader, cost: u32, mistake: Mistake<'a>) -> Reader {
        self.steps.push(Step { before: reader.account, mistake });
        reader.account = self.steps.len();
        reader.cost += cost;
        reader
    }

    fn pushed(&mut self, mut reader: Reader, opened: Opened<'a>, kind: Kind, cost: u32) -> Reader {
        let below = self.element(reader.top).map_or(0, |element| element.fingerprint);
        let fingerprint = opened
            .name
            .bytes()
            .fold(below ^ 0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
            .rotate_left(7);
        self.elements.push(Element { below: reader.top, opened, kind, fingerprint });
        reader.top = self.elements.len();
        reader.root = Root::Open;
        reader.cost += cost;
        reader
    }

    fn popped(&self, mut reader: Reader) -> Reader {
        reader.top = self.element(reader.top).map_or(0, |element| element.below);
        if reader.top == 0 {
            reader.root = Root::Closed;
        }
        reader
    }

    /// Every way to go on with one token.
    fn read(&mut self, reader: Reader, number: usize) {
        let Some(token) = self.tokens.get(number).copied() else { return };
        match token.kind {
            _ if reader.root == Root::Followed => self.next.push(reader),
            TokenKind::Text => self.read_text(reader, number),
            TokenKind::End => self.read_end(reader, number, token.name),
            TokenKind::Start { .. } | TokenKind::Empty(_) => self.read_start(reader, number, token),
        }
    }

    fn read_text(&mut self, mut reader: Reader, number: usize) {
        let parent = self.top_kind(reader);
        if reader.top == 0 {
            let outside = self.paid(reader, MISTAKE, Mistake::Outside(number));
            return self.next.push(outside);
        }
        if !self.grammar.holds_text(parent) {
            let holders = ["incremental", "label"].map(|name| self.grammar.kind(name));
            let lost = holders.into_iter().find(|child| self.grammar.misfit(parent, *child) == 0);
            if let Some(lost) = lost.flatten() {
                let inserted = self.inserted(reader, number, lost);
                self.next.push(inserted);
            }
            reader.cost += STRANGE;
        }
        self.next.push(reader);
    }

    /// A reader that takes the start tag of `kind` to be lost before a token.
    fn inserted(&mut self, reader: Reader, number: usize, kind: u8) -> Reader {
        let opened = Opened { token: number, name: self.grammar.name(kind), how: How::Lost };
        self.pushed(reader, opened, Some(kind), MISTAKE + 1)
    }

    fn read_start(&mut self, reader: Reader, number: usize, token: Token<'a>) {
        if reader.root == Root::Closed {
            let mut second = self.paid(reader, SECOND_ROOT, Mistake::SecondRoot(number));
            second.root = Root::Followed;
            return self.next.push(second);
        }
        let kind = self.grammar.kind(token.name);
        let parent = self.top_kind(reader);
        let is_first = reader.root == Root::Awaited;
        let misfit = match kind {
            Some(kind) if is_first && self.grammar.name(kind) != DOMAINBACKUP.name => MISFIT,
            _ if is_first => 0,
            _ => self.grammar.misfit(parent, kind),
        };
        self.open(reader, number, token, kind, misfit);
        if is_first {
            let root = self.grammar.kind(DOMAINBACKUP.name);
            if let Some(root) = root.filter(|_| kind.is_some() && self.grammar.misfit(root, kind) == 0) {
                let inside = self.inserted(reader, number, root);
                self.open(inside, number, token, kind, 0);
            }
            return;
        }
        if let Some(top) = self.element(reader.top).map(|element| element.opened)
            && token.kind == (TokenKind::Start { has_attributes: false })
            && top.name == token.name
            && top.how == How::Written
        {
            let closed = self.paid(reader, MISTAKE, Mistake::StartForEnd(top, number));
            let closed = self.popped(closed);
            self.next.push(closed);
        }
        if misfit == 0 {
            return;
        }
        self.open_further_out(reader, number, token, kind);
        for between in self.grammar.between(parent, kind) {
            let inside = self.inserted(reader, number, between);
            self.open(inside, number, token, kind, 0);
        }
        if matches!(token.kind, TokenKind::Start { .. }) {
            self.open_renamed(reader, number, token.name, parent);
        }
    }

    /// Puts an element where it stands, and, if it closes itself, also as one that should not.
    fn open(&mut self, reader: Reader, number: usize, token: Token<'a>, kind: Kind, misfit: u32) {
        let opened = |how| Opened { token: number, name: token.name, how };
        let TokenKind::Empty(_) = token.kind else {
            let pushed = self.pushed(reader, opened(How::Written), kind, misfit);
            return self.next.push(pushed);
        };
        let mut closed = reader;
        closed.cost += misfit;
        closed.root = if closed.top == 0 { Root::Closed } else { Root::Open };
        self.next.push(closed);
        if kind.is_some() && self.grammar.holds_something(kind) {
            let pushed = self.pushed(reader, opened(How::Empty), kind, misfit + MISTAKE);
            self.next.push(pushed);
        }
    }

    /// Closes elements until the new one fits.
    fn open_further_out(&mut self, mut reader: Reader, number: usize, token: Token<'a>, kind: Kind) {
        for _ in 0..MOST_CLOSED_AT_ONCE {
            let Some(top) = self.element(reader.top).filter(|top| top.below != 0 && top.opened.how != How::Lost) else {
                return;
            };
            let opened = top.opened;
            reader = self.paid(reader, MISTAKE, Mistake::Unclosed(opened, number));
            reader = self.popped(reader);
            if self.grammar.misfit(self.top_kind(reader), kind) == 0 {
                return self.open(reader, number, token, kind, 0);
            }
        }
    }

    /// Takes the name of a start tag for another that fits.
    fn open_renamed(&mut self, reader: Reader, number: usize, name: &str, parent: Kind) {
        let fitting = self.grammar.names.iter().copied().enumerate();
        let fitting = fitting.filter_map(|(kind, known)| Some((u8::try_from(kind).ok()?, known)));
        let fitting: Vec<_> = fitting
            .filter(|(kind, known)| *known != name && self.grammar.misfit(parent, Some(*kind)) == 0)
            .filter(|(_, known)| nearest(name, std::iter::once(*known)).is_some())
            .collect();
        for (kind, known) in fitting {
            let opened = Opened { token: number, name: known, how: How::Renamed };
            let pushed = self.pushed(reader, opened, Some(kind), MISTAKE);
            self.next.push(pushed);
        }
    }

    fn read_end(&mut self, reader: Reader, number: usize, name: &'a str) {
        let stray = self.stray(reader, number, name);
        let Some(top) = self.element(reader.top) else {
            return self.next.push(stray);
        };
        let (opened, kind) = (top.opened, top.kind);
        if opened.name == name {
            let reader = match opened.how {
                How::Written => reader,
                How::Renamed | How::Empty | How::Lost => self.paid(reader, 0, Mistake::Misopened(opened, number)),
            };
            let closed = self.popped(reader);
            return self.next.push(closed);
        }
        if opened.how == How::Written {
            let strange = kind.is_none() || self.grammar.kind(name).is_none();
            let near = nearest(name, std::iter::once(opened.name)).is_some();
            let cost = if strange || near { MISTAKE } else { MISTAKE + STRANGE * 2 };
            let mismatched = self.paid(reader, cost, Mistake::Mismatched(opened, number));
            let mismatched = self.popped(mismatched);
            self.next.push(mismatched);
        }
        self.close_outer(reader, number, name);
        self.next.push(stray);
    }

    /// Closes elements until the one that an end tag names.
    fn close_outer(&mut self, mut reader: Reader, number: usize, name: &str) {
        let depth = self.stack(reader.top).take(MOST_CLOSED_AT_ONCE + 1).position(|open| open.opened.name == name);
        for _ in 0..depth.unwrap_or(0) {
            let Some(top) = self.element(reader.top).map(|top| top.opened).filter(|top| top.how != How::Lost) else {
                return;
            };
            reader = self.paid(reader, MISTAKE, Mistake::Unclosed(top, number));
            reader = self.popped(reader);
        }
        if depth.is_some() {
            self.read_end_of_top(reader, number);
        }
    }

    fn read_end_of_top(&mut self, reader: Reader, number: usize) {
        let Some(opened) = self.element(reader.top).map(|top| top.opened) else { return };
        let reader = match opened.how {
            How::Written => reader,
            _ => self.paid(reader, 0, Mistake::Misopened(opened, number)),
        };
        let closed = self.popped(reader);
        self.next.push(closed);
    }

    fn stray(&mut self, reader: Reader, number: usize, name: &str) -> Reader {
        let last = reader.account.checked_sub(1).and_then(|last| self.steps.get(last)).map(|step| step.mistake);
        match last {
            Some(Mistake::Unclosed(opened, before)) if before + 1 == number && opened.name == name => {
                self.paid(reader, STRANGE, Mistake::Crossed(number))
            }
            _ => self.paid(reader, MISTAKE, Mistake::Stray(number)),
        }
    }

    /// Of readers with the same view keeps the cheapest, and of all the best.
    fn choose(&mut self, current: &mut Vec<Reader>, most: usize) {
        self.next.sort_by_key(|reader| reader.cost);
        current.clear();
        let best = self.next.first().map_or(0, |reader| reader.cost);
        let view = |reader: &Reader| (self.element(reader.top).map_or(0, |top| top.fingerprint), reader.root);
        for reader in &self.next {
            if current.len() >= most || reader.cost > best + HOPELESS {
                break;
            }
            let same = view(reader);
            if !current.iter().any(|known| view(known) == same) {
                current.push(*reader);
            }
        }
        self.next.clear();
    }

    fn explanation(&self, best: Reader, cut_off: bool) -> Explanation<'a> {
        let step = |number: usize| self.steps.get(number.checked_sub(1)?);
        let steps = std::iter::successors(step(best.account), |last| step(last.before));
        let mut mistakes: Vec<_> = steps.map(|step| step.mistake).collect();
        mistakes.reverse();
        let open = if cut_off { Vec::new() } else { self.stack(best.top).map(|element| element.opened).collect() };
        Explanation { mistakes, open }
    }
}
