<?php

declare(strict_types=1);

// One session cycle (start, change or not, close) with a storage that the address names; see ../src/sessions.rs.
// It is served by a web server of the benchmark's own cluster. `php8.2 sessions.php make DSN` makes Symfony's table.

use Cordee\Session\Handler;
use Symfony\Component\HttpFoundation\Session\Storage\Handler\PdoSessionHandler;

/** Debian's package, and of it only what a session needs: its autoloader would cost it time in each request. */
function symfony(string $dsn, string $user, string $password, bool $lock): PdoSessionHandler
{
    $root = '/usr/share/php/Symfony/Component/HttpFoundation/Session';
    foreach (['SessionUtils', 'Storage/Handler/AbstractSessionHandler', 'Storage/Handler/PdoSessionHandler'] as $file) {
        require_once "$root/$file.php";
    }

    // Without `lock_mode`: its default, LOCK_TRANSACTIONAL.
    return new PdoSessionHandler($dsn, ['db_username' => $user, 'db_password' => $password]
        + ($lock ? [] : ['lock_mode' => PdoSessionHandler::LOCK_NONE]));
}

if (PHP_SAPI === 'cli') {
    symfony($argv[2], 'root', '', true)->createTable();
    exit;
}

$how = $_GET['how'];
session_cache_limiter('');
ini_set('session.gc_probability', '0');
$ini = parse_ini_file($_SERVER['CORDEE_SITE_CONFIG'], false, INI_SCANNER_RAW);
$dsn = "mysql:host={$ini['host']};port={$ini['writer_port']};dbname={$ini['schema']}";
if ($how === 'ours') {
    require dirname(__DIR__) . '/session/src/autoload.php';
    Handler::start(['dsn' => $dsn, 'user' => $ini['user'], 'password' => $ini['password']], 'bench_ours');
} else {
    session_name("bench_$how");
    if ($how !== 'files') {
        session_set_save_handler(symfony($dsn, $ini['user'], $ini['password'], $how === 'symfony'), true);
    }
    session_start();
}
$_SESSION['page'] ??= str_repeat('x', 1_500);
$_SESSION['n'] ??= 0;
if ($_GET['write'] === '1') {
    $_SESSION['n']++;
}
$n = $_SESSION['n'];
session_write_close();
echo session_id(), ' ', $n;
