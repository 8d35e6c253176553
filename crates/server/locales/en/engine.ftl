# What the engine, the connection test, "clean configuration" and ./up say.

clean-draft = Draft of a configuration file, left by an act that did not finish.
clean-log = Older half of a log file.
clean-socket = Socket of a server that is not here any more.
clean-trash = Folder of a removed server, or a file that was changed by hand and overwritten.
link-unapplied = what came from { $peer } is not applied yet
db-broken = The database answered something that is not its protocol.
db-error = The database refused with error { $code }.
db-install-failed = The data folder could not be made; log/install.log of that server says why.
db-no-answer = The database does not answer.
db-too-many = The database has no connection left (error 1040).
db-unreachable = The database cannot be reached.
event-addresses = New addresses: page { $page }, site { $site }
event-closed = { $name } closed to writes: it is not the writer
event-opened = { $name } takes writes (epoch { $epoch })
event-process-ended = { $name } down: { $why }
event-process-restarted = { $name } restarted by Cordée (pid { $pid })
event-process-started = { $name } started by Cordée (pid { $pid })
event-reloaded = { $proxy } reloaded: the new worker runs the new file
event-step-failed = { $name }: an act failed and will be tried again: { $why }
haproxy-missing = HAProxy could not be started.
haproxy-no-answer = HAProxy does not answer.
haproxy-no-socket = HAProxy's socket does not answer.
haproxy-refused = HAProxy refused: { $said }
haproxy-refused-file = HAProxy refused the file: { $said }
haproxy-reload-failed = HAProxy could not start a new worker; the old one goes on with its old file.
haproxy-reload-unproven = HAProxy did not show the new file within 8 s.
haproxy-strange = HAProxy gave an answer that Cordée does not know.
haproxy-strange-why = HAProxy gave an answer that Cordée does not know ({ $why }).
io-denied = Permission denied on a file of Cordée's.
io-foreign = Left alone: where a file or folder of the cluster should be there is a link, a file with a second name, or something else.
io-full = The disk is full.
io-missing = A file or program is missing.
io-other = A file could not be read or written ({ $kind }).
problem-listeners-equal = The page, the site and the two database addresses must all differ.
reason-port-taken = port { $port } is taken by { $holder }
reason-process-exit = process ended with code { $code }
reason-process-signal = process killed by signal { $signal }
step-deadline = It took longer than a minute.
test-http = Web page
test-http-status = Answered { $status }.
test-name = Name
test-name-address = It is an address: nothing to look up.
test-name-found = The name leads to { $ip }.
test-read = Read
test-read-done = { $count ->
    [one] 1 note read.
   *[other] { $count } notes read.
}
test-sign-in = Sign-in
test-sign-in-done = Signed in as { $user }.
test-tcp = Connection
test-tcp-open = Port { $port } is open.
up-code = Setup code (for the page)
up-db = Databases
up-descriptors = Only { $limit } files may be opened at once; a cluster needs { $needed }. Raise the hard limit (ulimit -Hn) and start again. Nothing was started.
up-missing = { $path } is missing: install the package { $package }, or run ./up, which does.
up-page = Page
up-port = { $address } is taken by { $holder }. Stop it, or choose another address with { $variable }. Nothing was started.
up-site = Site
up-stay = Ctrl-C stops the cluster. To leave it running: ./up --detach
up-stay-before = The cluster ran before: Ctrl-C ends this command only. To stop the cluster: ./up --down
up-left = The cluster runs on. To stop it: ./up --down
up-ended = The cluster was stopped meanwhile: there is nothing to wait for.
up-unhealthy = The cluster is not healthy after 90 s. `cordee status` says what is missing; the log is { $log }
up-user = The system user { $user } is missing; run ./up, which makes it.
up-writer = Databases, the writer
down-done = Stopped.
down-left = { $count ->
    [one] 1 process could not be stopped.
   *[other] { $count } processes could not be stopped.
}
down-nothing = Nothing runs here: there is no cluster in { $folder }.
reset-kept = Nothing was changed.
reset-question = This stops the cluster and deletes everything in { $home }, databases included. Type yes to go on:
reset-unasked = Nothing was changed: this would delete everything in { $home }, and there is no terminal to ask on. Give --yes too.
up-ignored = The cluster runs already: new addresses take effect after ./up --down.
up-open = { $address } is not a loopback address: the page speaks plain HTTP, so keep that network closed to strangers.
up-open-db = { $address } is not a loopback address: whoever reaches it may try passwords, and nothing is encrypted, so keep that network closed to strangers.
up-newer = A newer Cordée was built: the page is restarted, the cluster runs on.
verify-behind = { $name } did not catch up within { $seconds } s: its rows could not be compared.
verify-cancelled = The verification was cancelled.
verify-node = { $name }: { $why }
verify-packet = On { $name }, max_allowed_packet is below { $octets } octets: long rows could not be compared.
verify-rights = On { $name }, Cordée’s account may not read every table: give it SELECT ON *.*
verify-slow = Reading a single row takes longer than 3 s.
verify-unsettled = Some rows change too fast, are locked, or wait for writes of another database that have not arrived.
verify-ahead = { $count ->
    [one] { $name } holds a transaction of domain { $domain } that { $writer } has not got: a difference may be that one.
   *[other] { $name } holds { $count } transactions of domain { $domain } that { $writer } has not got: a difference may be one of these.
}
verify-lags = { $name } did not catch up in time while some rows were held still.

