//! What the script says, as the members understand it.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use redis::{FromRedisValue, Value};

use super::arguments::SCHEMA;
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::{
    Census, MemberId, MemberRow, MemberTable, Missing, Record, Refused, Rejections, TargetId,
    Token, Version,
};
use crate::secret::Secret;
use crate::store::{Lease, Operation, Pulse, Reply, StoreSnapshot, TokenEntry, Written};
use crate::token::TokenId;

/// Something in the store is not what a member has written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("{0} has an unknown form")]
    Form(&'static str),
    #[error("the record has the form {0} of a later version of oauth-rotor")]
    Later(u32),
}

/// The reply to an operation.
pub(super) fn reply_to(operation: &Operation, value: Value) -> Result<Reply, Unreadable> {
    Ok(match operation {
        Operation::Load(_) => Reply::Loaded(Box::new(loaded(value)?)),
        Operation::Members => Reply::Members(members(value)?),
        Operation::Write(..) | Operation::PutToken(_) => stored(value)?,
        Operation::Invalidate(_) | Operation::DropTokens(_) => {
            Reply::Deleted(read("a reply", value)?)
        }
        Operation::Acquire(_) => {
            let (is_acquired, until): (bool, u64) = read("the lease", value)?;
            let until = StoreTime::from_millis(until);
            let lease = if is_acquired { Lease::Acquired { until } } else { Lease::Held { until } };
            Reply::Lease(lease)
        }
        Operation::Renew(_) | Operation::Release(_) => Reply::WasHeld(read("a reply", value)?),
        Operation::Beat(_) => Reply::Pulse(Box::new(pulse(value)?)),
        Operation::Leave(_) | Operation::Accept(_) => Reply::Done,
        Operation::Reject { .. } => {
            let noted: String = read("a row of rejections", value)?;
            Reply::Rejections(rejection(&noted)?)
        }
        Operation::CoolDown(_) => Reply::Pause(time(read("the pause", value)?)),
    })
}

fn read<T: FromRedisValue>(what: &'static str, value: Value) -> Result<T, Unreadable> {
    T::from_redis_value(value).map_err(|_| Unreadable::Form(what))
}

fn parsed<T: FromStr>(what: &'static str, text: &str) -> Result<T, Unreadable> {
    text.parse().map_err(|_| Unreadable::Form(what))
}

fn time(millis: u64) -> StoreTime {
    StoreTime::from_millis(millis)
}

fn loaded(value: Value) -> Result<StoreSnapshot, Unreadable> {
    let parts: [Value; 9] = exactly("a reply", value)?;
    let [now, version, schema, body, token, serial, census, rejections, cool_down] = parts;
    let cool_down: String = read("the pause", cool_down)?;
    let cool_down = Some(cool_down).filter(|until| !until.is_empty());
    Ok(StoreSnapshot {
        now: time(read("the time", now)?),
        record: record(self::version(version)?, schema, body)?,
        token: self::token(token)?,
        serial: read("the serial", serial)?,
        census: Some(self::census(census)?),
        rejections: self::rejections(rejections)?,
        cool_down: cool_down.map(|until| parsed("the pause", &until)).transpose()?.map(time),
    })
}

fn pulse(value: Value) -> Result<Pulse, Unreadable> {
    let [now, version, token, serial, census, rejections] = exactly("a reply", value)?;
    Ok(Pulse {
        now: time(read("the time", now)?),
        version: self::version(version)?,
        token: told_token(token)?,
        serial: read("the serial", serial)?,
        census: Some(self::census(census)?),
        rejections: self::rejections(rejections)?,
    })
}

fn exactly<const COUNT: usize>(
    what: &'static str,
    value: Value,
) -> Result<[Value; COUNT], Unreadable> {
    let all: Vec<Value> = read(what, value)?;
    all.try_into().map_err(|_| Unreadable::Form(what))
}

fn version(value: Value) -> Result<Option<Version>, Unreadable> {
    let parts: Vec<u64> = read("the version", value)?;
    match parts[..] {
        [] => Ok(None),
        [incarnation, epoch, nonce] => Ok(Some(Version { incarnation, epoch, nonce })),
        _ => Err(Unreadable::Form("the version")),
    }
}

/// The record; what the script compares stands in it once more.
fn record(
    version: Option<Version>,
    schema: Value,
    body: Value,
) -> Result<Option<Record>, Unreadable> {
    const WHAT: &str = "the record";
    let Some(version) = version else { return Ok(None) };
    let schema: u32 = read(WHAT, schema)?;
    if schema > SCHEMA {
        return Err(Unreadable::Later(schema));
    }
    let body: String = read(WHAT, body)?;
    let record: Record = serde_json::from_str(&body).map_err(|_| Unreadable::Form(WHAT))?;
    if record.version != version {
        return Err(Unreadable::Form(WHAT));
    }
    Ok(Some(record))
}

fn token(value: Value) -> Result<Option<TokenEntry>, Unreadable> {
    const WHAT: &str = "the token";
    let mut fields: Vec<String> = read(WHAT, value)?;
    let Some(text) = fields.pop() else { return Ok(None) };
    let issued_at = fields.get(4).map(|millis| parsed(WHAT, millis)).transpose()?.map(time);
    let Token { id, credential, generation, serial, expires_at } =
        token_of(&fields)?.ok_or(Unreadable::Form(WHAT))?;
    let issued_at = issued_at.ok_or(Unreadable::Form(WHAT))?;
    let text = Secret::new(text);
    Ok(Some(TokenEntry { id, text, credential, generation, serial, issued_at, expires_at }))
}

