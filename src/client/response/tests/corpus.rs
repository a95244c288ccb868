//! The answers in `fuzz/corpus/response`, with which fuzzing begins.

use std::fs;
use std::path::Path;

use super::*;

/// A file is named after its verdict. It holds a status, headers, an empty line, and the body.
fn parse(bytes: &[u8]) -> TokenResponse {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
    let (head, body) = (String::from_utf8(bytes[..end].to_vec()).unwrap(), &bytes[end + 2..]);
    let mut lines = head.lines();
    let status = lines.next().unwrap().parse().unwrap();
    let list: Vec<_> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    with(&list, answer(status, body))
}

#[test]
fn every_kept_answer_has_its_verdict_and_shows_no_secret() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/response");
    let mut count = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        let (expected, _) = file.split_once('-').unwrap();
        let told = judged(&parse(&fs::read(&path).unwrap()));
        assert_eq!(name(&told).to_lowercase(), expected, "{file}: {told:?}");
        let text = format!("{told:?}");
        let hidden = sent(&credential());
        let shown = hidden.iter().find(|it| text.contains(it.expose()));
        assert!(shown.is_none(), "{file}: {text}");
        count += 1;
    }
    assert!(count > 60, "{count}");
}
