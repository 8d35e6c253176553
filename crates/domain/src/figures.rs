//! The intervals and limits that the documents quote. Each is defined here and nowhere else.
//!
//! A document names a figure right behind its number, in a comment that no reader sees: `300 ms<!--figure:pulse-->`.
//! The server's test `tests/figures.rs` compares the two, and requires a name behind every number of seconds.

use crate::ids::Millis;

/// Defines the figures, and lists them by name.
macro_rules! figures {
    ($all:ident: $kind:ty; $($(#[$says:meta])* $name:ident = $value:expr;)*) => {
        $($(#[$says])* pub const $name: $kind = $value;)*
        /// The figures of this group, with their names.
        pub const $all: &[(&str, $kind)] = &[$((stringify!($name), $name)),*];
    };
}

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

figures! {
    TIMES: Millis;

    // Observation.

    /// Interval between two observations of a HAProxy instance.
    PROXY_LOOK = 500;
    /// The same while a server waits for its first check; also the interval between two looks at a port that must open
    /// soon.
    HASTE = 20;
    /// How long after a process's start its port is looked at that often.
    HASTE_FOR = 30 * SECOND;
    /// Interval between two observations of a database.
    DATABASE_LOOK = SECOND;
    /// How long a connection to a database is kept at most. Facts that only a login proves are checked again with the
    /// next one.
    LOGIN = 5 * SECOND;
    /// Interval between two looks at the accounts on a database.
    ACCOUNTS_LOOK = 10 * SECOND;
    /// Interval between two short looks at the writer.
    PULSE = 300;
    /// Interval between two heartbeats of a database.
    HEARTBEAT = SECOND;
    /// Interval between two looks at the states and ports of Cordée's processes.
    PROCESS_LOOK = 250;
    /// The same for the ports, while every port is held by the process that should hold it.
    PORTS_LOOK = SECOND;
    /// Interval between two probes of the site's own addresses.
    VISIT = SECOND;
    /// The same after a wrong answer.
    VISIT_AGAIN = 300;
    /// Interval between two lookups of a host name.
    NAME_LOOK = 30 * SECOND;
    /// Interval between two rounds in which web servers are asked for their session mode.
    MODES_LOOK = 3 * SECOND;
    /// Interval between two searches for tables that stand against letting all databases write.
    TABLES_LOOK = 30 * SECOND;
    /// An observation that is older is not shown as the present state.
    STALE = 2 * SECOND;
    /// The same for an observation of a database.
    DATABASE_STALE = STALE + SECOND;
    /// A page that shows an older snapshot says so.
    PAGE_LATE = 2 * SECOND;
    /// A database that is further behind is reported as behind.
    LAG_LIMIT = 5 * SECOND;
    /// Interval between two checks whether a log file was moved away.
    LOG_LOOK = 20 * SECOND;
    /// How long one step of testing a server may take.
    TEST_STEP = 3 * SECOND;
    /// Interval between two comparisons of all rows.
    COMPARISON = 6 * HOUR;

    // Action.

    /// The backoff after a second failure; after the first there is none.
    FIRST_REST = 250;
    /// The longest backoff.
    LONGEST_REST = 10 * SECOND;
    /// A process that ended sooner after its start counts as failed to start.
    SHORT_LIFE = 2 * SECOND;
    /// How long a web server's leader gets to end, when asked to, before it is killed.
    WEB_PATIENCE = 8 * SECOND;
    /// The same for a database.
    DATABASE_PATIENCE = 30 * SECOND;
    /// How long Apache finishes its requests when it is asked to end.
    GRACE = 5 * SECOND;
    /// A released external database that is silent for this long is forgotten.
    LET_GO = 10 * SECOND;
    /// How long `up` waits until everything that it started serves.
    UP_WITHIN = 90 * SECOND;
    /// How long a command waits until its request is fulfilled.
    COMMAND_WAIT = 60 * SECOND;
    /// How long an action can be undone on the page; the same value is in `web/forms.js`.
    UNDO = 10 * SECOND;
    /// A drill's request that has no answer by then counts as lost.
    DRILL_ANSWER = 10 * SECOND;
    /// A `serve` without a sign of life for this long is killed by its keeper.
    KEEPER_PATIENCE = 10 * SECOND;
    /// A `serve` that ran longer than this is restarted at once. No pause before a restart is longer than this either.
    KEEPER_PAUSE = 5 * SECOND;

    // The writer.

    /// The longest that a commit waits for an ACK, and the greatest age of a note that proves a promise.
    ACK_LIMIT = 800;
    /// A writer that is frozen for this long counts as lost.
    FROZEN = SECOND;
    /// A writer that nobody has heard from for this long counts as lost.
    SILENT = 3 * SECOND;
    /// If there is no successor by then, the lost writer is started again with its own data.
    ELECTION_PATIENCE = 5 * SECOND;
    /// A handover that has not completed by then is given up.
    HANDOVER_LIMIT = 10 * SECOND;
    /// How long after a change of writer a missing promise counts as transitional.
    PASSAGE = 5 * SECOND;

    // HAProxy and Apache.

    /// How long a former worker of HAProxy `web` may finish its open requests.
    WEB_HARD_STOP = 30 * SECOND;
    /// The same for HAProxy `db`.
    DATABASE_HARD_STOP = 10 * SECOND;
    /// A connection of a visitor or of a web server that is silent for this long is ended.
    TRAFFIC_SILENT = 30 * SECOND;
    /// The same for a connection to a database.
    DATABASE_TRAFFIC_SILENT = HOUR;
    /// The longest that a request waits in the queue for a server.
    QUEUE = 5 * SECOND;
    /// How long the head of a request may take to arrive.
    REQUEST_HEAD = 10 * SECOND;
    /// How long the body of a request may take to arrive at an Apache that Cordée started.
    REQUEST_BODY = 20 * SECOND;
    /// How long a web server may take to answer a check.
    WEB_CHECK_ANSWER = 2 * SECOND;
    /// Interval between two checks of a web server.
    WEB_CHECK = SECOND;
    /// Interval between two checks of a server whose last check had another result than before.
    CHECK_IN_DOUBT = 200;
    /// Interval between two checks of a server that is down.
    CHECK_DOWN = 250;
    /// Interval between two attempts to reach a database while none is in service.
    DATABASE_TRY = 100;

    // Operators and visitors.

    /// The first pause for an account that has used up its attempts.
    FIRST_GUESS_PAUSE = SECOND;
    /// The longest pause.
    LONGEST_GUESS_PAUSE = MINUTE;
    /// A session without a request or an open page ends after this.
    SESSION_IDLE = 30 * MINUTE;
    /// The time within which a page of the site that uses a session in the database answers, whatever is silent: the
    /// time that it waits for another page of the same session (`site/src/Session.php`), and four seconds.
    SITE_SESSION = 8 * SECOND;
    /// Every session ends after this.
    SESSION_WHOLE = 12 * HOUR;
    /// Some actions require that the password was typed within this time.
    PASSWORD_FRESH = 10 * MINUTE;
    /// A visitor who came back with a server's cookie within this time counts as holding it.
    COOKIE_HELD = 30 * MINUTE;
    /// How long binary logs are kept.
    BINLOG_KEPT = 7 * DAY;
}

figures! {
    COUNTS: u64;

    /// The maximum number of databases in a cluster.
    DATABASES = 9;
    /// Processes of each Apache that answer requests.
    WORKERS = 64;
    /// Requests that HAProxy sends to a web server at the same time.
    WEB_AT_ONCE = 48;
    /// Connections that a database accepts.
    CONNECTIONS = 200;
    /// Lines of the journal that are kept.
    JOURNAL = 10_000;
    /// Addresses in the list of visitors.
    ADDRESSES = 100_000;
}
