<?php

declare(strict_types=1);

namespace Cordee\Session\Tests;

/** A MariaDB of this run's own: its folder, its port, its process. */
final class Database
{
    public const USER = 'visitor';
    public const PASSWORD = "p'a\"s;s\\w=ord";

    private ?Program $program = null;
    private ?\PDO $root = null;

    private function __construct(
        private readonly string $folder,
        public readonly int $number,
        public readonly int $port,
        private readonly Program $installing,
    ) {
    }

    /** Begins to make an empty one. Several are made at the same time. */
    public static function make(string $home, int $number): self
    {
        $folder = "$home/db$number";
        mkdir($folder, 0o700);
        $command = ['/usr/bin/mariadb-install-db', '--no-defaults', "--datadir=$folder/data", '--skip-test-db',
            '--auth-root-authentication-method=normal', '--skip-name-resolve'];
        if (posix_geteuid() === 0) {
            // MariaDB refuses to run as root.
            chown($folder, 'mysql');
            $command[] = '--user=mysql';
        }

        return new self($folder, $number, Wait::freePort(), new Program($command, "$folder/install.log", $folder));
    }

    public function start(): void
    {
        while ($this->installing->runs()) {
            $this->installing->hear(0.05);
        }
        $this->installing->end(60);
        if (!is_dir("$this->folder/data/mysql")) {
            throw new \RuntimeException("no database was made:\n" . $this->installing->said());
        }
        $command = ['/usr/sbin/mariadbd', '--no-defaults', "--datadir=$this->folder/data", "--socket=$this->folder/s",
            "--pid-file=$this->folder/pid", "--port=$this->port", '--bind-address=127.0.0.1', '--skip-name-resolve',
            "--server-id=$this->number", "--log-bin=$this->folder/data/log", '--binlog-format=ROW',
            '--gtid-strict-mode=ON', '--innodb-buffer-pool-size=64M',
            '--max-allowed-packet=40M', '--innodb-flush-log-at-trx-commit=2', '--performance-schema=OFF'];
        if (posix_geteuid() === 0) {
            $command[] = '--user=mysql';
        }
        $this->program = new Program($command, "$this->folder/server.log", $this->folder);
        Wait::until("MariaDB $this->number answers", 60, function (): bool {
            if (!$this->program?->runs()) {
                throw new \RuntimeException("MariaDB ended:\n" . $this->program?->said());
            }
            try {
                return $this->root() instanceof \PDO;
            } catch (\PDOException) {
                return false;
            }
        });
    }

    public function prepare(string $schema): void
    {
        $this->do('CREATE DATABASE site');
        $this->do('USE site');
        $this->do($schema);
        $this->do('CREATE USER ' . self::USER . "@'127.0.0.1' IDENTIFIED BY " . $this->root()->quote(self::PASSWORD));
        $this->do('GRANT SELECT, INSERT, UPDATE, DELETE ON site.php_sessions TO ' . self::USER . "@'127.0.0.1'");
        $this->do("CREATE USER follower@'127.0.0.1' IDENTIFIED BY 'f'");
        $this->do("GRANT REPLICATION SLAVE ON *.* TO follower@'127.0.0.1'");
    }

    /** Replays what the other one writes from now on. */
    public function follow(self $other): void
    {
        $this->do('RESET MASTER');
        $this->do("SET GLOBAL gtid_slave_pos = ''");
        $this->do("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$other->port, MASTER_USER='follower', "
            . "MASTER_PASSWORD='f', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1");
        $this->do('START SLAVE');
    }

    public function root(): \PDO
    {
        return $this->root ??= new \PDO("mysql:unix_socket=$this->folder/s", 'root', '', [
            \PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION,
            \PDO::ATTR_TIMEOUT => 2,
            \PDO::MYSQL_ATTR_INIT_COMMAND => 'SET SESSION lock_wait_timeout = 10',
        ]);
    }

    public function do(string $sql): int
    {
        return (int) $this->root()->exec($sql);
    }

    /** The first value of the first row; null when there is none. */
    public function ask(string $sql): ?string
    {
        $value = $this->root()->query($sql)->fetchColumn();

        return $value === false || $value === null ? null : (string) $value;
    }

    public function rows(): int
    {
        return (int) $this->ask('SELECT COUNT(*) FROM site.php_sessions');
    }

    /** What the row of a cookie's value holds. */
    public function row(string $id, string $column = 'data'): ?string
    {
        return $this->ask("SELECT $column FROM site.php_sessions WHERE id = UNHEX('" . hash('sha256', $id) . "')");
    }

    public function has(string $id): bool
    {
        return $this->row($id, '1') === '1';
    }

    /** As it was at first, whatever a case that failed left behind. */
    public function open(): void
    {
        $this->signal(\SIGCONT);
        $this->do("SET GLOBAL read_only = 0, GLOBAL init_connect = '', GLOBAL max_allowed_packet = 41943040");
    }

    /** Waits until so many requests wait for a row's lock. */
    public function waitForQueue(int $requests): void
    {
        // Not information_schema.innodb_trx: what it shows is as old as the last look, if that was just now.
        Wait::until("$requests requests wait for a lock", 10, fn (): bool => (int) $this->ask(
            'SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS '
                . "WHERE VARIABLE_NAME = 'INNODB_ROW_LOCK_CURRENT_WAITS'",
        ) >= $requests);
    }

    public function signal(int $signal): void
    {
        $this->program?->signal($signal);
    }

    public function stop(): void
    {
        $this->root = null;
        $this->program?->signal(\SIGCONT);
        $this->program?->signal(\SIGTERM);
        $this->program?->end(20);
        $this->installing->end(1);
    }
}
