//! Other networks' postbacks, and Guerdon's own, as data.
//!
//! Each preset is a starting value. What is marked "open" in its comment is not said by the vendor's
//! public page or was learnt at second hand: check it with a test delivery and override it if needed.

mod korea;
mod macro_urls;
mod named_params;
mod own;

use super::{
    Algorithm, Dialect, Encoding, Field, Macro, Part, Place, Signature, SignatureRecipe, StatusSet,
    SuccessTest, Template,
};

/// Names that [`preset`] knows, in the order of the documentation.
pub const PRESETS: &[&str] = &[
    "standard_webhooks",
    "buzzvil",
    "buzzvil_encrypted",
    "ayet",
    "tapjoy",
    "ironsource",
    "fyber",
    "adgem_v2",
    "adgem_v3",
    "adgate",
    "adjoe",
    "torox",
    "mychips",
    "bitlabs",
    "lootably",
    "tnk",
    "adpopcorn",
    "adison",
    "adchain",
];

/// The dialect of that name; `standard_webhooks` is the default of a new publisher.
pub fn preset(name: &str) -> Option<Dialect> {
    match name {
        "standard_webhooks" => Some(own::standard_webhooks()),
        "buzzvil" => Some(korea::buzzvil()),
        "buzzvil_encrypted" => Some(korea::buzzvil_encrypted()),
        "ayet" => Some(macro_urls::ayet()),
        "tapjoy" => Some(named_params::tapjoy()),
        "ironsource" => Some(macro_urls::ironsource()),
        "fyber" => Some(named_params::fyber()),
        "adgem_v2" => Some(macro_urls::adgem_v2()),
        "adgem_v3" => Some(named_params::adgem_v3()),
        "adgate" => Some(macro_urls::adgate()),
        "adjoe" => Some(named_params::adjoe()),
        "torox" => Some(named_params::torox()),
        "mychips" => Some(macro_urls::mychips()),
        "bitlabs" => Some(macro_urls::bitlabs()),
        "lootably" => Some(macro_urls::lootably()),
        "tnk" => Some(korea::tnk()),
        "adpopcorn" => Some(korea::adpopcorn()),
        "adison" => Some(korea::adison()),
        "adchain" => Some(korea::adchain()),
        _ => None,
    }
}

/// A part that is one value.
fn value(value: Macro) -> Part {
    Part::Text(Template::of(value))
}

/// A hex signature.
fn hex(algorithm: Algorithm, parts: Vec<Part>, joiner: &str, place: Place) -> Option<Signature> {
    Some(Signature::Recipe(SignatureRecipe {
        parts,
        joiner: joiner.to_owned(),
        algorithm,
        encoding: Encoding::Hex,
        place,
    }))
}

/// A header that holds nothing but the signature.
fn header(name: &str) -> Place {
    Place::Header { name: name.to_owned(), value: Template::of(Macro::Signature) }
}

/// Status 200 and nothing else.
fn ok_only() -> SuccessTest {
    SuccessTest::status(StatusSet::of(&[200]))
}

/// Fields that are always sent.
fn fields(named: &[(&str, Macro)]) -> Vec<Field> {
    named.iter().map(|(name, value)| Field::new(name, *value)).collect()
}
