//! One item of a transaction, with its condition.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Put, PutRequest, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update, WriteRequest,
};
use store::StoreError;

use crate::error::Failed;
use crate::keys::Key;
use crate::value::Item;

/// A write of one item. In expressions `#name` is the attribute of that name, whatever words DynamoDB
/// keeps for itself, and `:name` a value that is given with it.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    what: What,
    condition: Option<String>,
    values: HashMap<String, AttributeValue>,
    shows_old: bool,
}

#[derive(Clone, Debug)]
enum What {
    Put(Item),
    Update(Key, String),
    Check(Key),
}

impl Write {
    /// Writes the item as it is.
    pub(crate) fn put(item: Item) -> Self {
        Self::new(What::Put(item))
    }

    /// Writes the item if there is none of its key.
    pub(crate) fn put_new(item: Item) -> Self {
        Self::put(item).when("attribute_not_exists(#pk)")
    }

    /// Changes attributes of an item, by an update expression.
    pub(crate) fn update(key: Key, expression: impl Into<String>) -> Self {
        Self::new(What::Update(key, expression.into()))
    }

    /// Changes nothing, and asks only for its condition.
    pub(crate) fn check(key: Key, condition: impl Into<String>) -> Self {
        Self::new(What::Check(key)).when(condition)
    }

    fn new(what: What) -> Self {
        Self { what, condition: None, values: HashMap::new(), shows_old: false }
    }

    /// Only if this holds, and what was asked for before.
    pub(crate) fn when(mut self, condition: impl Into<String>) -> Self {
        let condition = condition.into();
        self.condition = Some(match self.condition {
            Some(before) => format!("{before} AND {condition}"),
            None => condition,
        });
        self
    }

    /// Gives a value its name, such as `:v`.
    pub(crate) fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// Without a condition.
    pub(crate) fn whatever_is_there(self) -> Self {
        Self { condition: None, shows_old: false, ..self }
    }

    /// Lets a refusal show the item that was found instead.
    pub(crate) fn showing(self) -> Self {
        Self { shows_old: true, ..self }
    }

    /// In the words of the SDK.
    pub(crate) fn build(self, table: &str) -> Result<TransactWriteItem, Failed> {
        let names = self.names();
        let values = Some(self.values).filter(|values| !values.is_empty());
        let old = self.shows_old.then_some(ReturnValuesOnConditionCheckFailure::AllOld);
        let whole = TransactWriteItem::builder();
        macro_rules! built {
            ($builder:expr) => {
                $builder
                    .table_name(table)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(old)
                    .set_condition_expression(self.condition)
                    .build()
                    .map_err(|error| StoreError::Unavailable(error.to_string()))?
            };
        }
        Ok(match self.what {
            What::Put(item) => whole.put(built!(Put::builder().set_item(Some(item)))),
            What::Update(key, expression) => {
                let update = Update::builder().set_key(Some(key.attributes()));
                whole.update(built!(update.update_expression(expression)))
            }
            What::Check(key) => {
                let check = ConditionCheck::builder().set_key(Some(key.attributes()));
                whole.condition_check(built!(check))
            }
        }
        .build())
    }

    /// The attributes that the expressions name.
    fn names(&self) -> Option<HashMap<String, String>> {
        let update = match &self.what {
            What::Update(_, expression) => expression,
            What::Put(_) | What::Check(_) => "",
        };
        let mut names = HashMap::new();
        for text in [update, self.condition.as_deref().unwrap_or_default()] {
            // What comes before the first mark is no name.
            for rest in text.split('#').skip(1) {
                let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let name = rest.split(|c| !is_part(c)).next().unwrap_or_default();
                names.insert(format!("#{name}"), name.to_owned());
            }
        }
        Some(names).filter(|names| !names.is_empty())
    }
}

/// Writes the item as it is, outside of a transaction.
pub(crate) fn put_request(item: Item) -> Result<WriteRequest, Failed> {
    let put = PutRequest::builder().set_item(Some(item)).build();
    let put = put.map_err(|error| Failed::corrupt(error.to_string()))?;
    Ok(WriteRequest::builder().put_request(put).build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::number;

    #[test]
    fn an_update_names_its_attributes() {
        let key = Key::new("p", "s");
        let write = Write::update(key, "SET #state = :s, #n = #n + :s REMOVE #gone")
            .when("#v = :v")
            .when("attribute_exists(#pk)")
            .with(":s", number(1))
            .with(":v", number(2));
        let built = write.build("t").unwrap();
        let update = built.update().unwrap();
        let mut names: Vec<_> = update.expression_attribute_names().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["#gone", "#n", "#pk", "#state", "#v"]);
        let condition = update.condition_expression();
        assert_eq!(condition, Some("#v = :v AND attribute_exists(#pk)"));
    }
}
