//! A database's channels to its peers, and their positions.

use std::time::{Duration, Instant};

use cordee_domain::db::{Channel, DatabaseSeen, Gtids, Thread, stalled};
use cordee_domain::fault::Fault;
use cordee_domain::ids::ServerName;
use cordee_domain::text;
use mysql_async::Row;
use mysql_async::prelude::Queryable as _;
use tokio::time::sleep;

use super::{Bounded as _, Database, PATIENT, Peer, account, end, failpoint, within, within_limit};

/// How long a repair waits until a channel has passed its conflict.
const PASSING: Duration = Duration::from_secs(20);
/// How long a channel may take to apply what it received before it is stopped.
const APPLIES: Duration = Duration::from_secs(10);
/// How long a channel that will be removed may take for that.
const A_MOMENT: Duration = Duration::from_secs(2);
/// The interval between two looks at that.
const LOOKS: Duration = Duration::from_millis(50);
/// How long a position that was set must stay unchanged.
const SETTLES: Duration = Duration::from_millis(100);
/// How often setting a position is tried.
const PLACES: u32 = 5;

impl Database {
    /// Points a channel at a peer and starts it.
    pub async fn set_link(&self, peer: &Peer<'_>) -> Result<(), Fault> {
        let name = peer.name.as_str();
        let change = format!(
            "CHANGE MASTER '{name}' TO MASTER_HOST='{}', MASTER_PORT={}, MASTER_USER='{}', \
             MASTER_PASSWORD='{}', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=1",
            peer.host,
            peer.port,
            account::REPLICATION,
            peer.password
        );
        self.take_up_own(peer.name).await?;
        self.run(&[change, format!("START SLAVE '{name}'")]).await
    }

    /// Adds the database's own transactions to the position from which its channels request.
    ///
    /// A database's position in its own domain grows only when its own transactions come back over a channel. If it
    /// is behind, the database would request from a peer what that peer never had, if the peer's log begins later
    /// (error 1236). While a channel delivers, there is nothing to do.
    async fn take_up_own(&self, new: &ServerName) -> Result<(), Fault> {
        let seen = self.look().await?;
        let own = seen.server_id;
        let delivered = seen.channels.values().any(|l| l.receiving == Thread::Running);
        if delivered || seen.written.last(own) <= seen.applied.last(own) {
            return Ok(());
        }
        let running = |l: &Channel| l.receiving != Thread::Stopped || l.applying;
        let others: Vec<&ServerName> = seen
            .channels
            .iter()
            .filter(|(from, l)| *from != new && running(l))
            .map(|(from, _)| from)
            .collect();
        self.rest(&others).await?;
        // Only now is it read: nothing is being applied any more.
        let all = self.everything().await?;
        let before = self.applied().await?;
        let placed = self.place(&all).await;
        // The channels start from this position or from the one they had, and from no other.
        if placed.is_err() && self.applied().await? != before {
            return placed;
        }
        self.run(&others.iter().map(|from| format!("START SLAVE '{from}'")).collect::<Vec<_>>()).await?;
        placed
    }

    /// Sets the position from which channels request, once no session waits for one, and proves that the database
    /// holds it. MariaDB 10.11.19 was seen to hold another position right after one was set: one domain gone,
    /// another one twice (`1-1-9440,2-2-48,5-5-1,6-6-1` became `2-2-48,5-5-1,6-6-1,6-2-48`). A channel that
    /// requests from there gets what the database has already (error 1062), or requests what no peer has (1236).
    pub async fn place(&self, all: &Gtids) -> Result<(), Fault> {
        for _ in 0..PLACES {
            let unawaited = self.unawaited().await?;
            let unread = self.gate.set().await;
            let mut conn = within(self.own_conn()).await?;
            let id = u64::from(conn.id());
            let set =
                within_limit(PATIENT, conn.query_drop(format!("SET GLOBAL gtid_slave_pos='{all}'"))).await;
            if set.is_err() {
                // A statement that Cordée stopped waiting for must not run while the position is being read.
                drop(conn);
                let _ = self.end(&[id]).await;
            }
            drop((unread, unawaited));
            set?;
            sleep(SETTLES).await;
            let shown = self.applied().await?;
            if all.is_told_by(&shown) {
                return Ok(());
            }
            tracing::warn!(wanted = %all, %shown, "a position was set, and is another one");
        }
        Err(text!("position-not-kept").into())
    }

