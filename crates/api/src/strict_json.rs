//! JSON in which no name stands twice.
//!
//! Which of two values of one name counts would depend on who reads them, so a document that could be
//! read in two ways is refused (or, for postbacks, both values are kept and seen to contradict).

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A document without repeated names.
pub(crate) struct Strict(pub(crate) Value);

impl<'de> serde::Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(from.deserialize_any(StrictVisitor)?))
    }
}

struct StrictVisitor;

impl<'de> DeserializeSeed<'de> for StrictVisitor {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        number.map(Value::Number).ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(StrictVisitor)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let value = fields.next_value_seed(StrictVisitor)?;
            if map.contains_key(&name) {
                return Err(A::Error::custom(format!("the field `{name}` is given twice")));
            }
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// Every scalar of a document with the dotted way to it, repeated names included.
pub(crate) struct Flat(pub(crate) Vec<(String, String)>);

impl<'de> serde::Deserialize<'de> for Flat {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut pairs = Vec::new();
        from.deserialize_any(FlatVisitor { way: "", pairs: &mut pairs })?;
        Ok(Self(pairs))
    }
}

struct FlatVisitor<'a> {
    way: &'a str,
    pairs: &'a mut Vec<(String, String)>,
}

impl FlatVisitor<'_> {
    fn push(self, value: String) {
        self.pairs.push((self.way.to_owned(), value));
    }

    fn below(&self, name: &str) -> String {
        if self.way.is_empty() { name.to_owned() } else { format!("{}.{name}", self.way) }
    }
}

impl<'de> DeserializeSeed<'de> for FlatVisitor<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FlatVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.push(String::new());
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.push(value.to_string());
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.push(value.to_string());
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.push(value.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.push(value.to_string());
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.push(value.to_owned());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut place = 0_usize;
        loop {
            let way = self.below(&place.to_string());
            let item = FlatVisitor { way: &way, pairs: self.pairs };
            if items.next_element_seed(item)?.is_none() {
                return Ok(());
            }
            place += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<String>()? {
            let way = self.below(&name);
            fields.next_value_seed(FlatVisitor { way: &way, pairs: self.pairs })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_name_is_refused() {
        let good: Strict =
            serde_json::from_str(r#"{"a": [1, -1, 0.5, null, {"b": "c"}]}"#).unwrap();
        assert_eq!(good.0["a"][4]["b"], "c");
        for text in [r#"{"a": 1, "a": 1}"#, r#"[{"b": {"c": 1, "c": 2}}]"#] {
            let error = serde_json::from_str::<Strict>(text).map(drop).unwrap_err();
            assert!(error.to_string().contains("given twice"), "{error}");
        }
    }

    #[test]
    fn documents_are_flattened() {
        let text = r#"{"a": 1, "b": {"c": "x", "d": [true, null]}, "a": 1.5}"#;
        let flat: Flat = serde_json::from_str(text).unwrap();
        let expected = [("a", "1"), ("b.c", "x"), ("b.d.0", "true"), ("b.d.1", ""), ("a", "1.5")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(flat.0, expected);
    }

    #[test]
    fn bottomless_documents_are_refused() {
        let text = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(serde_json::from_str::<Strict>(&text).is_err());
        assert!(serde_json::from_str::<Flat>(&text).is_err());
    }
}
