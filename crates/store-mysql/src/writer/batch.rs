//! Many statements in few round trips: as text, several in one packet.
//!
//! A group's statements differ in their number of rows each time, so preparing them would cost more
//! round trips than it saves. They are sent as text instead, in which a value is only ever written by
//! [`push_value`]: a number in digits, or bytes in hexadecimal. Nothing that came from outside is
//! ever text of a statement.

use std::fmt::Write as _;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Either, raw_sql};
use tokio::time::timeout;

use crate::connect::Session;
use crate::error::Failure;

/// A packet is sent when it has grown so large, in bytes: well below what servers take at most
/// (`max_allowed_packet`, 16 MiB unless set lower), and one for every group of common size. A row
/// that is larger by itself has a packet by itself.
const PACKET_MAX: usize = 1 << 20;

/// A value in a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    /// Nothing.
    Null,
    /// A signed number.
    Int(i64),
    /// A counted number.
    Uint(u64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Text.
    Text(&'a str),
    /// Keys, between parentheses that are there; at least one.
    Keys(&'a [[u8; 16]]),
    /// Numbers, between parentheses that are there; at least one.
    Ints(&'a [i64]),
}

/// A moment, or none.
pub(crate) fn int_or_null<'a>(number: Option<i64>) -> Value<'a> {
    number.map_or(Value::Null, Value::Int)
}

/// A counted number, or none.
pub(crate) fn uint_or_null<'a>(number: Option<impl Into<u64>>) -> Value<'a> {
    number.map_or(Value::Null, |number| Value::Uint(number.into()))
}

/// What a statement answered.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// Its rows.
    pub(crate) rows: Vec<MySqlRow>,
    /// How many rows it found to change.
    pub(crate) changed: u64,
}

/// Statements in order.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    packets: Vec<String>,
    statements: usize,
    guarded: Vec<usize>,
}

impl Batch {
    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.statements == 0
    }

    /// Adds a statement, each `?` of which is one of `values`. Gives its number.
    pub(crate) fn add(&mut self, template: &str, values: &[Value<'_>]) -> usize {
        let packet = self.packet();
        fill(packet, template, values);
        self.end()
    }

    /// The same for a statement that must find exactly one row to change.
    pub(crate) fn add_guarded(&mut self, template: &str, values: &[Value<'_>]) {
        let number = self.add(template, values);
        self.guarded.push(number);
    }

    /// Adds a statement with many rows between its head and its tail; as many statements as fit.
    pub(crate) fn insert<'a, const N: usize>(
        &mut self,
        head: &str,
        rows: impl IntoIterator<Item = [Value<'a>; N]>,
        tail: &str,
    ) {
        let mut is_open = false;
        for row in rows {
            let packet = self.packet();
            packet.push_str(if is_open { ", " } else { head });
            push_row(packet, &row);
            is_open = packet.len() < PACKET_MAX;
            if !is_open {
                packet.push_str(tail);
                self.end();
            }
        }
        if is_open {
            self.packet().push_str(tail);
            self.end();
        }
    }

    /// The packet that the next text goes into.
    fn packet(&mut self) -> &mut String {
        if self.packets.last().is_none_or(|last| last.len() >= PACKET_MAX) {
            self.packets.push(String::new());
        }
        let last = self.packets.len() - 1;
        &mut self.packets[last]
    }

    fn end(&mut self) -> usize {
        let last = self.packets.len() - 1;
        self.packets[last].push(';');
        self.statements += 1;
        self.statements - 1
    }

    /// Sends everything, one packet a round trip, and gives one reply a statement. Each round trip
    /// has the limit to itself.
    pub(crate) async fn send(
        self,
        session: &mut Session,
        limit: Duration,
    ) -> Result<Sent, Failure> {
        let mut replies = Vec::with_capacity(self.statements);
        for packet in self.packets {
            let asked = ask(session.conn(), packet, &mut replies);
            timeout(limit, asked).await.map_err(|_| Failure::Late(limit))??;
        }
        let found = |number: &usize| replies.get(*number).is_some_and(|reply| reply.changed == 1);
        Ok(Sent { is_held: self.guarded.iter().all(found), replies })
    }
}

/// What a batch answered.
#[derive(Debug)]
pub(crate) struct Sent {
    /// One reply a statement.
    pub(crate) replies: Vec<Reply>,
    /// Whether every guarded statement found its row.
    pub(crate) is_held: bool,
}

async fn ask(
    conn: &mut MySqlConnection,
    packet: String,
    replies: &mut Vec<Reply>,
) -> Result<(), sqlx::Error> {
    let mut reply = Reply::default();
    let mut stream = raw_sql(AssertSqlSafe(packet)).fetch_many(conn);
    while let Some(one) = stream.try_next().await? {
        match one {
            Either::Right(row) => reply.rows.push(row),
            Either::Left(done) => {
                reply.changed = done.rows_affected();
                replies.push(std::mem::take(&mut reply));
            }
        }
    }
    Ok(())
}

/// Appends a template with its values in place of its marks.
fn fill(text: &mut String, template: &str, values: &[Value<'_>]) {
    let mut values = values.iter();
    let mut parts = template.split('?');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        push_value(text, values.next().unwrap_or(&Value::Null));
        text.push_str(part);
    }
    debug_assert!(values.next().is_none(), "more values than marks in {template}");
}

fn push_row(text: &mut String, row: &[Value<'_>]) {
    text.push('(');
    for (number, value) in row.iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        push_value(text, value);
    }
    text.push(')');
}

fn push_value(text: &mut String, value: &Value<'_>) {
    match value {
        Value::Null => text.push_str("NULL"),
        Value::Int(number) => push_digits(text, number),
        Value::Uint(number) => push_digits(text, number),
        Value::Bytes(bytes) => push_hex(text, bytes),
        Value::Text(words) => {
            text.push_str("_utf8mb4 ");
            push_hex(text, words.as_bytes());
        }
        Value::Keys(keys) => push_list(text, keys, |text, key| push_hex(text, key)),
        Value::Ints(numbers) => push_list(text, numbers, |text, number| push_digits(text, number)),
    }
}

fn push_list<T>(text: &mut String, list: &[T], push: impl Fn(&mut String, &T)) {
    for (number, one) in list.iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        push(text, one);
    }
}

fn push_digits(text: &mut String, number: impl std::fmt::Display) {
    // Writing to a string does not fail.
    let _ = write!(text, "{number}");
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.reserve(bytes.len() * 2 + 3);
    text.push_str("X'");
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_place_of_the_marks() {
        let mut batch = Batch::default();
        let keys = [[0xAB; 16], [0; 16]];
        batch.add("a = ? AND b IN (?)", &[Value::Int(-5), Value::Keys(&keys)]);
        batch.add("c IN (?), ?", &[Value::Ints(&[1, 2]), Value::Text("?';\0ü")]);
        batch.insert(
            "PUT ",
            [[Value::Null, Value::Uint(u64::MAX)], [Value::Bytes(&[]), Value::Int(0)]],
            " END",
        );
        let (ab, zero) = ("AB".repeat(16), "00".repeat(16));
        let wanted = format!(
            "a = -5 AND b IN (X'{ab}',X'{zero}');c IN (1,2), _utf8mb4 X'3F273B00C3BC';\
             PUT (NULL,18446744073709551615), (X'',0) END;"
        );
        assert_eq!(batch.packets, [wanted]);
        assert_eq!(batch.statements, 3);
    }

    #[test]
    fn a_packet_ends_when_it_is_large_and_nothing_is_sent_for_no_rows() {
        let mut batch = Batch::default();
        batch.insert::<1>("NONE ", [], " END");
        assert!(batch.is_empty());
        let large = vec![7; PACKET_MAX / 4];
        batch.insert("PUT ", vec![[Value::Bytes(&large)]; 3], " END");
        assert_eq!((batch.packets.len(), batch.statements), (2, 2));
        assert!(
            batch.packets.iter().all(|text| text.starts_with("PUT (") && text.ends_with(") END;"))
        );
        batch.add("LAST", &[]);
        assert_eq!((batch.packets.len(), batch.statements), (2, 3));
    }
}
