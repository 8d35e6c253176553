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
