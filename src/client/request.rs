//! The client-credentials request as text (RFC 6749 §4.4.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::{self, byte_serialize};

use crate::credential::Credential;
use crate::provider::{ClientAuth, Endpoint};
use crate::secret::Secret;

/// A token request. The method is POST, the content type `application/x-www-form-urlencoded`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// The `Authorization` header, unless the body holds the credential.
    pub authorization: Option<Secret>,
    /// The form-encoded body.
    pub body: Secret,
}

impl TokenRequest {
    /// Builds the request for a token from this endpoint with this credential.
    pub fn new(endpoint: &Endpoint, credential: &Credential) -> Self {
        let Credential { client_id, client_secret, .. } = credential;
        let authorization = match endpoint.client_auth {
            ClientAuth::Basic => Some(basic(&encode(client_id), &encode(client_secret.expose()))),
            ClientAuth::BasicRaw => Some(basic(client_id, client_secret.expose())),
            ClientAuth::Body => None,
        };
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        let optional = [("scope", &endpoint.scope), ("audience", &endpoint.audience)];
        for (name, value) in optional {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        for resource in &endpoint.resource {
            form.append_pair("resource", resource);
        }
        form.extend_pairs(&endpoint.params);
        if endpoint.client_auth == ClientAuth::Body {
            form.append_pair("client_id", client_id);
            form.append_pair("client_secret", client_secret.expose());
        }
        Self { authorization, body: Secret::new(form.finish()) }
    }
}

/// Says how client id and secret were sent, and what to try if they are right but not accepted.
pub fn advice(client_auth: ClientAuth, credential: &Credential) -> String {
    let Credential { client_id, client_secret, .. } = credential;
    let is_changed = |text: &str| encode(text) != text;
    let differs = is_changed(client_id) || is_changed(client_secret.expose());
    let reason = "which form-encoding changes";
    match client_auth {
        ClientAuth::Basic if differs => format!(
            "clientAuth 'basic'; they have characters {reason}, and many servers do not decode it: if \
             both are right, try 'basic-raw', then 'body'"
        ),
        ClientAuth::BasicRaw if differs => format!(
            "clientAuth 'basic-raw'; they have characters {reason}, and RFC 6749 §2.3.1 asks for it: if \
             both are right, try 'basic', then 'body'"
        ),
        ClientAuth::Basic => {
            "clientAuth 'basic'; if both are right, try 'body' ('basic-raw' would send \
                              the same)"
                .to_owned()
        }
        ClientAuth::BasicRaw => {
            "clientAuth 'basic-raw'; if both are right, try 'body' ('basic' would \
                                 send the same)"
                .to_owned()
        }
        ClientAuth::Body => {
            "clientAuth 'body'; if both are right, try 'basic' or 'basic-raw'".to_owned()
        }
    }
}

pub(super) fn basic(id: &str, secret: &str) -> Secret {
    Secret::new(format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))))
}

