//! Some members of one fleet, each in a process of its own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::credential::Credential;
use crate::member::tests::peripherals::Hands;
use crate::member::tests::world::*;
use crate::member::{Member, MemberEvent};
use crate::policy::Policy;
use crate::policy::tests::DEFAULT;
use crate::refresh::{TokenRefusal, WaiterId};
use crate::rotation::{MemberId, Role};
use crate::source::EntrySpec;
use crate::store::{MemoryHints, MemoryStore};
use crate::token::Grant;
use crate::verdict::Verdict;

/// A store by its own clock, and the members of a fleet, the clocks of which tell other times.
pub(super) struct Group {
    pub(super) members: Vec<World>,
    pub(super) store: MemoryStore,
    pub(super) policy: Policy,
    hints: Vec<MemoryHints>,
    hands: Arc<Hands>,
    provider: Rc<RefCell<Provider>>,
    last_waiter: WaiterId,
}

/// What the endpoint says.
struct Provider {
    accepted: Vec<String>,
    /// What it says to everybody instead.
    says: Option<Verdict>,
    life: Duration,
    /// What the tokens of a secret are for, where it says so.
    scopes: BTreeMap<String, String>,
}

impl Provider {
    fn answer(&self, credential: &Credential) -> Verdict {
        let is_accepted = self.accepted.iter().any(|it| it == credential.client_secret.expose());
        match &self.says {
            Some(verdict) => verdict.clone(),
            None if is_accepted => granted(self.life).and_then(|grant| {
                let scope = self.scopes.get(credential.client_secret.expose()).cloned();
                Verdict::Accepted(Grant { scope, ..grant })
            }),
            None => rejected(),
        }
    }
}

impl Group {
    /// Nobody has started, and these secrets are accepted.
    pub(super) fn new(accepted: &[&str]) -> Self {
        let hands = Hands::at(START);
        let accepted = accepted.iter().map(|it| (*it).to_owned()).collect();
        let provider = Provider { accepted, says: None, life: HOUR, scopes: BTreeMap::new() };
        Self {
            members: Vec::new(),
            store: MemoryStore::for_fleet(Arc::clone(&hands) as Arc<dyn Clock>),
            policy: DEFAULT,
            hints: Vec::new(),
            hands,
            provider: Rc::new(RefCell::new(provider)),
            last_waiter: 0,
        }
    }

    /// So many members that have this configuration, and a token.
    pub(super) fn started(count: usize, secrets: &[&str]) -> Self {
        let mut group = Self::new(secrets);
        for _ in 0..count {
            group.start(&secrets[..1]);
        }
        group.pass(MINUTE);
        assert!(group.have_tokens());
        group
    }

    /// Another process starts with these secrets; returns its place.
    pub(super) fn start(&mut self, secrets: &[&str]) -> usize {
        self.start_of("app", secrets)
    }

    /// The same of another client.
    pub(super) fn start_of(&mut self, client: &str, secrets: &[&str]) -> usize {
        let place = self.enter(vec![entry(0, None)]);
        self.act(place, |world| world.configure_of(client, secrets));
        place
    }

    /// The same where the store cannot be reached.
    pub(super) fn start_cut_off(&mut self, secrets: &[&str]) -> usize {
        let place = self.enter(vec![entry(0, None)]);
        self.members[place].script.store = StoreState::Down;
        self.act(place, |world| world.configure(secrets));
        place
    }

    /// The same with these entries, which yield these.
    pub(super) fn start_with(&mut self, entries: Vec<EntrySpec>, secrets: &[&[&str]]) -> usize {
        let place = self.enter(entries);
        self.act(place, |world| world.configure_each(secrets));
        place
    }

    fn enter(&mut self, entries: Vec<EntrySpec>) -> usize {
        let place = self.members.len();
        let provider = Rc::clone(&self.provider);
        let endpoint = move |credential: &Credential, _| provider.borrow().answer(credential);
        // No two clocks tell the same time, and none that of the store.
        let ahead = Duration::from_millis(1_037) * u32::try_from(place + 1).unwrap();
        let mut world = World::with_entries(self.policy.clone(), entries, endpoint)
            .over(self.store.clone(), self.hands.now() + ahead);
        world.process.member = Member::in_fleet(self.policy.clone(), MemberId(place as u64 + 1));
        world.script.dice = world.script.dice.of_member(place);
        self.hints.push(self.store.subscribe());
        self.members.push(world);
        place
    }

    /// The process ends without a word.
    pub(super) fn kill(&mut self, place: usize) {
        self.members[place].is_alive = false;
    }

