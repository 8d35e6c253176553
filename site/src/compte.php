<?php

declare(strict_types=1);

namespace Site;

require_once __DIR__ . '/Note.php';
require_once __DIR__ . '/Person.php';

/** What a sign-in and a log-out do to a session. Nobody is checked: behind the name there is nothing to protect. */
function compte(Request $request): Response
{
    Session::start($request);
    if ($request->method === 'POST' && ($request->post['act'] ?? null) === 'out') {
        return signOut($request);
    }
    $name = Note::clean($request->post['name'] ?? null, Person::LONGEST);
    if ($request->method === 'POST' && $name !== null) {
        return signIn($request, $name);
    }
    $person = Person::of($_SESSION);
    $id = (string) session_id();
    Session::close();

    return comptePage($request, $person, $id);
}

/** With a new id: one that somebody else had planted before would now open this person's session. */
function signIn(Request $request, string $name): Response
{
    $was = Session::shorten((string) session_id());
    Session::renew();
    $_SESSION = Person::enter($_SESSION, $name, time(), $request->server, $was);
    Session::close();

    return Response::seeOther('/compte');
}

function signOut(Request $request): Response
{
    Session::end($request);

    return Response::seeOther('/compte?out=1');
}

function comptePage(Request $request, ?array $person, string $id): Response
{
    $t = $request->text;
    $refused = $request->method === 'POST';
    $title = $t('compte.title');
    $main = '<h1>' . e($title) . '</h1>
<p>' . e($t('compte.explain')) . '</p>
<div class="pair">
<section class="panel" aria-labelledby="h-who">
<h2 id="h-who">' . e($t('compte.who')) . '</h2>
' . ($person === null ? signInForm($request, $refused) : signedIn($t, $person)) . '
</section>
<section class="panel" aria-labelledby="h-session">
<h2 id="h-session">' . e($t('couleur.session')) . '</h2>
<dl>
' . ($person === null ? '' : '<dt>' . e($t('compte.was')) . '</dt><dd><code>' . e($person['was']) . '</code></dd>') . '
<dt>' . e($t('couleur.id')) . '</dt><dd><code>' . e(Session::shorten($id)) . '</code></dd>
<dt>' . e($t('couleur.server')) . '</dt><dd>' . e($request->server) . '</dd>
</dl>
<p>' . e($t($person === null ? 'compte.before' : 'compte.after')) . '</p>
</section>
</div>
' . kept($request);

    return new Response($refused ? 422 : 200, layout($request, $refused ? $t('form.error') . $title : $title, $main));
}

function signInForm(Request $request, bool $refused): string
{
    $t = $request->text;
    $left = isset($request->query['out']) ? '<p><strong>' . e($t('compte.left')) . '</strong></p>' : '';
    $typed = is_string($request->post['name'] ?? null) ? $request->post['name'] : '';
    $error = $refused ? '<p class="err" id="err">' . e($t('compte.refused')) . '</p>' : '';

    return $left . '<p>' . e($t('compte.out')) . '</p>
<form method="post" action="/compte">
<label for="name">' . e($t('compte.name')) . '</label>
' . $error . '
<input id="name" name="name" maxlength="' . Person::LONGEST . '" required autocomplete="off" value="' . e($typed) . '"'
        . ($refused ? ' aria-invalid="true"' : '') . ' aria-describedby="' . ($refused ? 'err ' : '') . 'hint">
<p class="soft" id="hint">' . e($t('compte.hint')) . '</p>
<button class="btn main">' . e($t('compte.enter')) . '</button>
</form>';
}

/** @param array{name: string, since: int, server: string, was: string} $person */
function signedIn(Text $t, array $person): string
{
    return '<p class="chosen">' . e($t('compte.in', ['name' => $person['name']])) . '</p>
<dl>
<dt>' . e($t('compte.since')) . '</dt><dd>' . clock($person['since'], 'Y-m-d H:i:s') . ' UTC</dd>
<dt>' . e($t('compte.by')) . '</dt><dd>' . e($person['server']) . '</dd>
</dl>
<form method="post" action="/compte">
<button class="btn main" name="act" value="out">' . e($t('compte.leave')) . '</button>
</form>
<p class="soft">' . e($t('compte.final')) . '</p>';
}
