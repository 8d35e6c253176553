<?php

declare(strict_types=1);

namespace Cordee\Session\Tests;

/**
 * One request: a PHP process with a session life of its own, led step by step. What was not led to an end ends as a
 * request does when its script is over.
 */
final class Visit
{
    private readonly Program $program;
    private static int $count = 0;
    /** Where each process writes what PHP says on its standard error. */
    public static string $folder = '';
    /** @var list<self> those that may still run */
    private static array $all = [];

    /** @param array<string, mixed> $config */
    public function __construct(array $config, private readonly ?string $cookie = null)
    {
        $log = self::$folder . '/visit' . ++self::$count . '.log';
        $this->program = new Program([\PHP_BINARY, '-d', 'display_errors=stderr', '-d', 'log_errors=0',
            '-d', 'memory_limit=512M', dirname(__DIR__) . '/request.php'], $log);
        self::$all[] = $this;
        $this->program->say(json_encode(['config' => $config, 'cookie' => $cookie], \JSON_THROW_ON_ERROR));
    }

    /** @return array<string, mixed> what the step came to; `error` names the exception's class */
    public function ask(string $step, mixed ...$arguments): array
    {
        $this->send($step, ...$arguments);

        return $this->answer();
    }

    public function send(string $step, mixed ...$arguments): void
    {
        $this->program->say(json_encode([$step, ...$arguments], \JSON_THROW_ON_ERROR));
    }

    /** @return array<string, mixed> `gone` when the process ended without an answer */
    public function answer(float $seconds = 40.0): array
    {
        $line = $this->program->hear($seconds);
        if ($line === null) {
            return $this->program->over ? ['gone' => true] : ['silent' => true];
        }

        return json_decode($line, true, 512, \JSON_THROW_ON_ERROR);
    }

    /** Whether it has answered by now. */
    public function answered(): bool
    {
        $read = [$this->program->pipes[1]];
        $none = null;

        return stream_select($read, $none, $none, 0) === 1;
    }

    public function signal(int $signal): void
    {
        $this->program->signal($signal);
    }

    /** The script is over; what PHP said on its standard error. */
    public function end(): string
    {
        $this->program->end();
        self::$all = array_values(array_filter(self::$all, fn (self $one): bool => $one !== $this));

        return $this->program->said();
    }

    public static function endAll(): void
    {
        foreach (self::$all as $visit) {
            $visit->program->signal(\SIGCONT);
            $visit->program->end(1);
        }
        self::$all = [];
    }
}