    /// The process ends as it should.
    pub(super) fn close(&mut self, place: usize) {
        self.members[place].tell(MemberEvent::Closed);
        self.kill(place);
        self.pump();
    }

    /// From now on the endpoint accepts these.
    pub(super) fn accept(&mut self, secrets: &[&str]) {
        let accepted = secrets.iter().map(|it| (*it).to_owned()).collect();
        self.provider.borrow_mut().accepted = accepted;
    }

    /// From now on the endpoint says this, or the truth again.
    pub(super) fn say(&mut self, verdict: Option<Verdict>) {
        self.provider.borrow_mut().says = verdict;
    }

    /// From now on the tokens of a secret have that scope.
    pub(super) fn grants(&mut self, secret: &str, scope: &str) {
        self.provider.borrow_mut().scopes.insert(secret.to_owned(), scope.to_owned());
    }

    /// Tokens live so long from now on.
    pub(super) fn lives(&mut self, life: Duration) {
        self.provider.borrow_mut().life = life;
    }

    /// So many members that have a token, which is one of those that live five minutes.
    pub(super) fn with_short_tokens(count: usize) -> Self {
        let mut group = Self::new(&["one"]);
        group.lives(5 * MINUTE);
        for _ in 0..count {
            group.start(&["one"]);
        }
        group.pass(SECOND);
        group
    }

    /// Lets time pass for the store and all members, stopping at everything that is due.
    pub(super) fn pass(&mut self, duration: Duration) {
        let mut left = duration;
        for _ in 0..200_000 {
            let waits = self.members.iter();
            let waits = waits.filter_map(|world| Some(world.next_at()?.since(world.now)));
            let Some(wait) = waits.min().filter(|wait| *wait <= left) else {
                return self.advance(left);
            };
            left -= wait;
            self.advance(wait);
            for place in 0..self.members.len() {
                let world = &mut self.members[place];
                if world.next_at().is_some_and(|at| at <= world.now) {
                    world.take_next();
                    self.pump();
                }
            }
        }
        panic!("it does not come to rest");
    }

    fn advance(&mut self, by: Duration) {
        self.hands.set(self.hands.now() + by);
        for world in &mut self.members {
            world.advance_to(world.now + by);
        }
    }

    /// What the store has announced reaches everybody who can be reached.
    fn pump(&mut self) {
        let mut is_told = true;
        while is_told {
            is_told = false;
            for (world, hints) in self.members.iter_mut().zip(&mut self.hints) {
                while let Some(hint) = hints.try_next() {
                    if world.script.store != StoreState::Down {
                        world.tell(MemberEvent::Hinted(hint));
                        is_told = true;
                    }
                }
            }
        }
    }

    /// Does something to a member, and lets the others know what came of it.
    pub(super) fn act<T>(&mut self, place: usize, act: impl FnOnce(&mut World) -> T) -> T {
        let result = act(&mut self.members[place]);
        self.pump();
        result
    }

    /// A caller of a member wants a token.
    pub(super) fn want(&mut self, place: usize) -> WaiterId {
        self.last_waiter += 1;
        let waiter = self.last_waiter;
        self.act(place, |world| world.want(waiter));
        waiter
    }

    pub(super) fn outcome(&self, waiter: WaiterId) -> Option<&Result<(), TokenRefusal>> {
        self.members.iter().find_map(|world| world.outcome(waiter))
    }

    /// How many token requests were sent so far.
    pub(super) fn requests(&self) -> usize {
        self.members.iter().map(|world| world.script.fetches.len()).sum()
    }

    /// The secrets that were presented so far, but for the first ones.
    pub(super) fn presented(&self, place: usize) -> Vec<&str> {
        self.members[place].secrets_tried()
    }

    pub(super) fn alive(&self) -> impl Iterator<Item = &World> {
        self.members.iter().filter(|world| world.is_alive)
    }

    pub(super) fn have_tokens(&self) -> bool {
        self.alive().all(World::has_token)
    }

    /// What the stored record says of a secret.
    pub(super) fn role(&self, secret: &str) -> Role {
        self.store.load().record.map_or(Role::Unknown, |record| record.role(id_of(secret)))
    }

    /// Whether all members hand out the token that is stored.
    pub(super) fn share_one_token(&self) -> bool {
        let stored = self.store.load().token.map(|token| token.id);
        let held = |world: &World| world.process.handed_out.as_ref().map(|held| held.id);
        stored.is_some() && self.alive().all(|world| held(world) == stored)
    }
}
