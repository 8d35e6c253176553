<?php

declare(strict_types=1);

namespace Cordee\Session\Tests;

/** The way to the database, as a proxy gives it: it can lead elsewhere, be cut without a word, or break off. */
final class Relay
{
    public readonly int $port;
    private readonly Program $program;

    public function __construct(string $folder, int $target)
    {
        $this->port = Wait::freePort();
        $script = dirname(__DIR__) . '/relay.php';
        $this->program = new Program(
            [\PHP_BINARY, $script, (string) $this->port, (string) $target], "$folder/relay.log",
        );
        if ($this->program->hear(10) !== 'ready') {
            throw new \RuntimeException('the relay does not start: ' . $this->program->said());
        }
    }

    /** New connections lead there; those that are there stay where they are. */
    public function lead(int $target): void
    {
        $this->say("lead $target");
    }

    /** What is connected now hears nothing any more, on both sides, and neither side is told. */
    public function silence(): void
    {
        $this->say('silence');
    }

    /**
     * It stands still for the connection that says this word next, as a frozen proxy does: nothing is lost, and nothing
     * moves.
     */
    public function hold(string $word): void
    {
        $this->say("hold $word");
    }

    /** Whether it does. */
    public function holds(): bool
    {
        $this->program->say('held');

        return $this->program->hear(10) === 'done';
    }

    /** It goes on with what it held. */
    public function thaw(): void
    {
        $this->say('thaw');
    }

    /** What is connected now ends. */
    public function breakOff(): void
    {
        $this->say('break');
    }

    public function end(): void
    {
        $this->program->end();
    }

    private function say(string $command): void
    {
        $this->program->say($command);
        if ($this->program->hear(10) !== 'done') {
            throw new \RuntimeException("the relay did not $command");
        }
    }
}
