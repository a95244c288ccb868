//! What is written, and what is not.
