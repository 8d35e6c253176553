//! Values as they are written into a file.

use super::*;

#[test]
fn octets_are_written_as_they_would_be_read() {
    for octets in [&b"text 'x'"[..], b"\x00\xFF\x27\x0A", b"", b"\xE2\x82"] {
        let value = Value::Bytes(octets.to_vec());
        assert!(literal(&value).eq_ignore_ascii_case(&value.as_sql(false)), "{octets:?}");
    }
    assert_eq!(literal(&Value::Bytes(vec![0, 255])), "0x00FF");
    assert_eq!(literal(&Value::Int(-5)), "-5");
}
