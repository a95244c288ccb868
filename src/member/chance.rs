//! Chance as a parameter.

/// Chance, which a member takes from its driver: a function of nothing but the seed in tests.
pub trait Chance {
    /// 64 random bits.
    fn bits(&mut self) -> u64;

    /// Uniform in `0.0..1.0`.
    fn ratio(&mut self) -> f64 {
        // 32 bits are fine enough for jitter, and a double holds them exactly.
        let upper = u32::try_from(self.bits() >> 32).unwrap_or(u32::MAX);
        f64::from(upper) / (f64::from(u32::MAX) + 1.0)
    }
}
