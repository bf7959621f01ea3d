//! Bytes → text: encodings, lines and columns.
//!
//! libvirt uses text up to the first NUL byte, so its parser never sees the whole of a document in UTF-16 or UTF-32.
//! Such documents are decoded nevertheless, to report their other errors too.

use std::ops::Range;
use std::sync::OnceLock;

use encoding_rs::Encoding;

use crate::diagnostic::{Diagnostic, Span};
use crate::release::Release;
use crate::rules::Rule;

/// A decoded document.
#[derive(Debug)]
pub struct Source {
    name: String,
    text: String,
    mapping: Mapping,
    had_nul: bool,
    line_starts: OnceLock<Vec<usize>>,
    /// Number of characters.
    character_counts: PrefixLengths,
    /// Number of bytes in the file, if the file has another encoding.
    encoded_lengths: PrefixLengths,
}

/// Maximum file size in bytes. virsh sends at most 4 MiB, and a hundred thousand disks take 15 MB. Parsing a file of
/// this size takes less than 1 GiB of memory.
pub const MAX_BYTES: usize = 64 << 20;

/// Distance in bytes of the marks from which columns are counted: a document may be a single line.
const STRIDE: usize = 1024;

/// The length of the text before each multiple of [`STRIDE`] bytes, in some unit.
#[derive(Debug, Default)]
struct PrefixLengths(OnceLock<Vec<usize>>);

impl PrefixLengths {
    /// The length of the text before `offset`, without a character that contains `offset`.
    fn length_before(&self, text: &str, offset: usize, measure: impl Fn(&str) -> usize) -> usize {
        let boundary = |offset| text.floor_char_boundary(offset);
        let between = |start, end| measure(text.get(boundary(start)..boundary(end)).unwrap_or_default());
        let lengths = self.0.get_or_init(|| {
            let strides = (0..text.len()).step_by(STRIDE).scan(0, |length, start| {
                let before = *length;
                *length += between(start, start + STRIDE);
                Some(before)
            });
            strides.collect()
        });
        let stride = (offset / STRIDE).min(lengths.len().saturating_sub(1));
        lengths.get(stride).copied().unwrap_or_default() + between(stride * STRIDE, offset)
    }
}

/// How offsets in the text map to offsets in the file.
#[derive(Debug)]
enum Mapping {
    /// Both are equal.
    Same,
    /// By encoding the text before the offset, after a byte order mark of `mark` bytes.
    Encoded { encoding: FileEncoding, mark: usize },
    /// Pairs of offsets, in the text and in the file, from which both advance in parallel.
    Pieces(Vec<(usize, usize)>),
}

/// Encodings in which the length of a character does not depend on its position.
#[derive(Clone, Copy, Debug)]
enum FileEncoding {
    SingleByte,
    Utf16,
    Utf32,
    Other(&'static Encoding),
}

impl FileEncoding {
    /// The length of a text in bytes.
    fn length(self, text: &str) -> usize {
        match self {
            Self::SingleByte => text.chars().count(),
            Self::Utf16 => 2 * text.encode_utf16().count(),
            Self::Utf32 => 4 * text.chars().count(),
            Self::Other(encoding) => encoding.encode(text).0.len(),
        }
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

impl Source {
    /// Decodes `bytes` as the libxml2 of `release` would; reports call the file `name`.
    ///
    /// There is always a text. A diagnostic of [`Rule::Undecodable`] or [`Rule::NulByte`] reports what libvirt would
    /// not decode. If there are more than [`MAX_BYTES`], the text is empty and the diagnostic is [`Rule::TooLarge`]; it
    /// is also empty, with [`Rule::NotXml`], for a compressed file.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: Vec<u8>, release: Release) -> (Self, Vec<Diagnostic>) {
        let (text, mapping, mut diagnostics) = if bytes.len() > MAX_BYTES {
            too_large()
        } else {
            compressed(&bytes).unwrap_or_else(|| decode(bytes, release))
        };
        let had_nul = text.contains('\0');
        let text = without_nul(text, &mut diagnostics);
        (
            Self {
                name: name.into(),
                text,
                mapping,
                had_nul,
                line_starts: OnceLock::new(),
                character_counts: PrefixLengths::default(),
                encoded_lengths: PrefixLengths::default(),
            },
            diagnostics,
        )
    }

    /// The name of the file in reports.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The offset in the file of an offset in the text, both in bytes.
    #[must_use]
    pub fn offset_on_disk(&self, offset: usize) -> usize {
        match &self.mapping {
            Mapping::Same => offset,
            Mapping::Encoded { encoding, mark } => {
                mark + self.encoded_lengths.length_before(&self.text, offset, |text| encoding.length(text))
            }
            Mapping::Pieces(pieces) => {
                let after = pieces.partition_point(|(text, _)| *text <= offset);
                let (text, file) = after.checked_sub(1).and_then(|last| pieces.get(last)).copied().unwrap_or_default();
                file + (offset - text)
            }
        }
    }

    /// Whether the text equals the bytes of the file.
    #[must_use]
    pub fn is_as_on_disk(&self) -> bool {
        matches!(self.mapping, Mapping::Same) && !self.had_nul
    }

    /// The line and the column of an offset in the text, both starting at 1. Columns count characters, without a byte
    /// order mark.
    #[must_use]
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let line = self.line_of(offset);
        let start = self.line_range(line).start;
        let offset = self.text.floor_char_boundary(offset);
        let mark = usize::from(start == 0 && offset > 0 && self.text.starts_with(BYTE_ORDER_MARK));
        (line, self.characters_before(offset).saturating_sub(self.characters_before(start) + mark) + 1)
    }

