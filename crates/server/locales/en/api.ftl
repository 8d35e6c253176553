# The API
api-refreshed = Everything was looked at just now.
event-cleaned = { $count ->
    [one] One leftover was removed
   *[other] {$count} leftovers were removed
}
event-token = Token {$name} created
problem-action-unknown = There is no such action. Known are drain, maintenance, ready, restart, stop, start, promote, recopy, verify, test and logs.
problem-body-json = The body is not valid JSON.
problem-body-large = The body is larger than {$kib} KiB.
problem-body-object = The body must be a JSON object, such as {"{"}"name": "web3", "start": true{"}"}.
problem-body-slow = The body did not arrive in time.
problem-body-type = The body must be sent as application/json.
problem-dsn-account = The account is app or owner.
problem-dsn-server = There is no such database.
problem-engine-slow = The answer did not come within {$seconds} seconds. Nothing was changed: ask again in a moment.
problem-cleaning = A cleaning is under way. Ask again in a moment.
problem-event-id = Not the id of an event: it is a whole number.
problem-flag = Say true or false.
problem-last-healthy = No web server but { $name } serves or is on its way: without it visitors get nothing. On the command line --force, in the API force=true has it done all the same.
problem-last-database-stops = No database but { $name } serves or is on its way: without it the site has no database. On the command line --force, in the API force=true has it done all the same.
problem-last-standby = No database but { $name } could take over from the writer: without its data, those of a lost writer are lost. On the command line --force, in the API force=true has it done all the same.
problem-stopped = { $name } is stopped: nobody gets there before it is started. Start it first (page: “Start”; command line: cordee start { $name }; API: POST …/start).
problem-not-waiting = { $name } does not wait for another server.
problem-wait = A time to wait is a number with s or ms, at most { $seconds } s.
real-unseen = Cordée has not looked since.
real-overtaken = A later request took its place.
real-server = { $name }: { $word }
real-server-because = { $name }: { $word } ({ $reason })
real-proxy = { $proxy }: { $word }, not all as wished yet
real-not-promoted = { $name } did not become the writer; the journal says why.
problem-member-text = Must be a string.
problem-member-unknown = There is no such field.
problem-method = This address does not take this method.
problem-no-logs = {$name} was not started by Cordée: its logs are on its own machine.
problem-not-here = There is nothing at this address.
problem-number = Must be a whole number from {$first} to {$last}.
problem-promote-web = { $name } is a web server: only a database can take the writes.
problem-requests-db = { $name } is a database: only web servers answer requests.
problem-rows-web = { $name } is a web server: only a database has rows to compare, to repair or to copy.
problem-waits-db = { $name } is a database: only a web server waits for another one to serve.
problem-query = The part of the address after the question mark cannot be read.
problem-routing-pool = Only the databases share writes: the pool is “db”.
problem-token-name = A token’s name starts with a letter and has at most 63 letters, digits, hyphens and underscores.
problem-token-taken = There is a token called {$name} already.

