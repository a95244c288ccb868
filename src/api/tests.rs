//! Forms that the facade writes, and shapes that it reads.

use serde_json::json;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::credential::Credential;
use crate::member::{Ask, Member, MemberNotice, Until};
use crate::policy::expiring::ExpiryWarning;
use crate::policy::tests::DEFAULT;
use crate::secret::Secret;

fn credential() -> std::sync::Arc<Credential> {
    let credential = Credential::new(Some("blue".into()), "app".into(), Secret::new("hunter2"));
    std::sync::Arc::new(credential)
}

#[test]
fn a_rotation_is_asked_for_in_the_facades_form_and_in_no_other() {
    let form = RequestForm::rotate(r#"{"clientSecret":"s","deadlineMs":1000}"#).expect("a form");
    assert_eq!(form.patience, Some(std::time::Duration::from_secs(1)));
    assert!(RequestForm::rotate(r#"{"clientSecret":"s"}"#).is_none(), "without a deadline");
    assert!(RequestForm::rotate(r#"{"deadlineMs":1,"secret":"s"}"#).is_none());
}

#[test]
fn a_wait_for_a_rotation_has_no_end_and_any_other_request_has_one() {
    let until = RequestForm::until("it", "persisted").expect("a word that is known");
    assert!(matches!(until.ask, Ask::Until(_, Until::Persisted)) && until.patience.is_none());
    assert!(RequestForm::until("it", "soon").is_none());
    assert!(RequestForm::roll_back("it").patience.is_some());
}

#[test]
fn an_event_names_its_credential_once_the_id_is_derived() {
    let clock = ManualClock::new(0);
    let calendar = Calendar::new(Timestamp::default(), &clock);
    let notice = MemberNotice::CredentialRejected {
        credential: credential(),
        failure: crate::error::Failure::new(crate::error::Code::CredentialRejected, "no"),
    };
    let untold = UntoldEvent::of_notice(notice, &Member::new(DEFAULT), &|_| None, calendar);
    untold.unnamed().expect("its id is not derived").id();
    assert!(untold.unnamed().is_none());
    let told = serde_json::to_value(untold.into_event()).expect("it is plain");
    assert_eq!(told["payload"]["credentialId"], json!(credential().id().to_string()));
    assert_eq!(told["payload"]["label"], json!("blue"));
}

#[test]
fn an_expiry_is_told_to_every_handle_and_a_source_only_to_its_own() {
    let warning = ExpiryWarning { credential: credential(), expires_at: 5, days_left: 1 };
    let untold = UntoldEvent::of_expiry(warning);
    assert_eq!(untold.owner(), None);
    let told = serde_json::to_value(untold.into_event()).expect("it is plain");
    assert_eq!(told["event"], json!("credential-expiring"));
    let change = crate::source::SourceChange::Emptied;
    let notice = crate::source::SourceNotice { entry: 0, label: None, change };
    assert_eq!(UntoldEvent::of_source(7, notice).owner(), Some(7));
}

#[test]
fn members_that_have_to_follow_are_counted() {
    use crate::member::WaitsOn;
    let said = |count| sentences::waiting(&WaitsOn::Members { count }, &|_| None);
    assert_eq!(said(0), "The list of the fleet's members is not complete yet.");
    assert_eq!(said(1), "One member of the fleet does not have the active credential yet.");
    assert_eq!(said(2), "2 members of the fleet do not have the active credential yet.");
}

#[test]
fn members_in_the_way_of_a_retirement_are_counted_and_named() {
    use crate::member::NamedMembers;
    use crate::rotation::{MemberId, Missing};
    let missing = Missing { acks: 1, holders: 2, ..Missing::default() };
    let named =
        NamedMembers { behind: vec![MemberId(255)], without: vec![MemberId(1), MemberId(2)] };
    let message = MissingMessage::of(&missing, &named, &Member::new(DEFAULT));
    let told = serde_json::to_value(message).expect("it is plain");
    assert_eq!(told["members"], json!(2));
    assert_eq!(told["acks"], json!(["00000000000000ff"]));
    assert_eq!(told["holders"], json!(["0000000000000001", "0000000000000002"]));
}
