//! The form of a record in the store, which processes of other versions read, too.

use crate::rotation::Record;
use crate::store::contract::record::full_records;
use crate::store::contract::samples::first_record;

/// What the first version of the form has written.
const FIRST_FORM: &str = include_str!("records-1.json");

#[test]
fn a_record_of_the_first_form_is_read_and_written_as_ever() {
    let kept: Vec<Record> = serde_json::from_str(FIRST_FORM).expect("records");
    assert_eq!(kept, full_records());
    let kept: serde_json::Value = serde_json::from_str(FIRST_FORM).expect("records");
    assert_eq!(serde_json::to_value(full_records()).expect("a form"), kept);
}

#[test]
fn a_record_is_small() {
    let size = |record: &Record| serde_json::to_string(record).expect("a form").len();
    assert!(size(&first_record()) <= 256, "{}", size(&first_record()));
    let largest = full_records().iter().map(size).max().expect("records");
    assert!(largest <= 4096, "{largest}");
}
