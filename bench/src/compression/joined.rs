//! Lists put together of fragments that were compressed before.
//!
//! An offer is the same for everybody, so its fragment could be kept compressed. What is the user's
//! own, his runs and what stands around the missions, is written plainly between them. In gzip a
//! fragment is some blocks of deflate that end at a whole byte (a sync flush) and look back at
//! nothing before them; in zstd it is a frame.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::codings::{self, Coding};

/// The head of every gzip file: deflate, no name, no time, no system.
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// The last block, which is empty.
const LAST_BLOCK: [u8; 5] = [1, 0, 0, 0xff, 0xff];
/// Most bytes of a block that is not compressed.
const STORED_MAX: usize = 0xffff;
/// Room that deflate may take beyond what it is given.
const SLACK: usize = 64;

/// Part of a list.
enum Piece {
    /// An offer, by its number.
    Offer(usize),
    /// The user's own: where it stands in the list.
    Own(std::ops::Range<usize>),
}

/// The lists in pieces, and every offer once.
struct Cut {
    lists: Vec<Vec<Piece>>,
    offers: Vec<Vec<u8>>,
}

#[derive(Deserialize)]
struct ListDoc<'a> {
    #[serde(borrow)]
    missions: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct MissionDoc {
    enrollment_id: Option<String>,
}

impl Cut {
    fn of(lists: &[Vec<u8>]) -> Result<Self> {
        let (mut known, mut offers) = (HashMap::new(), Vec::new());
        let mut cut = Vec::new();
        for list in lists {
            let (mut pieces, mut done) = (Vec::new(), 0);
            for range in offers_in(list)? {
                let bytes = list[range.clone()].to_vec();
                let number = *known.entry(bytes.clone()).or_insert_with(|| {
                    offers.push(bytes);
                    offers.len() - 1
                });
                pieces.extend([Piece::Own(done..range.start), Piece::Offer(number)]);
                done = range.end;
            }
            pieces.push(Piece::Own(done..list.len()));
            cut.push(pieces);
        }
        Ok(Self { lists: cut, offers })
    }
}

/// Where the offers stand in a list, which is what is the same for everybody.
fn offers_in(list: &[u8]) -> Result<Vec<std::ops::Range<usize>>> {
    let text = std::str::from_utf8(list)?;
    let read: ListDoc<'_> = serde_json::from_str(text)?;
    let mut found = Vec::new();
    for mission in read.missions {
        let mission = mission.get();
        let doc: MissionDoc = serde_json::from_str(mission)?;
        if doc.enrollment_id.is_none() {
            let start = mission.as_ptr().addr() - text.as_ptr().addr();
            found.push(start..start + mission.len());
        }
    }
    ensure!(!found.is_empty(), "the list has no offers");
    Ok(found)
}

/// One gzip file of fragments.
pub(super) struct Gzip {
    cut: Vec<Vec<Piece>>,
    /// The blocks of each offer, and its checksum.
    offers: Vec<(Vec<u8>, Crc)>,
}

impl Gzip {
    pub(super) fn of(lists: &[Vec<u8>]) -> Result<Self> {
        let cut = Cut::of(lists)?;
        let offers = cut.offers.iter().map(|offer| Ok((deflated(offer)?, crc_of(offer))));
        Ok(Self { offers: offers.collect::<Result<_>>()?, cut: cut.lists })
    }
}

impl Coding for Gzip {
    fn name(&self) -> &str {
        "gzip of compressed fragments"
    }

    fn pack(&self, index: usize, list: &[u8]) -> Result<Vec<u8>> {
        let mut packed = Vec::with_capacity(list.len());
        packed.extend_from_slice(&GZIP_HEAD);
        let mut crc = Crc::new();
        for piece in self.cut.get(index).context("no such list")? {
            match piece {
                Piece::Offer(number) => {
                    let (blocks, own) = self.offers.get(*number).context("no such offer")?;
                    packed.extend_from_slice(blocks);
                    crc.combine(own);
                }
                Piece::Own(range) => {
                    let own = &list[range.clone()];
                    own.chunks(STORED_MAX).for_each(|block| store(block, &mut packed));
                    crc.update(own);
                }
            }
        }
        packed.extend_from_slice(&LAST_BLOCK);
        packed.extend_from_slice(&crc.sum().to_le_bytes());
        packed.extend_from_slice(&crc.amount().to_le_bytes());
        Ok(packed)
    }

    fn unpack(&self, packed: &[u8]) -> Result<Vec<u8>> {
        codings::gunzip(packed)
    }
}

/// Writes a block that is not compressed.
fn store(block: &[u8], packed: &mut Vec<u8>) {
    let length = block.len() as u16;
    packed.push(0);
    packed.extend_from_slice(&length.to_le_bytes());
    packed.extend_from_slice(&(!length).to_le_bytes());
    packed.extend_from_slice(block);
}

fn deflated(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut packed = Vec::with_capacity(bytes.len() + SLACK);
    let mut deflate = Compress::new(Compression::new(codings::ONCE), false);
    let status = deflate.compress_vec(bytes, &mut packed, FlushCompress::Sync)?;
    let is_whole = status == Status::Ok && deflate.total_in() == bytes.len() as u64;
    ensure!(is_whole && packed.ends_with(&[0, 0, 0xff, 0xff]), "the fragment was cut");
    Ok(packed)
}

fn crc_of(bytes: &[u8]) -> Crc {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc
}

/// A zstd file of frames.
pub(super) struct Frames {
    cut: Vec<Vec<Piece>>,
    offers: Vec<Vec<u8>>,
}

impl Frames {
    pub(super) fn of(lists: &[Vec<u8>], pack: impl Fn(&[u8]) -> Result<Vec<u8>>) -> Result<Self> {
        let cut = Cut::of(lists)?;
        let offers = cut.offers.iter().map(|offer| pack(offer)).collect::<Result<_>>()?;
        Ok(Self { offers, cut: cut.lists })
    }
}

impl Coding for Frames {
    fn name(&self) -> &str {
        "zstd of compressed fragments"
    }

    fn pack(&self, index: usize, list: &[u8]) -> Result<Vec<u8>> {
        let mut packed = Vec::with_capacity(list.len());
        for piece in self.cut.get(index).context("no such list")? {
            match piece {
                Piece::Offer(number) => {
                    packed.extend_from_slice(self.offers.get(*number).context("no such offer")?);
                }
                Piece::Own(range) => frame(&list[range.clone()], &mut packed),
            }
        }
        Ok(packed)
    }

    fn unpack(&self, packed: &[u8]) -> Result<Vec<u8>> {
        Ok(zstd::stream::decode_all(packed)?)
    }
}

/// Writes a frame of one raw block: the mark, a head for a single segment whose length has four
/// bytes, and the block's head, which says that it is the last, is not compressed, and how long.
fn frame(bytes: &[u8], packed: &mut Vec<u8>) {
    const RAW_MAX: usize = 128 * 1024;
    for part in bytes.chunks(RAW_MAX) {
        let length = part.len() as u32;
        packed.extend_from_slice(&[0x28, 0xb5, 0x2f, 0xfd, 0b1010_0000]);
        packed.extend_from_slice(&length.to_le_bytes());
        packed.extend_from_slice(&(length << 3 | 1).to_le_bytes()[..3]);
        packed.extend_from_slice(part);
    }
}
