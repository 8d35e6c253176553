## A link that stopped at a row

conflict-column = Column
conflict-title = { $from } is not copied any further: { $table }, { $key }
conflict-title-bare = { $from } is not copied any further
conflict-there = On { $name }
conflict-here = On { $name } (this database)
conflict-none = no such row
conflict-wanted = What { $name } did there
conflict-no-row = The row that was to be changed or removed is not on this database.
conflict-unknown = The row of { $table } cannot be found by what MariaDB says about it.
repair-many = more than { $count } rows stand in the way of what it receives from { $from }: copy it again

ask-repair-writer = Take the rows of { $writer } on { $name }
ask-repair-writer-lead = The site stays up. Wherever { $name } differs from { $writer }, it gets the row of { $writer }.
ask-repair-writer-after = { $name } holds what { $writer } holds, and was compared with it.
ask-repair-this = Take the rows of { $name } everywhere
ask-repair-this-lead = The site stays up, with other values: wherever { $name } differs from { $writer }, the row of { $name } is written on { $writer } and on all others.
ask-repair-this-after = All hold what { $name } holds now, where it differs.
ask-repair-more = Nothing else is touched. Each row is held still for some milliseconds while it is written.
ask-repair-meanwhile = The site reads and writes as before.
ask-back-repair = Both versions of every row are in a file under lost/ first: they can be written back by hand.

status-not-copied = Not copied
reason-not-copied = { $name } does not copy it any further: error { $code }
do-not-copied = Look at the database that stopped copying: what is written here is not there until its row is put right.

repair-slow = rows of { $table } take longer to write than they may be held still: have the database copied again
repair-unique = rows of { $table } stand in each other’s way (a unique key): copy the database again
repair-refused = the database does not take a row of { $table } (error { $code }): copy the database again
event-not-repaired = { $name }: rows of { $table } were not put right: { $why }
event-repair-failed = { $name }: the repair has ended without success, and is not tried again by itself: { $why }
repair-overtaken = another database has become the writer since it was asked for; ask again if it is still what you want
