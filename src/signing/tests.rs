//! Keys over time, without sources or threads.

use std::sync::Arc;

use super::*;
use crate::credential::{Credential, CredentialId};
use crate::rotation::Role;
use crate::secret::Secret;
use crate::source::{EntryPlace, Yielded};
use crate::webhook::{KeyWindow, Outgoing, Scheme, SignWith};

fn scheme(name: &str) -> Scheme {
    let spec = serde_json::from_value(serde_json::Value::String(name.to_owned())).unwrap();
    Scheme::new(spec).unwrap()
}

fn credential(secret: &str) -> Arc<Credential> {
    Arc::new(Credential::new(None, "app".to_owned(), Secret::new(secret)))
}

/// The names of the keys that sign, newest first, as a signature shows them.
fn names(keys: &[NamedKey], now: i64) -> Vec<&str> {
    let signing = keys.iter().filter(|key| key.may_sign && key.window.signs(now));
    signing.map(|key| key.name.as_str()).collect()
}

fn verifying(keys: &[NamedKey], now: i64) -> Vec<&str> {
    keys.iter().filter(|key| key.window.verifies(now)).map(|key| key.name.as_str()).collect()
}

/// Nothing is compromised.
fn fine(_: CredentialId) -> bool {
    false
}

mod lent {
    use super::*;

    const GRACE: i64 = 1000;

    #[test]
    fn active_and_previous_sign_and_the_candidate_verifies() {
        let (scheme, mut keys) = (scheme("pagerduty"), LentKeys::new(0));
        let [old, new, next] = ["old", "new", "next"].map(credential);
        let roles = vec![(Role::Active, new), (Role::Previous, old), (Role::Next, next)];
        assert!(keys.take(&scheme, roles.clone(), fine, 0));
        assert_eq!(names(&keys.named(), 0), ["active", "previous"]);
        assert_eq!(verifying(&keys.named(), 0), ["active", "previous", "next"]);
        assert!(!keys.take(&scheme, roles, fine, 1), "nothing differs");
    }

    #[test]
    fn a_candidate_that_is_promoted_is_the_same_key() {
        let (scheme, mut keys) = (scheme("pagerduty"), LentKeys::new(0));
        let [old, new] = ["old", "new"].map(credential);
        let staged = vec![(Role::Active, Arc::clone(&old)), (Role::Next, Arc::clone(&new))];
        keys.take(&scheme, staged, fine, 0);
        let before = keys.named()[1].serial;
        keys.take(&scheme, vec![(Role::Active, new), (Role::Previous, old)], fine, 0);
        assert_eq!(keys.named()[0].serial, before);
    }

    #[test]
    fn what_is_retired_verifies_for_the_grace_and_no_longer() {
        let (scheme, mut keys) = (scheme("pagerduty"), LentKeys::new(GRACE));
        let [old, new] = ["old", "new"].map(credential);
        old.id();
        let overlap = vec![(Role::Active, Arc::clone(&new)), (Role::Previous, old)];
        keys.take(&scheme, overlap, fine, 0);
        let alone = vec![(Role::Active, new)];
        assert!(keys.take(&scheme, alone.clone(), fine, 10));
        assert_eq!(names(&keys.named(), 10), ["active"]);
        assert_eq!(verifying(&keys.named(), 10 + GRACE - 1), ["active", "retired"]);
        assert_eq!(verifying(&keys.named(), 10 + GRACE), ["active"]);
        assert_eq!(keys.next_end(), Some(10 + GRACE));
        assert!(keys.take(&scheme, alone, fine, 10 + GRACE));
        assert_eq!((keys.named().len(), keys.next_end()), (1, None));
    }

