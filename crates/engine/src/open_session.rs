//! `open_session`: a publisher's server says who the user is and opens his page.
//!
//! | step | store calls |
//! |---|---|
//! | load the user | 1 |
//! | commit the profile, only if it differs | 0 or 1 |

use domain::change::{Change, Loaded};
use domain::ids::{AppId, Mode, UnitId, UserKey};
use domain::targeting::Profile;
use domain::time::Timestamp;
use domain::user::UserState;
use store::Outcome;

use crate::engine::COMMIT_ATTEMPTS_MAX;
use crate::{Ctx, Engine, EngineError, Session};

/// How long a session lasts, in seconds: long enough for a game, short enough for a lost link.
pub(crate) const SESSION_SECONDS: i64 = 4 * 3_600;
/// Longest user id, in bytes.
pub(crate) const USER_ID_MAX: usize = 255;

/// Whose page it is. Made from a session token, or from an app key with a user id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Viewer {
    /// The user.
    pub user: UserKey,
    /// His app.
    pub app: AppId,
    /// The placement.
    pub unit: UnitId,
    /// Whether the money is real.
    pub mode: Mode,
    /// Who speaks for him.
    pub speaker: Speaker,
}

/// Who speaks for a user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speaker {
    /// His publisher's server or an operator, by a key.
    Key,
    /// His page, by a session that was opened when his sessions counted from this moment.
    Session(Option<Timestamp>),
}

impl Viewer {
    /// The viewer that a session speaks for.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        let Session { user, app, unit, mode, since, expires_at: _ } = *session;
        Self { user, app, unit, mode, speaker: Speaker::Session(since) }
    }

    /// Refuses a session that was ended. Whoever acts for a viewer asks this of the user he has loaded.
    pub(crate) fn check_session(&self, user: &UserState) -> Result<(), EngineError> {
        match self.speaker {
            Speaker::Session(since) if !user.has_session(since) => Err(EngineError::SessionEnded),
            Speaker::Session(_) | Speaker::Key => Ok(()),
        }
    }
}

/// What a publisher's server sends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRequest {
    /// The placement.
    pub unit: UnitId,
    /// The publisher's own id of the user.
    pub user_id: String,
    /// What the publisher knows of him.
    pub profile: Profile,
}

/// An open session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opened {
    /// The token for the page.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Engine {
    /// Opens a session for a user of `app`, and remembers his profile.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a unit of another app or an unusable user id.
    pub async fn open_session(
        &self,
        ctx: &Ctx,
        (app, mode): (AppId, Mode),
        request: SessionRequest,
    ) -> Result<Opened, EngineError> {
        let viewer = self.viewer(app, mode, request.unit, &request.user_id)?;
        let _turn = self.stripes.turn(&viewer.user).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let loaded = self.load(ctx, viewer.user).await?;
            let Some(change) = with_profile(&loaded, app, mode, &request) else {
                return Ok(self.opened(ctx, &viewer, &loaded));
            };
            match self.commit(ctx, change).await? {
                Outcome::Applied(_) | Outcome::Replayed => {
                    return Ok(self.opened(ctx, &viewer, &loaded));
                }
                Outcome::Stale | Outcome::OverBudget { .. } => {}
            }
        }
        Err(EngineError::Contended)
    }

    /// The viewer for a user whom an app key names.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a unit of another app or an unusable user id.
    pub fn viewer(
        &self,
        app: AppId,
        mode: Mode,
        unit: UnitId,
        user_id: &str,
    ) -> Result<Viewer, EngineError> {
        let snapshot = self.snapshot();
        let owner = snapshot.catalog().units.get(&unit).map(|unit| unit.app_id);
        if owner != Some(app) {
            return Err(EngineError::Invalid {
                code: "unknown_unit",
                sentence: format!("unit_id {unit} is not a unit of this key's app"),
            });
        }
        check_user_id(user_id)?;
        let user = UserKey::derive(app, mode, user_id);
        Ok(Viewer { user, app, unit, mode, speaker: Speaker::Key })
    }

    /// Who a session token speaks for, if it is ours and has not expired. Whether it was ended before
    /// is seen where the user is loaded.
    #[must_use]
    pub fn session(&self, ctx: &Ctx, token: &str) -> Option<Session> {
        let session = self.vault.open_session(token).ok()?;
        (session.expires_at > ctx.now).then_some(session)
    }

    /// The app that an app key speaks for.
    #[must_use]
    pub fn app_of_key(&self, key: &str) -> Option<(AppId, Mode)> {
        let snapshot = self.snapshot();
        let (app, mode) = snapshot.app_by_key(&domain::ids::bearer_digest(key))?;
        Some((app.id, mode))
    }

    fn opened(&self, ctx: &Ctx, viewer: &Viewer, loaded: &Loaded) -> Opened {
        let expires_at = ctx.now.plus_seconds(SESSION_SECONDS);
        let Viewer { user, app, unit, mode, .. } = *viewer;
        let since = loaded.state.sessions_since;
        let session = Session { user, app, unit, mode, expires_at, since };
        Opened { token: self.vault.seal_session(&session), expires_at }
    }
}

pub(crate) fn check_user_id(user_id: &str) -> Result<(), EngineError> {
    let is_fit = !user_id.is_empty()
        && user_id.len() <= USER_ID_MAX
        && !user_id.chars().any(char::is_control);
    if is_fit {
        return Ok(());
    }
    Err(EngineError::Invalid {
        code: "bad_user_id",
        sentence: format!("user_id must have 1 to {USER_ID_MAX} bytes and no control characters"),
    })
}

fn with_profile(
    loaded: &Loaded,
    app: AppId,
    mode: Mode,
    request: &SessionRequest,
) -> Option<Change> {
    let is_known = loaded.version > 0 && loaded.state.profile == request.profile;
    if is_known {
        return None;
    }
    let state = UserState {
        app,
        mode,
        user_id: request.user_id.clone(),
        profile: request.profile.clone(),
        ..loaded.state.clone()
    };
    Some(Change::new(loaded, state, None))
}
