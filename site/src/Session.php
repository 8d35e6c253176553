<?php

declare(strict_types=1);

namespace Site;

/** Starting, closing and naming PHP's session; where it is stored is the server's configuration. */
final class Session
{
    private const NAME = 'couleur_sid';

    public static function start(bool $secure): void
    {
        // Another name than PHP's default was chosen by the server's configuration for another kind of storage: keep it.
        if (session_name() === 'PHPSESSID') {
            session_name(self::NAME);
        }
        // The page says itself that it is not to be stored; PHP would add older headers to it.
        session_cache_limiter('');
        session_set_cookie_params([
            'lifetime' => 0,
            'path' => '/',
            'secure' => $secure,
            'httponly' => true,
            'samesite' => 'Lax',
        ]);
        self::require('session.use_strict_mode', '1');
        self::require('session.use_only_cookies', '1');
        self::require('session.use_trans_sid', '0');
        if ((int) ini_get('session.sid_length') < 32) {
            self::require('session.sid_length', '32');
        }
        if ((int) ini_get('session.sid_bits_per_character') < 5) {
            self::require('session.sid_bits_per_character', '5');
        }
        session_start();
    }

    /** Writes the session and lets the visitor's next request in. A failed write is an exception, never a false "done". */
    public static function close(): void
    {
        session_write_close();
    }

    /** Enough of an id to compare two pages, too little to take a session over. */
    public static function shorten(string $id): string
    {
        return substr($id, 0, 6) . '…';
    }

    /** The server's configuration may have fixed the value already; a fixed value that is too weak must not pass. */
    private static function require(string $setting, string $value): void
    {
        if ((string) ini_get($setting) !== $value && ini_set($setting, $value) === false) {
            throw new \RuntimeException("$setting cannot be set to $value");
        }
    }
}
