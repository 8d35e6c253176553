//! Answers of a bounded size. Another program may have taken a database's socket, and may send rows without end.

use mysql_async::prelude::{AsQuery, FromRow, Protocol, Queryable as _, StatementLike};
use mysql_async::{Conn, Error, Params, QueryResult, Row, Value};

/// The most octets of one answer: enough for the description of tens of thousands of tables.
const MOST: usize = 64 << 20;
/// The overhead that is counted for each value.
const EACH: usize = 32;

fn octets(row: &Row) -> usize {
    let of = |place| match row.as_ref(place) {
        Some(Value::Bytes(bytes)) => bytes.len() + EACH,
        _ => EACH,
    };
    (0..row.len()).map(of).sum::<usize>() + EACH
}

/// Returns all rows of an answer. An answer that is longer than `MOST` is an error. The rest of it is not stored;
/// the driver reads it to its end before it closes the connection or uses it again.
async fn rows<T: FromRow + Send + 'static, P: Protocol>(
    mut answer: QueryResult<'_, '_, P>,
) -> Result<Vec<T>, Error> {
    let (mut found, mut room) = (Vec::new(), MOST);
    while let Some(row) = answer.next().await? {
        room = room.checked_sub(octets(&row)).ok_or_else(|| Error::Other("an answer without end".into()))?;
        found.push(mysql_async::from_row_opt(row).map_err(|e| Error::Other(e.to_string().into()))?);
    }
    Ok(found)
}

/// Queries with answers of a bounded size.
pub(crate) trait Bounded {
    /// Returns all rows of an answer.
    async fn all<T: FromRow + Send + 'static>(&mut self, question: impl AsQuery) -> Result<Vec<T>, Error>;

    /// Returns all rows of the answer to a query with values.
    async fn all_with<T: FromRow + Send + 'static>(
        &mut self,
        question: impl StatementLike,
        values: impl Into<Params> + Send,
    ) -> Result<Vec<T>, Error>;
}

impl Bounded for Conn {
    async fn all<T: FromRow + Send + 'static>(&mut self, question: impl AsQuery) -> Result<Vec<T>, Error> {
        rows(self.query_iter(question).await?).await
    }

    async fn all_with<T: FromRow + Send + 'static>(
        &mut self,
        question: impl StatementLike,
        values: impl Into<Params> + Send,
    ) -> Result<Vec<T>, Error> {
        rows(self.exec_iter(question, values).await?).await
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener, TcpStream};

    use super::*;
    use crate::mysql::at;

    fn packet(number: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        [&[length[0], length[1], length[2], number], body].concat()
    }

    /// Greets as MariaDB, accepts any account, and answers a query with rows without end; returns how many octets
    /// it sent.
    fn floods(mut stream: TcpStream, row: &[u8]) -> Option<usize> {
        let mut heard = [0; 4_096];
        let greeting = [
            &b"\x0a5.5.5-10.11.19-MariaDB\0\x07\0\0\0abcdefgh\0\x8D\xA2\x21\x02\0\x08\0\x15"[..],
            &[0; 10],
            b"ijklmnopqrst\0mysql_native_password\0",
        ];
        stream.write_all(&packet(0, &greeting.concat())).ok()?;
        let _ = stream.read(&mut heard).ok()?;
        stream.write_all(&packet(2, &[0, 0, 0, 2, 0, 0, 0])).ok()?;
        let _ = stream.read(&mut heard).ok()?;
        let column = b"\x03def\0\0\0\x01a\x01a\x0c\x21\0\xFF\xFF\0\0\xFD\0\0\0\0\0";
        let start = [packet(1, &[1]), packet(2, column), packet(3, &[0xFE, 0, 0, 2, 0])].concat();
        stream.write_all(&start).ok()?;
        let (mut sent, mut number) = (0, 4_u8);
        // Octets that the client does not read fill the buffers of the sockets; after that the write fails.
        stream.set_write_timeout(Some(std::time::Duration::from_secs(1))).ok()?;
        while sent < 8 * MOST && stream.write_all(&packet(number, row)).is_ok() {
            (sent, number) = (sent + row.len(), number.wrapping_add(1));
        }
        Some(sent)
    }

    /// Queries a server that floods; returns how much it sent.
    async fn asked(octets: usize) -> (Result<Vec<Row>, Error>, usize) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let length = u32::try_from(octets).unwrap().to_le_bytes();
        let row = [&[0xFD, length[0], length[1], length[2]][..], &vec![b'x'; octets]].concat();
        let flood = std::thread::spawn(move || floods(listener.accept().unwrap().0, &row));
        let options = at(address).user(Some("a")).pass(Some("b")).wait_timeout(Some(30));
        let mut conn = Conn::new(options).await.unwrap();
        let answer =
            tokio::time::timeout(std::time::Duration::from_secs(20), conn.all::<Row>("SELECT 1")).await;
        drop(conn);
        (answer.expect("it gives up"), flood.join().unwrap().unwrap_or_default())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn rows_without_end_are_given_up() {
        for octets in [4_000, 1 << 20, 12 << 20] {
            let (answer, sent) = asked(octets).await;
            assert!(answer.is_err(), "{octets}");
            println!("rows of {octets} octets: {sent} were sent");
        }
    }
}
