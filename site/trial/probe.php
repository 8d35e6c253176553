<?php

declare(strict_types=1);

// The page that the comparison of sessions asks. It stands only in the cluster that a comparison starts for itself:
// it does what it is told to any session, and says all that is in it.

namespace Site\Trial;

use Cordee\Session\Config;
use Cordee\Session\Handler;

require __DIR__ . '/Unlocked.php';
require dirname(__DIR__) . '/session/src/autoload.php';

/** One of the words that are allowed, or the end of the request. */
function word(string $name, array $allowed): string
{
    $word = $_GET[$name] ?? '';
    if (!in_array($word, $allowed, true)) {
        http_response_code(400);
        exit;
    }

    return $word;
}

/** A number of at most four digits; 0 without one. */
function number(string $name): int
{
    $typed = $_GET[$name] ?? '0';

    return is_string($typed) && preg_match('/^\d{1,4}$/D', $typed) === 1 ? (int) $typed : 0;
}

/** A key of a session. */
function key(): string
{
    $typed = $_GET['key'] ?? '';

    return is_string($typed) && preg_match('/^[a-z]{1,8}\d{1,3}$/D', $typed) === 1 ? $typed : 'key0';
}

/** Begins the session in the way that is asked for. */
function begin(string $store, string $base): void
{
    ini_set('session.use_strict_mode', '1');
    ini_set('session.gc_probability', '0');
    session_cache_limiter('');
    session_name('trial_' . $store);
    if ($store !== 'files') {
        $ini = parse_ini_file((string) $_SERVER['CORDEE_SITE_CONFIG'], false, INI_SCANNER_RAW) ?: [];
        $port = $base === 'all' ? $ini['port'] : $ini['writer_port'];
        $dsn = sprintf('mysql:host=%s;port=%d;dbname=%s', $ini['host'], $port, $ini['schema']);
        $handler = $store === 'locked'
            ? new Handler(Config::of(['dsn' => $dsn, 'user' => $ini['user'], 'password' => $ini['password']]))
            : new Unlocked(new \PDO($dsn, $ini['user'], $ini['password'], [\PDO::ATTR_TIMEOUT => 2]));
        session_set_save_handler($handler, true);
    }
    session_start();
}

/** What is in the session now. */
function contents(): array
{
    $keys = array_filter(array_keys($_SESSION), static fn (string $key): bool => str_starts_with($key, 'key_'));

    return [
        'user' => $_SESSION['user'] ?? null,
        'count' => (int) ($_SESSION['count'] ?? 0),
        'keys' => array_values(array_map(static fn (string $key): string => substr($key, 4), $keys)),
        'value' => $_SESSION['value'] ?? null,
    ];
}

/** Does one act to the session that has begun. */
function act(string $op): void
{
    switch ($op) {
        case 'login':
            $_SESSION['user'] = bin2hex(random_bytes(8));
            break;
        case 'add':
            $before = (int) ($_SESSION['count'] ?? 0);
            usleep(number('ms') * 1000);
            $_SESSION['count'] = $before + 1;
            break;
        case 'set':
            usleep(number('ms') * 1000);
            $_SESSION['key_' . key()] = 1;
            break;
        case 'put':
            $_SESSION['value'] = number('value');
            break;
        case 'work':
            $_SESSION['work'] = bin2hex(random_bytes(768));
            break;
    }
}

$op = word('op', ['none', 'login', 'who', 'add', 'set', 'put', 'work', 'logout']);
$store = word('store', ['files', 'locked', 'unlocked']);
$base = word('base', ['writer', 'all']);
header('Content-Type: application/json');
header('Cache-Control: no-store');
$writes = !in_array($op, ['none', 'who'], true);
if ($writes && $_SERVER['REQUEST_METHOD'] !== 'POST') {
    http_response_code(405);
    exit;
}
$said = ['user' => null, 'count' => 0, 'keys' => [], 'value' => null];
try {
    if ($op !== 'none') {
        begin($store, $base);
        act($op);
        $said = contents();
        // A failed write must not be called done.
        $done = $op === 'logout' ? session_destroy() : session_write_close();
        if (!$done) {
            throw new \RuntimeException('the session was not written');
        }
    }
    echo json_encode($said, JSON_THROW_ON_ERROR);
} catch (\Throwable $failure) {
    error_log('probe: ' . $failure::class);
    http_response_code(503);
}
