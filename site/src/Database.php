<?php

declare(strict_types=1);

namespace Site;

/** The database, reached through HAProxy only. Each call says how long it took, in milliseconds. */
final class Database
{
    /** How long a connection is asked for again, in nanoseconds: a change of writer takes a fraction of it. */
    private const CHANGE_NS = 1_000_000_000;

    /** Between two tries, in microseconds. */
    private const PAUSE_US = 50_000;

    public readonly float $connectMs;

    private readonly \PDO $pdo;

    /**
     * @param array<string, string> $config as read by config()
     * @param string $port which of its ports: `port` or `writer_port`
     * @throws \PDOException|\ErrorException when nothing answers in time
     */
    public function __construct(#[\SensitiveParameter] array $config, string $port = 'port')
    {
        // A proxy accepts before it has found a database: the wait for the first word needs its own limit, in seconds.
        ini_set('mysqlnd.net_read_timeout', '2');
        $start = hrtime(true);
        $this->pdo = self::open($config, $port);
        $this->connectMs = self::since($start);
    }

    /**
     * The settings that the server's configuration points to. `port` is the one that follows the routing;
     * `writer_port` leads to the one writer, where sessions are kept.
     *
     * @param array<mixed> $env
     * @return array{host: string, port: string, writer_port: string, user: string, password: string, schema: string}
     * @throws \RuntimeException naming the missing key, never a value
     */
    public static function config(array $env): array
    {
        $path = $env['CORDEE_SITE_CONFIG'] ?? '';
        // Raw: a password may hold characters that have a meaning in an ini file.
        $ini = is_string($path) && is_readable($path) ? parse_ini_file($path, false, INI_SCANNER_RAW) : false;
        if ($ini === false) {
            throw new \RuntimeException('CORDEE_SITE_CONFIG names no readable file');
        }
        $config = [];
        foreach (['host', 'port', 'writer_port', 'user', 'password', 'schema'] as $key) {
            if (!isset($ini[$key]) || !is_string($ini[$key])) {
                throw new \RuntimeException("the site's configuration lacks $key");
            }
            $config[$key] = $ini[$key];
        }

        return $config;
    }

    /** @return array{name: string, port: string, version: string, readOnly: bool} */
    public function identity(): array
    {
        $row = $this->pdo
            ->query(
                'SELECT @@report_host AS name, @@server_id AS id, @@port AS port, @@version AS version, '
                    . '@@read_only AS ro'
            )
            ->fetch();

        return [
            // A database that Cordée did not configure may have a number only.
            'name' => (string) ($row['name'] ?? '') !== '' ? (string) $row['name'] : (string) $row['id'],
            'port' => (string) $row['port'],
            'version' => (string) $row['version'],
            // A number up to MariaDB 11, a word since 12.
            'readOnly' => !in_array(strtoupper((string) $row['ro']), ['0', 'OFF'], true),
        ];
    }

    /**
     * @return array{list<array{server: string, message: string, created: string}>, float} newest first, and the time
     */
    public function lastNotes(): array
    {
        $start = hrtime(true);
        // By id, not by time: several masters write, and their clocks differ.
        $notes = $this->pdo->query('SELECT server, message, created FROM note ORDER BY id DESC LIMIT 10')->fetchAll();

        return [$notes, self::since($start)];
    }

    /** @return float the time of the write */
    public function addNote(string $server, string $message): float
    {
        $start = hrtime(true);
        $this->pdo->prepare('INSERT INTO note (server, message) VALUES (?, ?)')->execute([$server, $message]);

        return self::since($start);
    }

    /** The number of a failure, as in MariaDB's list of errors; of a query, PDO gives only its class as the code. */
    public static function code(\Throwable $failure): int
    {
        $driver = $failure instanceof \PDOException ? ($failure->errorInfo[1] ?? null) : null;

        return (int) ($driver ?? $failure->getCode());
    }

    /** Whether the database itself said no. Codes from 2000 to 2999 are the client's: no word from the database. */
    public static function refused(\Throwable $failure): bool
    {
        $code = self::code($failure);

        return $code >= 1000 && ($code < 2000 || $code >= 3000);
    }

    /**
     * Whether a connection that was there has gone: 2006 and 2013 are the client's words for it, 1053, 1927 and 1152
     * those of a database that ends it.
     */
    public static function lost(\Throwable $failure): bool
    {
        return in_array(self::code($failure), [2006, 2013, 1053, 1152, 1927], true);
    }

    /**
     * Opens a connection. While the writer changes, HAProxy lets it wait; one that was just being opened to the former
     * writer is lost with it, and is asked for again. Nothing was sent yet, so this repeats nothing.
     *
     * @param array<string, string> $config
     */
    private static function open(#[\SensitiveParameter] array $config, string $port): \PDO
    {
        $until = hrtime(true) + self::CHANGE_NS;
        while (true) {
            try {
                return self::connect($config, $port);
            } catch (\PDOException $failure) {
                if (!self::lost($failure) || hrtime(true) >= $until) {
                    throw $failure;
                }
                usleep(self::PAUSE_US);
            }
        }
    }

    /** @param array<string, string> $config */
    private static function connect(#[\SensitiveParameter] array $config, string $port): \PDO
    {
        return new \PDO(
            sprintf(
                'mysql:host=%s;port=%d;dbname=%s;charset=utf8mb4', $config['host'], $config[$port], $config['schema'],
            ),
            $config['user'],
            $config['password'],
            [
                \PDO::ATTR_TIMEOUT => 2,
                \PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION,
                \PDO::ATTR_EMULATE_PREPARES => false,
                \PDO::ATTR_PERSISTENT => false,
                \PDO::ATTR_DEFAULT_FETCH_MODE => \PDO::FETCH_ASSOC,
                \PDO::MYSQL_ATTR_LOCAL_INFILE => false,
                \PDO::MYSQL_ATTR_MULTI_STATEMENTS => false,
                // The pages speak UTC whatever the zone of the database that answers.
                \PDO::MYSQL_ATTR_INIT_COMMAND => "SET time_zone = '+00:00'",
            ],
        );
    }

    private static function since(int $start): float
    {
        return (hrtime(true) - $start) / 1e6;
    }
}
