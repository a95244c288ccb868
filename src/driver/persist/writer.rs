//! Replaces files with credentials in them.

use std::path::Path;

use super::draft::{Draft, clear, holds_left_overs};
use super::failure::{Report, WriteFailure};
use super::original::Original;
use super::turn::Turn;
use crate::credential::Credential;
use crate::driver::files::{Directory, LARGEST_ENV_FILE};
use crate::persist::{self, PersistRefusal, PersistTarget, dotenv};
use crate::rotation::PersistOutcome;
use crate::secret::Secret;

/// How often a file is read again because somebody else changed it meanwhile.
const ATTEMPTS: usize = 8;

/// Writes the credential. A file that holds it already is left alone.
pub(in crate::driver) fn write(target: &PersistTarget, credential: &Credential) -> Report {
    let (id, secret) = (Secret::new(credential.client_id.as_str()), &credential.client_secret);
    let admitted = target.admit(credential).map_err(WriteFailure::Refused);
    let (path, result) = match target {
        PersistTarget::EnvFile { path, client_id, client_secret, .. } => {
            let id = client_id.as_deref().map(|name| (name, &id));
            let values: Vec<_> = id.into_iter().chain([(client_secret.as_str(), secret)]).collect();
            (path, admitted.and_then(|()| replace(path, |text| dotenv::edit(text, &values))))
        }
        PersistTarget::SecretFile { path, .. } => {
            let edit = |text: &str| persist::secret_file(text, secret);
            (path, admitted.and_then(|()| replace(path, edit)))
        }
        PersistTarget::Js { .. } => {
            let message = Some("is a function, which JavaScript calls".to_owned());
            return Report { outcome: PersistOutcome::Impossible, message };
        }
    };
    match result {
        Ok(()) => Report { outcome: PersistOutcome::Done, message: None },
        Err(failure) => failure.report(path),
    }
}

/// Returns whether a file could be written. It does not change the file, but makes a new one beside
/// it and removes that. A file that is mounted by itself shows only when it is replaced.
pub(in crate::driver) fn is_writable(target: &PersistTarget) -> bool {
    let sample = Secret::new("sample");
    let original = match target {
        PersistTarget::EnvFile { path, client_id, client_secret, .. } => {
            let names = client_id.iter().chain([client_secret]);
            let values: Vec<_> =
                names.zip([&sample, &sample]).map(|(name, it)| (&**name, it)).collect();
            let edit = |text: &str| dotenv::edit(text, &values).map(drop);
            Original::read(path).and_then(|original| original.allows(edit))
        }
        PersistTarget::SecretFile { path, .. } => Original::read(path),
        PersistTarget::Js { .. } => return false,
    };
    let draft = original.and_then(|original| {
        let directory = &original.location.directory;
        // Without a turn, another writer might take the draft for a left-over. If we cannot have
        // one now, we may have one later.
        let _turn = take_turn(directory, original.owner());
        let draft = Draft::write(directory, &sample, original.access())?;
        draft.open_up()
    });
    draft.is_ok()
}

/// Replaces the file by what `edit` makes of its text.
pub(super) fn replace(
    path: &Path,
    edit: impl Fn(&str) -> Result<Option<Secret>, PersistRefusal>,
) -> Result<(), WriteFailure> {
    let mut original = Original::read(path)?;
    for _ in 0..ATTEMPTS {
        let directory = original.location.directory.clone();
        let owner = original.owner();
        if let Some((text, _)) = &original.found
            && edit(text.expose()).map_err(WriteFailure::Refused)?.is_none()
        {
            // A killed writer may have made the rename and nothing after it.
            let _ = directory.sync();
            if holds_left_overs(&directory) {
                let _ = take_turn(&directory, owner);
            }
            return Ok(());
        }
        let _turn = take_turn(&directory, owner)?;
        // Whatever it was before our turn does not count.
        let before_turn = original;
        original = Original::read(path)?;
        if !original.is_at(&before_turn)? || original.owner() != owner {
            continue;
        }
        let text = original.found.as_ref().map_or("", |(text, _)| text.expose());
        let Some(new) = edit(text).map_err(WriteFailure::Refused)? else { continue };
        if new.expose().len() as u64 > LARGEST_ENV_FILE {
            return Err(WriteFailure::Unfit("would become larger than 1 MiB".into()));
        }
        let draft = Draft::write(&directory, &new, original.access())?;
        // Others may be writing: only by its age is a draft known to be nobody's.
        clear(&directory, |other| draft.is_after(other));
        let now = Original::read(path)?;
        if !now.is_at(&original)? || now.found != original.found {
            original = now;
            continue;
        }
        return draft.publish(&original.location.name);
    }
    Err(WriteFailure::Busy("changes too often"))
}

/// Waits until nobody else writes this user's files there, and removes what killed writers have
/// left.
fn take_turn(directory: &Directory, owner: u32) -> Result<Turn, WriteFailure> {
    let turn = Turn::take(directory, owner)?;
    if turn.is_exclusive() {
        clear(directory, |draft| draft.owner() == owner);
    }
    Ok(turn)
}
