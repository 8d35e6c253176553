<?php

declare(strict_types=1);

namespace Cordee\Session\Tests;

/** What a case works with: two databases, and ways to make requests. */
final class Bench
{
    /** @var list<Relay> */
    private array $relays = [];

    public function __construct(
        public readonly string $home,
        public readonly Database $db,
        public readonly Database $other,
    ) {
    }

    /**
     * @param array<string, mixed> $more
     * @return array<string, mixed>
     */
    public function config(array $more = [], ?int $port = null): array
    {
        return $more + [
            'dsn' => 'mysql:host=127.0.0.1;dbname=site;port=' . ($port ?? $this->db->port),
            'user' => Database::USER,
            'password' => Database::PASSWORD,
        ];
    }

    /** @param array<string, mixed> $more */
    public function visit(?string $cookie = null, array $more = [], ?int $port = null): Visit
    {
        return new Visit($this->config($more, $port), $cookie);
    }

    /** A visitor with this in the session; the cookie's value. */
    public function session(array $data = ['n' => 1], array $more = [], ?int $port = null): string
    {
        $visit = $this->visit(null, $more, $port);
        $visit->ask('start');
        foreach ($data as $key => $value) {
            $visit->ask('set', $key, $value);
        }
        $closed = $visit->ask('close');
        $visit->end();
        if (isset($closed['error']) || !is_string($closed['id'] ?? null)) {
            throw new \RuntimeException('no session: ' . json_encode($closed));
        }

        return $closed['id'];
    }

    /**
     * What a later request finds.
     *
     * @return array<string, mixed> the answer of `start`
     */
    public function look(string $cookie, array $more = [], ?int $port = null): array
    {
        $visit = $this->visit($cookie, $more, $port);
        $seen = $visit->ask('start');
        $visit->ask('abort');
        $visit->end();

        return $seen;
    }

    public function relay(?int $target = null): Relay
    {
        return $this->relays[] = new Relay($this->home, $target ?? $this->db->port);
    }

    public function end(): void
    {
        foreach ($this->relays as $relay) {
            $relay->end();
        }
    }

    public static function remove(string $folder): void
    {
        foreach (scandir($folder) ?: [] as $name) {
            if ($name === '.' || $name === '..') {
                continue;
            }
            $path = "$folder/$name";
            is_dir($path) && !is_link($path) ? self::remove($path) : unlink($path);
        }
        rmdir($folder);
    }
}
