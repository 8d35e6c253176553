<?php

declare(strict_types=1);

namespace Cordee\Session\Tests;

return [
    'large sessions' => static function (Checks $checks, Bench $bench, string $title): void {
        // PHP adds 19 octets around the text: fill|s:16777196:"…";
        foreach ([65_536 - 20, 65_536 + 20, 1_048_576, 16_777_215 - 19] as $bytes) {
            $visit = $bench->visit();
            $visit->ask('start');
            $visit->ask('fill', $bytes);
            $closed = $visit->ask('close');
            $checks->same("$title: $bytes octets are taken", null, $closed['error'] ?? null);
            $checks->same("$title: $bytes octets are all there", $closed['data'], $bench->look($closed['id'])['data']);
        }
        $checks->same("$title: the last was the most", '16777215', $bench->db->row($closed['id'], 'LENGTH(data)'));
        $visit = $bench->visit($closed['id']);
        $visit->ask('start');
        $visit->ask('grow', 16_777_215 - 18);
        $seen = $visit->ask('close');
        $checks->same("$title: one more is too many", 'TooLarge', $seen['error'] ?? null);
        $checks->same(
            "$title: and says so", 'the session holds 16777216 bytes; a row holds 16777215', $seen['text'] ?? null,
        );
        $checks->same(
            "$title: the old data are kept",
            $closed['data'],
            $bench->look($closed['id'], ['lock_wait' => 1])['data'] ?? null,
        );
    },

    'what a packet takes' => static function (Checks $checks, Bench $bench, string $title): void {
        $bench->db->do('SET GLOBAL max_allowed_packet = 1048576');
        $id = $bench->session(['n' => 1]);
        $visit = $bench->visit($id);
        $visit->ask('start');
        $visit->ask('grow', 1_048_576);
        $seen = $visit->ask('close');
        $bench->db->do('SET GLOBAL max_allowed_packet = 41943040');
        $checks->same("$title: the exception", 'TooLarge', $seen['error'] ?? null);
        $checks->true(
            "$title: names the setting", str_contains($seen['text'] ?? '', '1048576 (max_allowed_packet)'), $seen,
        );
        $checks->same(
            "$title: the old data are kept", ['n' => 1], $bench->look($id, ['lock_wait' => 1])['data'] ?? null,
        );
    },

    'an unchanged session' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['n' => 1], ['lifetime' => 1440]);
        $visit = $bench->visit($id);
        $visit->ask('start');
        $checks->same("$title: is not written", 0, $visit->ask('close')['writes']);
        $checks->same("$title: its version stays", '0', $bench->db->row($id, 'ver'));
        $bench->db->do('UPDATE site.php_sessions SET expires = UNIX_TIMESTAMP() + 1000');
        foreach (['start', 'glance'] as $way) {
            $bench->db->do('UPDATE site.php_sessions SET expires = UNIX_TIMESTAMP() + 1000');
            $visit = $bench->visit($id);
            $visit->ask($way);
            $visit->ask('close');
            $visit->end();
            $left = (int) $bench->db->row($id, 'CAST(expires AS SIGNED) - UNIX_TIMESTAMP()');
            $checks->true("$title: lives on ($way)", $left > 1430, $left);
        }
    },

    'a short life' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['n' => 1], ['lifetime' => 40]);
        $bench->db->do('UPDATE site.php_sessions SET expires = expires - 20');
        $bench->look($id, ['lifetime' => 40]);
        $left = (int) $bench->db->row($id, 'CAST(expires AS SIGNED) - UNIX_TIMESTAMP()');
        $checks->true("$title: is prolonged by use", $left > 35, $left);
    },

    'read and close' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['n' => 1]);
        $visit = $bench->visit($id);
        $seen = $visit->ask('glance');
        $checks->same("$title: the data", [['n' => 1], false], [$seen['data'], $seen['active']]);
        $checks->same("$title: the lock is free", ['n' => 1], $bench->look($id, ['lock_wait' => 1])['data'] ?? null);
    },

    'an emptied session' => static function (Checks $checks, Bench $bench, string $title): void {
        $id = $bench->session(['n' => 1]);
        $visit = $bench->visit($id);
        $visit->ask('start');
        $visit->ask('empty');
        $checks->same("$title: closed", null, $visit->ask('close')['error'] ?? null);
        $seen = $bench->look($id);
        $checks->same("$title: stays a session", [[], $id], [$seen['data'], $seen['id']]);
    },

    'nothing stored, no row' => static function (Checks $checks, Bench $bench, string $title): void {
        $rows = $bench->db->rows();
        $bench->session([]);
        $checks->same($title, $rows, $bench->db->rows());
    },

    'collecting expired rows under load' => static function (Checks $checks, Bench $bench, string $title): void {
        $bench->db->do('DELETE FROM site.php_sessions');
        $bench->db->do(
            'INSERT INTO site.php_sessions SELECT UNHEX(SHA2(seq, 256)), "", 0, 0, UNIX_TIMESTAMP() - seq '
                . 'FROM seq_1_to_5000'
        );
        $id = $bench->session(['n' => 0]);
        $visit = $bench->visit($id);
        $visit->ask('start');
        $checks->same(
            "$title: a request collects nothing",
            [0, 5001],
            [$visit->ask('collect')['value'] ?? null, $bench->db->rows()],
        );
        $visit->ask('close');
        $visit->end();
        $writing = array_map(static fn () => $bench->visit($id), range(1, 4));
        $deleted = 0;
        foreach ([1, 2, 3, 4, 5, 6] as $round) {
            foreach ($writing as $visit) {
                $visit->send($round === 1 ? 'start' : 'again');
                $visit->send('add', 'n');
                $visit->send('close');
            }
            // The job's own statement, as README gives it, while they write.
            $deleted += $bench->db->do(
                'DELETE FROM site.php_sessions WHERE expires < UNIX_TIMESTAMP() ORDER BY expires LIMIT 1000'
            );
            foreach ($writing as $visit) {
                foreach (['start', 'add', 'close'] as $step) {
                    $checks->same("$title: $step", null, $visit->answer()['error'] ?? null);
                }
            }
        }
        $checks->same("$title: all the expired ones", 5000, $deleted);
        $checks->same("$title: nothing else", ['n' => 24], $bench->look($id)['data']);
    },

    'a fatal error, an exit, an exception' => static function (Checks $checks, Bench $bench, string $title): void {
        foreach ([
            'memory' => 'Allowed memory size', 'exit' => '', 'throw' => 'Uncaught LogicException',
        ] as $way => $words) {
            $id = $bench->session(['n' => 1]);
            $visit = $bench->visit($id);
            $visit->ask('start');
            $visit->ask('add', 'n');
            $visit->send($way);
            $checks->same("$title: $way ends the request", ['gone' => true], $visit->answer(10));
            $said = $visit->end();
            $checks->true(
                "$title: $way, as PHP says", $words === '' ? $said === '' : str_contains($said, $words), $said,
            );
            // As with PHP's files: what was set before is kept, and the next one does not wait.
            $checks->same("$title: $way, the data", ['n' => 2], $bench->look($id, ['lock_wait' => 2])['data'] ?? null);
        }
    },
];
