//! The catalogue as people and the admin API write it.
//!
//! One form for every entity, in TOML and JSON alike: what `guerdon catalog export` writes, the
//! admin API answers, and a store keeps in a row. Field names are the domain's. Amounts are whole
//! micro-units (1.50 USD is 1500000), shares are `60%`, moments RFC 3339, durations `14d` or `36h`,
//! times and shares are read in a few further forms, unknown fields are an error, and what has its
//! default may be left out.
//!
//! - [`CatalogDoc`] and the other `…Doc` types are the form itself, also for the API's description.
//! - [`entity_to_json`] and [`entity_from_json`] are one entity.
//! - [`parse_toml`], [`parse_json`], [`to_toml`] and [`to_json`] are whole files; errors name their line.
//! - [`catalog_from_rows`] is all that a store keeps.
//! - [`field_changes`], [`patch_json`] and [`redacted`] help with differences, patches and answers.

mod demand;
mod dialect;
mod human;
mod mirror;
mod mission;
mod preset;
mod recipe;
mod supply;

mod entity;

mod changes;
mod file;
mod stored;
mod tree;

pub use changes::{FieldChange, HIDDEN, field_changes, patch_json, redacted};
pub use demand::{
    AdGroupDoc, AdGroupStatusDoc, AdvertiserDoc, AgeRangeDoc, CapsDoc, FlightDoc, GenderDoc,
    HoldDoc, HoldForm, LineItemDoc, LineItemStatusDoc, OrderDoc, OsVersionRangeDoc, PacingDoc,
    PartnerDoc, PlatformDoc, SegmentDoc, TargetingDoc,
};
pub use dialect::{
    AlgorithmDoc, AliasDoc, AnswerDoc, BodyDoc, BodyTestDoc, DialectChoice, DialectDoc,
    DialectForm, EncodingDoc, EncryptedDoc, EscapingDoc, FieldDoc, JsonDoc, MemberDoc, MethodDoc,
    ParamDoc, PartDoc, PlaceDoc, RetryDoc, RetryStepDoc, ReversalDoc, SignatureDoc,
    SignatureRecipeDoc,
};
pub use entity::{FieldError, entity_from_json, entity_from_str, entity_to_json};
pub use file::{CatalogFile, FileError, FileErrors, Place, Syntax, parse, parse_json, parse_toml};
pub use human::{
    CountryText, CurrencyText, DigestText, OffsetText, OsVersionMaxText, OsVersionText, RateText,
    SecondsText, SecretText, ShareText, StatusText, TemplateText, TimeText,
};
pub use mirror::Mirror;
pub use mission::{
    AimDoc, ChoiceDoc, CreativeDoc, LandingDoc, LocalTextDoc, MissionDoc, MissionKindDoc,
    MissionStatusDoc, RepeatDoc, RoleDoc, RuleDoc, SequenceDoc, StepDoc, StepTextDoc, WindowDoc,
    WindowStartDoc,
};
pub use recipe::{
    EventDefaultDoc, FieldIsDoc, PartnerSignatureDoc, RecipeChoice, RecipeDoc, RecipeForm,
    RecipeSignatureDoc, SignatureAlgorithmDoc, SignaturePlaceDoc, SignedContentDoc,
};
pub use stored::{StoredError, StoredRow, catalog_from_rows, mission_from_str};
pub use supply::{
    AppDoc, AppKeyDoc, CurrencyDoc, EndpointDoc, ModeDoc, PublisherDoc, RoundingDoc, ThemeDoc,
    UnitDoc,
};
pub use tree::{CatalogDoc, ExportError, to_json, to_toml};
