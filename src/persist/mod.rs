//! Says where a promoted credential is persisted to, computes the new text of a file, and reads
//! dotenv files.
//!
//! Nothing here opens a file. `driver::persist` does that.

mod dialect;
pub mod dotenv;
mod refusal;
mod secret_file;
mod shell;
mod target;

#[cfg(test)]
mod tests;

pub use refusal::PersistRefusal;
pub use secret_file::secret_file;
pub use target::PersistTarget;
