//! A message, in a dialect, as one HTTP request. Pure.
//!
//! Order: URL, body, signature, headers, because each may depend on the one before. The URL is
//! normalised before it is signed, so what is hashed is what goes over the wire.

use super::body::Draft;
use super::crypto::{CipherKey, CryptoError};
use super::sign::{self, SignError, Signable};
use super::values::{Values, escape};
use super::verdict::Expectation;
use bytes::Bytes;
use domain::catalog::Endpoint;
use domain::dialect::{
    Body, Dialect, Escaping, Macro, Method, Piece, Place, ReversalStyle, Signature,
    SignatureRecipe, Template, TemplateError,
};
use domain::journal::Message;
use domain::secret::Secret;
use domain::time::Timestamp;
use engine::{SealError, SecretOwner, Vault};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use url::Url;

/// The secrets of an endpoint, opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets {
    /// Signing secrets, newest first. Standard Webhooks signs with the first two, recipes with the first.
    pub(crate) signing: Vec<Secret>,
    /// Key of an encrypted body.
    pub(crate) cipher: Option<CipherKey>,
}

impl Secrets {
    /// Opens the secrets that the catalogue keeps. If the dialect encrypts, the first two are the key
    /// and the vector; all others sign, newest first.
    ///
    /// # Errors
    ///
    /// A secret that cannot be opened, or a key of a wrong length.
    pub(crate) fn open(
        endpoint: &Endpoint,
        owner: SecretOwner,
        vault: &Vault,
    ) -> Result<Self, RenderError> {
        let opened = endpoint.secrets.iter().map(|secret| vault.open_secret(secret, owner));
        let mut signing = opened.collect::<Result<Vec<Secret>, SealError>>()?;
        if !matches!(endpoint.dialect.body, Body::Encrypted(_)) {
            return Ok(Secrets { signing, cipher: None });
        }
        if signing.len() < 2 {
            return Err(RenderError::MissingCipherKey);
        }
        let rest = signing.split_off(2);
        let (key, vector) = (signing[0].expose(), signing[1].expose());
        let cipher = CipherKey::try_new(key.as_bytes(), vector.as_bytes())?;
        Ok(Secrets { signing: rest, cipher: Some(cipher) })
    }
}

/// A request that is ready to be sent, and what its answer must be.
#[derive(Clone)]
pub(crate) struct Prepared {
    /// Method.
    pub(crate) method: Method,
    /// Address, normalised.
    pub(crate) url: Url,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// Body; the same bytes at every attempt.
    pub(crate) body: Bytes,
    /// Which answers mean what.
    pub(crate) expect: Expectation,
    /// Time allowed for the attempt, in milliseconds.
    pub(crate) timeout_ms: u32,
}

