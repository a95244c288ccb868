//! Credentials as JavaScript sees them.

use serde::Serialize;

use crate::credential::Credential;
use crate::member::Name;
use crate::secret::{Secret, serialize_exposed};
use crate::token::Maker;

/// A credential as it may be named in public.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialName {
    /// Absent until it is derived.
    pub credential_id: Option<String>,
    /// The human's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The OAuth client id.
    pub client_id: String,
}

impl CredentialName {
    /// Names a credential; without its id if that is not derived yet.
    pub fn of(credential: &Credential) -> Self {
        Self {
            credential_id: credential.has_id().then(|| credential.id().to_string()),
            label: credential.label.clone(),
            client_id: credential.client_id.clone(),
        }
    }
}

impl CredentialName {
    /// Names what a token was made with.
    pub fn of_maker(maker: &Maker) -> Self {
        match maker {
            Maker::Here(credential) => Self::of(credential),
            Maker::Elsewhere(id) => {
                Self { credential_id: Some(id.to_string()), label: None, client_id: String::new() }
            }
        }
    }
}

impl From<&Name> for CredentialName {
    fn from(name: &Name) -> Self {
        let Name { id, label, client_id } = name.clone();
        Self { credential_id: Some(id.to_string()), label, client_id }
    }
}

/// A credential on its way to a JavaScript function that keeps it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialMessage {
    #[serde(flatten)]
    name: CredentialName,
    #[serde(serialize_with = "serialize_exposed")]
    client_secret: Secret,
}

impl CredentialMessage {
    /// A credential with its secret.
    pub fn of(credential: &Credential) -> Self {
        let client_secret = credential.client_secret.clone();
        Self { name: CredentialName::of(credential), client_secret }
    }
}
