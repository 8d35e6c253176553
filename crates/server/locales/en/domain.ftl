# What the domain, the engine and the server say. One line a sentence.

# Journal
event-added = { $name } added
event-added-out = { $name } added, in maintenance
event-drain = { $name } is draining
event-maintenance = { $name } is to go into maintenance
event-ready = { $name } put back in service
event-reload = Reload of { $proxy } requested
event-removed = { $name } removed
event-leaves-web = Removal of { $name } requested
event-withdrawn = { $name } is to stay in service after all
event-insisted = { $name } is to leave although no other web server serves
event-restart = Restart of { $name } requested
event-start = Start of { $name } requested
event-stop = Stop of { $name } requested
event-turn = { $name }: { $word }
event-turn-reason = { $name }: { $word } ({ $reason })

# Refusals
problem-address-empty = Give the server’s IP address or host name, for example 10.0.0.15 or web3.lan.
problem-address-ipv4 = This is not an IPv4 address: it takes four numbers from 0 to 255. Example: 10.0.0.15.
problem-address-ipv4-part = “{ $part }” is not a number from 0 to 255, so this is not an IPv4 address. Example: 10.0.0.15.
problem-address-own = This address and port belong to Cordée or to one of its HAProxys: it would send the visitors to itself.
problem-address-shape = This is neither an IP address nor a host name. Examples: 10.0.0.15, [2001:db8::15], web3.lan.
problem-address-start = Cordée starts servers on this machine only: leave the address empty, or put 127.0.0.1.
problem-address-taken = { $name } already has this address and port.
problem-address-unusable = { $address } cannot be a server’s address.
problem-cookie = At most 64 characters: letters, digits and ! % & * + - . ^ _ | ~ ; leave it empty for an automatic value.
problem-cookie-taken = { $name } already has this cookie: choose another value, or leave it empty.
problem-db-admin = A database is neither drained nor put into maintenance: stop it, or restart it.
problem-external = Cordée did not start { $name }: it only watches it, and can neither stop nor restart it.
problem-name-empty = Give the server a name, for example web3.
problem-name-reserved = “{ $name }” is a reserved word: choose another name.
problem-name-shape = A letter first, then letters, digits, “-” or “_”; at most 63 characters, without accents or spaces.
problem-name-taken = { $name } exists already. Upper and lower case count as the same.
problem-other-site = This request comes from another site: nothing was done.
problem-page-name = The page does not answer to the name “{ $name }”. Open it at { $address }, or start Cordée with that name in CORDEE_PAGE_NAMES.
problem-no-host = The request names no host. HTTP/1.1 wants a “Host” line.
problem-head-long = The head of this request is longer than { $most } KiB.
problem-pool-unknown = There is no such pool: there are “web” and “db”.
problem-port = The port is a number from 1 to 65535.
problem-ports-full = No port from { $first } to { $last } is free on this machine.
problem-server-unknown = No server is called { $name }.
problem-server-other = { $name } is another server by now: look at it again before asking.
problem-unanswered = No answer came. Result unknown: look at the state before you ask again.
problem-stopping = Cordée is stopping: try again in a few seconds.
problem-store = The state could not be read or written: nothing was done. The details are in Cordée’s log.
problem-unauthorised = Sign in, or send a valid token.

