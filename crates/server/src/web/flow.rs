//! A stream of events, compressed with gzip as it is sent: each message can be decompressed as soon as it arrives.
//! The first message lists every server, in words that are mostly the same.

use std::io::{self, Write as _};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt as _, stream};

/// Returns the same answer, compressed.
pub fn pack(answer: Response) -> Response {
    let (mut head, body) = answer.into_parts();
    head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    head.headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let packer = GzEncoder::new(Vec::new(), Compression::default());
    let pieces = stream::unfold((body.into_data_stream(), Some(packer)), |(mut pieces, packer)| async move {
        let mut packer = packer?;
        let piece = match pieces.next().await {
            Some(Ok(piece)) => piece,
            Some(Err(error)) => return Some((Err(error), (pieces, None))),
            None => {
                return Some((packer.finish().map(Bytes::from).map_err(axum::Error::new), (pieces, None)));
            }
        };
        match take(&mut packer, &piece) {
            Ok(sent) => Some((Ok(sent), (pieces, Some(packer)))),
            Err(error) => Some((Err(axum::Error::new(error)), (pieces, None))),
        }
    });
    Response::from_parts(head, Body::from_stream(pieces))
}

/// Compresses a piece so that all of it can be decompressed from what was sent by then.
fn take(packer: &mut GzEncoder<Vec<u8>>, piece: &[u8]) -> io::Result<Bytes> {
    packer.write_all(piece)?;
    packer.flush()?;
    Ok(std::mem::take(packer.get_mut()).into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::write::GzDecoder;
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn each_message_is_whole_as_soon_as_it_came() {
        let messages = ["event: beat\ndata: {}\n\n", "event: over\ndata: null\n\n"];
        let pieces = stream::iter(messages.map(|m| Ok::<_, io::Error>(Bytes::from(m))));
        let answer = pack(Response::new(Body::from_stream(pieces)));
        assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
        let (mut body, mut unpacker) = (answer.into_body(), GzDecoder::new(Vec::new()));
        for message in messages {
            let piece = body.frame().await.expect("a piece").expect("whole").into_data().expect("octets");
            unpacker.write_all(&piece).expect("unpacked");
            unpacker.flush().expect("unpacked");
            assert_eq!(String::from_utf8_lossy(&std::mem::take(unpacker.get_mut())), message);
        }
        let end = body.frame().await.expect("an end").expect("whole").into_data().expect("octets");
        unpacker.write_all(&end).expect("unpacked");
        assert!(unpacker.finish().expect("a whole file").is_empty());
        assert!(body.frame().await.is_none());
    }
}
