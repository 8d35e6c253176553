<?php

declare(strict_types=1);

namespace Site;

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