    /// Returns the position from which its channels request, as the database shows it.
    async fn applied(&self) -> Result<String, Fault> {
        let _unset = self.gate.read().await;
        within(async {
            let mut conn = self.own_conn().await?;
            let shown: Option<Option<String>> = conn.query_first("SELECT @@gtid_slave_pos").await?;
            Ok(shown.flatten().unwrap_or_default())
        })
        .await
    }

    /// Stops these channels once they have applied what they received. A transaction that this database has
    /// acknowledged is until then only in the channel's relay log, and stopping both threads deletes the relay log.
    /// If the writer died before the transaction is requested again, no database would have it.
    pub(super) async fn rest(&self, channels: &[&ServerName]) -> Result<(), Fault> {
        let each =
            |what: &str| channels.iter().map(|from| format!("{what} SLAVE '{from}'")).collect::<Vec<_>>();
        let receive = |what: &str| each(what).iter().map(|s| format!("{s} IO_THREAD")).collect::<Vec<_>>();
        self.run(&receive("STOP")).await?;
        match self.until_applied(channels, APPLIES).await {
            Ok(()) => self.run(&each("STOP")).await,
            Err(why) => {
                self.run(&receive("START")).await?;
                Err(why)
            }
        }
    }

    /// Waits until these channels have applied what they received. A channel that does not apply at all is not
    /// waited for.
    pub(super) async fn until_applied(&self, channels: &[&ServerName], most: Duration) -> Result<(), Fault> {
        let until = Instant::now() + most;
        loop {
            let seen = self.look().await?;
            let behind = channels.iter().find(|from| {
                seen.channels.get(**from).is_some_and(|l| l.applying && !l.received.within(&seen.applied))
            });
            match behind {
                None => return Ok(()),
                Some(from) if Instant::now() >= until => {
                    return Err(text!("link-unapplied", peer = *from).into());
                }
                Some(_) => sleep(LOOKS).await,
            }
        }
    }

    /// Returns everything that the database holds: what it logged and what it applied.
    async fn everything(&self) -> Result<Gtids, Fault> {
        let _unset = self.gate.read().await;
        within(async {
            let mut conn = self.own_conn().await?;
            let row: Option<(String, String)> =
                conn.query_first("SELECT @@gtid_binlog_pos, @@gtid_slave_pos").await?;
            row.and_then(|(logged, applied)| Some(Gtids::parse(&logged)?.with(Gtids::parse(&applied)?)))
                .ok_or_else(|| mysql_async::Error::Other("no position".into()))
        })
        .await
    }

    /// Starts a stopped channel.
    pub async fn start_link(&self, from: &ServerName) -> Result<(), Fault> {
        self.run(&[format!("START SLAVE '{from}'")]).await
    }

    /// Stops receiving from a peer, and from all others with it (see `between_receiving`). Returns the others,
    /// which must be started again.
    pub async fn stop_receiving(&self, from: &ServerName) -> Result<Vec<ServerName>, Fault> {
        let channels = self.look().await?.channels;
        let others = channels.into_iter().filter(|(n, l)| n != from && l.receiving != Thread::Stopped);
        let others: Vec<ServerName> = others.map(|(name, _)| name).collect();
        let all = others.iter().chain([from]);
        self.run(&all.map(|name| format!("STOP SLAVE '{name}' IO_THREAD")).collect::<Vec<_>>()).await?;
        Ok(others)
    }

    /// Starts receiving from these peers again.
    pub async fn receive_again(&self, from: &[ServerName]) -> Result<(), Fault> {
        let start = |name: &ServerName| format!("START SLAVE '{name}' IO_THREAD");
        self.run(&from.iter().map(start).collect::<Vec<_>>()).await
    }

