# The API
api-refreshed = Everything was looked at just now.
event-cleaned = { $count ->
    [one] One leftover was removed
   *[other] {$count} leftovers were removed
}
event-token = Token {$name} was made
problem-action-unknown = There is no such action. Known are drain, maintenance, ready, restart, stop, start, test and logs.
problem-body-json = The body is not valid JSON.
problem-body-large = The body is larger than {$kib} KiB.
problem-body-object = The body must be a JSON object, such as {"{"}"name": "web3", "start": true{"}"}.
problem-body-slow = The body did not arrive in time.
problem-body-type = The body must be sent as application/json.
problem-dsn-account = The account is app or owner.
problem-dsn-server = There is no such database.
problem-engine-slow = The answer did not come within {$seconds} seconds. What was asked may still happen: look at the state before you ask again.
problem-event-id = Not the id of an event: it is a whole number.
problem-flag = Say true or false.
problem-last-healthy = {$name} is the last web server that serves: without it visitors get nothing. With force=true it is done all the same.
problem-member-text = Must be a string.
problem-member-unknown = There is no such field.
problem-method = This address does not take this method.
problem-no-logs = {$name} was not started by Cordée: its logs are on its own machine.
problem-not-here = There is nothing at this address.
problem-number = Must be a whole number from {$first} to {$last}.
problem-query = The part of the address after the question mark cannot be read.
problem-token-name = A token’s name starts with a letter and has at most 63 letters, digits, hyphens and underscores.
problem-token-taken = There is a token called {$name} already.

# The command line
cli-added = {$name} was added at {$address}, and joins as soon as its first check succeeds.
cli-age-ms = {$ms} ms ago
cli-age-s = {$seconds} s ago
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
cli-dsn-host = host
cli-dsn-password = password
cli-dsn-port = port
cli-dsn-schema = schema
cli-dsn-user = user
cli-local-only = This works only on the machine where Cordée runs, without CORDEE_URL.
cli-never = never
cli-setup-used = The setup code has been used: there is an account. Sign in on the page.
cli-standby = standby
cli-step-failed = failed
cli-step-ok = ok
cli-unreachable = Cordée does not answer at {$place}. To start it: ./up
cli-writer = writer
