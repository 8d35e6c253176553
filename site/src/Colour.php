<?php

declare(strict_types=1);

namespace Site;

/** What a session keeps about the favourite colour. Pure: the page brings the array and stores it. */
final class Colour
{
    public const ALL = ['rouge', 'orange', 'jaune', 'vert', 'turquoise', 'bleu', 'violet', 'rose'];

    private const HISTORY = 10;

    public static function valid(mixed $slug): bool
    {
        return is_string($slug) && in_array($slug, self::ALL, true);
    }

    /**
     * The state held in a session, whatever an older version of the site left there.
     *
     * @param array<mixed> $session
     * @return array{couleur: ?string, servers: array<string, int>, history: list<array{int, string, string, string}>}
     */
    public static function state(array $session): array
    {
        $couleur = $session['couleur'] ?? null;

        return [
            'couleur' => self::valid($couleur) ? $couleur : null,
            'servers' => is_array($session['servers'] ?? null) ? $session['servers'] : [],
            'history' => is_array($session['history'] ?? null) ? $session['history'] : [],
        ];
    }

    /** Counts one request of this session for the server that answers it. */
    public static function count(array $state, string $server): array
    {
        $state['servers'][$server] = (int) ($state['servers'][$server] ?? 0) + 1;

        return $state;
    }

    /** Notes the change; "-" stands for "none yet". Newest first. */
    public static function change(array $state, string $to, int $time, string $server): array
    {
        array_unshift($state['history'], [$time, $state['couleur'] ?? '-', $to, $server]);
        $state['history'] = array_slice($state['history'], 0, self::HISTORY);
        $state['couleur'] = $to;

        return $state;
    }
}
