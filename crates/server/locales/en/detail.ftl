# One database in detail
arrow-missing = { $count ->
    [0] nothing missing
    [one] 1 transaction missing
   *[other] { $count } transactions missing
}
detail-again = Ask again
detail-as-of = asked at { $time }
detail-id = server and domain { $id }, place { $slot } in the auto-increment sequence
detail-log = The end of its error log
detail-log-all = All its logs
detail-no-engine = Cordée’s engine did not answer in time.
detail-not-asked = It could not be asked.
detail-not-asked-help = Its threads, positions, settings, accounts and connections are therefore not shown. What stands below is known without it.
detail-pid = process { $pid }
standing-diverged = left out: holds data of its own
standing-joining = joining
standing-leaving = leaving
standing-member = member
standing-returning = being compared

# What to do
do-alone = Look at the threads below: they say which direction stands and why. Until it runs again, this database and the others grow apart.
do-behind = Look at the connections: one long statement is the usual reason. It catches up by itself; until then do not make it the writer.
do-blocked = Its disk may be full, or a lock is held: look at its error log and at the longest statement below.
do-closed = Nothing writes until it opens. The reason above says what it waits for.
do-copy-failed = Have { $name } copied again, or remove it and add it again. A database whose rows are known to differ is not copied.
do-diverged = Save what only { $name } holds (the file named above), then have it copied again from the writer.
do-down = Look at its error log below, then start it again. The others go on.
do-frozen = Its process is suspended, by a signal or a debugger. To resume it: kill -CONT with the number above. Or restart it.
do-full = Look below at who holds the connections. Restarting the web servers frees theirs.
do-open = Two databases take writes. Cordée closes { $name } by itself; if it stays open, stop it.
do-replication = The threads below name the error and say what to do. The database keeps what it has; it falls further behind meanwhile.
do-rows = The tables and rows that differ are listed below. Take one side’s rows, or have { $name } copied again.
do-stopped-writer = Start { $name }: it takes the writes again once it is open.
do-stopped = Start { $name }: it then catches up by itself.
do-unknown = Wait a moment. If it stays so, look at its error log below, and at Cordée’s own.
do-unprotected = Look at the standbys: one that runs and has caught up is enough for the promise to come back.
do-writer-down = If it does not come back by itself, make a standby the writer; where one holds everything, Cordée does that itself.

# The three truths
tables-help = By hand, a row is repaired on the wrong database only: SET sql_log_bin=0 first, then the change. Compare again afterwards.
tables-title = Not proven equal
tables-title-differ = Tables that differ
truth-age = compared { $age } ago; later writes are not covered
truth-alone = No other one
truth-alone-why = there is no second database to exchange writes with
truth-ask-links = Do the links run?
truth-ask-positions = Are the positions caught up?
truth-ask-rows = Are the data equal?
truth-behind = { $count ->
    [one] No: 1 transaction missing here
   *[other] No: { $count } transactions missing here
}
truth-caught-up = Yes: nothing is missing on either side
truth-caught-up-partly = As far as known
truth-caught-up-partly-why = not asked: { $names }
truth-comparing = Being compared now
truth-comparing-why = { $rows ->
    [one] 1 row so far
   *[other] { $rows } rows so far
}
truth-delay = { $ms } ms from a commit until it was applied here
truth-delay-unknown = the delay has not been measured
truth-differs = { $count ->
    [one] No: 1 table differs
   *[other] No: { $count } tables differ
}
truth-differs-why = of { $tables } compared with { $with } by checksum
truth-equal = Yes, by checksum
truth-equal-why = { $rows ->
    [one] { $rows } row
   *[other] { $rows } rows
} of { $tables ->
    [one] { $tables } table
   *[other] { $tables } tables
}, compared with { $with }
truth-failed-why = the last comparison came to no end: { $why }
truth-late = Complete, but late
truth-links-broken = No
truth-links-broken-why = { $count } of { $all ->
    [one] { $all } direction
   *[other] { $all } directions
} stopped: { $names }
truth-links-run = Yes, in both directions
truth-links-run-why = { $count ->
    [one] 1 link, its receiving and its applying thread
   *[other] { $count } links, each with its receiving and its applying thread
}
truth-links-unknown = In part not known
truth-links-unknown-why = not asked: { $names }
truth-never = Not compared yet
truth-never-why = running links and equal positions do not prove equal rows
truth-of = { $name }: { $why }
truth-others-behind = Complete here, not on all others
truth-others-behind-why = missing on { $names }
truth-positions-unknown-why = not asked: { $names }
truth-read = asked at { $time }
truth-unknown = Not known
truth-unproven = { $count ->
    [one] 1 table could not be compared
   *[other] { $count } tables could not be compared
}
truth-unproven-why = no difference in the other { $count ->
    [one] one
   *[other] { $count }
} ({ $rows ->
    [one] { $rows } row
   *[other] { $rows } rows
}), compared with { $with }
truth-wanted = About to be compared
truth-wanted-why = begins when the database follows the writer closely
truths-compare = Compare now
truths-help = none of them follows from another
truths-title = Three truths

