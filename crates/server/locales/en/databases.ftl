# Who writes, who follows, and what happens when the writer is lost.

# Refusals
problem-handover = { $name } is becoming the writer right now: wait until that is over.
problem-not-member = { $name } does not copy the others at the moment: it cannot become the writer.
problem-promote-stopped = { $name } is stopped: start it first, and let it catch up.
problem-routing-sequences = Not all databases may write yet: { $why }.
problem-routing-unknown = The routing is “one-writer” or “all-writers”.
problem-writer = { $name } takes the writes: make { $candidate } the writer first, then stop or restart { $name }.
problem-writer-already = { $name } is the writer already.

# What was asked, what was decided
event-all-writers = All databases take writes from now on
event-elected = { $name } is the writer now, in place of the one that was lost (epoch { $epoch })
event-gap = { $name } takes the writes; nobody could write for at most { $ms } ms
event-handed-over = { $name } is the writer now (epoch { $epoch })
event-one-writer = One database takes the writes from now on
event-promote = { $name } is to become the writer
event-promote-abandoned = { $name } did not become the writer: { $why }
event-promote-loss = { $name } is to become the writer, even if writes are lost
event-readmitted = { $name } holds what the others hold, by its log: it follows again, and its rows are compared
event-setting = { $name }: { $setting } was { $was }; it is set to { $value } again
event-numbers-apart = { $name } numbers new rows in steps of { $step } from place { $place } ({ $was } before); the connections that there were have ended
event-numbers-dense = { $name } numbers new rows one after the other ({ $was } before)
event-events-away = { $name }: { $count ->
    [one] one scheduled event runs elsewhere
   *[other] { $count } scheduled events run elsewhere
} from now on
event-events-on = { $name }: { $count ->
    [one] one scheduled event runs
   *[other] { $count } scheduled events run
} there from now on
event-zones = { $name } knows this machine’s time zones by name
event-link-reset = { $name }: the link from { $from } had been altered ({ $was }); it is set up anew
event-renumbered = Somebody reset the log of { $name } (RESET MASTER); its numbers go on after { $after }
event-accounts = { $name }: somebody altered the account { $what }; it is as it was again
event-doubted = Somebody reset the log of { $by }: { $name } may lack what { $by } wrote until its numbers went on; its rows are compared
event-links-freed = { $name }: its links waited for one that is gone (a fault of MariaDB); they go on
event-set-back = The position of { $name } claimed transactions that its log does not have: it was set back to the log
decision-not-stored = the decision could not be stored
decision-refused = the decision was overtaken by another

# The writer is lost
failover-applying = { $name } is applying what it received: { $count } to go
failover-asking = the databases that copied { $name } are being asked what they received
failover-behind = { $count ->
    [one] a write of { $name } that it may have acknowledged is on no other database
   *[other] { $count } writes of { $name } that it may have acknowledged are on no other database
}
failover-cannot-apply = the database that received the last writes of { $name } cannot apply them
failover-cut-off = { $name } is silent and may still live: a person decides (promote another one, accepting a loss)
failover-no-promise = nobody else surely holds every write that { $name } acknowledged
failover-standby-away = { $name } may hold the last acknowledged writes, and does not answer
reason-writer-gone = { $why }; { $and }

# A planned change of writer
handover-away = { $name } does not answer
handover-catching-up = { $name } is catching up: { $count } to go
handover-late = { $name } was not ready within 10 s
handover-link = { $name } does not receive from { $from }
handover-proxy = HAProxy is being told to send nobody to the databases

# Not opened yet
wait-catching-up = { $name } still lacks { $count } from { $peer }
wait-fetching-own = { $count ->
    [one] { $name } gets back a transaction of its own that a crash took from it
   *[other] { $name } gets back { $count } transactions of its own that a crash took from it
}
wait-numbers = before { $name } is opened, new rows of { $peer } get numbers that no other database gives
wait-near = { $name } is not close enough behind { $peer } yet

