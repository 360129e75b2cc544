//! The use cases: load, decide, commit. The only caller of the ports.
//!
//! One verb is one file, and its module doc lists its store calls. Nothing here knows which store
//! runs, what time it is, or how an answer is written down. The verbs are methods of [`Engine`];
//! whoever asks is described by a [`Viewer`], and when and how dearly by a [`Ctx`].

mod assortments;
mod board;
mod ctx;
mod engine;
mod error;
mod hints;
mod partner_signature;
mod rate_limits;
mod sheets;
mod stripes;
mod user_cache;
mod vault;

mod open_session;
mod revoke_sessions;
mod list_missions;
mod show_mission;
mod participate;
mod complete_step;
mod receive_conversion;
mod read_wallet;
mod list_enrollments;
mod inquire;

mod deliver;
mod sweep;
mod absorb_reports;

mod move_state;

mod edit_catalog;
mod refresh_catalog;
mod read_budget;
mod secrets;
mod segments;
mod serving;
mod trail;
mod verify;

pub use absorb_reports::{REPORT_BATCH, ReportRow};
pub use complete_step::CompletionAnswer;
pub use ctx::{Ctx, Spent, TRACE};
pub use deliver::{AttemptOutcome, Finished};
pub use edit_catalog::{Applied, ApplyError};
pub use engine::{Engine, Stores};
pub use error::EngineError;
pub use inquire::Inquiry;
pub use list_enrollments::RunLine;
pub use list_missions::{ListTag, ListView, MissionView, Offered};
pub use move_state::{
    Move, MoveError, MoveProgress, MoveReport, Side, Step, Survey, abort_move, move_state,
    survey_move,
};
pub use open_session::{Opened, SessionRequest, Speaker, Viewer};
pub use participate::{Started, TapAnswer, TapRefused};
pub use partner_signature::SignatureVerdict;
pub use rate_limits::{Asker, Rates};
pub use read_wallet::{Wallet, WalletLine};
pub use receive_conversion::{ConversionAnswer, ConversionError, Postback};
pub use secrets::{ClosedSecret, SecretOwner};
pub use serving::ServingCheck;
pub use sheets::{Cut, Sheet};
pub use trail::{Trail, TrailLine};
pub use user_cache::{Source, USER_AGES, UserCodec};
pub use vault::{ClickId, MasterKey, SealError, Session, Vault};

// What callers need of the ports, so that they never depend on the store crate themselves.
pub use store::{
    Allowance, AttemptNote, Claim, Claimed, DayFigures, Delivery, DeliveryFilter, DeliveryState,
    Endpoint, Rate, Replay, ReportKey, SavedRevision, Seq, Settled, Settlement, StoreError,
};