# Rows that differ
row-changed = other values on { $name }
row-extra = only on { $name }
row-lacking = missing on { $name }
rows-at-least = { $count ->
    [one] { $count } row differs, or more
   *[other] { $count } rows differ, or more
}: it was not read to its end
rows-differ = { $count ->
    [one] 1 row differs
   *[other] { $count } rows differ
}
rows-no-table = the table is missing on { $names }
rows-structure = columns or primary key are others on { $names }
rows-unproven = neither proven equal nor different: { $why }

# Both ways
pairs-none = There is no other database.
pairs-title = Replication both ways

# The promise
promise-alone-why = There is no other database: what was written since the last backup is lost with this one.
promise-fallen-why = A receipt took too long, so MariaDB goes on without. What no standby has received is lost if this database is lost now.
promise-kept = In force
promise-kept-why = { $count ->
    [one] A commit is acknowledged only after the one standby that confirms has received it.
   *[other] A commit is acknowledged only after one of { $count } confirming standbys has received it.
}
promise-no-receipts = It confirms nothing
promise-nobody-why = No standby confirms. What none has received is lost if this database is lost now.
promise-none = Not in force
promise-off-why = It is not switched on yet: Cordée does so once a standby has caught up. What no standby has received is lost if this database is lost now.
promise-receipts = It confirms what it receives
promise-second-why = Only the writer waits for receipts. What was written here and has reached no other database is lost if this one is lost now.
promise-standby-why = The writer acknowledges a commit once a standby has confirmed its receipt.
promise-title = What a commit is worth now

# Threads and their errors
error-1032 = A row that was changed or deleted on the other database is not here.
error-1032-do = The data differ. Take the writer’s rows (“Put right what differs” on this page): the missing row comes back. In doubt have the database copied again.
error-1045 = The other database refused the account by which this one copies it.
error-1045-do = Restart the other database: Cordée’s accounts belong to its data. If it stays so, somebody changed the password of cordee_repl.
error-1062 = A row that was added on the other database is here already, with the same key.
error-1062-do = Somebody wrote here past the writer. Compare the two rows, then take the writer’s (“Put right what differs” on this page): the one that stands here is kept in a file. In doubt have the database copied again.
error-1236 = The other database no longer has the part of its binary log that is missing here.
error-1236-do = Catching up is not possible any more: have this database copied again.
error-1593 = An event came without the mark of semi-synchronous replication that was expected, or with one that was not.
error-1593-do = Nothing: it is received again, whole. It happens when another link of the same database stops.
error-1950 = A transaction came with a number that is not higher than the last one of its domain.
error-1950-do = Somebody wrote here past Cordée, or a database was restored from a backup. Compare the rows; in doubt have the database copied again.
error-2003 = The other database cannot be reached, or went away.
error-2003-do = It is tried again every second. If the other one should run, look at its page.
error-number = Error
error-other = An error that Cordée has no words for.
error-other-do = MariaDB’s own words and the error log below say more. The link stands until somebody has dealt with it.
error-words = In MariaDB’s words:
thread-applies = Applying
thread-connects = connecting
thread-received = Received up to
thread-receives = Receiving
thread-runs = runs
thread-stands = stands
threads-from = Copies
threads-none = It copies no other database.
threads-title = Threads and errors