# The command line
cli-added = {$name} was added at {$address}, and joins as soon as its first check succeeds.
cli-added-out = {$name} was added at {$address}, in maintenance: it gets visitors after cordee ready {$name}.
cli-added-db = {$name} was added at {$address}. It is copied, catches up and is compared before it joins: follow it with cordee status.
cli-age-ms = {$ms} ms ago
cli-age-s = {$seconds} s ago
cli-all-writers = All databases take writes.
cli-also = also writes
cli-bad-answer = What answered is not this version of Cordée.
cli-bad-token = CORDEE_TOKEN holds characters that no token has.
cli-bad-url = CORDEE_URL must look like http://HOST:PORT.
cli-bytes = { $count ->
    [one] 1 byte
   *[other] {$count} bytes
}
cli-clean-done = { $count ->
    [one] This was removed.
   *[other] These {$count} were removed.
}
cli-clean-nothing = Nothing to clean: everything here has its reason.
cli-clean-would = { $count ->
    [one] This would be removed. To do it: cordee clean --apply
   *[other] These {$count} would be removed. To do it: cordee clean --apply
}
cli-col-address = ADDRESS
cli-col-cookie = COOKIE
cli-col-last = LAST CHECK
cli-col-listen = LISTENS ON
cli-col-pool = POOL
cli-col-proxy = PROXY
cli-col-reason = REASON
cli-col-server = SERVER
cli-col-sessions = SESSIONS
cli-col-status = STATUS
cli-deadline = Cordée did not answer within {$seconds} s. What was asked may still happen: look with cordee status.
cli-diverged = diverged
cli-dsn-host = host
cli-dsn-password = password
cli-dsn-port = port
cli-dsn-schema = schema
cli-dsn-user = user
cli-joining = joining
cli-leaving = leaving
cli-local-only = This works only on the machine where Cordée runs, without CORDEE_URL.
cli-lost = The answer was lost on its way. Result unknown: look with cordee status before you ask again.
cli-lost-look = The answer was lost on its way. Nothing was to be changed: ask again.
cli-never = never
cli-returning = returning
cli-setup-used = The setup code has been used: there is an account. Sign in on the page.
cli-standby = standby
cli-step-failed = failed
cli-step-ok = ok
cli-unreachable = Cordée does not answer at {$place}. To start it: ./up
cli-unreachable-url = Cordée does not answer at {$place}. Either it does not run there, or CORDEE_URL is not its address.
cli-silent-url = Cordée at {$place} accepts connections and does not answer: no sign of life for { $seconds } s. What was asked may still happen: look with cordee status.
cli-add-start = For a new one on this machine: cordee add {$pool} {$name} --start
cli-one-server = One server at a time: {$first} is a server and no pool. Give the command again for {$second}.
cli-pool-alone = “{$pool}” is a pool and no server: give a server’s name, such as {$name}.
cli-writer = writer

cli-usage = This is not how the command is used. See: cordee --help
cli-usage-conflict = { $what } and { $other } exclude each other.
cli-usage-missing = This is missing: {$what}. See: cordee --help
cli-usage-many = “{$what}” is one word too many for this command. See: cordee --help
cli-usage-unknown = There is no “{$what}”. See: cordee --help
cli-usage-value = {$what} cannot have that value. See: cordee --help

