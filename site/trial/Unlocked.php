<?php

declare(strict_types=1);

namespace Site\Trial;

/**
 * A handler as many are: it reads and writes a row, and locks nothing. It is here to be measured, not to be used.
 */
final class Unlocked implements \SessionHandlerInterface
{
    public function __construct(private readonly \PDO $pdo)
    {
    }

    public function open(string $path, string $name): bool
    {
        return true;
    }

    public function close(): bool
    {
        return true;
    }

    public function read(string $id): string|false
    {
        $found = $this->pdo->prepare('SELECT data FROM trial_sessions WHERE id = ?');
        $found->execute([$id]);

        return (string) $found->fetchColumn();
    }

    public function write(string $id, string $data): bool
    {
        $put = $this->pdo->prepare(
            'INSERT INTO trial_sessions (id, data, time) VALUES (?, ?, UNIX_TIMESTAMP()) '
            . 'ON DUPLICATE KEY UPDATE data = VALUES(data), time = VALUES(time)'
        );

        return $put->execute([$id, $data]);
    }

    public function destroy(string $id): bool
    {
        return $this->pdo->prepare('DELETE FROM trial_sessions WHERE id = ?')->execute([$id]);
    }

    public function gc(int $max_lifetime): int|false
    {
        return 0;
    }
}