    /// Stops receiving from a peer; with `whole`, applying too.
    ///
    /// What the channel received is applied first if that takes only a moment: a channel that is stopped with
    /// transactions in its workers' queues may leave the others waiting for it (see [`stalled`]). A channel that
    /// somebody made wait for an hour is stopped as it is: waiting for it would mean an hour without receiving and
    /// without ACKs.
    pub async fn stop_link(&self, from: &ServerName, whole: bool) -> Result<(), Fault> {
        self.between_receiving(Some(from), &[format!("STOP SLAVE '{from}' IO_THREAD")]).await?;
        if !whole {
            return Ok(());
        }
        let _ = self.until_applied(&[from], A_MOMENT).await;
        self.run(&[format!("STOP SLAVE '{from}'")]).await
    }

    /// Removes a channel, together with what it received and could not apply.
    pub async fn drop_link(&self, from: &ServerName) -> Result<(), Fault> {
        self.stop_link(from, true).await?;
        self.run(&[format!("RESET SLAVE '{from}' ALL")]).await
    }

    /// Makes channels continue that wait for a channel that is gone. MariaDB forgets which channel a domain belongs
    /// to only when a position is set. Setting one requires stopped channels, and a worker that waits for another
    /// channel stops only when it is killed. What was received and not applied is thereby discarded, and received
    /// again.
    pub async fn free_links(&self) -> Result<(), Fault> {
        // This comes before any channel is stopped for it.
        drop(self.unawaited().await?);
        let channels = self.look().await?.channels;
        let runs = |l: &Channel| l.receiving != Thread::Stopped || l.applying;
        let running: Vec<&ServerName> =
            channels.iter().filter(|(_, l)| runs(l)).map(|(name, _)| name).collect();
        let each = |what: &str, end: &str| {
            running.iter().map(|n| format!("{what} SLAVE '{n}'{end}")).collect::<Vec<_>>()
        };
        let stops = within_limit(PATIENT, async {
            let mut conn = self.own_conn().await?;
            for statement in each("STOP", " IO_THREAD").into_iter().chain(each("STOP", "")) {
                conn.query_drop(statement).await?;
            }
            Ok(())
        });
        tokio::select! {
            stopped = stops => stopped?,
            () = self.end_waiting() => {}
        }
        let before = self.applied().await?;
        // Its own transactions come back over the channels, or no longer do: a position behind them is refused
        // (1947).
        let all = self.everything().await?;
        let placed = self.place(&all).await;
        failpoint("before", "Go");
        // The channels start from this position or from the one they had, and from no other.
        if placed.is_ok() || self.applied().await? == before {
            self.run(&each("START", "")).await?;
        }
        placed
    }

    /// Kills the workers that wait for another channel, again and again, because more workers may begin to wait. If
    /// a round does not finish because a worker is just stopping, the next round follows.
    async fn end_waiting(&self) {
        loop {
            let round = within(async {
                let mut conn = self.own_conn().await?;
                let rows: Vec<(u64, String)> = conn
                    .all(
                        "SELECT ID, IFNULL(STATE, '') FROM information_schema.PROCESSLIST \
                         WHERE COMMAND = 'Slave_worker'",
                    )
                    .await?;
                let waiting = rows.iter().filter(|(_, state)| stalled::waits(&[state]));
                end(&mut conn, &waiting.map(|(id, _)| *id).collect::<Vec<_>>()).await;
                Ok(())
            });
            if let Err(why) = round.await {
                tracing::debug!(?why, "a round among the workers that wait was not finished");
            }
            sleep(LOOKS).await;
        }
    }

    /// Makes the database send ACKs for what it receives, or not.
    pub async fn set_acks(&self, on: bool) -> Result<(), Fault> {
        let statement = format!("SET GLOBAL rpl_semi_sync_slave_enabled={}", u8::from(on));
        self.between_receiving(None, &[statement]).await
    }