    /// The number of characters that start before an offset.
    #[must_use]
    pub fn characters_before(&self, offset: usize) -> usize {
        let offset = self.text.ceil_char_boundary(offset);
        self.character_counts.length_before(&self.text, offset, |text| text.chars().count())
    }

    /// The line of an offset, starting at 1.
    #[must_use]
    pub fn line_of(&self, offset: usize) -> usize {
        self.line_starts().partition_point(|start| *start <= offset).max(1)
    }

    /// The bytes of a line, starting at line 1, without its line feed.
    #[must_use]
    pub fn line_range(&self, line: usize) -> Range<usize> {
        let starts = self.line_starts();
        let start = line.checked_sub(1).and_then(|index| starts.get(index)).copied().unwrap_or(self.text.len());
        let end = starts.get(line).map_or(self.text.len(), |next| next.saturating_sub(1)).max(start);
        let written = self.text.get(start..end).unwrap_or_default();
        start..end - usize::from(written.ends_with('\r'))
    }

    fn line_starts(&self) -> &[usize] {
        self.line_starts.get_or_init(|| {
            let feeds = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(feeds.map(|(position, _)| position + 1)).collect()
        })
    }
}

type Decoded = (String, Mapping, Vec<Diagnostic>);

fn too_large() -> Decoded {
    let message = format!("the file is larger than {MAX_BYTES} bytes");
    let diagnostic = Diagnostic::new(Rule::TooLarge, Span::default(), message)
        .help("check that this is the file you mean")
        .libvirt("Excessive size");
    (String::new(), Mapping::Same, vec![diagnostic])
}

/// The first bytes of compressed files, the format, and the command that decompresses them.
const COMPRESSED: [(&[u8], &str, &str); 5] = [
    (b"\x1f\x8b", "gzip", "gzip -d"),
    (b"\xfd7zXZ\0", "xz", "xz -d"),
    (b"BZh", "bzip2", "bzip2 -d"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd -d"),
    (b"\x04\x22\x4d\x18", "lz4", "lz4 -d"),
];

fn compressed(bytes: &[u8]) -> Option<Decoded> {
    let (_, format, command) = COMPRESSED.iter().find(|(start, ..)| bytes.starts_with(start))?;
    let message = format!("this is a file compressed with {format}, not XML");
    let diagnostic = Diagnostic::new(Rule::NotXml, Span::default(), message)
        .help(format!("decompress it first: {command} FILE"))
        .libvirt("Start tag expected, '<' not found");
    Some((String::new(), Mapping::Same, vec![diagnostic]))
}

fn decode(bytes: Vec<u8>, release: Release) -> Decoded {
    match bytes.get(..4) {
        Some([0, 0, 0xfe, 0xff]) => return decode_utf32(&bytes, u32::from_be_bytes, 4),
        Some([0xff, 0xfe, 0, 0]) => return decode_utf32(&bytes, u32::from_le_bytes, 4),
        Some([0, 0, 0, b'<']) => return decode_utf32(&bytes, u32::from_be_bytes, 0),
        Some([b'<', 0, 0, 0]) => return decode_utf32(&bytes, u32::from_le_bytes, 0),
        Some([0xfe, 0xff, _, _]) => return decode_utf16(&bytes, u16::from_be_bytes, 2),
        Some([0xff, 0xfe, _, _]) => return decode_utf16(&bytes, u16::from_le_bytes, 2),
        Some([0, b'<', 0, _]) => return decode_utf16(&bytes, u16::from_be_bytes, 0),
        Some([b'<', 0, _, 0]) => return decode_utf16(&bytes, u16::from_le_bytes, 0),
        _ => {}
    }
    let Some((range, name)) = declared_encoding(&bytes) else { return decode_utf8(bytes) };
    if !is_encoding_name(&name) {
        return undecodable(
            bytes,
            range,
            format!("'{name}' cannot be the name of an encoding"),
            "Invalid XML encoding name",
        );
    }
    let label = name.to_ascii_lowercase();
    let encoding = encoding_for(&label, release);
    if release < Release::V12_8_0 {
        // libxml2 before that read every string as UTF-8, whatever known encoding it declares.
        if encoding.is_some() || is_code_page(&label) {
            return decode_utf8(bytes);
        }
    } else if bytes.starts_with(UTF_8_MARK) {
        return decode_utf8(bytes);
    }
    match encoding {
        // Only ASCII characters are present, so the encoding does not matter.
        None if bytes.is_ascii() && is_code_page(&label) => decode_utf8(bytes),
        Some(encoding) if encoding == encoding_rs::UTF_8 => decode_utf8(bytes),
        Some(encoding) if encoding.is_ascii_compatible() => decode_declared(&bytes, encoding, &name, range),
        Some(_) => not_in(&name, bytes, range),
        None => undecodable(bytes, range, format!("the encoding {name} is not known"), UNSUPPORTED),
    }
}

const UTF_8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// The name of the encoding in an XML declaration, and its offset.
fn declared_encoding(bytes: &[u8]) -> Option<(Range<usize>, String)> {
    /// No XML declaration is longer.
    const MAX_LENGTH: usize = 400;
    let mark = if bytes.starts_with(UTF_8_MARK) { UTF_8_MARK.len() } else { 0 };
    let head = bytes.get(mark..bytes.len().min(MAX_LENGTH))?;
    let head = head.strip_prefix(b"<?xml")?;
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(head.get(..end)?).ok()?;
    let after_name = declaration.find("encoding")? + "encoding".len();
    let (_, after_equals) = declaration.get(after_name..)?.split_once('=')?;
    let quoted = after_equals.trim_start();
    let quote = quoted.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let (name, _) = quoted.get(1..)?.split_once(quote)?;
    let start = mark + "<?xml".len() + declaration.len() - quoted.len() + 1;
    Some((start..start + name.len(), name.to_owned()))
}

fn decode_utf8(bytes: Vec<u8>) -> Decoded {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return (text, Mapping::Same, Vec::new()),
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(bytes.len());
    let mut pieces = vec![(0, 0)];
    let mut file = 0;
    let mut first = None;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        file += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            first.get_or_insert((text.len(), chunk.invalid().to_vec()));
            text.push(char::REPLACEMENT_CHARACTER);
            file += chunk.invalid().len();
            pieces.push((text.len(), file));
        }
    }
    let diagnostic = first.map(|(start, invalid)| {
        let shown: Vec<_> = invalid.iter().map(|byte| format!("{byte:02X}")).collect();
        let span = Span::new(start, start + char::REPLACEMENT_CHARACTER.len_utf8());
        Diagnostic::new(Rule::Undecodable, span, format!("the byte {} is not UTF-8", shown.join(" ")))
            .help("save the file as UTF-8, or name its encoding: <?xml version='1.0' encoding='ISO-8859-1'?>")
            .libvirt("Invalid bytes in character encoding")
    });
    (text, Mapping::Pieces(pieces), diagnostic.into_iter().collect())
}