fn told_token(value: Value) -> Result<Option<Token>, Unreadable> {
    token_of(&read::<Vec<String>>("the token", value)?)
}

fn token_of(fields: &[String]) -> Result<Option<Token>, Unreadable> {
    const WHAT: &str = "the token";
    match fields {
        [] => Ok(None),
        [id, credential, generation, serial, _, until, ..] => Ok(Some(Token {
            id: TokenId(parsed(WHAT, id)?),
            credential: parsed(WHAT, credential)?,
            generation: parsed(WHAT, generation)?,
            serial: parsed(WHAT, serial)?,
            expires_at: time(parsed(WHAT, until)?),
        })),
        _ => Err(Unreadable::Form(WHAT)),
    }
}

fn census(value: Value) -> Result<Census, Unreadable> {
    const WHAT: &str = "the count of members";
    let [since, acks, names, own] = exactly(WHAT, value)?;
    let acks: Vec<(u64, u32)> = read(WHAT, acks)?;
    let (mut holders, mut persisters) = (BTreeMap::new(), BTreeMap::new());
    for (name, count) in read::<Vec<(String, u32)>>(WHAT, names)? {
        match Possession::of(WHAT, &name)? {
            Possession::Credential(id) => holders.insert(id, count).is_none(),
            Possession::Target(id) => persisters.insert(id, count).is_none(),
        };
    }
    Ok(Census {
        since: time(read(WHAT, since)?),
        acks: acks.into_iter().collect(),
        holders,
        persisters,
        own: row(own)?,
    })
}

/// Something of which the store counts the members that have it.
enum Possession {
    Credential(CredentialId),
    Target(TargetId),
}

impl Possession {
    fn of(what: &'static str, text: &str) -> Result<Self, Unreadable> {
        let target = |_| parsed(what, text).map(Self::Target);
        text.parse().map(Self::Credential).or_else(target)
    }
}

/// The row of a member, if it is listed.
fn row(value: Value) -> Result<Option<MemberRow>, Unreadable> {
    const WHAT: &str = "the row of a member";
    let fields: Vec<String> = read(WHAT, value)?;
    let [acked, names] = match &fields[..] {
        [] => return Ok(None),
        [acked, names] => [acked, names],
        _ => return Err(Unreadable::Form(WHAT)),
    };
    let (mut holds, mut persists) = (BTreeSet::new(), BTreeSet::new());
    for name in names.split_whitespace() {
        match Possession::of(WHAT, name)? {
            Possession::Credential(id) => holds.insert(id),
            Possession::Target(id) => persists.insert(id),
        };
    }
    Ok(Some(MemberRow { acked: parsed(WHAT, acked)?, holds, persists }))
}

fn members(value: Value) -> Result<MemberTable, Unreadable> {
    const WHAT: &str = "the members";
    let [since, all] = exactly(WHAT, value)?;
    let mut rows = BTreeMap::new();
    for (id, row) in read::<Vec<(String, Value)>>(WHAT, all)? {
        let id = u64::from_str_radix(&id, 16).map_err(|_| Unreadable::Form(WHAT))?;
        rows.extend(self::row(row)?.map(|row| (MemberId(id), row)));
    }
    Ok(MemberTable { since: time(read(WHAT, since)?), rows })
}

fn rejections(value: Value) -> Result<BTreeMap<CredentialId, Rejections>, Unreadable> {
    const WHAT: &str = "a row of rejections";
    let rows: Vec<(String, String)> = read(WHAT, value)?;
    rows.iter().map(|(id, row)| Ok((parsed(WHAT, id)?, rejection(row)?))).collect()
}

fn rejection(row: &str) -> Result<Rejections, Unreadable> {
    const WHAT: &str = "a row of rejections";
    let parts: Vec<&str> = row.split(' ').collect();
    let [count, first, last] = parts[..] else { return Err(Unreadable::Form(WHAT)) };
    Ok(Rejections {
        count: parsed(WHAT, count)?,
        first_at: time(parsed(WHAT, first)?),
        last_at: time(parsed(WHAT, last)?),
    })
}

fn stored(value: Value) -> Result<Reply, Unreadable> {
    const WHAT: &str = "a reply";
    let parts: Vec<String> = read(WHAT, value)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    Ok(match parts[..] {
        ["written", now, serial] => {
            let serial = Some(serial).filter(|it| !it.is_empty());
            let serial = serial.map(|serial| parsed(WHAT, serial)).transpose()?;
            Reply::Written(Written { now: time(parsed(WHAT, now)?), serial })
        }
        ["stale"] => Reply::Refused(Refused::Stale),
        ["barrier", table, acks, holders] => Reply::Refused(Refused::Barrier(Missing {
            table: table == "1",
            acks: parsed(WHAT, acks)?,
            holders: parsed(WHAT, holders)?,
            ..Missing::default()
        })),
        _ => return Err(Unreadable::Form(WHAT)),
    })
}
