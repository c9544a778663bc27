//! The form in which values are embedded in a binary: a table of bytes, and the texts, one after the other.
//!
//! The table has numbers, and of each text only its length: values are read in the order in which they were written. The texts are
//! UTF-8 of their own, which the compiler has checked: what is read borrows them, and starting a binary touches few of their pages.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::{List, Text};

/// What [`Writer`] writes, and [`Reader`] reads.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Source {
    pub(crate) table: &'static [u8],
    pub(crate) texts: &'static str,
}

/// Why embedded values cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Corrupt {
    reason: String,
}

impl Corrupt {
    pub(crate) fn new(reason: impl Into<String>) -> Corrupt {
        Corrupt { reason: reason.into() }
    }
}

impl fmt::Display for Corrupt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the embedded migrations cannot be read: {}", self.reason)
    }
}

impl std::error::Error for Corrupt {}

/// A value with an embedded form.
pub(crate) trait Coded: Sized {
    fn write(&self, out: &mut Writer);

    /// # Errors
    /// The table or the texts end early, or hold what no writer of this release writes.
    fn read(input: &mut Reader) -> Result<Self, Corrupt>;
}

/// Puts values one after the other.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) table: Vec<u8>,
    pub(crate) texts: String,
}

impl Writer {
    /// Seven bits a byte, the lowest first; the eighth says that another follows.
    pub(crate) fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.table.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.table.push(number as u8);
    }

    /// Puts what another has written, and before it how long that is: it can be passed over.
    pub(crate) fn append(&mut self, other: Writer) {
        self.number(other.table.len() as u64);
        if !other.table.is_empty() {
            self.number(other.texts.len() as u64);
            self.table.extend(other.table);
            self.texts.push_str(&other.texts);
        }
    }
}

/// Takes values in the order in which they were written.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    source: &'static Source,
    /// Bytes of the table that were read.
    table: usize,
    /// Bytes of the texts that were read.
    text: usize,
}

impl Reader {
    pub(crate) fn new(source: &'static Source) -> Reader {
        Reader { source, table: 0, text: 0 }
    }

    /// The number of bytes of the table that are left.
    pub(crate) fn rest(&self) -> usize {
        self.source.table.len() - self.table
    }

    /// What is left of the table as one number, for finding out whether a byte has changed.
    pub(crate) fn sum(&self) -> u64 {
        let rest = self.source.table.get(self.table..).unwrap_or_default();
        sum(rest)
    }

    /// Whether everything has been read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.rest() == 0 && self.text == self.source.texts.len()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'static [u8], Corrupt> {
        let rest = self.source.table.get(self.table..).unwrap_or_default();
        let bytes = rest.get(..count).ok_or_else(|| Corrupt::new("their table ends early"))?;
        self.table += count;
        Ok(bytes)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Corrupt> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.bytes(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(unknown())
    }

    pub(crate) fn text(&mut self) -> Result<&'static str, Corrupt> {
        let length = usize::read(self)?;
        let end = self.text.checked_add(length).ok_or_else(unknown)?;
        let text = self.source.texts.get(self.text..end).ok_or_else(|| Corrupt::new("their texts end early"))?;
        self.text = end;
        Ok(text)
    }

    /// Passes over what was appended, and gives a reader of that; `None` where it is nothing.
    pub(crate) fn pass(&mut self) -> Result<Option<Reader>, Corrupt> {
        let length = usize::read(self)?;
        if length == 0 {
            return Ok(None);
        }
        let texts = usize::read(self)?;
        let start = self.clone();
        self.bytes(length)?;
        self.text = self.text.checked_add(texts).ok_or_else(unknown)?;
        Ok(Some(start))
    }

    /// The number of values that follow, of which each takes a byte at least.
    pub(crate) fn count(&mut self) -> Result<usize, Corrupt> {
        let count = usize::read(self)?;
        if count > self.rest() {
            return Err(Corrupt::new("their table ends early"));
        }
        Ok(count)
    }
}

/// A number that another is very likely for other bytes.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(bytes.len() as u64, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    rest.iter().fold(sum, |sum, byte| mix(sum, u64::from(*byte)))
}

