<?php

declare(strict_types=1);

namespace Cordee\Session\Tests;

return [
    'a database that takes no writes' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['n' => 1]);
        $visit = $bench->visit($id);
        $visit->ask('start');
        $visit->ask('add', 'n');
        $new = $bench->visit();
        $new->ask('start');
        $new->ask('set', 'n', 1);
        $bench->db->do('SET GLOBAL read_only = 1');
        try {
            $checks->same("$title: a write is refused", 'Unavailable', $visit->ask('close')['error'] ?? null);
            $checks->same("$title: a first write as well", 'Unavailable', $new->ask('close')['error'] ?? null);
            foreach (['known' => $id, 'not known here, perhaps elsewhere' => str_repeat('b', 48)] as $kind => $cookie) {
                $visit = $bench->visit($cookie);
                $seen = $visit->ask('start');
                $checks->same("$title: a start is refused, $kind", 'Unavailable', $seen['error'] ?? $seen);
                $checks->same("$title: no session, $kind", false, $seen['active'] ?? null);
            }
        } finally {
            $bench->db->do('SET GLOBAL read_only = 0');
        }
        $checks->same("$title: nothing was lost", ['n' => 1], $bench->look($id)['data']);
    },

    'no database' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['n' => 1]);
        foreach ([
            'refused' => Wait::freePort(), 'not a database' => $bench->relay(Wait::freePort())->port,
        ] as $kind => $port) {
            $visit = $bench->visit($id, [], $port);
            $seen = $visit->ask('start');
            $checks->same("$title, $kind: told", 'Unavailable', $seen['error'] ?? $seen);
            $checks->same("$title, $kind: no session", false, $seen['active'] ?? null);
            $text = json_encode($seen) . $visit->end();
            foreach ([Database::USER, '127.0.0.1', 'ord'] as $secret) {
                $checks->same("$title, $kind: nothing told of the account", false, str_contains($text, $secret));
            }
        }
        $checks->same("$title: nothing was lost", ['n' => 1], $bench->look($id)['data']);
    },

    'a wrong password' => static function (Checks $checks, Bench $bench, string $title): void {
        $visit = $bench->visit($bench->session(), ['password' => 'geheim']);
        $seen = $visit->ask('start');
        $checks->same("$title: told", 'Unavailable', $seen['error'] ?? $seen);
        $checks->same("$title: not shown", false, str_contains(json_encode($seen) . $visit->end(), 'geheim'));
    },

    'a silent database' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['n' => 1]);
        $bench->db->signal(\SIGSTOP);
        try {
            $visit = $bench->visit($id, ['lock_wait' => 1]);
            $begun = hrtime(true);
            $seen = $visit->ask('start');
            $seconds = (hrtime(true) - $begun) / 1e9;
        } finally {
            $bench->db->signal(\SIGCONT);
        }
        $checks->same("$title: told", 'Unavailable', $seen['error'] ?? $seen);
        $checks->true("$title: in bounded time, not twice", $seconds < 5, $seconds);
        $checks->same("$title: no session", false, $seen['active'] ?? null);
        $checks->same("$title: nothing was lost", ['n' => 1], $bench->look($id)['data']);
    },

    'a proxy that stands still does nothing later' => static function (
        Checks $checks, Bench $bench, string $title,
    ): void {
        $gone = static fn (): bool => $bench->db->ask(
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '" . Database::USER . "'",
        ) === '0';
        $acts = [
            'a change' => [['set', 'n', 99], ['close']],
            'a first write' => [['set', 'n', 99], ['close']],
            'a log-out' => [['destroy']],
            'a renewed id' => [['regenerate', true]],
        ];
        // The word is in flight when it stops: the change itself, or the end of its transaction.
        foreach (['cordee_changed', 'THEN'] as $word) {
            foreach ($acts as $kind => $steps) {
                $relay = $bench->relay();
                $id = $bench->session(['n' => 1]);
                $rows = $bench->db->ask('SELECT COUNT(*) FROM site.php_sessions');
                $visit = $bench->visit($kind === 'a first write' ? null : $id, ['lock_wait' => 1], $relay->port);
                $visit->ask('start');
                $relay->hold($word === 'THEN' ? 'COMMIT' : $word);
                $begun = hrtime(true);
                foreach ($steps as $step) {
                    $seen = $visit->ask(...$step);
                }
                $seconds = (hrtime(true) - $begun) / 1e9;
                $checks->same("$title, $kind, $word: told", 'Unavailable', $seen['error'] ?? $seen);
                $checks->true("$title, $kind, $word: in bounded time", $seconds < 5, $seconds);
                $visit->end();
                $relay->thaw();
                Wait::until('the connection is over', 10, $gone);
                $checks->same("$title, $kind, $word: nothing was done", [['n' => 1], $rows], [
                    $bench->look($id)['data'] ?? null, $bench->db->ask('SELECT COUNT(*) FROM site.php_sessions'),
                ]);
            }
        }
    },

    'a database that stands still does nothing later' => static function (
        Checks $checks, Bench $bench, string $title,
    ): void {
        $relay = $bench->relay();
        $id = $bench->session(['n' => 1]);
        $visit = $bench->visit($id, ['lock_wait' => 1], $relay->port);
        $visit->ask('start');
        $visit->ask('set', 'n', 99);
        $relay->hold('COMMIT');
        $visit->send('close');
        Wait::until('the change was answered, and is not committed', 10, $relay->holds(...));
        $bench->db->signal(\SIGSTOP);
        try {
            $relay->thaw();
            $seen = $visit->answer();
            $visit->end();
        } finally {
            $bench->db->signal(\SIGCONT);
        }
        $checks->same("$title: told", 'Unavailable', $seen['error'] ?? $seen);
        $checks->same("$title: nothing was done", ['n' => 1], $bench->look($id, ['lock_wait' => 5])['data'] ?? null);
    },

    'a proxy that stands still for a moment' => static function (Checks $checks, Bench $bench, string $title): void {
        $relay = $bench->relay();
        $id = $bench->session(['n' => 1]);
        $visit = $bench->visit($id, ['lock_wait' => 3], $relay->port);
        $visit->ask('start');
        $visit->ask('set', 'n', 99);
        $relay->hold('COMMIT');
        $visit->send('close');
        // Held for as long as the change takes to be seen, which is long before anybody gives up.
        Wait::until('the change was answered, and is not committed', 2, $relay->holds(...));
        $relay->thaw();
        $checks->same("$title: done", null, $visit->answer()['error'] ?? null);
        $visit->end();
        $checks->same("$title: and kept", ['n' => 99], $bench->look($id)['data'] ?? null);
    },

    'a connection that breaks before anything was read' => static function (
        Checks $checks, Bench $bench, string $title,
    ): void {
        $relay = $bench->relay();
        $id = $bench->session(['n' => 1]);
        $visit = $bench->visit($id, [], $relay->port);
        $visit->ask('start');
        $visit->ask('close');
        $relay->breakOff();
        $seen = $visit->ask('again');
        $checks->same("$title: is made anew", ['n' => 1], $seen['data'] ?? $seen);
        $visit->ask('add', 'n');
        $checks->same("$title: and serves", null, $visit->ask('close')['error'] ?? null);
        $visit->end();
        $checks->same("$title: for the whole request", ['n' => 2], $bench->look($id)['data']);
    },

    'the writer is switched mid-request' => static function (Checks $checks, Bench $bench, string $title): void {
        $relay = $bench->relay();
        [$a, $b] = [$bench->db, $bench->other];
        $a->do('DELETE FROM site.php_sessions');
        $a->do('RESET MASTER');
        $b->follow($a);
        $b->do('SET GLOBAL read_only = 1');
        $id = $bench->session(['n' => 1], [], $relay->port);
        $left = $bench->visit($id, [], $relay->port);
        $kept = $bench->session(['n' => 5], [], $relay->port);
        $staying = $bench->visit($kept, [], $relay->port);
        $fresh = $bench->visit(null, [], $relay->port);
        foreach ([$left, $staying, $fresh] as $visit) {
            $visit->ask('start');
            $visit->ask('add', 'n');
        }
        // The recipe: fence, cut, catch up, open, lead there. One connection escapes the cut.
        $a->do('SET GLOBAL read_only = 1');
        $checks->same("$title: the fence alone stops a write", 'Unavailable', $staying->ask('close')['error'] ?? null);
        $relay->breakOff();
        $position = $a->ask('SELECT @@gtid_binlog_pos');
        $checks->same("$title: the heir has caught up", '0', $b->ask("SELECT MASTER_GTID_WAIT('$position', 10)"));
        $relay->lead($b->port);
        $early = $bench->look($id, [], $relay->port);
        $checks->same("$title: an heir that is not open yet", 'Unavailable', $early['error'] ?? $early);
        $b->do('STOP SLAVE');
        $b->do('SET GLOBAL read_only = 0');

        $checks->same("$title: the request that was cut is told", 'Unavailable', $left->ask('close')['error'] ?? null);
        $checks->same("$title: and left nothing on either", [['n' => 1], '0', '0'], [
            $bench->look($id, [], $relay->port)['data'] ?? null, $a->row($id, 'ver'), $b->row($id, 'ver'),
        ]);
        $checks->same(
            "$title: the next one goes on", ['n' => 5], $bench->look($kept, [], $relay->port)['data'] ?? null,
        );
        $closed = $fresh->ask('close');
        $checks->same("$title: a session that began before", [null, false, true], [
            $closed['error'] ?? null, $a->has($closed['id']), $b->has($closed['id']),
        ]);
        $b->do('RESET SLAVE ALL');
        $a->do('SET GLOBAL read_only = 0');
    },
];