    #[test]
    fn what_has_leaked_has_no_grace_and_loses_what_it_had() {
        let (scheme, mut keys) = (scheme("pagerduty"), LentKeys::new(GRACE));
        let [old, new] = ["old", "new"].map(credential);
        let leaked = old.id();
        keys.take(&scheme, vec![(Role::Active, Arc::clone(&old))], fine, 0);
        let alone = vec![(Role::Active, new)];
        keys.take(&scheme, alone.clone(), |id| id == leaked, 1);
        assert_eq!(verifying(&keys.named(), 1), ["active"]);

        let mut keys = LentKeys::new(GRACE);
        keys.take(&scheme, vec![(Role::Active, old)], fine, 0);
        keys.take(&scheme, alone.clone(), fine, 1);
        assert_eq!(verifying(&keys.named(), 1), ["active", "retired"]);
        assert!(keys.take(&scheme, alone, |id| id == leaked, 2), "it is told later");
        assert_eq!(verifying(&keys.named(), 2), ["active"]);
    }

    #[test]
    fn a_candidate_that_is_given_up_has_no_grace() {
        let (scheme, mut keys) = (scheme("pagerduty"), LentKeys::new(GRACE));
        let [old, new] = ["old", "new"].map(credential);
        new.id();
        keys.take(&scheme, vec![(Role::Active, Arc::clone(&old)), (Role::Next, new)], fine, 0);
        keys.take(&scheme, vec![(Role::Active, old)], fine, 1);
        assert_eq!(verifying(&keys.named(), 1), ["active"]);
    }

    #[test]
    fn a_retired_credential_that_comes_back_is_not_retired() {
        let (scheme, mut keys) = (scheme("pagerduty"), LentKeys::new(GRACE));
        let [old, new] = ["old", "new"].map(credential);
        old.id();
        keys.take(&scheme, vec![(Role::Active, Arc::clone(&old))], fine, 0);
        keys.take(&scheme, vec![(Role::Active, Arc::clone(&new))], fine, 1);
        keys.take(&scheme, vec![(Role::Active, old), (Role::Previous, new)], fine, 2);
        assert_eq!(verifying(&keys.named(), 2), ["active", "previous"]);
        assert_eq!(keys.next_end(), None);
    }

    #[test]
    fn a_secret_that_cannot_be_a_key_is_told_without_it() {
        let (scheme, mut keys) = (scheme("standard-webhooks"), LentKeys::new(0));
        keys.take(&scheme, vec![(Role::Active, credential("hunter2"))], fine, 7);
        assert_eq!(keys.named().len(), 0);
        let [problem] = &keys.problems()[..] else { panic!("one") };
        assert_eq!((problem.name.as_str(), problem.since), ("active", 7));
        assert!(!problem.message.contains("hunter2"), "{}", problem.message);
    }
}

mod configured {
    use super::*;

    fn spec(name: &str) -> KeySpec {
        KeySpec { name: name.to_owned(), signs_from: None, signs_until: None, verifies_until: None }
    }

    fn yields(index: usize, secret: &str) -> Yielded {
        Yielded {
            is_emptied: false,
            place: EntryPlace { owner: 1, index },
            credentials: vec![credential(secret)],
            persist: None,
            has_variables: false,
        }
    }

    #[test]
    fn keys_stay_in_their_order_and_unchanged_ones_stay_the_same() {
        let (scheme, mut keys) =
            (scheme("github"), ConfiguredKeys::new(vec![spec("a"), spec("b")]));
        keys.take(&scheme, &[yields(1, "second")], 0);
        assert_eq!(names(&keys.named(), 0), ["b"]);
        keys.take(&scheme, &[yields(0, "first"), yields(1, "second")], 1);
        assert_eq!(names(&keys.named(), 1), ["a", "b"]);
        let before: Vec<u64> = keys.named().iter().map(|key| key.serial).collect();
        keys.take(&scheme, &[yields(0, "first"), yields(1, "third")], 2);
        let after: Vec<u64> = keys.named().iter().map(|key| key.serial).collect();
        assert_eq!(before[0], after[0]);
        assert_ne!(before[1], after[1]);
    }

