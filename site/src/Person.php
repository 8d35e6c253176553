<?php

declare(strict_types=1);

namespace Site;

/** Who is signed in, as a session keeps it. Pure. */
final class Person
{
    /** Characters of a name at most. */
    public const LONGEST = 40;

    /**
     * Who is signed in, whatever an older version of the site left in the session.
     *
     * @param array<mixed> $session
     * @return array{name: string, since: int, server: string, was: string}|null
     */
    public static function of(array $session): ?array
    {
        $person = $session['person'] ?? null;
        if (!is_array($person)) {
            return null;
        }
        foreach ([
            'name' => 'is_string', 'since' => 'is_int', 'server' => 'is_string', 'was' => 'is_string',
        ] as $key => $is) {
            if (!$is($person[$key] ?? null)) {
                return null;
            }
        }

        return $person;
    }

    /**
     * The session of somebody who signs in; all else in it stays.
     *
     * @param array<mixed> $session
     * @param string $was the id before, shortened
     */
    public static function enter(array $session, string $name, int $time, string $server, string $was): array
    {
        return ['person' => ['name' => $name, 'since' => $time, 'server' => $server, 'was' => $was]] + $session;
    }
}
