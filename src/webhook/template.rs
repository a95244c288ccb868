//! What a scheme signs: the body, and what is put around it.

/// The pieces that are signed, in their order.
///
/// Two different messages never have the same signed bytes: a text stands between any two
/// placeholders, an id has none of the characters that end it, and a timestamp has only digits.
/// Otherwise a part of one could pass as a part of the other.
#[derive(Debug, Clone)]
pub(super) struct SignedTemplate {
    pieces: Vec<TemplatePiece>,
    /// What no id may have: the bytes beside it.
    stops: Vec<u8>,
    pub(super) has_id: bool,
    pub(super) has_timestamp: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TemplatePiece {
    Text(Box<[u8]>),
    Id,
    Timestamp,
    Body,
}

/// What takes the places of the placeholders.
pub(super) struct SignedParts<'a> {
    pub(super) id: &'a [u8],
    pub(super) timestamp: &'a [u8],
    pub(super) body: &'a [u8],
}

impl SignedTemplate {
    /// Reads a template, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, length) = TemplatePiece::first_of(rest)
                .ok_or("must have braces only in the placeholders {body}, {id} and {timestamp}.")?;
            pieces.push(piece);
            rest = &rest[length..];
        }
        let count = |wanted| pieces.iter().filter(|piece| **piece == wanted).count();
        if count(TemplatePiece::Body) != 1 {
            return Err("must have {body} exactly once.");
        }
        if count(TemplatePiece::Id) > 1 || count(TemplatePiece::Timestamp) > 1 {
            return Err("must have {id} and {timestamp} at most once.");
        }
        let mut stops = Vec::new();
        for pair in pieces.windows(2) {
            match pair {
                [TemplatePiece::Id, TemplatePiece::Text(text)] => stops.extend(text.first()),
                [TemplatePiece::Text(text), TemplatePiece::Id] => stops.extend(text.last()),
                [TemplatePiece::Timestamp, TemplatePiece::Text(text)]
                    if text.first().is_some_and(u8::is_ascii_digit) =>
                {
                    return Err("must not have a digit beside {timestamp}.");
                }
                [TemplatePiece::Text(text), TemplatePiece::Timestamp]
                    if text.last().is_some_and(u8::is_ascii_digit) =>
                {
                    return Err("must not have a digit beside {timestamp}.");
                }
                [TemplatePiece::Text(_), _] | [_, TemplatePiece::Text(_)] => {}
                _ => return Err("must have a text between two placeholders."),
            }
        }
        let has_id = pieces.contains(&TemplatePiece::Id);
        let has_timestamp = pieces.contains(&TemplatePiece::Timestamp);
        Ok(Self { pieces, stops, has_id, has_timestamp })
    }

    /// Whether nobody could read another id in the signed bytes.
    pub(super) fn admits_id(&self, id: &[u8]) -> bool {
        !id.iter().any(|byte| self.stops.contains(byte))
    }

    /// The signed bytes, piece by piece.
    pub(super) fn fill<'a>(
        &'a self,
        parts: &'a SignedParts<'a>,
    ) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.pieces.iter().map(|piece| match piece {
            TemplatePiece::Text(text) => text,
            TemplatePiece::Id => parts.id,
            TemplatePiece::Timestamp => parts.timestamp,
            TemplatePiece::Body => parts.body,
        })
    }
}

impl TemplatePiece {
    /// The first piece of a text that is not empty, and how long it is there.
    fn first_of(text: &str) -> Option<(Self, usize)> {
        let placeholders =
            [("{id}", Self::Id), ("{timestamp}", Self::Timestamp), ("{body}", Self::Body)];
        let found = placeholders.into_iter().find(|(name, _)| text.starts_with(name));
        if let Some((name, piece)) = found {
            return Some((piece, name.len()));
        }
        let length = text.find(['{', '}']).unwrap_or(text.len());
        (length > 0).then(|| (Self::Text(text.as_bytes()[..length].into()), length))
    }
}