# Reasons: they follow a status, so no capital and no full stop
reason-answered = { $status } in { $ms } ms
reason-answered-plain = answered in { $ms } ms
reason-bad-status = answered with error { $status }
reason-behind = { $seconds } s behind
reason-code = HAProxy’s code { $code }
reason-delay = { $ms } ms behind
reason-delay-unknown = { $count ->
    [one] its delay is not known while { $names } does not answer
   *[other] its delay is not known while { $names } do not answer
}
reason-drain = { $count ->
    [one] { $count } visitor still attached
   *[other] { $count } visitors still attached
}
reason-drain-since = { $count ->
    [one] { $count } visitor still attached, counted for { $minutes } min
   *[other] { $count } visitors still attached, counted for { $minutes } min
}
reason-drain-free = no visitor is tied to it: sessions are in the database
reason-drain-uncounted = it is not known how many visitors are still attached
reason-failing = { $failed ->
    [one] { $failed } failure of { $goal }
   *[other] { $failed } failures of { $goal }
}
reason-first-check = waits for its first good check
reason-frozen = { $count ->
    [one] process { $pids } is suspended
   *[other] processes { $pids } are suspended
}
reason-group-frozen = { $count } processes of group { $pid } are suspended
reason-link-silent = hears nothing from { $from } although both run: if that lasts, copy it again
reason-link-broken = no longer receives what { $from } writes
reason-link-starting = about to receive what { $from } writes
reason-link-error = error { $code } while copying { $from }
reason-maintenance = no visitors, no checks
reason-name = the name { $name } was not found
reason-name-unusable = the name { $name } stands for { $address }, which no server may have
reason-never = no data so far
reason-no-answer = no answer in { $ms } ms
reason-no-check = not checked yet
reason-not-connected = no connection
reason-no-connection = no connection in { $ms } ms
reason-no-schema = its schemas and tables are being made
reason-not-http = the answer is not HTTP
reason-not-database = the answer is not a database’s
reason-observed = a connection for a visitor failed
reason-parent-frozen = the parent process { $pids } is frozen; its children serve, and nobody replaces one that ends
reason-peer-stopped = { $count ->
    [0] { $from } is stopped: there is no copy any more
    [one] { $from } is stopped; one other database copies this one
   *[other] { $from } is stopped; { $count } others copy this one
}
reason-process-gone = the process ended
reason-recovering = { $done ->
    [one] { $done } success of { $goal }
   *[other] { $done } successes of { $goal }
}
reason-refused = connection refused
reason-stale = { $seconds ->
    [0] data is less than 1 s old
   *[other] data is { $seconds } s old
}
reason-stopped-by = by { $who }
reason-stopped-by-person = requested
reason-two-writers = accepts writes while another database takes them
reason-unreachable = machine unreachable
reason-version = version { $version }

# Statuses
status-applying = Being applied
status-alone = Copy interrupted
status-behind = Behind
status-closed = Closed to writes
status-creating = Being created
status-down = Down
status-draining = Draining
status-drift = Up, needs correcting
status-frozen = Frozen
status-half-frozen = Partly frozen
status-in-sync = In sync
status-joining = Joining
status-linking = Connecting replication
status-maintenance = In maintenance
status-open = Open by mistake
status-opening = Opening to writes
status-recovering = Recovering
status-replication-stopped = Replication stopped
status-restarting = Restarting
status-starting = Starting
status-stopped = Stopped
status-double = Same as another
reason-double = its name means the address and port of { $name }: it is one server, and gets no visitors twice
status-waits = Waiting
status-stopping = Stopping
status-unknown = Unknown
status-unreachable = Unreachable
status-up = Up

# The verdict: a title without a full stop, then a sentence
verdict-blind = State unknown
verdict-blind-reason = { $proxy } { $seconds ->
    [0] does not answer.
   *[other] has not answered for { $seconds } s.
}
verdict-count = { $web } of { $webs ->
    [one] { $webs } web server
   *[other] { $webs } web servers
}, { $db } of { $dbs ->
    [one] { $dbs } database
   *[other] { $dbs } databases
}.
verdict-critical = The site is not answering
verdict-empty = There is no web server: add the first one.
verdict-checking = Checking
verdict-frozen = { $proxy } is frozen: nobody is served through it.
verdict-good = All good
verdict-good-aside = { $count ->
    [one] All good, { $names } is set aside
   *[other] All good, { $names } are set aside
}
verdict-good-draining = { $count ->
    [one] All good, { $names } is draining
   *[other] All good, { $names } are draining
}
verdict-good-coming = { $count ->
    [one] All good, { $names } is on its way
   *[other] All good, { $names } are on their way
}
count-servers = { $count ->
    [one] { $count } server
   *[other] { $count } servers
}
verdict-no-database = The site has no database
verdict-no-web = No web server is up.
verdict-half-frozen = The master process of { $proxy } is frozen: it serves, and takes no new file.
verdict-no-writer = { $name }, the database that takes writes, does not answer.
verdict-proxy-down = { $proxy } is down; Cordée is restarting it.
verdict-port = Another program holds port { $port }, on which { $name } listens.
verdict-unserved = { $proxy }: no answer at its addresses yet.
verdict-risk = Serving, but at risk
verdict-writer-coming = { $name }, the database that takes writes, takes none yet.
verdict-risk-reason = { $count ->
    [one] { $names } needs attention.
   *[other] { $names } need attention.
} Healthy: { $web } of { $webs ->
    [one] { $webs } web server
   *[other] { $webs } web servers
}, { $db } of { $dbs ->
    [one] { $dbs } database
   *[other] { $dbs } databases
}.
verdict-starting = Starting

