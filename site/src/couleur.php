<?php

declare(strict_types=1);

namespace Site;

require_once __DIR__ . '/Colour.php';

/** The favourite colour, kept in PHP's session: shows whether a visitor's session follows them. */
function couleur(Request $request): Response
{
    Session::start($request);
    $before = Colour::state($_SESSION);
    $state = Colour::count($before, $request->server);
    $wanted = $request->post['couleur'] ?? null;
    $refused = $request->method === 'POST' && !Colour::valid($wanted);
    // Choosing the same colour again is no change: it would fill the history with nothing.
    $changed = $request->method === 'POST' && !$refused && $wanted !== $before['couleur'];
    if ($changed) {
        $state = Colour::change($state, $wanted, time(), $request->server);
    }
    $id = (string) session_id();
    $_SESSION = $state + $_SESSION;
    // Before the answer: what the page or its headers report must be stored by then.
    Session::close();

    if ($request->method === 'POST' && !$refused) {
        $response = Response::seeOther('/couleur');

        return $changed ? $response->with('X-Cordee-Change', ($before['couleur'] ?? '-') . '>' . $wanted) : $response;
    }

    return couleurPage($request, $state, $id, $refused);
}

function couleurPage(Request $request, array $state, string $id, bool $refused): Response
{
    $t = $request->text;
    $title = $t('couleur.title');
    $main = '<h1>' . e($title) . '</h1>
<p>' . e($t('couleur.explain')) . '</p>
' . kept($request) . '
<div class="pair">
<section class="panel" aria-labelledby="h-choice">
<h2 id="h-choice">' . e($t('couleur.yours')) . '</h2>
<p class="chosen">' . swatch($t, $state['couleur'] ?? '-') . '</p>
' . colourForm($t, $state['couleur'], $refused) . '
</section>
<section class="panel" aria-labelledby="h-session">
<h2 id="h-session">' . e($t('couleur.session')) . '</h2>
<dl>
<dt>' . e($t('couleur.id')) . '</dt><dd><code>' . e(Session::shorten($id)) . '</code></dd>
<dt>' . e($t('couleur.server')) . '</dt><dd>' . e($request->server) . '</dd>
</dl>
' . serverTable($t, $state['servers']) . '
</section>
</div>
<section class="panel" aria-labelledby="h-history">
<h2 id="h-history">' . e($t('couleur.history')) . '</h2>
' . historyTable($t, $state['history']) . '
</section>';

    return new Response($refused ? 422 : 200, layout($request, $refused ? $t('form.error') . $title : $title, $main));
}

/** The colour as a sample and, since a colour alone says nothing to everyone, as a word. */
function swatch(Text $t, string $slug): string
{
    $slug = Colour::valid($slug) ? $slug : 'aucune';

    return '<span class="sw c-' . $slug . '"></span>' . e($t('colour.' . $slug));
}

function colourForm(Text $t, ?string $current, bool $refused): string
{
    $radios = '';
    foreach (Colour::ALL as $slug) {
        $checked = $slug === $current ? ' checked' : '';
        $radios .= '<label><input type="radio" name="couleur" value="' . $slug . '" required' . $checked . '>'
            . swatch($t, $slug) . "</label>\n";
    }
    $error = $refused ? '<p class="err" id="err">' . e($t('couleur.refused')) . '</p>' : '';
    $invalid = $refused ? ' aria-invalid="true" aria-describedby="err"' : '';

    return '<form method="post" action="/couleur">
<fieldset role="radiogroup"' . $invalid . '>
<legend>' . e($t('couleur.choose')) . '</legend>
' . $error . '<div class="radios">
' . $radios . '</div>
</fieldset>
<button class="btn main">' . e($t('couleur.save')) . '</button>
</form>';
}

/** @param array<string, int> $servers */
function serverTable(Text $t, array $servers): string
{
    ksort($servers, SORT_NATURAL);
    $rows = '';
    foreach ($servers as $name => $count) {
        $rows .= '<tr><th scope="row">' . e($name) . '</th><td class="num">' . e((int) $count) . "</td></tr>\n";
    }

    return '<table>
<caption>' . e($t('couleur.counts')) . '</caption>
<thead><tr><th scope="col">' . e($t('couleur.server')) . '</th><th scope="col" class="num">'
        . e($t('couleur.requests')) . '</th></tr></thead>
<tbody>
' . $rows . '</tbody>
</table>';
}

/** @param list<array{int, string, string, string}> $history */
function historyTable(Text $t, array $history): string
{
    if ($history === []) {
        return '<p class="soft">' . e($t('couleur.no_history')) . '</p>';
    }
    $head = '';
    foreach (['couleur.time', 'couleur.from', 'couleur.to', 'couleur.server'] as $key) {
        $head .= '<th scope="col">' . e($t($key)) . '</th>';
    }
    $rows = '';
    foreach ($history as [$time, $from, $to, $server]) {
        $rows .= '<tr><td>' . clock((int) $time) . '</td><td>' . swatch($t, (string) $from) . '</td><td>'
            . swatch($t, (string) $to) . '</td><td>' . e($server) . "</td></tr>\n";
    }

    return '<table class="tight">
<thead><tr>' . $head . '</tr></thead>
<tbody>
' . $rows . '</tbody>
</table>';
}
