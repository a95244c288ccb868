//! The deletions that a member owes the store: a token that was refused, or that has leaked, must
//! not stay shared because an answer was lost.

use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::store::Operation;
use crate::token::TokenId;

/// Something to be deleted from the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deletion {
    /// This token.
    Token(TokenId),
    /// The token, if it was made with this credential.
    TokensOf(CredentialId),
}

/// Deletions that the store has not acknowledged.
#[derive(Debug, Default)]
pub(super) struct Deletions(Vec<Owed>);

#[derive(Debug)]
struct Owed {
    deletion: Deletion,
    asked: Asked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The store is asked at this time.
    At(Timestamp),
    /// The operation of that number is under way.
    By(u64),
}

impl Deletion {
    /// What the store is asked for.
    pub(super) fn operation(self) -> Operation {
        match self {
            Self::Token(id) => Operation::Invalidate(id),
            Self::TokensOf(credential) => Operation::DropTokens(credential),
        }
    }

    fn concerns(self, token: TokenId, made_with: CredentialId) -> bool {
        match self {
            Self::Token(id) => token == id,
            Self::TokensOf(credential) => made_with == credential,
        }
    }
}

impl Deletions {
    /// The store is to be asked for this now.
    pub(super) fn owe(&mut self, deletion: Deletion, now: Timestamp) {
        if !self.0.iter().any(|owed| owed.deletion == deletion) {
            self.0.push(Owed { deletion, asked: Asked::At(now) });
        }
    }

    /// Whether this token is to be deleted.
    pub(super) fn concern(&self, token: TokenId, made_with: CredentialId) -> bool {
        self.0.iter().any(|owed| owed.deletion.concerns(token, made_with))
    }

    /// When the store is to be asked for one of them.
    pub(super) fn due_at(&self) -> Option<Timestamp> {
        let due = self.0.iter().filter_map(|owed| match owed.asked {
            Asked::At(at) => Some(at),
            Asked::By(_) => None,
        });
        due.min()
    }

    /// What the store is asked for now, by the numbers of the operations.
    pub(super) fn begin_due(
        &mut self,
        now: Timestamp,
        mut number: impl FnMut() -> u64,
    ) -> Vec<(u64, Deletion)> {
        let due = |owed: &&mut Owed| matches!(owed.asked, Asked::At(at) if at <= now);
        let begun = self.0.iter_mut().filter(due).map(|owed| {
            let id = number();
            owed.asked = Asked::By(id);
            (id, owed.deletion)
        });
        begun.collect()
    }

    /// An operation has ended; one that failed is asked for again at that time.
    pub(super) fn end(&mut self, id: u64, again_at: Option<Timestamp>) {
        let Some(index) = self.0.iter().position(|owed| owed.asked == Asked::By(id)) else {
            return;
        };
        match again_at {
            None => drop(self.0.remove(index)),
            Some(at) => self.0[index].asked = Asked::At(at),
        }
    }

    /// Nobody hears of the operations under way any more.
    pub(super) fn lose(&mut self, now: Timestamp) {
        self.0.iter_mut().for_each(|owed| owed.asked = Asked::At(now));
    }
}
