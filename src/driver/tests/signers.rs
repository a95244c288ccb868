//! Signers, and the environments that they outlive.

use super::*;
use crate::api::SignerSettings;

#[test]
fn a_signer_that_is_closed_keeps_nothing_of_its_environment_whoever_still_has_it() {
    let driver = driver();
    let form = json!({
        "scheme": "pagerduty",
        "signWith": "previous",
        "toleranceMs": 300_000,
        "keys": {
            "kind": "configured",
            "specs": [{ "name": "keys[0]" }],
            "entries": [{ "optional": false, "source": {
                "kind": "key", "key": { "kind": "value", "value": "secret" },
            } }],
            "initial": [],
            "sourcePollMs": 10_000,
        },
    });
    let settings = SignerSettings::parse(&form.to_string()).expect("a whole form");
    let (sender, _told) = channel();
    let listener: Arc<dyn Listener> = Arc::new(Ear(1, sender));
    let opened = driver.open_signer(settings, Arc::clone(&listener));
    let (handle, signer) = opened.expect("nothing to object to");
    // The task of its keys ends at some time after the close; so may whoever signs.
    driver.close(handle);
    assert_eq!(Arc::strong_count(&listener), 1);
    drop(signer);
}
