//! Does the time of a verification tell where a wrong signature is wrong? By the method of dudect
//! (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?", 2017): two classes of
//! headers in random order, and Welch's t-test of their times, with and without the slowest ones.
//! `npm run test:timing` runs it.

use std::hint::black_box;
use std::time::Instant;

use fastrand::Rng;

use super::encoding::TagBytes;
use super::template::SignedParts;
use super::*;

/// As in dudect: below it nothing is known to leak, above it something does.
const THRESHOLD: f64 = 10.0;
const ROUNDS: u32 = 60;
const HEADERS_A_ROUND: usize = 20_000;
/// So many parts of the slowest times are left out in turn: what made them slow was something else.
const CROPS: u32 = 10;
/// A test of fewer times in a class says nothing.
const LEAST: f64 = 10_000.0;

/// Two classes of times, as they come in.
#[derive(Clone, Default)]
struct Welch {
    classes: [Moments; 2],
}

#[derive(Clone, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn push(&mut self, value: f64) {
        self.count += 1.0;
        let difference = value - self.mean;
        self.mean += difference / self.count;
        self.squares += difference * (value - self.mean);
    }

    fn error(&self) -> f64 {
        self.squares / (self.count - 1.0) / self.count
    }
}

impl Welch {
    fn t(&self) -> Option<f64> {
        let [one, other] = &self.classes;
        if one.count < LEAST || other.count < LEAST {
            return None;
        }
        Some((one.mean - other.mean) / (one.error() + other.error()).sqrt())
    }
}

/// The tag of a class, which the right one is given for.
type Forge = fn(&mut Rng, usize, TagBytes) -> TagBytes;

fn wrong_at_either_end(_: &mut Rng, class: usize, mut right: TagBytes) -> TagBytes {
    right[if class == 0 { 0 } else { 31 }] ^= 0x40;
    right
}

fn fixed_or_random(random: &mut Rng, class: usize, right: TagBytes) -> TagBytes {
    if class == 1 {
        return right.map(|_| random.u8(..));
    }
    let mut fixed = right;
    fixed[31] ^= 1;
    fixed
}

struct Subject {
    scheme: Scheme,
    ring: LiveKeys,
    body: [u8; 200],
    right: TagBytes,
}

impl Subject {
    fn new(name: SchemeName) -> Self {
        let (scheme, body) = (scheme(name), [b'a'; 200]);
        let ring = keys(&scheme, &[KEY]);
        let right = Self::tag(&scheme, &ring, &body);
        Self { scheme, ring, body, right }
    }

    fn tag(scheme: &Scheme, ring: &LiveKeys, body: &[u8]) -> TagBytes {
        let parts = SignedParts { id: b"", timestamp: b"", body };
        let key = ring.verifying(NOW).next().unwrap();
        key.key.tag(scheme.signed.fill(&parts))
    }

    fn accepts(&self, header: &[u8]) -> bool {
        let message = Incoming { signature: header, id: None, timestamp: None, body: &self.body };
        verified(&self.scheme, &self.ring, &message).is_ok()
    }

    /// The same with the comparison that must not be: it ends at the first wrong byte.
    fn accepts_carelessly(&self, header: &[u8]) -> bool {
        let text = header.strip_prefix(self.scheme.layout.prefix.as_bytes()).unwrap();
        let tag = self.scheme.layout.encoding.read(text).unwrap();
        let right = Self::tag(&self.scheme, &self.ring, &self.body);
        tag.iter().zip(&right).all(|(one, other)| black_box(one) == black_box(other))
    }

    /// Returns the largest t of all tests, whatever its sign, and the mean time in nanoseconds.
    fn measure(&self, forge: Forge, accepts: fn(&Self, &[u8]) -> bool) -> (f64, f64) {
        let mut random = Rng::with_seed(7);
        let mut tests: Vec<(u32, Welch)> = Vec::new();
        for round in 0..=ROUNDS {
            let classes: Vec<usize> = (0..HEADERS_A_ROUND).map(|_| random.usize(..2)).collect();
            let mut headers = Vec::new();
            for class in &classes {
                headers.extend_from_slice(self.scheme.layout.prefix.as_bytes());
                let tag = forge(&mut random, *class, self.right);
                self.scheme.layout.encoding.write(&tag, &mut headers);
            }
            let length = headers.len() / HEADERS_A_ROUND;
            let times: Vec<u32> =
                headers.chunks_exact(length).map(|it| self.time(it, accepts)).collect();
            if round == 0 {
                // The first round only shows what is slow.
                tests = crops(times).into_iter().map(|crop| (crop, Welch::default())).collect();
                continue;
            }
            for (class, time) in classes.into_iter().zip(times) {
                for (_, test) in tests.iter_mut().filter(|(crop, _)| time <= *crop) {
                    test.classes[class].push(f64::from(time));
                }
            }
        }
        let largest = tests
            .iter()
            .filter_map(|(_, test)| test.t())
            .fold(0.0, |largest: f64, t| largest.max(t.abs()));
        (largest, tests[0].1.classes[0].mean)
    }

    #[expect(clippy::disallowed_methods, reason = "the time that it takes is what is measured")]
    fn time(&self, header: &[u8], accepts: fn(&Self, &[u8]) -> bool) -> u32 {
        let begin = Instant::now();
        let accepted = accepts(black_box(self), black_box(header));
        let took = begin.elapsed();
        assert!(!black_box(accepted));
        u32::try_from(took.as_nanos()).unwrap_or(u32::MAX)
    }
}

/// The longest times that still count: all, then without the slowest half, quarter, and so on.
fn crops(mut times: Vec<u32>) -> Vec<u32> {
    times.sort_unstable();
    let last = times.len() - 1;
    let kept = (1..=CROPS).map(|halvings| times[last - (times.len() >> halvings)]);
    [u32::MAX].into_iter().chain(kept).collect()
}

#[test]
#[ignore = "takes an optimized build and half a minute: npm run test:timing"]
#[expect(clippy::print_stderr, reason = "figures for people")]
fn the_time_of_a_verification_does_not_tell_where_a_signature_is_wrong() {
    for (name, encoding) in [(SchemeName::PagerDuty, "hex"), (SchemeName::Genesys, "base64")] {
        let subject = Subject::new(name);
        let (careless, _) = subject.measure(wrong_at_either_end, Subject::accepts_carelessly);
        eprintln!("{encoding}, a comparison that ends at the first wrong byte: t = {careless:.1}");
        assert!(careless > THRESHOLD, "the method does not notice a comparison that leaks");
        let cases: [(&str, Forge); 2] = [
            ("wrong first byte against wrong last byte", wrong_at_either_end),
            ("fixed signature against random ones", fixed_or_random),
        ];
        for (what, forge) in cases {
            let (t, mean) = subject.measure(forge, Subject::accepts);
            eprintln!("{encoding}, {what}: t = {t:.1} ({mean:.0} ns each)");
            assert!(t < THRESHOLD, "{encoding}, {what}: {t}");
        }
    }
}
