<?php

declare(strict_types=1);

namespace Site;

/** What a page needs to know of the request, read once from the globals. */
final class Request
{
    /**
     * @param array<mixed> $query
     * @param array<mixed> $post
     * @param array<mixed> $env the $_SERVER of this request
     */
    public function __construct(
        public readonly string $method,
        public readonly string $path,
        public readonly array $query,
        public readonly array $post,
        public readonly array $env,
        public readonly string $server,
        public readonly Text $text,
        public readonly bool $languageChosen,
        public readonly bool $secure,
        public readonly string $mode = Session::PROXY,
    ) {
    }

    public static function fromGlobals(): self
    {
        $chosen = $_GET['lang'] ?? null;

        return new self(
            method: (string) ($_SERVER['REQUEST_METHOD'] ?? 'GET'),
            path: self::pathOf((string) ($_SERVER['REQUEST_URI'] ?? '/')),
            query: $_GET,
            post: $_POST,
            env: $_SERVER,
            server: self::serverName($_SERVER['CORDEE_SERVER'] ?? ''),
            text: new Text(Text::choose($chosen, $_COOKIE['lang'] ?? null, self::header('ACCEPT_LANGUAGE'))),
            languageChosen: Text::isLanguage($chosen),
            // Behind HAProxy the TLS ends there. A visitor who forges this only restricts their own cookies.
            secure: ($_SERVER['HTTPS'] ?? '') === 'on' || self::header('X_FORWARDED_PROTO') === 'https',
            mode: Session::mode(self::header('X_CORDEE_SESSION')),
        );
    }

    /** The path of a request target; the absolute form ("http://host/path") is allowed in HTTP/1.1. */
    public static function pathOf(string $target): string
    {
        $target = preg_replace('~^https?://[^/?#]*~i', '', $target) ?? $target;
        $path = substr($target, 0, strcspn($target, '?#'));

        return $path === '' ? '/' : $path;
    }

    /** The name goes into a response header and into pages: anything but a plain name is refused. */
    public static function serverName(mixed $name): string
    {
        return is_string($name) && preg_match('/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/D', $name) === 1 ? $name : 'unknown';
    }

    /**
     * Browsers say where a form was sent from: in `Sec-Fetch-Site` to an address that they trust, in `Origin` to every
     * other. A client that says neither is not a browser with cookies to abuse.
     */
    public function isSameOrigin(): bool
    {
        $site = $this->env['HTTP_SEC_FETCH_SITE'] ?? null;
        if ($site !== null) {
            return $site === 'same-origin' || $site === 'none';
        }
        $origin = $this->env['HTTP_ORIGIN'] ?? null;
        $host = $this->env['HTTP_HOST'] ?? '';

        return $origin === null || $origin === "http://$host" || $origin === "https://$host";
    }

    private static function header(string $name): string
    {
        $value = $_SERVER['HTTP_' . $name] ?? '';

        return is_string($value) ? $value : '';
    }
}
