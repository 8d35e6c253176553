# Who writes, who follows, and what happens when the writer is lost.

# Refusals
problem-epoch = Another decision about the writer was made meanwhile: nothing was done.
problem-handover = { $name } is becoming the writer right now: wait until that is over.
problem-not-member = { $name } does not copy the others at the moment: it cannot become the writer.
problem-promote-stopped = { $name } is stopped: start it first, and let it catch up.
problem-routing-unknown = The routing is “one-writer” or “all-writers”.
problem-writer = { $name } takes the writes: make { $heir } the writer first, then stop or restart { $name }.
problem-writer-already = { $name } is the writer already.

# What was asked, what was decided
event-all-writers = All databases take writes from now on
event-elected = { $name } is the writer now, in place of the one that was lost (epoch { $epoch })
event-expelled = { $count ->
    [one] { $name } holds a transaction that no other database has: it is saved in { $file }, and { $name } stays out
   *[other] { $name } holds { $count } transactions that no other database has: they are saved in { $file }, and { $name } stays out
}
event-gap = { $name } takes the writes; nobody could write for { $ms } ms
event-handed-over = { $name } is the writer now (epoch { $epoch })
event-one-writer = One database takes the writes from now on
event-promote = { $name } is to become the writer
event-promote-abandoned = { $name } did not become the writer: { $why }
event-promote-loss = { $name } is to become the writer, even if writes are lost
event-readmitted = { $name } holds nothing that the others lack: it follows again
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
wait-near = { $name } is not close enough behind { $peer } yet

# Status
status-blocked = Cannot write
reason-blocked = writes are refused or wait for a lock
status-diverged = Diverged
reason-diverged = { $count ->
    [one] a transaction that no other database has is saved in { $file }
   *[other] { $count } transactions that no other database has are saved in { $file }
}
status-full = Too many connections
reason-too-many = { $count } of { $most } connections are taken
status-handing-over = Handing over
reason-handing-over = { $name } becomes the writer
status-returning = Returning
reason-returning = what it holds is being compared with the writer
status-unprotected = Unprotected
reason-no-promise = if it dies now, its last writes may be lost: no other database confirms that it has received them
verdict-handover = The writer is changing
verdict-handover-reason = { $name } is taking over the writes; until then no database serves.

# Questions about who writes
ask-all = Let all databases write
ask-all-fact = { $at } leads to { $names } in turn.
ask-all-lose = When two visitors change the same row within { $ms } ms of each other (the delay between the databases, measured now), one of the two changes can be lost, without an error.
ask-all-more = The switch itself cuts nobody. A row changed twice like that can differ between the databases until it is changed again. New rows never clash over their automatic numbers: each database gives out its own. But the same value in a unique column on both, or a row removed on one and changed on the other, stops the copying with an error.
ask-all-unmeasured = When two visitors change the same row within the delay between the databases (not measured at the moment), one of the two changes can be lost, without an error.
ask-alone = { $name } takes the writes.
ask-back-all = “one database writes”, in the same place. What was lost meanwhile does not come back.
ask-back-one = “all write”, in the same place.
ask-back-promote = The same button, in the row of { $name }.
ask-back-promote-loss = The same button in the row of { $name }, once it follows again. If it holds what the others lack, it stays out.
ask-db-also = { $sessions ->
    [one] { $name } takes writes too: its { $sessions } connection is cut, and what it was writing fails. The site goes on with { $writer }.
   *[other] { $name } takes writes too: its { $sessions } connections are cut, and what they were writing fails. The site goes on with { $writer }.
}
ask-know-loss = I know that writes that only { $name } holds will be missing; they are kept in a file when it returns.
ask-know-loss-all = I know that writes that only { $name } holds are missing until it returns.
ask-nobody = { $name } is to take the writes, and does not.
ask-one = Let one database write
ask-one-cut = Connections to { $names } are cut, and what they were writing fails. From then on everything goes to { $writer }.
ask-one-fact = { $at } leads to { $name } only.
ask-one-more = What was acknowledged stays, and is copied as before.
ask-promote = Promote { $name }
ask-promote-gap = Writes wait or fail while the writer changes: for { $time } the last time. So do reads, because meanwhile no database serves.
ask-promote-loss = { $old } cannot hand over: until { $name } writes, pages that need the database fail. After that, writes that only { $old } holds are missing.
ask-promote-loss-all = When { $name } returns, the others copy what only it held.
ask-promote-loss-more = Cordée does not do it by itself, because nobody else surely holds every write that { $name } acknowledged. When { $name } returns, what only it holds is saved in a file under lost/ in Cordée’s folder, and { $name } stays out.
ask-promote-loss-open = { $old } cannot hand over: until { $name } is the writer, what goes to the one writer fails; the other databases that are open go on. Writes that only { $old } holds are missing until it returns.
ask-promote-more = { $old } is closed and its connections are cut; { $name } catches up with it, then it is opened. No acknowledged write is lost. Should it take more than { $seconds } s, { $old } goes on instead.
ask-promote-stopped = { $name } was stopped on request: starting it again loses nothing. If you go on all the same, what only it holds is saved in a file under lost/ in Cordée’s folder when it returns, and { $name } stays out.
ask-promote-wait = Writes wait or fail while the writer changes; for how long has not been measured here yet. So do reads, because meanwhile no database serves.
ask-roles = { $writer } takes the writes, { $standby } follows.
ask-roles-all = { $writer } is the writer, { $standby } also writes.
ask-sole = In both cases
ask-sole-fact = { $at } leads to the one writer, { $name }: for sessions, and for all that must not lose a change.
problem-confirm-loss = Tick the box: without it, nothing that could be missing is given up.
