<?php

declare(strict_types=1);

namespace Cordee\Session\Tests;

return [
    'lost update' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['n' => 0]);
        $visits = array_map(static fn () => $bench->visit($id), range(1, 8));
        foreach ($visits as $visit) {
            $visit->send('start');
        }
        // Each answer of a start means that this one holds the lock: the others are still silent.
        $left = $visits;
        while ($left !== []) {
            $ready = Wait::until('one has the session', 20, static function () use ($left): ?array {
                $ready = array_filter($left, static fn (Visit $v) => $v->answered());

                return $ready === [] ? null : $ready;
            });
            $checks->same("$title: one at a time", 1, count($ready));
            $place = array_key_first($ready);
            $seen = $left[$place]->answer();
            $checks->same("$title: what the one before wrote", 8 - count($left), $seen['data']['n'] ?? $seen);
            $left[$place]->ask('add', 'n');
            $checks->same("$title: no error", null, $left[$place]->ask('close')['error'] ?? null);
            unset($left[$place]);
        }
        $checks->same($title, 8, $bench->look($id)['data']['n'] ?? null);
        $checks->same("$title: each write counted", '9', (string) (1 + (int) $bench->db->row($id, 'ver')));
    },

    'different keys from parallel requests' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['n' => 1]);
        [$slow, $quick] = [$bench->visit($id), $bench->visit($id)];
        $slow->ask('start');
        $quick->send('start');
        $bench->db->waitForQueue(1);
        $slow->ask('set', 'cart', 'tea');
        $slow->ask('close');
        $quick->answer();
        $quick->ask('set', 'login', 'ada');
        $quick->ask('close');
        $checks->same($title, ['n' => 1, 'cart' => 'tea', 'login' => 'ada'], $bench->look($id)['data']);
    },

    'queued behind a log-out' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['login' => 'ada']);
        [$leaving, $queued] = [$bench->visit($id), $bench->visit($id)];
        $leaving->ask('start');
        $queued->send('start');
        $bench->db->waitForQueue(1);
        $checks->same("$title: destroyed", null, $leaving->ask('destroy')['error'] ?? null);
        $seen = $queued->answer();
        $checks->same("$title: nothing of it is left", [], $seen['data']);
        $checks->true("$title: another id", $seen['id'] !== $id, $seen);
        $queued->ask('set', 'n', 1);
        $queued->ask('close');
        $checks->same("$title: the old id is not brought back", false, $bench->db->has($id));
        $checks->same("$title: the new one is kept", true, $bench->db->has($seen['id']));
    },

    'log-out while a slower request has lost its lock' => static function (
        Checks $checks, Bench $bench, string $title,
    ): void {
        $relay = $bench->relay();
        $id = $bench->session(['login' => 'ada']);
        $slow = $bench->visit($id, [], $relay->port);
        $slow->ask('start');
        $slow->ask('set', 'n', 2);
        $relay->breakOff();
        $leaving = $bench->visit($id);
        $checks->same("$title: the lock went with the connection", ['login' => 'ada'], $leaving->ask('start')['data']);
        $leaving->ask('destroy');
        $checks->same("$title: the slow one is told", 'Unavailable', $slow->ask('close')['error'] ?? null);
        $slow->end();
        $checks->same("$title: it stays logged out", false, $bench->db->has($id));
    },

    'the holder is killed' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['n' => 1]);
        $holder = $bench->visit($id);
        $holder->ask('start');
        $holder->ask('set', 'n', 99);
        $next = $bench->visit($id);
        $next->send('start');
        $bench->db->waitForQueue(1);
        $killed = hrtime(true);
        $holder->signal(\SIGKILL);
        $seen = $next->answer();
        $seconds = (hrtime(true) - $killed) / 1e9;
        $checks->same("$title: what it had not written is not there", ['n' => 1], $seen['data'] ?? $seen);
        $checks->true("$title: its lock goes at once", $seconds < 2, $seconds);
    },

    'the holder is frozen; another one\'s network is cut' => static function (
        Checks $checks, Bench $bench, string $title,
    ): void {
        $relay = $bench->relay();
        $short = ['idle' => 3];
        [$one, $two] = [$bench->session(['n' => 1]), $bench->session(['n' => 2])];
        [$frozen, $cut] = [$bench->visit($one, $short), $bench->visit($two, $short, $relay->port)];
        foreach ([$frozen, $cut] as $holder) {
            $holder->ask('start');
            $holder->ask('set', 'n', 99);
        }
        $frozen->signal(\SIGSTOP);
        $relay->silence();
        $next = [$bench->visit($one), $bench->visit($two)];
        foreach ($next as $visit) {
            $visit->send('start');
        }
        $bench->db->waitForQueue(2);
        foreach ([1, 2] as $place => $n) {
            $seen = $next[$place]->answer();
            $checks->same("$title: the next one gets the session $n", ['n' => $n], $seen['data'] ?? $seen);
            $checks->true("$title: within the bound", ($seen['waited'] ?? 1e9) < 9_000, $seen);
            $next[$place]->ask('add', 'n');
            $next[$place]->ask('close');
        }
        $frozen->signal(\SIGCONT);
        $checks->same("$title: a thawed one is told", 'Unavailable', $frozen->ask('close')['error'] ?? null);
        $checks->same("$title: and changes nothing", ['n' => 2], $bench->look($one)['data']);
        $frozen->end();
    },

    'what a cut holder hears' => static function (Checks $checks, Bench $bench, string $title): void {
        $relay = $bench->relay();
        $id = $bench->session();
        $visit = $bench->visit($id, ['lock_wait' => 1], $relay->port);
        $visit->ask('start');
        $visit->ask('set', 'n', 2);
        $relay->silence();
        $begun = hrtime(true);
        $checks->same("$title: told", 'Unavailable', $visit->ask('close')['error'] ?? null);
        $seconds = (hrtime(true) - $begun) / 1e9;
        $checks->true("$title: soon after the bound of 3 s", $seconds > 2 && $seconds < 6, $seconds);
        $visit->end();
    },

    'a lock is waited for so long' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['n' => 1]);
        $holder = $bench->visit($id);
        $holder->ask('start');
        $next = $bench->visit($id, ['lock_wait' => 1]);
        $begun = hrtime(true);
        $seen = $next->ask('start');
        $seconds = (hrtime(true) - $begun) / 1e9;
        $checks->same("$title: the exception", 'Busy', $seen['error'] ?? $seen);
        $checks->same(
            "$title: its words", 'another request of this session did not end in time', $seen['text'] ?? null,
        );
        $checks->true("$title: its time", $seconds > 0.9 && $seconds < 3, $seconds);
        $checks->same("$title: no session is open", false, $seen['active'] ?? null);
        $next->end();
        $holder->ask('add', 'n');
        $checks->same("$title: the holder goes on", null, $holder->ask('close')['error'] ?? null);
        $checks->same("$title: and was not disturbed", ['n' => 2], $bench->look($id)['data']);
    },

    'different visitors do not wait for each other' => static function (
        Checks $checks, Bench $bench, string $title,
    ): void {
        [$one, $two] = [$bench->session(), $bench->session()];
        $holder = $bench->visit($one);
        $holder->ask('start');
        $checks->same("$title: a known one", ['n' => 1], $bench->look($two, ['lock_wait' => 1])['data'] ?? null);
        $checks->true("$title: a new one", $bench->session([], ['lock_wait' => 1]) !== '');
    },
];