# Status
status-blocked = Cannot write
reason-blocked = writes are refused or wait for a lock
status-diverged = Diverged
reason-diverged = { $count ->
    [one] a transaction that no other database has is saved in { $file }
   *[other] { $count } transactions that no other database has are saved in { $file }
}
reason-diverged-lacks = it lacks transactions of its own that the others hold, or kept some that they lack
status-log-reset = Log reset
reason-log-reset = { $count ->
    [one] its log lacks a transaction of its own that came back to it: somebody reset the log or put an old one in its place. Copy it again
   *[other] its log lacks { $count } transactions of its own that came back to it: somebody reset the log or put an old one in its place. Copy it again
}
reason-log-reset-writer = { $count ->
    [one] somebody reset its log; its numbers are being continued past the last one that the others know
   *[other] somebody reset its log ({ $count } transactions); its numbers are being continued past the last one that the others know
}
status-altered = Altered
reason-setting = { $name } is { $was }, and should be { $value }. { $remedy }
reason-account-lacks = the account { $what } is not as the cluster needs it, and could not be put right
reason-account-passes = the account { $name } may write to a closed database ({ $right }). Run there: REVOKE { $right } ON *.* FROM { $name }@127.0.0.1
failover-doubted = { $name } may lack acknowledged writes: its rows have to be compared or copied first
status-may-lack = May lack rows
reason-may-lack = { $count ->
    [one] it may lack rows, and a table could not be compared. Copy it again
   *[other] it may lack rows, and { $count } tables could not be compared. Copy it again
}
status-comparing = Being compared
reason-doubted = it may lack rows: they are compared with the writer’s before it counts as in sync
status-full = Too many connections
reason-too-many = { $most ->
    [one] the only connection is taken
   *[other] { $count } of { $most } connections are taken
}
status-handing-over = Handing over
reason-handing-over = { $name } becomes the writer
status-returning = Returning
reason-returning = what its log holds is being compared with what the others hold of it
status-unprotected = Unprotected
reason-no-promise = if it dies now, its last writes may be lost: no other database confirms that it has received them
reason-promise-soon = no other database confirms its writes yet; that takes a few seconds

# A database joins, leaves, is copied again
copy-cancelled = the copy was cancelled
copy-failed = the copy failed, and no program said why (log/copy.log)
copy-failed-said = the copy failed: “{ $said }”
copy-float = the exact values of { $table } (FLOAT, ENUM) could not be written: it was altered meanwhile, or took too long
copy-float-refused = the exact values of { $table } (FLOAT, ENUM) were not taken (error { $code })
copy-view-failed = the broken view { $view } could not be made there; make it anew on the writer, or drop it. { $why }
numbers-connections = { $count ->
    [one] one connection did not end: it could give a number that another database gives too
   *[other] { $count } connections did not end: they could give numbers that another database gives too
}
zones-unread = the time zones of this machine could not be read (mariadb-tzinfo-to-sql { $folder })
position-not-kept = the position that was set is not the one that the database shows; it is set again
copy-no-position = the copy does not say where it ends
copy-no-space = { $need } MiB are needed on the disk, { $free } MiB are free
event-admitted = { $name } was compared with the writer: it is one of them now
event-expelled-lacks = { $count ->
    [one] { $name } lacks a transaction of its own that the others hold, and does not get it back: it is copied again
   *[other] { $name } lacks { $count } transactions of its own that the others hold, and does not get them back: it is copied again
}
event-expelled = { $name } kept transactions that no other database has: it stays out
event-forgotten = { $name } is gone; the others have all that it wrote
event-joins = { $name } is being added: it gets a copy first
event-leaves = { $name } is being removed
event-recopy = { $name } gets a fresh copy; its former data go to the trash
event-saved = { $count ->
    [one] a transaction in the log of { $name } was received by no other database: it is saved in { $file }
   *[other] { $count } transactions in the log of { $name } were received by no other database: they are saved in { $file }
}
event-saved-nothing = The log of { $name } holds nothing that the others lack
problem-join-donor = No database can be copied now: one that runs without an error is needed.
problem-join-program = The program mariabackup is missing: install the package mariadb-backup.
problem-last-database = { $name } is the only database: it cannot be removed.
problem-leaving = { $name } is on its way out already.
problem-copying = { $name } is being copied again already: the copy goes on, and cordee status shows how far it is.
problem-joining = { $name } is on its way in: stopped now, its copy would begin again from nothing. It can be removed.
problem-recopy-writer = { $name } takes the writes: it is the one that the others are copied from.
problem-slots = There are { $count } databases already, and no more can be.
problem-verify-writer = { $name } takes the writes: it is the one that the others are compared with.
problem-writer-leaves = { $name } takes the writes: make { $candidate } the writer first, then remove { $name }.
reason-catching-up = it is catching up with the others
reason-comparing = its rows are being compared: { $rows } so far
reason-copy-differs = { $count ->
    [one] a table of the copy differs from the writer’s: have it copied again. A database that is found to differ too is not copied
   *[other] { $count } tables of the copy differ from the writer’s: have it copied again. A database that is found to differ too is not copied
}
reason-copy-begins = copying { $donor } begins
reason-copying-again = { $why }; tried again: { $how }
reason-copying = { $percent } % of { $donor }, about { $seconds } s to go
status-copy-failed = Copy failed
status-copying = Copying
status-leaving = Leaving
verify-asked = The rows of { $name } are being compared with the writer’s
wait-copy-differs = { $name } does not hold what the writer holds: { $count ->
    [one] { $count } table differs
   *[other] { $count } tables differ
}
wait-donor = no database can be copied for { $name } now
wait-leaving = { $peer } still lacks what { $name } wrote

