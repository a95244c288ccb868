//! Bodies that turn out to be an object, and bodies that do not.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::*;
use crate::verdict::Verdict;

const GRANT: &str = r#"{"access_token":"t","token_type":"bearer","expires_in":60}"#;
const REJECTION: &str = r#"{"error":"invalid_client","error_description":"no such client"}"#;

fn gzip(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::default());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn said(status: u16, coding: Option<&str>, body: impl AsRef<[u8]>) -> Verdict {
    let coding: Vec<_> = coding.map(|coding| ("content-encoding", coding)).into_iter().collect();
    judged(&with(&coding, answer(status, body)))
}

/// A grant and a rejection are recognized, however `clothe` encodes them.
fn assert_read(clothe: impl Fn(&str) -> Vec<u8>, coding: Option<&str>) {
    assert_eq!(grant(said(200, coding, clothe(GRANT))).access_token.expose(), "t");
    let told = said(401, coding, clothe(REJECTION));
    assert_eq!(name(&told), "Rejected");
    assert_eq!(failure(told).description.as_deref(), Some("no such client"));
    assert_eq!(name(&said(200, coding, clothe(REJECTION))), "Rejected");
}

#[test]
fn a_byte_order_mark_is_dropped() {
    assert_read(|body| [b"\xef\xbb\xbf", body.as_bytes()].concat(), None);
    assert_read(|body| format!("\u{feff} \r\n\t{body}\n").into_bytes(), None);
    let twice = format!("\u{feff}\u{feff}{GRANT}");
    assert_eq!(name(&verdict(200, twice)), "Transient", "as fetch() has it");
}

#[test]
fn gzip_is_read_whatever_the_header_says() {
    for coding in [None, Some("gzip"), Some("x-gzip"), Some("GZIP"), Some("br")] {
        assert_read(|body| gzip(body), coding);
        assert_read(|body| gzip([b"\xef\xbb\xbf", body.as_bytes()].concat()), coding);
    }
    // The header is wrong.
    for coding in ["gzip", "br", "identity", "utf-8"] {
        assert_read(|body| body.as_bytes().to_vec(), Some(coding));
    }
}

#[test]
fn gzip_that_is_cut_off_is_read_as_far_as_it_goes() {
    let whole = gzip(GRANT);
    // Without the checksum and the length at its end.
    assert_eq!(name(&verdict(200, &whole[..whole.len() - 8])), "Accepted");
    assert_eq!(name(&verdict(200, &whole[..whole.len() / 2])), "Transient");
    assert_eq!(name(&verdict(200, &whole[..3])), "Transient");
}

#[test]
fn gzip_that_is_damaged_is_no_answer() {
    let mut damaged = gzip(GRANT);
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let told = verdict(200, &damaged);
    assert_eq!(name(&told), "Transient");
    assert!(failure(told).message.contains("whose gzip is damaged"));
    assert_eq!(name(&verdict(401, &damaged)), "Refused");
}

#[test]
fn gzip_becomes_no_larger_than_a_body_may_be() {
    let filled = |bytes: usize| format!("{GRANT}{}", " ".repeat(bytes - GRANT.len()));
    assert_eq!(name(&verdict(200, gzip(filled(LARGEST_BODY)))), "Accepted");
    let told = verdict(200, gzip(filled(LARGEST_BODY + 1)));
    assert_eq!(name(&told), "Transient");
    assert!(failure(told).message.contains("more than 1 MiB when it is decompressed"));
}

#[test]
fn a_few_bytes_that_become_many_are_stopped_on_the_way() {
    let mut bomb = GzEncoder::new(vec![], Compression::best());
    let blanks = vec![b' '; LARGEST_BODY];
    (0..32).for_each(|_| bomb.write_all(&blanks).unwrap());
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < LARGEST_BODY / 16);
    let told = failure(verdict(401, &bomb));
    assert!(told.message.contains("more than 1 MiB when it is decompressed"), "{told}");
    // What comes after the limit is never read, however damaged it is.
    let [mut cut, mut damaged] = [bomb.clone(), bomb];
    cut.truncate(cut.len() / 2);
    damaged.iter_mut().rev().take(64).for_each(|byte| *byte = 0xff);
    for broken in [cut, damaged] {
        let told = failure(verdict(401, broken));
        assert!(told.message.contains("more than 1 MiB when it is decompressed"), "{told}");
    }
}