/// For what no writer of this release writes.
pub(crate) fn unknown() -> Corrupt {
    Corrupt::new("their table has an unknown form")
}

/// A struct as its fields, in this order.
macro_rules! coded {
    ($type:ident { $($field:ident),* $(,)? }) => {
        impl $crate::coded::Coded for $type {
            fn write(&self, out: &mut $crate::coded::Writer) {
                let $type { $($field),* } = self;
                $($crate::coded::Coded::write($field, out);)*
            }

            fn read(input: &mut $crate::coded::Reader) -> Result<$type, $crate::Corrupt> {
                Ok($type { $($field: $crate::coded::Coded::read(input)?),* })
            }
        }
    };
}
pub(crate) use coded;

/// An enum as the number of the variant, then its fields.
macro_rules! coded_enum {
    ($type:ident { $($number:literal $variant:ident $({ $($field:ident),* })?),* $(,)? }) => {
        impl $crate::coded::Coded for $type {
            fn write(&self, out: &mut $crate::coded::Writer) {
                match self {
                    $($type::$variant $({ $($field),* })? => {
                        out.number($number);
                        $($($crate::coded::Coded::write($field, out);)*)?
                    })*
                }
            }

            fn read(input: &mut $crate::coded::Reader) -> Result<$type, $crate::Corrupt> {
                Ok(match input.number()? {
                    $($number => $type::$variant $({ $($field: $crate::coded::Coded::read(input)?),* })?,)*
                    _ => return Err($crate::coded::unknown()),
                })
            }
        }
    };
}
pub(crate) use coded_enum;

impl Coded for u64 {
    fn write(&self, out: &mut Writer) {
        out.number(*self);
    }

    fn read(input: &mut Reader) -> Result<u64, Corrupt> {
        input.number()
    }
}

impl Coded for usize {
    fn write(&self, out: &mut Writer) {
        out.number(*self as u64);
    }

    fn read(input: &mut Reader) -> Result<usize, Corrupt> {
        usize::try_from(input.number()?).map_err(|_| unknown())
    }
}

impl Coded for i64 {
    fn write(&self, out: &mut Writer) {
        out.number(self.cast_unsigned());
    }

    fn read(input: &mut Reader) -> Result<i64, Corrupt> {
        Ok(input.number()?.cast_signed())
    }
}

impl Coded for i32 {
    fn write(&self, out: &mut Writer) {
        i64::from(*self).write(out);
    }

    fn read(input: &mut Reader) -> Result<i32, Corrupt> {
        i32::try_from(i64::read(input)?).map_err(|_| unknown())
    }
}

impl Coded for bool {
    fn write(&self, out: &mut Writer) {
        out.number(u64::from(*self));
    }

    fn read(input: &mut Reader) -> Result<bool, Corrupt> {
        match input.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(unknown()),
        }
    }
}

impl Coded for Text {
    fn write(&self, out: &mut Writer) {
        self.len().write(out);
        out.texts.push_str(self);
    }

    fn read(input: &mut Reader) -> Result<Text, Corrupt> {
        input.text().map(Cow::Borrowed)
    }
}

impl<T: Coded> Coded for Option<T> {
    fn write(&self, out: &mut Writer) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn read(input: &mut Reader) -> Result<Option<T>, Corrupt> {
        if bool::read(input)? { T::read(input).map(Some) } else { Ok(None) }
    }
}

impl<T: Coded + Clone> Coded for List<T> {
    fn write(&self, out: &mut Writer) {
        self.len().write(out);
        self.iter().for_each(|value| value.write(out));
    }

    fn read(input: &mut Reader) -> Result<List<T>, Corrupt> {
        let count = input.count()?;
        let mut list = Vec::with_capacity(count);
        for _ in 0..count {
            list.push(T::read(input)?);
        }
        Ok(Cow::Owned(list))
    }
}

impl Coded for Range<usize> {
    fn write(&self, out: &mut Writer) {
        self.start.write(out);
        self.len().write(out);
    }

    fn read(input: &mut Reader) -> Result<Range<usize>, Corrupt> {
        let (start, length) = (usize::read(input)?, usize::read(input)?);
        Ok(start..start.checked_add(length).ok_or_else(unknown)?)
    }
}
