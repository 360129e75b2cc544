//! The ways to pack a list.

use std::io::{Read, Write};

use anyhow::Result;
use flate2::Compression;

use super::joined;

/// Level of compression of fragments, which are compressed once for a catalogue's revision.
pub(super) const ONCE: u32 = 9;
/// The same in zstd's numbers.
const ONCE_ZSTD: i32 = 19;
/// Bytes that brotli looks at and writes at a time.
const BROTLI_BUFFER: usize = 4_096;
/// How far back brotli looks, as a power of two; the list is shorter.
const BROTLI_WINDOW: u32 = 18;

/// A way to pack a list.
pub(super) trait Coding {
    fn name(&self) -> &str;
    /// Packs the list of that number.
    fn pack(&self, index: usize, list: &[u8]) -> Result<Vec<u8>>;
    fn unpack(&self, packed: &[u8]) -> Result<Vec<u8>>;
}

/// All of them, the plain one first.
pub(super) fn all(lists: &[Vec<u8>]) -> Result<Vec<Box<dyn Coding>>> {
    let mut all: Vec<Box<dyn Coding>> = vec![Box::new(Plain)];
    for level in [1, 4, 6] {
        all.push(Box::new(Gzip(format!("gzip -{level}"), level)));
    }
    for level in [-1, 1, 3] {
        all.push(Box::new(Zstd(format!("zstd {level}"), level)));
    }
    for level in [1, 4] {
        all.push(Box::new(Brotli(format!("br {level}"), level)));
    }
    all.push(Box::new(joined::Gzip::of(lists)?));
    let pack = |piece: &[u8]| Ok(zstd::bulk::compress(piece, ONCE_ZSTD)?);
    all.push(Box::new(joined::Frames::of(lists, pack)?));
    Ok(all)
}

struct Plain;

impl Coding for Plain {
    fn name(&self) -> &str {
        "plain"
    }

    fn pack(&self, _: usize, list: &[u8]) -> Result<Vec<u8>> {
        Ok(list.to_vec())
    }

    fn unpack(&self, packed: &[u8]) -> Result<Vec<u8>> {
        Ok(packed.to_vec())
    }
}

struct Gzip(String, u32);

impl Coding for Gzip {
    fn name(&self) -> &str {
        &self.0
    }

    fn pack(&self, _: usize, list: &[u8]) -> Result<Vec<u8>> {
        let room = Vec::with_capacity(list.len() / 4);
        let mut encoder = flate2::write::GzEncoder::new(room, Compression::new(self.1));
        encoder.write_all(list)?;
        Ok(encoder.finish()?)
    }

    fn unpack(&self, packed: &[u8]) -> Result<Vec<u8>> {
        gunzip(packed)
    }
}

/// Unpacks as a browser does.
pub(super) fn gunzip(packed: &[u8]) -> Result<Vec<u8>> {
    let mut list = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut list)?;
    Ok(list)
}

struct Zstd(String, i32);

impl Coding for Zstd {
    fn name(&self) -> &str {
        &self.0
    }

    fn pack(&self, _: usize, list: &[u8]) -> Result<Vec<u8>> {
        Ok(zstd::bulk::compress(list, self.1)?)
    }

    fn unpack(&self, packed: &[u8]) -> Result<Vec<u8>> {
        Ok(zstd::stream::decode_all(packed)?)
    }
}

struct Brotli(String, u32);

impl Coding for Brotli {
    fn name(&self) -> &str {
        &self.0
    }

    fn pack(&self, _: usize, list: &[u8]) -> Result<Vec<u8>> {
        let mut packed = Vec::with_capacity(list.len() / 4);
        let mut writer =
            brotli::CompressorWriter::new(&mut packed, BROTLI_BUFFER, self.1, BROTLI_WINDOW);
        writer.write_all(list)?;
        drop(writer);
        Ok(packed)
    }

    fn unpack(&self, packed: &[u8]) -> Result<Vec<u8>> {
        let mut list = Vec::new();
        brotli::Decompressor::new(packed, BROTLI_BUFFER).read_to_end(&mut list)?;
        Ok(list)
    }
}