/// The syntax of encoding names in XML declarations.
fn is_encoding_name(name: &str) -> bool {
    let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(goes_on)
}

/// The encoding for a name in lower case. libxml2 asks the C library, which mostly agrees with the web's names.
fn encoding_for(label: &str, release: Release) -> Option<&'static Encoding> {
    let web_only = WEB_ONLY.contains(&label) || (release > Release::V9_0_0 && NOT_SINCE_9_0_0.contains(&label));
    Encoding::for_label(label.as_bytes()).filter(|_| !web_only)
}

/// Whether a name is that of a DOS code page: ASCII with other characters above 127.
fn is_code_page(label: &str) -> bool {
    let number = label.strip_prefix("ibm").or_else(|| label.strip_prefix("cp"));
    number.is_some_and(|number| CODE_PAGES.contains(&number))
}

/// Names known on the web but not to the C library.
const WEB_ONLY: [&str; 9] = [
    "csiso88596e",
    "csiso88596i",
    "csiso88598e",
    "csiso88598i",
    "dos-874",
    "logical",
    "visual",
    "koi",
    "x-user-defined",
];
/// Further such names, known to libxml2 while it was built with ICU.
const NOT_SINCE_9_0_0: [&str; 41] = [
    "chinese",
    "csbig5",
    "csiso58gb231280",
    "csisolatin9",
    "csksc56011987",
    "gb_2312",
    "gb_2312-80",
    "iso-8859-6-e",
    "iso-8859-6-i",
    "iso-8859-8-e",
    "iso-8859-8-i",
    "iso-ir-149",
    "iso-ir-58",
    "koi8_r",
    "korean",
    "ks_c_5601-1987",
    "ks_c_5601-1989",
    "ksc5601",
    "ksc_5601",
    "l9",
    "sun_eu_greek",
    "windows-949",
    "x-cp1250",
    "x-cp1251",
    "x-cp1253",
    "x-cp1254",
    "x-cp1255",
    "x-cp1256",
    "x-cp1257",
    "x-cp1258",
    "x-euc-jp",
    "x-gbk",
    "x-mac-cyrillic",
    "x-mac-roman",
    "x-mac-ukrainian",
    "x-sjis",
    "x-x-big5",
    "hz-gb-2312",
    "replacement",
    "unicode-1-1-utf-8",
    "unicode11utf8",
];
const CODE_PAGES: [&str; 17] = [
    "437", "737", "775", "850", "852", "855", "857", "858", "860", "861", "862", "863", "864", "865", "869", "922",
    "1125",
];

