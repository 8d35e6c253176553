<?php

declare(strict_types=1);

namespace Cordee\Session;

/**
 * Sessions as rows of a MariaDB table, one row locked for as long as a request uses its session.
 *
 * The order of PHP's calls decides what is safe: `validateId` comes before `read`, so the lock is taken there. A
 * request that waited behind a log-out then finds no row, and gets a new id; it does not bring the old one back.
 * For the same reason a known session is only ever updated and a new one only ever inserted.
 *
 * It must reach the one database that takes writes: a row's lock is known to one database only.
 */
final class Handler implements \SessionHandlerInterface, \SessionIdInterface, \SessionUpdateTimestampHandlerInterface
{
    /** Seconds to wait for the connection. */
    private const CONNECT = 2;
    /** Seconds by which a stored expiry may be old before it is written anew; a tenth of a short life. */
    private const REFRESH = 60;
    /** Seconds by which the database refuses a COMMIT before this side stops waiting for its answer. */
    private const SOONER = 1;
    /** What a MEDIUMBLOB holds. */
    private const MOST = 16_777_215;
    /** Above this the database is asked how much it takes. */
    private const LARGE = 262_144;

    private ?\PDO $pdo = null;
    /** SHA-256 of the id whose row is locked now; the table never holds the id itself. */
    private ?string $held = null;
    /** @var array{data: string, ver: int, left: int}|null the row as it was read */
    private ?array $row = null;

    /** Whether something was changed that is not committed. */
    private bool $changed = false;
    /** Why the session cannot be had; `read` says so. */
    private ?SessionException $failure = null;
    /** SHA-256 of the id that was made last: it has no row yet. */
    private ?string $fresh = null;

    /** How long the last lock was waited for, in milliseconds. */
    public float $waitedMs = 0.0;
    /** Statements that stored something since this object was made. */
    public int $writes = 0;

    public function __construct(private readonly Config $config)
    {
    }