# Positions
domain-gone = a removed database
position-applied = Applied
position-domain = Domain
position-logged = In its log
position-whose = Written by
positions-help = The last number of each domain. Each database writes in a domain of its own.
positions-title = Positions

# Accounts
accounts-help = passwords are not read
accounts-title = Accounts
fence-passes = Walks through the fence: with READ_ONLY ADMIN it writes to a closed database, and what it writes there is copied to the others. Take the right away from it or from its role: REVOKE READ_ONLY ADMIN ON *.*
fence-super = Holds SUPER: before MariaDB 10.11 that writes to a closed database. Nothing of the site needs it.
may-all = everything, on everything
may-everywhere = on everything: { $rights }
may-nothing = no rights of its own
may-schemas = { $count ->
    [one] on the schema { $names }
   *[other] on the schemas { $names }
}

# Settings
set-checks = Rows that a foreign or unique key forbids are refused, on each database alike.
set-connections = Fewer would be used up by web servers at their busiest.
set-do-restart = Restart { $name }: Cordée writes the setting into its file at each start.
set-do-statement = Run there: SET GLOBAL { $name } = { $value }; and see to its file.
set-do-wait = Cordée sets it by itself; if it stays so, the reason stands in the status.
set-duplicates = A transaction that comes over two links is applied once.
set-durable = A commit is on the disk before it is acknowledged.
set-exec = A link stops at a conflict instead of passing over it.
set-expire = A database that was away for that long still catches up; after it only a new copy helps.
set-id = Its own, never used twice: events with a reused one are skipped in silence.
set-packet = What one database takes, each takes: a long value would be refused after a change of writer.
set-packet-links = Long values come over the links too; one that is too long stops them.
set-infile = A client is not asked for files of its own.
set-log = What it writes stands in its log: the others copy it from there.
set-net-timeout = A frozen database is noticed after so many seconds.
set-parallel = What was received is applied quickly when it has to take over.
set-read-only = Closed to the application, unless it takes writes.
set-read-only-file = It starts closed: only Cordée opens it.
set-receipts = It confirms to the writer what it receives.
set-row = Rows are copied, not statements: both sides get the same values.
set-row-image = All columns are copied: a difference shows instead of staying hidden.
set-scheduler = Scheduled events run on the writer, from the moment it is open, and nowhere else.
set-semi-sync = The writer waits for a standby’s receipt.
set-semi-timeout = Milliseconds after which the writer goes on without a receipt.
set-slots = One database writes: rows are numbered one after the other. Where all write, each numbers in steps of its own, so that two never give the same number.
set-trust = An account of the application’s may create triggers and functions: rows are copied, not statements, so they do the same on each database.
set-strict = Numbers of transactions only grow: a write past Cordée is noticed.
set-updates = What it copies stands in its own log: it can hand it on as the writer.
set-wait-nobody = Without a standby writes go on at once.
set-wait-point = A standby has a commit before anybody can see it.
set-zone = Times mean the same on each database.
setting-actual = Is
setting-expected = Should be
setting-name = Setting
setting-why = Why
settings-all = Details and impact
settings-differ = Differing:
settings-fine = All as they should be
settings-title = Settings

# Connections
crowd-busy = at work
crowd-connections = { $count } of { $most }, this page’s question included
crowd-open = { $count } open
crowd-own = { $count ->
    [one] { $count } thread of MariaDB’s own, not counted
   *[other] { $count } threads of MariaDB’s own, not counted
}
crowd-replication = replication
crowd-secret = (a statement with a password, not shown)
crowds-title = Connections now

