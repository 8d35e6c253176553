<?php

declare(strict_types=1);

namespace Site;

/** A status, headers and a body; nothing is sent before the page is complete. */
final class Response
{
    private const POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        . "base-uri 'none'; frame-ancestors 'none'";

    /** @param array<string, string> $headers */
    public function __construct(
        public readonly int $status,
        public readonly string $body,
        public readonly array $headers = [],
    ) {
    }

    /** After a form: the browser fetches $path, so that reloading does not send the form again. */
    public static function seeOther(string $path): self
    {
        return new self(303, '', ['Location' => $path]);
    }

    public function with(string $name, string $value): self
    {
        return new self($this->status, $this->body, [$name => $value] + $this->headers);
    }

    public function send(Request $request): void
    {
        http_response_code($this->status);
        $common = [
            'Content-Type' => 'text/html; charset=utf-8',
            'Cache-Control' => 'no-store',
            'Content-Security-Policy' => self::POLICY,
            'X-Content-Type-Options' => 'nosniff',
            'Referrer-Policy' => 'same-origin',
            'X-Server' => $request->server,
            // The mode that was used, so that a server that does not obey is seen.
            'X-Cordee-Session' => $request->mode,
        ];
        foreach ($this->headers + $common as $name => $value) {
            header($name . ': ' . $value);
        }
        echo $this->body;
    }
}
