<?php

declare(strict_types=1);

namespace Cordee\Session\Tests;

/** Counts what was as expected, and says what was not. */
final class Checks
{
    public int $passed = 0;
    public int $failed = 0;

    public function same(string $what, mixed $expected, mixed $actual): void
    {
        if ($expected === $actual) {
            $this->passed++;

            return;
        }
        $this->failed++;
        echo "FAILED $what: expected " . self::show($expected) . ', got ' . self::show($actual) . "\n";
    }

    public function true(string $what, bool $actual, mixed $seen = null): void
    {
        $this->same($what, true, $actual ? true : ['false, seen' => $seen]);
    }

    /** A session of 16 MiB is not printed. */
    private static function show(mixed $value): string
    {
        $text = var_export($value, true);

        return strlen($text) > 600 ? substr($text, 0, 600) . '…' : $text;
    }
}
