<?php

declare(strict_types=1);

namespace Cordee\Session\Tests;

/** A program that this run started, by a list of arguments, with its standard streams. */
final class Program
{
    /** @var resource */
    private $process;
    /** @var array<int, resource> */
    public array $pipes = [];
    public readonly int $pid;
    /** Whether it has closed its standard output: it says nothing any more. */
    public bool $over = false;

    /** @param list<string> $command */
    public function __construct(array $command, private readonly string $log, ?string $folder = null)
    {
        $streams = [['pipe', 'r'], ['pipe', 'w'], ['file', $log, 'a']];
        $process = proc_open($command, $streams, $this->pipes, $folder);
        if ($process === false) {
            throw new \RuntimeException("cannot start $command[0]");
        }
        $this->process = $process;
        $this->pid = proc_get_status($process)['pid'];
    }

    public function runs(): bool
    {
        return is_resource($this->process) && proc_get_status($this->process)['running'];
    }

    public function signal(int $signal): void
    {
        if ($this->runs()) {
            posix_kill($this->pid, $signal);
            if ($signal === \SIGSTOP) {
                // One thread hears it; until that one runs, the others go on.
                Wait::until('it stands still', 10, $this->standsStill(...));
            }
        }
    }

    /** Whether each of its threads is stopped. */
    private function standsStill(): bool
    {
        foreach (glob("/proc/{$this->pid}/task/*/stat") ?: [] as $file) {
            // The second field is the name in parentheses, which may hold anything.
            $stat = (string) @file_get_contents($file);
            if ($stat !== '' && substr($stat, (int) strrpos($stat, ')') + 2, 1) !== 'T') {
                return false;
            }
        }

        return true;
    }

    public function say(string $line): void
    {
        fwrite($this->pipes[0], "$line\n");
        fflush($this->pipes[0]);
    }

    /** The next line, or null when none came by then, or none comes any more. */
    public function hear(float $seconds): ?string
    {
        $read = [$this->pipes[1]];
        $none = null;
        if (stream_select($read, $none, $none, (int) $seconds, (int) (fmod($seconds, 1) * 1e6)) !== 1) {
            return null;
        }
        $line = fgets($this->pipes[1]);

        $this->over = $line === false;

        return $line === false ? null : rtrim($line, "\n");
    }

    /** Waits for its end; ends it by force when it has not come. */
    public function end(float $seconds = 10.0): void
    {
        if (!is_resource($this->process)) {
            return;
        }
        foreach ($this->pipes as $pipe) {
            is_resource($pipe) && fclose($pipe);
        }
        try {
            Wait::until("$this->pid ends", $seconds, fn (): bool => !$this->runs());
        } catch (\RuntimeException) {
            $this->signal(\SIGKILL);
        }
        proc_close($this->process);
    }

    public function said(): string
    {
        return (string) @file_get_contents($this->log);
    }
}
