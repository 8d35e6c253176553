<?php

declare(strict_types=1);

namespace Site;

require_once __DIR__ . '/Database.php';
require_once __DIR__ . '/Note.php';

/** The connection test: the way from the visitor to a database and back, measured. Uses no session. */
function connexion(Request $request): Response
{
    return $request->method === 'POST' ? leaveNote($request) : readDatabase($request);
}

function readDatabase(Request $request, string $error = '', string $typed = ''): Response
{
    $config = null;
    try {
        $config = Database::config($request->env);
        [$database, $identity, $notes, $readMs] = readOnce($config, true);
    } catch (\PDOException | \ErrorException | \RuntimeException $failure) {
        return unavailable($request, $config, $failure, $typed, $error === '' ? '' : 'connexion.not_saved');
    }
    $times = [
        'connect' => $database->connectMs, 'read' => $readMs, 'write' => Note::wrote($request->query['wrote'] ?? null),
    ];

    $t = $request->text;
    $title = $t('connexion.title');
    $main = '<h1>' . e($title) . '</h1>
<p class="verdict">' . e($t('connexion.answered', [
        'name' => $identity['name'], 'ms' => $t->ms($database->connectMs + $readMs),
    ])) . '</p>
<div class="pair">
<section class="panel" aria-labelledby="h-way">
<h2 id="h-way">' . e($t('connexion.way')) . '</h2>
' . way($request, $config, $identity) . '
</section>
<section class="panel" aria-labelledby="h-times">
<h2 id="h-times">' . e($t('connexion.times')) . '</h2>
<dl>
' . timeRows($t, $times)
        . '<dt>' . e($t('connexion.sessions')) . '</dt><dd>' . e(sessionWay($request, $config)) . '</dd>
</dl>
</section>
</div>
<div class="pair">
<section class="panel" aria-labelledby="h-leave">
<h2 id="h-leave">' . e($t('connexion.leave')) . '</h2>
' . noteForm($t, $error, $typed) . '
</section>
<section class="panel" aria-labelledby="h-notes">
<h2 id="h-notes">' . e($t('connexion.notes')) . '</h2>
' . noteList($t, $notes) . '
</section>
</div>';

    return new Response(
        $error === '' ? 200 : 422, layout($request, $error === '' ? $title : $t('form.error') . $title, $main),
    );
}

/**
 * A connection that is lost while it reads is opened once more: the database may just have handed over, and reading
 * twice changes nothing. A write is never repeated like that.
 *
 * @param array<string, string> $config as read by Database::config()
 * @return array{Database, array<string, mixed>, list<array<string, string>>, float}
 */
function readOnce(array $config, bool $again): array
{
    $start = hrtime(true);
    try {
        $database = new Database($config);
        $identity = $database->identity();
        [$notes, $readMs] = $database->lastNotes();

        return [$database, $identity, $notes, $readMs];
    } catch (\PDOException | \ErrorException $failure) {
        // One that said nothing until the time was up has been waited for already.
        if ($again && Database::lost($failure) && hrtime(true) - $start < 1_000_000_000) {
            return readOnce($config, false);
        }

        throw $failure;
    }
}

function leaveNote(Request $request): Response
{
    $raw = $request->post['message'] ?? null;
    $message = Note::clean($raw);
    if ($message === null) {
        return readDatabase($request, 'connexion.refused', is_string($raw) ? $raw : '');
    }
    $config = null;
    $connected = false;
    try {
        $config = Database::config($request->env);
        $database = new Database($config);
        $connected = true;
        $ms = $database->addNote($request->server, $message);
    } catch (\PDOException | \ErrorException | \RuntimeException $failure) {
        // A connection lost during the write does not tell whether the note arrived; a refusal does.
        $unsure = $connected && !Database::refused($failure);

        return unavailable($request, $config, $failure, $message, $unsure ? 'connexion.unsure' : 'connexion.not_saved');
    }

    return Response::seeOther('/connexion?wrote=' . number_format($ms, 2, '.', ''));
}

/** The honest page: what could not be done, nothing of why. Only the code of the failure goes to the log. */
function unavailable(Request $request, ?array $config, \Throwable $failure, string $typed, string $fate): Response
{
    // The text of a database's failure holds the account and the address; that of a bad configuration names a key only.
    $what = $failure::class === \RuntimeException::class ? $failure->getMessage() : 'code ' . Database::code($failure);
    error_log('site: database: ' . $what);

    $t = $request->text;
    $title = $t('connexion.down_title');
    $again = $typed === ''
        ? '<p><a class="btn" href="/connexion">' . e($t('connexion.retry')) . '</a></p>'
        : noteForm($t, '', $typed);
    $main = '<h1>' . e($title) . '</h1>
<section class="panel" aria-labelledby="h-way">
<h2 id="h-way">' . e($t('connexion.way')) . '</h2>
' . way($request, $config, null) . '
</section>
<section class="panel" aria-labelledby="h-what">
<h2 id="h-what">' . e($t('connexion.down_what')) . '</h2>
<p>' . e($t('connexion.down_text')) . '</p>
' . ($fate === '' ? '' : '<p><strong>' . e($t($fate)) . '</strong></p>') . $again . '
</section>';

    return (new Response(503, layout($request, $title, $main)))->with('Retry-After', '2');
}

