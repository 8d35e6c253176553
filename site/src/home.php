<?php

declare(strict_types=1);

namespace Site;

/** Says which server answered. HAProxy fetches it at each health check: no session, no database, no cookie. */
function home(Request $request): Response
{
    $t = $request->text;
    $main = '<section class="panel hero">
<h1><strong>' . e($request->server) . '</strong> ' . e($t('home.answered')) . '</h1>
<p class="soft">' . e($t('home.time')) . ' ' . clock(time(), 'Y-m-d H:i:s') . ' UTC</p>
<p>' . e($t('home.explain')) . '</p>
<p><a class="btn" href="/">' . e($t('home.again')) . '</a></p>
</section>';

    return new Response(200, layout($request, $t('home.title'), $main));
}
