<?php

declare(strict_types=1);

// A TCP relay led by lines on its standard input: see lib/Relay.php.

[, $port, $target] = $argv;
$listener = stream_socket_server("tcp://127.0.0.1:$port") ?: exit(1);
echo "ready\n";
/** @var array<int, array{resource, resource}> $pairs from and to, once for each direction */
$pairs = [];
/** @var list<resource> $kept sockets that stay open and are not read */
$kept = [];
/** @var array<int, true> the sockets of clients */
$clients = [];
/** A client's octets with this word in them are the first that go no further; '' for none. */
$word = '';
/** @var list<array{resource, resource, string}> client, server, and what waits between them */
$held = [];
$forget = static function (int $one) use (&$pairs): void {
    $other = (int) $pairs[$one][1];
    fclose($pairs[$one][0]);
    fclose($pairs[$one][1]);
    unset($pairs[$one], $pairs[$other]);
};
while (true) {
    $read = [\STDIN, $listener, ...array_column($pairs, 0)];
    $none = null;
    stream_select($read, $none, $none, null);
    foreach ($read as $from) {
        if ($from === \STDIN) {
            $line = fgets(\STDIN);
            if ($line === false) {
                exit(0);
            }
            [$command, $value] = explode(' ', trim($line)) + [1 => ''];
            if ($command === 'lead') {
                $target = $value;
            } elseif ($command === 'hold') {
                $word = $value;
            } elseif ($command === 'thaw') {
                foreach ($held as [$client, $server, $octets]) {
                    fwrite($server, $octets);
                    $pairs[(int) $client] = [$client, $server];
                    $pairs[(int) $server] = [$server, $client];
                }
                $held = [];
            } elseif ($command === 'held') {
                // Answered below.
            } elseif ($command === 'silence') {
                array_push($kept, ...array_column($pairs, 0));
                $pairs = [];
            } else {
                while ($pairs !== []) {
                    $forget(array_key_first($pairs));
                }
            }
            echo $command === 'held' && $held === [] ? "nothing\n" : "done\n";
            // What was ready may be gone.
            break;
        }
        if ($from === $listener) {
            $client = stream_socket_accept($listener, 1);
            $server = @stream_socket_client("tcp://127.0.0.1:$target", timeout: 2);
            if ($client !== false && $server !== false) {
                $pairs[(int) $client] = [$client, $server];
                $pairs[(int) $server] = [$server, $client];
                $clients[(int) $client] = true;
            } elseif ($client !== false) {
                fclose($client);
            }
            continue;
        }
        if (!isset($pairs[(int) $from])) {
            continue;
        }
        $octets = fread($from, 65_536);
        if ($word !== '' && isset($clients[(int) $from]) && str_contains((string) $octets, $word)) {
            $held[] = [...$pairs[(int) $from], $octets];
            unset($pairs[(int) $pairs[(int) $from][1]], $pairs[(int) $from]);
            $word = '';
            continue;
        }
        if ($octets === '' || $octets === false || @fwrite($pairs[(int) $from][1], $octets) === false) {
            $forget((int) $from);
        }
    }
}
