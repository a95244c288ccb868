//! Genesys Cloud's regions.
