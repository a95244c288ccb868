//! The HTTP clients of one runtime, one for each way of reaching an endpoint.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::client::{HttpClient, InvalidTransport, Transport};

/// Managers that reach their endpoints alike share turns and TLS sessions; a thousand of them need
/// a few sockets.
#[derive(Debug, Default)]
pub(super) struct Clients(Mutex<HashMap<Transport, Weak<HttpClient>>>);

impl Clients {
    /// The client for this way. Its TLS sessions last as long as somebody keeps it.
    pub(super) fn get(&self, transport: &Transport) -> Result<Arc<HttpClient>, InvalidTransport> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(transport).and_then(Weak::upgrade) {
            return Ok(client);
        }
        clients.retain(|_, client| client.strong_count() > 0);
        let client = Arc::new(HttpClient::new(transport)?);
        clients.insert(transport.clone(), Arc::downgrade(&client));
        Ok(client)
    }
}
