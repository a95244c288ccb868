//! Messages that were changed at random, and headers of random bytes. A seed that a failure names
//! is the whole case.

use fastrand::Rng;

use super::*;

const MUTATIONS: u64 = 100_000;

/// What came, byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parcel {
    signature: Vec<u8>,
    id: Vec<u8>,
    timestamp: Vec<u8>,
    body: Vec<u8>,
}

impl Parcel {
    fn verified(&self, scheme: &Scheme, keys: &LiveKeys) -> Result<u32, SignatureFlaw> {
        let message = Incoming {
            signature: &self.signature,
            id: Some(&self.id),
            timestamp: Some(&self.timestamp),
            body: &self.body,
        };
        // Time protects nothing here, the signature alone does.
        scheme.verify(keys, i64::MAX, NOW, &message)
    }

    /// Changes one part that the scheme signs or reads; returns whether it means something else.
    fn mutate(&mut self, scheme: &Scheme, random: &mut Rng) -> bool {
        let before = self.clone();
        match random.u8(..4) {
            0 => mutate(&mut self.body, random),
            1 if scheme.signs_id() => mutate(&mut self.id, random),
            2 if scheme.timestamp_header().is_some() => mutate(&mut self.timestamp, random),
            _ => mutate(&mut self.signature, random),
        }
        // Hex means the same in either case, and a list the same with blanks around it.
        let meaning = |parcel: &Self| parcel.signature.trim_ascii().to_ascii_lowercase();
        let same_header = if scheme.layout.encoding == TagEncoding::Hex {
            meaning(self) == meaning(&before)
        } else {
            self.signature.trim_ascii() == before.signature
        };
        !same_header || self.beside_the_signature() != before.beside_the_signature()
    }

    fn beside_the_signature(&self) -> (&Vec<u8>, &Vec<u8>, &Vec<u8>) {
        (&self.id, &self.timestamp, &self.body)
    }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Rng) {
    let (at, other) = (random.usize(..bytes.len()), random.usize(..bytes.len()));
    match random.u8(..6) {
        0 => bytes[at] ^= 1 << random.u8(..8),
        1 => bytes[at] = random.u8(..),
        2 => bytes.swap(at, other),
        3 => {
            bytes.remove(at);
        }
        // A letter or digit: a comma more makes no other list.
        4 => bytes.insert(at, u8::try_from(random.alphanumeric()).unwrap()),
        _ => bytes.truncate(at),
    }
}

#[test]
fn no_mutation_of_a_message_is_accepted() {
    let cases = SCHEMES.map(|name| {
        let scheme = scheme(name);
        let ring = keys(&scheme, &[KEY]);
        let parcel = Parcel {
            signature: signed(&scheme, &ring, &MESSAGE).into_bytes(),
            id: ID.as_bytes().to_vec(),
            timestamp: TIMESTAMP.to_vec(),
            body: BODY.to_vec(),
        };
        assert_eq!(parcel.verified(&scheme, &ring), Ok(0));
        (scheme, ring, parcel)
    });
    for seed in 0..MUTATIONS {
        let mut random = Rng::with_seed(seed);
        let (scheme, ring, parcel) = &cases[random.usize(..cases.len())];
        let mut changed = parcel.clone();
        while !changed.mutate(scheme, &mut random) {
            changed.clone_from(parcel);
        }
        let result = changed.verified(scheme, ring);
        assert!(result.is_err(), "seed {seed}: {changed:?} was {parcel:?}");
    }
}

#[test]
fn a_header_of_random_pieces_never_matches_and_never_panics() {
    let pieces = [
        "v1=",
        "v1,",
        "v0=",
        "sha256=",
        "t=",
        "1700000000",
        ",",
        ", ",
        " ",
        "\t",
        "=",
        "\0",
        "\u{ff}",
        "0123456789abcdef",
        "ABCDEF",
        "AAAA",
        "9",
        "-",
        "+/",
        "v1",
    ];
    for name in SCHEMES {
        let scheme = scheme(name);
        let ring = keys(&scheme, &[KEY, OTHER_KEY]);
        for seed in 0..2000 {
            let mut random = Rng::with_seed(seed);
            let count = random.usize(..60);
            let header: String = (0..count).map(|_| *random.choice(&pieces).unwrap()).collect();
            let result = verified(&scheme, &ring, &received(&header));
            assert!(result.is_err(), "seed {seed}: {header:?}");
        }
    }
}