/// Decodes a declared encoding that is compatible with ASCII.
fn decode_declared(bytes: &[u8], encoding: &'static Encoding, name: &str, range: Range<usize>) -> Decoded {
    let label = name.to_ascii_lowercase();
    if label.contains("ascii") || label.starts_with("ansi") {
        if !bytes.is_ascii() {
            return not_in(name, bytes.to_vec(), range);
        }
    } else if encoding.is_single_byte() {
        return match bytes.iter().map(|byte| single_byte(*byte, encoding, &label)).collect::<Option<String>>() {
            Some(text) => (text, Mapping::Encoded { encoding: FileEncoding::SingleByte, mark: 0 }, Vec::new()),
            None => not_in(name, bytes.to_vec(), range),
        };
    }
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => {
            (text.into_owned(), Mapping::Encoded { encoding: FileEncoding::Other(encoding), mark: 0 }, Vec::new())
        }
        None => not_in(name, bytes.to_vec(), range),
    }
}

/// The character of a byte according to the C library, where the web's tables differ.
fn single_byte(byte: u8, encoding: &'static Encoding, label: &str) -> Option<char> {
    // libxml2 reads these as ISO-8859-1, because of how their names start.
    let is_latin1 = matches!(label, "iso8859-10" | "iso8859-13" | "iso8859-14" | "iso8859-15");
    let is_iso = label.starts_with("iso") || label.starts_with('l') || label.starts_with("csisolatin");
    let is_iso = is_iso || matches!(label, "cp819" | "ibm819");
    // On the web, the names of ISO 8859 encodings denote the Windows code pages.
    if is_latin1 || is_iso && (0x80..0xa0).contains(&byte) {
        return Some(char::from(byte));
    }
    let one = [byte];
    let (decoded, malformed) = encoding.decode_without_bom_handling(&one);
    let character = decoded.chars().next().filter(|_| !malformed)?;
    // The web assigns characters to bytes that the Windows code pages leave undefined.
    let is_windows = label.starts_with("windows-") || label.starts_with("cp125");
    let is_free = is_windows && ('\u{80}'..='\u{9f}').contains(&character) && encoding != encoding_rs::WINDOWS_1252;
    let is_hebrew_free = character == '\u{5ba}' && encoding == encoding_rs::WINDOWS_1255;
    let is_thai_free = label == "tis-620" && (0x80..=0xa0).contains(&byte);
    (!is_free && !is_hebrew_free && !is_thai_free).then_some(character)
}

