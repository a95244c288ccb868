//! The certificate authorities that an endpoint's certificate may come from.

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls_native_certs::load_certs_from_paths;

use super::transport::{InvalidTransport, Transport};

/// Where distributions keep their bundle, the most common first.
#[cfg(not(any(target_os = "macos", windows)))]
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// The authorities to trust.
///
/// `tls.ca` replaces the system's, as it does in Node; the extra file is added to either. It reads
/// files, and never the environment, which native code must not touch.
pub(super) fn load(
    transport: &Transport,
) -> Result<Vec<CertificateDer<'static>>, InvalidTransport> {
    let mut roots = transport.authorities()?;
    if roots.is_empty() {
        roots = match (&transport.root_file, &transport.root_dir) {
            (None, None) => system(),
            (file, dir) => from_paths(file.as_deref(), dir.as_deref()),
        };
    }
    if let Some(extra) = &transport.extra_root_file {
        roots.extend(from_paths(Some(extra), None));
    }
    if roots.is_empty() {
        return Err(InvalidTransport::new(
            "tls.ca",
            "is not given, and this machine has no certificate authorities: install the package \
             ca-certificates, or give tls.ca",
        ));
    }
    Ok(roots)
}

fn from_paths(file: Option<&Path>, dir: Option<&Path>) -> Vec<CertificateDer<'static>> {
    load_certs_from_paths(file, dir).certs
}

#[cfg(not(any(target_os = "macos", windows)))]
fn system() -> Vec<CertificateDer<'static>> {
    let bundle = BUNDLES.iter().map(PathBuf::from).find(|path| path.is_file());
    from_paths(bundle.as_deref(), None)
}

/// Their stores are no files, and reading them reads no environment that matters here.
#[cfg(any(target_os = "macos", windows))]
fn system() -> Vec<CertificateDer<'static>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the variables it reads exist on Unix only in practice"
    )]
    rustls_native_certs::load_native_certs().certs
}
