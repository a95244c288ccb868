//! A key set's task on the driver's thread: reads its files, and has its functions called.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::key_set::KeySet;
use super::registry::Registry;
use super::service::Service;
use super::task::{sleep, wait};
use crate::api::HandleId;

/// Serves a key set until the supervisor drops it.
pub(super) async fn run(id: HandleId, keys: Arc<KeySet>, registry: Arc<Registry>) {
    let clock = Arc::clone(keys.clock());
    let serve = |say: &dyn Fn(&mut Service)| keys.serve(say);
    if let Some(at) = keys.restart_at() {
        wait(serve, clock.sleep_until(at), || keys.serve(Service::rest)).await;
        keys.restart();
    }
    let mut readings = JoinSet::new();
    // None of them is read a second time meanwhile.
    let mut being_read = BTreeSet::new();
    loop {
        for place in keys.take_wanted() {
            if being_read.insert(place.clone()) {
                let workers = Arc::clone(registry.workers());
                readings.spawn(async move { (place.clone(), workers.read(id, place).await) });
            }
        }
        let alarm = sleep(&*clock, keys.sleep());
        let next = async {
            tokio::select! {
                () = keys.changed() => None,
                Some(Ok(read)) = readings.join_next() => Some(read),
                () = alarm => {
                    keys.tick();
                    None
                }
            }
        };
        let read = wait(serve, next, || keys.serve(|service| service.park(false))).await;
        if let Some((place, reading)) = read {
            being_read.remove(&place);
            keys.files_read(place, reading);
        }
    }
}