# What --help says
cli-help-accept-loss = Even if the writer is lost and holds writes that no other database received: they will be missing
cli-help-account = app (the default) reads and writes data, owner alters tables too, monitor watches the databases (PROCESS, SLAVE MONITOR) and reads no row
cli-help-add = Add a server: a web server that exists, with --user a database that exists, or with --start a new one on this machine
cli-help-add-start = Start a new server on this machine
cli-help-add-out = A web server: in maintenance, without visitors before cordee ready
cli-help-address = IP address or host name of a server that exists
cli-help-apply = Remove what the list shows
cli-help-clean = List what no wish explains (folders of removed servers, older logs, drafts); with --apply, remove it
cli-help-commands = Commands
cli-help-cookie = Value of the stickiness cookie; automatic if not given
cli-help-cordee = Runs a cluster of web servers and databases behind two HAProxys.
cli-help-drain = Give a web server no new visitors; those who hold its cookie still reach it. Back in service: cordee ready
cli-help-dsn = Show how your own application reaches the databases, password included (only on this machine)
cli-help-dsn-json = As JSON: host, port, user, password, schema, url, and the same of the writer (writer_host, writer_port, writer_url)
cli-help-dsn-server = One database itself, instead of the HAProxy in front of them
cli-help-environment = Commands talk to the Cordée of this machine over its socket, or to CORDEE_URL (http://HOST:PORT) with CORDEE_TOKEN. Exit codes: 0 done, 1 refused or failed, 2 wrong use, 3 Cordée does not answer, 4 taken and still under way; of status also 5 not all well, 6 down, 7 not known; with 1 to 3 nothing is known of the site (1: a wrong token, for example).
cli-help-examples = Examples:
cli-help-force = Even if no other server serves, or no other database could take over
cli-help-wait = Wait no longer than this until what was asked is so: 30s, 500ms, 5m (60s if not given)
cli-help-no-wait = Return as soon as what was asked is written down
cli-on-page = on the page
cli-under-way = Still under way, and it goes on: { $why }
cli-help-anyway = Have a web server that waits for another one leave at once, although nobody else serves
cli-help-withdraw = Have a web server that waits for another one stay in service after all
cli-help-help = Show this help
cli-help-history = Show the journal: who did what, and what happened
cli-help-home = Folder of the cluster’s state
cli-help-limit = Lines, 1 to 500, the newest ones; 50 if not given
cli-help-checks = With the lines of health checks and of Cordée’s own questions
cli-help-lines = Lines of each file, 1 to 1000; 200 if not given
cli-help-logs = Show the last lines of a server’s logs
cli-help-maintenance = Give a web server no visitors at all, and check it no more. Back in service: cordee ready
cli-help-name = Letters, digits, - and _, starting with a letter
cli-help-plan = Show how a new database would join, or why it would not; nothing is done
cli-help-pool = The pool: web or db
cli-help-port = TCP port; 80 if not given, or with --start a free one
cli-help-promote = Make a database the writer: the present one is closed, this one catches up, then it is opened
cli-help-proxy = web or db
cli-help-ready = Put a web server back in service
cli-help-recopy = Put a database’s data into the trash and give it a fresh copy, under a new id
cli-help-refresh = Look at everything now, and return when that is done
cli-help-reload = Start an HAProxy’s worker anew from its file, without a lost connection
cli-help-remove = Take a server away; one that Cordée started is stopped, and its files go to the trash
cli-help-restart = Stop a server that Cordée started, and start it again
cli-help-routing = Choose which databases take writes: one, or all in turn
cli-help-routing-pool = The pool: db
cli-help-routing-word = one-writer, or all-writers: of two changes to the same row within the delay between the databases, one can be lost without an error
cli-help-serve = Run Cordée in the foreground: the page, the API and the engine. ./up does this, and all that comes before it
cli-help-server = The server’s name; its pool may stand before it
cli-help-setup-code = Show the code with which the first account is made on the page (only on this machine)
cli-help-start = Start a server that was stopped
cli-help-status = Show the cluster: verdict, proxies, servers; exit code 0 all good, 5 not all well, 6 down, 7 not known
cli-help-status-json = The whole snapshot, as the API gives it
cli-help-stop = Stop a server that Cordée started; it stays stopped until start
cli-help-test = Try the connection to a server, step by step; exit code 1 when a step fails
cli-help-token = Tokens for programs that use the API
cli-help-token-create = Make a token and print it, this once (only on this machine)
cli-help-token-name = Stands in the journal as token:NAME
cli-help-usage = Usage:
cli-help-verify = Compare a database’s rows with the writer’s, and say what is found; exit code 1 when they are not proven equal
cli-help-version = Show the version
cli-help-detach = Return once all that is started is up and serves, whatever lasting warning remains: exit code 0, and 1 after 90 s without that
cli-help-down = Stop everything that up started; what is stored stays
cli-help-forgotten = Do not ask for the present one
cli-help-password = Change the password of the page’s account and end its sessions; both are read from standard input, one a line (only on this machine)
cli-help-reset = Forget the state first
cli-help-token-days = Days for which it is good, 1 to 3650; without an end if not given
cli-help-token-list = List the tokens: when they were made and last used, and until when they are good
cli-help-token-revoke = Take a token back; whoever holds it is refused at once
cli-help-token-which = Its name
cli-help-up = Start the cluster, or find it running; ./up builds Cordée first
cli-help-yes = Do not ask
cli-dsn-url = URL
cli-dsn-writer-host = writer’s host
cli-dsn-writer-port = writer’s port
cli-dsn-writer-url = writer’s URL
cli-password-again = The new one again:
cli-password-changed = The password of { $name } is changed; all sessions have ended. Tokens stay good: cordee token list shows them, cordee token revoke NAME takes one back.
cli-password-left = Given up; nothing is changed.
cli-password-new = New password:
cli-password-present = Present password:
cli-password-unread = The password could not be read from standard input.
cli-rows-comparing = the rows are being compared
cli-rows-differ = { $count ->
    [one] { $name }: one table differs from the writer’s; cordee repair puts it right
   *[other] { $name }: { $count } tables differ from the writer’s; cordee repair puts them right
}
end-added = { $name } is added.
end-added-out = { $name } is added, in maintenance.
end-copied = { $name } has its fresh copy.
end-done = It is so.
end-promoted = { $name } is the writer.
end-removed = { $name } is removed.
end-restarted = { $name } was restarted.
end-started = { $name } runs.
end-started-out = { $name } runs, and gets no new visitor until it is put back in service.
end-stopped = { $name } is stopped.
cli-logs-hidden = { $count ->
    [one] ({ $count } line of a health check left out; --checks shows it)
   *[other] ({ $count } lines of health checks left out; --checks shows them)
}
