# The comparison of ways to keep sessions.

nav-sessions = Session test
compare-title = Sessions: five ways, measured
compare-lead = Where a visitor’s session lives, and what becomes of it when requests cross or a server falls. Each cell is measured on this machine.
compare-begin = Begin the experiments
compare-begin-help = A separate cluster is started for the experiments (two web servers, two databases, on free ports) and taken away afterwards: visitors of the site notice nothing but the load on this machine. It takes about a minute.
compare-begin-title = Measure
compare-cancel = Give up
compare-controls = Ways 1 and 5 are controls: they show what breaks, and cannot be put into service.
compare-experiment = Experiment
compare-history = Earlier runs
compare-how = How it is measured
compare-json = Export as JSON
compare-no-matter = Does not apply
compare-not-yet = not measured
compare-now = Under way
compare-rates = Requests per second
compare-rates-help = eight visitors at once, each writing 1.5 KB
compare-surprise = not what was foreseen
compare-table = Five ways, measured here
compare-times = Time of a request
compare-times-help = dark: half of them; light: 99 of 100
event-trial-begun = Comparison of sessions begun
problem-no-trial = There is no run { $id }.
problem-trial-running = A run is under way already.
trial-advised = advised
trial-broken-off = Broken off: Cordée ended in the middle
trial-cancelled = The comparison of sessions was given up
trial-control = control
trial-done = Comparison of sessions done
trial-doing = { $way }: { $experiment }
trial-doing-clear = The experiments’ own cluster is being taken away
trial-doing-start = A cluster of the experiments’ own is being started
trial-ended = The comparison of sessions could not go on: { $why }
trial-failed = { $why }
trial-figure = figure
trial-no-answer = the probe page did not answer
trial-no-login = nobody could sign in
trial-no-ports = there are not 24 free ports in a row between 18700 and 20700
trial-not-copied = the session did not reach the other database
trial-right = Yes
trial-running = The experiments are under way
trial-sandbox = the experiments’ own cluster did not do as it was asked (log/sandbox.log)
trial-unknown = Not measured
trial-wrong = No

way-files-anywhere = Files, each server in turn
way-files-sticky = Files and HAProxy’s cookie
way-locked = Database, one writer, locked
way-unlocked = Database, one writer, no lock
way-two-writers = Database, two writers at once

trial-login-across = Signed in on every server
trial-login-across-how = One visitor signs in, then asks 100 times. How often is it still the same person?
trial-server-death = Signed in after a server’s death
trial-server-death-how = 50 visitors sign in; web1 is killed (SIGKILL) and held down; each of them asks once.
trial-lost-updates = No update is lost
trial-lost-updates-how = Eight requests of one session at once, five times over, each adding 1 with 20 ms between reading and writing. Acknowledged additions are compared with the counter.
trial-different-keys = Two requests keep each other’s keys
trial-different-keys-how = Two requests of one session begin together and each write a key of their own, after 60 and 120 ms. Five rounds.
trial-logout-final = A log-out is final
trial-logout-final-how = A request of 500 ms is under way when the visitor logs out; afterwards the old cookie is tried four times. Five rounds; one with two writers, because the first conflict may stop the copying. Where each server has its turn, up to four tries a round: which one the log-out reaches depends on who else asks.
trial-stale-read = What was written is read
trial-stale-read-how = 100 times: write a value, then read it by the next request.
trial-copies = The databases still agree
trial-copies-how = After the experiments: do both copies run, and is each session’s row the same on both? With two writers, each applies what the other wrote 2 s later, so that a conflict is forced and not waited for.
trial-latency = Time of a request
trial-latency-how = 200 requests that write 1.5 KB into a session, in turn with 200 without a session, one visitor.
trial-throughput = Requests per second
trial-throughput-how = Eight visitors at once for 3 s, each writing 1.5 KB into a session of their own.

trial-kept = { $kept } of { $of }
trial-survived = { $kept } of { $of }, { $failed } without a page, slowest { $ms } ms
trial-updates = { $lost } of { $acknowledged } lost
trial-returned = back { $returned } of { $of } times
trial-stale = { $stale } of { $of } stale
trial-copies-run = { $different ->
    [0] every row equal
    [one] { $different } row differs
   *[other] { $different } rows differ
}
trial-copies-stand = copying stands still
trial-times = { $median }.{ $medianpart } ms; 99 of 100 within { $high }.{ $highpart } ms; without a session { $without }.{ $withoutpart } ms
trial-rate = { $rate } per second

cli-help-compare = Compare ways to keep sessions, on a cluster of its own
cli-help-compare-begin = Begin a run; it takes some minutes
cli-help-compare-cancel = Give the run up
cli-help-compare-show = Show the newest run
cli-no-trial = There is no run.
cli-trial = Run { $id }, { $done } of { $of }: { $says }