const UNSUPPORTED: &str = "Unsupported encoding";

fn not_in(name: &str, bytes: Vec<u8>, declaration: Range<usize>) -> Decoded {
    undecodable(bytes, declaration, format!("the document is not in {name}, although it says so"), UNSUPPORTED)
}

/// Decodes as UTF-8 and reports what is wrong with the declaration.
fn undecodable(bytes: Vec<u8>, declaration: Range<usize>, message: String, libvirt: &str) -> Decoded {
    let (text, mapping, _) = decode_utf8(bytes);
    let diagnostic = Diagnostic::new(Rule::Undecodable, declaration.into(), message)
        .help("save the file as UTF-8, and leave the encoding out")
        .libvirt(libvirt);
    (text, mapping, vec![diagnostic])
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, mark: usize) -> Decoded {
    let units = bytes.get(mark..).unwrap_or_default().chunks_exact(2);
    let units = units.map(|pair| unit(pair.try_into().unwrap_or_default()));
    let text = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    (text, Mapping::Encoded { encoding: FileEncoding::Utf16, mark }, vec![wide("UTF-16")])
}

fn decode_utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32, mark: usize) -> Decoded {
    let units = bytes.get(mark..).unwrap_or_default().chunks_exact(4);
    let units = units.map(|quad| unit(quad.try_into().unwrap_or_default()));
    let text = units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    (text, Mapping::Encoded { encoding: FileEncoding::Utf32, mark }, vec![wide("UTF-32")])
}

fn wide(encoding: &str) -> Diagnostic {
    Diagnostic::new(Rule::NulByte, Span::default(), format!("the document is in {encoding}, which libvirt cannot take"))
        .help("save the file as UTF-8")
        .libvirt("Start tag expected, '<' not found")
}

