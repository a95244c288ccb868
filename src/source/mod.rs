//! Configured credentials and how they change.
