# The words of the page.

# The frame
ago = { $age } ago
back-board = Back to the dashboard
cancel = Cancel
close = Close
lang-name = English
live-above = Further up, what needs attention has changed
live-gone = Connection lost.
live-late = Late
live-removed = Removed
live-outdated = Out of date
live-lost = Connection lost: what is shown is { $age } old. Trying again.
live-on = Live
live-pause = Freeze the display
live-paused = Display frozen
live-resume = Resume the display
live-wait = Age of the data
nav-board = Dashboard
nav-help = Help
nav-journal = Journal
nav-label = Main navigation
nav-menu = Menu
optional = optional
ask-failed = Cordée does not answer. Nothing was sent yet: try again.
send-failed = Cordée does not answer. Result unknown: check the state.
sign-out = Sign out
skip = Skip to the content
theme-auto = Theme: automatic
theme-dark = Theme: dark
theme-light = Theme: light
undo = Undo

# Messages
message-missing = Not found
message-no-page = There is nothing at this address.
message-refused = Request refused
message-wait = Too many tries

# Signing in, first run
event-account = Account { $name } created
login-again = Your session began without the page’s script, or before an upgrade of Cordée: without your password nothing can be changed with it. Sign in again.
login-button = Sign in
login-foot = The site stays up without this page.
login-forgotten = Password lost? On the machine of the cluster:
login-name = User name
login-password = Password
login-title = Sign in
problem-account-name = Give a name of 1 to 64 characters.
problem-code = This is not this machine’s code. The command below shows it.
problem-form = The fields of the form cannot be read.
problem-password = Wrong name or password.
problem-password-long = At most { $count } bytes.
problem-password-short = At least { $count } characters.
problem-too-many = Too many failed tries: { $seconds ->
    [one] try again in { $seconds } second.
   *[other] try again in { $seconds } seconds.
}
setup-button = Create the account
setup-code = One-time code
setup-code-help = It is shown in the terminal in which Cordée started, or by
setup-help = One account, and the dashboard opens. The code proves that you have access to this machine.
setup-password-help = At least 8 characters. A phrase is fine.
setup-title = First run
setup-who = Who are you?

# Dashboard
board-no-script = State at { $time }. Without script, reload the page to update it.
clients = { $count } connected
cookie-automatic = automatic
events-all = Full journal
events-none = Nothing yet: actions and changes of state are written here.
events-title = Recent events
gap-last = Last change of writer: at most { $time } without writes
kind-external = External
link-error = error { $code }
link-stopped = stopped
rate-db = { $count ->
    [one] { $count } connection/s
   *[other] { $count } connections/s
}
rate-web = { $count } req/s
role-also = Also writes
role-joining = New
role-leaving = Leaving
role-out = Set aside
role-standby = Standby
role-writer = Takes writes
rope-attached = { $count } attached
rope-also = also writes
rope-crowd-aside = { $count } set aside
rope-crowd-busy = { $count } changing
rope-crowd-db = { $count ->
    [one] { $count } database
   *[other] { $count } databases
}
rope-crowd-trouble = { $count ->
    [one] { $count } needs attention
   *[other] { $count } need attention
}
rope-crowd-unknown = { $count } unknown
rope-crowd-up = { $count } up
rope-crowd-web = { $count ->
    [one] { $count } web server
   *[other] { $count } web servers
}
rope-label = The path of a request
rope-standby = standby
rope-visitors = Visitors
rope-writer = writes
routing-all = all write
routing-label = Which databases write
routing-one = one database writes
sessions = { $count } under way
times-in = All times: { $zone }, 24 h
todo-none = Nothing to do
todo-none-help = A server in trouble appears here, with the reason and what can be done.
todo-title = Needs attention

# Tables
pager-after = Next
pager-before = Previous
sift-as-added = order of adding
sift-clear = Show all
sift-none = No server matches.
sift-order = Order by
sift-word = Look for
col-actions = Actions
col-address = Address
col-check = Checked
col-copies = Copies from
col-role = Role
col-sessions = Under way
col-status = Status
col-type = Type
check-db = Cordée asks this database by SQL every second.
check-more = How does it work?
check-of = Last check of
check-read = Read
check-result = Result
check-took = Duration
check-total = Requests so far
check-total-db = Connections so far
check-web = HAProxy sends GET / to this server every second; Cordée reads its verdict.
db-at = The site’s databases:
db-foot = Cordée asks each database every second and measures the delay in both directions.
db-mode = master ⇄ master
db-none = No database.
db-title = Databases
db-writer-at = Always the one writer:
site-at = The site:
web-foot = HAProxy checks each server every second; 2 failures in a row take it down, 1 success brings it back.
web-none = No web server. Add the first one: HAProxy will send it visitors from its first good check on.
web-title = Web servers

# Actions
act-cancel = Cancel the addition of
act-cancel-short = Cancel
act-drain = Drain
act-drain-short = Drain
act-logs = Logs
act-maintenance = Put into maintenance
act-anyway = Do it anyway:
act-withdraw = Withdraw
act-more = More actions for
act-promote = Promote: make it the writer
act-promote-short = Promote
act-promote-to = Promote
act-ready = Put back in service
act-ready-short = Resume
act-recopy = Copy again
act-recopy-short = Copy again
act-remove = Remove
act-restart = Restart
act-start = Start
act-stop = Stop
act-test = Test the connection
act-test-short = Test
act-verify = Compare the rows