# The data themselves
event-rows-differ = { $count ->
    [one] { $name }: { $table } does not hold what the writer holds
   *[other] { $name }: { $count } tables do not hold what the writer holds, { $table } first
}
event-rows-equal = { $name }: { $rows ->
    [one] { $rows } row
   *[other] { $rows } rows
} of { $tables ->
    [one] { $tables } table
   *[other] { $tables } tables
} compared with the writer’s, no difference found
reason-delay-unproven = { $ms } ms behind; its rows have not been compared yet
reason-rows-differ = { $count ->
    [one] { $table } does not hold what the writer holds
   *[other] { $count } tables do not hold what the writer holds, { $table } first
}
status-rows-differ = Data differ
wait-received = { $peer } first stops receiving from { $name }
wait-other-open = { $name } was open when it was last asked
verdict-handover = The writer is changing
verdict-handover-reason = { $name } is taking over the writes; until then no database serves.

# Questions about who writes
ask-all = Let all databases write
ask-all-fact = { $at } leads to { $names } in turn.
ask-all-lose = When two visitors change the same row within { $ms } ms of each other (the delay between the databases, measured now), one of the two changes can be lost, without an error.
ask-all-more = Connections that last longer than a second are cut once, so that each database gives out numbers of its own: new rows never clash over these. A row changed twice like that can differ between the databases until it is changed again. The same value in a unique column on both, or a row removed on one and changed on the other, stops the copying with an error. And a table whose columns change while another database writes to it gets values in the wrong columns, without an error: so “site_owner” can alter, empty and remove no table until one database writes again.
ask-all-unmeasured = When two visitors change the same row within the delay between the databases (not measured at the moment), one of the two changes can be lost, without an error.
ask-alone = { $name } takes the writes.
ask-back-all = “one database writes”, in the same place. What was lost meanwhile does not come back.
ask-back-one = “all write”, in the same place.
ask-back-promote = The same button, in the row of { $name }.
ask-back-promote-loss = The same button in the row of { $name }, once it follows again. If it holds what the others lack, it stays out.
ask-db-also = { $sessions ->
    [one] { $name } takes writes too: its { $sessions } connection is cut, and what it was writing fails. The site stays up with { $writer }.
   *[other] { $name } takes writes too: its { $sessions } connections are cut, and what they were writing fails. The site stays up with { $writer }.
}
ask-know-loss = I know that writes that only { $name } holds will be missing; they are kept in a file when it returns.
ask-know-loss-all = I know that writes that only { $name } holds are missing until it returns.
ask-nobody = { $name } is to take the writes, and does not.
ask-one = Let one database write
ask-one-cut = Connections to { $names } are cut, and what they were writing fails. From then on everything goes to { $writer }.
ask-one-fact = { $at } leads to { $name } only.
ask-one-more = What was acknowledged stays, and is copied as before.
ask-promote = Promote { $name }
ask-promote-gap = Writes wait or fail while the writer changes: for at most { $time } the last time. So do reads, because meanwhile no database serves.
ask-promote-loss = { $old } cannot hand over: until { $name } writes, pages that need the database fail. After that, writes that only { $old } holds are missing.
ask-promote-loss-all = When { $name } returns, the others copy what only it held.
ask-promote-loss-more = Cordée does not do it by itself, because nobody else surely holds every write that { $name } acknowledged. When { $name } returns, what only it holds is saved in a file under lost/ in Cordée’s folder, and { $name } stays out.
ask-promote-loss-open = { $old } cannot hand over: until { $name } is the writer, what goes to the one writer fails; the other databases that are open go on. Writes that only { $old } holds are missing until it returns.
ask-promote-more = { $old } is closed and its connections are cut; { $name } catches up with it, then it is opened. No acknowledged write is lost. Should it take more than { $seconds } s, { $old } goes on instead.
ask-promote-stopped = { $name } was stopped on request: starting it again loses nothing. If you go on all the same, what only it holds is saved in a file under lost/ in Cordée’s folder when it returns, and { $name } stays out.
ask-promote-wait = Writes wait or fail while the writer changes; for how long has not been measured here yet. So do reads, because meanwhile no database serves.
ask-roles = { $writer } takes the writes, { $standby } follows.
ask-roles-all = { $writer } is the writer, { $standby } also writes.
ask-sequences = Not before
ask-sole = In both cases
ask-unique = Unique keys
ask-unique-fact = { $count ->
    [0] No table has one besides its primary key.
    [one] One table has one besides its primary key: the same value given on two databases stops the copying.
   *[other] { $count } tables have one besides their primary key: the same value given on two databases stops the copying.
}
ask-sole-fact = { $at } leads to the one writer, { $name }: for sessions, and for all that must not lose a change.
problem-confirm-loss = Tick the box: without it, nothing that could be missing is given up.
event-closed-writer = { $name } is closed: another database takes over its writes
status-closing = Closing to writes
reason-unreached = HAProxy does not reach it, so neither do applications: { $why }
status-unreached = Out of reach

