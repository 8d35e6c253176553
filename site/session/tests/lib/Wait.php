<?php

declare(strict_types=1);

namespace Cordee\Session\Tests;

/** Waiting is looking until a deadline. */
final class Wait
{
    /**
     * @template T
     * @param callable(): T $look
     * @return T the first value that is neither null nor false
     */
    public static function until(string $what, float $seconds, callable $look): mixed
    {
        $end = hrtime(true) + (int) ($seconds * 1e9);
        do {
            $seen = $look();
            if ($seen !== null && $seen !== false) {
                return $seen;
            }
            usleep(5_000);
        } while (hrtime(true) < $end);
        throw new \RuntimeException("not seen within $seconds s: $what");
    }

    public static function freePort(): int
    {
        // Below the ports that the kernel hands out to clients: nobody's connection takes it between now and the bind.
        for ($try = 0; $try < 200; $try++) {
            $port = random_int(15_000, 19_900);
            $socket = @stream_socket_server("tcp://127.0.0.1:$port");
            if ($socket !== false) {
                fclose($socket);

                return $port;
            }
        }
        throw new \RuntimeException('no free port');
    }
}
