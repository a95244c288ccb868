//! Performs what the core decided.