# The state folder
db-logs-elsewhere = { $list } names { $log }, outside of this database’s folder: it would delete another cluster’s logs. Put the whole folder of the cluster back where it was made
folder-closed = The user { $uid } of a program cannot enter { $path }: open it to others (chmod o+x), or name another folder with CORDEE_HOME. Nothing was started.
folder-elsewhere = { $folder } was made as { $made }, and its databases' files name that place: started here they would delete the logs there. Put it back at { $made }, with nothing running there. Nothing was started.
folder-letters = { $path } holds { $letter }, which the files of the programs cannot say. Name a folder of letters, digits and - _ . + @ with CORDEE_HOME. Nothing was started.
folder-lost = { $path } belongs to the user { $owner }, not to { $uid }, as whom the databases run. Copy it again with owners and modes (tar -p, cp -a), as root. Nothing was started.
letter-blank = a blank
letter-hidden = a character that cannot be shown
letter-other = the character { $letter }
folder-damaged = { $path } is damaged. Put it back from a copy of the folder (every file of the state from the same copy), or forget the cluster with ./up --reset.
folder-foreign = { $path } belongs to another user, or others may write there: they could exchange what lies in it. Name another folder with CORDEE_HOME, or set its owner and mode right.
folder-missing = { $folder } lacks { $names }. Put it back from a copy of the folder (every file of the state from the same copy), or forget the cluster with ./up --reset. cordee doctor says what else there is.
folder-newer = { $folder } was made by a newer Cordée (layout { $found }): use that one.
folder-random = The system gave no random bytes.
folder-unmarked = { $folder } is not empty and was not made by Cordée: it holds { $names }. Nothing was changed. Name an empty folder with CORDEE_HOME.
folder-unusable = { $path } cannot be used. { $why }
event-run-anew = The folder of sockets was gone and was made anew. What runs is not reachable by its former socket: cordee doctor names it
reason-socket-gone = its socket { $path } is gone, so that Cordée cannot ask it. It serves on. End its process (kill { $pid }): Cordée starts it anew at once, with a socket
cli-help-doctor = Look at everything that the cluster needs on this machine: state folder, rights, disk, programs, sockets, ports; exit code 1 when something needs you, 0 otherwise
doctor-answers = { $name } runs, and its socket takes connections.
doctor-bad = Something needs you: see the lines with ✗.
doctor-complete = The state folder is complete.
doctor-descriptors = At least { $needed } files can be opened.
doctor-descriptors-few = Only { $limit } files can be opened; { $needed } may be needed. Raise the hard limit (ulimit -Hn) before ./up.
doctor-frozen = { $name } is frozen (kill -CONT { $pids } lets it go on).
doctor-home = { $folder } is the folder of cluster { $id }.
doctor-home-none = There is no cluster in { $folder }: ./up makes one.
doctor-incomplete = The folder carries no mark that its first start came to an end: the next ./up goes on with it.
doctor-keeper = The keeper runs.
doctor-mode = { $path } has mode { $mode }: others have rights that they must not have. chmod go-rwx for a file, go-w for the folder.
doctor-no-keeper = The keeper does not run: nobody restarts cordee serve. ./up --detach starts it.
doctor-nothing-runs = Nothing of this cluster runs. ./up starts it.
doctor-owner = { $path } belongs to uid { $uid }, and you are uid { $us }.
doctor-port = { $address } is taken by { $holder }: it will be missing at the next start.
doctor-ports = The addresses of the page, the site and the databases are free, or ours.
doctor-programs = HAProxy, Apache with PHP, and MariaDB are installed, with their users.
doctor-rights = Folder and secrets belong to you, and nobody else has rights on them.
doctor-room = { $folder } has { $free } MiB left.
doctor-serve = cordee serve answers.
doctor-serve-silent = cordee serve does not answer on { $path }.
doctor-socket = { $name } runs, and its socket { $path } does not answer. End its process (kill { $pid }): Cordée starts it anew at once.
doctor-sqlite = { $path } is intact (schema { $version }).
doctor-well = Nothing needs you.
