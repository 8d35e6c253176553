<?php

declare(strict_types=1);

// The same suite on PHP 8.4: `php8.2 site/session/tests/trixie.php FOLDER`, as root, with Debian's debootstrap.
// FOLDER is new, or one that this script made before; it takes about 600 MB and is left there for the next run.
// Not part of ./test: it fetches a small Debian 13.

namespace Cordee\Session\Tests;

/** @param list<string> $command */
function run(array $command): int
{
    echo '# ', implode(' ', $command), "\n";
    $process = proc_open($command, [\STDIN, \STDOUT, \STDERR], $pipes);

    return $process === false ? 127 : proc_close($process);
}

function must(array $command): void
{
    run($command) === 0 || exit(1);
}

$folder = $argv[1] ?? '';
if (posix_geteuid() !== 0 || !str_starts_with($folder, '/') || trim($folder, '/') === '') {
    fwrite(\STDERR, "as root, with the absolute path of a folder of its own\n");
    exit(2);
}
$made = "$folder/.made-for-cordee-session";
if (!is_file($made)) {
    if (is_dir($folder) && count(scandir($folder) ?: []) > 2) {
        fwrite(\STDERR, "$folder is not empty, and was not made by this script\n");
        exit(2);
    }
    must(['/usr/sbin/debootstrap', '--variant=minbase',
        '--include=php8.4-cli,php8.4-mysql,mariadb-server-core,mariadb-client,passwd', 'trixie', $folder]);
    must(['/usr/sbin/chroot', $folder, '/usr/sbin/useradd', '--system', '--user-group', '--no-create-home',
        '--home-dir', '/nonexistent', '--shell', '/bin/false', 'mysql']);
    // Debian's installer would write it; MariaDB's asks for localhost.
    file_put_contents("$folder/etc/hosts", "127.0.0.1 localhost\n");
    touch($made);
}
// A fresh copy of the library; nothing of the folder's own is followed or kept.
must(['/usr/bin/rm', '-rf', '--one-file-system', "$folder/srv/session"]);
must(['/usr/bin/cp', '-r', dirname(__DIR__), "$folder/srv/session"]);
exit(run(['/usr/sbin/chroot', $folder, '/usr/bin/php8.4', '/srv/session/tests/run.php', ...array_slice($argv, 2)]));
