//! The intervals and limits that the documents quote, each once.
//!
//! A document names one right behind its number, where no reader sees it: `300 ms<!--figure:pulse-->`. The test
//! `tests/figures.rs` of the server compares them, and wants a name behind every number of seconds.

use crate::ids::Millis;

/// Defines each figure, and lists them by name.
macro_rules! figures {
    ($all:ident: $kind:ty; $($(#[$says:meta])* $name:ident = $value:expr;)*) => {
        $($(#[$says])* pub const $name: $kind = $value;)*
        /// These figures by their names.
        pub const $all: &[(&str, $kind)] = &[$((stringify!($name), $name)),*];
    };
}

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

figures! {
    TIMES: Millis;

    // Looking.

    /// Between two looks at a HAProxy.
    PROXY_LOOK = 500;
    /// The same, while a server waits for its first check; also between two looks at a port that is awaited.
    HASTE = 20;
    /// How long after its start a process is looked for in haste at its port.
    HASTE_FOR = 30 * SECOND;
    /// Between two looks at a database.
    DATABASE_LOOK = SECOND;
    /// A connection to a database is kept for so long at most: what only a login proves is proven anew then.
    LOGIN = 5 * SECOND;
    /// Between two looks at the accounts on a database.
    ACCOUNTS_LOOK = 10 * SECOND;
    /// Between two short looks at the writer.
    PULSE = 300;
    /// Between two heartbeats of a database.
    HEARTBEAT = SECOND;
    /// Between two looks at the states of our processes, and at their ports.
    PROCESS_LOOK = 250;
    /// The same of the ports, while each is with the process that is to have it.
    PORTS_LOOK = SECOND;
    /// Between two visits to the site's own addresses.
    VISIT = SECOND;
    /// The same, after a wrong answer.
    VISIT_AGAIN = 300;
    /// Between two questions for the address of a host name.
    NAME_LOOK = 30 * SECOND;
    /// Between two times at which some web servers are asked for their session mode.
    MODES_LOOK = 3 * SECOND;
    /// Between two looks for tables that keep all databases from writing.
    TABLES_LOOK = 30 * SECOND;
    /// What is older is not shown as the present.
    STALE = 2 * SECOND;
    /// The same of a database.
    DATABASE_STALE = STALE + SECOND;
    /// A page that shows an older picture says so.
    PAGE_LATE = 2 * SECOND;
    /// A database that is further behind is called so.
    LAG_LIMIT = 5 * SECOND;
    /// Between two looks whether a log was moved away.
    LOG_LOOK = 20 * SECOND;
    /// How long one step of a server's test may take.
    TEST_STEP = 3 * SECOND;
    /// Between two comparisons of all rows.
    COMPARISON = 6 * HOUR;

    // Acting.

    /// The rest after a second failure; after the first there is none.
    FIRST_REST = 250;
    /// The longest rest.
    LONGEST_REST = 10 * SECOND;
    /// A process that ended sooner after its start has failed to start.
    SHORT_LIFE = 2 * SECOND;
    /// A leader of a web server that was asked to end is killed after this.
    WEB_PATIENCE = 8 * SECOND;
    /// The same of a database.
    DATABASE_PATIENCE = 30 * SECOND;
    /// How long Apache finishes its requests when it is asked to end.
    GRACE = 5 * SECOND;
    /// Somebody else's database that is released and silent for this long is forgotten.
    LET_GO = 10 * SECOND;
    /// How long `up` waits until all that it started serves.
    UP_WITHIN = 90 * SECOND;
    /// How long a command waits until what it asked for is so.
    COMMAND_WAIT = 60 * SECOND;
    /// How long a deed can be undone on the page; the same in `web/forms.js`.
    UNDO = 10 * SECOND;
    /// A request of a drill that has no answer by then is lost.
    DRILL_ANSWER = 10 * SECOND;
    /// A `serve` without a sign of life for this long is killed by its keeper.
    KEEPER_PATIENCE = 10 * SECOND;
    /// A `serve` that lived longer is brought back at once; no pause is longer either.
    KEEPER_PAUSE = 5 * SECOND;

    // The writer.

    /// The longest that a commit waits for an ACK, and the oldest note that proves a promise.
    ACK_LIMIT = 800;
    /// A writer that is frozen for this long is lost.
    FROZEN = SECOND;
    /// One that nobody heard for this long is lost.
    SILENT = 3 * SECOND;
    /// After this without a successor the lost writer is started again where its data are.
    ELECTION_PATIENCE = 5 * SECOND;
    /// A handover that has not come about by then is given up.
    HANDOVER_LIMIT = 10 * SECOND;
    /// So long after a change of writer a missing promise is called a passage.
    PASSAGE = 5 * SECOND;

    // HAProxy and Apache.

    /// How long a former worker of HAProxy `web` may finish what it serves.
    WEB_HARD_STOP = 30 * SECOND;
    /// The same of HAProxy `db`.
    DATABASE_HARD_STOP = 10 * SECOND;
    /// A connection of a visitor or a web server from which nothing comes for this long is ended.
    TRAFFIC_SILENT = 30 * SECOND;
    /// The same of a connection to a database.
    DATABASE_TRAFFIC_SILENT = HOUR;
    /// The longest that a request waits for a place at a server.
    QUEUE = 5 * SECOND;
    /// How long the head of a request may take to arrive.
    REQUEST_HEAD = 10 * SECOND;
    /// How long the body of a request may take to arrive at an Apache of ours.
    REQUEST_BODY = 20 * SECOND;
    /// How long a web server may take to answer a check.
    WEB_CHECK_ANSWER = 2 * SECOND;
    /// Between two checks of a web server.
    WEB_CHECK = SECOND;
    /// Between two checks of a server of which one check told otherwise than before.
    CHECK_IN_DOUBT = 200;
    /// Between two checks of a server that is down.
    CHECK_DOWN = 250;
    /// Between two tries for a database while none is in service.
    DATABASE_TRY = 100;

    // People.

    /// The first pause of an account that has used up its tries.
    FIRST_GUESS_PAUSE = SECOND;
    /// The longest one.
    LONGEST_GUESS_PAUSE = MINUTE;
    /// A session without a request or an open page ends after this.
    SESSION_IDLE = 30 * MINUTE;
    /// A page of the site that uses a session in the database answers by then, whatever is silent: what it waits for
    /// another page of that session (`site/src/Session.php`), and four seconds.
    SITE_SESSION = 8 * SECOND;
    /// Every session ends after this.
    SESSION_WHOLE = 12 * HOUR;
    /// Some acts take a password that was typed within this.
    PASSWORD_FRESH = 10 * MINUTE;
    /// A visitor who came back with a server's cookie within this holds it.
    COOKIE_HELD = 30 * MINUTE;
    /// Binary logs are kept for this long.
    BINLOG_KEPT = 7 * DAY;
}

figures! {
    COUNTS: u64;

    /// Databases of a cluster, at most.
    DATABASES = 9;
    /// Processes of each Apache that answer requests.
    WORKERS = 64;
    /// Requests that HAProxy sends a web server at a time.
    WEB_AT_ONCE = 48;
    /// Connections that a database takes.
    CONNECTIONS = 200;
    /// Lines of the journal that are kept.
    JOURNAL = 10_000;
    /// Addresses in the list of visitors.
    ADDRESSES = 100_000;
}