/** The way that the visitor's session takes, tried where it is another one. */
function sessionWay(Request $request, array $config): string
{
    $t = $request->text;
    if ($request->mode === Session::PROXY) {
        return $t('connexion.sessions_file', ['server' => $request->server]);
    }
    $at = ['port' => $config['writer_port']];
    try {
        $database = new Database($config, 'writer_port');
        $identity = $database->identity();
    } catch (\PDOException | \ErrorException) {
        return $t('connexion.sessions_away', $at);
    }

    return $t('connexion.sessions_row', $at + ['name' => $identity['name'], 'ms' => $t->ms($database->connectMs)]);
}

/**
 * The five places of the way, each with what is known of it; $database is null where the way is cut.
 *
 * @param array{name: string, port: string, version: string, readOnly: bool}|null $database
 */
function way(Request $request, ?array $config, ?array $database): string
{
    $t = $request->text;
    $items = '';
    foreach ([visitorHops($request), webHop($request), databaseHops($t, $config, $database)] as $hops) {
        foreach ($hops as [$key, $facts]) {
            $cut = $key === 'connexion.database' && $database === null ? ' class="cut"' : '';
            $items .= "<li$cut><b>" . e($t($key)) . '</b>';
            foreach ($facts as $fact) {
                $items .= ' <span>' . e($fact) . '</span>';
            }
            $items .= "</li>\n";
        }
    }

    return '<ol class="way">' . "\n" . $items . '</ol>';
}

/** @return list<array{string, list<string>}> */
function visitorHops(Request $request): array
{
    $t = $request->text;
    $peer = is_string($request->env['REMOTE_ADDR'] ?? null) ? $request->env['REMOTE_ADDR'] : '';
    $visitor = Note::forwardedFor($request->env['HTTP_X_FORWARDED_FOR'] ?? null);
    $asked = Note::host($request->env['HTTP_HOST'] ?? null);
    $proxy = $visitor === null
        ? [$t('connexion.not_announced')]
        : [
            ...($asked === null ? [] : [$t('connexion.asked', ['host' => $asked])]),
            $t('connexion.from', ['address' => $peer]),
        ];

    return [['connexion.visitor', [$visitor ?? $peer]], ['connexion.haproxy_web', $proxy]];
}

/** @return list<array{string, list<string>}> */
function webHop(Request $request): array
{
    $address = Note::host($request->env['CORDEE_ADDRESS'] ?? null);
    $begun = (float) ($request->env['REQUEST_TIME_FLOAT'] ?? microtime(true));
    $facts = [
        $request->server . ($address === null ? '' : ', ' . $address),
        'PHP ' . PHP_VERSION,
        ($request->text)('connexion.spent', ['ms' => $request->text->ms((microtime(true) - $begun) * 1000)]),
    ];

    return [['connexion.web', $facts]];
}

/** @return list<array{string, list<string>}> */
function databaseHops(Text $t, ?array $config, ?array $database): array
{
    $proxy = $config === null ? $t('connexion.unknown') : $config['host'] . ':' . $config['port'];
    $facts = $database === null
        ? [$t('connexion.unavailable')]
        : [
            $t('connexion.database_at', ['name' => $database['name'], 'port' => $database['port']]),
            $database['version'],
            $t($database['readOnly'] ? 'connexion.read_only' : 'connexion.read_write'),
        ];

    return [['connexion.haproxy_db', [$proxy]], ['connexion.database', $facts]];
}

/** @param array<string, ?float> $times in milliseconds; null when not measured */
function timeRows(Text $t, array $times): string
{
    $rows = '';
    foreach ($times as $what => $ms) {
        $value = $ms === null ? $t('connexion.not_measured') : $t->ms($ms);
        $rows .= '<dt>' . e($t('connexion.' . $what)) . '</dt><dd>' . e($value) . "</dd>\n";
    }

    return $rows;
}

function noteForm(Text $t, string $error, string $typed): string
{
    $invalid = $error === '' ? '' : ' aria-invalid="true"';

    return '<form method="post" action="/connexion">
<label for="message">' . e($t('connexion.message')) . '</label>
' . ($error === '' ? '' : '<p class="err" id="err">' . e($t($error)) . '</p>') . '
<input id="message" name="message" maxlength="200" required autocomplete="off" value="' . e($typed) . '"' . $invalid
        . ' aria-describedby="' . ($error === '' ? '' : 'err ') . 'hint">
<p class="soft" id="hint">' . e($t('connexion.hint')) . '</p>
<button class="btn main">' . e($t('connexion.send')) . '</button>
</form>';
}

/** @param list<array{server: string, message: string, created: string}> $notes */
function noteList(Text $t, array $notes): string
{
    if ($notes === []) {
        return '<p class="soft">' . e($t('connexion.no_notes')) . '</p>';
    }
    $items = '';
    foreach ($notes as $note) {
        $moment = (int) strtotime($note['created'] . ' UTC');
        $items .= '<li><span>' . e($note['message']) . '</span> <span class="soft">' . e($note['server']) . ', '
            . clock($moment, 'Y-m-d H:i:s') . " UTC</span></li>\n";
    }

    return '<ul class="notes">' . "\n" . $items . '</ul>';
}
