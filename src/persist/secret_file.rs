//! Changes a file that holds only a secret.

use super::refusal::{PersistRefusal, check_characters};
use crate::secret::Secret;

/// The new text of a file that holds only a secret; `None` if it holds this secret already.
///
/// A line break at the end is not part of the secret, and stays.
///
/// # Errors
/// If the secret contains control characters.
pub fn secret_file(text: &str, secret: &Secret) -> Result<Option<Secret>, PersistRefusal> {
    check_characters("the secret", secret)?;
    let line_break = ["\r\n", "\n"].into_iter().find(|line_break| text.ends_with(line_break));
    let new = Secret::new([secret.expose(), line_break.unwrap_or("")].concat());
    Ok((new.expose() != text).then_some(new))
}
