# Visitors: the list, the settings, the log of requests.

event-log-port = HAProxy web sends its log to port { $port }
event-keeping = Visitors are kept for { $days }, as { $which }; { $count ->
    [0] no proxy in front is trusted
    [one] one proxy in front is trusted
   *[other] { $count } proxies in front are trusted
}
event-keeping-days = { $days ->
    [one] one day
   *[other] { $days } days
}
event-keeping-short = networks
event-keeping-whole = whole addresses
problem-days = Type a whole number of days, from 1 to { $most }.
problem-trusted = “{ $typed }” is not an address like 10.0.0.7 or a network like 10.0.0.0/8; a network of all addresses is refused.
problem-trusted-many = Name at most { $most } proxies.
problem-status = Type a status like 404, or a class like 5xx.
problem-part = An address holds only digits, the letters a to f, colons, dots and a stroke.

nav-visitors = Visitors
act-visitors = Visitors
visitors-lead = Addresses that visited the site, as HAProxy web saw them. The list updates itself.
visitors-all = All visitors
visitors-list = Addresses
visitors-total = { $count ->
    [one] { $count } address
   *[other] { $count } addresses
}
visitors-address = Address
visitors-first = First visit
visitors-last = Last visit
visitors-requests = Requests
visitors-errors = Errors
visitors-errors-help = Errors: answered with a status from 400 on, or never answered. What HAProxy answered itself stands under “HAProxy”.
visitors-shares = All requests answered by
visitors-server = Server
visitors-every = All servers
visitors-filter = Filter
visitors-none = Nobody visited yet, or nobody fits the filter.
visitors-pages = More visitors
visitors-newer = Newer visitors
visitors-older = Older visitors
visitors-changes = Changes on the session test page
visitors-changes-none = Nobody has chosen another colour yet.
visitors-changes-help = The site names each change to HAProxy in a response header, which no visitor gets to see.
visitors-when = When
visitors-from = From
visitors-to = To
visitors-log = HAProxy’s log
visitors-log-lead = HAProxy sends a line for each request and never waits for Cordée. What could not be taken in is counted.
visitors-sent = Requests
visitors-stored = In the list
visitors-dropped = Not in the list
visitors-kernel = { $count ->
    [one] { $count } line came faster than it was read
   *[other] { $count } lines came faster than they were read
}
visitors-unsent = { $count ->
    [one] { $count } line that HAProxy could not send
   *[other] { $count } lines that HAProxy could not send
}
visitors-crowd = { $count ->
    [one] { $count } request from more addresses than the list holds
   *[other] { $count } requests from more addresses than the list holds
}
visitors-unreadable = { $count ->
    [one] { $count } line that was not understood
   *[other] { $count } lines that were not understood
}
visitors-foreign = { $count ->
    [one] { $count } line that HAProxy did not write: a program on this machine sent it, and it was not believed
   *[other] { $count } lines that HAProxy did not write: a program on this machine sent them, and they were not believed
}
visitors-gaps = Times without a list
visitors-gap-count = { $count ->
    [one] about one request is missing
   *[other] about { $count } requests are missing
}
visitors-gap-unknown = HAProxy was started anew meanwhile, so it is not known how many requests are missing
visitors-most = The list can hold { $most } addresses; further ones are counted, not listed, until old ones are forgotten.
visitors-deaf = HAProxy’s log is not heard
visitors-deaf-help = No port was free for it when Cordée started. Restart Cordée once one is.
visitors-keeping = What is remembered
visitors-days = Days
visitors-days-help = A visitor who does not come again for so long is forgotten, changes included.
visitors-shorten = Shorten addresses
visitors-shorten-help = Only the network is kept: the first 24 bits of an IPv4 address, 48 of an IPv6 address. What is in the list already is shortened too.
visitors-trusted = Trusted proxies in front
visitors-trusted-help = Their X-Forwarded-For says who visits, for this list and for the site, and what they say besides (X-Forwarded-Proto, Forwarded…) reaches the site; everybody else’s is taken away. Addresses or networks, with commas.
visitors-keep = Save
logs-requests = Requests
logs-requests-help = As HAProxy saw them, newest first
logs-no-requests = No request since Cordée started.
logs-no-match = No request since Cordée started matches.
logs-status = Status
logs-path = Path contains
logs-asked = Asked for
logs-took = Took
logs-agent = Program
problem-table = There are two tables: visitors and changes.
cli-visitors-sum = { $total ->
    [one] { $total } address
   *[other] { $total } addresses
}; { $stored ->
    [one] { $stored } request
   *[other] { $stored } requests
} in the list, { $dropped } not in it
cli-help-visitors = Show who visited, the last one first
cli-help-keep-visitors = Choose how visitors are remembered; what is not given stays
cli-help-requests = Show the last requests that a web server answered
cli-help-visitors-server = Only what this server answered
cli-help-visitors-address = Only addresses that hold this
cli-help-visitors-limit = Lines, 1 to 1000, the newest ones
cli-help-visitors-changes = Who changed the colour on the session test page
cli-help-visitors-csv = As a table for other programs
cli-help-days = Days after which a visitor who did not come again is forgotten
cli-help-shorten = Keep networks instead of addresses
cli-help-trusted = Proxies in front whose X-Forwarded-For is believed, with commas; empty for none
cli-help-requests-status = Only this status: 404, or 5xx
cli-help-requests-path = Only paths that hold this

# The colours of the test page
colour-rouge = red
colour-orange = orange
colour-jaune = yellow
colour-vert = green
colour-turquoise = turquoise
colour-bleu = blue
colour-violet = purple
colour-rose = pink