/// Shows where it goes and how big it is, and nothing of users or secrets.
impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why a message cannot be put into a request.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RenderError {
    /// The endpoint's URL is not understood.
    #[error("the endpoint's URL: {0}")]
    Endpoint(#[from] TemplateError),
    /// What came out is no URL.
    #[error("the request has no valid URL: {0}")]
    Url(String),
    /// A value changed scheme, host or port.
    #[error("a value must not change the host of the URL")]
    Host,
    /// The dialect cannot say that a reward is taken back.
    #[error("this dialect has no words for a reversal")]
    ReversalNotSupported,
    /// The dialect signs, the endpoint has no secret.
    #[error("the endpoint has no secret")]
    MissingSecret,
    /// The secret does not fit the signature.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The dialect encrypts, the endpoint has no key.
    #[error("the endpoint has no encryption key")]
    MissingCipherKey,
    /// The endpoint's key or vector has a wrong length.
    #[error("the endpoint's secrets: {0}")]
    Cipher(#[from] CryptoError),
    /// A secret of the endpoint cannot be opened.
    #[error("the endpoint's secrets: {0}")]
    Sealed(#[from] SealError),
    /// A JSON number that is none.
    #[error("the value of {0} is not a number")]
    NotANumber(String),
    /// A JSON boolean that is none.
    #[error("the value of {0} is neither true nor false")]
    NotABool(String),
    /// A header that HTTP does not allow.
    #[error("the header {0} has a name or value that HTTP does not allow")]
    Header(String),
    /// A time beyond the calendar.
    #[error("{0} is not a time")]
    Time(i64),
    /// A macro where it has no value.
    #[error("{{{0}}} has no value here")]
    Misplaced(&'static str),
}

impl RenderError {
    /// Whether no change of the endpoint's configuration helps: the delivery stops. Everything else is
    /// tried again, because an operator may put it right meanwhile.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, RenderError::ReversalNotSupported)
    }
}

/// Puts `message` into a request to `endpoint`, at the attempt's time `now`.
///
/// # Errors
///
/// See [`RenderError`]; nothing has been sent.
pub(crate) fn render(
    endpoint: &Endpoint,
    secrets: &Secrets,
    message: &Message,
    now: Timestamp,
) -> Result<Prepared, RenderError> {
    let (dialect, endpoint_url) = (&endpoint.dialect, endpoint.url.as_str());
    check_reversal(dialect, endpoint_url, message)?;
    let mut values = Values {
        message,
        reversal: &dialect.reversal,
        attempt_at: now,
        secret: secrets.signing.first(),
        signature: None,
    };
    sign_ahead(dialect, &mut values)?;
    let mut url = address(dialect, endpoint_url, &values)?;
    let mut draft = Draft::new(&dialect.body, &values, secrets.cipher.as_ref())?;
    if message.is_reversal() {
        add_reversal_params(dialect, &mut url, &mut draft)?;
    }
    let mut headers = HeaderMap::new();
    sign(dialect, secrets, &mut values, (&mut url, &mut draft, &mut headers))?;
    let body = Bytes::from(draft.bytes());
    add_headers(dialect, draft.content_type(), &values, &mut headers)?;
    Ok(Prepared {
        method: dialect.method,
        url,
        headers,
        body,
        expect: Expectation::new(dialect, &values)?,
        timeout_ms: dialect.timeout_ms,
    })
}

fn check_reversal(
    dialect: &Dialect,
    endpoint_url: &str,
    message: &Message,
) -> Result<(), RenderError> {
    let told = match &dialect.reversal {
        ReversalStyle::NotSupported => false,
        ReversalStyle::Placeholder(text) => endpoint_url.contains(text.as_str()),
        _ => true,
    };
    if message.is_reversal() && !told {
        return Err(RenderError::ReversalNotSupported);
    }
    Ok(())
}

/// Computes a signature that the URL or the body itself names.
fn sign_ahead(dialect: &Dialect, values: &mut Values<'_>) -> Result<(), RenderError> {
    let Some(Signature::Recipe(recipe)) = &dialect.signature else {
        return Ok(());
    };
    if recipe.place == Place::Macro {
        let nothing = Signable { url: None, form: &[], body: &[] };
        values.signature = Some(sign::recipe(recipe, values, &nothing)?);
    }
    Ok(())
}

/// The URL with its query, without the signature.
fn address(dialect: &Dialect, endpoint_url: &str, values: &Values<'_>) -> Result<Url, RenderError> {
    let endpoint = dialect.endpoint_template(endpoint_url)?;
    let mut text = String::new();
    for piece in dialect.url.pieces() {
        if *piece == Piece::Value(Macro::EndpointUrl) {
            text.push_str(&values.expand(&endpoint, dialect.escaping)?);
        } else {
            values.piece(piece, dialect.escaping, &mut text)?;
        }
    }
    let mut url = parse(&text)?;
    url.set_fragment(None);
    if url.origin() != fixed_origin(dialect, &endpoint)? {
        return Err(RenderError::Host);
    }
    for field in &dialect.query {
        if let Some((name, value)) = values.field(field)? {
            add_param(&mut url, &name, &value, dialect.escaping)?;
        }
    }
    Ok(url)
}

/// Scheme, host and port of the text before the first value.
fn fixed_origin(dialect: &Dialect, endpoint: &Template) -> Result<url::Origin, RenderError> {
    let own = match dialect.url.pieces().first() {
        Some(Piece::Value(Macro::EndpointUrl)) => endpoint,
        _ => &dialect.url,
    };
    match own.pieces().first() {
        Some(Piece::Text(text)) => Ok(parse(text)?.origin()),
        _ => Err(RenderError::Host),
    }
}

/// Appends a query parameter unless the URL has one of that name.
fn add_param(
    url: &mut Url,
    name: &str,
    value: &str,
    escaping: Escaping,
) -> Result<(), RenderError> {
    if url.query_pairs().any(|(known, _)| known == name) {
        return Ok(());
    }
    let mark = match url.query() {
        None => "?",
        Some("") => "",
        Some(_) => "&",
    };
    let name = escape(name, escaping);
    let value = escape(value, escaping);
    *url = parse(&format!("{}{mark}{name}={value}", url.as_str()))?;
    Ok(())
}

fn add_reversal_params(
    dialect: &Dialect,
    url: &mut Url,
    draft: &mut Draft,
) -> Result<(), RenderError> {
    for (name, value) in dialect.reversal.params() {
        match (&dialect.body, draft.form_mut()) {
            (Body::Form(_) | Body::Encrypted(_), Some(form)) => {
                if !form.iter().any(|(known, _)| known == name) {
                    form.push((name.to_owned(), value.to_owned()));
                }
            }
            _ => add_param(url, name, value, dialect.escaping)?,
        }
    }
    Ok(())
}

/// Signs and puts the signature where it belongs.
fn sign(
    dialect: &Dialect,
    secrets: &Secrets,
    values: &mut Values<'_>,
    request: (&mut Url, &mut Draft, &mut HeaderMap),
) -> Result<(), RenderError> {
    let (url, draft, headers) = request;
    match &dialect.signature {
        None => Ok(()),
        Some(Signature::Recipe(recipe)) => place(recipe, values, url, draft, headers),
        Some(Signature::StandardWebhooks) => {
            let (id, at) = (values.message.id.to_string(), values.attempt_s());
            let signature = sign::standard_webhooks(&secrets.signing, &id, at, &draft.bytes())?;
            put(headers, "webhook-id", &id)?;
            put(headers, "webhook-timestamp", &at.to_string())?;
            put(headers, "webhook-signature", &signature)
        }
    }
}

fn place(
    recipe: &SignatureRecipe,
    values: &mut Values<'_>,
    url: &mut Url,
    draft: &mut Draft,
    headers: &mut HeaderMap,
) -> Result<(), RenderError> {
    let body = draft.bytes();
    let request = Signable { url: Some(url), form: draft.form(), body: &body };
    let signature = sign::recipe(recipe, values, &request)?;
    match &recipe.place {
        Place::Macro => {}
        Place::Query(name) => add_param(url, name, &signature, Escaping::Rfc3986)?,
        Place::FormField(name) | Place::JsonField(name) => draft.add(name, signature),
        Place::Header { name, value } => {
            values.signature = Some(signature);
            put(headers, name, &values.plain(value)?)?;
            values.signature = None;
        }
    }
    Ok(())
}

fn add_headers(
    dialect: &Dialect,
    content_type: Option<&'static str>,
    values: &Values<'_>,
    headers: &mut HeaderMap,
) -> Result<(), RenderError> {
    if let Some(kind) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for field in &dialect.headers {
        if let Some((name, value)) = values.field(field)? {
            put(headers, &name, &value)?;
        }
    }
    Ok(())
}

fn put(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), RenderError> {
    let refused = || RenderError::Header(name.to_owned());
    let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| refused())?;
    value.set_sensitive(true);
    headers.insert(key, value);
    Ok(())
}

fn parse(text: &str) -> Result<Url, RenderError> {
    Url::parse(text).map_err(|error| RenderError::Url(error.to_string()))
}
