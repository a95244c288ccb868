//! Instants as people in a time zone write them.
