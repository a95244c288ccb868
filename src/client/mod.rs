//! One request to the token endpoint, and what its answer means.
