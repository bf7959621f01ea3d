//! The protocol for sending cases to the process that loads libvirt, and answers back.
//!
//! Every field is a little-endian 32-bit length followed by that many bytes, so that documents may contain anything.
//! The process sends libvirt's version before the first answer.

use std::io::{self, ErrorKind, Read, Write};

use crate::case::{Answer, Case, Kind, Stage};

/// Tags of an answer; the stages follow in the order of [`Stage::ALL`].
const ACCEPTED: u8 = 0;

pub fn write_case(out: &mut impl Write, case: &Case) -> io::Result<()> {
    out.write_all(&[case.kind as u8, u8::from(case.domain.is_some())])?;
    write_bytes(out, &case.document)?;
    write_bytes(out, case.domain.as_deref().unwrap_or_default())?;
    write_bytes(out, case.suffix.as_bytes())
}

/// The next case; `None` at the end of the input.
pub fn read_case(input: &mut impl Read) -> io::Result<Option<Case>> {
    let mut flags = [0; 2];
    match input.read_exact(&mut flags) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let [kind, has_domain] = flags;
    let Some(&kind) = Kind::ALL.get(usize::from(kind)) else {
        return Err(io::Error::new(ErrorKind::InvalidData, "a document of an unknown kind"));
    };
    let document = read_bytes(input)?;
    let domain = read_bytes(input)?;
    let suffix = read_text(input)?;
    Ok(Some(Case { kind, document, domain: (has_domain != 0).then_some(domain), suffix }))
}

pub fn write_answer(out: &mut impl Write, answer: &Answer) -> io::Result<()> {
    let (tag, text) = match answer {
        Answer::Accepted(text) => (ACCEPTED, text),
        Answer::Refused { stage, message } => (1 + *stage as u8, message),
    };
    out.write_all(&[tag])?;
    write_bytes(out, text.as_bytes())
}

pub fn read_answer(input: &mut impl Read) -> io::Result<Answer> {
    let mut tag = [0; 1];
    input.read_exact(&mut tag)?;
    let text = read_text(input)?;
    match tag {
        [ACCEPTED] => Ok(Answer::Accepted(text)),
        [tag] => match Stage::ALL.get(usize::from(tag) - 1) {
            Some(&stage) => Ok(Answer::Refused { stage, message: text }),
            None => Err(io::Error::new(ErrorKind::InvalidData, "an answer of an unknown kind")),
        },
    }
}

pub fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    write_bytes(out, text.as_bytes())
}

pub fn read_text(input: &mut impl Read) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&read_bytes(input)?).into_owned())
}

fn write_bytes(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(bytes)
}

fn read_bytes(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u64::from(u32::from_le_bytes(length));
    let mut bytes = Vec::new();
    if input.take(length).read_to_end(&mut bytes)? as u64 == length {
        Ok(bytes)
    } else {
        Err(ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_and_answers_survive_the_way() {
        for kind in Kind::ALL {
            let case = Case { kind, document: b"<a>\xe9</a>".to_vec(), domain: None, suffix: "S".into() };
            let mut bytes = Vec::new();
            write_case(&mut bytes, &case).unwrap();
            let mut input = bytes.as_slice();
            assert_eq!(read_case(&mut input).unwrap(), Some(case));
            assert_eq!(read_case(&mut input).unwrap(), None);
        }

        for answer in [Answer::Accepted("x\n".into()), Answer::Refused { stage: Stage::Align, message: "no".into() }] {
            let mut bytes = Vec::new();
            write_answer(&mut bytes, &answer).unwrap();
            assert_eq!(read_answer(&mut bytes.as_slice()).unwrap(), answer);
        }
    }
}
