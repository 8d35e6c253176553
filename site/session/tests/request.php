<?php

declare(strict_types=1);

// One request, as `Visit` leads it: a line of JSON for each step, and a line back.

namespace Cordee\Session\Tests;

use Cordee\Session\Handler;

require dirname(__DIR__) . '/src/autoload.php';

$read = static fn (): ?array => ($line = fgets(\STDIN)) === false
    ? null
    : json_decode($line, true, 512, \JSON_THROW_ON_ERROR);
$warnings = [];
set_error_handler(static function (int $level, string $text) use (&$warnings): bool {
    if ((error_reporting() & $level) !== 0) {
        $warnings[] = $text;
    }

    return true;
});

['config' => $config, 'cookie' => $cookie] = $read();
$_COOKIE = $cookie === null ? [] : ['test_sid' => $cookie];
$handler = null;

$steps = [
    'start' => static function () use (&$handler, $config): void {
        $handler = Handler::start($config, 'test_sid');
    },
    'glance' => static function () use (&$handler, $config): void {
        $handler = Handler::start($config, 'test_sid', readAndClose: true);
    },
    'register' => static function () use (&$handler, $config): void {
        $handler = Handler::register($config);
        session_name('test_sid');
    },
    'ini' => static fn (string $name, string $value) => ini_set($name, $value),
    'again' => static fn () => session_start(),
    'get' => static fn () => null,
    'set' => static function (string $key, mixed $value): void {
        $_SESSION[$key] = $value;
    },
    'fill' => static function (int $bytes): void {
        $_SESSION['fill'] = str_repeat("\0'\\\xff", intdiv($bytes, 4)) . str_repeat('.', $bytes % 4);
    },
    'grow' => static function (int $bytes): void {
        $_SESSION['fill'] = str_repeat('x', $bytes);
    },
    'add' => static function (string $key): void {
        $_SESSION[$key] = ($_SESSION[$key] ?? 0) + 1;
    },
    'empty' => static fn () => session_unset(),
    'close' => static fn () => session_write_close(),
    'abort' => static fn () => session_abort(),
    'reset' => static fn () => session_reset(),
    'destroy' => static fn () => session_destroy(),
    'regenerate' => static fn (bool $delete) => session_regenerate_id($delete),
    'create' => static fn (string $prefix) => session_create_id($prefix),
    'collect' => static fn () => session_gc(),
    'decode' => static fn (string $data) => session_decode($data),
    'memory' => static function (): void {
        ini_set('memory_limit', '4M');
        str_repeat('x', 8_000_000);
    },
    'throw' => static fn () => null,
    'exit' => static fn () => exit,
];

$throw = false;
while (($step = $read()) !== null) {
    $name = array_shift($step);
    if ($name === 'throw') {
        throw new \LogicException('of the site');
    }
    try {
        $answer = ['value' => $steps[$name](...$step)];
    } catch (\Throwable $error) {
        $answer = ['error' => substr((string) strrchr('\\' . $error::class, '\\'), 1), 'text' => $error->getMessage()];
    }
    $data = $_SESSION ?? null;
    if (isset($data['fill'])) {
        $data['fill'] = strlen($data['fill']) . ' ' . hash('sha256', $data['fill']);
    }
    $answer += ['id' => session_id(), 'data' => $data, 'active' => session_status() === \PHP_SESSION_ACTIVE,
        'warnings' => $warnings, 'waited' => $handler?->waitedMs, 'writes' => $handler?->writes];
    // Past PHP's own output, which would end the time for headers, and with it for `session_start`.
    fwrite(\STDOUT, json_encode($answer, \JSON_THROW_ON_ERROR) . "\n");
}
