<?php

declare(strict_types=1);

namespace Site;

/** Each page: the file and the function that answer it, and the methods it takes. */
const ROUTES = [
    '/' => ['home', ['GET', 'HEAD']],
    '/couleur' => ['couleur', ['GET', 'HEAD', 'POST']],
    '/compte' => ['compte', ['GET', 'HEAD', 'POST']],
    '/connexion' => ['connexion', ['GET', 'HEAD', 'POST']],
];

function answer(Request $request): Response
{
    if (!in_array($request->method, ['GET', 'HEAD', 'POST'], true)) {
        return problem($request, 405)->with('Allow', 'GET, HEAD, POST');
    }
    $route = ROUTES[$request->path] ?? null;
    if ($route === null) {
        return problem($request, 404);
    }
    [$page, $methods] = $route;
    if (!in_array($request->method, $methods, true)) {
        return problem($request, 405)->with('Allow', implode(', ', $methods));
    }
    if ($request->method === 'POST' && !$request->isSameOrigin()) {
        return problem($request, 403);
    }
    // Loaded only now: the home page, fetched by every health check, pays for no other page.
    require_once __DIR__ . '/' . $page . '.php';

    return (__NAMESPACE__ . '\\' . $page)($request);
}

/** Only an explicit choice (?lang=) leaves a cookie; following Accept-Language does not. */
function rememberLanguage(Request $request): void
{
    if (!$request->languageChosen) {
        return;
    }
    setcookie('lang', $request->text->lang, [
        'expires' => time() + 365 * 86400,
        'path' => '/',
        'secure' => $request->secure,
        'httponly' => true,
        'samesite' => 'Lax',
    ]);
}

/**
 * The place of an error, for the log of the server only. No trace: it could hold arguments. PHP's own messages
 * name the session's file, hence its id, which would let a reader of the log into the session.
 */
function logError(\Throwable $error): void
{
    error_log(sprintf(
        'site: %s: %s at %s:%d',
        $error::class,
        preg_replace('/sess_[A-Za-z0-9,-]+/', 'sess_…', $error->getMessage()),
        basename($error->getFile()),
        $error->getLine(),
    ));
}