/// Replaces each NUL by a space, so that the rest can be parsed.
fn without_nul(text: String, diagnostics: &mut Vec<Diagnostic>) -> String {
    let Some(first) = text.find('\0') else { return text };
    if !diagnostics.iter().any(|diagnostic| diagnostic.rule == Rule::NulByte) {
        let diagnostic = Diagnostic::new(
            Rule::NulByte,
            Span::new(first, first + 1),
            "there is a NUL byte, where libvirt stops reading",
        )
        .help("remove it")
        .libvirt("Premature end of data");
        diagnostics.push(diagnostic);
    }
    text.replace('\0', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(bytes: &[u8]) -> (Source, Vec<Rule>) {
        let (source, diagnostics) = Source::new("b.xml", bytes.to_vec(), Release::default());
        (source, diagnostics.into_iter().map(|diagnostic| diagnostic.rule).collect())
    }

    #[test]
    fn utf8_is_taken_as_it_is() {
        let (source, rules) = read("\u{feff}<a>\né</a>".as_bytes());
        assert_eq!((source.text(), rules.len()), ("\u{feff}<a>\né</a>", 0));
        assert_eq!((source.line_column(3), source.line_column(9)), ((1, 1), (2, 2)));
        assert_eq!(source.offset_on_disk(9), 9);
    }

    #[test]
    fn latin_1_keeps_its_control_characters() {
        let (source, rules) = read(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9\x80</a>");
        assert!(rules.is_empty());
        assert!(source.text().ends_with("<a>é\u{80}</a>"));
        let end = source.text().len();
        assert_eq!(source.offset_on_disk(end), end - 2);
    }

    #[test]
    fn windows_1252_has_a_euro_sign() {
        let (source, rules) = read(b"<?xml version='1.0' encoding='windows-1252'?><a>\x80</a>");
        assert!(rules.is_empty());
        assert!(source.text().ends_with("<a>€</a>"));
    }

    #[test]
    fn older_releases_read_every_declared_encoding_as_utf8() {
        let bytes = "<?xml version='1.0' encoding='ISO-8859-1'?><a>é</a>".as_bytes().to_vec();
        let (source, diagnostics) = Source::new("b.xml", bytes, Release::V11_3_0);
        assert!(diagnostics.is_empty());
        assert!(source.text().ends_with("<a>é</a>"));
    }

    #[test]
    fn bytes_that_are_no_utf8_are_pointed_at() {
        let (source, diagnostics) = Source::new("b.xml", b"<a>\n \xe9\xe9</a>".to_vec(), Release::default());
        let [diagnostic] = &diagnostics[..] else { panic!("{diagnostics:?}") };
        assert_eq!(diagnostic.rule, Rule::Undecodable);
        assert_eq!(source.line_column(diagnostic.primary.span.start as usize), (2, 2));
        assert_eq!(source.offset_on_disk(source.text().len()), 11);
    }

    #[test]
    fn encodings_that_are_not_known_or_not_true_are_refused() {
        for name in ["bogus", "UTF-16", "US-ASCII"] {
            let (_, rules) = read(format!("<?xml version='1.0' encoding='{name}'?><a>é</a>").as_bytes());
            assert_eq!(rules, [Rule::Undecodable], "{name}");
        }
    }

    #[test]
    fn utf16_and_utf32_are_decoded_and_refused() {
        let text = "<a>é😀</a>";
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf32: Vec<u8> = text.chars().flat_map(|character| u32::from(character).to_be_bytes()).collect();
        for bytes in [[b"\xff\xfe".to_vec(), utf16.clone()].concat(), utf16, utf32] {
            let (source, rules) = read(&bytes);
            assert_eq!((source.text(), &rules[..]), (text, &[Rule::NulByte][..]));
            assert_eq!(source.offset_on_disk(text.len()), bytes.len());
        }
    }

    #[test]
    fn offsets_far_into_a_file_of_another_encoding_are_those_of_its_bytes() {
        let text = format!("<?xml version='1.0' encoding='Shift_JIS'?><a>{}</a>", "日x本".repeat(700));
        let (bytes, _, unmappable) = encoding_rs::SHIFT_JIS.encode(&text);
        assert!(!unmappable && text.len() > 4 * STRIDE);
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let (shift_jis, utf16) = (read(&bytes).0, read(&utf16).0);
        assert_eq!((shift_jis.text(), utf16.text()), (&*text, &*text));
        let (mut in_shift_jis, mut in_utf16) = (0, 0);
        for (offset, character) in text.char_indices() {
            assert_eq!(shift_jis.offset_on_disk(offset), in_shift_jis);
            assert_eq!(utf16.offset_on_disk(offset), in_utf16);
            in_shift_jis += if character.is_ascii() { 1 } else { 2 };
            in_utf16 += 2;
        }
    }

    #[test]
    fn a_compressed_file_has_no_text() {
        for start in ["\x1f\u{8b}\x08\0", "\u{fd}7zXZ\0", "BZh91AY&SY", "(\u{b5}/\u{fd}", "\x04\"M\x18"] {
            let bytes: Vec<u8> = start.chars().map(|character| character as u8).collect();
            let (source, rules) = read(&bytes);
            assert_eq!((source.text(), &rules[..]), ("", &[Rule::NotXml][..]), "{start:?}");
        }
        assert_eq!(read(b"\x1f").1, []);
    }

    #[test]
    fn a_nul_byte_is_pointed_at() {
        let (source, rules) = read(b"<a>\0</a>\0");
        assert_eq!((source.text(), &rules[..]), ("<a> </a> ", &[Rule::NulByte][..]));
    }

    #[test]
    fn lines_end_with_or_without_a_carriage_return() {
        let (source, _) = read(b"a\r\nbc\n");
        assert_eq!((source.line_range(1), source.line_range(2), source.line_range(3)), (0..1, 3..5, 6..6));
    }
}
