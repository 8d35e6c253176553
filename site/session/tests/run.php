<?php

declare(strict_types=1);

// `php8.2 site/session/tests/run.php`: real requests against real databases, which it starts and ends itself.

namespace Cordee\Session\Tests;

require dirname(__DIR__) . '/src/autoload.php';
foreach (['Checks', 'Program', 'Wait', 'Database', 'Relay', 'Visit', 'Bench'] as $file) {
    require __DIR__ . "/lib/$file.php";
}

$home = '/var/tmp/cordee-session-' . getmypid() . '-' . bin2hex(random_bytes(3));
mkdir($home, 0o755);
mkdir("$home/visits", 0o700);
Visit::$folder = "$home/visits";
$checks = new Checks();
$databases = [];
$bench = null;
// A run that hangs fails; every wait has a bound of its own long before.
pcntl_async_signals(true);
foreach ([\SIGALRM => 'the run took longer than it may', \SIGTERM => 'ended', \SIGINT => 'ended'] as $signal => $why) {
    pcntl_signal($signal, static fn () => throw new \Error($why));
}
pcntl_alarm(240);

try {
    $databases = [Database::make($home, 1), Database::make($home, 2)];
    foreach ($databases as $database) {
        $database->start();
        $database->prepare((string) file_get_contents(dirname(__DIR__) . '/schema.sql'));
    }
    $bench = new Bench($home, $databases[0], $databases[1]);
    $only = $argv[1] ?? '';
    foreach (glob(__DIR__ . '/cases/*.php') ?: [] as $file) {
        if (str_contains($file, $only)) {
            $cases = require $file;
            foreach ($cases as $title => $case) {
                try {
                    $case($checks, $bench, $title);
                } catch (\Exception $error) {
                    $checks->failed++;
                    $place = basename($error->getFile()) . ":{$error->getLine()}";
                    echo "FAILED $title: {$error->getMessage()} at $place\n";
                }
                Visit::endAll();
                $databases[0]->open();
            }
        }
    }
} catch (\Throwable $error) {
    $checks->failed++;
    echo 'FAILED ', $error::class, ': ', $error->getMessage(), ' at ', $error->getFile(), ':', $error->getLine(), "\n";
    echo $error->getTraceAsString(), "\n";
} finally {
    pcntl_alarm(0);
    Visit::endAll();
    $bench?->end();
    foreach ($databases as $database) {
        $database->stop();
    }
    if ($checks->failed === 0 || getenv('KEEP') === false) {
        Bench::remove($home);
    }
}

echo "$checks->passed passed, $checks->failed failed\n";
exit($checks->failed === 0 && $checks->passed > 0 ? 0 : 1);
