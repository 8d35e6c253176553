<?php

declare(strict_types=1);

namespace Cordee\Session\Tests;

use Cordee\Session\Config;

return [
    'configuration' => static function (Checks $checks, Bench $bench, string $title): void {
        $good = ['dsn' => 'mysql:host=h', 'user' => 'u', 'password' => 'geheim'];
        $config = Config::of($good);
        $checks->same("$title: defaults", ['php_sessions', 1440, 10, 30],
            [$config->table, $config->lifetime, $config->lockWait, $config->idle]);
        $checks->same("$title: a table in its schema", 'a.b_1', Config::of($good + ['table' => 'a.b_1'])->table);
        $checks->same("$title: a dump hides the password", false, str_contains(print_r($config, true), 'geheim'));
        $bad = [
            'no dsn' => ['dsn' => null], 'another database' => ['dsn' => 'pgsql:host=h'],
            'a charset' => ['dsn' => 'mysql:host=h;charset=utf8mb4'],
            'a table with a sign' => ['table' => 'a`b'], 'a table with words' => ['table' => 'a; DROP TABLE b'],
            'no table' => ['table' => ''], 'a newline' => ['table' => "a\n"], 'three names' => ['table' => 'a.b.c'],
            'a life of 0' => ['lifetime' => 0], 'a life as text' => ['lifetime' => '60'],
            'a wait of 0' => ['lock_wait' => 0], 'a long wait' => ['lock_wait' => 601],
            'an idle time of 0' => ['idle' => 0], 'an unknown key' => ['tabel' => 'x'],
            'a password that is none' => ['password' => 7],
        ];
        foreach ($bad as $kind => $part) {
            $said = 'nothing';
            try {
                Config::of($part + $good);
            } catch (\InvalidArgumentException $error) {
                $said = $error->getMessage();
            }
            $checks->true(
                "$title: $kind",
                str_starts_with($said, 'session configuration: ') && !str_contains($said, 'geheim'),
                $said,
            );
        }
    },

    'what a browser gets' => static function (Checks $checks, Bench $bench, string $title): void {
        $port = Wait::freePort();
        $server = new Program([
            \PHP_BINARY, '-d', 'display_errors=0', '-S', "127.0.0.1:$port", __DIR__ . '/../page.php',
        ],
            "$bench->home/server.log");
        file_put_contents("$bench->home/visits/page.json", json_encode($bench->config(), \JSON_THROW_ON_ERROR));
        $ask = static function (string $path, string $cookie = '') use ($port): array {
            $context = stream_context_create(['http' => ['ignore_errors' => true, 'timeout' => 10,
                'header' => $cookie === '' ? [] : ["Cookie: page_sid=$cookie"]]]);
            $body = @file_get_contents("http://127.0.0.1:$port$path", false, $context);

            return [$body, $body === false ? [] : $http_response_header];
        };
        try {
            Wait::until('the page answers', 10, static fn () => $ask('/ready')[0] === 'ready');
            [$body, $headers] = $ask("/?$bench->home/visits/page.json");
            $cookies = array_values(preg_grep('/^Set-Cookie:/i', $headers) ?: []);
            $checks->same("$title: one cookie", 1, count($cookies));
            $checks->same("$title: its words", 1,
                preg_match(
                    '#^Set-Cookie: page_sid=([0-9a-f]{48}); path=/; HttpOnly; SameSite=Lax$#D',
                    $cookies[0] ?? '',
                    $found,
                ));
            $checks->same("$title: the first count", '1', $body);
            [$body, $headers] = $ask("/?$bench->home/visits/page.json", $found[1] ?? '');
            $checks->same("$title: the next count", '2', $body);
            $checks->same("$title: no other cookie", [], preg_grep('/^Set-Cookie:/i', $headers));
            $bench->db->do('SET GLOBAL read_only = 1');
            [$body, $headers] = $ask("/?$bench->home/visits/page.json", $found[1] ?? '');
            $bench->db->do('SET GLOBAL read_only = 0');
            $checks->same(
                "$title: no database, an honest answer",
                [503, 'later'],
                [(int) explode(' ', $headers[0] ?? ' ')[1], $body],
            );
            $checks->same("$title: and when to ask again", 1, count(preg_grep('/^Retry-After: 1$/i', $headers) ?: []));
            $checks->same("$title: and the id stays theirs", [], preg_grep('/^Set-Cookie:/i', $headers));
            $checks->same("$title: afterwards", '3', $ask("/?$bench->home/visits/page.json", $found[1] ?? '')[0]);
        } finally {
            $bench->db->do('SET GLOBAL read_only = 0');
            $server->signal(\SIGTERM);
            $server->end();
        }
    },

    'registered without starting' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['n' => 1]);
        $visit = $bench->visit($id);
        $registered = $visit->ask('register');
        $checks->same(
            "$title: nothing is started", [null, false], [$registered['error'] ?? null, $registered['active'] ?? null],
        );
        $checks->same("$title: found", ['n' => 1], $visit->ask('again')['data'] ?? null);
        $visit->ask('add', 'n');
        $checks->same("$title: kept", null, $visit->ask('close')['error'] ?? null);
        $visit->end();
        $checks->same("$title: and found again", ['n' => 2], $bench->look($id)['data'] ?? null);
        $planted = str_repeat('c', 48);
        $visit = $bench->visit($planted);
        $visit->ask('register');
        $seen = $visit->ask('again');
        $checks->true("$title: an unknown id is not adopted", ($seen['id'] ?? $planted) !== $planted, $seen);
        $visit->end();
        $visit = $bench->visit($planted);
        $visit->ask('register');
        $visit->ask('ini', 'session.use_strict_mode', '0');
        $seen = $visit->ask('again');
        $checks->same("$title: without strict mode no session", ['SessionException', false], [
            $seen['error'] ?? $seen, $seen['active'] ?? null,
        ]);
        $visit->end();
        $checks->same("$title: and nobody's id is kept", false, $bench->db->has($planted));
    },

    'code that is there already' => static function (Checks $checks, Bench $bench, string $title): void {
        $port = Wait::freePort();
        $tests = dirname(__DIR__);
        $server = new Program([\PHP_BINARY, '-d', 'display_errors=0', '-d', "auto_prepend_file=$tests/prepend.php",
            '-S', "127.0.0.1:$port", '-t', $tests], "$bench->home/existing.log");
        file_put_contents("$bench->home/visits/existing.json", json_encode($bench->config(), \JSON_THROW_ON_ERROR));
        $ask = static function (string $cookies = '') use ($port, $bench): array {
            $context = stream_context_create(['http' => ['ignore_errors' => true, 'timeout' => 10,
                'header' => $cookies === '' ? [] : ["Cookie: $cookies"]]]);
            $body = @file_get_contents(
                "http://127.0.0.1:$port/existing.php?$bench->home/visits/existing.json", false, $context,
            );
            $headers = $body === false ? [] : $http_response_header;
            $set = array_values(preg_grep('/^Set-Cookie: existing=/i', $headers) ?: []);

            return [
                $body, preg_match('/=([0-9a-f]{48});/', $set[0] ?? '', $found) === 1 ? $found[1] : null, $set, $headers,
            ];
        };
        try {
            [, $id, $set] = Wait::until(
                'the page answers', 10, static fn () => ($said = $ask())[0] === '1' ? $said : null,
            );
            $checks->true(
                "$title: its cookie is its own",
                str_contains($set[0] ?? '', 'path=/existing; HttpOnly; SameSite=Strict'),
                $set,
            );
            $checks->same("$title: the session is a row", true, is_string($id) && $bench->db->has($id));
            $checks->same("$title: it is found again", '2', $ask("existing=$id")[0]);
            [$body, $renewed] = $ask("existing=$id; renew=1");
            $checks->same("$title: its new id", ['3', true, false], [
                $body, is_string($renewed) && $bench->db->has($renewed), $bench->db->has((string) $id),
            ]);
            $bench->db->do('SET GLOBAL read_only = 1');
            $refused = $ask("existing=$renewed");
            $bench->db->do('SET GLOBAL read_only = 0');
            $checks->true(
                "$title: no session, no answer",
                str_contains($refused[3][0] ?? '', ' 500 ') && $refused[2] === [],
                $refused,
            );
            $checks->same("$title: and nothing was lost", '4', $ask("existing=$renewed")[0]);
        } finally {
            $bench->db->do('SET GLOBAL read_only = 0');
            $server->signal(\SIGTERM);
            $server->end();
        }
    },
];