    /// Runs statements while nothing is received, then starts receiving again from all peers except `except`.
    ///
    /// MariaDB keeps one flag for all channels that says whether events carry the semi-sync mark. When one channel
    /// stops, the flag is cleared, and every other channel then takes the mark for a damaged event (seen on 10.11
    /// as errors 1593 and 1595). So all channels stop and start together.
    async fn between_receiving(&self, except: Option<&ServerName>, work: &[String]) -> Result<(), Fault> {
        let channels = self.look().await?.channels;
        let others = || channels.iter().filter(|(n, l)| Some(*n) != except && l.receiving != Thread::Stopped);
        let mut statements: Vec<String> =
            others().map(|(name, _)| format!("STOP SLAVE '{name}' IO_THREAD")).collect();
        statements.extend_from_slice(work);
        statements.extend(others().map(|(name, _)| format!("START SLAVE '{name}' IO_THREAD")));
        self.run(&statements).await
    }

    /// Returns the position from its tables, provided that no position was set since its start.
    pub async fn told(&self) -> Result<Gtids, Fault> {
        Gtids::parse(&self.applied().await?).ok_or_else(|| text!("copy-no-position").into())
    }

    /// Sets its position in its own domain to what its log holds. Allowed only while no channel runs.
    pub async fn set_back(&self, own: u32) -> Result<(), Fault> {
        let runs = |l: &Channel| l.receiving != Thread::Stopped || l.applying;
        let seen = self.look().await?;
        if seen.server_id != own || seen.channels.values().any(runs) {
            return Err(Fault::Overtaken);
        }
        let (logged, applied) = self.positions().await?;
        let back = Gtids::parse(&applied)
            .zip(Gtids::parse(&logged))
            .map(|(applied, logged)| applied.with_domain_of(own, &logged))
            .ok_or(Fault::Broken)?;
        self.place(&back).await
    }

    /// Returns the error at which a channel stopped applying (0: none), and its words, which may quote data.
    pub async fn stopped_by(&self, from: &ServerName) -> Result<(u32, String), Fault> {
        within(async {
            let mut conn = self.own_conn().await?;
            let rows: Vec<Row> = conn.all("SHOW ALL SLAVES STATUS").await?;
            let text = |row: &Row, name: &str| {
                row.get_opt::<String, _>(name).and_then(Result::ok).unwrap_or_default()
            };
            let own =
                rows.iter().find(|row| text(row, "Connection_name").eq_ignore_ascii_case(from.as_str()));
            let number = |row: &Row| text(row, "Last_SQL_Errno").parse().unwrap_or(0);
            Ok(own.map(|row| (number(row), text(row, "Last_SQL_Error"))).unwrap_or_default())
        })
        .await
    }

    /// Makes channels stop at conflicts again.
    pub async fn set_strict(&self) -> Result<(), Fault> {
        self.run(&["SET GLOBAL slave_exec_mode=STRICT".to_owned()]).await
    }

    /// Skips what a channel was to do to a missing row, and no more than that: as soon as the channel has moved on,
    /// it stops at conflicts again.
    pub async fn skip_missing(&self, from: &ServerName) -> Result<(), Fault> {
        let before = self.look().await?.applied;
        self.run(&["SET GLOBAL slave_exec_mode=IDEMPOTENT".to_owned()]).await?;
        let passed = self.goes_on(from, |seen| seen.applied != before).await;
        failpoint("before", "Strict");
        self.set_strict().await?;
        passed
    }

    /// Starts a channel, and waits until it has caught up or stopped again.
    pub async fn resume(&self, from: &ServerName) -> Result<(), Fault> {
        failpoint("before", "Resume");
        self.goes_on(from, |_| false).await
    }

    /// Starts a channel and waits until it has caught up, has stopped with an error, or `enough` returns true.
    async fn goes_on(&self, from: &ServerName, enough: impl Fn(&DatabaseSeen) -> bool) -> Result<(), Fault> {
        self.start_link(from).await?;
        let deadline = Instant::now() + PASSING;
        loop {
            let seen = self.look().await?;
            let channel = seen.channels.get(from).cloned().unwrap_or_default();
            let left: u64 = channel
                .received
                .0
                .iter()
                .map(|(domain, last)| last.saturating_sub(seen.holds(*domain)))
                .sum();
            if channel.error != 0 || enough(&seen) || (channel.applying && left == 0) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(text!("repair-stuck", from = from, code = channel.error).into());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
