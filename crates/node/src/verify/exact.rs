//! A dump writes a FLOAT with six of the nine digits that are needed to restore it, and an invalid ENUM value as
//! the member ''. After such a copy the exact values are written on the new database, to which no other client
//! writes yet. Later changes of the donor come over the channels, as whole rows, after what is written here.

use std::collections::BTreeMap;

use cordee_domain::db::verify::sql::{Lossy, Reader};
use cordee_domain::db::verify::{Chunk, TableName};
use cordee_domain::text;
use cordee_domain::text::Text;

use super::Node;
use super::session::{Session, Snag};

/// How many rows are looked at in one piece, at first.
const PIECE: u64 = 2_000;
/// The time limit in seconds for writing the rows of one piece.
const WRITTEN: f32 = 20.0;

/// Makes those columns on `into` equal to those on `from`. Nothing of it is logged.
pub async fn exact(
    from: &Node,
    into: &Node,
    lossy: &BTreeMap<TableName, Vec<Lossy>>,
    cancelled: &(dyn Fn() -> bool + Send + Sync),
) -> Result<(), Text> {
    if lossy.is_empty() {
        return Ok(());
    }
    let (mut source, mut target) = (Session::quiet(from).await?, Session::quiet(into).await?);
    target.write_quietly().await.map_err(|fault| target.sentence(fault))?;
    let tables = source.tables().await.map_err(|fault| source.sentence(fault))?;
    for (name, columns) in lossy {
        // A table that was dropped since is dropped on the new database, too.
        let Some(table) = tables.get(name) else { continue };
        let reader = Reader::new(name, table)?;
        table_of(&mut source, &mut target, &reader, columns, cancelled).await.map_err(
            |fault| match fault {
                Snag::Gone(why) => why,
                Snag::Refused(code) => text!("copy-float-refused", table = name.to_string(), code = code),
                Snag::Slow | Snag::Altered => text!("copy-float", table = name.to_string()),
            },
        )?;
    }
    Ok(())
}

async fn table_of(
    source: &mut Session,
    target: &mut Session,
    reader: &Reader,
    columns: &[Lossy],
    cancelled: &(dyn Fn() -> bool + Send + Sync),
) -> Result<(), Snag> {
    let (mut rest, mut size) = (Chunk::default(), PIECE);
    loop {
        if cancelled() {
            return Err(Snag::Gone(text!("copy-cancelled")));
        }
        let step = async {
            let mut piece = rest.clone();
            piece.up_to = source.boundary(reader, &rest, size).await?;
            let rows = source.altered_by_dump(reader, &piece, columns).await?;
            Ok::<_, Snag>((piece, rows))
        };
        let (piece, rows) = match step.await {
            Err(Snag::Slow) if size > 1 => {
                size /= 8;
                continue;
            }
            step => step?,
        };
        target.begin(WRITTEN).await?;
        for row in rows {
            target.make_exact(reader, columns, row).await?;
        }
        target.commit().await?;
        if piece.up_to.is_none() {
            return Ok(());
        }
        rest.after = piece.up_to;
    }
}
