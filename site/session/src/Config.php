<?php

declare(strict_types=1);

namespace Cordee\Session;

/** Where the sessions are and how they are kept, read once from a small array and valid from then on. */
final class Config
{
    private function __construct(
        public readonly string $dsn,
        public readonly string $user,
        public readonly string $password,
        public readonly string $table,
        public readonly int $lifetime,
        public readonly int $lockWait,
        public readonly int $idle,
    ) {
    }

    /** What a dump shows: never the password. */
    public function __debugInfo(): array
    {
        return ['dsn' => $this->dsn, 'user' => $this->user, 'table' => $this->table];
    }

    /**
     * Keys: `dsn` (of PDO, for MariaDB; without a charset), `user`, `password`; and where the defaults do not fit:
     * `table` (`php_sessions`), `lifetime` (seconds after the last use, 1440), `lock_wait` (seconds that a request
     * waits for another one of the same session, 10), `idle` (seconds without a statement after which the database
     * takes the lock from a request: it is frozen, or cut off, 30).
     *
     * @param array<string, mixed> $config
     * @throws \InvalidArgumentException naming the key, never its value
     */
    public static function of(#[\SensitiveParameter] array $config): self
    {
        $known = ['dsn' => null, 'user' => null, 'password' => null, 'table' => 'php_sessions', 'lifetime' => 1440,
            'lock_wait' => 10, 'idle' => 30];
        foreach (array_diff_key($config, $known) as $key => $ignored) {
            throw new \InvalidArgumentException("session configuration: unknown key \"$key\"");
        }
        $config += $known;
        foreach (['dsn', 'user', 'password', 'table'] as $key) {
            is_string($config[$key]) || throw new \InvalidArgumentException(
                "session configuration: \"$key\" is no text"
            );
        }
        if (preg_match('/^mysql:[^\0]+$/D', $config['dsn']) !== 1 || stripos($config['dsn'], 'charset') !== false) {
            throw new \InvalidArgumentException(
                'session configuration: "dsn" is "mysql:host=…;port=…;dbname=…", without a charset'
            );
        }
        // It stands in the statements: only a plain name, or one with its schema.
        if (preg_match('/^[A-Za-z_][A-Za-z0-9_]{0,63}(\.[A-Za-z_][A-Za-z0-9_]{0,63})?$/D', $config['table']) !== 1) {
            throw new \InvalidArgumentException('session configuration: "table" is no plain name');
        }
        foreach (['lifetime' => 31_536_000, 'lock_wait' => 600, 'idle' => 3_600] as $key => $most) {
            if (!is_int($config[$key]) || $config[$key] < 1 || $config[$key] > $most) {
                throw new \InvalidArgumentException(
                    "session configuration: \"$key\" is a number of seconds from 1 to $most"
                );
            }
        }

        return new self(
            $config['dsn'],
            $config['user'],
            $config['password'],
            $config['table'],
            $config['lifetime'],
            $config['lock_wait'],
            $config['idle'],
        );
    }
}