/// Encodes a text as RFC 6749 §2.3.1 requires before Basic.
///
/// A space is `%20`, not `+`: every form decoder reads both, and servers that only undo
/// percent-encoding read this one.
fn encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn endpoint(client_auth: ClientAuth) -> Endpoint {
        Endpoint {
            token_url: "https://login.example.com/oauth/token".parse().unwrap(),
            client_auth,
            scope: None,
            audience: None,
            resource: vec![],
            params: vec![],
            default_lifetime: Duration::from_mins(5),
            ignore_expires_in: false,
            treat_as_bearer: false,
            rejected_errors: vec![],
        }
    }

    fn credential(id: &str, secret: &str) -> Credential {
        Credential::new(None, id.into(), Secret::new(secret))
    }

    fn decoded(request: &TokenRequest) -> String {
        let header = request.authorization.as_ref().unwrap().expose();
        String::from_utf8(STANDARD.decode(header.strip_prefix("Basic ").unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn genesys_gets_client_id_and_secret_as_they_are() {
        let request =
            TokenRequest::new(&endpoint(ClientAuth::BasicRaw), &credential("app", "/+ %:é"));
        assert_eq!(decoded(&request), "app:/+ %:é");
        assert_eq!(request.body.expose(), "grant_type=client_credentials");
    }

    #[test]
    fn others_get_them_form_encoded_as_the_standard_asks() {
        let request = TokenRequest::new(&endpoint(ClientAuth::Basic), &credential("a b", "/+ %:é"));
        assert_eq!(decoded(&request), "a%20b:%2F%2B%20%25%3A%C3%A9");
    }

    #[test]
    fn everything_that_is_asked_for_stands_in_the_form() {
        let endpoint = Endpoint {
            scope: Some("read write".into()),
            audience: Some("https://api".into()),
            resource: vec!["https://a".into(), "https://b".into()],
            params: vec![("tenant".into(), "é&=".into())],
            ..endpoint(ClientAuth::Body)
        };
        let request = TokenRequest::new(&endpoint, &credential("app", "s&t"));
        assert_eq!(request.authorization, None);
        assert_eq!(
            request.body.expose(),
            "grant_type=client_credentials&scope=read+write&audience=https%3A%2F%2Fapi\
             &resource=https%3A%2F%2Fa&resource=https%3A%2F%2Fb&tenant=%C3%A9%26%3D\
             &client_id=app&client_secret=s%26t"
        );
    }

    proptest! {
        #[test]
        fn any_credential_makes_a_header_and_a_form_of_visible_ascii(
            id in any::<String>(), secret in any::<String>(),
        ) {
            let credential = credential(&id, &secret);
            for client_auth in [ClientAuth::Basic, ClientAuth::BasicRaw, ClientAuth::Body] {
                let request = TokenRequest::new(&endpoint(client_auth), &credential);
                prop_assert!(request.body.expose().bytes().all(|byte| byte.is_ascii_graphic()));
                if let Some(header) = &request.authorization {
                    let pair = header.expose().strip_prefix("Basic ").unwrap();
                    prop_assert!(pair.bytes().all(|byte| byte.is_ascii_graphic()));
                    prop_assert_eq!(request.body.expose(), "grant_type=client_credentials");
                }
                let is_hidden = format!("{request:?}").ends_with("body: [redacted] }");
                prop_assert!(is_hidden);
            }
        }

        #[test]
        fn whatever_is_sent_reads_back_as_it_was_meant(
            id in "\\PC{0,12}", secret in "\\PC{0,24}", scope in "\\PC{0,12}", value in "\\PC{0,12}",
        ) {
            let credential = credential(&id, &secret);
            let parse = |text: &str| -> Vec<(String, String)> {
                form_urlencoded::parse(text.as_bytes()).into_owned().collect()
            };
            let raw = TokenRequest::new(&endpoint(ClientAuth::BasicRaw), &credential);
            prop_assert_eq!(decoded(&raw), format!("{}:{}", id, secret));

            let basic = decoded(&TokenRequest::new(&endpoint(ClientAuth::Basic), &credential));
            let (sent_id, sent_secret) = basic.split_once(':').unwrap();
            prop_assert_eq!(&parse(&format!("{sent_id}={sent_secret}"))[..],
                if id.is_empty() && secret.is_empty() { vec![(String::new(), String::new())] }
                else { vec![(id.clone(), secret.clone())] });

            let endpoint = Endpoint {
                scope: Some(scope.clone()),
                params: vec![("p".into(), value.clone())],
                ..endpoint(ClientAuth::Body)
            };
            let body = TokenRequest::new(&endpoint, &credential).body;
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            prop_assert_eq!(parse(body.expose()), vec![
                pair("grant_type", "client_credentials"), pair("scope", &scope), pair("p", &value),
                pair("client_id", &id), pair("client_secret", &secret),
            ]);
        }
    }
}
