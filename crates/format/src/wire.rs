//! The binary form: bytes in the order in which the fields are named, nothing between them.
//!
//! Whole numbers are variable-length (seven bits a byte, lowest first); signed ones are zigzag, so
//! small negative numbers stay short. A moment is written as its distance from the moment written
//! before it, which is short because the moments of one user lie close together. Texts and lists
//! begin with their length. A type's line in [`crate::state`] or [`crate::journal`] is its layout.

use domain::ids::{
    AdGroupId, AppId, DeliveryId, EnrollmentId, EventKey, LineItemId, MissionId, Mode, PartnerId,
    PublisherId, SegmentId, StepId, TransactionId, UnitId, UserKey,
};
use domain::money::{CurrencyCode, Micros, Points};
use domain::time::{Day, Timestamp, UtcOffset};

/// Bytes that a variable-length number takes at most.
const VARINT_BYTES_MAX: usize = 10;

/// Most list items for which room is made before they are read, so that a damaged length cannot
/// ask for all memory.
const ROOM_MAX: usize = 256;

/// Why bytes are not what they should be. Bytes come from a store, so each of these is damage, or
/// a node that is older than what wrote them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// There are no bytes at all.
    #[error("the value is empty")]
    Empty,
    /// A newer node wrote it.
    #[error("the value has format version {found}, this program reads up to {known}; upgrade it")]
    UnknownVersion {
        /// The version that the value begins with.
        found: u8,
        /// The newest version that can be read.
        known: u8,
    },
    /// It ends too early.
    #[error("the value is cut off")]
    CutOff,
    /// Something follows it.
    #[error("{0} bytes follow the value")]
    Trailing(usize),
    /// A part of it is not possible.
    #[error("the value holds an impossible {0}")]
    Impossible(&'static str),
}

/// Bytes being written.
#[derive(Debug)]
pub(crate) struct Writer {
    version: u8,
    out: Vec<u8>,
    last: Timestamp,
}

impl Writer {
    /// The version that is written.
    pub(crate) fn version(&self) -> u8 {
        self.version
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.out.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.out.push(number as u8);
    }

    /// Bytes whose number is fixed.
    pub(crate) fn fixed(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// The number of an enum's variant.
    pub(crate) fn tag(&mut self, tag: u8) {
        self.out.push(tag);
    }
}

/// Bytes being read.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    version: u8,
    rest: &'a [u8],
    last: Timestamp,
    /// What is wrong, once something is. It is kept here, so that what every field gives back is small:
    /// the value, or nothing.
    error: Option<DecodeError>,
}

impl Reader<'_> {
    /// The version that is read.
    pub(crate) fn version(&self) -> u8 {
        self.version
    }

    /// Gives the value up.
    #[cold]
    pub(crate) fn fail<T>(&mut self, error: DecodeError) -> Option<T> {
        self.error.get_or_insert(error);
        None
    }

    #[inline]
    fn number(&mut self) -> Option<u64> {
        match self.rest {
            // Most numbers of a user are below 128.
            [byte @ 0..0x80, rest @ ..] => {
                self.rest = rest;
                Some(u64::from(*byte))
            }
            _ => self.usual_number().or_else(|| self.long_number()),
        }
    }

    /// A number of at most eight bytes, with at least eight bytes left: all of it at once.
    #[inline]
    fn usual_number(&mut self) -> Option<u64> {
        let word = u64::from_le_bytes(*self.rest.first_chunk()?);
        let ends = !word & 0x8080_8080_8080_8080;
        // The bits up to the first byte without a mark, which is the last one of the number.
        let own = ends ^ ends.checked_sub(1)?;
        self.rest = self.rest.get(ends.trailing_zeros() as usize / 8 + 1..)?;
        // The marks fall out: groups of 7 bits are moved together, then of 14, then of 28.
        let sevens = word & own & 0x7f7f_7f7f_7f7f_7f7f;
        let pairs = (sevens & 0x007f_007f_007f_007f) | (sevens & 0x7f00_7f00_7f00_7f00) >> 1;
        let fours = (pairs & 0x0000_3fff_0000_3fff) | (pairs & 0x3fff_0000_3fff_0000) >> 2;
        Some((fours & 0x0fff_ffff) | (fours & 0x0fff_ffff_0000_0000) >> 4)
    }

    #[cold]
    fn long_number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for (place, byte) in self.rest.iter().take(VARINT_BYTES_MAX).enumerate() {
            let bits = u64::from(byte & 0x7f);
            if place == VARINT_BYTES_MAX - 1 && bits > 1 {
                return self.fail(DecodeError::Impossible("number"));
            }
            number |= bits << (7 * place);
            if *byte < 0x80 {
                self.rest = &self.rest[place + 1..];
                return Some(number);
            }
        }
        let is_cut_off = self.rest.len() < VARINT_BYTES_MAX;
        self.fail(if is_cut_off { DecodeError::CutOff } else { DecodeError::Impossible("number") })
    }

    /// The number of an enum's variant.
    #[inline]
    pub(crate) fn tag(&mut self) -> Option<u8> {
        let Some((&byte, rest)) = self.rest.split_first() else {
            return self.fail(DecodeError::CutOff);
        };
        self.rest = rest;
        Some(byte)
    }

    /// Bytes whose number is fixed.
    #[inline]
    pub(crate) fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let Some((bytes, rest)) = self.rest.split_first_chunk::<N>() else {
            return self.fail(DecodeError::CutOff);
        };
        self.rest = rest;
        Some(*bytes)
    }

    /// The length of something of which every item takes at least one byte.
    #[inline]
    fn length(&mut self) -> Option<usize> {
        let length = self.number()?;
        match usize::try_from(length) {
            Ok(length) if length <= self.rest.len() => Some(length),
            _ => self.fail(DecodeError::CutOff),
        }
    }
}