# What is waited for
wait-first-check = { $name } will get visitors after its first good check
wait-serves = { $name } goes on serving until another web server does
wait-opens = HAProxy leads to { $name } as soon as it is open
wait-drains = { $name } gets no new connections, and finishes those that it has
waits-for = { $count ->
    [one] waits for { $names }
   *[other] waits for one of { $names }
}
waits-for-another = waits for another server to serve, and none is on its way
reason-waits-drain = { $first }, then drains
reason-waits-maintenance = { $first }, then goes into maintenance
reason-waits-remove = { $first }, then is removed
reason-waits-restart = { $first }, then restarts
reason-waits-stop = { $first }, then stops
wait-proxy-silent = { $proxy } does not answer
wait-requests = { $count ->
    [one] { $name } is finishing { $count } request
   *[other] { $name } is finishing { $count } requests
}
wait-restart = { $count ->
    [one] next try in { $seconds } s, after { $count } failure
   *[other] next try in { $seconds } s, after { $count } failures
}
wait-setback = { $count ->
    [one] { $count } failure, next try soon
   *[other] { $count } failures, next try soon
}
wait-stop = { $name } finishes its requests before it stops
wait-writer-claims = { $count ->
    [one] the log of { $name } lacks a transaction of its own that another database may hold
   *[other] the log of { $name } lacks { $count } transactions of its own that another database may hold
}
wait-writer-behind = { $count ->
    [one] { $peer } has { $count } transaction that { $writer } has not taken over yet
   *[other] { $peer } has { $count } transactions that { $writer } has not taken over yet
}

# Verification of the data
verify-altered = The table was altered, made or dropped meanwhile, or the databases do not agree on it for now.
verify-engine = Its engine is { $engine }. Only InnoDB tables can be compared while they are written.
verify-key-prefix = Its primary key holds only the beginning of { $column }.
verify-kind = It is not a plain table ({ $kind }).
verify-no-key = It has no primary key, so its rows cannot be told apart.
verify-type = Column { $column } is of type { $kind }, which Cordée cannot compare.

# What Cordée itself lacks
event-journal-dropped = { $count ->
    [one] One line of the journal was lost while it could not be written
   *[other] { $count } lines of the journal were lost while it could not be written
}
event-own-full = { $why } Databases may stand still until there is room
event-own-room = There is room on the disk again
event-own-unwritable = The state file cannot be written: { $why } Wishes are refused, and no other database is made the writer
event-own-writable = The state file can be written again
failover-unwritable = no other database is made the writer while Cordée cannot write that down ({ $why })
io-damaged = The file is damaged.
io-read-only = The file system is read-only.
own-descriptors = No more files can be opened: the limit of open files is reached.
own-disk-full = The disk is full: { $folder } has { $free } KiB left.
own-disk-short = The disk is nearly full: { $folder } has { $free } MiB left.
own-lost = { $folder } lacks { $names }, or it cannot be read: what runs goes on, and the next start of Cordée would be refused.
own-io = The disk reports errors while reading or writing.
own-memory = There is no memory left.
problem-store-unwritable = The state file cannot be written, so nothing was done. { $why }
verdict-and = { $first } { $then }
verdict-own-blind = Cordée cannot look at its processes and files. { $why }
verdict-unwritable = Cordée cannot write its state: wishes are refused, and no other database is made the writer. { $why }
wait-unlooked = what is left of { $name } could not be looked at: it is not started before that is known
wait-unread = the folder of { $name } cannot be read
event-ended = Cordée ended ({ $how }): its keeper started it anew
event-ended-code = code { $code }
event-ended-signal = signal { $signal }
event-wedged = Cordée gave no sign of life for 10 s: its keeper ended it and started it anew
cli-silent = cordee serve does not answer: no sign of life for { $seconds } s. Its keeper starts a silent one anew after 10 s; if there is none, start it with ./up. What was asked may still happen: look with cordee status.
