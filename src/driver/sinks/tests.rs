//! Files that are written back to, for real.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::driver::tests::Folder;
use crate::driver::workers::Workers;

fn credential(client_id: &str, secret: &str) -> Credential {
    Credential::new(None, client_id.into(), Secret::new(secret))
}

fn env_file(path: &Path) -> Target {
    let path = path.to_owned();
    Target::EnvFile { path, client_id: "ID".into(), client_secret: "SECRET".into() }
}

#[test]
fn the_whole_file_is_replaced_and_nothing_else_of_it_changes() {
    let folder = Folder::new("env-file");
    let path = folder.0.join(".env");
    fs::write(&path, "# ours\r\nexport ID=old # id\r\n\r\nOTHER='a\nb'\r\nSECRET=\"s\"").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let report = write(&env_file(&path), &credential("new", "it's"));
    assert_eq!(report, Report { outcome: SinkOutcome::Done, message: None });
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, "# ours\r\nexport ID=new # id\r\n\r\nOTHER='a\nb'\r\nSECRET=\"it's\"");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
}

#[tokio::test]
async fn workers_write_too() {
    let folder = Folder::new("worker");
    let path = folder.0.join("secret");
    fs::write(&path, "old\n").unwrap();
    symlink("secret", folder.0.join("link")).unwrap();
    let target = Target::SecretFile { path: folder.0.join("link") };
    let report = Workers::default().write(target, Arc::new(credential("id", "new"))).await;
    assert_eq!(report.outcome, SinkOutcome::Done, "{report:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
    assert!(folder.0.join("link").is_symlink());
}
