//! What the script is told of an operation.

use std::fmt::Display;

use redis::ScriptInvocation;

use super::keys::Keys;
use super::script;
use crate::clock::StoreTime;
use crate::rotation::{Barrier, MemberId, Record, Role, TokenChange, Version, Write};
use crate::store::{Beat, Fresh, Operation, TokenWrite};

/// The version of the form of a record. A reader does not understand a later one.
pub(super) const SCHEMA: u32 = 1;

/// The run of the script that performs an operation; none where the operation lacks what it needs.
pub(super) fn run_of(
    operation: &Operation,
    keys: &Keys,
    at: Option<StoreTime>,
) -> Option<ScriptInvocation<'static>> {
    let run = |name| script::run(name, keys, at);
    Some(match operation {
        Operation::Load(member) => {
            told(run("load"), [member.map_or_else(String::new, member_name)])
        }
        Operation::Members => run("members"),
        Operation::Write(write, fresh) => told(run("write"), written(write, fresh.as_ref())?),
        Operation::PutToken(token) => put(run("put"), token),
        Operation::Invalidate(id) => told(run("invalidate"), [id.0]),
        Operation::DropTokens(credential) => told(run("drop"), [credential]),
        Operation::Acquire(nonce) => told(run("acquire"), [nonce]),
        Operation::Renew(nonce) => told(run("renew"), [nonce]),
        Operation::Release(nonce) => told(run("release"), [nonce]),
        Operation::Beat(beat) => told(run("beat"), said(beat)),
        Operation::Leave(member) => told(run("leave"), [member_name(*member)]),
        Operation::Reject { credential, since } => {
            told(run("reject"), [credential.to_string(), optional(since.map(StoreTime::millis))])
        }
        Operation::Accept(credential) => told(run("accept"), [credential]),
        Operation::CoolDown(pause) => told(run("cool"), [pause.as_millis()]),
    })
}

/// How a member is named in the store.
pub(super) fn member_name(member: MemberId) -> String {
    format!("{:016x}", member.0)
}

fn told(
    mut run: ScriptInvocation<'static>,
    arguments: impl IntoIterator<Item = impl Display>,
) -> ScriptInvocation<'static> {
    arguments.into_iter().for_each(|argument| {
        run.arg(argument.to_string());
    });
    run
}

fn optional(value: Option<impl Display>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// A version, or three empty texts for none.
fn parts(version: Option<Version>) -> [String; 3] {
    version.map_or_else(Default::default, |Version { incarnation, epoch, nonce }| {
        [incarnation, epoch, nonce].map(|part| part.to_string())
    })
}

fn written(write: &Write, fresh: Option<&Fresh>) -> Option<Vec<String>> {
    let Write { expect, record, token, barrier } = write;
    let mut arguments = Vec::from(parts(*expect));
    arguments.extend(parts(Some(record.version)));
    arguments.push(record.generation.to_string());
    arguments.push(SCHEMA.to_string());
    arguments.push(retired(record));
    // It has no map with keys other than texts, so it has a form.
    arguments.push(serde_json::to_string(record).ok()?);
    arguments.extend(conditions(*barrier));
    if let TokenChange::Replace { credential, expires_at } = token {
        let Fresh { id, text, issued_at } = fresh?;
        arguments.extend([id.0.to_string(), credential.to_string()]);
        arguments.extend([issued_at.millis().to_string(), expires_at.millis().to_string()]);
        arguments.push(text.expose().to_owned());
    } else {
        arguments.push(String::new());
    }
    Some(arguments)
}

/// The credentials whose tokens are not taken.
fn retired(record: &Record) -> String {
    let ids = record.retired.iter().map(|retired| retired.credential);
    let ids = ids.filter(|id| record.role(*id) == Role::Retired);
    ids.map(|id| id.to_string()).collect::<Vec<_>>().join(" ")
}

fn conditions(barrier: Option<Barrier>) -> [String; 4] {
    barrier.map_or_else(Default::default, |Barrier { epoch, credential, is_sealed, writer }| {
        let writer = writer.map_or_else(String::new, member_name);
        [epoch.to_string(), credential.to_string(), u8::from(is_sealed).to_string(), writer]
    })
}

fn put(mut run: ScriptInvocation<'static>, token: &TokenWrite) -> ScriptInvocation<'static> {
    run.arg(token.id.0.to_string()).arg(token.text.expose());
    let TokenWrite { credential, generation, issued_at, expires_at, read, .. } = token;
    let times = [issued_at.millis(), expires_at.millis()];
    let run = told(run, [credential]);
    told(run, [generation, &times[0], &times[1], read])
}

fn said(beat: &Beat) -> Vec<String> {
    let mut arguments = vec![member_name(beat.member)];
    arguments.extend(parts(beat.read));
    let holds = beat.holds.iter().map(ToString::to_string);
    let names: Vec<String> = holds.chain(beat.persists.iter().map(ToString::to_string)).collect();
    arguments.push(names.join(" "));
    arguments
}