/// A value with a binary form.
pub(crate) trait Wire: Sized {
    /// Writes it.
    fn put(&self, to: &mut Writer);

    /// Reads it; `None` after [`Reader::fail`].
    fn get(from: &mut Reader<'_>) -> Option<Self>;
}

/// The version, and then the value. `room` is a guess of how many bytes that will be.
pub(crate) fn encode<T: Wire>(version: u8, value: &T, room: usize) -> Vec<u8> {
    let mut writer = Writer { version, out: Vec::with_capacity(room), last: Timestamp(0) };
    writer.tag(version);
    value.put(&mut writer);
    writer.out
}

/// The value behind a version, of which `known` is the newest.
pub(crate) fn decode<T: Wire>(known: u8, bytes: &[u8]) -> Result<T, DecodeError> {
    let (&version, rest) = bytes.split_first().ok_or(DecodeError::Empty)?;
    if !(1..=known).contains(&version) {
        return Err(DecodeError::UnknownVersion { found: version, known });
    }
    let mut reader = Reader { version, rest, last: Timestamp(0), error: None };
    match (T::get(&mut reader), reader.rest.len()) {
        (Some(value), 0) => Ok(value),
        (Some(_), more) => Err(DecodeError::Trailing(more)),
        (None, _) => Err(reader.error.unwrap_or(DecodeError::CutOff)),
    }
}

/// Gives structs a binary form: their fields in this order. A field that is left out does not compile.
macro_rules! wire_structs {
    ($($name:ident { $($field:ident),+ $(,)? })+) => {$(
        impl $crate::wire::Wire for $name {
            fn put(&self, to: &mut $crate::wire::Writer) {
                let Self { $($field),+ } = self;
                $($field.put(to);)+
            }

            fn get(from: &mut $crate::wire::Reader<'_>) -> Option<Self> {
                Some(Self { $($field: $crate::wire::Wire::get(from)?),+ })
            }
        }
    )+};
}

/// Gives enums a binary form: the number given here, then the variant's fields. Numbers are for
/// ever; a new variant takes the next free one.
macro_rules! wire_enums {
    ($($name:ident {
        $($tag:literal = $variant:ident $({ $($field:ident),+ $(,)? })? $(( $($part:ident),+ ))?),+ $(,)?
    })+) => {$(
        impl $crate::wire::Wire for $name {
            fn put(&self, to: &mut $crate::wire::Writer) {
                match self {
                    $(Self::$variant $({ $($field),+ })? $(( $($part),+ ))? => {
                        to.tag($tag);
                        $($($field.put(to);)+)?
                        $($($part.put(to);)+)?
                    })+
                }
            }

            fn get(from: &mut $crate::wire::Reader<'_>) -> Option<Self> {
                match from.tag()? {
                    $($tag => Some(Self::$variant
                        $({ $($field: $crate::wire::Wire::get(from)?),+ })?
                        $(( $({ let $part = $crate::wire::Wire::get(from)?; $part }),+ ))?
                    ),)+
                    _ => from.fail($crate::wire::DecodeError::Impossible(stringify!($name))),
                }
            }
        }
    )+};
}

pub(crate) use {wire_enums, wire_structs};

macro_rules! unsigned {
    ($($name:ty),+) => {$(
        impl Wire for $name {
            fn put(&self, to: &mut Writer) {
                to.number(u64::from(*self));
            }

            fn get(from: &mut Reader<'_>) -> Option<Self> {
                let number = from.number()?.try_into();
                number.map_or_else(|_| from.fail(DecodeError::Impossible("number")), Some)
            }
        }
    )+};
}

macro_rules! signed {
    ($($name:ty),+) => {$(
        impl Wire for $name {
            fn put(&self, to: &mut Writer) {
                let wide = i64::from(*self);
                to.number((wide.cast_unsigned() << 1) ^ (wide >> 63).cast_unsigned());
            }

            fn get(from: &mut Reader<'_>) -> Option<Self> {
                let number = from.number()?;
                let wide = (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
                let number = wide.try_into();
                number.map_or_else(|_| from.fail(DecodeError::Impossible("number")), Some)
            }
        }
    )+};
}

macro_rules! newtypes {
    ($($name:ident),+ $(,)?) => {$(
        impl Wire for $name {
            fn put(&self, to: &mut Writer) {
                self.0.put(to);
            }

            fn get(from: &mut Reader<'_>) -> Option<Self> {
                Some(Self(Wire::get(from)?))
            }
        }
    )+};
}

unsigned!(u8, u16, u32, u64);
signed!(i16, i32, i64);
newtypes!(
    AdGroupId,
    AppId,
    LineItemId,
    MissionId,
    PartnerId,
    PublisherId,
    SegmentId,
    StepId,
    UnitId
);
newtypes!(DeliveryId, EnrollmentId, EventKey, TransactionId, UserKey);
newtypes!(Day, Micros, Points, UtcOffset);

wire_enums! {
    Mode { 0 = Live, 1 = Test }
}

impl Wire for bool {
    fn put(&self, to: &mut Writer) {
        to.tag(u8::from(*self));
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        match from.tag()? {
            0 => Some(false),
            1 => Some(true),
            _ => from.fail(DecodeError::Impossible("bool")),
        }
    }
}

impl Wire for [u8; 16] {
    fn put(&self, to: &mut Writer) {
        to.fixed(self);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        from.fixed()
    }
}

impl Wire for String {
    fn put(&self, to: &mut Writer) {
        to.number(self.len() as u64);
        to.fixed(self.as_bytes());
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let (bytes, rest) = from.length().map(|length| from.rest.split_at(length))?;
        from.rest = rest;
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(text.to_owned()),
            Err(_) => from.fail(DecodeError::Impossible("text")),
        }
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, to: &mut Writer) {
        self.is_some().put(to);
        if let Some(value) = self {
            value.put(to);
        }
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        if bool::get(from)? { T::get(from).map(Some) } else { Some(None) }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, to: &mut Writer) {
        to.number(self.len() as u64);
        for item in self {
            item.put(to);
        }
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let length = from.length()?;
        let mut items = Self::with_capacity(length.min(ROOM_MAX));
        for _ in 0..length {
            items.push(T::get(from)?);
        }
        Some(items)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
        self.1.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Some((A::get(from)?, B::get(from)?))
    }
}

impl Wire for Timestamp {
    fn put(&self, to: &mut Writer) {
        self.0.wrapping_sub(to.last.0).put(to);
        to.last = *self;
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        from.last = Self(from.last.0.wrapping_add(i64::get(from)?));
        Some(from.last)
    }
}

impl Wire for CurrencyCode {
    fn put(&self, to: &mut Writer) {
        to.fixed(self.as_str().as_bytes());
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let letters = from.fixed()?;
        Self::of(letters).or_else(|| from.fail(DecodeError::Impossible("currency")))
    }
}
