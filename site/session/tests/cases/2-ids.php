<?php

declare(strict_types=1);

namespace Cordee\Session\Tests;

return [
    'fixation' => static function (Checks $checks, Bench $bench, string $title): void {
        $chosen = 'attackers' . str_repeat('a', 39);
        $odd = ['short' => 'abc', 'long' => str_repeat('a', 257), 'sign' => "' OR 1=1 -- aaaaaaaaaaaaaaaaaaaa",
            'newline' => str_repeat('a', 32) . "\n", 'path' => str_repeat('../', 12),
            'empty' => '', 'nul' => str_repeat("\0", 32)];
        foreach (['unknown' => $chosen] + $odd as $kind => $id) {
            $visit = $bench->visit($id);
            $seen = $visit->ask('start');
            $checks->same("$title, $kind: an id of our own", 1, preg_match('/^[0-9a-f]{48}$/D', $seen['id'] ?? ''));
            $visit->ask('set', 'n', 1);
            $visit->ask('close');
            $checks->same("$title, $kind: not adopted", false, $bench->db->has($id));
            $visit->end();
        }
    },

    'the id is kept as a hash' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session();
        $checks->same("$title: found", strtoupper(hash('sha256', $id)), $bench->db->row($id, 'HEX(id)'));
        $everything = (string) $bench->db->ask('SELECT GROUP_CONCAT(CONCAT(id, data)) FROM site.php_sessions');
        $checks->same("$title: nowhere as it is", false, str_contains($everything, $id));
        $checks->same("$title: nor in halves", false, str_contains($everything, substr($id, 0, 24)));
    },

    'upper and lower case are two ids' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['login' => 'ada']);
        $shouted = strtoupper($id);
        $checks->true("$title: another text", $shouted !== $id, $id);
        $seen = $bench->look($shouted);
        $checks->same("$title: nothing found", [], $seen['data']);
        $checks->true("$title: a new id", !in_array($seen['id'], [$id, $shouted], true), $seen);
    },

    'an expired row' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['login' => 'ada']);
        $bench->db->do('UPDATE site.php_sessions SET expires = UNIX_TIMESTAMP()');
        $visit = $bench->visit($id);
        $seen = $visit->ask('start');
        $checks->same("$title: not read", [], $seen['data']);
        $checks->true("$title: a new id", $seen['id'] !== $id, $seen);
        $visit->ask('set', 'n', 2);
        $visit->ask('close');
        $checks->true(
            "$title: not refreshed", (int) $bench->db->row($id, 'CAST(expires AS SIGNED) - UNIX_TIMESTAMP()') <= 0,
        );
    },

    'the clock is the database\'s' => static function (Checks $checks, Bench $bench, string $title): void {
        // The two clocks are made to differ: the database's runs an hour ahead of, or behind, the web server's.
        foreach ([3600, -3600] as $skew) {
            $bench->db->do('SET GLOBAL init_connect = "SET timestamp = UNIX_TIMESTAMP() + ' . $skew . '"');
            $id = $bench->session(['login' => 'ada']);
            $left = (int) $bench->db->row($id, 'CAST(expires AS SIGNED)') - time();
            $checks->true("$title: expires by it ($skew)", abs($left - 1440 - $skew) < 30, $left);
            $checks->same("$title: found by it ($skew)", ['login' => 'ada'], $bench->look($id)['data']);
            $bench->db->do("UPDATE site.php_sessions SET expires = expires - 1441");
            $checks->same("$title: gone by it ($skew)", [], $bench->look($id)['data']);
        }
        $bench->db->do("SET GLOBAL init_connect = ''");
    },

    'regenerate' => static function (Checks $checks, Bench $bench, string $title): void {
        foreach ([true, false] as $delete) {
            $what = $title . ($delete ? ', deleting' : ', keeping');
            $id = $bench->session(['login' => 'ada']);
            [$visit, $queued] = [$bench->visit($id), $bench->visit($id)];
            $visit->ask('start');
            $visit->ask('set', 'role', 'admin');
            $queued->send('start');
            $bench->db->waitForQueue(1);
            $new = $visit->ask('regenerate', $delete);
            $checks->same("$what: no error", [true, []], [$new['value'] ?? $new, $new['warnings'] ?? null]);
            $checks->true("$what: another id", $new['id'] !== $id, $new);
            $late = $queued->answer();
            $checks->same(
                "$what: what one with the old id sees",
                $delete ? [] : ['login' => 'ada', 'role' => 'admin'],
                $late['data'],
            );
            $checks->same("$what: whether it keeps the old id", !$delete, $late['id'] === $id);
            $queued->ask('close');
            $visit->ask('set', 'after', 1);
            $checks->same("$what: closed", null, $visit->ask('close')['error'] ?? null);
            $checks->same(
                "$what: the new one",
                ['login' => 'ada', 'role' => 'admin', 'after' => 1],
                $bench->look($new['id'])['data'],
            );
            $checks->same("$what: the old row", !$delete, $bench->db->has($id));
        }
    },

    'regenerate a new session twice' => static function (Checks $checks, Bench $bench, string $title): void {
        $visit = $bench->visit();
        $ids = [$visit->ask('start')['id']];
        $visit->ask('set', 'n', 1);
        $ids[] = $visit->ask('regenerate', true)['id'];
        $ids[] = $visit->ask('regenerate', true)['id'];
        $visit->ask('close');
        $checks->same("$title: three ids", 3, count(array_unique($ids)));
        $checks->same("$title: one row", [false, false, true], array_map($bench->db->has(...), $ids));
    },

    'session_create_id in a session' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['n' => 1]);
        [$visit, $next] = [$bench->visit($id), $bench->visit($id)];
        $visit->ask('start');
        $made = $visit->ask('create', 'cart-');
        $checks->same("$title: an id", 1, preg_match('/^cart-[0-9a-f]{48}$/D', (string) ($made['value'] ?? '')));
        $next->send('start');
        $bench->db->waitForQueue(1);
        $checks->same("$title: the lock is still held", false, $next->answered());
        $visit->ask('add', 'n');
        $checks->same("$title: closed", null, $visit->ask('close')['error'] ?? null);
        $checks->same("$title: written", ['n' => 2], $next->answer()['data'] ?? null);
    },

    'abort and reset' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['n' => 1]);
        $visit = $bench->visit($id);
        $visit->ask('start');
        $visit->ask('set', 'n', 2);
        $reset = $visit->ask('reset');
        $checks->same("$title: as it was", [['n' => 1], $id], [$reset['data'], $reset['id']]);
        $visit->ask('set', 'n', 3);
        $checks->same("$title: given up", null, $visit->ask('abort')['error'] ?? null);
        $checks->same(
            "$title: the lock is free, nothing kept", ['n' => 1], $bench->look($id, ['lock_wait' => 1])['data'] ?? null,
        );
        $again = $visit->ask('again');
        $checks->same("$title: begun again", [['n' => 1], $id], [$again['data'], $again['id']]);
        $visit->ask('set', 'n', 4);
        $visit->ask('close');
        $checks->same("$title: and kept", ['n' => 4], $bench->look($id)['data']);
    },

    'a new session, begun again in one request' => static function (Checks $checks, Bench $bench, string $title): void {
        $visit = $bench->visit();
        $visit->ask('start');
        $visit->ask('set', 'n', 1);
        $id = $visit->ask('close')['id'];
        $again = $visit->ask('again');
        $checks->same("$title: the same one", [$id, ['n' => 1]], [$again['id'], $again['data']]);
        $visit->ask('add', 'n');
        $visit->ask('close');
        $checks->same("$title: kept", ['n' => 2], $bench->look($id)['data']);
    },

    'destroyed, then begun again in one request' => static function (
        Checks $checks, Bench $bench, string $title,
    ): void {
        $id = $bench->session(['login' => 'ada']);
        $visit = $bench->visit($id);
        $visit->ask('start');
        $visit->ask('destroy');
        $again = $visit->ask('again');
        $checks->true("$title: another id", $again['id'] !== $id, $again);
        $visit->ask('empty');
        $visit->ask('set', 'n', 1);
        $visit->ask('close');
        $checks->same("$title: the rows", [false, true], [$bench->db->has($id), $bench->db->has($again['id'])]);
    },
];