# The connection test
test-fail-apply = { $on } receives what { $from } writes, but does not apply it. Its page says why.
test-fail-beat-none = No heartbeat of { $from } has ever arrived on { $on }. Look at the threads on its page.
test-fail-beat-old = The last heartbeat of { $from } arrived on { $on } { $seconds } s ago. Look at the threads on its page.
test-fail-closes = It closes the connection at once, without a word. It may be about to stop, or refuse this machine: look at its error log.
test-fail-cut = The connection was cut in the middle. Look at its error log: it may have stopped just now.
test-fail-disk = It cannot write: its disk is full (error { $code }). Free some space there.
test-fail-garbage = What listens there is not a database. Check address and port.
test-fail-host = It refuses this machine (error { $code }). Allow the address for the account, or run FLUSH HOSTS after too many broken connections.
test-fail-http = A web server listens there, not a database. Check the port.
test-fail-link-error = { $on } stopped copying { $from } with error { $code }. Its page says what that means.
test-fail-lock = The row or table is locked by somebody else (error { $code }). Look at the longest statement on its page.
test-fail-many = It has no connection left (error { $code }). Its page shows who holds them; max_connections sets how many there are.
test-fail-missing = The schema or table is not there (error { $code }). Cordée makes it on the writer; on a standby it comes by replication.
test-fail-mysql = It is not MariaDB (it says { $version }). Cordée runs MariaDB only: its transactions are numbered otherwise.
test-fail-name = The name { $name } was not found. Check its spelling, or add it to the name service of this machine.
test-fail-name-unusable = The name { $name } stands for an address that no server may have: link-local, multicast, or nobody’s.
test-fail-no-link = { $on } does not copy { $from }. Cordée makes the link by itself; if it stays so, the journal says why.
test-fail-old = It is too old (it says { $version }): Cordée needs MariaDB 10.5 or newer.
test-fail-open = It took a write, although it is a standby: it should be closed. The row was taken back. Cordée closes it by itself; if it stays open, stop it.
test-fail-password = The account or its password was refused (error { $code }). MariaDB says the same when it accepts only encrypted connections (require_secure_transport), which Cordée does not make.
test-fail-plugin = It asks for a way of signing in that Cordée does not know. Use mysql_native_password or ed25519 for the account.
test-fail-protocol = It answered something that is not the protocol of a database. Check what listens on that port.
test-fail-read-only = It is closed to writes (error { $code }), although it should take them. Its status says what it waits for.
test-fail-receive = { $on } does not receive what { $from } writes. Its page says why.
test-fail-refused = Nothing listens on port { $port }. Start the server, or check the port.
test-fail-right = The account lacks a right (error { $code }). It needs SELECT, INSERT, UPDATE and DELETE on its schema.
test-fail-rights = { $user } lacks { $rights } on its schema. Grant what is missing.
test-fail-silent = The connection stands, but the server says nothing: it is frozen, or is no database. A database speaks first.
test-fail-timeout = No answer within { $seconds } s. It is frozen or overloaded, or a firewall swallows the packets.
test-fail-tls = It accepts only encrypted connections (error { $code }), which Cordée does not make.
test-fail-too-many = { $user } may too much: with SUPER, READ_ONLY ADMIN or ALL on everything it writes to closed databases. Revoke these rights.
test-fail-unreachable = The machine cannot be reached. Check its address and the network.
test-fail-version = It does not say which version it is (“{ $version }”). Check what listens on that port.
test-fail-wants-file = It asked for a file of this machine instead of answering. It got nothing. That is no honest database: check who listens there.
test-fail-wants-password = It asked for the password in clear text. It did not get it. That is no honest database, or one set up so: check who listens there.
test-handshake = Greeting
test-handshake-done = It says that it is MariaDB { $version }.
test-replication = Replication
test-replication-alone = There is no other running database to exchange writes with.
test-replication-done = { $count ->
    [one] Runs in both directions with one other database; the oldest heartbeat that arrived is { $ms } ms old.
   *[other] Runs in both directions with { $count } other databases; the oldest heartbeat that arrived is { $ms } ms old.
}
test-rights = Rights
test-rights-done = The account may read and write its schema, and nothing else.
test-rights-more = The account may read and write its schema. It also holds rights on everything that it does not need: { $rights }.
test-write = Write
test-write-done = A row was written and taken back.
test-write-refused = A write is refused, as it must be on a standby (error 1290).
do-unproven = The tables that could not be compared stand below, each with its reason. What was compared is equal. They can be neither compared nor repaired: in doubt, have the database copied again, which carries them.
do-keyless = Give these tables a primary key (ALTER TABLE … ADD PRIMARY KEY). They are copied like all others, but nobody can prove it.
do-schema = Cordée makes them again by itself. If it goes on, look at the log of { $name } and at what its disk has left.
do-memory = Make them InnoDB tables (ALTER TABLE … ENGINE=InnoDB), unless their rows may be lost.
