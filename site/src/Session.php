<?php

declare(strict_types=1);

namespace Site;

use Cordee\Session\Conflict;
use Cordee\Session\Handler;
use Cordee\Session\Unavailable;

/** Starting, closing and naming PHP's session. HAProxy says with each request where it is kept. */
final class Session
{
    /** A file on the web server, to which HAProxy brings the visitor back. */
    public const PROXY = 'proxy';
    /** A row of the database, found by every web server. */
    public const DATABASE = 'database';

    /** Seconds that a page waits for another one of the same session; for a database that is silent 4 s more. */
    private const LOCK_WAIT = 4;

    /** One cookie for each: a change of mode must not give one storage the other's ids. */
    private const NAMES = [self::PROXY => 'couleur_sid', self::DATABASE => 'couleur_dbid'];

    /** Whether this request has its session: what fails later may have been stored all the same. */
    private static bool $begun = false;

    /** The mode that a request asks for; without a word of HAProxy's, PHP's own. */
    public static function mode(mixed $header): string
    {
        return $header === self::DATABASE ? self::DATABASE : self::PROXY;
    }

    /** @throws Unavailable|Conflict|\RuntimeException when the session cannot be had */
    public static function start(Request $request): void
    {
        $name = self::NAMES[$request->mode];
        // PHP's files would complain about an id that is none; it gets a new one, like every unknown id.
        if (!self::isId($_COOKIE[$name] ?? null)) {
            unset($_COOKIE[$name]);
        }
        if ($request->mode === self::DATABASE) {
            self::startRow($request, $name);
        } else {
            self::startFile($request, $name);
        }
        self::$begun = true;
    }

    /**
     * Writes the session and lets the visitor's next request in. A failed write is an exception, never a false "done".
     */
    public static function close(): void
    {
        session_write_close();
    }

    /** Another id for the same session, so that one that was known before a sign-in is worth nothing after it. */
    public static function renew(): void
    {
        session_regenerate_id(true);
    }

    /** Ends the session for good, with its cookie. */
    public static function end(Request $request): void
    {
        session_destroy();
        setcookie(self::NAMES[$request->mode], '', ['expires' => 1] + self::cookie($request));
    }

    public static function begun(): bool
    {
        return self::$begun;
    }

    /** Enough of an id to compare two pages, too little to take a session over. */
    public static function shorten(string $id): string
    {
        return substr($id, 0, 6) . '…';
    }

    public static function isId(mixed $id): bool
    {
        return is_string($id) && preg_match('/^[A-Za-z0-9,-]{22,256}$/D', $id) === 1;
    }

    private static function startFile(Request $request, string $name): void
    {
        session_name($name);
        // The page says itself that it is not to be stored; PHP would add older headers to it.
        session_cache_limiter('');
        session_set_cookie_params(['lifetime' => 0] + self::cookie($request));
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

    /** By the port that leads to the one writer, whatever the routing of the others. */
    private static function startRow(Request $request, string $name): void
    {
        require_once dirname(__DIR__) . '/session/src/autoload.php';
        require_once __DIR__ . '/Database.php';
        $config = Database::config($request->env);
        Handler::start([
            'dsn' => sprintf(
                'mysql:host=%s;port=%d;dbname=%s', $config['host'], $config['writer_port'], $config['schema'],
            ),
            'user' => $config['user'],
            'password' => $config['password'],
            'lock_wait' => self::LOCK_WAIT,
        ], $name, $request->secure);
    }

    /** @return array{path: string, secure: bool, httponly: bool, samesite: string} */
    private static function cookie(Request $request): array
    {
        return ['path' => '/', 'secure' => $request->secure, 'httponly' => true, 'samesite' => 'Lax'];
    }

    /** The server's configuration may have fixed the value already; a fixed value that is too weak must not pass. */
    private static function require(string $setting, string $value): void
    {
        if ((string) ini_get($setting) !== $value && ini_set($setting, $value) === false) {
            throw new \RuntimeException("$setting cannot be set to $value");
        }
    }
}
