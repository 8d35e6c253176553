<?php

declare(strict_types=1);

namespace Site;

/** The one way from a value to HTML, in text and in attributes. */
function e(string|int|float $value): string
{
    return htmlspecialchars((string) $value, ENT_QUOTES | ENT_SUBSTITUTE | ENT_HTML5, 'UTF-8');
}

/** A moment of the server's clock, in UTC, for people and for machines. */
function clock(int $time, string $format = 'H:i:s'): string
{
    return '<time datetime="' . gmdate('Y-m-d\TH:i:s\Z', $time) . '">' . gmdate($format, $time) . '</time>';
}

/** What becomes of the visitor's session when a server stops: said before it happens. */
function kept(Request $request): string
{
    $sentence = ($request->text)('kept.' . $request->mode, ['server' => $request->server]);

    return '<p class="kept" data-mode="' . $request->mode . '">' . e($sentence) . '</p>';
}

/** The whole page around $main, which is HTML. */
function layout(Request $request, string $title, string $main): string
{
    $t = $request->text;
    $places = '';
    foreach ([
        '/' => 'nav.home', '/couleur' => 'nav.couleur', '/compte' => 'nav.compte', '/connexion' => 'nav.connexion',
    ] as $path => $key) {
        $here = $path === $request->path ? ' aria-current="page"' : '';
        $places .= '<li><a href="' . $path . '"' . $here . '>' . e($t($key)) . '</a></li>';
    }
    $other = $t->lang === 'fr' ? 'en' : 'fr';

    return '<!doctype html>
<html lang="' . $t->lang . '">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>' . e($title . ' · ' . $t('site.name')) . '</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/site.css">
</head>
<body>
<a class="skip" href="#main">' . e($t('nav.skip')) . '</a>
<header>
<div class="wrap">
<p class="brand"><img src="/icon.svg" alt="" width="24" height="24">' . e($t('site.name')) . '</p>
<nav aria-label="' . e($t('nav.label')) . '"><ul>' . $places . '</ul></nav>
<a class="lang" href="?lang=' . $other . '" lang="' . $other . '" hreflang="' . $other . '">'
        . e($t('nav.other_language')) . '</a>
</div>
</header>
<main id="main" class="wrap">
' . $main . '
</main>
<footer class="wrap"><p>' . e($t('site.foot', ['server' => $request->server]))
        . ' ' . e($t('site.' . $request->mode)) . '</p></footer>
</body>
</html>
';
}
