//! A statement with its parameters, which can be asked again on another connection.

use std::borrow::Cow;

use sqlx::encode::Encode;
use sqlx::error::BoxDynError;
use sqlx::mysql::{MySql, MySqlArguments};
use sqlx::query::Query;
use sqlx::types::Type;
use sqlx::{Arguments, AssertSqlSafe, query_with};

use crate::codec::corrupt;
use crate::error::Failure;

/// A statement and its parameters.
pub(crate) struct Ask {
    text: Cow<'static, str>,
    arguments: Result<MySqlArguments, BoxDynError>,
}

impl Ask {
    /// A statement of [`crate::sql`]. It is prepared once on each connection.
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), arguments: Ok(MySqlArguments::default()) }
    }

    /// A statement of [`crate::sql`] over many rows; the parts are put together of constants only.
    pub(crate) fn many(text: String) -> Self {
        Self { text: Cow::Owned(text), arguments: Ok(MySqlArguments::default()) }
    }

    /// Binds the next parameter.
    pub(crate) fn bind<'q, T: Encode<'q, MySql> + Type<MySql>>(mut self, value: T) -> Self {
        self.push(value);
        self
    }

    /// Binds the next parameter.
    pub(crate) fn push<'q, T: Encode<'q, MySql> + Type<MySql>>(&mut self, value: T) {
        if let Ok(arguments) = &mut self.arguments
            && let Err(error) = arguments.add(value)
        {
            self.arguments = Err(error);
        }
    }

    /// The statement as `sqlx` runs it.
    pub(crate) fn query(&self) -> Result<Query<'_, MySql, MySqlArguments>, Failure> {
        let arguments = self.arguments.as_ref().map_err(|error| corrupt("parameter", error))?;
        Ok(query_with(AssertSqlSafe(self.text.clone()), arguments.clone()))
    }
}