    /**
     * Registers a handler and sets what its safety rests on; starts nothing. For code that is there already and starts
     * its sessions itself, under its own cookie.
     *
     * @param array<string, mixed> $config see Config::of
     */
    public static function register(#[\SensitiveParameter] array $config): self
    {
        $handler = new self(Config::of($config));
        foreach ([
            'session.use_strict_mode' => '1',
            'session.use_only_cookies' => '1',
            'session.use_trans_sid' => '0',
            'session.lazy_write' => '1',
            // One job removes expired rows, on the writer: two databases that both did would stop each other's copy.
            'session.gc_probability' => '0',
        ] as $setting => $value) {
            if ((string) ini_get($setting) !== $value && ini_set($setting, $value) === false) {
                throw new \RuntimeException("$setting cannot be set to $value");
            }
        }
        session_set_save_handler($handler, true);
        // A configuration that fixes `session.save_handler` keeps PHP's files, and says nothing.
        if (ini_get('session.save_handler') !== 'user') {
            throw new \RuntimeException('session.save_handler is fixed by the configuration');
        }

        return $handler;
    }

    /**
     * The same, and starts the session.
     *
     * @param array<string, mixed> $config see Config::of
     * @param string $name the cookie's name: one of its own for each kind of storage
     * @param bool $readAndClose for a request that changes nothing: others of the session wait for its reading only
     * @throws SessionException when the session cannot be had; the request must not go on without it
     */
    public static function start(
        #[\SensitiveParameter] array $config,
        string $name,
        bool $secure = false,
        bool $readAndClose = false,
    ): self {
        $handler = self::register($config);
        session_name($name);
        session_cache_limiter('');
        session_set_cookie_params(
            ['lifetime' => 0, 'path' => '/', 'secure' => $secure, 'httponly' => true, 'samesite' => 'Lax']
        );
        session_start($readAndClose ? ['read_and_close' => true] : []);

        return $handler;
    }

    /**
     * @throws SessionException when ids that a visitor made up would be taken: PHP asks `validateId` in strict mode
     * only
     */
    public function open(string $path, string $name): bool
    {
        if (!in_array(strtolower((string) ini_get('session.use_strict_mode')), ['1', 'on', 'yes', 'true'], true)) {
            throw new SessionException('session.use_strict_mode was switched off after the handler was registered');
        }

        return true;
    }

    /** 192 random bits in 48 hexadecimal digits; `session.sid_length` does not count. */
    public function create_sid(): string
    {
        $id = bin2hex(random_bytes(24));
        $this->fresh = self::hash($id);

        return $id;
    }

    /**
     * Locks the row of an id that a visitor brought. Unknown, expired or odd ones get a new id. A failure waits for
     * `read`: thrown from here, PHP would still give the visitor another id in place of theirs (8.2).
     */
    public function validateId(string $id): bool
    {
        $this->failure = null;
        // `session_create_id` asks about its own: the answer is known, and the session in use must keep its lock.
        if ($this->fresh === self::hash($id)) {
            return false;
        }
        try {
            return $this->take($id);
        } catch (SessionException $failure) {
            $this->failure = $failure;

            return true;
        }
    }

    /** What was locked before. A new id is random, and nobody else has it: it needs no lock, and no row yet. */
    public function read(string $id): string|false
    {
        if ($this->failure !== null) {
            throw $this->failure;
        }
        $hash = self::hash($id);
        if ($this->held === $hash && $this->row !== null) {
            return $this->row['data'];
        }
        if ($this->fresh === $hash) {
            return '';
        }
        // PHP without strict mode, or an application that sets an id of its own, comes here first.
        return $this->take($id) ? (string) $this->row['data'] : '';
    }

    public function write(string $id, string $data): bool
    {
        $this->fits($data);
        $hash = self::hash($id);
        if ($this->held === $hash && $this->row !== null) {
            $changed = $this->change(
                "UPDATE {$this->config->table} SET data = ?, ver = ver + 1, expires = UNIX_TIMESTAMP() + ? "
                    . "WHERE id = ? AND ver = ?",
                [$data, $this->config->lifetime, $hash, $this->row['ver']],
            );
            if ($changed !== 1) {
                $this->drop();
                throw new Conflict('the session is not the one that was read');
            }
        } elseif ($data !== '') {
            $this->fresh = null;
            $this->change(
                "INSERT INTO {$this->config->table} (id, data, created, expires) "
                    . 'VALUES (?, ?, UNIX_TIMESTAMP(), UNIX_TIMESTAMP() + ?)',
                [$hash, $data, $this->config->lifetime],
            );
        }

        return $this->commit();
    }

    /** The same data as before: its expiry is written only now and then, which saves most writes. */
    public function updateTimestamp(string $id, string $data): bool
    {
        $this->touch();

        return $this->commit();
    }

    public function destroy(string $id): bool
    {
        $this->change("DELETE FROM {$this->config->table} WHERE id = ?", [self::hash($id)]);

        return $this->commit();
    }

    /** Ends the request's hold. What was only read (`read_and_close`) lives on as well. */
    public function close(): bool
    {
        if ($this->held !== null) {
            $this->touch();
            $this->commit();
        }

        return true;
    }

    /** Does nothing: see `start`. */
    public function gc(int $max_lifetime): int|false
    {
        return 0;
    }

    private function take(string $id): bool
    {
        if (preg_match('/^[A-Za-z0-9,-]{22,256}$/D', $id) !== 1) {
            return false;
        }
        $hash = self::hash($id);
        $begun = hrtime(true);
        $row = $this->lock($hash);
        $this->waitedMs = (hrtime(true) - $begun) / 1e6;
        if ($row === null) {
            $this->release();

            return false;
        }
        [$this->held, $this->row] = [$hash, $row];

        return true;
    }

    private static function hash(string $id): string
    {
        return hash('sha256', $id, true);
    }

    /** @return array{data: string, ver: int, left: int}|null null: there is none, or it has expired */
    private function lock(string $hash): ?array
    {
        $sql = 'SELECT data, ver, CAST(expires AS SIGNED) - UNIX_TIMESTAMP() AS remaining, @@read_only AS closed '
            . "FROM {$this->config->table} WHERE id = ? FOR UPDATE";
        $begun = hrtime(true);
        try {
            $found = $this->run($sql, [$hash])->fetch(\PDO::FETCH_ASSOC);
        } catch (Busy $busy) {
            throw $busy;
        } catch (Unavailable $failure) {
            // Nothing was read yet: one more try, on a connection of its own, is safe. Whoever said nothing for so long
            // would say nothing again, and the visitor would wait twice.
            if (hrtime(true) - $begun > self::CONNECT * 1e9) {
                throw $failure;
            }
            $found = $this->run($sql, [$hash])->fetch(\PDO::FETCH_ASSOC);
        }
        // A database that is closed may not have caught up: that it has no such row means nothing.
        $closed = $found === false ? $this->run('SELECT @@read_only', [])->fetchColumn() : $found['closed'];
        if (!in_array(strtoupper((string) $closed), ['0', 'OFF'], true)) {
            $this->drop();
            throw new Unavailable('the database takes no writes');
        }

        return $found !== false && $found['remaining'] > 0
            ? ['data' => (string) $found['data'], 'ver' => (int) $found['ver'], 'left' => (int) $found['remaining']]
            : null;
    }

    private function touch(): void
    {
        $old = min(self::REFRESH, intdiv($this->config->lifetime, 10));
        if ($this->held !== null && $this->row !== null && $this->row['left'] < $this->config->lifetime - $old) {
            $this->change(
                "UPDATE {$this->config->table} SET expires = UNIX_TIMESTAMP() + ? WHERE id = ?",
                [$this->config->lifetime, $this->held],
            );
        }
    }

    private function fits(string $data): void
    {
        $length = strlen($data);
        if ($length > self::MOST) {
            $this->release();
            throw new TooLarge("the session holds $length bytes; a row holds " . self::MOST);
        }
        if ($length < self::LARGE) {
            return;
        }
        $packet = (int) $this->run('SELECT @@max_allowed_packet', [])->fetchColumn();
        // In the statement some bytes stand as two.
        $needed = strlen((string) $this->pdo?->quote($data)) + 1_024;
        if ($needed > $packet) {
            $this->release();
            throw new TooLarge(
                "the session needs a packet of $needed bytes; the database takes $packet (max_allowed_packet)"
            );
        }
    }

    /**
     * Stores something, and has the database note when: see `commit`.
     *
     * @param list<int|string> $values
     * @return int the rows that were changed
     */
    private function change(string $sql, array $values): int
    {
        $this->changed = true;
        $rows = $this->run("BEGIN NOT ATOMIC SET @cordee_changed = SYSDATE(6); $sql; END", $values)->rowCount();
        $this->writes++;

        return $rows;
    }

    /** @param list<int|string> $values */
    private function run(string $sql, array $values): \PDOStatement
    {
        try {
            $this->pdo ??= $this->connect();
            $statement = $this->pdo->prepare($sql);
            foreach ($values as $i => $value) {
                $statement->bindValue($i + 1, $value, is_int($value) ? \PDO::PARAM_INT : \PDO::PARAM_STR);
            }
            $statement->execute();

            return $statement;
        } catch (\PDOException | \ErrorException $failure) {
            // A site may turn the driver's warnings into exceptions.
            $this->drop();
            throw self::explain($failure);
        }
    }

    /**
     * A frozen proxy or database carries out whatever was sent to it once it goes on, when its visitor was told long
     * ago that it failed. So the database itself refuses a COMMIT that reaches it too long after the change. What is
     * sent here waits for its answer for longer than that: it was carried out by then, or never is. Without a COMMIT
     * nothing is: the connection ends.
     */
    private function commit(): bool
    {
        if (!$this->changed) {
            $this->release();

            return true;
        }
        [$this->held, $this->row, $this->changed] = [null, null, false];
        try {
            $this->pdo?->exec(sprintf(
                'BEGIN NOT ATOMIC IF TIMESTAMPDIFF(MICROSECOND, @cordee_changed, SYSDATE(6)) <= %d THEN COMMIT; '
                    . "ELSE ROLLBACK; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'too late'; END IF; END",
                ($this->config->lockWait + self::CONNECT - self::SOONER) * 1_000_000,
            ));
        } catch (\PDOException | \ErrorException $failure) {
            // Whether it was stored is not known: that must not pass as done.
            $this->drop();
            throw self::explain($failure);
        }

        return true;
    }

    /** Gives a lock back without having changed anything. */
    private function release(): void
    {
        [$this->held, $this->row, $this->changed] = [null, null, false];
        try {
            $this->pdo?->exec('ROLLBACK');
        } catch (\PDOException | \ErrorException) {
            $this->drop();
        }
    }

    /** Ends the connection, and with it the transaction and every lock. */
    private function drop(): void
    {
        [$this->pdo, $this->held, $this->row, $this->changed] = [null, null, null, false];
    }

    /** One connection of its own: in a shared one the site's transactions and these would end each other. */
    private function connect(): \PDO
    {
        // A proxy accepts before it has found a database, and a frozen one never answers. Longer than a lock is waited
        // for.
        $before = ini_set('mysqlnd.net_read_timeout', (string) ($this->config->lockWait + self::CONNECT));
        try {
            return new \PDO($this->config->dsn . ';charset=binary', $this->config->user, $this->config->password, [
                \PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION,
                \PDO::ATTR_TIMEOUT => self::CONNECT,
                \PDO::ATTR_PERSISTENT => false,
                // Values are bound by the driver on this side: one round trip a statement.
                \PDO::ATTR_EMULATE_PREPARES => true,
                \PDO::MYSQL_ATTR_LOCAL_INFILE => false,
                \PDO::MYSQL_ATTR_MULTI_STATEMENTS => false,
                \PDO::MYSQL_ATTR_INIT_COMMAND => sprintf(
                    "SET SESSION autocommit = 0, time_zone = '+00:00', tx_isolation = 'READ-COMMITTED', "
                        . "innodb_lock_wait_timeout = %d, "
                        . "idle_transaction_timeout = %d, sql_mode = 'STRICT_ALL_TABLES'",
                    $this->config->lockWait,
                    $this->config->idle,
                ),
            ]);
        } finally {
            if ($before !== false) {
                ini_set('mysqlnd.net_read_timeout', $before);
            }
        }
    }

    /** The text of a database's failure may hold an account or an address: only its number goes on. */
    private static function explain(\Throwable $failure): SessionException
    {
        $driver = $failure instanceof \PDOException ? ($failure->errorInfo[1] ?? null) : null;
        $code = (int) ($driver ?? $failure->getCode());

        return match (true) {
            $code === 1205 => new Busy('another request of this session did not end in time', $code),
            $code === 1062 => new Conflict('a session of this id is there already', $code),
            $code === 1153, $code === 1406 => new TooLarge('the session is larger than the database takes', $code),
            default => new Unavailable("the database of the sessions failed with error $code", $code),
        };
    }
}
