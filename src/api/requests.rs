//! What callers of the rotation's methods ask for.

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use crate::member::{Ask, Candidate, Request, Rotate, RotationId, Until};
use crate::policy::patience;
use crate::secret::Secret;

/// A request, and how long its caller waits.
#[derive(Debug)]
pub struct RequestForm {
    /// What is asked for.
    pub ask: Ask,
    /// How long the caller waits; without end if there is none.
    pub patience: Option<Duration>,
}

/// What `rotate()` takes, as the facade hands it over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RotateForm {
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    client_secret: Option<Secret>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    expires_at: Option<i64>,
    #[serde(default)]
    rotation_id: Option<String>,
    deadline_ms: u64,
    #[serde(default)]
    verify: Option<VerifyForm>,
    #[serde(default)]
    supersede: bool,
    #[serde(default)]
    compromised: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifyForm {
    url: Url,
}

impl RequestForm {
    /// Reads the options of `rotate()`; none if they do not have the agreed form.
    pub fn rotate(json: &str) -> Option<Self> {
        let RotateForm {
            client_id,
            client_secret,
            label,
            expires_at,
            rotation_id,
            deadline_ms,
            verify,
            supersede,
            compromised,
        } = serde_json::from_str(json).ok()?;
        let candidate = client_secret.map(|client_secret| Candidate {
            label,
            client_id,
            client_secret,
            expires_at,
        });
        let rotation = rotation_id.as_deref().map(RotationId::new);
        let verify = verify.map(|it| it.url);
        let rotate = Rotate { candidate, rotation, supersede, compromised, verify };
        let ask = Request::Rotate(rotate).into();
        Some(Self { ask, patience: Some(Duration::from_millis(deadline_ms)) })
    }

    /// A preparation, for which a token must live so many milliseconds.
    pub fn prepare(min_runway_ms: f64) -> Self {
        let seconds = min_runway_ms / 1000.0;
        let min_runway = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        Self::patient(Request::Prepare { min_runway })
    }

    /// The end of a preparation.
    pub fn cancel_preparation() -> Self {
        Self::patient(Request::CancelPreparation)
    }

    /// A rollback of this rotation.
    pub fn roll_back(rotation_id: &str) -> Self {
        Self::patient(Request::RollBack(RotationId::new(rotation_id)))
    }

    /// The end of this rotation's overlap.
    pub fn retire_now(rotation_id: &str, force: bool) -> Self {
        Self::patient(Request::Retire { rotation: RotationId::new(rotation_id), force })
    }

    /// A wait until this rotation is `everywhere`, `persisted` or `retired`; none for any other
    /// word.
    pub fn until(rotation_id: &str, what: &str) -> Option<Self> {
        let until = match what {
            "everywhere" => Until::Everywhere,
            "persisted" => Until::Persisted,
            "retired" => Until::Retired,
            _ => return None,
        };
        Some(Self { ask: Ask::Until(RotationId::new(rotation_id), until), patience: None })
    }

    fn patient(request: Request<Candidate>) -> Self {
        Self { ask: request.into(), patience: Some(patience::REQUEST) }
    }
}