# Putting rows right
event-repaired = { $rows ->
    [0] { $name }: a row was overwritten by the writer’s; what stood there is in { $file }
    [one] { $name }: a row was put right; what both sides had is in { $file }
   *[other] { $name }: { $rows } rows were put right; what both sides had is in { $file }
}
event-repaired-nothing = { $name }: no row had to be put right
problem-side = Take the rows of “writer”, or of “this” database.
repair-asked = The rows of { $name } are being put right
repair-not-saved = what both sides had could not be saved: nothing was changed
repair-stuck = it cannot go past what it received from { $from } (error { $code }): copy it again
repair-unknown-row = which row of { $table } stands in the way cannot be told, so nothing was overwritten: copy the database again
repair-writer-only = while its copying stands still only the writer’s rows can be taken: take them, then change the row again
repair-triggers = { $table } has triggers, which would act on what is put right: copy the database again instead

# A person adds a database, removes one, compares one, has one copied again
ask-back-cancel = Add it again: it starts from the beginning, under another id.
ask-back-recopy = None: the former data stay in the trash until “Clean the configuration”.
ask-back-remove-db = “Add a database”: a new { $name } gets a fresh copy and another id.
ask-cancel = Stop adding { $name }
ask-cancel-lead = Visitors notice nothing: nobody is sent to { $name } yet, and no database copies it.
ask-cancel-more = Nothing of it stays in service: it is stopped, what was copied goes to the trash, and its id is never used again.
ask-db-leaving = The site stays up with { $writer }: nobody is sent to this database any more.
ask-db-leaving-more = { $name } is on its way out, and the others are still fetching what it wrote. Stopped, it is gone at once, and what they lack stays in its folder in the trash.
ask-kept = { $count ->
    [0] No database is in place{ $names }
    [one] { $count } database holds the data: { $names }
   *[other] { $count } databases hold the data: { $names }
}
ask-leave = The site stays up with { $writer }: visitors notice nothing.
ask-leave-also = { $sessions ->
    [one] { $name } takes writes too: its { $sessions } connection is cut, and what it was writing fails. The site stays up with { $writer }.
   *[other] { $name } takes writes too: its { $sessions } connections are cut, and what they were writing fails. The site stays up with { $writer }.
}
ask-leave-also-last = { $sessions ->
    [one] { $name } takes writes too: its { $sessions } connection is cut, and what it was writing fails. The site stays up with { $writer } alone: if that is lost, nobody can take over.
   *[other] { $name } takes writes too: its { $sessions } connections are cut, and what they were writing fails. The site stays up with { $writer } alone: if that is lost, nobody can take over.
}
ask-leave-last = The site stays up with { $writer } alone: visitors notice nothing, but if { $writer } is lost without { $name }, nobody can take over.
ask-meanwhile = Meanwhile
ask-recopy = Copy { $name } again
ask-recopy-more = The data of { $name } go to the trash, and it gets a fresh copy and a new id. Until it has caught up and its rows were compared, nobody copies it, and it cannot take over.
ask-remove-db = { $name } is closed and the others fetch all that it wrote; then its links and its entry in HAProxy go. Its folder goes to the trash, which only “Clean the configuration” empties. Its id is never used again.
ask-remove-out = { $name } is set aside already: it is stopped, and its links and its entry in HAProxy go. What only it holds goes to the trash with its folder; what was saved under lost/ stays. Its id is never used again.
copy-progress = Copied so far
held-writer = { $name } takes the writes: make { $candidate } the writer first, then stop, restart or remove { $name }.
join-button = Add the database
join-cannot = No database can be added now.
join-from = Copied from
join-from-standby = { $name }, a standby: the one that writes is spared
join-from-writer = { $name }, which goes on taking the writes
join-here = A new one on this machine
join-much = To copy
join-nothing = Nothing was written.
join-nothing-yet = Nothing has been written yet.
join-open = Add a database
join-place = { $slot } of { $slots } in the automatic numbers, id { $id }, never used before
join-port-help = Empty: a free one.
join-size = { $tables ->
    [one] { $mib } MiB, { $tables } table of the site
   *[other] { $mib } MiB, { $tables } tables of the site
}
join-step-admit = Only when they are equal do the others copy it too: from then on it is a standby.
join-step-catch-up = It starts closed to writes, and fetches what was written meanwhile.
join-step-compare = Its rows are compared with those of { $writer }, table by table.
join-step-copy = { $name } is copied while it serves. The site stays up.
join-step-proxy = HAProxy db takes it in; it gets connections only if it takes writes.
join-title = Add a database
join-wait = The databases are being looked at…
join-what = What will happen.
join-where = Place
problem-verify = The rows of { $name } can be compared only while it follows the writer, and both run.
cli-help-repair = Put right the rows in which a database differs from the writer, and let it past a conflict; what both had is kept in a file
cli-help-take = “writer”: the writer’s rows are right; “this”: this database’s are
problem-repair = Nothing has to be put right on { $name } now.
repair-help = Row by row, one side’s values are written on the other, while the site stays up. What both sides had is kept in a file under lost/ first.
repair-help-stuck = Its copying stands still at a conflict: until that is past, only the writer’s rows can be taken.
repair-this = Take the rows of this database
repair-title = Put right what differs
repair-writer = Take the writer’s rows
event-rows-left-out = { $said }; { $why }
event-rows-equal-of = { $name }: { $count } of { $tables ->
    [one] { $tables } table
   *[other] { $tables } tables
} compared with the writer’s ({ $rows ->
    [one] { $rows } row
   *[other] { $rows } rows
}), no difference found
reason-rows-unproven = { $count } of { $tables ->
    [one] { $tables } table
   *[other] { $tables } tables
} compared, no difference; { $why }
rows-left-out = { $count ->
    [one] 1 could not be: { $names } ({ $why })
   *[other] { $count } could not be: { $names }{ $more ->
        [0] {""}
       *[other] {" "}and { $more } more
    } ({ $first }: { $why })
}
status-rows-unproven = Partly unproven
status-sequences = Sequences clash
status-keyless = Tables without a key
status-schemaless = Tables missing
status-memory = Tables in memory
tables-sequences = { $count ->
    [one] the sequence { $names } gives the same numbers on each database (ALTER SEQUENCE { $names } INCREMENT 0; looked at every 30 s)
   *[other] { $count } sequences give the same numbers on each database: { $names }{ $more ->
        [0] {""}
       *[other] {" "}and { $more } more
    } (ALTER SEQUENCE … INCREMENT 0; looked at every 30 s)
}
tables-keyless = { $count ->
    [one] { $names } has no primary key: its rows can be neither compared nor repaired
   *[other] { $count } tables have no primary key: { $names }{ $more ->
        [0] {""}
       *[other] {" "}and { $more } more
    }. Their rows can be neither compared nor repaired
}
tables-memory = { $count ->
    [one] { $names } is in memory (ENGINE=MEMORY): a database that restarts has lost its rows, and a copy has none of them
   *[other] { $count } tables are in memory (ENGINE=MEMORY): { $names }{ $more ->
        [0] {""}
       *[other] {" "}and { $more } more
    }. A database that restarts has lost their rows, and a copy has none of them
}
wait-unsettled = { $count ->
    [one] a table of { $name } could not be compared yet: it is compared again
   *[other] { $count } tables of { $name } could not be compared yet: they are compared again
}
join-besides = Take note