    #[test]
    fn a_value_that_cannot_be_a_key_leaves_the_one_before_in_use_until_the_next_good_one() {
        let scheme = scheme("standard-webhooks");
        let mut keys = ConfiguredKeys::new(vec![spec("a")]);
        let good = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        keys.take(&scheme, &[yields(0, good)], 0);
        let serial = keys.named()[0].serial;
        for (bad, at) in [("hunter2", 1), ("hunter3!", 2)] {
            keys.take(&scheme, &[yields(0, bad)], at);
            assert_eq!(keys.named()[0].serial, serial, "{bad}");
            let [problem] = &keys.problems(&[], |_| 0)[..] else { panic!("one") };
            assert_eq!(problem.since, at);
            assert!(!problem.message.contains("hunter"), "{}", problem.message);
        }
        assert_eq!(keys.flaw().map(|(index, _)| index), Some(0));
        keys.take(&scheme, &[yields(0, &good.replace('A', "B"))], 3);
        assert_ne!(keys.named()[0].serial, serial);
        assert_eq!(keys.problems(&[], |_| 0), []);
    }
}

mod board {
    use super::*;

    fn key(serial: u64, name: &str) -> NamedKey {
        let key = scheme("github").key(&Secret::new(name)).unwrap();
        NamedKey {
            serial,
            name: name.to_owned(),
            key,
            window: KeyWindow::default(),
            may_sign: true,
        }
    }

    #[test]
    fn the_first_keys_are_no_news_and_later_ones_are() {
        let mut board = Board::default();
        assert_eq!(board.show(vec![key(1, "a")], Vec::new(), 0), []);
        let told = board.show(vec![key(2, "b"), key(1, "a")], Vec::new(), 0);
        assert_eq!(told, [KeyNotice::Added("b".into())]);
        let told = board.show(vec![key(2, "b")], Vec::new(), 0);
        assert_eq!(told, [KeyNotice::Retired("a".into())]);
        assert_eq!(board.show(vec![key(2, "c")], Vec::new(), 0), [], "another role, the same key");
    }

    #[test]
    fn a_key_is_retired_when_its_time_has_come() {
        let mut board = Board::default();
        let window = KeyWindow { verifies_until: Some(10), ..KeyWindow::default() };
        let keys = || vec![key(2, "b"), NamedKey { window, ..key(1, "a") }];
        assert_eq!(board.show(keys(), Vec::new(), 0), []);
        assert_eq!(board.show(keys(), Vec::new(), 9), []);
        assert_eq!(board.show(keys(), Vec::new(), 10), [KeyNotice::Retired("a".into())]);
        assert_eq!(board.show(keys(), Vec::new(), 11), [], "once");
        assert_eq!(board.keys().len(), 2, "it is still shown to people");
    }

    #[test]
    fn a_problem_is_told_once() {
        let mut board = Board::default();
        let problem =
            |message: &str| KeyProblem { name: "a".into(), message: message.into(), since: 0 };
        assert_eq!(board.show(Vec::new(), vec![problem("gone")], 0).len(), 1);
        assert_eq!(board.show(Vec::new(), vec![problem("gone")], 0).len(), 0);
        assert_eq!(board.show(Vec::new(), vec![problem("empty")], 0).len(), 1);
        assert_eq!(board.show(Vec::new(), Vec::new(), 0).len(), 0);
        assert_eq!(board.show(Vec::new(), vec![problem("empty")], 0).len(), 1);
    }

    #[test]
    fn names_keep_their_numbers() {
        let (scheme, mut board) = (scheme("github"), Board::default());
        board.show(vec![key(1, "a"), key(2, "b")], Vec::new(), 0);
        board.show(vec![key(3, "c"), key(2, "b")], Vec::new(), 0);
        assert_eq!(board.name(0), Some("a"), "a call may still ask for it");
        assert_eq!(board.name(3), None);
        let mut value = Vec::new();
        let message = Outgoing { id: None, timestamp: 0, body: b"body" };
        scheme.sign(board.ring(), SignWith::Current, 0, &message, &mut value).unwrap();
        let verifying: Vec<u32> = board.ring().verifying(0).map(|key| key.number).collect();
        assert_eq!(verifying, [2, 1]);
    }
}
