//! Loads the certificate authorities that may issue an endpoint's certificate.

use std::io;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls_native_certs::{CertificateResult, ErrorKind, load_certs_from_paths};

use super::transport::{InvalidTransport, Transport};

/// Where distributions keep their bundle of authorities, the most common path first.
#[cfg(not(any(target_os = "macos", windows)))]
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// The trusted authorities, and why some could not be read.
pub(super) struct Roots {
    /// The authorities.
    pub(super) authorities: Vec<CertificateDer<'static>>,
    /// The authorities of `tls.ca` and `NODE_EXTRA_CA_CERTS`. Each may be an endpoint's own
    /// certificate.
    pub(super) given: Vec<CertificateDer<'static>>,
    /// Why a file or directory that a variable names has no certificates, one clause each.
    pub(super) complaints: Vec<String>,
}

/// Loads the authorities to trust.
///
/// `tls.ca` replaces the system's authorities, as it does in Node. The extra file is added to
/// either. This function reads files but never the environment, which native code must not touch.
pub(super) fn load(transport: &Transport) -> Result<Roots, InvalidTransport> {
    let given = transport.authorities()?;
    let mut roots = Roots { authorities: given.clone(), given, complaints: vec![] };
    let has_variables = transport.root_file.is_some() || !transport.root_dirs.is_empty();
    if roots.given.is_empty() && has_variables {
        if let Some(file) = &transport.root_file {
            roots.take("SSL_CERT_FILE", file, load_certs_from_paths(Some(file), None));
        }
        for dir in &transport.root_dirs {
            roots.take("SSL_CERT_DIR", dir, load_certs_from_paths(None, Some(dir)));
        }
    } else if roots.given.is_empty() {
        roots.authorities = system();
    }
    if let Some(file) = &transport.extra_root_file {
        let extra = load_certs_from_paths(Some(file), None);
        roots.given.extend(extra.certs.iter().cloned());
        roots.take("NODE_EXTRA_CA_CERTS", file, extra);
    }
    if !roots.authorities.is_empty() {
        return Ok(roots);
    }
    Err(match roots.complaints.split_first() {
        None => InvalidTransport::new(
            "tls.ca",
            "is not given, and this machine has no certificate authorities: install the package \
             ca-certificates, or give tls.ca",
        ),
        Some(_) => InvalidTransport::new(
            "tls.ca",
            format!(
                "is not given, and there are no other certificate authorities: {}",
                roots.complaints.join("; ")
            ),
        ),
    })
}

impl Roots {
    /// Adds the certificates in a variable's file or directory.
    fn take(&mut self, variable: &str, path: &Path, found: CertificateResult) {
        // One unreadable certificate is no reason to complain if others can be read.
        if found.certs.is_empty() {
            let reason = match found.errors.first().map(|error| &error.kind) {
                Some(ErrorKind::Io { inner, .. }) if inner.kind() == io::ErrorKind::NotFound => {
                    "does not exist".to_owned()
                }
                Some(ErrorKind::Io { inner, .. }) => format!("cannot be read ({})", inner.kind()),
                // As in OpenSSL, only such names count in a directory.
                None if path.is_dir() => {
                    "holds no certificate under the name of its hash (see openssl rehash)"
                        .to_owned()
                }
                _ => "holds no certificate in PEM form".to_owned(),
            };
            self.complaints.push(format!("{variable} names {}, which {reason}", path.display()));
        }
        self.authorities.extend(found.certs);
    }
}

#[cfg(not(any(target_os = "macos", windows)))]
fn system() -> Vec<CertificateDer<'static>> {
    let bundle = BUNDLES.iter().map(Path::new).find(|path| path.is_file());
    load_certs_from_paths(bundle, None).certs
}

/// On these systems the store is not a file. Loading it reads no environment variable that matters
/// here.
#[cfg(any(target_os = "macos", windows))]
fn system() -> Vec<CertificateDer<'static>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the variables it reads exist on Unix only in practice"
    )]
    rustls_native_certs::load_native_certs().certs
}
