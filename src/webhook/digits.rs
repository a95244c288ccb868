//! Timestamps as texts: seconds since 1970 in plain digits.

/// As many digits as a timestamp may have. With more, it would be tens of thousands of years
/// ahead.
const MOST_DIGITS: usize = 12;

/// A number in decimal digits, without an allocation.
pub(super) struct Digits {
    buffer: [u8; 20],
    begin: usize,
}

impl Digits {
    /// What is below zero counts as zero.
    pub(super) fn of(number: i64) -> Self {
        let mut number = u64::try_from(number).unwrap_or_default();
        let mut digits = Self { buffer: [b'0'; 20], begin: 20 };
        loop {
            digits.begin -= 1;
            digits.buffer[digits.begin] += u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
            if number == 0 {
                return digits;
            }
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.buffer[self.begin..]
    }
}

/// The number that a sender wrote: digits alone, no sign, no blank, no exponent.
pub(super) fn number_of(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > MOST_DIGITS || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}