# Questions
ask-after = After
ask-back = To undo
ask-back-remove = Add a server named { $name } again: it begins with new files; the former ones stay in the trash until “Clean the configuration”.
ask-back-remove-external = Add { $name } again, with the same address.
ask-back-restart = By itself: { $name } gets visitors again from its first good check, within seconds.
ask-back-restart-db = By itself: { $name } is back once it answers and has copied everything.
ask-back-stop = “Start” in the row of { $name }.
ask-back-ready = “Resume” or “Start” in the row of { $name }.
ask-before = Before
ask-db-catch-up = When it is back, { $name } copies what was written without it.
ask-db-standby = The site stays up with { $writer }. While { $name } is stopped, there is no standby copy.
ask-db-writer = { $sessions ->
    [one] { $name } takes the writes ({ $sessions } connection): while it is stopped, the site has no database.
   *[other] { $name } takes the writes ({ $sessions } connections): while it is stopped, the site has no database.
}
ask-know = I know that the site will not answer any more.
ask-remove = Remove { $name }
ask-remove-external = Cordée stops sending it visitors. The server itself is not touched.
ask-remove-process = Its process ends, and its folder goes to the trash, which only “Clean the configuration” empties.
ask-restart = Restart { $name }
ask-drain = Drain { $name }
ask-maintenance = Put { $name } into maintenance
ask-anyway = Take { $name } out anyway
ask-serving = { $count ->
    [0] No web server gets visitors{ $names }
    [one] { $count } web server gets visitors: { $names }
   *[other] { $count } web servers get visitors: { $names }
}
ask-stop = Stop { $name }
ask-type = To confirm, type
ask-web-idle = { $name } gets no new visitors. { $visitors }
ask-web-last-drain = { $name } is the last web server up: while it drains, new visitors get no page. { $visitors }
ask-web-last = { $name } is the last web server up: without it, the site does not answer any more. { $visitors }
ask-web-move = { $visitors } Visitors move to { $names }.
ask-web-drain = Attached visitors go on: their cookie leads them back to { $name } until their session ends.
ask-web-keep = HAProxy first stops sending visitors to { $name }, then the server finishes its requests. Sessions are in the database: nobody loses theirs.
ask-web-lose = HAProxy first stops sending visitors to { $name }, then the server finishes its requests. Attached visitors lose what their PHP session keeps in a file of { $name }: a basket, a sign-in.
visitors-attached = { $count ->
    [one] { $count } visitor is attached to { $name } by its cookie, in the last { $minutes ->
        [one] minute
       *[other] { $minutes } minutes
    }.
   *[other] { $count } visitors are attached to { $name } by its cookie, in the last { $minutes ->
        [one] minute
       *[other] { $minutes } minutes
    }.
}
visitors-free = No visitor is tied to { $name }.
visitors-uncounted = It is not known how many visitors are attached to { $name }.
problem-confirm-name = Type “{ $name }”, with the same capitals.
problem-confirm-tick = Tick the box: without this server, the site does not answer any more.

# Adding
add-address-help = 10.0.0.15 or web3.lan. An unknown name is added all the same, and shown as down.
add-button = Add the web server
add-cookie-help = Brings a visitor back to their server. Empty: an automatic value, added without a reload. A chosen value (S3) costs one reload of this HAProxy; no visitor is cut.
add-out = Add it in maintenance
add-out-help = It gets no visitor, and is not checked, before you put it in service.
add-exists = It exists already
add-exists-help = Cordée sends it visitors and watches it, without starting it.
add-name-help = A letter, then letters, digits, “-” or “_”. This is the name you will see everywhere.
add-open = Add a web server
add-start = Start a new one on this machine
add-start-help = Apache and PHP, with the same page. Cordée picks the address and the port.
add-title = Add a web server
add-which = Which server?
field-address = IP address or host name
field-cookie = Cookie
field-name = Name
field-port = Port

# Tools
clean-button = { $count ->
    [one] Remove { $count } item
   *[other] Remove { $count } items
}
clean-foreign-title = Not Cordée’s
clean-help = What no longer belongs to any server, and why it may go.
clean-none = Nothing to clean
clean-none-help = Every file belongs to a server of the list.
clean-visitors = No visitor is touched: none of this is in service.
done-clean = { $count ->
    [one] { $count } item removed.
   *[other] { $count } items removed.
}
done-refresh = Everything has just been checked again.
done-refresh-partly = Check requested; not everything has answered yet.
done-reload = { $proxy } is reloading; no visitor is cut.
done-reload-db = { $count ->
    [0] HAProxy db is reloading; no connection is open.
    [one] HAProxy db is reloading; its 1 open connection may finish for 10 s, then it is cut.
   *[other] HAProxy db is reloading; its { $count } open connections may finish for 10 s, then they are cut.
}
tool-clean = Clean the configuration
tool-clean-help = Shows what is left of removed servers, and why; removes it after you confirm.
tool-refresh = Refresh
tool-refresh-help = Checks everything again now, without waiting. Changes nothing.
tool-reload = Reload HAProxy
tool-reload-help = Reads the configuration into a new process; the old one finishes its visitors. Database connections have 10 s for that.
tools-title = Tools

# Journal, logs, test
actor-cli = command line
actor-cordee = automatic
actor-token = token { $name }
journal-help = Who did what, and what changed its state. Newest first.
journal-newest = Newest
journal-older = Older
journal-pages = Pages of the journal
logs-again = Read again
logs-empty = This file is empty.
logs-help = The last 200 lines of each file, the newest first.
logs-hidden = { $count ->
    [one] Show { $count } health check
   *[other] Show { $count } health checks
}
logs-hide = Hide the health checks
logs-none = No logs: the server has written nothing yet.
logs-none-external = No logs here: Cordée did not start this server.
logs-title = Logs of
test-again = Test again
test-failed = The connection fails at the last step below
test-help = Each step with its time. The first that fails is the last one shown.
test-passed = The connection works
test-title = Connection test of