#[test]
fn a_coding_that_is_not_read_is_named() {
    let mut deflate = ZlibEncoder::new(vec![], Compression::default());
    deflate.write_all(GRANT.as_bytes()).unwrap();
    let deflated = deflate.finish().unwrap();
    let zstd = b"\x28\xb5\x2f\xfd\x04\x00\x01\x00\x00".to_vec();
    for (coding, body) in [("deflate", &deflated), ("br", &vec![0x1b, 0x2a, 0]), ("zstd", &zstd)] {
        for (status, verdict) in
            [(200, "Transient"), (400, "Transient"), (401, "Refused"), (429, "Throttled")]
        {
            let told = said(status, Some(coding), body);
            assert_eq!(name(&told), verdict);
            let message = failure(told).message;
            assert!(message.contains(&format!("in the content coding {coding}, ")), "{message}");
        }
    }
    let quoting = format!("br, {SECRET}");
    let message = failure(said(200, Some(&quoting), "?")).message;
    assert!(message.contains("br, [redacted]"), "{message}");
}

#[test]
fn bytes_that_are_no_utf_8_are_replaced() {
    let body = b"{\"error\":\"invalid_client\",\"error_description\":\"ung\xfcltig\"}";
    let told = verdict(400, body);
    assert_eq!(name(&told), "Rejected");
    assert_eq!(failure(told).description.as_deref(), Some("ung\u{fffd}ltig"));
    // Not in a token, which would become another one.
    let body = b"{\"access_token\":\"t\xfc\",\"expires_in\":60}";
    assert_eq!(name(&verdict(200, body)), "Misconfigured");
}

#[test]
fn half_a_surrogate_pair_is_replaced() {
    for (escaped, shown) in [
        (r"\ud83d", "\u{fffd}"),
        (r"\udcff", "\u{fffd}"),
        (r"\uD83D\ud83d\ude00", "\u{fffd}😀"),
        (r"\ud83d\ude00\ude00", "😀\u{fffd}"),
        (r"\\ud83d", r"\ud83d"),
        (r"\\\ud83d!", "\\\u{fffd}!"),
        (r"\u00e9\ud800\u0041", "é\u{fffd}A"),
    ] {
        let body = format!(r#"{{"error":"invalid_client","error_description":"{escaped}"}}"#);
        assert_eq!(failure(verdict(400, &body)).description.as_deref(), Some(shown), "{escaped}");
    }
    for broken in [r"\ud83", r"\ud8", r"\u", r"\x", "\\", r"\u+fff", r"\é"] {
        let body = format!(r#"{{"error":"invalid_client","error_description":"{broken}"}}"#);
        assert_eq!(name(&verdict(400, &body)), "Transient", "{broken}");
        let cut = format!(r#"{{"error":"invalid_client","error_description":"{broken}"#);
        assert_eq!(name(&verdict(400, &cut)), "Transient", "{broken}");
    }
}

#[test]
fn of_two_members_with_one_name_the_last_counts() {
    let body = r#"{"access_token":"a","expires_in":1,"access_token":"b","expires_in":60}"#;
    let granted = grant(verdict(200, body));
    assert_eq!(granted.access_token.expose(), "b");
    assert_eq!(granted.lifetime, Duration::from_secs(60));
    assert_eq!(name(&verdict(200, r#"{"access_token":"a","access_token":null}"#)), "Misconfigured");
    assert_eq!(name(&verdict(400, r#"{"error":"invalid_client","error":"no"}"#)), "Ambiguous");
}

#[test]
fn members_that_mean_nothing_may_be_anything() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!("{}1{}", r#"{"detail":"#.repeat(50_000), "}".repeat(50_000));
    for odd in ["1e400", "-1e999", r#""\ud800""#, "[[[[]]]]", &deep, &nested] {
        let body = format!(
            r#"{{"access_token":"t","expires_in":60,"x":{odd},"errors":{odd},"detail":{odd}}}"#
        );
        assert_eq!(name(&verdict(200, body)), "Accepted");
    }
    let body =
        format!(r#"{{"error":"invalid_client","detail":{deep},"fault":{nested},"errors":{deep}}}"#);
    assert_eq!(name(&verdict(400, body)), "Rejected");
}

#[test]
fn only_an_object_is_an_answer_and_nothing_may_follow_it() {
    for body in [
        format!("[{GRANT}]"),
        format!("{GRANT}\0"),
        format!("{GRANT}{GRANT}"),
        format!("{GRANT}<!-- cached -->"),
        format!(")]}}',\n{GRANT}"),
        format!("\u{a0}{GRANT}"),
        GRANT.replace('"', "'"),
        GRANT.replace('}', ",}"),
        GRANT.replace("t\"", "t\n\""),
        r#""text""#.to_owned(),
        "7".to_owned(),
        "null".to_owned(),
        "true".to_owned(),
    ] {
        assert_eq!(name(&verdict(200, &body)), "Transient", "{body}");
        assert!(!answer(200, &body).is_whole());
    }
}

#[test]
fn an_object_is_whole_with_its_last_brace() {
    assert!(answer(200, GRANT).is_whole());
    assert!(answer(200, gzip(GRANT)).is_whole());
    for end in 0..GRANT.len() {
        assert!(!answer(200, &GRANT[..end]).is_whole(), "{end}");
    }
}
