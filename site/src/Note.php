<?php

declare(strict_types=1);

namespace Site;

/** What the connection test accepts from outside. Pure. */
final class Note
{
    /** The note on one line without control characters, or null when it is no text of 1 to $longest characters. */
    public static function clean(mixed $raw, int $longest = 200): ?string
    {
        if (!is_string($raw)) {
            return null;
        }
        // Null on text that is not UTF-8.
        $line = preg_replace('/[\s\p{Z}\p{Cc}]+/u', ' ', $raw);
        $line = $line === null ? '' : trim($line);

        return preg_match('/^.{1,' . $longest . '}$/Dus', $line) === 1 ? $line : null;
    }

    /** The time of the last write, in milliseconds, from the address of the redirect. */
    public static function wrote(mixed $raw): ?float
    {
        return is_string($raw) && preg_match('/^\d{1,5}\.\d{2}$/D', $raw) === 1 ? (float) $raw : null;
    }

    /** A name or address with its port, as a browser writes it into `Host`; null when it is no such thing. */
    public static function host(mixed $raw): ?string
    {
        return is_string($raw) && preg_match('/^[A-Za-z0-9.:\[\]-]{1,253}$/D', $raw) === 1 ? $raw : null;
    }

    /**
     * The visitor as HAProxy saw them: it appends, so only the last address is its word; any before it are the
     * visitor's.
     */
    public static function forwardedFor(mixed $header): ?string
    {
        if (!is_string($header)) {
            return null;
        }
        $parts = explode(',', $header);
        $last = trim((string) end($parts));

        return filter_var($last, FILTER_VALIDATE_IP) === false ? null : $last;
    }
}
