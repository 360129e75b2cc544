//! Recipes as they are written: the name of a preset, or a table.

use domain::recipe::{
    self, FieldIs, Recipe, Signature, SignatureAlgorithm, SignaturePlace, SignedContent,
};

use super::mirror::{Mirror, is_default, mirror, mirror_enum};
use super::preset::preset_form;

preset_form! {
    /// A recipe; written as [`RecipeChoice`].
    RecipeForm,
    /// The name of a preset, or a table of what differs from one.
    RecipeChoice,
    /// How a partner's postback reads, field by field; absent fields are the preset's. A list names
    /// the fields under which a value may come; the first that is present counts.
    RecipeDoc = Recipe {
        /// Our click id.
        click_id: Vec<String>,
        /// Name or token of the event.
        event: Vec<String>,
        /// The event when the field is absent; the empty text for none.
        event_default: EventDefaultDoc,
        /// The partner's own id of the event.
        event_id: Vec<String>,
        /// When it happened.
        event_time: Vec<String>,
        /// Revenue in major units.
        revenue: Vec<String>,
        /// ISO currency of the revenue.
        currency: Vec<String>,
        /// What marks a postback that takes an earlier event back.
        reversal: Vec<FieldIsDoc>,
        /// What marks an event that the partner itself refused.
        rejected: Vec<FieldIsDoc>,
        /// What marks an event that no click of ours led to.
        organic: Vec<FieldIsDoc>,
        /// The partner's signature; `none` if there is none.
        signature: RecipeSignatureDoc,
    }
    preset: recipe::preset, names: recipe::PRESETS, blank: blank, default: "generic"
}

/// What a recipe without a preset starts from.
fn blank(doc: &RecipeDoc) -> Recipe {
    Recipe { name: doc.name.clone().unwrap_or_default(), ..Recipe::default() }
}

mirror! {
    /// A field that has one of these values; no values means that it is present.
    FieldIsDoc = FieldIs {
        /// The field.
        field: String,
        /// The values.
        #[serde(default, skip_serializing_if = "is_default")]
        values: Vec<String>,
    }

    /// How a partner signs.
    PartnerSignatureDoc = Signature {
        /// Where the signature is.
        place: SignaturePlaceDoc,
        /// What is signed.
        content: SignedContentDoc,
        /// How it is signed.
        algorithm: SignatureAlgorithmDoc,
        /// Whether a postback without a signature is refused.
        #[serde(default)]
        required: bool,
    }
}

mirror_enum! {
    /// Where a signature is.
    SignaturePlaceDoc = SignaturePlace {
        /// A field of the query, form or JSON.
        Field(name: String),
        /// A header.
        Header(name: String),
    }

    /// How a postback is signed.
    SignatureAlgorithmDoc = SignatureAlgorithm {
        /// HMAC with SHA-256.
        HmacSha256,
        /// HMAC with SHA-1.
        HmacSha1,
        /// HMAC with MD5.
        HmacMd5,
        /// SHA-256 of the content followed by the key.
        Sha256,
        /// SHA-1 of the content followed by the key.
        Sha1,
        /// MD5 of the content followed by the key.
        Md5,
    }
}

/// What is signed.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SignedContentDoc {
    /// `name=value` of every field but the signature, sorted by name, joined by `&`.
    SortedFields,
    /// The values of these fields, joined.
    Fields {
        /// The fields, in order.
        names: Vec<String>,
        /// What stands between two values.
        #[serde(default, skip_serializing_if = "is_default")]
        joiner: String,
    },
    /// The bytes of the body.
    Body,
}

impl Mirror<SignedContent> for SignedContentDoc {
    fn of(value: &SignedContent) -> Self {
        match value {
            SignedContent::SortedFields => Self::SortedFields,
            SignedContent::Fields(names, joiner) => {
                Self::Fields { names: names.clone(), joiner: joiner.clone() }
            }
            SignedContent::Body => Self::Body,
        }
    }

    fn into_domain(self) -> SignedContent {
        match self {
            Self::SortedFields => SignedContent::SortedFields,
            Self::Fields { names, joiner } => SignedContent::Fields(names, joiner),
            Self::Body => SignedContent::Body,
        }
    }
}

/// How a partner signs, or that it does not.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RecipeSignatureDoc {
    /// It does not.
    None,
    /// It signs so.
    Signed(PartnerSignatureDoc),
}

impl Mirror<Option<Signature>> for RecipeSignatureDoc {
    fn of(value: &Option<Signature>) -> Self {
        value.as_ref().map_or(Self::None, |signature| Self::Signed(Mirror::of(signature)))
    }

    fn into_domain(self) -> Option<Signature> {
        match self {
            Self::None => None,
            Self::Signed(signature) => Some(signature.into_domain()),
        }
    }
}

/// An event name; the empty text stands for none, so that a table can take a preset's away.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct EventDefaultDoc(pub String);

impl Mirror<Option<String>> for EventDefaultDoc {
    fn of(value: &Option<String>) -> Self {
        Self(value.clone().unwrap_or_default())
    }

    fn into_domain(self) -> Option<String> {
        Some(self.0).filter(|name| !name.is_empty())
    }
}
