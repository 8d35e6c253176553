<?php

declare(strict_types=1);

namespace Site;

use Cordee\Session\Busy;

/** The page of a request that was not served, with what the visitor can do. Needs neither session nor database. */
function problem(Request $request, int $status): Response
{
    $t = $request->text;
    $title = $t("problem.$status.title");
    $main = '<section class="panel">
<h1>' . e($title) . '</h1>
<p>' . e($t("problem.$status.text")) . '</p>
<p class="soft">' . e($t('problem.status', ['status' => (string) $status])) . '</p>
<p><a href="/">' . e($t('problem.home')) . '</a></p>
</section>';

    return new Response($status, layout($request, $title, $main));
}

/**
 * The page of a request whose session cannot be had. Going on with an empty one would sign the visitor out, and might
 * be stored over the old one.
 */
function sessionAway(Request $request, \Throwable $failure): Response
{
    error_log('site: session: ' . $failure->getMessage());
    $t = $request->text;
    $title = $t('away.title');
    $fate = match (true) {
        $request->method !== 'POST' => '',
        Session::begun() => 'away.unsure',
        default => 'away.unchanged',
    };
    $main = '<section class="panel">
<h1>' . e($title) . '</h1>
<p>' . e($t($failure instanceof Busy ? 'away.busy' : 'away.text')) . '</p>
' . ($fate === '' ? '' : '<p><strong>' . e($t($fate)) . '</strong></p>') . '
<p><a class="btn main" href="' . e($request->path) . '">' . e($t('connexion.retry')) . '</a></p>
<p class="soft">' . e($t('problem.status', ['status' => '503'])) . '</p>
</section>';

    return (new Response(503, layout($request, $title, $main)))->with('Retry-After', '2');
}
