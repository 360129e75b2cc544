//! Attributes of items, to and from plain values.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::error::Failed;
use crate::keys::{Key, PK, SK};

/// An item, or a part of one.
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn bytes(value: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

pub(crate) fn list(values: impl IntoIterator<Item = AttributeValue>) -> AttributeValue {
    AttributeValue::L(values.into_iter().collect())
}

/// An item with these attributes.
pub(crate) fn item<const N: usize>(key: &Key, with: [(&str, AttributeValue); N]) -> Item {
    let mut item = key.attributes();
    item.extend(with.map(|(name, value)| (name.to_owned(), value)));
    item
}

/// Reading what this crate wrote; an attribute of another type or shape is corrupt.
pub(crate) trait Read {
    fn get_text(&self, name: &str) -> Result<&str, Failed>;
    /// A number; `None` if there is no such attribute.
    fn find_number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Failed>;
    fn get_number<T: std::str::FromStr>(&self, name: &str) -> Result<T, Failed>;
    fn get_bytes(&self, name: &str) -> Result<&[u8], Failed>;
    fn get_list(&self, name: &str) -> Result<&[AttributeValue], Failed>;
    fn key(&self) -> Result<Key, Failed>;
}

impl Read for Item {
    fn get_text(&self, name: &str) -> Result<&str, Failed> {
        let value = self.get(name).and_then(|value| value.as_s().ok());
        value.map_or_else(|| bad(name), |text| Ok(text.as_str()))
    }

    fn find_number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Failed> {
        self.get(name).map(|value| number_of(value, name)).transpose()
    }

    fn get_number<T: std::str::FromStr>(&self, name: &str) -> Result<T, Failed> {
        self.find_number(name)?.map_or_else(|| bad(name), Ok)
    }

    fn get_bytes(&self, name: &str) -> Result<&[u8], Failed> {
        let value = self.get(name).and_then(|value| value.as_b().ok());
        value.map_or_else(|| bad(name), |blob| Ok(blob.as_ref()))
    }

    fn get_list(&self, name: &str) -> Result<&[AttributeValue], Failed> {
        let value = self.get(name).and_then(|value| value.as_l().ok());
        value.map_or_else(|| bad(name), |list| Ok(list.as_slice()))
    }

    fn key(&self) -> Result<Key, Failed> {
        Ok(Key::new(self.get_text(PK)?, self.get_text(SK)?))
    }
}

/// A number of a list or item.
pub(crate) fn number_of<T: std::str::FromStr>(
    value: &AttributeValue,
    name: &str,
) -> Result<T, Failed> {
    let digits = value.as_n().ok().and_then(|digits| digits.parse().ok());
    digits.map_or_else(|| bad(name), Ok)
}

fn bad<T>(name: &str) -> Result<T, Failed> {
    Err(Failed::corrupt(format!("the attribute {name} of an item")))
}
